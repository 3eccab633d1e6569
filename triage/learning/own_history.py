"""An organisation's history becomes a model: judged on a part held out, then trained on all of it.

The rows are kept in a file next to the model (gzip-compressed CSV), because a model alone says nothing about its
rows and the next training needs them again. Each held-out row carries the answer of the judged model, so that the
model in use can later be compared on the same rows.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from complaints.csv_cells import csv_cell, text_of_cell
from triage.defaults import ALERT_RATE, WANTED_PRECISION
from triage.encoder import Encoder
from triage.errors import UnreadableTable, UnusableExamples
from triage.example import Example
from triage.learning import gate
from triage.learning.evaluation import evaluate
from triage.learning.gate import LabelledRows, ModelAnswers
from triage.learning.holdout import HistorySplit, duplicate_groups, split_history
from triage.learning.training import labels_of, severities_of, train
from triage.model.artefact import digest
from triage.model.model_card import model_card
from triage.model.pipeline import Model
from triage.text import normalise

HELD_BACK = "held back"
"""The name of the held-out rows of a history in a verdict."""


@dataclass(frozen=True, slots=True)
class TrainedHistory:
    """A model trained on all rows, with the figures of a model trained without the held-out ones.

    `evaluation` and `judged` (the answers on the held-out rows) are None where too few rows were left to hold any
    out. `card` is the model card as plain values.
    """

    model: Model
    split: HistorySplit
    evaluation: dict[str, Any] | None
    card: dict[str, Any]
    judged: LabelledRows | None = None

    def saying(self, **facts: Any) -> TrainedHistory:
        """The same with more facts on the card, and in the model itself so that they go wherever it goes."""
        model = replace(self.model, facts={**self.model.facts, **facts})
        return replace(self, model=model, card={**self.card, **facts})


def train_on_history(
    rows: Sequence[Example],
    *,
    starters: Sequence[Example] = (),
    unlabelled: Sequence[str] = (),
    encoder: Encoder | None = None,
    seed: int = 0,
    wanted_precision: float = WANTED_PRECISION,
    alert_budget: float = ALERT_RATE,
    on_stage: Callable[[str], object] = lambda stage: None,
    progress: Callable[[float], object] = lambda share: None,
) -> TrainedHistory:
    """Train a model on a history; `wanted_precision`, `unlabelled` and `encoder` as for `train`.

    `starters` are examples of ours: always trained on, never judged on. `alert_budget` is the share of cases that may
    raise an alert. `on_stage` receives the name of each stage, `progress` its share done, 0 to 1.
    Raises UnusableExamples.
    """
    on_stage("Looking for duplicates")
    texts = [*(row.text for row in rows), *unlabelled]
    all_groups = duplicate_groups(texts, progress=lambda done, total: progress(done / total))
    groups, unlabelled_groups = all_groups[: len(rows)], all_groups[len(rows) :]
    split = split_history(rows, groups, seed=seed)
    fit = partial(
        train,
        seed=seed,
        wanted_precision=wanted_precision,
        alert_rate=alert_budget,
        encoder=encoder,
        progress=progress,
    )
    judged = None
    if split.holdout:
        holdout = [rows[index] for index in split.holdout]
        on_stage(f"Training on {len(split.train)} rows, to be judged on {len(holdout)} held back")
        # The unlabelled texts must not contain a duplicate of a held-out row either.
        excluded = {groups[index] for index in split.holdout}
        others = [
            text for text, group in zip(unlabelled, unlabelled_groups, strict=True) if group not in excluded
        ]
        examples = [*starters, *(rows[index] for index in split.train)]
        judged = _judge(partial(fit, examples, unlabelled=others), holdout)
    evaluation, labelled = judged or (None, None)
    if evaluation is None:
        split = HistorySplit(tuple(range(len(rows))), (), "none")
    on_stage(
        f"Training on all {len(rows)} rows" + (f" and {len(starters)} starter examples" if starters else "")
    )
    model = fit([*starters, *rows], unlabelled=unlabelled)
    facts = {
        "data": _data_facts(rows, groups, starters),
        "held_back": {"how": split.how, "rows": len(split.holdout), "since": _iso_date(split.since)},
        "evaluation": evaluation,
    }
    # In the model too, because `promote` shows these figures and has only its file.
    model = replace(model, facts={**model.facts, **facts})
    return TrainedHistory(model, split, evaluation, model_card(model), labelled)


def _judge(
    fit: Callable[[], Model], holdout: Sequence[Example]
) -> tuple[dict[str, Any], LabelledRows] | None:
    try:
        model = fit()
    except UnusableExamples:
        return None
    figures = evaluate(model, holdout)
    del figures["model_version"]  # of a model that is not kept
    return figures, gate.label_rows(HELD_BACK, model, None, holdout)


def _data_facts(
    rows: Sequence[Example], groups: Sequence[int], starters: Sequence[Example]
) -> dict[str, Any]:
    categories: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        categories[normalise(row.text).casefold()].add(row.category)
    dates = sorted(row.at for row in rows if row.at is not None)
    return {
        "rows": len(rows),
        "starters": len(starters),
        "copies": len(rows) - len(set(groups)),
        "contradictions": sum(len(of_text) > 1 for of_text in categories.values()),
        "first": _iso_date(dates[0]) if dates else None,
        "last": _iso_date(dates[-1]) if dates else None,
        "severities": dict(sorted(Counter(str(row.severity) for row in rows if row.severity).items())),
    }


def _iso_date(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment is not None else None


# The history file.

_COLUMNS = ("text", "category", "severity", "language", "at")
_ANSWER_COLUMNS = ("held", "proposed", "probability", "right", "score", "alert")
_LONGEST_FIELD = 1_000_000
#: Bytes that a history file may unpack to: about a million complaints. A small gzip file can hold terabytes of zeros.
MOST_BYTES = 2 << 30
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HoldoutAnswer:
    """The answer of the judged model to a held-out row.

    The proposed category with its probability, the probability of the right category (`right`), the score for a
    critical case, and whether it raises an alert.
    """

    proposed: str
    probability: float
    right: float
    score: float
    alert: bool


@dataclass(frozen=True, slots=True)
class HistoryRow:
    example: Example
    answer: HoldoutAnswer | None = None


def rename_rows(rows: Sequence[HistoryRow], names: Mapping[str, str]) -> list[HistoryRow]:
    """The rows with categories renamed, in the answers too; `names` map old to new."""

    def new_name(category: str) -> str:
        return names.get(category, category)

    return [
        HistoryRow(
            replace(row.example, category=new_name(row.example.category)),
            None if row.answer is None else replace(row.answer, proposed=new_name(row.answer.proposed)),
        )
        for row in rows
    ]


def history_rows(
    rows: Sequence[Example], holdout: Sequence[int], judged: LabelledRows | None
) -> list[HistoryRow]:
    """The rows, with the answers to those at the indices `holdout`, in the order of `judged`.

    An index after the last row is one of the record, which is not written to the file.
    """
    answers = _holdout_answers(judged) if judged is not None else ()
    by_index = dict(zip(holdout, answers, strict=True)) if answers else {}
    return [HistoryRow(row, by_index.get(index)) for index, row in enumerate(rows)]


def _holdout_answers(judged: LabelledRows) -> list[HoldoutAnswer]:
    answers = judged.candidate
    proposed = answers.probabilities.argmax(axis=1)
    rows = np.arange(len(judged.labels))
    return [
        HoldoutAnswer(
            judged.categories[category], float(probability), float(right), float(score), bool(alert)
        )
        for category, probability, right, score, alert in zip(
            proposed.tolist(),
            answers.probabilities[rows, proposed].tolist(),
            answers.probabilities[rows, judged.labels].tolist(),
            answers.scores.tolist(),
            answers.alerts.tolist(),
            strict=True,
        )
    ]


def write_history_file(rows: Sequence[HistoryRow]) -> bytes:
    """The bytes of the file; the same rows give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow((*_COLUMNS, *_ANSWER_COLUMNS))
    for row in rows:
        writer.writerow((*_example_cells(row.example), *_answer_cells(row.answer)))
    return gzip.compress(text.getvalue().encode(), mtime=0)


