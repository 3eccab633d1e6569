"""Verify the whole record: hash chains, commitments to the words, rows, checkpoints and incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import SQLAlchemyError

from complaints.actions.perform import fold
from complaints.incidents import fold as fold_incident
from complaints.times import format_time, parse_time
from complaints.vocabulary import Verb
from store.custody.opens import list_unopened
from store.custody.rotate_keys import list_retired_keys
from store.database.errors import SealBroken
from store.database.keyring import is_signed, unseal
from store.database.transaction import Tx
from store.incidents import (
    CHAIN,
    incident_row,
    key_place,
    load_incident_history,
)
from store.proof.checkpoints import merkle_root, statement_of
from store.proof.hash_chain import GENESIS, INSTANCE_CHAIN, canonical, commitment, sha256
from store.record.load import case_key, first_rules, parse_events, text_place
from store.record.projections import LISTS, assessment_row, complaint_row, proposal_row
from store.similarity.sketches import check_sketch, find_stray_hashes
from store.tables import (
    ASSESSMENTS,
    CHECKPOINT_HEADS,
    CHECKPOINTS,
    COMPLAINTS,
    EVENTS,
    IMPROVEMENTS,
    INCIDENTS,
    PROPOSALS,
    TEXTS,
)
from store.values import Verification

#: Reference (or chain), seq of the event, and what is wrong.
Problem = tuple[str, int, str]
_UNOPENED = "the sealed words of {field} do not open"


def verify(tx: Tx, outside: Mapping[str, Any] | None = None, *, opens: bool = True) -> Verification:
    """Verify the whole record, and compare it with `outside`, a checkpoint document kept elsewhere.

    `opens` False leaves out whether messages, names, contacts and files open; it is enough for the hash chain.
    """
    last_sealed = tx.connection.execute(select(func.max(CHECKPOINTS.c.last_event_id))).scalar() or 0
    entries = cases = erased = tail = 0
    problems: list[Problem] = []
    hashes: dict[str, list[str]] = {}
    for ref, rows in _read_chains(tx):
        entries += len(rows)
        tail += sum(row.id > last_sealed for row in rows)
        hashes[ref] = [row.hash for row in rows]
        header = tx.connection.execute(select(COMPLAINTS).where(COMPLAINTS.c.ref == ref)).first()
        if ref != INSTANCE_CHAIN and not _is_incident(ref):
            cases += 1
            erased += header is not None and header.key_wrapped is None
        problems += _check_one(tx, ref, rows, header)
    others = [
        _check_stray_hashes(tx, hashes),
        *_check_lost_events(tx, hashes),
        _check_checkpoints(tx, hashes),
    ]
    if outside is not None:
        others.append(_check_document(tx, outside, hashes))
    problems += [problem for problem in others if problem is not None]
    if opens:
        problems += list_unopened(tx)
    return Verification(entries, cases, next(iter(problems), None), tail, erased, tuple(problems))


def _check_one(tx: Tx, ref: str, rows: list[Row[Any]], header: Row[Any] | None) -> list[Problem]:
    """The first problem of a chain or its complaint; if words do not open, each of them."""
    try:
        problem = _check_chain(ref, rows) or _check_case(tx, ref, rows, header)
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged event can fail anywhere; the other chains are checked too
        problem = ref, rows[-1].seq, f"its events cannot be read ({type(error).__name__})"
    unopened = list(_unopened_words(tx, ref, header))
    if problem is not None and problem not in unopened:
        unopened.insert(0, problem)
    return unopened


def _read_chains(tx: Tx) -> Iterator[tuple[str, list[Row[Any]]]]:
    """The events of every chain, 200 chains at a time: the archive may be larger than memory."""
    after = ""
    while True:
        refs = (
            tx.connection.execute(
                select(EVENTS.c.ref)
                .where(EVENTS.c.ref > after)
                .group_by(EVENTS.c.ref)
                .order_by(EVENTS.c.ref)
                .limit(200)
            )
            .scalars()
            .all()
        )
        if not refs:
            return
        rows: dict[str, list[Row[Any]]] = {ref: [] for ref in refs}
        query = select(EVENTS).where(EVENTS.c.ref.in_(refs)).order_by(EVENTS.c.ref, EVENTS.c.seq)
        for row in tx.connection.execute(query):
            rows[row.ref].append(row)
        yield from rows.items()
        after = refs[-1]


def _check_chain(ref: str, rows: list[Row[Any]]) -> Problem | None:
    prev = GENESIS
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq:
            return ref, seq, "this event is missing"
        if sha256(row.entry) != row.hash:
            return ref, seq, "the entry does not have the hash that was recorded"
        entry = json.loads(row.entry)
        if canonical(entry) != row.entry or entry["prev"] != prev:
            return ref, seq, "the entry does not follow the one before"
        columns = (row.ref, row.seq, row.verb, format_time(row.at), row.by, row.role)
        if columns != tuple(entry[name] for name in ("case", "seq", "verb", "at", "actor", "role")):
            return ref, seq, "the row differs from its entry"
        prev = row.hash
    return None


def _check_case(tx: Tx, ref: str, rows: list[Row[Any]], header: Row[Any] | None) -> Problem | None:
    if ref == INSTANCE_CHAIN:
        return None
    if _is_incident(ref):
        return _check_incident(tx, ref, rows)
    last = rows[-1].seq
    if header is None:
        return ref, last, "these events have no complaint"
    if header.head != rows[-1].hash:
        return ref, last, "the last events are cut off: the complaint knows a later one"
    problem = None if header.key_wrapped is None else _check_words(tx, ref, rows, header.key_wrapped)
    return problem or _check_sketch(tx, ref, last, header) or _check_projection(tx, ref, rows, header)


def _check_sketch(tx: Tx, ref: str, last: int, header: Row[Any]) -> Problem | None:
    try:
        problem = check_sketch(tx, ref, header.key_wrapped)
    except SealBroken as error:
        problem = str(error)
    return None if problem is None else (ref, last, problem)


def _check_stray_hashes(tx: Tx, hashes: Mapping[str, list[str]]) -> Problem | None:
    stray = find_stray_hashes(tx)
    if stray is None:
        return None
    ref, problem = stray
    return ref, len(hashes.get(ref, [])), problem


def _check_words(tx: Tx, ref: str, rows: list[Row[Any]], wrapped: bytes) -> Problem | None:
    try:
        key = case_key(tx, ref, wrapped)
    except SealBroken as error:
        return ref, 1, str(error)
    words: dict[int, dict[str, str]] = {}
    for text in tx.connection.execute(select(TEXTS).where(TEXTS.c.ref == ref)):
        try:
            place = text_place(ref, text.seq, text.field)
            content = "" if text.sealed is None else unseal(key, text.sealed, place)
        except SealBroken:
            return ref, text.seq, _UNOPENED.format(field=text.field)
        words.setdefault(text.seq, {})[text.field] = content
    for row in rows:
        if json.loads(row.entry)["commit"] != commitment(key, words.get(row.seq, {})):
            return ref, row.seq, "the words are not those that were committed to"
    if words.keys() - {row.seq for row in rows}:
        return ref, max(words), "there are words without an event"
    return None


def _unopened_words(tx: Tx, ref: str, header: Row[Any] | None) -> Iterator[Problem]:
    """Each text of a complaint that does not open."""
    if header is None or header.key_wrapped is None:
        return
    try:
        key = case_key(tx, ref, header.key_wrapped)
    except SealBroken:
        return
    query = select(TEXTS).where(TEXTS.c.ref == ref, TEXTS.c.sealed.is_not(None))
    for text in tx.connection.execute(query.order_by(TEXTS.c.seq, TEXTS.c.field)):
        try:
            unseal(key, text.sealed, text_place(ref, text.seq, text.field))
        except SealBroken:
            yield ref, text.seq, _UNOPENED.format(field=text.field)


def _check_projection(tx: Tx, ref: str, rows: list[Row[Any]], header: Row[Any]) -> Problem | None:
    events = parse_events(tx, [row.entry for row in rows])
    case = fold(events, first_rules(tx, events))
    last = events[-1].seq
    with_rulebook = (event for event in reversed(events) if event.verb in (Verb.RECEIVE, Verb.REDATE))
    latest_rules = next(with_rulebook)
    if (header.rulebook_id, header.jurisdiction) != (latest_rules.facts["rulebook"], case.rules.country):
        return ref, latest_rules.seq, "the row names other rules than the events"
    stored_row = header._mapping  # noqa: SLF001  # SQLAlchemy's public name
    for name, value in complaint_row(case).items():
        if stored_row[name] != value:
            return ref, last, f"the row's {name} is not what the events add up to"
    if (case.complainant, case.channel) != (header.complainant_id, header.channel):
        return ref, 1, "the row names another complainant or channel than the events"
    for table, key, rows_of in LISTS:
        expected = sorted(
            (_plain(row) for row in rows_of(case)), key=lambda row: [str(row[name]) for name in key]
        )
        query = select(table).where(table.c.ref == ref)
        stored_rows = sorted(
            (_plain(row._mapping, "ref") for row in tx.connection.execute(query)),  # noqa: SLF001
            key=lambda row: [str(row[name]) for name in key],
        )
        if expected != stored_rows:
            return ref, last, f"the rows of {table.name} are not what the events add up to"
    opened = sorted(
        (improvement.seq, improvement.due, improvement.opened_at, improvement.cause_class)
        for improvement in case.improvements
    )
    columns = (IMPROVEMENTS.c.seq, IMPROVEMENTS.c.due, IMPROVEMENTS.c.opened_at, IMPROVEMENTS.c.cause_class)
    # Later work on an improvement is only in its row. That an event opened it must be in the row too.
    query = select(*columns).where(IMPROVEMENTS.c.ref == ref, IMPROVEMENTS.c.seq.is_not(None))
    if opened != sorted(tuple(row) for row in tx.connection.execute(query)):
        return ref, last, "the rows of improvements are not what the events add up to"
    last_rows = (
        (ASSESSMENTS, None if case.assessment is None else assessment_row(case.assessment)),
        (PROPOSALS, None if case.proposed is None else proposal_row(case.proposed)),
    )
    for table, latest in last_rows:
        query = select(table).where(table.c.ref == ref).order_by(table.c.seq.desc()).limit(1)
        row = tx.connection.execute(query).first()
        stored = None if row is None else _plain(row._mapping, "ref", "seq")  # noqa: SLF001
        if stored != latest:
            return ref, last, f"the rows of {table.name} are not what the events add up to"
    return None


def _plain(row: Any, *without: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in without}


def _check_incident(tx: Tx, chain: str, rows: Sequence[Row[Any]]) -> Problem | None:
    """The first problem of the words or the row of an incident; its chain was checked like any other."""
    number, last = int(chain.removeprefix(CHAIN)), rows[-1].seq
    header = tx.connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).first()
    if header is None:
        return chain, last, "these events have no incident"
    if header.head != rows[-1].hash:
        return chain, last, "the last events are cut off: the incident knows a later one"
    try:
        events = load_incident_history(tx, number)
        key = tx.keys.unwrap(header.key_wrapped, key_place(number)) if header.key_wrapped else None
    except SealBroken as error:
        return chain, 1, str(error)
    for event, row in zip(events, rows, strict=True):
        if key is not None and commitment(key, event.words) != json.loads(row.entry)["commit"]:
            return chain, event.seq, "the words are not those that were recorded"
    for name, value in incident_row(fold_incident(events, id_=number)).items():
        if header._mapping[name] != value:  # noqa: SLF001  # SQLAlchemy's public name
            return chain, last, f"the row's {name} is not what the events add up to"
    return None


def _is_incident(chain: str) -> bool:
    return chain.startswith(CHAIN)


def _check_lost_events(tx: Tx, hashes: Mapping[str, list[str]]) -> Iterator[Problem]:
    for header in tx.connection.execute(select(COMPLAINTS)):
        if header.ref not in hashes:
            yield header.ref, 1, "this complaint has lost its events"
            yield from _unopened_words(tx, header.ref, header)


def _check_checkpoints(tx: Tx, hashes: Mapping[str, list[str]]) -> Problem | None:
    """Check the signature of each checkpoint, its link to the previous one, and every head that it contains."""
    previous = GENESIS
    rows = tx.connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.n)).all()
    for number, row in enumerate(rows, start=1):
        query = select(CHECKPOINT_HEADS).where(CHECKPOINT_HEADS.c.n == row.n)
        sealed = sorted((head.ref, head.seq, head.hash) for head in tx.connection.execute(query))
        statement = statement_of(
            row.n, format_time(row.at), row.last_event_id, row.heads, row.root, row.previous
        )
        is_intact = (
            row.n == number
            and row.previous == previous
            and len(sealed) == row.heads
            and merkle_root(sealed) == row.root
        )
        if not is_intact:
            return f"checkpoint {row.n}", 0, "the checkpoint was altered"
        if not tx.keys.verifies(canonical(statement).encode(), row.public_key, row.signature):
            return f"checkpoint {row.n}", 0, "no secret of this instance signed this checkpoint"
        for ref, seq, hash_ in sealed:
            problem = _check_head(ref, seq, hash_, hashes)
            if problem is not None:
                return problem
        previous = row.root
    return None


def _check_document(tx: Tx, outside: Mapping[str, Any], hashes: Mapping[str, list[str]]) -> Problem | None:
    content = {name: outside[name] for name in ("version", "at", "root", "heads")}
    public_key, own_keys = outside["public_key"], {*tx.keys.publics, *list_retired_keys(tx)}
    if public_key not in own_keys or not is_signed(
        canonical(content).encode(), public_key, outside["signature"]
    ):
        return "checkpoint document", 0, "no secret of this instance signed it"
    parse_time(outside["at"])
    for ref, seq, hash_ in outside["heads"]:
        problem = _check_head(ref, seq, hash_, hashes)
        if problem is not None:
            return problem
    return None


def _check_head(ref: str, seq: int, hash_: str, hashes: Mapping[str, list[str]]) -> Problem | None:
    chain = hashes.get(ref, [])
    if len(chain) < seq:
        return ref, len(chain) + 1, "the last events are cut off: a checkpoint knows a later one"
    if chain[seq - 1] != hash_:
        return ref, seq, "a checkpoint knows another event in this place"
    return None
