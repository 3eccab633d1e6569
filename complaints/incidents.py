"""An incident: one cause of many complaints, each with its own clock, answer and recourse
(docs/domain.md, section 3).

Its events record who opened, changed and ended it, and the updates to all its complainants. Its words (what happened,
the public line, the words by which the bot recognises it) are sealed apart from its events, as for a complaint.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from complaints.actors import HANDLERS, MANAGERS, Actor
from complaints.case import Case, Facts, Words
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.forms import INCIDENT_FORMS, Field, in_languages, present, read_all
from complaints.times import format_time, parse_time
from complaints.vocabulary import Role

#: The relation by which a complaint belongs to an incident.
SAME_INCIDENT = "same_incident"


class IncidentAct(StrEnum):
    """What is done to an incident; each is one event of its record."""

    OPEN = "open_incident"
    CHANGE = "change_incident"
    UPDATE = "update_incident"
    END = "end_incident"
    #: A manager's decision on all complaints, and the second person's answer to it.
    DECIDE = "decide_incident"
    APPROVE = "approve_incident"
    #: The sender of an update, or the approver of a decision, takes it back from those that do not have it yet.
    TAKE_BACK = "take_back_incident"


#: Acts of managers alone. They are possible after the end too: the complaints go on to their answers.
DECIDING: frozenset[IncidentAct] = frozenset({IncidentAct.DECIDE, IncidentAct.APPROVE})


@dataclass(frozen=True)
class IncidentEvent:
    """One act; `facts` are codes, times and references, `words` are sealed apart from it."""

    seq: int
    act: IncidentAct
    at: datetime
    by: str
    role: Role
    facts: Facts = field(default_factory=dict)
    words: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """An incident as the fold of its events. `line` is the public line and `words` the signs, both by language.

    `area` and `what` are short words of staff that say nothing about a person.
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
        """True until it is ended."""
        return self.ended_at is None

    def line_in(self, language: str) -> str:
        """The public line in this language, or in another one; empty without any."""
        return self.line.get(language) or next((line for line in self.line.values() if line), "")


def perform_on_incident(
    incident: Incident | None,
    act: IncidentAct,
    *,
    at: datetime,
    by: Actor,
    facts: Facts,
    words: Words,
    decision_waits: bool = False,
) -> IncidentEvent:
    """Do one act to an incident, or open one (`incident` None).

    Facts: `started_at`, `owner`; `ended_at`; `batch`, `receivers`, `left_out`; those of the form of a decision;
    `agreed`. `decision_waits`: a decision on this incident waits for the second person. Raises ComplaintError.
    """
    role = required_role(incident, act, by)
    event_facts = dict(facts)
    if incident is None:
        event_facts.setdefault("started_at", format_time(at))
        event_facts.setdefault("owner", by.id)
    elif not incident.is_open and act not in DECIDING | {IncidentAct.TAKE_BACK}:
        raise AlreadyDone.worded("incident_ended")
    if act is IncidentAct.DECIDE and decision_waits:
        raise OutOfOrder.worded("waits_for_approval:incident")
    if act is IncidentAct.APPROVE and not decision_waits:
        raise OutOfOrder.worded("nothing_to_approve:incident")
    started = parse_time(str(event_facts["started_at"])) if event_facts.get("started_at") else None
    if started is not None and started > at:
        raise BadFacts.worded("ahead:incident_start", field="started_at")
    if act is IncidentAct.END:
        _check_end(incident, at, event_facts)
    seq = 1 if incident is None else incident.version + 1
    words_kept = {name: text.strip() for name, text in words.items() if text.strip()}
    return IncidentEvent(seq, act, at, by.id, role, event_facts, words_kept)


def _check_end(incident: Incident | None, at: datetime, facts: Mapping[str, Any]) -> None:
    ended = parse_time(str(facts["ended_at"])) if facts.get("ended_at") else at
    if ended > at:
        raise BadFacts.worded("ahead:incident_end", field="ended_at")
    if incident is not None and ended < incident.started_at:
        raise BadFacts.worded("not_ahead:incident_end", field="ended_at")


