"""The entries of all registers: each act is a row of its own, its words sealed, named in the log of the desk."""

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, func, select, true, tuple_

from complaints.actions.authorisation import Access, authorise_entry, is_allowed, may_act_on_entry
from complaints.actors import SYSTEM, Actor
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, Stale, UnknownReference
from complaints.registers.definitions import REGISTERS, Register, RegisterAct
from complaints.registers.entries import Entry, EntryAct, answers_of, next_act, parse_code, rank_sample
from complaints.registers.follow_ups import FollowUp, follow_ups, obligations_of, reminders
from complaints.rulebook import Rulebook
from complaints.times import at_minute, last_day, local_time
from complaints.vocabulary import ContactKind, Role
from store.database.errors import Altered, note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.outbox.rows import insert_obligation
from store.people.staff import load_actor
from store.proof.hash_chain import lock_instance_log, record_instance_event
from store.proof.received_keys import take_key
from store.record.access_log import record_after_rollback
from store.record.load import load_many
from store.record.worklists import visible_to
from store.rulebooks import load_current_rulebook
from store.tables import COMPLAINTS, REGISTER_ENTRIES

_COLUMNS = REGISTER_ENTRIES.c
#: Complaints that are loaded together until an audit has its sample (8.5, Annex H).
_SAMPLE_PAGE = 50


def add_entry(
    tx: Tx,
    register: str,
    act: str,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str] | None = None,
    *,
    key: str | None = None,
) -> Entry:
    """Begin an entry; raises NotAllowed (recorded), BadFacts, and AlreadyDone for a key that was used before."""
    lock_instance_log(tx)
    highest = select(func.coalesce(func.max(_COLUMNS.number), 0)).where(_COLUMNS.register_name == register)
    number = tx.connection.execute(highest).scalar_one() + 1
    return _record(tx, REGISTERS[register], number, None, act, by, facts, words or {}, key)


def act_on_entry(
    tx: Tx,
    code: str,
    act: str,
    by: Actor,
    facts: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
    *,
    version: int | None = None,
    key: str | None = None,
    target: str | None = None,
) -> Entry:
    """One act on an entry, as its next version; `version` is the one that the person saw.

    `target` is the state that the desk computed. Raises UnknownReference, Stale, OutOfOrder, AlreadyDone, NotAllowed
    (recorded), BadFacts.
    """
    lock_instance_log(tx)
    before = load_entry(tx, code)
    if version is not None and version != before.version:
        raise Stale.worded("stale:entry", name=before.code)
    return _record(tx, before.register, before.number, before, act, by, facts or {}, words or {}, key, target)


def load_entry(tx: Tx, code: str) -> Entry:
    """One entry with all its acts by its code, `improvement-12`; raises UnknownReference."""
    register, number = parse_code(code)
    entries = _load(tx, (_COLUMNS.register_name == register.name) & (_COLUMNS.number == number))
    if not entries:
        raise UnknownReference.worded("unknown_reference", text=code)
    return entries[0]


def list_entries(
    tx: Tx,
    register: str,
    *,
    is_open: bool | None = None,
    owner: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Entry]:
    """The entries of a register, the newest first; those that are open, of an owner, or opened in a period."""
    entries = _load(tx, _COLUMNS.register_name == register)
    return [
        entry
        for entry in reversed(entries)
        if is_open in (None, entry.is_open)
        and owner in (None, entry.owner)
        and (since is None or entry.opened_at >= since)
        and (until is None or entry.opened_at < until)
    ]


def list_due_entries(tx: Tx, until: date, owner: str | None = None) -> list[Entry]:
    """The open entries of all registers that are due by this day, the earliest first."""
    is_owners = true() if owner is None else _COLUMNS.owner == owner
    entries = _load(tx, _newest_is((_COLUMNS.due <= until) & is_owners))
    due = [(entry.due, entry) for entry in entries if entry.is_open and entry.due is not None]
    return [entry for _, entry in sorted(due, key=lambda item: item[0])]


def list_waiting_entries(tx: Tx, by: Actor) -> list[tuple[Entry, RegisterAct]]:
    """Entries with the act that they wait for from this person: a letter to approve, an alert to answer, an idea."""
    waits = (_COLUMNS.act == "propose_letter") | (_COLUMNS.state == "proposed")
    waits = waits | ((_COLUMNS.register_name == "alert") & (_COLUMNS.state == "open"))
    entries = sorted(_load(tx, _newest_is(waits)), key=lambda entry: entry.last.at)
    return [
        (entry, act)
        for name in ("approve_letter", "answer", "accept")
        for entry in entries
        if (act := entry.register.acts.get(name))
        and entry.state in act.sources
        and may_act_on_entry(entry, act, by)
    ]


