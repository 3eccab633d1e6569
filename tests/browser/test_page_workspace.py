"""The workspace: channels, cards, threads, the home, and messages that only one member sees."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from simulator import Simulator
from tests.browser.blocks import CHANNEL, a_card, mrkdwn, plain
from tests.browser.person import Person
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.asyncio(loop_scope="session")

REF = "A7K-M3Q-9T"


async def _post(bot: ScriptedBot, ref: str = REF) -> str:
    sent = await bot.slack("chat.postMessage", channel=CHANNEL, text=f"Complaint {ref}", blocks=a_card(ref))
    return str(sent["ts"])


async def test_a_card_shows_every_block(person: Person, bot: ScriptedBot) -> None:
    await _post(bot)
    card = person.card(REF)
    await expect(card.get_by_role("heading", name=f"{REF} · service · 🟡 P3")).to_be_visible()
    await expect(card.get_by_role("link", name="the rules")).to_have_attribute("href", "https://example.org")
    await expect(card).to_contain_text("Received and waiting, see the rules & P3")
    for words in ("service 0.71", "Rich words", "1 message, no files"):
        await expect(card).to_contain_text(words)
    await expect(card.get_by_role("button", name="Assess")).to_be_visible()
    await expect(card.get_by_label("More", exact=True)).to_be_visible()


async def test_buttons_selects_and_menus_send_their_actions_to_the_app(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    await _post(bot)
    await person.press_on_card(REF, "Take")
    await person.choose_on_card(REF, "More", "Note")
    await person.card(REF).get_by_role("button", name="More actions").click()
    await person.page.get_by_role("menuitem", name="Copy reference").click()
    await sim.until(lambda: len(bot.payloads) == 3)
    actions = [payload["actions"][0] for payload in bot.payloads]
    assert [action["action_id"] for action in actions] == ["case.take", "case.more", "case.rest"]
    assert actions[1]["selected_option"]["value"] == f"case.note:{REF}"
    assert bot.payloads[0]["user"]["id"] == sim.staff("U0000001").id


async def test_an_updated_card_keeps_its_position_and_resets_its_select(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    ts = await _post(bot)
    await _post(bot, "B2P-X8D-4N")
    await person.choose_on_card(REF, "More", "Note")
    await sim.until(lambda: bool(bot.payloads))
    await bot.slack("chat.update", channel=CHANNEL, ts=ts, text="Complaint", blocks=a_card(REF, draw=1))
    await expect(person.card(REF)).to_contain_text("edited")
    await expect(person.card(REF).get_by_label("More", exact=True)).to_have_value("")
    await expect(person.desk.get_by_role("article")).to_have_count(2)


async def test_a_thread_can_be_opened_read_and_answered(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    ts = await _post(bot)
    await bot.slack("chat.postMessage", channel=CHANNEL, thread_ts=ts, text="Received by Telegram.")
    await person.card(REF).get_by_role("button", name=re.compile("1 reply")).click()
    await expect(person.thread).to_contain_text("Received by Telegram.")
    box = person.thread.get_by_role("textbox", name="Write in the thread")
    await box.fill("I call them now")
    await box.press("Enter")
    await expect(person.thread.get_by_role("article").filter(has_text="I call them now")).to_be_visible()
    await box.press("Escape")
    await expect(person.thread).to_have_count(0)
    await expect(person.card(REF).get_by_role("button", name=re.compile("2 replies"))).to_be_visible()


async def test_channels_show_unread_counts(person: Person, bot: ScriptedBot) -> None:
    await person.open_place("complaints")
    await person.desk.get_by_role("button", name="Home").click()
    await _post(bot)
    place = person.desk.get_by_role("navigation").get_by_role("button", name=re.compile("^complaints"))
    await expect(place).to_contain_text("1 unread")
    await place.click()
    await expect(place).not_to_contain_text("unread")


async def test_an_ephemeral_message_is_visible_to_one_member_and_can_be_dismissed(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    await _post(bot)
    await bot.slack(
        "chat.postEphemeral", channel=CHANNEL, user=sim.staff("U0000001").id, text="You may not decide this."
    )
    answer = person.desk.get_by_role("article").filter(has_text="You may not decide this.")
    await expect(answer).to_contain_text("Only visible to you")
    await person.act_as("Mona")
    await expect(person.card(REF)).to_be_visible()
    await expect(answer).to_have_count(0)
    await person.act_as("Alice")
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)


async def test_a_direct_message_of_the_app_is_listed_in_the_navigation(
    person: Person, bot: ScriptedBot, sim: Simulator
) -> None:
    opened = await bot.slack("conversations.open", users=sim.staff("U0000001").id)
    await bot.slack(
        "chat.postMessage", channel=opened["channel"]["id"], text="Danger: *call now*, <@U0000001>"
    )
    direct = person.desk.get_by_role("navigation").get_by_role("button").last
    await expect(direct).to_contain_text("1")
    await direct.click()
    await expect(person.desk.get_by_role("log")).to_contain_text("Danger: call now")


async def test_the_home_is_shown_when_opened(person: Person, bot: ScriptedBot, sim: Simulator) -> None:
    view = {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("Three are yours")},
            {"type": "section", "text": mrkdwn("*One* is late")},
        ],
    }
    await bot.slack("views.publish", user_id=sim.staff("U0000001").id, view=view)
    await person.open_place("Home")
    await expect(person.desk.get_by_role("heading", name="Three are yours")).to_be_visible()
    await expect(person.desk).to_contain_text("One is late")


async def test_markup_posted_in_a_channel_is_shown_as_text(
    person: Person, page: Page, bot: ScriptedBot
) -> None:
    box = person.desk.get_by_role("textbox", name=re.compile("^Write in"))
    await box.fill("<script>alert(1)</script> *not* mine")
    await box.press("Enter")
    await expect(person.desk.get_by_role("article")).to_contain_text("<script>alert(1)</script>")


async def test_a_private_channel_is_listed_only_for_its_members(person: Person) -> None:
    restricted = person.desk.get_by_role("navigation").get_by_role("button", name="complaints-restricted")
    await person.act_as("Mona")
    await expect(restricted).to_be_visible()
    await person.act_as("Alice")
    await expect(restricted).to_have_count(0)


async def test_a_date_is_shown_in_the_simulators_time_zone(person: Person, bot: ScriptedBot) -> None:
    # 09:00 UTC in summer is 10:00 in London.
    await bot.slack(
        "chat.postMessage", channel=CHANNEL, text="Due <!date^1782896400^{date_short} {time}|soon>."
    )
    await expect(person.desk.get_by_role("article")).to_contain_text("Due Wed 1 Jul 2026 10:00.")
