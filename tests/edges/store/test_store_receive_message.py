"""`receive_message` on both databases: one transaction per message, and a repeat changes nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from complaints.actions.intake import message_facts
from complaints.errors import UnknownReference
from complaints.vocabulary import State, Verb
from store.cases.export import export_record
from store.cases.outgoing_messages import load_contact
from store.cases.read import list_cases, load_case
from store.cases.receive_message import read_message, receive_message
from store.files import load_file_to_fetch, read_file_bytes, store_file
from store.outbox.claim import claim, count_claimable
from store.outbox.failed import (
    find_handled_keys,
    keep_dead_letter,
    list_dead_letters,
    list_failed,
    read_dead_letter,
    schedule_dead_letter,
)
from store.people.contacts import mark_blocked
from store.record.load import free_references, load_texts
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, PlannedAct, ReceiptResult, ReceivedFile, WakeUp
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, RULES, Desk
from tests.edges.obligation_rows import assert_each_obligation_has_a_row_or_comes_in_time

PHOTO = ReceivedFile(
    "file-id", "unique-id", "photo", "1", mime="image/jpeg", size=100, name="sealed name.jpg"
)


def test_a_first_message_makes_person_complaint_event_texts_and_obligations(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is brown.", files=(PHOTO,))
    record = store.read(export_record, ref)
    assert record["state"] == "received"
    assert [(row["field"], row["seq"], row["text"], row["source"]) for row in record["texts"]] == [
        ("description", 1, "The water is brown.", "1")
    ]
    assert [(row["direction"], row["text"]) for row in record["messages"]] == [("in", "The water is brown.")]
    assert record["name"] == "Mary Sealedname"
    kinds = {row["kind"] for row in store.read(list_failed, everything=True)}
    assert {"fetch", "card", "propose", "add_due"} <= kinds
    assert_each_obligation_has_a_row_or_comes_in_time(store, store.read(load_case, ref))


def test_a_repeated_update_key_changes_nothing(store: Store) -> None:
    desk = Desk(store)
    calls = []

    def step(talk: Conversation) -> DialogueTurn:
        calls.append(talk.next_ref)
        facts = message_facts(field="description", has_words=True)
        return DialogueTurn(
            state={"step": "story"},
            acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": "a b"}),),
        )

    first = store.write(receive_message, "tg:7", desk.chat(), step)
    before = store.read(export_record, first.refs[0]), store.read(list_failed, everything=True)
    assert store.write(receive_message, "tg:7", desk.chat(), step) == ReceiptResult(repeat=True)
    assert (store.read(export_record, first.refs[0]), store.read(list_failed, everything=True)) == before
    assert calls == [first.refs[0]]
    assert store.read(find_handled_keys, ["tg:7", "tg:8"]) == {"tg:7"}


def test_a_message_that_was_read_is_recorded_without_reading_it_again(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    before_each: list[int] = []

    def step(talk: Conversation) -> DialogueTurn:
        before_each.append(talk.cases[0].version)
        facts = message_facts(field="description.2", has_words=True)
        act = PlannedAct(Verb.ADD, ref, facts, {"description.2": f"after {talk.cases[0].version}"})
        return DialogueTurn(state=talk.state, acts=(act,))

    read = store.read(read_message, desk.chat(), step)
    store.write(receive_message, desk.key(), desk.chat(), step, read=read)
    assert before_each == [1]

    read = store.read(read_message, desk.chat(), step)
    desk.add(ref, "In the meantime.", source="9")
    store.write(receive_message, desk.key(), desk.chat(), step, read=read)
    # The complaint has changed since: the words are read again as a part of what it says now.
    assert before_each == [1, 2, 3]
    assert store.read(load_texts, ref)[-1].text == "after 3"


def test_a_first_message_that_was_read_begins_the_complaint_of_its_person(store: Store) -> None:
    desk = Desk(store)
    talks: list[Conversation] = []

    def step(talk: Conversation) -> DialogueTurn:
        talks.append(talk)
        facts = message_facts(field="description", has_words=True)
        return DialogueTurn(
            state={}, acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": "a b"}),)
        )

    read = store.read(read_message, desk.chat(), step)
    result = store.write(receive_message, desk.key(), desk.chat(), step, read=read)
    [talk] = talks
    assert result.refs == (talk.next_ref,)
    assert store.read(load_case, talk.next_ref).complainant == talk.person


def test_the_dialogues_state_and_the_persons_complaints_are_loaded_with_the_next_message(
    store: Store,
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.add(ref, "It smells too.")
    conversations: list[Conversation] = []
    answers: list[object] = []

    def step(talk: Conversation) -> DialogueTurn:
        conversations.append(talk)
        answers.extend([talk.texts(ref), talk.find_source("2"), talk.find_source("99"), talk.staff["U1"]])
        return DialogueTurn(state={"step": "done"}, language="tr")

    store.write(receive_message, desk.key(), desk.chat(), step)
    assert conversations[0].state == {"step": "story"}
    assert [case.ref for case in conversations[0].cases] == [ref]
    assert conversations[0].language is None
    assert answers == [
        {"description": "The water is brown.\n\nIt smells too."},
        (ref, "description", 2),
        None,
        ("Ann Sealedname", "Annie"),
    ]
    store.write(receive_message, desk.key(), desk.chat(), step)
    assert (conversations[1].state, conversations[1].language) == ({"step": "done"}, "tr")


def test_an_edit_replaces_a_text_and_every_version_is_kept(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The watr is brown.")
    desk.add(ref, "It smells.", source="2")
    desk.add(ref, "The watr is black.", source="1", replaces=1)
    desk.add(ref, "The water is black.", source="1", replaces=3)
    assert [text.text for text in store.read(load_texts, ref)] == ["The water is black.", "It smells."]
    assert [text["text"] for text in store.read(export_record, ref)["texts"]] == [
        "The watr is brown.",
        "It smells.",
        "The watr is black.",
        "The water is black.",
    ]


def test_two_chats_are_two_people_and_load_only_their_own_complaints(store: Store) -> None:
    desk = Desk(store)
    other = Chat("telegram", "70002", "tr", "Another")
    first, second = desk.receive(), desk.receive(chat=other)
    refs_by_message: list[tuple[str, ...]] = []

    def step(talk: Conversation) -> DialogueTurn:
        refs_by_message.append(tuple(case.ref for case in talk.cases))
        return DialogueTurn(state=talk.state)

    store.write(receive_message, desk.key(), desk.chat(), step)
    store.write(receive_message, desk.key(), other, step)
    assert refs_by_message == [(first,), (second,)]
    assert store.read(load_case, first).complainant != store.read(load_case, second).complainant
    assert store.read(load_case, second).language == "tr"


def test_a_complaint_older_than_the_loaded_ones_is_found_by_reference_from_its_own_chat_only(
    store: Store,
) -> None:
    desk = Desk(store)
    oldest = desk.receive()
    for _ in range(20):
        desk.receive()
    desk.add(oldest, "Still brown.")
    assert store.read(load_case, oldest).words == 2
    with pytest.raises(UnknownReference):
        desk.add(oldest, "Mine too.", chat=desk.chat("70002"))


def test_a_failed_message_leaves_nothing_behind_and_may_be_sent_again(store: Store) -> None:
    desk = Desk(store)

    def broken(talk: Conversation) -> DialogueTurn:
        facts = message_facts(field="description", has_words=True)
        good = PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": "a story"})
        return DialogueTurn(
            state={"step": "x"}, acts=(good, PlannedAct(Verb.ADD, "no such reference", facts))
        )

    with pytest.raises(UnknownReference):
        store.write(receive_message, "tg:9", desk.chat(), broken)
    assert store.read(find_handled_keys, ["tg:9"]) == set()
    assert store.read(list_cases) == ([], None)
    assert store.read(list_failed, everything=True) == []
    assert store.write(
        receive_message, "tg:9", desk.chat(), lambda talk: DialogueTurn(state={"n": len(talk.cases)})
    ) == ReceiptResult(repeat=False)


def test_a_wake_up_is_due_at_its_time_and_is_handled_under_its_own_key(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(seconds=20)
    for chat in (desk.chat(), desk.chat("70002")):
        desk.receive(chat=chat, wakes=(WakeUp("burst:1", "burst", due),))
    assert store.write(claim, ["wake"], 10, 60) == []
    clock.go_on(seconds=20)
    first, second = store.write(claim, ["wake"], 10, 60)
    assert (first.facts, first.chat.address, second.chat.address) == ({"what": "burst"}, "70001", "70002")  # type: ignore[union-attr]
    for obligation in (first, second):
        assert obligation.chat is not None
        result = store.write(
            receive_message,
            obligation.key,
            obligation.chat,
            lambda talk: DialogueTurn(state={"step": "asked"}),
            completes=obligation.id,
        )
        assert result == ReceiptResult(repeat=False)
    assert store.read(count_claimable, ["wake"]) == 0


def test_the_same_wake_up_twice_is_scheduled_once(store: Store) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(seconds=20)
    ref = desk.receive(wakes=(WakeUp("burst:1", "burst", due),))
    store.write(
        receive_message,
        desk.key(),
        desk.chat(),
        lambda talk: DialogueTurn(state={}, wake_ups=(WakeUp("burst:1", "burst", due),)),
    )
    assert [row["kind"] for row in store.read(list_failed, everything=True)].count("wake") == 1
    assert store.read(load_case, ref).version == 1


def test_simultaneous_messages_of_one_chat_make_one_person_and_are_handled_in_turn(store: Store) -> None:
    desk = Desk(store)
    people: list[str] = []

    def step(talk: Conversation) -> DialogueTurn:
        people.append(talk.person)
        return DialogueTurn(state={"n": talk.state.get("n", 0) + 1})

    threads = [
        threading.Thread(
            target=partial(store.write, receive_message), args=(f"tg:at-once:{n}", desk.chat(), step)
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts: list[int] = []
    store.write(
        receive_message,
        desk.key(),
        desk.chat(),
        lambda talk: counts.append(talk.state["n"]) or DialogueTurn(state={}),
    )  # type: ignore[func-returns-value]
    assert (len(set(people)), len(people), counts) == (1, 8, [8])


def test_a_blocked_chat_is_no_contact_until_it_writes_again(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    contact = store.read(load_contact, ref)
    assert contact is not None
    assert (contact.address, contact.language, contact.name) == ("70001", "en", "Mary Sealedname")
    store.write(mark_blocked, desk.chat(), True, store.now())
    assert store.read(load_contact, ref) is None
    store.write(receive_message, desk.key(), desk.chat(), lambda talk: DialogueTurn(state={}, blocked=False))
    assert store.read(load_contact, ref) is not None


def test_an_unreadable_message_is_kept_encrypted_as_a_dead_letter_and_counts_as_received(
    store: Store,
) -> None:
    store.write(keep_dead_letter, "tg:5", b'{"secret": "words"}', "not an update")
    assert store.read(find_handled_keys, ["tg:5", "tg:6"]) == {"tg:5"}
    (row,) = store.read(list_dead_letters)
    assert (row["key"], row["why"]) == ("tg:5", "not an update")
    raw = store.read(read_dead_letter, row["id"])
    assert (raw.key, raw.raw) == ("tg:5", b'{"secret": "words"}')
    store.write(schedule_dead_letter, row["id"])
    assert {row["kind"] for row in store.read(list_failed, everything=True)} == {"told_failed", "inbox"}
    store.write(receive_message, "tg:5", Chat("telegram", "1"), lambda talk: DialogueTurn(state={}))
    assert store.read(list_dead_letters) == []


def test_a_file_is_fetched_by_an_obligation_and_opened_only_with_a_recorded_read(store: Store) -> None:
    desk = Desk(store)
    large = ReceivedFile("big", "b", "video", "1", size=21_000_000)
    ref = desk.receive(files=(PHOTO, large))
    (obligation,) = store.write(claim, ["fetch"], 10, 60)
    file = store.read(load_file_to_fetch, obligation)
    assert (file.ref, file.n, file.platform_id, file.name) == (ref, 1, "file-id", "sealed name.jpg")
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10_000
    store.write(store_file, ref, 1, data, "image/png")
    assert store.write(read_file_bytes, ref, 1, desk.actor("U1")) == data
    states = [
        (row["seq"], row["state"], row["mime"], row["size"])
        for row in store.read(export_record, ref)["files"]
    ]
    assert states == [(1, "fetched", "image/png", len(data)), (2, "too_large", None, 21_000_000)]
    assert [(row["by"], row["what"]) for row in store.read(export_record, ref)["reads"]] == [("U1", "file:1")]


@clause("8.3")
def test_a_simulated_contact_is_handled_like_any_other_and_marked_as_a_simulation(store: Store) -> None:
    desk = Desk(store)
    desk.store.write(use_rulebook, replace(RULES, simulated=("70099",)))
    tested, real = desk.receive(chat=desk.chat("70099")), desk.receive(chat=desk.chat("70001"))
    assert (desk.case(tested).is_simulation, desk.case(real).is_simulation) == (True, False)
    desk.act(tested, Verb.ASSESS, facts=ASSESSED)
    assert desk.case(tested).state is State.ASSESSED
    assert desk.case(tested).rules.simulated == ("70099",)


def test_a_drawn_reference_that_another_complaint_has_is_drawn_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Desk(store).receive()
    drawn = iter([taken, "AAA-AAA-A3", "AAA-AAA-A3", taken, "AAA-AAA-A4"])
    monkeypatch.setattr("store.record.load.new_reference", lambda below: next(drawn))
    assert store.read(free_references, 2) == ["AAA-AAA-A3", "AAA-AAA-A4"]
