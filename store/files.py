"""Files of a complaint: announced with a message, fetched as an obligation, sealed in chunks in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, insert, select, update

from complaints.actors import Actor
from complaints.errors import NotAllowed
from complaints.obligations.kinds import NewObligation, SendPriority
from store.cases.load import CaseFile, load_case_file, may_open
from store.cases.read_log import write_read
from store.cases.refused_attempts import remember
from store.database.errors import StoreError, UnknownRow
from store.database.transaction import Tx
from store.outbox.rows import schedule_for_case
from store.proof.seal import place, seal, seal_bytes, unseal, unseal_bytes
from store.tables import CHUNKS, FILES
from store.values import FileEntry, FileToFetch, Obligation, ReceivedFile

CHUNK = 1 << 20
#: Telegram gives bots files up to this size.
LARGEST = 20 * 1_000_000


def announce(tx: Tx, file: CaseFile, seq: int, files: Sequence[ReceivedFile]) -> None:
    """Put the files of a message on the record and owe their fetching; a larger one is only recorded."""
    case, key = file.case, file.key(tx)
    first = (
        tx.connection.execute(select(func.max(FILES.c.n)).where(FILES.c.ref == case.ref)).scalar() or 0
    ) + 1
    rows, owed = [], []
    for n, one in enumerate(files, start=first):
        too_large = one.size is not None and one.size > LARGEST
        meta = {
            "name": one.name,
            "platform_id": one.platform_id,
            "platform_unique_id": one.platform_unique_id,
        }
        rows.append(
            {
                "ref": case.ref,
                "n": n,
                "seq": seq,
                "at": tx.now,
                "kind": one.kind,
                "source": one.source,
                "mime": one.mime,
                "size": one.size,
                "seconds": one.seconds,
                "group": one.group,
                "state": "too_large" if too_large else "announced",
                "sha256": None,
                "chunks": 0,
                "meta_sealed": seal(key, json.dumps(meta, ensure_ascii=False), _meta_place(case.ref, n)),
            }
        )
        if not too_large:
            owed.append(NewObligation(f"fetch:{n}", "fetch", tx.now, SendPriority.NOTICE, {"file": n}))
    tx.connection.execute(insert(FILES), rows)
    schedule_for_case(tx, case.ref, file.contact_id, owed)


def load_file_to_fetch(tx: Tx, owed: Obligation) -> FileToFetch:
    """The file that a duty of kind `fetch` speaks of."""
    ref, n = str(owed.ref), int(owed.facts["file"])
    file = load_case_file(tx, ref)
    row = _row(tx, ref, n)
    meta = _meta(file, tx, row)
    return FileToFetch(ref, n, meta["platform_id"], row.kind, row.mime, row.size, meta["name"])


def keep_file(tx: Tx, ref: str, n: int, data: bytes, mime: str | None) -> str:
    """Keep the bytes, sealed in chunks of 1 MiB; returns their SHA-256 in hex."""
    file = load_case_file(tx, ref, lock=True)
    row, key = _row(tx, ref, n), file.key(tx)
    if row.state == "fetched":
        return str(row.sha256)
    total = max(1, -(-len(data) // CHUNK))
    for part in range(total):
        piece = seal_bytes(key, data[part * CHUNK : (part + 1) * CHUNK], _chunk_place(ref, n, part, total))
        tx.add(CHUNKS, ref=ref, n=n, part=part, sealed=piece)
    digest = hashlib.sha256(data).hexdigest()
    _change(tx, ref, n, state="fetched", sha256=digest, chunks=total, size=len(data), mime=mime or row.mime)
    return digest


def record_file_failed(tx: Tx, ref: str, n: int, state: str) -> None:
    """It cannot be had: `too_large` or `failed`; staff see which."""
    if state not in ("too_large", "failed"):
        raise ValueError(f"a file is not {state!r}: give too_large or failed")
    _change(tx, ref, n, state=state)


def read_file_bytes(tx: Tx, ref: str, n: int, by: Actor) -> bytes:
    """The bytes for somebody who may read the complaint; it is a read on the record."""
    file = load_case_file(tx, ref)
    if not may_open(tx, file.case, by):
        refused = NotAllowed(f"{ref} is not open to you.", code="not_allowed.read")
        remember(tx, ref, "file", by, refused)
        raise refused
    row = _row(tx, ref, n)
    if row.state != "fetched":
        raise StoreError(f"file {n} of {ref} is {row.state}: it has no bytes here")
    write_read(tx, file.case, by, f"file:{n}")
    return stored_bytes(tx, file, n)


def stored_bytes(tx: Tx, file: CaseFile, n: int) -> bytes:
    """The bytes, unsealed and found to be whole; who is given them is the caller's to record."""
    key, ref = file.key(tx), file.case.ref
    row = _row(tx, ref, n)
    query = select(CHUNKS.c.part, CHUNKS.c.sealed).where(CHUNKS.c.ref == ref, CHUNKS.c.n == n)
    parts = tx.connection.execute(query.order_by(CHUNKS.c.part)).all()
    data = b"".join(
        unseal_bytes(key, part.sealed, _chunk_place(ref, n, part.part, row.chunks)) for part in parts
    )
    if len(parts) != row.chunks or hashlib.sha256(data).hexdigest() != row.sha256:
        raise StoreError(f"file {n} of {ref} is not whole: restore it from a backup")
    return data


def seen(tx: Tx, file: CaseFile) -> tuple[FileEntry, ...]:
    """The files of a complaint as staff may know them."""
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
        )
        for row in tx.connection.execute(query)
    )


def files_as_records(tx: Tx, file: CaseFile) -> list[dict[str, Any]]:
    """The same with the hash, for the record; instants stay instants."""
    query = select(FILES.c.n, FILES.c.sha256).where(FILES.c.ref == file.case.ref)
    hashes = {row.n: row.sha256 for row in tx.connection.execute(query)}
    return [{**asdict(one), "sha256": hashes[one.seq]} for one in seen(tx, file)]


def _row(tx: Tx, ref: str, n: int) -> Any:
    row = tx.connection.execute(select(FILES).where(FILES.c.ref == ref, FILES.c.n == n)).first()
    if row is None:
        raise UnknownRow(f"{ref} has no file {n}")
    return row


def _change(tx: Tx, ref: str, n: int, **values: Any) -> None:
    tx.connection.execute(update(FILES).where(FILES.c.ref == ref, FILES.c.n == n).values(**values))


def _meta(file: CaseFile, tx: Tx, row: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(
        unseal(file.key(tx), row.meta_sealed, _meta_place(file.case.ref, row.n))
    )
    return read


def _meta_place(ref: str, n: int) -> str:
    return place("files", f"{ref}/{n}", "meta")


def _chunk_place(ref: str, n: int, part: int, total: int) -> str:
    return place("file_chunks", f"{ref}/{n}/{part}/{total}", "data")