def count_entries(tx: Tx, today: date) -> dict[str, dict[str, int]]:
    """By register the number of its entries in each state, and of those that are `overdue`."""
    counts: dict[str, dict[str, int]] = {name: {} for name in REGISTERS}
    query = (
        select(
            _COLUMNS.register_name, _COLUMNS.state, func.count(), func.count().filter(_COLUMNS.due < today)
        )
        .where(_newest())
        .group_by(_COLUMNS.register_name, _COLUMNS.state)
    )
    for name, state, number, late in tx.connection.execute(query):
        if name in REGISTERS:
            counts[name][state] = number
            if late and state not in REGISTERS[name].closed:
                counts[name]["overdue"] = counts[name].get("overdue", 0) + late
    return counts


def open_for_case(tx: Tx, before: Case | None, case: Case) -> None:
    """The entries that an act on a complaint begins: improvement after an overturned decision (4.10), praise."""
    earlier = () if before is None else before.improvements
    for improvement in case.improvements[len(earlier) :]:
        facts = {
            "source": "overturned", "refs": [case.ref], "category": case.category,
            "cause_class": improvement.cause_class,
            "due": last_day(improvement.due, case.rules.calendar.zone).isoformat(),
        }  # fmt: skip
        facts = {name: value for name, value in facts.items() if value}
        add_entry(tx, "improvement", "raise", SYSTEM, facts)
    if case.kind is ContactKind.PRAISE and before is not None and before.kind is not ContactKind.PRAISE:
        facts = {"refs": [case.ref]} | ({"category": case.category} if case.category else {})
        add_entry(tx, "praise", "raise", SYSTEM, facts)


def list_unattested(tx: Tx, member: str) -> list[Entry]:
    """The policies in force that this person has not attested to (5.2)."""
    return [
        entry
        for entry in list_entries(tx, "policy")
        if entry.state == "in_force" and member not in entry.readers
    ]


def list_missing_training(tx: Tx, member: str, rules: Rulebook) -> list[str]:
    """The required subjects in which this person has no valid training today (6.4)."""
    today = local_time(tx.now, rules.calendar.zone).date()
    of_member = (_COLUMNS.register_name == "training") & (_COLUMNS.owner == member)
    valid = {entry.facts["subject"] for entry in _load(tx, _newest_is(of_member)) if entry.is_valid(today)}
    return [subject for subject in rules.required_training if subject not in valid]


def words_place(register: str, number: int, version: int) -> str:
    return place("register_entries", f"{register}/{number}/{version}", "words")


def _newest() -> ColumnElement[bool]:
    later = REGISTER_ENTRIES.alias()
    of_entry = (later.c.register_name == _COLUMNS.register_name) & (later.c.number == _COLUMNS.number)
    return ~select(later.c.version).where(of_entry, later.c.version > _COLUMNS.version).exists()


