"""Slack's JSON: messages and files, and the payloads of interactions, commands and events."""

import json
import secrets
from importlib.resources import files
from typing import Any

from simulator.slack.block_kit import options_of
from simulator.state.slack_state import (
    APP,
    BOT,
    BOT_USER,
    DOMAIN,
    TEAM,
    Channel,
    Post,
    ResponseUrl,
    SlackMember,
    View,
)
from simulator.state.world import World

Json = dict[str, Any]
#: Properties that are the same in every object of a kind.
FIXED: dict[str, Json] = json.loads((files("simulator") / "slack" / "fixed.json").read_text(encoding="utf-8"))


def channel_name(channel: Channel) -> str:
    """The channel's name in payloads; Slack hides the names of direct and private conversations."""
    if channel.direct_with:
        return "directmessage"
    return "privategroup" if channel.private else channel.name


def message(world: World, post: Post, *, metadata: bool = False) -> Json:
    """A message as history and payloads show it."""
    if post.deleted:
        return FIXED["tombstone"] | {"ts": post.ts, "thread_ts": post.ts}
    content: Json = {"type": "message", "text": post.text, "user": post.author, "ts": post.ts, "team": TEAM}
    if post.by_bot:
        content |= {"bot_id": BOT, "app_id": APP, "bot_profile": bot() | {"team_id": TEAM}}
    if post.blocks:
        content["blocks"] = post.blocks
    if post.thread_ts:
        content["thread_ts"] = post.thread_ts
    if post.edited:
        content["edited"] = {"user": BOT if post.by_bot else post.author, "ts": post.edited}
    if post.reactions:
        content["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in post.reactions.items()]
    if post.files:
        content["files"] = [file_object(world, file_id) for file_id in post.files]
    if metadata and post.metadata:
        content["metadata"] = post.metadata
    return content


def bot() -> Json:
    return FIXED["bot"] | {"id": BOT, "app_id": APP}


def file_object(world: World, file_id: str) -> Json:
    file = world.slack.files[file_id]
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    address = f"{world.url}/files/{file.id}/{file.name}"
    return FIXED["file"] | {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mime,
        "filetype": file.name.rpartition(".")[2] or "binary",
        "pretty_type": file.name.rpartition(".")[2].upper(),
        "user": BOT_USER,
        "size": file.length,
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "ims": file.channels,
    }


def _user(member: SlackMember) -> Json:
    return {"id": member.id, "username": member.handle, "name": member.handle, "team_id": TEAM}


def _envelope(kind: str, member: SlackMember) -> Json:
    team = {"id": TEAM, "domain": DOMAIN}
    return FIXED["interaction"] | {"type": kind, "user": _user(member), "api_app_id": APP, "team": team}


def response_url(world: World, member: SlackMember, channel: str, post: str | None) -> str:
    hook = secrets.token_hex(12)
    world.slack.response_urls[hook] = ResponseUrl(member.id, channel, post, world.monotonic())
    return f"{world.url}/hooks/{hook}"


def action(element: Json, block_id: str, state: Json | None, now_ts: str) -> Json:
    """The entry of `actions`; `state` is the chosen value, None for a button."""
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
    """The state entry for an option of an overflow menu; None if there is no such option."""
    chosen = next((o for o in options_of(element) if value in (o["value"], o["text"]["text"])), None)
    return {"selected_option": chosen} if chosen else None


def message_press(
    world: World, member: SlackMember, channel: Channel, post: Post, acted: Json, state: Json
) -> Json:
    """block_actions of a press in a message."""
    ephemeral = post.visible_to is not None
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
        "trigger_id": world.slack.new_trigger(member.id, world.monotonic()),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": state},
        "response_url": response_url(world, member, channel.id, post.ts),
        "actions": [acted],
    }
    if not ephemeral:
        payload["message"] = message(world, post)
    return payload


def view_press(world: World, member: SlackMember, view: View, acted: Json) -> Json:
    return _envelope("block_actions", member) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": world.slack.new_trigger(member.id, world.monotonic()),
        "view": view.api(),
        "actions": [acted],
    }


