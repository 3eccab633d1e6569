"""A witness of other desks' logs (C2SP tlog-witness): it cosigns a checkpoint only if the log has just grown.

It needs neither a database nor amends.toml: a key, a folder with the newest cosigned checkpoint of each log, and the
public keys of the logs that it watches.
"""

import base64
import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bots.http_body import read_body
from store.database.errors import AlreadyRunning, StoreError
from store.proof.merkle import EMPTY, is_consistent
from store.proof.notes import (
    BadNote,
    Checkpoint,
    Signer,
    Verifier,
    cosigned_at,
    is_signed,
    parse_checkpoint,
    split_note,
)

#: A request has at most 63 hashes and a note with a few signatures: about 5 kB.
MAX_REQUEST_BYTES = 64 * 1024
MAX_PROOF_LINES = 63
#: How signed-note names a private key in a file.
_PRIVATE = "PRIVATE+KEY+"

log = structlog.get_logger(__name__)


def load_signer(file: Path, name: str | None) -> tuple[Signer, bool]:
    """The witness's key from its file, and whether it was created now (mode 600).

    Raises StoreError if the file is no key of a witness, or belongs to another name.
    """
    if not file.exists():
        signer = Signer(name or "amends-witness", secrets.token_bytes(32), is_witness=True)
        if not re.fullmatch(r"[^\s+]+", signer.name):
            raise StoreError(f"{signer.name!r} cannot be the name of a witness: no blanks and no +.")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(_private_key(signer) + "\n")
        return signer, True
    try:
        text = file.read_text(encoding="utf-8").strip()
        own_name, _, encoded = text.removeprefix(_PRIVATE).split("+", 2)
        signer = Signer(own_name, base64.b64decode(encoded, validate=True)[1:], is_witness=True)
        if text != _private_key(signer):
            raise BadNote("its parts do not fit together")
    except ValueError as wrong:
        raise StoreError(f"{file} is no key of a witness: name another file to create one.") from wrong
    if name not in (None, own_name):
        raise StoreError(f"The key in {file} is that of {own_name}: leave --name out, or name another file.")
    return signer, False


def _private_key(signer: Signer) -> str:
    encoded = base64.b64encode(b"\x04" + signer.seed).decode()
    return f"{_PRIVATE}{signer.name}+{signer.verifier.id.hex()}+{encoded}"


