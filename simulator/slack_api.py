"""The Web API over HTTP at /api/<method>, and the addresses for later answers at /hooks/<id>."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import slack_files, slack_people, slack_posts, slack_rooms
from simulator import slack_methods as m
from simulator.calls import Call
from simulator.http_body import BadBody, Upload, arguments
from simulator.lines import answer_with_fault, cut
from simulator.slack_contract import arguments_of, scope_for
from simulator.slack_link import Link
from simulator.slack_state import SlackRefusal
from simulator.trouble import Fault

Json = dict[str, Any]

METHODS: dict[str, m.Method] = {
    "auth.test": m.auth_test,
    "apps.connections.open": m.connections_open,
    "bots.info": slack_rooms.bots_info,
    "chat.postMessage": m.post_message,
    "chat.update": m.update_message,
    "chat.delete": m.delete_message,
    "chat.postEphemeral": m.post_ephemeral,
    "chat.getPermalink": m.permalink,
    "conversations.list": slack_rooms.conversations_list,
    "conversations.info": slack_rooms.conversations_info,
    "conversations.members": slack_rooms.conversations_members,
    "conversations.join": slack_rooms.conversations_join,
    "conversations.open": slack_rooms.conversations_open,
    "conversations.history": slack_rooms.history,
    "conversations.replies": slack_rooms.replies,
    "users.info": slack_rooms.users_info,
    "users.list": slack_rooms.users_list,
    "usergroups.users.list": slack_rooms.usergroup_users,
    "views.open": m.views_open,
    "views.push": m.views_push,
    "views.update": m.views_update,
    "views.publish": m.views_publish,
    "reactions.add": m.reactions_add,
    "files.getUploadURLExternal": slack_files.upload_url,
    "files.completeUploadExternal": slack_files.complete_upload,
    "files.delete": slack_files.delete_file,
    "files.info": slack_files.file_info,
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
        *slack_files.routes(link),
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
    if slack_rooms.truth(said.get("delete_original")):
        if post is not None and post.by_bot:
            slack_posts.remove(link.world, channel, post)
        return
    blocks = slack_posts.blocks_of(said.get("blocks"))
    text = slack_posts.words(said, blocks)
    if slack_rooms.truth(said.get("replace_original")) and post is not None and post.by_bot:
        slack_posts.change(link.world, post, text=text, blocks=blocks or [], metadata=None)
        return
    slack_people.answer(link.world, member, channel, said)
