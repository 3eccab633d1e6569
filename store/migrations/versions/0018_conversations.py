"""Conversations of staff with complainants are events of a new verb.

No table changes. An older release cannot read the events, so `serves_from` is this revision.
"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("UPDATE alembic_version SET serves_from = '0018'")


def downgrade() -> None:
    op.execute("UPDATE alembic_version SET serves_from = '0012'")
