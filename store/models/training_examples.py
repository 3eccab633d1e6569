"""What a training run reads: assessed complaints with their words, unassessed ones, and the history of a file.

The training history has the rows of a file that a promoted model learnt from, kept sealed (7.5, decision 10). A newer
file replaces it, and a command can forget it. Its rows are not complaints of this desk.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select

from complaints.measures.report_counts import MaskedStory
from complaints.times import json_fields
from complaints.vocabulary import CloseCode, ContactKind, Role
from store.database.errors import Altered, SealBroken, note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.people.masked_texts import masked_story, masked_texts, open_masked
from store.proof.hash_chain import record_instance_event
from store.record.load import case_key
from store.record.projections import may_be_used
from store.tables import ASSESSMENTS, COMPLAINTS, EVENTS, HISTORY_PARTS, PROPOSALS

PAGE = 500
#: The newest examples that a training uses: more would take minutes, and old ones show outdated practice.
MOST = 20_000
#: Of this many complaints, the newest, the unassessed ones are used.
LOOKED_AT = 6_000
#: A training uses at most this many texts of unassessed complaints.
MOST_UNASSESSED = 3_000
#: Where a page ended: moment, reference and event of its earliest assessment.
After = tuple[datetime, str, int]
#: Where a page ended: reception time and reference of its last complaint.
Before = tuple[datetime, str]
#: Reads the examples of one page in a transaction of its own, and the key of the next page.
ExamplesPage = Callable[[After | None], tuple[list[dict[str, Any]], After | None]]
#: Rows sealed together: a few hundred kilobytes, so that a training run holds one part in memory at a time.
_PART = 500


def collect_examples(page: ExamplesPage) -> list[dict[str, Any]]:
    """The newest `MOST` examples, the earliest assessed first."""
    examples: list[dict[str, Any]] = []
    after: After | None = None
    while True:
        some, after = page(after)
        examples += some
        if after is None or len(examples) >= MOST:
            return in_order(examples)


def in_order(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest `MOST` of these examples, the earliest assessed first."""

    def key(example: dict[str, Any]) -> tuple[Any, ...]:
        return example["at"], example["ref"], not example["whole"], example["text"]

    return sorted(examples, key=key)[-MOST:]


def load_examples_page(tx: Tx, after: After | None = None) -> tuple[list[dict[str, Any]], After | None]:
    """A page of examples from the newest assessment of each complaint, the newest first, those before this key.

    Left out are simulations, contacts that are no complaints, merged complaints (the one that they were merged into
    counts instead) and erased ones. The words of an issue are an example of their own (`whole` False). `confirmed`
    says whether the person kept the proposed category; None without a proposal. All words are masked copies.
    """
    columns = ASSESSMENTS.c
    later = ASSESSMENTS.alias("later")
    query = (
        select(
            columns.ref,
            columns.seq,
            columns.at,
            columns.by,
            columns.category,
            columns.severity,
            COMPLAINTS.c.language,
            COMPLAINTS.c.complainant_id,
            COMPLAINTS.c.received_at,
            COMPLAINTS.c.restriction,
            COMPLAINTS.c.key_wrapped,
            EVENTS.c.role,
            EVENTS.c.entry,
        )
        .join(COMPLAINTS, COMPLAINTS.c.ref == columns.ref)
        .join(EVENTS, and_(EVENTS.c.ref == columns.ref, EVENTS.c.seq == columns.seq))
        .where(
            ~exists().where(later.c.ref == columns.ref, later.c.seq > columns.seq),
            COMPLAINTS.c.key_wrapped.is_not(None),
            may_be_used(),
            COMPLAINTS.c.is_simulation.is_(False),
            COMPLAINTS.c.kind == ContactKind.COMPLAINT.value,
            or_(COMPLAINTS.c.close_code.is_(None), COMPLAINTS.c.close_code != CloseCode.MERGED.value),
        )
        .order_by(columns.at.desc(), columns.ref.desc(), columns.seq.desc())
        .limit(PAGE)
    )
    if after is not None:
        at, ref, seq = after
        earlier = or_(columns.ref < ref, and_(columns.ref == ref, columns.seq < seq))
        query = query.where(columns.at <= at, or_(columns.at < at, earlier))
    rows = tx.connection.execute(query).all()
    refs = [row.ref for row in rows]
    texts, proposals = _texts_by_ref(tx, refs), _proposals(tx, refs)
    examples: list[dict[str, Any]] = []
    for row in rows:
        try:
            examples += _examples_of(tx, row, texts[row.ref], proposals[row.ref])
        except SealBroken:
            # `verify` names it; training continues with the others.
            note_damage(place("complaints", row.ref, "words"))
    last = rows[-1] if len(rows) == PAGE else None
    return examples, None if last is None else (last.at, last.ref, last.seq)


