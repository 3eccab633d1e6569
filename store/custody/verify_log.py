"""Check the log: its leaves, its tree, its checkpoints and what is kept outside of it."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import LargeBinary, and_, func, literal, select, true

from store.database.errors import StoreError
from store.database.transaction import Tx
from store.proof.hash_chain import read_mac_key
from store.proof.log import (
    LogHead,
    checkpoint_mac,
    cosignature_sum,
    last_new_start,
    log_state,
    origin,
    over_nodes,
    public_keys,
)
from store.proof.merkle import leaf_hash, node_hash, root
from store.proof.notes import (
    BadNote,
    Checkpoint,
    Verifier,
    cosigned_at,
    is_signed,
    parse_checkpoint,
    split_note,
)
from store.tables import (
    EVENTS,
    JOURNAL,
    JOURNAL_HEADS,
    LOG_CHECKPOINTS,
    LOG_LEAVES,
    LOG_NODES,
    LOG_SIGNATURES,
    RECEIPTS,
)
from store.values import Damage

#: What is compared where the desk's own file outside of the database says how far the log had come.
HEAD = "log_head.txt"


def check_log(
    tx: Tx, key: bytes, witnesses: Sequence[Verifier] = (), verified: Mapping[str, Any] | None = None
) -> Iterator[Damage]:
    """Each damage of the log: leaves, nodes, checkpoints, signatures.

    With the size and root that were `verified` before, only what came after is read, and the hashes of the complete
    subtrees that lead to that root.
    """
    start = 0 if verified is None else verified["size"]
    if verified is not None and _stored_root(tx, start) != bytes.fromhex(verified["root"]):
        why = "the log does not begin with the entries that were verified last"
        yield Damage("log", 0, why, "log_nodes", "", "edited")
        start = 0
    sizes = list(tx.connection.execute(select(LOG_CHECKPOINTS.c.size)).scalars())
    roots: dict[int, bytes] = dict.fromkeys(sizes, b"")
    name, signers, state = origin(tx), public_keys(tx, origin(tx)), log_state(tx)
    # The first checkpoint records the key that signs.
    has_all = state is not None and len(sizes) == state["count"] and bool(sizes or not signers)
    if not has_all:
        yield Damage("log", 0, "a checkpoint is missing, or was added", "log_checkpoints", "", "deleted")
    size = yield from _check_leaves(tx, start, roots, max(sizes, default=0) if has_all else None)
    yield from _check_nodes(tx, start, size)
    notes: dict[int, str] = {}
    newer = select(LOG_CHECKPOINTS).where(LOG_CHECKPOINTS.c.size > start)
    for row in tx.connection.execute(newer.order_by(LOG_CHECKPOINTS.c.size)):
        notes[row.size] = row.note
        problem = _checkpoint_problem(row, key, name, signers, roots)
        if problem is not None:
            yield Damage(f"checkpoint {row.size}", 0, problem, "log_checkpoints", str(row.size), "edited")
    verifiers = {verifier.name: verifier for verifier in witnesses}
    signatures = tx.connection.execute(select(LOG_SIGNATURES).where(LOG_SIGNATURES.c.size > start)).all()
    for row in signatures:
        verifier = verifiers.get(row.witness)
        if verifier is not None and not _is_cosigned(f"{notes.get(row.size, '')}{row.line}\n", verifier):
            why = f"the cosignature of {row.witness} does not fit"
            row_key = f"{row.size}|{row.witness}"
            yield Damage(f"checkpoint {row.size}", 0, why, "log_signatures", row_key, "edited")
    if start == 0:
        if state is None or cosignature_sum(key, signatures) != state["sum"]:
            why = "a cosignature was changed, added or removed"
            yield Damage("log", 0, why, "log_signatures", "", "edited")
        yield from _check_owners(tx)


def _check_owners(tx: Tx) -> Iterator[Damage]:
    """Each owner without the leaf of its newest entry in the log, and each receipt with the leaf of another."""
    head, leaf, receipt = JOURNAL_HEADS.c, LOG_LEAVES.c, RECEIPTS.c
    newest = select(leaf.n).where(leaf.owner == head.owner, leaf.entry_n == head.logged_n).exists()
    for owner in tx.connection.execute(select(head.owner).where(head.logged_n > 0, ~newest)).scalars():
        yield Damage(owner, 0, "the log has lost its newest entry", "log_leaves", owner, "deleted")
    query = select(receipt.ref, receipt.n).outerjoin(LOG_LEAVES, leaf.n == receipt.leaf)
    other = receipt.leaf.is_not(None) & (leaf.data.is_(None) | (leaf.data != receipt.data))
    for ref, n in tx.connection.execute(query.where(other)):
        yield Damage(ref, 0, "the receipt names another entry of the log", "receipts", f"{ref}|{n}", "edited")


def _is_cosigned(note: str, verifier: Verifier) -> bool:
    try:
        return cosigned_at(note, verifier) is not None
    except BadNote:
        return False


def check_note(tx: Tx, note: str, witnesses: Sequence[Verifier] = ()) -> Damage | tuple[str, int]:
    """Compare the log with a checkpoint kept outside; returns what it is and its size, or the damage.

    A note is trusted if the log or a witness signed it.
    """
    name = "checkpoint kept outside"
    try:
        checkpoint = parse_checkpoint(split_note(note)[0])
        cosigned = [witness.name for witness in witnesses if cosigned_at(note, witness) is not None]
        trusted = cosigned or is_signed(note, public_keys(tx, checkpoint.origin))
    except BadNote as error:
        return Damage(name, 0, str(error))
    if checkpoint.origin == origin(tx) and not trusted:
        return Damage(name, 0, "no key of this desk and no known witness signed it")
    damage = compare_log(tx, checkpoint, name)
    return damage or (f"what {' and '.join(cosigned)} cosigned" if cosigned else name, checkpoint.size)


def compare_head(tx: Tx, head: LogHead) -> Damage | tuple[str, int]:
    """Compare the log with the desk's own file; returns its size like `check_note`, or the damage.

    The size is 0 if a person confirmed a new start after it.
    """
    starts, left = last_new_start(tx)
    if starts == head.start:
        return compare_log(tx, head.checkpoint, HEAD) or (HEAD, head.checkpoint.size)
    if starts < head.start:
        why = f"a new start was confirmed {head.start} times, and this database knows {starts} of them"
    elif head.checkpoint.size > left:
        # Otherwise a backup restored for a test could later be put in place of the desk's database.
        why = (
            f"it was confirmed as a new start when the log had {left} entries; there were more of them later"
        )
    else:
        return HEAD, 0
    return Damage(HEAD, 0, why, "proof_state", "start", "deleted")


def check_short_head(tx: Tx, head: str) -> Damage | tuple[str, int]:
    """Compare the log with a size and the first digits of its root, as the managers' digest has them (SIZE:HEAD)."""
    size, _, digits = head.partition(":")
    root = _stored_root(tx, int(size)) or b""
    checkpoint = Checkpoint(origin(tx), int(size), root if root.hex().startswith(digits) else b"")
    return compare_log(tx, checkpoint, f"head {head}") or (f"head {head}", checkpoint.size)