def view_submission(world: World, member: SlackMember, view: View) -> Json:
    return _envelope("view_submission", member) | {
        "trigger_id": world.slack.new_trigger(member.id, world.monotonic()),
        "view": view.api(),
        "response_urls": [],
    }


def view_closed(member: SlackMember, view: View, *, cleared: bool) -> Json:
    return _envelope("view_closed", member) | {"view": view.api(), "is_cleared": cleared}


def shortcut(world: World, member: SlackMember, callback_id: str) -> Json:
    """shortcut: a global shortcut."""
    user = {key: value for key, value in _user(member).items() if key != "name"}
    return FIXED["interaction"] | {
        "type": "shortcut",
        "action_ts": world.slack.next_ts(world.now()),
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": user,
        "callback_id": callback_id,
        "trigger_id": world.slack.new_trigger(member.id, world.monotonic()),
    }


def message_shortcut(
    world: World, member: SlackMember, channel: Channel, post: Post, callback_id: str
) -> Json:
    """message_action: a message shortcut."""
    return FIXED["interaction"] | {
        "type": "message_action",
        "action_ts": world.slack.next_ts(world.now()),
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": {"id": member.id, "name": member.handle, "team_id": TEAM},
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "callback_id": callback_id,
        "trigger_id": world.slack.new_trigger(member.id, world.monotonic()),
        "response_url": response_url(world, member, channel.id, post.ts),
        "message_ts": post.ts,
        "message": message(world, post),
    }


def command(world: World, member: SlackMember, channel: Channel, name: str, text: str) -> Json:
    """A slash command, as form fields."""
    return {
        "token": FIXED["interaction"]["token"],
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
        "trigger_id": world.slack.new_trigger(member.id, world.monotonic()),
    }


def event(world: World, content: Json) -> Json:
    """event_callback: the envelope of an Events API event."""
    return {
        "token": FIXED["interaction"]["token"],
        "team_id": TEAM,
        "api_app_id": APP,
        "event": content,
        "type": "event_callback",
        "event_id": world.slack.new_id("Ev"),
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
    """message: a member wrote in a conversation."""
    kind = "im" if channel.direct_with else ("group" if channel.private else "channel")
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
        head = channel.find_post(post.thread_ts)
        content |= {"thread_ts": post.thread_ts, "parent_user_id": head.author if head else ""}
    if post.files:
        content |= {"subtype": "file_share", "files": [file_object(world, file_id) for file_id in post.files]}
    return event(world, content)


def changed_message_event(world: World, channel: Channel, post: Post, before: Json) -> Json:
    """message_changed, or message_deleted: a member edited or deleted a message; `before` is it as it was."""
    kind = "im" if channel.direct_with else ("group" if channel.private else "channel")
    ts = world.slack.next_ts(world.now())
    content: Json = {
        "type": "message", "channel": channel.id, "hidden": True, "ts": ts, "event_ts": ts,
        "channel_type": kind, "previous_message": before,
    }  # fmt: skip
    if post.deleted:
        return event(world, content | {"subtype": "message_deleted", "deleted_ts": post.ts})
    return event(world, content | {"subtype": "message_changed", "message": message(world, post)})


def membership_event(world: World, channel: Channel, member: SlackMember, *, joins: bool) -> Json:
    return event(
        world,
        {
            "type": "member_joined_channel" if joins else "member_left_channel",
            "user": member.id,
            "channel": channel.id,
            "channel_type": "G" if channel.private else "C",
            "team": TEAM,
            "event_ts": world.slack.next_ts(world.now()),
        },
    )


def home_opened(world: World, member: SlackMember) -> Json:
    content: Json = {
        "type": "app_home_opened",
        "user": member.id,
        "channel": world.slack.direct_channel(member.id).id,
        "tab": "home",
        "event_ts": world.slack.next_ts(world.now()),
    }
    if member.home is not None:
        content["view"] = member.home.api()
    return event(world, content)
