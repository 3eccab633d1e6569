"""Open duties by lane: of a long queue the first of each lane are found along an index.

It only adds: a release before this works beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the open ones alone: what is done is most of the table, and nobody claims it."""
    is_open = sa.text("state = 'open'")
    op.create_index(
        "ix_obligations_lane",
        "obligations",
        ["lane", "due", "id", "kind"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    """Nothing is lost with it but time."""
    op.drop_index("ix_obligations_lane", table_name="obligations")
