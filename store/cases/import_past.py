"""Complaints of the past brought into the record: closed ones, all of a file or none (7.2, 8.2).

Each is one `receive` that says `imported`: the record neither pretends that this desk handled it nor owes
anything for it. What it says of its ending came with the file.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from complaints.actions.intake import Arrival, said
from complaints.actions.perform import receive
from complaints.actors import Actor
from complaints.references import new_reference
from complaints.timestamps import format_time
from complaints.vocabulary import Role
from store.backup.portable import Progress, no_progress
from store.cases.act import begin_record
from store.database.transaction import Tx
from store.people.identifiers import normal_form
from store.people.identity import person_of
from store.proof.instance_log import record_instance_event
from store.proof.seal import canonical, place, seal
from store.rulebooks import load_current_rulebooks
from store.tables import IDENTIFIERS, TEXTS

#: It writes down what was heard elsewhere, as intake does; nobody's name stands behind a file.
IMPORTER = Actor("import", frozenset({Role.INTAKE}))
_NUMBERS = {"phone": "phone", "email": "email", "customer_ref": "customer"}


@dataclass(frozen=True)
class PastComplaint:
    """One closed complaint of before; `ending` are the facts that intake checks, `words` are sealed."""

    line: int
    received_at: datetime
    channel: str
    language: str
    ending: Mapping[str, Any]
    words: Mapping[str, str] = field(repr=False)
    #: Under whose rules; None: the organisation's own country.
    jurisdiction: str | None = None


def list_known_past(tx: Tx, past: Sequence[PastComplaint]) -> dict[int, str]:
    """Which of these were imported before: reference by line."""
    found = {}
    for one in past:
        ref = tx.connection.execute(
            select(TEXTS.c.ref).where(TEXTS.c.source.in_(_sources(tx, one))).limit(1)
        ).scalar()
        if ref is not None:
            found[one.line] = str(ref)
    return found


def import_past(tx: Tx, past: Sequence[PastComplaint], progress: Progress = no_progress) -> dict[int, str]:
    """Bring in those that are not here yet, in one transaction; reference by line of the new ones."""
    rules, known = load_current_rulebooks(tx), list_known_past(tx, past)
    made: dict[int, str] = {}
    for number, one in enumerate(past, start=1):
        if one.line not in known:
            made[one.line] = _import(tx, one, rules.of(one.jurisdiction))
        progress(number, len(past))
    if made:
        record_instance_event(tx, "import", {"complaints": len(made), "known": len(known)})
    return made


def _import(tx: Tx, one: PastComplaint, rules: Any) -> str:
    person = person_of(tx, one.words, rules.country, language=one.language, preferred=None)
    arrival = Arrival(
        ref=new_reference(secrets.randbelow),
        complainant=person,
        channel=one.channel,
        language=one.language,
        received_at=one.received_at,
        rules=rules,
    )
    heard = said(field="description", has_words=True, source=_sources(tx, one)[0])
    words = {"description": one.words["description"]}
    done = receive(
        arrival, at=tx.now, by=IMPORTER, facts={**heard, "imported": dict(one.ending)}, words=words
    )
    file = begin_record(tx, done, contact_id=None)
    _file_under(tx, arrival.ref, file.key(tx), one.words, rules.country)
    return arrival.ref


def _file_under(tx: Tx, ref: str, key: bytes, words: Mapping[str, str], country: str) -> None:
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


def _sources(tx: Tx, one: PastComplaint) -> list[str]:
    """What makes a repeat known, under each secret: keyed, for a bare hash of short words can be guessed."""
    row = [format_time(one.received_at), one.channel, one.language, dict(one.ending), dict(one.words)]
    return [f"import:{index.hex()}" for index in tx.keys.indexes("import", canonical(row))]
