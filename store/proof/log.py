"""The log: one append-only Merkle tree (RFC 6962) over the journal of every owner, and its checkpoints.

A checkpoint adds a leaf for each owner whose journal grew, and for each receipt, so that no act waits for a lock
that all share. It is a signed note in the format of C2SP. Kept outside, or cosigned by a witness, it shows any later
change of what it covers, even by someone who holds all keys.
"""

import base64
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import and_, delete, func, insert, select, text, tuple_, update

from complaints.times import format_time
from store.database.errors import StoreError
from store.database.schema import require_known_schema
from store.database.transaction import Tx
from store.proof.hash_chain import (
    canonical,
    list_instance_events,
    mac_key,
    read_mac_key,
    record_instance_event,
    state_mac,
)
from store.proof.merkle import EMPTY, Node, consistency_proof, inclusion_proof, leaf_hash, new_nodes, root
from store.proof.notes import Checkpoint, Signer, Verifier
from store.tables import (
    EVENTS,
    JOURNAL_HEADS,
    LOG_CHECKPOINTS,
    LOG_LEAVES,
    LOG_NODES,
    LOG_SIGNATURES,
    PROOF_STATE,
    RECEIPTS,
)


def read_state(tx: Tx, name: str) -> dict[str, Any] | None:
    """The value; None if there is none, or if its MAC is wrong."""
    row = tx.connection.execute(select(PROOF_STATE).where(PROOF_STATE.c.name == name)).first()
    key = None if row is None else read_mac_key(tx)
    if row is None or key is None or not hmac.compare_digest(row.mac, state_mac(key, name, row.value)):
        return None
    value: dict[str, Any] = json.loads(row.value)
    return value


def write_state(tx: Tx, name: str, value: dict[str, Any] | None) -> None:
    """Keep the value; None removes it."""
    if value is None:
        tx.connection.execute(delete(PROOF_STATE).where(PROOF_STATE.c.name == name))
        return
    text = canonical(value)
    tx.put(PROOF_STATE, {"name": name, "value": text, "mac": state_mac(mac_key(tx), name, text)})


#: Leaves of one checkpoint at most, so that the first one after a long pause or an import takes no long transaction.
MOST_LEAVES = 5_000
_LOCK = 0x616D656E6C6F67
R = TypeVar("R")


@dataclass(frozen=True)
class SavedCheckpoint:
    """A checkpoint of the log; `note` is its text with the signatures of log and witnesses."""

    size: int
    at: datetime
    root: bytes
    note: str


def origin(tx: Tx) -> str:
    """The name of this log: the same for the life of the record, and not to be guessed."""
    return f"amends/{hmac.digest(mac_key(tx), b'origin', 'sha256')[:8].hex()}"


def log_signer(tx: Tx, seed: bytes | None) -> Signer | None:
    """The signer of the log; None without a signing key."""
    return None if seed is None else Signer(origin(tx), seed)


def add_checkpoint(tx: Tx, seed: bytes | None) -> tuple[SavedCheckpoint | None, bool]:
    """Add what is new to the log and sign a checkpoint; returns the newest, and whether more is left for another one.

    None if nothing was ever journaled. Without new entries the newest checkpoint stays.
    """
    if not tx.is_sqlite:
        tx.connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    tx.connection.info.pop("schema_version", None)
    require_known_schema(tx.connection)
    latest = latest_checkpoint(tx)
    size = latest.size if latest is not None else 0
    signer = log_signer(tx, seed)
    leaves = _new_leaves(tx, size)
    if not leaves:
        return latest, False
    if signer is not None:
        _record_public_key(tx, signer.verifier)
    tx.connection.execute(insert(LOG_LEAVES), leaves)
    hashes = [leaf["hash"] for leaf in leaves]
    nodes = over_nodes(tx, lambda node: new_nodes(size, hashes, node))
    tx.connection.execute(insert(LOG_NODES), [{"level": at, "n": n, "hash": hash_} for at, n, hash_ in nodes])
    grown = size + len(leaves)
    checkpoint = Checkpoint(origin(tx), grown, over_nodes(tx, lambda node: root(grown, node)))
    body = checkpoint.body()
    note = f"{body}\n{signer.sign(body)}\n" if signer is not None else f"{body}\n"
    mac = checkpoint_mac(mac_key(tx), grown, note, tx.now)
    tx.add(LOG_CHECKPOINTS, size=grown, at=tx.now, root=checkpoint.root, note=note, mac=mac)
    update_state(tx, checkpoints=1)
    return SavedCheckpoint(grown, tx.now, checkpoint.root, note), len(leaves) >= MOST_LEAVES


