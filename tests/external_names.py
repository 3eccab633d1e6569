"""The names that people, platforms and stored records rely on, collected from the code as it stands.

`python -m tests.external_names` shows what changed against tests/promises/external_names.json, and with `--write`
takes it over. Collected from syntax trees wherever possible, so that a module may move without a change here.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.patterns import UNKNOWN, patterns_of
from tests.source import PROJECT, ROOT, Module, assignments, modules, value_of

FILE = Path(__file__).parent / "promises" / "external_names.json"
Names = dict[str, list[str]]


def collect() -> Names:
    """Every external name, by section."""
    sections = {
        "command line": command_line(),
        "settings": settings(),
        "environment": environment(),
        "metrics": metrics(),
        "log events": log_events(),
        "tables": tables(),
        "verbs": verbs(),
        "codes of the record": codes(),
        "obligation kinds": (kind for kind, _ in obligations()),
        "obligation keys": (key for _, key in obligations()),
        "forms": forms(),
        "facts of events": facts(),
        "facts that are read": keys_read("facts"),
        "conversation state": conversation_state(),
        "slack action ids": slack("action_id", "action", "display_action"),
        "slack callback ids": [
            *slack("callback_id", "view", "shortcut"),
            *value_of("SHORTCUTS", below="bots/slack"),
        ],
        "slack block ids": slack("block_id"),
        "slack metadata": slack("event_type"),
        "slack ids in strings": slack_ids(),
        "slash command": ["".join(value_of("COMMAND", below="bots/slack")), *slack("", "router.command")],
        "telegram commands": value_of("COMMANDS", below="bots/dialogue"),
        "error codes": error_codes(),
        "json keys": json_keys(),
        **texts(),
    }
    return {name: sorted(set(names) - {UNKNOWN}) for name, names in sections.items()}


def kept() -> Names:
    """What the file holds."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def differences(before: Names, after: Names) -> list[str]:
    """A line for every name that was added or removed."""
    lines = []
    for section in dict.fromkeys((*before, *after)):
        old, new = set(before.get(section, ())), set(after.get(section, ()))
        lines += [f"{section}: removed {name}" for name in sorted(old - new)]
        lines += [f"{section}: added {name}" for name in sorted(new - old)]
    return lines


# The command line.


def command_line() -> Iterator[str]:
    """`case list --state VALUE`: every command with each option and argument."""
    from typer.main import get_command

    module = importlib.import_module(PROJECT["project"]["scripts"]["amends"].partition(":")[0])
    app: Any = module.app
    command: Any = app if hasattr(app, "make_context") else get_command(app)
    yield from _commands("", command)


def _commands(path: str, command: Any) -> Iterator[str]:
    if path:
        yield path
    context = command.context_class(command, info_name=path)
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            several = " …" if parameter.nargs == -1 else ""
            yield f"{path} {parameter.metavar or parameter.name.upper()}{several}".strip()
        else:
            takes = "" if parameter.is_flag else " VALUE"
            names = ", ".join((*parameter.opts, *parameter.secondary_opts))
            yield f"{path} {names}{takes}{' …' if parameter.multiple else ''}".strip()
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            yield from _commands(f"{path} {name}".strip(), command.get_command(context, name))


# Settings and figures.


def settings() -> Iterator[str]:
    """`targets.P1.decide`: every key of amends.toml below its tables."""
    from pydantic import BaseModel

    root = _model_with("organisation")

    def keys(path: str, model: type[BaseModel], inside: tuple[type, ...]) -> Iterator[str]:
        for name, field in model.model_fields.items():
            shown = f"{path}.{field.alias or name}".lstrip(".")
            yield shown
            for other in _models(field.annotation):
                if other not in inside:
                    yield from keys(shown, other, (*inside, other))

    yield from keys("", root, (root,))


def environment() -> Iterator[str]:
    """Every variable of the environment that the settings read."""
    yield from (f"AMENDS_{name.upper()}" for name in _model_with("database_url").model_fields)
    for module in modules(migrations=False):
        for node in module.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"^AMENDS_[A-Z_]+[A-Z]$", node.value)


def metrics() -> Iterator[str]:
    """`amends_updates_total{outcome} counter`, as docs/metrics.md has them; a test holds that page to the code.

    The page says the types: `_total` is a counter, `amends_intake_seconds` a histogram, all others are gauges.
    """
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for figure in re.findall(r"^\| `(amends_[^`]+)` \|", page, re.MULTILINE):
        name = figure.partition("{")[0]
        kind = "counter" if name.endswith("_total") else "gauge"
        yield f"{figure} {'histogram' if name == 'amends_intake_seconds' else kind}"


def _model_with(key: str) -> Any:
    """The model of the settings that has this key."""
    from pydantic import BaseModel

    for module in modules():
        if module.path.startswith("amends/settings/"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, BaseModel) and key in value.model_fields:
                    return value
    raise LookupError(f"no model of the settings has the key {key}")


def _models(annotation: Any) -> Iterator[Any]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


