"""A masked copy of each text, sealed beside it; and models sealed with the instance's key.

Both columns are empty in old rows: an old text is masked when it is read. A release before this works beside it. It
cannot read a sealed model: it then goes back to an earlier one that it can read, or proposes by rules alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, empty."""
    op.add_column("texts", sa.Column("masked", sa.LargeBinary(), nullable=True))
    op.add_column("models", sa.Column("sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """The copies go; sealed models too: train again, or promote a file."""
    op.drop_column("models", "sealed")
    op.drop_column("texts", "masked")
