"""The way a database gets from one version of the schema to the next, by Alembic."""

from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, False_, text

from migrations import FOLDER, find_revision, latest_revision
from models import UTCDateTime, engine, reading, writing
from models.base import Folded
from models.users import Shadow

# Any number will do, as long as every Herdbook uses the same.
_LOCK = text("SELECT pg_advisory_xact_lock(7267)")


def upgrade_database(to: str = "head") -> tuple[str | None, str]:
    """Bring the database to this release's schema, or an earlier one; the revision before, and ours.

    All in one transaction, and one process at a time: a second one waits, then finds nothing to do.
    """
    with writing() as connection:
        if engine().dialect.name == "postgresql":
            connection.execute(_LOCK)
        before = find_revision(connection)
        command.upgrade(_alembic(connection), to)
    return before, latest_revision()


def add_revision(message: str) -> Path:
    """Write the next numbered version: what the models have and the database does not."""
    number = f"{int(latest_revision()) + 1:04}"
    with reading() as connection:
        script = command.revision(_alembic(connection), message, autogenerate=True, rev_id=number)
    return Path(script.path)  # type: ignore[union-attr]


def render_item(kind: str, item: Any, context: Any) -> str | Literal[False]:
    """What autogeneration writes down: a version names no type of ours, which may change later."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and item is Shadow:
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.Text().with_variant(postgresql.JSONB(), "postgresql")'
    if kind == "type" and item is Folded:
        return 'sa.String().with_variant(sa.String(collation="C"), "postgresql")'
    if kind == "server_default" and isinstance(getattr(item, "arg", None), False_):
        return "sa.false()"
    return False


def _alembic(connection: Connection) -> Config:
    config = Config()
    # Alembic reads "%" as a reference to another option.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
