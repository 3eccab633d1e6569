"""The record of one complaint as the parts of a case file print it: field names, people, times."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from amends.documents.facts import field_name
from amends.documents.labels import Labels
from complaints.actions.intake import MACHINE_MADE, TRANSLATION

#: Actors who are not members of staff: their id adds nothing to their part.
_NOT_STAFF = frozenset({"system", "model", "complainant", "operator"})

_FIELDS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
)
#: Fields of the events' words that have another name in the labels.
_LABEL_NAMES = {("cause",): "root_cause", ("remedies", "text"): "remedy_text", ("issues", "text"): "issue"}


class UsageRecord(Mapping[str, Any]):
    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record
        self._used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._used.add(name)
        return self._record[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __len__(self) -> int:
        return len(self._record)

    def unused(self) -> dict[str, Any]:
        return {name: value for name, value in self._record.items() if name not in self._used}


@dataclass(frozen=True)
class RecordView:
    record: UsageRecord
    labels: Labels

    def label(self, id_: str, **fields: object) -> str:
        return self.labels.text(id_, **fields)

    def fields(
        self, part: str, values: Mapping[str, Any] | None = None
    ) -> tuple[tuple[str, str | None], ...]:
        """The labels and values of a part of the case file (fields.toml), from the record or from `values` of it."""
        values = self.record if values is None else values
        rows = []
        for name, shown_as in _FIELDS[part].items():
            kind, _, other_name = shown_as.partition(":")
            rows.append((self.label(f"case.{name}"), self._shown(kind, values[other_name or name])))
        return tuple(rows)

    def _shown(self, kind: str, value: Any) -> str | None:
        match kind:
            case "moment":
                return self.moment(value)
            case "moment_to_come":
                return self.moment(value) or self.label("document.not_yet")
            case "member":
                return self.member(value)
            case "yes_or_no":
                return self.labels.yes_or_no(value)
            case "list":
                return ", ".join(value) or None
        text = None if value is None else str(value)
        return text if kind == "words" else self.labels.code(kind, text)

    def titles(self, *ids: str) -> tuple[str, ...]:
        """The labels at the head of a table."""
        return tuple(map(self.labels.text, ids))

    def field(self, name: str) -> str:
        """The label of a field; in a list with its number: `Reasons 2`. Empty if the verb is enough."""
        *group, base = name.split(".")
        if group and base.isdecimal():
            # A later version of the same words: `addition.2`.
            base = group.pop()
        if base == "text" and not group:
            return ""
        number = next((f" {int(part) + 1}" for part in group if part.isdecimal()), "")
        base = _LABEL_NAMES.get((*group[:1], base), base)
        return f"{field_name(base, self.labels)}{number}"

    def who(self, by: str | None, role: str | None = None) -> str | None:
        """The person who acted: staff by role and id, others by their part."""
        if by is None:
            return None
        part = self.labels.code("part", role) if role else None
        if role == "operator" and ":" in by:
            return f"{part} ({by.partition(':')[2]})"
        if role in _NOT_STAFF or by in _NOT_STAFF:
            return part or self.labels.code("part", by)
        if by == self.record["complainant"]:
            return self.label("part.complainant")
        return f"{part} ({by})" if part and by else part or by

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """The role in which each person last acted on this complaint."""
        return {event["by"]: event["role"] for event in self.record["events"]}

    def member(self, by: str | None) -> str | None:
        return self.who(by, self.roles.get(by) if by else None)

    def with_translations(self, texts: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The texts, each followed by its translations."""
        for text in texts:
            if text["translates"] is None:
                key = text["seq"], f"{TRANSLATION}.{text['field']}"
                yield text
                yield from (other for other in texts if (other["translates"], other["field"]) == key)

    @cached_property
    def events(self) -> Mapping[int, Mapping[str, Any]]:
        return {event["seq"]: event for event in self.record["events"]}

    def did(self, event: Mapping[str, Any]) -> str:
        kind = event["facts"].get("kind")
        if kind in MACHINE_MADE:
            return self.label(f"did.{kind}")
        act = self.labels.code("did", event["verb"])
        return f"{act} – {self.who(event['by'], event['role'])}"

    def moment(self, instant: str | None) -> str | None:
        return self.labels.moment(instant)


def in_two_lines(digest: str | None) -> str | None:
    """A SHA-256 in two lines: one line is wider than its column."""
    return None if digest is None else f"{digest[:32]}\n{digest[32:]}"
