"""Encryption of words at rest, and the instance's keys for wrapping, lookup hashes and sealing.

Each text is sealed with the key of its case or person, and bound to its row and field. The instance's secrets wrap
those keys.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from store.database.errors import UNREADABLE, Altered, SealBroken, note_damage

KEY_BYTES = 32
_NONCE = 12
_ID = 4
#: How many bytes a value sealed with a key is longer than its content: nonce and tag.
OVERHEAD = _NONCE + 16


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def derive_key(key: bytes, purpose: str) -> bytes:
    """Derive the key for one purpose (HKDF-Expand, SHA-256), so that no key has two purposes."""
    return HKDFExpand(SHA256(), KEY_BYTES, purpose.encode()).derive(key)


@dataclass(frozen=True)
class _Secret:
    value: bytes

    @cached_property
    def id(self) -> bytes:
        """Identifies the secret that sealed a value, and reveals nothing of the secret."""
        return derive_key(self.value, "amends key id")[:_ID]

    @cached_property
    def wrapping(self) -> AESGCM:
        return AESGCM(derive_key(self.value, "amends wrap"))

    @cached_property
    def sealing(self) -> AESGCM:
        return AESGCM(derive_key(self.value, "amends seal"))

    @cached_property
    def indexing(self) -> bytes:
        return derive_key(self.value, "amends blind index")


class Keyring:
    """The secrets of this instance, newest first: the first seals, all of them can open."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("give at least one secret of 32 bytes (AMENDS_SECRET_KEY)")
        if any(len(secret) != KEY_BYTES for secret in secrets):
            raise ValueError(f"every secret has {KEY_BYTES} bytes; make one with `amends init`")
        self._secrets = tuple(_Secret(bytes(secret)) for secret in secrets)
        self._by_id = {secret.id: secret for secret in self._secrets}

    def __repr__(self) -> str:
        return f"Keyring({len(self._secrets)} secrets)"

    def wrap(self, key: bytes, aad: str) -> bytes:
        """Encrypt the key of a case or a person with the newest secret."""
        newest = self._secrets[0]
        return newest.id + _encrypt(newest.wrapping, key, aad)

    def unwrap(self, wrapped: bytes, aad: str) -> bytes:
        """Decrypt a wrapped key; SealBroken if no secret opens it.

        Within `collecting_damage`, an altered one gives a key of zeros.
        """
        try:
            return _open(self._secret_of(wrapped).wrapping, wrapped[_ID:], aad)
        except Altered:
            if note_damage(aad):
                return bytes(KEY_BYTES)
            raise

    @property
    def newest_id(self) -> bytes:
        """The first bytes of every value that the newest secret sealed or wrapped."""
        return self._secrets[0].id

    @property
    def checks(self) -> tuple[str, ...]:
        """A value for each secret, newest first, in hex; the record keeps it to recognise a wrong secret."""
        return tuple(derive_key(secret.value, "amends key check").hex() for secret in self._secrets)

    def seal(self, data: bytes, aad: str) -> bytes:
        """Seal a value that belongs to no case and no person (a dead letter, the name of a member of staff)."""
        newest = self._secrets[0]
        return newest.id + _encrypt(newest.sealing, data, aad)

    def unseal(self, sealed: bytes, aad: str) -> bytes:
        """Open what `seal` sealed; SealBroken if it does not open."""
        return _open(self._secret_of(sealed).sealing, sealed[_ID:], aad)

    def index(self, kind: str, value: str) -> bytes:
        """The lookup hash of a normalised value with the newest secret."""
        return _index(self._secrets[0], kind, value)

    def indexes(self, kind: str, value: str) -> list[bytes]:
        """The lookup hashes of a value with all secrets, newest first."""
        return [_index(secret, kind, value) for secret in self._secrets]

    def _secret_of(self, sealed: bytes) -> _Secret:
        secret = self._by_id.get(sealed[:_ID])
        if secret is None:
            raise SealBroken("no secret in AMENDS_SECRET_KEY opens this: add the one that sealed it")
        return secret


def place(table: str, row: object, field: str) -> str:
    """The row and field that a sealed value is bound to: moved to another place, it does not open."""
    return f"{table}|{row}|{field}"


def seal(key: bytes, text: str, aad: str) -> bytes:
    """Encrypt words with the key of a case or a person; `aad` is the `place`."""
    return seal_bytes(key, text.encode(), aad)


def unseal(key: bytes, sealed: bytes, aad: str) -> str:
    """Decrypt words. If they do not open: SealBroken, or UNREADABLE within `collecting_damage`."""
    try:
        return unseal_bytes(key, sealed, aad).decode()
    except Altered:
        if note_damage(aad):
            return UNREADABLE
        raise


def seal_bytes(key: bytes, data: bytes, aad: str) -> bytes:
    return _encrypt(AESGCM(sealing_key(key, b"seal")), data, aad)


def unseal_bytes(key: bytes, sealed: bytes, aad: str) -> bytes:
    return _open(AESGCM(sealing_key(key, b"seal")), sealed, aad)


@lru_cache(maxsize=512)  # the few keys of a case are needed many times
def sealing_key(key: bytes, purpose: bytes) -> bytes:
    """The key for one purpose, `seal` or `commit`, from the key of a case or a person."""
    return hmac.new(key, b"amends " + purpose, hashlib.sha256).digest()


def _encrypt(cipher: AESGCM, data: bytes, aad: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, data, aad.encode())


def _open(cipher: AESGCM, sealed: bytes, aad: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], aad.encode())
    except (InvalidTag, ValueError) as error:
        # ValueError: cut off within the nonce.
        raise Altered(f"{aad} does not open: it was altered or belongs to another row") from error


def _index(secret: _Secret, kind: str, value: str) -> bytes:
    return hmac.digest(secret.indexing, f"{kind}\x00{value}".encode(), "sha256")
