"""The sample of an audit, drawn from complaints in which the auditor took no part (8.5, Annex H)."""

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from complaints.actions.authorisation import Access, authorise_entry, is_allowed
from complaints.errors import BadFacts, NotAllowed
from complaints.registers.definitions import REGISTERS
from complaints.registers.sampling import rank_sample
from complaints.times import at_minute
from complaints.vocabulary import ContactKind
from store.database.transaction import Tx
from store.people.staff import load_actor
from store.record.load import load_many
from store.rulebooks import load_current_rulebook
from store.tables import COMPLAINTS

#: Complaints that are loaded together until enough are found.
_PAGE = 50
_COLUMNS = COMPLAINTS.c


def with_sample(tx: Tx, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a new audit with its seed, its sample, and how many complaints it was drawn from.

    Raises BadFacts if the person is no auditor, or if there is no complaint to audit.
    """
    auditor, rules = load_actor(tx, facts["owner"]), load_current_rulebook(tx)
    try:
        authorise_entry(None, REGISTERS["audit"].acts["answer"], auditor)
    except NotAllowed as refused:
        raise BadFacts.worded("not_an_auditor", field="owner") from refused
    start = at_minute(date.fromisoformat(facts["since"]), 0, rules.calendar.zone)
    end = at_minute(date.fromisoformat(facts["until"]) + timedelta(days=1), 0, rules.calendar.zone)
    query = select(_COLUMNS.ref).where(
        _COLUMNS.received_at >= start,
        _COLUMNS.received_at < end,
        _COLUMNS.kind == ContactKind.COMPLAINT.value,
        _COLUMNS.erased_at.is_(None),
        _COLUMNS.is_simulation.is_(False),
    )
    refs = tx.connection.execute(query).scalars().all()
    seed, size = facts.get("seed") or secrets.token_hex(8), int(facts["size"])
    ranked, sample = rank_sample(refs, seed), list[str]()
    for start_at in range(0, len(ranked), _PAGE):
        files = {file.case.ref: file.case for file in load_many(tx, ranked[start_at : start_at + _PAGE])}
        sample += [
            ref
            for ref in ranked[start_at : start_at + _PAGE]
            if ref in files
            and auditor.id not in files[ref].participants
            and is_allowed(files[ref], Access.READ, auditor)
        ]
        if len(sample) >= size:
            break
    if not sample:
        raise BadFacts.worded("nothing_to_audit", field="since")
    return {**facts, "seed": seed, "refs": sample[:size], "population": len(refs)}
