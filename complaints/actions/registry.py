"""Every verb in one row: its clause, who may do it, which moves it makes, what it checks and what it changes.

To add a verb, write one row here, its two functions in the module of its stage, its form in `forms.toml` and its
texts. Permissions, the lifecycle, the version of the work and docs/lifecycle.md all come from this table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from complaints.actions import (
    access,
    approval,
    assessment,
    closing,
    conduct,
    correspondence,
    danger,
    decision,
    evidence,
    intake,
    investigation,
    remedies,
    reply_and_recourse,
)
from complaints.actions.request import ActionRequest, accept_as_given
from complaints.actors import HANDLERS, MANAGERS, READERS
from complaints.case import Case, Event, Facts
from complaints.deadlines.targets import revise
from complaints.event_facts import (
    ANY_FACTS,
    DRAW,
    LINK,
    MESSAGE,
    OFFLINE,
    PEOPLE,
    PROPOSAL,
    TALK_FACTS,
    FactShapes,
    code,
    codes,
    flag,
    form_facts,
    moment,
    one_of,
    whole,
)
from complaints.obligations import per_event
from complaints.obligations.kinds import NewObligation
from complaints.vocabulary import ANSWERED, DECIDABLE, EVERY, OPEN, UNDECIDED, Role, State, Target, Verb

_SYSTEM = frozenset({Role.SYSTEM})
_COMPLAINANT = frozenset({Role.COMPLAINANT})
_INTAKE = frozenset({Role.INTAKE})

#: The roles whose act makes every view that staff have open out of date (docs/surfaces.md, "Versions").
STAFF: frozenset[Role] = frozenset(Role) - {Role.SYSTEM, Role.MODEL, Role.COMPLAINANT}
STAFF_AND_COMPLAINANT: frozenset[Role] = STAFF | _COMPLAINANT
NOBODY: frozenset[Role] = frozenset()


@dataclass(frozen=True)
class Move:
    """`ways` gives the states that each source may lead to, including itself where it may stay.

    `begins` is the state of a new record.
    """

    ways: Mapping[State, tuple[State, ...]] = field(default_factory=dict)
    begins: State | None = None

    @property
    def sources(self) -> frozenset[State]:
        return frozenset(self.ways)

    @property
    def to(self) -> tuple[State, ...]:
        """The states it may move to, in the order of a complaint's life; empty means that the state stays."""
        reached = {to for source, ways in self.ways.items() for to in ways if to is not source}
        return tuple(state for state in State if state in reached or state is self.begins)


def stays(sources: Iterable[State]) -> Move:
    """Possible in these states; the state does not change."""
    return Move({source: (source,) for source in sources})


def goes(sources: Iterable[State], *to: State, or_stays: bool = False) -> Move:
    """Possible in these states; leads to one of the states `to`."""
    return Move({source: (*to, *((source,) if or_stays else ())) for source in sources})


class Words(Enum):
    """What the words of an event are, and so what the person they are about may see."""

    #: A message of the complainant, also one that staff logged.
    MESSAGE = auto()
    #: Other words of the complainant: a confirmation, an answer to the decision or to the survey.
    STATEMENT = auto()
    #: A letter of staff to the complainant, as it was sent.
    LETTER = auto()
    #: A decision: some of its fields are in the letter, the others are notes.
    DECISION = auto()
    #: A note of staff about the complaint. It is part of the person's data.
    NOTE = auto()
    #: For the desk only, or about other people; or there are no words.
    INTERNAL = auto()


