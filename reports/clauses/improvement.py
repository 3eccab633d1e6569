"""Clause 8, from keeping the record to improvement: the rows of the table and their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from complaints.actions.access import is_on_hold
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.obligations.standing import has_survey
from complaints.vocabulary import WITH_DECISION, Flag, Target, Verb
from reports.case_measures import missed_danger, surveys
from reports.clauses.delivery import was_delivered
from reports.clauses.evidence import Clause, OrganisationFacts, Point, must

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
        yield Point(
            "under legal hold",
            fault="erased although it was under legal hold: restore it" if is_erased else None,
        )
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
    yield must(
        "closed with category and cause",
        is_classified,
        "closed without category or cause: open it again and name them",
    )
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
        yield must(
            "open within the legal maximum",
            not is_past,
            "past the legal maximum and undecided: decide it today",
        )
    if missed_danger(case):
        yield Point("danger seen only by a person")
    yield Point("complaints in the figures")


def reporting(house: OrganisationFacts, since: datetime | None) -> Iterator[Point]:
    """8.4: a monitoring report was made and delivered within its own period; `since` is the first reception."""
    if house.reported_at is not None and house.now - house.reported_at <= REPORT_EVERY:
        yield Point(REPORTS)
    elif since is not None and house.now - since > REPORT_EVERY:
        yield Point(
            "periods without a monitoring report",
            fault=f"no monitoring report for {REPORT_EVERY.days} days: run `amends report monitoring`",
        )


CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="8.1",
        title="Collection of information",
        demand="Rules to identify, gather, keep, protect and dispose of records; training records; public figures.",
        control="Encrypted rows, legal hold, erasing that keeps the chain intact.",
        code=(
            "complaints.actions.access.check_hold",
            "complaints.actions.closing.check_erase",
            "store.cases.erase.erase_words",
        ),
        shows="complaints erased, and complaints under a legal hold",
        case_query=collection,
        lacks="a training register, tested restores on the record, and public figures",
    ),
    Clause(
        id="8.2",
        title="Analysis",
        demand="Classify all; find what is systemic, recurring or single; trends; causes.",
        control="Category, cause and its reach are asked for before a complaint is closed.",
        code=("complaints.actions.closing.check_close",),
        shows="closed with category and cause, by the reach of the cause",
        case_query=analysis,
        lacks="trends, clusters and their review",
    ),
    Clause(
        id="8.3",
        title="Satisfaction with the process",
        demand="Measure regularly how satisfied people are with the handling; surveys, simulated contacts.",
        control="A survey after every ending, fairness first; simulated contacts use the real channels and are "
        "left out of the figures.",
        code=("complaints.obligations.standing.has_survey", "bots.dialogue.survey.record_score"),
        shows="endings with a survey, scores, simulated contacts",
        case_query=satisfaction,
    ),
    Clause(
        id="8.4",
        title="Monitoring",
        demand="Monitor process, resources and data continually.",
        control="`amends report monitoring`: figures with target and interval; overdue counts as failed.",
        code=("reports.monitoring.monitor",),
        shows="monitoring reports that were made and delivered; open complaints within the legal maximum",
        case_query=monitoring,
        required=REPORTS,
    ),
    Clause(
        id="8.5",
        title="Audit",
        demand="Audit regularly whether the process conforms and suits.",
        control="The role of auditor opens complaints and reports; nothing more yet.",
        code=("complaints.actors.may_read",),
        lacks="seeded samples, a checklist, findings",
    ),
    Clause(
        id="8.6",
        title="Management review",
        demand="Top management reviews the process from listed inputs to recorded outputs.",
        control="Nothing yet.",
        lacks="the pack, minutes and actions",
    ),
    Clause(
        id="8.7",
        title="Improvement",
        demand="Correct, prevent, innovate, learn from the best, recognise good handling.",
        control="Praise is counted separately.",
        code=("complaints.actions.assessment.check_reclassify",),
        lacks="actions with a check of their effect, staff suggestions, recognition",
    ),
)
