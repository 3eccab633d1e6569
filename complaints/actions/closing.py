"""The end of handling: closed, lapsed, withdrawn, refused, merged, erased; and reopening (7.9, 8.1)."""

from collections.abc import Mapping

from complaints.actions.access import is_on_hold, other_reference
from complaints.actions.action import (
    BY_COMPLAINANT,
    BY_SYSTEM,
    NOBODY,
    STAFF_AND_COMPLAINANT,
    Action,
    ActionRequest,
    Fetched,
    WordKind,
    goes,
    require_offline_source,
    require_words,
    stays,
)
from complaints.actors import HANDLERS, MANAGERS, READERS
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import FileReview
from complaints.deadlines.targets import lapses_at
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import OFFLINE, FactShapes, code, form_facts, moment
from complaints.forms import REVIEW_QUESTIONS
from complaints.obligations import per_event
from complaints.times import parse_time
from complaints.vocabulary import (
    ANSWERED,
    EVERY,
    OPEN,
    UNDECIDED,
    CloseCode,
    ContactKind,
    Flag,
    Role,
    State,
    Verb,
)

# close


def check_close(case: Case, request: ActionRequest) -> Facts:
    """End the complaint (7.9).

    Raises OutOfOrder while a remedy is owed or unverified, while the complainant has neither accepted nor
    exhausted the routes, while a question is open, or without an acknowledgement that was delivered.
    """
    require_words(request, "root_cause", BadFacts.worded("required:close", ref=case.ref))
    return {**request.facts, "close_code": closing_code(case)}


def closing_code(case: Case) -> CloseCode:
    """Why the complaint can close now; raises OutOfOrder where it cannot."""
    _require_remedies_verified(case)
    code = _closing_code(case)
    if code is not CloseCode.WITHDRAWN:
        _require_complainant_informed(case)
    return code


def _closing_code(case: Case) -> CloseCode:
    if Flag.WITHDRAWN in case.flags:
        return CloseCode.WITHDRAWN
    if case.accepted:
        return CloseCode.RESOLVED
    if case.state is State.RECOURSE_OFFERED or case.external_final_at is not None:
        if case.external_open:
            raise OutOfOrder.worded("external_open", ref=case.ref)
        return CloseCode.EXHAUSTED
    raise OutOfOrder.worded("no_reply", ref=case.ref)


def _require_complainant_informed(case: Case) -> None:
    if not case.acks and not (case.delivery_failed_at and case.other_route):
        raise OutOfOrder.worded("not_acknowledged", ref=case.ref)
    if case.question_at is not None:
        raise OutOfOrder.worded("question_open", ref=case.ref)


def _require_remedies_verified(case: Case) -> None:
    if not case.everything_verified:
        raise OutOfOrder.worded("remedy_owed", ref=case.ref)


def apply_close(case: Case, event: Event) -> Case:
    """Closed with the code in the event; also for `lapse` and `not_accept`."""
    return end_handling(case, event, CloseCode(event.facts["close_code"]))


def end_handling(case: Case, event: Event, code: CloseCode) -> Case:
    """Close the case: open offers end, and neither side waits for the other."""
    ended = drop_pending(case)
    return changed(
        ended,
        state=State.CLOSED,
        close_code=code,
        closed_at=event.at,
        form_open=False,
        form_ended_at=ended.form_ended_at or event.at,
        remedies=tuple(
            changed(remedy, ended_at=event.at) if remedy.offered else remedy for remedy in ended.remedies
        ),
        question_at=None,
        asked_at=None,
        asked_until=None,
        flags=ended.flags - {Flag.QUESTION_OPEN, Flag.WAITING_COMPLAINANT},
    )


def drop_pending(case: Case) -> Case:
    unsent = tuple(letter for letter in case.unsent if letter is not case.unsent_decision)
    return changed(
        case, drafted=None, drafted_remedies=(), reclassification=None, extension=None, unsent=unsent
    )


# lapse


def check_lapse(case: Case, request: ActionRequest) -> Facts:
    """End without a reply after the reminder. It never counts as accepted, and no owed remedy lapses."""
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        raise OutOfOrder.worded("not_communicated", ref=case.ref)
    if case.reply is not None or case.question_at is not None or Flag.WITHDRAWN in case.flags:
        raise OutOfOrder.worded("answered", ref=case.ref)
    _require_remedies_verified(case)
    ends = lapses_at(case)
    if ends is None or request.at < ends:
        raise OutOfOrder.worded("too_early:lapse", ref=case.ref)
    answered = bool(case.owed_remedies) and not case.open_offer
    code = CloseCode.ANSWERED_NO_REPLY if answered else CloseCode.LAPSED
    return {**request.facts, "close_code": code}


