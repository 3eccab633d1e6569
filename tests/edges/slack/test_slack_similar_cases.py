"""Similar cases in Slack: on cards and in forms, named only to members who may know of them (4.7, 7.5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from complaints.actions.intake import message_facts
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.cases.receive_message import receive_message
from store.people.staff import load_actor
from store.similarity.similar import store_sketch
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, PlannedAct
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack.test_slack_digest import digests, morning
from tests.edges.slack_office import ALICE, BURAK, MONA, RESTRICTED, Office, open_office
from tests.edges.store.test_store_similar_cases import COPY, STORY
from triage.shingles import sketch

# These tests depend on SQL: they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def receive_story(office: Office, story: str, address: str = "70001", **more: object) -> str:
    """Store a complaint with its proposal and its sketch."""

    def step(talk: Conversation) -> DialogueTurn:
        facts = message_facts(field="description", has_words=True)
        return DialogueTurn(
            state={}, acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": story}),)
        )

    chat = Chat("telegram", address, "en", "Somebody")
    ref = office.store.write(receive_message, f"tg:{next(office.numbers)}", chat, step).refs[0]
    office.propose(ref, **more)
    office.store.write(store_sketch, ref, sketch(story))
    return ref


async def pass_a_minute(office: Office) -> None:
    """Let a minute pass and wait until everything due is done."""
    office.clock.go_on(minutes=1)
    office.worker.nudge()
    await office.idle()


@clause("7.5")
async def test_when_a_complaint_is_repeated_both_cards_offer_to_merge_them(office: Office) -> None:
    first = receive_story(office, STORY)
    assert "by the same person" not in (await office.card(first)).text
    await pass_a_minute(office)
    second = receive_story(office, COPY)
    await pass_a_minute(office)
    older, newer = await office.card(f"{first} ·"), await office.card(f"{second} ·")

    assert f"Similar to {second}, by the same person" in older.text.replace("*", "")
    assert f"Similar to {first}, by the same person" in newer.text.replace("*", "")
    # From either card, the later complaint is merged into the earlier one.
    await office.staff(ALICE).presses(older, "Merge")
    form = await office.staff(ALICE).opened("link")
    assert form.values == {"relation": "duplicate", "other_ref": first}
    await office.staff(ALICE).submits()
    await office.staff(ALICE).opened("link_preview")
    await office.staff(ALICE).submits()
    await office.idle()
    assert office.store.read(load_case, second).merged_into == first
    await pass_a_minute(office)
    assert "by the same person" not in (await office.card(f"{first} ·")).text


@clause("4.7")
async def test_a_restricted_similar_case_is_named_only_in_forms_of_members_who_may_know_of_it(
    office: Office,
) -> None:
    visible, restricted = receive_story(office, STORY), receive_story(office, COPY, "70002", restricted=True)
    await pass_a_minute(office)
    card = await office.card(f"{visible} ·")
    assert restricted not in card.text
    assert "Similar complaints" not in card.text
    # The restricted channel may see both complaints.
    assert visible in (await office.card(f"{restricted} ·", MONA, RESTRICTED)).text

    await office.staff(ALICE).presses(card, "Assess")
    assert not any(restricted in text for text in (await office.staff(ALICE).opened("assess")).texts)
    await office.staff(MONA).presses(card, "Assess")
    assert any(restricted in text for text in (await office.staff(MONA).opened("assess")).texts)


async def test_a_case_restricted_later_is_removed_from_the_cards_of_similar_cases(office: Office) -> None:
    first, second = receive_story(office, STORY), receive_story(office, COPY, "70002")
    await pass_a_minute(office)
    assert second in (await office.card(f"{first} ·")).text
    office.store.write(
        act, second, Verb.RESTRICT, office.store.read(load_actor, MONA), {}, {"reason": "About staff."}
    )
    await office.idle()
    assert second not in (await office.card(f"{first} ·")).text


@clause("8.2")
async def test_managers_read_in_the_digest_of_three_similar_cases_without_an_incident(
    office: Office,
) -> None:
    refs = [receive_story(office, STORY, str(70001 + n)) for n in range(3)]
    await morning(office)

    (digest,) = digests(office, MONA)
    assert "Similar complaints in 90 days that no incident covers (1)" in digest
    line = next(line for line in digest.splitlines() if "3 similar to each other" in line)
    assert all(ref in line for ref in refs)
    assert "similar to each other" not in "".join(digests(office, ALICE) + digests(office, BURAK))
