"""Fields of the record about staff complained about, outside bodies, and complaints that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from complaints.doing import stamp
from complaints.record import Case
from store.casefiles import CaseFile, load
from store.files import files_as_records
from store.tables import IMPROVEMENTS, LINKS, READS
from store.told import all_texts
from store.transactions import Tx
from store.values import ReadBefore

Words = Mapping[int, Mapping[str, str]]


def fairness_fields(tx: Tx, case: Case) -> dict[str, Any]:
    """What the people complained about were given, with dates, and who is kept from the complaint (C)."""
    fair = case.fairness
    dates = {
        "staff_informed_at": fair.informed_at,
        "staff_heard_at": fair.heard_at,
        "staff_supported_at": fair.supported_at,
        "staff_outcome_at": fair.outcome_at,
    }
    return {
        **{name: None if at is None else stamp(at) for name, at in dates.items()},
        "staff_not_told_because": fair.not_yet,
        "staff_review_by": None if fair.review_by is None else fair.review_by.isoformat(),
        "denied": sorted(case.denied),
        "read_before_denied": [{"by": one.by, "at": stamp(one.at)} for one in read_by_denied(tx, case)],
        "nobody_left": case.nobody_left,
        "about_handling_of": list(case.about),
    }


def read_by_denied(tx: Tx, case: Case) -> list[ReadBefore]:
    """Who had opened it before being kept from it: whoever deals with it must know (C)."""
    query = (
        select(READS.c.by, READS.c.at)
        .where(READS.c.ref == case.ref, READS.c.by.in_(sorted(case.denied)))
        .order_by(READS.c.id)
    )
    first: dict[str, ReadBefore] = {}
    for row in tx.connection.execute(query):
        first.setdefault(row.by, ReadBefore(row.by, row.at))
    return list(first.values())


def outside_decisions(file: CaseFile, words: Words) -> list[dict[str, Any]]:
    """Decisions of outside bodies in the shape of ours."""
    facts = {event.seq: event.facts for event in file.events}
    found: list[dict[str, Any]] = []
    for one in file.case.outside:
        said = words.get(one.seq, {})
        found.append(
            {
                "level": one.level,
                "seq": one.seq,
                "external": True,
                "body": said.get("body"),
                "by": one.by,
                "at": stamp(one.at),
                "overturned": one.overturned,
                "complainant_accepts": False if one.refused else None,
                "comply_by": facts[one.seq].get("comply_by"),
                "findings": [],
                "words": dict(said),
            }
        )
    return found


def capa_ids(tx: Tx, ref: str) -> list[int]:
    """The improvements that this complaint opened, by number."""
    query = select(IMPROVEMENTS.c.id).where(IMPROVEMENTS.c.ref == ref).order_by(IMPROVEMENTS.c.id)
    return list(tx.connection.execute(query).scalars())


def links(tx: Tx, ref: str) -> list[dict[str, Any]]:
    """Other complaints that this one names, and those that name it (`theirs`)."""
    query = select(LINKS.c.other_ref, LINKS.c.relation, LINKS.c.at).where(LINKS.c.ref == ref)
    back = select(LINKS.c.ref.label("other_ref"), LINKS.c.relation, LINKS.c.at).where(
        LINKS.c.other_ref == ref
    )
    rows = [
        *((row, False) for row in tx.connection.execute(query.order_by(LINKS.c.seq))),
        *((row, True) for row in tx.connection.execute(back.order_by(LINKS.c.at, LINKS.c.ref))),
    ]
    return [
        {"other_ref": row.other_ref, "relation": row.relation, "at": stamp(row.at), "theirs": theirs}
        for row, theirs in rows
    ]


def merged(tx: Tx, case: Case) -> list[dict[str, Any]]:
    """Every word and file of the complaints that were merged into this one, under their own references."""
    found = []
    for ref in case.merged:
        file = load(tx, ref)
        found.append(
            {
                "ref": ref,
                "received_at": stamp(file.case.received_at),
                "channel": file.case.channel,
                "texts": [
                    {"field": one.field, "seq": one.seq, "text": one.text, "at": stamp(one.at)}
                    for one in all_texts(tx, file, staff_too=True)
                ],
                "files": [{**one, "at": stamp(one["at"])} for one in files_as_records(tx, file)],
            }
        )
    return found
