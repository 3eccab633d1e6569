"""One training run: what it may learn from, what it is judged on, and that spoiled labels do not get in."""

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
from triage import __main__ as process
from triage.example import Example
from triage.learning import history
from triage.learning import history as learning_history
from triage.learning.gate import Verdict
from triage.learning.holdout import FEWEST_FIXED, RecordRow, comparable_text, is_fixed, split_record
from triage.learning.run import ModelInUse, judge_file, retrain_after_erasure, train_candidate
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.model.pipeline import Model

T = datetime(2026, 11, 3, tzinfo=UTC)
THINGS = {
    "lift": ("the lift is stuck between floors", "nobody repairs the elevator doors", "the cabin shakes"),
    "bin": ("the waste was left in the street", "rubbish bags were torn open", "no refuse van came"),
    "bill": ("the invoice shows a wrong sum", "you charged me twice", "the payment was booked late"),
}
WHERE = ("near the school", "by the river", "behind the shop", "at the corner", "in our house", "on the hill")


def rows(count: int, *, start: int = 0, spoiled: bool = False) -> list[RecordRow]:
    """Complaints of three kinds, one an hour, a few of them severe; spoiled: with labels drawn by lot."""
    drawn = random.Random(start)
    found = []
    for number in range(start, start + count):
        kind = drawn.choice(sorted(THINGS))
        text = f"{drawn.choice(THINGS[kind])} {drawn.choice(WHERE)}, house {number}"
        label = drawn.choice(sorted(THINGS)) if spoiled else kind
        found.append(RecordRow(Example(text, label, 2), f"R{number}", T + timedelta(hours=number)))
    return found


OWN = [
    Example(f"{text} {where}", kind, 2) for kind, texts in THINGS.items() for text in texts for where in WHERE
]
FEW_OWN = OWN[:3] + OWN[18:21] + OWN[36:39]


class Watched:
    """Trains, and keeps what each model was made of."""

    def __init__(self) -> None:
        self.given: list[list[Example]] = []

    def __call__(self, examples: Sequence[Example]) -> Model:
        """A model of these."""
        self.given.append(list(examples))
        return train(examples)


@pytest.fixture(scope="module")
def starter() -> Model:
    """The model of before: only the organisation's own examples."""
    return train(OWN)


def test_the_fixed_tenth_is_never_learnt_from_and_the_recent_only_after_judging(starter: Model) -> None:
    record, watched = rows(1200), Watched()
    train_candidate(OWN, record, train=watched, in_use=ModelInUse(starter, None, True))
    parts = split_record(record, seen_until=None)
    assert len(parts.fixed) >= FEWEST_FIXED
    fixed = {comparable_text(row.example) for row in parts.fixed}
    for examples in watched.given:
        assert not fixed & {comparable_text(one) for one in examples}
        assert all(one in examples for one in OWN)
    use, judged = watched.given
    recent = {row.example for row in parts.recent}
    assert recent <= set(use)
    assert not recent & set(judged)


def test_a_larger_honest_record_passes_on_both_sets(starter: Model) -> None:
    _, verdict = train_candidate(FEW_OWN, rows(1200), train=train, in_use=ModelInUse(starter, None, True))
    assert verdict.passes
    assert set(verdict.figures) == {"fixed", "recent"}


def test_labels_drawn_by_lot_do_not_get_in(starter: Model) -> None:
    honest, spoiled = rows(400), rows(900, start=400, spoiled=True)
    fixed_ones = [row for row in rows(900, start=400) if is_fixed(row.ref)]
    record = [*honest, *(row for row in spoiled if not is_fixed(row.ref)), *fixed_ones]
    until = honest[-1].at
    _, verdict = train_candidate(FEW_OWN, record, train=train, in_use=ModelInUse(starter, until, True))
    assert not verdict.passes
    assert any(reason.startswith("fixed: ") for reason in verdict.reasons)


