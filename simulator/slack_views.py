"""Modals and home views: opened, pushed, updated, closed, and what a submission's answer does."""

import json
import secrets
from typing import Any

from simulator.block_kit import completed, view_problems
from simulator.block_values import kept, untouched
from simulator.slack_state import Member, SlackRefusal, View
from simulator.world import World

Json = dict[str, Any]
DEEPEST = 3
TROUBLE = "We had some trouble connecting. Try again?"


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
        view.notice = TROUBLE
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
