"""What people confirmed or corrected, with the words: what the next model learns from (7.5).

Words of complaints that nobody has assessed: they teach a model which words go together (7.5, decision 10).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import and_, exists, or_, select

from complaints.timestamps import format_time
from complaints.vocabulary import CloseCode, ContactKind, Role, Verb
from store.cases.load import case_key
from store.database.transaction import Tx
from store.proof.seal import unseal
from store.tables import ASSESSMENTS, COMPLAINTS, EVENTS, PROPOSALS, TEXTS
from store.texts import standing, text_place
from store.values import Text

PAGE = 500
#: More would cost minutes and memory for little: the newest tell how the organisation judges today.
MOST = 20_000

#: Where a page ended: moment, reference and event of its earliest assessment.
After = tuple[datetime, str, int]
_TOLD = (Verb.RECEIVE.value, Verb.ADD.value, Verb.ANSWER.value)


class ExamplesPage(Protocol):
    """One page in its own transaction; None begins."""

    def __call__(self, after: After | None) -> tuple[list[dict[str, Any]], After | None]:
        """Examples of at most `PAGE` assessments, and where to go on; None at the end."""
        ...


def collect_examples(page: ExamplesPage) -> list[dict[str, Any]]:
    """All of them up to `MOST`, the earliest assessed first."""
    found: list[dict[str, Any]] = []
    after: After | None = None
    while True:
        some, after = page(after)
        found += some
        if after is None or len(found) >= MOST:
            return in_order(found)


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest `MOST`, the earliest assessed first, whatever order the pages came in."""
    return sorted(found, key=lambda one: (one["at"], one["ref"], not one["whole"], one["text"]))[-MOST:]


def load_examples_page(tx: Tx, after: After | None = None) -> tuple[list[dict[str, Any]], After | None]:
    """The newest assessment of each complaint as examples, the newest first, those before this key.

    Left out are simulations, what turned out to be no complaint, what was merged into another complaint
    (which is learnt from instead) and what was erased. The words of an issue are an example of their own
    (`whole` False). `confirmed` says whether the person kept the category proposed, None where nothing was.
    """
    one = ASSESSMENTS.c
    later = ASSESSMENTS.alias("later")
    query = (
        select(
            one.ref,
            one.seq,
            one.at,
            one.by,
            one.category,
            one.severity,
            COMPLAINTS.c.language,
            COMPLAINTS.c.received_at,
            COMPLAINTS.c.restriction,
            COMPLAINTS.c.key_wrapped,
            EVENTS.c.role,
            EVENTS.c.entry,
        )
        .join(COMPLAINTS, COMPLAINTS.c.ref == one.ref)
        .join(EVENTS, and_(EVENTS.c.ref == one.ref, EVENTS.c.seq == one.seq))
        .where(
            ~exists().where(later.c.ref == one.ref, later.c.seq > one.seq),
            COMPLAINTS.c.key_wrapped.is_not(None),
            COMPLAINTS.c.is_simulation.is_(False),
            COMPLAINTS.c.kind == ContactKind.COMPLAINT.value,
            or_(COMPLAINTS.c.close_code.is_(None), COMPLAINTS.c.close_code != CloseCode.MERGED.value),
        )
        .order_by(one.at.desc(), one.ref.desc(), one.seq.desc())
        .limit(PAGE)
    )
    if after is not None:
        at, ref, seq = after
        earlier = or_(one.ref < ref, and_(one.ref == ref, one.seq < seq))
        query = query.where(one.at <= at, or_(one.at < at, earlier))
    rows = tx.connection.execute(query).all()
    refs = [row.ref for row in rows]
    said, proposed = said_of(tx, refs), _proposed(tx, refs)
    found: list[dict[str, Any]] = []
    for row in rows:
        found += _of_one(tx, row, said[row.ref], proposed[row.ref])
    last = rows[-1] if len(rows) == PAGE else None
    return found, None if last is None else (last.at, last.ref, last.seq)


def _of_one(tx: Tx, row: Any, said: Sequence[Any], proposed: Sequence[Any]) -> Iterator[dict[str, Any]]:
    key = case_key(tx, row.ref, row.key_wrapped)
    whole = story(key, row.ref, said)
    words = {
        one.field: unseal(key, one.sealed, text_place(row.ref, one.seq, one.field))
        for one in said
        if one.seq == row.seq and one.role != Role.COMPLAINANT.value
    }
    before = next((one for one in proposed if one.seq < row.seq), None)
    known = {
        "ref": row.ref,
        "language": row.language,
        "at": format_time(row.at),
        "received_at": format_time(row.received_at),
        "by": row.by,
        "role": row.role,
        "why": words.get("override_reason"),
        "restricted": row.restriction is not None,
        "confirmed": None if before is None else before.category == row.category,
        "proposed": None
        if before is None
        else {
            "category": before.category,
            "severity": before.severity,
            "probability": before.probability,
            "abstained": before.abstained,
            "model": before.model,
        },
    }
    if whole.strip():
        yield {"text": whole, "category": row.category, "severity": row.severity, "whole": True, **known}
    for text, category in _issues(row, words):
        yield {"text": text, "category": category, "severity": None, "whole": False, **known}


