"""Web API methods about the connection, messages and views.

The Web API over HTTP at /api/<method>, and the addresses for later answers at /hooks/<id>.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.base import Call, Fault
from simulator.http import BadBody, Upload, answer_with_fault, arguments, cut
from simulator.slack import files, payloads, people, rooms
from simulator.slack.contract import arguments_of, scope_for
from simulator.slack.socket import Link
from simulator.slack.state import BOT, BOT_USER, DOMAIN, TEAM, SlackRefusal

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
    channel = rooms.channel_for(world, a.get("channel"), to_post=True)
    blocks = rooms.blocks_of(a.get("blocks"))
    text = rooms.words(a, blocks)
    rooms.pace(world, channel)
    post = rooms.add(
        world,
        channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=a.get("thread_ts"),
        metadata=rooms.metadata_of(a.get("metadata")),
    )
    return {"channel": channel.id, "ts": post.ts, "message": payloads.message(world, post)}


async def update_message(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.update."""
    world = link.world
    channel = rooms.channel_for(world, a.get("channel"))
    post = rooms.own_post(world, channel, a.get("ts"), "cant_update_message")
    blocks = rooms.blocks_of(a.get("blocks"))
    text = rooms.words(a, post.blocks if blocks is None else blocks)
    rooms.pace(world, channel)
    rooms.change(
        world,
        post,
        text=text,
        blocks=blocks,
        metadata=rooms.metadata_of(a.get("metadata")),
    )
    return {
        "channel": channel.id,
        "ts": post.ts,
        "text": text,
        "message": payloads.message(world, post),
    }