class Fetched(Enum):
    """What the facts of an act need from outside the complaint; the store adds it."""

    #: How many people could review the decision.
    REVIEWERS = auto()
    #: The draw of a decision for a second reader.
    DRAW = auto()
    #: The training that the new owner lacks.
    TRAINING_OF_OWNER = auto()
    #: The same of who assesses, and so takes a complaint without an owner.
    TRAINING_OF_ASSESSOR = auto()
    #: Staff who are named lose access: their managers, their roles, and who is left to handle it.
    CONFLICTS = auto()
    #: The incident that both complaints share, or who handled the other one.
    LINKED = auto()
    #: The complainant of the complaint that this one is merged into.
    MERGED = auto()


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
    words: Words
    #: Raises ComplaintError while the complaint does not admit it, by any person and with any form: then no button
    #: offers it and no form opens.
    requires: Callable[[Case], object] = lambda case: None
    check: Callable[[Case, ActionRequest], Facts] = accept_as_given
    facts: FactShapes = ANY_FACTS
    dates: Callable[[Case, Case, Event], Dates] = _revised_dates
    #: The obligations that its event may leave, apart from those of every event.
    leaves: tuple[Callable[[Case, Event], Iterator[NewObligation]], ...] = ()
    raises_work_version: frozenset[Role] = STAFF
    #: Only the owner, the deputy of an absent owner, or a manager may do it.
    owner_only: bool = False
    #: Reserved for managers: if a manager is complained about, only top management may do it.
    manager_only: bool = False
    #: Only the person who was drawn as its reviewer may do it, and takes no part in the complaint by it.
    reviewer_only: bool = False
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
    #: The form that staff fill in, and the buttons that mean the same act.
    form: str = ""
    other_forms: tuple[str, ...] = ()
    #: Where several verbs have one form: the field that chooses this one, and its values that do.
    chosen_by: tuple[str, tuple[object, ...]] = ("", ())
    #: The choices by which staff record it in the form `given`: by phone, at the counter or by post.
    spoken: tuple[str, ...] = ()
    #: The forms that show the words of this act.
    shown_in: tuple[str, ...] = ()
    #: The event is a line in the thread of the card.
    in_thread: bool = True
    #: Written with others in one decision on many complaints (`batch`): the incident's card shows them, and the
    #: letter with the decision replaces those of each.
    decided_together: bool = False
    #: The text `done.NAME` by which the complainant reads of it in /status; without one it is work inside the team.
    done: str = ""
    #: A step of the bot or the model: it is not among the news after an absence.
    is_automatic: bool = False
    #: Work on what the complaint says; False for acts of staff that route it or guard access to it.
    is_work: bool = True
    #: Who did it must not judge a complaint about how this one was handled (4.5).
    is_handling: bool = False
    #: Refused if the complainant wrote after this person last read the complaint (docs/surfaces.md, "Versions").
    needs_latest: bool = False
    #: Who did it has read the complaint; the complainant can see since when.
    shows_reading: bool = False
    #: Who did it has read the complaint, and so has seen a danger that is only possible (5.3).
    sees_danger: bool = False
    #: What the store adds to its facts.
    fetches: Fetched | None = None
    #: It may name a representative or an affected person, or the support that the complainant needs.
    names_people: bool = False
    #: It may lead to the next level (7.9, F).
    raises_level: bool = False
    #: It answers the newest alarm: after another one it is needed again.
    answers_alarm: bool = False
    #: It can end the complaint (7.9).
    ends: bool = False
    #: What it may ask a second person: the fact `of` of their answer.
    asks: str = ""
    #: The answer of a second person (4.5).
    is_second_person: bool = False
    #: The letter that the system sends before it records this act.
    records: str = ""

    @property
    def begins(self) -> bool:
        """It opens a record."""
        return self.moves.begins is not None

    def __post_init__(self) -> None:
        """Refuse a row that contradicts itself; raises ValueError."""
        contradictions = {
            "ends": self.ends and State.CLOSED not in self.moves.to,
            "is_automatic": self.is_automatic and bool(self.roles & STAFF - {Role.SYSTEM}),
            "is_staff_message": self.is_staff_message and self.words not in (Words.LETTER, Words.DECISION),
            "words": self.words in (Words.MESSAGE, Words.STATEMENT) and Role.COMPLAINANT not in self.roles,
        }
        if wrong := [name for name, is_wrong in contradictions.items() if is_wrong]:
            raise ValueError(f"a row of clause {self.clause} contradicts itself: {', '.join(wrong)}")