def load_unassessed_page(tx: Tx, before: Before | None = None) -> tuple[list[tuple[str, str]], Before | None]:
    """The unassessed complaints among the newest `PAGE` before this key, and the key of the next page.

    Of each its masked words and its complainant's id.

    Left out are restricted complaints, simulations, contacts that are no complaints, and merged or erased ones.
    The key is None after the last page.
    """
    columns = COMPLAINTS.c
    query = select(
        columns.ref,
        columns.complainant_id,
        columns.received_at,
        columns.key_wrapped,
        and_(
            ~exists().where(ASSESSMENTS.c.ref == columns.ref),
            columns.key_wrapped.is_not(None),
            columns.restriction.is_(None),
            may_be_used(),
            columns.is_simulation.is_(False),
            columns.kind == ContactKind.COMPLAINT.value,
            or_(columns.close_code.is_(None), columns.close_code != CloseCode.MERGED.value),
        ).label("wanted"),
    )
    rows, following = _newest_page(tx, query, before)
    wanted = [row for row in rows if row.wanted]
    stories = [(words, row.complainant_id) for row, words in _stories_of(tx, wanted)]
    return stories, following


def _newest_page(
    tx: Tx, query: Select[Any], before: Before | None
) -> tuple[Sequence[Row[Any]], Before | None]:
    """A page of complaints before this key, the newest first, and the key of the next page."""
    columns = COMPLAINTS.c
    if before is not None:
        at, ref = before
        query = query.where(columns.received_at <= at, or_(columns.received_at < at, columns.ref < ref))
    newest = query.order_by(columns.received_at.desc(), columns.ref.desc())
    rows = tx.connection.execute(newest.limit(PAGE)).all()
    return rows, (rows[-1].received_at, rows[-1].ref) if len(rows) == PAGE else None


def load_story_page(
    tx: Tx, start: datetime, end: datetime, before: Before | None = None
) -> tuple[list[MaskedStory], Before | None]:
    """A page of the masked words of complaints received from `start` to `end`, the newest first, and the next key.

    Left out are restricted complaints, simulations, contacts that are no complaints, and erased ones.
    """
    columns = COMPLAINTS.c
    query = select(columns.ref, columns.complainant_id, columns.received_at, columns.key_wrapped).where(
        columns.received_at >= start,
        columns.received_at < end,
        columns.key_wrapped.is_not(None),
        columns.restriction.is_(None),
        may_be_used(),
        columns.is_simulation.is_(False),
        columns.kind == ContactKind.COMPLAINT.value,
    )
    rows, following = _newest_page(tx, query, before)
    stories = [MaskedStory(row.ref, row.complainant_id, words) for row, words in _stories_of(tx, rows)]
    return stories, following


