"""What a failing database means for whoever runs the service, in one sentence."""

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, ProgrammingError

DATABASE_UNUSABLE = (OperationalError, InternalError, ProgrammingError, InterfaceError)
"""Away, read-only, or not yet at this release's schema."""


def say_database_failure(error: BaseException) -> str:
    """What is wrong with the database, and what to do about it where that is known."""
    # A driver may say nothing at all.
    text = (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
    if "no such table" in text or "no such column" in text or "does not exist" in text:
        return "The database is not at this release's schema; run: flask --app app db upgrade"
    return f"The database cannot be used: {text}"
