"""The page's API as described in docs/simulator.md."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from simulator import Limits, Simulator
from simulator.app import start
from simulator.slack.mrkdwn import runs

Json = dict[str, Any]
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


class HandClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = NOON
        self.due: tuple[str, datetime] | None = ("acknowledgement", NOON + timedelta(hours=5))

    def now(self) -> datetime:
        return self.at

    def next_due(self) -> tuple[str, datetime] | None:
        return self.due

    async def advance(self, by: timedelta) -> None:
        self.at += by

    async def to_next_due(self) -> None:
        if self.due:
            self.at, self.due = self.due[1], None


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(clock=HandClock(), limits=Limits(ack_seconds=2)) as running:
        yield running


class Page:
    """The page's requests."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def does(self, path: str, **body: Any) -> Json:
        answer = await self.client.post(f"/page/{path}", json=body)
        answer_body: Json = answer.json()
        assert answer.status_code == 200, answer_body
        return answer_body

    async def refused(self, path: str, **body: Any) -> tuple[int, str]:
        answer = await self.client.post(f"/page/{path}", json=body)
        return answer.status_code, answer.json()["error"]

    async def state(self, **params: Any) -> Json:
        body: Json = (await self.client.get("/page/state", params=params)).json()
        return body


@pytest.fixture
async def page(sim: Simulator) -> AsyncIterator[Page]:
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        yield Page(client)


@pytest.fixture
async def web(sim: Simulator) -> AsyncWebClient:
    return AsyncWebClient(sim.slack_bot_token, base_url=sim.slack_url)


async def test_a_customer_is_added_and_writes(sim: Simulator, page: Page) -> None:
    number = (await page.does("customers", name="Ayşe", language="tr"))["id"]
    message = (await page.does(f"customers/{number}/text", text="Merhaba 😀"))["message"]
    await page.does(f"customers/{number}/edit", message=message, text="Merhaba")
    await page.does(f"customers/{number}/voice", seconds=3)
    await page.does(f"customers/{number}/photo", count=2, caption="iki")
    await page.does(f"customers/{number}/location", latitude=41.0, longitude=29.0)
    await page.does(f"customers/{number}/contact", name="Can", phone="+90")
    await page.client.post(
        f"/page/customers/{number}/files",
        data={"kind": "document", "caption": "fatura"},
        files=[("file", ("fatura ü.pdf", b"%PDF-1.4\r\n\r\n--x", "application/pdf"))],
    )
    state = await page.state(customer=number)
    messages = state["chat"]["messages"]
    assert [m["kind"] for m in messages] == [
        "text",
        "voice",
        "photo",
        "photo",
        "location",
        "contact",
        "document",
    ]
    assert (messages[0]["text"], messages[0]["edited"], messages[0]["earlier"]) == (
        "Merhaba",
        True,
        ["Merhaba 😀"],
    )
    assert messages[2]["album"] == messages[3]["album"] is not None
    assert (messages[1]["file"]["seconds"], messages[1]["file"]["mime"]) == (3, "audio/ogg")
    assert messages[6]["file"]["name"] == "fatura ü.pdf"
    served = await page.client.get(messages[6]["file"]["url"])
    assert (served.content, served.headers["content-type"]) == (b"%PDF-1.4\r\n\r\n--x", "application/pdf")
    assert state["lines"]["updates_waiting"] == 8
    assert messages[0]["at"] == "2026-11-03T12:00:00.000Z"


async def test_the_phone_shows_the_bots_message_as_formatted_runs_and_keys(
    sim: Simulator, page: Page
) -> None:
    anna = sim.customer("Anna", met=True)
    await page.client.post(
        f"/bot{sim.bot_token}/sendMessage",
        json={
            "chat_id": anna.id,
            "text": "Hi Anna B, see",
            "entities": [
                {"type": "bold", "offset": 3, "length": 6},
                {"type": "italic", "offset": 8, "length": 1},
                {"type": "text_link", "offset": 11, "length": 3, "url": "https://x.org"},
            ],
            "reply_markup": {
                "inline_keyboard": [
                    [{"text": "Done", "callback_data": "d"}, {"text": "Site", "url": "https://x.org"}]
                ]
            },
        },
    )
    state = await page.state(customer=anna.id)
    (message,) = state["chat"]["messages"]
    assert [(r["text"], r["marks"], r["url"]) for r in message["runs"]] == [
        ("Hi ", [], None),
        ("Anna ", ["bold"], None),
        ("B", ["bold", "italic"], None),
        (", ", [], None),
        ("see", [], "https://x.org"),
    ]
    assert [key["text"] for key in message["keyboard"][0]] == ["Done", "Site"]
    assert state["customers"][0]["unread"] == 1
    await page.does(f"customers/{anna.id}/press", message=message["id"], text="Done")
    await page.does(f"customers/{anna.id}/read")
    state = await page.state(customer=anna.id)
    assert state["chat"]["messages"][0]["keyboard"][0][0]["pressed"] is True
    assert state["customers"][0]["unread"] == 0
    assert (await page.refused(f"customers/{anna.id}/press", message=message["id"], data="other"))[0] == 409


