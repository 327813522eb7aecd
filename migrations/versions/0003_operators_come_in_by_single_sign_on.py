"""Operators come in by single sign-on: the person behind each."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema forward; there is no way back but a backup."""
    with op.batch_alter_table("operators", recreate="auto") as batch:
        batch.add_column(sa.Column("user_id", sa.String(), nullable=True))
