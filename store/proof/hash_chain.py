"""Hash chains of events: each entry contains the hash of the previous one. And the random key of all MACs.

A complaint has one, an incident has one, and so has the instance: its log of what was done to the record as a whole
(8.1), for example loaded settings, a backup, a restore, new keys or an import.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from complaints.case import Event
from complaints.times import format_time, parse_time
from complaints.vocabulary import Role, Verb
from store.database.keyring import new_key, place, sealing_key
from store.database.transaction import Tx
from store.tables import EVENTS, PROOF_KEYS, PROOF_STATE

#: What is kept of the checkpoints of a new log (`store.proof.log`).
_EMPTY_LOG = '{"count":0,"sum":0}'


def mac_key(tx: Tx) -> bytes:
    """The key; creates it in the first writing transaction of a database."""
    if tx.mac_key is None:
        tx.mac_key = read_mac_key(tx) or _create(tx)
    return tx.mac_key


def read_mac_key(tx: Tx) -> bytes | None:
    """The key; None if no transaction was ever journaled. Raises SealBroken if it does not open."""
    row = tx.connection.execute(select(PROOF_KEYS).where(PROOF_KEYS.c.id == 1)).first()
    return None if row is None else tx.keys.unwrap(row.key_wrapped, _place(row.at))


def _create(tx: Tx) -> bytes:
    wrapped = tx.keys.wrap(new_key(), _place(tx.now))
    # Another process may have created it in the same moment.
    tx.insert_missing(PROOF_KEYS, [{"id": 1, "key_wrapped": wrapped, "at": tx.now}])
    row = tx.connection.execute(select(PROOF_KEYS).where(PROOF_KEYS.c.id == 1)).one()
    key = tx.keys.unwrap(row.key_wrapped, _place(row.at))
    # From the first moment, so that a log without it was emptied.
    mac = state_mac(key, "checkpoints", _EMPTY_LOG)
    tx.insert_missing(PROOF_STATE, [{"name": "checkpoints", "value": _EMPTY_LOG, "mac": mac}])
    return key


def state_mac(key: bytes, name: str, value: str) -> bytes:
    """The MAC of a row of `proof_state`."""
    return hmac.digest(key, f"state\x00{name}\x00{value}".encode(), "sha256")


def rotate_mac_key(tx: Tx) -> None:
    """Wrap the key with the newest secret."""
    key = mac_key(tx)
    at = tx.connection.execute(select(PROOF_KEYS.c.at).where(PROOF_KEYS.c.id == 1)).scalar_one()
    wrapped = tx.keys.wrap(key, _place(at))
    tx.connection.execute(update(PROOF_KEYS).where(PROOF_KEYS.c.id == 1).values(key_wrapped=wrapped))


def _place(at: datetime) -> str:
    return place("proof_keys", 1, format_time(at))


VERSION = 1
#: The previous hash in the first entry of a chain.
GENESIS = "0" * 64
#: The instance's chain: cannot be a complaint's reference. Existing chains contain it, so it must not change.
INSTANCE_CHAIN = "-settings"
#: Advisory lock for adding an event to it: each process must see the other's event first.
_LOCK = 0x616D656E6473


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal bytes and hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """The hash of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(key: bytes, words: Mapping[str, str]) -> str | None:
    """The keyed hash that the chain contains in place of words; None if there are no words.

    Because of the key, short words cannot be guessed from it. After an erasure, when the key is destroyed, the chain
    can still be verified.
    """
    if not words:
        return None
    data = canonical(dict(words)).encode()
    return hmac.new(sealing_key(key, b"commit"), data, hashlib.sha256).hexdigest()


def event_entry(ref: str, event: Event, *, commit: str | None, prev: str) -> str:
    """The canonical entry of an event; its SHA-256 is the hash that the next entry contains."""
    return build_entry(
        ref,
        event.seq,
        event.verb.value,
        format_time(event.at),
        event.by,
        event.role.value,
        event.facts,
        commit,
        prev,
    )


