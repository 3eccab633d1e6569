"""A record with rows in every table, and random alterations of it by somebody who has only the database.

`python -m benchmarks alterations` makes a thousand of them; tests/edges/proof/test_alterations.py a few.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, delete, func, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from complaints.actors import MODEL
from complaints.errors import NotAllowed
from complaints.letter_texts import LetterTemplate
from complaints.vocabulary import Verb
from store.cases.act import record_proposal
from store.cases.bind import create_bind_code
from store.cases.incident_acts import schedule_incident_update
from store.cases.staff_intake import log_complaint
from store.cases.staff_letters import save_template
from store.custody.verify import Outside, verify
from store.database.journaled import DESK, JOURNALED
from store.files import store_file
from store.incidents import open_incident
from store.models.models import TrainingRun, keep_run
from store.models.training_examples import TrainingHistory
from store.outbox.failed import keep_dead_letter
from store.people.identification import add_identifier
from store.proof.log import SavedCheckpoint, add_checkpoint, add_cosignature, add_receipt
from store.proof.notes import Signer, split_note
from store.record.load import load_case_file
from store.registers import act_on_entry, add_entry
from store.slack_posts import claim_post, drop_draft, keep_draft, save_draft
from store.store import Store
from store.tables import CONTACTS, JOURNAL, LOG_LEAVES, METADATA
from store.tables.column_types import UtcDateTime
from store.values import Damage, ReceivedFile
from tests.edges.desk import ASSESSED, AUDITOR, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, SECOND, TOP, Desk
from tests.edges.outsider import outside
from tests.edges.store.test_store_incidents import an_update
from tests.edges.store.test_store_state_machine import Desk as Course
from tests.edges.store.test_store_state_machine import Plain
from triage.shingles import sketch

SEED = bytes(range(32))
WITNESS = Signer("audit.example", bytes(range(32, 64)), is_witness=True)
#: Tables and columns that coordinate running processes, or are computed again, and hold no record (docs/proof.md).
NO_RECORD = {"leases", "measures", "proof_state", "rate_limits", "received_keys"}
UNCOUNTED = {"logged_n"}
KEY = "key_wrapped"
#: The rows of every table at one moment.
Rows = Mapping[Table, Sequence[Any]]


# --- records ---


def course_of(url: str, dice: random.Random, steps: int) -> Course:
    """A desk at this empty database after a random course of messages, acts, letters, erasures and crashes."""
    course = type("RandomCourse", (Course,), {"new_database": staticmethod(lambda: url)})()
    course.it_starts(dice.getrandbits(32))
    for _ in range(steps):
        course.something_happens(dice.getrandbits(32))
    return course


def cosigned_checkpoint(store: Store) -> SavedCheckpoint:
    """A new checkpoint that the witness cosigned."""
    saved, _ = store.write(add_checkpoint, SEED)
    assert saved is not None
    line = WITNESS.cosign(split_note(saved.note)[0], 1_800_000_000)
    store.write(add_cosignature, saved.size, WITNESS.name, line)
    return saved


def rows_of(store: Store) -> Rows:
    """Every row of every table."""
    with outside(store) as connection:
        return {table: connection.execute(select(table)).all() for table in METADATA.sorted_tables}


def put_back(connection: Connection, tables: Iterable[Table], rows: Rows) -> None:
    """Give these tables the rows of another moment."""
    for table in tables:
        connection.execute(delete(table))
        if rows[table]:
            connection.execute(insert(table), [dict(row._mapping) for row in rows[table]])


@dataclass
class Record:
    """A store with rows in every table: `earlier` are those before the second of three cosigned checkpoints."""

    store: Store
    earlier: Rows = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)

    @property
    def tables(self) -> list[Table]:
        """The tables that hold a record."""
        return [table for table in METADATA.sorted_tables if table.name not in NO_RECORD and self.rows[table]]


def full_record(url: str, dice: random.Random, *, steps: int = 40, receipts: bool = True) -> Record:
    """A record at this empty database: a random course, and what a course leaves out."""
    course = course_of(url, dice, steps)
    store, clock = course.store, course.clock
    desk = Desk(store, count(1_000_000))
    photo = ReceivedFile("p1", "u1", "photo", "1", "image/jpeg", 3, "a.jpg")
    first = desk.receive("The cellar is under water.", files=(photo,), chat=desk.chat("80001"))
    second = desk.assessed(chat=desk.chat("80002"))
    store.write(store_file, first, 1, b"abc", "image/jpeg")
    store.write(lambda tx: add_identifier(tx, load_case_file(tx, first), "customer", "C-77"))
    for ref in (first, second):
        hashes = sketch(f"The water in the kitchen of {ref} is brown and smells of iron since Monday.")
        store.write(record_proposal, ref, MODEL, _PROPOSED, {"because": "{}"}, sketch=hashes)
        store.write(claim_post, ref, "C1", "card")
        store.write(save_draft, ref, HANDLER, "reply", {}, {"text": "x"}, "Dear Mary", 1)
    desk.act(second, Verb.RESOLVE, facts={**RESOLVED, "cause_class": "systemic"}, words=RESOLVED_WORDS)
    incident = store.write(open_incident, desk.actor(MANAGER), {}, _INCIDENT).id
    for ref in (first, second):
        desk.act(ref, Verb.LINK, MANAGER, {"relation": "same_incident", "incident": incident})
    desk.act(first, Verb.LINK, MANAGER, {"relation": "duplicate", "other_ref": second})
    closed = desk.closed()
    desk.act(closed, Verb.NOTIFY_EXTERNAL, MANAGER, {"event": "notified"}, {"body": "Ombudsman"})
    desk.act(closed, Verb.CONCLUDE_EXTERNAL, MANAGER, _OVERTURNED, {"body": "Ombudsman", "outcome": "x"})
    desk.act(first, Verb.DECLARE_CONFLICT, SECOND, {"who": SECOND}, {"reason": "x"})
    with suppress(NotAllowed):
        desk.act(first, Verb.NOTE, AUDITOR, words={"text": "x"})
    store.write(
        schedule_incident_update, an_update(incident, {"text.en": "x", "text.tr": "x"}), desk.actor(MANAGER)
    )
    called = {"channel": "phone", "received_at": "2026-11-03T09:50:00Z", "language": "en"}
    logged = store.write(
        log_complaint,
        "slack:log:by hand",
        called,
        {"description": "x"},
        desk.actor(MANAGER),
        lambda *_: Plain(),
    )
    store.write(create_bind_code, logged.ref, desk.actor(MANAGER))
    run = TrainingRun("pipeline", store.now(), 9, True, {"reasons": []})
    history = TrainingHistory("b" * 64, [{"text": "Brown water."}])
    store.write(keep_run, run, b"artefact", "a" * 64, {}, activate=True, history=history)
    words = ("Thanks", "reply", "en", "", "", "Thank you.")
    store.write(save_template, LetterTemplate(0, 0, *words, MANAGER, store.now()))
    idea = store.write(add_entry, "improvement", "suggest", desk.actor(MANAGER), {}, {"what": "x"})
    store.write(act_on_entry, idea.code, "cancel", desk.actor(MANAGER), {}, {"reason": "x"})
    store.write(keep_dead_letter, "tg:broken", b"raw", "unparseable")
    draft = store.write(keep_draft, None, HANDLER, "update", 0, {"letter": "It is mended."})
    store.move_clock(91.0)
    cosigned_checkpoint(store)
    record = Record(store, rows_of(store))
    clock.go_on(hours=2)
    store.write(drop_draft, draft)
    store.write(keep_draft, None, HANDLER, "update", 0, {"letter": "It is mended now."})
    for ref in (first, second, logged.ref):
        if receipts:
            store.write(add_receipt, ref, SEED)
        desk.act(ref, Verb.NOTE, words={"text": "Rang, nobody there."})
    desk.act(logged.ref, Verb.ASSESS, facts=ASSESSED)
    store.move_clock(5.0)
    cosigned_checkpoint(store)
    clock.go_on(hours=2)
    desk.receive("Another.", chat=desk.chat("80004"))
    desk.act(first, Verb.NOTE, words={"text": "Rang again."})
    cosigned_checkpoint(store)
    desk.act(second, Verb.NOTE, TOP, words={"text": "After the last checkpoint."})
    record.rows = rows_of(store)
    return record


_PROPOSED: Mapping[str, Any] = {
    "words": 1, "category": "supply", "probability": 0.8, "severity": 2, "safety": 0,
    "abstained": False, "restricted": False, "model": None,
}  # fmt: skip
_OVERTURNED = {"event": "final", "overturned": "yes"}
_INCIDENT = {"what": "x", "line.en": "x", "line.tr": "x"}


# --- alterations ---


@dataclass
class Change:
    """What one alteration changed: rows of these tables, which belong to these owners."""

    tables: set[Table] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    #: Whose rows only stand in another place now: they may be named.
    moved: set[str] = field(default_factory=set)

    def note(self, table: Table, *rows: Any) -> None:
        """These rows (before or after) were changed."""
        self.tables.add(table)
        self.owners |= {self.owner(table, row) for row in rows}

    @staticmethod
    def owner(table: Table, row: Any) -> str:
        """Whom `db verify` has to name: a complaint, an incident, a chat, a person, or what of the desk."""
        spec, values = JOURNALED.get(table.name), dict(getattr(row, "_mapping", row))
        if spec is not None:
            owner = next(
                (f"{prefix}{values[name]}" for prefix, name in spec.owners if values[name] is not None), None
            )
            return owner or f"{DESK}{table.name}"
        if table.name in ("journal", "journal_heads", "log_leaves"):
            return str(values["owner"])
        if table.name == "log_checkpoints":
            return f"checkpoint {values['size']}"
        if table.name in ("checkpoints", "checkpoint_heads"):
            return f"checkpoint {values['n']}"
        return {"log_nodes": "log", "log_signatures": "log", "proof_keys": "journal"}.get(table.name) or str(
            values["ref"]
        )


def this_row(table: Table, row: Any) -> Any:
    """The condition that is true for this row only."""
    return and_(*(column == row._mapping[column] for column in table.primary_key.columns))


def _key(table: Table, row: Any) -> tuple[Any, ...]:
    return tuple(row._mapping[column] for column in table.primary_key.columns)


def counted(table: Table) -> list[Column[Any]]:
    """The columns that hold a record: the others are leases, drawings and wrapped keys (`alter_key`)."""
    spec = JOURNALED.get(table.name)
    columns = [column for column in table.columns if not column.primary_key]
    if spec is not None and table.name not in ("complaints", "events"):
        owners = {name for _, name in spec.owners}
        columns = [column for column in columns if column in spec.columns or column.name in owners]
    return [column for column in columns if column.name not in (*UNCOUNTED, KEY)]


def other_value(value: Any, dice: random.Random) -> Any:
    """A value of the same type that differs."""
    match value:
        case bytes():
            place = dice.randrange(len(value)) if value else 0
            return (
                value[:place] + bytes([value[place] ^ 1 << dice.randrange(8)]) + value[place + 1 :]
                if value
                else b"x"
            )
        case bool():
            return not value
        case int() | float():
            return value + dice.choice((-1, 1, 7))
        case datetime():
            return value + dice.choice((-1, 1)) * timedelta(
                **{dice.choice(("microseconds", "minutes", "days")): 1}
            )
        case date():
            return value + timedelta(days=1)
        case list():
            return [*value, "forged"]
        case dict():
            return {**value, "forged": 1}
        case str():
            return (
                dice.choice((value + "x", value[:-1], f"x{value[1:]}"))
                if value[1:] and value[0] != "x"
                else value + "x"
            )
    return None


def _set(connection: Connection, table: Table, row: Any, values: Mapping[str, Any], change: Change) -> bool:
    """Give a row other values; False if nothing differs or the database refuses."""
    before = dict(row._mapping)
    if all(before[name] == value for name, value in values.items()):
        return False
    try:
        with connection.begin_nested():
            connection.execute(update(table).where(this_row(table, row)).values(values))
    except (IntegrityError, DataError):
        return False
    change.note(table, before, before | dict(values))
    return True


def _add(connection: Connection, table: Table, values: Mapping[str, Any], change: Change) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(insert(table), [dict(values)])
    except (IntegrityError, DataError):
        return False
    change.note(table, values)
    return True


def edit(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Change one value of one row."""
    row = dice.choice(record.rows[table])
    columns = [column for column in counted(table) if row._mapping[column] is not None]
    if not columns:
        return False
    column = dice.choice(columns)
    return _set(connection, table, row, {column.name: other_value(row._mapping[column], dice)}, change)


