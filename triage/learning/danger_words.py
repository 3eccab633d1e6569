"""The word weights of likely danger, learned from the written examples in `triage/danger`.

Run `python -m triage.learning.danger_words` after a change of the examples. It is a plain logistic regression on
words, their beginnings and pairs. The weights are a file that the safety rules read, so that no message waits for a
model.
"""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import normalize

from triage.learning.examples import starter_examples
from triage.matching import LANGUAGES
from triage.safety.language import words_of
from triage.safety.likely import HEAVY, LIGHT, word_features

LIGHT_RECALL, HEAVY_RECALL = 0.90, 0.50
"""Shares of the examples of danger, held out, that weigh more than `LIGHT` and `HEAVY`: equal in all languages."""
# People speak of self-harm in everyday words, so its examples must count more to be found as often as the others.
_WEIGHT_OF_KIND = {"self_harm": 2.0}
_FOLDS, _FEWEST_ROWS = 5, 2


def _features(text: str) -> set[str]:
    return word_features(words_of(text))


def learn_weights(language: str) -> dict[str, float]:
    """The weights of a language by feature, and the two thresholds."""
    folder = resources.files("triage").joinpath("danger")
    rows = [
        (row["text"], name == "danger.csv", _WEIGHT_OF_KIND.get(row["kind"], 1.0))
        for name in ("danger.csv", "lookalikes.csv")
        for row in csv.DictReader(folder.joinpath(name).read_text("utf-8").splitlines())
        if row["language"] == language
    ]
    starters = starter_examples((language,))
    ordinary = [row.text for row in starters if row.severity is not None and row.severity < 4]
    texts = [text for text, _, _ in rows] + ordinary
    labels = np.array([is_danger for _, is_danger, _ in rows] + [False] * len(ordinary))
    weight_of_row = np.array([weight for _, _, weight in rows] + [1.0] * len(ordinary))
    vectoriser = CountVectorizer(analyzer=_features, binary=True, min_df=_FEWEST_ROWS)
    matrix = normalize(vectoriser.fit_transform(texts))
    regression = LogisticRegression(class_weight="balanced", max_iter=3000)
    decisions = cross_val_predict(
        regression,
        matrix,
        labels,
        cv=_FOLDS,
        method="decision_function",
        params={"sample_weight": weight_of_row},
    )
    light, heavy = np.quantile(decisions[labels], (1 - LIGHT_RECALL, 1 - HEAVY_RECALL))
    regression.fit(matrix, labels, sample_weight=weight_of_row)
    intercept = float(regression.intercept_[0])
    weights = dict(zip(vectoriser.get_feature_names_out(), regression.coef_[0], strict=True))
    return {LIGHT: float(light) - intercept, HEAVY: float(heavy) - intercept} | weights


def main() -> None:
    for language in LANGUAGES:
        file = Path(str(resources.files("triage").joinpath("signs", f"weights_{language}.csv")))
        lines = [[feature, f"{weight:.2f}"] for feature, weight in sorted(learn_weights(language).items())]
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(lines)


if __name__ == "__main__":
    main()
