"""The rows of an organisation's history that a promoted model learnt from, so that later ones learn from them too.

It only adds: a release before this works beside it, and trains without them.
"""

from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """One table, empty."""
    create_tables(tables_of(revision))


def downgrade() -> None:
    """The rows go with it: promote the model again, with its history file beside it."""
    op.drop_table("history_parts")
