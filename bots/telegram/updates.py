"""Converts Telegram updates to inputs of the dialogue; decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from telegram import Chat as TelegramChat
from telegram import ChatMember, Message, Update, User

from bots.dialogue.inputs import (
    Blocked,
    EditInput,
    FileInput,
    GroupSeen,
    IncomingMessage,
    TextInput,
    Unblocked,
    Unreadable,
    parse_command,
)
from bots.telegram.callback_data import Buttons
from store.values import Chat, ReceivedFile

CHANNEL = "telegram"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

#: Kinds of file in the order in which they are looked for: an animation is also a document.
_FILES = ("animation", "voice", "audio", "video", "video_note", "document", "sticker")
#: Kinds that a person sends and that cannot be stored. Other messages without content are service messages.
_UNREADABLE = ("game", "invoice", "story", "paid_media", "giveaway", "gift", "checklist")


def update_key(update_id: int) -> str:
    return f"tg:{update_id}"


def to_input(update: Update, buttons: Buttons, link: str) -> tuple[str, Chat, IncomingMessage | None] | None:
    """The key, the chat and the input; the input is None for an update without content.

    Returns None for an update without a chat. `link` leads to the private chat with the bot.
    """
    chat = update.effective_chat
    if chat is None and update.effective_user is not None:
        # A press may come without its message. All our buttons are in private chats.
        chat = TelegramChat(update.effective_user.id, TelegramChat.PRIVATE)
    if chat is None:
        return None
    private = chat.type == TelegramChat.PRIVATE
    sender_chat = _chat(chat, update.effective_user if private else None)
    return (
        update_key(update.update_id),
        sender_chat,
        _input(update, sender_chat, buttons, link, private=private),
    )


def _input(
    update: Update, chat: Chat, buttons: Buttons, link: str, *, private: bool
) -> IncomingMessage | None:
    if update.my_chat_member is not None:
        return _membership(update.my_chat_member.new_chat_member, link, private=private)
    if update.callback_query is not None:
        data = update.callback_query.data
        return buttons.decode(chat.address, data) if data else None
    if not private:
        return GroupSeen(link) if update.message is not None else None
    if update.edited_message is not None:
        message = update.edited_message
        text = message.text if message.text is not None else message.caption
        if not text:
            return None
        return EditInput(replace_lone_surrogates(text), str(message.message_id), _utc(message.edit_date))
    return _message(update.message) if update.message is not None else None


def topic_of(update: Update) -> tuple[bool, int | None]:
    """Whether the update says where the person is, and the topic of the private chat that it came from.

    Answers go back there: outside of the open topic the person would not see them.
    """
    message = update.message or update.edited_message
    if update.callback_query is not None:
        # Telegram leaves the content out of a message that is too old.
        pressed = update.callback_query.message
        message = pressed if isinstance(pressed, Message) else None
    if message is None or message.chat.type != TelegramChat.PRIVATE:
        return False, None
    return True, message.message_thread_id


def _membership(member: ChatMember, link: str, *, private: bool) -> IncomingMessage | None:
    gone = member.status in (ChatMember.BANNED, ChatMember.LEFT)
    if private:
        return Blocked() if gone else Unblocked()
    return None if gone else GroupSeen(link)


def _message(message: Message) -> IncomingMessage | None:
    if message.from_user is not None and message.from_user.is_bot:
        # Two bots that answer each other would never stop.
        return None
    source, at = str(message.message_id), _utc(message.date)
    quoted = str(message.reply_to_message.message_id) if message.reply_to_message is not None else None
    if message.text is not None:
        text = replace_lone_surrogates(message.text)
        return (
            parse_command(text, source, at) if text.startswith("/") else TextInput(text, source, at, quoted)
        )
    file = _file(message, source)
    if file is not None:
        return FileInput(file, replace_lone_surrogates(message.caption or ""), source, at, quoted)
    text = _text_of_other_content(message)
    if text:
        is_place = message.location is not None or message.venue is not None
        return TextInput(replace_lone_surrogates(text), source, at, quoted, is_place)
    return Unreadable() if any(getattr(message, kind, None) for kind in _UNREADABLE) else None


def _file(message: Message, source: str) -> ReceivedFile | None:
    """The file of a message; of a photo, the largest size."""
    if message.photo:
        largest = message.photo[-1]
        return _received_file(message, "photo", largest, source, mime="image/jpeg")
    for kind in _FILES:
        file = getattr(message, kind)
        if file is not None:
            return _received_file(message, kind, file, source, mime=getattr(file, "mime_type", None))
    return None


def _received_file(message: Message, kind: str, file: Any, source: str, *, mime: str | None) -> ReceivedFile:
    duration = getattr(file, "duration", None)
    return ReceivedFile(
        platform_id=file.file_id,
        platform_unique_id=file.file_unique_id,
        kind=kind,
        source=source,
        mime=mime,
        size=file.file_size,
        name=replace_lone_surrogates(getattr(file, "file_name", None) or "") or None,
        seconds=int(duration.total_seconds() if hasattr(duration, "total_seconds") else duration)
        if duration is not None
        else None,
        group=message.media_group_id,
    )


def _text_of_other_content(message: Message) -> str:
    """A place, a contact, a poll or a die as text; empty for other messages."""
    if message.venue is not None:
        place = message.venue.location
        return f"{message.venue.title}, {message.venue.address} ({place.latitude}, {place.longitude})"
    if message.location is not None:
        return f"{message.location.latitude}, {message.location.longitude}"
    if message.contact is not None:
        names = (message.contact.first_name, message.contact.last_name, message.contact.phone_number)
        return " ".join(name for name in names if name)
    if message.poll is not None:
        return "\n".join([message.poll.question, *(option.text for option in message.poll.options)])
    return message.dice.emoji if message.dice is not None else ""


def _chat(chat: TelegramChat, user: User | None) -> Chat:
    language = user.language_code.split("-")[0].lower() if user and user.language_code else None
    return Chat(CHANNEL, str(chat.id), language, replace_lone_surrogates(user.full_name) if user else None)


def replace_lone_surrogates(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD: no database stores them."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _utc(date: datetime | None) -> datetime:
    return date.astimezone(UTC) if date is not None else datetime.now(UTC)
