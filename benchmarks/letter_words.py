"""How well the letter warnings are learned: `python -m benchmarks.letter_words`, three minutes.

Run it after a change of the letters, rules or groups. It prints how each kind does in cross-validation, and the
limits for `triage.learning.letter_models.LIMITS`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from triage.learning.letter_models import Letters
from triage.letters.letter_warnings import WEIGHED, added_weight

FALSE_ALARMS = 0.06
"""Share of the good letters of `_USUAL`, held out by cross-validation, that all kinds together may warn of."""
# Those that are as hard as the letters of a day. The letters of set M were all written to be near the limit.
_USUAL = ("e", "h", "i", "k")
# With one repeat of cross-validation, three sentences more moved the limits by 4 of 100 letters.
_FOLDS, _REPEATS = 5, 3
# A weaker kind may have this share of the good letters at most.
_MOST_OF_A_KIND = 0.018


def main() -> None:
    letters = Letters()
    usual = letters.of_sources(_USUAL)
    good = usual & np.array([not row["warnings"] for row in letters.letters])
    scores = {kind: held_out(letters, kind) for kind in WEIGHED}
    faulty = {kind: usual & letters.labels(kind).is_faulty for kind in WEIGHED}
    limits = choose_limits(scores, faulty, good)
    print("LIMITS =", {kind: round(float(limit), 3) for kind, limit in limits.items()})


def held_out(letters: Letters, kind: str) -> Any:
    """For each letter the weight of its heaviest sentence, by models that had not seen it."""
    labels, letter_of = letters.labels(kind), letters.letter_of
    lengths = np.log(np.maximum(1, np.bincount(letter_of, minlength=len(letters.letters))))
    can_warn = np.array([sentence.can_warn(kind) for sentence in letters.sentences])
    repeats = []
    for number in range(_REPEATS):
        scores = np.full(len(letters.letters), -np.inf)
        folds = GroupKFold(_FOLDS, shuffle=True, random_state=number)
        for training, judged in folds.split(letters.matrix, groups=letter_of):
            _, scaled, model = letters.learn(labels, training)
            able = judged[can_warn[judged] & ~labels.is_skipped[letter_of[judged]]]
            added = [added_weight(letters.sentences[row], kind, lengths[letter_of[row]]) for row in able]
            np.maximum.at(scores, letter_of[able], model.decision_function(scaled[able]) + added)
        repeats.append(scores)
    return np.mean(repeats, axis=0)


def choose_limits(
    scores: Mapping[str, Any], faulty: Mapping[str, Any], good: Any, budget: float = FALSE_ALARMS
) -> dict[str, float]:
    """The limit of each kind with which most faulty letters are warned of, at this share of good letters.

    One price for a false alarm of any kind: each limit in turn goes where warnings of faults less the price of false
    alarms are most, and the lowest price that keeps to the budget is taken.
    """
    steps = {
        kind: np.sort(row[good])[::-1][: int(_MOST_OF_A_KIND * good.sum()) : 2]
        for kind, row in scores.items()
    }

    def counts(limits: Mapping[str, float]) -> tuple[int, int]:
        warned = {kind: scores[kind] > limit for kind, limit in limits.items()}
        hits = np.any([warned[kind] & faulty[kind] for kind in warned], axis=0)
        return int(hits.sum()), int(np.any(list(warned.values()), axis=0)[good].sum())

    best: tuple[int, int, dict[str, float]] = (-1, 0, {})
    for price in np.geomspace(0.3, 30, 30):
        limits = {kind: row[0] for kind, row in steps.items()}
        for kind, row in list(steps.items()) * 3:
            values = [counts(limits | {kind: limit}) for limit in row]
            limits[kind] = row[int(np.argmax([hits - price * alarms for hits, alarms in values]))]
        hits, alarms = counts(limits)
        if alarms <= budget * good.sum() and hits > best[0]:
            best = (hits, alarms, limits)
    # What is left of the budget goes to one limit after another.
    while True:
        lower = [best[2] | {kind: limit} for kind, row in steps.items() for limit in row]
        able = [(*counts(limits), limits) for limits in lower]
        able = [row for row in able if row[1] <= budget * good.sum() and row[0] > best[0]]
        if not able:
            break
        best = max(able, key=lambda row: (row[0] - best[0]) / max(1, row[1] - best[1]))
    print("held out: recall", best[0], int(np.any(list(faulty.values()), axis=0).sum()),
          "false alarms", best[1], int(good.sum()))  # fmt: skip
    for kind, limit in best[2].items():
        print(kind, int((scores[kind] > limit)[faulty[kind]].sum()), int(faulty[kind].sum()),
              "false alarms", int((scores[kind][good] > limit).sum()))  # fmt: skip
    return best[2]


if __name__ == "__main__":
    main()
