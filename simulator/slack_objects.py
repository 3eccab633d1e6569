"""Messages and files as the Web API and payloads show them."""

from typing import Any

from simulator.slack_state import APP, BOT, BOT_USER, TEAM, Channel, Post
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
