"""What members of staff do in Slack, and what the app gets for it."""

import asyncio
from typing import Any

from simulator import slack_payloads as payloads
from simulator import slack_posts, slack_views
from simulator.block_kit import elements_of
from simulator.block_values import STATELESS, Unfit, entry, kept, plain, refused, untouched
from simulator.slack_link import Link
from simulator.slack_state import BOT_USER, Channel, Member, Post, SlackRefusal, State, View
from simulator.world import World

Json = dict[str, Any]
TROUBLE = slack_views.TROUBLE


class Impossible(Exception):
    """A thing that Slack's client does not offer; the message says what instead."""


def channel_seen(world: World, member: Member, channel_id: str) -> Channel:
    """A conversation that the member is in."""
    channel = world.slack.channels.get(channel_id)
    if channel is None or member.id not in channel.members:
        raise Impossible(f"{member.name} is not in that channel.")
    return channel


def post_seen(world: World, member: Member, channel: Channel, ts: str) -> Post:
    """A post that the member sees."""
    for post in channel.posts:
        if (
            post.ts == ts
            and not post.deleted
            and post.only_for in (None, member.id)
            and post.ts not in member.gone
        ):
            return post
    raise Impossible("That message is gone.")


def view_open(member: Member, view_id: str) -> View:
    """An open view of the member, modal or home."""
    for view in [*member.views, *([member.home] if member.home else [])]:
        if view.id == view_id:
            return view
    raise Impossible("That view is not open any more.")


def _element(blocks: list[Json], block_id: str, action_id: str, value: Any) -> Json:
    found = [
        e for b in blocks if b["block_id"] == block_id for e in elements_of(b) if e["action_id"] == action_id
    ]
    exact = [e for e in found if value is not None and e.get("value") == value]
    if not found:
        raise Impossible("There is no such button or menu any more.")
    return (exact or found)[0]


async def act_on_post(
    link: Link,
    member: Member,
    channel_id: str,
    ts: str,
    block_id: str,
    action_id: str,
    value: Any = None,
) -> bool:
    """Press or choose in a message; True when the app acknowledged."""
    world = link.world
    channel = channel_seen(world, member, channel_id)
    post = post_seen(world, member, channel, ts)
    element = _element(post.blocks, block_id, action_id, value)
    state = kept(post.blocks, member.choices.get(ts, {}))
    chosen = _choice(element, state.get(block_id, {}), value)
    member.choices[ts] = state
    acted = payloads.action(element, block_id, chosen, world.slack.stamp(world.now()))
    payload = payloads.message_action_press(world, member, channel, post, acted, state)
    key = f"{block_id}/{action_id}"
    post.busy.setdefault(member.id, set()).add(key)
    post.notices.pop(member.id, None)
    world.changed()
    acknowledgement = await link.deliver("interactive", payload)
    post.busy[member.id].discard(key)
    if acknowledgement is None:
        post.notices[member.id] = TROUBLE
    world.changed()
    return acknowledgement is not None


async def act_in_view(
    link: Link,
    member: Member,
    view_id: str,
    block_id: str,
    action_id: str,
    value: Any = None,
    values: Json | None = None,
) -> bool:
    """Press or choose in a modal or the home view; True when the app acknowledged."""
    world = link.world
    view = view_open(member, view_id)
    type_into(view, values or {})
    element = _element(view.blocks, block_id, action_id, value)
    chosen = _choice(element, view.values.get(block_id, {}), value)
    acted = payloads.action(element, block_id, chosen, world.slack.stamp(world.now()))
    view.notice = None
    world.changed()
    acknowledgement = await link.deliver("interactive", payloads.view_press(world, member, view, acted))
    if acknowledgement is None:
        view.notice = TROUBLE
    world.changed()
    return acknowledgement is not None


def _choice(element: Json, entries: dict[str, Json], value: Any) -> Json | None:
    kind = element["type"]
    if kind == "button":
        return None
    if kind == "overflow":
        chosen = payloads.overflow_choice(element, str(value))
        if chosen is None:
            raise Impossible(f"There is no option {value!r}.")
        return chosen
    try:
        fresh = entry(element, value)
    except Unfit as reason:
        raise Impossible(str(reason)) from reason
    if entries.get(element["action_id"]) == fresh:
        # Slack sends nothing when the choice that stands there is chosen again.
        raise Impossible("That is chosen already; Slack sends nothing for it.")
    entries[element["action_id"]] = fresh
    return fresh


def type_into(view: View, values: Json) -> None:
    """Put plain values in: {block_id: VALUE} or {block_id: {action_id: VALUE}}. Raises Impossible."""
    for block_id, given in values.items():
        block = next((b for b in view.blocks if b["block_id"] == block_id), None)
        elements = [e for e in elements_of(block or {}) if e["type"] not in STATELESS]
        if not elements:
            raise Impossible(f"There is nothing to fill in called {block_id!r}.")
        by_action = given if isinstance(given, dict) else {elements[0]["action_id"]: given}
        for action_id, value in by_action.items():
            element = next((e for e in elements if e["action_id"] == action_id), None)
            if element is None:
                raise Impossible(f"There is no {action_id!r} in {block_id!r}.")
            try:
                view.values[block_id][action_id] = entry(element, value)
            except Unfit as reason:
                raise Impossible(str(reason)) from reason
        view.errors.pop(block_id, None)


