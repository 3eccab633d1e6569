"""From Telegram's updates to what the dialogue hears; nothing is decided here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from telegram import Chat as TelegramChat
from telegram import ChatMember, Message, Update, User

from bots.dialogue import (
    Blocked,
    EditInput,
    FileInput,
    GroupSeen,
    IncomingMessage,
    TextInput,
    Unblocked,
    Unreadable,
)
from bots.dialogue.inputs import command_of
from bots.telegram.callback_data import Buttons
from store.values import Chat, ReceivedFile

CHANNEL = "telegram"
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

#: Kinds of file, in the order in which a message is looked at (an animation is a document, too).
_FILES = ("animation", "voice", "audio", "video", "video_note", "document", "sticker")
#: What a person sends and we cannot keep; everything else without content is a note of Telegram's own.
_UNREADABLE = ("game", "invoice", "story", "paid_media", "giveaway", "gift", "checklist")


def key_of(update_id: int) -> str:
    """The key under which an update is known to the store."""
    return f"tg:{update_id}"


def hear_update(
    update: Update, buttons: Buttons, link: str
) -> tuple[str, Chat, IncomingMessage | None] | None:
    """The key, the chat and what was heard there; None instead of heard for what says nothing to us.

    Returns None for an update without a chat. `link` leads to the private chat with the bot.
    """
    chat = update.effective_chat
    if chat is None and update.effective_user is not None:
        # A press need not bring the message along: it was in the presser's own chat, as all our buttons are.
        chat = TelegramChat(update.effective_user.id, TelegramChat.PRIVATE)
    if chat is None:
        return None
    private = chat.type == TelegramChat.PRIVATE
    who = _chat(chat, update.effective_user if private else None)
    return key_of(update.update_id), who, _heard(update, who, buttons, link, private=private)


def _heard(
    update: Update, who: Chat, buttons: Buttons, link: str, *, private: bool
) -> IncomingMessage | None:
    if update.my_chat_member is not None:
        return _member(update.my_chat_member.new_chat_member, link, private=private)
    if update.callback_query is not None:
        data = update.callback_query.data
        return buttons.opened(who.address, data) if data else None
    if not private:
        return GroupSeen(link) if update.message is not None else None
    if update.edited_message is not None:
        message = update.edited_message
        text = message.text if message.text is not None else message.caption
        return EditInput(whole(text), str(message.message_id), _at(message.edit_date)) if text else None
    return _message(update.message) if update.message is not None else None


def _member(member: ChatMember, link: str, *, private: bool) -> IncomingMessage | None:
    gone = member.status in (ChatMember.BANNED, ChatMember.LEFT)
    if private:
        return Blocked() if gone else Unblocked()
    return None if gone else GroupSeen(link)


def _message(message: Message) -> IncomingMessage | None:
    if message.from_user is not None and message.from_user.is_bot:
        # Two programs that answer each other would never end.
        return None
    source, at = str(message.message_id), _at(message.date)
    quoted = str(message.reply_to_message.message_id) if message.reply_to_message is not None else None
    if message.text is not None:
        text = whole(message.text)
        return command_of(text, source, at) if text.startswith("/") else TextInput(text, source, at, quoted)
    file = _file(message, source)
    if file is not None:
        return FileInput(file, whole(message.caption or ""), source, at, quoted)
    told = _told_otherwise(message)
    if told:
        return TextInput(whole(told), source, at, quoted)
    return Unreadable() if any(getattr(message, kind, None) for kind in _UNREADABLE) else None


def _file(message: Message, source: str) -> ReceivedFile | None:
    """The file that a message carries; of a photo the largest size."""
    if message.photo:
        largest = message.photo[-1]
        return _as_heard(message, "photo", largest, source, mime="image/jpeg")
    for kind in _FILES:
        found = getattr(message, kind)
        if found is not None:
            return _as_heard(message, kind, found, source, mime=getattr(found, "mime_type", None))
    return None


def _as_heard(message: Message, kind: str, file: Any, source: str, *, mime: str | None) -> ReceivedFile:
    duration = getattr(file, "duration", None)
    return ReceivedFile(
        platform_id=file.file_id,
        platform_unique_id=file.file_unique_id,
        kind=kind,
        source=source,
        mime=mime,
        size=file.file_size,
        name=whole(getattr(file, "file_name", None) or "") or None,
        seconds=int(duration.total_seconds() if hasattr(duration, "total_seconds") else duration)
        if duration is not None
        else None,
        group=message.media_group_id,
    )


def _told_otherwise(message: Message) -> str:
    """What a message says without text or file: a place, a person, a poll, a die."""
    if message.venue is not None:
        place = message.venue.location
        return f"{message.venue.title}, {message.venue.address} ({place.latitude}, {place.longitude})"
    if message.location is not None:
        return f"{message.location.latitude}, {message.location.longitude}"
    if message.contact is not None:
        names = (message.contact.first_name, message.contact.last_name, message.contact.phone_number)
        return " ".join(name for name in names if name)
    if message.poll is not None:
        return "\n".join([message.poll.question, *(one.text for one in message.poll.options)])
    return message.dice.emoji if message.dice is not None else ""


def _chat(chat: TelegramChat, user: User | None) -> Chat:
    language = user.language_code.split("-")[0].lower() if user and user.language_code else None
    return Chat(CHANNEL, str(chat.id), language, whole(user.full_name) if user else None)


def whole(text: str) -> str:
    """The text with halves of letters, which no store takes, marked as unreadable."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _at(date: datetime | None) -> datetime:
    return date.astimezone(UTC) if date is not None else datetime.now(UTC)
