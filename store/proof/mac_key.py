"""The random key of all MACs, wrapped by the instance's key."""

import hmac
from datetime import datetime

from sqlalchemy import select, update

from complaints.times import format_time
from store.database.keyring import new_key, place
from store.database.transaction import Tx
from store.tables import PROOF_KEYS, PROOF_STATE

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
