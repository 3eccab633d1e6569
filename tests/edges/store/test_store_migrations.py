"""The migrations create the tables of this release on both databases, and remove them again."""

from __future__ import annotations

import ast
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, select, text
from sqlalchemy.pool import Pool

from store.cases.export import export_record
from store.cases.read import load_case
from store.custody.verify import verify
from store.database import migrate
from store.database.engine import create_engines
from store.database.errors import DatabaseUnavailable, StoreError, WrongSchemaVersion
from store.database.transaction import Tx
from store.migrations.tables import compare_type
from store.store import open_store
from store.tables import METADATA, RULEBOOKS
from store.values import Chat
from tests.databases import KEYS, FakeClock, Server, opened, sync_no_sqlite_file
from tests.edges import example_migration
from tests.edges.desk import Desk
from tests.edges.full_tables import Content, both, content, engine_of, fill, shape
from tests.edges.next_release import ADDS, REMOVES, next_release

VERSIONS = sorted((Path(migrate.__file__).parents[1] / "migrations" / "versions").glob("*.py"))
TABLES = VERSIONS[0].parents[1] / "tables.py"
EXAMPLE = Path(example_migration.__file__)


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
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": compare_type}), METADATA
        )
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


@pytest.mark.parametrize("file", [*VERSIONS, TABLES, EXAMPLE], ids=lambda file: file.stem[:6])
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


def test_a_populated_database_is_upgraded_to_the_next_release_and_downgraded_again(
    populated: tuple[str, str], tmp_path: Path
) -> None:
    url, ref = populated
    before = content(url)
    with next_release(tmp_path):
        migrate.upgrade(url)
    _assert_kept(before, content(url))
    _check_record(url, ref, 1)
    above = content(url)
    with next_release(tmp_path):
        migrate.downgrade(url, "0001")
        migrate.upgrade(url)
        migrate.downgrade(url, "0001")
    migrate.upgrade(url)
    _assert_kept(above, content(url))
    _check_record(url, ref, 2)


def _check_record(url: str, ref: str, number: int) -> None:
    with opened(url, FakeClock()) as store:
        assert store.read(verify).first_bad is None
        assert store.read(export_record, ref)["state"] == "closed"
        # Numbering continues: new rows collide with none.
        Desk(store, count(1000 * number)).receive(chat=Chat("telegram", f"7100{number}", "en", "Mary"))


def test_rows_of_each_release_survive_upgrades_and_downgrades(empty: str, tmp_path: Path) -> None:
    migrate.upgrade(empty)
    shape_before = shape(empty)
    # Each release writes in its own columns, after the rows of the earlier one.
    fill(empty, 1)
    before = content(empty)
    with next_release(tmp_path):
        migrate.upgrade(empty)
        _assert_kept(before, content(empty))
        shape_above = shape(empty)
        fill(empty, 3)
        above = content(empty)
        assert [name for name, rows in above.items() if not rows] == []
        migrate.downgrade(empty, "0001")
        below = content(empty)
        _assert_kept(above, below)
        assert shape(empty) == shape_before
        migrate.upgrade(empty)
    _assert_kept(below, content(empty))
    assert shape(empty) == shape_above


def _assert_kept(before: Content, after: Content) -> None:
    """Tables and columns in both contents hold the same rows."""
    first, second = both(before, after)
    assert second == first


def test_a_newer_release_that_only_added_to_the_tables_lets_this_one_work_on_them(
    database_url: str, tmp_path: Path
) -> None:
    with next_release(tmp_path):
        migrate.upgrade(database_url)
    assert migrate.schema_status(database_url).is_newer
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
    tx.update(RULEBOOKS, data={**data, "targets": targets})


def test_tables_that_this_release_would_damage_are_refused_by_release_number(
    database_url: str, tmp_path: Path
) -> None:
    with next_release(tmp_path, REMOVES):
        migrate.upgrade(database_url)
    for attempt in (migrate.ensure_tables, migrate.require_current, migrate.upgrade):
        with pytest.raises(WrongSchemaVersion, match=r"newer release .*0002.*install that release"):
            attempt(database_url)


def test_tables_of_another_program_that_uses_alembic_are_refused(empty: str) -> None:
    engine = engine_of(empty)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('8f3a')")
    engine.dispose()
    with pytest.raises(WrongSchemaVersion, match="8f3a"):
        migrate.ensure_tables(empty)


def test_a_migration_that_removes_something_declares_the_first_compatible_release() -> None:
    migrations = [*(file.read_text(encoding="utf-8") for file in VERSIONS), ADDS, REMOVES]
    assert [
        migration for migration in migrations if _takes_away(migration) and "serves_from" not in migration
    ] == []
    assert [_takes_away(migration) for migration in (ADDS, REMOVES)] == [False, True]


def _takes_away(migration: str) -> bool:
    """Does its upgrade drop or alter something that an older release uses?"""
    [up] = [
        node
        for node in ast.parse(migration).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    called = {node.attr for node in ast.walk(up) if isinstance(node, ast.Attribute)}
    return any(name.startswith(("drop_", "alter_", "rename_", "batch_")) for name in called)


def test_a_database_of_an_older_release_is_not_opened(database_url: str, tmp_path: Path) -> None:
    with (
        next_release(tmp_path),
        pytest.raises(WrongSchemaVersion, match="not at this release: run `amends db upgrade`"),
    ):
        open_store(database_url, KEYS)


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


def test_an_index_is_built_while_an_older_release_writes_and_rebuilt_after_a_failed_attempt(
    postgres_server: Server, tmp_path: Path
) -> None:
    url = postgres_server.new_database()
    migrate.upgrade(url)
    fill(url, 1)
    write = "UPDATE obligations SET attempts = attempts"
    engine = engine_of(url)
    with next_release(tmp_path), ThreadPoolExecutor() as pool, engine.connect() as holding:
        # An open transaction: a lock on the whole table would wait here, and other writers behind it.
        holding.exec_driver_sql(write)
        upgrading = pool.submit(migrate.upgrade, url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            process_id = _waits_for(other, "CREATE %INDEX")
            other.exec_driver_sql("SET lock_timeout = '2s'")
            other.exec_driver_sql(f"{write} WHERE false")
            # As if the process was killed, and its connection with it.
            other.exec_driver_sql(f"SELECT pg_terminate_backend({process_id})")
        with pytest.raises(DatabaseUnavailable):
            upgrading.result(20)
    with next_release(tmp_path):
        assert (migrate.schema_status(url).revision, _broken(engine)) == ("0001", 1)

        migrate.upgrade(url)

        assert (migrate.schema_status(url).is_current, _broken(engine)) == (True, 0)
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
