"""Signed notes, checkpoints and cosignatures as C2SP specifies them, so that common tools and witnesses read them.

signed-note: a text that ends with a newline, an empty line, and signature lines "— name base64(id, signature)".
tlog-checkpoint: origin, size and root of a log. tlog-cosignature: a witness signs the text with its time.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519, _COSIGNATURE = 0x01, 0x04
_NAME = re.compile(r"[^\s+]+")


class BadNote(ValueError):
    """The text is no signed note or no checkpoint, or a signature does not fit."""


@dataclass(frozen=True)
class Verifier:
    """The public key of a log (`is_witness` False) or of a witness, with its name."""

    name: str
    public: bytes
    is_witness: bool = False

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        algorithm = bytes([_COSIGNATURE if self.is_witness else _ED25519])
        return hashlib.sha256(self.name.encode() + b"\n" + algorithm + self.public).digest()[:4]

    def __str__(self) -> str:
        """The verifier key as it is given to others: name+id+key."""
        algorithm = bytes([_COSIGNATURE if self.is_witness else _ED25519])
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(algorithm + self.public).decode()}"


@dataclass(frozen=True)
class Signer:
    """A signing key of 32 bytes (Ed25519 seed) with its name."""

    name: str
    seed: bytes
    is_witness: bool = False

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, public, self.is_witness)

    def sign(self, body: str) -> str:
        """The signature line of a log for the text of a note."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(body.encode())
        return _line(self.name, self.verifier.id + signature)

    def cosign(self, body: str, time: int) -> str:
        """The signature line of a witness: it saw this checkpoint at `time`, in seconds since 1970."""
        message = f"cosignature/v1\ntime {time}\n{body}".encode()
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)
        return _line(self.name, self.verifier.id + time.to_bytes(8, "big") + signature)


@dataclass(frozen=True)
class Checkpoint:
    """Origin, size and root of a log."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_verifier(text: str, *, is_witness: bool = False) -> Verifier:
    """Read a verifier key (name+id+key); raises BadNote."""
    try:
        name, id_, encoded = text.strip().split("+", 2)
        key = base64.b64decode(encoded, validate=True)
        verifier = Verifier(name, key[1:], is_witness)
        algorithm = _COSIGNATURE if is_witness else _ED25519
        if len(key) == 33 and key[0] == algorithm and bytes.fromhex(id_) == verifier.id:
            return verifier
    except ValueError as error:
        raise BadNote(f"{text[:80]!r} is no verifier key: write name+id+key") from error
    raise BadNote(f"{text[:80]!r} is no verifier key of a {'witness' if is_witness else 'log'}")


def split_note(note: str) -> tuple[str, list[str]]:
    """The text of a note and its signature lines; raises BadNote."""
    body, separator, signatures = note.rpartition("\n\n")
    lines = signatures.splitlines()
    if not separator or not all(line.startswith("\u2014 ") for line in lines):
        raise BadNote("this is no signed note: the signature lines are missing")
    return body + "\n", lines


def parse_checkpoint(body: str) -> Checkpoint:
    """Read the text of a checkpoint; raises BadNote."""
    lines = body.split("\n")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (ValueError, IndexError) as error:
        raise BadNote("this is no checkpoint: write origin, size and root") from error
    if not origin or size < 0 or str(size) != lines[1] or len(root) != 32:
        raise BadNote("this is no checkpoint: origin, size or root is wrong")
    return Checkpoint(origin, size, root)


def is_signed(note: str, verifiers: Sequence[Verifier]) -> bool:
    """True if one of these logs signed the note."""
    return any(cosigned_at(note, verifier) is not None for verifier in verifiers)


def cosigned_at(note: str, verifier: Verifier) -> int | None:
    """When this witness signed the note, in seconds since 1970 (0 for a log); None if it did not."""
    body, lines = split_note(note)
    for line in lines:
        name, _, encoded = line[2:].partition(" ")
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise BadNote("a signature is no base64") from error
        if name != verifier.name or data[:4] != verifier.id:
            continue
        time = int.from_bytes(data[4:12], "big") if verifier.is_witness else 0
        message = f"cosignature/v1\ntime {time}\n{body}" if verifier.is_witness else body
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public).verify(
                data[12 if verifier.is_witness else 4 :], message.encode()
            )
        except (InvalidSignature, ValueError):
            continue
        return time
    return None


def _line(name: str, data: bytes) -> str:
    if not _NAME.fullmatch(name):
        raise BadNote(f"{name!r} cannot be the name of a key: no blanks and no +")
    return f"\u2014 {name} {base64.b64encode(data).decode()}"
