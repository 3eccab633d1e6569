"""Reading iCalendar files (RFC 5545): the events of one, as far as days off need them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*')
_ESCAPED = re.compile(r"\\([\\;,nN])")


class BadIcal(ValueError):
    """The text is no iCalendar file; the message says where."""


@dataclass(frozen=True)
class Property:
    """The value of one line, as written, and its parameters by name in capitals."""

    value: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value as people read it, on one line."""
        plain = _ESCAPED.sub(lambda one: " " if one[1] in "nN" else one[1], self.value)
        return " ".join(plain.split())


#: One event: its properties by name in capitals, each in the order of the file.
Event = Mapping[str, tuple[Property, ...]]


def events_in(text: str) -> list[Event]:
    """Every VEVENT of an iCalendar file. Raises BadIcal with the number of the line.

    Components inside an event (alarms) and those beside it (to-dos, zones) are left out.
    """
    found: list[Event] = []
    inside: list[str] = []
    seen = False
    event: dict[str, tuple[Property, ...]] = {}
    for number, line in _unfolded(text.removeprefix("\ufeff")):
        name, one = _property(line, number)
        if name == "BEGIN":
            inside.append(one.value.strip().upper())
            seen = seen or inside == ["VCALENDAR"]
            event = {} if inside[-1] == "VEVENT" else event
        elif name == "END":
            if not inside or inside.pop() != one.value.strip().upper():
                raise BadIcal(f"line {number}: END:{one.value} closes nothing that was begun")
            if one.value.strip().upper() == "VEVENT":
                found.append(event)
        elif inside and inside[-1] == "VEVENT":
            event[name] = (*event.get(name, ()), one)
    if not seen:
        raise BadIcal("it is no iCalendar file: BEGIN:VCALENDAR is missing")
    if inside:
        raise BadIcal(f"it ends before END:{inside[-1]}: is it whole?")
    return found


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
    return name[0].upper(), Property(line[at + 1 :], parameters)