async def delete_message(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.delete."""
    channel = rooms.channel_for(link.world, a.get("channel"))
    post = rooms.own_post(link.world, channel, a.get("ts"), "cant_delete_message")
    rooms.remove(link.world, channel, post)
    return {"channel": channel.id, "ts": post.ts}


async def post_ephemeral(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """chat.postEphemeral."""
    world = link.world
    channel = rooms.channel_for(world, a.get("channel"), to_post=True)
    if a.get("user") not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    blocks = rooms.blocks_of(a.get("blocks"))
    text = rooms.words(a, blocks)
    post = rooms.add(
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
    channel = rooms.channel_for(link.world, a.get("channel"))
    if channel.post(str(a.get("message_ts"))) is None:
        raise SlackRefusal("message_not_found")
    place = f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{str(a['message_ts']).replace('.', '')}"
    return {"channel": channel.id, "permalink": place}


async def views_open(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.open."""
    return {"view": people.opened(link.world, a.get("trigger_id"), a.get("view")).api()}


async def views_push(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.push."""
    return {"view": people.pushed(link.world, a.get("trigger_id"), a.get("view")).api()}


async def views_update(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """views.update."""
    view = people.updated(
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
    return {"view": people.published(link.world, member, a.get("view"), a.get("hash")).api()}


async def reactions_add(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """reactions.add."""
    channel = rooms.channel_for(link.world, a.get("channel"))
    post = channel.post(str(a.get("timestamp")))
    if post is None:
        raise SlackRefusal("message_not_found")
    who = post.reactions.setdefault(str(a.get("name")), [])
    if BOT_USER in who:
        raise SlackRefusal("already_reacted")
    who.append(BOT_USER)
    link.world.changed()
    return {}


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "apps.connections.open": connections_open,
    "bots.info": rooms.bots_info,
    "chat.postMessage": post_message,
    "chat.update": update_message,
    "chat.delete": delete_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": permalink,
    "conversations.list": rooms.conversations_list,
    "conversations.info": rooms.conversations_info,
    "conversations.members": rooms.conversations_members,
    "conversations.join": rooms.conversations_join,
    "conversations.open": rooms.conversations_open,
    "conversations.history": rooms.history,
    "conversations.replies": rooms.replies,
    "users.info": rooms.users_info,
    "users.list": rooms.users_list,
    "usergroups.users.list": rooms.usergroup_users,
    "views.open": views_open,
    "views.push": views_push,
    "views.update": views_update,
    "views.publish": views_publish,
    "reactions.add": reactions_add,
    "files.getUploadURLExternal": files.upload_url,
    "files.completeUploadExternal": files.complete_upload,
    "files.delete": files.delete_file,
    "files.info": files.file_info,
}
APP_TOKEN_ONLY = {"apps.connections.open"}
HTML_503 = (
    "<html><head><title>503 Service Unavailable</title></head><body>503 Service Unavailable</body></html>"
)
# Arguments that the method itself judges, with an error of its own.
JUDGED = {
    "channel",
    "user",
    "user_id",
    "view",
    "ts",
    "trigger_id",
    "users",
    "usergroup",
    "text",
    "message_ts",
    "timestamp",
}


def routes(link: Link) -> list[Route]:
    """The Web API, the answers to response_urls."""

    async def call(request: Request) -> Response:
        return await _call(link, request)

    async def hook(request: Request) -> Response:
        return await _hook(link, request)

    return [
        Route("/api/{method}", call, methods=["GET", "POST"]),
        Route("/hooks/{hook}", hook, methods=["POST"]),
        *files.routes(link),
    ]


async def _call(link: Link, request: Request) -> Response:
    world = link.world
    if world.trouble.slack_down:
        return await cut(request) if world.trouble.refuse else Response(HTML_503, 503, media_type="text/html")
    name = request.path_params["method"]
    fault = world.trouble.take(name)
    if fault is not None and fault.how == "cut_before":
        return await cut(request)
    sent: Json = {}
    headers: dict[str, str] = {}
    status = 200
    try:
        if fault is not None and not fault.accepts:
            raise _ordered(fault)
        sent, uploads = await arguments(request)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = bearer or str(sent.get("token", ""))
        sent.pop("token", None)
        answer = await _perform(link, name, sent, uploads, token)
        headers = {"x-oauth-scopes": ",".join(world.slack.scopes), "x-accepted-oauth-scopes": scope_for(name)}
    except SlackRefusal as refusal:
        status, answer = 429 if refusal.retry_after else 200, _refused(refusal)
        headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
        if refusal.messages:
            world.slack.refusals.append(f"{name}: {'; '.join([refusal.error, *refusal.messages])}")
            world.breaches.append(world.slack.refusals[-1])
    except BadBody:
        answer = {"ok": False, "error": "invalid_form_data"}
    if fault is not None and fault.status and not fault.accepts:
        status = fault.status
    world.calls.all.append(Call(name, sent, answer, status, world.now()))
    response = Response(json.dumps(answer), status, media_type="application/json", headers=headers)
    if fault is None:
        return response
    return await answer_with_fault(request, response, fault, world.changes, HTML_503)


async def _perform(link: Link, name: str, sent: Json, uploads: list[Upload], token: str) -> Json:
    slack = link.world.slack
    if not token:
        raise SlackRefusal("not_authed")
    if token not in (slack.bot_token, slack.app_token):
        raise SlackRefusal("invalid_auth")
    known = arguments_of(name)
    if name not in METHODS:
        if known is None:
            raise SlackRefusal("unknown_method", extra={"req_method": name})
        raise SlackRefusal("method_not_simulated", messages=[f"[ERROR] the simulator does not do {name}"])
    if (token == slack.app_token) != (name in APP_TOKEN_ONLY):
        raise SlackRefusal("not_allowed_token_type")
    scope = scope_for(name, sent, slack)
    if scope and scope not in slack.scopes:
        raise SlackRefusal("missing_scope", extra={"needed": scope, "provided": ",".join(slack.scopes)})
    if known is not None:
        _check_arguments(link, name, sent, known)
    return {"ok": True} | await METHODS[name](link, sent, uploads)


def _check_arguments(link: Link, name: str, sent: Json, known: tuple[set[str], set[str]]) -> None:
    allowed, required = known
    # The official client puts its team_id into every call.
    unknown = sorted(set(sent) - allowed - {"team_id"})
    if unknown and link.world.limits.strict:
        raise SlackRefusal(
            "invalid_arguments",
            messages=[f"[ERROR] unknown argument: {key} (the simulator is strict)" for key in unknown],
        )
    missing = sorted(key for key in required - JUDGED - {"token"} if sent.get(key) is None)
    if missing:
        raise SlackRefusal(
            "invalid_arguments", messages=[f"[ERROR] missing required field: {key}" for key in missing]
        )


def _ordered(fault: Fault) -> SlackRefusal:
    limited = fault.status == 429 or fault.error == "ratelimited"
    return SlackRefusal(
        fault.error or ("ratelimited" if limited else "internal_error"),
        retry_after=fault.retry_after or (1 if limited else None),
    )


def _refused(refusal: SlackRefusal) -> Json:
    answer: Json = {"ok": False, "error": refusal.error} | refusal.extra
    if refusal.messages:
        answer["response_metadata"] = {"messages": refusal.messages}
    return answer


async def _hook(link: Link, request: Request) -> Response:
    world = link.world
    if world.trouble.slack_down:
        return Response(HTML_503, 503, media_type="text/html")
    known = world.slack.response_urls.get(request.path_params["hook"])
    limits = world.limits
    if known is None or world.monotonic() - known.at > limits.response_url_seconds:
        return Response('{"ok":false,"error":"expired_url"}', 404, media_type="application/json")
    if known.uses >= limits.response_url_uses:
        return Response('{"ok":false,"error":"used_url"}', 404, media_type="application/json")
    try:
        said, _ = await arguments(request)
        known.uses += 1
        _answer_later(link, known.member, known.channel, known.post, said)
    except BadBody:
        return Response("invalid_payload", 400)
    except SlackRefusal as refusal:
        world.slack.refusals.append(f"response_url: {'; '.join([refusal.error, *refusal.messages])}")
        world.breaches.append(world.slack.refusals[-1])
        return Response(json.dumps(_refused(refusal)), 400, media_type="application/json")
    world.calls.all.append(Call("response_url", said, {"ok": True}, 200, world.now()))
    return Response("ok", media_type="text/plain")


def _answer_later(link: Link, member_id: str, channel_id: str, ts: str | None, said: Json) -> None:
    slack = link.world.slack
    member, channel = slack.members[member_id], slack.channels[channel_id]
    post = next((p for p in channel.posts if p.ts == ts and not p.deleted), None)
    if rooms.truth(said.get("delete_original")):
        if post is not None and post.by_bot:
            rooms.remove(link.world, channel, post)
        return
    blocks = rooms.blocks_of(said.get("blocks"))
    text = rooms.words(said, blocks)
    if rooms.truth(said.get("replace_original")) and post is not None and post.by_bot:
        rooms.change(link.world, post, text=text, blocks=blocks or [], metadata=None)
        return
    people.answer(link.world, member, channel, said)
