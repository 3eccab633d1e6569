"""The one transition table (docs/domain.md, section 3): from which states each verb may happen, and where to.

The fold may only move along this table; a test holds it to that, and the diagram in docs is drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from complaints.case import Case
from complaints.errors import OutOfOrder
from complaints.vocabulary import State, Verb

S = State

EVERY: frozenset[State] = frozenset(State)
OPEN: frozenset[State] = EVERY - {S.CLOSED}
UNDECIDED: frozenset[State] = frozenset({S.RECEIVED, S.ASSESSED, S.INVESTIGATING, S.ESCALATED})
ANSWERED: frozenset[State] = frozenset({S.DECIDED, S.REMEDYING})
#: Nothing is decided before it was assessed, and an assessment leads out of `received`.
_DECIDABLE: frozenset[State] = UNDECIDED - {S.RECEIVED}


@dataclass(frozen=True)
class Move:
    """`ways` gives the states that each source may lead to, itself among them where it may stay.

    `begins` is the state of a new record.
    """

    ways: Mapping[State, tuple[State, ...]] = field(default_factory=dict)
    begins: State | None = None

    @property
    def sources(self) -> frozenset[State]:
        """The states in which the verb may happen."""
        return frozenset(self.ways)

    @property
    def to(self) -> tuple[State, ...]:
        """The states it may move to, in the order of a complaint's life; empty means the state stays."""
        reached = {to for source, ways in self.ways.items() for to in ways if to is not source}
        return tuple(state for state in S if state in reached or state is self.begins)


def _stays(sources: Iterable[State]) -> Move:
    return Move({source: (source,) for source in sources})


def _goes(sources: Iterable[State], *to: State, or_stays: bool = False) -> Move:
    return Move({source: (*to, *((source,) if or_stays else ())) for source in sources})


TABLE: Mapping[Verb, Move] = {
    Verb.RECEIVE: Move(begins=S.RECEIVED),
    Verb.ADD: _stays(EVERY),
    Verb.CONFIRM: _stays(OPEN),
    Verb.END_FORM: _stays(OPEN),
    Verb.ACKNOWLEDGE: _stays(EVERY),
    Verb.FAIL_DELIVERY: _stays(EVERY),
    Verb.PROPOSE: _stays(UNDECIDED),
    Verb.ASSESS: Move({**_stays(UNDECIDED).ways, S.RECEIVED: (S.ASSESSED,)}),
    Verb.REASSESS: _stays(OPEN),
    Verb.RECLASSIFY: _stays(UNDECIDED),
    Verb.ASSIGN: _stays(OPEN),
    Verb.NOTE: _stays(EVERY),
    Verb.REPLY: _stays(EVERY),
    Verb.ASK: _stays(OPEN),
    Verb.ANSWER: _stays(OPEN),
    Verb.INFORM: _stays(OPEN),
    Verb.INVESTIGATE: _goes(UNDECIDED, S.INVESTIGATING),
    Verb.RESOLVE: _goes(_DECIDABLE - {S.ESCALATED}, S.DECIDED),
    Verb.RESPOND: _goes(_DECIDABLE, S.DECIDED, or_stays=True),
    Verb.APPROVE: Move(
        {
            **_stays(OPEN).ways,
            **_goes(_DECIDABLE, S.DECIDED, S.INVESTIGATING, S.CLOSED, or_stays=True).ways,
            S.RECEIVED: (S.CLOSED, S.RECEIVED),
        }
    ),
    Verb.COMMUNICATE_DECISION: _goes(ANSWERED, S.REMEDYING, or_stays=True),
    Verb.ACCEPT: _goes(ANSWERED, S.REMEDYING, or_stays=True),
    Verb.DISAGREE: _goes(ANSWERED, S.ESCALATED, S.DISAGREED),
    Verb.ESCALATE: _goes(UNDECIDED, S.ESCALATED),
    Verb.OFFER_RECOURSE: _goes((S.DISAGREED,), S.RECOURSE_OFFERED),
    Verb.NOTIFY_EXTERNAL: _stays(EVERY),
    Verb.CONCLUDE_EXTERNAL: _goes(EVERY, S.REMEDYING, or_stays=True),
    Verb.REMEDY_DONE: _stays(OPEN),
    Verb.REMEDY_LATE: _stays(OPEN),
    Verb.VERIFY: _stays(OPEN),
    Verb.EXTEND: _stays(OPEN),
    Verb.REDATE: _stays(OPEN),
    Verb.CLOSE: _goes((S.DECIDED, S.REMEDYING, S.RECOURSE_OFFERED), S.CLOSED),
    Verb.LAPSE: _goes(ANSWERED, S.CLOSED),
    Verb.WITHDRAW: _goes(OPEN, S.CLOSED, or_stays=True),
    Verb.REOPEN: _goes((S.CLOSED,), S.INVESTIGATING),
    Verb.NOT_ACCEPT: _goes(UNDECIDED, S.CLOSED),
    Verb.LINK: _stays(EVERY),
    Verb.MERGE: _goes(OPEN, S.CLOSED),
    Verb.BIND: _stays(EVERY),
    Verb.RESTRICT: _stays(EVERY),
    Verb.UNRESTRICT: _stays(EVERY),
    Verb.DECLARE_CONFLICT: _stays(EVERY),
    Verb.HOLD: _stays(EVERY),
    Verb.RELEASE: _stays(EVERY),
    Verb.RECEIPT: _stays(EVERY),
    Verb.SURVEY: _stays(EVERY),
    Verb.ERASE: _stays((S.CLOSED,)),
}

#: What to do instead, by the state in which something was refused.
REMEDIES: Mapping[State, str] = {
    S.RECEIVED: "assess it first",
    S.ASSESSED: "resolve it, or investigate and decide",
    S.INVESTIGATING: "decide it first",
    S.DECIDED: "wait for the reply, or do and verify what is owed",
    S.REMEDYING: "do and verify what is owed",
    S.DISAGREED: "the outside right is being offered",
    S.ESCALATED: "the next level decides",
    S.RECOURSE_OFFERED: "close it as exhausted, or record what the outside body says",
    S.CLOSED: "reopen it first",
}


def require(case: Case, verb: Verb) -> None:
    """Refuse a verb that the table does not allow from this state, with what to do instead."""
    if case.erased_at is not None:
        raise OutOfOrder(
            f"{case.ref} was erased: no '{verb.value}' any more; open a new complaint.", code="erased"
        )
    if case.state not in TABLE[verb].sources:
        raise OutOfOrder(
            f"{case.ref} is {case.state.value}: no '{verb.value}' now; {REMEDIES[case.state]}.",
            code=f"out_of_order.{case.state.value}",
        )
