"""State is the fold of the events: one small function a verb, from case and event to case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from complaints.doing import instant
from complaints.permissions import JUDGING
from complaints.priorities import is_significant
from complaints.record import (
    Assessment,
    Case,
    Decision,
    Event,
    Facts,
    Issue,
    Proposed,
    RemedyOwed,
    Sign,
    TargetSet,
)
from complaints.rulebook import Rulebook
from complaints.vocabulary import (
    RESTRICTING,
    WORK,
    CloseCode,
    Finding,
    Flag,
    Kind,
    Role,
    State,
    Target,
    Verb,
)
from complaints.worktime import closing_time, due

#: A first message of staff ends the questions; the acknowledgement is owed before it leaves.
STAFF_MESSAGES: frozenset[Verb] = frozenset({Verb.REPLY, Verb.ASK, Verb.INFORM, Verb.RESOLVE})


def fold(events: Iterable[Event], rules: Rulebook) -> Case:
    """The case that these events add up to; the first must be `receive`."""
    case: Case | None = None
    for event in events:
        case = begin(event, rules) if case is None else after(case, event)
    if case is None:
        raise ValueError("a complaint has at least the event by which it was received")
    return case


def begin(event: Event, rules: Rulebook) -> Case:
    """The case as its first event leaves it."""
    facts = event.facts
    case = Case(
        ref=facts["ref"],
        rules=rules,
        received_at=instant(facts["received_at"]),
        logged_at=event.at,
        channel=facts["channel"],
        complainant=facts["complainant"],
        language=facts["language"],
        form_open=event.role is Role.COMPLAINANT,
        level_started_at=instant(facts["received_at"]),
        is_simulation=bool(facts.get("is_simulation", False)),
    )
    return _common(_heard(case, event), event)


def after(case: Case, event: Event) -> Case:
    """The case as one more event leaves it."""
    change = _CHANGES.get(event.verb)
    return _common(change(case, event) if change else case, event)


def _common(case: Case, event: Event) -> Case:
    """What every event does: count, remember who judged, take over targets, keep the derived flags."""
    acted = case.acted_at
    if event.verb in JUDGING and event.role not in (Role.SYSTEM, Role.COMPLAINANT):
        level = int(event.facts.get("level", case.level))
        acted = {**acted, level: acted.get(level, frozenset()) | {event.by}}
    spoken = event.verb in STAFF_MESSAGES and event.role is not Role.SYSTEM
    if case.form_open and (spoken or case.state is State.DECIDED):
        case = replace(case, form_open=False, form_ended_at=event.at)
    # What the scheduler does by itself changes nothing that a person was about to act upon.
    work = event.verb in WORK and event.role is not Role.SYSTEM
    case = replace(
        case,
        version=event.seq,
        work_version=case.work_version + (1 if work else 0),
        acted_at=acted,
        targets=_targets(case.targets, event),
    )
    significant = Flag.SIGNIFICANT in case.flags or is_significant(case)
    return replace(case, flags=case.flags | {Flag.SIGNIFICANT}) if significant else case


def _targets(targets: tuple[TargetSet, ...], event: Event) -> tuple[TargetSet, ...]:
    new = tuple(
        TargetSet(
            target=Target(one["target"]),
            version=one["version"],
            of=one["of"],
            start=instant(one["start"]),
            internal_due=instant(one["internal_due"]),
            promised_due=instant(one["promised_due"]),
            basis=one["basis"],
            span=one["span"],
        )
        for one in event.facts.get("targets", ())
    )
    met = {(Target(one["target"]), one["of"], one["version"]) for one in event.facts.get("met", ())}
    return (
        tuple(
            replace(one, met_at=event.at) if (one.target, one.of, one.version) in met else one
            for one in targets
        )
        + new
    )


def _heard(case: Case, event: Event) -> Case:
    """Words or files of the complainant: they count, may raise, and may show what must not be seen by all."""
    facts = event.facts
    signs = tuple(
        Sign(one["rule"], one["severity"], one["safety"], one["danger"], event.at)
        for one in facts.get("signs", ())
    )
    danger = any(one.danger for one in signs)
    fresh = danger and (case.danger_at is None or case.danger_receipt_at is not None)
    subjects = case.subjects | frozenset(facts.get("subjects", ()))
    flags = case.flags - {Flag.UNREACHABLE}
    if danger:
        flags |= {Flag.DANGER}
    if facts.get("subjects"):
        flags |= {Flag.RESTRICTED}
    if any(one.rule.split(".")[0] in RESTRICTING for one in signs):
        flags |= {Flag.RESTRICTED}
    if facts.get("audible"):
        flags |= {Flag.MEDIA_UNHEARD}
    question = facts.get("kind") == "question"
    if question:
        flags |= {Flag.QUESTION_OPEN}
    if facts.get("field") != "edit":
        flags -= {Flag.WAITING_COMPLAINANT}
    told = bool(facts.get("has_words"))
    first = case.words == 0
    return replace(
        case,
        words=case.words + 1,
        media=case.media + int(facts.get("media", 0)),
        told_only_in_media=(first or case.told_only_in_media) and not told,
        last_words_at=event.at,
        signs=case.signs + signs,
        danger_at=event.at if fresh else case.danger_at,
        danger_receipt_at=None if fresh else case.danger_receipt_at,
        subjects=subjects,
        question_at=event.at if question and case.question_at is None else case.question_at,
        flags=flags,
    )


def _confirm(case: Case, event: Event) -> Case:
    ended = replace(case, form_open=False, form_ended_at=event.at) if case.form_open else case
    return replace(ended, confirmed_at=event.at)


def _end_form(case: Case, event: Event) -> Case:
    return replace(case, form_open=False, form_ended_at=event.at)


def _acknowledge(case: Case, event: Event) -> Case:
    level = int(event.facts.get("level", case.level))
    return replace(
        case, acks={**case.acks, level: event.at}, other_route=case.other_route or bool(event.words)
    )


def _fail_delivery(case: Case, event: Event) -> Case:
    return replace(case, delivery_failed_at=event.at, flags=case.flags | {Flag.UNREACHABLE})


def _note(case: Case, event: Event) -> Case:
    """After a failed delivery a note tells by which other route the complainant was reached."""
    return replace(case, other_route=True) if case.delivery_failed_at is not None else case


def _propose(case: Case, event: Event) -> Case:
    facts = event.facts
    proposed = Proposed(
        at=event.at,
        words=facts["words"],
        category=facts["category"],
        probability=facts["probability"],
        severity=facts["severity"],
        safety=facts["safety"],
        abstained=facts["abstained"],
        restricted=facts["restricted"],
        model=facts.get("model"),
    )
    flags = case.flags | ({Flag.RESTRICTED} if proposed.restricted else frozenset())
    return replace(case, proposed=proposed, flags=flags)


def assessed_as(case: Case, facts: Facts, *, at: datetime | None = None, by: str = "") -> Case:
    """The case as these criteria would leave it; also answers "would this be later?" beforehand."""
    heard = case.media_heard or bool(facts.get("media_heard"))
    flags = case.flags - ({Flag.MEDIA_UNHEARD} if facts.get("media_heard") else frozenset())
    if facts["category"] in RESTRICTING:
        flags |= {Flag.RESTRICTED}
    issues = case.issues
    categories = facts.get("issue_categories", [facts["category"]])
    if not any(one.finding for one in issues):
        issues = tuple(Issue(n, category) for n, category in enumerate(categories))
    return replace(
        case,
        assessment=Assessment(
            at=at or case.logged_at,
            by=by,
            category=facts["category"],
            severity=int(facts["severity"]),
            safety=int(facts["safety"]),
            complexity=int(facts["complexity"]),
            reach=int(facts["reach"]),
            recurrence=int(facts["recurrence"]),
            immediate_needed=facts["immediate_needed"] == "yes",
            immediate_possible=facts.get("immediate_possible") == "yes",
            compensation_likely=bool(facts.get("compensation_likely")),
        ),
        issues=issues,
        media_heard=heard,
        owner=facts.get("owner", case.owner),
        flags=flags,
    )


def _assess(case: Case, event: Event) -> Case:
    assessed = assessed_as(case, event.facts, at=event.at, by=event.by)
    return replace(assessed, state=State.ASSESSED) if case.state is State.RECEIVED else assessed


def _reclassify(case: Case, event: Event) -> Case:
    return replace(case, reclassification=(Kind(event.facts["kind"]), event.by))


def _assign(case: Case, event: Event) -> Case:
    return replace(case, owner=event.facts["owner"])


def _contact(case: Case, event: Event) -> Case:
    return replace(
        case,
        last_contact_at=event.at,
        contacted=case.contacted or event.role is not Role.SYSTEM,
        question_at=None if event.verb is Verb.REPLY else case.question_at,
        flags=case.flags - ({Flag.QUESTION_OPEN} if event.verb is Verb.REPLY else frozenset()),
    )


def _ask(case: Case, event: Event) -> Case:
    until = closing_time(date.fromisoformat(event.facts["needed_by"]), case.rules.calendar)
    asked = replace(case, asked_until=until, flags=case.flags | {Flag.WAITING_COMPLAINANT})
    return _contact(asked, event)


def _answer(case: Case, event: Event) -> Case:
    return _heard(replace(case, asked_until=None), event)


def _investigate(case: Case, event: Event) -> Case:
    evidence = case.evidence | frozenset(event.facts.get("evidence", ()))
    return replace(case, state=State.INVESTIGATING, evidence=evidence)


def _decision(case: Case, event: Event, *, short: bool) -> Decision:
    facts = event.facts
    return Decision(
        level=case.level,
        by=event.by,
        at=event.at,
        short=short,
        findings=tuple(Finding(one) for one in facts["findings"]),
        cause_class=facts["cause_class"],
        others_affected=facts["others_affected"],
        needs_approval=bool(facts.get("needs_approval", False)),
        seq=event.seq,
    )


def _found(case: Case, decision: Decision) -> tuple[Issue, ...]:
    return tuple(
        replace(one, finding=found) for one, found in zip(case.issues, decision.findings, strict=False)
    )


def _resolve(case: Case, event: Event) -> Case:
    decision = _decision(case, event, short=True)
    remedy = RemedyOwed(
        n=len(case.remedies),
        type="other",
        level=case.level,
        due=event.at,
        done_at=event.at,
        done_by=event.by,
    )
    return replace(
        _contact(case, event),
        state=State.DECIDED,
        decisions=(*case.decisions, decision),
        remedies=(*case.remedies, remedy),
        issues=_found(case, decision),
        reply=None,
    )


def _respond(case: Case, event: Event) -> Case:
    decision = _decision(case, event, short=False)
    remedies = tuple(
        _promised(case, len(case.remedies) + n, one, event)
        for n, one in enumerate(event.facts.get("remedies", ()))
    )
    if decision.needs_approval:
        return replace(case, drafted=decision, drafted_remedies=remedies)
    return _decide(case, decision, remedies)


def _promised(case: Case, n: int, remedy: Mapping[str, Any], event: Event) -> RemedyOwed:
    promised = date.fromisoformat(remedy["promised_by_date"]) if remedy.get("promised_by_date") else None
    calendar = case.rules.calendar
    ends = (
        closing_time(promised, calendar)
        if promised
        else due(event.at, case.rules.targets.remedy, calendar).at
    )
    return RemedyOwed(
        n=n,
        type=remedy["type"],
        level=case.level,
        due=ends,
        amount=remedy.get("amount"),
        currency=remedy.get("currency"),
        promised_by=promised,
        needs_acceptance=bool(remedy.get("needs_acceptance")),
        separate_verifier=bool(event.facts.get("above_limit")),
    )


def _decide(case: Case, decision: Decision, remedies: tuple[RemedyOwed, ...]) -> Case:
    return replace(
        case,
        state=State.DECIDED,
        drafted=None,
        drafted_remedies=(),
        decisions=(*case.decisions, decision),
        remedies=(*case.remedies, *remedies),
        issues=_found(case, decision),
        reply=None,
        reply_at=None,
    )


def _approve(case: Case, event: Event) -> Case:
    agreed = event.facts["agreed"] == "yes"
    if event.facts["of"] == "reclassify":
        if not agreed or case.reclassification is None:
            return replace(case, reclassification=None)
        return _closed(
            replace(case, kind=case.reclassification[0], reclassification=None),
            event,
            CloseCode.NOT_COMPLAINT,
        )
    if case.drafted is None:
        return case
    if not agreed:
        return replace(case, drafted=None, drafted_remedies=(), state=State.INVESTIGATING)
    decision = replace(case.drafted, approved_by=event.by, at=event.at)
    return _decide(case, decision, case.drafted_remedies)


def _communicated(case: Case, event: Event) -> Case:
    decisions = tuple(
        replace(one, communicated_at=event.at) if one is case.decision else one for one in case.decisions
    )
    undone = any(one.done_at is None for one in case.owed_remedies)
    return replace(
        case,
        decisions=decisions,
        state=State.REMEDYING if undone else case.state,
        last_contact_at=event.at,
        contacted=True,
    )


def _accept(case: Case, event: Event) -> Case:
    accepted = replace(case, reply="accept", reply_at=event.at)
    decision = case.decision
    if decision is not None and decision.short:
        remedies = tuple(
            replace(one, verified_at=event.at, verified_by=event.by) if one.verified_at is None else one
            for one in accepted.remedies
        )
        return replace(accepted, remedies=remedies)
    undone = any(one.done_at is None for one in accepted.owed_remedies)
    return replace(accepted, state=State.REMEDYING) if undone else accepted


def _disagree(case: Case, event: Event) -> Case:
    refused = replace(case, reply="disagree", reply_at=event.at)
    to_level = event.facts.get("to_level")
    if to_level is None:
        return replace(refused, state=State.DISAGREED)
    return _next_level(replace(refused, reply=None), event, int(to_level))


def _next_level(case: Case, event: Event, level: int) -> Case:
    return replace(
        case,
        state=State.ESCALATED,
        level=level,
        level_started_at=event.at,
        owner=None,
        evidence=frozenset(),
        drafted=None,
        drafted_remedies=(),
        question_at=None,
        flags=case.flags - {Flag.QUESTION_OPEN},
    )


def _escalate(case: Case, event: Event) -> Case:
    return _next_level(case, event, case.level + 1)


def _offer_recourse(case: Case, event: Event) -> Case:
    return replace(case, state=State.RECOURSE_OFFERED, recourse_at=event.at)


def _external(case: Case, event: Event) -> Case:
    return replace(case, flags=case.flags | {Flag.EXTERNAL})


def _conclude_external(case: Case, event: Event) -> Case:
    flagged = _external(case, event)
    comply_by = event.facts.get("comply_by")
    if event.facts.get("event") != "final" or not comply_by:
        return flagged
    ordered = RemedyOwed(
        n=len(case.remedies),
        type="other",
        level=case.level,
        due=closing_time(date.fromisoformat(comply_by), case.rules.calendar),
        promised_by=date.fromisoformat(comply_by),
        external=True,
    )
    return replace(
        flagged, remedies=(*case.remedies, ordered), state=State.REMEDYING, close_code=None, closed_at=None
    )


def _one_remedy(case: Case, n: int, **change: Any) -> Case:
    return replace(
        case, remedies=tuple(replace(one, **change) if one.n == n else one for one in case.remedies)
    )


def _remedy_done(case: Case, event: Event) -> Case:
    return _one_remedy(
        case, int(event.facts["remedy"]), done_at=instant(event.facts["done_at"]), done_by=event.by
    )


def _verify(case: Case, event: Event) -> Case:
    return _one_remedy(case, int(event.facts["remedy"]), verified_at=event.at, verified_by=event.by)


def _closed(case: Case, event: Event, code: CloseCode) -> Case:
    ended = replace(case, form_open=False, form_ended_at=event.at) if case.form_open else case
    return replace(ended, state=State.CLOSED, close_code=code, closed_at=event.at, question_at=None)


def _close(case: Case, event: Event) -> Case:
    return _closed(case, event, CloseCode(event.facts["close_code"]))


def _withdraw(case: Case, event: Event) -> Case:
    if event.facts["goes_on"]:
        return replace(case, flags=case.flags | {Flag.WITHDRAWN})
    return _close(case, event)


def _reopen(case: Case, event: Event) -> Case:
    return replace(
        case,
        state=State.INVESTIGATING,
        close_code=None,
        closed_at=None,
        reply=None,
        reply_at=None,
        reopened=case.reopened + 1,
        level_started_at=event.at,
    )


def _receipt(case: Case, event: Event) -> Case:
    danger = case.danger_at is not None and case.danger_receipt_at is None
    return replace(
        case,
        danger_receipt_at=event.at if danger else case.danger_receipt_at,
        executive_receipt_at=event.at if Flag.SIGNIFICANT in case.flags else case.executive_receipt_at,
    )


def _survey(case: Case, event: Event) -> Case:
    return replace(case, surveys=(*case.surveys, str(event.facts["step"])))


def _conflict(case: Case, event: Event) -> Case:
    who = str(event.facts["who"])
    return replace(case, conflicted=case.conflicted | {who}, owner=None if case.owner == who else case.owner)


def _flag(flag: Flag, *, sets: bool) -> Callable[[Case, Event], Case]:
    def change(case: Case, event: Event) -> Case:
        return replace(case, flags=case.flags | {flag} if sets else case.flags - {flag})

    return change


def _erase(case: Case, event: Event) -> Case:
    return replace(case, erased_at=event.at)


_CHANGES: Mapping[Verb, Callable[[Case, Event], Case]] = {
    Verb.ADD: _heard,
    Verb.CONFIRM: _confirm,
    Verb.END_FORM: _end_form,
    Verb.ACKNOWLEDGE: _acknowledge,
    Verb.FAIL_DELIVERY: _fail_delivery,
    Verb.NOTE: _note,
    Verb.PROPOSE: _propose,
    Verb.ASSESS: _assess,
    Verb.REASSESS: _assess,
    Verb.RECLASSIFY: _reclassify,
    Verb.ASSIGN: _assign,
    Verb.REPLY: _contact,
    Verb.ASK: _ask,
    Verb.ANSWER: _answer,
    Verb.INFORM: _contact,
    Verb.INVESTIGATE: _investigate,
    Verb.RESOLVE: _resolve,
    Verb.RESPOND: _respond,
    Verb.APPROVE: _approve,
    Verb.COMMUNICATE_DECISION: _communicated,
    Verb.ACCEPT: _accept,
    Verb.DISAGREE: _disagree,
    Verb.ESCALATE: _escalate,
    Verb.OFFER_RECOURSE: _offer_recourse,
    Verb.NOTIFY_EXTERNAL: _external,
    Verb.CONCLUDE_EXTERNAL: _conclude_external,
    Verb.REMEDY_DONE: _remedy_done,
    Verb.VERIFY: _verify,
    Verb.CLOSE: _close,
    Verb.LAPSE: _close,
    Verb.WITHDRAW: _withdraw,
    Verb.REOPEN: _reopen,
    Verb.NOT_ACCEPT: _close,
    Verb.MERGE: _close,
    Verb.RESTRICT: _flag(Flag.RESTRICTED, sets=True),
    Verb.UNRESTRICT: _flag(Flag.RESTRICTED, sets=False),
    Verb.HOLD: _flag(Flag.LEGAL_HOLD, sets=True),
    Verb.RELEASE: _flag(Flag.LEGAL_HOLD, sets=False),
    Verb.DECLARE_CONFLICT: _conflict,
    Verb.RECEIPT: _receipt,
    Verb.SURVEY: _survey,
    Verb.ERASE: _erase,
}