def compare_log(tx: Tx, checkpoint: Checkpoint, name: str) -> Damage | None:
    """Whether the log continues this checkpoint, which is called `name`.

    The root comes from the nodes of the tree, which `check_log` compares with the leaves.
    """
    if read_mac_key(tx) is None:
        why = f"the database is empty, or lost the key of its log, which had {checkpoint.size} entries"
        return Damage(name, 0, why, "log_leaves", "", "deleted")
    if checkpoint.origin != origin(tx):
        return Damage(name, 0, f"it is of another log ({checkpoint.origin})")
    size = 1 + int(tx.connection.execute(select(func.coalesce(func.max(LOG_LEAVES.c.n), -1))).scalar_one())
    if checkpoint.size > size:
        why = f"the log was rolled back: it has {size} entries, and had {checkpoint.size}"
        return Damage(name, 0, why, "log_leaves", "", "deleted")
    if _stored_root(tx, checkpoint.size) != checkpoint.root:
        why = f"the first {checkpoint.size} entries of the log are not those of this checkpoint"
        return Damage(name, 0, why, "log_leaves", "", "edited")
    return None


def _stored_root(tx: Tx, size: int) -> bytes | None:
    """The root from the nodes of the tree; None if one is missing."""
    try:
        return over_nodes(tx, lambda node: root(size, node))
    except StoreError:
        return None


