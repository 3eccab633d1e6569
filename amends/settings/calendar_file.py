"""The events and time zones of an iCalendar file (RFC 5545), each event with the number of its line.

icalendar takes 0.2 s to import: closures.py imports this module only where a calendar file is configured.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from icalendar.parser import Contentline

from amends.settings.problems import BadCalendarFile

#: A list of closures has fewer events; more would take seconds at every start.
MOST_EVENTS = 5_000


@dataclass(frozen=True)
class Property:
    """One line of a component: its number, and its parameters and value without escapes."""

    line: int
    parameters: Mapping[str, object]
    value: str


@dataclass
class Component:
    """A part of the file between BEGIN and END: the number of its first line, and its properties by name."""

    kind: str
    line: int
    properties: dict[str, list[Property]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """The value of the first property of this name; empty where there is none."""
        values = self.properties.get(name)
        return values[0].value.strip() if values else ""

    @property
    def name(self) -> str:
        return " ".join(self.value("SUMMARY").split()) or "Closed"

    @property
    def is_series(self) -> bool:
        """False for an event that replaces one occurrence of a series: it does not repeat."""
        return "RECURRENCE-ID" not in self.properties

    @property
    def is_cancelled(self) -> bool:
        return self.value("STATUS").upper() == "CANCELLED"

    @property
    def is_free_time(self) -> bool:
        return self.value("TRANSP").upper() == "TRANSPARENT"

    @property
    def sequence(self) -> int:
        """The number of this version of the event; a higher one replaces it."""
        number = self.value("SEQUENCE")
        return int(number) if number.isascii() and number.isdigit() else 0


@dataclass(frozen=True)
class CalendarFile:
    """The events of a file in its order, and the text of its own time zones by TZID."""

    events: tuple[Component, ...]
    zones: Mapping[str, str]

    def current_events(self) -> list[Component]:
        """The events without older versions, cancelled ones, and everything of a cancelled series."""
        latest: dict[tuple[str, ...], Component] = {}
        for number, event in enumerate(self.events):
            uid = event.value("UID")
            key = (uid, event.value("RECURRENCE-ID")) if uid else ("", str(number))
            if key not in latest or event.sequence >= latest[key].sequence:
                latest[key] = event
        cancelled = {
            uid for (uid, _), event in latest.items() if uid and event.is_series and event.is_cancelled
        }
        return [
            event for (uid, _), event in latest.items() if uid not in cancelled and not event.is_cancelled
        ]

    @cached_property
    def replaced(self) -> Mapping[str, Sequence[Property]]:
        """By the UID of a series, the RECURRENCE-IDs of occurrences that have an event of their own."""
        replaced: dict[str, list[Property]] = {}
        for event in self.events:
            if uid := event.value("UID"):
                replaced.setdefault(uid, []).extend(event.properties.get("RECURRENCE-ID", ()))
        return replaced


def read_calendar(text: str) -> CalendarFile:
    """Read the events and time zones of an iCalendar file. Raises BadCalendarFile with the number of the line."""
    events: list[Component] = []
    zones: dict[str, str] = {}
    lines: list[str] = []
    stack: list[tuple[Component, int]] = []
    is_calendar = False
    for number, line in _unfolded(text.removeprefix("\ufeff")):
        try:
            name, parameters, value = Contentline(line).parts()  # type: ignore[no-untyped-call]
        except ValueError as wrong:
            what = f"{line[:40]!r} is no line of an iCalendar file, such as SUMMARY:Closed"
            raise BadCalendarFile(f"line {number}: {what}") from wrong
        name, kind = name.upper(), value.strip().upper()
        lines.append(line)
        if name == "BEGIN":
            is_calendar = is_calendar or (not stack and kind == "VCALENDAR")
            stack.append((Component(kind, number), len(lines) - 1))
        elif name == "END":
            if not stack or stack[-1][0].kind != kind:
                raise BadCalendarFile(f"line {number}: END:{value} closes nothing that was opened")
            component, begin = stack.pop()
            if kind == "VEVENT":
                events.append(component)
            elif kind == "VTIMEZONE":
                zones[component.value("TZID")] = "\r\n".join(lines[begin:])
        elif stack:
            stack[-1][0].properties.setdefault(name, []).append(Property(number, parameters, value))
    if not is_calendar:
        raise BadCalendarFile("it is no iCalendar file: BEGIN:VCALENDAR is missing")
    if stack:
        raise BadCalendarFile(f"it ends before END:{stack[-1][0].kind}: is it whole?")
    if len(events) > MOST_EVENTS:
        raise BadCalendarFile(
            f"it has {len(events)} events, more than {MOST_EVENTS}: export the closures alone"
        )
    return CalendarFile(tuple(events), zones)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Every content line with its number; a line that starts with a blank continues the one before."""
    start, line = 0, ""
    # Not splitlines: it also splits at separators that a name may contain.
    for number, piece in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if piece[:1] in (" ", "\t") and line.strip():
            line += piece[1:]
            continue
        if line.strip():
            yield start, line
        start, line = number, piece
    if line.strip():
        yield start, line
