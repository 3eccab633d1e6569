"""An organisation's history becomes a model: judged on the part held back, then trained on all of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from triage import gate
from triage.card import card
from triage.copies import copy_groups
from triage.embeddings import Encoder
from triage.errors import UnusableExamples
from triage.evaluation import evaluate
from triage.example import Example
from triage.gate import Part
from triage.history_file import HELD_BACK
from triage.holding_back import Split, hold_back
from triage.pipeline import Model
from triage.text import normalise
from triage.training import ALERT_RATE, WANTED_PRECISION, train


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
    judged: Part | None = None

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


def _judged(fit: Callable[[], Model], held: Sequence[Example]) -> tuple[dict[str, Any], Part] | None:
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