# Three lines a verb: clause, roles and moves; the functions; the rest. The formatter would need twice as many.
# fmt: off
ACTIONS: Mapping[Verb, Action] = {
    # intake
    # `receive` calls intake.check_receive, which needs an arrival instead of a case.
    Verb.RECEIVE: Action(
        "7.2", _COMPLAINANT | HANDLERS | _INTAKE, Move(begins=State.RECEIVED),
        apply=intake.apply_receive,
        words=Words.MESSAGE, form="log_complaint", facts=MESSAGE, raises_work_version=NOBODY, in_thread=False,
        names_people=True, done="receive",
    ),
    Verb.ADD: Action(
        "7.2", _COMPLAINANT, stays(EVERY),
        check=intake.check_words, apply=intake.apply_words,
        words=Words.MESSAGE, facts=MESSAGE, raises_work_version=NOBODY, leaves=(per_event.talk_answer,),
        fetches=Fetched.CONFLICTS, names_people=True, done="question",
    ),
    Verb.CONFIRM: Action(
        "7.2", _COMPLAINANT, stays(OPEN),
        apply=intake.apply_confirm,
        words=Words.STATEMENT, raises_work_version=NOBODY, in_thread=False, names_people=True,
    ),
    Verb.END_FORM: Action(
        "7.2", _SYSTEM | _COMPLAINANT, stays(OPEN),
        check=intake.check_end_form, apply=intake.apply_end_form,
        words=Words.INTERNAL, raises_work_version=NOBODY, in_thread=False, is_automatic=True,
    ),
    # HANDLERS, _INTAKE: the person who logs a complaint reads the acknowledgement out.
    Verb.ACKNOWLEDGE: Action(
        "7.4", _SYSTEM | HANDLERS | _INTAKE, stays(EVERY),
        check=intake.check_acknowledge, apply=intake.apply_acknowledge,
        words=Words.INTERNAL, spoken=("acknowledge",), facts=OFFLINE.plus(level=whole(1)),
        raises_work_version=NOBODY, leaves=(per_event.confirmation,), records="acknowledge", done="acknowledge",
    ),
    Verb.FAIL_DELIVERY: Action(
        "7.3", _SYSTEM, stays(EVERY),
        apply=correspondence.apply_fail_delivery,
        words=Words.INTERNAL, raises_work_version=NOBODY,
    ),
    Verb.PROPOSE: Action(
        "7.5", frozenset({Role.MODEL}), stays(UNDECIDED),
        check=intake.check_propose, apply=intake.apply_propose,
        words=Words.INTERNAL, facts=PROPOSAL, raises_work_version=NOBODY, in_thread=False, is_automatic=True,
    ),
    # assessment
    Verb.ASSESS: Action(
        "7.5", HANDLERS, Move({**stays(UNDECIDED).ways, State.RECEIVED: (State.ASSESSED,)}),
        check=assessment.check_assess, apply=assessment.apply_assess,
        words=Words.NOTE, form="assess", shown_in=("decide",), facts=form_facts("assess"),
        leaves=(per_event.first_dates,), fetches=Fetched.TRAINING_OF_ASSESSOR, needs_independence=True,
        is_handling=True, shows_reading=True, sees_danger=True, decided_together=True, done="assess",
    ),
    Verb.REASSESS: Action(
        "7.5", HANDLERS, stays(OPEN),
        check=assessment.check_reassess, apply=assessment.apply_assess,
        words=Words.NOTE, form="assess", chosen_by=("assessed", (True,)), shown_in=("decide",),
        facts=form_facts("assess"), leaves=(per_event.first_dates,), needs_independence=True, is_handling=True,
    ),
    Verb.RECLASSIFY: Action(
        "3", HANDLERS, stays(UNDECIDED),
        requires=assessment.require_reclassifiable, check=assessment.check_reclassify,
        apply=assessment.apply_reclassify,
        words=Words.NOTE, form="reclassify", shown_in=("reclassify",), facts=form_facts("reclassify"),
        leaves=(per_event.second_person,), asks="reclassify",
    ),
    Verb.ASSIGN: Action(
        "4.9", HANDLERS, stays(OPEN),
        check=assessment.check_assign, apply=assessment.apply_assign,
        words=Words.INTERNAL, form="assign", other_forms=("take",),
        facts=FactShapes(shapes={"owner": code, "batch": code}), leaves=(per_event.new_owner,),
        fetches=Fetched.TRAINING_OF_OWNER, is_work=False, done="assign",
    ),
    # correspondence
    Verb.NOTE: Action(
        "7.3", HANDLERS | _INTAKE, stays(EVERY),
        check=correspondence.check_note, apply=correspondence.apply_note,
        words=Words.NOTE, form="note", spoken=("letter", "authority"),
        facts=FactShapes(shapes={**OFFLINE.shapes, **form_facts("note").shapes}), raises_work_version=NOBODY,
        names_people=True,
    ),
    Verb.REPLY: Action(
        "7.3", HANDLERS, stays(EVERY),
        check=correspondence.check_reply, apply=correspondence.apply_reply,
        words=Words.LETTER, form="reply", facts=form_facts("reply"), leaves=(per_event.letter,),
        is_staff_message=True, shows_reading=True, done="reply",
    ),
    Verb.ASK: Action(
        "7.6", HANDLERS, stays(OPEN),
        check=correspondence.check_ask, apply=correspondence.apply_ask,
        words=Words.LETTER, form="ask", facts=form_facts("ask"), leaves=(per_event.letter,),
        is_staff_message=True, shows_reading=True, done="ask",
    ),
    Verb.ANSWER: Action(
        "7.6", _COMPLAINANT, stays(OPEN),
        check=intake.check_words, apply=intake.apply_words,
        words=Words.MESSAGE, facts=MESSAGE, raises_work_version=NOBODY, leaves=(per_event.talk_answer,),
        fetches=Fetched.CONFLICTS, names_people=True, done="answer",
    ),
    # Not `is_staff_message`: a limit on contact never keeps a person from help in a danger. _SYSTEM: only ends it.
    Verb.TALK: Action(
        "7.3", HANDLERS | {Role.ON_CALL} | _SYSTEM, stays(EVERY),
        check=correspondence.check_talk, apply=correspondence.apply_talk,
        words=Words.LETTER, facts=TALK_FACTS, raises_work_version=NOBODY, leaves=(per_event.talk,),
        shows_reading=True, done="reply",
    ),
    Verb.INFORM: Action(
        "7.3", HANDLERS | _SYSTEM, stays(OPEN),
        check=correspondence.check_inform, apply=correspondence.apply_inform,
        words=Words.LETTER, form="inform", leaves=(per_event.letter,), is_staff_message=True, done="reply",
    ),
    Verb.DELIVER: Action(
        "7.3", _SYSTEM, stays(EVERY),
        check=correspondence.check_deliver, apply=correspondence.apply_deliver,
        words=Words.INTERNAL, facts=FactShapes(frozenset({"seq"}), {"seq": whole(1)}), raises_work_version=NOBODY,
        in_thread=False, is_automatic=True, done="reply",
    ),
    Verb.TAKE_BACK: Action(
        "7.3", HANDLERS,
        # Back to the state before the act.
        goes(EVERY, *State),
        check=correspondence.check_take_back, apply=correspondence.apply_take_back,
        words=Words.INTERNAL, form="withdraw_draft", facts=FactShapes(frozenset({"seq"}), {"seq": whole(1)}),
        leaves=(per_event.taken_back,),
    ),
    # investigation and decision
    Verb.INVESTIGATE: Action(
        "7.6", HANDLERS, goes(UNDECIDED, State.INVESTIGATING),
        check=evidence.check_investigate, apply=evidence.apply_investigate,
        words=Words.NOTE, form="investigate", facts=form_facts("investigate").plus(withdrawn=codes), judges=True,
        needs_independence=True, is_handling=True, shows_reading=True, decided_together=True, done="investigate",
    ),
    Verb.RESOLVE: Action(
        "7.7", HANDLERS, goes(DECIDABLE - {State.ESCALATED}, State.DECIDED, or_stays=True),
        requires=decision.require_short, check=decision.check_resolve, apply=decision.apply_resolve,
        words=Words.DECISION, form="resolve", shown_in=("remedy", "verify", "close"),
        facts=form_facts("resolve").plus(**DRAW), leaves=(per_event.decision,), fetches=Fetched.DRAW,
        owner_only=True, judges=True, needs_independence=True, needs_level_role=True, is_staff_message=True,
        needs_latest=True, is_handling=True, sees_danger=True, asks="respond",
    ),
    Verb.RESPOND: Action(
        "7.7", HANDLERS, goes(DECIDABLE, State.DECIDED, or_stays=True),
        requires=decision.require_decidable, check=decision.check_respond, apply=decision.apply_respond,
        words=Words.DECISION, form="decide", shown_in=("remedy", "verify", "close"),
        facts=form_facts("decide").plus(**DRAW), leaves=(per_event.decision,), fetches=Fetched.DRAW,
        owner_only=True, judges=True, needs_independence=True, needs_level_role=True, needs_latest=True,
        is_handling=True, sees_danger=True, asks="respond", decided_together=True,
    ),
    Verb.APPROVE: Action(
        "7.7", MANAGERS,
        Move({
            **stays(OPEN).ways,
            **goes(DECIDABLE, State.DECIDED, State.INVESTIGATING, State.CLOSED, or_stays=True).ways,
            State.RECEIVED: (State.CLOSED, State.RECEIVED),
            # A limit on contact may also be about a closed matter.
            State.CLOSED: (State.CLOSED,),
        }),
        requires=approval.require_approver_awaited,
        check=approval.check_approve, apply=approval.apply_approve, dates=approval.approve_dates,
        words=Words.INTERNAL, form="approve", shown_in=("extend", "reclassify"), facts=form_facts("approve"),
        leaves=(per_event.answer,), manager_only=True, judges=True, needs_independence=True, needs_latest=True,
        is_handling=True, ends=True, is_second_person=True, decided_together=True,
    ),
    # _SYSTEM: sends it unread when the promised date would be missed.
    Verb.CHECK_DECISION: Action(
        "4.5", HANDLERS | _SYSTEM, goes(DECIDABLE, State.DECIDED, State.INVESTIGATING, or_stays=True),
        requires=approval.require_reader_awaited, check=approval.check_check_decision,
        apply=approval.apply_check_decision,
        words=Words.NOTE, form="check_decision", facts=FactShapes(shapes=form_facts("check_decision").shapes),
        leaves=(per_event.answer,), judges=True, needs_independence=True, needs_level_role=True,
        needs_latest=True, is_second_person=True,
    ),
    Verb.COMMUNICATE_DECISION: Action(
        "7.8", _SYSTEM | HANDLERS, goes(ANSWERED, State.REMEDYING, or_stays=True),
        check=decision.check_communicate_decision, apply=decision.apply_communicate_decision,
        words=Words.INTERNAL, spoken=("decision",), facts=OFFLINE.plus(seq=whole(1)), raises_work_version=NOBODY,
        leaves=(per_event.confirmation,), records="decision", done="communicate_decision",
    ),
    # the complainant's reply, the next level and the outside
    Verb.ACCEPT: Action(
        "7.9", _COMPLAINANT | HANDLERS, goes(ANSWERED, State.REMEDYING, or_stays=True),
        check=reply_and_recourse.check_accept, apply=reply_and_recourse.apply_accept,
        words=Words.STATEMENT, form="given", spoken=("accept",), facts=OFFLINE,
        raises_work_version=STAFF_AND_COMPLAINANT, leaves=(per_event.confirmation, per_event.summary),
        done="accept",
    ),
    Verb.DISAGREE: Action(
        "7.9", _COMPLAINANT | HANDLERS, goes(ANSWERED, State.ESCALATED, State.DISAGREED),
        check=reply_and_recourse.check_disagree, apply=reply_and_recourse.apply_disagree,
        words=Words.STATEMENT, spoken=("disagree",), facts=OFFLINE.plus(reviewers=whole(0)),
        raises_work_version=STAFF_AND_COMPLAINANT, leaves=(per_event.confirmation,), fetches=Fetched.REVIEWERS,
        raises_level=True, done="disagree",
    ),
    Verb.ESCALATE: Action(
        "F", HANDLERS, goes(UNDECIDED, State.ESCALATED),
        requires=investigation.require_next_level, check=investigation.check_escalate,
        apply=investigation.apply_escalate,
        words=Words.NOTE, form="escalate", raises_level=True, done="escalate",
    ),
    Verb.OFFER_RECOURSE: Action(
        "7.9", _SYSTEM | HANDLERS, goes((State.DISAGREED,), State.RECOURSE_OFFERED),
        check=reply_and_recourse.check_offer_recourse, apply=reply_and_recourse.apply_offer_recourse,
        words=Words.INTERNAL, spoken=("recourse",), facts=OFFLINE, raises_work_version=NOBODY,
        leaves=(per_event.confirmation,), records="recourse", done="offer_recourse",
    ),
    Verb.NOTIFY_EXTERNAL: Action(
        "7.9", HANDLERS, stays(EVERY),
        check=reply_and_recourse.check_notify_external, apply=reply_and_recourse.apply_notify_external,
        words=Words.NOTE, form="external", facts=form_facts("external"), leaves=(per_event.outside_body,),
        done="notify_external",
    ),
    Verb.CONCLUDE_EXTERNAL: Action(
        "7.9", HANDLERS, goes(EVERY, State.REMEDYING, or_stays=True),
        check=reply_and_recourse.check_conclude_external, apply=reply_and_recourse.apply_conclude_external,
        words=Words.NOTE, form="external", chosen_by=("event", ("final", "complied")),
        shown_in=("remedy", "verify"), facts=form_facts("external"),
        leaves=(per_event.outside_decision, per_event.outside_body), done="conclude_external",
    ),
    # remedies and dates
    Verb.REMEDY_DONE: Action(
        "7.7", HANDLERS, stays(OPEN),
        check=remedies.check_remedy_done, apply=remedies.apply_remedy_done,
        words=Words.NOTE, form="remedy", shown_in=("verify",), facts=form_facts("remedy"),
        leaves=(per_event.remedy_notice,), done="remedy_done",
    ),
    Verb.REMEDY_LATE: Action(
        "7.7", _SYSTEM, stays(OPEN),
        check=remedies.check_remedy_late, apply=remedies.apply_remedy_late,
        words=Words.INTERNAL, facts=FactShapes(frozenset({"remedy"}), {"remedy": whole(0)}),
        raises_work_version=NOBODY, leaves=(per_event.remedy_notice,),
    ),
    Verb.VERIFY: Action(
        "D", HANDLERS, stays(OPEN),
        check=remedies.check_verify, apply=remedies.apply_verify,
        words=Words.NOTE, form="verify", facts=form_facts("verify"), done="verify",
    ),
    Verb.EXTEND: Action(
        "7.3", HANDLERS, stays(OPEN),
        check=investigation.check_extend, apply=investigation.apply_extend, dates=investigation.extend_dates,
        words=Words.NOTE, form="extend", shown_in=("extend",),
        facts=form_facts("extend").plus(target=one_of(*Target), of=whole(0)), leaves=(per_event.extended_date,),
        asks="extend",
    ),
    # _SYSTEM: the operator, at the command line.
    Verb.REDATE: Action(
        "7.3", _SYSTEM, stays(OPEN),
        check=investigation.check_redate, apply=investigation.apply_redate, dates=investigation.redate_dates,
        facts=FactShapes(
            frozenset({"rulebook", "before", "jurisdiction"}),
            {"rulebook": code, "before": code, "jurisdiction": code, "later": flag},
        ),
        words=Words.NOTE, leaves=(per_event.redated,), changes_rules=True, is_work=False,
    ),
    # the end
    Verb.CLOSE: Action(
        "7.9", HANDLERS, goes((State.DECIDED, State.REMEDYING, State.RECOURSE_OFFERED), State.CLOSED),
        requires=closing.closing_code, check=closing.check_close, apply=closing.apply_close,
        words=Words.NOTE, form="close", facts=FactShapes(shapes=form_facts("close").shapes), owner_only=True,
        needs_latest=True, ends=True, sees_danger=True,
    ),
    Verb.LAPSE: Action(
        "7.9", _SYSTEM, goes(ANSWERED, State.CLOSED),
        check=closing.check_lapse, apply=closing.apply_close,
        words=Words.INTERNAL, ends=True,
    ),
    Verb.WITHDRAW: Action(
        "7.9", _COMPLAINANT | HANDLERS, goes(OPEN, State.CLOSED, or_stays=True),
        check=closing.check_withdraw, apply=closing.apply_withdraw,
        words=Words.STATEMENT, spoken=("withdraw",), facts=OFFLINE, raises_work_version=STAFF_AND_COMPLAINANT,
        leaves=(per_event.confirmation,), ends=True, done="withdraw",
    ),
    Verb.REOPEN: Action(
        "7.9", _COMPLAINANT | MANAGERS, goes((State.CLOSED,), State.INVESTIGATING),
        requires=closing.require_not_merged, check=closing.check_reopen, apply=closing.apply_reopen,
        words=Words.STATEMENT, form="reopen", raises_work_version=STAFF_AND_COMPLAINANT, manager_only=True,
        done="reopen",
    ),
    Verb.NOT_ACCEPT: Action(
        "7.9", MANAGERS, goes(UNDECIDED, State.CLOSED),
        requires=closing.require_no_decision, check=closing.check_not_accept, apply=closing.apply_close,
        words=Words.NOTE, form="not_accept", manager_only=True, ends=True,
    ),
    # the complainant's conduct
    Verb.WARN_CONDUCT: Action(
        "4.3", HANDLERS, stays(EVERY),
        check=correspondence.check_warning, apply=correspondence.apply_warning,
        words=Words.LETTER, form="warn_conduct", facts=form_facts("warn_conduct"), leaves=(per_event.letter,),
        is_staff_message=True,
    ),
    Verb.LIMIT_CONTACT: Action(
        "4.3", HANDLERS, stays(EVERY),
        requires=conduct.require_limitable, check=conduct.check_limit, apply=conduct.apply_limit,
        words=Words.NOTE, form="limit_contact", facts=form_facts("limit_contact"),
        leaves=(per_event.second_person,), asks="limit_contact",
    ),
    Verb.APPEAL_LIMIT: Action(
        "4.5", _COMPLAINANT | HANDLERS, stays(EVERY),
        requires=conduct.require_appealable, check=conduct.check_appeal, apply=conduct.apply_appeal,
        words=Words.NOTE, form="appeal_limit", raises_work_version=STAFF_AND_COMPLAINANT,
        leaves=(per_event.second_person,),
    ),
    Verb.REVIEW_LIMIT: Action(
        "4.5", MANAGERS | _SYSTEM, stays(EVERY),
        requires=conduct.require_limit, check=conduct.check_review, apply=conduct.apply_review,
        words=Words.LETTER, form="review_limit",
        facts=form_facts("review_limit").plus(outcome=one_of("kept", "ended", "renewed", conduct.LAPSED)),
        leaves=(per_event.contact_limit,), manager_only=True,
    ),
    # access
    Verb.LINK: Action(
        "7.6", HANDLERS | _COMPLAINANT, stays(EVERY),
        check=access.check_link, apply=access.apply_link,
        words=Words.INTERNAL, form="link", other_forms=("incident",), facts=LINK, fetches=Fetched.LINKED,
    ),
    Verb.MERGE: Action(
        "7.6", HANDLERS, goes(OPEN, State.CLOSED),
        check=closing.check_merge, apply=closing.apply_merge,
        words=Words.INTERNAL, form="link", chosen_by=("relation", ("duplicate",)),
        facts=FactShapes(frozenset({"other_ref"}), {"other_ref": code, "other_complainant": code}),
        fetches=Fetched.MERGED, ends=True,
    ),
    Verb.BIND: Action(
        "4.3", _COMPLAINANT | HANDLERS, stays(EVERY),
        requires=correspondence.require_no_chat, check=correspondence.check_bind, apply=correspondence.apply_bind,
        words=Words.INTERNAL, form="bind", facts=FactShapes(shapes={"person": code}),
    ),
    Verb.RESTRICT: Action(
        "4.7", HANDLERS | _SYSTEM, stays(EVERY),
        check=access.check_restrict, apply=access.apply_restrict,
        words=Words.INTERNAL, form="restrict",
        facts=FactShapes(shapes={"subject": code, "subjects": codes, **PEOPLE}), fetches=Fetched.CONFLICTS,
        is_work=False,
    ),
    Verb.UNRESTRICT: Action(
        "4.7", MANAGERS, stays(EVERY),
        check=access.check_unrestrict, apply=access.apply_unrestrict,
        words=Words.INTERNAL, form="unrestrict", manager_only=True, is_work=False,
    ),
    Verb.DECLARE_CONFLICT: Action(
        "4.5", HANDLERS, stays(EVERY),
        check=access.check_declare_conflict, apply=access.apply_declare_conflict,
        words=Words.INTERNAL, form="conflict", facts=FactShapes(frozenset({"who"}), {"who": code, **PEOPLE}),
        fetches=Fetched.CONFLICTS, without_reading=True, is_work=False,
    ),
    Verb.HOLD: Action(
        "8.1", MANAGERS | _SYSTEM, stays(EVERY),
        check=access.check_hold, apply=access.apply_hold,
        words=Words.INTERNAL, form="hold", facts=form_facts("hold"), manager_only=True, is_work=False,
    ),
    Verb.RELEASE: Action(
        "8.1", MANAGERS | _SYSTEM, stays(EVERY),
        check=access.check_release, apply=access.apply_release,
        words=Words.INTERNAL, form="release", manager_only=True, is_work=False,
    ),
    # receipt of a danger, survey, erasure
    Verb.RECEIPT: Action(
        "5.3", MANAGERS | {Role.ON_CALL}, stays(EVERY),
        check=danger.check_receipt, apply=danger.apply_receipt,
        words=Words.INTERNAL, form="receipt", facts=FactShapes(shapes={"of": one_of("danger", "executive")}),
        raises_work_version=NOBODY, leaves=(per_event.danger_seen,), without_reading=True, is_work=False,
        answers_alarm=True, done="danger_seen",
    ),
    Verb.END_DANGER: Action(
        "5.3", HANDLERS | {Role.ON_CALL}, stays(EVERY),
        requires=danger.require_alarm, check=danger.check_end_danger, apply=danger.apply_end_danger,
        words=Words.INTERNAL, form="end_danger", facts=form_facts("end_danger"), raises_work_version=NOBODY,
        answers_alarm=True,
    ),
    Verb.SURVEY: Action(
        "8.3", _COMPLAINANT | _SYSTEM, stays(EVERY),
        apply=correspondence.apply_survey,
        words=Words.STATEMENT, facts=FactShapes(frozenset({"step"}), {"step": code}), raises_work_version=NOBODY,
        in_thread=False, is_automatic=True, records="survey",
    ),
    # review of closed complaints
    Verb.DRAW_REVIEW: Action(
        "4.5", _SYSTEM, stays((State.CLOSED,)),
        check=closing.check_draw_review, apply=closing.apply_draw_review,
        words=Words.INTERNAL,
        facts=FactShapes(frozenset({"reviewer", "due", "period"}), {"reviewer": code, "due": moment, "period": code}),
        raises_work_version=NOBODY, in_thread=False,
    ),
    Verb.REVIEW_CASE: Action(
        "4.5", READERS, stays(EVERY),
        check=closing.check_review_case, apply=closing.apply_review_case,
        words=Words.NOTE, form="review_case", facts=form_facts("review_case"), raises_work_version=NOBODY,
        in_thread=False, is_work=False, needs_latest=True, reviewer_only=True,
    ),
    Verb.ERASE: Action(
        "8.1", _SYSTEM | {Role.TOP_MANAGEMENT}, stays((State.CLOSED,)),
        check=closing.check_erase, apply=closing.apply_erase,
        words=Words.INTERNAL, raises_work_version=NOBODY, is_work=False,
    ),
    **{
        verb: Action(
            "8.1", _SYSTEM, stays(EVERY),
            check=access.check_processing, apply=access.apply_processing,
            words=Words.INTERNAL, is_work=False,
        )
        for verb in (Verb.RESTRICT_PROCESSING, Verb.RESUME_PROCESSING)
    },
}
# fmt: on
if missing := [verb.value for verb in Verb if verb not in ACTIONS]:
    raise LookupError(f"no row for these verbs: {', '.join(missing)}")


