"""Triggers, views and indexes that somebody else made: the start is refused, and `db verify` names each."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from amends.cli.db import verify_in_steps
from complaints.vocabulary import Verb
from store.custody.verify import Outside, verify
from store.database import migrate
from store.database.engine import database_url as parsed
from store.database.errors import AlteredSchema
from store.proof.log import add_checkpoint
from store.store import Store, open_store
from store.tables import PROOF_STATE
from tests.databases import KEYS, FakeClock, opened
from tests.edges.desk import Desk
from tests.edges.next_release import next_release
from tests.edges.outsider import plant
from tests.edges.product import Product
from tests.schema_file import FILE, objects_of

_PARTIAL = (
    (
        "DROP INDEX ix_staff_roles_member",
        "CREATE INDEX ix_staff_roles_member ON staff_roles (member_id, until) WHERE role = 'handler'",
    ),
    "index ix_staff_roles_member on staff_roles is changed",
)
_VOID = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
#: What each database lets somebody plant, and how `db verify` names it.
SQLITE = (
    (
        ("CREATE TRIGGER x AFTER INSERT ON reads BEGIN DELETE FROM drafts; END",),
        "trigger x on reads is unknown",
    ),
    (("CREATE VIEW v AS SELECT 1",), "view v on v is unknown"),
    (("CREATE INDEX i ON staff_roles (role)",), "index i on staff_roles is unknown"),
    (("DROP TRIGGER events_append_only_update",), "trigger events_append_only_update on events is missing"),
    (("ALTER TABLE reads ADD COLUMN x INTEGER GENERATED ALWAYS AS (1)",), "table reads on reads is changed"),
    _PARTIAL,
)
POSTGRES = (
    (
        (
            f"CREATE FUNCTION x() {_VOID}",
            "CREATE TRIGGER x AFTER INSERT ON reads FOR EACH ROW EXECUTE FUNCTION x()",
        ),
        "trigger x on reads is unknown",
    ),
    (
        (f"CREATE OR REPLACE FUNCTION amends_append_only() {_VOID}",),
        "function amends_append_only() is changed",
    ),
    (
        ("ALTER TABLE events DISABLE TRIGGER events_append_only",),
        "trigger events_append_only on events is changed",
    ),
    (("CREATE RULE r AS ON INSERT TO reads DO ALSO DELETE FROM drafts",), "rule r on reads is unknown"),
    (("CREATE POLICY p ON reads USING (false)",), "policy p on reads is unknown"),
    (("ALTER TABLE reads ENABLE ROW LEVEL SECURITY",), "row security on on reads is unknown"),
    (("ALTER TABLE reads ALTER reason SET DEFAULT 'x'",), "default reason on reads is unknown"),
    (("ALTER TABLE reads ADD CONSTRAINT c CHECK (length(what) > 0)",), "constraint c on reads is unknown"),
    (("CREATE TABLE more () INHERITS (obligations)",), "child table more on obligations is unknown"),
    (("CREATE VIEW v AS SELECT 1",), "view v is unknown"),
    # Our own statements would call it for a VARCHAR instead of the function of PostgreSQL.
    (
        ("CREATE FUNCTION length(varchar) RETURNS int LANGUAGE sql AS 'SELECT 1'",),
        "function length(character varying) is unknown",
    ),
    _PARTIAL,
)


def test_the_file_has_what_the_migrations_make(sqlite_url: str, postgres_url: str) -> None:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    assert content["revision"] == migrate.schema_status(sqlite_url).own_revision
    assert (objects_of(sqlite_url), objects_of(postgres_url)) == (content["sqlite"], content["postgresql"])


def test_after_the_next_release_and_the_way_back_the_schema_is_the_same(
    database_url: str, tmp_path: Path
) -> None:
    before = objects_of(database_url)
    with next_release(tmp_path):
        migrate.upgrade(database_url)
        assert objects_of(database_url) != before
        migrate.downgrade(database_url, "0001")
    migrate.upgrade(database_url)
    assert objects_of(database_url) == before


def test_whatever_somebody_planted_is_named_by_verify(store: Store, database_url: str) -> None:
    Desk(store).assessed()
    engine = create_engine(parsed(database_url))
    for statements, name in SQLITE if store._engines.is_sqlite else POSTGRES:
        with engine.connect() as connection:
            # The driver of SQLite begins none before DDL.
            for statement in ("BEGIN", *statements):
                connection.exec_driver_sql(statement)
            assert name in [damage.why for damage in verify(store._tx(connection)).problems]
            connection.rollback()
    engine.dispose()
    assert store.read(verify).first_bad is None


def test_an_unknown_trigger_stops_the_start_and_verify_writes_nothing(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as store:
        Desk(store).assessed()
    # A row of `alembic_version` that claims a newer release opens no door.
    *planted, unplant = (
        ("CREATE TRIGGER x AFTER INSERT ON proof_state BEGIN DELETE FROM drafts; END", "DROP TRIGGER x")
        if database_url.startswith("sqlite")
        else (
            f"CREATE FUNCTION x() {_VOID}",
            "CREATE TRIGGER x AFTER INSERT ON proof_state FOR EACH ROW EXECUTE FUNCTION x()",
            "DROP FUNCTION x() CASCADE",
        )
    )
    claim = "UPDATE alembic_version SET version_num = '9999', serves_from = '0001'"
    plant(database_url, *planted, claim)
    with pytest.raises(AlteredSchema, match="trigger x on proof_state is unknown"):
        migrate.ensure_tables(database_url)
    store = open_store(database_url, KEYS, clock)
    before = store.read(lambda tx: tx.connection.execute(PROOF_STATE.select()).all())
    result = verify_in_steps(store, Outside(), full=True, show=lambda start, number: None)
    assert "trigger x on proof_state is unknown" in [damage.why for damage in result.problems]
    assert store.read(lambda tx: tx.connection.execute(PROOF_STATE.select()).all()) == before
    with pytest.raises(AlteredSchema):
        store.write(add_checkpoint, None)
    plant(database_url, unplant)
    store.write(add_checkpoint, None)
    store.close()


def test_a_trigger_that_is_planted_while_the_desk_runs_never_acts_in_its_transactions(
    sqlite_store: Store, sqlite_url: str
) -> None:
    desk = Desk(sqlite_store)
    ref = desk.assessed()
    plant(sqlite_url, "CREATE TRIGGER x AFTER INSERT ON events BEGIN DELETE FROM staff_roles; END")
    with pytest.raises(AlteredSchema, match="trigger x on events"):
        desk.act(ref, Verb.NOTE, words={"text": "While it is there."})
    plant(sqlite_url, "DROP TRIGGER x")
    desk.act(ref, Verb.NOTE, words={"text": "Afterwards."})
    assert sqlite_store.read(verify).first_bad is None


def test_an_index_that_lacks_rows_under_the_definition_of_a_full_one_is_named(
    sqlite_store: Store, sqlite_url: str
) -> None:
    Desk(sqlite_store).assessed()
    definition = "CREATE INDEX ix_staff_roles_member ON staff_roles (member_id, until)"
    plant(
        sqlite_url,
        "DROP INDEX ix_staff_roles_member",
        f"{definition} WHERE role = 'handler'",
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = '{definition}' WHERE name = 'ix_staff_roles_member'",
    )
    with closing(open_store(sqlite_url, KEYS)) as store:
        assert any("ix_staff_roles_member" in damage.why for damage in store.read(verify).problems)


async def test_no_command_writes_on_an_altered_schema_and_verify_names_it(
    product: Product, usual_url: str
) -> None:
    assert (await product.amends("db", "verify")).code == 0
    plant(usual_url, "CREATE VIEW v AS SELECT 1")
    for command in (("run", "--only", "web"), ("db", "checkpoint", "log.txt")):
        refused = await product.amends(*command)
        assert (refused.code, "docs/operations.md" in refused.err) == (3, True)
    for command in (("db", "verify"), ("check",)):
        ended = await product.amends(*command)
        assert (ended.code, "view v" in ended.out + ended.err) == (1, True)
