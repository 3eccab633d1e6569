"""Training: examples in, a calibrated model with honest figures out (docs/triage.md, "How the model is made").

Features are words and characters, with a latent space where labelled rows are few and unlabelled ones many. The kind
of linear classifier is chosen by log-loss on held-out rows, its decision values are calibrated, and the threshold for
"not sure" is set on them. Then the classifiers are fitted on all rows. Seeds are fixed: the same examples give the
same model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse

from triage.criteria import rule_grades
from triage.defaults import ALERT_RATE, PIPELINE, WANTED_PRECISION
from triage.encoder import Encoder
from triage.errors import UnusableExamples
from triage.example import Example
from triage.learning.stored_vectors import encode_texts
from triage.model import linear
from triage.model.calibration import Doubles, Integers, Mask, fit_calibration
from triage.model.critical import fit_critical
from triage.model.linear import ESTIMATORS, FOLDS, Folds, blend_classifiers, fit_linear, stratified_folds
from triage.model.model_card import training_facts
from triage.model.neighbours import fit_neighbours
from triage.model.pipeline import LinearClassifier, Model
from triage.model.prediction_metrics import format_losses, losses_of, precision_threshold
from triage.model.text_features import FEWEST_PEOPLE, Features, fit_features
from triage.model.vector_classifier import VectorClassifier, fit_vectors
from triage.text import normalise

FEWEST_REAL = 200
"""Real rows from which on figures are taken on them alone; with fewer, written examples count too."""
REPEATED_BELOW = 3_000
"""With fewer rows they are held out in two different splits, which steadies the sigmoids of rare categories."""
SINGLE_FOLD_FROM = 6_000
"""With more rows than this, one third of them is held out once, instead of each third in turn."""
CHOICE_ROWS = 4_000
"""Rows on which the candidates are compared, a fixed random sample of all."""

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "svm": ("svm",),
    "regression": ("regression",),
    "blend": ("svm", "regression"),
}
"""The kinds of `triage.model.linear.ESTIMATORS` that each candidate consists of."""
DEFAULT_CANDIDATE = "svm"

Progress = Callable[[float], object]


def _no_progress(share: float) -> object:
    return share


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """n labelled rows, followed by one row for each of the k category names.

    `matrix` (n + k, features) is in one piece, because a copy of very many rows takes hundreds of megabytes.
    `labels` (n,) are below k; `real` (n,) marks the rows that figures are taken on.
    """

    matrix: sparse.csr_matrix
    labels: Integers
    real: Mask

    @property
    def categories(self) -> int:
        return int(self.matrix.shape[0]) - len(self.labels)

    @property
    def all_labels(self) -> Integers:
        """The labels of the rows, then those of the names, array (n + k,)."""
        return np.concatenate([self.labels, np.arange(self.categories, dtype=np.int64)])

    def select(self, indices: Integers) -> TrainingRows:
        """These labelled rows, with all the names."""
        names = np.arange(len(self.labels), self.matrix.shape[0])
        rows = self.matrix[np.concatenate([indices, names])]
        return TrainingRows(rows, self.labels[indices], self.real[indices])

    def folds(self, *, seed: int) -> Folds:
        """Stratified folds of the labelled rows; the names are always fitted on and never held out."""
        names = np.arange(len(self.labels), self.matrix.shape[0])
        folds = stratified_folds(self.labels, seed=seed)
        return [(np.concatenate([train, names]), holdout) for train, holdout in folds]


def train(
    examples: Sequence[Example],
    *,
    seed: int = 0,
    wanted_precision: float = WANTED_PRECISION,
    alert_rate: float = ALERT_RATE,
    unlabelled: Sequence[str] = (),
    unlabelled_people: Sequence[str] = (),
    encoder: Encoder | None = None,
    progress: Progress = _no_progress,
) -> Model:
    """Train a model; the same examples, unlabelled texts, encoder, thresholds and seed give the same model.

    `wanted_precision` (default 0.90) sets the threshold for "not sure": at or above it, this share of the proposals
    is right on held-out rows. `alert_rate` (default 0.10) is the share of cases that may raise an alert. `unlabelled`
    are complaints that have not been assessed; they teach which words occur together. `unlabelled_people` identify
    who wrote them; by default each counts as a person of its own. With an `encoder` the model also reads vectors.
    `progress` receives the share done, 0 to 1. Raises UnusableExamples.
    """
    kept, texts, people = _usable_with_texts(examples)
    categories = tuple(sorted({row.category for row in kept}))
    unnamed = [f"text {number}" for number in range(len(unlabelled))]
    unlabelled_rows = [
        (text, person)
        for text, person in zip(map(normalise, unlabelled), unlabelled_people or unnamed, strict=True)
        if text
    ][: linear.LATENT_ROWS]
    if not (is_widened := linear.needs_latent_space(labelled=len(kept), unlabelled=len(unlabelled_rows))):
        unlabelled_rows = []
    unlabelled_texts = [text for text, _ in unlabelled_rows]
    # Names first: a word that occurs only in them needs a column too.
    names = [_words_of_category(category) for category in categories]
    writers = _writers([*[{None}] * len(names), *people, *({person} for _, person in unlabelled_rows)])
    features, full_matrix = fit_features([*names, *texts, *unlabelled_texts], writers)
    progress(0.15)
    space = linear.fit_latent_space(full_matrix, seed=seed) if is_widened else None
    matrix = full_matrix[np.r_[len(names) : len(names) + len(texts), : len(names)]]
    # With very many rows each copy takes hundreds of megabytes.
    del full_matrix
    wide_matrix = matrix if space is None else space.widen(matrix)
    rows = TrainingRows(wide_matrix, labels_of(kept, categories), _real_rows(kept))
    progress(0.25)
    choice = choose(rows, seed=seed, progress=lambda share: progress(0.25 + 0.3 * share))
    repeats = 2 if len(kept) < REPEATED_BELOW else 1
    decisions, spreads = _holdout_blend(rows, choice, repeats, seed)
    progress(0.7)
    scored = ~np.isnan(decisions[: len(kept), 0])
    decisions, labels, real = decisions[np.tile(scored, repeats)], rows.labels[scored], rows.real[scored]
    probabilities = cross_calibrate(decisions, labels, real, repeats=repeats, seed=seed)[real]
    threshold, _ = precision_threshold(probabilities, labels[real], wanted_precision)
    vectors: VectorClassifier | None = None
    reasons, losses = [choice.reason()], dict(choice.losses)
    if encoder is not None:
        real_texts = [text for text, is_real in zip(texts, scored & rows.real, strict=True) if is_real]
        vectors, probabilities, vector_losses = fit_vectors(
            encoder,
            encode_texts(encoder, real_texts),
            labels[real],
            probabilities,
            stratified_folds(labels[real], seed=seed),
            wanted_precision=wanted_precision,
        )
        reasons.append(vectors.reason(vector_losses))
        losses |= vector_losses
    classifier = _fit_blend(rows, choice, spreads, seed)
    progress(0.85)
    fitted = fit_critical(
        matrix,
        severities_of(kept),
        lambda indices: rule_grades([kept[index].text for index in indices.tolist()]),
        seed=seed,
        alert_rate=alert_rate,
        own=sum(not row.written and row.severity is not None for row in kept),
    )
    progress(0.95)
    critical, critical_scores = (None, None) if fitted is None else fitted
    facts = training_facts(
        kept,
        categories,
        probabilities,
        labels[real],
        threshold if vectors is None else vectors.threshold,
        wanted_precision,
        critical_scores,
    )
    model = Model(
        version=_version(kept, matrix, features, encoder, [seed, wanted_precision, alert_rate]),
        categories=categories,
        features=features,
        linear=classifier if space is None else space.fold_back(classifier),
        calibration=fit_calibration(decisions, np.tile(labels, repeats), real=np.tile(real, repeats)),
        threshold=threshold,
        critical=critical,
        vectors=vectors,
        encoder=encoder,
        neighbours=fit_neighbours(kept, matrix, features, seed=seed),
        facts={
            **facts,
            "unlabelled": len(unlabelled_texts),
            "choice": "; ".join(reasons),
            "candidates": losses,
            "latent": space is not None,
            "encoder": None if encoder is None else encoder.fingerprint,
            "fewest_people": FEWEST_PEOPLE,
        },
    )
    progress(1.0)
    return model


def usable(examples: Sequence[Example]) -> list[Example]:
    """The examples that a model can learn from: with text and category, each (text, category) once.

    Raises UnusableExamples when fewer than two categories or six rows remain.
    """
    return _usable_with_texts(examples)[0]


def _usable_with_texts(examples: Sequence[Example]) -> tuple[list[Example], list[str], list[set[str | None]]]:
    """As `usable`, with the normalised texts and the people who wrote each; None is for a written example."""
    by_key: dict[tuple[str, str], tuple[Example, str]] = {}
    people: dict[tuple[str, str], set[str | None]] = {}
    for number, example in enumerate(examples):
        text = normalise(example.text)
        if text and example.category:
            key = (text.casefold(), example.category)
            before, _ = by_key.setdefault(key, (example, text))
            person = None if example.written else example.person or f"row {number}"
            people.setdefault(key, set()).add(person)
            if before.ref is None and not before.written and example.ref is not None:
                # The same complaint from a file and from the record: only the latter can be shown as a similar case.
                by_key[key] = example, text
    kept = [example for example, _ in by_key.values()]
    categories = {example.category for example in kept}
    if len(categories) < 2 or len(kept) < 6:
        raise UnusableExamples(
            f"{len(kept)} usable examples in {len(categories)} categories: a model needs at least 6 in 2. "
            "Add examples, or train together with the starter examples."
        )
    return kept, [text for _, text in by_key.values()], list(people.values())


def _words_of_category(category: str) -> str:
    """The words of a category's code, which are an example of it: `money_transfer` is about a money transfer."""
    return normalise(category.replace("_", " "))


