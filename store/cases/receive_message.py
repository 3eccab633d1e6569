"""`hear`: one message in, one transaction (docs/design.md, rule 1). A known key changes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from complaints.actions.intake import Arrival
from complaints.actions.perform import receive
from complaints.actors import Actor, complainant
from complaints.case import Event
from complaints.errors import UnknownReference
from complaints.obligations.kinds import NewObligation
from complaints.references import new_reference
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Verb
from store.cases.act import act_on, begin_record, settle
from store.cases.bind import Codes
from store.cases.conflicts import with_people
from store.cases.load import CaseFile, load_case_file, load_of_person
from store.database.transaction import Tx
from store.files import announce
from store.incidents.incidents import list_open_incidents
from store.outbox.rows import chat_scope, row_of, seal_payload, wake
from store.people import staff
from store.people.contacts import ContactPoint, find_or_make, keep_language, keep_state, lock_chat
from store.people.contacts import mark_blocked as set_blocked
from store.people.identifiers import file_numbers
from store.rulebooks import load_current_rulebooks
from store.tables import HEARD, MESSAGES, OBLIGATIONS
from store.texts import decision_letter, newest_texts, posted_about, source_of
from store.values import Chat, Conversation, DialogueTurn, PlannedAct, ReceiptResult, ReplyText, Step

#: Older complaints of a person are found by their reference.
MOST_CASES = 20


def receive_message(tx: Tx, key: str, chat: Chat, step: Step, *, settles: int | None = None) -> ReceiptResult:
    """Take one message of a chat: write its key, load and lock the talk, run `step`, keep all it asks for.

    `step` is pure and runs inside the transaction; what it says leaves later, as obligations. `settles` is
    the obligation (a wake, a message set aside) that this hearing was.
    """
    lock_chat(tx, chat)
    if not tx.take(HEARD, {"key": key, "at": tx.now}):
        if settles is not None:
            settle(tx, settles)
        return ReceiptResult(repeat=True)
    contact = find_or_make(tx, chat)
    files = _Files(tx, contact.person)
    next_ref = new_reference(secrets.randbelow)
    codes = Codes(tx, contact)
    rules: Callable[[], Rulebooks] = cache(partial(load_current_rulebooks, tx))
    turn = step(
        Conversation(
            chat=chat,
            person=contact.person,
            state=contact.state,
            language=contact.language,
            cases=tuple(one.case for one in files.newest),
            next_ref=next_ref,
            texts=lambda ref: newest_texts(tx, files.of(ref)),
            sources=lambda source: source_of(tx, contact.person, source),
            staff=_Lazily(lambda: staff.names(tx)),
            rules=rules,
            incidents=lambda: tuple(list_open_incidents(tx)),
            posted=lambda platform_id: posted_about(tx, contact.id, platform_id),
            decided=lambda ref: decision_letter(tx, files.of(ref).case),
            code=codes,
        )
    )
    if turn.language is not None and turn.language != contact.language:
        keep_language(tx, contact.person, turn.language)
    refs = [
        _bind(codes, files, one.ref)
        if one.verb is Verb.BIND
        else _do(tx, contact, chat, turn, one, files, next_ref, rules)
        for one in turn.acts
    ]
    if turn.state != contact.state:
        keep_state(tx, contact.id, dict(turn.state))
    if turn.blocked is not None and turn.blocked != contact.blocked:
        set_blocked(tx, chat, turn.blocked, tx.now)
    _owe(tx, contact, turn)
    if settles is not None:
        settle(tx, settles)
    return ReceiptResult(repeat=False, refs=tuple(dict.fromkeys(refs)))


def _do(
    tx: Tx,
    contact: ContactPoint,
    chat: Chat,
    turn: DialogueTurn,
    one: PlannedAct,
    files: _Files,
    next_ref: str,
    rules: Callable[[], Rulebooks],
) -> str:
    by = complainant(contact.person)
    if one.verb is Verb.RECEIVE:
        if one.ref != next_ref:
            raise ValueError("a complaint received in a talk takes the conversation's next_ref")
        event, file = _receive(tx, contact, chat, turn, one, by, rules())
    else:
        meant = files.of(one.ref)
        if meant.case.merged_into is not None:
            # What is said to a merged complaint is said to the one that goes on.
            meant = files.of(meant.case.merged_into)
            one = replace(one, ref=meant.case.ref)
        recorded, file = act_on(tx, meant, one.verb, by, one.facts, one.words)
        event = recorded.event
    files.keep(file)
    file_numbers(tx, file, one.words.values())
    if one.words or one.files:
        _message_in(tx, contact, chat, one, event)
    if one.files:
        announce(tx, file, event.seq, one.files)
    return one.ref


def _bind(codes: Codes, files: _Files, ref: str) -> str:
    """Only a code that this hearing found opens a complaint of somebody else's."""
    files.keep(codes.redeem(ref))
    return ref


