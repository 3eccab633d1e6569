"""Modals and home views: opened, pushed, updated, closed, and what a submission's answer does.

What members of staff do in Slack, and what the app gets for it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from simulator.slack import payloads, rooms
from simulator.slack.block_kit import completed, elements_of, view_problems
from simulator.slack.block_kit_values import STATELESS, Unfit, entry, kept, plain, refused, untouched
from simulator.slack.socket import Link
from simulator.slack.state import BOT_USER, Channel, Member, Post, SlackRefusal, State, View
from simulator.world import World

Json = dict[str, Any]
DEEPEST = 3
VIEW_TROUBLE = "We had some trouble connecting. Try again?"


def parsed(view: Any) -> Any:
    """A view given as an object or as JSON text."""
    if isinstance(view, str):
        try:
            return json.loads(view)
        except ValueError as broken:
            raise SlackRefusal("invalid_arguments", messages=["[ERROR] view is no JSON"]) from broken
    return view


def _checked(world: World, view: Any, kind: str, *, instead_of: View | None = None) -> Json:
    view = parsed(view)
    problems = view_problems(view, kind)
    if problems:
        raise SlackRefusal("invalid_arguments", messages=problems)
    external = view.get("external_id")
    if external and (known := world.slack.view(external_id=external)) and known is not instead_of:
        raise SlackRefusal("duplicate_external_id")
    full: Json = {key: value for key, value in view.items() if value is not None}
    return full | {"blocks": completed(view["blocks"])}


def _new(world: World, member: Member, content: Json, *, above: View | None) -> View:
    number = world.slack.number("V")
    return View(
        id=number,
        content=content,
        owner=member.id,
        root=above.root if above else number,
        previous=above.id if above else None,
        hash=_hash(world),
        values=untouched(content["blocks"]),
    )


def _hash(world: World) -> str:
    return f"{int(world.now().timestamp())}.{secrets.token_hex(4)}"


def use_trigger(world: World, trigger_id: str | None) -> Member:
    """Whose trigger it is; it can be used once, and soon."""
    trigger = world.slack.triggers.get(trigger_id or "")
    if trigger is None:
        raise SlackRefusal("invalid_trigger_id")
    if trigger.used:
        raise SlackRefusal("exchanged_trigger_id")
    if world.monotonic() - trigger.at > world.limits.trigger_seconds:
        raise SlackRefusal("expired_trigger_id")
    return world.slack.members[trigger.member]


def opened(world: World, trigger_id: str | None, view: Any) -> View:
    """views.open: whatever stood open is replaced."""
    member = use_trigger(world, trigger_id)
    fresh = _new(world, member, _checked(world, view, "modal"), above=None)
    world.slack.triggers[trigger_id or ""].used = True
    member.views = [fresh]
    world.changed()
    return fresh


def pushed(world: World, trigger_id: str | None, view: Any) -> View:
    """views.push: on top, three at most."""
    member = use_trigger(world, trigger_id)
    if not member.views:
        raise SlackRefusal("not_found")
    if len(member.views) >= DEEPEST:
        raise SlackRefusal("push_limit_reached")
    fresh = _new(world, member, _checked(world, view, "modal"), above=member.views[-1])
    world.slack.triggers[trigger_id or ""].used = True
    member.views.append(fresh)
    world.changed()
    return fresh


def updated(world: World, view: Any, *, view_id: str, external_id: str, expected: str | None) -> View:
    """views.update."""
    found = world.slack.view(view_id, external_id)
    if found is None:
        raise SlackRefusal("not_found")
    if expected and expected != found.hash:
        raise SlackRefusal("hash_conflict")
    replace(world, found, _checked(world, view, str(found.content["type"]), instead_of=found))
    return found


def published(world: World, member: Member, view: Any, expected: str | None) -> View:
    """views.publish."""
    content = _checked(world, view, "home", instead_of=member.home)
    if member.home is None:
        member.home = _new(world, member, content, above=None)
    elif expected and expected != member.home.hash:
        raise SlackRefusal("hash_conflict")
    else:
        replace(world, member.home, content)
    world.changed()
    return member.home


def replace(world: World, view: View, content: Json) -> None:
    """New content in an open view; what was typed stays where block and action stay."""
    view.values = kept(content["blocks"], view.values)
    view.content, view.hash = content, _hash(world)
    view.errors, view.notice, view.busy = {}, None, False
    world.changed()


def answered(world: World, member: Member, view: View, acknowledgement: Json | None) -> None:
    """Do what a submission's acknowledgement says; what Slack cannot do shows as trouble in the modal."""
    view.busy, view.errors, view.notice = False, {}, None
    try:
        if acknowledgement is None:
            raise SlackRefusal("not acknowledged in time")
        _act(world, member, view, acknowledgement)
    except SlackRefusal as refusal:
        world.slack.refusals.append(
            f"view_submission of {view.content.get('callback_id')}: {reasons(refusal)}"
        )
        if refusal.messages:
            world.breaches.append(world.slack.refusals[-1])
        view.notice = VIEW_TROUBLE
    world.changed()


def reasons(refusal: SlackRefusal) -> str:
    """The error with its messages, on one line."""
    return "; ".join([refusal.error, *refusal.messages])


