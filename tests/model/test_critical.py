"""The classifier of critical cases: the weight of rules, and the limit on rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sparse

from triage.criteria import rule_grade, rule_grades
from triage.learning.examples import starter_examples
from triage.model import critical
from triage.model.calibration import Doubles, Integers
from triage.model.critical import fit_critical
from triage.model.pipeline import CriticalClassifier, NormalisedLinear
from triage.model.text_features import fit_features
from triage.safety.signs import find_signs
from triage.text import normalise


@dataclass(frozen=True)
class Rows:
    """The features, severities and rule grades of the starter examples."""

    matrix: sparse.csr_matrix
    severities: Doubles
    grades: Doubles


@cache
def rows() -> Rows:
    examples = starter_examples(("en",))
    _, matrix = fit_features([normalise(row.text) for row in examples])
    severities = np.array([row.severity for row in examples], dtype=np.float64)
    return Rows(matrix, severities, rule_grades([row.text for row in examples]))


def fitted(**more: int) -> CriticalClassifier:
    result = fit_critical(rows().matrix, rows().severities, rows().grades.__getitem__, seed=0, **more)
    assert result is not None
    return result[0]


def test_only_signs_of_severity_four_and_five_count() -> None:
    assert rule_grade(find_signs("Smell of gas in the hall")) == 1
    assert rule_grade(find_signs("We have had no water since this morning")) == 0
    assert rule_grade(()) == 0


def test_a_sign_counts_less_the_later_it_comes() -> None:
    calm = "I waited for the bus. " * 50
    early, late = (
        rule_grade(find_signs(text)) for text in (f"A smell of gas. {calm}", f"{calm} A smell of gas.")
    )
    assert early > 0.99
    assert 0.4 < late < 0.5


def test_rules_count_less_the_longer_the_history() -> None:
    first, early, later = (fitted(own=own).rule_weight for own in (0, 50, 200))
    assert later > 0
    assert (first, early) == pytest.approx((6 * later, 4 * later))


def test_without_a_matched_rule_rules_have_no_weight() -> None:
    result = fit_critical(rows().matrix, rows().severities, lambda places: np.zeros(len(places)), seed=0)
    assert result is not None
    assert result[0].rule_weight == 0


def test_a_sample_of_many_rows_still_gives_the_share_of_critical_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(critical, "MAX_ROWS", 300)
    few = fitted()
    mean = float(few.sigmoid.apply(few.decide(rows().matrix, rows().grades)).mean())
    assert mean == pytest.approx(float((rows().severities >= 4).mean()), abs=0.08)


def test_rules_read_only_the_sample_of_many_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(critical, "MAX_ROWS", 300)
    read: list[int] = []

    def grades(places: Integers) -> Doubles:
        read.extend(places.tolist())
        return np.asarray(rows().grades[places])

    assert fit_critical(rows().matrix, rows().severities, grades, seed=0) is not None
    assert len(read) == len(set(read)) == 300


def test_too_few_critical_rows_give_no_classifier() -> None:
    calm = np.where(rows().severities >= 4, np.nan, rows().severities)
    assert fit_critical(rows().matrix, calm, rows().grades.__getitem__, seed=0) is None


def test_a_word_counts_the_same_in_short_and_long_texts_if_the_other_words_are_neutral() -> None:
    ratios = np.array([2, 0], dtype=np.float32)
    leaning = NormalisedLinear(np.array([4, 0], dtype=np.float32), ratios)
    matrix = sparse.csr_matrix(np.array([[1, 0], [0.1, 0.99], [0, 1], [0, 0]], dtype=np.float32))
    assert leaning.decide(matrix) == pytest.approx([2, 2, 0, 0])