def test_a_small_record_is_judged_by_figures_cross_fitted_on_the_same_rows(starter: Model) -> None:
    record, watched = rows(90), Watched()
    until = record[59].at
    _, verdict = train_candidate(OWN, record, train=watched, in_use=ModelInUse(starter, until, True))
    assert set(verdict.figures) == {"cross-fitted"}
    assert verdict.figures["cross-fitted"]["rows"] == 90
    assert any("cross-fitted" in reason and "stand in" in reason for reason in verdict.reasons)
    # One for use, then for each of three folds the candidate's recipe and that of the model in use.
    assert len(watched.given) == 7
    for candidate, before in zip(watched.given[1::2], watched.given[2::2], strict=True):
        assert set(before) < set(candidate)


def test_a_model_that_saw_nothing_of_the_record_answers_as_it_is(starter: Model) -> None:
    watched = Watched()
    train_candidate(OWN, rows(30), train=watched, in_use=ModelInUse(starter, None, True))
    assert len(watched.given) == 4


def test_a_model_of_another_hand_answers_as_it_is(starter: Model) -> None:
    record, watched = rows(30), Watched()
    train_candidate(OWN, record, train=watched, in_use=ModelInUse(starter, record[-1].at, False))
    assert len(watched.given) == 4


def test_the_first_model_of_all_needs_no_record() -> None:
    model, verdict = train_candidate(OWN, [], train=train)
    assert verdict.passes
    assert model.categories == ("bill", "bin", "lift")


def test_the_words_of_an_issue_are_learnt_from_but_judge_nobody(starter: Model) -> None:
    issue = replace(rows(1)[0], whole=False, ref="R3")
    watched = Watched()
    train_candidate(OWN, [issue], train=watched, in_use=ModelInUse(starter, None, True))
    assert issue.example in watched.given[0]
    assert len(watched.given) == 1


def test_a_history_is_learnt_from_in_every_run_and_its_copies_of_what_judges_are_not(starter: Model) -> None:
    record = [replace(row, example=replace(row.example, ref=row.ref)) for row in rows(90)]
    watched = Watched()
    past = [Example(f"{one.text} then", "of the past", 2) for one in OWN]
    copies = [replace(row.example, category="of the past", ref=None) for row in record]
    until = record[59].at
    model, _ = train_candidate(
        OWN, record, train=watched, history=[*past, *copies], in_use=ModelInUse(starter, until, True)
    )
    assert "of the past" in model.categories
    assert all(one in examples for examples in watched.given for one in past)
    held_back = [
        {one.text for one in copies} - {one.text for one in examples if one.category == "of the past"}
        for examples in watched.given[1:]
    ]
    # Each of three folds, twice: together they hold all rows.
    assert set.union(*held_back) == {one.text for one in copies}
    assert model.neighbours is not None
    assert set(model.neighbours.refs) == {row.ref for row in record if not is_fixed(row.ref)}


def test_without_a_confirmed_complaint_what_the_organisation_changed_is_used(starter: Model) -> None:
    changed = [*OWN, *(Example(f"the meter ticks {where}", "meter", 2) for where in WHERE)]
    model, verdict = train_candidate(changed, [], train=train, in_use=ModelInUse(starter, T, True))
    _, by_hand = train_candidate(changed, [], train=train, in_use=ModelInUse(starter, T, False))
    assert ("meter" in model.categories, verdict.passes, by_hand.passes) == (True, True, False)
    assert "No confirmed complaint to compare on: right in" in verdict.reasons[0]


def past_of(*, spoiled: bool = False) -> bytes:
    """A model's history file, and of the rows held back what a good or a bad model said."""
    past = [row.example for row in rows(150, start=5000)]
    learnt = history.train_on_history(past)
    if spoiled:
        drawn = random.Random(1)
        learnt = history.train_on_history(
            [replace(one, category=drawn.choice(sorted(THINGS))) for one in past]
        )
    return learning_history.write_history_file(
        learning_history.history_rows(past, learnt.split.holdout, learnt.judged)
    )


