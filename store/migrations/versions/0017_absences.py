"""Further absences of a member of staff; the first one stays in the member's own row.

It only adds. An older release reads and writes the absence in the row of the member and does not see the others.
"""

from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    create_tables(tables_of(revision))


def downgrade() -> None:
    """The further absences are lost; the desk's log still names each of them."""
    op.drop_table("absences")
