"""The figures of clause 8.4: title, formula and target of each, its value, and what the record cannot show.

docs/reports.md has the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reports.case_clocks import Observation
from reports.statistics import FEWEST, Share, Survival, rounded, rounded_interval, survival


class TargetVerdict(StrEnum):
    """A figure against its target; `report` without a target, `too_few` if chance would decide."""

    MET = "met"
    NOT_MET = "not_met"
    TOO_FEW = "too_few"
    REPORT = "report"


@dataclass(frozen=True)
class Goal:
    """A target: at least or at most a value (a share between 0 and 1, working days, or a count)."""

    at_least: float | None = None
    at_most: float | None = None

    def verdict(self, value: float | None, n: int) -> TargetVerdict:
        """Compare a value of n units; None, a median that is not reached yet, is above every target."""
        if n < FEWEST:
            return TargetVerdict.TOO_FEW
        if value is None:
            return TargetVerdict.NOT_MET
        is_too_low = self.at_least is not None and value < self.at_least
        is_too_high = self.at_most is not None and value > self.at_most
        return TargetVerdict.NOT_MET if is_too_low or is_too_high else TargetVerdict.MET

    def as_json(self) -> dict[str, float]:
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        return {name: value for name, value in bounds.items() if value is not None}


@dataclass(frozen=True)
class Kpi:
    """One figure: its title, its formula and its target (None: only reported)."""

    title: str
    formula: str
    goal: Goal | None = None


#: Shares, in the order of a complaint's life. The formula names what numerator and denominator count.
SHARES: Mapping[str, Kpi] = {
    "acknowledged_in_time": Kpi(
        "Acknowledged in time",
        "acknowledgement accepted by a channel by its due time / acknowledged or overdue",
        Goal(at_least=0.99),
    ),
    "escalation_acknowledged_in_time": Kpi(
        "Next level acknowledged in time", "the same, for each later level or reopening"
    ),
    "assessed_in_time": Kpi(
        "Assessed in time",
        "first assessment by a person by its due time / assessed or overdue",
        Goal(at_least=0.95),
    ),
    "decided_in_time": Kpi(
        "Decided in time",
        "decision delivered by the due time before any extension / delivered + overdue and open",
        Goal(at_least=0.90),
    ),
    "decided_in_extended_time": Kpi(
        "Decided in extended time",
        "decision delivered by the due time in force / delivered + overdue and open",
    ),
    "updates_on_time": Kpi(
        "Updates on time",
        "update deadlines with a message to the complainant by then / answered or missed",
        Goal(at_least=0.95),
    ),
    "person_in_time": Kpi(
        "A person in time",
        "requests for a person that staff answered in the time of the scheme / answered or overdue",
        Goal(at_least=0.95),
    ),
    "promise_kept": Kpi(
        "Promise kept", "remedies done by the promised day / done or overdue", Goal(at_least=0.95)
    ),
    "first_contact_resolution": Kpi(
        "First-contact resolution",
        "accepted at level 1, put right on the spot without investigation / decided",
    ),
    "upheld": Kpi("Upheld", "decisions with every finding upheld / decided at that level"),
    "partly": Kpi("Partly upheld", "decisions with some of it upheld / decided at that level"),
    "not_upheld": Kpi("Not upheld", "decisions with nothing upheld / decided at that level"),
    "no_finding": Kpi("No finding", "decisions without a finding / decided at that level"),
    "escalated": Kpi(
        "Escalated", "refused by the complainant at level 1 / decided at level 1", Goal(at_most=0.10)
    ),
    "external": Kpi(
        "Taken to an outside body",
        "with an outside body / with a final decision, or there before one",
        Goal(at_most=0.03),
    ),
    "overturned": Kpi(
        "Overturned outside",
        "changed by an outside body / decided by one that said whether",
        Goal(at_most=0.25),
    ),
    "reopened": Kpi("Reopened", "opened again within 90 days / ever closed", Goal(at_most=0.05)),
    "recurring": Kpi("Recurring cause", "cause found to be recurring or systemic / decided"),
    "lapsed": Kpi("Lapsed", "closed without a reply and nothing owed / closed"),
    "answered_no_reply": Kpi("Answered, no reply", "closed without a reply, remedies verified / closed"),
    "misprioritised": Kpi(
        "Misprioritised",
        "final priority differs from the first by a person / closed and assessed",
        Goal(at_most=0.05),
    ),
    "priority_overruled": Kpi(
        "Proposed priority overruled",
        "first priority by a person differs from that of model and rules / assessed after a proposal",
    ),
    "category_overruled": Kpi(
        "Proposed category overruled",
        "category by a person differs from the proposed one / assessed after a proposal that was sure",
    ),
    "survey_response": Kpi("Survey response", "surveys answered / surveys delivered", Goal(at_least=0.25)),
    "survey_mix": Kpi(
        "Upheld among those asked", "upheld, wholly or partly / surveyed after a decision, answered or not"
    ),
    "fair": Kpi(
        "Treated fairly", "4 or 5 on fairness and respect / answered that question", Goal(at_least=0.90)
    ),
}

#: Durations; the goal is for the median in working days, by priority.
DURATIONS: Mapping[str, Kpi] = {
    "time_to_decision": Kpi(
        "Time to decision", "received to first decision delivered; undecided ones count as still open"
    ),
    "time_to_closure": Kpi("Time to closure", "received to closed; open ones count as still open"),
    "time_at_level": Kpi(
        "Time at each level", "received, disagreed or reopened to that decision delivered; others still open"
    ),
}
MEDIAN_GOALS: Mapping[tuple[str, str], Goal] = {("time_to_decision", "P3"): Goal(at_most=8)}

#: Scores from 1 to 5 in the survey; the goal is for the mean.
SCORES: Mapping[str, Kpi] = {
    "process": Kpi(
        "Satisfaction with the process",
        "answers to questions 1 to 4 on the handling, averaged for each person and closing",
        Goal(at_least=4.0),
    ),
    "outcome": Kpi("Satisfaction with the outcome", "answers to question 5 on the outcome"),
}
REPEAT = Kpi("Repeat", "same person and category within 180 days before / received")
HANDLERS_APART = Kpi(
    "Upheld by handler",
    "upheld, wholly or partly / decided at level 1, by who decided, an incident once; flagged if over 15 points "
    "from all others and more than chance explains (simultaneous 95 % intervals)",
)
EMPTY_FIELDS = Kpi("Mandatory fields empty", "complaints that lack a field they must have", Goal(at_most=0))
CHAIN = Kpi("Chain of events", "broken places that the check of the whole record found", Goal(at_most=0))
BACKLOG_OVERDUE = Kpi("Overdue in the backlog", "open with a due time of ours that has passed / open")
PAST_LEGAL = Kpi(
    "Past the legal maximum", "open and undecided when the legal maximum has passed", Goal(at_most=0)
)


#: Figures that clause 8.4 asks for and that are not counted, with the reason. The report names them: a missing
#: figure must not look like zero.
NOT_REPORTED: Mapping[str, str] = {
    "Volume rate": "complaints per 1,000 customers: the number of customers is not in the record",
    "Recurrent problem": "three with the same cause and product: causes are sealed words, products are not coded",
    "Statutory payments": "due, paid, late: remedies are not marked as statutory",
    "Objectivity sample": "no sample of closed complaints is drawn yet; fairness as scored stands for it",
    "Improvement actions on time, effective": "opened with a date; carrying them out is not recorded yet",
    "Changes told to complainants": "a change is named in a decision; telling others of it is not recorded yet",
    "People": "training, authority on the spot, suggestions and attestation are not recorded yet",
}


@dataclass(frozen=True)
class ShareFigure:
    """A share of the table in reports.kpis; `group` is for example the level, if each has a figure."""

    key: str
    group: str | None
    kpi: Kpi
    share: Share

    @classmethod
    def of(cls, key: str, group: str | None, hits: int, total: int) -> ShareFigure:
        return cls(key, group, SHARES[key], Share(hits, total))

    @property
    def verdict(self) -> TargetVerdict:
        return verdict(self.kpi.goal, self.share.value, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """JSON values; the share and its interval are null for too few cases."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "numerator": self.share.hits,
            "denominator": self.share.of,
            "share": rounded(self.share.value),
            "interval": rounded_interval(self.share.interval),
            "target": None if self.kpi.goal is None else self.kpi.goal.as_json(),
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True)
class DurationFigure:
    """A duration in working days and in elapsed days; the target, if any, is for the median working days."""

    key: str
    group: str
    kpi: Kpi
    goal: Goal | None
    working_days: Survival
    days: Survival

    @classmethod
    def of(cls, key: str, group: str, observations: Sequence[Observation]) -> DurationFigure:
        ended = [observation for observation in observations if observation.ended]
        still_open = [observation for observation in observations if not observation.ended]
        return cls(
            key=key,
            group=group,
            kpi=DURATIONS[key],
            goal=MEDIAN_GOALS.get((key, group)),
            working_days=survival(
                (observation.working_days for observation in ended),
                (observation.working_days for observation in still_open),
            ),
            days=survival(
                (observation.days for observation in ended), (observation.days for observation in still_open)
            ),
        )

    @property
    def verdict(self) -> TargetVerdict:
        return verdict(self.goal, self.working_days.median, self.working_days.n)

    def as_json(self) -> dict[str, Any]:
        """JSON values; a quantile is null while too many have not ended."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.kpi.title,
            "formula": self.kpi.formula,
            "ended": self.working_days.ended,
            "still_open": self.working_days.still_open,
            "working_days": {"median": self.working_days.median, "p90": self.working_days.p90},
            "days": {"median": rounded(self.days.median), "p90": rounded(self.days.p90)},
            "target": None if self.goal is None else self.goal.as_json(),
            "verdict": self.verdict.value,
        }


def verdict(goal: Goal | None, value: float | None, n: int) -> TargetVerdict:
    return TargetVerdict.REPORT if goal is None else goal.verdict(value, n)
