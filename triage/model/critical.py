"""The second classifier: is a case critical (severity 4 or 5)?

Three linear classifiers are added: an SVM on the plain features, one on features scaled by their log-count ratio in
critical texts (Wang and Manning 2012), and one on those rows brought to length 1, so that a telling word is not lost
among many others. Together they find more critical cases at the same number of alerts than any of them alone
(decision 10). The weight of the gravest safety rule next to the words is fitted on held-out rows. It is high while
there are only written examples and low with a history. Independently, each rule stays a floor of severity.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from triage.defaults import ALERT_RATE
from triage.model.calibration import Doubles, Integers, Mask, Sigmoid, fit_sigmoid
from triage.model.linear import fit_linear, stratified_folds
from triage.model.pipeline import CRITICAL, CriticalClassifier, LinearClassifier, NormalisedLinear
from triage.model.prediction_metrics import alert_threshold
from triage.model.text_features import Floats

PREVALENCE = 0.06
"""Assumed share of critical cases at a desk; training rows contain more."""
MAX_ROWS = 4_000
"""Rows that the classifiers are fitted on; more cost time and gain little."""
SINGLE_FOLD_FROM = 6_000
"""With more rows than this, sigmoid and threshold are fitted on one held-out fold instead of three."""

_FEWEST = 6
_RATIO_C = 3.0
_NORMALISED_C = 1.0
_SMOOTHING = 3.0
# Written examples seldom show what the rules were written for: without a history a rule counts half as much again.
_RULES_WITHOUT_HISTORY = 1.5
# The fitted weight suits all rows. Among the highest scores, where alerts are raised, a model with a history has
# already learned what the rules know: a quarter of the weight finds more critical cases there.
_RULES_WITH_HISTORY = 0.25
_HISTORY_FROM = 200


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """Decision values (rows,) of held-out rows, and which of these rows are critical (rows,)."""

    scores: Doubles
    critical: Mask


def fit_critical(
    matrix: sparse.csr_matrix,
    severities: npt.NDArray[np.float64],
    grades: Callable[[Integers], Doubles],
    *,
    seed: int,
    alert_rate: float = ALERT_RATE,
    own: int = 0,
) -> tuple[CriticalClassifier, HeldOutScores] | None:
    """Fit the classifier on the rows whose severity is known.

    Parameters: `severities` (n,) is nan where unknown; rows of the matrix after the first n are ignored. `grades`
    returns the rule grades (`triage.criteria.rule_grades`) of the rows at the indices that it receives, so that only
    the texts used are searched for signs. `own` is how many of the severities come from the organisation's own rows
    and not from written examples. Returns the classifier and its scores on held-out rows, or None where fewer than 6
    rows are critical or fewer than 6 are not.
    """
    rated = np.flatnonzero(~np.isnan(severities))
    labels = (severities[rated] >= CRITICAL).astype(np.int64)
    if min(int(labels.sum()), int((1 - labels).sum())) < _FEWEST:
        return None
    share = float(labels.mean())
    sample = _sample_rows(labels, seed)
    rated, labels = rated[sample], labels[sample]
    rows = matrix[rated]
    folds = stratified_folds(labels, seed=seed)
    if len(labels) > SINGLE_FOLD_FROM:
        folds = folds[:1]
    values = np.full((len(labels), 3), np.nan)
    for train, holdout in folds:
        values[holdout] = _fit_parts(rows[train], labels[train], seed).decide(rows[holdout])
    scored = ~np.isnan(values[:, 0])
    spreads: Doubles = np.std(values[scored], axis=0)
    spreads[spreads == 0] = 1.0
    by_words: Doubles = (values[scored] / spreads).sum(axis=1)
    critical, rule_grades = labels[scored] == 1, grades(rated[scored])
    rule_weight = _fit_rule_weight(by_words, rule_grades, critical) * _trust_in_rules(own)
    decisions = by_words + rule_weight * rule_grades
    sigmoid = _shift_prior(fit_sigmoid(decisions, critical), share, float(labels.mean()))
    threshold = alert_threshold(sigmoid.apply(decisions), critical, rate=alert_rate, prevalence=PREVALENCE)
    linear, normalised = _fit_parts(rows, labels, seed).blend(spreads)
    classifier = CriticalClassifier(linear, normalised, rule_weight, sigmoid, threshold)
    return classifier, HeldOutScores(decisions, critical)


@dataclass(frozen=True, slots=True)
class _CriticalParts:
    """The three classifiers of the same rows, all over the plain features; `ratios` (features,)."""

    plain: LinearClassifier
    scaled: LinearClassifier
    normalised: LinearClassifier
    ratios: Floats

    def decide(self, matrix: sparse.csr_matrix) -> Doubles:
        """Decision values (rows, 3)."""
        normalised = NormalisedLinear(self.normalised.weights[0], self.ratios)
        columns = (
            self.plain.decide(matrix)[:, 0],
            self.scaled.decide(matrix)[:, 0],
            normalised.decide(matrix) + self.normalised.intercepts[0],
        )
        return np.stack(columns, axis=1)

    def blend(self, spreads: Doubles) -> tuple[LinearClassifier, NormalisedLinear]:
        """The sum of all three, each divided by the spread of its decision values."""
        parts = [self.plain, self.scaled, self.normalised]
        intercept = sum(part.intercepts / spread for part, spread in zip(parts, spreads, strict=True))
        weights = self.plain.weights / spreads[0] + self.scaled.weights / spreads[1]
        return (
            LinearClassifier(weights.astype(np.float32), np.asarray(intercept, dtype=np.float32)),
            NormalisedLinear((self.normalised.weights[0] / spreads[2]).astype(np.float32), self.ratios),
        )


def _fit_parts(matrix: sparse.csr_matrix, labels: Integers, seed: int) -> _CriticalParts:
    ratios = _log_count_ratios(matrix, labels == 1)
    scaled_matrix = matrix.multiply(ratios).tocsr()
    plain = _fit_binary(matrix, labels, seed)
    scaled = _fit_binary(scaled_matrix, labels, seed, _RATIO_C)
    normalised = _fit_binary(normalize(scaled_matrix), labels, seed, _NORMALISED_C)
    return _CriticalParts(
        plain,
        LinearClassifier(scaled.weights * ratios, scaled.intercepts),
        LinearClassifier(normalised.weights * ratios, normalised.intercepts),
        ratios,
    )


def _log_count_ratios(matrix: sparse.csr_matrix, critical: Mask) -> Floats:
    """|log ratio| of the smoothed frequencies of each feature in critical texts and in others, array (features,)."""
    occurs = matrix.copy()
    occurs.data = np.ones_like(occurs.data)
    in_critical = np.asarray(occurs[critical].sum(axis=0)).ravel() + _SMOOTHING
    in_others = np.asarray(occurs[~critical].sum(axis=0)).ravel() + _SMOOTHING
    ratios = np.abs(np.log((in_critical / in_critical.sum()) / (in_others / in_others.sum())))
    return np.asarray(ratios, dtype=np.float32)


def _fit_binary(
    matrix: sparse.csr_matrix, labels: Integers, seed: int, c: float | None = None
) -> LinearClassifier:
    classifier = fit_linear("svm", matrix, labels, categories=2, seed=seed, c=c)
    return LinearClassifier(classifier.weights[1:], classifier.intercepts[1:])


def _sample_rows(labels: Integers, seed: int) -> Integers:
    """Indices of the rows to fit on: all, or at most `MAX_ROWS`, of which up to half are critical."""
    if len(labels) <= MAX_ROWS:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    critical = order[labels[order] == 1][: MAX_ROWS // 2]
    others = order[labels[order] == 0][: MAX_ROWS - len(critical)]
    return np.sort(np.concatenate([critical, others]))


def _shift_prior(sigmoid: Sigmoid, share: float, fitted_share: float) -> Sigmoid:
    """The sigmoid for rows of which `share` are critical, when it was fitted on rows with `fitted_share`."""
    shift = np.log(share / (1 - share)) - np.log(fitted_share / (1 - fitted_share))
    return Sigmoid(sigmoid.slope, sigmoid.offset + float(shift))


def _fit_rule_weight(decisions: Doubles, grades: Doubles, critical: Mask) -> float:
    """What a rule's grade adds to a decision value; never negative."""
    if not grades.any():
        return 0.0
    fitted = LogisticRegression(C=10, class_weight="balanced").fit(np.c_[decisions, grades], critical)
    by_words, by_rules = fitted.coef_[0]
    return float(max(0.0, by_rules) / max(by_words, 0.05))


def _trust_in_rules(own: int) -> float:
    """The factor for the fitted rule weight, by the number of the organisation's own rows."""
    if own == 0:
        return _RULES_WITHOUT_HISTORY
    return 1.0 if own < _HISTORY_FROM else _RULES_WITH_HISTORY
