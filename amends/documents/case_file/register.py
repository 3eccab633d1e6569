"""The record as its parts are told: who did a thing, what a field is called, when.

The registers of a complaint: due times, outside bodies, links, events with their hashes, who opened it.

Everything said and written, word for word: texts in every version, then messages with their delivery.

The pictures among the enclosures, as an appendix.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from struct import unpack_from
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Items, Paragraph, Picture, Rows, Wording
from amends.documents.labels import Labels
from amends.documents.typst import can_draw
from complaints.incidents import Incident
from store.cases.export import WholeCase

#: Those who act and are no member of staff; their id says nothing more.
_NOT_STAFF = frozenset({"system", "model", "complainant", "operator"})

#: Fields that another form calls by another name.
_SAME = {("cause",): "root_cause", ("remedies", "text"): "remedy_text", ("issues", "text"): "issue"}


class UsageRecord(Mapping[str, Any]):
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

    record: UsageRecord
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


#: Facts that stand elsewhere in the file: dates among the targets, rules among the signs.
_ELSEWHERE = frozenset({"targets", "met", "signs", "ref", "rulebook", "complainant"})


def register(told: Telling, whole: WholeCase) -> Iterator[Block]:
    """Everything that was promised, counted, linked and done, and by whom the file was opened."""
    yield Heading(told.say("register.title"), new_page=True)
    yield from _targets(told)
    yield from _outside(told)
    yield from _links(told)
    if whole.incident is not None:
        yield from _incident(told, whole.incident)
    yield from _events(told, whole)
    yield from _reads(told)
    yield from _more(told)


def _targets(told: Telling) -> Iterator[Block]:
    say = told.say
    yield Heading(say("register.targets"), 2)
    yield Rows(
        (
            say("table.target"),
            say("table.inside"),
            say("table.promised"),
            say("table.met"),
            say("table.basis"),
        ),
        tuple(
            (
                f"{told.labels.code('target', one['target'])} {one['version']}",
                told.moment(one["internal_due"]),
                told.moment(one["promised_due"]),
                told.moment(one["met_at"]),
                f"{one['basis']} ({one['span']})" if one.get("span") else one["basis"],
            )
            for one in told.record["targets"]
        ),
        widths=(4, 4, 4, 4, 4),
        small=True,
    )


def _outside(told: Telling) -> Iterator[Block]:
    found = told.record["external"]
    if found:
        yield Heading(told.say("register.external"), 2)
    for one in found:
        yield Fields(tuple(_pairs(told, one)))


def _pairs(told: Telling, one: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, value in one.items():
        if name == "at":
            yield told.say("table.when"), told.moment(value)
        elif name not in _ELSEWHERE and value not in (None, "", [], {}):
            yield told.field(name), _plain(value)


def _links(told: Telling) -> Iterator[Block]:
    record, say = told.record, told.say
    if not record["links"]:
        return
    yield Heading(say("register.links"), 2)
    rows = [
        (told.labels.code("relation", one["relation"]) or "", one["other_ref"]) for one in record["links"]
    ]
    yield Fields(tuple(rows))


def _incident(told: Telling, one: Incident) -> Iterator[Block]:
    say = told.say
    yield Heading(f"{say('case.incident_id')} {told.record['incident_id']}", 2)
    yield Fields(
        (
            (say("table.what"), one.what),
            (say("incident.area"), one.area),
            (say("incident.started_at"), told.labels.moment(one.started_at)),
            (say("incident.ended_at"), told.labels.moment(one.ended_at)),
            (say("incident.line"), one.line_in(told.labels.language)),
        )
    )


def _events(told: Telling, whole: WholeCase) -> Iterator[Block]:
    say = told.say
    yield Heading(say("register.events"), 2)
    chain = told.labels.count("register.chain", len(told.record["events"]), head=whole.head)
    yield Paragraph(chain, quiet=True)
    yield Rows(
        (say("table.number"), say("table.when"), say("table.what"), say("table.clause"), say("table.hash")),
        tuple(
            (
                str(one["seq"]),
                told.moment(one["at"]),
                "\n".join(each for each in (told.did(one), _brief(one["facts"])) if each),
                one["clause"],
                halves(one["hash"]),
            )
            for one in told.record["events"]
        ),
        widths=(1, 3, 7, 1.4, 5),
        small=True,
    )


def _brief(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {_plain(value)}"
        for name, value in facts.items()
        if name not in _ELSEWHERE and value not in (None, False, [], {}, "")
    )


def _reads(told: Telling) -> Iterator[Block]:
    say = told.say
    yield Heading(say("register.reads"), 2)
    yield Rows(
        (say("table.when"), say("table.who"), say("table.what")),
        tuple(
            (told.moment(one["at"]), told.who(one["by"], one["role"] or None), one["what"])
            for one in told.record["reads"]
        ),
        widths=(4, 6, 6),
        small=True,
    )


def _more(told: Telling) -> Iterator[Block]:
    """What no part before has asked for: a field that is new in the record is never left out."""
    rest = {
        name: value for name, value in told.record.unasked().items() if value not in (None, "", [], {}, False)
    }
    yield Heading(told.say("register.more"), 2)
    yield Fields(tuple((told.field(name), _value(told, name, value)) for name, value in rest.items()))


def _value(told: Telling, name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return told.labels.yes(value)
    if name.endswith("_at") and isinstance(value, str):
        return told.moment(value)
    return _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def verbatim(told: Telling) -> Iterator[Block]:
    """Texts in the order in which they were told, messages in the order in which they went."""
    yield Heading(told.say("words.title"), new_page=True)
    if not told.record["texts"]:
        yield Paragraph(told.say("document.none"))
    for one in told.record["texts"]:
        yield Wording(_about(told, one), one["text"])
    yield from _merged(told)
    yield Heading(told.say("messages.title"))
    yield Paragraph(told.say("messages.truth"), quiet=True)
    if not told.record["messages"]:
        yield Paragraph(told.say("document.none"))
    for one in told.record["messages"]:
        yield Wording(_sent(told, one), one["text"] or told.say("messages.no_text"))


def _merged(told: Telling) -> Iterator[Block]:
    for other in told.record["merged"]:
        yield Heading(told.say("words.merged", ref=other["ref"], when=told.moment(other["received_at"])), 2)
        for one in other["texts"]:
            yield Wording(
                f"#{one['seq']} · {told.moment(one['at'])} · {told.field(one['field'])}", one["text"]
            )
        if other["files"]:
            yield Items(
                tuple(f"{one['name'] or one['kind']}, SHA-256 {one['sha256']}" for one in other["files"])
            )


def _about(told: Telling, one: Mapping[str, Any]) -> str:
    event = told.events[one["seq"]]
    parts = [f"#{one['seq']}", told.moment(one["at"]), told.did(event), told.field(one["field"])]
    if one["replaces"] is not None:
        parts.append(told.say("words.replaces", seq=one["replaces"]))
    later = next(
        (
            other
            for other in told.record["texts"]
            if other["replaces"] == one["seq"] and other["field"] == one["field"]
        ),
        None,
    )
    if later is not None:
        parts.append(told.say("words.replaced", seq=later["seq"]))
    return " · ".join(part for part in parts if part)


def _sent(told: Telling, one: Mapping[str, Any]) -> str:
    state = told.labels.code("message", one["state"])
    way = told.say(f"messages.{one['direction']}")
    parts = (
        told.moment(one["at"]),
        way,
        told.labels.code("channel", one["channel"] or None),
        state,
        one["reason"],
        one["template"],
        one["language"],
    )
    return " · ".join(part for part in parts if part)


JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
#: Markers of a JPEG after which its height and width stand: every start of frame but three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: What a page can show many times over; a picture that unpacks to more would take the machine's memory.
_MOST_PIXELS = 40_000_000


@dataclass(frozen=True)
class StoredPicture:
    """A file of the complaint that is a picture; `n` is its number among the enclosures."""

    n: int
    data: bytes


def pictures(told: Telling, shown: Sequence[StoredPicture]) -> Iterator[Block]:
    """Each picture as large as the page allows; what is no whole JPEG or PNG stays an enclosure only."""
    drawn = [
        Picture(svg, told.say("form.enclosure", number=one.n))
        for one in shown
        if (svg := _as_svg(one.data)) is not None
    ]
    whole = [one for one in drawn if can_draw(one)]
    if whole:
        yield Heading(told.say("pictures.title"), new_page=True)
        yield from whole


def _as_svg(data: bytes) -> str | None:
    """The picture inside an SVG, which the template can take as a text like everything else."""
    if data.startswith(PNG) and len(data) > 24:
        mime, (width, height) = "image/png", unpack_from(">II", data, 16)
    elif data.startswith(JPEG) and (size := _jpeg_size(data)) is not None:
        mime, (width, height) = "image/jpeg", size
    else:
        return None
    if not 0 < width * height <= _MOST_PIXELS:
        return None
    coded = base64.b64encode(data).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:{mime};base64,{coded}"/></svg>'
    )


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the first frame header; None where there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAMES:
            height, width = unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int(unpack_from(">H", data, at + 2)[0])
    return None
