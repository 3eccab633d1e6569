"""The Bot API over HTTP: /bot<token>/<method> and /file/bot<token>/<path>."""

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import telegram_profile, telegram_sending, telegram_updates
from simulator.calls import Call
from simulator.http_body import BadBody, Upload, arguments
from simulator.lines import answer_with_fault, cut
from simulator.telegram_contract import BadField, decode, method_named
from simulator.telegram_state import TelegramRefusal, bad_request
from simulator.trouble import Fault
from simulator.world import World

Json = dict[str, Any]
Method = Callable[[World, Json, list[Upload]], Awaitable[object]]

METHODS: dict[str, Method] = {
    "getMe": telegram_profile.get_me,
    "getUpdates": telegram_updates.get_updates,
    "setWebhook": telegram_updates.set_webhook,
    "deleteWebhook": telegram_updates.delete_webhook,
    "getWebhookInfo": telegram_updates.get_webhook_info,
    "sendMessage": telegram_sending.send_message,
    "sendDocument": telegram_sending.send_document,
    "sendPhoto": telegram_sending.send_photo,
    "sendVoice": telegram_sending.send_voice,
    "editMessageText": telegram_sending.edit_message_text,
    "editMessageCaption": telegram_sending.edit_message_caption,
    "editMessageReplyMarkup": telegram_sending.edit_message_reply_markup,
    "deleteMessage": telegram_sending.delete_message,
    "deleteMessages": telegram_sending.delete_messages,
    "sendChatAction": telegram_sending.send_chat_action,
    "answerCallbackQuery": telegram_sending.answer_callback_query,
    "getFile": telegram_profile.get_file,
    "getChat": telegram_profile.get_chat,
    "getChatMember": telegram_profile.get_chat_member,
    "leaveChat": telegram_profile.leave_chat,
    "setMyCommands": telegram_profile.set_my_commands,
    "getMyCommands": telegram_profile.get_my_commands,
    "deleteMyCommands": telegram_profile.delete_my_commands,
    "setMyDescription": telegram_profile.set_my_description,
    "getMyDescription": telegram_profile.get_my_description,
    "setMyShortDescription": telegram_profile.set_my_short_description,
    "getMyShortDescription": telegram_profile.get_my_short_description,
    "setMyName": telegram_profile.set_my_name,
    "getMyName": telegram_profile.get_my_name,
    "logOut": telegram_profile.log_out,
    "close": telegram_profile.log_out,
}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def routes(world: World) -> list[Route]:
    """The two addresses of Telegram."""

    async def method(request: Request) -> Response:
        return await _call(world, request)

    async def file(request: Request) -> Response:
        return await _download(world, request)

    return [
        Route("/bot{token}/{method}", method, methods=["GET", "POST"]),
        Route("/file/bot{token}/{path:path}", file, methods=["GET"]),
    ]


async def _call(world: World, request: Request) -> Response:
    if world.trouble.telegram_down:
        return await _down(world, request)
    called = method_named(request.path_params["method"]) or request.path_params["method"]
    fault = world.trouble.take(called)
    if fault is not None and fault.how == "cut_before":
        return await cut(request)
    sent: Json = {}
    try:
        if fault is not None and not fault.accepts:
            raise _ordered(fault)
        _authorise(world, request.path_params["token"])
        sent, uploads = await arguments(request)
        result = await _perform(world, called, sent, uploads)
        status, answer = 200, {"ok": True, "result": result}
    except TelegramRefusal as refusal:
        status, answer = refusal.code, _refused(refusal)
    except BadBody as broken:
        status, answer = 400, _refused(bad_request(str(broken)))
    if called != "getUpdates" or status != 200:
        world.calls.all.append(Call(called, sent, answer, status, world.now()))
    response = Response(json.dumps(answer), status, media_type="application/json")
    if fault is None:
        return response
    return await answer_with_fault(request, response, fault, world.changes, BAD_GATEWAY)


def _authorise(world: World, token: str) -> None:
    number, colon, _ = token.partition(":")
    if not colon or not number.isdigit():
        raise TelegramRefusal(404, "Not Found")
    if not hmac.compare_digest(token.encode(), world.telegram.token.encode()):
        raise TelegramRefusal(401, "Unauthorized")


async def _perform(world: World, called: str, sent: Json, uploads: list[Upload]) -> object:
    if method_named(called) is None:
        raise TelegramRefusal(404, "Not Found: method not found")
    if called not in METHODS:
        raise TelegramRefusal(501, f"Not Implemented: the simulator knows {called} but does not do it")
    try:
        decoded = decode(called, sent, uploads, strict=world.limits.strict)
    except BadField as reason:
        world.breaches.append(f"{called}: {reason}")
        raise bad_request(str(reason)) from reason
    return await METHODS[called](world, decoded, uploads)


def _ordered(fault: Fault) -> TelegramRefusal:
    status = fault.status or (429 if fault.retry_after else 500)
    words = {
        429: f"Too Many Requests: retry after {fault.retry_after}",
        403: "Forbidden: bot was blocked by the user",
        500: "Internal Server Error",
        502: "Bad Gateway",
    }
    return TelegramRefusal(
        status, fault.error or words.get(status, "Bad Request"), retry_after=fault.retry_after
    )


def _refused(refusal: TelegramRefusal) -> Json:
    answer: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.retry_after is not None:
        answer["parameters"] = {"retry_after": refusal.retry_after}
    return answer


async def _down(world: World, request: Request) -> Response:
    if world.trouble.refuse:
        return await cut(request)
    return Response(BAD_GATEWAY, 502, media_type="text/html")


async def _download(world: World, request: Request) -> Response:
    if world.trouble.telegram_down:
        return await _down(world, request)
    fault = world.trouble.take("file")
    if fault is not None:
        return await answer_with_fault(
            request, Response(status_code=fault.status or 500), fault, world.changes, BAD_GATEWAY
        )
    try:
        _authorise(world, request.path_params["token"])
    except TelegramRefusal as refusal:
        return Response(json.dumps(_refused(refusal)), refusal.code, media_type="application/json")
    path = request.path_params["path"]
    stored = next((file for file in world.telegram.files.values() if file.path == path), None)
    if stored is None:
        return Response(
            '{"ok":false,"error_code":404,"description":"Not Found"}', 404, media_type="application/json"
        )
    return Response(stored.data, media_type="application/octet-stream")
