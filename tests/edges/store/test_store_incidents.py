"""Incidents in the store: opened, joined, updated, ended, and verified like every other record; both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.batch import Batch
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed, Stale, UnknownReference
from complaints.incidents import Incident, IncidentAct
from complaints.obligations.resend import failed_delivery_facts
from complaints.vocabulary import Verb
from store.cases.batches import list_batch_deliveries
from store.cases.export import export_record
from store.cases.incident_acts import (
    load_update_text,
    record_incident_update,
    schedule_incident_update,
    take_back_from_all,
)
from store.cases.outgoing_messages import begin_sending, record_sent, record_unsent
from store.cases.read import load_case, load_history
from store.custody.erasure import erase
from store.custody.verify import verify
from store.incidents import (
    CHAIN,
    act_on_incident,
    count_incident_cases,
    list_incident_cases,
    list_open_incidents,
    load_incident,
    load_incident_history,
    open_incident,
    was_surveyed_before,
)
from store.outbox.claim import claim
from store.outbox.complete import complete, end_all_leases, fail, is_still_required
from store.people.staff import load_actor
from store.store import Store
from store.tables import ATTEMPTS, COMPLAINTS, EVENTS, INCIDENT_WORDS, INCIDENTS, OBLIGATIONS
from store.values import MessageState, Obligation
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk, refused

OUTAGE = {
    "what": "No water in the north",
    "area": "North",
    "line.en": "We know of no water in the north.",
    "line.tr": "Kuzeyde su olmadığını biliyoruz.",
    "signs.en": "no water, dry tap",
    "signs.tr": "su yok",
}
TEXT = {"text.en": "The pipe is mended."}


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def an_update(number: int, words: Mapping[str, str] = TEXT, **more: Any) -> Batch:
    """What was previewed for all complaints of this incident."""
    return Batch(
        "incident_update", HANDLER, datetime(2026, 11, 3, tzinfo=UTC), str(number), words=words, **more
    )


def open_outage(desk: Desk, **words: str) -> Incident:
    return desk.store.write(open_incident, desk.actor(HANDLER), {}, OUTAGE | words)


def join_cases(desk: Desk, incident: Incident, number: int) -> list[str]:
    refs = [desk.receive(chat=desk.chat(str(81000 + n))) for n in range(number)]
    for ref in refs:
        desk.act(ref, Verb.LINK, facts={"incident": incident.id})
    return refs


def send_updates(desk: Desk) -> list[Obligation]:
    """Complete every incident-update obligation as the worker does."""
    store = desk.store
    claimed = store.write(claim, {"incident_update"}, 100, 60.0)
    for obligation in claimed:
        text = store.read(
            load_update_text,
            obligation.facts["incident"],
            obligation.facts["batch"],
            store.read(load_case, str(obligation.ref)).language,
        )
        words = {"text": text, "letter": f"{obligation.ref}: {text}"}
        actor = store.read(load_actor, obligation.facts["by"])
        store.write(
            record_incident_update,
            str(obligation.ref),
            obligation.facts["batch"],
            actor,
            words,
            completes=obligation.id,
        )
    return claimed


def tamper(store: Store, statement: Any) -> None:
    store.write(lambda tx: tx.connection.execute(statement))


def test_an_incident_is_opened_changed_and_ended_with_actor_and_time(desk: Desk, clock: FakeClock) -> None:
    store = desk.store
    incident = open_outage(desk)
    clock.go_on(minutes=5)
    store.write(
        act_on_incident,
        incident.id,
        IncidentAct.CHANGE,
        desk.actor(MANAGER),
        {"owner": SECOND},
        OUTAGE | {"area": "Hill"},
    )
    store.write(act_on_incident, incident.id, IncidentAct.END, desk.actor(SECOND))
    ended = store.read(load_incident, incident.id)
    history = store.read(load_incident_history, incident.id)

    assert (ended.owner, ended.area, ended.is_open) == (SECOND, "Hill", False)
    assert ended.line_in("tr") == "Kuzeyde su olmadığını biliyoruz."
    assert [(event.act, event.by, event.role.value) for event in history] == [
        (IncidentAct.OPEN, HANDLER, "handler"),
        (IncidentAct.CHANGE, MANAGER, "manager"),
        (IncidentAct.END, SECOND, "handler"),
    ]
    assert history[0].words == OUTAGE
    assert store.read(list_open_incidents) == []


def test_only_the_owner_or_a_manager_changes_an_incident_and_a_refused_attempt_is_recorded(
    desk: Desk,
) -> None:
    incident = open_outage(desk)
    refused(
        lambda: desk.store.write(act_on_incident, incident.id, IncidentAct.END, desk.actor(SECOND)),
        NotAllowed,
    )
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb)
    attempts = desk.store.read(lambda tx: tx.connection.execute(query).all())

    assert [tuple(row) for row in attempts] == [(SECOND, "end_incident")]
    assert desk.store.read(load_incident, incident.id).is_open


def test_of_two_concurrent_changes_of_an_incident_the_second_is_stale(desk: Desk) -> None:
    incident, store = open_outage(desk), desk.store
    store.write(act_on_incident, incident.id, IncidentAct.CHANGE, desk.actor(HANDLER), {}, OUTAGE, version=1)
    refused(
        lambda: store.write(
            act_on_incident, incident.id, IncidentAct.CHANGE, desk.actor(MANAGER), {}, OUTAGE, version=1
        ),
        Stale,
    )


def test_the_same_press_again_opens_no_second_incident(desk: Desk) -> None:
    store, actor = desk.store, desk.actor(HANDLER)
    store.write(open_incident, actor, {}, OUTAGE, key="press 1")
    refused(lambda: store.write(open_incident, actor, {}, OUTAGE, key="press 1"), AlreadyDone)

    assert len(store.read(list_open_incidents)) == 1


def test_cases_join_and_leave_an_incident_and_are_counted(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    refs = join_cases(desk, incident, 3)
    desk.act(refs[0], Verb.LINK, facts={"incident": incident.id, "left": True})

    assert store.read(load_case, refs[0]).incident is None
    assert store.read(count_incident_cases, incident.id) == {"received": 2}
    assert [case.ref for case in store.read(list_incident_cases, incident.id)] == sorted(refs[1:])
    assert store.read(export_record, refs[1])["incident_id"] == incident.id
    assert store.read(verify).first_bad is None


def test_a_case_belongs_to_one_incident_at_a_time(desk: Desk) -> None:
    first, second = open_outage(desk), open_outage(desk)
    (ref,) = join_cases(desk, first, 1)

    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": second.id}), ComplaintError)
    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": first.id}), AlreadyDone)
    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": 4711}), UnknownReference)


def test_a_case_cannot_join_an_ended_incident(desk: Desk) -> None:
    incident, ref = open_outage(desk), desk.receive()
    desk.store.write(act_on_incident, incident.id, IncidentAct.END, desk.actor(HANDLER))

    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": incident.id}), AlreadyDone)


def test_linking_two_cases_as_the_same_incident_opens_one_for_both(desk: Desk) -> None:
    first, second = desk.receive(), desk.receive(chat=desk.chat("70002"))
    third = desk.receive(chat=desk.chat("70003"))
    facts = {"relation": "same_incident"}
    desk.act(first, Verb.LINK, facts={**facts, "other_ref": second})
    desk.act(third, Verb.LINK, facts={**facts, "other_ref": first})

    assert {desk.case(ref).incident for ref in (first, second, third)} == {1}
    assert {link["other_ref"] for link in desk.store.read(export_record, second)["links"]} == {first}
    assert desk.store.read(verify).first_bad is None


def test_one_update_reaches_every_complainant_once_with_one_batch_number(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    refs = join_cases(desk, incident, 3)
    after = store.write(
        schedule_incident_update, an_update(incident.id, version=1, id="submit 1"), desk.actor(HANDLER)
    )
    refused(
        lambda: store.write(
            schedule_incident_update, an_update(incident.id, id="submit 1"), desk.actor(HANDLER)
        ),
        AlreadyDone,
    )
    before_sending = {delivery.state for delivery in store.read(list_batch_deliveries, str(after.batch))}
    send_updates(desk)
    informed = [
        [event for event in store.read(load_history, ref) if event.verb is Verb.INFORM] for ref in refs
    ]

    assert before_sending == {"waiting"}
    assert [[event.facts["batch"] for event in events] for events in informed] == [[after.batch]] * 3
    assert {event.by for events in informed for event in events} == {HANDLER}
    assert store.read(verify).first_bad is None


def test_a_crash_after_the_commit_repeats_no_update(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    (ref,) = join_cases(desk, incident, 1)
    store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER))
    (obligation,) = store.write(claim, {"incident_update"}, 10, 60.0)
    words = {"text": "The pipe is mended."}
    store.write(record_incident_update, ref, obligation.facts["batch"], desk.actor(HANDLER), words)
    store.write(end_all_leases)
    send_updates(desk)

    assert [event.verb for event in store.read(load_history, ref)].count(Verb.INFORM) == 1
    assert store.write(claim, {"incident_update"}, 10, 60.0) == []


def test_every_delivery_of_an_update_shows_its_state_and_reason(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    refs = sorted(join_cases(desk, incident, 3))
    batch = str(store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER)).batch)
    send_updates(desk)
    for obligation in store.write(claim, {"acknowledge"}, 10, 60.0):
        store.write(complete, obligation.id)
    letters = {str(obligation.ref): obligation for obligation in store.write(claim, {"letter"}, 10, 60.0)}
    sent = store.write(begin_sending, letters[refs[0]], "text", template="inform", language="en", ref=refs[0])
    store.write(record_sent, sent, "1", completes=letters[refs[0]].id)
    store.write(fail, letters[refs[1]].id, "blocked")

    deliveries = store.read(list_batch_deliveries, batch)
    assert [(delivery.ref, delivery.state, delivery.reason) for delivery in deliveries] == [
        (refs[0], "sent", None),
        (refs[1], "failed", "blocked"),
        (refs[2], "waiting", None),
    ]


def test_an_update_resent_to_a_returned_complainant_counts_as_sent(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    (ref,) = join_cases(desk, incident, 1)
    batch = str(store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER)).batch)
    send_updates(desk)
    for acknowledgement in store.write(claim, {"acknowledge"}, 10, 60.0):
        store.write(complete, acknowledgement.id)
    (letter,) = store.write(claim, {"letter"}, 10, 60.0)
    number = store.write(begin_sending, letter, "text", template="inform", language="en", ref=ref)
    facts = {"because": "blocked", **failed_delivery_facts(letter.key, letter.kind, letter.due, letter.facts)}
    failed = ((ref, Verb.FAIL_DELIVERY, SYSTEM, facts, {}),)
    store.write(record_unsent, number, MessageState.FAILED, "blocked", completes=letter.id, acts=failed)
    before = store.read(list_batch_deliveries, batch)
    returned = message_facts(field="returned", has_words=False, kind="returned")
    desk.complain(ref, Verb.ADD, returned, chat=desk.chat("81000"))
    for acknowledgement in store.write(claim, {"acknowledge"}, 10, 60.0):
        store.write(complete, acknowledgement.id)
    (again,) = store.write(claim, {"letter"}, 10, 60.0)
    store.write(
        record_sent,
        store.write(begin_sending, again, "text", template="inform", language="en", ref=ref),
        "2",
        completes=again.id,
    )

    assert [(delivery.state, delivery.reason) for delivery in before] == [("failed", "blocked")]
    assert [(delivery.state, delivery.reason) for delivery in store.read(list_batch_deliveries, batch)] == [
        ("sent", None)
    ]


def test_closed_complaints_are_left_out_of_an_update_and_the_record_says_why(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    refs = join_cases(desk, incident, 2)
    desk.complain(refs[0], Verb.WITHDRAW, chat=desk.chat("81000"))
    batch = str(store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER)).batch)
    update_event = store.read(load_incident_history, incident.id)[-1]
    left = [delivery for delivery in store.read(list_batch_deliveries, batch) if delivery.state == "left_out"]

    assert [(delivery.ref, delivery.reason) for delivery in left] == [(refs[0], "closed")]
    assert update_event.facts == {
        "batch": batch,
        "receivers": 1,
        "left_out": [{"ref": refs[0], "why": "closed"}],
    }


def test_a_complaint_that_is_closed_or_leaves_after_scheduling_is_left_out_of_the_update(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    closed, left = join_cases(desk, incident, 2)
    batch = str(store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER)).batch)
    desk.complain(closed, Verb.WITHDRAW, chat=desk.chat("81000"))
    desk.act(left, Verb.LINK, facts={"incident": incident.id, "left": True})
    send_updates(desk)
    deliveries = store.read(list_batch_deliveries, batch)

    assert {delivery.ref: (delivery.state, delivery.reason) for delivery in deliveries} == {
        closed: ("left_out", "closed"),
        left: ("left_out", "left"),
    }


def test_a_complaint_erased_during_an_update_is_counted_as_left_out(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    (ref,) = join_cases(desk, incident, 1)
    batch = str(store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER)).batch)
    desk.complain(ref, Verb.WITHDRAW, chat=desk.chat("81000"))
    store.write(erase, ref, "request")
    (obligation,) = store.write(claim, {"incident_update"}, 10, 60.0)
    assert not store.read(is_still_required, obligation)
    store.write(complete, obligation.id)

    assert [(delivery.state, delivery.reason) for delivery in store.read(list_batch_deliveries, batch)] == [
        ("left_out", "closed")
    ]


def test_an_update_without_recipients_is_refused(desk: Desk) -> None:
    incident = open_outage(desk)
    refused(
        lambda: desk.store.write(schedule_incident_update, an_update(incident.id), desk.actor(HANDLER)),
        BadFacts,
    )


def test_an_altered_incident_row_is_detected(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    assert store.read(verify).first_bad is None
    tamper(store, update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(owner=SECOND))

    assert store.read(verify).first_bad == (
        f"{CHAIN}{incident.id}",
        1,
        "the row's owner is not what the events add up to",
    )


def test_deleted_words_of_an_incident_are_detected(desk: Desk) -> None:
    store, incident = desk.store, open_outage(desk)
    tamper(store, delete(INCIDENT_WORDS).where(INCIDENT_WORDS.c.incident_id == incident.id))

    assert store.read(verify).first_bad == (
        f"{CHAIN}{incident.id}",
        1,
        "the words are not those that were recorded",
    )


def test_a_forged_incident_number_in_a_complaints_row_is_detected(desk: Desk) -> None:
    incident, ref = open_outage(desk), desk.receive()
    tamper(desk.store, update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(incident_id=incident.id))

    assert desk.store.read(verify).first_bad == (
        ref,
        1,
        "the row's incident_id is not what the events add up to",
    )


def test_no_word_of_an_incident_is_in_its_events(desk: Desk) -> None:
    open_outage(desk)
    query = select(EVENTS.c.entry).where(EVENTS.c.ref.like(f"{CHAIN}%"))
    (entry,) = desk.store.read(lambda tx: tx.connection.execute(query).scalars().all())

    assert "water" not in entry


def test_cases_that_change_together_schedule_one_redraw_of_the_incidents_card(desk: Desk) -> None:
    incident = open_outage(desk)
    join_cases(desk, incident, 5)
    query = select(OBLIGATIONS.c.key).where(OBLIGATIONS.c.kind == "incident_card")
    keys = desk.store.read(lambda tx: tx.connection.execute(query).scalars().all())

    assert len(keys) == 2


def test_a_person_is_surveyed_once_per_incident(desk: Desk) -> None:
    incident = open_outage(desk)
    first, second = desk.closed(), desk.receive()
    for ref in (first, second):
        desk.act(ref, Verb.LINK, facts={"incident": incident.id})
    before = desk.store.read(was_surveyed_before, second)
    desk.complain(first, Verb.SURVEY, {"step": "skipped", "question": "q3"})

    assert (before, desk.store.read(was_surveyed_before, second)) == (False, True)


def test_an_update_is_taken_back_by_its_sender_alone_and_from_those_who_do_not_have_it_yet(
    desk: Desk, clock: FakeClock
) -> None:
    incident, store = open_outage(desk), desk.store
    join_cases(desk, incident, 3)
    alice, delay = desk.actor(HANDLER), timedelta(seconds=10)
    batch = str(store.write(schedule_incident_update, an_update(incident.id), alice, delay=delay).batch)
    assert store.write(claim, ["incident_update"], 9, 60) == []
    clock.go_on(seconds=10)
    (claimed,) = store.write(claim, ["incident_update"], 1, 60)

    refused(lambda: store.write(take_back_from_all, incident.id, batch, desk.actor(MANAGER)), NotAllowed)
    # Also after the end of the incident.
    store.write(act_on_incident, incident.id, IncidentAct.END, alice)
    assert store.write(take_back_from_all, incident.id, batch, alice) == (2, 1)
    words = {"text": "Mended", "letter": "Mended"}
    store.write(record_incident_update, str(claimed.ref), batch, alice, words, completes=claimed.id)
    assert store.write(claim, ["incident_update"], 9, 60) == []
    states = Counter(delivery.state for delivery in store.read(list_batch_deliveries, batch))
    assert states == {"waiting": 1, "taken_back": 2}
    assert store.read(verify).first_bad is None


def test_an_update_that_all_have_is_not_taken_back(desk: Desk) -> None:
    incident, store = open_outage(desk), desk.store
    join_cases(desk, incident, 2)
    alice = desk.actor(HANDLER)
    batch = str(store.write(schedule_incident_update, an_update(incident.id), alice).batch)
    assert len(store.write(claim, ["incident_update"], 9, 60)) == 2
    error = refused(lambda: store.write(take_back_from_all, incident.id, batch, alice), ComplaintError)
    assert isinstance(error, ComplaintError)
    assert error.code == "already_sent"
    assert store.read(load_incident, incident.id).version == 2
