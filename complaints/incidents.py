"""An incident: one cause, many complaints, each with its own clock, answer and recourse (docs/domain.md, section 3).

The record holds who opened, changed, ended it and what was told to all at once; its words (what happened, the
public line, the words by which the bot knows it) are beside its events like those of a complaint.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from complaints.actions.common import Words
from complaints.actors import Actor
from complaints.case import Case, Facts
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.forms import Field, Input, WrongFields, code, one_of, present, text, value_of
from complaints.timestamps import format_time, parse_time
from complaints.vocabulary import Flag, Role

HANDLING: frozenset[Role] = frozenset({Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT})
MANAGING: frozenset[Role] = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})

#: The relation by which a complaint belongs to an incident.
SAME_INCIDENT = "same_incident"


class IncidentAct(StrEnum):
    """What is done to an incident; each is one event of its record."""

    OPEN = "open_incident"
    CHANGE = "change_incident"
    UPDATE = "update_incident"
    END = "end_incident"


@dataclass(frozen=True)
class IncidentEvent:
    """One act; `facts` are codes, times and references, `words` stand sealed beside it."""

    seq: int
    act: IncidentAct
    at: datetime
    by: str
    role: Role
    facts: Facts = field(default_factory=dict)
    words: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """An incident as its events add up. `line` is the public line and `words` the signs, both by language.

    `area` and `what` are staff's own short words, without anything about a person.
    """

    id: int
    opened_at: datetime
    started_at: datetime
    owner: str | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 1
    batch: str | None = None
    what: str = ""
    area: str = ""
    line: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """True until somebody ended it."""
        return self.ended_at is None

    def line_in(self, language: str) -> str:
        """The public line in this language, else in any; empty where none was given."""
        return self.line.get(language) or next((one for one in self.line.values() if one), "")


def perform(
    incident: Incident | None, act: IncidentAct, *, at: datetime, by: Actor, facts: Facts, words: Words
) -> IncidentEvent:
    """Do one act to an incident, or open one (`incident` None).

    Facts: `started_at`, `owner`; `ended_at`; `batch`, `receivers`, `left_out`. Raises ComplaintError.
    """
    role = may(incident, act, by)
    told = dict(facts)
    if incident is None:
        told.setdefault("started_at", format_time(at))
        told.setdefault("owner", by.id)
    elif not incident.is_open:
        raise AlreadyDone("This incident was ended before: nothing to do.", code="incident_ended")
    started = parse_time(str(told["started_at"])) if told.get("started_at") else None
    if started is not None and started > at:
        raise BadFacts(
            "An incident cannot begin in the future: give the time.", field="started_at", code="ahead"
        )
    if act is IncidentAct.END:
        _must_follow(incident, at, told)
    seq = 1 if incident is None else incident.version + 1
    kept = {name: one.strip() for name, one in words.items() if one.strip()}
    return IncidentEvent(seq, act, at, by.id, role, told, kept)


def _must_follow(incident: Incident | None, at: datetime, told: Mapping[str, Any]) -> None:
    ended = parse_time(str(told["ended_at"])) if told.get("ended_at") else at
    if ended > at:
        raise BadFacts(
            "An incident cannot have ended in the future: give the time.", field="ended_at", code="ahead"
        )
    if incident is not None and ended < incident.started_at:
        raise BadFacts(
            "An incident ends after it began: give a later time.", field="ended_at", code="not_ahead"
        )


def may(incident: Incident | None, act: IncidentAct, by: Actor) -> Role:
    """Anybody who handles opens one; its owner, who handles, or a manager changes, updates and ends it."""
    role = by.least(HANDLING)
    if incident is not None and by.id != incident.owner:
        role = by.least(MANAGING)
    if role is None:
        raise NotAllowed(
            f"'{act.value}' is for the incident's owner or a manager: ask one of them.",
            code="not_allowed.incident",
        )
    return role


def after(incident: Incident | None, event: IncidentEvent, *, id_: int) -> Incident:
    """The incident as one more event leaves it."""
    facts = event.facts
    if incident is None:
        incident = Incident(id_, event.at, parse_time(str(facts["started_at"])))
    if "started_at" in facts:
        incident = replace(incident, started_at=parse_time(str(facts["started_at"])))
    if "owner" in facts:
        incident = replace(incident, owner=facts["owner"])
    if event.act is IncidentAct.END:
        ended = parse_time(str(facts["ended_at"])) if facts.get("ended_at") else event.at
        incident = replace(incident, ended_at=ended)
    if event.act is IncidentAct.UPDATE:
        incident = replace(incident, updated_at=event.at, batch=str(facts["batch"]))
    if event.act in (IncidentAct.OPEN, IncidentAct.CHANGE):
        incident = replace(incident, **told_by(event.words))
    return replace(incident, version=event.seq)


def fold(events: Iterable[IncidentEvent], *, id_: int) -> Incident:
    """The incident that these events add up to; the first opens it."""
    incident: Incident | None = None
    for event in events:
        incident = after(incident, event, id_=id_)
    if incident is None:
        raise ValueError("an incident has at least the event by which it was opened")
    return incident


def told_by(words: Words) -> dict[str, Any]:
    """What the words of an act say, as the incident holds it."""
    line = {name.partition(".")[2]: one for name, one in words.items() if name.startswith("line.")}
    signs = {
        name.partition(".")[2]: tuple(part.strip() for part in one.split(",") if part.strip())
        for name, one in words.items()
        if name.startswith("signs.")
    }
    return {"what": words.get("what", ""), "area": words.get("area", ""), "line": line, "words": signs}


# which complaints belong to it


def recognises(incident: Incident, story: str) -> int:
    """How many of its words this story holds; words match from their beginning, as languages inflect."""
    tokens = _tokens(story)
    signs = {one for words in incident.words.values() for one in words}
    return sum(_holds(tokens, _tokens(one)) for one in signs)


def offered_for(
    incidents: Sequence[Incident], story: str, *, not_these: Iterable[int] = ()
) -> Incident | None:
    """The open incident that a story should be asked about, or None.

    Of several the one with most of its words in the story, then the newest. One without any words is asked
    about whatever the story says.
    """
    refused = set(not_these)
    found = [
        (recognises(one, story), one)
        for one in incidents
        if one.is_open and any(one.line.values()) and one.id not in refused
    ]
    fitting = [(hits, one) for hits, one in found if hits or not any(one.words.values())]
    return max(fitting, key=lambda pair: (pair[0], pair[1].id), default=(0, None))[1]


def _tokens(said: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", said).replace("İ", "i").replace("I", "i").replace("ı", "i")
    return re.findall(r"\w+", folded.casefold())


def _holds(story: list[str], sign: list[str]) -> bool:
    width = len(sign)
    return bool(sign) and any(
        all(word.startswith(part) for word, part in zip(story[at : at + width], sign, strict=True))
        for at in range(len(story) - width + 1)
    )


# who is told, and who is left out for a person

#: Why a complaint is left out of an update to all, in the order in which the reasons are looked for.
LEFT_OUT: tuple[str, ...] = (
    "restricted",
    "closed",
    "safety",
    "severity",
    "second_issue",
    "support_need",
    "representative",
    "unreachable",
)
_NEEDS = frozenset({"minor", "vulnerable"})


def left_out(case: Case) -> str | None:
    """Why a person must write to this one instead (docs/design.md, "An incident"); None: it may be told with all."""
    if case.restricted:
        # First: for any other reason its reference is shown where everybody looks.
        return "restricted"
    if not case.is_open or case.withdrawn_at is not None or case.erased_at is not None:
        return "closed"
    if case.safety >= 1 or (case.danger_at is not None and case.danger_receipt_at is None):
        return "safety"
    if case.severity >= 4:
        return "severity"
    if case.second_issue or len(case.issues) > 1:
        return "second_issue"
    needs = any(one.kind in _NEEDS for one in case.signs)
    if needs or case.flags & {Flag.SUPPORT_NEED, Flag.MINOR}:
        return "support_need"
    if Flag.FOR_ANOTHER in case.flags:
        return "representative"
    if not case.reachable or Flag.NO_CONTACT in case.flags:
        return "unreachable"
    return None


def noticed_apart(case: Case) -> bool:
    """True where top management hears of a joined complaint although it knows of the incident (5.3)."""
    return case.severity >= 4 or case.safety >= 1


# what a person fills in


def fields_of(form: str, languages: Sequence[str]) -> tuple[Field, ...]:
    """The fields of an incident's form, one of each wording for every language."""
    told = (
        text("what", required=True, most=200),
        text("area", most=100),
        Field("started_at", Input.MOMENT, required=True),
    )
    lines = tuple(text(f"line.{one}", most=300) for one in languages)
    signs = tuple(text(f"signs.{one}", most=200) for one in languages)
    match form:
        case "incident":
            return (one_of("which", (), required=True), *told, *lines, *signs)
        case "incident_edit":
            return (*told, Field("owner", Input.STAFF, required=True), *lines, *signs)
        case "incident_join":
            return (code("other_ref", required=True, most=20),)
        case "incident_end":
            return (Field("ended_at", Input.MOMENT, required=True),)
        case "incident_update":
            # The first language is the staff's: its text is the one that everybody else gets.
            return tuple(text(f"text.{one}", required=not at) for at, one in enumerate(languages))
    raise ValueError(f"no incident has the form {form!r}")