def _stories_of(tx: Tx, rows: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """The complainant's masked words of each row that has some; a damaged complaint is left out and noted."""
    texts = _texts_by_ref(tx, [row.ref for row in rows])
    for row in rows:
        try:
            words = masked_story(tx, case_key(tx, row.ref, row.key_wrapped), texts[row.ref], own_only=True)
        except SealBroken:
            note_damage(place("complaints", row.ref, "words"))
            continue
        if words.strip():
            yield row, words


def list_assessed_proposals(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """The newest assessed complaints that had a proposal, the newest first: codes and numbers, no words.

    `limit` bounds how many assessments are read; the newest one of a complaint counts.
    """
    query = (
        select(ASSESSMENTS.c.ref, ASSESSMENTS.c.seq, ASSESSMENTS.c.at, ASSESSMENTS.c.category)
        .join(COMPLAINTS, COMPLAINTS.c.ref == ASSESSMENTS.c.ref)
        .where(
            may_be_used(),
            COMPLAINTS.c.is_simulation.is_(False),
            COMPLAINTS.c.kind == ContactKind.COMPLAINT.value,
        )
        .order_by(ASSESSMENTS.c.at.desc(), ASSESSMENTS.c.ref.desc(), ASSESSMENTS.c.seq.desc())
        .limit(limit)
    )
    newest: dict[str, Any] = {}
    for row in tx.connection.execute(query):
        newest.setdefault(row.ref, row)
    proposals = _proposals(tx, list(newest))
    assessed = []
    for ref, row in newest.items():
        before = next((proposal for proposal in proposals[ref] if proposal.seq < row.seq), None)
        if before is not None:
            assessed.append(
                {
                    "at": row.at,
                    "proposed": before.category,
                    "probability": before.probability,
                    "confirmed": row.category,
                    "model": before.model,
                }
            )
    return assessed


@dataclass(frozen=True)
class TrainingHistory:
    """The rows of a history file, the most important first; `sha256` is the hash of the file.

    Each row has plain values under `text`, `category`, `severity` and `language`.
    """

    sha256: str
    rows: Sequence[Mapping[str, Any]]


def keep_history(tx: Tx, history: TrainingHistory) -> None:
    """Keep these rows for later training runs, replacing any before."""
    # The event comes first: on PostgreSQL its lock makes a second process wait, which then replaces these rows.
    record_instance_event(tx, "keep_history", {"sha256": history.sha256, "rows": len(history.rows)})
    tx.delete(HISTORY_PARTS)
    for start in range(0, len(history.rows), _PART):
        part = [dict(row) for row in history.rows[start : start + _PART]]
        data = gzip.compress(json.dumps(part, ensure_ascii=False).encode())
        sealed = tx.keys.seal(data, history_place(history.sha256))
        tx.add(HISTORY_PARTS, sha256=history.sha256, rows=len(part), sealed=sealed, at=tx.now)


def history_place(sha256: str) -> str:
    return place("history_parts", sha256, "rows")


def read_history_rows(tx: Tx, most: int) -> list[dict[str, Any]]:
    """At most this many rows of the history, the most important first."""
    rows: list[dict[str, Any]] = []
    for row in tx.connection.execute(select(HISTORY_PARTS).order_by(HISTORY_PARTS.c.id)):
        if len(rows) >= most:
            break
        try:
            data = tx.keys.unseal(row.sealed, history_place(row.sha256))
        except Altered:
            note_damage(history_place(row.sha256))
            continue
        rows += json.loads(gzip.decompress(data))
    return rows[: max(0, most)]


def find_history(tx: Tx) -> tuple[str, int] | None:
    """SHA-256 of the file whose rows are kept, and the number of rows; None without a history."""
    sha256, rows = tx.connection.execute(
        select(func.max(HISTORY_PARTS.c.sha256), func.sum(HISTORY_PARTS.c.rows))
    ).one()
    return None if sha256 is None else (sha256, int(rows))


def forget_history(tx: Tx) -> int:
    """Delete the history and record it in the instance's log (8.1); returns the number of deleted rows."""
    kept = find_history(tx)
    if kept is None:
        return 0
    sha256, rows = kept
    record_instance_event(tx, "forget_history", {"sha256": sha256, "rows": rows})
    tx.delete(HISTORY_PARTS)
    return rows


def _examples_of(
    tx: Tx, row: Any, texts: Sequence[Any], proposals: Sequence[Any]
) -> Iterator[dict[str, Any]]:
    key = case_key(tx, row.ref, row.key_wrapped)
    whole = masked_story(tx, key, texts, own_only=True)
    words = {
        text.field: open_masked(tx, key, text)
        for text in texts
        if text.seq == row.seq and text.role != Role.COMPLAINANT.value
    }
    before = next((proposal for proposal in proposals if proposal.seq < row.seq), None)
    common = {
        **json_fields(row, "ref language at received_at"),
        "person": row.complainant_id,
        **json_fields(row, "by role"),
        "why": words.get("override_reason"),
        "restricted": row.restriction is not None,
        "confirmed": None if before is None else before.category == row.category,
        "proposed": None
        if before is None
        else json_fields(before, "category severity probability abstained model"),
    }
    if whole.strip():
        yield {"text": whole, "category": row.category, "severity": row.severity, "whole": True, **common}
    for text, category in _issues(row, words):
        yield {"text": text, "category": category, "severity": None, "whole": False, **common}


def _issues(row: Any, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The words and category of each issue that the assessor listed; only the whole complaint has a severity."""
    for number, issue in enumerate(json.loads(row.entry)["facts"].get("issues") or ()):
        text = words.get(f"issues.{number}.text", "")
        if text.strip():
            yield text, issue.get("category") or row.category


def _texts_by_ref(tx: Tx, refs: Sequence[str]) -> Mapping[str, list[Any]]:
    texts: dict[str, list[Any]] = defaultdict(list)
    for row in masked_texts(tx, refs):
        texts[row.ref].append(row)
    return texts


def _proposals(tx: Tx, refs: Sequence[str]) -> Mapping[str, list[Any]]:
    proposals: dict[str, list[Any]] = defaultdict(list)
    query = select(PROPOSALS).where(PROPOSALS.c.ref.in_(refs))
    for row in tx.connection.execute(query.order_by(PROPOSALS.c.ref, PROPOSALS.c.seq.desc())):
        proposals[row.ref].append(row)
    return proposals