def _act(world: World, member: Member, view: View, acknowledgement: Json) -> None:
    extra = set(acknowledgement) - {"response_action", "view", "errors"}
    if extra:
        raise SlackRefusal(
            "invalid_arguments", messages=[f"[ERROR] unknown in an acknowledgement: {sorted(extra)}"]
        )
    match acknowledgement.get("response_action"):
        case None:
            if view in member.views:
                member.views = member.views[: member.views.index(view)]
        case "clear":
            member.views = []
        case "errors":
            view.errors = _errors(view, acknowledgement.get("errors"))
        case "update":
            replace(world, view, _checked(world, acknowledgement.get("view"), "modal", instead_of=view))
        case "push":
            if len(member.views) >= DEEPEST:
                raise SlackRefusal("push_limit_reached")
            content = _checked(world, acknowledgement.get("view"), "modal")
            member.views.append(_new(world, member, content, above=view))
        case other:
            raise SlackRefusal("invalid_arguments", messages=[f"[ERROR] unknown response_action {other}"])


def _errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] errors must be an object with a block_id"])
    for block_id, text in errors.items():
        if block_id not in inputs:
            raise SlackRefusal(
                "invalid_arguments", messages=[f"[ERROR] errors name no input block: {block_id}"]
            )
        if not isinstance(text, str) or not text:
            raise SlackRefusal("invalid_arguments", messages=[f"[ERROR] the error of {block_id} is no text"])
    return dict(errors)


TROUBLE = VIEW_TROUBLE


class SlackImpossible(Exception):
    """A thing that Slack's client does not offer; the message says what instead."""


def channel_seen(world: World, member: Member, channel_id: str) -> Channel:
    """A conversation that the member is in."""
    channel = world.slack.channels.get(channel_id)
    if channel is None or member.id not in channel.members:
        raise SlackImpossible(f"{member.name} is not in that channel.")
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
    raise SlackImpossible("That message is gone.")


def view_open(member: Member, view_id: str) -> View:
    """An open view of the member, modal or home."""
    for view in [*member.views, *([member.home] if member.home else [])]:
        if view.id == view_id:
            return view
    raise SlackImpossible("That view is not open any more.")


def _element(blocks: list[Json], block_id: str, action_id: str, value: Any) -> Json:
    found = [
        e for b in blocks if b["block_id"] == block_id for e in elements_of(b) if e["action_id"] == action_id
    ]
    exact = [e for e in found if value is not None and e.get("value") == value]
    if not found:
        raise SlackImpossible("There is no such button or menu any more.")
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
            raise SlackImpossible(f"There is no option {value!r}.")
        return chosen
    try:
        fresh = entry(element, value)
    except Unfit as reason:
        raise SlackImpossible(str(reason)) from reason
    if entries.get(element["action_id"]) == fresh:
        # Slack sends nothing when the choice that stands there is chosen again.
        raise SlackImpossible("That is chosen already; Slack sends nothing for it.")
    entries[element["action_id"]] = fresh
    return fresh


def type_into(view: View, values: Json) -> None:
    """Put plain values in: {block_id: VALUE} or {block_id: {action_id: VALUE}}. Raises Impossible."""
    for block_id, given in values.items():
        block = next((b for b in view.blocks if b["block_id"] == block_id), None)
        elements = [e for e in elements_of(block or {}) if e["type"] not in STATELESS]
        if not elements:
            raise SlackImpossible(f"There is nothing to fill in called {block_id!r}.")
        by_action = given if isinstance(given, dict) else {elements[0]["action_id"]: given}
        for action_id, value in by_action.items():
            element = next((e for e in elements if e["action_id"] == action_id), None)
            if element is None:
                raise SlackImpossible(f"There is no {action_id!r} in {block_id!r}.")
            try:
                view.values[block_id][action_id] = entry(element, value)
            except Unfit as reason:
                raise SlackImpossible(str(reason)) from reason
        view.errors.pop(block_id, None)


async def submit(link: Link, member: Member, view_id: str, values: Json) -> bool:
    """Submit the top view. False when Slack's own client refused, or nobody acknowledged."""
    world = link.world
    view = view_open(member, view_id)
    if not member.views or member.views[-1] is not view:
        raise SlackImpossible("Only the view on top can be submitted.")
    if not view.content.get("submit"):
        raise SlackImpossible("That view has nothing to submit.")
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
    answered(world, member, view, acknowledgement)
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
            raise SlackImpossible("The app has no such message shortcut.")
        channel = channel_seen(world, member, channel_id)
        post = post_seen(world, member, channel, ts)
        payload = payloads.message_shortcut(world, member, channel, post, callback_id)
    else:
        if callback_id not in world.slack.shortcuts:
            raise SlackImpossible("The app has no such shortcut.")
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
        blocks = rooms.blocks_of(said.get("blocks"))
        text = rooms.words(said, blocks)
    except SlackRefusal as refusal:
        world.slack.refusals.append(f"answer to a command: {reasons(refusal)}")
        world.breaches.append(world.slack.refusals[-1])
        _notice(world, member, "The app's answer could not be shown.")
        return
    public = said.get("response_type") == "in_channel"
    rooms.add(world, channel, BOT_USER, text, blocks=blocks, only_for=None if public else member.id)


def say(link: Link, member: Member, channel_id: str, text: str, thread_ts: str | None = None) -> Post:
    """Write in a conversation; the app hears of it."""
    world = link.world
    channel = channel_seen(world, member, channel_id)
    if not text.strip():
        raise SlackImpossible("An empty message cannot be sent.")
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
        post = rooms.add(world, channel, member.id, escaped, blocks=rich, thread_ts=thread_ts)
    except SlackRefusal as refusal:
        raise SlackImpossible("That thread is gone.") from refusal
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
