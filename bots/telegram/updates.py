"""Converts Telegram updates to inputs of the dialogue; decides nothing."""

from datetime import UTC, datetime
from typing import Any

from telegram import Chat as TelegramChat
from telegram import ChatMember, Message, MessageEntity, MessageOriginUser, Update, User

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
_UNREADABLE = (
    "game", "invoice", "story", "paid_media", "giveaway", "gift", "unique_gift", "checklist", "poll", "dice",
)  # fmt: skip


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
        source, text = str(message.message_id), _text_with_links(message)
        file = _file(message, source)
        return EditInput(text, source, _utc(message.edit_date), file) if text or file else None
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
    text, is_forwarded = _text_with_links(message), _is_forwarded(message)
    if message.text is not None:
        if text.startswith("/") and not is_forwarded:
            return parse_command(text, source, at)
        return TextInput(text, source, at, quoted, is_forwarded=is_forwarded)
    file = _file(message, source)
    if file is not None:
        return FileInput(file, text, source, at, quoted, is_forwarded)
    text = _text_of_without_own_words(message)
    if text:
        is_place = message.location is not None or message.venue is not None
        return TextInput(replace_lone_surrogates(text), source, at, quoted, is_place, is_forwarded)
    # A formatted message is newer than the library, which keeps it with the unknown fields.
    is_unreadable = "rich_message" in message.api_kwargs or any(
        getattr(message, kind) for kind in _UNREADABLE
    )
    return Unreadable() if is_unreadable else None


def _is_forwarded(message: Message) -> bool:
    """True for the words of another person. What people forward of their own is theirs."""
    origin = message.forward_origin
    is_own = (
        isinstance(origin, MessageOriginUser)
        and message.from_user is not None
        and origin.sender_user.id == message.from_user.id
    )
    return origin is not None and not is_own


def _text_with_links(message: Message) -> str:
    """The text or the caption; after words with a hidden link comes its address."""
    text, entities = message.text, message.entities
    if text is None:
        text, entities = message.caption or "", message.caption_entities
    # Telegram counts in UTF-16 units, of two bytes.
    encoded = text.encode("utf-16-le", "surrogatepass")
    links = [entity for entity in entities if entity.type == MessageEntity.TEXT_LINK and entity.url]
    for link in sorted(links, key=lambda entity: entity.offset, reverse=True):
        end = 2 * (link.offset + link.length)
        encoded = encoded[:end] + f" ({link.url})".encode("utf-16-le", "surrogatepass") + encoded[end:]
    return encoded.decode("utf-16-le", "replace")


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
        # A sticker has no name, but an emoji.
        name=replace_lone_surrogates(getattr(file, "file_name", None) or getattr(file, "emoji", None) or "")
        or None,
        seconds=int(duration.total_seconds() if hasattr(duration, "total_seconds") else duration)
        if duration is not None
        else None,
        group=message.media_group_id,
    )


def _text_of_without_own_words(message: Message) -> str:
    """A place or a contact as text; empty for other messages."""
    if message.venue is not None:
        place = message.venue.location
        return f"{message.venue.title}, {message.venue.address} ({place.latitude}, {place.longitude})"
    if message.location is not None:
        return f"{message.location.latitude}, {message.location.longitude}"
    if message.contact is not None:
        names = (message.contact.first_name, message.contact.last_name, message.contact.phone_number)
        return " ".join(name for name in names if name)
    return ""


def _chat(chat: TelegramChat, user: User | None) -> Chat:
    language = user.language_code.split("-")[0].lower() if user and user.language_code else None
    return Chat(CHANNEL, str(chat.id), language, replace_lone_surrogates(user.full_name) if user else None)


def replace_lone_surrogates(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD: no database stores them."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _utc(date: datetime | None) -> datetime:
    return date.astimezone(UTC) if date is not None else datetime.now(UTC)
