"""How handling ends (7.9): closed, lapsed, withdrawn, refused, merged; and how it begins again."""

from __future__ import annotations

from datetime import datetime

from complaints import lifecycle
from complaints.custody import other_reference
from complaints.doing import Words, allowed, happened, need_given, need_words
from complaints.errors import AlreadyDone, NotAllowed, OutOfOrder
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.targets import lapses_at
from complaints.vocabulary import CloseCode, Flag, State, Verb
from complaints.worktime import due


def close(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """End the complaint (7.9).

    Raises OutOfOrder while a remedy is owed or unverified, while the complainant has neither accepted nor
    exhausted the routes, while a question is open, or without an acknowledgement that reached anybody.
    """
    role = allowed(case, Verb.CLOSE, by)
    need_words(words, "root_cause", f"Name the root cause of {case.ref} (8.2).")
    closing = _closing(case)
    return happened(
        case, Verb.CLOSE, at=at, by=by, role=role, facts={**facts, "close_code": closing}, words=words
    )


def closable(case: Case) -> bool:
    """Could somebody close it as it stands?"""
    try:
        lifecycle.require(case, Verb.CLOSE)
        _closing(case)
    except OutOfOrder:
        return False
    return True


def _closing(case: Case) -> CloseCode:
    _nothing_owed(case)
    closing = _close_code(case)
    if closing is not CloseCode.WITHDRAWN:
        _told(case)
    return closing


def _close_code(case: Case) -> CloseCode:
    if Flag.WITHDRAWN in case.flags:
        return CloseCode.WITHDRAWN
    # A yes to our decision says nothing of one that an outside body took since.
    since = case.reply_at is not None and any(
        one.overturned and one.at > case.reply_at for one in case.outside
    )
    if case.reply == "accept" and not since:
        return CloseCode.RESOLVED
    if case.state is State.RECOURSE_OFFERED or case.external_final_at is not None:
        if case.external_open:
            raise OutOfOrder(
                f"An outside body still looks at {case.ref}: record its conclusion first.",
                code="external_open",
            )
        return CloseCode.EXHAUSTED
    raise OutOfOrder(
        f"The complainant of {case.ref} has not answered: it ends by itself after the reminder.",
        code="no_reply",
    )


def _told(case: Case) -> None:
    if not case.acks and not (case.delivery_failed_at and case.other_route):
        raise OutOfOrder(
            f"{case.ref} was never acknowledged: record how the complainant was told.",
            code="not_acknowledged",
        )
    if case.question_at is not None:
        raise OutOfOrder(
            f"The complainant of {case.ref} asked a question: answer it first.", code="question_open"
        )


def _nothing_owed(case: Case) -> None:
    if not case.everything_verified:
        raise OutOfOrder(
            f"{case.ref} has remedies that are not done and verified: do and verify them first.",
            code="remedy_owed",
        )


def lapse(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """End without a reply after the reminder: counted apart, never as accepted; no owed remedy lapses."""
    role = allowed(case, Verb.LAPSE, by)
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        raise OutOfOrder(
            f"The decision on {case.ref} has not reached the complainant yet: tell it first.",
            code="not_communicated",
        )
    if case.reply is not None or case.question_at is not None or Flag.WITHDRAWN in case.flags:
        raise OutOfOrder(
            f"{case.ref} has an answer or a question: it does not lapse; close it or reply.", code="answered"
        )
    _nothing_owed(case)
    ends = lapses_at(case)
    if ends is None or at < ends:
        raise OutOfOrder(f"{case.ref} may still be answered: wait for its date.", code="too_early")
    answered = bool(case.owed_remedies) and not case.open_offer
    closing = CloseCode.ANSWERED_NO_REPLY if answered else CloseCode.LAPSED
    return happened(
        case, Verb.LAPSE, at=at, by=by, role=role, facts={**facts, "close_code": closing}, words=words
    )


def withdraw(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The complainant takes it back; safety, a minor, a systemic cause or a promise goes on inside."""
    role = allowed(case, Verb.WITHDRAW, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    if Flag.WITHDRAWN in case.flags:
        raise AlreadyDone(f"{case.ref} was withdrawn before: nothing more is needed.", code="already_so")
    minor = Flag.MINOR in case.flags or any(sign.kind == "minor" for sign in case.signs)
    systemic = any(one.cause_class == "systemic" for one in case.decisions)
    goes_on = case.safety >= 1 or minor or systemic or not case.everything_verified
    told = {**facts, "goes_on": goes_on, "close_code": CloseCode.WITHDRAWN}
    return happened(case, Verb.WITHDRAW, at=at, by=by, role=role, facts=told, words=words)


def reopen(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Begin again: within the window on the complainant's word, later where a manager sees reason.

    The reason (new facts, a remedy undone) is recorded.
    """
    role = allowed(case, Verb.REOPEN, by)
    need_words(words, "reason", f"Say what is new or not put right in {case.ref}.")
    if case.close_code is CloseCode.MERGED:
        raise OutOfOrder(f"{case.ref} was merged into another complaint: go on with that one.", code="merged")
    window = case.rules.targets.reopen_window
    if (
        not by.is_staff
        and case.closed_at is not None
        and at > due(case.closed_at, window, case.rules.calendar).at
    ):
        raise OutOfOrder(
            f"{case.ref} was closed more than {window} ago: write what is new, and a manager may reopen it.",
            code="window_passed",
        )
    return happened(case, Verb.REOPEN, at=at, by=by, role=role, facts=facts, words=words)


def not_accept(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Refuse to deal with it (time, scope), case by case, with reasons and the right to go outside."""
    role = allowed(case, Verb.NOT_ACCEPT, by)
    need_words(words, "reason", f"Give the reason for refusing {case.ref}: the complainant is told.")
    if case.decisions:
        raise OutOfOrder(
            f"{case.ref} was accepted and decided before: decide it at this level.", code="decided_before"
        )
    told = {**facts, "close_code": CloseCode.NOT_ACCEPTED}
    return happened(case, Verb.NOT_ACCEPT, at=at, by=by, role=role, facts=told, words=words)


def merge(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """A duplicate of the same person and matter joins the earlier complaint; every text is kept."""
    role = allowed(case, Verb.MERGE, by)
    other = other_reference(case, facts)
    if facts.get("other_complainant") != case.complainant:
        raise NotAllowed(
            f"{case.ref} and {other} are of two people: link them instead.", code="not_allowed.other_person"
        )
    _nothing_owed(case)
    told = {**facts, "other_ref": other, "close_code": CloseCode.MERGED}
    return happened(case, Verb.MERGE, at=at, by=by, role=role, facts=told, words=words)


def erase(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Record that the words and the person were erased (8.1); a legal hold forbids it."""
    role = allowed(case, Verb.ERASE, by)
    if Flag.LEGAL_HOLD in case.flags:
        raise OutOfOrder(f"{case.ref} is under legal hold: release it first.", code="legal_hold")
    return happened(case, Verb.ERASE, at=at, by=by, role=role, facts=facts, words=words)
