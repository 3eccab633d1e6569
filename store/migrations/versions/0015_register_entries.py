"""The registers of what is not a complaint: each act on an entry is a row.

It only adds. A release before this opens no entries; those of before stay.
"""

from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    create_tables(tables_of(revision))


def downgrade() -> None:
    """The entries are lost; the desk's log still names each act on them."""
    op.drop_table("register_entries")