class Witness:
    """The newest cosigned checkpoint of each log, in a folder that this process holds alone.

    Raises StoreError if the folder is missing although the key is not new, or if a file in it is damaged: a witness
    that forgets what it cosigned would cosign a rewritten log.
    """

    def __init__(
        self,
        signer: Signer,
        folder: Path,
        logs: Sequence[Verifier],
        *,
        is_new: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.signer, self._folder, self._clock = signer, folder, clock
        if not is_new and not folder.is_dir():
            raise StoreError(
                f"{folder} is missing, and with it what this key has cosigned: restore it, or start with a new key."
            )
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"Another witness uses {folder}: stop it first.") from error
        self._logs = {log.name: [other for other in logs if other.name == log.name] for log in logs}
        self._notes = {origin: self._load(origin) for origin in self._logs}

    def close(self) -> None:
        """Let another process use the folder."""
        self._lock.close()

    def newest(self, origin: str) -> str | None:
        """The newest note of this log that was cosigned, with our signature; None if there is none."""
        return self._notes.get(origin)

    def add_checkpoint(self, request: bytes) -> Response:
        """Answer a request as tlog-witness specifies.

        Nothing is awaited between the comparison and the write, so that of two requests the second sees the first.
        """
        try:
            old, proof, note = _parse_request(request)
            body, _ = split_note(note)
            checkpoint = parse_checkpoint(body)
            if checkpoint.origin not in self._logs:
                return _refusal(404, f"this witness does not watch {checkpoint.origin!r}")
            if not is_signed(note, self._logs[checkpoint.origin]):
                return _refusal(403, "no key that this witness trusts signed the checkpoint")
        except ValueError as wrong:
            return _refusal(400, str(wrong) if isinstance(wrong, BadNote) else "the request is malformed")
        if old > checkpoint.size:
            return _refusal(400, "the old size is larger than the checkpoint")
        last = self._last(checkpoint.origin)
        # Not `media_type`, which adds a charset: clients compare the header as it is.
        conflict = Response(f"{last.size}\n", 409, headers={"Content-Type": "text/x.tlog.size"})
        if old != last.size:
            return conflict
        is_other = old == checkpoint.size and checkpoint.root != last.root
        if is_other or not is_consistent(old, last.root, checkpoint.size, checkpoint.root, proof):
            # The note is evidence: two signed roots of one size. A bad proof alone is none, anybody can send it.
            log.error("inconsistent_checkpoint", origin=checkpoint.origin, size=checkpoint.size, note=note)
            return (
                conflict
                if is_other
                else _refusal(422, "the proof does not lead from the last cosigned checkpoint to this one")
            )
        line = self.signer.cosign(body, int(self._clock()))
        write_durably(self._file(checkpoint.origin), f"{note}{line}\n")
        self._notes[checkpoint.origin] = f"{note}{line}\n"
        log.info("cosigned", origin=checkpoint.origin, size=checkpoint.size)
        return PlainTextResponse(f"{line}\n")

    def _last(self, origin: str) -> Checkpoint:
        note = self._notes[origin]
        return Checkpoint(origin, 0, EMPTY) if note is None else parse_checkpoint(split_note(note)[0])

    def _file(self, origin: str) -> Path:
        return self._folder / f"{quote(origin, safe='')}.note"

    def _load(self, origin: str) -> str | None:
        file = self._file(origin)
        try:
            note = file.read_bytes().decode()
            # Our own signature is also a checksum.
            is_ours = cosigned_at(note, self.signer.verifier) is not None
            if is_ours and parse_checkpoint(split_note(note)[0]).origin == origin:
                return note
        except FileNotFoundError:
            return None
        except ValueError as wrong:
            raise StoreError(f"{file} is damaged ({wrong}): restore it, or start with a new key.") from wrong
        raise StoreError(f"{file} was not signed by this witness: restore it, or start with a new key.")


def write_durably(file: Path, text: str) -> None:
    """Replace the file at once (mode 600): after a crash it has the old or the new content, never a part."""
    new = file.with_name(f".{file.name}.new")
    with os.fdopen(
        os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def witness_app(witness: Witness) -> Starlette:
    """The routes of a witness: `POST /add-checkpoint` and `GET /checkpoint?origin=…`."""

    async def add_checkpoint(request: Request) -> Response:
        body = await read_body(request)
        if isinstance(body, Response):
            return body
        if len(body) > MAX_REQUEST_BYTES:
            return Response(status_code=413)
        try:
            return witness.add_checkpoint(body)
        except OSError as error:
            # Not written, so not cosigned; the log sends it again.
            log.error("not_written", why=os.strerror(error.errno or 0))
            return Response(status_code=503)

    async def checkpoint(request: Request) -> Response:
        note = witness.newest(request.query_params.get("origin", ""))
        return Response(status_code=404) if note is None else PlainTextResponse(note)

    return Starlette(
        routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"]), Route("/checkpoint", checkpoint)]
    )


def _parse_request(request: bytes) -> tuple[int, list[bytes], str]:
    head, _, note = request.decode().partition("\n\n")
    first, *lines = head.split("\n")
    size = re.fullmatch(r"old (0|[1-9][0-9]{0,17})", first)
    proof = [base64.b64decode(line, validate=True) for line in lines]
    if size is None or len(proof) > MAX_PROOF_LINES or any(len(hash_) != 32 for hash_ in proof):
        raise BadNote("write `old N`, the proof in base64, an empty line and the signed checkpoint")
    if not note.endswith("\n"):
        raise BadNote("the checkpoint does not end with a newline")
    return int(size.group(1)), proof, note


def _refusal(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
