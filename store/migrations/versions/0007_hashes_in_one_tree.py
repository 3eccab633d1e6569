"""The hashes of sketches in one tree, in the order in which they are asked: filing a complaint costs half.

It was two, and a look at the complaint for each row. What an older release writes and reads is all there, and
`serves_from` stays as it was; only where that release deletes by complaint it reads the whole table now. `n`, which
nobody else fills, goes with a later migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


KEY = "pk_sketches_by_hash"


def upgrade() -> None:
    """On PostgreSQL the key alone is made anew, on SQLite the table, sorted."""
    if op.get_bind().dialect.name == "postgresql":
        _make_the_key()
        op.drop_constraint("pk_sketches", "sketches", type_="primary")
        op.alter_column("sketches", "n", nullable=True)
        op.execute(f"ALTER TABLE sketches ADD CONSTRAINT pk_sketches PRIMARY KEY USING INDEX {KEY}")
        op.drop_index("ix_sketches_band", table_name="sketches")
        # Last, for it locks the complaints too.
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


def _make_the_key() -> None:
    """Beside everybody's work: what takes long is done before any lock is held."""
    columns = ["band_index", "at", "ref"]
    if not op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM sketches)")):
        # A table without rows is locked for no time, and new tables come all or none.
        op.create_index(KEY, "sketches", columns, unique=True)
        return
    with op.get_context().autocommit_block():
        if _is_broken():
            op.execute(f"DROP INDEX CONCURRENTLY {KEY}")
        # One that is whole was made by a try that ended right after.
        op.create_index(
            KEY, "sketches", columns, unique=True, postgresql_concurrently=True, if_not_exists=True
        )


def _is_broken() -> bool:
    """Left by a try that was killed: it is written to and never read."""
    broken = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)"
    return bool(op.get_bind().scalar(sa.text(broken), {"name": KEY}))


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