def _check_leaves(
    tx: Tx, start: int, roots: dict[int, bytes], covered: int | None
) -> Generator[Damage, None, int]:
    """Check the leaves from `start` on, and compute the root at each size in `roots`; returns the log's size.

    Checkpoints cover so many leaves (`covered`; None if that is not known).
    """
    # The complete subtrees left of the next leaf, by level: those before `start` have the root that was verified.
    levels = [level for level in reversed(range(start.bit_length())) if start >> level & 1]
    subtrees = over_nodes(tx, lambda node: [(level, node(level, (start >> level) - 1)) for level in levels])
    query = (
        select(LOG_LEAVES, JOURNAL.c.hash.label("journal_hash"), EVENTS.c.hash.label("event_hash"))
        .outerjoin(JOURNAL, and_(JOURNAL.c.owner == LOG_LEAVES.c.owner, JOURNAL.c.n == LOG_LEAVES.c.entry_n))
        .outerjoin(EVENTS, and_(EVENTS.c.ref == LOG_LEAVES.c.owner, EVENTS.c.seq == LOG_LEAVES.c.entry_seq))
        .where(LOG_LEAVES.c.n >= start if start else true())
        .order_by(LOG_LEAVES.c.n)
        .execution_options(yield_per=500)
    )
    expected = start
    for row in tx.connection.execute(query):
        if row.n != expected:
            yield Damage(
                f"log entry {expected}", 0, "this entry is missing", "log_leaves", str(expected), "deleted"
            )
        expected = row.n + 1
        level, value = 0, leaf_hash(row.data.encode())
        while subtrees and subtrees[-1][0] == level:
            level, value = level + 1, node_hash(subtrees.pop()[1], value)
        subtrees.append((level, value))
        if expected in roots:
            whole = subtrees[-1][1]
            for _, left in reversed(subtrees[:-1]):
                whole = node_hash(left, whole)
            roots[expected] = whole
        data = _loads(row.data)
        names = (data.get("owner"), data.get("n"), data.get("seq"))
        if covered is not None and row.n >= covered:
            why = "this entry of the log was added: no checkpoint covers it"
        elif leaf_hash(row.data.encode()) != row.hash or names != (row.owner, row.entry_n, row.entry_seq):
            why = "this entry of the log was changed"
        elif row.journal_hash != data["journal"]:
            why = f"entry {data['n']} of its journal is not the one in the log"
        elif row.event_hash != data["events"]:
            why = f"event {data['seq']} is not the one in the log"
        else:
            continue
        yield Damage(row.owner, 0, why, "log_leaves", str(row.n), "edited")
    return expected


def _loads(data: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return (
        value
        if isinstance(value, dict) and {"owner", "n", "journal", "seq", "events"} <= value.keys()
        else {}
    )


def _check_nodes(tx: Tx, start: int, size: int) -> Iterator[Damage]:
    """Leaves and nodes of level 0 agree, each node is the hash of the two below it, and none is left over.

    Only nodes over a leaf from `start` on are read.
    """
    leaf, node, left, right = LOG_LEAVES.c, LOG_NODES.c, LOG_NODES.alias("l").c, LOG_NODES.alias("r").c
    nodes = 0
    for level in range(size.bit_length()):
        below = (
            select(
                node.n, node.hash, leaf.hash.label("left"), literal(None, LargeBinary).label("right")
            ).outerjoin(LOG_LEAVES, leaf.n == node.n)
            if level == 0
            else select(node.n, node.hash, left.hash.label("left"), right.hash.label("right"))
            .outerjoin(left.n.table, and_(left.level == level - 1, left.n == node.n * 2))
            .outerjoin(right.n.table, and_(right.level == level - 1, right.n == node.n * 2 + 1))
        )
        query = below.where(node.level == level, node.n >= start >> level if start else true())
        for row in tx.connection.execute(query.execution_options(yield_per=1000)):
            nodes += 1
            is_whole = row.left is not None and (level == 0 or row.right is not None)
            if not is_whole or row.hash != (row.left if level == 0 else node_hash(row.left, row.right)):
                yield Damage(
                    "log", 0, "a node of the tree is wrong", "log_nodes", f"{level}|{row.n}", "edited"
                )
    higher = (
        select(func.count())
        .select_from(LOG_NODES)
        .where((node.level < 0) | (node.level >= size.bit_length()))
    )
    nodes += int(tx.connection.execute(higher).scalar_one())
    if nodes != sum((size >> level) - (start >> level) for level in range(size.bit_length())):
        yield Damage("log", 0, "the tree has too many or too few nodes", "log_nodes", "", "deleted")


def _checkpoint_problem(
    row: Any, key: bytes, name: str, signers: Sequence[Verifier], roots: Mapping[int, bytes]
) -> str | None:
    if row.mac != checkpoint_mac(key, row.size, row.note, row.at):
        return "the checkpoint was not written by this desk"
    body = row.note.partition("\n\n")[0] + "\n"
    checkpoint = parse_checkpoint(body)
    if (checkpoint.origin, checkpoint.size, checkpoint.root) != (name, row.size, row.root):
        return "the checkpoint's row differs from its text"
    if roots.get(row.size) != row.root:
        return "the log has other entries than at this checkpoint"
    if not row.note.endswith("\n\n") and not is_signed(row.note, signers):
        return "no key of this desk signed this checkpoint"
    return None
