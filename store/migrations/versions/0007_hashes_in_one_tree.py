"""The hashes of sketches in one tree, in the order in which they are asked: filing a complaint costs half.

It was two, and a look at the complaint for each row. What an older release writes and reads is all there, and
`serves_from` stays as it was; only where that release deletes by complaint it reads the whole table now. `n`, which
nobody else fills, goes with a later migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """On PostgreSQL the key alone is made anew, on SQLite the table, sorted."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_sketches", "sketches", type_="primary")
        op.alter_column("sketches", "n", nullable=True)
        op.create_primary_key("pk_sketches", "sketches", ["band_index", "at", "ref"])
        op.drop_index("ix_sketches_band", table_name="sketches")
        # Last, for it locks the complaints too: none is held back while the key is made.
        op.drop_constraint("fk_sketches_ref", "sketches", type_="foreignkey")
        return
    op.create_table(
        "sketches_by_hash",
        sa.Column("band_index", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("band_index", "at", "ref", name="pk_sketches"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO sketches_by_hash (band_index, at, ref, n) "
        "SELECT band_index, at, ref, n FROM sketches ORDER BY band_index, at, ref"
    )
    op.drop_table("sketches")
    op.rename_table("sketches_by_hash", "sketches")


def downgrade() -> None:
    """Numbered anew; hashes of no complaint would break the reference, and are of no use to anybody."""
    op.rename_table("sketches", "sketches_by_hash")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_sketches", "sketches_by_hash", type_="primary")
    op.create_table(
        "sketches",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("band_index", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_sketches_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_sketches"),
    )
    op.execute(
        "INSERT INTO sketches (ref, n, band_index, at) "
        "SELECT ref, row_number() OVER (PARTITION BY ref ORDER BY band_index) - 1, band_index, at "
        "FROM sketches_by_hash WHERE ref IN (SELECT ref FROM complaints)"
    )
    op.drop_table("sketches_by_hash")
    op.create_index("ix_sketches_band", "sketches", ["band_index", "at", "ref"], unique=False)
