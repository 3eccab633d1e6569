"""Learn the models of the reader from its examples in `triage`: `python -m triage.learning.reader_models`.

`make install` and a release run it; nothing that runs does. Cross-validation sets the limits, with all translations
of a text in one fold.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Protocol, TypeVar

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from complaints.hazards import HAZARD_OF_KIND, HAZARDS
from triage.encoder import FINGERPRINT, installed_encoder
from triage.learning.examples import starter_examples
from triage.matching import LANGUAGES
from triage.reader.acts import ACTS, act_vector, act_window
from triage.reader.danger import hazard_shares
from triage.reader.features import SIGN_VALUE, SIZE, Values, Window, read_windows
from triage.reader.heads import MOST_STEPS, Heads, files_of, write
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
#: How often an act must be one of those of its message, so that it is sure.
RIGHT_ACTS = 0.9
#: Share of the messages after filing about the same complaint that may be taken for another matter.
OTHER_MATTERS = 0.015
# How closely the weights follow the examples, chosen by cross-validation.
_DANGER_FREEDOM, _HAZARD_FREEDOM, _ACT_FREEDOM = 0.5, 0.3, 1.0
_FOLDS = 3
#: How the names of everyday complaints of some trade begin, which were not written to be near a danger.
_GENERAL = "general-"
_HAZARDS = tuple(hazard.name for hazard in HAZARDS)
_UNASKED = np.array([hazard.unasked for hazard in HAZARDS])


class LearnedText(Protocol):
    """A text to learn from; `group` is the same for all translations of it, `vector` is empty without an encoder."""

    @property
    def group(self) -> str: ...
    @property
    def window(self) -> Window: ...
    @property
    def vector(self) -> Values: ...


_Text = TypeVar("_Text", bound=LearnedText)


@dataclass(frozen=True, slots=True)
class ActExample:
    """`acts` are those of the message, the most important first; `vector` is also that of the text before it."""

    acts: tuple[str, ...]
    is_filed: bool
    group: str
    window: Window
    vector: Values


@dataclass(frozen=True, slots=True)
class DangerExample:
    """`hazard` is "" where there is no danger.

    Only the first `window` of the text is learned: the others have its label by chance.
    """

    hazard: str
    group: str
    window: Window
    vector: Values
    has_danger_sign: bool

    @property
    def is_general(self) -> bool:
        """Whether it is an everyday complaint of some trade, not written to be near a danger."""
        return self.group.startswith(_GENERAL)


def read_danger_examples() -> list[DangerExample]:
    rows = list(_danger_rows())
    signs = [find_signs(text) for text, _, _ in rows]
    windows = [read_windows(text, signs_in)[0] for (text, _, _), signs_in in zip(rows, signs, strict=True)]
    return [
        DangerExample(hazard, probe, window, vector, any(sign.danger for sign in signs_in))
        for (_, hazard, probe), window, vector, signs_in in zip(
            rows, windows, _vectors([window.text for window in windows]), signs, strict=True
        )
    ]


def read_act_examples() -> list[ActExample]:
    rows = [
        (row, window)
        for language in LANGUAGES
        for row in _read_table("acts", language)
        if (window := act_window(row["text"], row["state"]))
    ]
    # What the bot wrote is not always known.
    before = [row["before"] if number % 2 else "" for number, (row, _) in enumerate(rows)]
    vectors = map(act_vector, _vectors([window.text for _, window in rows]), _vectors(before))
    return [
        ActExample(
            tuple(row["acts"].split()), row["state"] in ("after", "decision"), row["text"], window, vector
        )
        for (row, window), vector in zip(rows, vectors, strict=True)
    ]


def _vectors(texts: Sequence[str]) -> Values:
    encoder = installed_encoder()
    return np.zeros((len(texts), 0), dtype=np.float32) if encoder is None else encoder.encode(texts)


def _read_table(folder: str, name: str) -> Iterator[dict[str, str]]:
    file = resources.files("triage").joinpath(folder, f"{name}.csv")
    return iter(csv.DictReader(file.read_text("utf-8").splitlines()))


def _danger_rows() -> Iterator[tuple[str, str, str]]:
    for name in ("danger", "lookalikes", "ordinary", "everyday"):
        for row in _read_table("danger", name):
            hazard = HAZARD_OF_KIND[row["kind"]].name if name == "danger" else ""
            yield row["text"], hazard, row["probe"]
    for example in starter_examples(LANGUAGES):
        if example.severity is not None and example.severity < 4:
            yield example.text, "", example.text


def learn_danger(examples: Sequence[DangerExample]) -> Heads:
    """The model of all examples, with limits from models that had not seen the text that they weigh."""
    held_out = _held_out(examples, _fit_danger)
    return replace(_fit_danger(examples), limits=_danger_limits(examples, held_out))


def learn_acts(examples: Sequence[ActExample]) -> Heads:
    """The model of all examples, with limits as those of danger."""
    held_out = _held_out(examples, _fit_acts)
    return replace(_fit_acts(examples), limits=_act_limits(examples, held_out))


def _held_out(examples: Sequence[_Text], fit: Callable[[Sequence[_Text]], Heads]) -> Values:
    """The weights (examples, columns) of each text by a model that had not seen it or its translations."""
    weights = np.array([])
    groups = [example.group for example in examples]
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=1).split(examples, groups=groups)
    for learned, judged in folds:
        heads = fit([examples[row] for row in learned])
        if not weights.size:
            weights = np.zeros((len(examples), len(heads.names)), dtype=np.float32)
        for row in judged:
            weights[row] = heads.weigh(examples[row].window, examples[row].vector)
    return weights


def _fit_danger(examples: Sequence[DangerExample]) -> Heads:
    rarity = _rarity([example.window for example in examples])
    matrix = _matrix(examples, rarity)
    hazards = np.array([example.hazard for example in examples])
    is_danger = hazards != ""
    danger = LinearSVC(C=_DANGER_FREEDOM, class_weight="balanced", random_state=1)
    danger.fit(matrix, is_danger)
    hazard = LinearSVC(C=_HAZARD_FREEDOM, class_weight="balanced", random_state=1)
    hazard.fit(matrix[is_danger], hazards[is_danger])
    order = [hazard.classes_.tolist().index(name) for name in _HAZARDS]
    weights = np.concatenate([danger.coef_, hazard.coef_[order]])
    intercepts = np.concatenate([danger.intercept_, hazard.intercept_[order]])
    return _heads(("danger", *_HAZARDS), rarity, weights, intercepts)


def _fit_acts(examples: Sequence[ActExample]) -> Heads:
    rarity = _rarity([example.window for example in examples])
    acts = LinearSVC(C=_ACT_FREEDOM, class_weight="balanced", random_state=1)
    acts.fit(_matrix(examples, rarity), [ACTS.index(example.acts[0]) for example in examples])
    return _heads(ACTS, rarity, acts.coef_, acts.intercept_)


def _heads(names: tuple[str, ...], rarity: Values, weights: Values, intercepts: Values) -> Heads:
    columns = weights.T.astype(np.float32)
    has_vectors = len(columns) > SIZE
    scales = np.abs(columns[:SIZE]).max(axis=0) / MOST_STEPS
    return Heads(
        names,
        rarity.astype(np.float16),
        np.round(columns[:SIZE] / scales).astype(np.int16),
        scales,
        columns[SIZE:] if has_vectors else None,
        intercepts.astype(np.float32),
        {},
        FINGERPRINT if has_vectors else "",
    )


def _rarity(windows: Sequence[Window]) -> Values:
    """How rare each feature is; 0 for those of a single text, which are noise."""
    frequency = np.bincount(np.concatenate([window.places for window in windows]), minlength=SIZE)
    rarity = np.log((1 + len(windows)) / (1 + frequency)) + 1
    return np.where(frequency >= 2, rarity, 0).astype(np.float32)


def _matrix(examples: Sequence[LearnedText], rarity: Values) -> csr_matrix:
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


def _danger_limits(examples: Sequence[DangerExample], held_out: Values) -> dict[str, float]:
    danger = held_out[:, 0]
    hazards = np.array([example.hazard for example in examples])
    is_danger = hazards != ""
    wanted = np.array([_HAZARDS.index(hazard) for hazard in hazards[is_danger]])
    limits: dict[str, Any] = _share_limits(
        held_out[is_danger, 1:], np.eye(len(_HAZARDS))[wanted], RIGHT_HAZARDS
    )
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


def _share_limits(weights: Values, wanted: Values, right: float) -> dict[str, float]:
    """The sharpness that makes shares likeliest, and the smallest share from which enough of the likeliest are right.

    `wanted` has a row for each text and a column for each name: 1 for its first name, less for others that are right.
    """
    rows, first = np.arange(len(wanted)), wanted.argmax(axis=1)
    sharpness = min(
        np.arange(0.5, 20, 0.5), key=lambda value: -np.log(hazard_shares(weights, value)[rows, first]).mean()
    )
    largest, is_right = (
        hazard_shares(weights, sharpness).max(axis=1),
        wanted[rows, weights.argmax(axis=1)] > 0,
    )
    order = np.argsort(-largest)
    right_above = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right_above >= right)
    return {"sharpness": sharpness, "clear": largest[order[enough[-1]]] if len(enough) else 1.0}


def _act_limits(examples: Sequence[ActExample], held_out: Values) -> dict[str, float]:
    wanted = np.zeros(held_out.shape)
    for row, example in enumerate(examples):
        for place, act in enumerate(example.acts):
            wanted[row, ACTS.index(act)] = 1 / (1 + place)
    is_same = [
        example.is_filed and not {"new_matter", "complaint"} & set(example.acts) for example in examples
    ]
    other = np.quantile(held_out[is_same, ACTS.index("new_matter")], 1 - OTHER_MATTERS)
    return {name: float(value) for name, value in _share_limits(held_out, wanted, RIGHT_ACTS).items()} | {
        "other": float(other)
    }


def _write(question: str, words: Heads, vectors: Heads) -> None:
    for name, heads in (("words", words), ("vectors", vectors)):
        write(files_of(question)[name], heads)
        print(question, name, ", ".join(f"{limit} {value:.2f}" for limit, value in heads.limits.items()))


def main() -> None:
    no_vector = np.empty(0, np.float32)
    dangers = read_danger_examples()
    _write("danger", learn_danger([replace(row, vector=no_vector) for row in dangers]), learn_danger(dangers))
    acts = read_act_examples()
    _write("act", learn_acts([replace(row, vector=no_vector) for row in acts]), learn_acts(acts))


if __name__ == "__main__":
    main()
