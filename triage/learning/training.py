"""The rows that planes are fitted on: those with a label and, behind them, the categories' own names.

The choice between candidates by evidence: the log-loss on held-back rows of this organisation.

Short enquiries in many categories want a regression, long letters in few an SVM, many desks their blend:
nobody knows beforehand, so each training asks its own rows, and the reason stands in the model card.

Training: examples in, a calibrated model with its own honest figures out (docs/triage.md, "How the model is made").

Words and characters, widened by a latent space where labelled rows are few and others many; the kind of
planes is chosen by held-back rows; their decision values are calibrated, the threshold of doubt is set on
them, and the planes are then fitted on everything. Seeds are fixed: the same examples give the same model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from triage.criteria import rule_grades
from triage.errors import UnusableExamples
from triage.example import Example
from triage.model import linear
from triage.model.calibration import Doubles, Integers, fit_calibration
from triage.model.card import training_facts
from triage.model.critical import ALERT_RATE, PREVALENCE, fit_critical
from triage.model.embeddings import Encoder, fit_meaning
from triage.model.features import fit_features
from triage.model.linear import FOLDS, MAKERS, Folds, added, fit_plane, split
from triage.model.metrics import best_first, precision_threshold
from triage.model.pipeline import Linear, Model
from triage.neighbours import fit_neighbours
from triage.text import normalise

Asked = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Labelled:
    """n labelled rows and k names of categories, one each in order: `matrix` (n + k, features) as one piece, for
    very many rows are too large to lie there twice; `labels` (n,) below k; `asked` (n,) says which rows count for
    figures.
    """

    matrix: sparse.csr_matrix
    labels: Integers
    asked: Asked

    @property
    def categories(self) -> int:
        """How many categories there are, k."""
        return int(self.matrix.shape[0]) - len(self.labels)

    @property
    def all_labels(self) -> Integers:
        """Array (n + k,): the labels of the rows, then those of the names."""
        return np.concatenate([self.labels, np.arange(self.categories, dtype=np.int64)])

    def some(self, places: Integers) -> Labelled:
        """These of the labelled rows, with all the names."""
        names = np.arange(len(self.labels), self.matrix.shape[0])
        rows = self.matrix[np.concatenate([places, names])]
        return Labelled(rows, self.labels[places], self.asked[places])

    def folds(self, *, seed: int) -> Folds:
        """Folds of the labelled rows: in each the names are learnt from, and never held back."""
        names = np.arange(len(self.labels), self.matrix.shape[0])
        return [(np.concatenate([rest, names]), held) for rest, held in split(self.labels, seed=seed)]


CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "svm": ("svm",),
    "regression": ("regression",),
    "blend": ("svm", "regression"),
}
FIRST = "svm"
ENOUGH_ROWS = 4_000
"""Rows that settle the choice; with more, a fixed random part of them is asked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen and why: the log-loss of each candidate on the same held-back rows."""

    name: str
    losses: Mapping[str, float]
    rows: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The planes the chosen candidate is added from."""
        return CANDIDATES[self.name]

    def reason(self) -> str:
        """In a sentence, for the model card."""
        why = "no other is better by more than chance" if self.name == FIRST else "clearly the best"
        return f"{self.name}: {why}, by log-loss on {self.rows} held-back rows ({best_first(self.losses)})"


@dataclass(frozen=True, slots=True)
class Spread:
    """Decision values of a candidate on rows it has not seen, and by what each of its planes was divided."""

    decisions: Doubles
    spreads: Mapping[str, float]


def spread(by_kind: Mapping[str, Doubles], kinds: tuple[str, ...]) -> Spread:
    """Add the decision values of these kinds; a single kind stays as it is."""
    if len(kinds) == 1:
        return Spread(by_kind[kinds[0]], {kinds[0]: 1.0})
    spreads = {kind: float(np.nanstd(by_kind[kind])) or 1.0 for kind in kinds}
    return Spread(np.asarray(sum(by_kind[kind] / spreads[kind] for kind in kinds)), spreads)


def cross_fitted(
    decisions: Doubles, labels: Integers, asked: Asked, *, repeats: int = 1, seed: int
) -> Doubles:
    """Probabilities (n, k) of each third from a calibration on the two others: for figures, not for use.

    The rows may be repeated as a whole, each time with other decision values: labels and `asked` are of one
    round, and so is what is given.
    """
    parts = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    probabilities = np.zeros((len(labels), decisions.shape[1]))
    for part in range(FOLDS):
        rest, held = np.tile(parts != part, repeats), parts == part
        fitted = fit_calibration(
            decisions[rest], np.tile(labels, repeats)[rest], asked=np.tile(asked, repeats)[rest]
        )
        probabilities[held] = fitted.apply(decisions[: len(labels)][held])
    return probabilities


