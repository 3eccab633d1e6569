"""Each refusal of the rules has its English text in complaints/refusals.toml, with exactly its fields."""

import ast
from collections.abc import Iterator
from string import Formatter

from complaints.errors import refusal_texts
from tests.source import modules


def refusals() -> Iterator[tuple[str, str, set[str]]]:
    """Where a refusal is worded, its key, and the names of its values."""
    for module in modules(migrations=False):
        for node in module.nodes:
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "worded"
            ):
                key = node.args[0]
                assert isinstance(key, ast.Constant), f"{module.path}:{node.lineno} computes its key"
                values = {str(keyword.arg) for keyword in node.keywords} - {"field", "code"}
                yield f"{module.path}:{node.lineno}", str(key.value), values


def test_every_refusal_has_a_text_with_its_fields() -> None:
    for place, key, values in refusals():
        assert key in refusal_texts(), f"{place}: {key}"
        fields = {name for _, name, _, _ in Formatter().parse(refusal_texts()[key]) if name}
        assert fields == values, f"{place}: {key}"


def test_no_text_of_a_refusal_is_unused() -> None:
    assert set(refusal_texts()) - {key for _, key, _ in refusals()} == set()
