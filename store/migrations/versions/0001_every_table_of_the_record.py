"""Every table of the record, those too whose behaviour comes later; 0001_tables.toml lists them.

It imports nothing of ours but the reader of such lists, so that it makes the same tables for ever.
"""

from alembic import op

from store.migrations.tables import create_tables, tables_of

revision = "0001"
down_revision = None

TABLES = tables_of(revision)


def upgrade() -> None:
    """Make the tables; a trigger refuses any change of an event."""
    create_tables(TABLES)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION amends_events_stand() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'events are never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER events_stand BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
            "FOR EACH STATEMENT EXECUTE FUNCTION amends_events_stand()"
        )
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_stand_{verb.lower()} BEFORE {verb} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END"
            )


def downgrade() -> None:
    """Remove everything; indexes and triggers go with their tables."""
    for name in reversed(TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION amends_events_stand()")
