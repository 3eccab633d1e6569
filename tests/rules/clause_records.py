"""Records for the clause count: complete ones from the builders, and the same with defects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Event
from complaints.history import CaseHistory, MessageEntry, ReadEntry
from complaints.vocabulary import Role, Verb
from reports.clauses.clause_evidence import ClauseStatus, OrganisationFacts, RolePeriod
from reports.clauses.count import ClauseCount, count
from reports.clauses.principles import NOTICES
from reports.integrity import Proof
from tests.rules.builders import RULES, STAFF, TUESDAY, BuiltComplaint

LONG_AGO = TUESDAY - timedelta(days=400)
PERIODS = tuple(RolePeriod(member.id, role, LONG_AGO) for member in STAFF for role in sorted(member.roles))
WORDS = {
    "en": "Complaining is free. People decide.",
    "tr": "Şikâyet etmek ücretsizdir. İnsanlar karar verir.",
}
IDS = NOTICES
TEXTS = {language: dict.fromkeys(IDS, text) for language, text in WORDS.items()}
#: A desk without defects, judged two days after the first complaint.
HOUSE = OrganisationFacts(
    now=TUESDAY + timedelta(days=2),
    rules=RULES,
    periods=PERIODS,
    texts=TEXTS,
    versions={(language, id_): "aaa" for language in WORDS for id_ in IDS},
    settings=frozenset({"organisation", "name", "targets", "free"}),
    proof=Proof(entries=9),
    reported_at=TUESDAY,
)

Change = Callable[[tuple[Event, ...]], tuple[Event, ...]]


#: The letter behind an act in the builders' complaints, which have a chat.
LETTER_OF = {verb: row.records for verb, row in ACTIONS.items() if row.records} | {
    Verb.INFORM: "inform", Verb.REPLY: "reply", Verb.RESPOND: "decision", Verb.ASK: "ask",
    Verb.REMEDY_LATE: "remedy_late", Verb.EXTEND: "dates.moved",
}  # fmt: skip


def history_of(
    complaint: BuiltComplaint,
    *changes: Change,
    reads: bool = True,
    notices_shown: bool = True,
    delivered: bool = True,
) -> CaseHistory:
    """The complaint as the record shows it: read before each assessment, notices shown before Send.

    Each act that a letter belongs to has its delivered message, and each decision its reminder, unless `delivered`
    is False.
    """
    events = complaint.events
    for change in changes:
        events = change(events)
    opened = [
        ReadEntry(event.by, event.role.value, event.at - timedelta(seconds=30), event.seq - 1)
        for event in complaint.events
        if event.role in (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT)
    ]
    notices = [
        MessageEntry("out", "readback", "aaa", "en", "sent", event.at - timedelta(seconds=30))
        for event in complaint.events
        if event.verb is Verb.CONFIRM
    ]
    letters = [
        MessageEntry("out", template, "aaa", "en", "sent", event.at)
        for event in events
        for template in [LETTER_OF.get(event.verb), "reply_reminder" if event.verb is Verb.LAPSE else None]
        if template is not None
    ]
    return CaseHistory.of(
        events,
        complaint.case.rules,
        reads=opened if reads else (),
        messages=[*(notices if notices_shown else ()), *(letters if delivered else ())],
    )


def without(*verbs: Verb) -> Change:
    """Without the events of these verbs; the rest is renumbered, as a forger would do."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        kept = [event for event in events if event.verb not in verbs]
        return tuple(replace(event, seq=n) for n, event in enumerate(kept, start=1))

    return change


def removed(verb: Verb) -> Change:
    """Without the events of this verb; their numbers are missing."""
    return lambda events: tuple(event for event in events if event.verb is not verb)


def done_by(verb: Verb, actor: Actor, role: Role | None = None) -> Change:
    """Another actor performed this verb."""
    actor_role = role or min(actor.roles)
    return lambda events: tuple(
        replace(event, by=actor.id, role=actor_role) if event.verb is verb else event for event in events
    )


def with_facts(verb: Verb, **other: Any) -> Change:
    """The verb with other facts; None removes a fact."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(
            replace(
                event,
                facts={name: value for name, value in {**event.facts, **other}.items() if value is not None},
            )
            if event.verb is verb
            else event
            for event in events
        )

    return change


def without_words(verb: Verb, *names: str) -> Change:
    """The verb without these words, or without any."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(
            replace(event, words={k: v for k, v in event.words.items() if names and k not in names})
            if event.verb is verb
            else event
            for event in events
        )

    return change


def with_act(
    verb: Verb, actor: Actor, *, at: datetime | None = None, role: Role | None = None, **facts: Any
) -> Change:
    """With one more act that the rules would have refused."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        last = events[-1]
        more = Event(
            seq=last.seq + 1,
            verb=verb,
            at=at or last.at + timedelta(minutes=1),
            by=actor.id,
            role=role or min(actor.roles),
            facts=facts,
        )
        return (*events, more)

    return change


def clause_result(
    number: str, *record: CaseHistory, house: OrganisationFacts = HOUSE, days: float | None = None
) -> ClauseCount:
    """The count of one clause over these records, `days` after the first message."""
    judged = house if days is None else replace(house, now=TUESDAY + timedelta(days=days))
    return count(record, judged).of(number)


def is_red(
    number: str, record: Iterable[CaseHistory], *, house: OrganisationFacts = HOUSE, days: float | None = None
) -> str:
    """The first violation or missed measure; AssertionError where the clause is not violated."""
    clause_count = clause_result(number, *record, house=house, days=days)
    assert clause_count.status is ClauseStatus.VIOLATED, clause_count
    if clause_count.evidence.violations:
        return clause_count.evidence.violations[0].what
    return clause_count.evidence.missed[0].what