def labels_of(rows: Sequence[Example], categories: Sequence[str]) -> Integers:
    """The numbers (n,) of the rows' categories."""
    numbers = {category: number for number, category in enumerate(categories)}
    return np.array([numbers[row.category] for row in rows], dtype=np.int64)


def severities_of(rows: Sequence[Example]) -> Doubles:
    """The severities (n,) of the rows, nan where unknown."""
    return np.array([np.nan if row.severity is None else row.severity for row in rows], dtype=np.float64)


def _real_rows(rows: Sequence[Example]) -> Mask:
    """The rows that figures are taken on: those not written for training, or all where these are too few."""
    real = np.array([not row.written for row in rows])
    return real if int(real.sum()) >= FEWEST_REAL else np.ones(len(rows), dtype=bool)


def _writers(people: Sequence[Set[str | None]]) -> sparse.csr_matrix:
    """The matrix (people, texts) of who wrote each text; a text that also is a written example has no writer."""
    numbers: dict[str | None, int] = {}
    pairs = [
        (numbers.setdefault(person, len(numbers)), text)
        for text, of_text in enumerate(people)
        if None not in of_text
        for person in of_text
    ]
    persons, texts = zip(*pairs, strict=True) if pairs else ((), ())
    shape = (len(numbers), len(people))
    return sparse.csr_matrix((np.ones(len(pairs), dtype=np.float32), (persons, texts)), shape=shape)


