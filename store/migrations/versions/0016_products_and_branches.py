"""The product and the branch of a complaint, in its row of measures, and an index to count by day and code.

It only adds. An older release writes rows without them; those name an older rule and are computed again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
COLUMNS = ("product", "branch")
INDEX = "ix_measures_received_on"


def upgrade() -> None:
    """Rows of before are computed again by the next act, report or daily obligation."""
    for column in COLUMNS:
        op.add_column("measures", sa.Column(column, sa.String(), nullable=True))
    counted = ["received_on", "category", *COLUMNS, "rule", "kind", "is_simulation", "received_at"]
    op.create_index(INDEX, "measures", counted)


def downgrade() -> None:
    """The codes stay in the events of the assessments."""
    op.drop_index(INDEX, "measures")
    for column in COLUMNS:
        op.drop_column("measures", column)
