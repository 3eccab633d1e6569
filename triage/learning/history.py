"""The file beside a model of an organisation's history: the rows that it learnt from, gzip'd CSV.

A model alone says nothing of its rows, and the next one is to learn from them again. Of each row that was held
back for the judging stands what the judged model said: so the model in use can answer the same rows.

An organisation's history becomes a model: judged on the part held back, then trained on all of it.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from triage.errors import UnreadableTable, UnusableExamples
from triage.example import Example
from triage.learning import gate
from triage.learning.evaluation import evaluate
from triage.learning.gate import LabelledRows, ModelAnswers
from triage.learning.holdout import Split, copy_groups, hold_back
from triage.learning.training import ALERT_RATE, WANTED_PRECISION, train
from triage.model.artefact import digest
from triage.model.card import card
from triage.model.embeddings import Encoder
from triage.model.pipeline import Model
from triage.text import normalise

HELD_BACK = "held back"
"""The name of such rows in a verdict."""

_COLUMNS = ("text", "category", "severity", "language", "at")
_ANSWERS = ("held", "proposed", "probability", "right", "score", "alert")
_LONGEST_FIELD = 1_000_000
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """What the judged model said of a row: the category proposed, its probability and that of the right one,
    how critical, and whether it raises an alert.
    """

    proposed: str
    probability: float
    right: float
    score: float
    alert: bool


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row of the history; `said` where it was held back for the judging."""

    example: Example
    said: Said | None = None


def kept(rows: Sequence[Example], held: Sequence[int], judged: LabelledRows | None) -> list[KeptRow]:
    """The rows with what was said of those at the places `held`, in the order of `judged`.

    `held` may name places after the last row: they are of the record, and stand in no file.
    """
    said = _said(judged) if judged is not None else ()
    by_place = dict(zip(held, said, strict=True)) if said else {}
    return [KeptRow(row, by_place.get(place)) for place, row in enumerate(rows)]


def _said(judged: LabelledRows) -> list[Said]:
    answers = judged.candidate
    proposed = answers.probabilities.argmax(axis=1)
    every = np.arange(len(judged.labels))
    return [
        Said(judged.categories[category], float(probability), float(right), float(score), bool(alert))
        for category, probability, right, score, alert in zip(
            proposed.tolist(),
            answers.probabilities[every, proposed].tolist(),
            answers.probabilities[every, judged.labels].tolist(),
            answers.scores.tolist(),
            answers.alerts.tolist(),
            strict=True,
        )
    ]


def write(rows: Sequence[KeptRow]) -> bytes:
    """The file; the same rows give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow((*_COLUMNS, *_ANSWERS))
    for one in rows:
        row, said = one.example, one.said
        told = (row.text, row.category, row.severity, row.language, row.at and row.at.isoformat())
        answers = (0,) if said is None else (1, said.proposed, said.probability, said.right, said.score,
                                             int(said.alert))  # fmt: skip
        writer.writerow((*told, *answers))
    return gzip.compress(text.getvalue().encode(), mtime=0)


def read(raw: bytes) -> list[KeptRow]:
    """The rows again. Raises UnreadableTable."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        table = csv.DictReader(io.StringIO(gzip.decompress(raw).decode(), newline=""))
        if tuple(table.fieldnames or ()) != (*_COLUMNS, *_ANSWERS):
            raise UnreadableTable("It is no history file of Amends: its columns are others.")
        return [_row(one) for one in table]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, csv.Error) as wrong:
        raise UnreadableTable(f"It is no history file of Amends ({type(wrong).__name__}).") from wrong


def _row(one: dict[str, str]) -> KeptRow:
    example = Example(
        one["text"],
        one["category"],
        int(one["severity"]) if one["severity"] else None,
        one["language"] or None,
        datetime.fromisoformat(one["at"]) if one["at"] else None,
    )
    if one["held"] != "1":
        return KeptRow(example)
    probability, right, score = (float(one[name]) for name in ("probability", "right", "score"))
    return KeptRow(example, Said(one["proposed"], probability, right, score, one["alert"] == "1"))


def newest(rows: Sequence[KeptRow], most: int) -> list[Example]:
    """At most so many rows, the newest first; those without a date come last, in an order drawn by their text.

    Drawn, for a file may be sorted by category, and its end is then of one alone.
    """
    return sorted(
        (one.example for one in rows),
        key=lambda row: (row.at is None, _EARLIEST - (row.at or _EARLIEST), digest(row.text.encode())),
    )[:most]


