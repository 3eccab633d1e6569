"""What somebody who may not know of a complaint learns of it: nothing, by no side door (4.5, 4.7, C)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from complaints.actors import MODEL
from complaints.case_values import RecordedSign
from complaints.errors import NotAllowed
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.export import export_record
from store.cases.incident_updates import (
    count_recipients,
    count_update_deliveries,
    open_incident_with,
    schedule_incident_update,
)
from store.cases.read import open_case
from store.custody.retention import erase_complainant
from store.files import keep_file, read_file_bytes
from store.people.staff import sync_staff
from store.store import Store
from store.tables import ATTEMPTS
from store.values import CodeState, Member, ReceivedFile
from tests.edges.desk import HANDLER, MANAGER, SECOND, TOP, Desk, refused
from tests.edges.test_store_binding import OTHER, code_of, refs_of, sends
from tests.edges.test_store_entering import desk_of, log
from tests.rules.builders import a_proposal

#: Grave enough for a person, and seen before.
GAS = RecordedSign("danger.gas", 4, 2, danger=False, at=datetime(2026, 11, 3, 10, tzinfo=UTC), seq=1)


def attempts(store: Store, ref: str) -> list[tuple[str, str]]:
    """Who was refused what."""
    rows = store.read(lambda tx: tx.connection.execute(ATTEMPTS.select().where(ATTEMPTS.c.ref == ref)).all())
    return [(row.by, row.code) for row in rows]


def test_an_old_form_tells_somebody_denied_meanwhile_nothing_of_what_was_done(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    drawn = desk.case(ref).work_version
    desk.act(ref, Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    why = refused(lambda: desk.act(ref, Verb.REPLY, SECOND, {}, {"text": "Hello"}, version=drawn), NotAllowed)
    assert why.code == "not_allowed.excluded"
    assert attempts(store, ref) == [(SECOND, "not_allowed.excluded")]


def test_three_like_cases_are_left_where_the_likest_may_not_be_known_of(store: Store) -> None:
    desk = Desk(store)
    like = [desk.receive(chat=desk.chat(str(number))) for number in range(6)]
    for hidden in like[:2]:
        desk.act(hidden, Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    ref = desk.receive()
    similar = [{"ref": one, "category": "supply", "severity": 2, "likeness": 0.9} for one in like]
    store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(), {"similar": json.dumps(similar)})

    def shown(member: str) -> list[str]:
        proposed = store.write(open_case, ref, desk.actor(member), "open").proposal
        assert proposed is not None
        return [one["ref"] for one in proposed["similar"]]

    assert (shown(SECOND), shown(MANAGER)) == (like[2:5], like[:3])
    assert [one["ref"] for one in store.read(export_record, ref)["proposal"]["similar"]] == like[:3]


def test_a_manager_of_somebody_named_is_kept_from_the_complaint_that_goes_on_too(store: Store) -> None:
    desk = Desk(store)
    store.write(
        sync_staff,
        (
            Member(HANDLER, "Ann", (), frozenset({Role.HANDLER})),
            Member(SECOND, "Bob", (), frozenset({Role.HANDLER}), line=MANAGER),
            Member(MANAGER, "Cat", (), frozenset({Role.MANAGER})),
            Member(TOP, "Dan", (), frozenset({Role.TOP_MANAGEMENT})),
        ),
    )
    goes_on, taken_in = desk.receive(), desk.receive(subjects=(SECOND,))
    assert desk.case(taken_in).denied == {SECOND, MANAGER}
    desk.act(taken_in, Verb.MERGE, TOP, {"other_ref": goes_on, "relation": "duplicate"})
    whole = desk.case(goes_on)
    assert whole.denied == {SECOND, MANAGER}
    assert not whole.nobody_left


def test_a_complaint_about_a_manager_stays_the_tops_when_it_is_taken_into_another(store: Store) -> None:
    desk = Desk(store)
    goes_on, taken_in = desk.receive(), desk.receive(subjects=(MANAGER,))
    desk.act(taken_in, Verb.MERGE, TOP, {"other_ref": goes_on, "relation": "duplicate"})
    assert desk.case(goes_on).fairness.leads


def test_whoever_is_named_later_no_longer_reads_what_was_taken_in(store: Store) -> None:
    desk = Desk(store)
    goes_on = desk.receive()
    taken_in = desk.receive(files=(ReceivedFile("p1", "u1", "photo", "1", name="a.jpg", size=9),))
    store.write(keep_file, taken_in, 1, b"bytes", "image/jpeg")
    desk.act(taken_in, Verb.MERGE, SECOND, {"other_ref": goes_on, "relation": "duplicate"})
    desk.act(goes_on, Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    by = desk.actor(SECOND)
    refused(lambda: store.write(open_case, taken_in, by, "open"), NotAllowed)
    refused(lambda: store.write(read_file_bytes, taken_in, 1, by), NotAllowed)
    # Whoever may read the one that goes on reads what it took in.
    assert store.write(open_case, goes_on, desk.actor(MANAGER), "open").merged[0].ref == taken_in
    assert store.write(open_case, taken_in, desk.actor(MANAGER), "open").case.ref == taken_in


def test_a_conflict_is_no_way_to_ask_whom_a_restricted_complaint_is_about(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive(subjects=(SECOND,))
    words = {"reason": "I guess"}
    for guess in (SECOND, TOP):
        why = refused(
            lambda guess=guess: desk.act(ref, Verb.DECLARE_CONFLICT, HANDLER, {"who": guess}, words),
            NotAllowed,
        )
        assert why.code == "not_allowed.restricted"
    desk.act(ref, Verb.DECLARE_CONFLICT, HANDLER, {"who": HANDLER}, words)
    assert desk.case(ref).conflicted == {HANDLER}


@pytest.mark.parametrize("grave", [True, False])
def test_an_update_to_all_names_no_restricted_complaint_for_whatever_reason(
    store: Store, grave: bool
) -> None:
    desk = Desk(store)
    by = desk.actor(MANAGER)
    signs = (GAS,) if grave else ()
    hidden = desk.receive(chat=desk.chat("70002"), signs=signs, subjects=(HANDLER,))
    incident = store.write(open_incident_with, hidden, by, {}, {"what": "No water"})
    open_one = desk.receive()
    store.write(act, open_one, Verb.LINK, by, {"relation": "same_incident", "incident": incident.id})
    told = store.read(count_recipients, incident.id, by)
    assert [(case.ref, why) for case, why in told.left_out] == [(hidden, "restricted")]


def test_what_becomes_restricted_later_is_no_longer_named_by_an_update(store: Store) -> None:
    desk = Desk(store)
    by = desk.actor(MANAGER)
    later = desk.receive(chat=desk.chat("70002"), signs=(GAS,))
    incident = store.write(open_incident_with, later, by, {}, {"what": "No water"})
    store.write(act, desk.receive(), Verb.LINK, by, {"relation": "same_incident", "incident": incident.id})
    batch = store.write(schedule_incident_update, incident.id, by, {"text.en": "It is mended."}).batch
    assert batch is not None
    reasons = {
        one.ref: one.reason for one in store.read(count_update_deliveries, batch) if one.state == "left_out"
    }
    assert reasons == {later: "safety"}
    desk.act(later, Verb.RESTRICT, MANAGER, {"subject": HANDLER}, {"reason": "She is named."})
    reasons = {
        one.ref: one.reason for one in store.read(count_update_deliveries, batch) if one.state == "left_out"
    }
    assert reasons == {later: "restricted"}


def test_what_was_taken_in_is_erased_no_earlier_than_the_complaint_that_goes_on(store: Store) -> None:
    desk = Desk(store)
    goes_on, taken_in = desk.receive(), desk.receive("The water is still brown.")
    desk.act(taken_in, Verb.MERGE, HANDLER, {"other_ref": goes_on, "relation": "duplicate"})
    done = store.write(erase_complainant, goes_on, "request")
    assert (done.erased, dict(done.kept)) == ((), {goes_on: "open", taken_in: "open"})
    told = store.write(open_case, goes_on, desk.actor(HANDLER), "open").merged[0].texts
    assert [one.text for one in told] == ["The water is still brown."]


def test_the_code_of_a_merged_complaint_opens_the_one_that_goes_on(store: Store) -> None:
    desk = desk_of(store)
    goes_on, taken_in = log(desk).ref, log(desk, key="slack:log:2").ref
    code = code_of(desk, taken_in)
    desk.act(taken_in, Verb.MERGE, HANDLER, {"other_ref": goes_on, "relation": "duplicate"})
    assert sends(desk, code).state is CodeState.FOUND
    assert refs_of(desk) == [goes_on]
    assert sends(desk, code).state is CodeState.YOURS
    assert sends(desk, code, OTHER).state is CodeState.USED
