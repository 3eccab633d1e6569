"""The migrations create the tables of this release on both databases, and remove them again."""

from __future__ import annotations

import ast
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, select, text, update
from sqlalchemy.pool import Pool

from store.cases.export import export_record
from store.cases.read import load_case
from store.custody.verify import verify
from store.database import migrate
from store.database.engine import create_engines
from store.database.errors import DatabaseUnavailable, StoreError, WrongSchemaVersion
from store.database.transaction import Tx
from store.similarity.similar import find_similar_cases, store_sketch
from store.store import open_store
from store.tables import METADATA, RULEBOOKS, SKETCHES
from store.values import Chat
from tests.databases import KEYS, LONG, FakeClock, Server, opened, sync_no_sqlite_file
from tests.edges.desk import Desk
from tests.edges.full_tables import Content, both, content, engine_of, fill, shape

VERSIONS = sorted((Path(migrate.__file__).parents[1] / "migrations" / "versions").glob("*.py"))
TABLES = VERSIONS[0].parents[1] / "tables.py"
#: Every release that a database may come from, the newest first.
REVISIONS = [file.stem[:4] for file in reversed(VERSIONS)]
#: Tables that a migration creates again, up and down: their content can be computed again.
RECREATED = {"sketches": "0003"}
#: Columns numbered again on the way down; their order has no meaning.
RENUMBERED = {"sketches": "n"}


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Server = request.getfixturevalue("postgres_server")
    return server.new_database()


def test_the_revisions_read_from_the_migrations_text_are_those_of_alembic() -> None:
    script = ScriptDirectory(str(Path(migrate.__file__).parents[1] / "migrations"))
    last, revisions = migrate._revisions()
    assert last == script.get_current_head()
    assert revisions == {migration.revision for migration in script.walk_revisions()}


def test_an_upgrade_is_repeatable_and_a_downgrade_leaves_nothing(empty: str) -> None:
    assert not migrate.schema_status(empty).is_current
    migrate.upgrade(empty)
    migrate.upgrade(empty)
    assert migrate.schema_status(empty).is_current
    migrate.downgrade(empty, "base")
    assert not migrate.schema_status(empty).is_current
    engine = engine_of(empty)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrate.upgrade(empty)
    assert migrate.schema_status(empty).is_current


def test_the_migrations_create_exactly_the_tables_that_the_code_declares(empty: str) -> None:
    migrate.upgrade(empty)
    engine = engine_of(empty)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    assert differences == []


def test_every_constraint_of_every_table_has_a_name() -> None:
    nameless = [
        (table.name, constraint)
        for table in METADATA.tables.values()
        for constraint in (*table.constraints, *table.indexes)
        if constraint.name is None
    ]
    assert nameless == []


@pytest.mark.parametrize("file", [*VERSIONS, TABLES], ids=lambda file: file.stem[:6])
def test_a_migration_imports_nothing_of_the_product_but_the_reader_of_its_tables(file: Path) -> None:
    tree = ast.parse(file.read_text())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    reader = set() if file == TABLES else {"store.migrations.tables"}
    plain = {"sqlalchemy", "alembic", "collections.abc", "pathlib", "tomllib", "typing"}
    assert imported <= plain | reader


@pytest.fixture
def populated(database_url: str) -> tuple[str, str]:
    """A database with one closed complaint, and its reference."""
    with opened(database_url, FakeClock()) as store:
        return database_url, Desk(store).closed()


