"""The Web API over HTTP at /api/<method>, and the response_urls at /hooks/<id>.

The methods about messages and views are here; those about conversations, members and files in their own modules.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.http import BadBody, Upload, answer_with_fault, cut_connection, read_arguments
from simulator.slack import conversations, file_uploads, payloads, people
from simulator.slack.contract import method_arguments, scope_for
from simulator.slack.socket import Link
from simulator.state.slack_state import BOT, BOT_USER, DOMAIN, TEAM, SlackRefusal
from simulator.state.world import Call, Fault

Json = dict[str, Any]
Method = Callable[[Link, Json, list[Upload]], Awaitable[Json]]


async def auth_test(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    return {
        "url": f"https://{DOMAIN}.slack.com/",
        "team": "Amends demo",
        "user": "amends",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


async def connections_open(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    return {"url": link.open_url()}


async def post_message(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    world = link.world
    channel = conversations.find_channel(world, arguments.get("channel"), to_post=True)
    blocks = conversations.parse_blocks(world, arguments.get("blocks"))
    text = conversations.message_text(arguments, blocks)
    conversations.enforce_rate_limit(world, channel)
    post = conversations.add_post(
        world,
        channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=arguments.get("thread_ts"),
        metadata=conversations.parse_metadata(arguments.get("metadata")),
    )
    return {"channel": channel.id, "ts": post.ts, "message": payloads.message(world, post)}


async def update_message(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    world = link.world
    channel = conversations.find_channel(world, arguments.get("channel"))
    post = conversations.own_post(world, channel, arguments.get("ts"), "cant_update_message")
    blocks = conversations.parse_blocks(world, arguments.get("blocks"))
    text = conversations.message_text(arguments, post.blocks if blocks is None else blocks)
    conversations.enforce_rate_limit(world, channel)
    conversations.change_post(
        world,
        post,
        text=text,
        blocks=blocks,
        metadata=conversations.parse_metadata(arguments.get("metadata")),
    )
    return {"channel": channel.id, "ts": post.ts, "text": text, "message": payloads.message(world, post)}


async def delete_message(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    channel = conversations.find_channel(link.world, arguments.get("channel"))
    post = conversations.own_post(link.world, channel, arguments.get("ts"), "cant_delete_message")
    conversations.remove_post(link.world, channel, post)
    return {"channel": channel.id, "ts": post.ts}


async def post_ephemeral(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    world = link.world
    channel = conversations.find_channel(world, arguments.get("channel"), to_post=True)
    if arguments.get("user") not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    blocks = conversations.parse_blocks(world, arguments.get("blocks"))
    text = conversations.message_text(arguments, blocks)
    post = conversations.add_post(
        world,
        channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=arguments.get("thread_ts"),
        visible_to=str(arguments["user"]),
    )
    return {"message_ts": post.ts}


async def permalink(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    channel = conversations.find_channel(link.world, arguments.get("channel"))
    if channel.find_post(str(arguments.get("message_ts"))) is None:
        raise SlackRefusal("message_not_found")
    address = (
        f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{str(arguments['message_ts']).replace('.', '')}"
    )
    return {"channel": channel.id, "permalink": address}


async def views_open(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    return {"view": people.open_view(link.world, arguments.get("trigger_id"), arguments.get("view")).api()}


async def views_push(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    return {"view": people.push_view(link.world, arguments.get("trigger_id"), arguments.get("view")).api()}


async def views_update(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    view = people.update_view(
        link.world,
        arguments.get("view"),
        view_id=arguments.get("view_id") or "",
        external_id=arguments.get("external_id") or "",
        expected=arguments.get("hash"),
    )
    return {"view": view.api()}


async def views_publish(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    member = link.world.slack.members.get(str(arguments.get("user_id")))
    if member is None:
        raise SlackRefusal("user_not_found")
    return {
        "view": people.publish_view(link.world, member, arguments.get("view"), arguments.get("hash")).api()
    }


async def reactions_add(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    channel = conversations.find_channel(link.world, arguments.get("channel"))
    post = channel.find_post(str(arguments.get("timestamp")))
    if post is None:
        raise SlackRefusal("message_not_found")
    members = post.reactions.setdefault(str(arguments.get("name")), [])
    if BOT_USER in members:
        raise SlackRefusal("already_reacted")
    members.append(BOT_USER)
    link.world.mark_changed()
    return {}


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "apps.connections.open": connections_open,
    "bots.info": conversations.bots_info,
    "chat.postMessage": post_message,
    "chat.update": update_message,
    "chat.delete": delete_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": permalink,
    "conversations.list": conversations.conversations_list,
    "conversations.info": conversations.conversations_info,
    "conversations.members": conversations.conversations_members,
    "conversations.join": conversations.conversations_join,
    "conversations.open": conversations.conversations_open,
    "conversations.history": conversations.conversations_history,
    "conversations.replies": conversations.conversations_replies,
    "users.info": conversations.users_info,
    "users.list": conversations.users_list,
    "usergroups.users.list": conversations.usergroups_users_list,
    "views.open": views_open,
    "views.push": views_push,
    "views.update": views_update,
    "views.publish": views_publish,
    "reactions.add": reactions_add,
    "files.getUploadURLExternal": file_uploads.upload_url,
    "files.completeUploadExternal": file_uploads.complete_upload,
    "files.delete": file_uploads.delete_file,
    "files.info": file_uploads.file_info,
}
APP_TOKEN_ONLY = {"apps.connections.open"}
HTML_503 = (
    "<html><head><title>503 Service Unavailable</title></head><body>503 Service Unavailable</body></html>"
)
# Arguments that the methods check, with more specific errors.
CHECKED_BY_METHOD = {
    "channel", "user", "user_id", "view", "ts", "trigger_id", "users", "usergroup", "text", "message_ts", "timestamp",
}  # fmt: skip


def routes(link: Link) -> list[Route]:
    """Routes of the Web API, response_urls and files."""

    async def call(request: Request) -> Response:
        return await _call(link, request)

    async def hook(request: Request) -> Response:
        return await _hook(link, request)

    return [
        Route("/api/{method}", call, methods=["GET", "POST"]),
        Route("/hooks/{hook}", hook, methods=["POST"]),
        *file_uploads.routes(link),
    ]


async def _call(link: Link, request: Request) -> Response:
    world = link.world
    if world.trouble.slack_down:
        return (
            await cut_connection(request)
            if world.trouble.cut_connections
            else Response(HTML_503, 503, media_type="text/html")
        )
    name = request.path_params["method"]
    fault = world.trouble.take_fault(name)
    if fault is not None and fault.how == "cut_before":
        return await cut_connection(request)
    sent: Json = {}
    headers: dict[str, str] = {}
    status = 200
    try:
        if fault is not None and not fault.accepts:
            raise _injected_refusal(fault)
        sent, uploads = await read_arguments(request)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = bearer or str(sent.get("token", ""))
        sent.pop("token", None)
        answer = await _perform(link, name, sent, uploads, token)
        headers = {"x-oauth-scopes": ",".join(world.slack.scopes), "x-accepted-oauth-scopes": scope_for(name)}
    except SlackRefusal as refusal:
        status, answer = 429 if refusal.retry_after else 200, _error_answer(refusal)
        headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
        if refusal.messages:
            world.slack.refusals.append(f"{name}: {'; '.join([refusal.error, *refusal.messages])}")
            world.breaches.append(world.slack.refusals[-1])
    except BadBody:
        answer = {"ok": False, "error": "invalid_form_data"}
    if fault is not None and fault.status and not fault.accepts:
        status = fault.status
    world.calls.entries.append(Call(name, sent, answer, status, world.now()))
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
    declared = method_arguments(name)
    if name not in METHODS:
        if declared is None:
            raise SlackRefusal("unknown_method", extra={"req_method": name})
        raise SlackRefusal("method_not_simulated", messages=[f"[ERROR] the simulator does not do {name}"])
    if (token == slack.app_token) != (name in APP_TOKEN_ONLY):
        raise SlackRefusal("not_allowed_token_type")
    scope = scope_for(name, sent, slack)
    if scope and scope not in slack.scopes:
        raise SlackRefusal("missing_scope", extra={"needed": scope, "provided": ",".join(slack.scopes)})
    if declared is not None:
        _check_arguments(link, name, sent, declared)
    return {"ok": True} | await METHODS[name](link, sent, uploads)


def _check_arguments(link: Link, name: str, sent: Json, declared: tuple[set[str], set[str]]) -> None:
    allowed, required = declared
    # The official client adds its team_id to every call.
    unknown = sorted(set(sent) - allowed - {"team_id"})
    if unknown and link.world.limits.strict:
        raise SlackRefusal(
            "invalid_arguments",
            messages=[f"[ERROR] unknown argument: {key} (the simulator is strict)" for key in unknown],
        )
    missing = sorted(key for key in required - CHECKED_BY_METHOD - {"token"} if sent.get(key) is None)
    if missing:
        raise SlackRefusal(
            "invalid_arguments", messages=[f"[ERROR] missing required field: {key}" for key in missing]
        )


def _injected_refusal(fault: Fault) -> SlackRefusal:
    limited = fault.status == 429 or fault.error == "ratelimited"
    return SlackRefusal(
        fault.error or ("ratelimited" if limited else "internal_error"),
        retry_after=fault.retry_after or (1 if limited else None),
    )


def _error_answer(refusal: SlackRefusal) -> Json:
    answer: Json = {"ok": False, "error": refusal.error} | refusal.extra
    if refusal.messages:
        answer["response_metadata"] = {"messages": refusal.messages}
    return answer


async def _hook(link: Link, request: Request) -> Response:
    world = link.world
    if world.trouble.slack_down:
        return Response(HTML_503, 503, media_type="text/html")
    target = world.slack.response_urls.get(request.path_params["hook"])
    limits = world.limits
    if target is None or world.monotonic() - target.issued_at > limits.response_url_seconds:
        return Response('{"ok":false,"error":"expired_url"}', 404, media_type="application/json")
    if target.uses >= limits.response_url_uses:
        return Response('{"ok":false,"error":"used_url"}', 404, media_type="application/json")
    try:
        content, _ = await read_arguments(request)
        target.uses += 1
        _answer_later(link, target.member, target.channel, target.post, content)
    except BadBody:
        return Response("invalid_payload", 400)
    except SlackRefusal as refusal:
        world.slack.refusals.append(f"response_url: {'; '.join([refusal.error, *refusal.messages])}")
        world.breaches.append(world.slack.refusals[-1])
        return Response(json.dumps(_error_answer(refusal)), 400, media_type="application/json")
    world.calls.entries.append(Call("response_url", content, {"ok": True}, 200, world.now()))
    return Response("ok", media_type="text/plain")


def _answer_later(link: Link, member_id: str, channel_id: str, ts: str | None, content: Json) -> None:
    slack = link.world.slack
    member, channel = slack.members[member_id], slack.channels[channel_id]
    post = next((p for p in channel.posts if p.ts == ts and not p.deleted), None)
    if conversations.is_true(content.get("delete_original")):
        if post is not None and post.by_bot:
            conversations.remove_post(link.world, channel, post)
        return
    blocks = conversations.parse_blocks(link.world, content.get("blocks"))
    text = conversations.message_text(content, blocks)
    if conversations.is_true(content.get("replace_original")) and post is not None and post.by_bot:
        conversations.change_post(link.world, post, text=text, blocks=blocks or [], metadata=None)
        return
    people.show_answer(link.world, member, channel, content)
