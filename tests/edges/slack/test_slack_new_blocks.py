"""Slack's newer blocks: tried once in a workspace, remembered in the record, and plain where they are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.slack.client.block_kit import divider
from bots.slack.client.refused_blocks import BlockSupport, collapsed
from complaints.vocabulary import Verb
from simulator.screen import Modal
from simulator.state.slack_state import TEAM
from store.cases.act import act
from store.custody.erasure import delete_expired_rows
from store.people.staff import load_actor
from store.slack_posts import BLOCK_ANSWERS, list_slack_keys
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, MONA, TRIAGE, Office, open_office

ALL = ("alert", "container", "data_table", "data_visualization")


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def refuse(office: Office, *kinds: str) -> None:
    office.sim.world.slack.refused_blocks = frozenset(kinds)


def answers(office: Office) -> dict[tuple[str, str], bool]:
    """What the desk has learned of this workspace."""
    keys = office.store.read(list_slack_keys, f"{BLOCK_ANSWERS}{TEAM}:")
    return {tuple(key.split(":")[2:4]): key.endswith("True") for key in keys}  # type: ignore[misc]


def refusals(office: Office) -> int:
    refused = ("invalid_blocks", "invalid_arguments")
    return sum(call.answer.get("error") in refused for call in office.sim.world.calls.entries)


def kinds(blocks: list[dict[str, object]]) -> set[object]:
    return {block["type"] for block in blocks}


@pytest.mark.on_both
async def test_a_card_has_its_history_closed_where_slack_shows_it_and_is_asked_once_where_not(
    office: Office,
) -> None:
    ref = office.owned(ALICE)
    card = await office.card(ref)
    (history,) = [block for block in card.blocks if block["type"] == "container"]

    assert (history["is_collapsible"], history["default_collapsed"]) == (True, True)
    assert "Assigned" in str(history)
    refuse(office, "container")
    for number in range(3):
        office.store.write(
            act, ref, Verb.NOTE, office.store.read(load_actor, ALICE), {}, {"text": f"{number}"}
        )
        await office.idle()
    other = office.proposed("Another matter")
    drawn = [await office.card(ref), await office.card(other)]

    assert [kinds(card.blocks) & set(ALL) for card in drawn] == [set(), set()]
    assert refusals(office) == 1
    assert len(office.staff(ALICE).channel(TRIAGE).cards) == 2
    assert answers(office) == {("message", "container"): False}


async def test_another_process_and_a_restart_do_not_ask_again_until_thirty_days_have_passed(
    office: Office,
) -> None:
    refuse(office, "container")
    await office.card(office.owned(ALICE))
    restarted = BlockSupport(office.store, TEAM)

    assert "container" not in await restarted.kinds("message", untried=True)
    assert "container" in await BlockSupport(office.store, "T2").kinds("message", untried=True)
    assert "container" in await restarted.kinds("home", untried=True)
    office.clock.go_on(days=29)
    office.store.write(delete_expired_rows)
    assert "container" not in await BlockSupport(office.store, TEAM).kinds("message", untried=True)
    office.clock.go_on(days=2)
    office.store.write(delete_expired_rows)
    assert "container" in await BlockSupport(office.store, TEAM).kinds("message", untried=True)


@pytest.mark.parametrize(("refusals_in_a_row", "learned"), [(1, {("message", "container"): False}), (2, {})])
async def test_only_a_call_that_passes_without_a_kind_is_held_against_it(
    office: Office, refusals_in_a_row: int, learned: dict[tuple[str, str], bool]
) -> None:
    office.sim.fail_next("chat.postMessage", error="invalid_blocks", times=refusals_in_a_row)
    blocks = [
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "a"}]},
        collapsed("History", [divider()]),
    ]
    await office.client.chat_postMessage(channel=TRIAGE, text="a", blocks=blocks)

    (post,) = office.staff(ALICE).channel(TRIAGE).posts
    assert kinds(post.blocks) == {"section"}
    assert answers(office) == learned


async def home(office: Office, member: str) -> Modal:
    await office.staff(member).opens_home()
    await office.sim.until(lambda: office.staff(member).home is not None)
    view = office.staff(member).home
    assert view is not None
    return view


@pytest.mark.parametrize("refused", [(), ALL])
async def test_the_home_of_a_manager_has_a_chart_with_its_numbers_next_to_it(
    office: Office, refused: tuple[str, ...]
) -> None:
    refuse(office, *refused)
    office.owned(ALICE)
    await office.idle()
    view = await home(office, MONA)

    assert "*1* open" in view.text
    assert ("data_visualization" in kinds(view.blocks)) is not refused
    assert "data_visualization" not in kinds((await home(office, ALICE)).blocks)


WARNS = {"text": "Internal: she is a nuisance. You will get it soon."}


@pytest.mark.parametrize("refused", [(), ALL])
async def test_the_preview_of_a_warned_letter_has_an_alert_or_a_section_and_can_be_sent(
    office: Office, refused: tuple[str, ...]
) -> None:
    """It answers a submission: a block refused there would show only "trouble", so it follows in an update."""
    refuse(office, *refused)
    ref = office.owned(ALICE)
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    alice = office.staff(ALICE)
    shown = []
    for _ in range(2):
        await alice.chooses(await office.card(ref), "More", "Reply")
        await office.submits(ALICE, "Reply", WARNS)
        await office.sim.until(lambda: ("modal", "alert") in answers(office))
        view = alice.modal
        assert view is not None
        assert view.notice is None
        assert "reads like a note to colleagues" in view.text
        shown.append(kinds(view.blocks))
        await alice.submits()
        await office.idle()

    assert [("alert" in blocks) for blocks in shown] == [not refused] * 2
    assert answers(office)["modal", "alert"] is not bool(refused)
    assert (
        sum(
            "external_id" in call.arguments and call.answer["ok"] for call in office.sim.calls("views.update")
        )
        == 1
    )
