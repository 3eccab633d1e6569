"""What a register has: its fields, states and acts, read once from registers.toml (docs/registers.md)."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from complaints.forms import OPTIONS, Field, field_of, in_languages
from complaints.vocabulary import Role

FILE = Path(__file__).with_name("registers.toml")
#: Shares of the monitoring report that objectives and alerts may be about (reports/kpis.toml).
FIGURES = (
    "acknowledged_in_time", "assessed_in_time", "decided_in_time", "updates_on_time", "promise_kept", "escalated",
    "external", "reopened", "overturned", "survey_response", "fair",
)  # fmt: skip
#: Options that are no list in the file; those of `categories` are the organisation's own.
_OPTIONS: Mapping[str, tuple[str, ...]] = {**OPTIONS, "categories": (), "figures": FIGURES}


@dataclass(frozen=True)
class RegisterAct:
    """One act on an entry: without `sources` it begins one, without `target` the state stays.

    `is_owners`: the owner of the entry may do it too; `is_owners_alone`: no other person may. `is_apart`: its facts
    and words belong to this act alone. `second_to`: not by the person who did that act last.
    """

    register: str
    name: str
    roles: frozenset[Role]
    sources: frozenset[str] = frozenset()
    target: str | None = None
    fields: tuple[Field, ...] = ()
    is_owners: bool = False
    is_owners_alone: bool = False
    is_apart: bool = False
    second_to: str | None = None

    def form(self, languages: Sequence[str]) -> tuple[Field, ...]:
        """Its inputs, with one for each language where the file says so (`text.en`)."""
        return in_languages(self.fields, languages)


@dataclass(frozen=True)
class Register:
    """One register: `name_field` names an entry in lists; `remind` are days from the due day.

    `labels` and `choices` are the ends and prefixes of the texts of fields and of their options.
    """

    name: str
    clause: str
    readers: frozenset[Role]
    name_field: str
    closed: frozenset[str]
    remind: tuple[int, ...]
    acts: Mapping[str, RegisterAct]
    labels: Mapping[str, str]
    choices: Mapping[str, str]

    @cached_property
    def states(self) -> tuple[str, ...]:
        acts = self.acts.values()
        targets, sources = (act.target for act in acts), (sorted(act.sources) for act in acts)
        return tuple(dict.fromkeys([*filter(None, targets), *chain(*sources), *sorted(self.closed)]))

    @cached_property
    def first_acts(self) -> tuple[RegisterAct, ...]:
        """The acts that begin an entry."""
        return tuple(act for act in self.acts.values() if not act.sources)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        return {field.name: field for act in self.acts.values() for field in act.fields}


def _acts(name: str, table: Mapping[str, Any]) -> Iterator[RegisterAct]:
    for act, keys in table["acts"].items():
        fields = tuple(
            field_of(path, table["fields"][path.rstrip("!")], _OPTIONS) for path in keys.get("fields", ())
        )
        yield RegisterAct(
            name, act, frozenset(map(Role, keys["roles"])), frozenset(keys.get("from", ())), keys.get("to"),
            fields, keys.get("owner", False), keys.get("only_owner", False), keys.get("apart", False),
            keys.get("second_to"),
        )  # fmt: skip


def _register(name: str, table: Mapping[str, Any]) -> Register:
    return Register(
        name,
        table["clause"],
        frozenset(map(Role, table["read"])),
        table["name"],
        frozenset(table["closed"]),
        tuple(table.get("remind", ())),
        {act.name: act for act in _acts(name, table)},
        {field: keys.get("label", field) for field, keys in table["fields"].items()},
        {field: keys.get("choices", f"register.{field}") for field, keys in table["fields"].items()},
    )


REGISTERS: Mapping[str, Register] = {
    name: _register(name, table) for name, table in tomllib.loads(FILE.read_text(encoding="utf-8")).items()
}