# Logs.


_LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}


def log_events() -> Iterator[str]:
    """`event` and `event field`: every structured log event with its fields."""
    for module in modules(migrations=False):
        if "structlog" not in module.text:
            continue
        for call, function in _calls(module):
            if isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS and call.args:
                events = patterns_of(module.name).strings(call.args[0], function)
                for event in events:
                    yield event
                    yield from (f"{event} {field.arg}" for field in call.keywords if field.arg)


# The record.


def tables() -> Iterator[str]:
    """`complaints.ref`: every table and column."""
    metadata = importlib.import_module("store.tables").METADATA
    return (f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns)


def verbs() -> Iterator[str]:
    """Every verb of an event."""
    return iter(max(_enumerations("complaints"), key=lambda values: "communicate_decision" in values))


def codes() -> Iterator[str]:
    """Every value of an enumeration of strings: what columns, facts and JSON hold."""
    for room in ("complaints", "store", "triage"):
        for values in _enumerations(room):
            yield from values


def _enumerations(room: str) -> Iterator[list[str]]:
    for module in modules(migrations=False):
        if module.room == room:
            for node in module.nodes:
                if isinstance(node, ast.ClassDef) and any(
                    _last_name(base) == "StrEnum" for base in node.bases
                ):
                    yield [
                        value.value
                        for _, value in assignments(node.body)
                        if isinstance(value, ast.Constant) and isinstance(value.value, str)
                    ]


def obligations() -> Iterator[tuple[str, str]]:
    """Every (kind, pattern of the key) with which an obligation is made, also by a method with these parameters.

    A function of an event and a kind makes the key `KIND:SEQ`.
    """
    makers = {
        node.name
        for module in modules(migrations=False)
        if module.room == "complaints"
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and {"key", "kind", "due", "priority"} <= _fields(node)
    }
    makers |= {
        node.name
        for module in modules(migrations=False)
        for node in module.nodes
        if isinstance(node, ast.AsyncFunctionDef)
        and [argument.arg for argument in node.args.args[:3]] == ["self", "key", "kind"]
    }
    of_event = {
        node.name
        for module in modules(migrations=False)
        for node in module.nodes
        if isinstance(node, ast.FunctionDef)
        and [argument.arg for argument in node.args.posonlyargs[:2]] == ["event", "kind"]
    }
    for module in modules(migrations=False):
        for call, function in _calls(module):
            if _last_name(call.func) in of_event:
                for kind in patterns_of(module.name).strings(call.args[1], function):
                    yield kind, f"{kind}:{{}}"
            elif _last_name(call.func) in makers and getattr(function, "name", "") not in of_event:
                arguments = dict(zip(("key", "kind"), call.args, strict=False))
                arguments |= {
                    keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in ("key", "kind")
                }
                patterns = patterns_of(module.name)
                for kind in patterns.strings(arguments.get("kind"), function):
                    for key in patterns.strings(arguments.get("key"), function):
                        yield kind, key
    yield from ((kind, UNKNOWN) for kind in value_of("KINDS", below="complaints"))


def _fields(node: ast.ClassDef) -> set[str]:
    return {
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }


def forms() -> Iterator[str]:
    """`assess issues.N.text`: every form with its fields.

    `*` marks those that are required, and `read` those whose words the complainant reads in the letter of the act.
    """
    for name, form in value_of("FORMS", below="complaints").items():
        yield name
        for field in form.fields:
            is_read = field.name in form.read_by_complainant and field.input == "text"
            yield f"{name} {field.path}{'*' if field.required else ''}{' read' if is_read else ''}"


def facts() -> Iterator[str]:
    """`extend target`: the facts that each verb knows; `*` marks those that it requires."""
    for verb, action in value_of("ACTIONS", below="complaints").items():
        required, shapes = action.shapes.required, action.shapes.shapes
        yield from (f"{verb.value} {name}{'*' if name in required else ''}" for name in {*required, *shapes})


def keys_read(holder: str, *, below: str = "") -> Iterator[str]:
    """Keys by which `x.facts` or `facts` is read: those of stored events and obligations."""
    for module in modules(migrations=False):
        for node in module.nodes if module.path.startswith(below) else ():
            match node:
                case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                    pass
                case ast.Call(
                    func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(key)), *_]
                ):
                    pass
                case _:
                    continue
            if _last_name(value) == holder:
                yield key


def conversation_state() -> Iterator[str]:
    """Keys and steps that a stored conversation in progress holds."""
    yield from keys_read("state", below="bots/dialogue")
    for module in modules(migrations=False):
        if module.path.startswith("bots/dialogue"):
            for call, function in _calls(module):
                if _last_name(call.func) == "go_to" and call.args:
                    steps = patterns_of(module.name).strings(call.args[0], function)
                    yield from (f"step {step}" for step in steps)


# Slack.


