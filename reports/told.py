"""What the events of one complaint tell that the case alone does not keep: reopened when, and every score (8.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from complaints.followed import Followed
from complaints.record import Facts
from complaints.vocabulary import Verb
from reports.measures import Mark

REOPENED_WITHIN = timedelta(days=90)
#: The questions about the handling, the one about the outcome, and the one about fairness among the first.
PROCESS, OUTCOME, FAIR = ("q1", "q2", "q3", "q4"), "q5", "q3"
_CLOSING = frozenset({Verb.CLOSE, Verb.LAPSE, Verb.WITHDRAW, Verb.NOT_ACCEPT, Verb.MERGE, Verb.APPROVE})


def marks_of_events(seen: Followed) -> Iterator[Mark]:
    """Reopened within 90 days of a closing; fairness as it was scored."""
    closed, back = _closings(seen)
    if closed:
        yield "reopened", None, back
    if FAIR in (given := scores(seen)):
        yield "fair", None, given[FAIR] >= 4


def _closings(seen: Followed) -> tuple[bool, bool]:
    closed_at: datetime | None = None
    closed = back = False
    for event in seen.events:
        if event.verb is Verb.REOPEN and closed_at is not None:
            back = back or event.at - closed_at <= REOPENED_WITHIN
        elif event.verb in _CLOSING and _ends(event.facts):
            closed, closed_at = True, event.at
    return closed or seen.case.closed_at is not None, back


def _ends(facts: Facts) -> bool:
    """A withdrawn matter that goes on inside has not ended, nor has what a second person sent back."""
    coded = bool(facts.get("close_code")) and not facts.get("goes_on")
    return coded or (facts.get("of") == "reclassify" and facts.get("agreed") == "yes")


def scores(seen: Followed) -> dict[str, int]:
    """The last score for each question of the survey, 1 to 5."""
    return {
        str(event.facts["question"]): int(event.facts["score"])
        for event in seen.events
        if event.verb is Verb.SURVEY and event.facts.get("score") is not None and event.facts.get("question")
    }
