"""What members do in Slack's client and the payloads that the app gets for it; the app's changes to views."""

import asyncio
import json
import secrets
from typing import Any

from simulator.slack import conversations, payloads
from simulator.slack.block_kit import completed, elements_of, view_problems
from simulator.slack.block_kit_values import (
    STATELESS,
    InvalidValue,
    carried_over_state,
    initial_state,
    input_errors,
    plain_value,
    state_entry,
)
from simulator.slack.socket import Link
from simulator.state.slack_state import BOT_USER, Channel, Post, SlackMember, SlackRefusal, View, ViewState
from simulator.state.world import World

Json = dict[str, Any]
MODAL_STACK_MAX = 3
TROUBLE_NOTICE = "We had some trouble connecting. Try again?"


def _checked(world: World, view: Any, kind: str, *, instead_of: View | None = None) -> Json:
    if isinstance(view, str):
        try:
            view = json.loads(view)
        except ValueError as broken:
            raise SlackRefusal("invalid_arguments", messages=["[ERROR] view is no JSON"]) from broken
    problems = view_problems(view, kind)
    if problems:
        raise SlackRefusal("invalid_arguments", messages=problems)
    conversations.refuse_blocks(world, view["blocks"], kind, "invalid_arguments")
    external_id = view.get("external_id")
    duplicate = world.slack.find_view(external_id=external_id) if external_id else None
    if duplicate and duplicate is not instead_of:
        raise SlackRefusal("duplicate_external_id")
    full: Json = {key: value for key, value in view.items() if value is not None}
    return full | {"blocks": completed(view["blocks"])}


def _new(world: World, member: SlackMember, content: Json, *, above: View | None) -> View:
    view_id = world.slack.new_id("V")
    return View(
        id=view_id,
        content=content,
        owner=member.id,
        root=above.root if above else view_id,
        previous=above.id if above else None,
        hash=_hash(world),
        values=initial_state(content["blocks"]),
    )


def _hash(world: World) -> str:
    return f"{int(world.now().timestamp())}.{secrets.token_hex(4)}"


def use_trigger(world: World, trigger_id: str | None) -> SlackMember:
    """The member of a trigger_id. It is valid once and for `trigger_seconds`. Raises SlackRefusal."""
    trigger = world.slack.triggers.get(trigger_id or "")
    if trigger is None:
        raise SlackRefusal("invalid_trigger_id")
    if trigger.used:
        raise SlackRefusal("exchanged_trigger_id")
    if world.monotonic() - trigger.issued_at > world.limits.trigger_seconds:
        raise SlackRefusal("expired_trigger_id")
    return world.slack.members[trigger.member]


def open_view(world: World, trigger_id: str | None, view: Any) -> View:
    """views.open: replaces all open modals."""
    member = use_trigger(world, trigger_id)
    fresh = _new(world, member, _checked(world, view, "modal"), above=None)
    world.slack.triggers[trigger_id or ""].used = True
    member.views = [fresh]
    world.mark_changed()
    return fresh


def push_view(world: World, trigger_id: str | None, view: Any) -> View:
    """views.push: adds a modal on top, at most MODAL_STACK_MAX."""
    member = use_trigger(world, trigger_id)
    if not member.views:
        raise SlackRefusal("not_found")
    if len(member.views) >= MODAL_STACK_MAX:
        raise SlackRefusal("push_limit_reached")
    fresh = _new(world, member, _checked(world, view, "modal"), above=member.views[-1])
    world.slack.triggers[trigger_id or ""].used = True
    member.views.append(fresh)
    world.mark_changed()
    return fresh


def update_view(world: World, view: Any, *, view_id: str, external_id: str, expected: str | None) -> View:
    """views.update; `expected` is the hash that the view must still have."""
    current = world.slack.find_view(view_id, external_id)
    if current is None:
        raise SlackRefusal("not_found")
    if expected and expected != current.hash:
        raise SlackRefusal("hash_conflict")
    replace_content(world, current, _checked(world, view, str(current.content["type"]), instead_of=current))
    return current


def publish_view(world: World, member: SlackMember, view: Any, expected: str | None) -> View:
    """views.publish; `expected` is the hash that the home view must still have."""
    content = _checked(world, view, "home", instead_of=member.home)
    if member.home is None:
        member.home = _new(world, member, content, above=None)
    elif expected and expected != member.home.hash:
        raise SlackRefusal("hash_conflict")
    else:
        replace_content(world, member.home, content)
    world.mark_changed()
    return member.home


