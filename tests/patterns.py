"""Which strings an expression may be: constants are followed through names, imports and f-strings.

What only a run decides is written `{}`: `f"card:{case.version}"` is `card:{}`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from itertools import product

from tests.source import Module, assignments, modules

UNKNOWN = "{}"


class Patterns:
    """Resolves the expressions of one module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in module.nodes
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }

    def strings(self, node: ast.expr | None, function: ast.AST | None = None) -> set[str]:
        """Every string that the expression may be, with the assignments of the function around it."""
        return _Resolver(self, function).strings(node)

    def constant(self, name: str) -> tuple[str, ast.expr] | None:
        """Where a module-level name is assigned, and what: (module, expression)."""
        constants = _constants()
        if (self._module.name, name) in constants:
            return self._module.name, constants[self._module.name, name]
        if name in self._imported:
            home = self._imported[name]
            if home in constants:
                return home[0], constants[home]
        return None

    def member(self, alias: str, name: str) -> tuple[str, ast.expr] | None:
        """Where `alias.name` of an imported module is assigned, and what."""
        if alias not in self._imported:
            return None
        home = ".".join(self._imported[alias])
        return (home, _constants()[home, name]) if (home, name) in _constants() else None


class _Resolver:
    def __init__(self, patterns: Patterns, function: ast.AST | None) -> None:
        self._patterns = patterns
        self._local: dict[str, list[ast.expr]] = defaultdict(list)
        self._resolving: set[str] = set()
        for node in ast.walk(function) if function is not None else ():
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for name, value in assignments([node]):
                    self._local[name].append(value)

    def strings(self, node: ast.expr | None) -> set[str]:
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return self._joined([self.strings(part) for part in parts])
            case ast.FormattedValue(value=value):
                return self.strings(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([self.strings(left), self.strings(right)])
            case ast.IfExp(body=body, orelse=orelse):
                return self.strings(body) | self.strings(orelse)
            case ast.Call(func=ast.Attribute(attr="compile"), args=[first, *_]):
                return {f"re {pattern}" for pattern in self.strings(first)}
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=ast.Name(id=alias), attr=name):
                return self._elsewhere(self._patterns.member(alias, name))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int(index))):
                home = self._patterns.constant(name)
                if home is not None and isinstance(home[1], ast.Tuple | ast.List):
                    return self._elsewhere((home[0], home[1].elts[index]))
        return {UNKNOWN}

    @staticmethod
    def _joined(parts: list[set[str]]) -> set[str]:
        return {"".join(chosen) for chosen in product(*parts)}

    def _name(self, name: str) -> set[str]:
        if name in self._local and name not in self._resolving:
            self._resolving.add(name)
            values = set().union(*(self.strings(value) for value in self._local[name]))
            self._resolving.discard(name)
            return values
        return self._elsewhere(self._patterns.constant(name))

    @staticmethod
    def _elsewhere(home: tuple[str, ast.expr] | None) -> set[str]:
        if home is None:
            return {UNKNOWN}
        return patterns_of(home[0]).strings(home[1])


@cache
def _constants() -> dict[tuple[str, str], ast.expr]:
    return {
        (module.name, name): value
        for module in modules(migrations=False)
        for name, value in assignments(module.tree.body)
    }


@cache
def patterns_of(name: str) -> Patterns:
    """The resolver of a module by its dotted name."""
    return Patterns(next(module for module in modules(migrations=False) if module.name == name))
