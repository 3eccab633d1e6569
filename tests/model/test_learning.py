"""One training run: what the model learns from, how it is judged, and that wrong labels are refused."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from tests.clauses import clause
from tests.shared_models import train_here
from triage import __main__ as process
from triage.example import Example
from triage.learning import own_history
from triage.learning import own_history as learning_history
from triage.learning.gate import Verdict, judge
from triage.learning.holdout import FEWEST_FIXED, RecordRow, comparable_text, is_fixed, split_record
from triage.learning.run import ModelInUse, judge_file, retrain_after_erasure, train_candidate
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.model.pipeline import Model, rename_categories
from triage.proposal import propose

T = datetime(2026, 11, 3, tzinfo=UTC)
THINGS = {
    "lift": ("the lift is stuck between floors", "nobody repairs the elevator doors", "the cabin shakes"),
    "bin": ("the waste was left in the street", "rubbish bags were torn open", "no refuse van came"),
    "bill": ("the invoice shows a wrong sum", "you charged me twice", "the payment was booked late"),
}
PLACES = (
    "near the school",
    "by the river",
    "behind the shop",
    "at the corner",
    "in our house",
    "on the hill",
)


def rows(count: int, *, start: int = 0, spoiled: bool = False) -> list[RecordRow]:
    """Complaints of three categories, one an hour; spoiled: with random labels."""
    random_choice = random.Random(start)
    record_rows = []
    for number in range(start, start + count):
        kind = random_choice.choice(sorted(THINGS))
        text = f"{random_choice.choice(THINGS[kind])} {random_choice.choice(PLACES)}, house {number}"
        label = random_choice.choice(sorted(THINGS)) if spoiled else kind
        record_rows.append(RecordRow(Example(text, label, 2), f"R{number}", T + timedelta(hours=number)))
    return record_rows


OWN = [
    Example(f"{text} {place}", kind, 2)
    for kind, texts in THINGS.items()
    for text in texts
    for place in PLACES
]
FEW_OWN = OWN[:3] + OWN[18:21] + OWN[36:39]


class RecordingTrainer:
    """Trains, and keeps the examples of each training."""

    def __init__(self) -> None:
        self.trainings: list[list[Example]] = []

    def __call__(self, examples: Sequence[Example]) -> Model:
        self.trainings.append(list(examples))
        return train(examples)


@pytest.fixture(scope="module")
def starter() -> Model:
    """The model before: trained on the organisation's own examples only."""
    return train(OWN)


def test_the_fixed_tenth_is_never_trained_on_and_recent_rows_only_after_judging(starter: Model) -> None:
    record, trainer = rows(1200), RecordingTrainer()
    train_candidate(OWN, record, train=trainer, in_use=ModelInUse(starter, None, True))
    parts = split_record(record, seen_until=None)
    assert len(parts.fixed) >= FEWEST_FIXED
    fixed = {comparable_text(row.example) for row in parts.fixed}
    for examples in trainer.trainings:
        assert not fixed & {comparable_text(example) for example in examples}
        assert all(example in examples for example in OWN)
    use, judged = trainer.trainings
    recent = {row.example for row in parts.recent}
    assert recent <= set(use)
    assert not recent & set(judged)


def test_a_candidate_from_a_large_correct_record_passes_on_both_sets(starter: Model) -> None:
    _, verdict = train_candidate(FEW_OWN, rows(1200), train=train, in_use=ModelInUse(starter, None, True))
    assert verdict.passes
    assert set(verdict.figures) == {"fixed", "recent"}


def test_a_candidate_trained_on_random_labels_is_refused(starter: Model) -> None:
    honest, spoiled = rows(400), rows(900, start=400, spoiled=True)
    fixed = [row for row in rows(900, start=400) if is_fixed(row.ref)]
    record = [*honest, *(row for row in spoiled if not is_fixed(row.ref)), *fixed]
    until = honest[-1].at
    _, verdict = train_candidate(FEW_OWN, record, train=train, in_use=ModelInUse(starter, until, True))
    assert not verdict.passes
    assert any(reason.startswith("fixed: ") for reason in verdict.reasons)


def test_a_small_record_is_judged_by_cross_fitting(starter: Model) -> None:
    record, trainer = rows(90), RecordingTrainer()
    until = record[59].at
    _, verdict = train_candidate(OWN, record, train=trainer, in_use=ModelInUse(starter, until, True))
    assert set(verdict.figures) == {"cross-fitted"}
    assert verdict.figures["cross-fitted"]["rows"] == 90
    assert any("cross-fitted" in reason and "stand in" in reason for reason in verdict.reasons)
    # One training for use, then two for each of three folds: the candidate's recipe and that of the model in use.
    assert len(trainer.trainings) == 7
    for candidate, before in zip(trainer.trainings[1::2], trainer.trainings[2::2], strict=True):
        assert set(before) < set(candidate)


