"""`changed` copies a frozen value without its constructor, so no type check sees a wrong field name."""

from __future__ import annotations

import ast
from dataclasses import fields, is_dataclass

from complaints import case, case_values
from tests.source import modules

FIELDS = {
    field.name
    for module in (case, case_values)
    for value in vars(module).values()
    if isinstance(value, type) and is_dataclass(value)
    for field in fields(value)
}


def test_changed_is_called_with_fields_of_the_case_only() -> None:
    unknown = [
        f"{module.path}:{call.lineno} {keyword.arg}"
        for module in modules()
        if module.room == "complaints"
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "changed"
        for keyword in call.keywords
        if keyword.arg is not None and keyword.arg not in FIELDS
    ]
    assert unknown == []
