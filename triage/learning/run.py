"""One training run: what to learn from, what to hold back, and the verdict on the candidate.

The fixed tenth is never trained on. The later half of what the model in use has not seen judges a second
candidate trained without it: had we retrained then, would it have gone worse since? While the record is too
small for that, three folds stand in: both recipes, with and without the new rows, answer rows of folds that
they did not learn from.

After an erasure: a run that always ends with a model in use that holds none of the erased words (8.1).

The model in use is made anew, by the same recipe, from what it had learnt less what was erased: that is what it
would be, had these texts never been there. The candidate, which knows the newer complaints too, is judged
beside it by the same gate as ever. The better is used; to go on with the words is no choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from triage.example import Example
from triage.learning import gate
from triage.learning.gate import LabelledRows, ModelAnswers, Verdict
from triage.learning.holdout import FEWEST, FEWEST_FIXED, Parts, RecordRow, apart, fold_of, parted, without
from triage.learning.training import ALERT_RATE
from triage.model.pipeline import Model

FOLDS = 3
CROSS_FITTED = 300
"""Rows that are cross-fitted at most, the newest: only a small record needs it."""

Train = Callable[[Sequence[Example]], Model]


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """The model in use: what was confirmed up to `until` it may have seen (None: nothing), `ours` whether a
    run of ours made it, which spared the fixed rows.
    """

    model: Model
    until: datetime | None
    ours: bool


def learn(
    own: Sequence[Example],
    rows: Sequence[RecordRow],
    *,
    train: Train,
    history: Sequence[Example] = (),
    in_use: ModelInUse | None = None,
    alert_budget: float = ALERT_RATE,
) -> tuple[Model, Verdict]:
    """A candidate from the organisation's own examples (the starters) and the record's rows, and the verdict.

    `history` are rows of before the record: always learnt from, never judged on.
    `train` makes a model of examples. Raises UnusableExamples where there are too few of them.
    """
    parts = parted(rows, seen_until=None if in_use is None else in_use.until)
    candidate = train(to_learn(own, parts.learnt, apart(history, parts.fixed)))
    active = None if in_use is None else in_use.model
    judged: list[LabelledRows] = []
    notes: list[str] = []
    fixed = [row for row in parts.fixed if _unseen(row, in_use)]
    if len(fixed) >= FEWEST_FIXED:
        judged.append(gate.part("fixed", candidate, active, _told(fixed), new=_new(fixed, in_use)))
    elif in_use is not None and any(row.whole for row in rows):
        judged.append(_cross_fitted(own, history, parts, in_use, train))
        notes.append(
            f"Only {len(fixed)} fixed rows that neither has learnt from ({FEWEST_FIXED} are needed): figures "
            "cross-fitted over the record stand in."
        )
    if len(parts.recent) >= FEWEST:
        past = apart(history, (*parts.fixed, *parts.recent))
        earlier = train(to_learn(own, without(parts.learnt, parts.recent), past))
        judged.append(
            gate.part("recent", earlier, active, _told(parts.recent), new=_new(parts.recent, in_use))
        )
    elif in_use is not None:
        notes.append(f"Only {len(parts.recent)} recent rows ({FEWEST} are needed): not judged apart.")
    if in_use is not None and in_use.ours and not any(row.whole for row in rows):
        # Ours too, by the same recipe: what differs is what the organisation wrote or set, and it is to be used.
        said = gate.against_a_guess((), candidate, {}, why="No confirmed complaint to compare on")
    else:
        said = gate.weigh(judged, candidate, has_active=active is not None, alert_budget=alert_budget)
    return candidate, Verdict(said.passes, (*said.reasons, *notes), said.figures)


def judge_file(
    candidate: Model,
    rows: Sequence[RecordRow],
    *,
    in_use: ModelInUse | None,
    seen: ModelInUse | None = None,
    history: LabelledRows | None = None,
    alert_budget: float = ALERT_RATE,
) -> Verdict:
    """The verdict on a model that is there already, on the record's held-out rows (`seen`: what it was made
    of, None where nobody knows).

    Where too few rows are left that neither has learnt from, the newest of the record stand in, and it says so;
    where these are too few as well, the rows of the candidate's own `history` that were held back for its card.
    """
    bounds = [one.until for one in (in_use, seen) if one is not None and one.until is not None]
    parts = parted(rows, seen_until=max(bounds, default=None))
    fixed = [row for row in parts.fixed if _unseen(row, in_use) and _unseen(row, seen)]
    recent = parts.recent if len(parts.recent) >= FEWEST else ()
    notes = [] if seen is not None else ["What this model learnt from is not known: it may know these rows."]
    if len(fixed) < FEWEST_FIXED:
        whole = sorted((row for row in rows if row.whole), key=lambda row: row.at)
        fixed, recent = whole[-CROSS_FITTED:], ()
        notes.append(
            f"Too few rows are held out ({FEWEST_FIXED} are needed): the newest {len(fixed)} of the record stand "
            "in, which either may have learnt from."
        )
    if in_use is not None and len(fixed) < FEWEST:
        if history is not None and len(history.labels) > len(fixed):
            said = gate.weigh([history], candidate, has_active=True, alert_budget=alert_budget)
            return Verdict(said.passes, (*said.reasons, _held_back(history, fixed)), said.figures)
        if not fixed:
            return Verdict(False, (_NOTHING,), {})
    said = gate.judge(
        candidate,
        None if in_use is None else in_use.model,
        fixed=_told(fixed),
        recent=_told(recent),
        alert_budget=alert_budget,
    )
    return Verdict(said.passes, (*said.reasons, *notes), said.figures)


_NOTHING = (
    "There is no confirmed complaint to compare the two models on, nor a history file with rows that were held "
    "back: lay that file beside the model, or use it past the gate with --force --reason."
)


def _held_back(history: LabelledRows, fixed: Sequence[RecordRow]) -> str:
    return (
        f"The record has {len(fixed)} confirmed complaints to compare on ({FEWEST} are needed): both answered the "
        f"{len(history.labels)} rows of the history that were held back when this model was judged."
    )


def _unseen(row: RecordRow, in_use: ModelInUse | None) -> bool:
    return in_use is None or in_use.ours or in_use.until is None or row.at > in_use.until


def _new(rows: Sequence[RecordRow], in_use: ModelInUse | None) -> gate.Flags | None:
    """Which of them the model in use cannot have learnt from; None where nobody knows."""
    if in_use is None or in_use.until is None:
        return None
    return np.array([row.at > in_use.until for row in rows], dtype=bool)


def to_learn(own: Sequence[Example], rows: Sequence[RecordRow], history: Sequence[Example]) -> list[Example]:
    """All that one training reads."""
    return [*own, *(row.example for row in rows), *history]


def _cross_fitted(
    own: Sequence[Example], history: Sequence[Example], parts: Parts, in_use: ModelInUse, train: Train
) -> LabelledRows:
    """Both on the same rows, each row answered by models that did not learn from its fold."""
    whole = sorted((row for row in (*parts.fixed, *parts.learnt) if row.whole), key=lambda row: row.at)
    judged = whole[-CROSS_FITTED:]
    learnt = parts.learnt
    seen = [row for row in learnt if in_use.until is not None and row.at <= in_use.until]
    folds = [[row for row in judged if fold_of(row.ref, FOLDS) == fold] for fold in range(FOLDS)]
    pairs = []
    for held in folds:
        if not held:
            continue
        past = apart(history, held)
        candidate = train(to_learn(own, without(learnt, held), past))
        # Of a model that somebody else made nobody knows the recipe: it answers as it is.
        recipe = (
            in_use.model if not in_use.ours or not seen else train(to_learn(own, without(seen, held), past))
        )
        pairs.append((held, candidate, recipe))
    known = {category for _, *models in pairs for model in models for category in model.categories}
    categories = tuple(sorted(known | {row.example.category for row in judged}))
    laid = [row for held, *_ in pairs for row in held]
    return LabelledRows(
        "cross-fitted",
        categories,
        gate.labels_of(_told(laid), categories),
        gate.severities_of(_told(laid)),
        _joined([gate.answers(model, _told(held), categories) for held, model, _ in pairs]),
        _joined([gate.answers(model, _told(held), categories) for held, _, model in pairs]),
        _new(laid, in_use),
    )


def _told(rows: Sequence[RecordRow]) -> list[Example]:
    return [row.example for row in rows]


def _joined(each: Sequence[ModelAnswers]) -> ModelAnswers:
    return ModelAnswers(
        np.concatenate([one.probabilities for one in each]),
        np.concatenate([one.scores for one in each]),
        np.concatenate([one.alerts for one in each]),
    )


_ANEW = "Used: the model before, made anew without what was erased."
_CANDIDATE = "Compared with the model before made anew without what was erased; it goes in either case."
_ALONE = (
    "Used unjudged: the model before made anew without what was erased, nothing else was confirmed since."
)


def unlearn(
    own: Sequence[Example],
    rows: Sequence[RecordRow],
    *,
    train: Train,
    in_use: ModelInUse,
    history: Sequence[Example] = (),
    alert_budget: float = ALERT_RATE,
) -> tuple[Model, Verdict]:
    """The model to use from now on and the verdict, which always passes: as `learn`, but `in_use` holds words that
    are in neither `rows` nor `history` any more.

    `learnt_until` of the verdict is set where it is not the candidate. What it cost beside the model before is
    told where there are 30 fixed rows; whoever is erased does not wait for it.
    """
    parts = parted(rows, seen_until=in_use.until)
    seen = [row for row in parts.learnt if in_use.until is not None and row.at <= in_use.until]
    anew = train(to_learn(own, seen, apart(history, parts.fixed)))
    if len(seen) == len(parts.learnt):
        used, verdict = anew, Verdict(True, (_ALONE,))
    else:
        used, verdict = learn(
            own,
            rows,
            train=train,
            history=history,
            in_use=ModelInUse(anew, in_use.until, ours=True),
            alert_budget=alert_budget,
        )
        said = _CANDIDATE if verdict.passes else _ANEW
        until = None if verdict.passes else in_use.until
        used = used if verdict.passes else anew
        verdict = Verdict(True, (*verdict.reasons, said), verdict.figures, learnt_until=until)
    if in_use.ours and len(parts.fixed) >= FEWEST:
        beside = gate.part("beside what was erased", used, in_use.model, [row.example for row in parts.fixed])
        cost = gate.weigh([beside], used, has_active=True, alert_budget=alert_budget)
        figures = {**verdict.figures, **cost.figures}
        verdict = replace(verdict, reasons=(*verdict.reasons, *cost.reasons), figures=figures)
    return used, verdict
