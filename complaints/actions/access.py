"""Who may see a complaint: restriction, conflicts of interest, legal hold, links (4.5, 4.7, 8.1, C).

Also the fair treatment of staff complained about (Annex C): information, hearing, support, outcome.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial

from complaints.actions.action import (
    BY_COMPLAINANT,
    BY_SYSTEM,
    Action,
    ActionRequest,
    Fetched,
    WordKind,
    require_words,
    stays,
)
from complaints.actions.danger import raised_alarms
from complaints.actors import HANDLERS, MANAGERS, is_excluded, may_manage, may_read
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Fairness, RecordedSign
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.event_facts import LINK, PEOPLE, FactShapes, code, codes
from complaints.identifiers import parse_reference
from complaints.incidents import joining
from complaints.times import local_time, parse_time
from complaints.vocabulary import EVERY, Flag, Role, Verb

#: A manager's reason for not yet telling the person complained about is reviewed within this time (C).
REVIEW_WITHIN = "5 bd"

#: The facts with a time of fair treatment, and the field of `Fairness` that each one sets.
_FAIRNESS_TIMES = {
    "subject_informed_at": "informed_at",
    "subject_heard_at": "heard_at",
    "subject_supported_at": "supported_at",
    "subject_outcome_at": "outcome_at",
}


# restriction and legal hold


def check_restrict(case: Case, request: ActionRequest) -> Facts:
    """Keep the complaint in the restricted channel; a manager may also name the member concerned (`subject`)."""
    if request.actor.is_staff:
        require_words(request, "reason", BadFacts.worded("required:restrict", ref=case.ref))
    facts = {name: value for name, value in request.facts.items() if name != "subject"}
    subject = request.facts.get("subject")
    if subject is not None:
        if not may_manage(case, request.actor):
            raise NotAllowed.worded("not_allowed.manager:name_subject", ref=case.ref)
        facts["subjects"] = [str(subject)]
    new = frozenset(facts.get("subjects", ())) - case.subjects
    if not new and Flag.RESTRICTED in case.flags:
        raise AlreadyDone.worded("already_so:restrict", ref=case.ref)
    return facts


def apply_restrict(case: Case, event: Event) -> Case:
    return name_subjects(changed(case, flags=case.flags | {Flag.RESTRICTED}), event)


def check_unrestrict(case: Case, request: ActionRequest) -> Facts:
    """A manager ends the restriction (4.7)."""
    return _check_flag(case, request, Flag.RESTRICTED, sets=False)


def apply_unrestrict(case: Case, event: Event) -> Case:
    """No longer restricted, and a proposal of the model does not restrict it again."""
    return changed(case, released=True, flags=case.flags - {Flag.RESTRICTED})


def is_on_hold(case: Case, now: datetime) -> bool:
    """True if a legal hold forbids erasure now (8.1): until it is released, or to the end of its last day."""
    today = local_time(now, case.rules.calendar.zone).date()
    return Flag.LEGAL_HOLD in case.flags and (case.hold_until is None or today <= case.hold_until)


def check_hold(case: Case, request: ActionRequest) -> Facts:
    """A legal hold forbids erasure (8.1); repeating it changes its last day."""
    if str(case.hold_until or "") != str(request.facts.get("hold_until") or ""):
        case = changed(case, flags=case.flags - {Flag.LEGAL_HOLD})
    return _check_flag(case, request, Flag.LEGAL_HOLD, sets=True)


def apply_hold(case: Case, event: Event) -> Case:
    until = event.facts.get("hold_until")
    last = date.fromisoformat(str(until)) if until else None
    return changed(case, hold_until=last, flags=case.flags | {Flag.LEGAL_HOLD})


def check_release(case: Case, request: ActionRequest) -> Facts:
    """End the legal hold (8.1)."""
    return _check_flag(case, request, Flag.LEGAL_HOLD, sets=False)


def apply_release(case: Case, event: Event) -> Case:
    return changed(case, hold_until=None, flags=case.flags - {Flag.LEGAL_HOLD})


def check_processing(case: Case, request: ActionRequest, *, restricts: bool) -> Facts:
    """The person has the use of their data restricted, or the restriction ends (GDPR, Article 18)."""
    return _check_flag(case, request, Flag.PROCESSING_RESTRICTED, sets=restricts)


def apply_processing(case: Case, event: Event, *, restricts: bool) -> Case:
    flag = {Flag.PROCESSING_RESTRICTED}
    return changed(case, flags=case.flags | flag if restricts else case.flags - flag)


def _check_flag(case: Case, request: ActionRequest, flag: Flag, *, sets: bool) -> Facts:
    if request.actor.is_staff:
        require_words(
            request, "reason", BadFacts.worded("required:flag", verb=request.verb.value, ref=case.ref)
        )
    if (flag in case.flags) is sets:
        raise AlreadyDone.worded(
            "already_so:flag", ref=case.ref, state=flag.value if sets else "not " + flag.value
        )
    return request.facts


# conflicts of interest


def check_declare_conflict(case: Case, request: ActionRequest) -> Facts:
    """Step aside, or name a person who must: that person can no longer act on the complaint nor see it (4.5)."""
    require_words(request, "reason", BadFacts.worded("required:declare_conflict", ref=case.ref))
    member = str(request.facts["who"])
    if request.actor.is_staff and member != request.actor.id and not may_read(case, request.actor):
        # Otherwise a member who is not cleared could find out by trying names who the complaint is about.
        raise NotAllowed.worded("not_allowed.restricted:declare_conflict", ref=case.ref)
    if is_excluded(case, member):
        raise AlreadyDone.worded("already_so:declare_conflict", member=member, ref=case.ref)
    return request.facts


def apply_declare_conflict(case: Case, event: Event) -> Case:
    facts = event.facts
    member = {str(facts["who"])} if facts.get("who") else set()
    people = case.conflicted | member | set(facts.get("handlers", ()))
    return _drop_excluded_owner(changed(case, conflicted=people), event)


def recorded_signs(event: Event) -> tuple[RecordedSign, ...]:
    """The safety signs in the facts of an event."""
    return tuple(
        RecordedSign(
            sign["rule"],
            sign["severity"],
            sign["safety"],
            sign["danger"],
            event.at,
            event.seq,
            bool(sign.get("look")),
            str(sign.get("language", "")),
        )
        for sign in event.facts.get("signs", ())
    )


def name_subjects(case: Case, event: Event) -> Case:
    """The members of staff named in this event are complained about; they and their managers are excluded.

    The fair treatment starts again for a member who is named for the first time.
    """
    facts = event.facts
    new = frozenset(facts.get("subjects", ())) - case.subjects
    if new:
        roles = case.fairness.roles | frozenset(facts.get("subject_roles", ()))
        case = changed(
            case,
            subjects=case.subjects | new,
            excluded_managers=case.excluded_managers | frozenset(facts.get("lines", ())),
            fairness=Fairness(roles=roles, named_at=event.at),
            flags=case.flags | {Flag.RESTRICTED},
        )
    return _drop_excluded_owner(case, event)


def _drop_excluded_owner(case: Case, event: Event) -> Case:
    """An excluded owner loses the complaint (C); `eligible` counts the people left who could decide it."""
    eligible = event.facts.get("eligible")
    return changed(
        case,
        owner=None if case.owner in case.denied else case.owner,
        no_reviewer_left=case.no_reviewer_left if eligible is None else int(eligible) == 0,
    )


# fair treatment of the people complained about


def check_fairness_facts(case: Case, request: ActionRequest) -> None:
    """The times of fair treatment are past; only a manager postpones telling the person complained about.

    The reason for postponing is reviewed within five working days. Raises BadFacts or NotAllowed.
    """
    facts = request.facts
    for name in _FAIRNESS_TIMES:
        if facts.get(name) and parse_time(str(facts[name])) > request.at:
            raise BadFacts.worded("ahead:person_complained_about", field=name, ref=case.ref)
    if not facts.get("subject_not_yet"):
        return
    if not may_manage(case, request.actor):
        raise NotAllowed.worded("not_allowed.manager:put_off", field="subject_not_yet", ref=case.ref)
    review = facts.get("subject_review_by")
    if not review:
        raise BadFacts.worded("required:review_day", field="subject_review_by", ref=case.ref)
    until = closing_time(date.fromisoformat(str(review)), case.rules.calendar)
    if until <= request.at:
        raise BadFacts.worded("not_ahead:review_day", field="subject_review_by", ref=case.ref)
    if until > due(request.at, REVIEW_WITHIN, case.rules.calendar).at:
        raise BadFacts.worded(
            "too_far:fairness_facts", field="subject_review_by", ref=case.ref, within=REVIEW_WITHIN
        )


def record_fairness(case: Case, event: Event) -> Case:
    """Keep the times of information, hearing, support and outcome, or the reason for waiting (Annex C).

    The first time of each counts, except for the outcome: a new decision has an outcome of its own. If the step is
    withdrawn, there was no hearing.
    """
    facts, before = event.facts, case.fairness
    if "subject_heard" in facts.get("withdrawn", ()):
        before = changed(before, heard_at=None)
    times = {
        field: parse_time(str(facts[fact]))
        for fact, field in _FAIRNESS_TIMES.items()
        if facts.get(fact) and (getattr(before, field) is None or field == "outcome_at")
    }
    if "subject_heard" in facts.get("evidence", ()) and before.heard_at is None:
        times.setdefault("heard_at", event.at)
    fairness = changed(before, **times)
    if facts.get("subject_not_yet"):
        review = date.fromisoformat(str(facts["subject_review_by"]))
        fairness = changed(fairness, not_yet=str(facts["subject_not_yet"]), review_by=review)
    return case if fairness == case.fairness else changed(case, fairness=fairness)


# links to another complaint or to an incident


def check_link(case: Case, request: ActionRequest) -> Facts:
    """Link two complaints, or one to an incident; each keeps its own clock, answer and recourse (7.6).

    The complainant may only confirm that the complaint belongs to the incident they were asked about.
    """
    facts = dict(request.facts)
    joins = facts.get("incident") is not None
    if joins:
        facts.update(joining(case, request.facts, request.actor))
    elif request.role is Role.COMPLAINANT:
        raise NotAllowed.worded("not_allowed.role:link", ref=case.ref)
    if not joins or facts.get("other_ref"):
        facts["other_ref"] = other_reference(case, request.facts)
    if facts.get("relation") == "merged" and facts.get("other_complainant") != case.complainant:
        raise NotAllowed.worded(
            "not_allowed.other_person", field="other_ref", ref=case.ref, other=facts["other_ref"]
        )
    return facts


def apply_link(case: Case, event: Event) -> Case:
    facts = event.facts
    if facts.get("incident") is None:
        return _linked(case, event)
    if facts.get("left"):
        return changed(case, incident=None, second_issue=False)
    return changed(case, incident=int(facts["incident"]), second_issue=bool(facts.get("second_issue")))


def other_reference(case: Case, facts: Facts) -> str:
    """The other complaint's reference in its usual form; raises BadFacts if it is invalid or this complaint."""
    if not facts.get("other_ref"):
        raise BadFacts.worded("required:other_reference", field="other_ref", ref=case.ref)
    other = parse_reference(str(facts["other_ref"]))
    if other is None:
        raise BadFacts.worded("not_a_reference", field="other_ref")
    if other == case.ref:
        raise BadFacts.worded("same_reference", field="other_ref", ref=case.ref)
    return other