def _newest_is(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Any act of an entry whose newest act fulfils the condition."""
    entries = select(_COLUMNS.register_name, _COLUMNS.number).where(_newest(), condition)
    return tuple_(_COLUMNS.register_name, _COLUMNS.number).in_(entries)


def _load(tx: Tx, condition: ColumnElement[bool]) -> list[Entry]:
    """The entries by register and number; those of a register of a later release are left out."""
    query = select(REGISTER_ENTRIES).where(condition)
    rows = tx.connection.execute(
        query.order_by(_COLUMNS.register_name, _COLUMNS.number, _COLUMNS.version)
    ).all()
    return [
        Entry(REGISTERS[name], number, tuple(_entry_act(tx, row) for row in of_entry))
        for (name, number), of_entry in groupby(rows, lambda row: (row.register_name, row.number))
        if name in REGISTERS
    ]


def _entry_act(tx: Tx, row: Any) -> EntryAct:
    return EntryAct(
        row.version, row.at, row.by, Role(row.role), row.act, row.facts, _words(tx, row), row.state,
        row.owner, row.due,
    )  # fmt: skip


def _words(tx: Tx, row: Any) -> dict[str, str]:
    """The words of one act; none if they do not open, because a list must not fail for one entry."""
    if row.words_sealed is None:
        return {}
    where = words_place(row.register_name, row.number, row.version)
    try:
        words: dict[str, str] = json.loads(tx.keys.unseal(row.words_sealed, where))
    except Altered:
        note_damage(where)
        return {}
    return words


def _record(
    tx: Tx,
    register: Register,
    number: int,
    before: Entry | None,
    name: str,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    key: str | None,
    target: str | None = None,
) -> Entry:
    if name not in register.acts:
        raise BadFacts.worded("not_an_option:register_act", name=name, register=register.name)
    act = register.acts[name]
    if key is not None and not take_key(tx, f"register/{key}"):
        raise AlreadyDone.worded("already_done:repeated")
    try:
        role = authorise_entry(before, act, by)
    except NotAllowed as refused:
        record_after_rollback(tx, None, f"register {register.name} {name}", by, refused)
        raise
    facts = _with_visible_refs(tx, before, facts, by)
    owner = facts.get("owner")
    if owner and (before is None or owner != before.owner) and not load_actor(tx, owner).roles:
        raise BadFacts.worded("not_staff", field="owner")
    if (register.name, name) == ("audit", "add"):
        facts = _with_sample(tx, facts)
    if (register.name, name) == ("audit", "finish") and before is not None:
        # Complaints that the auditor may no longer open: with them the audit could never end.
        hidden = set(before.refs) - _visible(tx, before.refs, by) - answers_of(before).keys()
        facts = {**facts, "left_out": sorted(hidden)}
    calendar = load_current_rulebook(tx).calendar
    today = local_time(tx.now, calendar.zone).date()
    done = next_act(
        before, act, at=tx.now, by=by.id, role=role, today=today, facts=facts, words=words, target=target
    )
    sealed = None
    if done.words:
        text = json.dumps(dict(done.words), ensure_ascii=False)
        sealed = tx.keys.seal(text.encode(), words_place(register.name, number, done.version))
    tx.add(
        REGISTER_ENTRIES,
        register_name=register.name, number=number, version=done.version, at=done.at, by=done.by, role=role.value,
        act=name, facts=dict(done.facts), words_sealed=sealed, state=done.state, owner=done.owner, due=done.due,
    )  # fmt: skip
    entry = Entry(register, number, (*(before.acts if before else ()), done))
    record_instance_event(
        tx,
        "register",
        {"entry": f"{entry.code}.{done.version}", "act": name, "by": by.id, "state": done.state},
    )
    obligations = [*obligations_of(entry, done, calendar)]
    if before is None or before.due != entry.due:
        obligations += [reminder for reminder in reminders(entry, calendar) if reminder.due > tx.now]
    for obligation in obligations:
        insert_obligation(tx, obligation)
    for follow_up in follow_ups(entry, done, today):
        do_follow_up(tx, follow_up, entry.code)
    return entry


def do_follow_up(tx: Tx, follow_up: FollowUp, code: str = "") -> None:
    """What the desk does because of another act, here that on the entry `code`."""
    if follow_up.state is None:
        add_entry(tx, follow_up.register, follow_up.act, SYSTEM, follow_up.facts, follow_up.words)
        return
    fitting = [
        other
        for other in list_entries(tx, follow_up.register)
        if other.state == follow_up.state
        and other.code != code
        and follow_up.matching.items() <= other.facts.items()
    ]
    fitting.sort(key=lambda other: (other.due or date.max, other.number))
    for other in fitting[: 1 if follow_up.is_single else None]:
        act_on_entry(tx, other.code, follow_up.act, SYSTEM, follow_up.facts, follow_up.words)


def visible_refs(tx: Tx, entry: Entry, by: Actor) -> list[str]:
    """Those of the complaints that it names of which this person may know, in its order."""
    visible = _visible(tx, entry.refs, by)
    return [ref for ref in entry.refs if ref in visible]


def _with_visible_refs(
    tx: Tx, before: Entry | None, facts: Mapping[str, Any], by: Actor
) -> Mapping[str, Any]:
    """An entry names only complaints its author may know of; it keeps those that they could not see.

    Raises BadFacts: one answer for the others and for none.
    """
    field = "ref" if "ref" in facts else "refs"
    named = {facts["ref"]} if "ref" in facts else set(facts.get("refs", ()))
    if named - _visible(tx, named, by):
        raise BadFacts.worded("unknown_reference:of_entry", field=field)
    if before is None or "refs" not in facts:
        return facts
    hidden = set(before.refs) - _visible(tx, before.refs, by)
    return {**facts, "refs": [*facts["refs"], *(ref for ref in before.refs if ref in hidden)]}


def _visible(tx: Tx, refs: Collection[str], by: Actor) -> set[str]:
    query = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.ref.in_(refs), *(visible_to(by) if by.is_staff else ())
    )
    return set(tx.connection.execute(query).scalars()) if refs else set()


def _with_sample(tx: Tx, facts: Mapping[str, Any]) -> dict[str, Any]:
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
    query = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.received_at >= start,
        COMPLAINTS.c.received_at < end,
        COMPLAINTS.c.kind == ContactKind.COMPLAINT.value,
        COMPLAINTS.c.erased_at.is_(None),
        COMPLAINTS.c.is_simulation.is_(False),
    )
    refs = tx.connection.execute(query).scalars().all()
    seed, size = facts.get("seed") or secrets.token_hex(8), int(facts["size"])
    ranked, sample = rank_sample(refs, seed), list[str]()
    for start_at in range(0, len(ranked), _SAMPLE_PAGE):
        files = {
            file.case.ref: file.case for file in load_many(tx, ranked[start_at : start_at + _SAMPLE_PAGE])
        }
        sample += [
            ref
            for ref in ranked[start_at : start_at + _SAMPLE_PAGE]
            if ref in files
            and auditor.id not in files[ref].participants
            and is_allowed(files[ref], Access.READ, auditor)
        ]
        if len(sample) >= size:
            break
    if not sample:
        raise BadFacts.worded("nothing_to_audit", field="since")
    return {**facts, "seed": seed, "refs": sample[:size], "population": len(refs)}
