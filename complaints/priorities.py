"""The priority of a complaint (7.5): the matrix, and the rules that raise it."""

from complaints.case import Case
from complaints.vocabulary import Flag, Priority

P1, P2, P3, P4 = Priority.P1, Priority.P2, Priority.P3, Priority.P4

#: Severity 1-5 by likelihood of recurrence 1-5: the usual risk matrix with more weight on harm.
MATRIX: tuple[tuple[Priority, ...], ...] = (
    (P4, P4, P4, P3, P3),
    (P4, P3, P3, P2, P2),
    (P3, P3, P2, P2, P1),
    (P2, P2, P2, P1, P1),
    (P1, P1, P1, P1, P1),
)

#: Kinds of safety sign that raise by one step: a minor, a vulnerable person, a threatened cut-off or eviction.
RAISING: frozenset[str] = frozenset({"minor", "vulnerable", "cutoff_eviction", "cutoff", "eviction"})


def matrix(severity: int, recurrence: int) -> Priority:
    """The cell of the matrix; both scales run from 1 to 5."""
    return MATRIX[severity - 1][recurrence - 1]


def raised(priority: Priority, steps: int) -> Priority:
    """The priority this many steps more urgent, P1 at most."""
    order = list(Priority)
    return order[max(0, order.index(priority) - steps)]


def more_urgent(first: Priority, other: Priority) -> Priority:
    return min(first, other)


def priority_of(case: Case) -> Priority:
    """The priority in force; before an assessment, the higher of model and safety rules."""
    assessed = case.assessment
    recurrence = assessed.recurrence if assessed else 2
    reach = assessed.reach if assessed else 1
    # A danger that the complainant confirmed in words that no rule knows is one until a person assesses it.
    is_confirmed = assessed is None and any(alarm.certain_at for alarm in case.alarms)
    if case.safety >= 2 or is_confirmed:
        return P1
    priority = matrix(case.severity, recurrence)
    needs = any(sign.rule.split(".")[0] in RAISING for sign in case.signs)
    if case.safety == 1 or reach >= 3 or needs:
        priority = raised(priority, 1)
    if case.only_in_media and not case.media_heard:
        priority = more_urgent(priority, P2)
    return priority


def is_significant(case: Case) -> bool:
    """Top management must know at once (5.3)."""
    assessed = case.assessment
    stuck = assessed is not None and assessed.immediate_needed and not assessed.immediate_possible
    wide = assessed is not None and assessed.reach >= 4
    # A child who writes is a matter of safeguarding.
    child = Flag.MINOR in case.flags
    harm = priority_of(case) is P1 or case.severity >= 4
    # Only top management may judge a complaint about a manager (C).
    return harm or wide or stuck or child or case.fairness.leads
