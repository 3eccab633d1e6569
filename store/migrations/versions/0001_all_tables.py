"""All tables of the record; 0001_tables.toml lists them.

It imports nothing of ours but the reader of such lists, so that it makes the same tables for ever.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0001"
down_revision = None

TABLES = tables_of(revision)
#: Triggers refuse any change of the rows of these tables.
APPEND_ONLY = ("events", "journal", "log_leaves", "log_nodes", "log_checkpoints", "log_signatures")


def upgrade() -> None:
    """Create the tables and triggers, and name the oldest release that may work on them.

    A later migration that only adds leaves `serves_from` as it is. One after which an older release would fail (a
    column that it writes is gone, an act that it cannot read) sets it to its own number.
    """
    create_tables(TABLES)
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _postgresql_triggers() if is_postgresql else _sqlite_triggers():
        op.execute(statement)
    # Alembic inserts the only row after this migration, and leaves other columns alone.
    serves_from = sa.Column("serves_from", sa.String(length=32), server_default=revision, nullable=True)
    op.add_column("alembic_version", serves_from)


def _postgresql_triggers() -> Iterator[str]:
    yield (
        "CREATE FUNCTION amends_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION amends_append_only()"
        )


def _sqlite_triggers() -> Iterator[str]:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_append_only_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
            )


def downgrade() -> None:
    """Remove everything; indexes and triggers go with their tables."""
    for name in reversed(TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION amends_append_only()")
    op.drop_column("alembic_version", "serves_from")
