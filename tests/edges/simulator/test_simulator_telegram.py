"""The simulated Telegram against the real python-telegram-bot, and refusals in Telegram's words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, ReplyKeyboardMarkup
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from simulator import Limits, SimulatedRateLimit, Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


def bot_of(sim: Simulator, token: str | None = None) -> Bot:
    return Bot(
        token or sim.bot_token,
        base_url=f"{sim.telegram_url}/bot",
        base_file_url=f"{sim.telegram_url}/file/bot",
    )


@pytest.fixture
async def bot(sim: Simulator) -> AsyncIterator[Bot]:
    async with bot_of(sim) as ready:
        yield ready


async def raw(sim: Simulator, method: str, **fields: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{sim.telegram_url}/bot{sim.bot_token}/{method}", json=fields)
    body: dict[str, Any] = answer.json()
    return body


async def test_a_text_arrives_as_an_update_and_the_answer_is_received(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", language="tr")
    await anna.says("/start now")
    (update,) = await bot.get_updates(timeout=5)
    assert update.message is not None
    assert update.message.parse_entities() == {update.message.entities[0]: "/start"}
    assert update.message.from_user.language_code == "tr"
    await bot.send_message(anna.id, "Hello & welcome", entities=[MessageEntity("bold", 0, 5)])
    assert anna.heard == ["Hello & welcome"]
    assert anna.transcript() == "Anna: /start now\nBot: Hello & welcome"


async def test_an_update_is_kept_until_its_offset_is_confirmed(sim: Simulator, bot: Bot) -> None:
    await sim.customer("Anna").says("one")
    (first,) = await bot.get_updates()
    assert await bot.get_updates() == (first,)
    assert await bot.get_updates(offset=first.update_id + 1) == ()


async def test_a_long_poll_returns_when_a_message_arrives(sim: Simulator, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    await sim.until(lambda: sim.world.telegram.poll_number == 1)
    await sim.customer("Anna").says("hello")
    assert [u.message.text for u in await poll if u.message] == ["hello"]


async def test_a_second_poller_ends_the_first_with_a_conflict(sim: Simulator, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await sim.until(lambda: sim.world.telegram.poll_number == 1)
    async with bot_of(sim) as other:
        await other.get_updates()
    with pytest.raises(Conflict):
        await first


async def test_a_press_is_answered_with_a_notice(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    keys = InlineKeyboardMarkup(
        [[InlineKeyboardButton("Done", callback_data="d1"), InlineKeyboardButton("Skip", callback_data="s1")]]
    )
    sent = await bot.send_message(anna.id, "Ready?", reply_markup=keys)
    assert anna.buttons == ["Done", "Skip"]
    await anna.presses("Done")
    (update,) = await bot.get_updates(timeout=5)
    query = update.callback_query
    assert query is not None
    assert (query.data, query.message.message_id) == ("d1", sent.message_id)
    await query.answer("Thank you", show_alert=True)
    assert anna.notice == "Thank you"
    with pytest.raises(BadRequest, match="Query is too old"):
        await query.answer("again")


async def test_the_bot_may_edit_its_message_but_not_without_a_change(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    sent = await bot.send_message(anna.id, "one")
    await bot.edit_message_text("two", anna.id, sent.message_id)
    assert anna.heard == ["two"]
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("two", anna.id, sent.message_id)
    await bot.delete_message(anna.id, sent.message_id)
    assert anna.heard == []
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("three", anna.id, sent.message_id)


async def test_every_kind_of_file_arrives_completely(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna")
    await anna.sends_photo(caption="broken")
    await anna.sends_document("letter.pdf", b"%PDF-1.4 words")
    await anna.sends_voice(2)
    await anna.sends_audio()
    await anna.sends_video()
    await anna.sends_video_note()
    await anna.sends_animation()
    await anna.sends_sticker()
    await anna.sends_location()
    await anna.sends_contact()
    messages = [u.message for u in await bot.get_updates(timeout=5) if u.message]
    photo, document, voice, audio, video, note, animation, sticker, place, contact = messages
    assert [len(messages), photo.caption, len(photo.photo), voice.voice.duration] == [10, "broken", 3, 2]
    assert audio.audio
    assert video.video
    assert note.video_note
    assert animation.animation
    assert sticker.sticker
    assert place.location
    assert contact.contact
    file = await document.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"%PDF-1.4 words"
    assert (await (await voice.voice.get_file()).download_as_bytearray())[:4] == b"OggS"


async def test_an_album_is_several_messages_with_one_group_id(sim: Simulator, bot: Bot) -> None:
    await sim.customer("Anna").sends_album(3, caption="three")
    messages = [u.message for u in await bot.get_updates(timeout=5) if u.message]
    assert len({m.media_group_id for m in messages}) == 1
    assert [m.caption for m in messages] == ["three", None, None]


async def test_an_edit_by_a_customer_is_an_edited_message(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna")
    message = await anna.says("one")
    await anna.edits(message, "two")
    first, second = await bot.get_updates(timeout=5)
    assert first.message
    assert second.edited_message
    assert (first.message.text, second.edited_message.text) == ("one", "two")
    assert second.edited_message.edit_date is not None


async def test_a_file_over_twenty_megabytes_cannot_be_downloaded(sim: Simulator, bot: Bot) -> None:
    await sim.customer("Anna").sends_document("big.bin", b"x" * (20 * 1024 * 1024 + 1))
    (update,) = await bot.get_updates(timeout=5)
    assert update.message
    assert update.message.document
    with pytest.raises(BadRequest, match="File is too big"):
        await update.message.document.get_file()


async def test_a_document_from_the_bot_is_delivered(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    await bot.send_document(anna.id, b"%PDF-1.7", filename="mektup ş.pdf", caption="Your letter")
    assert anna.documents() == [("mektup ş.pdf", b"%PDF-1.7")]
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(anna.id, b"x", caption="x" * 1025)


async def test_blocking_is_reported_and_further_messages_are_refused(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    anna.blocks()
    (update,) = await bot.get_updates(timeout=5)
    assert update.my_chat_member
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(anna.id, "Hello?")
    anna.unblocks()
    await bot.send_message(anna.id, "Hello again")
    assert anna.heard == ["Hello again"]


async def test_the_bot_cannot_write_to_a_person_first(sim: Simulator, bot: Bot) -> None:
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(sim.customer("Anna").id, "Hello")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(1, "Hello")


async def test_the_bot_can_leave_a_group(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna")
    group = sim.group("Flat 12", anna)
    await group.says(anna, "hello")
    joined, received = await bot.get_updates(timeout=5)
    assert joined.my_chat_member
    assert received.message
    assert received.message.chat.type == "group"
    await bot.send_message(received.message.chat.id, "Private chats only")
    await bot.leave_chat(received.message.chat.id)
    assert (group.heard, group.bot_in) == (["Private chats only"], False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "   \n"}, "message text is empty"),
        ({}, "message text is empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "the simulator reads entities, no parse_mode"),
        ({"text": "*x*", "parse_mode": "MarkdownV2"}, "the simulator reads entities, no parse_mode"),
        ({"text": "x", "parse_mode": "RTF"}, "unsupported parse_mode"),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "ends after the end of the text",
        ),
        ({"text": "x", "entities": [{"type": "bold", "offset": 0}]}, 'can\'t find field "length"'),
        ({"text": "x", "colour": "red"}, 'unknown field "colour"'),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}}, "text buttons are unallowed"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "ü" * 33}]]}},
            "BUTTON_DATA_INVALID",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "", "callback_data": "a"}]]}},
            "non-empty",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a", "url": "nowhere"}]]}},
            "Wrong HTTP URL",
        ),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply_markup"),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
        ({"text": "x", "disable_notification": "maybe"}, "must be of type Boolean"),
    ],
)
async def test_an_invalid_message_is_refused_with_telegrams_reason(
    sim: Simulator, fields: dict[str, Any], reason: str
) -> None:
    anna = sim.customer("Anna", met=True)
    answer = await raw(sim, "sendMessage", chat_id=anna.id, **fields)
    assert (answer["ok"], answer["error_code"], anna.heard) == (False, 400, [])
    assert reason in answer["description"]
    assert answer["description"].startswith("Bad Request: ")


async def test_unknown_methods_and_tokens_are_refused(sim: Simulator) -> None:
    assert await raw(sim, "sendSong") == {
        "ok": False,
        "error_code": 404,
        "description": "Not Found: method not found",
    }
    async with bot_of(sim) as right:
        assert (await right.get_me()).username == sim.world.telegram.username
    with pytest.raises(InvalidToken):
        await bot_of(sim, "7000000001:wrong").initialize()


async def test_a_known_method_that_is_not_simulated_is_reported(sim: Simulator) -> None:
    answer = await raw(sim, "sendDice", chat_id=1)
    assert (answer["error_code"], "simulator" in answer["description"]) == (501, True)


async def test_commands_and_descriptions_are_stored_by_language(sim: Simulator, bot: Bot) -> None:
    await bot.set_my_commands([("status", "How it stands")])
    await bot.set_my_commands([("status", "Durum")], language_code="tr")
    await bot.set_my_description("We listen")
    await bot.set_my_short_description("Complaints")
    assert [c.description for c in await bot.get_my_commands(language_code="tr")] == ["Durum"]
    async with httpx.AsyncClient(trust_env=False) as client:
        ayse = sim.customer("Ayşe", language="tr")
        state = (await client.get(f"{sim.url}/page/state", params={"customer": ayse.id})).json()
    assert state["bot"]["commands"] == [{"command": "status", "description": "Durum"}]
    assert (state["bot"]["description"], state["bot"]["short_description"]) == ("We listen", "Complaints")
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([("Status", "x")])


async def test_pressing_a_reply_keyboard_sends_its_text(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    await bot.send_message(
        anna.id, "Sure?", reply_markup=ReplyKeyboardMarkup([["Yes", "No"]], one_time_keyboard=True)
    )
    await anna.presses("Yes")
    (update,) = await bot.get_updates(timeout=5)
    assert update.message
    assert update.message.text == "Yes"
    assert anna.buttons == []


async def test_a_rate_limited_message_is_refused_with_the_seconds_to_wait() -> None:
    pace = SimulatedRateLimit(per_second=30, per_chat_second=1, chat_burst=2)
    async with Simulator(limits=Limits(telegram_rate_limit=pace)) as sim, bot_of(sim) as bot:
        anna = sim.customer("Anna", met=True)
        await bot.send_message(anna.id, "1")
        await bot.send_message(anna.id, "2")
        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(anna.id, "3")
        assert (
            "retry after 1" in str(refused.value.message).lower()
            or "retry in 1" in str(refused.value).lower()
        )


async def test_an_outage_refuses_calls_and_keeps_updates(sim: Simulator, bot: Bot) -> None:
    sim.trouble.telegram_down = True
    anna = sim.customer("Anna")
    await anna.says("is anybody there")
    with pytest.raises(NetworkError):
        await bot.get_updates()
    sim.trouble.cut_connections = True
    with pytest.raises(NetworkError):
        await bot.get_updates()
    sim.trouble.telegram_down = False
    assert [u.message.text for u in await bot.get_updates() if u.message] == ["is anybody there"]


async def test_requested_faults_happen_once_each(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    sim.fail_next("sendMessage", status=429, retry_after=7)
    with pytest.raises(RetryAfter):
        await bot.send_message(anna.id, "limited")
    sim.fail_next("sendMessage", how="html_502")
    with pytest.raises(NetworkError):
        await bot.send_message(anna.id, "bad gateway")
    sim.fail_next("sendMessage", how="cut_before")
    with pytest.raises(NetworkError):
        await bot.send_message(anna.id, "never came")
    assert anna.heard == []
    sim.fail_next("sendMessage", how="cut_after_accept")
    with pytest.raises(NetworkError):
        await bot.send_message(anna.id, "came, not told")
    sim.fail_next("sendMessage", how="timeout_after_accept")
    with pytest.raises(TimedOut):
        await bot.send_message(anna.id, "came, told too late", read_timeout=0.2)
    sim.fail_next("sendMessage", how="bad_json")
    with pytest.raises(TelegramError, match="Invalid server response"):
        await bot.send_message(anna.id, "came, told in pieces")
    await bot.send_message(anna.id, "well again")
    assert anna.heard == ["came, not told", "came, told too late", "came, told in pieces", "well again"]


async def test_the_webhook_gets_an_update_with_its_secret_until_it_is_accepted(
    sim: Simulator, bot: Bot
) -> None:
    from aiohttp import web

    requests: list[tuple[str | None, str]] = []

    async def receive(request: web.Request) -> web.Response:
        body = await request.json()
        requests.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), body["message"]["text"]))
        return web.Response(status=503 if len(requests) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    anna = sim.customer("Anna")
    await anna.says("waiting")
    await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="s3cret")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await anna.says("second")
    await sim.until(lambda: not sim.world.telegram.updates)
    assert requests == [("s3cret", "waiting"), ("s3cret", "waiting"), ("s3cret", "second")]
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 503"
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""
    await runner.cleanup()


async def test_hears_waits_for_a_message_after_the_last_action(sim: Simulator, bot: Bot) -> None:
    anna = sim.customer("Anna", met=True)
    await bot.send_message(anna.id, "old words")
    await anna.says("go on")

    async def answer_later() -> None:
        await bot.send_message(anna.id, "new words")

    task = asyncio.create_task(answer_later())
    assert (await anna.hears("words")).text == "new words"
    await task
    with pytest.raises(TimeoutError, match="got no"):
        await anna.hears("old", timeout=0.05)
