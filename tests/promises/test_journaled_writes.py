"""Every statement that changes a journaled row goes through the transaction, which notes it for the journal."""

import ast
from collections.abc import Iterator
from pathlib import Path

from store import tables
from store.database.journaled import JOURNALED
from tests.source import ROOT

_STATEMENTS = {"insert", "update", "delete"}
#: It continues a complaint with `complaint_row`, whose columns follow from the events (`test_journal.py`).
_CONTINUE = ("store/cases/act.py", "COMPLAINTS")


def _statements_around_the_transaction(file: Path) -> Iterator[tuple[str, str, set[str]]]:
    """The statements built in this file: the file, the table, and the columns that it sets."""
    for statement in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(statement, ast.stmt) or hasattr(statement, "body"):
            continue
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        of_values = (
            {keyword.arg or "**" for keyword in call.keywords}
            for call in calls
            if isinstance(call.func, ast.Attribute) and call.func.attr == "values"
        )
        columns = set[str]().union(*of_values)
        for call in calls:
            is_statement = isinstance(call.func, ast.Name) and call.func.id in _STATEMENTS
            if is_statement and call.args and isinstance(call.args[0], ast.Name):
                yield str(file.relative_to(ROOT)), call.args[0].id, columns


def test_no_statement_changes_a_journaled_row_without_a_note_for_the_journal() -> None:
    files = [file for file in (ROOT / "store").rglob("*.py") if file.name != "transaction.py"]
    statements = [each for file in files for each in _statements_around_the_transaction(file)]
    assert len(statements) > 15, "the search finds the statements of this program"
    unsigned = []
    for file, name, columns in statements:
        spec = JOURNALED.get(getattr(getattr(tables, name, None), "name", ""))
        if spec is None or (file, name) == _CONTINUE:
            continue
        covered = {column.name for column in (*spec.columns, *spec.table.primary_key.columns)} - spec.presence
        if not columns or columns & {*covered, "**", *(column for _, column in spec.owners)}:
            unsigned.append((file, name, sorted(columns)))
    assert unsigned == []