def replace_content(world: World, view: View, content: Json) -> None:
    """Replace a view's content; inputs with the same block_id and action_id keep their value."""
    view.values = carried_over_state(content["blocks"], view.values)
    view.content, view.hash = content, _hash(world)
    view.errors, view.notice, view.busy = {}, None, False
    world.mark_changed()


def apply_acknowledgement(
    world: World, member: SlackMember, view: View, acknowledgement: Json | None
) -> None:
    """Apply the acknowledgement of a submission; if it is missing or invalid, the modal shows a notice."""
    view.busy, view.errors, view.notice = False, {}, None
    try:
        if acknowledgement is None:
            raise SlackRefusal("not acknowledged in time")
        _apply(world, member, view, acknowledgement)
    except SlackRefusal as refusal:
        world.slack.refusals.append(
            f"view_submission of {view.content.get('callback_id')}: {reasons(refusal)}"
        )
        if refusal.messages:
            world.breaches.append(world.slack.refusals[-1])
        view.notice = TROUBLE_NOTICE
    world.mark_changed()


def reasons(refusal: SlackRefusal) -> str:
    return "; ".join([refusal.error, *refusal.messages])


def _apply(world: World, member: SlackMember, view: View, acknowledgement: Json) -> None:
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
            replace_content(
                world, view, _checked(world, acknowledgement.get("view"), "modal", instead_of=view)
            )
        case "push":
            if len(member.views) >= MODAL_STACK_MAX:
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


class SlackImpossible(Exception):
    """An action that Slack's client does not offer; the message says what is possible instead."""


def visible_channel(world: World, member: SlackMember, channel_id: str) -> Channel:
    """A conversation that the member is in. Raises SlackImpossible."""
    channel = world.slack.channels.get(channel_id)
    if channel is None or member.id not in channel.members:
        raise SlackImpossible(f"{member.name} is not in that channel.")
    return channel


def visible_post(world: World, member: SlackMember, channel: Channel, ts: str) -> Post:
    """A post that the member sees. Raises SlackImpossible."""
    for post in channel.posts:
        if (
            post.ts == ts
            and not post.deleted
            and post.visible_to in (None, member.id)
            and post.ts not in member.dismissed
        ):
            return post
    raise SlackImpossible("That message is gone.")


def find_open_view(member: SlackMember, view_id: str) -> View:
    """An open modal or the home view of the member. Raises SlackImpossible."""
    for view in [*member.views, *([member.home] if member.home else [])]:
        if view.id == view_id:
            return view
    raise SlackImpossible("That view is not open any more.")


def _element(blocks: list[Json], block_id: str, action_id: str, value: Any) -> Json:
    candidates = [
        e for b in blocks if b["block_id"] == block_id for e in elements_of(b) if e["action_id"] == action_id
    ]
    exact = [e for e in candidates if value is not None and e.get("value") == value]
    if not candidates:
        raise SlackImpossible("There is no such button or menu any more.")
    return (exact or candidates)[0]


async def act_on_post(
    link: Link,
    member: SlackMember,
    channel_id: str,
    ts: str,
    block_id: str,
    action_id: str,
    value: Any = None,
) -> bool:
    """Press a button or choose an option in a message; True if the app acknowledged.

    Slack shows a public channel, and its buttons, also to people who are not in it.
    """
    world = link.world
    channel = world.slack.channels.get(channel_id)
    if channel is None or channel.private:
        channel = visible_channel(world, member, channel_id)
    post = visible_post(world, member, channel, ts)
    element = _element(post.blocks, block_id, action_id, value)
    state = carried_over_state(post.blocks, member.choices.get(ts, {}))
    chosen = _choose(element, state.get(block_id, {}), value)
    member.choices[ts] = state
    acted = payloads.action(element, block_id, chosen, world.slack.next_ts(world.now()))
    payload = payloads.message_press(world, member, channel, post, acted, state)
    key = f"{block_id}/{action_id}"
    post.busy.setdefault(member.id, set()).add(key)
    post.notices.pop(member.id, None)
    world.mark_changed()
    acknowledgement = await link.deliver("interactive", payload)
    post.busy[member.id].discard(key)
    if acknowledgement is None:
        post.notices[member.id] = TROUBLE_NOTICE
    world.mark_changed()
    return acknowledgement is not None


