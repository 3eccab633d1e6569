"""What a button of ours carries: opaque, signed, bound to its chat and question (docs/surfaces.md, "Telegram")."""

from __future__ import annotations

import base64
import hashlib
import hmac

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.dialogue import ButtonInput
from bots.texts import Texts
from complaints.references import parse_reference

_TAG = 10
_SEPARATOR = "/"


class Buttons:
    """Makes and reads `callback_data` under one secret (at least 32 bytes, the same in every replica).

    Buttons made under an `older` one are still read: keys change, and messages stand in chats for years.
    """

    def __init__(self, secret: bytes, *older: bytes) -> None:
        self._key, *self._older = (
            hmac.digest(one, b"telegram buttons", hashlib.sha256) for one in (secret, *older)
        )

    def sealed(self, chat: str, press: ButtonInput) -> str:
        """At most 64 bytes, which tell nothing and fit this chat only; raises ValueError for longer codes."""
        ref = (press.ref or "").replace("-", "")
        said = _SEPARATOR.join((press.choice, press.step, ref, f"{press.turn:x}")).encode()
        tag = _tag(self._key, chat, said)
        data = base64.urlsafe_b64encode(tag + _veil(self._key, tag, said)).rstrip(b"=").decode()
        if len(data) > 64:
            raise ValueError(
                f"a button's data is {len(data)} bytes, Telegram takes 64: shorten {press.choice}"
            )
        return data

    def opened(self, chat: str, data: str) -> ButtonInput | None:
        """The press, or None for data that we did not make for this chat."""
        try:
            raw = base64.urlsafe_b64decode(data.encode() + b"=" * (-len(data) % 4))
        except ValueError:
            return None
        said = next(
            (found for key in (self._key, *self._older) if (found := _said(key, chat, raw)) is not None), None
        )
        if said is None:
            return None
        choice, step, ref, turn = said.decode().split(_SEPARATOR)
        return ButtonInput(choice, step, parse_reference(ref) if ref else None, int(turn, 16))

    def keyboard(
        self,
        texts: Texts,
        language: str,
        chat: str,
        rows: list[list[str]],
        *,
        step: str,
        ref: str | None,
        turn: int,
    ) -> InlineKeyboardMarkup | None:
        """The buttons under a message; a choice `add:<ref>` speaks of that complaint."""
        if not rows:
            return None
        made = []
        for row in rows:
            line = []
            for choice in row:
                name, _, own = choice.partition(":")
                press = ButtonInput(name, step, own or ref, turn)
                label = texts.label(language, name, own or ref)
                line.append(InlineKeyboardButton(label, callback_data=self.sealed(chat, press)))
            made.append(line)
        return InlineKeyboardMarkup(made)


def _said(key: bytes, chat: str, raw: bytes) -> bytes | None:
    """What the bytes of a button say under this key; None where it did not make them for this chat."""
    tag = raw[:_TAG]
    said = _veil(key, tag, raw[_TAG:])
    return said if hmac.compare_digest(tag, _tag(key, chat, said)) else None


def _tag(key: bytes, chat: str, said: bytes) -> bytes:
    return hmac.digest(key, chat.encode() + b"\0" + said, hashlib.sha256)[:_TAG]


def _veil(key: bytes, tag: bytes, said: bytes) -> bytes:
    """The bytes hidden, or shown again, under a stream that only the key and the tag give."""
    stream = hmac.digest(key, b"veil" + tag, hashlib.sha512)
    return bytes(a ^ b for a, b in zip(said, stream, strict=False))
