"""One way to write a value, so that the same value has the same bytes and the same hash.

Words at rest: sealed one by one under the key of their case or person, bound to their place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.database.errors import SealBroken


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, characters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """The hash of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


_NONCE = 12
#: A sealed value is so many bytes longer than what it closes: nonce and tag.
OVERHEAD = _NONCE + 16


def place(table: str, row: object, field: str) -> str:
    """What a sealed value is bound to: moved to another row or field it does not open."""
    return f"{table}|{row}|{field}"


def seal(key: bytes, text: str, aad: str) -> bytes:
    """Close words; `key` is the case's or the person's own."""
    return seal_bytes(key, text.encode(), aad)


def unseal(key: bytes, sealed: bytes, aad: str) -> str:
    """The words again; SealBroken when they do not open."""
    return unseal_bytes(key, sealed, aad).decode()


def seal_bytes(key: bytes, data: bytes, aad: str) -> bytes:
    """Close bytes (a chunk of a file)."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_purpose(key, b"seal")).encrypt(nonce, data, aad.encode())


def unseal_bytes(key: bytes, sealed: bytes, aad: str) -> bytes:
    """The bytes again; SealBroken when they do not open."""
    try:
        return AESGCM(_purpose(key, b"seal")).decrypt(sealed[:_NONCE], sealed[_NONCE:], aad.encode())
    except InvalidTag as wrong:
        raise SealBroken(f"{aad} does not open: it was altered or belongs to another row") from wrong


def commitment(key: bytes, words: Mapping[str, str]) -> str | None:
    """What stands in the chain instead of words: keyed, so that short words cannot be guessed from it.

    With the case's key destroyed it says nothing at all and the chain still holds. None for no words.
    """
    if not words:
        return None
    said = canonical(dict(words)).encode()
    return hmac.new(_purpose(key, b"commit"), said, hashlib.sha256).hexdigest()


@lru_cache(maxsize=512)
def _purpose(key: bytes, purpose: bytes) -> bytes:
    """A key of its own for each purpose; one case's few keys are asked for again and again."""
    return hmac.new(key, b"amends " + purpose, hashlib.sha256).digest()