def clock(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Move a time of one row."""
    row = dice.choice(record.rows[table])
    names = [column.name for column in counted(table) if isinstance(column.type, UtcDateTime)]
    names = [name for name in names if row._mapping[name] is not None]
    if not names:
        return False
    name = dice.choice(names)
    moved = row._mapping[name] + timedelta(seconds=dice.choice((-86_400, -61, 1, 3_600)))
    return _set(connection, table, row, {name: moved}, change)


def swap(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Exchange the contents of two rows."""
    names = [column.name for column in counted(table)]
    if len(record.rows[table]) < 2 or not names:
        return False
    first, second = dice.sample(list(record.rows[table]), 2)
    contents = [{name: row._mapping[name] for name in names} for row in (first, second)]
    is_done = _set(connection, table, first, contents[1], change) and _set(
        connection, table, second, contents[0], change
    )
    if table is LOG_LEAVES:
        # Each entry is as it was: only their order is another. Of an owner the newest entry may be elsewhere now.
        change.owners, change.moved = {"log"}, change.owners
    return is_done


def add(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Add a row that repeats another under a key of its own."""
    values = dict(dice.choice(record.rows[table])._mapping)
    key = list(table.primary_key.columns)[-1]
    values[key.name] = other_value(values[key.name], dice)
    if isinstance(values[key.name], int):
        values[key.name] = connection.execute(select(func.max(key))).scalar_one() + 1
    return _add(connection, table, values, change)


def remove(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Delete one row."""
    row = dice.choice(record.rows[table])
    connection.execute(delete(table).where(this_row(table, row)))
    change.note(table, row)
    return True


def truncate(
    connection: Connection, record: Record, table: Table, dice: random.Random, change: Change
) -> bool:
    """Delete the end of a table: some of its newest rows, or all."""
    rows = sorted(record.rows[table], key=lambda row: _key(table, row))
    for row in rows[dice.choice((0, dice.randrange(len(rows)))) :]:
        connection.execute(delete(table).where(this_row(table, row)))
        change.note(table, row)
    return True


def replay(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Put an older copy of a row back, changed since or deleted since."""
    names = [column.name for column in counted(table)]
    now = {_key(table, row): row for row in record.rows[table]}
    older = []
    for row in record.earlier[table]:
        newer = now.get(_key(table, row))
        if newer is None or any(row._mapping[name] != newer._mapping[name] for name in names):
            older.append((row, newer))
    if not older:
        return False
    row, newer = dice.choice(older)
    if newer is None:
        return _add(connection, table, row._mapping, change)
    return _set(connection, table, newer, {name: row._mapping[name] for name in names}, change)


def rewind(connection: Connection, record: Record, table: Table, dice: random.Random, change: Change) -> bool:
    """Put an owner back as a whole, with its journal; a checkpoint covers what came after."""
    logged = {row.owner for row in record.rows[LOG_LEAVES][len(record.earlier[LOG_LEAVES]) :]}
    owner = dice.choice(sorted(logged & {Change.owner(table, row) for row in record.earlier[table]}) or [""])
    for other in record.tables if owner else ():
        if other.name in _LOG or (KEY in other.columns and other.name == "proof_keys"):
            continue
        mine = [
            [row for row in rows[other] if Change.owner(other, row) == owner]
            for rows in (record.rows, record.earlier)
        ]
        if mine[0] != mine[1]:
            for row in mine[0]:
                connection.execute(delete(other).where(this_row(other, row)))
            if mine[1]:
                connection.execute(insert(other), [dict(row._mapping) for row in mine[1]])
            change.tables.add(other)
    change.owners = {owner}
    # Without a newer entry only `logged_n` differs, which holds no record.
    return JOURNAL in change.tables


def alter_key(
    connection: Connection, record: Record, table: Table, dice: random.Random, change: Change
) -> bool:
    """Alter, exchange or take away a wrapped key."""
    rows = [row for row in record.rows[table] if KEY in table.columns and row._mapping[KEY] is not None]
    if not rows:
        return False
    row, other = dice.choice(rows), dice.choice(rows)
    wrapped = row._mapping[KEY]
    forged = (other_value(wrapped, dice), other._mapping[KEY], None, wrapped[:-1], b"")
    return _set(connection, table, row, {KEY: dice.choice(forged)}, change)


_LOG = {"log_leaves", "log_nodes", "log_checkpoints", "log_signatures"}
Alteration = Callable[[Connection, Record, Table, random.Random, Change], bool]
ALTERATIONS: Mapping[str, Alteration] = {
    "edit": edit, "swap": swap, "insert": add, "delete": remove, "truncate": truncate, "replay": replay,
    "rewind": rewind, "clock": clock, "key": alter_key,
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One alteration, and what `db verify` made of it: `fault` is empty if it named the right owners."""

    kind: str
    table: str
    owners: frozenset[str]
    fault: str


def try_alterations(record: Record, number: int, dice: random.Random) -> list[Trial]:
    """Make so many alterations, one after the other, and undo each after `db verify` has seen it."""
    trials: list[Trial] = []
    while len(trials) < number:
        kind, table, change = dice.choice(list(ALTERATIONS)), dice.choice(record.tables), Change()
        with outside(record.store) as connection:
            is_done = ALTERATIONS[kind](connection, record, table, dice, change)
        if is_done:
            damages = record.store.read(verify, Outside(witnesses=(WITNESS.verifier,))).problems
            trials.append(Trial(kind, table.name, frozenset(change.owners), fault_of(change, damages)))
        with outside(record.store) as connection:
            put_back(connection, change.tables, record.rows)
    return trials


def fault_of(change: Change, damages: Sequence[Damage]) -> str:
    """Why these damages are not those of this change; empty if they are."""
    if not damages:
        return "unnoticed"
    named = {damage.ref for damage in damages}
    missing = change.owners - named
    # A leaf that is gone, or in another place, is named by its number in the log.
    if missing and not (change.tables == {LOG_LEAVES} and any(name.startswith("log") for name in named)):
        return f"not named: {', '.join(sorted(missing))}; named: {', '.join(sorted(named))}"
    # The log names its own parts too, where an owner does not fit to it; a person, whose address does not open.
    also = ("log", "checkpoint", "person:") if CONTACTS in change.tables else ("log", "checkpoint")
    wrong = {name for name in named - change.owners - change.moved if not name.startswith(also)}
    return f"wrongly named: {', '.join(sorted(wrong))}" if wrong else ""
