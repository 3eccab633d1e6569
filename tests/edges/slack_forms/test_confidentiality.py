"""A person who may not know of a complaint learns nothing of it, by no indirect way (4.5, 4.7, C)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from complaints.actors import MODEL
from complaints.case_values import RecordedSign
from complaints.errors import NotAllowed
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.batches import list_batch_deliveries
from store.cases.export import export_record
from store.cases.incident_acts import load_incident_audience, open_incident_with, schedule_incident_update
from store.cases.read import open_case
from store.custody.erasure import erase_complainant
from store.files import read_file_bytes, store_file
from store.people.staff import sync_staff
from store.store import Store
from store.tables import ATTEMPTS
from store.values import CodeState, Member, ReceivedFile
from tests.edges.desk import HANDLER, MANAGER, SECOND, TOP, Desk, refused
from tests.edges.store.test_store_bind import OTHER, code_of, refs_of, sends
from tests.edges.store.test_store_incidents import an_update
from tests.edges.store.test_store_log import desk_of, log
from tests.rules.builders import a_proposal

#: Severe enough for a person to look at, and recorded before.
GAS = RecordedSign("danger.gas", 4, 2, danger=False, at=datetime(2026, 11, 3, 10, tzinfo=UTC), seq=1)


def attempts(store: Store, ref: str) -> list[tuple[str, str]]:
    """The members who were refused, with the codes."""
    rows = store.read(lambda tx: tx.connection.execute(ATTEMPTS.select().where(ATTEMPTS.c.ref == ref)).all())
    return [(row.by, row.code) for row in rows]


def test_a_stale_form_shows_nothing_new_to_a_member_who_was_excluded_in_the_meantime(
    usual_store: Store,
) -> None:
    desk = Desk(usual_store)
    ref = desk.receive()
    version = desk.case(ref).work_version
    desk.act(ref, Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    error = refused(
        lambda: desk.act(ref, Verb.REPLY, SECOND, {}, {"text": "Hello"}, version=version), NotAllowed
    )
    assert error.code == "not_allowed.excluded"
    assert attempts(usual_store, ref) == [(SECOND, "not_allowed.excluded")]


def test_three_similar_cases_are_shown_even_if_the_most_similar_ones_are_restricted(store: Store) -> None:
    desk = Desk(store)
    refs = [desk.receive(chat=desk.chat(str(number))) for number in range(6)]
    for hidden in refs[:2]:
        desk.act(hidden, Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    ref = desk.receive()
    similar = [{"ref": other, "category": "supply", "severity": 2, "likeness": 0.9} for other in refs]
    store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(), {"similar": json.dumps(similar)})

    def similar_refs(member: str) -> list[str]:
        proposed = store.write(open_case, ref, desk.actor(member), "open").proposal
        assert proposed is not None
        return [entry["ref"] for entry in proposed["similar"]]

    assert (similar_refs(SECOND), similar_refs(MANAGER)) == (refs[2:5], refs[:3])
    assert [entry["ref"] for entry in store.read(export_record, ref)["proposal"]["similar"]] == refs[:3]


def test_the_manager_of_a_named_member_is_excluded_from_the_surviving_complaint_too(
    usual_store: Store,
) -> None:
    desk = Desk(usual_store)
    usual_store.write(
        sync_staff,
        (
            Member(HANDLER, "Ann", (), frozenset({Role.HANDLER})),
            Member(SECOND, "Bob", (), frozenset({Role.HANDLER}), line=MANAGER),
            Member(MANAGER, "Cat", (), frozenset({Role.MANAGER})),
            Member(TOP, "Dan", (), frozenset({Role.TOP_MANAGEMENT})),
        ),
    )
    surviving, merged = desk.receive(), desk.receive(subjects=(SECOND,))
    assert desk.case(merged).denied == {SECOND, MANAGER}
    desk.act(merged, Verb.MERGE, TOP, {"other_ref": surviving, "relation": "duplicate"})
    whole = desk.case(surviving)
    assert whole.denied == {SECOND, MANAGER}
    assert not whole.no_reviewer_left


def test_a_complaint_about_a_manager_stays_with_top_management_after_a_merge(usual_store: Store) -> None:
    desk = Desk(usual_store)
    surviving, merged = desk.receive(), desk.receive(subjects=(MANAGER,))
    desk.act(merged, Verb.MERGE, TOP, {"other_ref": surviving, "relation": "duplicate"})
    assert desk.case(surviving).fairness.leads


def test_a_member_named_later_can_no_longer_read_the_merged_complaint(usual_store: Store) -> None:
    desk = Desk(usual_store)
    surviving = desk.receive()
    merged = desk.receive(files=(ReceivedFile("p1", "u1", "photo", "1", name="a.jpg", size=9),))
    usual_store.write(store_file, merged, 1, b"bytes", "image/jpeg")
    desk.act(merged, Verb.MERGE, SECOND, {"other_ref": surviving, "relation": "duplicate"})
    desk.act(surviving, Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    actor = desk.actor(SECOND)
    refused(lambda: usual_store.write(open_case, merged, actor, "open"), NotAllowed)
    refused(lambda: usual_store.write(read_file_bytes, merged, 1, actor), NotAllowed)
    # A member who may read the surviving complaint may read the merged one.
    assert usual_store.write(open_case, surviving, desk.actor(MANAGER), "open").merged[0].ref == merged
    assert usual_store.write(open_case, merged, desk.actor(MANAGER), "open").case.ref == merged


def test_declaring_a_conflict_does_not_reveal_whom_a_restricted_complaint_is_about(
    usual_store: Store,
) -> None:
    desk = Desk(usual_store)
    ref = desk.receive(subjects=(SECOND,))
    words = {"reason": "I guess"}
    for guess in (SECOND, TOP):
        error = refused(
            lambda guess=guess: desk.act(ref, Verb.DECLARE_CONFLICT, HANDLER, {"who": guess}, words),
            NotAllowed,
        )
        assert error.code == "not_allowed.restricted"
    desk.act(ref, Verb.DECLARE_CONFLICT, HANDLER, {"who": HANDLER}, words)
    assert desk.case(ref).conflicted == {HANDLER}


@pytest.mark.parametrize("grave", [True, False])
def test_an_incident_update_never_gives_the_reason_of_a_restricted_complaint(
    usual_store: Store, grave: bool
) -> None:
    desk = Desk(usual_store)
    actor = desk.actor(MANAGER)
    signs = (GAS,) if grave else ()
    hidden = desk.receive(chat=desk.chat("70002"), signs=signs, subjects=(HANDLER,))
    incident = usual_store.write(open_incident_with, hidden, actor, {}, {"what": "No water"})
    open_one = desk.receive()
    usual_store.write(act, open_one, Verb.LINK, actor, {"relation": "same_incident", "incident": incident.id})
    recipients = usual_store.read(load_incident_audience, incident.id, actor)
    assert [(case.ref, why) for case, why in recipients.left_out] == [(hidden, "restricted")]


def test_a_complaint_restricted_after_an_update_loses_its_other_reason(usual_store: Store) -> None:
    desk = Desk(usual_store)
    actor = desk.actor(MANAGER)
    later = desk.receive(chat=desk.chat("70002"), signs=(GAS,))
    incident = usual_store.write(open_incident_with, later, actor, {}, {"what": "No water"})
    usual_store.write(
        act, desk.receive(), Verb.LINK, actor, {"relation": "same_incident", "incident": incident.id}
    )
    batch = usual_store.write(
        schedule_incident_update, an_update(incident.id, {"text.en": "It is mended."}), actor
    ).batch
    assert batch is not None
    reasons = {
        delivery.ref: delivery.reason
        for delivery in usual_store.read(list_batch_deliveries, batch)
        if delivery.state == "left_out"
    }
    assert reasons == {later: "safety"}
    desk.act(later, Verb.RESTRICT, MANAGER, {"subject": HANDLER}, {"reason": "She is named."})
    reasons = {
        delivery.ref: delivery.reason
        for delivery in usual_store.read(list_batch_deliveries, batch)
        if delivery.state == "left_out"
    }
    assert reasons == {later: "restricted"}


def test_a_merged_complaint_is_not_erased_before_the_surviving_one(store: Store) -> None:
    desk = Desk(store)
    surviving, merged = desk.receive(), desk.receive("The water is still brown.")
    desk.act(merged, Verb.MERGE, HANDLER, {"other_ref": surviving, "relation": "duplicate"})
    done = store.write(erase_complainant, surviving, "request")
    assert (done.erased, dict(done.kept)) == ((), {surviving: "open", merged: "open"})
    texts = store.write(open_case, surviving, desk.actor(HANDLER), "open").merged[0].texts
    assert [text.text for text in texts] == ["The water is still brown."]


def test_the_code_of_a_merged_complaint_opens_the_surviving_one(usual_store: Store) -> None:
    desk = desk_of(usual_store)
    surviving, merged = log(desk).ref, log(desk, key="slack:log:2").ref
    code = code_of(desk, merged)
    desk.act(merged, Verb.MERGE, HANDLER, {"other_ref": surviving, "relation": "duplicate"})
    assert sends(desk, code).state is CodeState.FOUND
    assert refs_of(desk) == [surviving]
    assert sends(desk, code).state is CodeState.YOURS
    assert sends(desk, code, OTHER).state is CodeState.USED
