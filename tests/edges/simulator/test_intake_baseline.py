"""The baseline of the intake benchmark issues exactly the SQL statements of a real intake."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Session

from benchmarks import bare_intake, intake
from store.database.engine import create_engines
from store.rulebooks import use_rulebook
from store.store import open_store

_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM|JOIN)\s+(\w+)", re.IGNORECASE)
_COLUMNS = re.compile(r"INTO \w+ \(([^)]*)\)")


class _Issued(list[tuple[str, list[str], set[str], int]]):
    """The statements issued: kind, tables, filled columns, and number of rows."""

    def note(self, _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        columns = _COLUMNS.search(statement)
        filled = set(columns[1].replace('"', "").split(", ")) if columns else set()
        kind = statement.split(maxsplit=1)[0]
        self.append((kind, _TABLE.findall(statement), filled, len(parameters) if many else 1))


def _statements(engine: Engine, do: Callable[[], None]) -> _Issued:
    """What reaches the driver: of SQLite by its cursors, since not every statement passes SQLAlchemy."""
    issued = _Issued()
    if engine.dialect.name != "sqlite":
        event.listen(engine, "before_cursor_execute", issued.note)
        do()
        event.remove(engine, "before_cursor_execute", issued.note)
        return issued

    class NotedCursor(sqlite3.Cursor):
        def execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
            issued.note(None, self, statement, parameters, None, False)
            return super().execute(statement, parameters)

        def executemany(self, statement: str, parameters: Any) -> sqlite3.Cursor:
            issued.note(None, self, statement, parameters, None, True)
            return super().executemany(statement, parameters)

    class NotedConnection(sqlite3.Connection):
        def cursor(self, factory: Any = NotedCursor) -> Any:
            return super().cursor(factory)

    engine.dispose()
    event.listen(engine, "do_connect", lambda _d, _r, _a, options: options.update(factory=NotedConnection))
    engine.connect().close()
    issued.clear()
    do()
    return issued


def test_the_bare_baseline_issues_the_statements_of_an_intake(database_url: str) -> None:
    with closing(open_store(database_url, intake.KEYS, intake.clock)) as store:
        store.write(use_rulebook, intake.RULES)
        intake.receive(store, "the rules are read once")
        actual = _statements(store._engines.writing, lambda: intake.receive(store, "a"))
    with closing(create_engines(database_url)) as connections, Session(connections.writing) as session:
        bare = _statements(connections.writing, lambda: bare_intake.intake(session, "b"))
    # The journal is part of the product's cost, like rules and encryption, and so is the check of the schema.
    proof = {"amends_touched", "journal", "journal_heads", "proof_keys", "main", "alembic_version"}
    actual = [(kind, *rest) for kind, *rest in actual if kind != "PRAGMA" and not proof & set(rest[0])]
    assert len(actual) > 15
    assert bare == actual
