"""Every verb in one row: its clause, who may do it, which moves it makes, what it checks and what it changes.

To add a verb, write one row here, its two functions in the module of its stage, its form in `forms.py` and its
texts. Permissions, the lifecycle, the version of the work and docs/lifecycle.md all come from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from complaints.actions import (
    access,
    approval,
    assessment,
    closing,
    correspondence,
    decision,
    intake,
    investigation,
    redate,
    remedies,
    reply_and_recourse,
)
from complaints.actions.request import ActionRequest, accept_as_given
from complaints.case import Case, Event, Facts
from complaints.deadlines.targets import revise
from complaints.event_facts import (
    ANY_FACTS,
    LINK,
    MESSAGE,
    OFFLINE,
    PEOPLE,
    PROPOSAL,
    FactShapes,
    code,
    codes,
    flag,
    form_facts,
    one_of,
    whole,
)
from complaints.lifecycle import ANSWERED, DECIDABLE, EVERY, OPEN, UNDECIDED, Move, goes, stays
from complaints.permissions import HANDLERS, MANAGERS
from complaints.vocabulary import Role, State, Target, Verb

_SYSTEM = frozenset({Role.SYSTEM})
_COMPLAINANT = frozenset({Role.COMPLAINANT})
_INTAKE = frozenset({Role.INTAKE})

#: The roles whose act makes every view that staff have open out of date (docs/surfaces.md, "Versions").
STAFF: frozenset[Role] = frozenset(Role) - {Role.SYSTEM, Role.MODEL, Role.COMPLAINANT}
STAFF_AND_COMPLAINANT: frozenset[Role] = STAFF | _COMPLAINANT
NOBODY: frozenset[Role] = frozenset()

Dates = dict[str, list[dict[str, Any]]]


def _revised_dates(before: Case, after: Case, event: Event) -> Dates:
    return revise(after, event.at)


@dataclass(frozen=True)
class Action:
    """One verb.

    `check` returns the facts of the event or raises ComplaintError; `apply` gives the case after the event, also
    for every event of the past. `dates` gives the due times that the event sets or meets.
    """

    #: The clause of ISO 10002:2004 that the verb carries out; `amends case history` prints it.
    clause: str
    roles: frozenset[Role]
    moves: Move
    apply: Callable[[Case, Event], Case]
    check: Callable[[Case, ActionRequest], Facts] = accept_as_given
    facts: FactShapes = ANY_FACTS
    dates: Callable[[Case, Case, Event], Dates] = _revised_dates
    raises_work_version: frozenset[Role] = STAFF
    #: Only the owner, the deputy of an absent owner, or a manager may do it.
    owner_only: bool = False
    #: Reserved for managers: if a manager is complained about, only top management may do it.
    manager_only: bool = False
    #: The person judges the complaint at this level, so they may not judge it at a higher one.
    judges: bool = False
    #: Needs a person who has not judged the complaint at a lower level.
    needs_independence: bool = False
    #: The role that does it must be one that decides at the level of the case.
    needs_level_role: bool = False
    #: Possible for a person who may not read a restricted case.
    without_reading: bool = False
    #: A message of staff to the complainant; the first one ends the questions.
    is_staff_message: bool = False
    #: The event carries the rules that the complaint is under from then on.
    changes_rules: bool = False


ACTIONS: Mapping[Verb, Action] = {
    # intake
    Verb.RECEIVE: Action(
        clause="7.2",
        roles=_COMPLAINANT | HANDLERS | _INTAKE,
        moves=Move(begins=State.RECEIVED),
        raises_work_version=NOBODY,
        facts=MESSAGE,
        # `receive` calls intake.check_receive, which needs an arrival instead of a case.
        apply=intake.apply_receive,
    ),
    Verb.ADD: Action(
        clause="7.2",
        roles=_COMPLAINANT,
        moves=stays(EVERY),
        raises_work_version=NOBODY,
        facts=MESSAGE,
        apply=intake.apply_words,
    ),
    Verb.CONFIRM: Action(
        clause="7.2",
        roles=_COMPLAINANT,
        moves=stays(OPEN),
        raises_work_version=NOBODY,
        apply=intake.apply_confirm,
    ),
    Verb.END_FORM: Action(
        clause="7.2",
        roles=_SYSTEM | _COMPLAINANT,
        moves=stays(OPEN),
        raises_work_version=NOBODY,
        check=intake.check_end_form,
        apply=intake.apply_end_form,
    ),
    Verb.ACKNOWLEDGE: Action(
        clause="7.4",
        # The person who logs a complaint reads the acknowledgement out.
        roles=_SYSTEM | HANDLERS | _INTAKE,
        moves=stays(EVERY),
        raises_work_version=NOBODY,
        facts=OFFLINE.plus(level=whole(1)),
        check=intake.check_acknowledge,
        apply=intake.apply_acknowledge,
    ),
    Verb.FAIL_DELIVERY: Action(
        clause="7.3",
        roles=_SYSTEM,
        moves=stays(EVERY),
        raises_work_version=NOBODY,
        apply=correspondence.apply_fail_delivery,
    ),
    Verb.PROPOSE: Action(
        clause="7.5",
        roles=frozenset({Role.MODEL}),
        moves=stays(UNDECIDED),
        raises_work_version=NOBODY,
        facts=PROPOSAL,
        check=intake.check_propose,
        apply=intake.apply_propose,
    ),
    # assessment
    Verb.ASSESS: Action(
        clause="7.5",
        roles=HANDLERS,
        moves=Move({**stays(UNDECIDED).ways, State.RECEIVED: (State.ASSESSED,)}),
        needs_independence=True,
        facts=form_facts("assess"),
        check=assessment.check_assess,
        apply=assessment.apply_assess,
    ),
    Verb.REASSESS: Action(
        clause="7.5",
        roles=HANDLERS,
        moves=stays(OPEN),
        needs_independence=True,
        facts=form_facts("assess"),
        check=assessment.check_reassess,
        apply=assessment.apply_assess,
    ),
    Verb.RECLASSIFY: Action(
        clause="3",
        roles=HANDLERS,
        moves=stays(UNDECIDED),
        facts=form_facts("reclassify"),
        check=assessment.check_reclassify,
        apply=assessment.apply_reclassify,
    ),
    Verb.ASSIGN: Action(
        clause="4.9",
        roles=HANDLERS,
        moves=stays(OPEN),
        facts=FactShapes(shapes={"owner": code, "batch": code}),
        check=assessment.check_assign,
        apply=assessment.apply_assign,
    ),
    # correspondence
    Verb.NOTE: Action(
        clause="7.3",
        roles=HANDLERS | _INTAKE,
        moves=stays(EVERY),
        raises_work_version=NOBODY,
        facts=FactShapes(shapes={**OFFLINE.shapes, **form_facts("note").shapes}),
        check=correspondence.check_note,
        apply=correspondence.apply_note,
    ),
    Verb.REPLY: Action(
        clause="7.3",
        roles=HANDLERS,
        moves=stays(EVERY),
        is_staff_message=True,
        facts=form_facts("reply"),
        check=correspondence.check_reply,
        apply=correspondence.apply_reply,
    ),
    Verb.ASK: Action(
        clause="7.6",
        roles=HANDLERS,
        moves=stays(OPEN),
        is_staff_message=True,
        facts=form_facts("ask"),
        check=correspondence.check_ask,
        apply=correspondence.apply_ask,
    ),
    Verb.ANSWER: Action(
        clause="7.6",
        roles=_COMPLAINANT,
        moves=stays(OPEN),
        raises_work_version=NOBODY,
        facts=MESSAGE,
        apply=intake.apply_words,
    ),
    Verb.INFORM: Action(
        clause="7.3",
        roles=HANDLERS | _SYSTEM,
        moves=stays(OPEN),
        is_staff_message=True,
        check=correspondence.check_inform,
        apply=correspondence.apply_inform,
    ),
    # investigation and decision
    Verb.INVESTIGATE: Action(
        clause="7.6",
        roles=HANDLERS,
        moves=goes(UNDECIDED, State.INVESTIGATING),
        judges=True,
        needs_independence=True,
        facts=form_facts("investigate"),
        check=investigation.check_investigate,
        apply=investigation.apply_investigate,
    ),
    Verb.RESOLVE: Action(
        clause="7.7",
        roles=HANDLERS,
        moves=goes(DECIDABLE - {State.ESCALATED}, State.DECIDED),
        owner_only=True,
        judges=True,
        needs_independence=True,
        needs_level_role=True,
        is_staff_message=True,
        facts=form_facts("resolve"),
        check=decision.check_resolve,
        apply=decision.apply_resolve,
    ),
    Verb.RESPOND: Action(
        clause="7.7",
        roles=HANDLERS,
        moves=goes(DECIDABLE, State.DECIDED, or_stays=True),
        owner_only=True,
        judges=True,
        needs_independence=True,
        needs_level_role=True,
        facts=form_facts("decide"),
        check=decision.check_respond,
        apply=decision.apply_respond,
    ),
    Verb.APPROVE: Action(
        clause="7.7",
        roles=MANAGERS,
        moves=Move(
            {
                **stays(OPEN).ways,
                **goes(DECIDABLE, State.DECIDED, State.INVESTIGATING, State.CLOSED, or_stays=True).ways,
                State.RECEIVED: (State.CLOSED, State.RECEIVED),
            }
        ),
        manager_only=True,
        judges=True,
        needs_independence=True,
        facts=form_facts("approve"),
        check=approval.check_approve,
        apply=approval.apply_approve,
        dates=approval.approve_dates,
    ),
    Verb.COMMUNICATE_DECISION: Action(
        clause="7.8",
        roles=_SYSTEM | HANDLERS,
        moves=goes(ANSWERED, State.REMEDYING, or_stays=True),
        raises_work_version=NOBODY,
        facts=OFFLINE.plus(seq=whole(1)),
        check=decision.check_communicate_decision,
        apply=decision.apply_communicate_decision,
    ),
    # the complainant's reply, the next level and the outside
    Verb.ACCEPT: Action(
        clause="7.9",
        roles=_COMPLAINANT | HANDLERS,
        moves=goes(ANSWERED, State.REMEDYING, or_stays=True),
        raises_work_version=STAFF_AND_COMPLAINANT,
        facts=OFFLINE,
        check=reply_and_recourse.check_accept,
        apply=reply_and_recourse.apply_accept,
    ),
    Verb.DISAGREE: Action(
        clause="7.9",
        roles=_COMPLAINANT | HANDLERS,
        moves=goes(ANSWERED, State.ESCALATED, State.DISAGREED),
        raises_work_version=STAFF_AND_COMPLAINANT,
        facts=OFFLINE.plus(reviewers=whole(0)),
        check=reply_and_recourse.check_disagree,
        apply=reply_and_recourse.apply_disagree,
    ),
    Verb.ESCALATE: Action(
        clause="F",
        roles=HANDLERS,
        moves=goes(UNDECIDED, State.ESCALATED),
        check=investigation.check_escalate,
        apply=investigation.apply_escalate,
    ),
    Verb.OFFER_RECOURSE: Action(
        clause="7.9",
        roles=_SYSTEM | HANDLERS,
        moves=goes((State.DISAGREED,), State.RECOURSE_OFFERED),
        raises_work_version=NOBODY,
        facts=OFFLINE,
        check=reply_and_recourse.check_offer_recourse,
        apply=reply_and_recourse.apply_offer_recourse,
    ),
    Verb.NOTIFY_EXTERNAL: Action(
        clause="7.9",
        roles=HANDLERS,
        moves=stays(EVERY),
        facts=form_facts("external"),
        check=reply_and_recourse.check_notify_external,
        apply=reply_and_recourse.apply_notify_external,
    ),
    Verb.CONCLUDE_EXTERNAL: Action(
        clause="7.9",
        roles=HANDLERS,
        moves=goes(EVERY, State.REMEDYING, or_stays=True),
        facts=form_facts("external"),
        check=reply_and_recourse.check_conclude_external,
        apply=reply_and_recourse.apply_conclude_external,
    ),
    # remedies and dates
    Verb.REMEDY_DONE: Action(
        clause="7.7",
        roles=HANDLERS,
        moves=stays(OPEN),
        facts=form_facts("remedy"),
        check=remedies.check_remedy_done,
        apply=remedies.apply_remedy_done,
    ),
    Verb.REMEDY_LATE: Action(
        clause="7.7",
        roles=_SYSTEM,
        moves=stays(OPEN),
        raises_work_version=NOBODY,
        facts=FactShapes(frozenset({"remedy"}), {"remedy": whole(0)}),
        check=remedies.check_remedy_late,
        apply=remedies.apply_remedy_late,
    ),
    Verb.VERIFY: Action(
        clause="D",
        roles=HANDLERS,
        moves=stays(OPEN),
        facts=form_facts("verify"),
        check=remedies.check_verify,
        apply=remedies.apply_verify,
    ),
    Verb.EXTEND: Action(
        clause="7.3",
        roles=HANDLERS,
        moves=stays(OPEN),
        facts=form_facts("extend").plus(target=one_of(*Target), of=whole(0)),
        check=investigation.check_extend,
        apply=investigation.apply_extend,
        dates=investigation.extend_dates,
    ),
    Verb.REDATE: Action(
        clause="7.3",
        # The operator, at the command line.
        roles=_SYSTEM,
        moves=stays(OPEN),
        changes_rules=True,
        facts=FactShapes(
            frozenset({"rulebook", "before", "jurisdiction"}),
            {"rulebook": code, "before": code, "jurisdiction": code, "later": flag},
        ),
        check=redate.check_redate,
        apply=redate.apply_redate,
        dates=redate.redate_dates,
    ),
    # the end
    Verb.CLOSE: Action(
        clause="7.9",
        roles=HANDLERS,
        moves=goes((State.DECIDED, State.REMEDYING, State.RECOURSE_OFFERED), State.CLOSED),
        owner_only=True,
        facts=FactShapes(shapes=form_facts("close").shapes),
        check=closing.check_close,
        apply=closing.apply_close,
    ),
    Verb.LAPSE: Action(
        clause="7.9",
        roles=_SYSTEM,
        moves=goes(ANSWERED, State.CLOSED),
        check=closing.check_lapse,
        apply=closing.apply_close,
    ),
    Verb.WITHDRAW: Action(
        clause="7.9",
        roles=_COMPLAINANT | HANDLERS,
        moves=goes(OPEN, State.CLOSED, or_stays=True),
        raises_work_version=STAFF_AND_COMPLAINANT,
        facts=OFFLINE,
        check=closing.check_withdraw,
        apply=closing.apply_withdraw,
    ),
    Verb.REOPEN: Action(
        clause="7.9",
        roles=_COMPLAINANT | MANAGERS,
        moves=goes((State.CLOSED,), State.INVESTIGATING),
        manager_only=True,
        raises_work_version=STAFF_AND_COMPLAINANT,
        check=closing.check_reopen,
        apply=closing.apply_reopen,
    ),
    Verb.NOT_ACCEPT: Action(
        clause="7.9",
        roles=MANAGERS,
        moves=goes(UNDECIDED, State.CLOSED),
        manager_only=True,
        check=closing.check_not_accept,
        apply=closing.apply_close,
    ),
    # access
    Verb.LINK: Action(
        clause="7.6",
        roles=HANDLERS | _COMPLAINANT,
        moves=stays(EVERY),
        facts=LINK,
        check=access.check_link,
        apply=access.apply_link,
    ),
    Verb.MERGE: Action(
        clause="7.6",
        roles=HANDLERS,
        moves=goes(OPEN, State.CLOSED),
        facts=FactShapes(frozenset({"other_ref"}), {"other_ref": code, "other_complainant": code}),
        check=closing.check_merge,
        apply=closing.apply_merge,
    ),
    Verb.BIND: Action(
        clause="4.3",
        roles=_COMPLAINANT | HANDLERS,
        moves=stays(EVERY),
        facts=FactShapes(shapes={"person": code}),
        check=correspondence.check_bind,
        apply=correspondence.apply_bind,
    ),
    Verb.RESTRICT: Action(
        clause="4.7",
        roles=HANDLERS | _SYSTEM,
        moves=stays(EVERY),
        facts=FactShapes(shapes={"subject": code, "subjects": codes, **PEOPLE}),
        check=access.check_restrict,
        apply=access.apply_restrict,
    ),
    Verb.UNRESTRICT: Action(
        clause="4.7",
        roles=MANAGERS,
        moves=stays(EVERY),
        manager_only=True,
        check=access.check_unrestrict,
        apply=access.apply_unrestrict,
    ),
    Verb.DECLARE_CONFLICT: Action(
        clause="4.5",
        roles=HANDLERS,
        moves=stays(EVERY),
        without_reading=True,
        facts=FactShapes(frozenset({"who"}), {"who": code, **PEOPLE}),
        check=access.check_declare_conflict,
        apply=access.apply_declare_conflict,
    ),
    Verb.HOLD: Action(
        clause="8.1",
        roles=MANAGERS,
        moves=stays(EVERY),
        manager_only=True,
        check=access.check_hold,
        apply=access.apply_hold,
    ),
    Verb.RELEASE: Action(
        clause="8.1",
        roles=MANAGERS,
        moves=stays(EVERY),
        manager_only=True,
        check=access.check_release,
        apply=access.apply_release,
    ),
    # receipt of a danger, survey, erasure
    Verb.RECEIPT: Action(
        clause="5.3",
        roles=MANAGERS | {Role.ON_CALL},
        moves=stays(EVERY),
        raises_work_version=NOBODY,
        without_reading=True,
        facts=FactShapes(shapes={"of": one_of("danger", "executive")}),
        check=investigation.check_receipt,
        apply=investigation.apply_receipt,
    ),
    Verb.SURVEY: Action(
        clause="8.3",
        roles=_COMPLAINANT | _SYSTEM,
        moves=stays(EVERY),
        raises_work_version=NOBODY,
        facts=FactShapes(frozenset({"step"}), {"step": code}),
        apply=correspondence.apply_survey,
    ),
    Verb.ERASE: Action(
        clause="8.1",
        roles=_SYSTEM | {Role.TOP_MANAGEMENT},
        moves=stays((State.CLOSED,)),
        raises_work_version=NOBODY,
        check=closing.check_erase,
        apply=closing.apply_erase,
    ),
}


def raises_work_version(event: Event) -> bool:
    """True when the event changed what staff act on: an act of staff, or a reply of the complainant."""
    return event.role in ACTIONS[event.verb].raises_work_version
