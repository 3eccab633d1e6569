"""What the record shows of clause 8: causes found, satisfaction asked, nothing past the legal maximum."""

from __future__ import annotations

from collections.abc import Iterator

from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.obligations.standing import surveyed
from complaints.vocabulary import CloseCode, Flag, Target, Verb
from reports.case_measures import missed_danger
from reports.clauses.evidence import House, Point, must

_ANSWERED = frozenset(
    {CloseCode.RESOLVED, CloseCode.EXHAUSTED, CloseCode.ANSWERED_NO_REPLY, CloseCode.LAPSED}
)
#: Quiet hours, a day off, a process that was down: so much later at most the survey has left.
_SURVEY_GRACE = "3 bd"


def collection(seen: CaseHistory, house: House) -> Iterator[Point]:
    """8.1: what is held for the law is not erased."""
    case = seen.case
    if Flag.LEGAL_HOLD in case.flags:
        erased = case.erased_at is not None
        yield Point(
            "under legal hold", fault="erased although the law holds it: restore it" if erased else None
        )
    if case.erased_at is not None:
        yield Point("erased on request or by its time", tuple(one.seq for one in seen.of_verb(Verb.ERASE)))


def analysis(seen: CaseHistory, house: House) -> Iterator[Point]:
    """8.2: everything answered is classified and ends with its cause."""
    case = seen.case
    if case.is_open or case.close_code not in _ANSWERED:
        return
    last = case.decisions[-1] if case.decisions else None
    classed = case.category is not None and last is not None and bool(last.cause_class)
    yield must(
        "closed with category and cause",
        classed,
        "closed without category or cause: open it again and name them",
    )
    if last is not None:
        yield Point(f"cause: {last.cause_class}")


def satisfaction(seen: CaseHistory, house: House) -> Iterator[Point]:
    """8.3: asked after every ending of a complaint that may be asked about; scores from 1 to 5."""
    case = seen.case
    ended = case.withdrawn_at or case.closed_at
    scores: dict[str, int] = {}
    for event in seen.of_verb(Verb.SURVEY):
        if event.facts.get("score") is not None:
            scores[str(event.facts.get("question"))] = int(event.facts["score"])
    for question in sorted(scores):
        yield Point(f"{question} answered with 4 or 5", hit=scores[question] >= 4)
    if ended is None or not surveyed(case) or case.incident is not None:
        return
    asked = due(ended, case.rules.survey.delay, case.rules.calendar).at
    latest = due(asked, _SURVEY_GRACE, case.rules.calendar).at
    recently = case.surveyed_at is not None and (asked - case.surveyed_at).days < 30
    if "sent" in case.surveys:
        yield Point("endings that were asked about", hit=True)
    elif latest < house.now and not recently:
        yield Point(
            "endings that were asked about",
            hit=False,
            fault="never asked how it was handled: look at `amends outbox list`",
        )


def monitoring(seen: CaseHistory, house: House) -> Iterator[Point]:
    """8.4: nothing undecided past the legal maximum; what neither model nor rules saw is listed."""
    case = seen.case
    legal = case.target(Target.LEGAL)
    if legal is not None and case.is_open and legal.met_at is None:
        past = legal.internal_due < house.now
        yield must(
            "open within the legal maximum", not past, "past the legal maximum and undecided: decide it today"
        )
    if missed_danger(case):
        yield Point("danger seen only by a person")
    yield Point("complaints in the figures")
