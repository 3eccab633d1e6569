"""The migrations make the tables of this release on both databases, and take them away again."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, inspect, select, update

from store import migrating
from store.engines import database_url, engines
from store.errors import NotMigrated, StoreError
from store.open import open_store
from store.tables import METADATA, RULEBOOKS, SKETCHES
from store.transactions import Tx
from tests.databases import KEYS, FakeClock, Server, opened
from tests.edges.desk import Desk

VERSIONS = sorted((Path(migrating.__file__).parent / "migrations" / "versions").glob("*.py"))
#: Every release that a database may come from, the newest first.
REVISIONS = [file.stem[:4] for file in reversed(VERSIONS)]


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Server = request.getfixturevalue("postgres_server")
    return server.new_database()


def test_up_is_repeatable_and_down_leaves_nothing(empty: str) -> None:
    assert not migrating.standing_of(empty).is_current
    migrating.upgrade(empty)
    migrating.upgrade(empty)
    assert migrating.standing_of(empty).is_current
    migrating.downgrade(empty, "base")
    assert not migrating.standing_of(empty).is_current
    engine = create_engine(database_url(empty))
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrating.upgrade(empty)
    assert migrating.standing_of(empty).is_current


def test_each_release_goes_back_to_the_one_before_and_forth_again(empty: str) -> None:
    migrating.upgrade(empty, "0001")
    engine = create_engine(database_url(empty))
    before = {one["name"] for one in inspect(engine).get_indexes("sketches")}
    assert not migrating.standing_of(empty).is_current
    migrating.upgrade(empty)
    migrating.downgrade(empty, "0001")
    assert {one["name"] for one in inspect(engine).get_indexes("sketches")} == before
    assert "likenesses" not in inspect(engine).get_table_names()
    engine.dispose()
    migrating.upgrade(empty)
    assert migrating.standing_of(empty).is_current


def test_the_migrations_make_exactly_the_tables_that_the_code_declares(empty: str) -> None:
    migrating.upgrade(empty)
    engine = create_engine(database_url(empty))
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


@pytest.mark.parametrize("file", VERSIONS, ids=lambda file: file.stem[:4])
def test_a_migration_imports_nothing_of_ours(file: Path) -> None:
    tree = ast.parse(file.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"sqlalchemy", "alembic"}


@pytest.fixture
def populated(empty: str) -> tuple[str, str]:
    """A database with a complaint that went its whole way, and the reference of it."""
    migrating.upgrade(empty)
    with opened(empty, FakeClock()) as store:
        return empty, Desk(store).closed()


def test_a_populated_database_goes_down_to_every_release_and_up_again(populated: tuple[str, str]) -> None:
    url, ref = populated
    engine = create_engine(database_url(url))
    kept = ("complaints", "events", "texts", "messages", "targets", "obligations", "people", "contact_points")

    def rows() -> list[int]:
        with engine.connect() as connection:
            return [
                int(connection.execute(select(func.count()).select_from(METADATA.tables[name])).scalar_one())
                for name in kept
            ]

    before = rows()
    for revision in REVISIONS[1:]:
        migrating.downgrade(url, revision)
        assert rows() == before
        migrating.upgrade(url)
        assert rows() == before
        with opened(url, FakeClock()) as store:
            assert store.verify().first_bad is None
            assert store.record(ref)["state"] == "closed"
    engine.dispose()


def test_filed_hashes_go_down_to_the_release_before_and_up_again(empty: str) -> None:
    migrating.upgrade(empty)
    words = [bytes([n]) * 8 for n in range(24)]
    with opened(empty, FakeClock()) as store:
        desk = Desk(store)
        refs = {desk.receive(chat=desk.chat(address)) for address in ("70001", "70002")}
        for ref in refs:
            store.sketch_case(ref, words)
    engine = create_engine(database_url(empty))

    def filed(*columns: str) -> set[tuple[Any, ...]]:
        with engine.connect() as connection:
            query = select(*(SKETCHES.c[name] for name in columns))
            return {tuple(row) for row in connection.execute(query)}

    before = filed("ref", "band_index", "at")
    assert len(before) == 48
    migrating.downgrade(empty, "0006")
    assert filed("ref", "band_index", "at") == before
    assert filed("ref", "n") == {(ref, n) for ref in refs for n in range(24)}
    migrating.upgrade(empty)
    assert filed("ref", "band_index", "at") == before
    engine.dispose()
    with opened(empty, FakeClock()) as store:
        assert store.verify().first_bad is None
        assert {one.ref for one in store.like_cases(words, ref="none")} == refs


def pretend(url: str, *, serves_from: str) -> None:
    """A release to come was here: it added a table and a column, and says who may still work on them."""
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE of_the_future (id INTEGER PRIMARY KEY, said VARCHAR NOT NULL)",
            "ALTER TABLE complaints ADD COLUMN of_the_future VARCHAR",
            f"UPDATE alembic_version SET version_num = '9001', serves_from = '{serves_from}'",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_release_that_only_added_to_the_tables_lets_the_one_before_work_beside_it(empty: str) -> None:
    migrating.upgrade(empty)
    pretend(empty, serves_from=REVISIONS[0])
    migrating.begin(empty)
    with opened(empty, FakeClock()) as store:
        ref = Desk(store).closed()
        assert store.verify().first_bad is None
        assert store.record(ref)["state"] == "closed"


def test_rules_with_a_setting_to_come_are_left_to_the_release_that_knows_it(empty: str) -> None:
    migrating.upgrade(empty)
    with opened(empty, FakeClock()) as store:
        ref = Desk(store).receive()
    with opened(empty, FakeClock()) as other:
        other.run(_newer_rules, writes=True)
        with pytest.raises(NotMigrated, match="newer release"):
            other.case(ref)


def _newer_rules(tx: Tx) -> None:
    data = tx.connection.execute(select(RULEBOOKS.c.data)).scalars().first()
    assert data is not None
    targets = {**data["targets"], "of_the_future": "1 bd"}
    tx.connection.execute(update(RULEBOOKS).values(data={**data, "targets": targets}))


def test_tables_that_this_release_would_harm_are_refused_by_name(empty: str) -> None:
    migrating.upgrade(empty)
    pretend(empty, serves_from="9001")
    for attempt in (migrating.begin, migrating.require_current, migrating.upgrade):
        with pytest.raises(NotMigrated, match=r"newer release .*9001.*install that release"):
            attempt(empty)


def test_a_migration_that_takes_something_away_says_from_when_it_serves() -> None:
    silent = [
        file.stem for file in VERSIONS[3:] if _takes_away(file) and "serves_from" not in file.read_text()
    ]
    assert silent == []
    assert _takes_away(VERSIONS[2])


def _takes_away(file: Path) -> bool:
    """Does its upgrade drop or alter what an older release works on?"""
    [up] = [
        one
        for one in ast.parse(file.read_text()).body
        if isinstance(one, ast.FunctionDef) and one.name == "upgrade"
    ]
    called = {node.attr for node in ast.walk(up) if isinstance(node, ast.Attribute)}
    return any(one.startswith(("drop_", "alter_", "rename_", "batch_")) for one in called)


def test_migrating_again_keeps_every_row_and_its_children(sqlite_url: str) -> None:
    store = open_store(sqlite_url, KEYS)
    ref = Desk(store).closed()
    store.close()
    migrating.upgrade(sqlite_url)
    store = open_store(sqlite_url, KEYS)
    assert store.verify().first_bad is None
    assert store.record(ref)["state"] == "closed"
    store.close()


def test_a_database_that_is_not_at_this_release_is_not_opened(empty: str) -> None:
    with pytest.raises(NotMigrated, match="amends db upgrade"):
        open_store(empty, KEYS)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/amends"])
def test_other_databases_are_refused_with_the_accepted_forms(url: str) -> None:
    with pytest.raises((StoreError, Exception), match="sqlite:///FILE or postgresql://"):
        engines(url)


def test_sqlite_writes_ahead_flushes_and_keeps_references(sqlite_url: str) -> None:
    made = engines(sqlite_url)
    with made.writing.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    made.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