async def test_a_blocked_bot_cannot_be_written_to(sim: Simulator, page: Page) -> None:
    anna = sim.customer("Anna")
    await page.does(f"customers/{anna.id}/block", blocked=True)
    assert await page.refused(f"customers/{anna.id}/text", text="x") == (
        409,
        "The bot is blocked: unblock it to write.",
    )
    assert (await page.refused("customers/1/text", text="x"))[0] == 404
    assert (await page.refused(f"customers/{anna.id}/sing"))[0] == 404


async def test_staff_open_fill_and_submit_forms_in_the_page(
    sim: Simulator, page: Page, web: AsyncWebClient
) -> None:
    view = {
        "type": "modal",
        "callback_id": "assess",
        "title": {"type": "plain_text", "text": "Assess"},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*They said* <@U0000002> :warning:"}},
            {
                "type": "input",
                "block_id": "owner",
                "label": {"type": "plain_text", "text": "Owner"},
                "element": {"type": "users_select", "action_id": "value"},
            },
        ],
    }
    app = AsyncApp(client=web)
    saved: list[Json] = []

    @app.action("case.assess")
    async def assess(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("assess")
    async def save(ack: Any, view: Json) -> None:
        saved.append(view["state"]["values"])
        await ack()

    @app.command("/complaints")
    async def command(ack: Any) -> None:
        await ack("none")

    handler = AsyncSocketModeHandler(app, sim.slack_app_token)
    await handler.connect_async()
    await web.chat_postMessage(
        channel="C0000001",
        text="A7K",
        blocks=[
            {"type": "section", "text": {"type": "mrkdwn", "text": "*A7K*"}},
            {
                "type": "actions",
                "block_id": "a",
                "elements": [
                    {
                        "type": "button",
                        "action_id": "case.assess",
                        "value": "A7K",
                        "text": {"type": "plain_text", "text": "Assess"},
                    }
                ],
            },
        ],
    )
    state = await page.state(staff="U0000001", channel="C0000001")
    assert [c["id"] for c in state["workspace"]["channels"]] == ["C0000001"]
    assert [m["unread"] for m in state["staff"]] == [1, 1, 1, 1, 1, 1]
    (post,) = state["workspace"]["open"]["messages"]
    assert post["blocks"][0]["text"]["runs"] == [
        {"text": "A7K", "marks": ["bold"], "url": None, "mention": None}
    ]
    await page.does(
        "staff/U0000001/press",
        channel="C0000001",
        ts=post["ts"],
        block_id="a",
        action_id="case.assess",
        value="A7K",
    )
    alice = sim.staff("U0000001")
    await alice.opened("Assess")
    (view_state,) = (await page.state(staff="U0000001"))["workspace"]["views"]
    assert (view_state["title"], view_state["submit"], view_state["close"]) == ("Assess", "Save", "Cancel")
    assert [r["text"] for r in view_state["blocks"][0]["text"]["runs"]] == ["They said", " ", "@Mona", " ⚠️"]
    assert {"id": "U0000002", "name": "Mona"} in view_state["blocks"][1]["element"]["people"]
    refused = await page.does("staff/U0000001/submit", view_id=view_state["id"], values={})
    assert (refused["sent"], list(refused["errors"])) == (False, ["owner"])
    await page.does("staff/U0000001/submit", view_id=view_state["id"], values={"owner": "U0000005"})
    await sim.until(lambda: alice.modal is None)
    assert saved[0]["owner"]["value"] == {"type": "users_select", "selected_user": "U0000005"}
    await page.does("staff/U0000001/command", text="/complaints mine", channel="C0000001")
    await page.does("staff/U0000001/say", text="done", channel="C0000001", thread_ts=post["ts"])
    await sim.until(lambda: alice.ephemerals)
    await page.does("staff/U0000001/read", channel="C0000001")
    state = await page.state(staff="U0000001", channel="C0000001", thread=post["ts"])
    opened = state["workspace"]["open"]
    assert [m["text"] for m in opened["thread"]["messages"]] == ["A7K", "done"]
    assert [m["ephemeral"] for m in opened["messages"]] == [False, True]
    assert state["staff"][0]["unread"] == 0
    await page.does("staff/U0000001/dismiss", ts=opened["messages"][1]["ts"])
    assert len((await page.state(staff="U0000001", channel="C0000001"))["workspace"]["open"]["messages"]) == 1
    assert (await page.refused("staff/U0000001/say", text="x", channel="C0000002"))[0] == 409
    await handler.close_async()


async def test_the_page_moves_the_clock(sim: Simulator, page: Page) -> None:
    clock = (await page.client.get("/page/clock")).json()
    assert clock == {
        "now": "2026-11-03T12:00:00.000Z",
        "movable": True,
        "zone": None,
        "next_due": {"label": "acknowledgement", "at": "2026-11-03T17:00:00.000Z"},
    }
    assert (await page.does("clock", advance_seconds=3600))["now"] == "2026-11-03T13:00:00.000Z"
    moved = await page.does("clock", to="next_due")
    assert (moved["now"], moved["next_due"]) == ("2026-11-03T17:00:00.000Z", None)
    assert (await page.refused("clock", advance_seconds=-1))[0] == 409


async def test_real_time_cannot_be_moved() -> None:
    async with Simulator() as sim, httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        assert (await client.get("/page/clock")).json()["movable"] is False
        assert (await client.post("/page/clock", json={"advance_seconds": 5})).status_code == 409


async def test_outages_of_the_platforms_are_switched_separately(sim: Simulator, page: Page) -> None:
    await page.does("trouble", telegram_down=True)
    assert (await page.state())["trouble"] == {"telegram_down": True, "slack_down": False}
    await page.does("trouble", slack_down=True)
    await page.does("trouble", telegram_down=False)
    assert (await page.state())["trouble"] == {"telegram_down": False, "slack_down": True}


async def test_changes_are_streamed_as_events(sim: Simulator, page: Page) -> None:
    versions = []
    async with page.client.stream("GET", "/page/events") as events:
        async for line in events.aiter_lines():
            if line.startswith("data: "):
                versions.append(json.loads(line.removeprefix("data: "))["version"])
                if len(versions) == 2:
                    break
                sim.customer("Anna")
    assert versions[1] > versions[0]


async def test_remembered_messages_are_shown_but_not_sent(
    sim: Simulator, page: Page, web: AsyncWebClient
) -> None:
    anna = sim.customer("Anna", number=5000777)
    anna.remembers("My bill is wrong", from_bot=False, at=NOON - timedelta(days=3))
    anna.remembers("Your reference is A7K", from_bot=True, at=NOON - timedelta(days=3))
    sim.remember_post("C0000001", "1793440800.000100", "A7K", blocks=[{"type": "divider"}])
    await web.chat_update(channel="C0000001", ts="1793440800.000100", text="B")
    state = await page.state(customer=5000777, staff="U0000001", channel="C0000001")
    assert state["lines"]["updates_waiting"] == 0
    assert [m["text"] for m in state["chat"]["messages"]] == ["My bill is wrong", "Your reference is A7K"]
    assert [m["text"] for m in state["workspace"]["open"]["messages"]] == ["B"]


def test_mrkdwn_is_split_into_formatted_runs() -> None:
    split = runs(
        "*a _b_* `c*d*` <https://x.org|site> &lt;i&gt;\n&gt; said <!here> 2*3*4", lambda number: number
    )
    assert [(r["text"], r["marks"], r["url"]) for r in split] == [
        ("a ", ["bold"], None),
        ("b", ["bold", "italic"], None),
        (" ", [], None),
        ("c*d*", ["code"], None),
        (" ", [], None),
        ("site", [], "https://x.org"),
        (" <i>", [], None),
        ("\n", [], None),
        ("said ", ["quote"], None),
        ("@here", ["quote"], None),
        (" 2*3*4", ["quote"], None),
    ]


def test_the_simulator_runs_as_a_separate_process() -> None:
    with start() as addresses:
        answer = httpx.get(
            f"{addresses['telegram_url']}/bot{addresses['bot_token']}/getMe", trust_env=False
        ).json()
    assert answer["result"]["is_bot"] is True


async def test_two_simulators_share_no_state() -> None:
    async with Simulator() as first, Simulator() as second:
        first.customer("Anna")
        assert (len(first.world.telegram.people), len(second.world.telegram.people)) == (1, 0)


def test_every_action_of_the_page_is_documented() -> None:
    root = Path(__file__).parents[3]
    documentation = (root / "docs" / "simulator.md").read_text()
    acts = set()
    for module in ("phone.py", "desk.py"):
        acts |= set(
            re.findall(r'case "(\w+)"(?: \| "(\w+)")?', (root / "simulator" / "page" / module).read_text())
        )
    for pair in acts:
        for act in filter(None, pair):
            assert f"…/{act}`" in documentation or f"/{act}`" in documentation, act
