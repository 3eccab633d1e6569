"""Slack failures: outdated cards are redrawn, expired triggers are answered, repeated and lost events do no harm.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from complaints.vocabulary import Role, Verb
from simulator.screen import Card, NotAcknowledged
from store.cases.act import act
from store.cases.read import list_cases, load_case
from store.database.errors import DatabaseUnavailable
from store.outbox.complete import end_retry_pauses
from store.outbox.failed import list_failed
from store.people.staff import load_actor, sync_staff
from store.slack_posts import list_posts, sweep_cards
from store.store import Store
from store.values import Member
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, MONA, TRIAGE, Office, open_office

LATE = "The form took too long to open"


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def _assign(office: Office, ref: str) -> None:
    office.store.write(act, ref, Verb.ASSIGN, office.store.read(load_actor, MONA), {"owner": ALICE})


def _outdated(office: Office) -> list[str]:
    """Complaints whose card does not show the latest version."""
    refs = []
    for row in office.store.read(list_cases)[0]:
        case = office.store.read(load_case, str(row["ref"]))
        posts = office.store.read(list_posts, case.ref)
        if not posts or any(post.shown_version < case.version for post in posts):
            refs.append(case.ref)
    return refs


@pytest.mark.on_both
async def test_the_sweep_redraws_a_card_whose_update_failed_permanently(office: Office) -> None:
    ref = office.proposed()
    await office.card(ref)
    office.sim.fail_next("chat.update", error="cant_update_message")
    _assign(office, ref)
    await office.idle()
    assert _outdated(office) == [ref]
    assert office.store.write(sweep_cards) == 1
    assert office.store.write(sweep_cards) == 0
    await office.idle()
    assert _outdated(office) == []
    assert f"<@{ALICE}>" in (await office.card(ref)).text
    assert office.store.read(list_failed) == []


async def test_a_failed_card_update_is_settled_by_a_later_successful_one(office: Office) -> None:
    ref = office.proposed()
    await office.card(ref)
    office.sim.fail_next("chat.update", error="cant_update_message")
    _assign(office, ref)
    await office.idle()
    office.add(ref)
    await office.idle()
    assert office.store.write(sweep_cards) == 0
    assert office.store.read(list_failed) == []


@pytest.mark.on_both
async def test_after_an_outage_every_card_is_up_to_date(office: Office) -> None:
    refs = [office.proposed() for _ in range(4)]
    await office.idle()
    office.sim.trouble.slack_down = True
    for ref in refs:
        _assign(office, ref)
    await office.idle()
    assert sorted(_outdated(office)) == sorted(refs)
    office.sim.trouble.slack_down = False
    office.store.write(end_retry_pauses, ("card",))
    await office.idle()
    assert _outdated(office) == []


async def _reopen_message(office: Office) -> Card:
    """Wait for the message with the button that opens the form again."""
    staff = office.staff(ALICE)

    def messages() -> list[Card]:
        return [
            message
            for message in (*staff.ephemerals, *staff.direct_messages)
            if message.text.startswith(LATE)
        ]

    await office.sim.until(lambda: bool(messages()), timeout=10)
    return messages()[0]


async def test_an_expired_trigger_is_answered_with_a_button_that_opens_the_form(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    alice = office.staff(ALICE)
    office.sim.fail_next("views.open", error="expired_trigger_id")
    await alice.presses(card, "Assess")
    await alice.presses(await _reopen_message(office), "Open it now")
    await office.submits(ALICE, "", ASSESSMENT)
    assert office.store.read(load_case, ref).assessment is not None


async def test_an_expired_trigger_in_the_home_is_answered_by_a_direct_message(office: Office) -> None:
    ref = office.proposed()
    await office.card(ref)
    alice = office.staff(ALICE)
    await alice.opens_home()
    await office.sim.until(lambda: alice.home is not None, timeout=10)
    home = alice.home
    assert home is not None
    office.sim.fail_next("views.open", error="exchanged_trigger_id")
    await alice.presses(home, "Assess", value=ref)
    await alice.presses(await _reopen_message(office), "Open it now")
    assert (await alice.opened()).callback_id == "assess"


async def test_an_expired_trigger_of_a_command_or_shortcut_is_answered(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    office.sim.fail_next("views.open", error="expired_trigger_id", times=2)
    await alice.runs(f"/complaints show {ref}", channel=TRIAGE)
    await office.idle()
    assert any("send the command again" in message for message in office.texts(ALICE))
    await alice.shortcut("log_complaint")
    await office.sim.until(lambda: bool(alice.direct_messages), timeout=10)
    await alice.presses(alice.direct_messages[-1], "Open it now")
    assert (await alice.opened()).callback_id == "log_complaint"


async def test_a_view_update_refused_for_a_conflict_is_redrawn_from_the_record(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    alice = office.staff(ALICE)
    await alice.presses(card, "Open")
    top = await alice.opened()
    office.sim.fail_next("views.update", error="hash_conflict")
    await alice.presses(top, "Take")
    await office.idle()
    assert office.store.read(load_case, ref).owner == ALICE
    assert len(office.sim.calls("views.update")) >= 2


async def test_a_refusal_from_the_menu_of_an_open_complaint_is_shown_in_its_view(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    top = await alice.opened()
    office.store.write(sync_staff, [Member(ALICE, "Alice", (), frozenset({Role.AUDITOR}))])
    await alice.chooses(top, "More", "Note")
    await office.sim.until(lambda: alice.modal and "manager" in alice.modal.text, timeout=10)

    assert top.callback_id == "open"
    assert len(office.sim.calls("views.update")) == 1


async def test_a_lost_press_changes_nothing_and_can_be_repeated(
    office: Office,
) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    office.sim.fail_next("interactive", how="lost")
    with pytest.raises(NotAcknowledged):
        await office.staff(ALICE).presses(card, "Take")
    assert office.store.read(load_case, ref).owner is None
    await office.staff(ALICE).presses(card, "Take")
    await office.idle()
    assert office.store.read(load_case, ref).owner == ALICE
    assert "Take" not in (await office.card(ref, MONA)).buttons


async def test_an_event_whose_first_delivery_was_lost_is_handled_on_redelivery(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock, redelivery_seconds=(0.05,)) as office:
        office.sim.fail_next("events_api", how="lost")
        alice = office.staff(ALICE)
        await alice.opens_home()
        await office.sim.until(lambda: alice.home is not None, timeout=10)


@pytest.mark.parametrize("label", ["Take", "Assess"])
async def test_a_press_during_a_database_outage_is_answered_plainly_and_records_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    ref = office.proposed()
    card = await office.card(ref)

    def unavailable(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("the database does not answer")

    with monkeypatch.context() as outage:
        outage.setattr(Store, "read", unavailable)
        outage.setattr(Store, "write", unavailable)
        await office.staff(ALICE).presses(card, label)
        assert await office.private_answer(ALICE) == (
            "Something went wrong on our side. Look before you try again: it may have been recorded."
        )
    # The same button works once the database is back.
    await office.staff(ALICE).presses(await office.card(ref), "Take")
    await office.idle()
    assert office.store.read(load_case, ref).owner == ALICE


@pytest.mark.parametrize("error", ["invalid_blocks", "invalid_blocks_format"])
async def test_a_card_whose_blocks_slack_refuses_is_drawn_in_plain_blocks(office: Office, error: str) -> None:
    ref = office.proposed()
    before = await office.card(ref)
    office.sim.fail_next("chat.update", error=error, times=2)
    _assign(office, ref)
    await office.idle()
    card = await office.card(ref)

    assert {block["type"] for block in card.blocks} == {"section", "actions"}
    assert f"<@{ALICE}>" in card.text
    assert set(card.buttons) >= {"Assess", "Open"} & set(before.buttons)
    assert office.store.read(list_failed) == []
    assert _outdated(office) == []


async def test_a_first_card_is_posted_as_text_if_slack_refuses_every_block(office: Office) -> None:
    office.sim.fail_next("chat.postMessage", error="invalid_blocks", times=2)
    ref = office.proposed()
    await office.idle()
    (post,) = office.sim.world.slack.channels[TRIAGE].posts
    posted = (post.blocks, post.text)
    _assign(office, ref)
    card = await office.card(ref)

    assert posted[0] == []
    assert ref in posted[1]
    assert "Assess" in card.buttons
    assert office.store.read(list_failed) == []


@pytest.mark.parametrize("error", ["invalid_arguments", "invalid_blocks"])
async def test_a_form_whose_blocks_slack_refuses_opens_plain_and_works(office: Office, error: str) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    office.sim.fail_next("views.open", error=error)
    await alice.presses(await office.card(ref), "Assess")
    text = (await alice.opened("Assess")).text
    await office.submits(ALICE, "Assess", ASSESSMENT)

    assert "shown in a plain form" in text
    assert "my bill is wrong" in text
    assert office.store.read(load_case, ref).assessment is not None
