"""Reading iCalendar files (RFC 5545): the events and time zones of one, as far as days off need them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*')
_ESCAPED = re.compile(r"\\([\\;,nN])")
#: No desk has so many closures; of more the start would take seconds.
MOST_EVENTS = 5_000


class BadIcal(ValueError):
    """The text is no iCalendar file; the message says where."""


@dataclass(frozen=True)
class Property:
    """The value of one line, as written, its parameters by name in capitals, and the number of the line."""

    value: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    line: int = 0

    @property
    def text(self) -> str:
        """The value as people read it, on one line."""
        plain = _ESCAPED.sub(lambda one: " " if one[1] in "nN" else one[1], self.value)
        return " ".join(plain.split())


#: One component: its properties by name in capitals, each in the order of the file. `BEGIN` has its first line.
Component = Mapping[str, tuple[Property, ...]]


@dataclass(frozen=True)
class File:
    """What a file holds: its events, and by their TZID the observances (standard, daylight) of its time zones."""

    events: tuple[Component, ...] = ()
    zones: Mapping[str, tuple[Component, ...]] = field(default_factory=dict)


@dataclass
class _Open:
    """A component that is being read: its kind, what it says, and the observances inside it."""

    kind: str
    said: dict[str, tuple[Property, ...]]
    observances: list[Component] = field(default_factory=list)


def read_ical(text: str) -> File:
    """Every VEVENT and VTIMEZONE of an iCalendar file. Raises BadIcal with the number of the line.

    Components inside an event (alarms) and those beside it (to-dos) are left out.
    """
    events: list[Component] = []
    zones: dict[str, tuple[Component, ...]] = {}
    inside: list[_Open] = []
    seen = False
    for number, line in _unfolded(text.removeprefix("\ufeff")):
        name, one = _property(line, number)
        kind = one.value.strip().upper()
        if name == "BEGIN":
            inside.append(_Open(kind, {"BEGIN": (one,)}))
            seen = seen or [each.kind for each in inside] == ["VCALENDAR"]
        elif name == "END":
            if not inside or inside[-1].kind != kind:
                raise BadIcal(f"line {number}: END:{one.value} closes nothing that was begun")
            closed = inside.pop()
            if closed.kind == "VEVENT":
                events.append(closed.said)
            elif closed.kind in ("STANDARD", "DAYLIGHT") and inside:
                inside[-1].observances.append(closed.said)
            elif closed.kind == "VTIMEZONE" and "TZID" in closed.said:
                zones[closed.said["TZID"][0].value.strip()] = tuple(closed.observances)
        elif inside:
            inside[-1].said[name] = (*inside[-1].said.get(name, ()), one)
    if not seen:
        raise BadIcal("it is no iCalendar file: BEGIN:VCALENDAR is missing")
    if inside:
        raise BadIcal(f"it ends before END:{inside[-1].kind}: is it whole?")
    if len(events) > MOST_EVENTS:
        raise BadIcal(f"it has {len(events)} events, more than {MOST_EVENTS}: export the closures alone")
    return File(tuple(events), zones)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Every content line with the number of its first line: one that begins with a blank continues the last."""
    held: tuple[int, str] | None = None
    # Not splitlines: it also breaks at separators that a name may hold.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if line[:1] in (" ", "\t") and held is not None:
            held = held[0], held[1] + line[1:]
            continue
        if held is not None:
            yield held
        held = (number, line) if line.strip() else None
    if held is not None:
        yield held


def _property(line: str, number: int) -> tuple[str, Property]:
    name = _NAME.match(line)
    at = name.end() if name else 0
    parameters: dict[str, str] = {}
    while name and (found := _PARAMETER.match(line, at)):
        parameters[found[1].upper()] = found[2].strip('"')
        at = found.end()
    if name is None or line[at : at + 1] != ":":
        raise BadIcal(f"line {number}: {line[:40]!r} is no line of an iCalendar file, such as SUMMARY:Closed")
    return name[0].upper(), Property(line[at + 1 :], parameters, number)
