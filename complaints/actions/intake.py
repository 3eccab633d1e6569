"""Receiving a complaint and what the complainant adds to it (7.2, 7.4, 7.5's proposal).

What complainants tell about themselves and about what we did: for whom, a child, the name, a remedy (7.2).

Codes only: the words of these answers are sealed like any other.

What reaches us and what reaches them: words, acknowledgements, failures, a proposal (7.2 to 7.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from complaints.actions.access import given, named
from complaints.actions.common import Words, allowed, happened, need_given, plain
from complaints.actions.import_past import check_past
from complaints.actors import Actor
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Proposed, ProposedCriterion, RecordedSign, RemedyOwed
from complaints.deadlines.working_time import closing_time, due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.obligations.resend import heard_again, silenced
from complaints.permissions import WHO
from complaints.rulebook import Rulebook, categories_of
from complaints.timestamps import format_time
from complaints.vocabulary import RESTRICTING, Category, ContactKind, Flag, Role, Verb


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
    signs: tuple[RecordedSign, ...] = (),
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
            "received_at": format_time(arrival.received_at),
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


#: The rule by which a child shows while writing (docs/domain.md, section 3, Minor).
CHILD_WRITING = "minor.child_writing"
#: Requests about one's data, as kinds of an addition.
DATA_REQUESTS: frozenset[str] = frozenset({"data_correction", "data_erasure"})
#: An addition of this kind says that a remedy is not right; a person must answer it.
REMEDY_REFUSED = "remedy_refused"
#: No words: the person unblocked the bot, so that what is owed can reach them again.
RETURNED = "returned"


def told_about(case: Case, event: Event) -> Case:
    """Flags and dates that follow from an answer about the person, the name, the data or a remedy."""
    facts = event.facts
    flags = case.flags
    child = any(one.rule == CHILD_WRITING and one.seq == event.seq for one in case.signs)
    # A grown-up has said so once; a later turn of phrase does not make a child of them.
    if facts.get("minor") is True or (child and not case.adult):
        flags |= {Flag.MINOR}
    elif facts.get("minor") is False:
        flags -= {Flag.MINOR}
    if facts.get("field") == "support_needs" and facts.get("has_words"):
        flags |= {Flag.SUPPORT_NEED}
    flags = _name(_for_whom(case, flags, facts.get("for_whom")), facts.get("anonymity"))
    asks = facts.get("kind") in DATA_REQUESTS
    if asks:
        flags |= {Flag.DATA_REQUEST}
    return _remedy_answered(
        changed(
            case,
            flags=flags,
            adult=case.adult or facts.get("minor") is False,
            data_request_at=event.at if asks and case.data_request_at is None else case.data_request_at,
        ),
        event,
    )


def _for_whom(case: Case, flags: frozenset[Flag], choice: object) -> frozenset[Flag]:
    """Somebody else's complaint: until authority is shown nothing of theirs goes to who writes (4.7)."""
    if choice == "for_me":
        return flags - {Flag.FOR_ANOTHER}
    if choice is not None and not case.authority_shown:
        return flags | {Flag.FOR_ANOTHER}
    return flags


def _name(flags: frozenset[Flag], choice: object) -> frozenset[Flag]:
    """How the name may be used: `named`, `pseudonym`, or not even a contact."""
    match choice:
        case "named":
            return flags - {Flag.ANONYMOUS, Flag.NO_CONTACT}
        case "pseudonym":
            return (flags | {Flag.ANONYMOUS}) - {Flag.NO_CONTACT}
        case "no_contact":
            return flags | {Flag.ANONYMOUS, Flag.NO_CONTACT}
    return flags


def _remedy_answered(case: Case, event: Event) -> Case:
    """Yes is proof for whoever checks, and on the short road the check itself; No opens the remedy again."""
    facts = event.facts
    if facts.get("remedy_ok") is None or facts.get("remedy") is None or not case.is_open:
        return case
    n, right = int(facts["remedy"]), bool(facts["remedy_ok"])
    flags = case.flags if right else case.flags | {Flag.REMEDY_REFUSED}
    remedies = tuple(
        (_right(case, one, event) if right else _not_right(case, one, event)) if one.n == n else one
        for one in case.remedies
    )
    return changed(case, remedies=remedies, flags=flags)


