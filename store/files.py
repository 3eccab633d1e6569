"""Files of a complaint: recorded with their message, downloaded by an obligation, stored in sealed chunks."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any, Literal

from sqlalchemy import func, select

from complaints.actors import Actor
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import format_time
from store.database.errors import UNREADABLE, StoreError, UnknownRow
from store.database.keyring import place, seal, seal_bytes, unseal, unseal_bytes
from store.database.transaction import Tx
from store.outbox.rows import insert_obligation, schedule_for_case
from store.people.contacts import load_chat
from store.record.access_log import find_reason, load_readable, write_read
from store.record.load import CaseFile, load_case_file
from store.tables import CHUNKS, FILES
from store.values import FileEntry, FileToFetch, Obligation, ReceivedFile

CHUNK = 1 << 20
#: Bots can download files from Telegram up to this size, in bytes: the dialogue asks for a smaller one above it.
LARGEST = 20 * 1024 * 1024
#: The kind of a file that staff attached to a letter; all others came from the complainant.
ATTACHED = "attachment"
#: The source of a file that staff uploaded: for a letter, or a scan of what a complainant sent.
SLACK = "slack"
#: `unscanned` and `infected` files are kept but not handed on (docs/operations.md, "A virus scanner").
FetchedState = Literal["fetched", "unscanned", "infected"]
#: By whether the virus scanner passes a file; None if it gave no verdict.
SCANNED: Mapping[bool | None, FetchedState] = {True: "fetched", False: "infected", None: "unscanned"}


def record_received_files(tx: Tx, file: CaseFile, seq: int, files: Sequence[ReceivedFile]) -> None:
    """Record the files of a message and schedule their download; files above `LARGEST` are only recorded."""
    case, key = file.case, file.key(tx)
    first = (
        tx.connection.execute(select(func.max(FILES.c.n)).where(FILES.c.ref == case.ref)).scalar() or 0
    ) + 1
    rows, obligations = [], []
    for n, received in enumerate(files, start=first):
        too_large = received.size is not None and received.size > LARGEST
        meta = {
            "name": received.name,
            "platform_id": received.platform_id,
            "platform_unique_id": received.platform_unique_id,
        }
        rows.append(
            {
                "ref": case.ref,
                "n": n,
                "seq": seq,
                "at": tx.now,
                "kind": received.kind,
                "source": received.source,
                "mime": received.mime,
                "size": received.size,
                "seconds": received.seconds,
                "group": received.group,
                "state": "too_large" if too_large else "announced",
                "sha256": None,
                "chunks": 0,
                "meta_sealed": seal(key, json.dumps(meta, ensure_ascii=False), file_meta_place(case.ref, n)),
            }
        )
        if not too_large:
            facts = {"file": n}
            fetch = NewObligation(f"fetch:{n}", "fetch", tx.now, SendPriority.NOTICE, facts)
            from_slack = NewObligation(f"slack_fetch:{n}", "slack_fetch", tx.now, SendPriority.NOTICE, facts)
            obligations.append(from_slack if received.source == SLACK else fetch)
    tx.add_all(FILES, rows)
    schedule_for_case(tx, case.ref, file.contact_id, obligations)


def load_file_to_fetch(tx: Tx, obligation: Obligation) -> FileToFetch:
    """The file that an obligation of kind `fetch` or `transcribe` is about."""
    ref, n = str(obligation.ref), int(obligation.facts["file"])
    file = load_case_file(tx, ref)
    row = _row(tx, ref, n)
    meta = _meta(file, tx, row)
    return FileToFetch(
        ref,
        n,
        meta["platform_id"],
        row.kind,
        row.mime,
        row.size,
        meta["name"],
        row.state,
        row.seconds,
        load_chat(tx, file.contact_id),
    )


def store_file(
    tx: Tx,
    ref: str,
    n: int,
    data: bytes,
    mime: str | None,
    state: FetchedState = "fetched",
    *,
    transcribe: bool = False,
) -> str:
    """Store the bytes in sealed chunks of 1 MiB; returns their SHA-256 in hex.

    The type of the content is stored; `mime`, the type that the file was sent as, only where it says more. A file
    stored as `unscanned` gets its state later; staff are informed of one that is `infected`. With `transcribe` a
    fetched recording is written down later.
    """
    file = load_case_file(tx, ref, lock=True)
    row, key = _row(tx, ref, n), file.key(tx)
    if row.state in ("fetched", "infected"):
        return str(row.sha256)
    if state == "infected":
        facts = {"id": n, "kind": "infected"}
        notice = NewObligation(f"told_failed:file:{n}", "told_failed", tx.now, SendPriority.NOTICE, facts)
        insert_obligation(tx, notice, ref)
    if transcribe and state == "fetched":
        later = NewObligation(f"transcribe:{n}", "transcribe", tx.now, SendPriority.BULK, {"file": n})
        schedule_for_case(tx, ref, file.contact_id, [later])
    if row.state == "unscanned":
        _change(tx, ref, n, state=state)
        return str(row.sha256)
    total = max(1, -(-len(data) // CHUNK))
    for part in range(total):
        piece = seal_bytes(key, data[part * CHUNK : (part + 1) * CHUNK], chunk_place(ref, n, part, total))
        tx.add(CHUNKS, ref=ref, n=n, part=part, sealed=piece)
    digest = hashlib.sha256(data).hexdigest()
    _change(
        tx,
        ref,
        n,
        state=state,
        sha256=digest,
        chunks=total,
        size=len(data),
        mime=media_type(data, mime or row.mime),
    )
    return digest


def record_file_failed(tx: Tx, ref: str, n: int, state: str) -> None:
    """Record that a file cannot be downloaded; `state` is `too_large` or `failed`."""
    if state not in ("too_large", "failed"):
        raise ValueError(f"a file is not {state!r}: give too_large or failed")
    _change(tx, ref, n, state=state)


def read_file_bytes(tx: Tx, ref: str, n: int, by: Actor) -> bytes:
    """The bytes of a file; the read is logged (4.7). Raises NotAllowed (recorded), ReasonNeeded, StoreError."""
    file = load_readable(tx, ref, by, "file")
    reason = find_reason(tx, file.case, by)
    row = _row(tx, ref, n)
    if row.state != "fetched":
        raise StoreError(f"file {n} of {ref} is {row.state}: it is not handed on")
    write_read(tx, file.case, by, f"file:{n}", reason)
    return load_bytes(tx, file, n)


def load_bytes(tx: Tx, file: CaseFile, n: int) -> bytes:
    """The bytes of a file, unsealed and verified by their SHA-256; the caller logs the read."""
    key, ref = file.key(tx), file.case.ref
    row = _row(tx, ref, n)
    query = select(CHUNKS.c.part, CHUNKS.c.sealed).where(CHUNKS.c.ref == ref, CHUNKS.c.n == n)
    parts = tx.connection.execute(query.order_by(CHUNKS.c.part)).all()
    data = b"".join(
        unseal_bytes(key, part.sealed, chunk_place(ref, n, part.part, row.chunks)) for part in parts
    )
    if len(parts) != row.chunks or hashlib.sha256(data).hexdigest() != row.sha256:
        raise StoreError(f"file {n} of {ref} is damaged: restore it from a backup")
    return data


def list_files(tx: Tx, file: CaseFile) -> tuple[FileEntry, ...]:
    """The files of a complaint as staff see them, in order."""
    query = select(FILES).where(FILES.c.ref == file.case.ref).order_by(FILES.c.n)
    return tuple(
        FileEntry(
            seq=row.n,
            kind=row.kind,
            mime=row.mime,
            size=row.size,
            name=_meta(file, tx, row)["name"] if row.meta_sealed is not None else None,
            state=row.state,
            source=row.source,
            group=row.group,
            at=row.at,
            seconds=row.seconds,
        )
        for row in tx.connection.execute(query)
    )


def load_received_files(tx: Tx, file: CaseFile) -> list[ReceivedFile]:
    """The files of a complaint as they were received, in order."""
    received = select(FILES).where(FILES.c.ref == file.case.ref, FILES.c.kind != ATTACHED)
    rows = tx.connection.execute(received.order_by(FILES.c.n))
    return [
        ReceivedFile(
            **_meta(file, tx, row),
            **{name: getattr(row, name) for name in ("kind", "source", "mime", "size", "seconds", "group")},
        )
        for row in rows
        if row.meta_sealed is not None
    ]


def files_as_records(tx: Tx, file: CaseFile) -> list[dict[str, Any]]:
    """The files of a complaint for the exported record: with their hashes, times as text."""
    query = select(FILES.c.n, FILES.c.sha256).where(FILES.c.ref == file.case.ref)
    hashes = {row.n: row.sha256 for row in tx.connection.execute(query)}
    return [
        {**asdict(entry), "at": format_time(entry.at), "sha256": hashes[entry.seq]}
        for entry in list_files(tx, file)
    ]


def _row(tx: Tx, ref: str, n: int) -> Any:
    row = tx.connection.execute(select(FILES).where(FILES.c.ref == ref, FILES.c.n == n)).first()
    if row is None:
        raise UnknownRow(f"{ref} has no file {n}")
    return row


def _change(tx: Tx, ref: str, n: int, **values: Any) -> None:
    tx.update_by(FILES, {"ref": ref, "n": n}, **values)


def _meta(file: CaseFile, tx: Tx, row: Any) -> dict[str, Any]:
    text = unseal(file.key(tx), row.meta_sealed, file_meta_place(file.case.ref, row.n))
    meta: dict[str, Any] = {"name": UNREADABLE} if text == UNREADABLE else json.loads(text)
    return meta


def file_meta_place(ref: str, n: int) -> str:
    return place("files", f"{ref}/{n}", "meta")


def chunk_place(ref: str, n: int, part: int, total: int) -> str:
    return place("file_chunks", f"{ref}/{n}/{part}/{total}", "data")


BINARY, TEXT = "application/octet-stream", "text/plain"
_TABLES = tomllib.loads(resources.files("store").joinpath("file_types.toml").read_text(encoding="utf-8"))
#: First bytes of a file, its type and its extension.
_MAGIC: list[tuple[bytes, str, str]] = [
    (start.encode("latin-1"), mime, ending) for start, mime, ending in _TABLES["magic"]
]
#: Beginnings of text that a program would run, after blanks and a byte-order mark, in lower case.
_SCRIPTS = re.compile(
    rb"<\?php|<!doctype html|<html|<script|<svg[^>]*>.*<script|<\?xml[^>]*>.*<script|@echo off|powershell|"
    rb"(?:param\s*\(|\$\w+\s*=)|wscript\.|set-executionpolicy|javascript:|import (?:os|sys|subprocess)\b|rem \w",
    re.DOTALL,
)
SCRIPT = "text/x-script"
#: Types that a device may run; staff are warned and get them as `.bin`.
PROGRAMS = frozenset({
    "application/vnd.microsoft.portable-executable", "application/x-executable", "application/x-mach-binary",
    "application/wasm", "application/vnd.android.dex", "application/x-ms-shortcut", SCRIPT,
})  # fmt: skip
#: What a declared type may add to the sniffed one, because one container serves several types.
_REFINES = {mime: tuple(beginnings) for mime, beginnings in _TABLES["refines"].items()}


def media_type(data: bytes, declared: str | None = None) -> str:
    """The media type of these bytes; `declared` counts only where it says more and agrees with the content."""
    sniffed = _sniff(data)
    kind = (declared or "").partition(";")[0].strip().lower()
    if sniffed == BINARY:
        # Unknown bytes are nothing that we would recognise, under any declared type.
        return kind if kind and not kind.startswith(("image/", "text/")) and kind not in _KNOWN else BINARY
    return kind if kind not in PROGRAMS and kind.startswith(_REFINES.get(sniffed, ("\x00",))) else sniffed


def extension(data: bytes) -> str:
    """The extension by the content, never by the name that the file had; `.bin` for programs and unknown bytes."""
    sniffed = _sniff(data)
    if sniffed in PROGRAMS:
        return ".bin"
    extensions = {mime: ending for _, mime, ending in _MAGIC}
    return {**extensions, "image/webp": ".webp", "video/mp4": ".mp4", "audio/wav": ".wav", TEXT: ".txt"}.get(
        sniffed, ".bin"
    )


def is_program(mime: str | None) -> bool:
    """Whether a device may run a file of this type."""
    return mime in PROGRAMS


def _sniff(data: bytes) -> str:
    for start, mime, _ in _MAGIC:
        if data.startswith(start) and not (start == b"MZ" and len(data) < 64):
            return mime
    if data[4:8] == b"ftyp":
        return "video/mp4"
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], BINARY)
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return "image/bmp"
    return _sniff_text(data[:4096])


def _sniff_text(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _SCRIPTS.match(text.lower()):
        return SCRIPT
    if b"\x00" in start or not text:
        return BINARY
    try:
        # The last character may be cut in the middle.
        start[: max(1, len(start) - 3)].decode()
    except UnicodeDecodeError:
        return BINARY
    return TEXT


_KNOWN = frozenset({*(mime for _, mime, _ in _MAGIC), "image/webp", "video/mp4", "audio/wav", "image/bmp"})
