"""Sketches know when their complaint came, and stand sealed beside it to be compared.

No release before this one wrote a sketch, so the table is made anew.
"""

from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of the hashes anew, and one for the sketches themselves."""
    op.drop_index("ix_sketches_band_index", table_name="sketches")
    op.drop_table("sketches")
    create_tables(tables_of(revision)["new"])


def downgrade() -> None:
    """Back to the empty table of before: the next proposal of each complaint fills it again."""
    op.drop_table("likenesses")
    op.drop_table("sketches")
    create_tables(tables_of(revision)["before"])