@pytest.mark.parametrize("count", [0, 29])
def test_on_a_small_record_the_rows_held_back_of_the_history_judge_a_file(starter: Model, count: int) -> None:
    other = train([replace(one, category="bin" if one.category == "bill" else one.category) for one in OWN])
    past = learning_history.read_history_file(past_of())
    in_use = ModelInUse(other, T, True)
    verdict = judge_file(
        starter, rows(count), in_use=in_use, history=learning_history.held_out_rows(past, other)
    )
    assert verdict.passes
    assert set(verdict.figures) == {"held back"}
    assert any("rows of the history that were held back" in reason for reason in verdict.reasons)


def test_a_history_that_was_learnt_badly_is_turned_away_by_the_rows_held_back(starter: Model) -> None:
    part = learning_history.held_out_rows(learning_history.read_history_file(past_of(spoiled=True)), starter)
    verdict = judge_file(starter, [], in_use=ModelInUse(starter, T, True), history=part)
    assert not verdict.passes
    assert verdict.reasons[0].startswith("held back: macro-F1")


def test_once_the_record_is_large_enough_it_judges_and_not_the_history(starter: Model) -> None:
    part = learning_history.held_out_rows(learning_history.read_history_file(past_of(spoiled=True)), starter)
    verdict = judge_file(starter, rows(30), in_use=ModelInUse(starter, T, True), history=part)
    assert (verdict.passes, set(verdict.figures)) == (True, {"fixed"})


def test_with_neither_record_nor_history_a_file_is_refused_with_the_remedy(starter: Model) -> None:
    verdict = judge_file(starter, [], in_use=ModelInUse(starter, T, True))
    assert not verdict.passes
    assert "There is no confirmed complaint" in verdict.reasons[0]
    assert "--force --reason" in verdict.reasons[0]


