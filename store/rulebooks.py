"""Rulebooks: immutable rows identified by their content, and which of them new complaints get."""

from __future__ import annotations

from sqlalchemy import select

from complaints.rulebook import Rulebook, Rulebooks, as_json, from_json, later_settings
from store.database.errors import StoreError, WrongSchemaVersion
from store.database.leases import find_leader
from store.database.transaction import Tx
from store.proof.hash_chain import record_instance_event
from store.tables import RULEBOOKS, SETTINGS

#: The jurisdiction under which the rules of the organisation's own country are stored.
DEFAULT = ""


def use_rulebook(tx: Tx, rules: Rulebook, jurisdiction: str = DEFAULT) -> bool:
    """Give new complaints these rules from now on; True, and an event is recorded, if they differ from before."""
    number = store_rulebook(tx, rules)
    if _current_id(tx, jurisdiction) == number:
        return False
    tx.add(SETTINGS, jurisdiction=jurisdiction, rulebook_id=number, at=tx.now)
    record_instance_event(tx, "load_settings", {"rulebook": number, "jurisdiction": jurisdiction})
    return True


def use_rulebooks(tx: Tx, rulebooks: Rulebooks) -> bool:
    """`use_rulebook` for every jurisdiction; True if any differs from before.

    A jurisdiction that the settings no longer have gets no new complaints: the organisation's own rules list them.
    """
    changed = [use_rulebook(tx, rulebooks.own)]
    changed += [use_rulebook(tx, rules, code) for code, rules in rulebooks.others.items()]
    return any(changed)


def use_rulebooks_when_readable(tx: Tx, rulebooks: Rulebooks, *, lead: str, holder: str) -> bool:
    """`use_rulebooks`, unless the leader is another process that may not be able to read them; False: not yet.

    The new rules may use settings that came with a newer release. A leader of the older release could not load
    them, and would stop receiving messages and handling obligations.
    """
    leading = find_leader(tx, lead)
    if leading not in (None, holder) and _current_id(tx, DEFAULT) is not None:
        newer_settings = later_settings(tuple(load_current_rulebooks(tx)))
        if not later_settings(tuple(rulebooks)) <= newer_settings:
            return False
    use_rulebooks(tx, rulebooks)
    return True


def store_rulebook(tx: Tx, rules: Rulebook) -> str:
    """Store a rulebook unless it is there already; returns its id."""
    number = rules.id
    tx.insert_missing(RULEBOOKS, [{"id": number, "data": as_json(rules), "at": tx.now}])
    return number


def load_current_rulebook(tx: Tx) -> Rulebook:
    """The rules of the organisation's own country; raises StoreError if no settings were ever loaded."""
    return _in_force(tx, DEFAULT)


def load_current_rulebooks(tx: Tx) -> Rulebooks:
    """The rules that new complaints get, by jurisdiction; raises StoreError if no settings were ever loaded."""
    own = load_current_rulebook(tx)
    return Rulebooks(own, {code: _in_force(tx, code) for code in own.jurisdictions})


def load_rulebook(tx: Tx, number: str) -> Rulebook:
    """A rulebook by its id; raises WrongSchemaVersion if a newer release wrote it with unknown settings."""
    rules = tx.rulebooks.get(number)
    if rules is None:
        data = tx.connection.execute(select(RULEBOOKS.c.data).where(RULEBOOKS.c.id == number)).scalar_one()
        try:
            rules = tx.rulebooks[number] = from_json(data)
        except TypeError as unknown:
            # Ignoring the unknown settings would give wrong dates; a process of the newer release handles it.
            raise WrongSchemaVersion(
                "These rules were written by a newer release with settings that this one does not have: install it."
            ) from unknown
    return rules


def _in_force(tx: Tx, jurisdiction: str) -> Rulebook:
    number = _current_id(tx, jurisdiction)
    if number is None:
        raise StoreError("the database has no settings yet: start `amends run` once")
    return load_rulebook(tx, number)


def _current_id(tx: Tx, jurisdiction: str) -> str | None:
    number: str | None = tx.connection.execute(
        select(SETTINGS.c.rulebook_id)
        .where(SETTINGS.c.jurisdiction == jurisdiction)
        .order_by(SETTINGS.c.id.desc())
        .limit(1)
    ).scalar()
    return number
