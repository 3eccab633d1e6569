"""One training run: what to learn from, what to hold out, and the verdict on the candidate (8.5).

The fixed tenth is never trained on. The newest rows that the model in use has not seen judge a second candidate,
trained without them: would retraining then have made later answers worse? While the record is too small for that,
three folds are used instead. Both recipes, with and without the new rows, answer folds that they did not learn from.

After an erasure, `retrain_after_erasure` always ends with a model that contains none of the erased words (8.1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from triage.defaults import ALERT_RATE
from triage.example import Example
from triage.learning import gate
from triage.learning.gate import LabelledRows, ModelAnswers, Verdict
from triage.learning.holdout import (
    FEWEST,
    FEWEST_FIXED,
    RecordRow,
    RecordSplit,
    exclude_complaints,
    exclude_texts,
    fold_number,
    split_record,
)
from triage.learning.training import labels_of, severities_of
from triage.model.calibration import Mask
from triage.model.pipeline import Model

FOLDS = 3
CROSS_FITTED = 300
"""Newest rows that are cross-fitted at most; only a small record needs it."""

Train = Callable[[Sequence[Example]], Model]


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """A model, what it may have seen, and whether a training run of this installation made it.

    It may have seen what was confirmed up to `until` (None: nothing). A run of this installation (`made_here`) never
    trains on the fixed rows.
    """

    model: Model
    until: datetime | None
    made_here: bool


def train_candidate(
    own: Sequence[Example],
    rows: Sequence[RecordRow],
    *,
    train: Train,
    history: Sequence[Example] = (),
    in_use: ModelInUse | None = None,
    alert_budget: float = ALERT_RATE,
) -> tuple[Model, Verdict]:
    """Train a candidate from written examples and the record's rows, and judge it.

    `own` are the starter examples and the organisation's own; `history` are rows from before the record. Both are
    always trained on and never judged on. `train` makes a model of examples. Raises UnusableExamples where there are
    too few of them.
    """
    split = split_record(rows, seen_until=None if in_use is None else in_use.until)
    candidate = train(_training_examples(own, split.train, exclude_texts(history, split.fixed)))
    active = None if in_use is None else in_use.model
    has_complaints = any(row.whole for row in rows)
    sets: list[LabelledRows] = []
    notes: list[str] = []
    fixed = [row for row in split.fixed if _is_unseen(row, in_use)]
    if len(fixed) >= FEWEST_FIXED:
        new = _new_rows(fixed, in_use)
        sets.append(gate.label_rows("fixed", candidate, active, _examples(fixed), new=new))
    elif in_use is not None and has_complaints:
        sets.append(_cross_fit(own, history, split, in_use, train))
        notes.append(
            f"Only {len(fixed)} fixed rows that neither has learnt from ({FEWEST_FIXED} are needed): figures "
            "cross-fitted over the record stand in."
        )
    if len(split.recent) >= FEWEST:
        past = exclude_texts(history, (*split.fixed, *split.recent))
        earlier = train(_training_examples(own, exclude_complaints(split.train, split.recent), past))
        new = _new_rows(split.recent, in_use)
        sets.append(gate.label_rows("recent", earlier, active, _examples(split.recent), new=new))
    elif in_use is not None:
        notes.append(f"Only {len(split.recent)} recent rows ({FEWEST} are needed): not judged separately.")
    if in_use is not None and in_use.made_here and not has_complaints:
        # The same recipe made both. They differ only in what the organisation wrote or set, and it wants that used.
        verdict = gate.beats_guess((), candidate, {}, why="No confirmed complaint to compare on")
    else:
        verdict = gate.weigh(sets, candidate, has_active=active is not None, alert_budget=alert_budget)
    return candidate, replace(verdict, reasons=(*verdict.reasons, *notes))


def judge_file(
    candidate: Model,
    rows: Sequence[RecordRow],
    *,
    in_use: ModelInUse | None,
    learned_from: ModelInUse | None = None,
    history: LabelledRows | None = None,
    alert_budget: float = ALERT_RATE,
) -> Verdict:
    """The verdict on an existing model, on the held-out rows of the record.

    `learned_from` says what the candidate has learned from, None where this is not known. Where too few rows are
    left that neither model has learned from, the newest rows of the record are used, and a reason says so. Where
    these are too few as well, the held-out rows of the candidate's own `history` are used.
    """
    bounds = [
        model.until for model in (in_use, learned_from) if model is not None and model.until is not None
    ]
    split = split_record(rows, seen_until=max(bounds, default=None))
    fixed = [row for row in split.fixed if _is_unseen(row, in_use) and _is_unseen(row, learned_from)]
    recent = split.recent if len(split.recent) >= FEWEST else ()
    notes = (
        []
        if learned_from is not None
        else ["What this model learnt from is not known: it may know these rows."]
    )
    if len(fixed) < FEWEST_FIXED:
        whole = sorted((row for row in rows if row.whole), key=lambda row: row.at)
        fixed, recent = whole[-CROSS_FITTED:], ()
        notes.append(
            f"Too few rows are held out ({FEWEST_FIXED} are needed): the newest {len(fixed)} of the record stand "
            "in, which either may have learnt from."
        )
    if in_use is not None and len(fixed) < FEWEST:
        if history is not None and len(history.labels) > len(fixed):
            verdict = gate.weigh([history], candidate, has_active=True, alert_budget=alert_budget)
            return replace(verdict, reasons=(*verdict.reasons, _judged_on_history(history, fixed)))
        if not fixed:
            return Verdict(False, (_NOTHING_TO_COMPARE,), {})
    verdict = gate.judge(
        candidate,
        None if in_use is None else in_use.model,
        fixed=_examples(fixed),
        recent=_examples(recent),
        alert_budget=alert_budget,
    )
    return replace(verdict, reasons=(*verdict.reasons, *notes))


_NOTHING_TO_COMPARE = (
    "There is no confirmed complaint to compare the two models on, nor a history file with rows that were held "
    "back: put that file next to the model, or skip the gate with --force --reason."
)


def _judged_on_history(history: LabelledRows, fixed: Sequence[RecordRow]) -> str:
    return (
        f"The record has {len(fixed)} confirmed complaints to compare on ({FEWEST} are needed): both answered the "
        f"{len(history.labels)} rows of the history that were held back when this model was judged."
    )


_RETRAINED = "Used: the model before, retrained without what was erased."
_CANDIDATE = (
    "Compared with the model before, retrained without what was erased; that model goes in either case."
)
_ONLY_RETRAINED = (
    "Used without a comparison: the model before, retrained without what was erased. Nothing was confirmed "
    "since."
)


def retrain_after_erasure(
    own: Sequence[Example],
    rows: Sequence[RecordRow],
    *,
    train: Train,
    in_use: ModelInUse,
    history: Sequence[Example] = (),
    alert_budget: float = ALERT_RATE,
) -> tuple[Model, Verdict]:
    """Replace a model in use that contains erased words, which are no longer in `rows` or `history`.

    The model in use is retrained by the same recipe from what it had learned, without the erased texts. The
    candidate, which knows newer complaints too, is compared with it by the same gate, and the better one is used. So
    the verdict always passes; its `learnt_until` is set where the retrained model is used. Where there are 30 fixed
    rows, the figures also show what the erasure cost; it does not wait for them. Parameters as for `train_candidate`.
    """
    split = split_record(rows, seen_until=in_use.until)
    before = _seen_before(split.train, in_use)
    retrained = train(_training_examples(own, before, exclude_texts(history, split.fixed)))
    if len(before) == len(split.train):
        used, verdict = retrained, Verdict(True, (_ONLY_RETRAINED,))
    else:
        candidate, judged = train_candidate(
            own,
            rows,
            train=train,
            history=history,
            in_use=ModelInUse(retrained, in_use.until, made_here=True),
            alert_budget=alert_budget,
        )
        used = candidate if judged.passes else retrained
        reason, until = (_CANDIDATE, None) if judged.passes else (_RETRAINED, in_use.until)
        verdict = Verdict(True, (*judged.reasons, reason), judged.figures, learnt_until=until)
    if in_use.made_here and len(split.fixed) >= FEWEST:
        compared = gate.label_rows("beside what was erased", used, in_use.model, _examples(split.fixed))
        cost = gate.weigh([compared], used, has_active=True, alert_budget=alert_budget)
        figures = {**verdict.figures, **cost.figures}
        verdict = replace(verdict, reasons=(*verdict.reasons, *cost.reasons), figures=figures)
    return used, verdict


def _training_examples(
    own: Sequence[Example], rows: Sequence[RecordRow], history: Sequence[Example]
) -> list[Example]:
    return [*own, *_examples(rows), *history]


def _examples(rows: Sequence[RecordRow]) -> list[Example]:
    return [row.example for row in rows]


def _is_unseen(row: RecordRow, model: ModelInUse | None) -> bool:
    """Whether a fixed row cannot have been seen: by a model made here never."""
    return model is None or model.made_here or model.until is None or row.at > model.until


def _seen_before(rows: Sequence[RecordRow], in_use: ModelInUse) -> list[RecordRow]:
    return [row for row in rows if in_use.until is not None and row.at <= in_use.until]


def _new_rows(rows: Sequence[RecordRow], in_use: ModelInUse | None) -> Mask | None:
    """Which of the rows the model in use cannot have learned from; None where this is not known."""
    if in_use is None or in_use.until is None:
        return None
    return np.array([row.at > in_use.until for row in rows], dtype=bool)


def _cross_fit(
    own: Sequence[Example], history: Sequence[Example], split: RecordSplit, in_use: ModelInUse, train: Train
) -> LabelledRows:
    """The newest rows with answers of both recipes, each from models that did not learn from the row's fold."""
    whole = sorted((row for row in (*split.fixed, *split.train) if row.whole), key=lambda row: row.at)
    judged = whole[-CROSS_FITTED:]
    before = _seen_before(split.train, in_use)
    # The recipe of a model made elsewhere is not known, so it answers as it is.
    can_retrain = in_use.made_here and bool(before)
    answered: list[tuple[list[RecordRow], Model, Model]] = []
    for number in range(FOLDS):
        holdout = [row for row in judged if fold_number(row.ref, FOLDS) == number]
        if not holdout:
            continue
        past = exclude_texts(history, holdout)
        candidate = train(_training_examples(own, exclude_complaints(split.train, holdout), past))
        active = in_use.model
        if can_retrain:
            active = train(_training_examples(own, exclude_complaints(before, holdout), past))
        answered.append((holdout, candidate, active))
    names = {category for _, *models in answered for model in models for category in model.categories}
    categories = tuple(sorted(names | {row.example.category for row in judged}))
    rows = [row for holdout, *_ in answered for row in holdout]
    return LabelledRows(
        "cross-fitted",
        categories,
        labels_of(_examples(rows), categories),
        severities_of(_examples(rows)),
        _concatenate(
            [gate.answer_rows(candidate, _examples(fold), categories) for fold, candidate, _ in answered]
        ),
        _concatenate([gate.answer_rows(active, _examples(fold), categories) for fold, _, active in answered]),
        _new_rows(rows, in_use),
        np.concatenate([gate.knows(active, _examples(fold)) for fold, _, active in answered]),
    )


def _concatenate(answers: Sequence[ModelAnswers]) -> ModelAnswers:
    return ModelAnswers(
        np.concatenate([part.probabilities for part in answers]),
        np.concatenate([part.scores for part in answers]),
        np.concatenate([part.alerts for part in answers]),
    )
