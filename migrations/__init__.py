"""The schema's numbered versions. What brings a database to the latest is ``migrations.upgrade``."""

import functools
from pathlib import Path

from sqlalchemy import Connection, inspect, text

FOLDER = Path(__file__).parent


@functools.cache
def latest_revision() -> str:
    """The revision this release's code was written for; 0000 where there is none yet."""
    return max((path.name[:4] for path in FOLDER.glob("versions/[0-9]*.py")), default="0000")


def find_revision(connection: Connection) -> str | None:
    """The revision the database is at; None where nothing was ever set up."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
