"""Verify the record: every row against the journal, every chain, the words, the projections, and the log.

The owners (complaints, chats, persons, incidents, the desk itself) are checked in batches. A run in one transaction
checks all of them; the command checks the owners that changed since they were verified, each batch in a transaction
of its own, and continues where it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from complaints.times import format_time
from store.custody.opens import list_unopened
from store.custody.verify_case import check_chain_and_case, check_journal, is_incident
from store.custody.verify_log import check_log, check_note, check_short_head, compare_head
from store.database.journaled import INCIDENT, JOURNALED, kind_of
from store.database.schema import find_differences
from store.database.transaction import Tx
from store.proof.hash_chain import INSTANCE_CHAIN, read_mac_key
from store.proof.log import LogHead, latest_checkpoint, read_state, write_state
from store.proof.merkle import EMPTY
from store.proof.notes import Verifier
from store.similarity.sketches import list_stray_hashes
from store.tables import COMPLAINTS, EVENTS, JOURNAL, JOURNAL_HEADS, LOG_LEAVES, PROOF_KEYS
from store.values import Damage, Verification

BATCH = 200
#: At most so many owners that no checkpoint covers are remembered as verified, in one value of 100 KB. After an
#: import there are more; then checkpoints cover them soon.
MOST_REMEMBERED = 5_000
#: Takes how many owners were checked, and of how many.
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Part:
    """What one batch of owners gave."""

    entries: int = 0
    cases: int = 0
    erased: int = 0
    damages: tuple[Damage, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(
            self.entries + other.entries,
            self.cases + other.cases,
            self.erased + other.erased,
            (*self.damages, *other.damages),
        )


@dataclass(frozen=True)
class Outside:
    """What is kept outside of the database: signed notes, the keys of witnesses, the desk's own file (`head`).

    `short_heads` are those that people copied from a message: `SIZE:HEAD`.
    """

    notes: tuple[str, ...] = ()
    witnesses: tuple[Verifier, ...] = ()
    head: LogHead | None = None
    short_heads: tuple[str, ...] = ()


NOTHING_OUTSIDE = Outside()


def verify(
    tx: Tx,
    outside: Outside = NOTHING_OUTSIDE,
    *,
    opens: bool = True,
    progress: Progress = lambda done, total: None,
) -> Verification:
    """Verify the whole record in this transaction, and compare it with what is kept outside.

    `opens` False leaves out whether messages, names, contacts and files open; it is enough for chain and journal.
    """
    part, owners, done = Part(), list_owners(tx), 0
    for page in pages_of(owners):
        part += verify_owners(tx, page)
        done += len(page)
        progress(done, len(owners))
    return conclude(tx, part, outside, opens=opens)


def conclude(
    tx: Tx,
    part: Part,
    outside: Outside,
    *,
    opens: bool = True,
    verified: Mapping[str, Any] | None = None,
    left_out: int = 0,
) -> Verification:
    """Add what belongs to no owner: stray rows, the log, what is kept outside, sealed values.

    After a checkpoint that was `verified` only the log after it and what is kept outside; `left_out` owners of rows
    were not read.
    """
    damages = [*part.damages, *_global_damage(tx, outside, verified)]
    compared = _compare_outside(tx, outside, damages)
    if opens and verified is None:
        damages += _guarded("sealed values", lambda: (Damage(*problem) for problem in list_unopened(tx)))
    return Verification(
        part.entries,
        part.cases,
        _count_unlogged_events(tx),
        part.erased,
        tuple(dict.fromkeys(damages)),
        left_out,
        0 if verified is None else verified["size"],
        None if verified is None else verified["at"],
        compared,
    )


def verify_owners(tx: Tx, owners: Sequence[str]) -> Part:
    """Check these owners. What cannot be read is damage, and ends neither the run nor the check of the others."""
    try:
        return _verify_owners(tx, owners)
    except Exception as error:
        if not _is_unreadable(error):
            raise
        if len(owners) == 1:
            why = f"its rows cannot be read ({type(error).__name__})"
            return Part(damages=(Damage(owners[0], 0, why, "", "", "edited"),))
    half = len(owners) // 2
    return verify_owners(tx, owners[:half]) + verify_owners(tx, owners[half:])


def _is_unreadable(error: Exception) -> bool:
    """True for a value that cannot be read, False for a database that does not answer."""
    # SQLite's driver refuses text that is no UTF-8 with the error of a failing database.
    return not isinstance(error, DBAPIError) or "Could not decode to UTF-8" in str(error)


def _guarded(what: str, check: Callable[[], Iterable[Damage]]) -> list[Damage]:
    """The damage that a check finds; that it cannot read something is damage too."""
    damages: list[Damage] = []
    try:
        damages.extend(check())
    except Exception as error:
        if not _is_unreadable(error):
            raise
        damages.append(Damage(what, 0, f"it cannot be read ({type(error).__name__})", "", "", "edited"))
    return damages


def _verify_owners(tx: Tx, owners: Sequence[str]) -> Part:
    key, problem = _mac_key(tx)
    damages: list[Damage] = [] if problem is None else [problem]
    entries = cases = erased = 0
    for kind, of_kind in groupby(sorted(owners, key=kind_of), key=kind_of):
        names = sorted(of_kind)
        chains = _read_chains(tx, names) if kind in ("", INCIDENT) else {}
        for ref, rows in chains.items():
            entries += len(rows)
            damages += [Damage(*problem) for problem in check_chain_and_case(tx, ref, rows, key)]
        without_key = COMPLAINTS.c.ref.in_(names), COMPLAINTS.c.key_wrapped.is_(None)
        erased += tx.connection.execute(select(func.count()).where(*without_key)).scalar_one()
        cases += sum(
            ref != INSTANCE_CHAIN and not is_incident(ref) and bool(rows) for ref, rows in chains.items()
        )
        if key is not None:
            damages += check_journal(tx, key, names)
    return Part(entries, cases, erased, tuple(damages))


def list_owners(tx: Tx) -> set[str]:
    """Every owner of a row: those with a journal, and those that have rows and none."""
    queries: tuple[Any, ...] = (
        select(JOURNAL_HEADS.c.owner),
        select(COMPLAINTS.c.ref),
        select(JOURNAL.c.owner).distinct(),
        *(spec.without_journal(tx.connection.dialect.name) for spec in JOURNALED.values()),
    )
    owners = {owner for query in queries for owner in tx.connection.execute(query).scalars()}
    return {owner for owner in owners if isinstance(owner, str)}


# --- in steps, for the command ---


def last_verified(tx: Tx) -> dict[str, Any] | None:
    """What `begin_verification` gave as `log` when everything was verified last; None if it never was."""
    return read_state(tx, "verified")


class Start(NamedTuple):
    """The log when a verification began, the owners that it has to check, and how many it leaves out.

    `log` has its size and root, the time (`at`), and `unlogged`: the number of the newest journal entry of owners
    where no checkpoint covers it. `checked_before` owners were checked by the run that a full one continues.
    """

    log: dict[str, Any]
    owners: list[str]
    left_out: int
    checked_before: int = 0


def begin_verification(tx: Tx, *, full: bool) -> Start:
    """Begin with all owners, or with those that have a journal entry since they were verified.

    A full run that was stopped continues with the log that it began with: owners that it has checked are left out.
    """
    checkpoint = latest_checkpoint(tx)
    size, root = (0, EMPTY) if checkpoint is None else (checkpoint.size, checkpoint.root)
    head = JOURNAL_HEADS.c
    query = select(head.owner, head.n).where(head.n > head.logged_n).order_by(head.owner)
    heads = {owner: n for owner, n in tx.connection.execute(query) if isinstance(owner, str)}
    unlogged = dict(islice(heads.items(), MOST_REMEMBERED))
    log = {"size": size, "root": root.hex(), "at": format_time(tx.now), "unlogged": unlogged}
    if full:
        owners = sorted(list_owners(tx), key=_position)
        run = read_state(tx, "full")
        if run is None:
            return Start(log, owners, 0)
        left = [owner for owner in owners if _position(owner) > (run["kind"], run["after"])]
        return Start(run["log"], left, len(owners) - len(left), len(owners) - len(left))
    verified = last_verified(tx) or {"size": 0, "unlogged": {}}
    leaves = select(LOG_LEAVES.c.owner, LOG_LEAVES.c.entry_n).where(LOG_LEAVES.c.n >= verified["size"])
    entries = {*heads.items(), *tx.connection.execute(leaves)}
    new = {owner for owner, n in entries if verified["unlogged"].get(owner) != n}
    number = tx.connection.execute(select(func.count()).select_from(JOURNAL_HEADS)).scalar_one()
    return Start(log, sorted(new, key=_position), int(number) - len(new))


def save_position(tx: Tx, owner: str, log: dict[str, Any]) -> None:
    """A full run that began with this log has checked everything up to this owner."""
    write_state(tx, "full", {"kind": kind_of(owner), "after": owner, "log": log})


def end_verification(tx: Tx, log: dict[str, Any], *, full: bool, sound: bool) -> None:
    """Everything in this log was verified, or something is damaged: then the next run reads everything again."""
    if full:
        write_state(tx, "full", None)
    write_state(tx, "verified", log if sound else None)


def pages_of(owners: Iterable[str]) -> Iterator[list[str]]:
    for _, of_kind in groupby(sorted(owners, key=_position), key=kind_of):
        names = list(of_kind)
        for start in range(0, len(names), BATCH):
            yield names[start : start + BATCH]


def _position(owner: str) -> tuple[str, str]:
    return kind_of(owner), owner


def _check_schema(tx: Tx, *, full: bool) -> Iterator[Damage]:
    kinds = {"unknown": "inserted", "changed": "edited", "missing": "deleted"}
    for name, what in find_differences(tx.connection):
        yield Damage("schema", 0, f"{name} is {what}", "", name, kinds[what])
    if full and tx.is_sqlite:
        # An index can have another content than its definition says.
        for line in tx.connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars():
            if line != "ok":
                yield Damage("schema", 0, f"SQLite finds: {line}", "", "", "edited")


def _mac_key(tx: Tx) -> tuple[bytes | None, Damage | None]:
    """The key of the journal, or why a record with rows has none."""
    try:
        key = read_mac_key(tx)
    except Exception as error:
        if not _is_unreadable(error):
            raise
        why = "the key of the journal does not open: it was changed or belongs to another record"
        return None, Damage("journal", 0, why, "proof_keys", "1", "edited")
    if key is not None:
        return key, None
    return None, Damage("journal", 0, "the key of the journal is missing", "proof_keys", "1", "deleted")


def _read_chains(tx: Tx, refs: Sequence[str]) -> dict[str, list[Any]]:
    chains: dict[str, list[Any]] = {ref: [] for ref in refs}
    query = select(EVENTS).where(EVENTS.c.ref.in_(refs)).order_by(EVENTS.c.ref, EVENTS.c.seq)
    for row in tx.connection.execute(query):
        chains[row.ref].append(row)
    return chains


def _global_damage(tx: Tx, outside: Outside, verified: Mapping[str, Any] | None) -> Iterator[Damage]:
    yield from _check_schema(tx, full=verified is None)
    if verified is None:
        yield from _guarded("similar cases", lambda: _check_hashes(tx))
    key, _ = _mac_key(tx)
    if tx.connection.execute(select(func.count()).select_from(PROOF_KEYS)).scalar_one() > 1:
        yield Damage("journal", 0, "there is more than one key of the journal", "proof_keys", "", "inserted")
    if key is not None:
        yield from _guarded("log", lambda: check_log(tx, key, outside.witnesses, verified))


def _compare_outside(tx: Tx, outside: Outside, damages: list[Damage]) -> tuple[tuple[str, int], ...]:
    """Compare the log with what is kept outside; adds the damage and returns what the log continues."""
    compared = list[tuple[str, int]]()

    def compare(check: Callable[[], Damage | tuple[str, int]]) -> Iterator[Damage]:
        result = check()
        if isinstance(result, Damage):
            yield result
        elif result[1]:
            compared.append(result)

    checks = list[Callable[[], Damage | tuple[str, int]]]()
    if outside.head is not None:
        checks.append(partial(compare_head, tx, outside.head))
    if _mac_key(tx)[0] is not None:
        checks += [partial(check_note, tx, note, outside.witnesses) for note in dict.fromkeys(outside.notes)]
        checks += [partial(check_short_head, tx, head) for head in outside.short_heads]
    for check in checks:
        damages += _guarded("log", partial(compare, check))
    return tuple(compared)


def _check_hashes(tx: Tx) -> Iterator[Damage]:
    for ref, table, problem in list_stray_hashes(tx):
        seq = tx.connection.execute(select(func.max(EVENTS.c.seq)).where(EVENTS.c.ref == ref)).scalar()
        yield Damage(ref, int(seq or 0), problem, table, "", "inserted")


def _count_unlogged_events(tx: Tx) -> int:
    """How many events no checkpoint covers, of owners whose journal grew since."""
    head, event = JOURNAL_HEADS.c, EVENTS.c
    newest = select(func.max(LOG_LEAVES.c.entry_seq)).where(LOG_LEAVES.c.owner == event.ref).scalar_subquery()
    grown = event.ref.in_(select(head.owner).where(text("n > logged_n")))
    count = select(func.count()).select_from(EVENTS).where(grown, event.seq > func.coalesce(newest, 0))
    return int(tx.connection.execute(count).scalar_one())
