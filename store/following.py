"""Complaints with what stands beside them, page by page, for the count (8.4): events, fields, reads, messages."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select

from complaints.followed import Followed, MessageSeen, ReadSeen
from complaints.vocabulary import Role
from store import periods
from store.casefiles import CaseFile, load, load_many
from store.tables import MESSAGES, READS, STAFF_ROLES, TEXTS
from store.transactions import Tx


def followed(tx: Tx, ref: str) -> Followed:
    """One complaint; UnknownReference where there is none."""
    return _beside(tx, [load(tx, ref)])[0]


def followed_page(tx: Tx, after: periods.After | None = None) -> list[Followed]:
    """At most a page of the whole record, the earliest received first, those after this key."""
    return _beside(tx, load_many(tx, periods.refs_after(tx, [], after)))


def _beside(tx: Tx, files: list[CaseFile]) -> list[Followed]:
    refs = [one.case.ref for one in files]
    fields: dict[str, dict[int, set[str]]] = {ref: defaultdict(set) for ref in refs}
    reads: dict[str, list[ReadSeen]] = {ref: [] for ref in refs}
    messages: dict[str, list[MessageSeen]] = {ref: [] for ref in refs}
    texts = select(TEXTS.c.ref, TEXTS.c.seq, TEXTS.c.field).where(TEXTS.c.ref.in_(refs))
    for text in tx.connection.execute(texts):
        fields[text.ref][text.seq].add(text.field)
    opened = select(READS).where(READS.c.ref.in_(refs)).order_by(READS.c.id)
    for read in tx.connection.execute(opened):
        reads[read.ref].append(ReadSeen(read.by, read.role, read.at, read.version))
    sent = (
        select(
            MESSAGES.c.ref,
            MESSAGES.c.direction,
            MESSAGES.c.template,
            MESSAGES.c.template_version,
            MESSAGES.c.language,
            MESSAGES.c.state,
            MESSAGES.c.at,
        )
        .where(MESSAGES.c.ref.in_(refs))
        .order_by(MESSAGES.c.id)
    )
    for row in tx.connection.execute(sent):
        messages[row.ref].append(
            MessageSeen(row.direction, row.template, row.template_version, row.language, row.state, row.at)
        )
    return [
        Followed(
            case=one.case,
            events=one.events,
            fields={seq: frozenset(names) for seq, names in fields[one.case.ref].items()},
            reads=tuple(reads[one.case.ref]),
            messages=tuple(messages[one.case.ref]),
        )
        for one in files
    ]


def role_periods(tx: Tx) -> list[tuple[str, Role, datetime, datetime | None]]:
    """Who held which role, since when, until when; None: still."""
    query = select(STAFF_ROLES).order_by(STAFF_ROLES.c.id)
    return [(row.member_id, Role(row.role), row.since, row.until) for row in tx.connection.execute(query)]
