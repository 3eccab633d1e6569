"""The random key of all MACs, wrapped by the instance's key, and how far an older record has been anchored.

The state is part of what is wrapped: without the instance's key it cannot be set back to `UPGRADING`, in which rows
without journal entries are accepted.
"""

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from complaints.times import format_time
from store.database.keyring import new_key, place
from store.database.transaction import Tx
from store.tables import PROOF_KEYS, PROOF_STATE

#: Every row must be in the journal.
COMPLETE = "complete"
#: The record has rows from before the journal that are not anchored yet (`amends db anchor`).
UPGRADING = "upgrading"
#: What is kept of the checkpoints of a new log (`store.proof.log`).
_EMPTY_LOG = '{"count":0,"sum":0}'


def mac_key(tx: Tx) -> tuple[bytes, str]:
    """The key and the state; creates the key in the first writing transaction of a database."""
    if tx.mac_key is not None:
        return tx.mac_key
    row = tx.connection.execute(select(PROOF_KEYS).where(PROOF_KEYS.c.id == 1)).first()
    if row is None:
        row = _create(tx)
    key = tx.keys.unwrap(row.key_wrapped, _place(row.state, row.at))
    tx.mac_key = key, row.state
    return tx.mac_key


def read_mac_key(tx: Tx) -> tuple[bytes, str] | None:
    """The key and the state; None if no transaction was ever journaled. Raises SealBroken if it does not open."""
    row = tx.connection.execute(select(PROOF_KEYS).where(PROOF_KEYS.c.id == 1)).first()
    return None if row is None else (tx.keys.unwrap(row.key_wrapped, _place(row.state, row.at)), row.state)


def _create(tx: Tx) -> Any:
    # The migration marked a record that has rows from before the journal.
    older = tx.connection.execute(select(PROOF_STATE.c.name).where(PROOF_STATE.c.name == "older")).first()
    state = COMPLETE if older is None else UPGRADING
    values = {
        "id": 1,
        "key_wrapped": tx.keys.wrap(new_key(), _place(state, tx.now)),
        "state": state,
        "at": tx.now,
    }
    # Another process may have created it in the same moment.
    tx.insert_missing(PROOF_KEYS, [values])
    row = tx.connection.execute(select(PROOF_KEYS).where(PROOF_KEYS.c.id == 1)).one()
    # From the first moment, so that a log without it was emptied.
    mac = state_mac(tx.keys.unwrap(row.key_wrapped, _place(row.state, row.at)), "checkpoints", _EMPTY_LOG)
    tx.insert_missing(PROOF_STATE, [{"name": "checkpoints", "value": _EMPTY_LOG, "mac": mac}])
    return row


def state_mac(key: bytes, name: str, value: str) -> bytes:
    """The MAC of a row of `proof_state`."""
    return hmac.digest(key, f"state\x00{name}\x00{value}".encode(), "sha256")


def set_state(tx: Tx, state: str) -> None:
    """Wrap the key with another state."""
    key, _ = mac_key(tx)
    at = tx.connection.execute(select(PROOF_KEYS.c.at).where(PROOF_KEYS.c.id == 1)).scalar_one()
    wrapped = tx.keys.wrap(key, _place(state, at))
    tx.connection.execute(
        update(PROOF_KEYS).where(PROOF_KEYS.c.id == 1).values(key_wrapped=wrapped, state=state)
    )
    tx.mac_key = key, state


def _place(state: str, at: datetime) -> str:
    return place("proof_keys", 1, f"{state} {format_time(at)}")
