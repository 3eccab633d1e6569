"""Acts refused for want of a right: they stay on the record although nothing was done (4.7)."""

from __future__ import annotations

from complaints.actors import Actor
from complaints.errors import NotAllowed
from store.database.transaction import Tx
from store.tables import ATTEMPTS


def record_refused_attempt(tx: Tx, ref: str | None, what: str, by: Actor, code: str) -> None:
    """An attempt refused before it reached an act: a form that did not open, a stranger's press."""
    roles = " ".join(sorted(role.value for role in by.roles))
    _write(tx, {"ref": ref, "verb": what, "by": by.id, "roles": roles, "code": code, "at": tx.now})


def remember(tx: Tx, ref: str | None, what: str, by: Actor, refused: NotAllowed) -> None:
    """Write the attempt down in a transaction of its own, once this one was rolled back."""
    values: dict[str, object] = {
        "ref": ref,
        "verb": what,
        "by": by.id,
        "roles": " ".join(sorted(role.value for role in by.roles)),
        "code": refused.code,
        "at": tx.now,
    }
    tx.if_refused.append(lambda later: _write(later, values))


def _write(tx: Tx, values: dict[str, object]) -> None:
    tx.add(ATTEMPTS, **values)
