"""Messages and files as the Web API and payloads show them.

Interaction and event payloads, shaped as Slack shapes them.
"""

from __future__ import annotations

import secrets
from typing import Any

from simulator.slack.block_kit import options_of
from simulator.slack.state import APP, BOT, BOT_USER, DOMAIN, TEAM, Channel, Member, Post, ResponseUrl, View
from simulator.world import World

Json = dict[str, Any]


def channel_name(channel: Channel) -> str:
    """What payloads call it; direct conversations and private channels have made-up names."""
    if channel.direct:
        return "directmessage"
    return "privategroup" if channel.private else channel.name


def message(world: World, post: Post, *, metadata: bool = False) -> Json:
    """A message as history and payloads show it."""
    if post.deleted:
        return {
            "type": "message",
            "subtype": "tombstone",
            "text": "This message was deleted.",
            "user": "USLACKBOT",
            "hidden": True,
            "ts": post.ts,
            "thread_ts": post.ts,
        }
    shown: Json = {"type": "message", "text": post.text, "user": post.author, "ts": post.ts, "team": TEAM}
    if post.by_bot:
        shown |= {"bot_id": BOT, "app_id": APP, "bot_profile": bot_profile()}
    if post.blocks:
        shown["blocks"] = post.blocks
    if post.thread_ts:
        shown["thread_ts"] = post.thread_ts
    if post.edited:
        shown["edited"] = {"user": BOT if post.by_bot else post.author, "ts": post.edited}
    if post.reactions:
        shown["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in post.reactions.items()]
    if post.files:
        shown["files"] = [file_object(world, number) for number in post.files]
    if metadata and post.metadata:
        shown["metadata"] = post.metadata
    return shown


def bot_profile() -> Json:
    """The app's face."""
    return {
        "id": BOT,
        "app_id": APP,
        "name": "Amends",
        "deleted": False,
        "updated": 1700000000,
        "team_id": TEAM,
        "icons": {"image_36": "", "image_48": "", "image_72": ""},
    }


def file_object(world: World, number: str) -> Json:
    """A file as the API shows it."""
    file = world.slack.files[number]
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    address = f"{world.url}/files/{file.id}/{file.name}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mime,
        "filetype": file.name.rpartition(".")[2] or "binary",
        "pretty_type": file.name.rpartition(".")[2].upper(),
        "user": BOT_USER,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "channels": [],
        "groups": [],
        "ims": file.channels,
        "has_rich_preview": False,
        "file_access": "visible",
    }


TOKEN = "simulated-verification"


def _who(member: Member) -> Json:
    return {"id": member.id, "username": member.handle, "name": member.handle, "team_id": TEAM}


