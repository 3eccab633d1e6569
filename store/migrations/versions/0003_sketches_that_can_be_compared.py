"""Sketches know when their complaint came, and stand sealed beside it to be compared.

No release before this one wrote a sketch, so the table is made anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of the hashes anew, and one for the sketches themselves."""
    op.drop_index("ix_sketches_band_index", table_name="sketches")
    op.drop_table("sketches")
    op.create_table(
        "sketches",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("band_index", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_sketches_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_sketches"),
    )
    op.create_index("ix_sketches_band", "sketches", ["band_index", "at", "ref"], unique=False)
    op.create_table(
        "likenesses",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_likenesses_ref"),
        sa.PrimaryKeyConstraint("ref", name="pk_likenesses"),
    )
    op.create_index("ix_likenesses_at", "likenesses", ["at", "cluster", "ref"], unique=False)


def downgrade() -> None:
    """Back to the empty table of before: the next proposal of each complaint fills it again."""
    op.drop_table("likenesses")
    op.drop_table("sketches")
    op.create_table(
        "sketches",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("band_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_sketches_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_sketches"),
    )
    op.create_index("ix_sketches_band_index", "sketches", ["band_index"], unique=False)