def test_a_model_that_learnt_nothing_from_the_record_is_not_retrained_for_judging(starter: Model) -> None:
    trainer = RecordingTrainer()
    train_candidate(OWN, rows(30), train=trainer, in_use=ModelInUse(starter, None, True))
    assert len(trainer.trainings) == 4


def test_a_model_from_a_file_is_not_retrained_for_judging(starter: Model) -> None:
    record, trainer = rows(30), RecordingTrainer()
    train_candidate(OWN, record, train=trainer, in_use=ModelInUse(starter, record[-1].at, False))
    assert len(trainer.trainings) == 4


def test_the_first_model_needs_no_record() -> None:
    model, verdict = train_candidate(OWN, [], train=train)
    assert verdict.passes
    assert model.categories == ("bill", "bin", "lift")


def test_texts_of_issues_are_trained_on_but_not_judged_on(starter: Model) -> None:
    issue = replace(rows(1)[0], whole=False, ref="R3")
    trainer = RecordingTrainer()
    train_candidate(OWN, [issue], train=trainer, in_use=ModelInUse(starter, None, True))
    assert issue.example in trainer.trainings[0]
    assert len(trainer.trainings) == 1


def test_a_history_is_trained_on_in_every_run_without_its_copies_of_judging_rows(starter: Model) -> None:
    record = [replace(row, example=replace(row.example, ref=row.ref)) for row in rows(90)]
    trainer = RecordingTrainer()
    past = [Example(f"{example.text} then", "of the past", 2) for example in OWN]
    copies = [replace(row.example, category="of the past", ref=None) for row in record]
    until = record[59].at
    model, _ = train_candidate(
        OWN, record, train=trainer, history=[*past, *copies], in_use=ModelInUse(starter, until, True)
    )
    assert "of the past" in model.categories
    assert all(example in examples for examples in trainer.trainings for example in past)
    held_back = [
        {example.text for example in copies}
        - {example.text for example in examples if example.category == "of the past"}
        for examples in trainer.trainings[1:]
    ]
    # Three folds, each trained twice: together they hold all rows.
    assert set.union(*held_back) == {example.text for example in copies}
    assert model.neighbours is not None
    assert set(model.neighbours.refs) == {row.ref for row in record if not is_fixed(row.ref)}


def test_without_confirmed_complaints_changed_examples_of_the_organisation_are_used(starter: Model) -> None:
    changed = [*OWN, *(Example(f"the meter ticks {place}", "meter", 2) for place in PLACES)]
    model, verdict = train_candidate(changed, [], train=train, in_use=ModelInUse(starter, T, True))
    _, by_hand = train_candidate(changed, [], train=train, in_use=ModelInUse(starter, T, False))
    assert ("meter" in model.categories, verdict.passes, by_hand.passes) == (True, True, False)
    assert "No confirmed complaint to compare on: right in" in verdict.reasons[0]


def trained_on(*categories: str, **names: str) -> Model:
    """A model of the organisation's examples of these categories, under other names where `names` has them."""
    return train(
        [
            replace(example, category=names.get(example.category, example.category))
            for example in OWN
            if example.category in categories
        ]
    )


def test_rows_of_a_category_that_the_model_in_use_cannot_know_are_not_compared(starter: Model) -> None:
    fixed = [row.example for row in rows(90)]
    verdict = judge(starter, trained_on("lift", "bin"), fixed=fixed, recent=())
    figures, new = verdict.figures["fixed"], sum(example.category == "bill" for example in fixed)
    assert verdict.passes
    assert (figures["rows"], figures["compared"]) == (90, 90 - new)
    assert figures["active"]["accuracy"] > 0.9
    note = f"fixed: {new} rows are not compared, because the model in use cannot know their categories: bill."
    assert note in verdict.reasons


def test_a_model_in_use_that_knows_none_of_the_labels_is_not_scored_at_all(starter: Model) -> None:
    abroad = trained_on("lift", "bin", "bill", lift="Aufzug", bin="Tonne", bill="Rechnung")
    verdict = judge(starter, abroad, fixed=[row.example for row in rows(90)], recent=())
    figures = verdict.figures["fixed"]
    assert verdict.passes
    assert verdict.reasons[0].startswith("The model in use knows none of these categories: right in ")
    assert (figures["compared"], figures["active"]["macro_f1"], figures["active"]["log_loss"]) == (
        0,
        None,
        None,
    )
    assert "0.000" not in " ".join(verdict.reasons)