def _issues(row: Any, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each matter that the person wrote down apart, with its category; a severity is only of the whole."""
    for place, issue in enumerate(json.loads(row.entry)["facts"].get("issues") or ()):
        text = words.get(f"issues.{place}.text", "")
        if text.strip():
            yield text, issue.get("category") or row.category


def story(key: bytes, ref: str, said: Sequence[Any]) -> str:
    """What the complainant told as it stands; a logged complaint is the complainant's word too."""
    theirs = [
        Text(
            one.field,
            one.seq,
            unseal(key, one.sealed, text_place(ref, one.seq, one.field)),
            one.at,
            one.source,
            one.replaces,
        )
        for one in said
        if one.role == Role.COMPLAINANT.value or (one.verb in _TOLD and one.role != Role.MODEL.value)
    ]
    return "\n".join(one.text for one in standing(theirs))


def said_of(tx: Tx, refs: Sequence[str]) -> Mapping[str, list[Any]]:
    """All that was written down in these complaints, sealed, with the verbs."""
    found: dict[str, list[Any]] = defaultdict(list)
    query = (
        select(TEXTS, EVENTS.c.verb)
        .join(EVENTS, and_(EVENTS.c.ref == TEXTS.c.ref, EVENTS.c.seq == TEXTS.c.seq))
        .where(TEXTS.c.ref.in_(refs), TEXTS.c.sealed.is_not(None))
        .order_by(TEXTS.c.ref, TEXTS.c.seq, TEXTS.c.field)
    )
    for row in tx.connection.execute(query):
        found[row.ref].append(row)
    return found


def _proposed(tx: Tx, refs: Sequence[str]) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    query = select(PROPOSALS).where(PROPOSALS.c.ref.in_(refs))
    for row in tx.connection.execute(query.order_by(PROPOSALS.c.ref, PROPOSALS.c.seq.desc())):
        found[row.ref].append(row)
    return found


def count_assessed(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """The newest assessed complaints that had a proposal, the newest first: codes and figures, no words.

    `limit` bounds how many assessments are looked at; of one complaint the newest counts.
    """
    query = (
        select(ASSESSMENTS.c.ref, ASSESSMENTS.c.seq, ASSESSMENTS.c.at, ASSESSMENTS.c.category)
        .join(COMPLAINTS, COMPLAINTS.c.ref == ASSESSMENTS.c.ref)
        .where(COMPLAINTS.c.is_simulation.is_(False), COMPLAINTS.c.kind == ContactKind.COMPLAINT.value)
        .order_by(ASSESSMENTS.c.at.desc(), ASSESSMENTS.c.ref.desc(), ASSESSMENTS.c.seq.desc())
        .limit(limit)
    )
    newest: dict[str, Any] = {}
    for row in tx.connection.execute(query):
        newest.setdefault(row.ref, row)
    proposed = _proposed(tx, list(newest))
    found = []
    for ref, row in newest.items():
        before = next((one for one in proposed[ref] if one.seq < row.seq), None)
        if before is not None:
            found.append(
                {
                    "at": row.at,
                    "proposed": before.category,
                    "probability": before.probability,
                    "confirmed": row.category,
                    "model": before.model,
                }
            )
    return found


#: Complaints looked at, the newest; on a desk that keeps up nearly all of them are assessed.
LOOKED_AT = 6_000
#: Texts that are enough to tell.
MOST_UNASSESSED = 3_000

#: Where a page ended.
Before = tuple[datetime, str]


def load_unassessed_page(tx: Tx, before: Before | None = None) -> tuple[list[str], Before | None]:
    """What was told in these of the newest `PAGE` complaints before this key, the newest first; None at the end.

    Left out are restricted ones, simulations, what is no complaint, what was merged, and what was erased.
    """
    one = COMPLAINTS.c
    query = select(
        one.ref,
        one.received_at,
        one.key_wrapped,
        and_(
            ~exists().where(ASSESSMENTS.c.ref == one.ref),
            one.key_wrapped.is_not(None),
            one.restriction.is_(None),
            one.is_simulation.is_(False),
            one.kind == ContactKind.COMPLAINT.value,
            or_(one.close_code.is_(None), one.close_code != CloseCode.MERGED.value),
        ).label("wanted"),
    )
    if before is not None:
        at, ref = before
        query = query.where(one.received_at <= at, or_(one.received_at < at, one.ref < ref))
    rows = tx.connection.execute(query.order_by(one.received_at.desc(), one.ref.desc()).limit(PAGE)).all()
    wanted = [row for row in rows if row.wanted]
    said = said_of(tx, [row.ref for row in wanted])
    texts = [story(case_key(tx, row.ref, row.key_wrapped), row.ref, said[row.ref]) for row in wanted]
    last = rows[-1] if len(rows) == PAGE else None
    return [text for text in texts if text.strip()], None if last is None else (last.received_at, last.ref)
