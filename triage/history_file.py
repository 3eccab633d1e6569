"""The file beside a model of an organisation's history: the rows that it learnt from, gzip'd CSV.

A model alone says nothing of its rows, and the next one is to learn from them again. Of each row that was held
back for the judging stands what the judged model said: so the model in use can answer the same rows.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from triage import gate
from triage.artefact import digest
from triage.errors import UnreadableTable
from triage.example import Example
from triage.gate import Answers, Part
from triage.pipeline import Model

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
class Kept:
    """A row of the history; `said` where it was held back for the judging."""

    example: Example
    said: Said | None = None


def kept(rows: Sequence[Example], held: Sequence[int], judged: Part | None) -> list[Kept]:
    """The rows with what was said of those at the places `held`, in the order of `judged`.

    `held` may name places after the last row: they are of the record, and stand in no file.
    """
    said = _said(judged) if judged is not None else ()
    by_place = dict(zip(held, said, strict=True)) if said else {}
    return [Kept(row, by_place.get(place)) for place, row in enumerate(rows)]


def _said(judged: Part) -> list[Said]:
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


def write(rows: Sequence[Kept]) -> bytes:
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


def read(raw: bytes) -> list[Kept]:
    """The rows again. Raises UnreadableTable."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        table = csv.DictReader(io.StringIO(gzip.decompress(raw).decode(), newline=""))
        if tuple(table.fieldnames or ()) != (*_COLUMNS, *_ANSWERS):
            raise UnreadableTable("It is no history file of Amends: its columns are others.")
        return [_row(one) for one in table]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, csv.Error) as wrong:
        raise UnreadableTable(f"It is no history file of Amends ({type(wrong).__name__}).") from wrong


def _row(one: dict[str, str]) -> Kept:
    example = Example(
        one["text"],
        one["category"],
        int(one["severity"]) if one["severity"] else None,
        one["language"] or None,
        datetime.fromisoformat(one["at"]) if one["at"] else None,
    )
    if one["held"] != "1":
        return Kept(example)
    probability, right, score = (float(one[name]) for name in ("probability", "right", "score"))
    return Kept(example, Said(one["proposed"], probability, right, score, one["alert"] == "1"))


def newest(rows: Sequence[Kept], most: int) -> list[Example]:
    """At most so many rows, the newest first; those without a date come last, in an order drawn by their text.

    Drawn, for a file may be sorted by category, and its end is then of one alone.
    """
    return sorted(
        (one.example for one in rows),
        key=lambda row: (row.at is None, _EARLIEST - (row.at or _EARLIEST), digest(row.text.encode())),
    )[:most]


def held_back(rows: Sequence[Kept], active: Model) -> Part | None:
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
    candidate = Answers(
        probabilities,
        np.array([one.score for one in said], dtype=np.float64),
        np.array([one.alert for one in said], dtype=bool),
    )
    return Part(
        HELD_BACK,
        categories,
        labels,
        gate.severities_of(examples),
        candidate,
        gate.answers(active, examples, categories),
    )