def _envelope(kind: str, member: Member) -> Json:
    return {
        "type": kind,
        "user": _who(member),
        "api_app_id": APP,
        "token": TOKEN,
        "team": {"id": TEAM, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def response_url(world: World, member: Member, channel: str, post: str | None) -> str:
    """A new response_url for a press or command."""
    number = secrets.token_hex(12)
    world.slack.response_urls[number] = ResponseUrl(member.id, channel, post, world.monotonic())
    return f"{world.url}/hooks/{number}"


def action(element: Json, block_id: str, state: Json | None, now_ts: str) -> Json:
    """The entry of `actions`; `state` is what was chosen, None for a button."""
    sent: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": now_ts,
    }
    if element["type"] == "button":
        sent |= {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    elif state is not None:
        sent |= {key: value for key, value in state.items() if key != "type"}
        sent |= {
            key: element[key] for key in ("initial_option", "initial_user", "placeholder") if key in element
        }
    if "confirm" in element:
        sent["confirm"] = element["confirm"]
    return sent


def overflow_choice(element: Json, value: str) -> Json | None:
    """The state entry of an overflow menu's choice."""
    chosen = next((o for o in options_of(element) if value in (o["value"], o["text"]["text"])), None)
    return {"selected_option": chosen} if chosen else None


def message_action_press(
    world: World, member: Member, channel: Channel, post: Post, acted: Json, state: Json
) -> Json:
    """block_actions from a message."""
    ephemeral = post.only_for is not None
    container: Json = {
        "type": "message",
        "message_ts": post.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if post.thread_ts:
        container["thread_ts"] = post.thread_ts
    payload = _envelope("block_actions", member) | {
        "container": container,
        "trigger_id": world.slack.trigger(member.id, world.monotonic()),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": state},
        "response_url": response_url(world, member, channel.id, post.ts),
        "actions": [acted],
    }
    if not ephemeral:
        payload["message"] = message(world, post)
    return payload


def view_press(world: World, member: Member, view: View, acted: Json) -> Json:
    """block_actions from a modal or the home view."""
    return _envelope("block_actions", member) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": world.slack.trigger(member.id, world.monotonic()),
        "view": view.api(),
        "actions": [acted],
    }


def submission(world: World, member: Member, view: View) -> Json:
    """view_submission."""
    return _envelope("view_submission", member) | {
        "trigger_id": world.slack.trigger(member.id, world.monotonic()),
        "view": view.api(),
        "response_urls": [],
    }


def closed(member: Member, view: View, *, cleared: bool) -> Json:
    """view_closed."""
    return _envelope("view_closed", member) | {"view": view.api(), "is_cleared": cleared}


def shortcut(world: World, member: Member, callback_id: str) -> Json:
    """A global shortcut."""
    user = {key: value for key, value in _who(member).items() if key != "name"}
    return {
        "type": "shortcut",
        "token": TOKEN,
        "action_ts": world.slack.stamp(world.now()),
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": user,
        "is_enterprise_install": False,
        "enterprise": None,
        "callback_id": callback_id,
        "trigger_id": world.slack.trigger(member.id, world.monotonic()),
    }


def message_shortcut(world: World, member: Member, channel: Channel, post: Post, callback_id: str) -> Json:
    """A message shortcut."""
    return {
        "type": "message_action",
        "token": TOKEN,
        "action_ts": world.slack.stamp(world.now()),
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": {"id": member.id, "name": member.handle, "team_id": TEAM},
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "is_enterprise_install": False,
        "enterprise": None,
        "callback_id": callback_id,
        "trigger_id": world.slack.trigger(member.id, world.monotonic()),
        "response_url": response_url(world, member, channel.id, post.ts),
        "message_ts": post.ts,
        "message": message(world, post),
    }


def command(world: World, member: Member, channel: Channel, name: str, text: str) -> Json:
    """A slash command, as form fields."""
    return {
        "token": TOKEN,
        "team_id": TEAM,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": member.id,
        "user_name": member.handle,
        "command": name,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url(world, member, channel.id, None),
        "trigger_id": world.slack.trigger(member.id, world.monotonic()),
    }


def event(world: World, content: Json) -> Json:
    """The outer wrapper of an Events API event."""
    return {
        "token": TOKEN,
        "team_id": TEAM,
        "api_app_id": APP,
        "event": content,
        "type": "event_callback",
        "event_id": world.slack.number("Ev"),
        "event_time": int(world.now().timestamp()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{secrets.token_hex(12)}",
    }


def message_event(world: World, channel: Channel, post: Post) -> Json:
    """A message event of a member's words."""
    kind = "im" if channel.direct else ("group" if channel.private else "channel")
    content = {
        "client_msg_id": secrets.token_hex(16),
        "type": "message",
        "text": post.text,
        "user": post.author,
        "ts": post.ts,
        "team": TEAM,
        "blocks": post.blocks,
        "channel": channel.id,
        "event_ts": post.ts,
        "channel_type": kind,
    }
    if post.thread_ts:
        content["thread_ts"] = post.thread_ts
    return event(world, content)


def membership_event(world: World, channel: Channel, member: Member, *, joins: bool) -> Json:
    """member_joined_channel or member_left_channel."""
    return event(
        world,
        {
            "type": "member_joined_channel" if joins else "member_left_channel",
            "user": member.id,
            "channel": channel.id,
            "channel_type": "G" if channel.private else "C",
            "team": TEAM,
            "event_ts": world.slack.stamp(world.now()),
        },
    )


def home_opened(world: World, member: Member) -> Json:
    """app_home_opened."""
    content: Json = {
        "type": "app_home_opened",
        "user": member.id,
        "channel": world.slack.direct(member.id).id,
        "tab": "home",
        "event_ts": world.slack.stamp(world.now()),
    }
    if member.home is not None:
        content["view"] = member.home.api()
    return event(world, content)