async def submit(link: Link, member: Member, view_id: str, values: Json) -> bool:
    """Submit the top view. False when Slack's own client refused, or nobody acknowledged."""
    world = link.world
    view = view_open(member, view_id)
    if not member.views or member.views[-1] is not view:
        raise Impossible("Only the view on top can be submitted.")
    if not view.content.get("submit"):
        raise Impossible("That view has nothing to submit.")
    type_into(view, values)
    view.notice = None
    view.errors = refused(view.blocks, view.values)
    if view.errors:
        world.changed()
        return False
    view.busy = True
    world.changed()
    acknowledgement = await link.deliver(
        "interactive", payloads.submission(world, member, view), accepts=True
    )
    slack_views.answered(world, member, view, acknowledgement)
    return acknowledgement is not None


async def close(link: Link, member: Member, view_id: str, *, all_of_them: bool = False) -> None:
    """Close the top view, or all; the app hears of those that asked to be told."""
    view = view_open(member, view_id)
    cleared = all_of_them or bool(view.content.get("clear_on_close"))
    gone = list(member.views) if cleared else [view]
    member.views = [v for v in member.views if v not in gone]
    link.world.changed()
    told = [v for v in reversed(gone) if v.content.get("notify_on_close")]
    await asyncio.gather(
        *(link.deliver("interactive", payloads.closed(member, v, cleared=cleared)) for v in told)
    )


async def use_shortcut(
    link: Link,
    member: Member,
    callback_id: str,
    *,
    channel_id: str | None = None,
    ts: str | None = None,
) -> bool:
    """A global shortcut, or one of a message; True when acknowledged."""
    world = link.world
    if channel_id and ts:
        if callback_id not in world.slack.message_shortcuts:
            raise Impossible("The app has no such message shortcut.")
        channel = channel_seen(world, member, channel_id)
        post = post_seen(world, member, channel, ts)
        payload = payloads.message_shortcut(world, member, channel, post, callback_id)
    else:
        if callback_id not in world.slack.shortcuts:
            raise Impossible("The app has no such shortcut.")
        payload = payloads.shortcut(world, member, callback_id)
    return _noticed(world, member, await link.deliver("interactive", payload))


async def run_command(link: Link, member: Member, text: str, channel_id: str) -> bool:
    """A slash command typed into a conversation; True when acknowledged."""
    world = link.world
    name, _, rest = text.strip().partition(" ")
    channel = channel_seen(world, member, channel_id)
    if name not in world.slack.commands:
        _notice(world, member, f"{name} is not a valid command.")
        return False
    payload = payloads.command(world, member, channel, name, rest.strip())
    acknowledgement = await link.deliver("slash_commands", payload, accepts=True)
    if acknowledgement is None:
        _notice(world, member, f'{name} failed with the error "operation_timeout"')
        return False
    if acknowledgement:
        answer(world, member, channel, acknowledgement)
    return True


def answer(world: World, member: Member, channel: Channel, said: Json) -> None:
    """Show what an app answers to a command, in the acknowledgement or by response_url."""
    try:
        blocks = slack_posts.blocks_of(said.get("blocks"))
        text = slack_posts.words(said, blocks)
    except SlackRefusal as refusal:
        world.slack.refusals.append(f"answer to a command: {slack_views.reasons(refusal)}")
        world.breaches.append(world.slack.refusals[-1])
        _notice(world, member, "The app's answer could not be shown.")
        return
    public = said.get("response_type") == "in_channel"
    slack_posts.add(world, channel, BOT_USER, text, blocks=blocks, only_for=None if public else member.id)


def say(link: Link, member: Member, channel_id: str, text: str, thread_ts: str | None = None) -> Post:
    """Write in a conversation; the app hears of it."""
    world = link.world
    channel = channel_seen(world, member, channel_id)
    if not text.strip():
        raise Impossible("An empty message cannot be sent.")
    rich = [
        {
            "type": "rich_text",
            "block_id": world.slack.number("rt"),
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]},
            ],
        }
    ]
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    try:
        post = slack_posts.add(world, channel, member.id, escaped, blocks=rich, thread_ts=thread_ts)
    except SlackRefusal as refusal:
        raise Impossible("That thread is gone.") from refusal
    if channel.bot_in:
        link.event(payloads.message_event(world, channel, post))
    return post


def move(link: Link, member: Member, channel_id: str, *, joins: bool) -> None:
    """Join or leave a channel; the app hears of it when in there. Raises KeyError for an unknown one."""
    channel = link.world.slack.channels[channel_id]
    if joins == (member.id in channel.members):
        return
    if joins:
        channel.members.add(member.id)
    else:
        channel.members.discard(member.id)
    link.world.changed()
    if channel.bot_in:
        link.event(payloads.membership_event(link.world, channel, member, joins=joins))


def open_home(link: Link, member: Member) -> None:
    """Open the app's home; the app hears of it."""
    link.event(payloads.home_opened(link.world, member))


def message_values(member: Member, post: Post) -> State:
    """What stands in a message's menus for this member."""
    return kept(post.blocks, member.choices.get(post.ts, {})) if post.blocks else untouched([])


def plain_values(state: State) -> dict[str, dict[str, Any]]:
    """State entries as plain values."""
    return {
        block: {action: plain(entry) for action, entry in entries.items()} for block, entries in state.items()
    }


def _noticed(world: World, member: Member, acknowledgement: Json | None) -> bool:
    if acknowledgement is None:
        _notice(world, member, TROUBLE)
    return acknowledgement is not None


def _notice(world: World, member: Member, text: str) -> None:
    member.notice = (text, world.now())
    world.changed()
