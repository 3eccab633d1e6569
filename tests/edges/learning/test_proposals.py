"""A proposal names the model that made it, and counts how often people confirmed similar cases (7.5)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from complaints.actions.intake import message_facts
from complaints.vocabulary import Verb
from scheduler import proposals
from scheduler.proposals import ProposalHandler, triage_context
from store.cases.read import load_case
from store.models.models import roll_back
from store.outbox.claim import claim
from store.outbox.complete import Completed
from store.record.load import load_texts
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, Desk
from tests.edges.learning.test_learning_active_model import examples, first_model, second_model, use
from triage.encoder import DIMENSIONS, Encoder
from triage.learning.training import train
from triage.model.pipeline import Model
from triage.processes.sentence_vectors import Encode
from triage.proposal import propose

__all__ = ["first_model", "second_model"]

STORY = "The water from the kitchen tap in our house is brown and smells of iron, nobody in the street can drink it."


@pytest.fixture
def proposing(store: Store) -> Iterator[ProposalHandler]:
    """The proposal handler, with its own thread."""
    with ThreadPoolExecutor(1) as thread:
        yield ProposalHandler(store, thread, languages=("en",))


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def receive_and_propose(proposing: ProposalHandler, desk: Desk, clock: FakeClock, chat: str) -> str:
    """A complaint with this story, for which a proposal of the active model is recorded."""
    ref = desk.receive(STORY, chat=desk.chat(chat))
    clock.go_on(minutes=2)
    for obligation in desk.store.write(claim, ("propose",), 10, 60):
        assert await proposing.handlers()["propose"](obligation) == Completed(settled=True)
    return ref


def model_version_of(store: Store, ref: str) -> str | None:
    """The model version of the proposal on record."""
    proposal = store.read(load_case, ref).proposed
    assert proposal is not None
    return proposal.model


def recurrence(store: Store, ref: str) -> tuple[object, str]:
    """The proposed recurrence and its reason."""
    proposal = store.read(load_case, ref).proposed
    assert proposal is not None
    (criterion,) = [criterion for criterion in proposal.criteria if criterion.field == "recurrence"]
    return criterion.value, criterion.reason


async def test_every_proposal_names_the_active_model_even_after_a_rollback(
    store: Store,
    desk: Desk,
    clock: FakeClock,
    proposing: ProposalHandler,
    first_model: Model,
    second_model: Model,
) -> None:
    use(store, first_model)
    first = await receive_and_propose(proposing, desk, clock, "70001")
    use(store, second_model)
    second = await receive_and_propose(proposing, desk, clock, "70002")
    store.write(roll_back)
    third = await receive_and_propose(proposing, desk, clock, "70003")
    assert [model_version_of(store, ref) for ref in (first, second, third)] == [
        first_model.version,
        second_model.version,
        first_model.version,
    ]


async def test_a_proposal_uses_sentence_vectors_while_there_are_some(
    store: Store, desk: Desk, clock: FakeClock, proposing: ProposalHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder(lambda texts: np.eye(DIMENSIONS)[[int("bin" in text) for text in texts]])
    renamed = {"lift": "service", "bin": "goods"}
    rows = [replace(example, category=renamed[example.category]) for example in examples("again")]
    model = train(rows, encoder=encoder)
    use(store, model)

    async def probability(encode: Encode, chat: str) -> float:
        monkeypatch.setattr(proposals, "shared_encoder", lambda: encode)
        ref = await receive_and_propose(proposing, desk, clock, chat)
        proposal = store.read(load_case, ref).proposed
        assert proposal is not None
        return proposal.probability

    by_words, blended = propose(replace(model, encoder=None), STORY), propose(model, STORY)
    assert by_words.probability != blended.probability
    assert await probability(encoder.encode, "70001") == blended.probability
    assert await probability(lambda _: None, "70002") == by_words.probability


def test_the_story_has_the_description_and_additions_but_no_answers_of_the_form(
    store: Store, desk: Desk
) -> None:
    ref = desk.receive(STORY)
    addition = "The tap in the bathroom is brown too."
    for field, text in (
        ("remedy_requested", "An apology"),
        ("where_and_when", "20 November, for two days"),
        ("addition", addition),
    ):
        desk.complain(ref, Verb.ADD, message_facts(field=field, has_words=True, source=field), {field: text})
    texts = store.read(load_texts, ref)
    context = triage_context(store.read(load_case, ref), texts, languages=("en",), danger=())
    assert context.story == f"{STORY}\n{addition}"


async def test_the_third_similar_complaint_in_ninety_days_is_proposed_as_recurring(
    store: Store, desk: Desk, clock: FakeClock, proposing: ProposalHandler, first_model: Model
) -> None:
    use(store, first_model)
    for chat in ("70001", "70002"):
        ref = await receive_and_propose(proposing, desk, clock, chat)
        assert recurrence(store, ref) == (2, "nothing_before")
        desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    third = await receive_and_propose(proposing, desk, clock, "70003")
    clock.go_on(days=91)
    late = await receive_and_propose(proposing, desk, clock, "70004")
    assert recurrence(store, third) == (3, "like_confirmed")
    assert recurrence(store, late) == (2, "nothing_before")
