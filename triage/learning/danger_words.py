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
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import normalize

from triage.learning.examples import starter_examples
from triage.matching import LANGUAGES
from triage.safety.language import words_of
from triage.safety.likely import HEAVY, LIGHT, word_features

LIGHT_RECALL, HEAVY_FALSE = 0.93, 0.08
"""Shares that are equal in all languages, of examples held out by cross-validation: of danger, those that weigh more
than `LIGHT`; of ordinary complaints, those that weigh more than `HEAVY`, so that emotion alone asks for no look."""
# People speak of self-harm in everyday words, so its examples must count more to be found as often as the others.
_WEIGHT_OF_KIND = {"self_harm": 1.5, "ordinary": 2.0}
# How far the weights may follow the examples: chosen by cross-validation from 1, 3 and 10.
_FREEDOM = 3.0
_FOLDS, _FEWEST_ROWS = 10, 2


def _features(text: str) -> set[str]:
    return word_features(words_of(text))


def learn_weights(language: str) -> dict[str, float]:
    """The weights of a language by feature, and the two thresholds."""
    folder = resources.files("triage").joinpath("danger")
    rows = [
        (row["text"], name if name != "danger" else row["kind"], name == "danger")
        for name in ("danger", "lookalikes", "ordinary")
        for row in csv.DictReader(folder.joinpath(f"{name}.csv").read_text("utf-8").splitlines())
        if row["language"] == language
    ]
    starters = starter_examples((language,))
    rows += [
        (row.text, "starter", False) for row in starters if row.severity is not None and row.severity < 4
    ]
    texts = [text for text, _, _ in rows]
    kinds = np.array([kind for _, kind, _ in rows])
    labels = np.array([is_danger for _, _, is_danger in rows])
    weight_of_row = np.array([_WEIGHT_OF_KIND.get(kind, 1.0) for _, kind, _ in rows])
    vectoriser = CountVectorizer(analyzer=_features, binary=True, min_df=_FEWEST_ROWS)
    matrix = normalize(vectoriser.fit_transform(texts))
    regression = LogisticRegression(C=_FREEDOM, class_weight="balanced", max_iter=3000)
    decisions = cross_val_predict(
        regression,
        matrix,
        labels,
        cv=StratifiedKFold(_FOLDS, shuffle=True, random_state=1),
        method="decision_function",
        params={"sample_weight": weight_of_row},
    )
    light = np.quantile(decisions[labels], 1 - LIGHT_RECALL)
    heavy = np.quantile(decisions[kinds == "ordinary"], 1 - HEAVY_FALSE)
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
