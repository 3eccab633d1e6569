"""The Bot API over HTTP: /bot<token>/<method> and /file/bot<token>/<path>.

Arguments are checked and converted according to the published specification (contract/telegram.json).
"""

import hmac
import json
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.http import BadBody, Upload, answer_with_fault, cut_connection, read_arguments
from simulator.state.telegram_state import TelegramRefusal, bad_request
from simulator.state.world import Call, Fault, World
from simulator.telegram import profile, sending, updates

Json = dict[str, Any]
Shape = dict[str, tuple[list[str], bool]]
MISSING = {"chat_id": "chat_id is empty", "text": "message text is empty"}


class BadField(Exception):
    """A field that is unknown, missing, or of another type than in the specification."""


@cache
def _specification() -> tuple[dict[str, Shape], dict[str, Shape | list[str]]]:
    raw = json.loads((files("simulator") / "contract" / "telegram.json").read_text())
    methods = {name: _shape(fields) for name, fields in raw["methods"].items()}
    types = {
        name: fields if isinstance(fields, list) else _shape(fields) for name, fields in raw["types"].items()
    }
    return methods, types


def _shape(fields: Json) -> Shape:
    return {name: (types, bool(required)) for name, (types, required) in fields.items()}


def method_named(name: str) -> str | None:
    """The method's official spelling, or None. Telegram ignores case."""
    return _spellings().get(name.lower())


@cache
def _spellings() -> dict[str, str]:
    return {name.lower(): name for name in _specification()[0]}


def decode(method: str, sent: Json, uploads: list[Upload], *, strict: bool) -> Json:
    """Convert the arguments of a call to their types. Raises BadField with Telegram's text."""
    shape = _specification()[0][method]
    decoded: Json = {}
    for name, value in sent.items():
        if name not in shape:
            if strict:
                raise BadField(f'unknown field "{name}" of {method} (the simulator is strict)')
            continue
        if value is None:
            continue
        decoded[name] = _typed(value, shape[name][0], name, strict=strict)
    # Other parts are allowed: an argument refers to them by attach://name.
    decoded |= {upload.field: upload for upload in uploads if upload.field in shape}
    for name, (_, required) in shape.items():
        if required and name not in decoded:
            raise BadField(MISSING.get(name, f'parameter "{name}" is required'))
    return decoded


def check_type(value: object, type_name: str) -> None:
    """Check a value that the simulator sends. Raises BadField with the path of the first error."""
    _typed(value, [type_name], type_name, strict=True)


def _typed(value: Any, types: list[str], path: str, *, strict: bool, is_union: bool = False) -> Any:
    reasons = []
    for name in types:
        try:
            return _typed_as(value, name, path, strict=strict)
        except BadField as reason:
            reasons.append(reason)
    # In a union the longest path belongs to the subtype that matched best: its reason helps most.
    raise max(reasons, key=lambda reason: len(str(reason))) if is_union else reasons[0]


def _typed_as(value: Any, name: str, path: str, *, strict: bool) -> Any:
    if name.startswith("Array of "):
        items = _parsed(value, path)
        if not isinstance(items, list):
            raise BadField(f"can't parse {path}: expected an Array")
        inner = name.removeprefix("Array of ")
        return [_typed_as(item, inner, f"{path}[{i}]", strict=strict) for i, item in enumerate(items)]
    match name:
        case "Integer":
            return _number(value, path, int)
        case "Float":
            return _number(value, path, float)
        case "Boolean" | "True":
            return _boolean(value, path)
        case "String":
            if not isinstance(value, str):
                raise BadField(f'field "{path}" must be of type String')
            return value
        case "InputFile":
            if isinstance(value, str | Upload):
                return value
            raise BadField(f'field "{path}" must be a file')
    return _object(value, name, path, strict=strict)


def _object(value: Any, name: str, path: str, *, strict: bool) -> Any:
    shape = _specification()[1].get(name)
    if shape is None:
        raise BadField(f"unknown type {name} at {path}")
    value = _parsed(value, path)
    if isinstance(shape, list):
        return _typed(value, shape, path, strict=strict, is_union=True)
    if not isinstance(value, dict):
        raise BadField(f"object expected as {path}")
    for key in value:
        if key not in shape and strict:
            raise BadField(f'unknown field "{path}.{key}" of {name} (the simulator is strict)')
    for key, (_, required) in shape.items():
        if required and key not in value:
            raise BadField(f"can't parse {path}: can't find field \"{key}\"")
    return {
        key: _typed(item, shape[key][0], f"{path}.{key}", strict=strict) if key in shape else item
        for key, item in value.items()
        if item is not None
    }


