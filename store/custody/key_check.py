"""Recognises a wrong secret key at a start, before a message arrives or an obligation fails."""

import json
from contextlib import suppress

from sqlalchemy import select

from store.database.errors import Altered, SealBroken
from store.database.transaction import Tx
from store.proof.hash_chain import INSTANCE_CHAIN, record_instance_event
from store.record.load import case_key
from store.tables import COMPLAINTS, EVENTS

_USE, _ROTATION = "use_key", "rotate_keys"


def require_keys(tx: Tx) -> None:
    """Raise SealBroken unless the keyring has every secret that the record still needs."""
    try:
        if set(_used_checks(tx)) - set(tx.keys.checks):
            raise SealBroken("a secret in use is missing")
        _open_newest_complaint(tx)
    except SealBroken as wrong:
        raise SealBroken(
            "AMENDS_SECRET_KEY does not open this database: add the key it was written with, after any newer one. "
            "An older key may be taken out only after `amends db rotate-key`."
        ) from wrong


def record_key_use(tx: Tx) -> None:
    """Record the check value of the newest secret in the instance's log, unless it is the last one there.

    Raises SealBroken as `require_keys` does.
    """
    require_keys(tx)
    if _used_checks(tx)[-1:] != [tx.keys.checks[0]]:
        record_instance_event(tx, _USE, {"check": tx.keys.checks[0]})


def _used_checks(tx: Tx) -> list[str]:
    """The check values of the secrets in use, oldest first: that of the last rotation, and those since."""
    query = (
        select(EVENTS.c.verb, EVENTS.c.entry)
        .where(EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb.in_((_USE, _ROTATION)))
        .order_by(EVENTS.c.seq)
    )
    checks: list[str] = []
    for verb, entry in tx.connection.execute(query):
        check = json.loads(entry)["facts"]["check"]
        checks = [check] if verb == _ROTATION else [*checks, check]
    return checks


def _open_newest_complaint(tx: Tx) -> None:
    """For a record that no desk was started on yet: it has no check value."""
    newest = select(COMPLAINTS.c.ref, COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.key_wrapped.is_not(None))
    row = tx.connection.execute(newest.order_by(COMPLAINTS.c.received_at.desc()).limit(1)).first()
    if row is not None:
        # A damaged key of the right secret does not stop the desk; `amends db verify` names it.
        with suppress(Altered):
            case_key(tx, row.ref, row.key_wrapped)