def held_back(rows: Sequence[KeptRow], active: Model) -> LabelledRows | None:
    """The rows held back, as the judged model and the model in use answer them; None where there are none."""
    held = [(one.example, one.said) for one in rows if one.said is not None]
    if not held:
        return None
    examples, said = [example for example, _ in held], [one for _, one in held]
    known = {*active.categories, *(row.category for row in examples), *(one.proposed for one in said)}
    categories = tuple(sorted(known))
    labels, every = gate.labels_of(examples, categories), np.arange(len(held))
    probabilities = np.zeros((len(held), len(categories)))
    probabilities[every, [categories.index(one.proposed) for one in said]] = [one.probability for one in said]
    probabilities[every, labels] = [one.right for one in said]
    candidate = ModelAnswers(
        probabilities,
        np.array([one.score for one in said], dtype=np.float64),
        np.array([one.alert for one in said], dtype=bool),
    )
    return LabelledRows(
        HELD_BACK,
        categories,
        labels,
        gate.severities_of(examples),
        candidate,
        gate.answers(active, examples, categories),
    )


@dataclass(frozen=True, slots=True)
class Learnt:
    """A model trained on everything, and the figures of one trained without the rows held back.

    `evaluation` is None where too few rows were left to hold any back; `card` is the model card as plain
    values, with the data and the figures on it. `judged` is what that other model said of the rows held back.
    """

    model: Model
    split: Split
    evaluation: dict[str, Any] | None
    card: dict[str, Any]
    judged: LabelledRows | None = None

    def saying(self, **facts: Any) -> Learnt:
        """The same with more facts in the model and on its card, so that they go wherever it goes."""
        model = replace(self.model, facts={**self.model.facts, **facts})
        return replace(self, model=model, card={**self.card, **facts})


def learn(
    rows: Sequence[Example],
    *,
    beside: Sequence[Example] = (),
    unlabelled: Sequence[str] = (),
    encoder: Encoder | None = None,
    seed: int = 0,
    wanted_precision: float = WANTED_PRECISION,
    alert_budget: float = ALERT_RATE,
    tell: Callable[[str], object] = lambda stage: None,
    progress: Callable[[float], object] = lambda share: None,
) -> Learnt:
    """Learn from `rows`; examples `beside` them (starters) are always learnt from and never judged on.

    `unlabelled` are complaints without a category, which tell what words go together; `encoder` reads
    meanings too, where one is installed. `tell` hears what is
    being done, `progress` the share of it that is, 0 to 1. Raises UnusableExamples.
    """
    tell("Looking for copies")
    texts = [*(row.text for row in rows), *unlabelled]
    every = copy_groups(texts, progress=lambda done, total: progress(done / total))
    groups = every[: len(rows)]
    split = hold_back(rows, groups, seed=seed)
    fit = partial(
        train,
        seed=seed,
        wanted_precision=wanted_precision,
        alert_rate=alert_budget,
        encoder=encoder,
        progress=progress,
    )
    judged = None
    if split.held:
        held = [rows[place] for place in split.held]
        tell(f"Training on {len(split.learnt)} rows, to be judged on {len(held)} held back")
        # Nor do the texts without a label hold a copy of what is held back.
        apart = {groups[place] for place in split.held}
        others = [
            text for text, group in zip(unlabelled, every[len(rows) :], strict=True) if group not in apart
        ]
        learnt = [*beside, *(rows[place] for place in split.learnt)]
        judged = _judged(partial(fit, learnt, unlabelled=others), held)
    evaluation, part = judged or (None, None)
    if evaluation is None:
        split = Split(tuple(range(len(rows))), (), "none")
    tell(f"Training on all {len(rows)} rows" + (f" and {len(beside)} starter examples" if beside else ""))
    model = fit([*beside, *rows], unlabelled=unlabelled)
    facts = {
        "data": _data(rows, groups, beside),
        "held_back": {"how": split.how, "rows": len(split.held), "since": _told(split.since)},
        "evaluation": evaluation,
    }
    # Within the model, so that what it was judged on goes wherever it goes: `promote` shows it too.
    model = replace(model, facts={**model.facts, **facts})
    return Learnt(model, split, evaluation, card(model), part)


def _judged(fit: Callable[[], Model], held: Sequence[Example]) -> tuple[dict[str, Any], LabelledRows] | None:
    try:
        model = fit()
    except UnusableExamples:
        return None
    figures = evaluate(model, held)
    del figures["model_version"]  # of a model that is not kept
    return figures, gate.part(HELD_BACK, model, None, held)


def _told(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment is not None else None


def _data(rows: Sequence[Example], groups: Sequence[int], beside: Sequence[Example]) -> dict[str, Any]:
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        labels[normalise(row.text).casefold()].add(row.category)
    dates = sorted(row.at for row in rows if row.at is not None)
    return {
        "rows": len(rows),
        "starters": len(beside),
        "copies": len(rows) - len(set(groups)),
        "contradictions": sum(len(given) > 1 for given in labels.values()),
        "first": _told(dates[0]) if dates else None,
        "last": _told(dates[-1]) if dates else None,
        "severities": dict(sorted(Counter(str(row.severity) for row in rows if row.severity).items())),
    }
