"""What the row of a verb says: one `Action` for each verb, next to its functions in the module of its stage.

The traits are plain data, so that other modules ask the rows (`verbs_that` in registry.py) and list no verbs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

from complaints.actors import Actor
from complaints.case import Case, Event, Facts, Words
from complaints.deadlines.targets import revise
from complaints.errors import BadFacts, OutOfOrder
from complaints.event_facts import ANY_FACTS, FactShapes, form_facts
from complaints.forms import CARD_ACTS, FORMS
from complaints.obligations.kinds import NewObligation
from complaints.obligations.per_event import letter
from complaints.rulebook import Rulebook
from complaints.times import parse_time
from complaints.vocabulary import Role, State, Verb

BY_SYSTEM = frozenset({Role.SYSTEM})
BY_COMPLAINANT = frozenset({Role.COMPLAINANT})
BY_INTAKE = frozenset({Role.INTAKE})

#: The roles whose act makes every view that staff have open out of date (docs/surfaces.md, "Versions").
STAFF: frozenset[Role] = frozenset(Role) - {Role.SYSTEM, Role.MODEL, Role.COMPLAINANT}
STAFF_AND_COMPLAINANT: frozenset[Role] = STAFF | BY_COMPLAINANT
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


class WordKind(Enum):
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


@dataclass(frozen=True)
class ActionRequest:
    """An act on a complaint that permission and lifecycle already allow, in this role.

    `rules` are the rules to move the complaint to, for `redate` alone.
    """

    verb: Verb
    at: datetime
    actor: Actor
    role: Role
    facts: Facts
    words: Words
    rules: Rulebook | None = None


def accept_as_given(case: Case, request: ActionRequest) -> Facts:
    """The check of a verb that needs no more than permission, lifecycle and the shape of its facts."""
    return request.facts


Dates = dict[str, list[dict[str, Any]]]


def _revised_dates(before: Case, after: Case, event: Event) -> Dates:
    return revise(after)


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
    words: WordKind
    #: Raises ComplaintError while the complaint does not admit it, by any person and with any form: then no button
    #: offers it and no form opens.
    requires: Callable[[Case], object] = lambda case: None
    #: Raises NotAllowed for a person who cannot do it to this complaint; their form does not open.
    requires_actor: Callable[[Case, Actor], object] = lambda case, actor: None
    check: Callable[[Case, ActionRequest], Facts] = accept_as_given
    #: The facts that its event requires and uses; None: those of its form.
    facts: FactShapes | None = None
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
    #: The answer of a second reader, who only reads a decision before it is sent (docs/quality.md).
    is_second_reader: bool = False
    #: The letter that the system sends before it records this act.
    records: str = ""

    @property
    def shapes(self) -> FactShapes:
        """The facts that its event requires and uses."""
        if self.facts is not None:
            return self.facts
        return form_facts(self.form) if self.form in FORMS else ANY_FACTS

    @property
    def begins(self) -> bool:
        """It opens a record."""
        return self.moves.begins is not None

    def __post_init__(self) -> None:
        """Refuse a row that contradicts itself or lacks what its traits need; raises ValueError."""
        form, is_letter = FORMS.get(self.form), self.is_staff_message and self.words is WordKind.LETTER
        faults = {
            "ends: it needs a move to closed": self.ends and State.CLOSED not in self.moves.to,
            "is_automatic: no role of staff may do it": self.is_automatic and bool(self.roles & STAFF),
            "is_staff_message: its words must be a letter or a decision": self.is_staff_message
            and self.words not in (WordKind.LETTER, WordKind.DECISION),
            "words: those of the complainant need that role": Role.COMPLAINANT not in self.roles
            and self.words in (WordKind.MESSAGE, WordKind.STATEMENT),
            f"form: forms.toml has no {self.form!r}": form is None and self.form not in ("", *CARD_ACTS),
            "form: a letter of staff needs one with the key `letter`": is_letter
            and (form is None or not form.keeps_letter),
            "leaves: a letter of staff needs per_event.letter": is_letter and letter not in self.leaves,
        }
        if wrong := [fault for fault, is_wrong in faults.items() if is_wrong]:
            raise ValueError(f"the row of {self.form or 'a verb'} (clause {self.clause}): {'; '.join(wrong)}")


# Checks and refusals that several stages share.


def require_offline_source(case: Case, request: ActionRequest) -> None:
    """Staff who record something said offline must give the time and the speaker (docs/domain.md, "Taken by staff").

    Without it no member of staff can accept, disagree or withdraw for a complainant. Raises BadFacts.
    """
    if not request.actor.is_staff:
        return
    given_at = request.facts.get("given_at")
    if not given_at:
        raise BadFacts.worded("required:offline_source", field="given_at", ref=case.ref)
    if parse_time(str(given_at)) > request.at:
        raise BadFacts.worded("ahead:offline_source", field="given_at", ref=case.ref)
    require_words(request, "by_whom", BadFacts.worded("required:by_whom", ref=case.ref))


def something_waits(case: Case) -> OutOfOrder:
    """The refusal while a draft, a wish or a limit waits for a second person."""
    return OutOfOrder.worded("waits_for_approval:something", ref=case.ref)


def require_words(request: ActionRequest, path: str, refusal: BadFacts) -> None:
    """Raise this refusal where a field of words is empty."""
    if not request.words.get(path, "").strip():
        refusal.field = path
        raise refusal
