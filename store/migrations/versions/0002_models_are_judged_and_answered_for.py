"""Who put a model into use, how and why; each training run with the verdict on its candidate.

It only adds: the release before reads and writes the tables as it knows them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the table."""
    for name in ("how", "by", "why"):
        op.add_column("model_uses", sa.Column(name, sa.String(), nullable=True))
    op.create_table(
        "model_runs",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("model_id", NUMBER, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_runs_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_model_runs"),
    )
    op.create_index("ix_model_runs_key", "model_runs", ["key"], unique=False)
    op.create_index("ix_model_runs_model_id", "model_runs", ["model_id"], unique=False)


def downgrade() -> None:
    """Take them away again; the models and their uses stay."""
    op.drop_index("ix_model_runs_model_id", table_name="model_runs")
    op.drop_index("ix_model_runs_key", table_name="model_runs")
    op.drop_table("model_runs")
    for name in ("why", "by", "how"):
        op.drop_column("model_uses", name)