# withdraw


def check_withdraw(case: Case, request: ActionRequest) -> Facts:
    """The complainant withdraws it; a safety matter, a minor, a systemic cause or a promise still needs work."""
    require_offline_source(case, request)
    if Flag.WITHDRAWN in case.flags:
        raise AlreadyDone.worded("already_so:withdraw", ref=case.ref)
    minor = Flag.MINOR in case.flags or any(sign.kind == "minor" for sign in case.signs)
    systemic = any(decision.cause_class == "systemic" for decision in case.decisions)
    goes_on = case.safety >= 1 or minor or systemic or not case.everything_verified
    return {**request.facts, "goes_on": goes_on, "close_code": CloseCode.WITHDRAWN}


def apply_withdraw(case: Case, event: Event) -> Case:
    """Closed, or only flagged where we continue with the matter."""
    withdrawn = changed(case, withdrawn_at=event.at)
    if event.facts["goes_on"]:
        return changed(withdrawn, flags=withdrawn.flags | {Flag.WITHDRAWN})
    return apply_close(withdrawn, event)


# reopen


def require_not_merged(case: Case) -> None:
    if case.close_code is CloseCode.MERGED:
        raise OutOfOrder.worded("merged", ref=case.ref)


def check_reopen(case: Case, request: ActionRequest) -> Facts:
    """Reopen: within the window when the complainant asks, later when a manager finds a reason.

    The reason (new facts, a remedy undone) is recorded.
    """
    require_words(request, "reason", BadFacts.worded("required:reopen", ref=case.ref))
    window = case.rules.targets.reopen_window
    if (
        not request.actor.is_staff
        and case.closed_at is not None
        and request.at > due(case.closed_at, window, case.rules.calendar).at
    ):
        raise OutOfOrder.worded("window_passed", ref=case.ref, window=window)
    return request.facts


def apply_reopen(case: Case, event: Event) -> Case:
    """Open with new clocks; earlier decisions are history, promises stay."""
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
        issues=tuple(changed(issue, finding=None) for issue in case.issues),
        surveys=(),
        survey_concern_at=None,
        reopened=case.reopened + 1,
        reopened_seq=event.seq,
        level_started_at=event.at,
        # A day named for the next news before the closing is no longer valid.
        next_news_by=None,
        # Words after the closing led to this; the date of the new decision covers them.
        question_at=None,
        flags=case.flags - {Flag.WITHDRAWN, Flag.QUESTION_OPEN},
    )


# not_accept, merge, erase


def require_no_decision(case: Case) -> None:
    if case.decisions:
        raise OutOfOrder.worded("decided_before:not_accept", ref=case.ref)


def check_not_accept(case: Case, request: ActionRequest) -> Facts:
    """Refuse to deal with it (too late, out of scope), with reasons and the right to go outside."""
    require_words(request, "reason", BadFacts.worded("required:not_accept", ref=case.ref))
    return {**request.facts, "close_code": CloseCode.NOT_ACCEPTED}


def check_merge(case: Case, request: ActionRequest) -> Facts:
    """A duplicate by the same person on the same matter joins the earlier complaint; every text is kept."""
    other = other_reference(case, request.facts)
    if request.facts.get("other_complainant") != case.complainant:
        raise NotAllowed.worded("not_allowed.other_person", field="other_ref", ref=case.ref, other=other)
    _require_remedies_verified(case)
    return {**request.facts, "other_ref": other, "close_code": CloseCode.MERGED}


def apply_merge(case: Case, event: Event) -> Case:
    return changed(apply_close(case, event), merged_into=str(event.facts["other_ref"]))


def check_erase(case: Case, request: ActionRequest) -> Facts:
    """Record that the words were erased (8.1); a legal hold forbids it."""
    if is_on_hold(case, request.at):
        raise OutOfOrder.worded("legal_hold", ref=case.ref)
    return request.facts


def apply_erase(case: Case, event: Event) -> Case:
    return changed(case, erased_at=event.at, talk=None)


# review of a closed complaint by a person who took no part in it, with the questions of Annex C (4.5)


