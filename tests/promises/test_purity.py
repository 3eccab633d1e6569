"""Code that decides, and code that writes letters and reports, uses no input or output, no clock and no framework.

The same case and the same `now` therefore always give the same answer, and tests need no network and no database.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest

from complaints import case, case_values
from tests.source import Module, modules

#: Modules of the standard library that only compute. `pathlib` is for paths; reading files is refused below.
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
        "tomllib",
        "types",
        "typing",
        "unicodedata",
        "zoneinfo",
    }
)
#: What the modules of each folder may import, apart from the standard library and the folder.
PURE = {
    "bots/dialogue/": ("bots.letters", "bots.texts", "complaints", "store.values", "triage"),
    "bots/letters/": ("bots.dialogue.buttons", "bots.texts", "complaints"),
    # NumPy and SciPy compute, and do nothing else.
    "reports/": ("complaints", "numpy", "scipy"),
    "complaints/": (),
}
#: Calls that read a clock, a file or a terminal.
CLOCKS = {"datetime": ("now", "utcnow", "today"), "date": ("today",)}
READS = ("open", "read_bytes", "read_text", "touch", "unlink", "write_bytes", "write_text")
PRINTS = ("breakpoint", "input", "open", "print")
#: Tables that are part of the rules and reports are read once: forms, refusals, registers, clauses, figures.
ALLOWED = {
    ("complaints/", "FILE.read_text"), ("reports/clauses/", "FILE.read_text"),
    ("reports/kpis.py", "FILE.read_text"), ("reports/disclosure/returns_report.py", "FILE.read_text"),
}  # fmt: skip


def imports(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def impure_calls(module: Module) -> Iterator[str]:
    """Calls of a clock, a file or a terminal, except in the part of a module that runs as a command."""
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
def test_a_pure_folder_imports_only_what_is_allowed(folder: str) -> None:
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
def test_an_impure_call_is_detected(source: str) -> None:
    module = Module("reports/none.py")
    module.__dict__["text"] = source
    assert len(list(impure_calls(module))) == 1
    module = Module("reports/none.py")
    module.__dict__["text"] = f"if __name__ == '__main__':\n    {source}"
    assert list(impure_calls(module)) == []


def test_changed_copies_only_with_names_of_fields() -> None:
    """`changed` takes any name, so a renamed field would be lost in silence."""
    values = [*vars(case).values(), *vars(case_values).values()]
    field_names = {entry.name for value in values if is_dataclass(value) for entry in fields(value)}
    calls = [
        node
        for module in modules()
        if module.room == "complaints"
        for node in module.nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "changed"
    ]

    assert {word.arg for call in calls for word in call.keywords if word.arg} <= field_names


def test_nothing_that_we_owe_is_sent_as_a_rich_message() -> None:
    """Many apps show it blank, and the platform answers OK, so no error handler could notice it."""
    rich = ("send_rich_message", "sendRichMessage", "rich_message", "InputRichMessage")
    users = [
        module.path
        for module in modules()
        # `updates` sends nothing: it recognises such a message of a person, to refuse it.
        if module.room != "simulator"
        and module.path != "bots/telegram/updates.py"
        and any(name in module.text for name in rich)
    ]
    assert users == []
