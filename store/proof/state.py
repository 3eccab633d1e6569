"""How far the verification came, and what the log must have: small JSON values under the MAC."""

import hmac
import json
from typing import Any

from sqlalchemy import delete, select

from store.database.transaction import Tx
from store.proof.hash_chain import canonical
from store.proof.mac_key import mac_key, read_mac_key, state_mac
from store.tables import PROOF_STATE


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
