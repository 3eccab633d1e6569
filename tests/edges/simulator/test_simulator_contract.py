"""Every update, answer and payload of the simulator conforms to the platforms' specifications."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from simulator import Limits, Simulator
from simulator.slack.contract import load_contract
from simulator.telegram.api import BadField, check_type

Json = dict[str, Any]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(limits=Limits(ack_seconds=2)) as running:
        yield running


async def call(sim: Simulator, method: str, **fields: Any) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = (await client.post(f"{sim.telegram_url}/bot{sim.bot_token}/{method}", json=fields)).json()
    assert answer["ok"], answer
    return answer["result"]


async def test_every_update_conforms_to_the_telegram_specification(sim: Simulator) -> None:
    anna = sim.customer("Anna")
    anna.person.username = "anna_a"
    message = await anna.says("/start see https://example.org #x a@b.org @somebody")
    await call(
        sim,
        "sendMessage",
        chat_id=anna.id,
        text="q",
        reply_markup={"inline_keyboard": [[{"text": "Done", "callback_data": "d"}]]},
    )
    await anna.presses("Done")
    await anna.edits(message, "edited")
    await anna.says("as I said", reply_to=message)
    for send in (
        anna.sends_photo,
        anna.sends_album,
        anna.sends_voice,
        anna.sends_document,
        anna.sends_video,
        anna.sends_video_note,
        anna.sends_audio,
        anna.sends_animation,
        anna.sends_sticker,
        anna.sends_location,
        anna.sends_contact,
    ):
        await send()
    group = sim.group("Flat 12", anna)
    await group.says(anna, "hello")
    anna.blocks()
    anna.unblocks()
    updates = await call(sim, "getUpdates")
    assert len(updates) == 21
    for update in updates:
        check_type(update, "Update")
    kinds = {key for update in updates for key in update} - {"update_id"}
    assert kinds == {"message", "edited_message", "callback_query", "my_chat_member"}


async def test_every_answer_has_the_type_of_its_method(sim: Simulator) -> None:
    anna = sim.customer("Anna")
    await anna.sends_document()
    message = (await call(sim, "getUpdates"))[0]["message"]
    check_type(await call(sim, "getMe"), "User")
    sent = await call(
        sim,
        "sendMessage",
        chat_id=anna.id,
        text="x",
        entities=[{"type": "bold", "offset": 0, "length": 1}],
        reply_parameters={"message_id": message["message_id"]},
    )
    check_type(sent, "Message")
    check_type(
        await call(sim, "editMessageText", chat_id=anna.id, message_id=sent["message_id"], text="y"),
        "Message",
    )
    check_type(await call(sim, "getChat", chat_id=anna.id), "ChatFullInfo")
    check_type(await call(sim, "getChatMember", chat_id=anna.id, user_id=anna.id), "ChatMember")
    check_type(await call(sim, "getFile", file_id=message["document"]["file_id"]), "File")
    check_type(await call(sim, "getWebhookInfo"), "WebhookInfo")
    check_type(
        await call(
            sim, "sendDocument", chat_id=anna.id, document=message["document"]["file_id"], caption="c"
        ),
        "Message",
    )
    check_type(await call(sim, "getMyDescription"), "BotDescription")


def test_the_type_check_detects_unknown_and_missing_fields() -> None:
    with pytest.raises(BadField, match="colour"):
        check_type(
            {
                "update_id": 1,
                "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "colour": 1},
            },
            "Update",
        )
    with pytest.raises(BadField, match="date"):
        check_type(
            {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "private"}}}, "Update"
        )


def unknown_keys(value: Any, shape: Any, path: str = "") -> list[str]:
    """Paths in the value that the contract's shape does not have. A shape of null accepts anything."""
    if shape is None or value is None:
        return []
    if isinstance(value, list):
        return [
            path_of_key
            for item in value
            for path_of_key in unknown_keys(item, shape[0] if isinstance(shape, list) else shape, path)
        ]
    if not isinstance(value, dict):
        return []
    paths = [f"{path}/{key}" for key in value if key not in shape]
    return paths + [
        f for key in value if key in shape for f in unknown_keys(value[key], shape[key], f"{path}/{key}")
    ]


# The recorded shapes leave out a view's blocks. Another SDK also recorded response_urls in submissions.
ALLOWED_PREFIXES = ("/view/blocks", "/response_urls")


