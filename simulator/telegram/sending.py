"""The methods with which a bot speaks, changes and removes what it said."""

from typing import Any

from simulator import samples
from simulator.http import Upload
from simulator.telegram import rules
from simulator.telegram.state import ChatMessage, Group, Person, StoredFile, TelegramRefusal, bad_request
from simulator.world import World

Json = dict[str, Any]
DELETABLE_SECONDS = 48 * 3600
ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


async def send_message(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """sendMessage."""
    place = rules.may_speak(world, arguments["chat_id"])
    return _send(world, place, "text", rules.text(arguments), arguments)


async def send_document(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """sendDocument."""
    place = rules.may_speak(world, arguments["chat_id"])
    stored = rules.file(world, arguments["document"], uploads, folder="documents")
    content = {"document": _named(stored)} | rules.caption(arguments)
    return _send(world, place, "document", content, arguments, stored)


async def send_photo(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """sendPhoto."""
    place = rules.may_speak(world, arguments["chat_id"])
    stored = rules.file(world, arguments["photo"], uploads, folder="photos")
    if not stored.data.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF", b"GIF8")):
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = samples.dimensions(stored.data)
    photo = [_plain(stored) | {"width": max(1, width // d), "height": max(1, height // d)} for d in (3, 1)]
    content = {"photo": photo} | rules.caption(arguments)
    return _send(world, place, "photo", content, arguments, stored)


async def send_voice(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """sendVoice."""
    place = rules.may_speak(world, arguments["chat_id"])
    stored = rules.file(world, arguments["voice"], uploads, folder="voice")
    voice = _plain(stored) | {"duration": arguments.get("duration", 1), "mime_type": stored.mime}
    return _send(world, place, "voice", {"voice": voice} | rules.caption(arguments), arguments, stored)


async def edit_message_text(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """editMessageText."""
    return _edit(world, arguments, rules.text(arguments), replaces=("text", "entities"))


async def edit_message_caption(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """editMessageCaption."""
    return _edit(world, arguments, rules.caption(arguments), replaces=("caption", "caption_entities"))


async def edit_message_reply_markup(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """editMessageReplyMarkup."""
    return _edit(world, arguments, {}, replaces=())


async def delete_message(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """deleteMessage."""
    message = _standing(world, arguments, "delete")
    if (world.now() - message.at).total_seconds() > DELETABLE_SECONDS:
        raise bad_request("message can't be deleted for everyone")
    message.deleted = True
    world.changed()
    return True


async def delete_messages(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """deleteMessages; those that are gone already are skipped."""
    place = rules.chat(world, arguments["chat_id"])
    for number in arguments["message_ids"]:
        if message := world.telegram.message(place.id, number):
            message.deleted = True
    world.changed()
    return True


async def send_chat_action(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """sendChatAction."""
    place = rules.chat(world, arguments["chat_id"])
    if arguments["action"] not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    if isinstance(place, Person):
        if place.blocked:
            raise TelegramRefusal(403, "Forbidden: bot was blocked by the user")
        place.doing = arguments["action"]
        world.changed()
    return True


async def answer_callback_query(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """answerCallbackQuery."""
    query = world.telegram.queries.get(arguments["callback_query_id"])
    if query is None or query.answered or world.monotonic() - query.at > world.limits.callback_seconds:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = arguments.get("text", "")
    if len(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answered = True
    if text:
        query.person.notice = {"text": text, "alert": arguments.get("show_alert", False), "at": world.now()}
    world.changed()
    return True


def _plain(stored: StoredFile) -> Json:
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": len(stored.data)}


def _named(stored: StoredFile) -> Json:
    return {"file_name": stored.name, "mime_type": stored.mime} | _plain(stored)


def _send(
    world: World,
    place: Person | Group,
    kind: str,
    content: Json,
    arguments: Json,
    stored: StoredFile | None = None,
) -> Json:
    telegram = world.telegram
    markup = rules.keyboard(arguments.get("reply_markup"))
    api: Json = {
        "message_id": 0,
        "from": telegram.bot_user(),
        "chat": place.chat(),
        "date": int(world.now().timestamp()),
    }
    if "reply_parameters" in arguments:
        answered = telegram.message(place.id, arguments["reply_parameters"]["message_id"])
        if answered is not None:
            api["reply_to_message"] = {k: v for k, v in answered.api.items() if k != "reply_to_message"}
        elif not arguments["reply_parameters"].get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
    api["message_id"] = telegram.next_message_id()
    if markup and "inline_keyboard" in markup and any(markup["inline_keyboard"]):
        api = api | content | {"reply_markup": markup}
    else:
        api = api | content
    telegram.chats[place.id].append(
        ChatMessage(place.id, api, outgoing=True, kind=kind, at=world.now(), file=stored)
    )
    if isinstance(place, Person):
        place.unread += 1
        place.doing = None
        _reply_keyboard(place, markup)
    world.changed()
    return api


def _reply_keyboard(person: Person, markup: Json | None) -> None:
    if markup and "keyboard" in markup:
        person.reply_keyboard = {
            "rows": [[button["text"] for button in row] for row in markup["keyboard"]],
            "placeholder": markup.get("input_field_placeholder"),
            "one_time": markup.get("one_time_keyboard", False),
        }
    elif markup and "remove_keyboard" in markup:
        person.reply_keyboard = None


def _standing(world: World, arguments: Json, verb: str) -> ChatMessage:
    if "chat_id" not in arguments or "message_id" not in arguments:
        raise bad_request("message identifier is not specified")
    place = rules.chat(world, arguments["chat_id"])
    message = world.telegram.message(place.id, arguments["message_id"])
    if message is None:
        raise bad_request(f"message to {verb} not found")
    return message


def _edit(world: World, arguments: Json, content: Json, *, replaces: tuple[str, ...]) -> Json:
    message = _standing(world, arguments, "edit")
    if not message.outgoing:
        raise bad_request("message can't be edited")
    if "text" in content and message.file is not None:
        raise bad_request("there is no text in the message to edit")
    if "caption" in replaces and message.file is None:
        raise bad_request("there is no caption in the message to edit")
    place = rules.chat(world, arguments["chat_id"])
    wait = world.telegram_pacing.refuse(str(place.id))
    if wait:
        raise TelegramRefusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    markup = rules.keyboard(arguments.get("reply_markup"))
    changed = {
        k: v for k, v in message.api.items() if k not in (*replaces, "reply_markup", "edit_date")
    } | content
    if markup and any(markup.get("inline_keyboard", [])):
        changed["reply_markup"] = markup
    if changed == {k: v for k, v in message.api.items() if k != "edit_date"}:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    if replaces and message.text != content.get("text", content.get("caption", "")):
        message.earlier.append(message.text)
    message.api = changed | {"edit_date": int(world.now().timestamp())}
    world.changed()
    return message.api
