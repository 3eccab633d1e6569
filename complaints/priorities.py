"""How soon a complaint must be dealt with (7.5): the matrix and the rules that only raise."""

from __future__ import annotations

from complaints.case import Case
from complaints.vocabulary import Flag, Priority

P1, P2, P3, P4 = Priority.P1, Priority.P2, Priority.P3, Priority.P4

#: Severity 1-5 by likelihood of recurrence 1-5; the consequence x likelihood matrix made harm-heavy.
MATRIX: tuple[tuple[Priority, ...], ...] = (
    (P4, P4, P4, P3, P3),
    (P4, P3, P3, P2, P2),
    (P3, P3, P2, P2, P1),
    (P2, P2, P2, P1, P1),
    (P1, P1, P1, P1, P1),
)

#: Rules whose firing raises by one step: a minor, a vulnerable person, a threatened cut-off or eviction.
RAISING: frozenset[str] = frozenset({"minor", "vulnerable", "cutoff_eviction", "cutoff", "eviction"})


def matrix(severity: int, recurrence: int) -> Priority:
    """The cell of the matrix; both scales run from 1 to 5."""
    return MATRIX[severity - 1][recurrence - 1]


def raised(priority: Priority, steps: int) -> Priority:
    """The same priority that many steps sooner, P1 at most."""
    order = list(Priority)
    return order[max(0, order.index(priority) - steps)]


def sooner(one: Priority, other: Priority) -> Priority:
    """The more urgent of two."""
    return min(one, other)


def priority_of(case: Case) -> Priority:
    """The priority that holds now; until a person assessed, the higher of model and rules."""
    assessed = case.assessment
    recurrence = assessed.recurrence if assessed else 2
    reach = assessed.reach if assessed else 1
    if case.safety >= 2:
        return P1
    priority = matrix(case.severity, recurrence)
    needs = any(sign.rule.split(".")[0] in RAISING for sign in case.signs)
    if case.safety == 1 or reach >= 3 or needs:
        priority = raised(priority, 1)
    if case.told_only_in_media and not case.media_heard:
        priority = sooner(priority, P2)
    return priority


def is_significant(case: Case) -> bool:
    """Top management must know at once (5.3)."""
    assessed = case.assessment
    stuck = assessed is not None and assessed.immediate_needed and not assessed.immediate_possible
    wide = assessed is not None and assessed.reach >= 4
    # A child who writes is a matter of safeguarding: the top knows at once.
    child = Flag.MINOR in case.flags
    harm = priority_of(case) is P1 or case.severity >= 4
    # A manager complained about is nobody's to judge but the top's (C).
    return harm or wide or stuck or child or case.fairness.leads
