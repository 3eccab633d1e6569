"""Receiving a complaint and what the complainant adds to it (7.2, 7.4, 7.5's proposal)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.categories import categories_of
from complaints.doing import Words, allowed, happened, need_given, plain, stamp
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.particulars import Sign
from complaints.past import check_past
from complaints.people import Actor
from complaints.permissions import WHO
from complaints.record import Case, Event, Facts
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb


@dataclass(frozen=True)
class Arrival:
    """What must be known to open a record: who complains, over which channel, in which language."""

    ref: str
    complainant: str
    channel: str
    language: str
    received_at: datetime
    rules: Rulebook


def said(
    *,
    field: str,
    has_words: bool,
    media: int = 0,
    audible: int = 0,
    signs: tuple[Sign, ...] = (),
    subjects: tuple[str, ...] = (),
    source: str | None = None,
    replaces: int | None = None,
    kind: str | None = None,
) -> dict[str, Any]:
    """The facts of words arriving: which question they answer, which rules fired, whose names they hold.

    `source` is the channel's own message id, `replaces` the seq of the text that an edit supersedes, `media`
    the number of files, `audible` how many of them must be listened to, `subjects` the members of staff named
    (ids, from the names table).
    """
    return {
        "field": field,
        "has_words": has_words,
        "media": media,
        "audible": audible,
        "signs": [
            {"rule": one.rule, "severity": one.severity, "safety": one.safety, "danger": one.danger}
            for one in signs
        ],
        "subjects": sorted(subjects),
    } | {
        name: value
        for name, value in (("source", source), ("replaces", replaces), ("kind", kind))
        if value is not None
    }


def receive(arrival: Arrival, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Open the record at the first qualifying message (7.2); `facts` as `said` makes them.

    Raises BadFacts when there is neither a word nor a file.
    """
    role = by.least(WHO[Verb.RECEIVE])
    if role is None:
        raise NotAllowed(
            "A complaint is received from its complainant or logged by staff: ask a handler to log it.",
            code="not_allowed.role",
        )
    if not facts.get("has_words") and not facts.get("media"):
        raise BadFacts(
            "A complaint begins with words or a file: write what happened.",
            field="description",
            code="required",
        )
    if arrival.received_at > at:
        raise BadFacts(
            "A complaint cannot have been received in the future: give the time it came.",
            field="received_at",
            code="ahead",
        )
    if "imported" in facts:
        check_past(
            facts["imported"],
            received_at=arrival.received_at,
            at=at,
            by=by,
            categories=categories_of(arrival.rules),
        )
    return Event(
        seq=1,
        verb=Verb.RECEIVE,
        at=at,
        by=by.id,
        role=role,
        facts={
            **facts,
            "ref": arrival.ref,
            "complainant": arrival.complainant,
            "channel": arrival.channel,
            "language": arrival.language,
            "received_at": stamp(arrival.received_at),
            "rulebook": arrival.rules.id,
        },
        words={path: text for path, text in words.items() if text.strip()},
    )


add = plain(Verb.ADD)
confirm = plain(Verb.CONFIRM)
answer = plain(Verb.ANSWER)
fail_delivery = plain(Verb.FAIL_DELIVERY)


def propose(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Record the model's proposal; no severity or safety that was proposed before is lowered by it (7.5).

    Calmer words may follow dangerous ones: until a person has assessed, the highest of all proposals holds. What
    this one came to by itself stands beside it, as `read`.
    """
    role = allowed(case, Verb.PROPOSE, by)
    before = case.proposed
    if before is not None and case.assessment is None:
        read = {name: int(facts[name]) for name in ("severity", "safety")}
        held = {
            "severity": max(read["severity"], before.severity),
            "safety": max(read["safety"], before.safety),
        }
        # Raised here and not in the fold: records of before must add up to the rows that they left.
        facts = {**facts, **held, "read": read} if held != read else facts
    return happened(case, Verb.PROPOSE, at=at, by=by, role=role, facts=facts, words=words)


def end_form(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """End the questions, once: by Send, /cancel, a message of staff, silence, or the latest time.

    Raises AlreadyDone when it ended before.
    """
    role = allowed(case, Verb.END_FORM, by)
    if not case.form_open:
        raise AlreadyDone(f"The questions of {case.ref} ended before: go on without.", code="already_ended")
    return happened(case, Verb.END_FORM, at=at, by=by, role=role, facts=facts, words=words)


def acknowledge(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Record that the acknowledgement reached a channel, or was given by voice (7.4)."""
    role = allowed(case, Verb.ACKNOWLEDGE, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    level = int(facts.get("level") or case.level)
    if level > case.level:
        raise BadFacts(
            f"{case.ref} has not reached level {level}: acknowledge level {case.level}.",
            field="level",
            code="not_an_option",
        )
    if level in case.acks:
        raise AlreadyDone(
            f"{case.ref} was acknowledged at level {level} before: nothing to do.",
            code="already_acknowledged",
        )
    return happened(
        case, Verb.ACKNOWLEDGE, at=at, by=by, role=role, facts={**facts, "level": level}, words=words
    )