def log_state(tx: Tx) -> dict[str, Any] | None:
    """How many checkpoints the log must have, and the sum of their cosignatures; None if that was removed."""
    return read_state(tx, "checkpoints")


def update_state(tx: Tx, *, checkpoints: int = 0, cosignatures: int = 0) -> None:
    """Add to what was known, not to what is there: the desk must not sign what was removed or added."""
    state = log_state(tx)
    if state is None:
        raise StoreError(
            "The log is damaged: the count of its checkpoints is missing. Run `amends db verify --full`."
        )
    count, total = state["count"] + checkpoints, state["sum"] ^ cosignatures
    write_state(tx, "checkpoints", {"count": count, "sum": total})


def latest_checkpoint(tx: Tx) -> SavedCheckpoint | None:
    """The newest checkpoint, with the cosignatures that witnesses gave it."""
    row = tx.connection.execute(
        select(LOG_CHECKPOINTS).order_by(LOG_CHECKPOINTS.c.size.desc()).limit(1)
    ).first()
    return None if row is None else _with_cosignatures(tx, row)


@dataclass(frozen=True)
class LogHead:
    """The size and root of the log at a moment, to be kept outside; `start` counts the new starts before it."""

    checkpoint: Checkpoint
    start: int
    at: str

    @property
    def position(self) -> tuple[int, int]:
        return self.start, self.checkpoint.size

    def text(self) -> str:
        """A checkpoint with two more lines."""
        return f"{self.checkpoint.body()}{self.start}\n{self.at}\n"


def read_log_head(tx: Tx) -> LogHead | None:
    """The head of the log at its newest checkpoint; None if nothing was ever journaled."""
    if read_mac_key(tx) is None:
        return None
    latest = latest_checkpoint(tx)
    size, root, at = (0, EMPTY, tx.now) if latest is None else (latest.size, latest.root, latest.at)
    return LogHead(Checkpoint(origin(tx), size, root), last_new_start(tx)[0], format_time(at))


def last_new_start(tx: Tx) -> tuple[int, int]:
    """How often a person confirmed an older database, and how large the log was that the last one left behind.

    It cannot be changed without our key.
    """
    state = read_state(tx, "start")
    return (0, 0) if state is None else (state["number"], state["left"])


def record_new_start(tx: Tx, left: LogHead | None, by: str) -> None:
    """Record that a person confirmed this database instead of the log that is `left` behind (8.1)."""
    number, size = (0, 0) if left is None else (left.start, left.checkpoint.size)
    state = {"number": 1 + max(number, last_new_start(tx)[0]), "left": size}
    record_instance_event(tx, "new_start", {**state, "by": by})
    write_state(tx, "start", state)


def add_cosignature(tx: Tx, size: int, witness: str, line: str) -> None:
    """Keep the signature line of a witness."""
    if not tx.is_sqlite:
        tx.connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    kept = select(LOG_SIGNATURES).where(LOG_SIGNATURES.c.size == size, LOG_SIGNATURES.c.witness == witness)
    if tx.connection.execute(kept).first() is not None:
        return
    tx.add(LOG_SIGNATURES, size=size, witness=witness, line=line, at=tx.now)
    update_state(tx, cosignatures=cosignature_sum(mac_key(tx), tx.connection.execute(kept).all()))


def cosignature_sum(key: bytes, rows: Iterable[Any]) -> int:
    """The MACs of these rows added bit by bit, so that one number under a MAC shows a change of any of them."""
    total = 0
    for row in rows:
        data = f"cosignature\x00{row.size}\x00{row.witness}\x00{format_time(row.at)}\x00{row.line}"
        total ^= int.from_bytes(hmac.digest(key, data.encode(), "sha256"))
    return total


