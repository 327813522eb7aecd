"""Alembic comes in here; the connection and its transaction are ``upgrade_database``'s."""

from alembic import context

from migrations.upgrade import render_item
from models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    # SQLite cannot alter a column: the table is made anew and copied.
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
