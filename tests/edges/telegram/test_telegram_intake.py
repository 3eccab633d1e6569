"""Incoming updates: handled once, in order, or set aside; the offset never passes an update that is not stored.

The subject is what people see and press; test_store_* tests the store on both databases. Tests marked `on_both` also
run on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bots.dialogue.step import step
from bots.http_body import MAX_BODY_BYTES
from bots.telegram.webhook import HEADER, create_endpoint
from simulator import Simulator
from store.cases.export import export_record
from store.cases.outgoing_messages import load_contact
from store.cases.read import list_cases, load_case, open_case
from store.cases.receive_message import receive_message
from store.database.errors import DatabaseUnavailable
from store.files import read_file_bytes
from store.outbox.failed import find_handled_keys, list_dead_letters, list_failed, schedule_dead_letter
from store.people.staff import load_actor
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, ReceiptResult
from tests.databases import FakeClock
from tests.edges.telegram_desk import TelegramDesk, telegram_desk
from tests.interception import replace_in_store

SECRET = "a-webhook-secret"


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as running:
        yield running


@pytest.fixture
async def unpolled(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store, polls=False) as running:
        yield running


def update(number: int, text: str = "The water is brown.", chat: int = 5000001) -> dict[str, Any]:
    """A text message as Telegram sends it."""
    sender = {"id": chat, "is_bot": False, "first_name": "Anna", "language_code": "en"}
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1_793_000_000,
            "chat": {"id": chat, "type": "private", "first_name": "Anna"},
            "from": sender,
            "text": text,
        },
    }


def described(store: Store) -> list[str]:
    """The texts of all complaints, complaint by complaint."""
    refs = [row["ref"] for row in store.read(list_cases)[0]]
    return [text["text"] for ref in refs for text in store.read(export_record, ref)["texts"]]


@pytest.mark.on_both
async def test_an_update_that_is_sent_twice_is_handled_once(unpolled: TelegramDesk) -> None:
    await unpolled.intake.take(update(1))
    await unpolled.intake.take(update(1))
    assert described(unpolled.store) == ["The water is brown."]


async def test_a_lone_surrogate_is_replaced_and_the_complaint_is_kept(unpolled: TelegramDesk) -> None:
    await unpolled.intake.take(update(1, "The water is \ud83d brown."))
    assert described(unpolled.store) == ["The water is \ufffd brown."]


@pytest.mark.on_both
async def test_updates_of_one_chat_keep_their_order_while_other_chats_are_handled(
    unpolled: TelegramDesk,
) -> None:
    batch = [update(n, f"Message number {n}.", chat=5000001 + n % 3) for n in range(1, 31)]
    await asyncio.gather(*(unpolled.intake.take(message) for message in batch))
    texts = sorted(
        [text["text"] for text in unpolled.store.read(export_record, row["ref"])["texts"]]
        for row in unpolled.store.read(list_cases)[0]
    )
    assert texts == sorted(
        [f"Message number {n}." for n in range(1, 31) if n % 3 == rest] for rest in range(3)
    )


async def test_a_message_is_recorded_while_another_is_still_read(
    desk: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_recorded = threading.Event()

    def slow(conversation: Conversation, *arguments: Any, **named: Any) -> DialogueTurn:
        if conversation.chat.name == "Anna":
            assert is_recorded.wait(20)
        return step(conversation, *arguments, **named)

    monkeypatch.setattr("bots.telegram.intake.step", slow)
    await desk.sim.customer("Anna").says("The water is brown.")
    await desk.sim.customer("Bea").says("The bill is wrong.")
    await desk.sim.until(lambda: "The bill is wrong." in described(desk.store), what="the second is recorded")
    assert described(desk.store) == ["The bill is wrong."]
    is_recorded.set()
    await desk.sim.until(lambda: len(described(desk.store)) == 2, what="the first is recorded")


@pytest.mark.parametrize(
    "broken",
    [
        {"update_id": 7, "message": {"message_id": "x", "date": "y", "chat": 5}},
        {"update_id": 7, "message": []},
        {"update_id": 7, "channel_post": {}},
        {"update_id": 7},
        {"no": "number"},
    ],
)
async def test_an_unreadable_update_is_set_aside_and_reported_to_staff(
    unpolled: TelegramDesk, broken: dict[str, Any]
) -> None:
    await unpolled.intake.take(broken)
    [dead_letter] = unpolled.store.read(list_dead_letters)
    assert dead_letter["why"]
    assert [row["kind"] for row in unpolled.store.read(list_failed, everything=True)] == ["told_failed"]


_GROUP = {"id": -100, "type": "supergroup", "title": "Neighbours"}
_ANNA = {"id": 5000001, "is_bot": False, "first_name": "Anna"}
_LIKED = {"date": 1, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👎"}]}


@pytest.mark.parametrize(
    "unrequested",
    [
        {"message_reaction": {"chat": _GROUP, "message_id": 3, "user": _ANNA, **_LIKED}},
        {"inline_query": {"id": "1", "from": _ANNA, "query": "water", "offset": ""}},
        {"poll_answer": {"poll_id": "1", "user": _ANNA, "option_ids": [0], "option_persistent_ids": ["a"]}},
    ],
)
async def test_an_update_of_an_unrequested_kind_is_dropped_without_an_alarm(
    unpolled: TelegramDesk, unrequested: dict[str, Any]
) -> None:
    await unpolled.intake.take({"update_id": 1, **unrequested})
    assert unpolled.store.read(find_handled_keys, ["tg:1"]) == {"tg:1"}
    assert unpolled.store.read(list_dead_letters) == []
    assert unpolled.store.read(list_failed, everything=True) == []


async def test_a_message_of_another_bot_is_not_answered(unpolled: TelegramDesk) -> None:
    message = update(1)
    message["message"]["from"]["is_bot"] = True
    await unpolled.intake.take(message)
    assert unpolled.store.read(find_handled_keys, ["tg:1"]) == {"tg:1"}
    assert unpolled.store.read(list_cases)[0] == []
    assert unpolled.store.read(list_failed, everything=True) == []


@pytest.mark.on_both
async def test_an_update_that_fails_three_times_is_set_aside_and_the_others_are_handled(
    desk: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, store_write, tries = desk.store, desk.store.write, []

    def fail_for_anna(key: str, chat: Chat, *more: Any, **named: Any) -> ReceiptResult:
        # Chosen by sender: two chats are handled concurrently, in either order.
        if chat.name == "Anna":
            tries.append(key)
            raise RuntimeError("a fault of ours")
        return store_write(receive_message, key, chat, *more, **named)

    replace_in_store(monkeypatch, store, receive_message, fail_for_anna)
    await desk.sim.customer("Anna").says("The water is brown.")
    await desk.sim.customer("Bea").says("The bill is wrong.")
    await desk.sim.until(lambda: not desk.sim.world.telegram.updates, what="both taken or put aside")
    assert len(tries) == 3
    assert described(store) == ["The bill is wrong."]
    [dead_letter] = store.read(list_dead_letters)
    assert (dead_letter["key"], dead_letter["why"]) == (tries[0], "RuntimeError")
    monkeypatch.undo()
    store.write(schedule_dead_letter, dead_letter["id"])
    await desk.settled()
    assert sorted(described(store)) == ["The bill is wrong.", "The water is brown."]


async def test_during_a_database_outage_the_offset_stays_and_nothing_is_lost(
    desk: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: Any, **named: Any) -> Any:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as broken:
        for name in ("receive_message", "find_handled_keys", "keep_dead_letter"):
            broken.setattr(f"bots.telegram.intake.{name}", away)
        await desk.sim.customer("Anna").says("The water is brown.")
        await asyncio.sleep(2.5)
        assert len(desk.sim.world.telegram.updates) == 1
    await desk.settled()
    assert described(desk.store) == ["The water is brown."]
    assert desk.store.read(list_dead_letters) == []


async def test_an_update_refused_for_a_full_disk_is_not_set_aside(
    desk: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **named: Any) -> Any:
        raise DatabaseUnavailable("database or disk is full")

    with monkeypatch.context() as broken:
        # Reading works, and so would a small row: the update must still wait at Telegram.
        broken.setattr("bots.telegram.intake.receive_message", full)
        await desk.sim.customer("Anna").says("The water is brown.")
        await asyncio.sleep(2.5)
        assert desk.store.read(list_dead_letters) == []
    await desk.settled()
    assert described(desk.store) == ["The water is brown."]


async def test_polling_resumes_after_an_outage_of_telegram(desk: TelegramDesk) -> None:
    desk.sim.trouble.telegram_down = True
    await desk.sim.customer("Anna").says("The water is brown.")
    await asyncio.sleep(0.3)
    assert described(desk.store) == []
    desk.sim.trouble.telegram_down = False
    await desk.sim.customer("Anna").hears("Your reference is", timeout=20)


async def test_an_album_and_a_voice_note_are_fetched_completely(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    await anna.sends_album(3)
    await anna.sends_voice()
    await desk.settled()
    assert len([text for text in anna.heard if "Your reference is" in text]) == 1
    store, actor = desk.store, desk.store.read(load_actor, "U1")
    files = store.write(open_case, desk.ref, actor, "case").files
    assert [(file.kind, file.state) for file in files] == [("photo", "fetched")] * 3 + [("voice", "fetched")]
    assert len({file.group for file in files[:3]}) == 1
    assert store.write(read_file_bytes, desk.ref, files[0].seq, actor).startswith(b"\xff\xd8")
    assert store.write(read_file_bytes, desk.ref, files[3].seq, actor).startswith(b"OggS")


async def test_every_kind_of_file_is_kept(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    await anna.sends_document()
    for send in (
        anna.sends_video,
        anna.sends_video_note,
        anna.sends_audio,
        anna.sends_animation,
        anna.sends_sticker,
    ):
        await send()
    await desk.settled()
    files = desk.store.write(open_case, desk.ref, desk.store.read(load_actor, "U1"), "case").files
    kinds = ["document", "video", "video_note", "audio", "animation", "sticker"]
    assert [(file.kind, file.state) for file in files] == [(kind, "fetched") for kind in kinds]


async def test_a_location_and_a_contact_are_stored_as_text(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    await anna.sends_location(51.5, -0.12)
    await anna.sends_contact("Bea", "+440000000000")
    await desk.settled()
    assert described(desk.store)[1:] == ["51.5, -0.12", "Bea +440000000000"]


async def test_an_edited_message_is_a_new_version(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    message = await anna.says("The water is brown.")
    await desk.settled()
    await anna.edits(message, "The water is red.")
    await desk.settled()
    texts = desk.store.read(export_record, desk.ref)["texts"]
    assert [(text["text"], text["replaces"]) for text in texts] == [
        ("The water is brown.", None),
        ("The water is red.", texts[0]["seq"]),
    ]


async def test_in_a_group_the_bot_sends_one_line_with_a_link(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    group = desk.sim.group("Neighbours", anna)
    await group.says(anna, "/start")
    await desk.settled()
    assert len(group.heard) == 1
    assert f"https://t.me/{desk.app.bot.username}" in group.heard[0]
    assert described(desk.store) == []


async def test_blocking_and_returning_is_recorded(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    anna.blocks()
    await desk.settled()
    assert desk.store.read(load_contact, desk.ref) is None
    anna.unblocks()
    await desk.settled()
    assert desk.store.read(load_contact, desk.ref) is not None


async def test_a_forged_button_changes_nothing(unpolled: TelegramDesk) -> None:
    await unpolled.intake.take(update(1))
    # Nobody has this chat: the receipt that cannot be delivered is an event too.
    await unpolled.settled()
    version = unpolled.store.read(load_case, unpolled.ref).version
    message = update(2)["message"]
    query = {"id": "1", "from": message["from"], "chat_instance": "1", "data": "x" * 40, "message": message}
    await unpolled.intake.take({"update_id": 3, "callback_query": query})
    assert unpolled.store.read(load_case, unpolled.ref).version == version
    assert unpolled.store.read(list_dead_letters) == []


@pytest.mark.on_both
async def test_a_restart_in_the_middle_of_the_form_is_not_noticed(
    usual_store: Store, clock: FakeClock
) -> None:
    async with Simulator() as sim:
        async with telegram_desk(sim, usual_store) as first:
            anna = await first.send_story()
            await anna.presses("Done")
            await first.settled()
        clock.go_on(days=0, minutes=5)
        await anna.says("12 Mill Lane, last week")
        async with telegram_desk(sim, usual_store) as second:
            await second.settled()
            assert anna.heard[-1].startswith("What would put this right?")
            await anna.presses("Repair")
            await second.settled()
            assert "Where and when: since Monday, 12 Mill Lane, last week" in anna.heard[-1]


def client(desk: TelegramDesk) -> httpx.AsyncClient:
    """An HTTP client for the webhook in an application."""
    app = Starlette(routes=[Route("/telegram", create_endpoint(desk.intake, SECRET), methods=["POST"])])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://desk")


async def test_the_webhook_accepts_a_call_with_the_secret(unpolled: TelegramDesk) -> None:
    async with client(unpolled) as web:
        answer = await web.post("/telegram", json=update(1), headers={HEADER: SECRET})
    assert answer.status_code == 200
    assert described(unpolled.store) == ["The water is brown."]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"{}", 401),
        ({HEADER: "wrong"}, b"{}", 401),
        ({HEADER: "wrong-ü"}, b"{}", 401),
        ({HEADER: SECRET}, b"x" * (MAX_BODY_BYTES + 1), 413),
        ({HEADER: SECRET}, b"not json", 400),
        ({HEADER: SECRET}, b"[]", 400),
    ],
)
async def test_the_webhook_refuses_other_calls_and_stores_nothing(
    unpolled: TelegramDesk, headers: dict[str, str], body: bytes, status: int
) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    async with client(unpolled) as web:
        answer = await web.post("/telegram", content=body, headers=encoded)
    assert answer.status_code == status
    assert unpolled.store.read(list_dead_letters) == []


async def test_the_webhook_answers_503_during_a_database_outage(
    unpolled: TelegramDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: Any, **named: Any) -> Any:
        raise DatabaseUnavailable("away")

    for name in ("receive_message", "find_handled_keys", "keep_dead_letter"):
        monkeypatch.setattr(f"bots.telegram.intake.{name}", away)
    async with client(unpolled) as web:
        answer = await web.post("/telegram", json=update(1), headers={HEADER: SECRET})
    assert answer.status_code == 503


async def test_a_webhook_without_a_secret_is_refused(unpolled: TelegramDesk) -> None:
    with pytest.raises(ValueError, match="AMENDS_TELEGRAM_WEBHOOK_SECRET"):
        create_endpoint(unpolled.intake, "")


async def test_the_library_keeps_no_data_of_the_people_who_wrote(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    app = desk.app
    slots = [name for kind in type(app).__mro__ for name in getattr(kind, "__slots__", ())]
    kept = {name: getattr(app, name) for name in slots if isinstance(getattr(app, name, None), dict | set)}
    assert len(kept) > 3
    assert [name for name, values in kept.items() if anna.person.id in values] == []
