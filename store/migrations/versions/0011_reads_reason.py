"""Why somebody read a complaint that is not theirs.

It only adds: a release before this writes rows without a reason.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Rows of before stay without a reason."""
    op.add_column("reads", sa.Column("reason", sa.String(), nullable=True))


def downgrade() -> None:
    """The reasons are lost; who read what stays."""
    op.drop_column("reads", "reason")
