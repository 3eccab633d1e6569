"""Import closed complaints from a file, all of them or none (7.2, 8.2).

Each becomes one `receive` event with the fact `imported`: it creates no obligations, and its ending is the file's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import receive
from complaints.actors import Actor
from complaints.identifiers import new_reference
from complaints.rulebook import Rulebook
from complaints.times import format_time
from complaints.vocabulary import Role
from store.cases.act import begin_record
from store.database.keyring import place, seal
from store.database.transaction import Tx
from store.people.identifiers import find_or_create_person, normal_form
from store.proof.hash_chain import canonical, record_instance_event
from store.rulebooks import load_current_rulebooks
from store.tables import IDENTIFIERS, TEXTS
from store.values import Progress, no_progress

#: The actor of imported events: it may receive complaints, as intake does.
IMPORTER = Actor("import", frozenset({Role.INTAKE}))
_NUMBERS = {"phone": "phone", "email": "email", "customer_ref": "customer"}


@dataclass(frozen=True)
class PastComplaint:
    """One closed complaint of a file, from this `line`; intake checks the facts in `ending`."""

    line: int
    received_at: datetime
    channel: str
    language: str
    ending: Mapping[str, Any]
    words: Mapping[str, str] = field(repr=False)
    #: Whose rules apply; None means the organisation's own country.
    jurisdiction: str | None = None


def list_known_past(tx: Tx, past: Sequence[PastComplaint]) -> dict[int, str]:
    """The complaints that were imported before: reference by line."""
    refs = {}
    for complaint in past:
        ref = tx.connection.execute(
            select(TEXTS.c.ref).where(TEXTS.c.source.in_(_sources(tx, complaint))).limit(1)
        ).scalar()
        if ref is not None:
            refs[complaint.line] = str(ref)
    return refs


def import_past(tx: Tx, past: Sequence[PastComplaint], progress: Progress = no_progress) -> dict[int, str]:
    """Import the complaints that are not in the record yet; returns their references by line."""
    rulebooks, duplicates = load_current_rulebooks(tx), list_known_past(tx, past)
    imported: dict[int, str] = {}
    for number, complaint in enumerate(past, start=1):
        if complaint.line not in duplicates:
            imported[complaint.line] = _import(tx, complaint, rulebooks.of(complaint.jurisdiction))
        progress(number, len(past))
    if imported:
        record_instance_event(tx, "import", {"complaints": len(imported), "known": len(duplicates)})
    return imported


def _import(tx: Tx, past: PastComplaint, rules: Rulebook) -> str:
    person = find_or_create_person(tx, past.words, rules.country, language=past.language, preferred=None)
    arrival = Arrival(
        ref=new_reference(secrets.randbelow),
        complainant=person,
        channel=past.channel,
        language=past.language,
        received_at=past.received_at,
        rules=rules,
    )
    facts = message_facts(field="description", has_words=True, source=_sources(tx, past)[0])
    words = {"description": past.words["description"]}
    done = receive(
        arrival, at=tx.now, by=IMPORTER, facts={**facts, "imported": dict(past.ending)}, words=words
    )
    file = begin_record(tx, done, contact_id=None)
    _write_identifiers(tx, arrival.ref, file.key(tx), past.words, rules.country)
    return arrival.ref


def _write_identifiers(tx: Tx, ref: str, key: bytes, words: Mapping[str, str], country: str) -> None:
    rows = []
    for name, kind in _NUMBERS.items():
        value = words.get(name, "")
        spelled = normal_form(kind, value, country) if value else None
        if spelled is not None:
            sealed = seal(key, value, place("identifiers", ref, kind))
            rows.append(
                {"ref": ref, "kind": kind, "value_index": tx.keys.index(kind, spelled), "sealed": sealed}
            )
    tx.insert_new(IDENTIFIERS, rows)


def _sources(tx: Tx, past: PastComplaint) -> list[str]:
    """A keyed hash of the row under each secret, to detect a repeat. A plain hash of short words can be guessed."""
    row = [format_time(past.received_at), past.channel, past.language, dict(past.ending), dict(past.words)]
    return [f"import:{index.hex()}" for index in tx.keys.indexes("import", canonical(row))]
