"""The migration of an invented next release: a table, a column, and an index on a table that may be large.

`tests.edges.next_release` puts it after the real ones. It only adds, so this release still runs on the new tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INDEX = "ix_obligations_next"


def upgrade() -> None:
    """The index comes first: after an attempt that was killed in it nothing else is there."""
    if _has_rows_on_postgresql():
        _create_index_concurrently()
    else:
        op.create_index(INDEX, "obligations", ["kind", "due"])
    op.create_table(
        "next_notes",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_next_notes_ref"),
        sa.PrimaryKeyConstraint("ref", name="pk_next_notes"),
        sqlite_strict=True,
    )
    op.add_column("complaints", sa.Column("next_column", sa.Text(), nullable=True))


def _has_rows_on_postgresql() -> bool:
    """An index on an empty table is quick, and all tables of a new database are created in one transaction."""
    connection = op.get_bind()
    rows = "SELECT EXISTS (SELECT FROM obligations)"
    return connection.dialect.name == "postgresql" and bool(connection.scalar(sa.text(rows)))


def _create_index_concurrently() -> None:
    # In the ordinary way it would lock the table: the desk would wait, and so would an older release next to it.
    with op.get_context().autocommit_block():
        if _is_broken():
            op.execute(f"DROP INDEX CONCURRENTLY {INDEX}")
        # A complete one is of an attempt that was killed right after it.
        op.create_index(
            INDEX, "obligations", ["kind", "due"], postgresql_concurrently=True, if_not_exists=True
        )


def _is_broken() -> bool:
    """True if an attempt was killed: its index is written to, and never used by a query."""
    broken = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)"
    return bool(op.get_bind().scalar(sa.text(broken), {"name": INDEX}))


def downgrade() -> None:
    """The notes are lost."""
    op.drop_column("complaints", "next_column")
    op.drop_table("next_notes")
    op.drop_index(INDEX, table_name="obligations")
