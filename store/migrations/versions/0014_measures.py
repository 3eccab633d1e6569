"""One row of measures for each complaint, from which reports are counted.

It only adds. An older release leaves its rows behind: they name an older version of their complaint, and are
computed again. So `serves_from` stays. Complaints of before get their rows from the daily obligation `measure`, or at
once from `amends db measure`.
"""

from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    create_tables(tables_of(revision))


def downgrade() -> None:
    """The rows go; a later upgrade computes them again."""
    op.drop_table("measures")
