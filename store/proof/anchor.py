"""Bring a record of an older release into the journal: each owner's rows become its first entry (resumable)."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from complaints.times import format_time
from store.database.journaled import kind_of
from store.database.transaction import Tx
from store.proof.journal import append_entries, items_of
from store.proof.mac_key import COMPLETE, UPGRADING, mac_key, set_state
from store.proof.state import write_state
from store.tables import JOURNAL_HEADS, PROOF_STATE


def is_upgrading(tx: Tx) -> bool:
    """True if rows may be older than the journal."""
    return mac_key(tx)[1] == UPGRADING


def without_journal(tx: Tx, owners: Sequence[str]) -> list[str]:
    """Those of these owners that have no journal entry."""
    journaled: set[str] = set()
    for start in range(0, len(owners), 500):
        query = select(JOURNAL_HEADS.c.owner).where(JOURNAL_HEADS.c.owner.in_(owners[start : start + 500]))
        journaled |= set(tx.connection.execute(query).scalars())
    return [owner for owner in owners if owner not in journaled]


def anchor(tx: Tx, owners: Sequence[str]) -> int:
    """Write a first journal entry for those of these owners of one kind that have none; returns how many."""
    missing = without_journal(tx, owners)
    if not missing:
        return 0
    if len({kind_of(owner) for owner in missing}) > 1:
        raise ValueError("give owners of one kind")
    key, state = mac_key(tx)
    items = {owner: sorted(rows) for owner, rows in items_of(tx, key, missing).items() if rows}
    append_entries(tx, key, items, state, anchors=True)
    return len(items)


def end_upgrade(tx: Tx) -> None:
    """From now on every row must be in the journal."""
    write_state(tx, "anchored", {"at": format_time(tx.now)})
    tx.connection.execute(delete(PROOF_STATE).where(PROOF_STATE.c.name == "older"))
    set_state(tx, COMPLETE)
