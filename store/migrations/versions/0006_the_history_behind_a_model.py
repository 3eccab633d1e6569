"""The rows of an organisation's history that a promoted model learnt from, so that later ones learn from them too.

It only adds: a release before this works beside it, and trains without them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table, empty."""
    op.create_table(
        "history_parts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_parts"),
    )


def downgrade() -> None:
    """The rows go with it: promote the model again, with its history file beside it."""
    op.drop_table("history_parts")