def last_cosigned(tx: Tx, witness: str) -> int:
    """The largest size of the log that this witness has cosigned; 0 if none."""
    query = select(func.max(LOG_SIGNATURES.c.size)).where(LOG_SIGNATURES.c.witness == witness)
    return int(tx.connection.execute(query).scalar() or 0)


def prove_consistency(tx: Tx, old: int, size: int) -> list[bytes]:
    """The hashes that show a witness that the log of `size` begins with the log of `old`."""
    return over_nodes(tx, lambda node: consistency_proof(old, size, node))


def over_nodes(tx: Tx, compute: Callable[[Node], R]) -> R:
    """What this function computes from nodes of the tree, read in one query. Raises StoreError if one is missing."""
    needed: set[tuple[int, int]] = set()

    def note(level: int, n: int) -> bytes:
        needed.add((level, n))
        return b""

    compute(note)
    query = select(LOG_NODES).where(tuple_(LOG_NODES.c.level, LOG_NODES.c.n).in_(sorted(needed)))
    nodes = {(row.level, row.n): row.hash for row in tx.connection.execute(query)} if needed else {}
    for level, n in needed - nodes.keys():
        raise StoreError(
            f"The log is damaged: its node {level}/{n} is missing. Run `amends db verify --full`."
        )
    return compute(lambda level, n: nodes[level, n])


def checkpoint_mac(key: bytes, size: int, note: str, at: datetime) -> bytes:
    """The MAC of a checkpoint's row."""
    return hmac.digest(key, f"checkpoint\x00{size}\x00{format_time(at)}\x00{note}".encode(), "sha256")


def public_keys(tx: Tx, name: str) -> list[Verifier]:
    """The public keys that ever signed this log, newest first; old ones stay trusted for old checkpoints."""
    events = list_instance_events(tx, "signing_key")
    return [Verifier(name, bytes.fromhex(event["facts"]["public"])) for event in events]


# --- receipts ---


def add_receipt(tx: Tx, ref: str, seed: bytes | None) -> dict[str, Any]:
    """A receipt for the present state of the complaint: a promise, signed with a key, that the log will contain it.

    Its leaf joins the log at the next checkpoint; from then on the answer has the proof, until the next event.
    """
    event_head = _event_heads(tx, [ref]).get(ref)
    newest = _newest_receipt(tx, ref)
    if newest is not None and event_head is not None and json.loads(newest.data)["events"] == event_head[1]:
        return prove(tx, ref, seed)
    heads = tx.connection.execute(select(JOURNAL_HEADS).where(JOURNAL_HEADS.c.owner == ref)).one()
    data = _leaf_data(heads, event_head)
    tx.insert_missing(RECEIPTS, [{"ref": ref, "n": heads.n, "at": tx.now, "data": data, "leaf": None}])
    return _receipt(tx, data, seed)


def prove(tx: Tx, ref: str, seed: bytes | None) -> dict[str, Any]:
    """The newest receipt of a complaint with its proof, or the newest leaf of the complaint without a receipt.

    The proof is empty while no checkpoint covers it. Raises StoreError if the log has nothing of this complaint.
    """
    receipt = _newest_receipt(tx, ref)
    if receipt is not None:
        leaf, data = receipt.leaf, receipt.data
    else:
        newest = select(LOG_LEAVES).where(LOG_LEAVES.c.owner == ref).order_by(LOG_LEAVES.c.n.desc()).limit(1)
        row = tx.connection.execute(newest).first()
        if row is None:
            raise StoreError(f"The log has nothing of {ref} yet: try again after the next checkpoint.")
        leaf, data = row.n, row.data
    document = _receipt(tx, data, seed)
    checkpoint = latest_checkpoint(tx)
    if leaf is None or checkpoint is None or checkpoint.size <= leaf:
        return document
    size = checkpoint.size
    path = over_nodes(tx, lambda node: inclusion_proof(leaf, size, node))
    return document | {
        "index": leaf,
        "proof": base64.b64encode(b"".join(path)).decode(),
        "checkpoint": checkpoint.note,
    }


