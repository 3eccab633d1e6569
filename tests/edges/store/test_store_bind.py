"""A binding code moves a logged complaint to a chat: once, for seven days, never by guessing."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from complaints.actors import SYSTEM
from complaints.errors import AlreadyDone, NotAllowed, UnknownReference
from complaints.vocabulary import State, Verb
from store.cases.act import act
from store.cases.bind import create_bind_code
from store.cases.export import export_record
from store.cases.outgoing_messages import load_contact
from store.cases.read import load_case, load_history, open_case
from store.cases.receive_message import receive_message
from store.custody.erasure import erase_complainant
from store.custody.verify import verify
from store.outbox.claim import claim
from store.outbox.complete import complete, is_still_required
from store.outbox.deliveries import save_words_to_read_out
from store.outbox.failed import list_failed
from store.store import Store
from store.tables import ATTEMPTS, BINDINGS, CASE_PEOPLE, COMPLAINTS, PEOPLE
from store.values import Chat, Code, CodeState, Conversation, DialogueTurn, PlannedAct
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, Desk, refused
from tests.edges.store.test_store_log import CALLER_WORDS, INTAKE_MEMBER, desk_of, log

ANNA = Chat("telegram", "70001", "en", "Anna Sealedname")
OTHER = Chat("telegram", "70002", "en", "Carl Sealedname")


def sends(desk: Desk, code: str, chat: Chat = ANNA) -> Code:
    """Send the code alone from this chat; the result that the dialogue sees."""
    codes: list[Code] = []

    def step(talk: Conversation) -> DialogueTurn:
        codes.append(talk.check_code(code))
        return DialogueTurn(state=talk.state, code=code)

    desk.store.write(receive_message, desk.key(), chat, step)
    return codes[0]


def code_of(desk: Desk, ref: str) -> str:
    code, _ = desk.store.write(create_bind_code, ref, desk.actor(HANDLER))
    return code


def refs_of(desk: Desk, chat: Chat = ANNA) -> list[str]:
    refs: list[str] = []

    def step(talk: Conversation) -> DialogueTurn:
        refs.extend(case.ref for case in talk.cases)
        return DialogueTurn(state=talk.state)

    desk.store.write(receive_message, desk.key(), chat, step)
    return refs


@clause("4.3")
def test_a_code_binds_the_complaint_to_the_chat_and_the_record_still_verifies(
    store: Store, clock: FakeClock
) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    logged_as = store.read(load_case, ref).complainant
    code = code_of(desk, ref)
    assert len(code) == 8
    assert code.isdecimal()
    clock.go_on(minutes=1)
    assert sends(desk, code).state is CodeState.FOUND
    case = store.read(load_case, ref)
    people = select(CASE_PEOPLE.c.person_id).where(CASE_PEOPLE.c.ref == ref)
    person_ids = store.read(lambda tx: set(tx.connection.execute(people).scalars()))
    assert (case.has_chat, case.reachable) == (True, True)
    assert person_ids == {logged_as, case.complainant}
    assert logged_as != case.complainant
    assert refs_of(desk) == [ref]
    assert store.read(load_contact, ref) == Chat("telegram", "70001", "en", "Anna Sealedname")
    opened = store.write(open_case, ref, desk.actor(HANDLER), "open")
    assert opened.complainant_name == "Mary Sealedname / Anna Sealedname"
    assert store.read(verify).first_bad is None


def test_a_representative_stays_a_representative_in_the_chat(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk, {**CALLER_WORDS, "for_whom": "Her neighbour"}).ref
    sends(desk, code_of(desk, ref))
    roles = sorted(person["role"] for person in store.read(export_record, ref)["people"])
    assert roles == ["affected", *["complainant"] * 2, *["representative"] * 2]


def test_only_the_hash_of_a_code_is_stored(store: Store) -> None:
    desk = desk_of(store)
    code = code_of(desk, log(desk).ref)
    rows = store.read(lambda tx: list(tx.connection.execute(select(BINDINGS))))
    assert len(rows) == 1
    assert code.encode() not in bytes(rows[0].code_index)
    assert code not in str([dict(event.facts) for event in store.read(load_history, rows[0].ref)])


def test_a_code_works_once_and_its_own_person_sees_that_it_was_theirs(store: Store) -> None:
    desk = desk_of(store)
    code = code_of(desk, log(desk).ref)
    sends(desk, code)
    assert sends(desk, code).state is CodeState.YOURS
    assert sends(desk, code, OTHER) == Code(CodeState.USED)
    assert refs_of(desk, OTHER) == []


def test_a_code_expires_after_seven_days_or_when_a_newer_one_is_made(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    first = code_of(desk, ref)
    second = code_of(desk, ref)
    assert sends(desk, first).state is CodeState.EXPIRED
    clock.go_on(days=7)
    assert sends(desk, second).state is CodeState.EXPIRED
    assert not store.read(load_case, ref).has_chat


@clause("4.7")
def test_after_five_wrong_codes_the_right_one_is_locked_for_a_day(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    code = code_of(desk, ref)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    states = [sends(desk, wrong).state for _ in range(5)] + [sends(desk, code).state]
    assert states == [CodeState.UNKNOWN] * 5 + [CodeState.LOCKED]
    assert not store.read(load_case, ref).has_chat
    attempts = select(ATTEMPTS.c.code)
    assert store.read(lambda tx: list(tx.connection.execute(attempts).scalars())) == ["code.unknown"] * 5
    clock.go_on(hours=25)
    assert sends(desk, code).state is CodeState.FOUND


def test_a_code_sent_five_times_while_guessing_is_locked_for_every_chat(store: Store) -> None:
    desk = desk_of(store)
    code = code_of(desk, log(desk).ref)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(5):
        sends(desk, wrong)
    for _ in range(5):
        sends(desk, code)
    # As for a code that never existed: another chat does not learn that somebody guessed right.
    assert sends(desk, code, OTHER).state is CodeState.UNKNOWN


def test_a_repeated_update_counts_no_further_wrong_code(store: Store) -> None:
    desk = desk_of(store)

    def step(talk: Conversation) -> DialogueTurn:
        return DialogueTurn(state=talk.state, code="00000000")

    for _ in range(3):
        store.write(receive_message, "tg:900", ANNA, step)
    query = select(ATTEMPTS.c.id)
    assert len(store.read(lambda tx: list(tx.connection.execute(query)))) == 1
    assert desk.actor(INTAKE_MEMBER).roles


def test_a_bind_act_without_a_code_is_refused(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref

    def step(talk: Conversation) -> DialogueTurn:
        return DialogueTurn(state=talk.state, acts=(PlannedAct(Verb.BIND, ref),))

    refused(lambda: store.write(receive_message, desk.key(), OTHER, step), UnknownReference)
    assert not store.read(load_case, ref).has_chat


def test_a_member_without_permission_makes_no_code_and_a_complaint_with_a_chat_needs_none(
    store: Store,
) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    refused(lambda: store.write(create_bind_code, ref, desk.actor(INTAKE_MEMBER)), NotAllowed)
    from_chat = desk.receive()
    refused(lambda: store.write(create_bind_code, from_chat, desk.actor(HANDLER)), AlreadyDone)
    rows = store.read(lambda tx: list(tx.connection.execute(select(BINDINGS))))
    assert rows == []


def _open_obligations(store: Store, ref: str) -> Mapping[str, str]:
    return {row["key"]: row["kind"] for row in store.read(list_failed, everything=True) if row["ref"] == ref}


@clause("7.3")
def test_messages_not_yet_told_by_voice_are_sent_to_the_chat_after_binding(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    desk.act(ref, Verb.REPLY, facts={}, words={"text": "We look into it.", "letter": "Dear Mary"})
    reply = store.read(load_history, ref)[-1].seq
    claimed = {obligation.key: obligation for obligation in store.write(claim, ("tell_by_voice",), 10, 90.0)}
    letter = claimed[f"voice:letter:{reply}"]
    store.write(save_words_to_read_out, letter, "Dear Mary", template="reply", language="en")
    store.write(complete, letter.id)
    sends(desk, code_of(desk, ref))
    kinds = _open_obligations(store, ref)
    assert kinds["ack:1"] == "acknowledge"
    assert kinds[f"letter:{reply}"] == "letter"
    assert "tell_by_voice" not in {
        obligation.kind
        for obligation in store.write(claim, ("tell_by_voice", "letter"), 10, 90.0)
        if store.read(is_still_required, obligation)
    }
    assert [
        message["state"]
        for message in store.read(export_record, ref)["messages"]
        if message["direction"] == "out"
    ] == ["by_chat"]


def test_an_acknowledgement_given_by_voice_is_not_repeated_in_the_chat(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    facts = {"what": "acknowledge", "given_at": "2026-11-03T10:00:00Z", "level": 1}
    desk.act(ref, Verb.ACKNOWLEDGE, HANDLER, facts, {"by_whom": "on the phone"})
    sends(desk, code_of(desk, ref))
    assert "ack:1" not in _open_obligations(store, ref)


def test_no_code_opens_an_erased_complaint(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    code = code_of(desk, ref)
    words = {"reason": "out of our scope"}
    desk.act(ref, Verb.NOT_ACCEPT, "U3", {}, words)
    store.write(act, ref, Verb.ERASE, SYSTEM)
    assert store.read(load_case, ref).state is State.CLOSED
    assert sends(desk, code).state is CodeState.UNKNOWN


def test_binding_records_the_chat_as_the_complaints_contact(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    sends(desk, code_of(desk, ref))
    query = select(COMPLAINTS.c.complainant_id, COMPLAINTS.c.contact_id).where(COMPLAINTS.c.ref == ref)
    row = store.read(lambda tx: tx.connection.execute(query).one())
    assert row.complainant_id == store.read(load_case, ref).complainant
    assert row.contact_id is not None
    events = store.read(load_history, ref)
    assert [(event.verb, event.role.value) for event in events if event.verb is Verb.BIND] == [
        (Verb.BIND, "handler"),
        (Verb.BIND, "complainant"),
    ]


@clause("8.1")
def test_erasing_a_bound_complaint_erases_both_of_its_persons(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    sends(desk, code_of(desk, ref))
    desk.act(ref, Verb.NOT_ACCEPT, "U3", {}, {"reason": "out of our scope"})
    done = store.write(erase_complainant, ref, "request")
    query = select(PEOPLE.c.key_wrapped)
    keys = store.read(lambda tx: list(tx.connection.execute(query).scalars()))
    assert (done.erased, done.person_erased) == ((ref,), True)
    assert keys == [None, None]


def test_a_later_complaint_from_the_same_phone_is_not_shown_in_the_bound_chat(store: Store) -> None:
    desk = desk_of(store)
    first = log(desk)
    sends(desk, code_of(desk, first.ref))
    second = log(desk, key="slack:log:2")
    assert second.complainant == first.complainant
    assert refs_of(desk) == [first.ref]
    assert second.is_offline
