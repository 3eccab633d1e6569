"""Writes reports/clauses/tests.json: which tests carry which `@clause` mark, read from the tests' own source."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from reports.clauses.count import FILE

ROOT = Path(__file__).parents[1]


def marked() -> dict[str, list[str]]:
    """Clause to its tests (`path::name`), clauses in their own order of writing, tests by path and place."""
    tests_by_clause: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for name, numbers in _functions(tree):
            for number in numbers:
                tests_by_clause.setdefault(number, []).append(f"{file.relative_to(ROOT).as_posix()}::{name}")
    return {number: tests_by_clause[number] for number in sorted(tests_by_clause)}


def _functions(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            numbers = [number for one in node.decorator_list for number in _numbers(one)]
            if numbers:
                yield node.name, list(dict.fromkeys(numbers))


def _numbers(decorator: ast.expr) -> Iterator[str]:
    for node in ast.walk(decorator):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "clause":
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def written() -> str:
    """The file as it should stand."""
    return json.dumps(marked(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
