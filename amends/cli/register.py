"""`amends register`: the registers of what is not a complaint (clauses 5, 6, 8; docs/registers.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.console import err, print_json, print_table
from amends.cli.options import Json, open_record
from reports.words import in_words

if TYPE_CHECKING:
    from complaints.registers.definitions import RegisterAct
    from complaints.registers.entries import Entry
    from store.store import Store

Name = Annotated[str | None, typer.Argument(metavar="REGISTER", help="Such as improvement; else all.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Such as improvement-12.")]
Values = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help="A field of the act; repeatable.")
]


def list_(
    name: Name = None,
    *,
    all_: Annotated[bool, typer.Option("--all")] = False,
    json: Json = False,
) -> None:
    from complaints.registers.definitions import REGISTERS
    from store.registers import list_entries

    if name is not None and name not in REGISTERS:
        raise typer.BadParameter(f"the registers are {', '.join(REGISTERS)}", param_hint="REGISTER")
    with open_record() as (_, store):
        entries = [
            entry
            for register in ([name] if name else REGISTERS)
            for entry in store.read(list_entries, register, is_open=None if all_ else True)
        ]
    if json:
        print_json({"entries": [_as_json(entry) for entry in entries]})
        return
    rows = [
        (
            entry.code,
            in_words(entry.state),
            entry.owner,
            entry.due,
            entry.words.get(entry.register.name_field),
        )
        for entry in entries
    ]
    print_table("Registers", ("entry", "state", "owner", "due", "what"), rows)


def show(code: Code, *, json: Json = False) -> None:
    from store.registers import load_entry

    with open_record() as (_, store):
        entry = store.read(load_entry, code)
    if json:
        print_json(_as_json(entry) | {"acts": [_act_as_json(act) for act in entry.acts]})
        return
    values = {**entry.facts, **entry.words}
    print_table(entry.code, ("field", "value"), [(in_words(name), value) for name, value in values.items()])
    rows = [(act.at, act.by, in_words(act.act), in_words(act.state)) for act in entry.acts]
    print_table("Acts", ("at", "by", "act", "state"), rows)


def add(
    name: Annotated[str, typer.Argument(metavar="REGISTER", help="Such as improvement.")],
    *,
    act: Annotated[str, typer.Option("--act")] = "add",
    values: Values = [],  # noqa: B006 - Typer's own form of a list
    json: Json = False,
) -> None:
    from complaints.actors import OPERATOR
    from complaints.registers.definitions import REGISTERS
    from store.registers import add_entry

    if name not in REGISTERS:
        raise typer.BadParameter(f"the registers are {', '.join(REGISTERS)}", param_hint="REGISTER")
    with open_record() as (_, store):
        facts, words = _read(store, REGISTERS[name].acts.get(act), values)
        entry = store.write(add_entry, name, act, OPERATOR, facts, words)
    _print_saved(entry, json=json)


def act(
    code: Code,
    name: Annotated[str, typer.Argument(metavar="ACT", help="Such as done or cancel.")],
    *,
    values: Values = [],  # noqa: B006 - Typer's own form of a list
    json: Json = False,
) -> None:
    from complaints.actors import OPERATOR
    from store.registers import act_on_entry, load_entry

    with open_record() as (_, store):
        entry = store.read(load_entry, code)
        facts, words = _read(store, entry.register.acts.get(name), values, entry.refs)
        entry = store.write(act_on_entry, code, name, OPERATOR, facts, words, version=entry.version)
    _print_saved(entry, json=json)


def _read(
    store: Store, register_act: RegisterAct | None, values: list[str], refs: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of `--set`; a wrong field is named."""
    from complaints.forms import WrongFields
    from complaints.registers.entries import options_of, read_form
    from store.rulebooks import load_current_rulebooks

    if register_act is None:
        raise typer.BadParameter("this register has no such act", param_hint="ACT")
    pairs = dict(value.partition("=")[::2] for value in values)
    rules = store.read(load_current_rulebooks)
    try:
        return read_form(register_act, pairs, rules.languages, options_of(rules.own, refs))
    except WrongFields as wrong:
        faults = ", ".join(f"{name} ({in_words(why)})" for name, why in wrong.fields.items())
        raise typer.BadParameter(faults, param_hint="--set") from wrong


def _print_saved(entry: Entry, *, json: bool) -> None:
    if json:
        print_json(_as_json(entry))
    else:
        err.print(f"{entry.code} is {in_words(entry.state)}.")


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "code": entry.code, "register": entry.register.name, "version": entry.version, "state": entry.state,
        "owner": entry.owner, "due": entry.due, "opened_at": entry.opened_at, "facts": entry.facts,
        "words": entry.words,
    }  # fmt: skip


def _act_as_json(done: Any) -> Mapping[str, Any]:
    names = ("version", "at", "by", "role", "act", "state", "facts", "words")
    return {name: getattr(done, name) for name in names}
