"""The one transition table (iso10002.md section 3): from which states each verb may happen, and where to.

The fold may only move along this table; a test holds it to that, and the diagram in docs is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from complaints.errors import OutOfOrder
from complaints.record import Case
from complaints.vocabulary import State, Verb

S = State

EVERY: frozenset[State] = frozenset(State)
OPEN: frozenset[State] = EVERY - {S.CLOSED}
UNDECIDED: frozenset[State] = frozenset({S.RECEIVED, S.ASSESSED, S.INVESTIGATING, S.ESCALATED})
ANSWERED: frozenset[State] = frozenset({S.DECIDED, S.REMEDYING})


@dataclass(frozen=True)
class Move:
    """`to` lists the states the verb may lead to; empty means the state stays."""

    sources: frozenset[State]
    to: tuple[State, ...] = ()


TABLE: Mapping[Verb, Move] = {
    Verb.RECEIVE: Move(frozenset(), (S.RECEIVED,)),
    Verb.ADD: Move(EVERY),
    Verb.CONFIRM: Move(OPEN),
    Verb.END_FORM: Move(OPEN),
    Verb.ACKNOWLEDGE: Move(EVERY),
    Verb.FAIL_DELIVERY: Move(EVERY),
    Verb.PROPOSE: Move(UNDECIDED),
    Verb.ASSESS: Move(UNDECIDED, (S.ASSESSED, S.INVESTIGATING, S.ESCALATED)),
    Verb.REASSESS: Move(OPEN),
    Verb.RECLASSIFY: Move(UNDECIDED),
    Verb.ASSIGN: Move(OPEN),
    Verb.NOTE: Move(EVERY),
    Verb.REPLY: Move(EVERY),
    Verb.ASK: Move(OPEN),
    Verb.ANSWER: Move(OPEN),
    Verb.INFORM: Move(OPEN),
    Verb.INVESTIGATE: Move(UNDECIDED, (S.INVESTIGATING,)),
    Verb.RESOLVE: Move(UNDECIDED, (S.DECIDED,)),
    Verb.RESPOND: Move(UNDECIDED, (S.DECIDED,)),
    Verb.APPROVE: Move(UNDECIDED, (S.DECIDED, S.INVESTIGATING, S.CLOSED)),
    Verb.COMMUNICATE_DECISION: Move(frozenset({S.DECIDED}), (S.REMEDYING,)),
    Verb.ACCEPT: Move(ANSWERED, (S.REMEDYING,)),
    Verb.DISAGREE: Move(ANSWERED, (S.ESCALATED, S.DISAGREED)),
    Verb.ESCALATE: Move(UNDECIDED, (S.ESCALATED,)),
    Verb.OFFER_RECOURSE: Move(frozenset({S.DISAGREED}), (S.RECOURSE_OFFERED,)),
    Verb.NOTIFY_EXTERNAL: Move(EVERY),
    Verb.CONCLUDE_EXTERNAL: Move(EVERY, (S.REMEDYING,)),
    Verb.REMEDY_DONE: Move(OPEN),
    Verb.REMEDY_LATE: Move(OPEN),
    Verb.VERIFY: Move(OPEN),
    Verb.EXTEND: Move(OPEN),
    Verb.CLOSE: Move(frozenset({S.DECIDED, S.REMEDYING, S.RECOURSE_OFFERED}), (S.CLOSED,)),
    Verb.LAPSE: Move(ANSWERED, (S.CLOSED,)),
    Verb.WITHDRAW: Move(OPEN, (S.CLOSED,)),
    Verb.REOPEN: Move(frozenset({S.CLOSED}), (S.INVESTIGATING,)),
    Verb.NOT_ACCEPT: Move(UNDECIDED, (S.CLOSED,)),
    Verb.LINK: Move(EVERY),
    Verb.MERGE: Move(OPEN, (S.CLOSED,)),
    Verb.BIND: Move(EVERY),
    Verb.RESTRICT: Move(EVERY),
    Verb.UNRESTRICT: Move(EVERY),
    Verb.DECLARE_CONFLICT: Move(EVERY),
    Verb.HOLD: Move(EVERY),
    Verb.RELEASE: Move(EVERY),
    Verb.RECEIPT: Move(EVERY),
    Verb.SURVEY: Move(EVERY),
    Verb.ERASE: Move(frozenset({S.CLOSED})),
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
    if case.state not in TABLE[verb].sources:
        raise OutOfOrder(
            f"{case.ref} is {case.state.value}: no '{verb.value}' now; {REMEDIES[case.state]}.",
            code=f"out_of_order.{case.state.value}",
        )
