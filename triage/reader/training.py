"""Learn the danger models from the examples in `triage/danger`: `python -m triage.reader.training` writes them.

`make install` and a release run it; nothing that runs does. Cross-validation sets the limits, with all translations
of a text in one fold.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from complaints.hazards import HAZARD_OF_KIND, HAZARDS
from triage.encoder import FINGERPRINT, installed_encoder
from triage.learning.examples import starter_examples
from triage.matching import LANGUAGES
from triage.reader.danger import FILES, DangerModel, hazard_shares
from triage.reader.features import SIGN_VALUE, SIZE, Places, Values, Window, read_windows
from triage.safety.signs import find_signs

#: Shares of ordinary complaints (`general-` in `ordinary.csv`, held out) that may ask, page, or page because a hazard
#: needs no question. Half of these examples are near a danger on purpose: of plain complaints two thirds as many ask.
ORDINARY_LOOKS, ORDINARY_PAGES, ORDINARY_UNASKED = 0.061, 0.004, 0.002
#: Share of dangers with a sign of present danger that may ask first, because the model doubts them.
DOUBTED_DANGERS = 0.03
#: Share of dangers, by words alone, that the model with vectors is not asked about.
UNASKED_DANGERS = 0.005
#: How often the hazard that speaks must be the right one.
RIGHT_HAZARDS = 0.95
# How closely the weights follow the examples, chosen by cross-validation.
_DANGER_FREEDOM, _HAZARD_FREEDOM = 0.5, 0.3
_FOLDS = 3
_HAZARDS = tuple(hazard.name for hazard in HAZARDS)
_UNASKED = np.array([hazard.unasked for hazard in HAZARDS])


@dataclass(frozen=True, slots=True)
class DangerExample:
    """`hazard` is "" where there is no danger. `probe` is the same for all translations of a text.

    Only its first `window` is learned: the others have its label by chance. `vector` is empty without an encoder.
    """

    hazard: str
    probe: str
    window: Window
    vector: Values
    has_danger_sign: bool

    @property
    def is_general(self) -> bool:
        """Whether it is an everyday complaint of some trade, not written to be near a danger."""
        return self.probe.startswith("general-")


def read_examples() -> list[DangerExample]:
    rows = list(_rows())
    signs = [find_signs(text) for text, _, _ in rows]
    windows = [read_windows(text, signs_in)[0] for (text, _, _), signs_in in zip(rows, signs, strict=True)]
    vectors = np.zeros((len(rows), 0), dtype=np.float32)
    encoder = installed_encoder()
    if encoder is not None:
        vectors = encoder.encode([window.text for window in windows])
    return [
        DangerExample(hazard, probe, window, vector, any(sign.danger for sign in signs_in))
        for (_, hazard, probe), window, vector, signs_in in zip(rows, windows, vectors, signs, strict=True)
    ]


def _rows() -> Iterator[tuple[str, str, str]]:
    folder = resources.files("triage").joinpath("danger")
    for name in ("danger", "lookalikes", "ordinary", "everyday"):
        for row in csv.DictReader(folder.joinpath(f"{name}.csv").read_text("utf-8").splitlines()):
            hazard = HAZARD_OF_KIND[row["kind"]].name if name == "danger" else ""
            yield row["text"], hazard, row["probe"]
    for example in starter_examples(LANGUAGES):
        if example.severity is not None and example.severity < 4:
            yield example.text, "", example.text


def learn(examples: Sequence[DangerExample]) -> DangerModel:
    """The model of all examples, with limits from models that had not seen the text that they weigh."""
    held_out = np.zeros((len(examples), 1 + len(_HAZARDS)), dtype=np.float32)
    groups = [example.probe for example in examples]
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=1).split(examples, groups=groups)
    for learned, judged in folds:
        model = _fit([examples[row] for row in learned])
        for row in judged:
            held_out[row] = model.weigh(examples[row].window, examples[row].vector)
    return replace(_fit(examples), limits=_limits(examples, held_out))


def _fit(examples: Sequence[DangerExample]) -> DangerModel:
    rarity = _rarity([example.window for example in examples])
    matrix = _matrix(examples, rarity)
    hazards = np.array([example.hazard for example in examples])
    is_danger = hazards != ""
    danger = LinearSVC(C=_DANGER_FREEDOM, class_weight="balanced", random_state=1)
    danger.fit(matrix, is_danger)
    hazard = LinearSVC(C=_HAZARD_FREEDOM, class_weight="balanced", random_state=1)
    hazard.fit(matrix[is_danger], hazards[is_danger])
    order = [hazard.classes_.tolist().index(name) for name in _HAZARDS]
    weights = np.concatenate([danger.coef_, hazard.coef_[order]]).T.astype(np.float32)
    intercepts = np.concatenate([danger.intercept_, hazard.intercept_[order]]).astype(np.float32)
    has_vectors = len(examples[0].vector) > 0
    return DangerModel(
        rarity.astype(np.float16),
        weights[:SIZE].astype(np.float16),
        weights[SIZE:] if has_vectors else None,
        intercepts,
        _HAZARDS,
        {},
        FINGERPRINT if has_vectors else "",
    )


def _rarity(windows: Sequence[Window]) -> Values:
    """How rare each feature is; 0 for those of a single text, which are noise."""
    frequency = np.bincount(np.concatenate([window.places for window in windows]), minlength=SIZE)
    rarity = np.log((1 + len(windows)) / (1 + frequency)) + 1
    return np.where(frequency >= 2, rarity, 0).astype(np.float32)


def _matrix(examples: Sequence[DangerExample], rarity: Values) -> csr_matrix:
    windows = [example.window for example in examples]
    signs = [np.full(len(window.sign_places), SIGN_VALUE, np.float32) for window in windows]
    values = [
        np.concatenate([window.values(rarity), value]) for window, value in zip(windows, signs, strict=True)
    ]
    places = [np.concatenate([window.places, window.sign_places]) for window in windows]
    ends = np.cumsum([0, *map(len, places)])
    matrix = csr_matrix((np.concatenate(values), np.concatenate(places), ends), shape=(len(windows), SIZE))
    matrix.sum_duplicates()
    return hstack([matrix, np.stack([example.vector for example in examples])]).tocsr()


def _limits(examples: Sequence[DangerExample], held_out: Values) -> dict[str, float]:
    danger = held_out[:, 0]
    hazards = np.array([example.hazard for example in examples])
    is_danger = hazards != ""
    wanted = np.array([_HAZARDS.index(hazard) for hazard in hazards[is_danger]])
    limits: dict[str, Any] = _hazard_limits(held_out[is_danger, 1:], wanted)
    shares = hazard_shares(held_out[:, 1:], limits["sharpness"])
    pages_unasked = _UNASKED[shares.argmax(axis=1)] & (shares.max(axis=1) >= limits["clear"])
    is_general = np.array([example.is_general for example in examples])
    ordinary, signed = (
        danger[is_general],
        danger[[example.has_danger_sign for example in examples] & is_danger],
    )
    unasked = np.where(pages_unasked, danger, -np.inf)[is_general]
    look = np.quantile(ordinary, 1 - ORDINARY_LOOKS)
    limits |= {
        "calm": np.quantile(danger[is_danger], UNASKED_DANGERS),
        "look": look,
        "unasked": max(look, np.quantile(unasked, 1 - ORDINARY_UNASKED, method="higher")),
        "page": np.quantile(ordinary, 1 - ORDINARY_PAGES),
        "doubt": np.quantile(signed, DOUBTED_DANGERS),
    }
    return {name: float(value) for name, value in limits.items()}


def _hazard_limits(weights: Values, wanted: Places) -> dict[str, float]:
    """The sharpness that makes shares likeliest, and the smallest share from which enough hazards are right."""
    rows = np.arange(len(wanted))
    sharpness = min(
        np.arange(0.5, 20, 0.5), key=lambda value: -np.log(hazard_shares(weights, value)[rows, wanted]).mean()
    )
    largest, is_right = hazard_shares(weights, sharpness).max(axis=1), weights.argmax(axis=1) == wanted
    order = np.argsort(-largest)
    right_above = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right_above >= RIGHT_HAZARDS)
    return {"sharpness": sharpness, "clear": largest[order[enough[-1]]] if len(enough) else 1.0}


def write(name: str, model: DangerModel) -> None:
    arrays: dict[str, Any] = {
        "rarity": model.rarity,
        "weights": model.weights,
        "intercepts": model.intercepts,
        "hazards": np.array(model.hazards),
        "encoder": np.array(model.encoder),
        "limit_names": np.array(list(model.limits)),
        "limits": np.array(list(model.limits.values())),
    }
    if model.directions is not None:
        arrays["directions"] = model.directions
    np.savez_compressed(FILES[name], **arrays)
    print(name, ", ".join(f"{limit} {value:.2f}" for limit, value in model.limits.items()))


def main() -> None:
    examples = read_examples()
    by_words = [replace(example, vector=np.empty(0, np.float32)) for example in examples]
    for name, learned in (("words", by_words), ("vectors", examples)):
        write(name, learn(learned))


if __name__ == "__main__":
    main()