def read(
    form: str,
    given: Mapping[str, Any],
    languages: Sequence[str],
    *,
    options: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of a filled form; raises WrongFields with every wrong field.

    Whoever joins an open incident (`which` is its number) need say nothing about a new one.
    """
    joins = form == "incident" and present(given.get("which")) and given["which"] != "new"
    facts: dict[str, Any] = {}
    words: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for one in fields_of(form, languages):
        value = given.get(one.name)
        if joins and one.name != "which":
            continue
        if not present(value):
            if one.required:
                wrong[one.name] = "required"
            continue
        try:
            taken = value_of(one, value, (options or {}).get(one.name, one.options))
        except ValueError as why:
            wrong[one.name] = str(why)
            continue
        (words if one.sealed else facts)[one.name] = taken
    if wrong:
        raise WrongFields(wrong)
    return facts, words


def joining(case: Case, facts: Facts, by: Actor) -> Facts:
    """The facts of joining or leaving an incident; raises where it is so already."""
    number, leaves = int(facts["incident"]), bool(facts.get("left"))
    if leaves and case.incident != number:
        raise AlreadyDone(f"{case.ref} does not belong to that incident: nothing to do.", code="already_so")
    if not leaves and case.incident == number:
        raise AlreadyDone(f"{case.ref} belongs to that incident already: nothing to do.", code="already_so")
    if not leaves and case.incident is not None:
        raise OutOfOrder(
            f"{case.ref} belongs to another incident: take it out of that one first.", code="other_incident"
        )
    if by.has(Role.COMPLAINANT) and leaves:
        raise NotAllowed(f"Staff take {case.ref} out of an incident.", code="not_allowed.role")
    return {**facts, "relation": SAME_INCIDENT, "incident": number}
