"""Records for the count: whole ones from the builders, and the same with something taken out or put wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from complaints.actors import Actor
from complaints.case import Event
from complaints.history import CaseHistory, MessageEntry, ReadEntry
from complaints.vocabulary import Role, Verb
from reports.clauses.clause import ClauseStatus
from reports.clauses.count import ClauseCount, count
from reports.clauses.evidence import House, RolePeriod
from reports.clauses.queries.principles import NOTICES
from reports.integrity import Proof
from tests.rules.builders import RULES, STAFF, TUESDAY, Told

LONG_AGO = TUESDAY - timedelta(days=400)
PERIODS = tuple(RolePeriod(one.id, role, LONG_AGO) for one in STAFF for role in sorted(one.roles))
WORDS = {
    "en": "Complaining is free. People decide.",
    "tr": "Şikâyet etmek ücretsizdir. İnsanlar karar verir.",
}
IDS = NOTICES
TEXTS = {language: dict.fromkeys(IDS, said) for language, said in WORDS.items()}
#: The desk in order, judged a month after the first complaint.
HOUSE = House(
    now=TUESDAY + timedelta(days=2),
    rules=RULES,
    periods=PERIODS,
    texts=TEXTS,
    versions={(language, id_): "aaa" for language in WORDS for id_ in IDS},
    settings=frozenset({"organisation", "name", "targets", "free"}),
    proof=Proof(entries=9),
)

Change = Callable[[tuple[Event, ...]], tuple[Event, ...]]


def seen(told: Told, *changes: Change, reads: bool = True, shown: bool = True) -> CaseHistory:
    """What the record holds of this complaint: opened before it was judged, the notices shown before Send."""
    events = told.events
    for change in changes:
        events = change(events)
    opened = [
        ReadEntry(one.by, one.role.value, one.at - timedelta(seconds=30), one.seq - 1)
        for one in told.events
        if one.role in (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT)
    ]
    notices = [
        MessageEntry("out", "readback", "aaa", "en", "sent", one.at - timedelta(seconds=30))
        for one in told.events
        if one.verb is Verb.CONFIRM
    ]
    return CaseHistory.of(
        events, told.case.rules, reads=opened if reads else (), messages=notices if shown else ()
    )


def without(*verbs: Verb) -> Change:
    """The events of these verbs are gone; the rest is numbered anew, as a forger would."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        kept = [one for one in events if one.verb not in verbs]
        return tuple(replace(one, seq=n) for n, one in enumerate(kept, start=1))

    return change


def gone(verb: Verb) -> Change:
    """The events of this verb are gone and leave their numbers open."""
    return lambda events: tuple(one for one in events if one.verb is not verb)


def by(verb: Verb, actor: Actor, role: Role | None = None) -> Change:
    """Somebody else did it."""
    held = role or min(actor.roles)
    return lambda events: tuple(
        replace(one, by=actor.id, role=held) if one.verb is verb else one for one in events
    )


def facts(verb: Verb, **other: Any) -> Change:
    """The facts of this verb say otherwise; None takes one out."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(
            replace(
                one,
                facts={name: value for name, value in {**one.facts, **other}.items() if value is not None},
            )
            if one.verb is verb
            else one
            for one in events
        )

    return change


def wordless(verb: Verb, *names: str) -> Change:
    """These words of the verb are missing, or all of them."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(
            replace(one, words={k: v for k, v in one.words.items() if names and k not in names})
            if one.verb is verb
            else one
            for one in events
        )

    return change


def then(
    verb: Verb, actor: Actor, *, at: datetime | None = None, role: Role | None = None, **told: Any
) -> Change:
    """One act more that the rules would have refused."""

    def change(events: tuple[Event, ...]) -> tuple[Event, ...]:
        last = events[-1]
        more = Event(
            seq=last.seq + 1,
            verb=verb,
            at=at or last.at + timedelta(minutes=1),
            by=actor.id,
            role=role or min(actor.roles),
            facts=told,
        )
        return (*events, more)

    return change


def stands(number: str, *record: CaseHistory, house: House = HOUSE, days: float | None = None) -> ClauseCount:
    """The clause as the count finds it in this record, judged so many days after the first message."""
    judged = house if days is None else replace(house, now=TUESDAY + timedelta(days=days))
    return count(record, judged).of(number)


def is_red(
    number: str, record: Iterable[CaseHistory], *, house: House = HOUSE, days: float | None = None
) -> str:
    """What the count says is wrong; AssertionError where the clause is not violated."""
    found = stands(number, *record, house=house, days=days)
    assert found.standing is ClauseStatus.VIOLATED, found
    if found.evidence.violations:
        return found.evidence.violations[0].what
    return found.evidence.missed[0].what
