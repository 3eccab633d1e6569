"""Who put a model into use, how and why; each training run with the verdict on its candidate.

It only adds: the release before reads and writes the tables as it knows them.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns and the table."""
    for name in ("how", "by", "why"):
        op.add_column("model_uses", sa.Column(name, sa.String(), nullable=True))
    create_tables(tables_of(revision))


def downgrade() -> None:
    """Take them away again; the models and their uses stay."""
    op.drop_index("ix_model_runs_model_id", table_name="model_runs")
    op.drop_index("ix_model_runs_key", table_name="model_runs")
    op.drop_table("model_runs")
    for name in ("why", "by", "how"):
        op.drop_column("model_uses", name)
