"""Open duties by lane: of a long queue the first of each lane are found along an index.

It only adds: a release before this works beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


NAME = "ix_obligations_lane"


def upgrade() -> None:
    """Of the open ones alone: what is done is most of the table, and nobody claims it."""
    if not _has_rows_on_postgresql():
        _make()
        return
    # In the ordinary way it would lock the table: nobody is heard, and an older release beside this stands still.
    with op.get_context().autocommit_block():
        if _is_broken():
            op.execute(f"DROP INDEX CONCURRENTLY {NAME}")
        # One that is whole was made by a try that ended right after.
        _make(beside_work=True)


def _make(*, beside_work: bool = False) -> None:
    is_open = sa.text("state = 'open'")
    op.create_index(
        NAME,
        "obligations",
        ["lane", "due", "id", "kind"],
        sqlite_where=is_open,
        postgresql_where=is_open,
        postgresql_concurrently=beside_work,
        if_not_exists=beside_work,
    )


def _has_rows_on_postgresql() -> bool:
    """A table without rows is locked for no time, and new tables come all or none."""
    connection = op.get_bind()
    rows = "SELECT EXISTS (SELECT FROM obligations)"
    return connection.dialect.name == "postgresql" and bool(connection.scalar(sa.text(rows)))


def _is_broken() -> bool:
    """Left by a try that was killed: it is written to and never read."""
    broken = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)"
    return bool(op.get_bind().scalar(sa.text(broken), {"name": NAME}))


def downgrade() -> None:
    """Nothing is lost with it but time."""
    op.drop_index(NAME, table_name="obligations")
