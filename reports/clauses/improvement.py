"""Clause 8, from keeping the record to improvement: the evidence for each."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from complaints.actions.access import is_on_hold
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.measures.marks import missed_danger, surveys
from complaints.obligations.standing import has_survey
from complaints.vocabulary import WITH_DECISION, Flag, Target, Verb
from reports.clauses.clause_evidence import OrganisationFacts, Point, fault_if, must, violated
from reports.clauses.delivery import was_delivered

#: Latest sending of a survey after its due time: quiet hours, days off and a stopped process may delay it.
_SURVEY_GRACE = "3 bd"
#: A report covers the last 91 days, so at least one in that time leaves no day without a report.
REPORT_EVERY = timedelta(days=91)
REPORTS = "monitoring reports of the last 91 days"


def collection(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """8.1: a complaint under legal hold is not erased."""
    case = history.case
    if Flag.LEGAL_HOLD in case.flags:
        is_erased = case.erased_at is not None and is_on_hold(case, case.erased_at)
        yield Point("under legal hold", fault=fault_if("under legal hold", is_erased))
    if case.erased_at is not None:
        yield Point(
            "erased on request or by its time", tuple(event.seq for event in history.of_verb(Verb.ERASE))
        )


def analysis(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """8.2: every answered complaint has a category and a cause."""
    case = history.case
    if case.is_open or case.close_code not in WITH_DECISION:
        return
    last = case.decisions[-1] if case.decisions else None
    is_classified = case.category is not None and last is not None and bool(last.cause_class)
    yield must("closed with category and cause", is_classified)
    if last is not None:
        yield Point(f"cause: {last.cause_class}")


def satisfaction(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """8.3: a survey after every closing that allows one; scores from 1 to 5."""
    case = history.case
    ended = case.withdrawn_at or case.closed_at
    for survey in surveys(history):
        for question in sorted(survey.scores):
            yield Point(f"{question} answered with 4 or 5", hit=survey.scores[question] >= 4)
    if ended is None or not has_survey(case) or case.incident is not None:
        return
    survey_due = due(ended, case.rules.survey.delay, case.rules.calendar).at
    latest = due(survey_due, _SURVEY_GRACE, case.rules.calendar).at
    was_surveyed = case.surveyed_at is not None and (survey_due - case.surveyed_at).days < 30
    if "sent" in case.surveys:
        sent = [event for event in history.of_verb(Verb.SURVEY) if event.facts.get("step") == "sent"]
        yield Point("endings that were asked about", hit=was_delivered(history, sent[-1]))
    elif latest < house.now and not was_surveyed:
        yield Point(
            "endings that were asked about",
            hit=False,
            fault="never asked how it was handled: look at `amends outbox list`",
        )


def monitoring(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """8.4: no complaint undecided past the legal maximum; danger that model and rules missed is listed."""
    case = history.case
    legal = case.target(Target.LEGAL)
    if legal is not None and case.is_open and legal.met_at is None:
        is_past = legal.internal_due < house.now
        yield must("open within the legal maximum", not is_past)
    if missed_danger(case):
        yield Point("danger seen only by a person")
    yield Point("complaints in the figures")


def reporting(house: OrganisationFacts, since: datetime | None) -> Iterator[Point]:
    """8.4: a monitoring report was made and delivered within its own period; `since` is the first reception."""
    if house.reported_at is not None and house.now - house.reported_at <= REPORT_EVERY:
        yield Point(REPORTS)
    elif since is not None and house.now - since > REPORT_EVERY:
        yield violated("periods without a monitoring report", days=REPORT_EVERY.days)