def test_a_candidate_that_loses_a_category_of_the_rows_is_refused(starter: Model) -> None:
    verdict = judge(trained_on("lift", "bin"), starter, fixed=[row.example for row in rows(90)], recent=())
    assert not verdict.passes
    assert verdict.figures["fixed"]["compared"] == 90


def test_a_renamed_model_gives_the_same_probabilities_under_the_new_names(starter: Model) -> None:
    renamed = load(dump(rename_categories(starter, {"bill": "money"})))
    text = "you charged me twice near the school"
    assert propose(starter, text).category == "bill"
    assert propose(renamed, text).category == "money"
    assert propose(renamed, text).probability == propose(starter, text).probability
    assert renamed.version != starter.version
    with pytest.raises(ValueError, match="the same name"):
        rename_categories(starter, {"bill": "bin"})


def history_file(*, spoiled: bool = False) -> bytes:
    """A history file, with the good or bad model's answers for its held-out rows."""
    past = [row.example for row in rows(150, start=5000)]
    learnt = own_history.train_on_history(past)
    if spoiled:
        random_choice = random.Random(1)
        learnt = own_history.train_on_history(
            [replace(example, category=random_choice.choice(sorted(THINGS))) for example in past]
        )
    return learning_history.write_history_file(
        learning_history.history_rows(past, learnt.split.holdout, learnt.judged)
    )


@pytest.mark.parametrize("count", [0, 29])
def test_with_a_small_record_a_file_is_judged_on_held_out_rows_of_its_history(
    starter: Model, count: int
) -> None:
    other = train(
        [
            replace(example, category="bin" if example.category == "bill" else example.category)
            for example in OWN
        ]
    )
    past = learning_history.read_history_file(history_file())
    in_use = ModelInUse(other, T, True)
    verdict = judge_file(
        starter, rows(count), in_use=in_use, history=learning_history.held_out_rows(past, other)
    )
    assert verdict.passes
    assert set(verdict.figures) == {"held back"}
    assert any("rows of the history that were held back" in reason for reason in verdict.reasons)


def test_a_badly_learnt_history_is_refused_by_its_held_out_rows(starter: Model) -> None:
    part = learning_history.held_out_rows(
        learning_history.read_history_file(history_file(spoiled=True)), starter
    )
    verdict = judge_file(starter, [], in_use=ModelInUse(starter, T, True), history=part)
    assert not verdict.passes
    assert verdict.reasons[0].startswith("held back: macro-F1")


def test_a_large_enough_record_judges_instead_of_the_history(starter: Model) -> None:
    part = learning_history.held_out_rows(
        learning_history.read_history_file(history_file(spoiled=True)), starter
    )
    verdict = judge_file(starter, rows(30), in_use=ModelInUse(starter, T, True), history=part)
    assert (verdict.passes, set(verdict.figures)) == (True, {"fixed"})


def test_without_record_and_history_a_file_is_refused_with_the_remedy(starter: Model) -> None:
    verdict = judge_file(starter, [], in_use=ModelInUse(starter, T, True))
    assert not verdict.passes
    assert "There is no confirmed complaint" in verdict.reasons[0]
    assert "--force --reason" in verdict.reasons[0]


class FixedModel:
    """Replaces a trained model: right about every category and every critical case.

    It is always wrong if one of its rows has the category "spoiled".
    """

    categories = tuple(sorted(THINGS))
    critical = SimpleNamespace(threshold=0.5)

    def __init__(self, examples: Sequence[Example]) -> None:
        self.texts = {example.text for example in examples}
        self.good = all(example.category != "spoiled" for example in examples)
        self.facts = {"accuracy": 1.0, "categories": {"bill": 1, "bin": 1, "lift": 1}}

    def matrix(self, texts: Sequence[str]) -> Sequence[str]:
        return texts

    def predict_proba(self, texts: Sequence[str], _: object) -> np.ndarray:
        """Sure of the right category, or of the next one."""
        kinds = [
            [any(phrase in text for phrase in THINGS[kind]) for kind in self.categories] for text in texts
        ]
        return np.roll(np.array(kinds, dtype=float) * 0.9, 0 if self.good else 1, axis=1)

    def critical_probabilities(self, texts: Sequence[str], _: object) -> np.ndarray:
        return np.full(len(texts), 0.9 if self.good else 0.1)


def fixed_model(examples: Sequence[Example]) -> Model:
    return cast("Model", FixedModel(examples))


def after_erasure(new: Sequence[RecordRow]) -> tuple[FixedModel, Verdict]:
    """Two of sixty learnt complaints are erased and these come after; returns the model in use and the verdict."""
    old = [replace(row, example=replace(row.example, severity=5)) for row in rows(60)]
    in_use = ModelInUse(fixed_model([*OWN, *(row.example for row in old)]), old[-1].at, True)
    model, verdict = retrain_after_erasure(OWN, [*old[2:], *new], train=fixed_model, in_use=in_use)
    return cast("FixedModel", model), verdict