async def test_every_slack_payload_has_only_known_keys(sim: Simulator) -> None:
    envelopes: list[Json] = []
    view = {
        "type": "modal",
        "callback_id": "v",
        "title": {"type": "plain_text", "text": "T"},
        "notify_on_close": True,
        "submit": {"type": "plain_text", "text": "S"},
        "blocks": [
            {
                "type": "input",
                "block_id": "t",
                "label": {"type": "plain_text", "text": "L"},
                "optional": True,
                "element": {"type": "plain_text_input", "action_id": "value"},
            },
            {
                "type": "actions",
                "block_id": "m",
                "elements": [
                    {"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}}
                ],
            },
        ],
    }
    blocks = [
        {
            "type": "actions",
            "block_id": "a",
            "elements": [
                {
                    "type": "button",
                    "action_id": "b",
                    "value": "1",
                    "style": "primary",
                    "text": {"type": "plain_text", "text": "Go"},
                },
                {
                    "type": "static_select",
                    "action_id": "s",
                    "placeholder": {"type": "plain_text", "text": "More"},
                    "options": [{"text": {"type": "plain_text", "text": "One"}, "value": "1"}],
                },
            ],
        }
    ]
    async with httpx.AsyncClient(
        trust_env=False, headers={"Authorization": f"Bearer {sim.slack_app_token}"}
    ) as client:
        url = (await client.post(f"{sim.slack_url}apps.connections.open")).json()["url"]
        client.headers["Authorization"] = f"Bearer {sim.slack_bot_token}"

        async def api(method: str, **fields: Any) -> Json:
            answer: Json = (await client.post(f"{sim.slack_url}{method}", json=fields)).json()
            assert answer["ok"], answer
            return answer

        async with connect(url) as socket:
            hello = json.loads(await socket.recv())
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)

            async def acknowledge() -> None:
                async for frame in socket:
                    envelope = json.loads(frame)
                    envelopes.append(envelope)
                    await socket.send(json.dumps({"envelope_id": envelope["envelope_id"]}))

            reading = asyncio.create_task(acknowledge())
            alice = sim.staff("U0000001")
            await api(
                "chat.postMessage",
                channel="C0000001",
                text="x",
                blocks=blocks,
                metadata={"event_type": "k", "event_payload": {}},
            )
            card = alice.channel("C0000001").cards[0]
            await alice.presses(card, "Go")
            await alice.chooses(card, "More", "One")
            await api("views.open", trigger_id=envelopes[0]["payload"]["trigger_id"], view=view)
            opened = await alice.opened("T")
            await alice.presses(opened, "More")
            await alice.fills(t="x")
            await alice.submits()
            await api("views.open", trigger_id=envelopes[1]["payload"]["trigger_id"], view=view)
            await alice.closes()
            await alice.runs("/complaints help")
            await alice.shortcut("log_complaint")
            await alice.message_shortcut("log_from_message", card)
            await alice.says("C0000001", "hello", thread=card)
            await alice.opens_home()
            await sim.staff("U0000005").joins("C0000002")
            await sim.until(lambda: len(envelopes) == 11)
            reading.cancel()
    kinds = []
    for envelope in envelopes:
        assert set(envelope) - {"retry_attempt", "retry_reason"} == {
            "envelope_id",
            "payload",
            "type",
            "accepts_response_payload",
        }
        payload = envelope["payload"]
        if envelope["type"] == "events_api":
            kind, shape = payload["event"]["type"], load_contract()["events"][payload["event"]["type"]]
        else:
            kind = payload.get("type", "slash_commands")
            shape = load_contract()["payloads"][kind]
        kinds.append(kind)
        assert [key for key in unknown_keys(payload, shape) if not key.startswith(ALLOWED_PREFIXES)] == [], (
            kind
        )
    assert sorted(set(kinds)) == sorted(
        {
            "block_actions",
            "view_submission",
            "view_closed",
            "slash_commands",
            "shortcut",
            "message_action",
            "message",
            "app_home_opened",
            "member_joined_channel",
        }
    )


def test_the_contract_is_small_and_names_its_sources() -> None:
    assert load_contract()["licence"].startswith("MIT")
    assert len(load_contract()["sources"]) == 3
