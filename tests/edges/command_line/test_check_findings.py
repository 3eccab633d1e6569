"""The table of findings of `amends check` has exactly the kinds that the checks report."""

import ast
import inspect

from amends import checks


def test_each_kind_in_the_table_is_reported_somewhere() -> None:
    texts = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(checks)))
        if isinstance(node, ast.Constant)
    }
    assert checks._FINDINGS.keys() <= texts


def test_each_kind_that_is_reported_is_in_the_table() -> None:
    calls = [
        node.args[0]
        for node in ast.walk(ast.parse(inspect.getsource(checks)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_found"
    ]
    kinds = {kind.value for kind in calls if isinstance(kind, ast.Constant)}
    assert kinds
    assert kinds <= checks._FINDINGS.keys()


def test_a_finding_has_a_mark_a_subject_and_a_result() -> None:
    for kind, parts in checks._FINDINGS.items():
        assert {"mark", "subject", "result"} <= parts.keys() <= {"mark", "subject", "result", "remedy"}, kind
        assert parts["mark"] in {"ok", "warn", "fail"}, kind