def _right(case: Case, one: RemedyOwed, event: Event) -> RemedyOwed:
    short = any(made.short and made.level == one.level for made in case.decisions)
    checked = short and one.done_at is not None and one.verified_at is None
    told = changed(one, answer="yes")
    return changed(told, verified_at=event.at, verified_by=event.by) if checked else told


def _not_right(case: Case, one: RemedyOwed, event: Event) -> RemedyOwed:
    """Not done after all: owed anew, by its own day where that lies ahead."""
    anew = due(event.at, case.rules.targets.remedy, case.rules.calendar).at
    return changed(
        one,
        answer="no",
        done_at=None,
        done_by=None,
        verified_at=None,
        verified_by=None,
        due=one.due if one.due > event.at else anew,
    )


def authority_shown(case: Case, event: Event) -> Case:
    """Somebody of staff has seen that the affected person agrees, or that the representative may act."""
    return changed(case, authority_shown=True, flags=case.flags - {Flag.FOR_ANOTHER})


def heard(case: Case, event: Event) -> Case:
    """Words or files of the complainant: they count, may raise, and may show what must not be seen by all."""
    facts = event.facts
    case = came_back(case, event)
    if facts.get("kind") == RETURNED:
        return case
    signs = tuple(
        RecordedSign(one["rule"], one["severity"], one["safety"], one["danger"], event.at, event.seq)
        for one in facts.get("signs", ())
    )
    danger = any(one.danger for one in signs)
    fresh = danger and (case.danger_at is None or case.danger_receipt_at is not None)
    names = bool(facts.get("subjects"))
    question = facts.get("kind") in ("question", REMEDY_REFUSED)
    told = bool(facts.get("has_words"))
    # An edit answers nothing, nor do words that may belong to another complaint.
    returned = case if facts.get("field") == "edit" or facts.get("aside") else _answered(case)
    flags = returned.flags
    if danger:
        flags |= {Flag.DANGER}
    if names or any(one.kind in RESTRICTING for one in signs):
        flags |= {Flag.RESTRICTED}
    if event.verb is not Verb.RECEIVE and any(one.kind == Category.HANDLING for one in signs):
        flags |= {Flag.ABOUT_HANDLING}
    if facts.get("audible"):
        flags |= {Flag.MEDIA_UNHEARD}
    if question:
        flags |= {Flag.QUESTION_OPEN}
    heard = changed(
        returned,
        words=case.words + 1,
        media=case.media + int(facts.get("media", 0)),
        told_only_in_media=(case.words == 0 or case.told_only_in_media) and not told,
        last_words_at=event.at,
        signs=case.signs + signs,
        danger_at=event.at if fresh else case.danger_at,
        danger_receipt_at=None if fresh else case.danger_receipt_at,
        question_at=event.at if question and case.question_at is None else case.question_at,
        flags=flags,
    )
    return named(told_about(heard, event), event)


def came_back(case: Case, event: Event) -> Case:
    """They write, or let us write again without a word: what did not reach them is owed anew (7.3)."""
    if Flag.UNREACHABLE not in case.flags:
        return case
    return changed(
        case,
        returns=case.returns + 1,
        silences=heard_again(case, event),
        flags=case.flags - {Flag.UNREACHABLE},
    )


def _answered(case: Case) -> Case:
    """Any word of the complainant ends our waiting for one."""
    return changed(case, asked_at=None, asked_until=None, flags=case.flags - {Flag.WAITING_COMPLAINANT})


def confirmed(case: Case, event: Event) -> Case:
    """Send signs, once; it ends the questions."""
    return changed(
        form_ended(case, event) if case.form_open else case, confirmed_at=case.confirmed_at or event.at
    )


def form_ended(case: Case, event: Event) -> Case:
    """The questions are over."""
    return changed(case, form_open=False, form_ended_at=event.at)


