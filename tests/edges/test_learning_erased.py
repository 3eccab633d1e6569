"""What was erased leaves the models too: a run is owed, its candidate used, and older bytes go (8.1)."""

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
from store.custody.retention import erase
from store.database.keyring import Keyring
from store.models.erased import list_models_with_erased_words
from store.models.history import TrainingHistory, forget_history, keep_history
from store.models.models import (
    TrainingRun,
    is_model_intact,
    keep_model,
    keep_run,
    list_models,
    load_active_model,
    load_learnt_until,
    read_model_blob,
    was_used_before,
)
from store.outbox.outcomes import Completed
from store.outbox.rows import insert_obligation
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import HANDLER, Desk
from tests.edges.product import KEY, Product
from tests.edges.test_learning_commands import good, product
from tests.edges.test_learning_history import ROW
from tests.edges.test_learning_runs import Process, owed, perform
from tests.rules.builders import a_proposal
from triage.model.artefact import digest, dump
from triage.model.pipeline import Model

__all__ = ["good", "product"]

OFF = LearningSettings(retrain_after=0, retrain_at=None)


def kept(store: Store, blob: bytes, **card: Any) -> int:
    """A model in use."""
    return store.write(keep_model, blob, digest(blob), {"version": digest(blob)[:6], **card})


def an_answer(blob: bytes, *, passes: bool = True) -> Process:
    """A process that makes this."""
    verdict = {"passes": passes, "reasons": [], "figures": {}}
    return Process((blob, {"card": {"version": blob.decode()}, "verdict": verdict}, None))


def erased(store: Store, clock: FakeClock, ref: str) -> None:
    """A minute later the complaint is erased, and a minute passes."""
    clock.go_on(minutes=1)
    store.write(erase, ref, "request")
    clock.go_on(minutes=1)


@clause("8.1")
async def test_an_erasure_owes_a_run_at_night_though_learning_is_switched_off_and_older_bytes_go(
    store: Store, clock: FakeClock
) -> None:
    ref = Desk(store).closed()
    first, second = kept(store, b"one"), kept(store, b"two")
    erased(store, clock, ref)
    clock.at = datetime(2026, 11, 4, 2, 59, tzinfo=UTC)
    schedule_retraining(store, OFF)
    early = owed(store)
    clock.at = datetime(2026, 11, 4, 3, 1, tzinfo=UTC)
    schedule_retraining(store, OFF)
    assert (early, owed(store)) == ([], ["train:2026-11-04"])
    process = an_answer(b"three")
    assert await perform(store, process) == Completed()
    assert process.orders[0]["erased"] is True
    assert (store.read(read_model_blob, first), store.read(read_model_blob, second)) == (b"", b"")
    assert len(store.read(list_models)) == 3
    assert store.read(was_used_before) == []
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert (owed(store), store.read(list_models_with_erased_words)) == ([], [])


async def test_until_another_is_in_use_the_model_goes_on_and_the_check_says_what_it_may_hold(
    store: Store, clock: FakeClock, good: Model
) -> None:
    ref = Desk(store).closed()
    number = kept(store, dump(good))
    erased(store, clock, ref)
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    assert await perform(store, an_answer(b"worse", passes=False)) == Completed()
    found = [one.found for one in model_findings(store)]
    assert "may hold words that were erased since" in found
    assert store.read(is_model_intact, number)
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert owed(store) == ["train:2026-11-04"]
    # The same order as before, and yet it is not taken for done.
    process = an_answer(b"better")
    assert await perform(store, process) == Completed()
    assert (len(process.orders), store.read(is_model_intact, number)) == (1, False)


@clause("8.1")
async def test_a_model_made_anew_in_place_of_one_turned_away_holds_nothing_erased_and_is_told_of(
    store: Store, clock: FakeClock, good: Model
) -> None:
    ref = Desk(store).closed()
    before = kept(store, b"before")
    learnt = store.read(load_learnt_until, before)[0]
    assert learnt is not None
    erased(store, clock, ref)
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    verdict = {"passes": True, "reasons": ["worse"], "figures": {}, "learnt_until": learnt.isoformat()}
    process = Process((dump(good), {"card": {"version": "anew"}, "verdict": verdict}, None))
    with capture_logs() as logs:
        assert await perform(store, process) == Completed()
    assert [(one["event"], one["log_level"]) for one in logs] == [("model_made_anew", "warning")]
    active = store.read(load_active_model)
    assert active is not None
    # It has not learnt what came since, and yet nothing that was erased before it was made.
    assert store.read(load_learnt_until, active[2]) == (learnt, True)
    assert (store.read(list_models_with_erased_words), store.read(is_model_intact, before)) == ([], False)
    newest = store.read(list_models)[0]
    assert (newest["used"], newest["how"], newest["verdict"]["reasons"]) == (True, "made_anew", ["worse"])
    found = next(one for one in model_findings(store) if one.what == "last training")
    assert (found.mark, "trained again without what was erased" in found.remedy) == ("warn", True)
    assert model_news(store).made_anew


