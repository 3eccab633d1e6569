"""The rules in force: immutable rows by content, and which of them new complaints get."""

from __future__ import annotations

from sqlalchemy import select

from complaints.doing import stamp
from complaints.rulebook import Rulebook, as_json, from_json
from store.canonical import sha256
from store.chain import GENESIS, written
from store.errors import StoreError
from store.tables import EVENTS, RULEBOOKS, SETTINGS
from store.transactions import Tx

#: The chain in which every change of the settings stands (no complaint's reference looks like it).
SETTINGS_CHAIN = "-settings"
DEFAULT = ""


def put_rulebook(tx: Tx, rules: Rulebook) -> str:
    """Keep a rulebook; the same content again changes nothing. Returns its id."""
    number = rules.id
    tx.insert_new(RULEBOOKS, [{"id": number, "data": as_json(rules), "at": tx.now}])
    return number


def use_rulebook(tx: Tx, rules: Rulebook, jurisdiction: str = DEFAULT) -> bool:
    """New complaints get these rules from now on; True and a recorded event when they differ from before."""
    number = put_rulebook(tx, rules)
    if _current_id(tx, jurisdiction) == number:
        return False
    tx.add(SETTINGS, jurisdiction=jurisdiction, rulebook_id=number, at=tx.now)
    _record_change(tx, number, jurisdiction)
    return True


def current_rulebook(tx: Tx, jurisdiction: str = DEFAULT) -> Rulebook:
    """The rules that a new complaint gets; StoreError while no settings were ever loaded."""
    number = _current_id(tx, jurisdiction)
    if number is None:
        raise StoreError("no settings are loaded yet: start `amends run`, or call use_rulebook first")
    return rulebook(tx, number)


def rulebook(tx: Tx, number: str) -> Rulebook:
    """A rulebook by its id."""
    known = tx.rulebooks.get(number)
    if known is None:
        data = tx.connection.execute(select(RULEBOOKS.c.data).where(RULEBOOKS.c.id == number)).scalar_one()
        known = tx.rulebooks[number] = from_json(data)
    return known


def _current_id(tx: Tx, jurisdiction: str) -> str | None:
    found: str | None = tx.connection.execute(
        select(SETTINGS.c.rulebook_id)
        .where(SETTINGS.c.jurisdiction == jurisdiction)
        .order_by(SETTINGS.c.id.desc())
        .limit(1)
    ).scalar()
    return found


def _record_change(tx: Tx, number: str, jurisdiction: str) -> None:
    last = tx.connection.execute(
        select(EVENTS.c.seq, EVENTS.c.hash)
        .where(EVENTS.c.ref == SETTINGS_CHAIN)
        .order_by(EVENTS.c.seq.desc())
        .limit(1)
    ).first()
    seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
    facts = {"rulebook": number, "jurisdiction": jurisdiction}
    entry = written(
        SETTINGS_CHAIN, seq, "load_settings", stamp(tx.now), "system", "system", facts, None, prev
    )
    tx.add(
        EVENTS,
        ref=SETTINGS_CHAIN,
        seq=seq,
        verb="load_settings",
        at=tx.now,
        by="system",
        role="system",
        entry=entry,
        hash=sha256(entry),
    )
