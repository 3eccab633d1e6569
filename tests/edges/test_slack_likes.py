"""Like complaints in Slack: offered on cards and in forms, named only to those who may know of them (4.7, 7.5)."""

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
from tests.edges.slack_office import ALICE, BURAK, MONA, RESTRICTED, Office, office_of
from tests.edges.test_slack_digest import digests, morning
from tests.edges.test_store_similar_cases import COPY, STORY
from triage.similarity import sketch

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with office_of(usual_store, clock) as opened:
        yield opened


def told(office: Office, story: str, address: str = "70001", **more: object) -> str:
    """A complaint of this person with its proposal and its sketch."""

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


async def later(office: Office) -> None:
    """A minute later, everything due done."""
    office.clock.go_on(minutes=1)
    office.performing.nudge()
    await office.idle()


@clause("7.5")
async def test_the_older_card_is_drawn_anew_when_the_same_is_told_again(office: Office) -> None:
    first = told(office, STORY)
    assert "by the same person" not in (await office.card(first)).text
    await later(office)
    second = told(office, COPY)
    await later(office)
    older, newer = await office.card(f"{first} ·"), await office.card(f"{second} ·")

    assert f"Like {second}, by the same person" in older.text.replace("*", "")
    assert f"Like {first}, by the same person" in newer.text.replace("*", "")
    # From either card it is the later one that is merged, into the earlier.
    await office.staff(ALICE).presses(older, "Merge")
    form = await office.staff(ALICE).opened("link")
    assert form.values == {"relation": "duplicate", "other_ref": first}
    await office.staff(ALICE).submits()
    await office.idle()
    assert office.store.read(load_case, second).merged_into == first
    await later(office)
    assert "by the same person" not in (await office.card(f"{first} ·")).text


@clause("4.7")
async def test_no_post_names_a_restricted_one_and_a_form_only_to_those_who_may_know(office: Office) -> None:
    shown, kept = told(office, STORY), told(office, COPY, "70002", restricted=True)
    await later(office)
    card = await office.card(f"{shown} ·")
    assert kept not in card.text
    assert "Like complaints" not in card.text
    # The restricted one stands among those who may see the other as well.
    assert shown in (await office.card(f"{kept} ·", MONA, RESTRICTED)).text

    await office.staff(ALICE).presses(card, "Assess")
    assert not any(kept in one for one in (await office.staff(ALICE).opened("assess")).texts)
    await office.staff(MONA).presses(card, "Assess")
    assert any(kept in one for one in (await office.staff(MONA).opened("assess")).texts)


async def test_what_is_restricted_later_is_named_no_more_at_once(office: Office) -> None:
    first, second = told(office, STORY), told(office, COPY, "70002")
    await later(office)
    assert second in (await office.card(f"{first} ·")).text
    office.store.write(
        act, second, Verb.RESTRICT, office.store.read(load_actor, MONA), {}, {"reason": "About staff."}
    )
    await office.idle()
    assert second not in (await office.card(f"{first} ·")).text


@clause("8.2")
async def test_managers_hear_in_the_morning_of_three_like_ones_that_no_incident_covers(
    office: Office,
) -> None:
    refs = [told(office, STORY, str(70001 + n)) for n in range(3)]
    await morning(office)

    (of_manager,) = digests(office, MONA)
    assert "Like complaints in 90 days that no incident covers (1)" in of_manager
    line = next(one for one in of_manager.splitlines() if one.startswith("3 like each other"))
    assert all(ref in line for ref in refs)
    assert "like each other" not in "".join(digests(office, ALICE) + digests(office, BURAK))
