"""The journal of all changes under MACs, and the Merkle log over it with its checkpoints.

An older release would write rows without journal entries, which `db verify` reports as forged, so `serves_from` is
raised to this migration.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0008"
down_revision = "0007"

_EMPTY = {"sqlite": "x''", "postgresql": "''::bytea"}
APPEND_ONLY = ("journal", "log_leaves", "log_nodes", "log_checkpoints", "log_signatures")


def upgrade() -> None:
    """Add the tables, a column for the MAC of an event, and the triggers of append-only tables."""
    op.add_column("events", sa.Column("mac", sa.LargeBinary(), nullable=True))
    create_tables(tables_of(revision))
    # The first transaction of this release reads it, and then anchors what was written before.
    older = " UNION ALL ".join(
        f"SELECT 1 FROM {table}" for table in ("events", "staff", "rulebooks", "people")
    )
    op.execute(
        f"INSERT INTO proof_state (name, value, mac) SELECT 'older', '', {_EMPTY[op.get_bind().dialect.name]} "
        f"WHERE EXISTS ({older})"
    )
    _refuse_changes()
    op.execute("UPDATE alembic_version SET serves_from = '0008'")


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION amends_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION '% is never changed', TG_TABLE_NAME; END $$"
        )
        for table in APPEND_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION amends_append_only()"
            )
        return
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_append_only_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
            )


def downgrade() -> None:
    """The proof goes with its tables; the public chain of events stays."""
    for table in reversed(tables_of(revision)):
        op.drop_table(table)
    op.drop_column("events", "mac")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION amends_append_only()")
    op.execute("UPDATE alembic_version SET serves_from = '0004'")