async def act_in_view(
    link: Link,
    member: SlackMember,
    view_id: str,
    block_id: str,
    action_id: str,
    value: Any = None,
    values: Json | None = None,
) -> bool:
    """Press a button or choose an option in a modal or the home view; True if the app acknowledged."""
    world = link.world
    view = find_open_view(member, view_id)
    type_into(view, values or {})
    element = _element(view.blocks, block_id, action_id, value)
    chosen = _choose(element, view.values.get(block_id, {}), value)
    acted = payloads.action(element, block_id, chosen, world.slack.next_ts(world.now()))
    view.notice = None
    world.mark_changed()
    acknowledgement = await link.deliver("interactive", payloads.view_press(world, member, view, acted))
    if acknowledgement is None:
        view.notice = TROUBLE_NOTICE
    world.mark_changed()
    return acknowledgement is not None


def _choose(element: Json, entries: dict[str, Json], value: Any) -> Json | None:
    kind = element["type"]
    if kind == "button":
        return None
    if kind == "overflow":
        chosen = payloads.overflow_choice(element, str(value))
        if chosen is None:
            raise SlackImpossible(f"There is no option {value!r}.")
        return chosen
    try:
        fresh = state_entry(element, value)
    except InvalidValue as reason:
        raise SlackImpossible(str(reason)) from reason
    if entries.get(element["action_id"]) == fresh:
        # Slack sends nothing if the selected option is chosen again.
        raise SlackImpossible("That is chosen already; Slack sends nothing for it.")
    entries[element["action_id"]] = fresh
    return fresh


def type_into(view: View, values: Json) -> None:
    """Fill in plain values: {block_id: VALUE} or {block_id: {action_id: VALUE}}. Raises SlackImpossible."""
    for block_id, content in values.items():
        block = next((b for b in view.blocks if b["block_id"] == block_id), None)
        elements = [e for e in elements_of(block or {}) if e["type"] not in STATELESS]
        if not elements:
            raise SlackImpossible(f"There is nothing to fill in called {block_id!r}.")
        by_action = content if isinstance(content, dict) else {elements[0]["action_id"]: content}
        for action_id, value in by_action.items():
            element = next((e for e in elements if e["action_id"] == action_id), None)
            if element is None:
                raise SlackImpossible(f"There is no {action_id!r} in {block_id!r}.")
            try:
                view.values[block_id][action_id] = state_entry(element, value)
            except InvalidValue as reason:
                raise SlackImpossible(str(reason)) from reason
        view.errors.pop(block_id, None)


async def submit_view(link: Link, member: SlackMember, view_id: str, values: Json) -> bool:
    """Submit the top view; False if Slack's own client refused it or the app did not acknowledge."""
    world = link.world
    view = find_open_view(member, view_id)
    if not member.views or member.views[-1] is not view:
        raise SlackImpossible("Only the view on top can be submitted.")
    if not view.content.get("submit"):
        raise SlackImpossible("That view has nothing to submit.")
    type_into(view, values)
    view.notice = None
    view.errors = input_errors(view.blocks, view.values)
    if view.errors:
        world.mark_changed()
        return False
    view.busy = True
    world.mark_changed()
    acknowledgement = await link.deliver(
        "interactive", payloads.view_submission(world, member, view), accepts=True
    )
    apply_acknowledgement(world, member, view, acknowledgement)
    return acknowledgement is not None


async def close_view(link: Link, member: SlackMember, view_id: str, *, all_of_them: bool = False) -> None:
    """Close the top view, or all; the app gets view_closed for views with notify_on_close."""
    view = find_open_view(member, view_id)
    cleared = all_of_them or bool(view.content.get("clear_on_close"))
    closed = list(member.views) if cleared else [view]
    member.views = [v for v in member.views if v not in closed]
    link.world.mark_changed()
    notified = [v for v in reversed(closed) if v.content.get("notify_on_close")]
    await asyncio.gather(
        *(link.deliver("interactive", payloads.view_closed(member, v, cleared=cleared)) for v in notified)
    )


