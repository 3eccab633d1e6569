"""Figures of the reports, computed a second time by pandas, SciPy and statsmodels from the same rows (8.2, 8.4)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from string import ascii_letters

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.rates import confint_poisson

from complaints.measures.report_counts import AnalysisCounts, CauseCount
from complaints.measures.row import MARK_KEYS, CaseMeasures, Coverage
from complaints.times import local_time
from complaints.vocabulary import ContactKind
from reports.analysis.analysis_report import build_analysis
from reports.analysis.analysis_sections import AnalysisInput
from reports.analysis.rates import Rate, poisson_interval
from reports.breakdowns import Gap
from reports.monitoring import Monitoring, monitor
from reports.statistics import Share, exact_p_value, mean_interval, survival
from reports.tally import Period
from tests.rules import builders as b

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = Period(datetime(2026, 9, 30, 23, tzinfo=UTC), NOW)
ZONE = "Europe/London"
SHARES = ("acknowledged_in_time", "assessed_in_time", "decided_in_time", "updates_on_time", "escalated", "recurring",
          "lapsed", "misprioritised", "survey_response", "fair")  # fmt: skip
LETTERS = dict(zip(MARK_KEYS, ascii_letters, strict=False))


@cache
def rows() -> tuple[CaseMeasures, ...]:
    """Three hundred complaints of October as a desk could have them; every twelfth is open."""
    chance = np.random.default_rng(22)
    made = []
    for number in range(300):
        at = PERIOD.start + timedelta(hours=float(chance.uniform(0, 740)))
        is_open = number % 12 == 0
        days = None if is_open else float(np.round(chance.lognormal(1.2, 0.7), 3))
        keys = [key for key in SHARES if chance.random() < 0.8]
        marks = "".join(f"{LETTERS[key]}{'+' if chance.random() < 0.85 else '-'};" for key in keys)
        scores = [
            [float(chance.integers(4, 21) / 4), int(chance.integers(1, 6)), bool(chance.random() < 0.4)]
        ]
        details = {"surveys": scores} if not is_open and number % 3 else {}
        ended = None if days is None else at + timedelta(days=days)
        made.append(
            CaseMeasures(
                ref=f"R{number:03}", rule=2, version=5, rulebook_id="r", received_at=at,
                received_on=local_time(at, ZONE).date(), logged_at=at, acknowledged_at=at, assessed_at=at,
                decided_at=ended, closed_at=ended, is_simulation=False, is_history=False,
                kind=ContactKind.COMPLAINT.value, channel=str(chance.choice(["telegram", "phone"])),
                language=str(chance.choice(["en", "en", "tr"])), written_in=None,
                category=str(chance.choice(["money", "delivery", "supply"], p=[0.5, 0.3, 0.2])), product=None,
                branch=None, severity=2, safety=0, priority=str(chance.choice(["P2", "P3"])), first_priority=None,
                state="received" if is_open else "closed", level=1, close_code=None if is_open else "resolved",
                outcome=None if is_open else str(chance.choice(["upheld", "not_upheld"])),
                cause_class=None if is_open else str(chance.choice(["single", "recurring", "systemic"])),
                incident_id=None, support_need=bool(chance.random() < 0.3), missed_danger=False, incomplete=False,
                decision_working_days=None if days is None else int(days), decision_days=days,
                closure_working_days=None if days is None else int(days), closure_days=days, process_score=None,
                outcome_score=None, marks=marks, pending=None, stages="1,,,U1;", details=json.dumps(details),
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda row: row.received_at))


@cache
def report() -> Monitoring:
    return monitor(((row, b.RULES.calendar) for row in rows()), period=PERIOD, now=NOW)


@cache
def table() -> pd.DataFrame:
    frame = pd.DataFrame([row._asdict() for row in rows()])
    for key, letter in LETTERS.items():
        hits = frame["marks"].str.contains(f"{letter}+", regex=False)
        misses = frame["marks"].str.contains(f"{letter}-", regex=False)
        frame[key] = hits.where(hits | misses)
    return frame


@pytest.mark.parametrize("key", SHARES)
def test_a_share_and_its_wilson_interval_agree_with_statsmodels(key: str) -> None:
    column = table()[key].dropna().astype(bool)
    share = report().share(key).share
    assert (share.hits, share.of) == (column.sum(), column.count())
    assert share.interval == pytest.approx(proportion_confint(column.sum(), column.count(), method="wilson"))


@pytest.mark.parametrize("priority", ["all", "P2", "P3"])
@pytest.mark.parametrize(
    ("key", "column"), [("time_to_decision", "decision_days"), ("time_to_closure", "closure_days")]
)
def test_a_duration_agrees_with_the_survival_function_of_statsmodels(
    key: str, column: str, priority: str
) -> None:
    frame = table() if priority == "all" else table()[table()["priority"] == priority]
    age = (NOW - frame["received_at"]).dt.total_seconds() / 86_400
    estimate = SurvfuncRight(frame[column].fillna(age), frame[column].notna())
    (figure,) = (row for row in report().durations if (row.key, row.group) == (key, priority))
    days = figure.days
    assert (days.median, days.p90) == pytest.approx((estimate.quantile(0.5), estimate.quantile(0.9)))
    assert (days.median_low, days.median_high) == pytest.approx(estimate.quantile_ci(0.5, method="cloglog"))


@pytest.mark.parametrize(("key", "place"), [("process", 0), ("outcome", 1)])
def test_a_mean_score_agrees_with_pandas(key: str, place: int) -> None:
    surveys = (
        table()["details"].map(json.loads).map(lambda value: value.get("surveys", [])).explode().dropna()
    )
    values = surveys.str[place]
    (score,) = (row for row in report().scores if row.key == key and row.group is None)
    assert score.mean == pytest.approx(values.mean())
    assert (score.share.hits, score.share.of) == ((values >= 4).sum(), values.count())
    low, high = mean_interval(values.sum(), (values**2).sum(), values.count()) or (0, 0)
    # With 167 scores the interval is nearly that of Student.
    assert (low, high) == pytest.approx(
        stats.t.interval(0.95, values.count() - 1, values.mean(), stats.sem(values)), abs=0.01
    )


@pytest.mark.parametrize("column", ["category", "channel", "priority", "state"])
def test_the_volume_by_code_agrees_with_pandas(column: str) -> None:
    assert report().volume[column] == table()[column].value_counts().to_dict()


@pytest.mark.parametrize(
    ("here", "others"), [((12, 40), (90, 150)), ((3, 11), (40, 60)), ((29, 30), (80, 100))]
)
def test_a_comparison_agrees_with_newcombe_and_fisher(here: tuple[int, int], others: tuple[int, int]) -> None:
    gap = Gap("language", "tr", "upheld", Share(*here), Share(*others))
    expected = confint_proportions_2indep(*here, *others, method="newcomb", compare="diff")
    assert gap.interval == pytest.approx(expected, abs=1e-9)
    odds = [[here[0], here[1] - here[0]], [others[0], others[1] - others[0]]]
    assert exact_p_value(Share(*here), Share(*others)) == pytest.approx(stats.fisher_exact(odds).pvalue)


@pytest.mark.parametrize("number", [0, 1, 17, 400])
def test_a_rate_agrees_with_the_exact_interval_of_statsmodels(number: int) -> None:
    low, high = confint_poisson(number, 1, method="exact-c")
    assert poisson_interval(number) == pytest.approx((0 if np.isnan(low) else low, high))
    rate = Rate("tv", number, 5_000, (100, 20_000))
    test = stats.binomtest(number, number + 100, 0.2)
    assert rate.flagged == (test.pvalue <= 0.05)


def test_a_survival_with_ties_agrees_with_statsmodels() -> None:
    ended, still_open = [1, 1, 2, 3, 3, 3, 4, 5, 5, 8, 13], [2, 3, 9, 9, 20]
    estimate = SurvfuncRight(ended + still_open, [1] * len(ended) + [0] * len(still_open))
    figure = survival(ended, still_open)
    assert (figure.median, figure.median_low) == (
        estimate.quantile(0.5),
        estimate.quantile_ci(0.5, method="cloglog")[0],
    )


def test_pareto_and_causes_of_the_analysis_agree_with_pandas() -> None:
    frame = table()
    days = {("all", ""): Counter(frame["received_on"])}
    for category, part in frame.groupby("category"):
        days["category", str(category)] = Counter(part["received_on"])
    causes = tuple(
        CauseCount(True, str(category), None, str(cause), len(part))
        for (category, cause), part in frame.dropna(subset="cause_class").groupby(["category", "cause_class"])
    )
    counts = AnalysisCounts(days, causes, {}, 0)
    analysis = build_analysis(AnalysisInput(counts, PERIOD, NOW, b.RULES.calendar, Coverage(300, 300)))
    tables = {part.id: part for section in analysis.sections for part in section.tables}
    expected = frame["category"].value_counts()
    assert list(tables["pareto"].column("received")) == expected.tolist()
    together = [cell.value for cell in tables["pareto"].column("cumulative")]  # type: ignore[union-attr]
    assert together == pytest.approx((expected.cumsum() / 300).tolist())
    assert all(before < after for before, after in pairwise(together))
    shares = [share.hits for share in tables["causes"].column("in_period")]  # type: ignore[union-attr]
    assert shares == [
        frame["cause_class"].value_counts()[name] for name in ("single", "recurring", "systemic")
    ]
