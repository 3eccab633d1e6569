"""Encryption of words at rest, and the canonical form of values for hashes and signatures.

Each text is sealed with the key of its case or person, and bound to its row and field.
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

_NONCE = 12
#: How many bytes a sealed value is longer than its content: nonce and tag.
OVERHEAD = _NONCE + 16


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal bytes and hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """The hash of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def place(table: str, row: object, field: str) -> str:
    """The row and field that a sealed value is bound to: moved to another place, it does not open."""
    return f"{table}|{row}|{field}"


def seal(key: bytes, text: str, aad: str) -> bytes:
    """Encrypt words with the key of a case or a person; `aad` is the `place`."""
    return seal_bytes(key, text.encode(), aad)


def unseal(key: bytes, sealed: bytes, aad: str) -> str:
    """Decrypt words; SealBroken if they do not open."""
    return unseal_bytes(key, sealed, aad).decode()


def seal_bytes(key: bytes, data: bytes, aad: str) -> bytes:
    """Encrypt bytes, such as a part of a file."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_purpose(key, b"seal")).encrypt(nonce, data, aad.encode())


def unseal_bytes(key: bytes, sealed: bytes, aad: str) -> bytes:
    """Decrypt bytes; SealBroken if they do not open."""
    try:
        return AESGCM(_purpose(key, b"seal")).decrypt(sealed[:_NONCE], sealed[_NONCE:], aad.encode())
    except InvalidTag as error:
        raise SealBroken(f"{aad} does not open: it was altered or belongs to another row") from error


def commitment(key: bytes, words: Mapping[str, str]) -> str | None:
    """The keyed hash that the chain contains in place of words; None if there are no words.

    Because of the key, short words cannot be guessed from it. After an erasure, when the key is destroyed, the chain
    can still be verified.
    """
    if not words:
        return None
    data = canonical(dict(words)).encode()
    return hmac.new(_purpose(key, b"commit"), data, hashlib.sha256).hexdigest()


@lru_cache(maxsize=512)
def _purpose(key: bytes, purpose: bytes) -> bytes:
    # Cached: the few keys of a case are needed many times.
    return hmac.new(key, b"amends " + purpose, hashlib.sha256).digest()