def _parsed(value: Any, path: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as broken:
        raise BadField(f"can't parse {path} JSON object") from broken


def _number(value: Any, path: str, kind: type[int] | type[float]) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, int | str | kind):
            raise ValueError
        return kind(value)
    except ValueError as broken:
        raise BadField(f'field "{path}" must be of type Number') from broken


def _boolean(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    raise BadField(f'field "{path}" must be of type Boolean')


Method = Callable[[World, Json, list[Upload]], Awaitable[object]]

METHODS: dict[str, Method] = {
    "getMe": profile.get_me,
    "getUpdates": updates.get_updates,
    "setWebhook": updates.set_webhook,
    "deleteWebhook": updates.delete_webhook,
    "getWebhookInfo": updates.get_webhook_info,
    "sendMessage": sending.send_message,
    "sendDocument": sending.send_document,
    "editMessageText": sending.edit_message_text,
    "deleteMessage": sending.delete_message,
    "sendChatAction": sending.send_chat_action,
    "answerCallbackQuery": sending.answer_callback_query,
    "getFile": profile.get_file,
    "getChat": profile.get_chat,
    "getChatMember": profile.get_chat_member,
    "leaveChat": profile.leave_chat,
    "setMyCommands": profile.set_my_commands,
    "getMyCommands": profile.get_my_commands,
    "setMyDescription": profile.set_description("description", 512),
    "getMyDescription": profile.get_description("description"),
    "setMyShortDescription": profile.set_description("short_description", 120),
    "getMyShortDescription": profile.get_description("short_description"),
    "setMyName": profile.set_description("name", 64),
    "getMyName": profile.get_description("name"),
    "setChatMenuButton": profile.set_menu_button,
    "getChatMenuButton": profile.get_menu_button,
}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def routes(world: World) -> list[Route]:

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
    fault = world.trouble.take_fault(called)
    if fault is not None and fault.how == "cut_before":
        return await cut_connection(request)
    sent: Json = {}
    try:
        if fault is not None and not fault.accepts:
            raise _injected_refusal(fault)
        _authorise(world, request.path_params["token"])
        sent, uploads = await read_arguments(request)
        result = await _perform(world, called, sent, uploads)
        status, answer = 200, {"ok": True, "result": result}
    except TelegramRefusal as refusal:
        status, answer = refusal.code, _error_answer(refusal)
    except BadBody as broken:
        status, answer = 400, _error_answer(bad_request(str(broken)))
    if called != "getUpdates" or status != 200:
        world.calls.entries.append(Call(called, sent, answer, status, world.now()))
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


def _injected_refusal(fault: Fault) -> TelegramRefusal:
    status = fault.status or (429 if fault.retry_after else 500)
    descriptions = {
        429: f"Too Many Requests: retry after {fault.retry_after}",
        403: "Forbidden: bot was blocked by the user",
        500: "Internal Server Error",
        502: "Bad Gateway",
    }
    return TelegramRefusal(
        status, fault.error or descriptions.get(status, "Bad Request"), retry_after=fault.retry_after
    )


def _error_answer(refusal: TelegramRefusal) -> Json:
    answer: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.retry_after is not None:
        answer["parameters"] = {"retry_after": refusal.retry_after}
    return answer


async def _down(world: World, request: Request) -> Response:
    if world.trouble.cut_connections:
        return await cut_connection(request)
    return Response(BAD_GATEWAY, 502, media_type="text/html")


async def _download(world: World, request: Request) -> Response:
    if world.trouble.telegram_down:
        return await _down(world, request)
    fault = world.trouble.take_fault("file")
    if fault is not None:
        return await answer_with_fault(
            request, Response(status_code=fault.status or 500), fault, world.changes, BAD_GATEWAY
        )
    try:
        _authorise(world, request.path_params["token"])
    except TelegramRefusal as refusal:
        return Response(json.dumps(_error_answer(refusal)), refusal.code, media_type="application/json")
    path = request.path_params["path"]
    stored = next((file for file in world.telegram.files.values() if file.path == path), None)
    if stored is None:
        return Response(
            '{"ok":false,"error_code":404,"description":"Not Found"}', 404, media_type="application/json"
        )
    return Response(stored.data, media_type="application/octet-stream")