def _newest_receipt(tx: Tx, ref: str) -> Any:
    query = select(RECEIPTS).where(RECEIPTS.c.ref == ref).order_by(RECEIPTS.c.n.desc()).limit(1)
    return tx.connection.execute(query).first()


def _receipt(tx: Tx, data: str, seed: bytes | None) -> dict[str, Any]:
    name, signer = origin(tx), log_signer(tx, seed)
    body = f"{name}\nreceipt\n{data}\n"
    promise = None if signer is None else f"{body}\n{signer.sign(body)}\n"
    return {"format": "amends-receipt-1", "origin": name, "leaf": data, "promise": promise}


# --- leaves ---


def _new_leaves(tx: Tx, size: int) -> list[dict[str, Any]]:
    heads = tx.connection.execute(
        select(JOURNAL_HEADS)
        .where(text("n > logged_n"))
        .order_by(JOURNAL_HEADS.c.owner)
        .limit(MOST_LEAVES)
        .with_for_update()
    ).all()
    receipts = tx.connection.execute(
        select(RECEIPTS)
        .where(RECEIPTS.c.leaf.is_(None))
        .order_by(RECEIPTS.c.ref, RECEIPTS.c.n)
        .limit(MOST_LEAVES)
    ).all()
    event_heads = _event_heads(tx, [head.owner for head in heads])
    of_heads = [(head.owner, _leaf_data(head, event_heads.get(head.owner))) for head in heads]
    rows = [*((receipt.ref, receipt.data) for receipt in receipts), *of_heads]
    for position, receipt in enumerate(receipts):
        condition = (RECEIPTS.c.ref == receipt.ref) & (RECEIPTS.c.n == receipt.n)
        tx.connection.execute(update(RECEIPTS).where(condition).values(leaf=size + position))
    if heads:
        tx.connection.execute(
            text("UPDATE journal_heads SET logged_n = n WHERE owner = :owner"),
            [{"owner": head.owner} for head in heads],
        )
    return [
        {
            "n": size + position,
            "owner": owner,
            "entry_n": json.loads(data)["n"],
            "entry_seq": json.loads(data)["seq"],
            "data": data,
            "hash": leaf_hash(data.encode()),
        }
        for position, (owner, data) in enumerate(rows)
    ]


def _leaf_data(head: Any, event_head: tuple[int, str] | None) -> str:
    seq, hash_ = event_head if event_head is not None else (0, None)
    return canonical({"owner": head.owner, "n": head.n, "journal": head.hash, "seq": seq, "events": hash_})


def _event_heads(tx: Tx, owners: Sequence[str]) -> dict[str, tuple[int, str]]:
    heads: dict[str, tuple[int, str]] = {}
    for start in range(0, len(owners), 500):
        newest = (
            select(EVENTS.c.ref, func.max(EVENTS.c.seq).label("seq"))
            .where(EVENTS.c.ref.in_(owners[start : start + 500]))
            .group_by(EVENTS.c.ref)
            .subquery()
        )
        query = select(EVENTS.c.ref, EVENTS.c.seq, EVENTS.c.hash).join(
            newest, and_(EVENTS.c.ref == newest.c.ref, EVENTS.c.seq == newest.c.seq)
        )
        heads |= {row.ref: (row.seq, row.hash) for row in tx.connection.execute(query)}
    return heads


def _with_cosignatures(tx: Tx, row: Any) -> SavedCheckpoint:
    query = select(LOG_SIGNATURES.c.line).where(LOG_SIGNATURES.c.size == row.size)
    lines = tx.connection.execute(query.order_by(LOG_SIGNATURES.c.witness)).scalars()
    return SavedCheckpoint(row.size, row.at, row.root, row.note + "".join(f"{line}\n" for line in lines))


def _record_public_key(tx: Tx, verifier: Verifier) -> None:
    earlier = list_instance_events(tx, "signing_key", limit=1)
    if not earlier or earlier[0]["facts"]["public"] != verifier.public.hex():
        record_instance_event(tx, "signing_key", {"public": verifier.public.hex()})
