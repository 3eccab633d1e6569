"""The connection to Slack: address and proxy, roles of staff, an unresponsive Socket Mode, HTTP with signatures.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.routing import Route

from bots.slack.app import build_app
from bots.slack.client import connection
from bots.slack.client.client import make_client, proxy_for
from bots.slack.context import SlackContext, StaffChannels
from bots.slack.staff_sync import sync_staff
from complaints.vocabulary import Role
from simulator import ChannelSetup, Simulator, Workspace, example_workspace
from store.people.staff import list_members, load_actor
from store.rulebooks import use_rulebook
from store.store import Store
from tests.edges.slack_office import ALICE, BURAK, MONA, letter, read_out_text
from tests.rules.slack_cases import RULES, voice


@pytest.fixture
def desk(usual_store: Store) -> SlackContext:
    usual_store.write(use_rulebook, RULES)
    return SlackContext(
        usual_store, voice(), StaffChannels("C0000001", "C0000002", "C0000003"), letter, read_out_text
    )


def test_localhost_and_no_proxy_hosts_are_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")

    assert make_client("xoxb-1", "http://127.0.0.1:8410/api/").proxy is None
    assert make_client("xoxb-1", "http://localhost:8410/api/", proxy="http://own.example").proxy is None
    assert make_client("xoxb-1", "https://inside.example/api/").proxy is None
    assert make_client("xoxb-1", "https://slack.com/api/").proxy == "http://proxy.example:3128"
    assert proxy_for("https://slack.com/api/", "http://own.example") == "http://own.example"


def test_the_client_does_not_retry() -> None:
    assert make_client("xoxb-1", "https://slack.com/api/").retry_handlers == []


@pytest.mark.on_both
async def test_roles_are_assigned_by_member_and_by_channel(desk: SlackContext) -> None:
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        roles = {Role.HANDLER: (ALICE,), Role.MANAGER: ("C0000002",)}
        synced = await sync_staff(client, desk, roles, on_call=(MONA,))

    roles_by_id = {member.id: member.roles for member in desk.store.read(list_members)}
    assert roles_by_id[ALICE] == {Role.HANDLER}
    assert roles_by_id[MONA] == {Role.MANAGER, Role.ON_CALL}
    assert "U0000003" in roles_by_id
    assert synced.problems == ()


async def test_a_role_source_that_cannot_be_read_is_reported_and_gives_no_role(desk: SlackContext) -> None:
    people, channels = example_workspace().people, example_workspace().channels
    hidden = ChannelSetup("C0000009", "hidden", (BURAK,), private=True, bot_in=False)
    async with Simulator(workspace=Workspace(people=people, channels=(*channels, hidden))) as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        await sync_staff(client, desk, {Role.HANDLER: (BURAK, ALICE)})
        roles = {Role.HANDLER: ("C0000009", "S0000001", "U9999999", ALICE)}
        synced = await sync_staff(client, desk, roles)

    assert desk.store.read(load_actor, BURAK).roles == frozenset()
    assert desk.store.read(load_actor, ALICE).roles == {Role.HANDLER}
    assert [problem.split(":")[0] for problem in synced.problems] == ["C0000009", "S0000001", "U9999999"]


async def test_roles_are_kept_during_an_outage_of_slack(desk: SlackContext) -> None:
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        await sync_staff(client, desk, {Role.HANDLER: (ALICE,)})
        sim.fail_next("users.info", error="internal_error")
        with pytest.raises(SlackApiError):
            await sync_staff(client, desk, {Role.HANDLER: (ALICE,)})

    assert desk.store.read(load_actor, ALICE).roles == {Role.HANDLER}


async def test_guests_have_no_role(desk: SlackContext) -> None:
    async with Simulator() as sim:
        sim.staff(ALICE).member.guest = True
        client = make_client(sim.slack_bot_token, sim.slack_url)
        synced = await sync_staff(client, desk, {Role.HANDLER: (ALICE,)})

    assert desk.store.read(list_members) == []
    assert len(synced.problems) == 1


async def test_a_wrong_token_fails_at_the_start(desk: SlackContext) -> None:
    async with Simulator() as sim:
        with pytest.raises(SlackApiError):
            await build_app(desk, make_client("xoxb-wrong", sim.slack_url))


async def test_a_dropped_socket_reconnects_and_an_unresponsive_one_is_reported(desk: SlackContext) -> None:
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        app = await build_app(desk, client)
        handler = await connection.connect(app, sim.slack_app_token, ping_interval=0.2)
        before = await connection.is_healthy(handler)
        await sim.disconnect_sockets()
        await sim.until(lambda: bool(sim.world.slack.open_connections), timeout=10)
        sim.trouble.slack_down = True
        await sim.disconnect_sockets()
        try:
            with pytest.raises(connection.SlackUnresponsive):
                await asyncio.wait_for(connection.watch(handler, silence_limit=0.4), 20)
        finally:
            sim.trouble.slack_down = False
            await connection.close(handler)

    assert before


def signed_headers(secret: str, body: str, at: int) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": str(at),
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/json",
    }


async def test_over_http_only_recent_signed_requests_are_accepted(desk: SlackContext) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c1", "token": "t"})
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        app = await build_app(desk, client, signing_secret="s1")
        route = Route(connection.PATH, connection.http_handler(app), methods=["POST"])
        transport = httpx.ASGITransport(app=Starlette(routes=[route]))
        async with httpx.AsyncClient(transport=transport, base_url="http://amends") as caller:

            async def status(headers: dict[str, str]) -> int:
                answer: Any = await caller.post(connection.PATH, content=body, headers=headers)
                return int(answer.status_code)

            now = int(time.time())
            good = await status(signed_headers("s1", body, now))
            wrong = await status(signed_headers("s2", body, now))
            old = await status(signed_headers("s1", body, now - 600))
            unsigned = await status({"Content-Type": "application/json"})

    assert (good, wrong, old, unsigned) == (200, 401, 401, 401)


async def _post_signed(desk: SlackContext, body: str, kind: str = "application/json") -> int:
    """Post this signed body over HTTP and return the status that Slack gets."""
    async with Simulator() as sim:
        app = await build_app(desk, make_client(sim.slack_bot_token, sim.slack_url), signing_secret="s1")
        route = Route(connection.PATH, connection.http_handler(app), methods=["POST"])
        transport = httpx.ASGITransport(app=Starlette(routes=[route]))
        async with httpx.AsyncClient(transport=transport, base_url="http://amends") as caller:
            headers = {**signed_headers("s1", body, int(time.time())), "Content-Type": kind}
            return (await caller.post(connection.PATH, content=body, headers=headers)).status_code


@pytest.mark.parametrize("kind", ["message", "reaction_added", "member_left_channel", "tokens_revoked"])
async def test_events_that_need_no_action_are_acknowledged(desk: SlackContext, kind: str) -> None:
    event = {"type": kind, "user": "U0000001", "channel": "C0000001", "event_ts": "1.1"}
    wrapped = {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event_id": "E1",
        "event": event,
    }

    assert await _post_signed(desk, json.dumps(wrapped)) == 200


@pytest.mark.parametrize(("kind", "status"), [("block_actions", 200), ("view_submission", 404)])
async def test_a_button_of_another_release_is_acknowledged_and_a_form_of_one_stays_open(
    desk: SlackContext, kind: str, status: int
) -> None:
    action = {"type": "button", "action_id": "of_another", "block_id": "b", "value": "x", "action_ts": "1.1"}
    view = {"id": "V1", "type": "modal", "callback_id": "of_another", "state": {"values": {}}}
    payload = {
        "type": kind,
        "team": {"id": "T1"},
        "user": {"id": "U0000001"},
        "api_app_id": "A1",
        "trigger_id": "1.2.a",
        **({"actions": [action]} if kind == "block_actions" else {"view": view}),
    }
    body = urlencode({"payload": json.dumps(payload)})

    assert await _post_signed(desk, body, "application/x-www-form-urlencoded") == status


async def test_a_member_named_in_the_settings_has_the_role_even_if_slack_refuses_to_look_them_up(
    desk: SlackContext,
) -> None:
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        sim.fail_next("users.info", status=404, times=20)
        synced = await sync_staff(client, desk, {Role.HANDLER: (ALICE,), Role.MANAGER: ("C0000002",)})

    assert desk.store.read(load_actor, ALICE).roles == {Role.HANDLER}
    # Slack alone knows who is in a channel: without its answer the channel has no members.
    assert [member.id for member in desk.store.read(list_members)] == [ALICE]
    assert any(problem.startswith(ALICE) for problem in synced.problems)


async def test_a_stored_name_is_kept_when_a_look_up_fails(desk: SlackContext) -> None:
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        await sync_staff(client, desk, {Role.HANDLER: (ALICE,)})
        before = desk.store.read(list_members)
        sim.fail_next("users.info", error="unknown_method")
        await sync_staff(client, desk, {Role.HANDLER: (ALICE,)})

    assert [member.name for member in desk.store.read(list_members)] == [member.name for member in before]
