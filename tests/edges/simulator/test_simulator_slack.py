"""The simulated Slack against the real slack_sdk and slack_bolt over Socket Mode and HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from simulator import Limits, SimulatedRateLimit, Simulator
from simulator.screen import FormRefused, NotAcknowledged, NotVisible
from simulator.slack.people import SlackImpossible

Json = dict[str, Any]


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(label: str, action_id: str, value: str = "A7K-M3Q-9T") -> Json:
    return {"type": "button", "text": words(label), "action_id": action_id, "value": value}


def card(draw: int = 1) -> list[Json]:
    options = [
        {"text": words("Reply"), "value": "case.reply:A7K"},
        {"text": words("Note"), "value": "case.note:A7K"},
    ]
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*A7K-M3Q-9T* P3 &amp; new"}},
        {
            "type": "actions",
            "block_id": f"actions:1.{draw}",
            "elements": [
                button("Assess", "case.assess"),
                {
                    "type": "static_select",
                    "action_id": "case.more",
                    "placeholder": words("More"),
                    "options": options,
                },
            ],
        },
    ]


def asking(label: str, block_id: str, element: Json, *, optional: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": words(label),
        "optional": optional,
        "element": {"action_id": "value", **element},
    }


def modal(callback_id: str = "assess", *blocks: Json, **more: Any) -> Json:
    fields = blocks or (asking("Words", "text", {"type": "plain_text_input"}),)
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": words(callback_id.title()),
        "submit": words("Save"),
        "close": words("Back"),
        "blocks": list(fields),
        **more,
    }


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(limits=Limits(ack_seconds=1, redelivery_seconds=(0.0, 0.05))) as running:
        yield running


@pytest.fixture
def client(sim: Simulator) -> AsyncWebClient:
    return AsyncWebClient(sim.slack_bot_token, base_url=sim.slack_url)


@pytest.fixture
async def app(sim: Simulator, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A Bolt app in Socket Mode; a test adds its listeners."""
    bolt_app = AsyncApp(client=client)
    handler = AsyncSocketModeHandler(bolt_app, sim.slack_app_token)
    await handler.connect_async()
    await sim.until(lambda: sim.world.slack.open_connections == 1)
    yield bolt_app
    await handler.close_async()


async def refusal(call: Any) -> tuple[str, list[str]]:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"], refused.value.response.get("response_metadata", {}).get(
        "messages", []
    )


async def test_a_card_is_posted_updated_and_deleted(sim: Simulator, client: AsyncWebClient) -> None:
    channel = sim.staff("U0000001").channel("C0000001")
    posted = await client.chat_postMessage(channel="C0000001", text="A7K", blocks=card())
    (posted_card,) = channel.cards
    assert (posted_card.text, posted_card.buttons, posted_card.options("More")) == (
        "*A7K-M3Q-9T* P3 & new",
        ["Assess"],
        ["Reply", "Note"],
    )
    await client.chat_postMessage(channel="C0000001", text="taken", thread_ts=posted["ts"])
    assert [reply.text for reply in posted_card.thread] == ["taken"]
    await client.chat_update(channel="C0000001", ts=posted["ts"], text="B", blocks=[{"type": "divider"}])
    assert posted_card.plain_text == "B"
    await client.chat_delete(channel="C0000001", ts=posted["ts"])
    assert posted_card.gone
    assert await refusal(client.chat_update(channel="C0000001", ts=posted["ts"], text="C")) == (
        "message_not_found",
        [],
    )