def _linked(case: Case, event: Event) -> Case:
    """A complaint about our handling goes to other people; an ordinary link changes nothing."""
    other = str(event.facts["other_ref"])
    match event.facts.get("relation"):
        case "about_handling_of":
            flags = case.flags | {Flag.RESTRICTED, Flag.ABOUT_HANDLING}
            return apply_declare_conflict(changed(case, about=(*case.about, other), flags=flags), event)
        case "merged":
            return _absorb(case, event, other)
        case _:
            return case


def _absorb(case: Case, event: Event, other: str) -> Case:
    """Take over a duplicate: the earlier receipt counts, and its safety signs, subjects and restriction are added."""
    facts = event.facts
    received = min(case.received_at, parse_time(str(facts["received_at"])))
    signs = recorded_signs(event)
    merged = changed(
        case,
        merged=(*case.merged, other),
        received_at=received,
        level_started_at=received if case.level_started_at == case.received_at else case.level_started_at,
        signs=case.signs + signs,
        alarms=raised_alarms(case, event, signs),
        flags=case.flags | ({Flag.RESTRICTED} if facts.get("restricted") else set()),
    )
    return apply_declare_conflict(name_subjects(merged, event), event)


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.LINK: Action(
        "7.6", HANDLERS | BY_COMPLAINANT, stays(EVERY),
        check=check_link, apply=apply_link,
        words=WordKind.INTERNAL, form="link", other_forms=("incident",), facts=LINK, fetches=Fetched.LINKED,
    ),
    Verb.RESTRICT: Action(
        "4.7", HANDLERS | BY_SYSTEM, stays(EVERY),
        check=check_restrict, apply=apply_restrict,
        words=WordKind.INTERNAL, form="restrict",
        facts=FactShapes(shapes={"subject": code, "subjects": codes, **PEOPLE}), fetches=Fetched.CONFLICTS,
        is_work=False,
    ),
    Verb.UNRESTRICT: Action(
        "4.7", MANAGERS, stays(EVERY),
        check=check_unrestrict, apply=apply_unrestrict,
        words=WordKind.INTERNAL, form="unrestrict", manager_only=True, is_work=False,
    ),
    Verb.DECLARE_CONFLICT: Action(
        "4.5", HANDLERS, stays(EVERY),
        check=check_declare_conflict, apply=apply_declare_conflict,
        words=WordKind.INTERNAL, form="conflict", facts=FactShapes(frozenset({"who"}), {"who": code, **PEOPLE}),
        fetches=Fetched.CONFLICTS, without_reading=True, is_work=False,
    ),
    Verb.HOLD: Action(
        "8.1", MANAGERS | BY_SYSTEM, stays(EVERY),
        check=check_hold, apply=apply_hold,
        words=WordKind.INTERNAL, form="hold", manager_only=True, is_work=False,
    ),
    Verb.RELEASE: Action(
        "8.1", MANAGERS | BY_SYSTEM, stays(EVERY),
        check=check_release, apply=apply_release,
        words=WordKind.INTERNAL, form="release", manager_only=True, is_work=False,
    ),
    **{
        verb: Action(
            "8.1", BY_SYSTEM, stays(EVERY),
            check=partial(check_processing, restricts=restricts),
            apply=partial(apply_processing, restricts=restricts),
            words=WordKind.INTERNAL, is_work=False,
        )
        for verb, restricts in ((Verb.RESTRICT_PROCESSING, True), (Verb.RESUME_PROCESSING, False))
    },
}
# fmt: on
