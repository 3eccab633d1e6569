"""Incidents on file: opened, joined, told all at once, ended; proved like every other record. Both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from complaints.actions.intake import said
from complaints.actors import SYSTEM
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed, Stale, UnknownReference
from complaints.incidents import Incident, IncidentAct
from complaints.obligations.resend import failing
from complaints.vocabulary import Verb
from store.cases.export import export_record
from store.cases.incident_updates import (
    count_update_deliveries,
    load_update_text,
    record_incident_update,
    schedule_incident_update,
)
from store.cases.outgoing_messages import begin_sending, record_sent, record_unsent
from store.cases.read import load_case, load_history
from store.custody.retention import erase
from store.custody.verify import verify
from store.incidents.card import was_surveyed_before
from store.incidents.incidents import (
    CHAIN,
    act_on_incident,
    count_incident_cases,
    list_incident_cases,
    list_open_incidents,
    load_incident,
    load_incident_history,
    open_incident,
)
from store.outbox.claim import claim
from store.outbox.complete import complete, fail, free_leases, is_still_required
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


def opened(desk: Desk, **words: str) -> Incident:
    return desk.store.write(open_incident, desk.actor(HANDLER), {}, OUTAGE | words)


def joined(desk: Desk, incident: Incident, number: int) -> list[str]:
    refs = [desk.receive(chat=desk.chat(str(81000 + n))) for n in range(number)]
    for ref in refs:
        desk.act(ref, Verb.LINK, facts={"incident": incident.id})
    return refs


def told(desk: Desk) -> list[Obligation]:
    """Do every duty of an update as the performer does."""
    store = desk.store
    claimed = store.write(claim, {"incident_update"}, 100, 60.0)
    for one in claimed:
        text = store.read(
            load_update_text,
            one.facts["incident"],
            one.facts["batch"],
            store.read(load_case, str(one.ref)).language,
        )
        words = {"text": text, "letter": f"{one.ref}: {text}"}
        by = store.read(load_actor, one.facts["by"])
        store.write(record_incident_update, str(one.ref), one.facts["batch"], by, words, settles=one.id)
    return claimed


def tampered(store: Store, statement: Any) -> None:
    store.write(lambda tx: tx.connection.execute(statement))


def test_an_incident_is_opened_changed_and_ended_with_who_and_when(desk: Desk, clock: FakeClock) -> None:
    store = desk.store
    incident = opened(desk)
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
    found = store.read(load_incident, incident.id)
    history = store.read(load_incident_history, incident.id)

    assert (found.owner, found.area, found.is_open) == (SECOND, "Hill", False)
    assert found.line_in("tr") == "Kuzeyde su olmadığını biliyoruz."
    assert [(one.act, one.by, one.role.value) for one in history] == [
        (IncidentAct.OPEN, HANDLER, "handler"),
        (IncidentAct.CHANGE, MANAGER, "manager"),
        (IncidentAct.END, SECOND, "handler"),
    ]
    assert history[0].words == OUTAGE
    assert store.read(list_open_incidents) == []


def test_only_its_owner_or_a_manager_changes_it_and_the_attempt_stays(desk: Desk) -> None:
    incident = opened(desk)
    refused(
        lambda: desk.store.write(act_on_incident, incident.id, IncidentAct.END, desk.actor(SECOND)),
        NotAllowed,
    )
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb)
    attempts = desk.store.read(lambda tx: tx.connection.execute(query).all())

    assert [tuple(one) for one in attempts] == [(SECOND, "end_incident")]
    assert desk.store.read(load_incident, incident.id).is_open


def test_of_two_who_change_it_at_once_the_second_is_told(desk: Desk) -> None:
    incident, store = opened(desk), desk.store
    store.write(act_on_incident, incident.id, IncidentAct.CHANGE, desk.actor(HANDLER), {}, OUTAGE, version=1)
    refused(
        lambda: store.write(
            act_on_incident, incident.id, IncidentAct.CHANGE, desk.actor(MANAGER), {}, OUTAGE, version=1
        ),
        Stale,
    )


def test_the_same_press_again_opens_no_second_incident(desk: Desk) -> None:
    store, by = desk.store, desk.actor(HANDLER)
    store.write(open_incident, by, {}, OUTAGE, key="press 1")
    refused(lambda: store.write(open_incident, by, {}, OUTAGE, key="press 1"), AlreadyDone)

    assert len(store.read(list_open_incidents)) == 1


def test_cases_join_leave_and_are_counted(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    refs = joined(desk, incident, 3)
    desk.act(refs[0], Verb.LINK, facts={"incident": incident.id, "left": True})

    assert store.read(load_case, refs[0]).incident is None
    assert store.read(count_incident_cases, incident.id) == {"received": 2}
    assert [one.ref for one in store.read(list_incident_cases, incident.id)] == sorted(refs[1:])
    assert store.read(export_record, refs[1])["incident_id"] == incident.id
    assert store.read(verify).first_bad is None


def test_a_case_belongs_to_one_incident_at_a_time(desk: Desk) -> None:
    first, second = opened(desk), opened(desk)
    (ref,) = joined(desk, first, 1)

    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": second.id}), ComplaintError)
    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": first.id}), AlreadyDone)
    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": 4711}), UnknownReference)


def test_nothing_joins_an_incident_that_was_ended(desk: Desk) -> None:
    incident, ref = opened(desk), desk.receive()
    desk.store.write(act_on_incident, incident.id, IncidentAct.END, desk.actor(HANDLER))

    refused(lambda: desk.act(ref, Verb.LINK, facts={"incident": incident.id}), AlreadyDone)


def test_linking_two_cases_as_the_same_incident_opens_one_for_both(desk: Desk) -> None:
    first, second = desk.receive(), desk.receive(chat=desk.chat("70002"))
    third = desk.receive(chat=desk.chat("70003"))
    facts = {"relation": "same_incident"}
    desk.act(first, Verb.LINK, facts={**facts, "other_ref": second})
    desk.act(third, Verb.LINK, facts={**facts, "other_ref": first})

    assert {desk.case(ref).incident for ref in (first, second, third)} == {1}
    assert {one["other_ref"] for one in desk.store.read(export_record, second)["links"]} == {first}
    assert desk.store.read(verify).first_bad is None


def test_one_update_tells_everybody_once_with_one_batch(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    refs = joined(desk, incident, 3)
    after = store.write(
        schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT, version=1, key="submit 1"
    )
    refused(
        lambda: store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT, key="submit 1"),
        AlreadyDone,
    )
    before_telling = {one.state for one in store.read(count_update_deliveries, str(after.batch))}
    told(desk)
    events = [[one for one in store.read(load_history, ref) if one.verb is Verb.INFORM] for ref in refs]

    assert before_telling == {"waiting"}
    assert [[one.facts["batch"] for one in each] for each in events] == [[after.batch]] * 3
    assert {one.by for each in events for one in each} == {HANDLER}
    assert store.read(verify).first_bad is None


def test_a_process_that_dies_after_the_commit_tells_nobody_twice(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    (ref,) = joined(desk, incident, 1)
    store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT)
    (one,) = store.write(claim, {"incident_update"}, 10, 60.0)
    words = {"text": "The pipe is mended."}
    store.write(record_incident_update, ref, one.facts["batch"], desk.actor(HANDLER), words)
    store.write(free_leases)
    told(desk)

    assert [event.verb for event in store.read(load_history, ref)].count(Verb.INFORM) == 1
    assert store.write(claim, {"incident_update"}, 10, 60.0) == []


def test_each_delivery_shows_where_it_stands_and_why(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    refs = sorted(joined(desk, incident, 3))
    batch = str(store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT).batch)
    told(desk)
    for one in store.write(claim, {"acknowledge"}, 10, 60.0):
        store.write(complete, one.id)
    letters = {str(one.ref): one for one in store.write(claim, {"letter"}, 10, 60.0)}
    sent = store.write(begin_sending, letters[refs[0]], "text", template="inform", language="en", ref=refs[0])
    store.write(record_sent, sent, "1", settles=letters[refs[0]].id)
    store.write(fail, letters[refs[1]].id, "blocked")

    assert [(one.ref, one.state, one.reason) for one in store.read(count_update_deliveries, batch)] == [
        (refs[0], "sent", None),
        (refs[1], "failed", "blocked"),
        (refs[2], "waiting", None),
    ]


def test_a_letter_sent_once_more_to_somebody_who_is_back_counts_as_sent(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    (ref,) = joined(desk, incident, 1)
    batch = str(store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT).batch)
    told(desk)
    for one in store.write(claim, {"acknowledge"}, 10, 60.0):
        store.write(complete, one.id)
    (letter,) = store.write(claim, {"letter"}, 10, 60.0)
    number = store.write(begin_sending, letter, "text", template="inform", language="en", ref=ref)
    facts = {"because": "blocked", **failing(letter.key, letter.kind, letter.due, letter.facts)}
    failed = ((ref, Verb.FAIL_DELIVERY, SYSTEM, facts, {}),)
    store.write(record_unsent, number, MessageState.FAILED, "blocked", settles=letter.id, acts=failed)
    before = store.read(count_update_deliveries, batch)
    back = said(field="returned", has_words=False, kind="returned")
    desk.complain(ref, Verb.ADD, back, chat=desk.chat("81000"))
    for one in store.write(claim, {"acknowledge"}, 10, 60.0):
        store.write(complete, one.id)
    (again,) = store.write(claim, {"letter"}, 10, 60.0)
    store.write(
        record_sent,
        store.write(begin_sending, again, "text", template="inform", language="en", ref=ref),
        "2",
        settles=again.id,
    )

    assert [(one.state, one.reason) for one in before] == [("failed", "blocked")]
    assert [(one.state, one.reason) for one in store.read(count_update_deliveries, batch)] == [("sent", None)]


def test_the_flagged_are_left_out_and_the_record_says_why(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    refs = joined(desk, incident, 2)
    desk.complain(refs[0], Verb.WITHDRAW, chat=desk.chat("81000"))
    batch = str(store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT).batch)
    update_event = store.read(load_incident_history, incident.id)[-1]
    left = [one for one in store.read(count_update_deliveries, batch) if one.state == "left_out"]

    assert [(one.ref, one.reason) for one in left] == [(refs[0], "closed")]
    assert update_event.facts == {
        "batch": batch,
        "receivers": 1,
        "left_out": [{"ref": refs[0], "why": "closed"}],
    }


def test_whoever_must_be_left_out_by_the_time_is(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    (ref,) = joined(desk, incident, 1)
    batch = str(store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT).batch)
    desk.complain(ref, Verb.WITHDRAW, chat=desk.chat("81000"))
    told(desk)

    assert [(one.state, one.reason) for one in store.read(count_update_deliveries, batch)] == [
        ("left_out", "closed")
    ]


def test_whoever_is_erased_in_the_middle_of_a_batch_does_not_wait_for_ever(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    (ref,) = joined(desk, incident, 1)
    batch = str(store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT).batch)
    desk.complain(ref, Verb.WITHDRAW, chat=desk.chat("81000"))
    store.write(erase, ref, "request")
    (one,) = store.write(claim, {"incident_update"}, 10, 60.0)
    assert not store.read(is_still_required, one)
    store.write(complete, one.id)

    assert [(one.state, one.reason) for one in store.read(count_update_deliveries, batch)] == [
        ("left_out", "closed")
    ]


def test_an_update_that_would_reach_nobody_is_refused(desk: Desk) -> None:
    incident = opened(desk)
    refused(
        lambda: desk.store.write(schedule_incident_update, incident.id, desk.actor(HANDLER), TEXT), BadFacts
    )


def test_an_altered_incident_is_found(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    assert store.read(verify).first_bad is None
    tampered(store, update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(owner=SECOND))

    assert store.read(verify).first_bad == (
        f"{CHAIN}{incident.id}",
        1,
        "the row's owner is not what the events add up to",
    )


def test_words_of_an_incident_that_were_exchanged_are_found(desk: Desk) -> None:
    store, incident = desk.store, opened(desk)
    tampered(store, delete(INCIDENT_WORDS).where(INCIDENT_WORDS.c.incident_id == incident.id))

    assert store.read(verify).first_bad == (
        f"{CHAIN}{incident.id}",
        1,
        "the words are not those that were recorded",
    )


def test_an_incident_of_a_case_that_the_row_invents_is_found(desk: Desk) -> None:
    incident, ref = opened(desk), desk.receive()
    tampered(desk.store, update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(incident_id=incident.id))

    assert desk.store.read(verify).first_bad == (
        ref,
        1,
        "the row's incident_id is not what the events add up to",
    )


def test_no_word_of_an_incident_stands_in_its_events(desk: Desk) -> None:
    opened(desk)
    query = select(EVENTS.c.entry).where(EVENTS.c.ref.like(f"{CHAIN}%"))
    (entry,) = desk.store.read(lambda tx: tx.connection.execute(query).scalars().all())

    assert "water" not in entry


def test_cases_that_move_together_owe_one_drawing(desk: Desk) -> None:
    incident = opened(desk)
    joined(desk, incident, 5)
    query = select(OBLIGATIONS.c.key).where(OBLIGATIONS.c.kind == "incident_card")
    keys = desk.store.read(lambda tx: tx.connection.execute(query).scalars().all())

    assert len(keys) == 2


def test_a_person_is_surveyed_once_an_incident(desk: Desk) -> None:
    incident = opened(desk)
    first, second = desk.closed(), desk.receive()
    for ref in (first, second):
        desk.act(ref, Verb.LINK, facts={"incident": incident.id})
    before = desk.store.read(was_surveyed_before, second)
    desk.complain(first, Verb.SURVEY, {"step": "skipped", "question": "q3"})

    assert (before, desk.store.read(was_surveyed_before, second)) == (False, True)