def _example_cells(example: Example) -> tuple[Any, ...]:
    at = example.at and example.at.isoformat()
    return csv_cell(example.text), example.category, example.severity, example.language, at


def _answer_cells(answer: HoldoutAnswer | None) -> tuple[Any, ...]:
    if answer is None:
        return (0,)
    return 1, answer.proposed, answer.probability, answer.right, answer.score, int(answer.alert)


def read_history_file(raw: bytes) -> list[HistoryRow]:
    """The rows of a file. Raises UnreadableTable."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(MOST_BYTES + 1)
        if len(unpacked) > MOST_BYTES:
            raise UnreadableTable(f"The history file unpacks to more than {MOST_BYTES >> 20} MB: divide it.")
        table = csv.DictReader(io.StringIO(unpacked.decode(), newline=""))
        if tuple(table.fieldnames or ()) != (*_COLUMNS, *_ANSWER_COLUMNS):
            raise UnreadableTable("This is no history file of Amends: it has other columns.")
        return [_parse_row(cells) for cells in table]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UnreadableTable(f"This is no history file of Amends ({type(error).__name__}).") from error


def _parse_row(cells: dict[str, str]) -> HistoryRow:
    example = Example(
        text_of_cell(cells["text"]),
        cells["category"],
        int(cells["severity"]) if cells["severity"] else None,
        cells["language"] or None,
        datetime.fromisoformat(cells["at"]) if cells["at"] else None,
    )
    if cells["held"] != "1":
        return HistoryRow(example)
    probability, right, score = (float(cells[name]) for name in ("probability", "right", "score"))
    return HistoryRow(
        example, HoldoutAnswer(cells["proposed"], probability, right, score, cells["alert"] == "1")
    )


def newest_examples(rows: Sequence[HistoryRow], limit: int) -> list[Example]:
    """At most `limit` rows, newest first. Rows without a date come last, in the order of their texts' hashes.

    Not in the order of the file, because a file may be sorted by category.
    """
    return sorted(
        (row.example for row in rows),
        key=lambda example: (
            example.at is None,
            _EARLIEST - (example.at or _EARLIEST),
            digest(example.text.encode()),
        ),
    )[:limit]


def held_out_rows(rows: Sequence[HistoryRow], active: Model) -> LabelledRows | None:
    """The held-out rows with the answers of the judged model and of the model in use; None where there are none."""
    judged = [(row.example, row.answer) for row in rows if row.answer is not None]
    if not judged:
        return None
    examples, answers = [example for example, _ in judged], [answer for _, answer in judged]
    names = {
        *active.categories,
        *(example.category for example in examples),
        *(answer.proposed for answer in answers),
    }
    categories = tuple(sorted(names))
    labels, indices = labels_of(examples, categories), np.arange(len(judged))
    probabilities = np.zeros((len(judged), len(categories)))
    proposed = [categories.index(answer.proposed) for answer in answers]
    probabilities[indices, proposed] = [answer.probability for answer in answers]
    probabilities[indices, labels] = [answer.right for answer in answers]
    candidate = ModelAnswers(
        probabilities,
        np.array([answer.score for answer in answers], dtype=np.float64),
        np.array([answer.alert for answer in answers], dtype=bool),
    )
    return LabelledRows(
        HELD_BACK,
        categories,
        labels,
        severities_of(examples),
        candidate,
        gate.answer_rows(active, examples, categories),
        comparable=gate.knows(active, examples),
    )
