"""Erased words leave the models too: a run is scheduled, its model activated, older ones deleted (8.1)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from amends.checks import model_findings
from bots.slack.jobs.digest import model_news
from complaints.actors import MODEL
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from scheduler.training import LearningSettings, schedule_retraining
from store.cases.act import act
from store.cases.read import open_case
from store.custody.erasure import erase
from store.database.keyring import Keyring
from store.models.erased import list_models_with_erased_words
from store.models.models import (
    TrainingRun,
    is_model_intact,
    keep_model,
    keep_run,
    list_models,
    list_rollback_models,
    load_active_model,
    load_learnt_until,
    read_model_blob,
)
from store.models.training_examples import TrainingHistory, forget_history, keep_history
from store.outbox.complete import Completed
from store.outbox.rows import insert_obligation
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import HANDLER, Desk
from tests.edges.learning.test_learning_commands import good
from tests.edges.learning.test_learning_history import ROW
from tests.edges.learning.test_learning_runs import Process, perform, scheduled_runs
from tests.edges.product import KEY, Product
from tests.rules.builders import a_proposal
from triage.model.artefact import digest, dump
from triage.model.pipeline import Model

__all__ = ["good"]

OFF = LearningSettings(retrain_after=0, retrain_at=None)


def keep_active(store: Store, blob: bytes, **card: Any) -> int:
    """Keep this model and activate it."""
    return store.write(keep_model, blob, digest(blob), {"version": digest(blob)[:6], **card})


def process_returning(blob: bytes, *, passes: bool = True) -> Process:
    """A training process that returns this model."""
    verdict = {"passes": passes, "reasons": [], "figures": {}}
    return Process((blob, {"card": {"version": blob.decode()}, "verdict": verdict}, None))


def erase_complaint(store: Store, clock: FakeClock, ref: str) -> None:
    """Erase the complaint a minute later, and let a minute pass."""
    clock.go_on(minutes=1)
    store.write(erase, ref, "request")
    clock.go_on(minutes=1)


@clause("8.1")
async def test_an_erasure_schedules_a_nightly_run_even_if_learning_is_off_and_deletes_older_models(
    store: Store, clock: FakeClock
) -> None:
    ref = Desk(store).closed()
    first, second = keep_active(store, b"one"), keep_active(store, b"two")
    erase_complaint(store, clock, ref)
    clock.at = datetime(2026, 11, 4, 2, 59, tzinfo=UTC)
    schedule_retraining(store, OFF)
    early = scheduled_runs(store)
    clock.at = datetime(2026, 11, 4, 3, 1, tzinfo=UTC)
    schedule_retraining(store, OFF)
    assert (early, scheduled_runs(store)) == ([], ["train:2026-11-04"])
    process = process_returning(b"three")
    assert await perform(store, process) == Completed()
    assert process.orders[0]["erased"] is True
    assert (store.read(read_model_blob, first), store.read(read_model_blob, second)) == (b"", b"")
    assert len(store.read(list_models)) == 3
    assert store.read(list_rollback_models) == []
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert (scheduled_runs(store), store.read(list_models_with_erased_words)) == ([], [])


async def test_until_a_new_model_is_active_the_old_one_stays_and_the_check_warns_about_erased_words(
    store: Store, clock: FakeClock, good: Model
) -> None:
    ref = Desk(store).closed()
    number = keep_active(store, dump(good))
    erase_complaint(store, clock, ref)
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    assert await perform(store, process_returning(b"worse", passes=False)) == Completed()
    findings = [finding.result for finding in model_findings(store)]
    assert "may hold words that were erased since" in findings
    assert store.read(is_model_intact, number)
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert scheduled_runs(store) == ["train:2026-11-04"]
    # The order is the same as before, and yet the run is not skipped as a repeat.
    process = process_returning(b"better")
    assert await perform(store, process) == Completed()
    assert (len(process.orders), store.read(is_model_intact, number)) == (1, False)


@clause("8.1")
async def test_a_model_retrained_after_a_rejection_holds_no_erased_words_and_is_announced(
    store: Store, clock: FakeClock, good: Model
) -> None:
    ref = Desk(store).closed()
    before = keep_active(store, b"before")
    learnt_until = store.read(load_learnt_until, before)[0]
    assert learnt_until is not None
    erase_complaint(store, clock, ref)
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    verdict = {"passes": True, "reasons": ["worse"], "figures": {}, "learnt_until": learnt_until.isoformat()}
    process = Process((dump(good), {"card": {"version": "anew"}, "verdict": verdict}, None))
    with capture_logs() as logs:
        assert await perform(store, process) == Completed()
    assert [(log["event"], log["log_level"]) for log in logs] == [("model_made_anew", "warning")]
    active = store.read(load_active_model)
    assert active is not None
    # It has not learnt newer examples, and yet nothing that was erased before it was trained.
    assert store.read(load_learnt_until, active[2]) == (learnt_until, True)
    assert (store.read(list_models_with_erased_words), store.read(is_model_intact, before)) == ([], False)
    newest = store.read(list_models)[0]
    assert (newest["used"], newest["how"], newest["verdict"]["reasons"]) == (True, "made_anew", ["worse"])
    finding = next(finding for finding in model_findings(store) if finding.subject == "last training")
    assert (finding.mark, "trained again without what was erased" in finding.remedy) == ("warn", True)
    assert model_news(store).made_anew


@clause("8.1")
def test_an_erased_similar_case_is_not_shown_even_in_an_older_proposal(store: Store) -> None:
    desk = Desk(store)
    first, second = desk.closed(), desk.receive(chat=desk.chat("70002"))
    ref = desk.receive(chat=desk.chat("70003"))
    similar = [
        {"ref": case_ref, "category": "supply", "severity": 2, "likeness": 0.9}
        for case_ref in (first, second)
    ]
    store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(), {"similar": json.dumps(similar)})
    store.write(erase, first, "request")
    proposed = store.write(open_case, ref, desk.actor(HANDLER), "open").proposal
    assert proposed is not None
    assert [case_ref["ref"] for case_ref in proposed["similar"]] == [second]


def test_an_erasure_that_no_model_can_have_learnt_from_schedules_no_run(
    store: Store, clock: FakeClock
) -> None:
    a_desk = Desk(store)
    early = a_desk.closed()
    clock.go_on(minutes=1)
    keep_active(store, b"by hand", record_read=None)
    clock.go_on(minutes=1)
    late = a_desk.closed()
    erase_complaint(store, clock, early)
    erase_complaint(store, clock, late)
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert scheduled_runs(store) == []


@clause("8.1")
@pytest.mark.parametrize(("unlabelled", "holds"), [(300, True), (0, False)])
def test_a_model_that_read_unassessed_complaints_counts_as_holding_an_erased_one(
    store: Store, clock: FakeClock, unlabelled: int, holds: bool
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    clock.go_on(minutes=1)
    run = TrainingRun("9:a:c", store.now(), 0, True, {"reasons": []})
    number = store.write(keep_run, run, b"one", digest(b"one"), {"unlabelled": unlabelled}, activate=True)
    desk.complain(ref, Verb.WITHDRAW)
    erase_complaint(store, clock, ref)
    later = desk.receive()
    desk.complain(later, Verb.WITHDRAW)
    erase_complaint(store, clock, later)
    assert store.read(list_models_with_erased_words) == ([number] if holds else [])


@pytest.mark.parametrize(("read", "holds"), [("2026-11-03T10:00:30+00:00", True), (None, False)])
def test_a_manually_trained_model_holds_erased_words_if_it_read_the_record_before_the_erasure(
    store: Store, clock: FakeClock, read: str | None, holds: bool
) -> None:
    ref = Desk(store).closed()
    erase_complaint(store, clock, ref)
    number = keep_active(store, b"by hand", record_read=read)
    # Evaluating it again makes no other model of it.
    run = TrainingRun("file:x", store.now(), 0, True, {"reasons": []})
    clock.go_on(days=1)
    store.write(keep_run, run, b"by hand", digest(b"by hand"), {}, activate=True)
    assert store.read(list_models_with_erased_words) == ([number] if holds else [])


async def test_a_destroyed_history_leaves_the_models_too(store: Store, clock: FakeClock) -> None:
    Desk(store)
    number = keep_active(store, b"by hand", record_read=None, history={"sha256": "a" * 64, "rows": 1})
    store.write(keep_history, TrainingHistory("a" * 64, [ROW]))
    clock.go_on(minutes=1)
    store.write(forget_history)
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert scheduled_runs(store) == ["train:2026-11-04"]
    assert await perform(store, process_returning(b"without")) == Completed()
    assert (store.read(is_model_intact, number), store.read(list_models_with_erased_words)) == (False, [])


async def test_a_rollback_reports_models_deleted_because_of_erased_words(
    product: Product, clock: FakeClock, good: Model
) -> None:
    with opened(product.env["AMENDS_DATABASE_URL"], clock, Keyring([base64.b64decode(KEY)])) as store:
        ref = Desk(store).closed()
        keep_active(store, dump(good), record_read=None)
        two = keep_active(store, b"two")
        erase_complaint(store, clock, ref)
        store.write(
            keep_run,
            TrainingRun("9:a:c", store.now(), 0, True, {}),
            b"three",
            digest(b"three"),
            {},
            activate=True,
        )
        done = await product.amends("triage", "rollback")
        assert (done.code, done.err) == (0, "")
        assert f"gone because words in it were erased: model number {two}" in " ".join(done.out.split())
        none = await product.amends("triage", "rollback")
        assert (none.code, "There is no earlier model" in none.err) == (1, True)
