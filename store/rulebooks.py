"""The rules in force: immutable rows by content, and which of them new complaints get."""

from __future__ import annotations

from sqlalchemy import select

from complaints.rulebook import Rulebook, Rulebooks, as_json, from_json, said_later
from store.database.errors import StoreError, WrongSchemaVersion
from store.database.leases import leader
from store.database.transaction import Tx
from store.proof.instance_log import SETTINGS_CHAIN as SETTINGS_CHAIN
from store.proof.instance_log import record_instance_event
from store.tables import RULEBOOKS, SETTINGS

DEFAULT = ""


def put_rulebook(tx: Tx, rules: Rulebook) -> str:
    """Keep a rulebook; the same content again changes nothing. Returns its id."""
    number = rules.id
    tx.insert_new(RULEBOOKS, [{"id": number, "data": as_json(rules), "at": tx.now}])
    return number


def use_rulebook(tx: Tx, rules: Rulebook, jurisdiction: str = DEFAULT) -> bool:
    """New complaints get these rules from now on; True and a recorded event when they differ from before."""
    number = put_rulebook(tx, rules)
    if _current_id(tx, jurisdiction) == number:
        return False
    tx.add(SETTINGS, jurisdiction=jurisdiction, rulebook_id=number, at=tx.now)
    record_instance_event(tx, "load_settings", {"rulebook": number, "jurisdiction": jurisdiction})
    return True


def use_rulebooks(tx: Tx, rulebooks: Rulebooks) -> bool:
    """The same for every jurisdiction; True when any differs from before.

    The organisation's own names the others: one that the settings no longer have gets no new complaint.
    """
    changed = [use_rulebook(tx, rulebooks.own)]
    changed += [use_rulebook(tx, rules, code) for code, rules in rulebooks.others.items()]
    return any(changed)


def use_rulebooks_when_readable(tx: Tx, rulebooks: Rulebooks, *, lead: str, holder: str) -> bool:
    """`use_rulebooks`, unless another than `holder` has the lead and may not be able to read them; False: not yet.

    They say what those in force do not, in settings that came with some release: a process of the release before
    would hear nobody from then on, and do nothing on what comes in meanwhile.
    """
    led_by = leader(tx, lead)
    if led_by not in (None, holder) and _current_id(tx, DEFAULT) is not None:
        known = said_later(tuple(load_current_rulebooks(tx)))
        if not said_later(tuple(rulebooks)) <= known:
            return False
    use_rulebooks(tx, rulebooks)
    return True


def load_current_rulebook(tx: Tx) -> Rulebook:
    """The rules of the organisation's own country; StoreError while no settings were ever loaded."""
    return _in_force(tx, DEFAULT)


def load_current_rulebooks(tx: Tx) -> Rulebooks:
    """The rules that new complaints get, by jurisdiction; StoreError while no settings were ever loaded."""
    own = load_current_rulebook(tx)
    return Rulebooks(own, {code: _in_force(tx, code) for code in own.jurisdictions})


def _in_force(tx: Tx, jurisdiction: str) -> Rulebook:
    number = _current_id(tx, jurisdiction)
    if number is None:
        raise StoreError("no settings are in the record yet: start `amends run` once")
    return rulebook(tx, number)


def rulebook(tx: Tx, number: str) -> Rulebook:
    """A rulebook by its id; NotMigrated where a later release wrote what this one does not know."""
    known = tx.rulebooks.get(number)
    if known is None:
        data = tx.connection.execute(select(RULEBOOKS.c.data).where(RULEBOOKS.c.id == number)).scalar_one()
        try:
            known = tx.rulebooks[number] = from_json(data)
        except TypeError as unknown:
            # Dates counted by half of the rules would be wrong ones: another process of that release counts them.
            raise WrongSchemaVersion(
                "These rules are of a newer release, which knows settings that this one does not: install it."
            ) from unknown
    return known


def _current_id(tx: Tx, jurisdiction: str) -> str | None:
    found: str | None = tx.connection.execute(
        select(SETTINGS.c.rulebook_id)
        .where(SETTINGS.c.jurisdiction == jurisdiction)
        .order_by(SETTINGS.c.id.desc())
        .limit(1)
    ).scalar()
    return found