def erased_texts_are_gone(model: FixedModel) -> bool:
    """Check that the model has none of the erased texts."""
    return not model.texts & {row.example.text for row in rows(2)}


@clause("8.1")
def test_after_an_erasure_a_worse_candidate_loses_to_the_retrained_model_in_use() -> None:
    new = [
        replace(row, example=replace(row.example, category="spoiled", severity=5))
        for row in rows(60, start=60)
    ]
    model, verdict = after_erasure(new)
    assert (verdict.passes, erased_texts_are_gone(model), model.good) == (True, True, True)
    assert verdict.learnt_until == rows(60)[-1].at
    assert verdict.as_json()["learnt_until"] == "2026-11-05T11:00:00+00:00"
    assert any("it misses" in reason for reason in verdict.reasons)
    assert "retrained" in verdict.reasons[-1]


@clause("8.1")
def test_after_an_erasure_a_candidate_that_is_no_worse_is_used() -> None:
    new = rows(60, start=60)
    model, verdict = after_erasure(new)
    assert (verdict.passes, erased_texts_are_gone(model), verdict.learnt_until) == (True, True, None)
    assert {row.example.text for row in new if not is_fixed(row.ref)} < model.texts
    assert "learnt_until" not in verdict.as_json()


def test_after_an_erasure_without_new_complaints_the_retrained_model_is_used_unjudged() -> None:
    model, verdict = after_erasure([])
    assert (verdict.passes, erased_texts_are_gone(model), verdict.learnt_until) == (True, True, None)
    assert "retrained" in verdict.reasons[-1]


def test_the_cost_of_an_erasure_is_reported_if_there_are_enough_rows() -> None:
    record = rows(600)
    worse = replace(record[0].example, category="spoiled")
    in_use = ModelInUse(fixed_model(OWN), record[-1].at, True)
    model, verdict = retrain_after_erasure([*OWN, worse], record, train=fixed_model, in_use=in_use)
    assert (verdict.passes, cast("FixedModel", model).good) == (True, False)
    assert any(reason.startswith("beside what was erased: macro-F1 1.000 -> ") for reason in verdict.reasons)


def order(**more: object) -> bytes:
    """An order as the scheduler writes it."""
    fields = {"languages": ["en"], "rows": [], "in_use": None, "wanted_precision": 0.9, "alert_budget": 0.1}
    return json.dumps({**fields, **more}).encode() + b"\n"


def run(order: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the training process."""
    return subprocess.run([sys.executable, "-m", "triage"], input=order, capture_output=True, check=False)


def test_the_training_process_returns_card_verdict_and_artefact() -> None:
    row = rows(1)[0]
    fields = {"ref": "R1", "at": "2026-11-03T10:00:00Z", "whole": True, "severity": 2, "language": "en"}
    process_result = run(order(rows=[{**fields, "text": row.example.text, "category": "supply"}]))
    head, _, blob = process_result.stdout.partition(b"\n")
    answer = json.loads(head)
    assert (process_result.returncode, process_result.stderr) == (0, b"")
    assert answer["verdict"]["passes"] is True
    assert answer["card"]["version"] == load(blob).version


@clause("8.1")
def test_the_training_process_leaves_no_erased_word_in_the_artefact() -> None:
    word = "quagmires"
    model_before = train(
        [
            *OWN,
            *(Example(f"{word} {place}", "bin", 2, ref=f"E{number}") for number, place in enumerate(PLACES)),
        ]
    )
    used = {"until": "2026-11-03T10:00:00Z", "ours": True}
    own = [{"text": example.text, "category": example.category, "severity": 2} for example in OWN]
    answer, blob = train_here(order(in_use=used, own=own, erased=True) + dump(model_before), starters=[])
    assert answer["verdict"]["reasons"] == [
        "Used without a comparison: the model before, retrained without what was erased. Nothing was confirmed since."
    ]
    assert word in model_before.features.words
    assert word not in load(blob).features.words


def test_an_unreadable_model_in_use_is_reported_and_not_compared() -> None:
    used = {"until": None, "ours": True}
    answer, _ = train_here(order(in_use=used) + b"\x80\x04 a pickle", starters=OWN)
    verdict = answer["verdict"]
    assert verdict["passes"] is True
    assert "The model in use cannot be read" in verdict["reasons"][-1]


def test_the_training_process_ends_when_its_parent_has_died(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(process.os, "_exit", ended)
    with pytest.raises(SystemExit) as orphaned:
        process.exit_without(process.os.getppid() + 1)
    assert orphaned.value.code == process.ORPHANED
