"""An organisation's history becomes a model: judged on the part held back, then trained on all of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from triage.card import card
from triage.copies import copy_groups
from triage.errors import UnusableExamples
from triage.evaluation import evaluate
from triage.example import Example
from triage.holding_back import Split, hold_back
from triage.pipeline import Model
from triage.text import normalise
from triage.training import WANTED_PRECISION, train


@dataclass(frozen=True, slots=True)
class Learnt:
    """A model trained on everything, and the figures of one trained without the rows held back.

    `evaluation` is None where too few rows were left to hold any back; `card` is the model card as plain
    values, with the data and the figures on it.
    """

    model: Model
    split: Split
    evaluation: dict[str, Any] | None
    card: dict[str, Any]


def learn(
    rows: Sequence[Example],
    *,
    beside: Sequence[Example] = (),
    seed: int = 0,
    wanted_precision: float = WANTED_PRECISION,
    tell: Callable[[str], object] = lambda stage: None,
) -> Learnt:
    """Learn from `rows`; examples `beside` them (starters) are always learnt from and never judged on.

    `tell` hears what is being done. Raises UnusableExamples.
    """
    tell("Looking for copies")
    groups = copy_groups([row.text for row in rows])
    split = hold_back(rows, groups, seed=seed)
    evaluation = None
    if split.held:
        held = [rows[place] for place in split.held]
        tell(f"Training on {len(split.learnt)} rows, to be judged on {len(held)} held back")
        evaluation = _judged(
            [*beside, *(rows[place] for place in split.learnt)], held, seed, wanted_precision
        )
    if evaluation is None:
        split = Split(tuple(range(len(rows))), (), "none")
    tell(f"Training on all {len(rows)} rows" + (f" and {len(beside)} starter examples" if beside else ""))
    model = _trained([*beside, *rows], seed, wanted_precision)
    facts = {
        "data": _data(rows, groups, beside),
        "held_back": {"how": split.how, "rows": len(split.held), "since": _told(split.since)},
        "evaluation": evaluation,
    }
    # Within the model, so that what it was judged on goes wherever it goes: `promote` shows it too.
    model = replace(model, facts={**model.facts, **facts})
    return Learnt(model, split, evaluation, card(model))


def _trained(rows: Sequence[Example], seed: int, wanted_precision: float) -> Model:
    return train(rows, seed=seed, wanted_precision=wanted_precision)


def _judged(
    learnt: Sequence[Example], held: Sequence[Example], seed: int, wanted_precision: float
) -> dict[str, Any] | None:
    try:
        model = _trained(learnt, seed, wanted_precision)
    except UnusableExamples:
        return None
    figures = evaluate(model, held)
    del figures["model_version"]  # of a model that is not kept
    return figures


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