def acknowledged(case: Case, event: Event) -> Case:
    """It reached a channel, or a person of staff said it; the latter is a first human contact too."""
    level = int(event.facts.get("level", case.level))
    told = changed(case, acks={**case.acks, level: event.at})
    return told if event.role is Role.SYSTEM else contacted(told, event)


def delivery_failed(case: Case, event: Event) -> Case:
    """Nothing reaches them until they write again or another route is found."""
    return changed(
        case,
        delivery_failed_at=event.at,
        silences=silenced(case, event),
        flags=case.flags | {Flag.UNREACHABLE},
    )


def noted(case: Case, event: Event) -> Case:
    """After a failed delivery a note tells by which other route the complainant was reached.

    One of what staff were shown for another person's complaint tells that.
    """
    case = given(case, event)
    if event.facts.get("what") == "authority":
        return authority_shown(case, event)
    return changed(case, other_route=True) if case.delivery_failed_at is not None else case


def bound(case: Case, event: Event) -> Case:
    """The complainant redeemed the code: from now on it belongs to the person of that chat.

    Showing the code changes nothing.
    """
    if event.role is not Role.COMPLAINANT:
        return case
    return changed(case, bound=True, complainant=str(event.facts.get("person", case.complainant)))


def proposed(case: Case, event: Event) -> Case:
    """The model's word, which may hide the case from view until a manager released it."""
    facts = event.facts
    proposal = Proposed(
        at=event.at,
        words=facts["words"],
        category=facts["category"],
        probability=facts["probability"],
        severity=facts["severity"],
        safety=facts["safety"],
        abstained=facts["abstained"],
        restricted=facts["restricted"],
        model=facts.get("model"),
        **_more(facts),
    )
    hides = proposal.restricted and not case.released
    return changed(case, proposed=proposal, flags=case.flags | ({Flag.RESTRICTED} if hides else frozenset()))


def _more(facts: Facts) -> dict[str, Any]:
    """What proposals carry since they name matters and criteria; an older one has none of it."""
    alternatives = facts.get("alternatives") or ()
    return {
        "other": alternatives[0]["category"] if alternatives else None,
        "other_probability": alternatives[0]["probability"] if alternatives else 0.0,
        "intent": ContactKind(facts.get("intent", ContactKind.COMPLAINT)),
        "intent_probability": facts.get("intent_probability", 0.0),
        "issues": tuple(one["category"] for one in facts.get("issues", ())),
        "happened_by": date.fromisoformat(facts["happened_by"]) if facts.get("happened_by") else None,
        "criteria": tuple(
            ProposedCriterion(one["field"], one["value"], one["reason"]) for one in facts.get("criteria", ())
        ),
    }


def contacted(case: Case, event: Event) -> Case:
    """We wrote or spoke to them; a reply also answers what they asked."""
    replied = event.verb is Verb.REPLY
    return changed(
        case,
        last_contact_at=event.at,
        contacted=case.contacted or event.role is not Role.SYSTEM,
        next_news_by=_next_news(case, event),
        question_at=None if replied else case.question_at,
        question_answered_at=event.at if replied and case.question_at else case.question_answered_at,
        data_request_at=None if replied else case.data_request_at,
        privacy_answered_at=event.at if event.facts.get("answers_privacy") else case.privacy_answered_at,
        flags=case.flags - ({Flag.QUESTION_OPEN, Flag.DATA_REQUEST} if replied else frozenset()),
    )


def _next_news(case: Case, event: Event) -> datetime | None:
    """The day that this news names for the next; a reply or a question of ours in between takes no such day back."""
    if event.verb is not Verb.INFORM or event.facts.get("batch"):
        return case.next_news_by
    named = event.facts.get("next_date")
    return closing_time(date.fromisoformat(str(named)), case.rules.calendar) if named else None


def asked(case: Case, event: Event) -> Case:
    """We wait for an answer until the end of a day; the clocks run on."""
    until = closing_time(date.fromisoformat(event.facts["needed_by"]), case.rules.calendar)
    waiting = changed(
        case, asked_at=event.at, asked_until=until, flags=case.flags | {Flag.WAITING_COMPLAINANT}
    )
    return contacted(waiting, event)