def _version(
    rows: Sequence[Example],
    matrix: sparse.csr_matrix,
    features: Features,
    encoder: Encoder | None,
    settings: Sequence[float],
) -> str:
    """A digest of the settings and of the rows as the model sees them: of the kept terms and not of the texts.

    A guess of a short text could be checked against a digest of the texts. `matrix` is that of the rows.
    """
    ends = matrix.indptr.tolist()
    terms_of_rows = (
        matrix.indices[start:end].astype(np.int32).tobytes().hex() for start, end in pairwise(ends)
    )
    labels = sorted(
        [terms, row.category, str(row.severity)] for terms, row in zip(terms_of_rows, rows, strict=False)
    )
    fingerprint = None if encoder is None else encoder.fingerprint
    # Thresholds change the answers, and a proposal names its model by the version alone.
    inputs = [PIPELINE, *settings, fingerprint, list(features.words), list(features.characters)]
    digest = hashlib.sha256(json.dumps([*inputs, labels], ensure_ascii=False).encode())
    digest.update(features.word_idf.tobytes() + features.character_idf.tobytes())
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen candidate, and the log-loss of each on the same held-out rows."""

    name: str
    losses: Mapping[str, float]
    rows: int

    @property
    def kinds(self) -> tuple[str, ...]:
        return CANDIDATES[self.name]

    def reason(self) -> str:
        default = self.name == DEFAULT_CANDIDATE
        why = "no other is better by more than chance" if default else "clearly the best"
        return f"{self.name}: {why}, by log-loss on {self.rows} held-back rows ({format_losses(self.losses)})"


def choose(rows: TrainingRows, *, seed: int, progress: Progress = _no_progress) -> Choice:
    """Choose the candidate by log-loss on the same folds of the rows; `progress` receives the share done.

    Short enquiries in many categories favour a regression, long letters in few categories an SVM, and many desks the
    blend. This is not known beforehand, so each training measures it on its own rows.
    """
    if len(rows.labels) > CHOICE_ROWS:
        sample = np.random.default_rng(seed).permutation(len(rows.labels))[:CHOICE_ROWS]
        rows = rows.select(np.sort(sample))
    folds = rows.folds(seed=seed)
    by_kind = {}
    for done, kind in enumerate(ESTIMATORS, 1):
        by_kind[kind] = holdout_decisions(kind, rows, folds, seed=seed)
        progress(done / len(ESTIMATORS))
    labels, real = rows.labels, rows.real
    losses_by_name = {}
    for name, kinds in CANDIDATES.items():
        decisions, _ = _blend_decisions(by_kind, kinds)
        losses_by_name[name] = losses_of(cross_calibrate(decisions, labels, real, seed=seed), labels)[real]
    means = {name: round(float(losses.mean()), 4) for name, losses in losses_by_name.items()}
    return Choice(_clearly_best(losses_by_name), means, int(real.sum()))


def _clearly_best(losses_by_name: Mapping[str, Doubles]) -> str:
    """The SVM, which is best for rare categories, unless another is better by two standard errors."""
    best = DEFAULT_CANDIDATE
    for name, losses in losses_by_name.items():
        gain = losses_by_name[best] - losses
        if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)):
            best = name
    return best


def holdout_decisions(kind: str, rows: TrainingRows, folds: Folds, *, seed: int) -> Doubles:
    """Decision values (n, categories) of each held-out row by a classifier of the other folds; nan without one."""
    decisions = np.full((len(rows.labels), rows.categories), np.nan)
    labels = rows.all_labels
    for train_rows, holdout in folds:
        classifier = fit_linear(
            kind, rows.matrix[train_rows], labels[train_rows], categories=rows.categories, seed=seed
        )
        decisions[holdout] = classifier.decide(rows.matrix[holdout])
    return decisions


def _blend_decisions(
    by_kind: Mapping[str, Doubles], kinds: tuple[str, ...]
) -> tuple[Doubles, Mapping[str, float]]:
    """Add the decision values of these kinds, each divided by its spread; a single kind stays as it is."""
    if len(kinds) == 1:
        return by_kind[kinds[0]], {kinds[0]: 1.0}
    spreads = {kind: float(np.nanstd(by_kind[kind])) or 1.0 for kind in kinds}
    return np.asarray(sum(by_kind[kind] / spreads[kind] for kind in kinds)), spreads


def cross_calibrate(
    decisions: Doubles, labels: Integers, real: Mask, *, repeats: int = 1, seed: int
) -> Doubles:
    """Probabilities (n, k) of each third of the rows from a calibration on the other two; for figures only.

    `decisions` (repeats * n, k) may hold the same rows several times, from different splits; `labels` and `real`
    (n,) and the result are those of one repeat.
    """
    parts = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    probabilities = np.zeros((len(labels), decisions.shape[1]))
    for part in range(FOLDS):
        others, holdout = np.tile(parts != part, repeats), parts == part
        calibration = fit_calibration(
            decisions[others], np.tile(labels, repeats)[others], real=np.tile(real, repeats)[others]
        )
        probabilities[holdout] = calibration.apply(decisions[: len(labels)][holdout])
    return probabilities


def _holdout_blend(
    rows: TrainingRows, choice: Choice, repeats: int, seed: int
) -> tuple[Doubles, Mapping[str, float]]:
    """Decision values (repeats * n, k) of the chosen candidate on held-out rows, and the spreads of its kinds.

    Rows that were not held out are nan.
    """
    by_kind: dict[str, Doubles] = {}
    for kind in choice.kinds:
        rounds = []
        for number in range(repeats):
            folds = rows.folds(seed=seed + number)
            if len(rows.labels) > SINGLE_FOLD_FROM:
                folds = folds[:1]
            rounds.append(holdout_decisions(kind, rows, folds, seed=seed))
        by_kind[kind] = np.concatenate(rounds)
    return _blend_decisions(by_kind, choice.kinds)


def _fit_blend(
    rows: TrainingRows, choice: Choice, spreads: Mapping[str, float], seed: int
) -> LinearClassifier:
    labels = rows.all_labels
    classifiers = {
        kind: fit_linear(kind, rows.matrix, labels, categories=rows.categories, seed=seed)
        for kind in choice.kinds
    }
    return blend_classifiers(classifiers, spreads)
