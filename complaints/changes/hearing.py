"""What reaches us and what reaches them: words, acknowledgements, failures, a proposal (7.2 to 7.5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from complaints.changes.naming import given, named
from complaints.changes.telling import REMEDY_REFUSED, RETURNED, authority_shown, told_about
from complaints.copying import changed
from complaints.missed import heard_again, silenced
from complaints.particulars import Proposed, ProposedCriterion, Sign
from complaints.record import Case, Event, Facts
from complaints.vocabulary import RESTRICTING, Category, Flag, Kind, Role, Verb
from complaints.worktime import closing_time


def heard(case: Case, event: Event) -> Case:
    """Words or files of the complainant: they count, may raise, and may show what must not be seen by all."""
    facts = event.facts
    case = came_back(case, event)
    if facts.get("kind") == RETURNED:
        return case
    signs = tuple(
        Sign(one["rule"], one["severity"], one["safety"], one["danger"], event.at, event.seq)
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
        "intent": Kind(facts.get("intent", Kind.COMPLAINT)),
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