@clause("8.1")
def test_a_like_case_that_was_erased_is_not_shown_though_the_proposal_was_made_before(store: Store) -> None:
    desk = Desk(store)
    first, second = desk.closed(), desk.receive(chat=desk.chat("70002"))
    ref = desk.receive(chat=desk.chat("70003"))
    similar = [{"ref": one, "category": "supply", "severity": 2, "likeness": 0.9} for one in (first, second)]
    store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(), {"similar": json.dumps(similar)})
    store.write(erase, first, "request")
    proposed = store.write(open_case, ref, desk.actor(HANDLER), "open").proposal
    assert proposed is not None
    assert [one["ref"] for one in proposed["similar"]] == [second]


def test_what_no_model_can_have_learnt_owes_nothing(store: Store, clock: FakeClock) -> None:
    a_desk = Desk(store)
    early = a_desk.closed()
    clock.go_on(minutes=1)
    kept(store, b"by hand", record_read=None)
    clock.go_on(minutes=1)
    late = a_desk.closed()
    erased(store, clock, early)
    erased(store, clock, late)
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert owed(store) == []


@clause("8.1")
@pytest.mark.parametrize(("unlabelled", "holds"), [(300, True), (0, False)])
def test_a_run_that_read_unassessed_complaints_is_taken_to_hold_one_that_was_erased(
    store: Store, clock: FakeClock, unlabelled: int, holds: bool
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    clock.go_on(minutes=1)
    run = TrainingRun("9:a:c", store.now(), 0, True, {"reasons": []})
    number = store.write(keep_run, run, b"one", digest(b"one"), {"unlabelled": unlabelled}, activate=True)
    desk.complain(ref, Verb.WITHDRAW)
    erased(store, clock, ref)
    later = desk.receive()
    desk.complain(later, Verb.WITHDRAW)
    erased(store, clock, later)
    assert store.read(list_models_with_erased_words) == ([number] if holds else [])


@pytest.mark.parametrize(("read", "holds"), [("2026-11-03T10:00:30+00:00", True), (None, False)])
def test_a_model_trained_by_hand_is_judged_by_when_the_record_was_read_for_it(
    store: Store, clock: FakeClock, read: str | None, holds: bool
) -> None:
    ref = Desk(store).closed()
    erased(store, clock, ref)
    number = kept(store, b"by hand", record_read=read)
    # Judged again it is no other model.
    run = TrainingRun("file:x", store.now(), 0, True, {"reasons": []})
    clock.go_on(days=1)
    store.write(keep_run, run, b"by hand", digest(b"by hand"), {}, activate=True)
    assert store.read(list_models_with_erased_words) == ([number] if holds else [])


async def test_a_history_that_is_forgotten_leaves_the_models_too(store: Store, clock: FakeClock) -> None:
    Desk(store)
    number = kept(store, b"by hand", record_read=None, history={"sha256": "a" * 64, "rows": 1})
    store.write(keep_history, TrainingHistory("a" * 64, [ROW]))
    clock.go_on(minutes=1)
    store.write(forget_history)
    clock.go_on(days=1)
    schedule_retraining(store, OFF)
    assert owed(store) == ["train:2026-11-04"]
    assert await perform(store, an_answer(b"without")) == Completed()
    assert (store.read(is_model_intact, number), store.read(list_models_with_erased_words)) == (False, [])


async def test_rollback_says_that_a_model_is_gone_because_words_in_it_were_erased(
    product: Product, clock: FakeClock, good: Model
) -> None:
    with opened(product.env["AMENDS_DATABASE_URL"], clock, Keyring([base64.b64decode(KEY)])) as store:
        ref = Desk(store).closed()
        kept(store, dump(good), record_read=None)
        two = kept(store, b"two")
        erased(store, clock, ref)
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