def verbs_that(has: Callable[[Action], bool]) -> frozenset[Verb]:
    """The verbs whose row has this trait."""
    return frozenset(verb for verb, row in ACTIONS.items() if has(row))


#: Acts that bring a message of the complainant.
MESSAGE_VERBS = verbs_that(lambda row: row.words is Words.MESSAGE)
#: Letters that leave as staff wrote them, each at once.
LETTER_VERBS = verbs_that(lambda row: row.is_staff_message and row.words is Words.LETTER)
DECISION_VERBS = verbs_that(lambda row: row.words is Words.DECISION)
#: The answers of a second person.
SECOND_PERSON_VERBS = verbs_that(lambda row: row.is_second_person)


#: What staff can record of a conversation or letter, and the verb for it.
OFFLINE_VERBS: Mapping[str, Verb] = {what: verb for verb, row in ACTIONS.items() for what in row.spoken}
#: The verb of each form; `form_verb` covers the forms that choose by a field.
FORM_VERBS: Mapping[str, Verb] = {
    form: verb
    for verb, row in ACTIONS.items()
    if not row.chosen_by[0]
    for form in (row.form, *row.other_forms)
    if form
}


def form_verb(form: str, facts: Facts, *, assessed: bool = False) -> Verb:
    """The verb of a form with these facts: several forms choose it by a field."""
    if form == "given":
        return OFFLINE_VERBS[facts["what"]]
    fields = {**facts, "assessed": assessed}
    chosen = verbs_that(lambda row: row.form == form and fields.get(row.chosen_by[0]) in row.chosen_by[1])
    return next(iter(chosen), FORM_VERBS[form])


def form_of(verb: str) -> str:
    """The form of an act, to open it again; an act without a form has its own name."""
    row = ACTIONS[Verb(verb)]
    return row.form or ("given" if row.spoken else verb)


def raises_work_version(event: Event) -> bool:
    """True when the event changed what staff act on: an act of staff, or a reply of the complainant."""
    return event.role in ACTIONS[event.verb].raises_work_version
