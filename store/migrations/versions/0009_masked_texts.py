"""A masked copy of each text, sealed with it.

It is empty in old rows: such a text is masked when it is read. An older release works on these tables too, and
writes no copies. From this release on models are sealed too; an older release takes one for damaged and uses one
before it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """One column, empty."""
    op.add_column("texts", sa.Column("masked", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """The copies go; the texts stay."""
    op.drop_column("texts", "masked")
