"""The active model of a process: a damaged model never leaves it without an intact one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from scheduler.proposals import ActiveModel, ProposalHandler
from store.cases.read import load_case
from store.models.models import keep_model, load_active_model, roll_back
from store.outbox.claim import claim
from store.outbox.complete import Completed, Outcome, Rescheduled, reschedule
from store.store import Store
from store.tables import MODELS
from tests.databases import FakeClock
from tests.edges.desk import Desk
from triage.example import Example
from triage.learning.training import train
from triage.model.artefact import digest, dump
from triage.model.model_card import model_card
from triage.model.pipeline import Model
from triage.processes import loaded_model


def examples(extra: str) -> list[Example]:
    """A few simple examples."""
    lifts = [Example(f"the lift on floor {n} is stuck {extra}", "lift") for n in range(8)]
    return lifts + [Example(f"the bin in street {n} was not emptied", "bin") for n in range(8)]


@pytest.fixture(scope="module")
def first_model() -> Model:
    """The first model."""
    return train(examples("again"))


@pytest.fixture(scope="module")
def second_model() -> Model:
    """The second model."""
    return train(examples("once more"))


@pytest.fixture
def thread() -> Iterator[Executor]:
    """The executor that loads models, which holds none yet."""
    loaded_model._loaded.clear()
    with ThreadPoolExecutor(1) as executor:
        yield executor


def use(store: Store, model: Model) -> int:
    """Keep this model and activate it; returns its number."""
    blob = dump(model)
    return store.write(keep_model, blob, digest(blob), model_card(model))


def alter(store: Store, number: int, blob: bytes, sha256: str | None = None) -> None:
    """Alter the row from outside, with its hash or without."""
    values = {"blob": blob} | ({} if sha256 is None else {"sha256": sha256})
    store.write(
        lambda tx: tx.connection.execute(MODELS.update().where(MODELS.c.id == number).values(**values))
    )


async def version(in_use: ActiveModel) -> str | None:
    """The version that makes proposals now."""
    sha256 = await in_use.model()
    return None if sha256 is None else loaded_model._loaded[sha256].version


async def test_a_newly_activated_model_is_loaded(
    store: Store, thread: Executor, first_model: Model, second_model: Model
) -> None:
    in_use = ActiveModel(store, thread)
    before = await version(in_use)
    use(store, first_model)
    version_after_first = await version(in_use)
    use(store, second_model)
    assert (before, version_after_first, await version(in_use)) == (
        None,
        first_model.version,
        second_model.version,
    )


async def test_an_altered_model_leaves_the_loaded_one_active(
    store: Store,
    thread: Executor,
    first_model: Model,
    second_model: Model,
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_use = ActiveModel(store, thread)
    use(store, first_model)
    await in_use.model()
    alter(store, use(store, second_model), b"PK\x03\x04 nonsense")
    assert [await version(in_use), await version(in_use)] == [first_model.version, first_model.version]
    assert capsys.readouterr().out.count("model_refused") == 1


async def test_a_new_process_falls_back_to_the_previous_model_if_the_active_one_is_altered(
    store: Store, thread: Executor, first_model: Model, second_model: Model
) -> None:
    use(store, first_model)
    alter(store, use(store, second_model), b"nonsense")
    assert await version(ActiveModel(store, thread)) == first_model.version


async def test_a_pickle_is_refused_even_with_a_matching_hash(
    store: Store, thread: Executor, first_model: Model, second_model: Model
) -> None:
    use(store, first_model)
    evil = b"\x80\x04cos\nsystem\n."
    alter(store, use(store, second_model), evil, digest(evil))
    assert await version(ActiveModel(store, thread)) == first_model.version


async def test_without_an_intact_model_only_the_rules_make_proposals(
    store: Store, thread: Executor, first_model: Model
) -> None:
    alter(store, use(store, first_model), b"")
    assert await version(ActiveModel(store, thread)) is None


async def test_without_a_model_a_proposal_waits_at_most_a_minute(
    usual_store: Store, clock: FakeClock, thread: Executor
) -> None:
    ref = Desk(usual_store).receive()
    proposing = ProposalHandler(usual_store, thread, languages=("en",))
    propose, outcomes = proposing.handlers()["propose"], list[type[Outcome]]()
    for _ in range(40):
        clock.go_on(seconds=3)
        for obligation in usual_store.write(claim, ("propose",), 1, 60):
            outcomes.append(type(outcome := await propose(obligation)))
            if isinstance(outcome, Rescheduled):
                usual_store.write(reschedule, obligation.id, outcome.at, outcome.why)

    assert outcomes[0] is Rescheduled
    assert Completed in outcomes
    assert usual_store.read(load_case, ref).proposed is not None


async def test_after_a_rollback_the_intact_model_is_loaded(
    store: Store, thread: Executor, clock: FakeClock, first_model: Model, second_model: Model
) -> None:
    use(store, first_model)
    alter(store, use(store, second_model), b"nonsense")
    in_use = ActiveModel(store, thread)
    await in_use.model()
    store.write(roll_back)
    active = store.read(load_active_model)
    assert active is not None
    assert (active[1]["version"], await version(in_use)) == (first_model.version, first_model.version)
