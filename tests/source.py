"""The product's source as syntax trees, for checks that must survive moved modules: files are found, not named."""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS: tuple[str, ...] = tuple(PROJECT["tool"]["importlinter"]["root_packages"])
MIGRATIONS = "store/migrations/"


@dataclass(frozen=True)
class Module:
    """One file of the product. `path` is relative to the project's root, with slashes."""

    path: str

    @property
    def room(self) -> str:
        """The top-level package."""
        return self.path.partition("/")[0]

    @property
    def folder(self) -> str:
        """The folder below the root that holds the file."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The dotted name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def text(self) -> str:
        """The file's content."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree: walking it once serves every check."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def scoped(self) -> tuple[tuple[ast.AST, ast.AST | None], ...]:
        """Every node with the innermost function around it, None at module level."""
        pairs: list[tuple[ast.AST, ast.AST | None]] = []
        waiting: list[tuple[ast.AST, ast.AST | None]] = [(self.tree, None)]
        while waiting:
            node, function = waiting.pop()
            inside = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
            children = [(child, inside) for child in ast.iter_child_nodes(node)]
            pairs += children
            waiting += children
        return tuple(pairs)


def modules(*, migrations: bool = True) -> tuple[Module, ...]:
    """Every Python file of the eight rooms, in order of path; read and parsed once a process."""
    return _modules() if migrations else _modules_without_migrations()


@cache
def _modules() -> tuple[Module, ...]:
    paths = (
        file.relative_to(ROOT).as_posix()
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        if "__pycache__" not in file.parts
    )
    return tuple(Module(path) for path in sorted(paths))


@cache
def _modules_without_migrations() -> tuple[Module, ...]:
    return tuple(module for module in _modules() if not module.path.startswith(MIGRATIONS))


def value_of(name: str, *, below: str) -> Any:
    """The value of a name that exactly one module below a folder defines; LookupError otherwise."""
    homes = [
        module for module in modules() if module.path.startswith(below) and name in _assigned(module.tree)
    ]
    if len(homes) != 1:
        raise LookupError(f"{name} is defined in {len(homes)} modules below {below}, not in one")
    return getattr(importlib.import_module(homes[0].name), name)


def _assigned(tree: ast.Module) -> set[str]:
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    return defined | {name for name, _ in assignments(tree.body)}


def assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Every `name = value` and `name: type = value` among these statements."""
    for node in body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
