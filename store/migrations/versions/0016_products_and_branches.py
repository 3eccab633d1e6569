"""The product and the branch of a complaint, in its row of measures.

It only adds. An older release writes rows without them; those name an older rule and are computed again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
COLUMNS = ("product", "branch")


def upgrade() -> None:
    """Rows of before are computed again by the next act, report or daily obligation."""
    for column in COLUMNS:
        op.add_column("measures", sa.Column(column, sa.String(), nullable=True))


def downgrade() -> None:
    """The codes stay in the events of the assessments."""
    for column in COLUMNS:
        op.drop_column("measures", column)
