"""Keys of received messages, events and acts: a repeat with the same key changes nothing.

Each is kept with a MAC. An attacker who only has the database can remove a key, so that something is done twice. They
cannot add one, so that a message to come is taken for a repeat and gets no answer.
"""

import base64
import hmac
from collections.abc import Iterable

from sqlalchemy import delete, select

from store.database.transaction import Tx
from store.proof.hash_chain import mac_key, read_mac_key
from store.tables import RECEIVED_KEYS


def take_key(tx: Tx, key: str) -> bool:
    """Keep the key; False if the desk kept it before."""
    return tx.take(RECEIVED_KEYS, {"key": _with_mac(mac_key(tx), key), "at": tx.now})


def forget_key(tx: Tx, key: str) -> None:
    tx.connection.execute(delete(RECEIVED_KEYS).where(RECEIVED_KEYS.c.key == _with_mac(mac_key(tx), key)))


def find_keys(tx: Tx, keys: Iterable[str]) -> set[str]:
    """Those of these keys that the desk kept."""
    secret = tx.mac_key or read_mac_key(tx)
    key_by_row = {_with_mac(secret, key): key for key in keys} if secret else {}
    query = select(RECEIVED_KEYS.c.key).where(RECEIVED_KEYS.c.key.in_(key_by_row))
    return {key_by_row[row] for row in tx.connection.execute(query).scalars()} if key_by_row else set()


def list_keys(tx: Tx, prefix: str) -> list[str]:
    """The keys that start with this text, which ends with a colon, in their order."""
    # `;` follows `:`: a range of the primary key, on both databases.
    query = select(RECEIVED_KEYS.c.key).where(
        RECEIVED_KEYS.c.key > prefix, RECEIVED_KEYS.c.key < f"{prefix[:-1]};"
    )
    keys = [
        row.rpartition(" ")[0] for row in tx.connection.execute(query.order_by(RECEIVED_KEYS.c.key)).scalars()
    ]
    genuine = find_keys(tx, keys)
    return [key for key in keys if key in genuine]


def _with_mac(key: bytes, name: str) -> str:
    mac = hmac.digest(key, f"received\x00{name}".encode(), "sha256")[:12]
    return f"{name} {base64.urlsafe_b64encode(mac).decode()}"