#: Releases to go back to in one step. The next test goes back step by step; a long run takes all, which is quadratic.
FAR_RELEASES = REVISIONS[1:] if LONG else [REVISIONS[1], REVISIONS[len(REVISIONS) // 2], REVISIONS[-1]]


def test_a_populated_database_is_downgraded_to_any_release_and_upgraded_again(
    populated: tuple[str, str],
) -> None:
    url, ref = populated
    for number, release in enumerate(FAR_RELEASES):
        before = content(url)
        migrate.downgrade(url, release)
        below = content(url)
        assert_kept(before, below, recreated(release))
        migrate.upgrade(url)
        assert_kept(below, content(url), recreated(release))
        with opened(url, FakeClock()) as store:
            assert store.read(verify).first_bad is None
            assert store.read(export_record, ref)["state"] == "closed"
            # Numbering continues: new rows collide with none.
            Desk(store, count(1000 * (number + 1))).receive(
                chat=Chat("telegram", f"7100{number}", "en", "Mary")
            )


def test_rows_of_every_release_survive_upgrades_and_downgrades(empty: str) -> None:
    shapes = {}
    for number, (older, release) in enumerate(pairwise(("0000", *reversed(REVISIONS)))):
        before = content(empty)
        migrate.upgrade(empty, release)
        assert_kept(before, content(empty), recreated(older, release))
        shapes[release] = shape(empty)
        # Each release writes in its own columns, after the rows of earlier ones.
        fill(empty, 2 * number + 1)
    before = content(empty)
    for newer, release in pairwise(REVISIONS):
        assert [name for name, rows in before.items() if not rows] == []
        migrate.downgrade(empty, release)
        below = content(empty)
        assert_kept(before, below, recreated(release, newer))
        assert shape(empty) == shapes[release]
        if newer in RECREATED.values():
            fill(empty, 100)
            below = content(empty)
        before = below
    migrate.upgrade(empty)
    assert_kept(before, content(empty), recreated(REVISIONS[-1]))
    assert shape(empty) == shapes[REVISIONS[0]]


def recreated(above: str, up_to: str = REVISIONS[0]) -> frozenset[str]:
    """The tables that a migration empties between these two releases."""
    return frozenset(name for name, revision in RECREATED.items() if above < revision <= up_to)


def assert_kept(before: Content, after: Content, emptied: frozenset[str]) -> None:
    """Tables and columns in both contents hold the same rows, except the emptied tables."""
    assert [name for name in emptied if after[name]] == []
    left, right = (
        {name: _comparable(name, content_at) for name in content_at.keys() - emptied}
        for content_at in (before, after)
    )
    first, second = both(left, right)
    assert second == first


def _comparable(name: str, stored: Content) -> list[dict[str, Any]]:
    """A table's rows without renumbered columns, and without the rows of no complaint, which may go."""
    rows = stored[name]
    if name in RENUMBERED:
        refs = {row["ref"] for row in stored["complaints"]}
        rows = [row for row in rows if row["ref"] in refs]
    comparable = [{column: row[column] for column in row if column != RENUMBERED.get(name)} for row in rows]
    # Columns may be in another order after a table was created again.
    return sorted(comparable, key=lambda row: repr(sorted(row.items())))


def test_sketch_hashes_survive_a_downgrade_to_the_previous_release_and_an_upgrade(empty: str) -> None:
    migrate.upgrade(empty)
    words = [bytes([n]) * 8 for n in range(24)]
    with opened(empty, FakeClock()) as store:
        desk = Desk(store)
        refs = {desk.receive(chat=desk.chat(address)) for address in ("70001", "70002")}
        for ref in refs:
            store.write(store_sketch, ref, words)
    engine = engine_of(empty)

    def filed(*columns: str) -> set[tuple[Any, ...]]:
        with engine.connect() as connection:
            query = select(*(SKETCHES.c[name] for name in columns))
            return {tuple(row) for row in connection.execute(query)}

    before = filed("ref", "band_index", "at")
    assert len(before) == 48
    migrate.downgrade(empty, "0006")
    assert filed("ref", "band_index", "at") == before
    assert filed("ref", "n") == {(ref, n) for ref in refs for n in range(24)}
    migrate.upgrade(empty)
    assert filed("ref", "band_index", "at") == before
    engine.dispose()
    with opened(empty, FakeClock()) as store:
        assert store.read(verify).first_bad is None
        assert {similar.ref for similar in store.read(find_similar_cases, words, ref="none")} == refs


def pretend(url: str, *, serves_from: str) -> None:
    """Pretend a future release migrated this database: it added a table and a column and its minimum release."""
    engine = engine_of(url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE of_the_future (id INTEGER PRIMARY KEY, said VARCHAR NOT NULL)",
            "ALTER TABLE complaints ADD COLUMN of_the_future VARCHAR",
            f"UPDATE alembic_version SET version_num = '9001', serves_from = '{serves_from}'",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_newer_release_that_only_added_to_the_tables_lets_this_one_work_on_them(
    database_url: str,
) -> None:
    pretend(database_url, serves_from=REVISIONS[0])
    migrate.ensure_tables(database_url)
    with opened(database_url, FakeClock()) as store:
        ref = Desk(store).closed()
        assert store.read(verify).first_bad is None
        assert store.read(export_record, ref)["state"] == "closed"


def test_rules_with_a_newer_setting_are_refused_with_a_hint_to_the_newer_release(database_url: str) -> None:
    with opened(database_url, FakeClock()) as store:
        ref = Desk(store).receive()
    with opened(database_url, FakeClock()) as other:
        other.write(_newer_rules)
        with pytest.raises(WrongSchemaVersion, match="newer release"):
            other.read(load_case, ref)


def _newer_rules(tx: Tx) -> None:
    data = tx.connection.execute(select(RULEBOOKS.c.data)).scalars().first()
    assert data is not None
    targets = {**data["targets"], "of_the_future": "1 bd"}
    tx.connection.execute(update(RULEBOOKS).values(data={**data, "targets": targets}))


def test_tables_that_this_release_would_damage_are_refused_by_release_number(database_url: str) -> None:
    pretend(database_url, serves_from="9001")
    for attempt in (migrate.ensure_tables, migrate.require_current, migrate.upgrade):
        with pytest.raises(WrongSchemaVersion, match=r"newer release .*9001.*install that release"):
            attempt(database_url)


def test_a_migration_that_removes_something_declares_the_first_compatible_release() -> None:
    silent = [
        file.stem for file in VERSIONS[3:] if _takes_away(file) and "serves_from" not in file.read_text()
    ]
    assert silent == []
    assert _takes_away(VERSIONS[2])


def _takes_away(file: Path) -> bool:
    """Does its upgrade drop or alter something that an older release uses?"""
    [up] = [
        node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    called = {node.attr for node in ast.walk(up) if isinstance(node, ast.Attribute)}
    return any(name.startswith(("drop_", "alter_", "rename_", "batch_")) for name in called)


def test_a_database_of_another_release_is_not_opened(empty: str) -> None:
    migrate.upgrade(empty, "0005")
    with pytest.raises(WrongSchemaVersion, match="not at this release: run `amends db upgrade`"):
        open_store(empty, KEYS)


def test_before_the_first_start_the_error_says_what_creates_the_tables(empty: str) -> None:
    with pytest.raises(WrongSchemaVersion, match="no tables yet: the first `amends run` makes them"):
        open_store(empty, KEYS)


def test_opening_a_missing_database_file_does_not_create_it(tmp_path: Path) -> None:
    with pytest.raises(WrongSchemaVersion):
        open_store(f"sqlite:///{tmp_path}/amends.db", KEYS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/amends"])
def test_other_databases_are_refused_with_the_accepted_forms(url: str) -> None:
    with pytest.raises((StoreError, Exception), match="sqlite:///FILE or postgresql://"):
        create_engines(url)


def test_sqlite_uses_a_write_ahead_log_full_sync_and_foreign_keys(sqlite_url: str) -> None:
    sqlite = create_engines(sqlite_url)
    event.remove(Pool, "checkout", sync_no_sqlite_file)
    try:
        with sqlite.writing.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
    finally:
        event.listen(Pool, "checkout", sync_no_sqlite_file)
    sqlite.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


#: The release before each migration that adds an index to a large table, and a write of that release.
INDEXED = {
    "0004": "UPDATE obligations SET attempts = attempts",
    "0006": "UPDATE sketches SET ref = ref",
}


@pytest.mark.parametrize("before", INDEXED)
def test_an_index_is_built_while_an_older_release_writes_and_rebuilt_after_a_failed_attempt(
    before: str, postgres_server: Server
) -> None:
    url = postgres_server.new_database()
    migrate.upgrade(url, before)
    fill(url, 1)
    writes = INDEXED[before]
    engine = engine_of(url)
    with ThreadPoolExecutor() as pool, engine.connect() as holding:
        # An open transaction: a lock on the whole table would wait here, and other writers behind it.
        holding.exec_driver_sql(writes)
        upgrading = pool.submit(migrate.upgrade, url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            making = _waits_for(other, "CREATE %INDEX")
            other.exec_driver_sql("SET lock_timeout = '2s'")
            other.exec_driver_sql(f"{writes} WHERE false")
            # As if the process was killed, and its connection with it.
            other.exec_driver_sql(f"SELECT pg_terminate_backend({making})")
        with pytest.raises(DatabaseUnavailable):
            upgrading.result(20)
    assert (migrate.schema_status(url).revision, _broken(engine)) == (before, 1)

    migrate.upgrade(url)

    assert (migrate.schema_status(url).is_current, _broken(engine)) == (True, 0)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def _waits_for(connection: Connection, statement: str) -> int:
    """The process id of the waiting connection that runs this statement."""
    query = text("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :said")
    for _ in range(200):
        process_id = connection.execute(query, {"said": f"{statement}%"}).scalar()
        if process_id is not None:
            return int(process_id)
        time.sleep(0.05)
    raise AssertionError(f"no connection waits with {statement}")


def _broken(engine: Engine) -> int:
    """How many invalid indexes a failed attempt has left."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) or 0)