def check_draw_review(case: Case, request: ActionRequest) -> Facts:
    """Give a closed complaint to a reviewer. Raises NotAllowed for a person who took part in it."""
    if request.facts["reviewer"] in case.participants | case.denied:
        raise NotAllowed.worded("not_allowed.excluded:draw_review", ref=case.ref)
    return request.facts


def apply_draw_review(case: Case, event: Event) -> Case:
    facts = event.facts
    review = FileReview(facts["reviewer"], event.at, parse_time(facts["due"]), event.seq)
    return changed(case, review=review)


def check_review_case(case: Case, request: ActionRequest) -> Facts:
    """Record the answers; a "no" needs a note that says what was found."""
    if any(request.facts[question] == "no" for question in REVIEW_QUESTIONS):
        require_words(request, "reason", BadFacts.worded("required:review_case", ref=case.ref))
    return request.facts


def apply_review_case(case: Case, event: Event) -> Case:
    return case if case.review is None else changed(case, review=changed(case.review, reviewed_at=event.at))


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.CLOSE: Action(
        "7.9", HANDLERS, goes((State.DECIDED, State.REMEDYING, State.RECOURSE_OFFERED), State.CLOSED),
        requires=closing_code, check=check_close, apply=apply_close,
        words=WordKind.NOTE, form="close", facts=FactShapes(shapes=form_facts("close").shapes), owner_only=True,
        needs_latest=True, ends=True, sees_danger=True,
    ),
    Verb.LAPSE: Action(
        "7.9", BY_SYSTEM, goes(ANSWERED, State.CLOSED),
        check=check_lapse, apply=apply_close,
        words=WordKind.INTERNAL, ends=True,
    ),
    Verb.WITHDRAW: Action(
        "7.9", BY_COMPLAINANT | HANDLERS, goes(OPEN, State.CLOSED, or_stays=True),
        check=check_withdraw, apply=apply_withdraw,
        words=WordKind.STATEMENT, spoken=("withdraw",), facts=OFFLINE, raises_work_version=STAFF_AND_COMPLAINANT,
        leaves=(per_event.confirmation,), ends=True, done="withdraw",
    ),
    Verb.REOPEN: Action(
        "7.9", BY_COMPLAINANT | MANAGERS, goes((State.CLOSED,), State.INVESTIGATING),
        requires=require_not_merged, check=check_reopen, apply=apply_reopen,
        words=WordKind.STATEMENT, form="reopen", raises_work_version=STAFF_AND_COMPLAINANT, manager_only=True,
        done="reopen",
    ),
    Verb.NOT_ACCEPT: Action(
        "7.9", MANAGERS, goes(UNDECIDED, State.CLOSED),
        requires=require_no_decision, check=check_not_accept, apply=apply_close,
        words=WordKind.NOTE, form="not_accept", manager_only=True, ends=True,
    ),
    Verb.MERGE: Action(
        "7.6", HANDLERS, goes(OPEN, State.CLOSED),
        check=check_merge, apply=apply_merge,
        words=WordKind.INTERNAL, form="link", chosen_by=("relation", ("duplicate",)),
        facts=FactShapes(frozenset({"other_ref"}), {"other_ref": code, "other_complainant": code}),
        fetches=Fetched.MERGED, ends=True,
    ),
    Verb.DRAW_REVIEW: Action(
        "4.5", BY_SYSTEM, stays((State.CLOSED,)),
        check=check_draw_review, apply=apply_draw_review,
        words=WordKind.INTERNAL,
        facts=FactShapes(frozenset({"reviewer", "due", "period"}), {"reviewer": code, "due": moment, "period": code}),
        raises_work_version=NOBODY, in_thread=False,
    ),
    Verb.REVIEW_CASE: Action(
        "4.5", READERS, stays(EVERY),
        check=check_review_case, apply=apply_review_case,
        words=WordKind.NOTE, form="review_case", raises_work_version=NOBODY, in_thread=False, is_work=False,
        needs_latest=True, reviewer_only=True,
    ),
    Verb.ERASE: Action(
        "8.1", BY_SYSTEM | {Role.TOP_MANAGEMENT}, stays((State.CLOSED,)),
        check=check_erase, apply=apply_erase,
        words=WordKind.INTERNAL, raises_work_version=NOBODY, is_work=False,
    ),
}
# fmt: on
