"""The states of a complaint, in groups, and the moves that an action may make between them.

The row of each verb in `actions/registry.py` holds its moves (docs/domain.md, section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from complaints.vocabulary import State

S = State

EVERY: frozenset[State] = frozenset(State)
OPEN: frozenset[State] = EVERY - {S.CLOSED}
UNDECIDED: frozenset[State] = frozenset({S.RECEIVED, S.ASSESSED, S.INVESTIGATING, S.ESCALATED})
ANSWERED: frozenset[State] = frozenset({S.DECIDED, S.REMEDYING})
#: A decision needs an assessment, and an assessment always leads out of `received`.
DECIDABLE: frozenset[State] = UNDECIDED - {S.RECEIVED}


@dataclass(frozen=True)
class Move:
    """`ways` gives the states that each source may lead to, including itself where it may stay.

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
        """The states it may move to, in the order of a complaint's life; empty means that the state stays."""
        reached = {to for source, ways in self.ways.items() for to in ways if to is not source}
        return tuple(state for state in S if state in reached or state is self.begins)


def stays(sources: Iterable[State]) -> Move:
    """Possible in these states; the state does not change."""
    return Move({source: (source,) for source in sources})


def goes(sources: Iterable[State], *to: State, or_stays: bool = False) -> Move:
    """Possible in these states; leads to one of the states `to`."""
    return Move({source: (*to, *((source,) if or_stays else ())) for source in sources})


#: What to do instead, by the state in which a verb was refused.
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