async def test_an_update_without_blocks_keeps_them(sim: Simulator, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0000001", text="A7K", blocks=card())
    await client.chat_update(channel="C0000001", ts=posted["ts"], text="B")
    assert len(sim.staff("U0000001").channel("C0000001").cards) == 1
    await client.chat_update(channel="C0000001", ts=posted["ts"], text="B", blocks=[])
    assert sim.staff("U0000001").channel("C0000001").cards == []


async def test_metadata_is_returned_and_an_invalid_type_is_dropped_silently(client: AsyncWebClient) -> None:
    for kind in ("amends_post", "amends.post"):
        await client.chat_postMessage(
            channel="C0000001", text=kind, metadata={"event_type": kind, "event_payload": {"key": "card:A7K"}}
        )
    history = await client.conversations_history(channel="C0000001", include_all_metadata=True)
    assert [m.get("metadata", {}).get("event_payload") for m in history["messages"]] == [
        None,
        {"key": "card:A7K"},
    ]
    plain = await client.conversations_history(channel="C0000001")
    assert all("metadata" not in m for m in plain["messages"])


async def test_history_is_paged_newest_first_and_bounded_by_time(client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel="C0000001", text=str(n)))["ts"] for n in range(5)]
    first = await client.conversations_history(channel="C0000001", limit=3)
    assert [m["text"] for m in first["messages"]] == ["4", "3", "2"]
    rest = await client.conversations_history(
        channel="C0000001", limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert ([m["text"] for m in rest["messages"]], rest["has_more"]) == (["1", "0"], False)
    since = await client.conversations_history(channel="C0000001", oldest=stamps[2])
    assert [m["text"] for m in since["messages"]] == ["4", "3"]


async def test_a_press_opens_a_modal_and_its_input_is_submitted(
    sim: Simulator, app: AsyncApp, client: AsyncWebClient
) -> None:
    bodies: list[Json] = []

    @app.action("case.assess")
    async def assess(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        bodies.append(body)
        await client.views_open(trigger_id=body["trigger_id"], view=modal(private_metadata='{"ref":"A7K"}'))

    @app.view("assess")
    async def saved(ack: Any, body: Json) -> None:
        bodies.append(body)
        await ack()

    await client.chat_postMessage(channel="C0000001", text="A7K", blocks=card())
    alice = sim.staff("U0000001")
    await alice.presses(alice.channel("C0000001").cards[0], "Assess")
    opened = await alice.opened("Assess")
    assert (opened.labels, opened.private_metadata, opened.close_label) == (
        {"text": "Words"},
        '{"ref":"A7K"}',
        "Back",
    )
    with pytest.raises(FormRefused, match="complete this required field"):
        await alice.submits()
    await alice.fills(Words="All is clear")
    assert await alice.submits() is None
    press, submission = bodies
    assert press["actions"][0]["value"] == "A7K-M3Q-9T"
    assert press["actions"][0]["block_id"] == "actions:1.1"
    entered = submission["view"]["state"]["values"]
    assert entered == {"text": {"value": {"type": "plain_text_input", "value": "All is clear"}}}


async def test_submissions_may_push_update_clear_and_show_errors(sim: Simulator, app: AsyncApp) -> None:
    @app.shortcut("log_complaint")
    async def start(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal("one"))

    @app.view("one")
    async def submit_one(ack: Any, view: Json) -> None:
        text = view["state"]["values"]["text"]["value"]["value"]
        if text == "bad":
            await ack(response_action="errors", errors={"text": "Say more."})
        elif text == "other":
            await ack(
                response_action="update",
                view=modal("one", asking("Other", "other", {"type": "plain_text_input"})),
            )
        else:
            await ack(response_action="push", view=modal("two"))

    @app.view("two")
    async def submit_two(ack: Any) -> None:
        await ack(response_action="clear")

    alice = sim.staff("U0000001")
    await alice.shortcut("log_complaint")
    await alice.opened("One")
    await alice.fills(text="bad")
    with pytest.raises(FormRefused, match="Say more"):
        await alice.submits()
    refused_view = await alice.submits(expect_errors=True)
    assert refused_view is not None
    assert refused_view.errors == {"text": "Say more."}
    await alice.fills(text="go on")
    pushed = await alice.submits()
    assert pushed is not None
    assert (pushed.title, len(alice.member.views)) == ("Two", 2)
    await alice.closes()
    assert alice.modal is not None
    assert (alice.modal.title, alice.modal.values) == ("One", {"text": "go on"})
    await alice.submits()
    await alice.fills(text="x")
    assert await alice.submits() is None
    await alice.shortcut("log_complaint")
    await alice.opened("One")
    await alice.fills(text="other")
    updated = await alice.submits()
    assert updated is not None
    assert updated.labels == {"other": "Other"}


async def test_an_error_for_an_unknown_field_shows_a_connection_problem_in_the_modal(
    sim: Simulator, app: AsyncApp
) -> None:
    @app.shortcut("log_complaint")
    async def start(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal("one"))

    @app.view("one")
    async def submit_one(ack: Any) -> None:
        await ack(response_action="errors", errors={"nowhere": "x"})

    alice = sim.staff("U0000001")
    await alice.shortcut("log_complaint")
    await alice.opened("One")
    await alice.fills(text="x")
    with pytest.raises(NotAcknowledged, match="nowhere"):
        await alice.submits()
    assert alice.modal is not None
    assert alice.modal.notice == "We had some trouble connecting. Try again?"


async def test_an_unacknowledged_press_shows_a_connection_problem_and_is_not_repeated(
    sim: Simulator, app: AsyncApp, client: AsyncWebClient
) -> None:
    kinds: list[str] = []

    @app.action("case.assess")
    async def silent(body: Json) -> None:
        kinds.append(body["type"])

    await client.chat_postMessage(channel="C0000001", text="A7K", blocks=card())
    alice = sim.staff("U0000001")
    with pytest.raises(NotAcknowledged, match="trouble connecting"):
        await alice.presses(alice.channel("C0000001").cards[0], "Assess")
    assert kinds == ["block_actions"]


async def test_events_are_repeated_until_acknowledged(sim: Simulator, app: AsyncApp) -> None:
    ids: list[str] = []

    @app.event("app_home_opened")
    async def home(body: Json, client: AsyncWebClient) -> None:
        ids.append(body["event_id"])
        await client.views_publish(
            user_id=body["event"]["user"], view={"type": "home", "blocks": [{"type": "divider"}]}
        )

    alice = sim.staff("U0000001")
    sim.fail_next("events_api", how="lost")
    await alice.opens_home()
    await sim.until(lambda: alice.home)
    sim.fail_next("events_api", how="twice")
    await alice.opens_home()
    await sim.until(lambda: len(ids) == 3)
    assert ids[1] == ids[2] != ids[0]


async def test_the_same_menu_choice_is_sent_once_until_the_card_is_updated(
    sim: Simulator, app: AsyncApp, client: AsyncWebClient
) -> None:
    chosen: list[str] = []

    @app.action("case.more")
    async def more(ack: Any, body: Json) -> None:
        await ack()
        chosen.append(body["actions"][0]["selected_option"]["value"])

    posted = await client.chat_postMessage(channel="C0000001", text="A7K", blocks=card(1))
    alice = sim.staff("U0000001")
    menu_card = alice.channel("C0000001").cards[0]
    await alice.chooses(menu_card, "More", "Reply")
    with pytest.raises(SlackImpossible, match="chosen already"):
        await alice.chooses(menu_card, "More", "Reply")
    await client.chat_update(channel="C0000001", ts=posted["ts"], text="A7K", blocks=card(2))
    await alice.chooses(menu_card, "case.more", "case.reply:A7K")
    assert chosen == ["case.reply:A7K", "case.reply:A7K"]


async def test_a_button_in_a_modal_sends_the_input_and_an_update_keeps_it(
    sim: Simulator, app: AsyncApp
) -> None:
    states: list[Json] = []
    more = {"type": "actions", "block_id": "m", "elements": [button("More", "more")]}
    first = asking("First", "issues.0.finding", {"type": "plain_text_input"})

    @app.shortcut("log_complaint")
    async def start(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal("one", first, more))

    @app.action("more")
    async def add(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        states.append(body["view"]["state"]["values"])
        second = asking("Second", "issues.1.finding", {"type": "plain_text_input"}, optional=True)
        view, view_id, old = modal("one", first, second, more), body["view"]["id"], body["view"]["hash"]
        await client.views_update(view_id=view_id, hash=old, view=view)
        states.append(
            {"again": (await refusal(client.views_update(view_id=view_id, hash=old, view=view)))[0]}
        )

    alice = sim.staff("U0000001")
    await alice.shortcut("log_complaint")
    opened = await alice.opened("One")
    await alice.fills({"issues.0.finding": "upheld"})
    await alice.presses(opened, "More")
    await sim.until(lambda: len(states) == 2)
    assert states[0]["issues.0.finding"]["value"]["value"] == "upheld"
    assert states[1] == {"again": "hash_conflict"}
    assert opened.values == {"issues.0.finding": "upheld", "issues.1.finding": None}


async def test_a_trigger_is_valid_once_and_for_three_seconds(sim: Simulator, client: AsyncWebClient) -> None:
    times = [100.0]
    sim.world.monotonic = lambda: times[0]
    slack = sim.world.slack
    assert (await refusal(client.views_open(trigger_id="1.2.x", view=modal())))[0] == "invalid_trigger_id"
    late = slack.new_trigger("U0000001", times[0])
    times[0] += 3.1
    assert (await refusal(client.views_open(trigger_id=late, view=modal())))[0] == "expired_trigger_id"
    fresh = slack.new_trigger("U0000001", times[0])
    await client.views_open(trigger_id=fresh, view=modal())
    assert (await refusal(client.views_open(trigger_id=fresh, view=modal())))[0] == "exchanged_trigger_id"


async def test_at_most_three_views_are_stacked(sim: Simulator, client: AsyncWebClient) -> None:
    def trigger() -> str:
        return sim.world.slack.new_trigger("U0000001", sim.world.monotonic())

    await client.views_open(trigger_id=trigger(), view=modal("one"))
    two = await client.views_push(trigger_id=trigger(), view=modal("two"))
    three = await client.views_push(trigger_id=trigger(), view=modal("three"))
    assert three["view"]["previous_view_id"] == two["view"]["id"]
    assert (await refusal(client.views_push(trigger_id=trigger(), view=modal("four"))))[
        0
    ] == "push_limit_reached"


async def test_closing_a_view_is_notified_if_the_view_asks_for_it(
    sim: Simulator, app: AsyncApp, client: AsyncWebClient
) -> None:
    closed: list[tuple[str, bool]] = []

    @app.view_closed("one")
    async def on_close(ack: Any, body: Json) -> None:
        await ack()
        closed.append((body["view"]["callback_id"], body["is_cleared"]))

    trigger = sim.world.slack.new_trigger("U0000001", sim.world.monotonic())
    await client.views_open(trigger_id=trigger, view=modal("one", notify_on_close=True))
    alice = sim.staff("U0000001")
    await alice.closes()
    assert (closed, alice.modal) == ([("one", False)], None)


async def test_the_answer_to_a_command_is_visible_only_to_its_sender(sim: Simulator, app: AsyncApp) -> None:
    @app.command("/complaints")
    async def command(ack: Any, respond: Any, command: Json) -> None:
        await ack(f"You asked: {command['text']}")
        await respond("and later")

    alice = sim.staff("U0000001")
    await alice.runs("/complaints mine")
    await sim.until(lambda: len(alice.ephemerals) == 2)
    assert sorted(post.text for post in alice.ephemerals) == ["You asked: mine", "and later"]
    assert sim.staff("U0000002").ephemerals == []
    with pytest.raises(NotAcknowledged, match="not a valid command"):
        await alice.runs("/nothing")


async def test_messages_of_people_are_events_with_escaped_markup(
    sim: Simulator, app: AsyncApp, client: AsyncWebClient
) -> None:
    events: list[Json] = []

    @app.event("message")
    async def message(event: Json) -> None:
        events.append(event)

    posted = await client.chat_postMessage(channel="C0000001", text="A7K")
    alice = sim.staff("U0000001")
    thread = alice.channel("C0000001").posts[0]
    await alice.says("C0000001", "a <b> & c", thread=thread)
    await sim.until(lambda: events)
    assert (events[0]["text"], events[0]["thread_ts"], events[0]["user"]) == (
        "a &lt;b&gt; &amp; c",
        posted["ts"],
        "U0000001",
    )
    answer = await client.conversations_replies(channel="C0000001", ts=posted["ts"])
    assert [m["text"] for m in answer["messages"]] == ["A7K", "a &lt;b&gt; &amp; c"]


async def test_a_message_shortcut_contains_the_message(sim: Simulator, app: AsyncApp) -> None:
    texts: list[str] = []

    @app.shortcut("log_from_message")
    async def log(ack: Any, body: Json) -> None:
        await ack()
        texts.append(body["message"]["text"])

    alice = sim.staff("U0000001")
    message = await alice.says("C0000001", "a caller is angry")
    await alice.message_shortcut("log_from_message", message)
    assert texts == ["a caller is angry"]


async def test_private_channels_are_visible_only_to_their_members(
    sim: Simulator, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0000002", text="restricted")
    assert [post.text for post in sim.staff("U0000002").channel("C0000002").posts] == ["restricted"]
    with pytest.raises(NotVisible):
        sim.staff("U0000001").channel("C0000002")
    members = (await client.conversations_members(channel="C0000002"))["members"]
    assert members == ["U0000002", "U0000003", "U0000006", "U0000BOT"]


async def test_a_channel_without_the_app_is_refused(sim: Simulator, client: AsyncWebClient) -> None:
    channels = sim.world.slack.channels
    channels["C0000001"].bot_in = channels["C0000002"].bot_in = False
    assert (await refusal(client.chat_postMessage(channel="C0000001", text="x")))[0] == "not_in_channel"
    assert (await refusal(client.chat_postMessage(channel="C0000002", text="x")))[0] == "channel_not_found"
    assert (await refusal(client.chat_postMessage(channel="C9", text="x")))[0] == "channel_not_found"
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert [c["id"] for c in listed["channels"]] == ["C0000001", "C0000003"]


async def test_a_direct_message_with_a_file_is_delivered_and_deleted(
    sim: Simulator, client: AsyncWebClient
) -> None:
    alice = sim.staff("U0000001")
    place = (await client.conversations_open(users=alice.id))["channel"]["id"]
    await client.chat_postMessage(channel=alice.id, text="Danger")
    sent = await client.files_upload_v2(
        channel=place, content=b"picture", filename="a.jpg", initial_comment="Here"
    )
    assert [m.plain_text for m in alice.direct_messages] == ["Danger", "Here"]
    assert alice.files == [("a.jpg", b"picture")]
    await client.files_delete(file=sent["files"][0]["id"])
    assert alice.files == []
    assert (await refusal(client.files_delete(file=sent["files"][0]["id"])))[0] == "file_deleted"


async def test_an_ephemeral_message_is_visible_only_to_its_recipient(
    sim: Simulator, client: AsyncWebClient
) -> None:
    await client.chat_postEphemeral(channel="C0000001", user="U0000001", text="Not yours")
    assert [p.text for p in sim.staff("U0000001").ephemerals] == ["Not yours"]
    assert (await client.conversations_history(channel="C0000001"))["messages"] == []
    refused = await refusal(client.chat_postEphemeral(channel="C0000002", user="U0000001", text="x"))
    assert refused[0] == "user_not_in_channel"


async def test_tokens_scopes_and_plans_are_checked(sim: Simulator, client: AsyncWebClient) -> None:
    assert (await client.auth_test())["user_id"] == "U0000BOT"
    assert (await refusal(AsyncWebClient("xoxb-other", base_url=sim.slack_url).auth_test()))[
        0
    ] == "invalid_auth"
    assert (await refusal(AsyncWebClient("", base_url=sim.slack_url).auth_test()))[0] == "not_authed"
    assert (await refusal(client.apps_connections_open(app_token=sim.slack_bot_token)))[
        0
    ] == "not_allowed_token_type"
    assert (await refusal(client.conversations_join(channel="C0000001")))[0] == "missing_scope"
    assert (await refusal(client.usergroups_users_list(usergroup="S1")))[0] == "plan_upgrade_required"
    assert (await refusal(client.api_call("nothing.here")))[0] == "unknown_method"
    unknown = await refusal(
        client.api_call("chat.postMessage", json={"channel": "C0000001", "text": "x", "colour": "red"})
    )
    assert (unknown[0], "colour" in unknown[1][0]) == ("invalid_arguments", True)
    assert (await client.users_info(user="U0000001"))["user"]["is_restricted"] is False
    assert len((await client.users_list())["members"]) == 7


async def test_empty_and_overlong_texts_are_refused(client: AsyncWebClient) -> None:
    assert (await refusal(client.chat_postMessage(channel="C0000001", text="")))[0] == "no_text"
    assert (await refusal(client.chat_postMessage(channel="C0000001", text="x" * 40_001)))[
        0
    ] == "msg_too_long"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    error, messages = await refusal(client.chat_postMessage(channel="C0000001", text="x", blocks=blocks))
    assert error == "invalid_blocks"
    assert messages == ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]


async def test_rate_limits_and_requested_errors_are_returned(sim: Simulator, client: AsyncWebClient) -> None:
    sim.fail_next("chat.postMessage", error="ratelimited", retry_after=3)
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel="C0000001", text="x")
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "3")
    sim.fail_next("chat.postMessage", error="fatal_error")
    assert (await refusal(client.chat_postMessage(channel="C0000001", text="x")))[0] == "fatal_error"
    async with Simulator(limits=Limits(slack_rate_limit=SimulatedRateLimit(chat_burst=1))) as paced:
        other = AsyncWebClient(paced.slack_bot_token, base_url=paced.slack_url)
        await other.chat_postMessage(channel="C0000001", text="1")
        assert (await refusal(other.chat_postMessage(channel="C0000001", text="2")))[0] == "ratelimited"


async def test_a_connection_cut_after_the_post_keeps_the_post(sim: Simulator, client: AsyncWebClient) -> None:
    client.retry_handlers.clear()
    sim.fail_next("chat.postMessage", how="cut_after_accept")
    with pytest.raises(Exception, match=r"[Dd]isconnected|reset"):
        await client.chat_postMessage(channel="C0000001", text="posted, not told")
    assert [p.text for p in sim.staff("U0000001").channel("C0000001").posts] == ["posted, not told"]
    assert sim.calls("chat.postMessage")[0].answer["ok"] is True


async def test_an_outage_closes_sockets_and_the_app_reconnects(sim: Simulator, app: AsyncApp) -> None:
    @app.shortcut("log_complaint")
    async def start(ack: Any) -> None:
        await ack()

    alice = sim.staff("U0000001")
    sim.trouble.slack_down = True
    await sim.until(lambda: sim.world.slack.open_connections == 0)
    with pytest.raises(NotAcknowledged):
        await alice.shortcut("log_complaint")
    sim.trouble.slack_down = False
    await sim.until(lambda: sim.world.slack.open_connections == 1, timeout=30)
    await alice.shortcut("log_complaint")


async def test_a_dead_connection_loses_presses(sim: Simulator) -> None:
    sim.add_dead_socket()
    with pytest.raises(NotAcknowledged):
        await sim.staff("U0000001").shortcut("log_complaint")
    await sim.disconnect_sockets()
    assert sim.world.slack.open_connections == 0


async def test_a_press_on_a_broken_connection_fails_without_waiting() -> None:
    async with Simulator(limits=Limits(ack_seconds=600)) as sim:
        bolt_app = AsyncApp(client=AsyncWebClient(sim.slack_bot_token, base_url=sim.slack_url))
        handler = AsyncSocketModeHandler(bolt_app, sim.slack_app_token)

        @bolt_app.shortcut("log_complaint")
        async def dies() -> None:
            await handler.client.close()

        await handler.connect_async()
        await sim.until(lambda: sim.world.slack.open_connections == 1)
        with pytest.raises(NotAcknowledged):
            await sim.staff("U0000001").shortcut("log_complaint")


async def test_the_app_reconnects_after_a_refresh_request(sim: Simulator, app: AsyncApp) -> None:
    await sim.disconnect_sockets("refresh_requested")
    await sim.until(lambda: sim.world.slack.open_connections == 1, timeout=30)


async def test_http_mode_is_signed_and_gives_the_same_answers(sim: Simulator) -> None:
    bolt_app = AsyncApp(
        client=AsyncWebClient(sim.slack_bot_token, base_url=sim.slack_url),
        signing_secret=sim.slack_signing_secret,
    )

    @bolt_app.command("/complaints")
    async def command(ack: Any) -> None:
        await ack("over http")

    @bolt_app.shortcut("log_complaint")
    async def start(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal("one"))

    @bolt_app.view("one")
    async def submit_one(ack: Any) -> None:
        await ack(response_action="errors", errors={"text": "No."})

    @bolt_app.event("message")
    async def message(event: Json, say: Any) -> None:
        await say("heard")

    runner = web.AppRunner(bolt_app.web_app("/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sim.world.slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    alice = sim.staff("U0000001")
    await alice.runs("/complaints")
    assert [p.text for p in alice.ephemerals] == ["over http"]
    await alice.shortcut("log_complaint")
    await alice.opened("One")
    await alice.fills(text="x")
    with pytest.raises(FormRefused, match="No"):
        await alice.submits()
    await alice.says("C0000001", "hello")
    await sim.until(lambda: [p.plain_text for p in alice.channel("C0000001").posts] == ["hello", "heard"])
    sim.world.slack.signing_secret = "wrong"
    with pytest.raises(NotAcknowledged):
        await alice.shortcut("log_complaint")
    await runner.cleanup()


async def test_each_payload_goes_to_one_of_several_connections(
    sim: Simulator, client: AsyncWebClient
) -> None:
    numbers: list[int] = []

    def build_app(number: int) -> AsyncApp:
        app = AsyncApp(client=client)

        @app.shortcut("log_complaint")
        async def start(ack: Any) -> None:
            numbers.append(number)
            await ack()

        return app

    handlers = [AsyncSocketModeHandler(build_app(n), sim.slack_app_token) for n in range(2)]
    for handler in handlers:
        await handler.connect_async()
    await sim.until(lambda: sim.world.slack.open_connections == 2)
    alice = sim.staff("U0000001")
    await asyncio.gather(*(alice.shortcut("log_complaint") for _ in range(8)))
    assert (len(numbers), set(numbers) <= {0, 1}) == (8, True)
    for handler in handlers:
        await handler.close_async()
