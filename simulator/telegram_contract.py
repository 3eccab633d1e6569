"""The Bot API's specification: methods, their fields, and decoding of what a bot sends."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from simulator.http_body import Upload

Json = dict[str, Any]
Shape = dict[str, tuple[list[str], bool]]


class BadField(Exception):
    """A field that the specification does not know, lacks, or types otherwise."""


@cache
def _specification() -> tuple[dict[str, Shape], dict[str, Shape | list[str]]]:
    raw = json.loads((files("simulator") / "contract" / "telegram.json").read_text())
    methods = {name: _shape(fields) for name, fields in raw["methods"].items()}
    types = {
        name: fields if isinstance(fields, list) else _shape(fields) for name, fields in raw["types"].items()
    }
    return methods, types


def _shape(fields: Json) -> Shape:
    return {name: (types, bool(required)) for name, (types, required) in fields.items()}


def method_named(name: str) -> str | None:
    """The method's own spelling; Telegram ignores case. None when there is no such method."""
    return _spellings().get(name.lower())


@cache
def _spellings() -> dict[str, str]:
    return {name.lower(): name for name in _specification()[0]}


def decode(method: str, sent: Json, uploads: list[Upload], *, strict: bool) -> Json:
    """The typed arguments of a call. Raises BadField in Telegram's manner."""
    shape = _specification()[0][method]
    files_by_field = {upload.field: upload for upload in uploads}
    decoded: Json = {}
    for name, value in sent.items():
        if name not in shape:
            # A multipart part may be named freely and meant by attach://name.
            if strict:
                raise BadField(f'unknown field "{name}" of {method} (the simulator is strict)')
            continue
        if value is None:
            continue
        decoded[name] = _typed(value, shape[name][0], name, strict=strict)
    for name, upload in files_by_field.items():
        if name in shape:
            decoded[name] = upload
    for name, (_, required) in shape.items():
        if required and name not in decoded:
            raise BadField(_missing(name))
    return decoded


def _missing(name: str) -> str:
    if name == "chat_id":
        return "chat_id is empty"
    if name == "text":
        return "message text is empty"
    return f'parameter "{name}" is required'


def check(value: object, type_name: str) -> None:
    """Hold a value of ours to the specification. Raises BadField with the path of the first fault."""
    _typed(value, [type_name], type_name, strict=True)


def _typed(value: Any, types: list[str], path: str, *, strict: bool) -> Any:
    reasons = []
    for name in types:
        try:
            return _one(value, name, path, strict=strict)
        except BadField as reason:
            reasons.append(reason)
    raise reasons[0]


def _one(value: Any, name: str, path: str, *, strict: bool) -> Any:
    if name.startswith("Array of "):
        items = _parsed(value, path)
        if not isinstance(items, list):
            raise BadField(f"can't parse {path}: expected an Array")
        inner = name.removeprefix("Array of ")
        return [_one(item, inner, f"{path}[{i}]", strict=strict) for i, item in enumerate(items)]
    match name:
        case "Integer":
            return _integer(value, path)
        case "Float":
            return _float(value, path)
        case "Boolean" | "True":
            return _boolean(value, path)
        case "String":
            if not isinstance(value, str):
                raise BadField(f'field "{path}" must be of type String')
            return value
        case "InputFile":
            if isinstance(value, str | Upload):
                return value
            raise BadField(f'field "{path}" must be a file')
    return _object(value, name, path, strict=strict)


def _object(value: Any, name: str, path: str, *, strict: bool) -> Any:
    shape = _specification()[1].get(name)
    if shape is None:
        raise BadField(f"unknown type {name} at {path}")
    value = _parsed(value, path)
    if isinstance(shape, list):
        return _union(value, shape, path, strict=strict)
    if not isinstance(value, dict):
        raise BadField(f"object expected as {path}")
    for key in value:
        if key not in shape and strict:
            raise BadField(f'unknown field "{path}.{key}" of {name} (the simulator is strict)')
    for key, (_, required) in shape.items():
        if required and key not in value:
            raise BadField(f"can't parse {path}: can't find field \"{key}\"")
    return {
        key: _typed(item, shape[key][0], f"{path}.{key}", strict=strict) if key in shape else item
        for key, item in value.items()
        if item is not None
    }


def _union(value: Any, subtypes: list[str], path: str, *, strict: bool) -> Any:
    reasons = []
    for subtype in subtypes:
        try:
            return _one(value, subtype, path, strict=strict)
        except BadField as reason:
            reasons.append(reason)
    # The reason of the subtype that got furthest reads best: it has the longest path.
    raise max(reasons, key=lambda reason: len(str(reason)))


def _parsed(value: Any, path: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as broken:
        raise BadField(f"can't parse {path} JSON object") from broken


def _integer(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadField(f'field "{path}" must be of type Number')
    try:
        return int(value)
    except ValueError as broken:
        raise BadField(f'field "{path}" must be of type Number') from broken


def _float(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadField(f'field "{path}" must be of type Number')
    try:
        return float(value)
    except ValueError as broken:
        raise BadField(f'field "{path}" must be of type Number') from broken


def _boolean(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    raise BadField(f'field "{path}" must be of type Boolean')
