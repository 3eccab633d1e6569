"""Who stands for whom in a complaint, and what support a person needs: rows that follow from what was told.

The one who writes stays the complainant; for somebody else they are a representative too, and the one it is
about gets a row (and a key of their own) without a name, for nobody was asked for one (4.7, 7.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from complaints.record import Case, Event
from complaints.vocabulary import Verb
from store.contacts import make_person, person_key
from store.sealing import place, seal, unseal
from store.tables import CASE_PEOPLE, PEOPLE
from store.transactions import Tx

REPRESENTATIVE, AFFECTED = "representative", "affected"
SHOWN = "shown"
_TELLS: frozenset[Verb] = frozenset({Verb.RECEIVE, Verb.ADD, Verb.ANSWER, Verb.CONFIRM, Verb.NOTE})


def keep(tx: Tx, case: Case, event: Event, words: Mapping[str, str]) -> None:
    """Bring the people of the case to what this event told; most tell nothing of them."""
    if event.verb not in _TELLS:
        return
    facts = event.facts
    if facts.get("what") == "authority":
        _represents(tx, case.ref, case.complainant, {"authority": SHOWN, "may_receive": True})
    elif facts.get("for_whom") or facts.get("relation"):
        _told(tx, case, facts)
    if facts.get("field") == "support_needs":
        _needs(tx, case.complainant, words)


def _told(tx: Tx, case: Case, facts: Mapping[str, Any]) -> None:
    """For whom it is, and what they are to each other."""
    if facts.get("for_whom") == "for_me":
        _represents(tx, case.ref, case.complainant, {"authority": None, "may_receive": True})
        return
    known = _row(tx, case.ref, REPRESENTATIVE)
    if known is None:
        _add_both(tx, case)
    told = {"authority": facts.get("for_whom"), "relation": facts.get("relation")}
    values: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if case.authority_shown:
        values.pop("authority", None)
    if values:
        _represents(tx, case.ref, case.complainant, values)


def _add_both(tx: Tx, case: Case) -> None:
    affected, _ = make_person(tx)
    shown = SHOWN if case.authority_shown else None
    for person, role, may in (
        (case.complainant, REPRESENTATIVE, case.authority_shown),
        (affected, AFFECTED, True),
    ):
        tx.add(
            CASE_PEOPLE,
            ref=case.ref,
            person_id=person,
            role=role,
            relation=None,
            authority=shown if role == REPRESENTATIVE else None,
            may_receive=may,
        )


def _row(tx: Tx, ref: str, role: str) -> Any:
    query = select(CASE_PEOPLE.c.person_id).where(CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.role == role)
    return tx.connection.execute(query).first()


def _represents(tx: Tx, ref: str, person: str, values: Mapping[str, Any]) -> None:
    tx.connection.execute(
        update(CASE_PEOPLE)
        .where(
            CASE_PEOPLE.c.ref == ref,
            CASE_PEOPLE.c.person_id == person,
            CASE_PEOPLE.c.role == REPRESENTATIVE,
        )
        .values(**values)
    )


def needs_of(tx: Tx, person: str) -> str | None:
    """What makes it easier for this person, as they said it last."""
    row = tx.connection.execute(
        select(PEOPLE.c.key_wrapped, PEOPLE.c.needs_sealed).where(PEOPLE.c.id == person)
    ).first()
    if row is None or row.key_wrapped is None or row.needs_sealed is None:
        return None
    return unseal(person_key(tx, person, row.key_wrapped), row.needs_sealed, place("people", person, "needs"))


def _needs(tx: Tx, person: str, words: Mapping[str, str]) -> None:
    """What to do for this person, as they said it last; it holds for every complaint of theirs."""
    told = next((text for name, text in words.items() if name.split(".")[0] == "support_needs"), "")
    wrapped = tx.connection.execute(select(PEOPLE.c.key_wrapped).where(PEOPLE.c.id == person)).scalar()
    if not told.strip() or wrapped is None:
        return
    sealed = seal(person_key(tx, person, wrapped), told, place("people", person, "needs"))
    tx.connection.execute(update(PEOPLE).where(PEOPLE.c.id == person).values(needs_sealed=sealed))
