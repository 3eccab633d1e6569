"""The instance's keys: from each secret one to wrap, one for look-ups, one to seal, one to sign."""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from store.database.errors import SealBroken

KEY_BYTES = 32
_NONCE = 12
_ID = 4


def new_key() -> bytes:
    """A key for one case or one person."""
    return os.urandom(KEY_BYTES)


def derived(key: bytes, purpose: str) -> bytes:
    """A key of its own for one purpose (HKDF-Expand, SHA-256), so that no key serves two ends."""
    return HKDFExpand(SHA256(), KEY_BYTES, purpose.encode()).derive(key)


@dataclass(frozen=True)
class _Instance:
    secret: bytes

    @cached_property
    def id(self) -> bytes:
        """Which secret sealed a value; says nothing about the secret."""
        return derived(self.secret, "amends key id")[:_ID]

    @cached_property
    def wrapping(self) -> AESGCM:
        return AESGCM(derived(self.secret, "amends wrap"))

    @cached_property
    def sealing(self) -> AESGCM:
        return AESGCM(derived(self.secret, "amends seal"))

    @cached_property
    def indexing(self) -> bytes:
        return derived(self.secret, "amends blind index")

    @cached_property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(derived(self.secret, "amends checkpoint"))

    @cached_property
    def public(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()


class Keyring:
    """The secrets of this instance, newest first: the first one seals, all of them open."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("give at least one secret of 32 bytes (AMENDS_SECRET_KEY)")
        if any(len(one) != KEY_BYTES for one in secrets):
            raise ValueError(f"every secret has {KEY_BYTES} bytes; make one with `amends init`")
        self._instances = tuple(_Instance(bytes(one)) for one in secrets)
        self._by_id = {one.id: one for one in self._instances}

    def __repr__(self) -> str:
        return f"Keyring({len(self._instances)} secrets)"

    def wrap(self, key: bytes, aad: str) -> bytes:
        """A case's or person's key, closed with the newest secret."""
        newest = self._instances[0]
        nonce = os.urandom(_NONCE)
        return newest.id + nonce + newest.wrapping.encrypt(nonce, key, aad.encode())

    def unwrap(self, wrapped: bytes, aad: str) -> bytes:
        """The key again; SealBroken when no secret of ours opens it."""
        return _open(self._of(wrapped).wrapping, wrapped, aad)

    def is_newest(self, wrapped: bytes) -> bool:
        """False when `wrapped` should be wrapped again (rotation)."""
        return wrapped[:_ID] == self._instances[0].id

    @property
    def newest_id(self) -> bytes:
        """What every value that the newest secret closed begins with."""
        return self._instances[0].id

    @property
    def publics(self) -> tuple[str, ...]:
        """The keys by which others check our signatures, newest first, in hex."""
        return tuple(one.public.hex() for one in self._instances)

    def seal(self, data: bytes, aad: str) -> bytes:
        """Something that belongs to no case and no person (a message set aside, a name of staff)."""
        newest = self._instances[0]
        nonce = os.urandom(_NONCE)
        return newest.id + nonce + newest.sealing.encrypt(nonce, data, aad.encode())

    def unseal(self, sealed: bytes, aad: str) -> bytes:
        """What `seal` closed; SealBroken when it does not open."""
        return _open(self._of(sealed).sealing, sealed, aad)

    def index(self, kind: str, value: str) -> bytes:
        """The look-up hash of a normalised value, under the newest secret."""
        return _index(self._instances[0], kind, value)

    def indexes(self, kind: str, value: str) -> list[bytes]:
        """Every hash under which the value may have been filed, newest first."""
        return [_index(one, kind, value) for one in self._instances]

    def sign(self, data: bytes) -> tuple[str, str]:
        """Public key and Ed25519 signature, both in hex."""
        newest = self._instances[0]
        return newest.public.hex(), newest.signing.sign(data).hex()

    def verifies(self, data: bytes, public_key: str, signature: str) -> bool:
        """True when one of our own secrets signed this."""
        return public_key in self.publics and signed(data, public_key, signature)

    def _of(self, sealed: bytes) -> _Instance:
        found = self._by_id.get(sealed[:_ID])
        if found is None:
            raise SealBroken("no secret in AMENDS_SECRET_KEY opens this: add the one that sealed it")
        return found


def signed(data: bytes, public_key: str, signature: str) -> bool:
    """True when the secret behind `public_key` signed this; both in hex."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _open(cipher: AESGCM, sealed: bytes, aad: str) -> bytes:
    try:
        return cipher.decrypt(sealed[_ID : _ID + _NONCE], sealed[_ID + _NONCE :], aad.encode())
    except InvalidTag as wrong:
        raise SealBroken(f"{aad} does not open: it was altered or belongs to another row") from wrong


def _index(instance: _Instance, kind: str, value: str) -> bytes:
    return hmac.digest(instance.indexing, f"{kind}\x00{value}".encode(), "sha256")
