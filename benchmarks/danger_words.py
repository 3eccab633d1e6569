"""The word weights of likely danger, learned from the written examples in `triage/danger`.

Run `python -m benchmarks.danger_words` after a change of the examples. It is a plain logistic regression on
words, their beginnings and pairs. The weights are a file that the safety rules read, so that no message waits for a
model.
"""

import csv
from importlib import resources

import numpy as np
from sklearn.model_selection import GroupKFold, cross_val_predict

from benchmarks.word_weights import count_features, regression, write_weights
from triage.learning.examples import starter_examples
from triage.matching import LANGUAGES
from triage.safety.likely import LOOK, PAGE, danger_features

ORDINARY_LOOKS = {"en": 0.03, "tr": 0.045, "de": 0.035, "es": 0.03}
"""Share of ordinary complaints of every trade (`general-` in `ordinary.csv`), held out by cross-validation, that may
ask for a look. Turkish needs the larger share to find as many dangers as the others. The other ordinary examples are
near danger on purpose."""
FALSE_PAGES = 0.003
"""Share of ordinary examples, held out likewise, that may page by a combination in words that weigh much."""
# People speak of self-harm and violence in everyday words, so these examples count more, to be found as often.
_WEIGHT_OF_KIND = {"self_harm": 2.0, "violence": 2.0, "child": 3.0, "ordinary": 2.0, "everyday": 3.0}
_FOLDS = 10


def learn_weights(language: str) -> dict[str, float]:
    """The weights of a language by feature, and the two thresholds."""
    folder = resources.files("triage").joinpath("danger")
    rows = [
        (row["text"], name if name != "danger" else row["kind"], row["probe"])
        for name in ("danger", "lookalikes", "ordinary", "everyday")
        for row in csv.DictReader(folder.joinpath(f"{name}.csv").read_text("utf-8").splitlines())
        if row["language"] == language
    ]
    starters = starter_examples((language,))
    rows += [
        (row.text, "starter", row.text) for row in starters if row.severity is not None and row.severity < 4
    ]
    kinds = np.array([kind for _, kind, _ in rows])
    labels = ~np.isin(kinds, ["lookalikes", "ordinary", "everyday", "starter"])
    weight_of_row = np.array([_WEIGHT_OF_KIND.get(kind, 1.0) for kind in kinds])
    matrix, names = count_features(danger_features(text, language) for text, _, _ in rows)
    model = regression()
    decisions = cross_val_predict(
        model,
        matrix,
        labels,
        groups=[probe for _, _, probe in rows],
        cv=GroupKFold(_FOLDS, shuffle=True, random_state=1),
        method="decision_function",
        params={"sample_weight": weight_of_row},
    )
    combined = matrix[:, [name.startswith("@") for name in names]].max(axis=1).toarray().ravel() > 0
    is_general = np.array([probe.startswith("general-") for _, _, probe in rows])
    look = np.quantile(decisions[is_general], 1 - ORDINARY_LOOKS[language])
    found = (decisions[labels] > look).mean()
    print(
        f"{language}: {found:.3f} of dangers, held out, at {ORDINARY_LOOKS[language]:.3f} of ordinary complaints"
    )
    is_ordinary = np.isin(kinds, ["ordinary", "starter"])
    page = np.sort(np.where(combined, decisions, -np.inf)[is_ordinary])[
        -1 - int(FALSE_PAGES * is_ordinary.sum())
    ]
    model.fit(matrix, labels, sample_weight=weight_of_row)
    intercept = float(model.intercept_[0])
    weights = dict(zip(names, model.coef_[0], strict=True))
    return {LOOK: float(look) - intercept, PAGE: float(page) - intercept} | weights


def main() -> None:
    for language in LANGUAGES:
        write_weights(
            "signs", language, {name: (weight,) for name, weight in learn_weights(language).items()}
        )


if __name__ == "__main__":
    main()
