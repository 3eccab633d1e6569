"""Attempts that were refused because the person lacks the permission: they stay on the record (4.7)."""

from __future__ import annotations

from complaints.actors import Actor
from complaints.errors import NotAllowed
from store.database.transaction import Tx
from store.tables import ATTEMPTS


def record_refused_attempt(tx: Tx, ref: str | None, what: str, by: Actor, code: str) -> None:
    """Record an attempt that was refused before any act: a form that did not open, a stranger's button."""
    roles = " ".join(sorted(role.value for role in by.roles))
    _write(tx, {"ref": ref, "verb": what, "by": by.id, "roles": roles, "code": code, "at": tx.now})


def record_after_rollback(tx: Tx, ref: str | None, what: str, by: Actor, refused: NotAllowed) -> None:
    """Record the attempt in a transaction of its own, after the present one is rolled back."""
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