def _receive(
    tx: Tx,
    contact: ContactPoint,
    chat: Chat,
    turn: DialogueTurn,
    one: PlannedAct,
    by: Actor,
    in_force: Rulebooks,
) -> tuple[Event, CaseFile]:
    rules = in_force.of(turn.jurisdiction)
    asked = turn.language or contact.language or chat.language
    arrival = Arrival(
        ref=one.ref,
        complainant=contact.person,
        channel=chat.channel,
        language=asked if asked in in_force.languages else rules.languages[0],
        received_at=tx.now,
        rules=rules,
    )
    facts = with_people(tx, rules, one.facts)
    if chat.channel == "telegram" and chat.address in rules.simulated:
        facts = {**facts, "is_simulation": True}
    done = receive(arrival, at=tx.now, by=by, facts=facts, words=one.words)
    return done.event, begin_record(tx, done, contact_id=contact.id)


def _message_in(tx: Tx, contact: ContactPoint, chat: Chat, one: PlannedAct, event: Event) -> None:
    """What came in is on the record as a message too; its words stand among the texts of its event."""
    source = one.facts.get("source")
    tx.add(
        MESSAGES,
        ref=one.ref,
        contact_id=contact.id,
        seq=event.seq,
        direction="in",
        channel=chat.channel,
        at=tx.now,
        platform_id=None if source is None else str(source),
        language=contact.language,
        state="received",
    )


def _owe(tx: Tx, contact: ContactPoint, turn: DialogueTurn) -> None:
    rows = [_say_row(tx, contact, one) for one in turn.says]
    rows += [wake(contact.id, one.key, one.what, one.due) for one in turn.wakes]
    tx.insert_new(OBLIGATIONS, rows)
    tx.owing = tx.owing or bool(rows)


def _say_row(tx: Tx, contact: ContactPoint, one: ReplyText) -> dict[str, Any]:
    scope = chat_scope(contact.id)
    payload = {
        "template": one.template,
        "fields": dict(one.fields),
        "buttons": [list(row) for row in one.buttons],
        "step": one.step,
    }
    return row_of(
        NewObligation(one.key, one.kind, tx.now, one.lane),
        scope=scope,
        ref=one.ref,
        contact_id=contact.id,
        at=tx.now,
        payload=seal_payload(tx.keys, contact.key, payload, scope, one.key),
    )


class _Files:
    """A person's complaints in one hearing, as its acts leave them; nobody else's are found here."""

    def __init__(self, tx: Tx, person: str) -> None:
        self._tx, self._person = tx, person
        self.newest = load_of_person(tx, person, MOST_CASES)
        self._known = {one.case.ref: one for one in self.newest}

    def of(self, ref: str) -> CaseFile:
        """One of them; UnknownReference where it is none of this person's."""
        if ref not in self._known:
            file = load_case_file(self._tx, ref, lock=True)
            if file.case.complainant != self._person:
                raise UnknownReference(f"No complaint of yours has the reference {ref}: check each letter.")
            self._known[ref] = file
        return self._known[ref]

    def keep(self, file: CaseFile) -> None:
        """It is like this now."""
        self._known[file.case.ref] = file


class _Lazily(Mapping[str, tuple[str, ...]]):
    """The names of staff, read only when a step looks at them: most messages need none."""

    def __init__(self, read: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        self._read = read
        self._known: Mapping[str, tuple[str, ...]] | None = None

    def _names(self) -> Mapping[str, tuple[str, ...]]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def __getitem__(self, member: str) -> tuple[str, ...]:
        return self._names()[member]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())
