"""How handling ends (7.9): closed, lapsed, withdrawn, refused, merged; and how it begins again.

How handling ends and begins again, what was carried out, who may see it (7.9, 4.7, 8.1).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from complaints import lifecycle
from complaints.actions.access import other_reference
from complaints.actions.common import Words, allowed, happened, need_given, need_words
from complaints.actors import Actor
from complaints.case import Case, Event, Facts, changed
from complaints.deadlines.targets import lapses_at
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, NotAllowed, OutOfOrder
from complaints.timestamps import parse_time
from complaints.vocabulary import CloseCode, ContactKind, Flag, State, Verb


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


def nothing_pending(case: Case) -> Case:
    """What waited for a second person waits no longer."""
    return changed(case, drafted=None, drafted_remedies=(), reclassification=None, extension=None)


def closed(case: Case, event: Event, code: CloseCode) -> Case:
    """Handling stops; open offers are over, and nobody waits for anybody."""
    ended = nothing_pending(case)
    return changed(
        ended,
        state=State.CLOSED,
        close_code=code,
        closed_at=event.at,
        form_open=False,
        form_ended_at=ended.form_ended_at or event.at,
        remedies=tuple(changed(one, ended_at=event.at) if one.offered else one for one in ended.remedies),
        question_at=None,
        asked_at=None,
        asked_until=None,
        flags=ended.flags - {Flag.QUESTION_OPEN, Flag.WAITING_COMPLAINANT},
    )


def closing(case: Case, event: Event) -> Case:
    """Closed by the code in the event."""
    return closed(case, event, CloseCode(event.facts["close_code"]))


def merging(case: Case, event: Event) -> Case:
    """It lives on in another complaint of the same person."""
    return changed(closing(case, event), merged_into=str(event.facts["other_ref"]))


def withdrawn(case: Case, event: Event) -> Case:
    """Closed, or flagged where the matter goes on inside."""
    told = changed(case, withdrawn_at=event.at)
    if event.facts["goes_on"]:
        return changed(told, flags=told.flags | {Flag.WITHDRAWN})
    return closing(told, event)


def reopened(case: Case, event: Event) -> Case:
    """Begun again with new clocks; what was decided before is history, what was promised stands."""
    return changed(
        case,
        state=State.INVESTIGATING,
        kind=ContactKind.COMPLAINT,
        close_code=None,
        closed_at=None,
        withdrawn_at=None,
        reply=None,
        reply_at=None,
        settled_early=None,
        external_final_at=None,
        issues=tuple(changed(one, finding=None) for one in case.issues),
        surveys=(),
        reopened=case.reopened + 1,
        reopened_seq=event.seq,
        level_started_at=event.at,
        # A day that was named for the next news before it ended is none of this life's.
        next_news_by=None,
        flags=case.flags - {Flag.WITHDRAWN},
    )


def recourse_offered(case: Case, event: Event) -> Case:
    """The outside steps reached the complainant."""
    return changed(case, state=State.RECOURSE_OFFERED, recourse_at=event.at)


def remedy_done(case: Case, event: Event) -> Case:
    """Carried out, by whom and when; what the complainant said of an earlier try is answered by it."""
    done_at = parse_time(event.facts["done_at"])
    n = int(event.facts["remedy"])
    done = _one_remedy(case, n, done_at=done_at, done_by=event.by, answer=None)
    refused = any(one.answer == "no" for one in done.remedies)
    return done if refused else changed(done, flags=done.flags - {Flag.REMEDY_REFUSED})


def remedy_late(case: Case, event: Event) -> Case:
    """Its date passed or is about to, or some time went by since that was last told."""
    n = int(event.facts["remedy"])
    late = next((one.late for one in case.remedies if one.n == n), 0)
    return _one_remedy(case, n, late=late + 1, late_at=event.at)


def verified(case: Case, event: Event) -> Case:
    """Checked, by whom."""
    return _one_remedy(case, int(event.facts["remedy"]), verified_at=event.at, verified_by=event.by)


def _one_remedy(case: Case, n: int, **change: Any) -> Case:
    return changed(
        case, remedies=tuple(changed(one, **change) if one.n == n else one for one in case.remedies)
    )


def received_notice(case: Case, event: Event) -> Case:
    """Somebody has seen it: the danger, and where it was one of the top, the significant complaint."""
    return changed(
        case,
        danger_receipt_at=event.at if event.facts.get("danger") else case.danger_receipt_at,
        executive_receipt_at=event.at if event.facts.get("executive") else case.executive_receipt_at,
    )


def surveyed(case: Case, event: Event) -> Case:
    """A step of this round's survey."""
    step = str(event.facts["step"])
    return changed(
        case,
        surveys=(*case.surveys, step),
        surveyed_at=event.at if step == "sent" else case.surveyed_at,
    )


def released(case: Case, event: Event) -> Case:
    """A manager took it out of the restricted place."""
    return changed(case, released=True, flags=case.flags - {Flag.RESTRICTED})


def flagged(flag: Flag, *, sets: bool) -> Callable[[Case, Event], Case]:
    """A verb that only sets or clears a flag."""

    def change(case: Case, event: Event) -> Case:
        return changed(case, flags=case.flags | {flag} if sets else case.flags - {flag})

    return change


def erased(case: Case, event: Event) -> Case:
    """The words and the person are gone."""
    return changed(case, erased_at=event.at)