def slack(key: str, *registered: str) -> Iterator[str]:
    """Values of `key` in blocks and views, and of what is registered (`app.action(...)`).

    A value may stand in a dictionary, in a keyword, or in the place of a parameter of this name.
    """
    rooms = [
        module
        for module in modules(migrations=False)
        if module.room == "bots" or module.path.startswith("amends")
    ]
    places = _places(rooms, key)
    for module in rooms:
        patterns = patterns_of(module.name)
        values: list[tuple[ast.expr, ast.AST | None]] = []
        for node, function in module.scoped:
            if isinstance(node, ast.Dict):
                values += [
                    (value, function)
                    for name, value in zip(node.keys, node.values, strict=True)
                    if isinstance(name, ast.Constant) and name.value == key
                ]
            elif isinstance(node, ast.Call):
                values += [(keyword.value, function) for keyword in node.keywords if keyword.arg == key]
                name = _last_name(node.func)
                if name in places and len(node.args) > places[name]:
                    values.append((node.args[places[name]], function))
                if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                    owner = node.func.value.id
                    if name in registered or f"{owner}.{name}" in registered:
                        values += [(value, function) for value in node.args]
        for value, function in values:
            yield from patterns.strings(value, function)


_SLACK_ID = re.compile(r"(case|incident|move|home|outbox|log|more|matters|open|due)([._][a-z_{}]+)*")


def slack_ids() -> Iterator[str]:
    """Every string that looks like an id of a button or a view, wherever it is written."""
    labels = {label for label, _ in _messages("staff")}
    for module in modules(migrations=False):
        for node in module.nodes if module.path.startswith("bots/slack") else ():
            if isinstance(node, ast.Constant | ast.JoinedStr):
                names = patterns_of(module.name).strings(node) - labels
                yield from filter(_SLACK_ID.fullmatch, names)


def _places(rooms: list[Module], parameter: str) -> dict[str, int]:
    """Of every function with a parameter of this name, at which place it is."""
    return {
        node.name: [argument.arg for argument in node.args.args].index(parameter)
        for module in rooms
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and parameter in [argument.arg for argument in node.args.args]
    }


# Texts, errors and JSON.


def texts() -> dict[str, list[str]]:
    """The ids of each catalogue with the languages that have them, and a digest of what complainants read."""
    sections: dict[str, list[str]] = {}
    for domain in sorted({file.stem for file in _catalogues()}):
        spoken: dict[str, list[str]] = {}
        for name, (language, _) in _messages(domain):
            spoken.setdefault(name, []).append(language)
        sections[f"texts of {domain}.po"] = [f"{name} [{' '.join(spoken[name])}]" for name in spoken]
    sections["what complainants read"] = [
        f"{name} {language} {hashlib.sha256(text.encode()).hexdigest()[:8]}"
        for name, (language, text) in _messages("amends")
    ]
    return sections


def _catalogues() -> list[Path]:
    return sorted((ROOT / "bots" / "texts").rglob("*.po"))


def _messages(domain: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """(id, (language, text)) of every message, with its context before the id."""
    from babel.messages.pofile import read_po

    for file in _catalogues():
        if file.stem == domain:
            with file.open("rb") as stream:
                catalogue = read_po(stream)
            for message in catalogue:
                if message.id:
                    name = " / ".join(message.id) if isinstance(message.id, tuple | list) else message.id
                    name = f"{message.context} | {name}" if message.context else name
                    yield name, (file.parent.name, json.dumps(message.string, ensure_ascii=False))


def error_codes() -> Iterator[str]:
    """Every `code="..."` or key of refusals.toml given to a call, and every class that has one of its own."""
    for module in modules(migrations=False):
        for node, function in module.scoped:
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg == "code":
                        yield from patterns_of(module.name).strings(keyword.value, function)
                if _last_name(node.func) == "worded" and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value).partition(":")[0]
            elif isinstance(node, ast.ClassDef):
                for name, value in assignments(node.body):
                    if name == "code" and isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield value.value


def json_keys() -> Iterator[str]:
    """Keys that the command line writes itself, and those of every `as_json`."""
    for module in modules(migrations=False):
        for node, function in module.scoped:
            if module.path.startswith("amends/cli/") or (
                isinstance(function, ast.FunctionDef) and "json" in function.name
            ):
                keys: list[Any] = []
                if isinstance(node, ast.Dict):
                    keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                elif isinstance(node, ast.Call) and _last_name(node.func) == "json_fields":
                    keys = ast.literal_eval(node.args[1]).split()
                yield from (str(key) for key in keys if re.fullmatch(r"[a-z]\w*", str(key)))


# Syntax trees.


def _calls(module: Module) -> Iterator[tuple[ast.Call, ast.AST | None]]:
    return ((node, function) for node, function in module.scoped if isinstance(node, ast.Call))


def _last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def main() -> None:
    """Print what changed; with `--write` take it over."""
    now = collect()
    for line in differences(kept() if FILE.exists() else {}, now):
        sys.stdout.write(line + "\n")
    if "--write" in sys.argv[1:]:
        FILE.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
