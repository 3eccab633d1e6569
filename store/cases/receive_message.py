"""Receive one incoming message of a chat in one transaction (docs/design.md, rule 1). A repeat changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from typing import Any

from complaints.actions.intake import MACHINE_MADE, TRANSLATION, Arrival
from complaints.actions.perform import receive
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor, complainant
from complaints.case import Event
from complaints.errors import UnknownReference
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.rulebook import Rulebooks
from store.cases.act import act_on, begin_record
from store.cases.bind import check_code, use_code
from store.cases.conflicts import with_conflicts
from store.database.transaction import Tx
from store.files import load_received_files, record_received_files
from store.incidents import list_open_incidents
from store.outbox.complete import complete
from store.outbox.rows import chat_scope, obligation_row, schedule_for_case, seal_payload, wake_up_row
from store.people import staff
from store.people.contacts import (
    ContactPoint,
    find_contact,
    find_or_create_contact,
    keep_language,
    keep_state,
    lock_chat,
    new_person,
)
from store.people.contacts import mark_blocked as set_blocked
from store.people.identification import add_identifiers_in
from store.proof.received_keys import take_key
from store.record.load import (
    CaseFile,
    find_case_of_message,
    find_text_by_source,
    free_references,
    load_case_file,
    load_decision_letter,
    load_files_of_person,
    load_readable_texts,
)
from store.rulebooks import load_current_rulebooks
from store.tables import MESSAGES, OBLIGATIONS
from store.values import Chat, Conversation, DialogueTurn, PlannedAct, ReceiptResult, ReplyText, Step

#: The dialogue gets this many of a person's complaints; older ones are loaded by reference.
MOST_CASES = 20
#: The replies of a turn leave before the letters that its acts make due, such as the acknowledgement.
BEFORE_LETTERS = timedelta(milliseconds=1)


@dataclass(frozen=True)
class _Basis:
    """What a turn follows from: it is computed again if any of it has changed. Heads are those of hash chains."""

    person: str
    state: Mapping[str, Any]
    language: str | None
    heads: Mapping[str, str]


@dataclass(frozen=True)
class ReadMessage:
    """The turn that follows from a message, and the state of the conversation that it follows from."""

    person: str
    next_ref: str
    basis: _Basis
    turn: DialogueTurn


def read_message(tx: Tx, chat: Chat, step: Step) -> ReadMessage:
    """Run `step` before the transaction that records the message: to understand words takes long."""
    contact = find_contact(tx, chat) or ContactPoint(0, new_person(), b"", None, chat.name, False, {})
    return _run(tx, chat, contact, _Files(tx, contact.person, lock=False), step)


def receive_message(
    tx: Tx,
    key: str,
    chat: Chat,
    step: Step,
    *,
    read: ReadMessage | None = None,
    completes: int | None = None,
) -> ReceiptResult:
    """Write the message's key, load and lock the conversation, and record all that `step` plans.

    `step` is pure; its replies are sent later, as obligations. It runs inside the transaction without `read`, or if
    the conversation has changed since then. `completes` is the obligation that this completes: a wake-up, or a dead
    letter that is tried again.
    """
    lock_chat(tx, chat)
    if not take_key(tx, key):
        if completes is not None:
            complete(tx, completes)
        return ReceiptResult(repeat=True)
    contact = find_or_create_contact(tx, chat, None if read is None else read.person)
    files = _Files(tx, contact.person, lock=True)
    if read is None or read.turn.code is not None or read.basis != files.basis(contact, read.basis.heads):
        read = _run(tx, chat, contact, files, step)
    turn, rules = read.turn, cache(partial(load_current_rulebooks, tx))
    if turn.language is not None and turn.language != contact.language:
        keep_language(tx, contact.person, turn.language)
    bound = None if turn.code is None else use_code(tx, contact, turn.code)
    refs = [] if bound is None else [bound.case.ref]
    if bound is not None:
        files.keep(bound)
    refs += [_perform(tx, contact, chat, turn, planned, files, read.next_ref, rules) for planned in turn.acts]
    if turn.state != contact.state:
        keep_state(tx, contact.id, dict(turn.state))
    if turn.blocked is not None and turn.blocked != contact.blocked:
        set_blocked(tx, chat, turn.blocked, tx.now)
    _schedule_replies(tx, contact, turn)
    if completes is not None:
        complete(tx, completes)
    return ReceiptResult(repeat=False, refs=tuple(dict.fromkeys(refs)))


def _run(tx: Tx, chat: Chat, contact: ContactPoint, files: _Files, step: Step) -> ReadMessage:
    (next_ref,) = free_references(tx, 1)
    turn = step(
        Conversation(
            chat=chat,
            person=contact.person,
            state=contact.state,
            language=contact.language,
            cases=tuple(file.case for file in files.newest),
            next_ref=next_ref,
            texts=lambda ref: load_readable_texts(tx, files.of(ref)),
            find_source=lambda source: find_text_by_source(tx, contact.person, source),
            staff=_LazyNames(lambda: staff.list_names(tx)),
            rules=cache(partial(load_current_rulebooks, tx)),
            incidents=lambda: tuple(list_open_incidents(tx)),
            find_ref_of_message=lambda platform_id: find_case_of_message(tx, contact.id, platform_id),
            load_decision_letter=lambda ref: load_decision_letter(tx, files.of(ref).case),
            load_events=lambda ref: files.of(ref).events,
            load_files=lambda ref: load_received_files(tx, files.of(ref)),
            count_reviewers=lambda case: staff.count_reviewers(tx, case),
            check_code=partial(check_code, tx, contact),
        )
    )
    return ReadMessage(contact.person, next_ref, files.basis(contact), turn)


def _perform(
    tx: Tx,
    contact: ContactPoint,
    chat: Chat,
    turn: DialogueTurn,
    planned: PlannedAct,
    files: _Files,
    next_ref: str,
    rules: Callable[[], Rulebooks],
) -> str:
    by = complainant(contact.person)
    if ACTIONS[planned.verb].begins:
        if planned.ref != next_ref:
            raise ValueError("a complaint received in a conversation takes its next_ref")
        event, file = _receive(tx, contact, chat, turn, planned, by, rules())
    else:
        target = files.of(planned.ref)
        if target.case.merged_into is not None:
            # A message about a merged complaint goes to the complaint that it was merged into.
            target = files.of(target.case.merged_into)
            planned = replace(planned, ref=target.case.ref)
        recorded, file = act_on(tx, target, planned.verb, by, planned.facts, planned.words)
        event = recorded.event
    files.keep(file)
    kind = planned.facts.get("kind")
    if kind != TRANSLATION:
        # A machine can change a number: staff search by the original.
        add_identifiers_in(tx, file, planned.words.values(), planned.numbers)
    if (planned.words or planned.files) and kind not in MACHINE_MADE:
        _write_message(tx, contact, chat, planned, event)
    if planned.translate:
        facts = {"event": event.seq}
        later = NewObligation(f"translate:{event.seq}", "translate", tx.now, SendPriority.BULK, facts)
        schedule_for_case(tx, planned.ref, contact.id, [later])
    if planned.files:
        record_received_files(tx, file, event.seq, planned.files)
    return planned.ref


def _receive(
    tx: Tx,
    contact: ContactPoint,
    chat: Chat,
    turn: DialogueTurn,
    planned: PlannedAct,
    by: Actor,
    rulebooks: Rulebooks,
) -> tuple[Event, CaseFile]:
    rules = rulebooks.of(turn.jurisdiction)
    language = turn.language or contact.language or chat.language
    arrival = Arrival(
        ref=planned.ref,
        complainant=contact.person,
        channel=chat.channel,
        language=language if language in rulebooks.languages else rules.languages[0],
        received_at=tx.now,
        rules=rules,
    )
    facts = with_conflicts(tx, rules, planned.facts)
    if chat.channel == "telegram" and chat.address in rules.simulated:
        facts = {**facts, "is_simulation": True}
    done = receive(arrival, at=tx.now, actor=by, facts=facts, words=planned.words)
    return done.event, begin_record(tx, done, contact_id=contact.id, name=contact.name)


def _write_message(tx: Tx, contact: ContactPoint, chat: Chat, planned: PlannedAct, event: Event) -> None:
    """Record the incoming message; its words are stored only once, with the texts of its event."""
    source = planned.facts.get("source")
    tx.add(
        MESSAGES,
        ref=planned.ref,
        contact_id=contact.id,
        seq=event.seq,
        direction="in",
        channel=chat.channel,
        at=tx.now,
        platform_id=None if source is None else str(source),
        language=contact.language,
        state="received",
    )


def _schedule_replies(tx: Tx, contact: ContactPoint, turn: DialogueTurn) -> None:
    rows = [_reply_row(tx, contact, reply) for reply in turn.replies]
    rows += [wake_up_row(contact.id, wake_up.key, wake_up.what, wake_up.due) for wake_up in turn.wake_ups]
    tx.insert_missing(OBLIGATIONS, rows)
    tx.obligations_changed = tx.obligations_changed or bool(rows)


def _reply_row(tx: Tx, contact: ContactPoint, reply: ReplyText) -> dict[str, Any]:
    scope = chat_scope(contact.id)
    payload = {
        "template": reply.template,
        "fields": dict(reply.fields),
        "buttons": [list(row) for row in reply.buttons],
        "step": reply.step,
    }
    return obligation_row(
        NewObligation(reply.key, reply.kind, tx.now - BEFORE_LETTERS, reply.lane),
        scope=scope,
        ref=reply.ref,
        contact_id=contact.id,
        at=tx.now,
        payload=seal_payload(tx.keys, contact.key, payload, scope, reply.key),
    )


class _Files:
    """The complaints of one person during one message, each as the latest act left it."""

    def __init__(self, tx: Tx, person: str, *, lock: bool) -> None:
        self._tx, self._person, self._lock = tx, person, lock
        self.newest = load_files_of_person(tx, person, MOST_CASES, lock=lock)
        self._loaded = {file.case.ref: file for file in self.newest}

    def of(self, ref: str) -> CaseFile:
        """One of this person's complaints; raises UnknownReference for any other."""
        if ref not in self._loaded:
            file = load_case_file(self._tx, ref, lock=self._lock)
            if file.case.complainant != self._person:
                raise UnknownReference.worded("unknown_reference:own", ref=ref)
            self._loaded[ref] = file
        return self._loaded[ref]

    def keep(self, file: CaseFile) -> None:
        self._loaded[file.case.ref] = file

    def basis(self, contact: ContactPoint, refs: Iterable[str] = ()) -> _Basis:
        """The state of the conversation, with the complaints loaded so far and those of `refs`."""
        for ref in refs:
            self.of(ref)
        heads = {ref: file.head for ref, file in self._loaded.items()}
        return _Basis(contact.person, contact.state, contact.language, heads)


class _LazyNames(Mapping[str, tuple[str, ...]]):
    """The names of staff by member, read from the database on first use: most messages need none."""

    def __init__(self, read: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        self._read = read
        self._cached: Mapping[str, tuple[str, ...]] | None = None

    def _names(self) -> Mapping[str, tuple[str, ...]]:
        if self._cached is None:
            self._cached = self._read()
        return self._cached

    def __getitem__(self, member: str) -> tuple[str, ...]:
        return self._names()[member]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())
