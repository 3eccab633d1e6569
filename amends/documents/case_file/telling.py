"""The record as its parts are told: who did a thing, what a field is called, when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from amends.documents.labels import Labels

#: Those who act and are no member of staff; their id says nothing more.
_NOT_STAFF = frozenset({"system", "model", "complainant", "operator"})

#: Fields that another form calls by another name.
_SAME = {("cause",): "root_cause", ("remedies", "text"): "remedy_text", ("issues", "text"): "issue"}


class Asked(Mapping[str, Any]):
    """A record that remembers which of its fields were asked for."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record
        self._asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        """The field, from now on asked for."""
        self._asked.add(name)
        return self._record[name]

    def __iter__(self) -> Iterator[str]:
        """The names; these alone ask for nothing."""
        return iter(self._record)

    def __len__(self) -> int:
        """How many fields there are."""
        return len(self._record)

    def unasked(self) -> dict[str, Any]:
        """The fields that nobody asked for."""
        return {name: value for name, value in self._record.items() if name not in self._asked}


@dataclass(frozen=True)
class Telling:
    """One record in one language."""

    record: Asked
    labels: Labels

    def say(self, id_: str, **fields: object) -> str:
        """A label."""
        return self.labels.say(id_, **fields)

    def field(self, name: str) -> str:
        """What a field is called, a row of several numbered: `Reasons 2`; empty where the act says it all."""
        *group, base = name.split(".")
        if base == "text" and not group:
            return ""
        number = next((f" {int(one) + 1}" for one in group if one.isdecimal()), "")
        base = _SAME.get((*group[:1], base), base)
        for family in ("said", "case", "field"):
            known = self.labels.code(family, base) or ""
            if known != base.replace("_", " "):
                break
        return f"{known}{number}"

    def who(self, by: str | None, role: str | None = None) -> str | None:
        """Somebody who acted: staff by id and role, others by what they are."""
        if by is None:
            return None
        part = self.labels.code("part", role) if role else None
        if role in _NOT_STAFF or by in _NOT_STAFF:
            return part or self.labels.code("part", by)
        if by == self.record["complainant"]:
            return self.say("part.complainant")
        return f"{part} ({by})" if part and by else part or by

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """In which role each person acted last on this complaint."""
        return {one["by"]: one["role"] for one in self.record["events"]}

    def member(self, by: str | None) -> str | None:
        """The same for a field of the record that names only the person."""
        return self.who(by, self.roles.get(by) if by else None)

    @cached_property
    def events(self) -> Mapping[int, Mapping[str, Any]]:
        """Every event by its number."""
        return {one["seq"]: one for one in self.record["events"]}

    def did(self, event: Mapping[str, Any]) -> str:
        """What was done, by whom."""
        done = self.labels.code("did", event["verb"])
        return f"{done} – {self.who(event['by'], event['role'])}"

    def moment(self, instant: str | None) -> str | None:
        """An instant in the organisation's time."""
        return self.labels.moment(instant)


def halves(digest: str | None) -> str | None:
    """A SHA-256 in two lines: in one it would leave its column."""
    return None if digest is None else f"{digest[:32]}\n{digest[32:]}"