def build_entry(
    ref: str,
    seq: int,
    verb: str,
    at: str,
    by: str,
    role: str,
    facts: Mapping[str, Any],
    commit: str | None,
    prev: str,
) -> str:
    """`event_entry` from plain values, also for chains of other events than a complaint's."""
    return canonical(
        {
            "version": VERSION,
            "case": ref,
            "seq": seq,
            "verb": verb,
            "at": at,
            "actor": by,
            "role": role,
            "facts": facts,
            "commit": commit,
            "prev": prev,
        }
    )


def insert_event(
    tx: Tx, chain: str, seq: int, verb: str, at: datetime, by: str, role: str, entry: str
) -> None:
    """Insert the row of an event, whose values repeat those of its entry."""
    hash_ = sha256(entry)
    mac = event_mac(mac_key(tx), chain, seq, hash_)
    tx.add(EVENTS, ref=chain, seq=seq, verb=verb, at=at, by=by, role=role, entry=entry, hash=hash_, mac=mac)


def event_mac(key: bytes, chain: str, seq: int, hash_: str) -> bytes:
    """The MAC of an event, which its hash alone is not."""
    return hmac.digest(key, f"event\x00{chain}\x00{seq}\x00{hash_}".encode(), "sha256")


def previous_hash(entry: str) -> str:
    """The hash of the previous entry, which this entry contains."""
    return str(json.loads(entry)["prev"])


def parse_event(entry: str) -> Event:
    """The event in an entry, without its words, which are sealed elsewhere."""
    values = json.loads(entry)
    return Event(
        seq=values["seq"],
        verb=Verb(values["verb"]),
        at=parse_time(values["at"]),
        by=values["actor"],
        role=Role(values["role"]),
        facts=values["facts"],
    )


def lock_instance_log(tx: Tx) -> None:
    """Wait until no other transaction adds to the instance's log; what is read after this cannot change before it."""
    if not tx.is_sqlite:
        tx.connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def record_instance_event(tx: Tx, verb: str, facts: Mapping[str, Any]) -> None:
    """Add an event to the instance's log; `facts` are codes, counts and hashes, never words."""
    lock_instance_log(tx)
    last = tx.connection.execute(
        select(EVENTS.c.seq, EVENTS.c.hash)
        .where(EVENTS.c.ref == INSTANCE_CHAIN)
        .order_by(EVENTS.c.seq.desc())
        .limit(1)
    ).first()
    seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
    entry = build_entry(INSTANCE_CHAIN, seq, verb, format_time(tx.now), "system", "system", facts, None, prev)
    insert_event(tx, INSTANCE_CHAIN, seq, verb, tx.now, "system", "system", entry)


def list_instance_events(tx: Tx, verb: str, limit: int = 100) -> list[dict[str, Any]]:
    """Time and facts of the events with this verb in the instance's log, the newest first."""
    query = (
        select(EVENTS.c.at, EVENTS.c.entry)
        .where(EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb == verb)
        .order_by(EVENTS.c.seq.desc())
        .limit(limit)
    )
    rows = tx.connection.execute(query)
    return [{"at": format_time(row.at), "facts": json.loads(row.entry)["facts"]} for row in rows]


def newest_instance_events(tx: Tx) -> dict[str, datetime]:
    """When the log of the instance last recorded each kind of event; reports by name, `report:monitoring`."""
    query = (
        select(EVENTS.c.verb, func.max(EVENTS.c.at).label("newest"))
        .where(EVENTS.c.ref == INSTANCE_CHAIN)
        .group_by(EVENTS.c.verb)
    )
    times: dict[str, datetime] = {row.verb: row.newest for row in tx.connection.execute(query)}
    for event in reversed(list_instance_events(tx, "report")):
        times[f"report:{event['facts']['report']}"] = parse_time(event["at"])
    return times
