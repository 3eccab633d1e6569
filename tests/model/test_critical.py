"""The classifier of critical cases: what rules count for, and what very many rows cost it."""

from __future__ import annotations

import numpy as np
import pytest

from triage import critical
from triage.critical import fit_critical
from triage.features import fit_features
from triage.pipeline import Critical
from triage.safety import signs
from triage.severity import rule_grade, rule_grades
from triage.starters import starter_examples
from triage.text import normalise

ROWS = starter_examples(("en",))
_, MATRIX = fit_features([normalise(row.text) for row in ROWS])
SEVERITIES = np.array([row.severity for row in ROWS], dtype=np.float64)
GRADES = rule_grades([row.text for row in ROWS])


def fitted(**more: bool) -> Critical:
    found = fit_critical(MATRIX, SEVERITIES, GRADES, seed=0, **more)
    assert found is not None
    return found


def test_only_signs_of_severity_four_and_five_count() -> None:
    assert rule_grade(signs("There is a smell of gas in the hall")) == 1
    assert rule_grade(signs("We have had no water since this morning")) == 0
    assert rule_grade(()) == 0


def test_a_rule_counts_for_a_critical_case_and_more_before_there_is_a_history() -> None:
    assert fitted().counts > 0
    assert fitted(first_day=True).counts == pytest.approx(1.5 * fitted().counts)


def test_without_a_fired_rule_rules_count_nothing() -> None:
    found = fit_critical(MATRIX, SEVERITIES, np.zeros(len(ROWS)), seed=0)
    assert found is not None
    assert found.counts == 0


def test_of_very_many_rows_some_settle_it_and_probabilities_still_tell_the_share_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(critical, "MOST", 300)
    few = fitted()
    decisions = few.plane.decide(MATRIX)[:, 0] + few.counts * GRADES
    mean = float(few.sigmoid.apply(decisions).mean())
    assert mean == pytest.approx(float((SEVERITIES >= 4).mean()), abs=0.08)


def test_too_few_critical_rows_teach_nothing() -> None:
    calm = np.where(SEVERITIES >= 4, np.nan, SEVERITIES)
    assert fit_critical(MATRIX, calm, GRADES, seed=0) is None
