"""The record of one complaint as documents print it: field names, people, times and codes in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from amends.documents.facts import field_name, value_words
from amends.documents.labels import Labels
from complaints.actions.intake import MACHINE_MADE, TRANSLATION

#: A row of a list of the record, or the record itself.
Row = Mapping[str, Any]
#: Actors who are not members of staff: their id adds nothing to their part.
_NOT_STAFF = frozenset({"system", "model", "complainant", "operator"})
#: Fields of the events' words that have another name in the labels.
_LABEL_NAMES = {("cause",): "root_cause", ("remedies", "text"): "remedy_text", ("issues", "text"): "issue"}
#: What a line of the investigation shows, in this order.
_LISTED = (
    "dated", "due_on", "received_on", "until", "of_whom", "happened", "shows", "says", "from_whom", "reference",
)  # fmt: skip


@dataclass(frozen=True)
class RecordView:
    record: Row
    labels: Labels

    def label(self, id_: str, **fields: object) -> str:
        return self.labels.text(id_, **fields)

    def shown(self, kind: str, value: Any) -> Any:
        """A value of this kind (fields.toml) in words; a list stays one, and so do yes, no and nothing."""
        if value is None or isinstance(value, bool):
            return value
        if kind == "listed":
            return "\n".join(map(self._listed, value))
        if isinstance(value, list):
            return [self.shown(kind, item) for item in value]
        match kind:
            case "words":
                return str(value)
            case "moment":
                return self.moment(value)
            case "member":
                return self.member(value)
            case "number":
                return str(value + 1)
            case "bytes":
                return self.labels.count("case.bytes", value)
            case "digest":
                # In two lines: one is wider than its column.
                return f"{value[:32]}\n{value[32:]}"
        return value_words(kind, value, self.labels)

    def _listed(self, entry: Row) -> str:
        """An entry of the investigation: its codes, days and words, and the numbers of the evidence."""
        codes = [("evidence", entry.get("kind")), ("finding", entry.get("finding"))]
        codes += [("limit", code) for code in entry.get("limits", ())]
        parts = [*(self.labels.code(*code) for code in codes), *(entry.get(part) for part in _LISTED)]
        parts += [f"[{', '.join(map(str, entry['basis']))}]"] if entry.get("basis") else []
        number = entry.get("n") or entry.get("issue", 0) + 1
        return f"{number}. {' · '.join(part for part in parts if part)}"

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

    def with_translations(self, texts: Sequence[Row]) -> Iterator[Row]:
        """The texts, each followed by its translations."""
        for text in texts:
            if text["translates"] is None:
                key = text["seq"], f"{TRANSLATION}.{text['field']}"
                yield text
                yield from (other for other in texts if (other["translates"], other["field"]) == key)

    @cached_property
    def events(self) -> Mapping[int, Row]:
        return {event["seq"]: event for event in self.record["events"]}

    def did(self, event: Row) -> str:
        kind = event["facts"].get("kind")
        if kind in MACHINE_MADE:
            return self.label(f"did.{kind}")
        act = self.labels.code("did", event["verb"])
        return f"{act} – {self.who(event['by'], event['role'])}"

    def moment(self, instant: str | None) -> str | None:
        return self.labels.moment(instant)