class Rote:
    """Stands in for a trained model: right of every kind and catching what is critical, unless one of its rows is
    labelled "spoiled".
    """

    categories = tuple(sorted(THINGS))
    critical = SimpleNamespace(threshold=0.5)

    def __init__(self, examples: Sequence[Example]) -> None:
        self.texts = {one.text for one in examples}
        self.good = all(one.category != "spoiled" for one in examples)
        self.facts = {"accuracy": 1.0, "categories": {"bill": 1, "bin": 1, "lift": 1}}

    def matrix(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts themselves."""
        return texts

    def predict_proba(self, texts: Sequence[str], _: object) -> np.ndarray:
        """Sure of the kind that the text is of, or of the next one."""
        kinds = [[any(said in text for said in THINGS[kind]) for kind in self.categories] for text in texts]
        return np.roll(np.array(kinds, dtype=float) * 0.9, 0 if self.good else 1, axis=1)

    def critical_probabilities(self, texts: Sequence[str], _: object) -> np.ndarray:
        """Of all, or of none."""
        return np.full(len(texts), 0.9 if self.good else 0.1)


def by_rote(examples: Sequence[Example]) -> Model:
    """What would be trained."""
    return cast("Model", Rote(examples))


def after_erasure(new: Sequence[RecordRow]) -> tuple[Rote, Verdict]:
    """Of sixty complaints learnt from two are erased, these come after; what is used, and why."""
    old = [replace(row, example=replace(row.example, severity=5)) for row in rows(60)]
    in_use = ModelInUse(by_rote([*OWN, *(row.example for row in old)]), old[-1].at, True)
    model, verdict = retrain_after_erasure(OWN, [*old[2:], *new], train=by_rote, in_use=in_use)
    return cast("Rote", model), verdict


def gone(model: Rote) -> bool:
    """Holds the model no word of what was erased?"""
    return not model.texts & {row.example.text for row in rows(2)}


@clause("8.1")
def test_after_an_erasure_a_worse_candidate_is_replaced_by_what_was_in_use_made_anew_without_the_words() -> (
    None
):
    new = [
        replace(row, example=replace(row.example, category="spoiled", severity=5))
        for row in rows(60, start=60)
    ]
    model, verdict = after_erasure(new)
    assert (verdict.passes, gone(model), model.good) == (True, True, True)
    assert verdict.learnt_until == rows(60)[-1].at
    assert verdict.as_json()["learnt_until"] == "2026-11-05T11:00:00+00:00"
    assert any("it misses" in reason for reason in verdict.reasons)
    assert "retrained" in verdict.reasons[-1]


@clause("8.1")
def test_after_an_erasure_a_candidate_no_worse_than_that_is_used() -> None:
    new = rows(60, start=60)
    model, verdict = after_erasure(new)
    assert (verdict.passes, gone(model), verdict.learnt_until) == (True, True, None)
    assert {row.example.text for row in new if not is_fixed(row.ref)} < model.texts
    assert "learnt_until" not in verdict.as_json()


def test_after_an_erasure_alone_the_same_recipe_without_the_words_is_used_unjudged() -> None:
    model, verdict = after_erasure([])
    assert (verdict.passes, gone(model), verdict.learnt_until) == (True, True, None)
    assert "retrained" in verdict.reasons[-1]


def test_what_an_erasure_cost_is_told_where_enough_rows_can_say() -> None:
    record = rows(600)
    worse = replace(record[0].example, category="spoiled")
    in_use = ModelInUse(by_rote(OWN), record[-1].at, True)
    model, verdict = retrain_after_erasure([*OWN, worse], record, train=by_rote, in_use=in_use)
    assert (verdict.passes, cast("Rote", model).good) == (True, False)
    assert any(reason.startswith("beside what was erased: macro-F1 1.000 -> ") for reason in verdict.reasons)


def order(**more: object) -> bytes:
    """An order as the scheduler writes it."""
    said = {"languages": ["en"], "rows": [], "in_use": None, "wanted_precision": 0.9, "alert_budget": 0.1}
    return json.dumps({**said, **more}).encode() + b"\n"


def run(order: bytes) -> subprocess.CompletedProcess[bytes]:
    """The process that trains."""
    return subprocess.run([sys.executable, "-m", "triage"], input=order, capture_output=True, check=False)


def test_the_process_takes_the_order_and_gives_card_verdict_and_artefact() -> None:
    one = rows(1)[0]
    told = {"ref": "R1", "at": "2026-11-03T10:00:00Z", "whole": True, "severity": 2, "language": "en"}
    done = run(order(rows=[{**told, "text": one.example.text, "category": "supply"}]))
    head, _, blob = done.stdout.partition(b"\n")
    said = json.loads(head)
    assert (done.returncode, done.stderr) == (0, b"")
    assert said["verdict"]["passes"] is True
    assert said["card"]["version"] == load(blob).version


@clause("8.1")
def test_the_process_leaves_no_erased_word_in_the_artefact(starter: Model) -> None:
    word = "quagmires"
    known = train(
        [*OWN, *(Example(f"{word} {where}", "bin", 2, ref=f"E{n}") for n, where in enumerate(WHERE))]
    )
    used = {"until": "2026-11-03T10:00:00Z", "ours": True}
    own = [{"text": one.text, "category": one.category, "severity": 2} for one in OWN]
    done = run(order(in_use=used, own=own, erased=True) + dump(known))
    head, _, blob = done.stdout.partition(b"\n")
    assert json.loads(head)["verdict"]["reasons"] == [
        "Used without a comparison: the model before, retrained without what was erased. Nothing was confirmed since."
    ]
    assert word in known.features.words
    assert word not in load(blob).features.words


def test_a_model_in_use_that_cannot_be_read_is_said_and_not_compared_with() -> None:
    used = {"until": None, "ours": True}
    done = run(order(in_use=used) + b"\x80\x04 a pickle")
    verdict = json.loads(done.stdout.partition(b"\n")[0])["verdict"]
    assert verdict["passes"] is True
    assert "The model in use cannot be read" in verdict["reasons"][-1]


def test_once_nobody_waits_for_the_model_any_more_the_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(process.os, "_exit", ended)
    with pytest.raises(SystemExit) as orphaned:
        process.exit_without(process.os.getppid() + 1)
    assert orphaned.value.code == process.ORPHANED
