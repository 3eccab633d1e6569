"""Words from before the simulator started: shown, never sent to the bots."""

from datetime import UTC, datetime
from typing import Any

from simulator.slack.block_kit import completed
from simulator.slack.state import BOT_USER, Post
from simulator.telegram.rules import found, stripped
from simulator.telegram.state import ChatMessage, Person
from simulator.world import World

Json = dict[str, Any]


def message(world: World, person: Person, text: str, *, from_bot: bool, at: datetime) -> int:
    """An earlier message of a private chat; its message_id. Add the oldest first."""
    telegram = world.telegram
    plain, entities = stripped(text, found(text))
    api: Json = {
        "message_id": telegram.next_message_id(),
        "from": telegram.bot_user() if from_bot else person.user(),
        "chat": person.chat(),
        "date": int(at.timestamp()),
        "text": plain,
    } | ({"entities": entities} if entities else {})
    telegram.chats[person.id].append(ChatMessage(person.id, api, outgoing=from_bot, kind="text", at=at))
    person.met = True
    world.changed()
    return int(api["message_id"])


def post(
    world: World,
    channel_id: str,
    ts: str,
    text: str,
    *,
    blocks: list[Json] | None,
    thread_ts: str | None,
    metadata: Json | None,
) -> None:
    """An earlier message of the app, under its old ts. Raises KeyError for an unknown channel."""
    channel = world.slack.channels[channel_id]
    at = datetime.fromtimestamp(float(ts), UTC)
    head = channel.post(thread_ts) if thread_ts else None
    if head is not None:
        head.thread_ts = head.ts
    channel.posts.append(
        Post(
            ts,
            channel_id,
            BOT_USER,
            text,
            completed(blocks or []),
            at,
            thread_ts=thread_ts,
            metadata=metadata,
        )
    )
    channel.posts.sort(key=lambda p: float(p.ts))
    world.changed()
