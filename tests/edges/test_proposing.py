"""What the performer of proposals hands on: which model made it, and how often people found the like of it (7.5)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from complaints.vocabulary import Verb
from scheduler.proposals import ProposalHandler
from store.cases.read import load_case
from store.models.models import roll_back
from store.outbox.claim import claim
from store.outbox.outcomes import Completed
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, Desk
from tests.edges.test_learning_in_use import one, two, use
from triage.model.pipeline import Model

__all__ = ["one", "two"]

STORY = "The water from the kitchen tap in our house is brown and smells of iron, nobody in the street can drink it."


@pytest.fixture
def proposing(store: Store) -> Iterator[ProposalHandler]:
    """The performer, with a thread of its own."""
    made = ProposalHandler(store, languages=("en",))
    yield made
    made.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    """Where it comes in."""
    return Desk(store)


async def proposed(proposing: ProposalHandler, desk: Desk, clock: FakeClock, chat: str) -> str:
    """A complaint of this story, and what the model in use proposes is recorded."""
    ref = desk.receive(STORY, chat=desk.chat(chat))
    clock.go_on(minutes=2)
    for owed in desk.store.write(claim, ("propose",), 10, 60):
        assert await proposing.performers()["propose"](owed) == Completed(settled=True)
    return ref


def named(store: Store, ref: str) -> str | None:
    """The version that stands with the proposal in the record."""
    found = store.read(load_case, ref).proposed
    assert found is not None
    return found.model


def recurrence(store: Store, ref: str) -> tuple[object, str]:
    """What is proposed of it, and why."""
    found = store.read(load_case, ref).proposed
    assert found is not None
    (said,) = [each for each in found.criteria if each.field == "recurrence"]
    return said.value, said.reason


async def test_each_proposal_names_the_model_in_use_when_it_was_made_also_after_a_rollback(
    store: Store, desk: Desk, clock: FakeClock, proposing: ProposalHandler, one: Model, two: Model
) -> None:
    use(store, one)
    first = await proposed(proposing, desk, clock, "70001")
    use(store, two)
    second = await proposed(proposing, desk, clock, "70002")
    store.write(roll_back)
    third = await proposed(proposing, desk, clock, "70003")
    assert [named(store, ref) for ref in (first, second, third)] == [one.version, two.version, one.version]


async def test_the_third_like_complaint_in_ninety_days_is_proposed_as_recurring(
    store: Store, desk: Desk, clock: FakeClock, proposing: ProposalHandler, one: Model
) -> None:
    use(store, one)
    for chat in ("70001", "70002"):
        ref = await proposed(proposing, desk, clock, chat)
        assert recurrence(store, ref) == (2, "nothing_before")
        desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    third = await proposed(proposing, desk, clock, "70003")
    clock.go_on(days=91)
    late = await proposed(proposing, desk, clock, "70004")
    assert recurrence(store, third) == (3, "like_confirmed")
    assert recurrence(store, late) == (2, "nothing_before")