async def use_shortcut(
    link: Link, member: SlackMember, callback_id: str, *, channel_id: str | None = None, ts: str | None = None
) -> bool:
    """Use a global shortcut, or the shortcut of a message; True if the app acknowledged."""
    world = link.world
    if channel_id and ts:
        if callback_id not in world.slack.message_shortcuts:
            raise SlackImpossible("The app has no such message shortcut.")
        channel = visible_channel(world, member, channel_id)
        post = visible_post(world, member, channel, ts)
        payload = payloads.message_shortcut(world, member, channel, post, callback_id)
    else:
        if callback_id not in world.slack.shortcuts:
            raise SlackImpossible("The app has no such shortcut.")
        payload = payloads.shortcut(world, member, callback_id)
    acknowledgement = await link.deliver("interactive", payload)
    if acknowledgement is None:
        _notice(world, member, TROUBLE_NOTICE)
    return acknowledgement is not None


async def run_command(link: Link, member: SlackMember, text: str, channel_id: str) -> bool:
    """Type a slash command into a conversation; True if the app acknowledged."""
    world = link.world
    name, _, rest = text.strip().partition(" ")
    channel = visible_channel(world, member, channel_id)
    if name not in world.slack.commands:
        _notice(world, member, f"{name} is not a valid command.")
        return False
    payload = payloads.command(world, member, channel, name, rest.strip())
    acknowledgement = await link.deliver("slash_commands", payload, accepts=True)
    if acknowledgement is None:
        _notice(world, member, f'{name} failed with the error "operation_timeout"')
        return False
    if acknowledgement:
        show_answer(world, member, channel, acknowledgement)
    return True


def show_answer(world: World, member: SlackMember, channel: Channel, content: Json) -> None:
    """Show the app's answer to a command, from the acknowledgement or a response_url."""
    try:
        blocks = conversations.parse_blocks(world, content.get("blocks"))
        text = conversations.message_text(content, blocks)
    except SlackRefusal as refusal:
        world.slack.refusals.append(f"answer to a command: {reasons(refusal)}")
        world.breaches.append(world.slack.refusals[-1])
        _notice(world, member, "The app's answer could not be shown.")
        return
    public = content.get("response_type") == "in_channel"
    conversations.add_post(
        world,
        channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=content.get("thread_ts"),
        visible_to=None if public else member.id,
    )


def write(
    link: Link,
    member: SlackMember,
    channel_id: str,
    text: str,
    thread_ts: str | None = None,
    *,
    files: list[str] | None = None,
) -> Post:
    """Write in a conversation, with the ids of files; the app gets a message event."""
    world = link.world
    channel = visible_channel(world, member, channel_id)
    if not text.strip():
        raise SlackImpossible("An empty message cannot be sent.")
    rich = [
        {
            "type": "rich_text",
            "block_id": world.slack.new_id("rt"),
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
        }
    ]
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    try:
        post = conversations.add_post(
            world, channel, member.id, escaped, blocks=rich, thread_ts=thread_ts, files=files
        )
    except SlackRefusal as refusal:
        raise SlackImpossible("That thread is gone.") from refusal
    if channel.bot_in:
        link.event(payloads.message_event(world, channel, post))
    return post


def change_message(link: Link, channel: Channel, post: Post, text: str | None) -> None:
    """Edit a message of a member, or delete it without a text; the app gets an event."""
    before = payloads.message(link.world, post)
    if text is None:
        post.deleted = True
    else:
        post.text, post.edited = text, link.world.slack.next_ts(link.world.now())
    link.world.mark_changed()
    if channel.bot_in:
        link.event(payloads.changed_message_event(link.world, channel, post, before))


def change_membership(link: Link, member: SlackMember, channel_id: str, *, joins: bool) -> None:
    """Join or leave a channel; an app in the channel gets an event. Raises KeyError for an unknown channel."""
    channel = link.world.slack.channels[channel_id]
    if joins == (member.id in channel.members):
        return
    if joins:
        channel.members.add(member.id)
    else:
        channel.members.discard(member.id)
    link.world.mark_changed()
    if channel.bot_in:
        link.event(payloads.membership_event(link.world, channel, member, joins=joins))


def open_home(link: Link, member: SlackMember) -> None:
    link.event(payloads.home_opened(link.world, member))


def message_values(member: SlackMember, post: Post) -> ViewState:
    return (
        carried_over_state(post.blocks, member.choices.get(post.ts, {})) if post.blocks else initial_state([])
    )


def plain_values(state: ViewState) -> dict[str, dict[str, Any]]:
    return {
        block: {action: plain_value(value) for action, value in entries.items()}
        for block, entries in state.items()
    }


def _notice(world: World, member: SlackMember, text: str) -> None:
    member.notice = (text, world.now())
    world.mark_changed()
