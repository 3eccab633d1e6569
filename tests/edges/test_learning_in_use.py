"""The model that this process proposes with: a damaged file never leaves it without one that was good."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from scheduler.proposals import ActiveModel, ProposalHandler
from store.cases.read import load_case
from store.models.models import keep_model, load_active_model, roll_back
from store.outbox.claim import claim
from store.outbox.complete import reschedule
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.store import Store
from store.tables import MODELS
from tests.databases import FakeClock
from tests.edges.desk import Desk
from triage.example import Example
from triage.learning.training import train
from triage.model.artefact import digest, dump
from triage.model.card import card
from triage.model.pipeline import Model

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def examples(extra: str) -> list[Example]:
    """Few and plain."""
    lifts = [Example(f"the lift on floor {n} is stuck {extra}", "lift") for n in range(8)]
    return lifts + [Example(f"the bin in street {n} was not emptied", "bin") for n in range(8)]


@pytest.fixture(scope="module")
def one() -> Model:
    """A model."""
    return train(examples("again"))


@pytest.fixture(scope="module")
def two() -> Model:
    """Another."""
    return train(examples("once more"))


@pytest.fixture
def thread() -> Iterator[Executor]:
    """Where models are loaded."""
    with ThreadPoolExecutor(1) as made:
        yield made


def use(store: Store, model: Model) -> int:
    """Keep and use it."""
    blob = dump(model)
    return store.write(keep_model, blob, digest(blob), card(model))


def alter(store: Store, number: int, blob: bytes, sha256: str | None = None) -> None:
    """Somebody writes into the table, with the hash or without."""
    values = {"blob": blob} | ({} if sha256 is None else {"sha256": sha256})
    store.write(
        lambda tx: tx.connection.execute(MODELS.update().where(MODELS.c.id == number).values(**values))
    )


async def version(in_use: ActiveModel) -> str | None:
    """What proposes now."""
    model = await in_use.model()
    return None if model is None else model.version


async def test_another_model_is_taken_once_it_is_in_use(
    store: Store, thread: Executor, one: Model, two: Model
) -> None:
    in_use = ActiveModel(store, thread)
    before = await version(in_use)
    use(store, one)
    first = await version(in_use)
    use(store, two)
    assert (before, first, await version(in_use)) == (None, one.version, two.version)


async def test_an_altered_model_leaves_the_one_loaded_before_in_use(
    store: Store, thread: Executor, one: Model, two: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    in_use = ActiveModel(store, thread)
    use(store, one)
    await in_use.model()
    alter(store, use(store, two), b"PK\x03\x04 nonsense")
    assert [await version(in_use), await version(in_use)] == [one.version, one.version]
    assert capsys.readouterr().out.count("model_refused") == 1


async def test_a_fresh_process_falls_back_on_the_model_used_before(
    store: Store, thread: Executor, one: Model, two: Model
) -> None:
    use(store, one)
    alter(store, use(store, two), b"nonsense")
    assert await version(ActiveModel(store, thread)) == one.version


async def test_a_pickle_with_its_own_hash_is_refused_all_the_same(
    store: Store, thread: Executor, one: Model, two: Model
) -> None:
    use(store, one)
    evil = b"\x80\x04cos\nsystem\n."
    alter(store, use(store, two), evil, digest(evil))
    assert await version(ActiveModel(store, thread)) == one.version


async def test_with_no_model_that_is_whole_the_rules_alone_propose(
    store: Store, thread: Executor, one: Model
) -> None:
    alter(store, use(store, one), b"")
    assert await version(ActiveModel(store, thread)) is None


async def test_while_no_model_comes_a_proposal_waits_a_minute_and_no_longer(
    usual_store: Store, clock: FakeClock
) -> None:
    ref = Desk(usual_store).receive()
    proposing = ProposalHandler(usual_store, languages=("en",))
    propose, outcomes = proposing.performers()["propose"], list[type[Outcome]]()
    for _ in range(40):
        clock.go_on(seconds=3)
        for owed in usual_store.write(claim, ("propose",), 1, 60):
            outcomes.append(type(outcome := await propose(owed)))
            if isinstance(outcome, Rescheduled):
                usual_store.write(reschedule, owed.id, outcome.at, outcome.why)
    proposing.close()

    assert outcomes[0] is Rescheduled
    assert Completed in outcomes
    assert usual_store.read(load_case, ref).proposed is not None


async def test_after_a_rollback_the_good_one_is_taken(
    store: Store, thread: Executor, clock: FakeClock, one: Model, two: Model
) -> None:
    use(store, one)
    alter(store, use(store, two), b"nonsense")
    in_use = ActiveModel(store, thread)
    await in_use.model()
    store.write(roll_back)
    active = store.read(load_active_model)
    assert active is not None
    assert (active[1]["version"], await version(in_use)) == (one.version, one.version)
