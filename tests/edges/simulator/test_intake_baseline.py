"""The baseline of the intake benchmark issues exactly the SQL statements of a real intake."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from benchmarks import bare_intake, intake
from store.database.engine import create_engines
from store.rulebooks import use_rulebook
from store.store import open_store

_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM|JOIN)\s+(\w+)", re.IGNORECASE)
_COLUMNS = re.compile(r"INTO \w+ \(([^)]*)\)")


def _statements(engine: Any, do: Callable[[], None]) -> list[tuple[str, list[str], set[str], int]]:
    """The statements issued: kind, tables, filled columns, and number of rows."""
    issued = []

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        columns = _COLUMNS.search(statement)
        filled = set(columns[1].replace('"', "").split(", ")) if columns else set()
        kind = statement.split(maxsplit=1)[0]
        issued.append((kind, _TABLE.findall(statement), filled, len(parameters) if many else 1))

    event.listen(engine, "before_cursor_execute", remember)
    do()
    event.remove(engine, "before_cursor_execute", remember)
    return issued


def test_the_bare_baseline_issues_the_statements_of_an_intake(database_url: str) -> None:
    with closing(open_store(database_url, intake.KEYS, intake.clock)) as store:
        store.write(use_rulebook, intake.RULES)
        intake.receive(store, "the rules are read once")
        actual = _statements(store._engines.writing, lambda: intake.receive(store, "a"))
    with closing(create_engines(database_url)) as connections, Session(connections.writing) as session:
        bare = _statements(connections.writing, lambda: bare_intake.intake(session, "b"))
    # The journal is part of the product's cost, like rules and encryption.
    proof = {"amends_touched", "journal", "journal_heads", "proof_keys"}
    actual = [statement for statement in actual if not proof & set(statement[1])]
    assert len(actual) > 15
    assert bare == actual
