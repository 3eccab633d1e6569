"""What Telegram refuses in what a bot says: chats, texts, keyboards, files."""

from typing import Any

from simulator.http_body import Upload
from simulator.telegram_html import BadMarkup
from simulator.telegram_state import Group, Person, StoredFile, TelegramRefusal, bad_request
from simulator.telegram_text import formatted
from simulator.world import World

Json = dict[str, Any]
TEXT_MAX = 4096
CAPTION_MAX = 1024
DOWNLOAD_MAX = 20 * 1024 * 1024
UPLOAD_MAX = 50 * 1024 * 1024


def chat(world: World, chat_id: int | str) -> Person | Group:
    """Who is addressed. Raises when there is no such chat."""
    telegram = world.telegram
    if isinstance(chat_id, int):
        found = telegram.people.get(chat_id) or telegram.groups.get(chat_id)
        if found is not None:
            return found
    raise bad_request("chat not found")


def may_speak(world: World, chat_id: int | str) -> Person | Group:
    """Who is addressed, when the bot may speak there now."""
    place = chat(world, chat_id)
    if isinstance(place, Person):
        if place.blocked:
            raise TelegramRefusal(403, "Forbidden: bot was blocked by the user")
        if not place.met:
            raise TelegramRefusal(403, "Forbidden: bot can't initiate conversation with a user")
    elif not place.bot_in:
        raise TelegramRefusal(403, "Forbidden: bot was kicked from the group chat")
    wait = world.telegram_pacing.refuse(str(place.id))
    if wait:
        raise TelegramRefusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    return place


def text(arguments: Json) -> Json:
    """The message's text and entities, as they will stand."""
    plain, entities = _formatted(arguments, "text", "entities")
    if not plain:
        raise bad_request("message text is empty")
    if len(plain) > TEXT_MAX:
        raise bad_request("message is too long")
    return {"text": plain} | ({"entities": entities} if entities else {})


def caption(arguments: Json) -> Json:
    """A file's caption and entities; empty when there is none."""
    plain, entities = _formatted(arguments, "caption", "caption_entities")
    if len(plain) > CAPTION_MAX:
        raise bad_request("message caption is too long")
    return ({"caption": plain} if plain else {}) | ({"caption_entities": entities} if entities else {})


def _formatted(arguments: Json, key: str, entities: str) -> tuple[str, list[Json]]:
    try:
        return formatted(
            arguments.get(key, ""),
            parse_mode=arguments.get("parse_mode"),
            entities=arguments.get(entities),
        )
    except BadMarkup as reason:
        raise bad_request(str(reason)) from reason


def keyboard(markup: Json | None) -> Json | None:
    """The markup, if Telegram would show it."""
    if not markup:
        return None
    if "inline_keyboard" in markup:
        for row in markup["inline_keyboard"]:
            for button in row:
                _inline_button(button)
    elif "keyboard" in markup:
        for row in markup["keyboard"]:
            for button in row:
                if not button.get("text", "").strip():
                    raise bad_request("keyboard button text must be non-empty")
    return markup


def _inline_button(button: Json) -> None:
    if not button.get("text", "").strip():
        raise bad_request("inline keyboard button text must be non-empty")
    kinds = [key for key in button if key not in ("text", "style", "icon_custom_emoji_id")]
    if not kinds:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if len(kinds) > 1:
        raise bad_request("exactly one of the optional fields of an inline keyboard button must be used")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not button["url"].startswith(("http://", "https://", "tg://")):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def file(world: World, value: Upload | str, uploads: list[Upload], *, folder: str) -> StoredFile:
    """The file meant by a part, an attach:// name or a known file_id."""
    if isinstance(value, str) and value.startswith("attach://"):
        named = value.removeprefix("attach://")
        part = next((upload for upload in uploads if upload.field == named), None)
        if part is None:
            raise bad_request(f'file "{named}" is not attached')
        value = part
    if isinstance(value, str):
        known = world.telegram.files.get(value)
        if known is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return known
    if not value.data:
        raise bad_request("file must be non-empty")
    if len(value.data) > UPLOAD_MAX:
        raise TelegramRefusal(413, "Request Entity Too Large")
    return world.telegram.keep_file(value.data, name=value.name, mime=value.mime, folder=folder)
