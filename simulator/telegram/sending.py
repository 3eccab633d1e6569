"""The methods with which a bot sends, edits and deletes messages and answers presses."""

from typing import Any

from simulator.http import Upload
from simulator.state.telegram_state import (
    ChatMessage,
    Group,
    Person,
    StoredFile,
    TelegramRefusal,
    bad_request,
)
from simulator.state.world import World
from simulator.telegram import message_rules

Json = dict[str, Any]
DELETABLE_SECONDS = 48 * 3600
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


async def send_message(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    chat = message_rules.find_writable_chat(world, arguments["chat_id"])
    return _send(world, chat, "text", message_rules.text_content(arguments), arguments)


async def send_document(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    chat = message_rules.find_writable_chat(world, arguments["chat_id"])
    stored = message_rules.resolve_file(world, arguments["document"], uploads, folder="documents")
    document = {
        "file_name": stored.name,
        "mime_type": stored.mime,
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": len(stored.data),
    }
    content = {"document": document} | message_rules.caption_content(arguments)
    return _send(world, chat, "document", content, arguments, stored)


async def edit_message_text(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    content = message_rules.text_content(arguments)
    message = _existing_message(world, arguments, "edit")
    if not message.outgoing:
        raise bad_request("message can't be edited")
    if message.file is not None:
        raise bad_request("there is no text in the message to edit")
    chat = message_rules.find_chat(world, arguments["chat_id"])
    wait = world.telegram_rate_limiter.take_token(str(chat.id))
    if wait:
        raise TelegramRefusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    markup = message_rules.checked_markup(arguments.get("reply_markup"))
    replaced = ("text", "entities", "reply_markup", "edit_date")
    changed = {k: v for k, v in message.api.items() if k not in replaced} | content
    if markup and any(markup.get("inline_keyboard", [])):
        changed["reply_markup"] = markup
    if changed == {k: v for k, v in message.api.items() if k != "edit_date"}:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    if message.text != content["text"]:
        message.earlier.append(message.text)
    message.api = changed | {"edit_date": int(world.now().timestamp())}
    world.mark_changed()
    return message.api


async def delete_message(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    message = _existing_message(world, arguments, "delete")
    if (world.now() - message.sent_at).total_seconds() > DELETABLE_SECONDS:
        raise bad_request("message can't be deleted for everyone")
    message.deleted = True
    world.mark_changed()
    return True


async def send_chat_action(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    chat = message_rules.find_chat(world, arguments["chat_id"])
    if arguments["action"] not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    if isinstance(chat, Person):
        if chat.blocked:
            raise TelegramRefusal(403, "Forbidden: bot was blocked by the user")
        chat.doing = arguments["action"]
        world.mark_changed()
    return True


async def answer_callback_query(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    query = world.telegram.queries.get(arguments["callback_query_id"])
    if (
        query is None
        or query.answered
        or world.monotonic() - query.pressed_at > world.limits.callback_seconds
    ):
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = arguments.get("text", "")
    if len(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answered = True
    if text:
        query.person.notice = {"text": text, "alert": arguments.get("show_alert", False), "at": world.now()}
    world.mark_changed()
    return True


def _send(
    world: World,
    chat: Person | Group,
    kind: str,
    content: Json,
    arguments: Json,
    stored: StoredFile | None = None,
) -> Json:
    telegram = world.telegram
    topic = message_rules.checked_topic(world, chat, arguments.get("message_thread_id"))
    markup = message_rules.checked_markup(arguments.get("reply_markup"))
    api: Json = {
        "message_id": 0,
        "from": telegram.bot_user(),
        "chat": chat.api_chat(),
        "date": int(world.now().timestamp()),
    }
    if "reply_parameters" in arguments:
        original = telegram.find_message(chat.id, arguments["reply_parameters"]["message_id"])
        if original is not None:
            api["reply_to_message"] = {k: v for k, v in original.api.items() if k != "reply_to_message"}
        elif not arguments["reply_parameters"].get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
    api["message_id"] = telegram.next_message_id()
    api |= topic | content
    if markup and any(markup.get("inline_keyboard", [])):
        api["reply_markup"] = markup
    telegram.chats[chat.id].append(
        ChatMessage(chat.id, api, outgoing=True, kind=kind, sent_at=world.now(), file=stored)
    )
    if isinstance(chat, Person):
        chat.unread += 1
        chat.doing = None
        _reply_keyboard(chat, markup)
    world.mark_changed()
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


def _existing_message(world: World, arguments: Json, verb: str) -> ChatMessage:
    if "chat_id" not in arguments or "message_id" not in arguments:
        raise bad_request("message identifier is not specified")
    chat = message_rules.find_chat(world, arguments["chat_id"])
    message = world.telegram.find_message(chat.id, arguments["message_id"])
    if message is None:
        raise bad_request(f"message to {verb} not found")
    return message
