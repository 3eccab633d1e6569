"""The data of the bot's buttons: encrypted, signed and bound to one chat and question
(docs/surfaces.md, "Telegram")."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.dialogue.inputs import ButtonInput
from bots.texts.texts import Texts
from complaints.identifiers import parse_reference

#: What Telegram takes as the data of a button.
MAX_BYTES = 64
_TAG_BYTES = 10
_SEPARATOR = "/"


class Buttons:
    """Writes and reads `callback_data` with a secret of at least 32 bytes, the same in every replica.

    Buttons written with an `older` secret can still be read: keys are rotated, but messages stay in chats.
    """

    def __init__(self, secret: bytes, *older: bytes) -> None:
        self._key, *self._older = (
            hmac.digest(key, b"telegram buttons", hashlib.sha256) for key in (secret, *older)
        )

    def encode(self, chat: str, press: ButtonInput) -> str:
        """The callback data, at most 64 bytes; raises ValueError for codes that are too long.

        A turn whose number no longer fits is written as 0, so that any later answer counts before this button.
        """
        data = self._encode(chat, press, press.turn)
        if len(data) > MAX_BYTES:
            data = self._encode(chat, press, 0)
        if len(data) > MAX_BYTES:
            raise ValueError(
                f"a button's data is {len(data)} bytes, Telegram takes {MAX_BYTES}: shorten {press.choice}"
            )
        return data

    def _encode(self, chat: str, press: ButtonInput, turn: int) -> str:
        ref = (press.ref or "").replace("-", "")
        plain = _SEPARATOR.join((press.choice, press.step, ref, f"{turn:x}")).encode()
        tag = _tag(self._key, chat, plain)
        return base64.urlsafe_b64encode(tag + _encrypt(self._key, tag, plain)).rstrip(b"=").decode()

    def decode(self, chat: str, data: str) -> ButtonInput | None:
        """The press; None for data that was not written for this chat with one of our secrets."""
        try:
            raw = base64.urlsafe_b64decode(data.encode() + b"=" * (-len(data) % 4))
        except ValueError:
            return None
        tag = raw[:_TAG_BYTES]
        for key in (self._key, *self._older):
            plain = _encrypt(key, tag, raw[_TAG_BYTES:])
            if hmac.compare_digest(tag, _tag(key, chat, plain)):
                choice, step, ref, turn = plain.decode().split(_SEPARATOR)
                return ButtonInput(choice, step, parse_reference(ref) if ref else None, int(turn, 16))
        return None

    def keyboard(
        self,
        texts: Texts,
        language: str,
        chat: str,
        rows: Sequence[Sequence[str]],
        *,
        step: str,
        ref: str | None,
        turn: int,
    ) -> InlineKeyboardMarkup | None:
        """The buttons below a message; a choice `add:<ref>` is about that complaint."""

        def button(choice: str) -> InlineKeyboardButton:
            name, _, choice_ref = choice.partition(":")
            press = ButtonInput(name, step, choice_ref or ref, turn)
            label = texts.label(language, name, choice_ref or ref)
            return InlineKeyboardButton(label, callback_data=self.encode(chat, press))

        return InlineKeyboardMarkup([[button(choice) for choice in row] for row in rows]) if rows else None


def _tag(key: bytes, chat: str, plain: bytes) -> bytes:
    return hmac.digest(key, chat.encode() + b"\0" + plain, hashlib.sha256)[:_TAG_BYTES]


def _encrypt(key: bytes, tag: bytes, data: bytes) -> bytes:
    """XOR with a key stream from the key and the tag; applied twice, it decrypts."""
    stream = hmac.digest(key, b"veil" + tag, hashlib.sha512)
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))