def choose(rows: Labelled, *, seed: int, progress: Callable[[float], object] = lambda share: None) -> Choice:
    """Ask every candidate on the same folds of the rows; `progress` is told the share done."""
    if len(rows.labels) > ENOUGH_ROWS:
        rows = rows.some(np.sort(np.random.default_rng(seed).permutation(len(rows.labels))[:ENOUGH_ROWS]))
    folds = rows.folds(seed=seed)
    by_kind = {}
    for done, kind in enumerate(MAKERS, 1):
        by_kind[kind] = held_back(kind, rows, folds, seed=seed)
        progress(done / len(MAKERS))
    labels, asked = rows.labels, rows.asked
    each = {
        name: _losses(cross_fitted(spread(by_kind, kinds).decisions, labels, asked, seed=seed), labels)[asked]
        for name, kinds in CANDIDATES.items()
    }
    losses = {name: round(float(one.mean()), 4) for name, one in each.items()}
    return Choice(_clearly_best(each), losses, int(asked.sum()))


def held_back(kind: str, rows: Labelled, folds: Folds, *, seed: int) -> Doubles:
    """Decision values (n, categories) of each held-back row by a plane that has not seen it, else nan."""
    decisions = np.full((len(rows.labels), rows.categories), np.nan)
    labels = rows.all_labels
    for rest, held in folds:
        plane = fit_plane(kind, rows.matrix[rest], labels[rest], categories=rows.categories, seed=seed)
        decisions[held] = plane.decide(rows.matrix[held])
    return decisions


def _losses(probabilities: Doubles, labels: Integers) -> Doubles:
    """-log p of the right category of each row."""
    right = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(right, 1e-6)))


def _clearly_best(each: Mapping[str, Doubles]) -> str:
    """The SVM, which keeps rare categories best, unless another is better by more than chance."""
    best = FIRST
    for name, losses in each.items():
        gain = each[best] - losses
        if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)):
            best = name
    return best


__all__ = ["ALERT_RATE", "PREVALENCE", "WANTED_PRECISION", "train", "usable"]

PIPELINE = "11"
"""Changes with every change that makes the same examples give another model."""

WANTED_PRECISION = 0.90
FEWEST_REAL = 200
"""Real rows from which on figures are taken on them alone; with fewer the written examples count too."""
FEW = 3_000
"""Rows below which they are held back in two ways: the sigmoids of rare categories are steadier for it."""
ENOUGH = 6_000
"""Rows that settle a calibration; with more, one third of them is held back once instead of thrice."""

Progress = Callable[[float], object]


def _quiet(share: float) -> object:
    return share


