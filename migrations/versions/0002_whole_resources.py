"""A row keeps the whole resource as text, ``id`` and ``meta`` too: a list joins texts and parses nothing."""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TIMES = {
    "sqlite": "substr({0}, 1, 10) || 'T' || substr({0}, 12, 12) || 'Z'",
    "postgresql": """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""",
}


def upgrade() -> None:
    """Add to each document what its columns say. The escaped slash is where the host goes when reading."""
    time = TIMES[op.get_bind().dialect.name]
    for table, kind in (("users", "User"), ("groups", "Group")):
        op.get_bind().exec_driver_sql(
            f"UPDATE {table} SET document = substr(document, 1, length(document) - 1)"  # noqa: S608
            f""" || ',"id":"' || id || '","meta":{{"resourceType":"{kind}","created":"'"""
            f""" || {time.format("created_at")} || '","lastModified":"' || {time.format("modified_at")}"""
            rf""" || '","location":"\u002f{kind}s/' || id || '","version":"W/\"' || version || '\""}}}}'"""
        )
