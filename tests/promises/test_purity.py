"""What decides and what words a letter or a report is pure: no input or output, no clock, no framework.

So the same case and the same `now` always give the same answer, and tests need neither a wire nor a database.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.source import Module, modules

#: Standard library that computes and does nothing else. `pathlib` is here for paths; reading is refused below.
COMPUTES = frozenset(
    {
        "__future__",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "html",
        "io",
        "itertools",
        "json",
        "math",
        "operator",
        "pathlib",
        "re",
        "statistics",
        "string",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "zoneinfo",
    }
)
#: Folder to what its modules may import besides the standard library and themselves.
PURE = {
    "bots/dialogue/": ("bots.letters", "bots.texts", "complaints", "store.values", "triage"),
    "bots/letters/": ("bots.dialogue.buttons", "bots.texts", "complaints"),
    "reports/": ("complaints",),
    "complaints/": (),
}
#: Calls that read a clock, a file or a terminal.
CLOCKS = {"datetime": ("now", "utcnow", "today"), "date": ("today",)}
READS = ("open", "read_bytes", "read_text", "touch", "unlink", "write_bytes", "write_text")
PRINTS = ("breakpoint", "input", "open", "print")
#: Reads the index of tests that ships with the reports, once.
ALLOWED = {("reports/clauses/", "FILE.read_text")}


def imports(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def impure_calls(module: Module) -> Iterator[str]:
    """Calls of a clock, a file or a terminal, but for those of a module that is run as a command."""
    command = {
        inner
        for node in module.tree.body
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in module.nodes:
        if not isinstance(node, ast.Call) or node in command:
            continue
        match node.func:
            case ast.Name(id=name) if name in PRINTS:
                yield ast.unparse(node.func)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in CLOCKS.get(owner, ()):
                yield ast.unparse(node.func)
            case ast.Attribute(attr=name) if name in READS:
                yield ast.unparse(node.func)


@pytest.mark.parametrize("folder", PURE)
def test_a_pure_folder_imports_nothing_that_acts(folder: str) -> None:
    allowed = (folder.rstrip("/").replace("/", "."), *PURE[folder])
    foreign = [
        f"{module.path} imports {name}"
        for module in modules()
        if module.path.startswith(folder)
        for name in imports(module)
        if name.partition(".")[0] not in COMPUTES
        and not any(name == package or name.startswith(f"{package}.") for package in allowed)
    ]
    assert foreign == []


@pytest.mark.parametrize("folder", PURE)
def test_a_pure_folder_reads_no_clock_and_no_file(folder: str) -> None:
    impure = [
        f"{module.path} calls {call}"
        for module in modules()
        if module.path.startswith(folder)
        for call in impure_calls(module)
        if not any(module.path.startswith(place) and call == name for place, name in ALLOWED)
    ]
    assert impure == []


@pytest.mark.parametrize(
    "source", ["datetime.now(UTC)", "print('x')", "FILE.write_text('x')", "date.today()"]
)
def test_an_impure_call_is_seen(source: str) -> None:
    module = Module("reports/none.py")
    module.__dict__["text"] = source
    assert len(list(impure_calls(module))) == 1
    module = Module("reports/none.py")
    module.__dict__["text"] = f"if __name__ == '__main__':\n    {source}"
    assert list(impure_calls(module)) == []
