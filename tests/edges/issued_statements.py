"""What an act issues to the driver of the database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM|JOIN)\s+(\w+)", re.IGNORECASE)
_COLUMNS = re.compile(r"INTO \w+ \(([^)]*)\)")


class Issued(list[tuple[str, list[str], set[str], int]]):
    """The statements issued: kind, tables, filled columns, and number of rows."""

    def note(self, _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        columns = _COLUMNS.search(statement)
        filled = set(columns[1].replace('"', "").split(", ")) if columns else set()
        kind = statement.split(maxsplit=1)[0]
        self.append((kind, _TABLE.findall(statement), filled, len(parameters) if many else 1))


def issued_statements(engine: Engine, do: Callable[[], None]) -> Issued:
    """What reaches the driver: of SQLite by its cursors, since not every statement passes SQLAlchemy."""
    issued = Issued()
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
