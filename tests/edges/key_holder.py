"""An administrator with all our keys, who changes the past and computes chain, MACs, journal, log and notes anew."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import delete, insert, select, update

from amends.witness import Witness
from complaints.times import format_time
from complaints.vocabulary import Verb
from store.custody.verify import Outside, verify
from store.database.journaled import JOURNALED
from store.database.transaction import FoldedCases, Tx
from store.proof.hash_chain import GENESIS, canonical, event_mac, mac_key, sha256
from store.proof.journal import changes_in, entry_mac, head_mac, items_of
from store.proof.log import (
    add_checkpoint,
    checkpoint_mac,
    latest_checkpoint,
    log_signer,
    prove_consistency,
    write_state,
)
from store.proof.merkle import leaf_hash, new_nodes, root
from store.proof.notes import Checkpoint
from store.tables import (
    ATTEMPTS,
    COMPLAINTS,
    EVENTS,
    INCIDENTS,
    JOURNAL,
    JOURNAL_HEADS,
    LOG_CHECKPOINTS,
    LOG_LEAVES,
    LOG_NODES,
    LOG_SIGNATURES,
    READS,
)
from tests.databases import KEYS
from tests.edges.alterations import SEED, WITNESS, Change, Record, counted, other_value, put_back, this_row
from tests.edges.desk import Desk
from tests.edges.outsider import outside
from tests.edges.witness_logs import request

#: The change of one trial: the owners whose record it rewrites; none if it was not possible.
Forgery = Callable[[Tx, Record, random.Random], Collection[str]]


@dataclass(frozen=True)
class Trial:
    """One forgery: who noticed it, and whether the record alone looked whole."""

    kind: str
    looks_whole: bool
    is_reported: bool
    is_refused: bool


def try_forgeries(record: Record, witness: Witness, number: int, dice: random.Random) -> list[Trial]:
    """Make so many forgeries, one after the other; compare each with what the witness cosigned, and undo it."""
    store, trials = record.store, []
    cosigned = store.read(latest_checkpoint)
    assert cosigned is not None
    assert witness.add_checkpoint(request(0, [], cosigned.note)).status_code == 200
    while len(trials) < number:
        kind = dice.choice([*FORGERIES, *HISTORIES])
        if kind in HISTORIES:
            HISTORIES[kind](record, dice)
        elif not _forge(record, FORGERIES[kind], dice):
            continue
        problems = store.read(verify, Outside((cosigned.note,), witnesses=(WITNESS.verifier,))).problems
        newest = store.read(latest_checkpoint)
        assert newest is not None
        old = min(cosigned.size, newest.size)
        consistency_request = request(old, store.read(prove_consistency, old, newest.size), newest.note)
        trials.append(
            Trial(
                kind,
                store.read(verify).problems == (),
                any(damage.ref == "checkpoint kept outside" for damage in problems) or kind == "amend",
                kind == "amend" or witness.add_checkpoint(consistency_request).status_code in (409, 422),
            )
        )
        if kind == "amend":
            assert problems
        with outside(store) as connection:
            put_back(connection, record.rows, record.rows)
    return trials


def _forge(record: Record, forgery: Forgery, dice: random.Random) -> bool:
    with outside(record.store) as connection:
        tx = Tx(connection, KEYS, record.store.now(), {})
        owners = forgery(tx, record, dice)
        if owners:
            rewrite(tx, owners)
    return bool(owners)


# --- the past ---


def _row(tx: Tx, record: Record, dice: random.Random) -> Collection[str]:
    """Change, delete or repeat a row that the cosigned log covers."""
    table = dice.choice([spec.table for spec in JOURNALED.values() if spec.table not in (EVENTS, COMPLAINTS)])
    covered = _covered(record)
    rows = [row for row in record.rows[table] if Change.owner(table, row) in covered]
    # The head of an incident is computed anew with its chain: changing it changes nothing.
    names = [column.name for column in counted(table) if (table, column.name) != (INCIDENTS, "head")]
    if not rows or not names:
        return ()
    row, name = dice.choice(rows), dice.choice(names)
    if dice.random() < 0.3:
        tx.connection.execute(delete(table).where(this_row(table, row)))
    elif row._mapping[name] is None:
        return ()
    else:
        value = other_value(row._mapping[name], dice)
        if table.c[name].foreign_keys or table.c[name].unique:
            return ()
        tx.connection.execute(update(table).where(this_row(table, row)).values({name: value}))
    return {Change.owner(table, row)}


def _event(tx: Tx, record: Record, dice: random.Random) -> Collection[str]:
    """Backdate an event, or give it to somebody else."""
    covered = _covered(record)
    row = dice.choice([row for row in record.rows[EVENTS] if row.seq <= covered.get(row.ref, (0, 0))[1]])
    changed = dice.choice(({"by": "U9"}, {"at": row.at - timedelta(days=1)}))
    tx.connection.execute(update(EVENTS).where(this_row(EVENTS, row)).values(changed))
    return {row.ref}


def _journal_clock(tx: Tx, record: Record, dice: random.Random) -> Collection[str]:
    """Move the time of a journal entry."""
    covered = _covered(record)
    row = dice.choice([row for row in record.rows[JOURNAL] if row.n <= covered.get(row.owner, (0, 0))[0]])
    moved = row.at - timedelta(hours=3)
    tx.connection.execute(update(JOURNAL).where(this_row(JOURNAL, row)).values(at=moved))
    return {row.owner}


def _without_case(tx: Tx, record: Record, dice: random.Random) -> Collection[str]:
    """Remove a complaint with everything that names it."""
    ref = dice.choice(sorted(_covered(record).keys() & {row.ref for row in record.rows[COMPLAINTS]}))
    for table in record.tables:
        for row in record.rows[table]:
            if ref in (row._mapping.get("ref"), row._mapping.get("owner")):
                tx.connection.execute(delete(table).where(this_row(table, row)))
    return {ref}


def _leaf(tx: Tx, record: Record, dice: random.Random) -> Collection[str]:
    """Take an entry out of the log, or repeat one in the past."""
    row = dice.choice(record.rows[LOG_LEAVES])
    if dice.random() < 0.5:
        tx.connection.execute(delete(LOG_LEAVES).where(this_row(LOG_LEAVES, row)))
    else:
        tx.connection.execute(update(LOG_LEAVES).values(n=-LOG_LEAVES.c.n - 1))
        tx.connection.execute(update(LOG_LEAVES).values(n=-LOG_LEAVES.c.n))
        tx.connection.execute(insert(LOG_LEAVES), [{**row._mapping, "n": 0}])
    return {row.owner}


FORGERIES: Mapping[str, Forgery] = {
    "row": _row, "event": _event, "journal clock": _journal_clock, "complaint removed": _without_case, "log": _leaf,
}  # fmt: skip


def _covered(record: Record) -> dict[str, tuple[int, int]]:
    """The newest journal entry and event of each owner that the cosigned log covers."""
    return {row.owner: (row.entry_n, row.entry_seq) for row in record.rows[LOG_LEAVES]}


def rewrite(tx: Tx, owners: Collection[str]) -> None:
    """Compute everything anew from the rows of these owners, so that the record alone looks whole."""
    key, execute = mac_key(tx), tx.connection.execute
    events: dict[tuple[str, int], str] = {}
    entries: dict[tuple[str, int], str] = {}
    for owner in sorted(owners):
        for seq, row in enumerate(execute(_chain(EVENTS, owner, EVENTS.c.seq)).all(), start=1):
            content = json.loads(row.entry) | {"at": format_time(row.at), "actor": row.by, "seq": seq}
            entry = canonical(content | {"prev": events.get((owner, seq - 1), GENESIS)})
            hash_ = events[owner, seq] = sha256(entry)
            values = {"seq": seq, "entry": entry, "hash": hash_, "mac": event_mac(key, owner, seq, hash_)}
            execute(update(EVENTS).where(EVENTS.c.id == row.id).values(values))
            execute(update(COMPLAINTS).where(COMPLAINTS.c.ref == owner).values(head=hash_))
            incident = (
                INCIDENTS.c.id == int(owner.rpartition("-")[2]) if owner.startswith("-incident") else None
            )
            if incident is not None:
                execute(update(INCIDENTS).where(incident).values(head=hash_))
        _rewrite_journal(tx, key, owner, entries)
    leaves = []
    for n, row in enumerate(execute(select(LOG_LEAVES).order_by(LOG_LEAVES.c.n)).all()):
        data = json.loads(row.data)
        data["journal"] = entries.get((row.owner, row.entry_n), data["journal"])
        data["events"] = events.get((row.owner, row.entry_seq), data["events"])
        text = canonical(data)
        leaves.append({**row._mapping, "n": n, "data": text, "hash": leaf_hash(text.encode())})
    _rewrite_log(tx, key, leaves)


def _chain(table: Any, owner: str, order: Any) -> Any:
    return select(table).where((table.c.ref if table is EVENTS else table.c.owner) == owner).order_by(order)


def _rewrite_journal(tx: Tx, key: bytes, owner: str, hashes: dict[tuple[str, int], str]) -> None:
    rows = tx.connection.execute(_chain(JOURNAL, owner, JOURNAL.c.n)).all()
    contents = [json.loads(row.entry) for row in rows]
    if not contents:
        return
    current = {(table, row_key): committed for table, row_key, committed in items_of(tx, key, [owner])[owner]}
    unlisted = current.keys() - {item[:2] for item in changes_in(row.entry for row in rows)}
    contents[0]["items"] += [[*name, current[name]] for name in sorted(unlisted)]
    seen = set()
    for content in reversed(contents):
        for item in content["items"]:
            if tuple(item[:2]) not in seen:
                item[2] = current.get(tuple(item[:2]))
                seen.add(tuple(item[:2]))
        # What is gone was never there.
        content["items"] = [
            item for item in content["items"] if tuple(item[:2]) in current or item[2] is None
        ]
    latest: dict[tuple[str, str], str | None] = {}
    for content in contents:
        for item in content["items"]:
            before = latest.get((item[0], item[1]))
            item[3:] = [] if before is None else [before]
            latest[item[0], item[1]] = item[2]
    for n, (row, content) in enumerate(zip(rows, contents, strict=True), start=1):
        entry = canonical(content | {"prev": hashes.get((owner, n - 1), GENESIS), "at": format_time(row.at)})
        hash_ = hashes[owner, n] = sha256(entry)
        values = {"entry": entry, "hash": hash_, "mac": entry_mac(key, owner, n, hash_)}
        tx.connection.execute(update(JOURNAL).where(JOURNAL.c.id == row.id).values(values))
    head = {"hash": hash_, "mac": head_mac(key, owner, n, hash_)}
    tx.connection.execute(update(JOURNAL_HEADS).where(JOURNAL_HEADS.c.owner == owner).values(head))


def _rewrite_log(tx: Tx, key: bytes, leaves: list[dict[str, Any]]) -> None:
    execute, signer = tx.connection.execute, log_signer(tx, SEED)
    assert signer is not None
    for table in (LOG_LEAVES, LOG_NODES, LOG_SIGNATURES):
        execute(delete(table))
    execute(insert(LOG_LEAVES), leaves)
    nodes: dict[tuple[int, int], bytes] = {}
    new = new_nodes(0, [leaf["hash"] for leaf in leaves], lambda level, n: nodes[level, n])
    nodes |= {(level, n): hash_ for level, n, hash_ in new}
    execute(insert(LOG_NODES), [{"level": level, "n": n, "hash": hash_} for level, n, hash_ in new])
    rows = execute(select(LOG_CHECKPOINTS).order_by(LOG_CHECKPOINTS.c.size)).all()
    execute(delete(LOG_CHECKPOINTS))
    for row in rows:
        # The newest covers all leaves, as many as there are now.
        size = len(leaves) if row is rows[-1] else min(row.size, len(leaves) - 1)
        checkpoint = Checkpoint(signer.name, size, root(size, lambda level, n: nodes[level, n]))
        body = checkpoint.body()
        note = f"{body}\n{signer.sign(body)}\n"
        values = {"size": size, "at": row.at, "root": checkpoint.root, "note": note}
        execute(insert(LOG_CHECKPOINTS), [{**values, "mac": checkpoint_mac(key, size, note, row.at)}])
    write_state(tx, "checkpoints", {"count": len(rows), "sum": 0})


# --- other histories ---


def _roll_back(record: Record, _: random.Random) -> None:
    """Put the whole database back to an earlier checkpoint."""
    with outside(record.store) as connection:
        put_back(connection, record.earlier, record.earlier)


def _fork(record: Record, dice: random.Random) -> None:
    """Put it back, and let another history grow from there, shorter or longer than the cosigned one."""
    _roll_back(record, dice)
    record.store._folded = FoldedCases()  # as after a restart
    desk = Desk(record.store, count(dice.randrange(10**6, 10**9)))
    for _ in range(dice.randint(1, 8)):
        ref = desk.receive("Another history.", chat=desk.chat(f"9{dice.randrange(10**6):06}"))
        desk.act(ref, Verb.NOTE, words={"text": "x"})
    record.store.write(add_checkpoint, SEED)


def _amend(record: Record, dice: random.Random) -> None:
    """Change a read or an attempt with a new journal entry; the log stays as it was cosigned."""
    table = dice.choice((READS, ATTEMPTS))
    row = dice.choice([row for row in record.rows[table] if Change.owner(table, row) in _covered(record)])
    record.store.write(lambda tx: tx.update(table, this_row(table, row), by="U9"))


HISTORIES: Mapping[str, Callable[[Record, random.Random], None]] = {
    "roll back": _roll_back, "fork or second view": _fork, "amend": _amend,
}  # fmt: skip