def _version(
    examples: Sequence[Example],
    unlabelled: Sequence[str],
    seed: int,
    encoder: Encoder | None,
    thresholds: tuple[float, float],
) -> str:
    rows = sorted([example.text, example.category, str(example.severity)] for example in examples)
    by = None if encoder is None else encoder.fingerprint
    # With other thresholds it answers otherwise, and proposals name it by its version alone.
    text = json.dumps([PIPELINE, seed, rows, sorted(unlabelled), by, *thresholds], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def usable(examples: Sequence[Example]) -> list[Example]:
    """The examples a model can learn from: with words and a category, each (text, category) once.

    Raises UnusableExamples when fewer than two categories or six rows remain.
    """
    return _usable(examples)[0]


def _usable(examples: Sequence[Example]) -> tuple[list[Example], list[str]]:
    """As `usable`, and their texts as the model sees them."""
    seen: dict[tuple[str, str], tuple[Example, str]] = {}
    for example in examples:
        text = normalise(example.text)
        if text and example.category:
            told = (text.casefold(), example.category)
            before, _ = seen.setdefault(told, (example, text))
            if before.ref is None and not before.written and example.ref is not None:
                # Told by a file too: the row of the record is kept, for it can be shown as a like case.
                seen[told] = example, text
    kept = [example for example, _ in seen.values()]
    categories = {example.category for example in kept}
    if len(categories) < 2 or len(kept) < 6:
        raise UnusableExamples(
            f"{len(kept)} usable examples in {len(categories)} categories: a model needs at least 6 in 2. "
            "Add examples, or train together with the starter examples."
        )
    return kept, [text for _, text in seen.values()]


def _name(category: str) -> str:
    """What a category's own name tells: `money_transfer` is about a money transfer."""
    return normalise(category.replace("_", " "))


def _labels(rows: Sequence[Example], categories: Sequence[str]) -> Integers:
    numbers = {category: number for number, category in enumerate(categories)}
    return np.array([numbers[row.category] for row in rows], dtype=np.int64)


def _asked(rows: Sequence[Example]) -> npt.NDArray[np.bool_]:
    real = np.array([not row.written for row in rows])
    return real if int(real.sum()) >= FEWEST_REAL else np.ones(len(rows), dtype=bool)


def _held_back(rows: Labelled, choice: Choice, repeats: int, seed: int) -> tuple[Doubles, dict[str, float]]:
    """Decision values (repeats * n, k) of the chosen kind on rows it has not seen (nan: not asked), and the
    spreads of its parts.
    """
    by_kind: dict[str, Doubles] = {}
    for kind in choice.kinds:
        rounds = []
        for one in range(repeats):
            folds = rows.folds(seed=seed + one)
            if len(rows.labels) > ENOUGH:
                folds = folds[:1]
            rounds.append(held_back(kind, rows, folds, seed=seed))
        by_kind[kind] = np.concatenate(rounds)
    found = spread(by_kind, choice.kinds)
    return found.decisions, dict(found.spreads)


def _plane(rows: Labelled, choice: Choice, spreads: dict[str, float], seed: int) -> Linear:
    labels = rows.all_labels
    planes = {
        kind: fit_plane(kind, rows.matrix, labels, categories=rows.categories, seed=seed)
        for kind in choice.kinds
    }
    return added(planes, spreads)


def train(
    examples: Sequence[Example],
    *,
    seed: int = 0,
    wanted_precision: float = WANTED_PRECISION,
    alert_rate: float = ALERT_RATE,
    unlabelled: Sequence[str] = (),
    encoder: Encoder | None = None,
    progress: Progress = _quiet,
) -> Model:
    """Train a model; the same examples, unlabelled texts and seed give the same model.

    `wanted_precision` sets the threshold of doubt: of the proposals above it, so many are right on held-
    back rows. `alert_rate` is the share of cases that may raise an alert. `unlabelled` are complaints that
    nobody has assessed: they teach which words go together. `encoder`: read vectors too, and blend both as
    held-back rows want it. `progress` is told the share done, 0 to 1.
    Raises UnusableExamples.
    """
    kept, texts = _usable(examples)
    categories = tuple(sorted({row.category for row in kept}))
    others = [text for text in map(normalise, unlabelled) if text][: linear.READ]
    widened = linear.helps(labelled=len(kept), unlabelled=len(others))
    others = others if widened else []
    # Names first: a word that only they have must have its column.
    names = [_name(category) for category in categories]
    features, everything = fit_features([*names, *texts, *others])
    progress(0.15)
    space = linear.fit_latent(everything, seed=seed) if widened else None
    matrix = everything[np.r_[len(names) : len(names) + len(texts), : len(names)]]
    # Of very many rows each copy is hundreds of megabytes.
    del everything
    rows = Labelled(matrix if space is None else space.widen(matrix), _labels(kept, categories), _asked(kept))
    progress(0.25)
    choice = choose(rows, seed=seed, progress=lambda share: progress(0.25 + 0.3 * share))
    repeats = 2 if len(kept) < FEW else 1
    decisions, spreads = _held_back(rows, choice, repeats, seed)
    progress(0.7)
    seen = ~np.isnan(decisions[: len(kept), 0])
    decisions, labels, asked = decisions[np.tile(seen, repeats)], rows.labels[seen], rows.asked[seen]
    honest = cross_fitted(decisions, labels, asked, repeats=repeats, seed=seed)[asked]
    threshold, _ = precision_threshold(honest, labels[asked], wanted_precision)
    meaning, reasons, losses = None, [choice.reason()], dict(choice.losses)
    if encoder is not None:
        read = [text for text, one in zip(texts, seen & rows.asked, strict=True) if one]
        meaning, honest, joined = fit_meaning(
            encoder,
            encoder.encode(read),
            labels[asked],
            honest,
            split(labels[asked], seed=seed),
            wanted_precision=wanted_precision,
        )
        reasons.append(meaning.reason(joined))
        losses |= joined
    sure_from = threshold if meaning is None else meaning.threshold
    plane = _plane(rows, choice, spreads, seed)
    progress(0.85)
    severities = np.array(
        [np.nan if row.severity is None else row.severity for row in kept], dtype=np.float64
    )
    found = fit_critical(
        matrix,
        severities,
        lambda places: rule_grades([kept[place].text for place in places.tolist()]),
        seed=seed,
        alert_rate=alert_rate,
        own=sum(not row.written and row.severity is not None for row in kept),
    )
    progress(0.95)
    critical, held_back_severity = (None, None) if found is None else found
    facts = training_facts(
        kept, categories, honest, labels[asked], sure_from, wanted_precision, held_back_severity
    )
    model = Model(
        version=_version(kept, others, seed, encoder, (wanted_precision, alert_rate)),
        categories=categories,
        features=features,
        plane=plane if space is None else space.fold_back(plane),
        calibration=fit_calibration(decisions, np.tile(labels, repeats), asked=np.tile(asked, repeats)),
        threshold=threshold,
        critical=critical,
        meaning=meaning,
        encoder=encoder,
        neighbours=fit_neighbours(kept, matrix, features, seed=seed),
        facts={
            **facts,
            "unlabelled": len(others),
            "choice": "; ".join(reasons),
            "candidates": losses,
            "latent": space is not None,
            "encoder": None if encoder is None else encoder.name,
        },
    )
    progress(1.0)
    return model
