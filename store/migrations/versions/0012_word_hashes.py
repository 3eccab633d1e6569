"""The hashes of a complaint's words, by which staff search.

An older release would leave them behind when it erases a complaint, so `serves_from` is this revision. Complaints of
before get their words from the daily obligation `index_words`.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    create_tables(tables_of(revision))
    op.add_column("likenesses", sa.Column("words", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE alembic_version SET serves_from = '0012'")


def downgrade() -> None:
    """The words go; the complaints stay, and a later upgrade stores their words again."""
    op.drop_column("likenesses", "words")
    op.drop_table("word_hashes")
    op.execute("UPDATE alembic_version SET serves_from = '0008'")
