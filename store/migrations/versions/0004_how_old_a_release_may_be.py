"""The tables say how old a release may be that works on them, so that two releases can run side by side.

A later migration that only adds leaves this as it is. One after which an older release would fail (a column that it
writes is gone, an act that it cannot read) sets `serves_from` to its own number.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Beside the revision itself: there is one row, and Alembic leaves other columns alone."""
    op.add_column("alembic_version", sa.Column("serves_from", sa.String(length=32), nullable=True))
    op.execute("UPDATE alembic_version SET serves_from = '0004'")


def downgrade() -> None:
    """The release before asks for its own revision exactly."""
    op.drop_column("alembic_version", "serves_from")
