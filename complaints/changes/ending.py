"""How handling ends and begins again, what was carried out, who may see it (7.9, 4.7, 8.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from complaints.copying import changed
from complaints.doing import instant
from complaints.record import Case, Event
from complaints.vocabulary import CloseCode, Flag, Kind, State


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
        kind=Kind.COMPLAINT,
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
    done_at = instant(event.facts["done_at"])
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
