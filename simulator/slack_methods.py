"""Web API methods about the connection, messages and views."""

from collections.abc import Awaitable, Callable
from typing import Any

from simulator import slack_objects, slack_posts, slack_views
from simulator.http_body import Upload
from simulator.slack_link import Link
from simulator.slack_state import BOT, BOT_USER, DOMAIN, TEAM, SlackRefusal

Json = dict[str, Any]
Method = Callable[[Link, Json, list[Upload]], Awaitable[Json]]


async def auth_test(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """auth.test."""
    return {
        "url": f"https://{DOMAIN}.slack.com/",
        "team": "Amends demo",
        "user": "amends",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


async def connections_open(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """apps.connections.open."""
    return {"url": link.open_url()}


async def post_message(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.postMessage."""
    world = link.world
    channel = slack_posts.channel_for(world, a.get("channel"), to_post=True)
    blocks = slack_posts.blocks_of(a.get("blocks"))
    text = slack_posts.words(a, blocks)
    slack_posts.pace(world, channel)
    post = slack_posts.add(
        world,
        channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=a.get("thread_ts"),
        metadata=slack_posts.metadata_of(a.get("metadata")),
    )
    return {"channel": channel.id, "ts": post.ts, "message": slack_objects.message(world, post)}


async def update_message(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.update."""
    world = link.world
    channel = slack_posts.channel_for(world, a.get("channel"))
    post = slack_posts.own_post(world, channel, a.get("ts"), "cant_update_message")
    blocks = slack_posts.blocks_of(a.get("blocks"))
    text = slack_posts.words(a, post.blocks if blocks is None else blocks)
    slack_posts.pace(world, channel)
    slack_posts.change(
        world,
        post,
        text=text,
        blocks=blocks,
        metadata=slack_posts.metadata_of(a.get("metadata")),
    )
    return {
        "channel": channel.id,
        "ts": post.ts,
        "text": text,
        "message": slack_objects.message(world, post),
    }


async def delete_message(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.delete."""
    channel = slack_posts.channel_for(link.world, a.get("channel"))
    post = slack_posts.own_post(link.world, channel, a.get("ts"), "cant_delete_message")
    slack_posts.remove(link.world, channel, post)
    return {"channel": channel.id, "ts": post.ts}


async def post_ephemeral(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.postEphemeral."""
    world = link.world
    channel = slack_posts.channel_for(world, a.get("channel"), to_post=True)
    if a.get("user") not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    blocks = slack_posts.blocks_of(a.get("blocks"))
    text = slack_posts.words(a, blocks)
    post = slack_posts.add(
        world,
        channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=a.get("thread_ts"),
        only_for=str(a["user"]),
    )
    return {"message_ts": post.ts}


async def permalink(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.getPermalink."""
    channel = slack_posts.channel_for(link.world, a.get("channel"))
    if channel.post(str(a.get("message_ts"))) is None:
        raise SlackRefusal("message_not_found")
    place = f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{str(a['message_ts']).replace('.', '')}"
    return {"channel": channel.id, "permalink": place}


async def views_open(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.open."""
    return {"view": slack_views.opened(link.world, a.get("trigger_id"), a.get("view")).api()}


async def views_push(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.push."""
    return {"view": slack_views.pushed(link.world, a.get("trigger_id"), a.get("view")).api()}


async def views_update(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.update."""
    view = slack_views.updated(
        link.world,
        a.get("view"),
        view_id=a.get("view_id") or "",
        external_id=a.get("external_id") or "",
        expected=a.get("hash"),
    )
    return {"view": view.api()}


async def views_publish(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.publish."""
    member = link.world.slack.members.get(str(a.get("user_id")))
    if member is None:
        raise SlackRefusal("user_not_found")
    return {"view": slack_views.published(link.world, member, a.get("view"), a.get("hash")).api()}


async def reactions_add(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """reactions.add."""
    channel = slack_posts.channel_for(link.world, a.get("channel"))
    post = channel.post(str(a.get("timestamp")))
    if post is None:
        raise SlackRefusal("message_not_found")
    who = post.reactions.setdefault(str(a.get("name")), [])
    if BOT_USER in who:
        raise SlackRefusal("already_reacted")
    who.append(BOT_USER)
    link.world.changed()
    return {}