def required_role(incident: Incident | None, act: IncidentAct, by: Actor) -> Role:
    """The role for this act: any handler opens an incident; its owner or a manager changes, updates and ends it.

    Only managers decide on all its complaints. The store checks that the sender takes back. Raises
    NotAllowed.
    """
    if act in DECIDING:
        role = by.least(MANAGERS)
        if role is None:
            raise NotAllowed.worded("not_allowed.manager:incident", act=act.value)
        return role
    role = by.least(HANDLERS)
    if incident is not None and by.id != incident.owner and act is not IncidentAct.TAKE_BACK:
        role = by.least(MANAGERS)
    if role is None:
        raise NotAllowed.worded("not_allowed.incident", act=act.value)
    return role


def after(incident: Incident | None, event: IncidentEvent, *, id_: int) -> Incident:
    """The incident after one more event."""
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
        incident = replace(incident, **words_as_fields(event.words))
    return replace(incident, version=event.seq)


def fold(events: Iterable[IncidentEvent], *, id_: int) -> Incident:
    """The incident that these events add up to; the first opens it."""
    incident: Incident | None = None
    for event in events:
        incident = after(incident, event, id_=id_)
    if incident is None:
        raise ValueError("an incident has at least the event by which it was opened")
    return incident


def words_as_fields(words: Words) -> dict[str, Any]:
    """The fields of the incident that the words of an act set."""
    line = {name.partition(".")[2]: text for name, text in words.items() if name.startswith("line.")}
    signs = {
        name.partition(".")[2]: tuple(part.strip() for part in text.split(",") if part.strip())
        for name, text in words.items()
        if name.startswith("signs.")
    }
    return {"what": words.get("what", ""), "area": words.get("area", ""), "line": line, "words": signs}


# which complaints belong to an incident


def recognises(incident: Incident, story: str) -> int:
    """How many of the incident's words are in this story; a word matches by its beginning, as languages inflect."""
    tokens = _tokens(story)
    signs = {sign for words in incident.words.values() for sign in words}
    return sum(_holds(tokens, _tokens(sign)) for sign in signs)


def incident_to_offer(
    incidents: Sequence[Incident], story: str, *, not_these: Iterable[int] = ()
) -> Incident | None:
    """The open incident that the complainant should be asked about, or None.

    It is the incident with most of its words in the story, then the newest. An incident without words fits every
    story.
    """
    refused = set(not_these)
    scored = [
        (recognises(incident, story), incident)
        for incident in incidents
        if incident.is_open and any(incident.line.values()) and incident.id not in refused
    ]
    fitting = [(hits, incident) for hits, incident in scored if hits or not any(incident.words.values())]
    return max(fitting, key=lambda pair: (pair[0], pair[1].id), default=(0, None))[1]


def _tokens(story: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", story).replace("İ", "i").replace("I", "i").replace("ı", "i")
    return re.findall(r"\w+", folded.casefold())


def _holds(story: list[str], sign: list[str]) -> bool:
    width = len(sign)
    return bool(sign) and any(
        all(word.startswith(part) for word, part in zip(story[start : start + width], sign, strict=True))
        for start in range(len(story) - width + 1)
    )


def informs_top_apart(case: Case) -> bool:
    """True if top management is informed of this complaint although it knows of its incident (5.3)."""
    return case.severity >= 4 or case.safety >= 1


# the forms


def fields_of(form: str, languages: Sequence[str]) -> tuple[Field, ...]:
    """The fields of an incident's form, with one field for each text and language."""
    return in_languages(INCIDENT_FORMS[form].fields, languages)


def read(
    form: str,
    values: Mapping[str, Any],
    languages: Sequence[str],
    *,
    options: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of a filled form; raises WrongFields with every wrong field.

    To join an open incident (`which` is its number), the fields of a new one may be empty.
    """
    joins = present(values.get("which")) and values["which"] != "new"
    fields = [entry for entry in fields_of(form, languages) if entry.name == "which" or not joins]
    return read_all(fields, values, options)


def joining(case: Case, facts: Facts, by: Actor) -> Facts:
    """The facts of joining or leaving an incident; raises ComplaintError where that is not possible."""
    number, leaves = int(facts["incident"]), bool(facts.get("left"))
    if leaves and case.incident != number:
        raise AlreadyDone.worded("already_so:not_in_incident", ref=case.ref)
    if not leaves and case.incident == number:
        raise AlreadyDone.worded("already_so:in_incident", ref=case.ref)
    if not leaves and case.incident is not None:
        raise OutOfOrder.worded("other_incident", ref=case.ref)
    if by.has(Role.COMPLAINANT) and leaves:
        raise NotAllowed.worded("not_allowed.role:take_out", ref=case.ref)
    return {**facts, "relation": SAME_INCIDENT, "incident": number}
