"""How handling ends (7.9): closed, lapsed, withdrawn, refused, merged; and how it begins again."""

from __future__ import annotations

from datetime import datetime

from complaints.doing import Words, allowed, happened, need_words
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.vocabulary import CloseCode, Role, State, Verb


def close(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """End the complaint (7.9).

    Raises OutOfOrder while a remedy is owed or unverified, before the decision reached the complainant, while
    it waits for a reply, or without an acknowledgement that reached anybody.
    """
    role = allowed(case, Verb.CLOSE, by)
    need_words(words, "root_cause", "Name the root cause (8.2).")
    if not case.everything_verified:
        raise OutOfOrder(f"{case.ref} has remedies that are not done and verified.", code="remedy_owed")
    if not case.acks and not (case.delivery_failed_at and case.other_route):
        raise OutOfOrder(
            f"{case.ref} was never acknowledged: record how the complainant was told.",
            code="not_acknowledged",
        )
    if case.question_at is not None:
        raise OutOfOrder(
            f"The complainant of {case.ref} asked a question: answer it first.", code="question_open"
        )
    if case.state is State.RECOURSE_OFFERED:
        closing = CloseCode.EXHAUSTED
    elif case.reply == "accept":
        closing = CloseCode.RESOLVED
    else:
        raise OutOfOrder(
            f"The complainant of {case.ref} has not answered: it ends by itself after the reminder.",
            code="no_reply",
        )
    return happened(
        case, Verb.CLOSE, at=at, by=by, role=role, facts={**facts, "close_code": closing}, words=words
    )


def lapse(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """End without a reply after the reminder: counted apart, never as accepted; no owed remedy lapses."""
    role = allowed(case, Verb.LAPSE, by)
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        raise OutOfOrder(
            f"The decision on {case.ref} has not reached the complainant yet.", code="not_communicated"
        )
    if case.reply is not None or case.question_at is not None:
        raise OutOfOrder(f"{case.ref} has an answer or a question: it does not lapse.", code="answered")
    if not case.everything_verified:
        raise OutOfOrder(f"{case.ref} has remedies that are not done and verified.", code="remedy_owed")
    done = bool(case.owed_remedies)
    closing = CloseCode.ANSWERED_NO_REPLY if done else CloseCode.LAPSED
    return happened(
        case, Verb.LAPSE, at=at, by=by, role=role, facts={**facts, "close_code": closing}, words=words
    )


def withdraw(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The complainant takes it back; a matter of safety, a minor or a systemic cause goes on inside."""
    role = allowed(case, Verb.WITHDRAW, by)
    minor = any(sign.rule.split(".")[0] == "minor" for sign in case.signs)
    systemic = any(one.cause_class == "systemic" for one in case.decisions)
    goes_on = case.safety >= 1 or minor or systemic
    told = {**facts, "goes_on": goes_on, "close_code": CloseCode.WITHDRAWN}
    return happened(case, Verb.WITHDRAW, at=at, by=by, role=role, facts=told, words=words)


def reopen(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Begin again: new facts, a remedy undone, or within the window; the reason is recorded."""
    role = allowed(case, Verb.REOPEN, by)
    need_words(words, "reason", "Say what is new or not put right.")
    return happened(case, Verb.REOPEN, at=at, by=by, role=role, facts=facts, words=words)


def not_accept(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Refuse to deal with it (time, scope), case by case, with reasons and the right to go outside."""
    role = allowed(case, Verb.NOT_ACCEPT, by)
    need_words(words, "reason", "Give the reason: the complainant is told.")
    told = {**facts, "close_code": CloseCode.NOT_ACCEPTED}
    return happened(case, Verb.NOT_ACCEPT, at=at, by=by, role=role, facts=told, words=words)


def merge(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """A duplicate of the same person and matter joins the earlier complaint; every text is kept."""
    role = allowed(case, Verb.MERGE, by)
    other = str(facts["other_ref"])
    if other == case.ref:
        raise BadFacts("A complaint is not its own duplicate.", field="other_ref", code="same_reference")
    if facts.get("other_complainant") != case.complainant:
        raise NotAllowed(
            "Only complaints of the same person are merged; link the others.", code="not_allowed.other_person"
        )
    told = {**facts, "close_code": CloseCode.MERGED}
    return happened(case, Verb.MERGE, at=at, by=by, role=role, facts=told, words=words)


def erase(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Record that the words and the person were erased (8.1); a legal hold forbids it."""
    role = allowed(case, Verb.ERASE, by)
    if "legal_hold" in case.flags:
        raise OutOfOrder(f"{case.ref} is under legal hold: release it first.", code="legal_hold")
    if by.is_staff and not by.has(Role.TOP_MANAGEMENT):
        raise NotAllowed("Erasure is top management's act.", code="not_allowed.role")
    return happened(case, Verb.ERASE, at=at, by=by, role=role, facts=facts, words=words)
