"""Messages from before the simulator started: displayed, but never sent to the bots."""

from datetime import UTC, datetime
from typing import Any

from simulator.slack.block_kit import completed
from simulator.state.slack import BOT_USER, Post
from simulator.state.telegram import ChatMessage, Person
from simulator.state.world import World
from simulator.telegram.rules import detect_entities, strip_text

Json = dict[str, Any]


def add_message(world: World, person: Person, text: str, *, from_bot: bool, at: datetime) -> int:
    """Add an earlier message to a private chat, oldest first; return its message_id."""
    telegram = world.telegram
    plain, entities = strip_text(text, detect_entities(text))
    api: Json = {
        "message_id": telegram.next_message_id(),
        "from": telegram.bot_user() if from_bot else person.api_user(),
        "chat": person.api_chat(),
        "date": int(at.timestamp()),
        "text": plain,
    } | ({"entities": entities} if entities else {})
    telegram.chats[person.id].append(ChatMessage(person.id, api, outgoing=from_bot, kind="text", sent_at=at))
    person.met = True
    world.mark_changed()
    return int(api["message_id"])


def add_post(
    world: World,
    channel_id: str,
    ts: str,
    text: str,
    *,
    blocks: list[Json] | None,
    thread_ts: str | None,
    metadata: Json | None,
) -> None:
    """Add an earlier message of the app under its old ts. Raises KeyError for an unknown channel."""
    channel = world.slack.channels[channel_id]
    posted_at = datetime.fromtimestamp(float(ts), UTC)
    head = channel.find_post(thread_ts) if thread_ts else None
    if head is not None:
        head.thread_ts = head.ts
    channel.posts.append(
        Post(
            ts,
            channel_id,
            BOT_USER,
            text,
            completed(blocks or []),
            posted_at,
            thread_ts=thread_ts,
            metadata=metadata,
        )
    )
    channel.posts.sort(key=lambda p: float(p.ts))
    world.mark_changed()
