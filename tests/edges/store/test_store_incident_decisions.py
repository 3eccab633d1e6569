"""One decision on all complaints of an incident in the store: once for each complaint, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.batch import Batch, IncidentDecision
from complaints.errors import AlreadyDone, NotAllowed, Stale
from complaints.vocabulary import State, Verb
from store.cases.batches import DECISION, list_batch_deliveries, load_batch, save_batch
from store.cases.incident_acts import (
    answer_incident_decision,
    load_decision_audience,
    propose_incident_decision,
    record_incident_decision,
    take_back_from_all,
)
from store.cases.read import load_case, load_history
from store.custody.verify import verify
from store.incidents import load_incident, load_incident_decision
from store.outbox.claim import claim
from store.outbox.complete import end_all_leases
from store.store import Store
from store.values import Obligation
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, TOP, Desk, refused
from tests.edges.store.test_store_incidents import join_cases, open_outage
from tests.rules.lifecycle.test_incident_decisions import FACTS, WORDS


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def propose(desk: Desk, clock: FakeClock, number: int) -> tuple[list[str], IncidentDecision]:
    """An incident with so many complaints, and the manager's decision on all of them."""
    incident = open_outage(desk)
    refs = join_cases(desk, incident, number)
    for ref in refs:
        # A message of staff ends the questions of the form.
        desk.act(ref, Verb.REPLY, words={"text": "We are on it."})
    clock.go_on(minutes=1)
    draft = save_draft(desk, incident.id)
    desk.store.write(propose_incident_decision, draft, desk.actor(MANAGER))
    decision = desk.store.read(load_incident_decision, incident.id)
    assert decision is not None
    return refs, decision


def save_draft(desk: Desk, number: int) -> Batch:
    """What the manager's preview keeps."""
    store, by, now = desk.store, desk.actor(MANAGER), desk.store.now()
    version = store.read(load_incident, number).version
    batch = Batch("incident_decide", MANAGER, now, str(number), version, facts=FACTS, words=WORDS)
    audience = store.read(load_decision_audience, number, by, IncidentDecision.previewed(batch))
    draft = store.write(save_batch, replace(batch, refs=tuple(case.ref for case in audience.to)))
    read = store.read(load_batch, draft, "incident_decide")
    assert read is not None
    return read


def decide(desk: Desk, decision: IncidentDecision, obligation: Obligation, *, completes: bool = True) -> None:
    """What the worker does with one obligation."""
    ref = str(obligation.ref)
    desk.store.write(
        record_incident_decision, ref, decision, desk.actor(MANAGER), desk.actor(TOP), f"{ref}: our decision",
        seen_version=desk.case(ref).version, completes=obligation.id if completes else None,
    )  # fmt: skip


def test_a_worker_that_dies_in_the_middle_decides_no_complaint_twice_and_leaves_none_out(
    desk: Desk, clock: FakeClock
) -> None:
    refs, decision = propose(desk, clock, 3)
    store = desk.store
    before = store.write(claim, {DECISION}, 10, 60.0)
    store.write(answer_incident_decision, 1, desk.actor(TOP), agreed=True)
    first, second, third = store.write(claim, {DECISION}, 10, 60.0)
    decide(desk, decision, first)
    # It dies after the commit of the second and before its obligation was completed.
    decide(desk, decision, second, completes=False)
    store.write(end_all_leases)
    for obligation in store.write(claim, {DECISION}, 10, 60.0):
        decide(desk, decision, obligation)
    events = {ref: [event.verb for event in store.read(load_history, ref)] for ref in refs}
    deliveries = store.read(list_batch_deliveries, decision.batch, DECISION)

    assert before == []
    assert third.ref in refs
    assert [verbs.count(Verb.RESPOND) for verbs in events.values()] == [1, 1, 1]
    assert [verbs.count(Verb.APPROVE) for verbs in events.values()] == [1, 1, 1]
    assert [(delivery.state, delivery.is_recorded) for delivery in deliveries] == [("waiting", True)] * 3
    assert store.write(claim, {DECISION}, 10, 60.0) == []
    assert store.read(verify).first_bad is None


def test_who_needs_a_person_by_the_time_of_the_execution_is_left_out_with_the_reason(
    desk: Desk, clock: FakeClock
) -> None:
    refs, decision = propose(desk, clock, 4)
    store = desk.store
    store.write(answer_incident_decision, 1, desk.actor(TOP), agreed=True)
    other = open_outage(desk)
    for ref in refs[2:]:
        desk.act(ref, Verb.LINK, HANDLER, {"incident": 1, "left": True})
    desk.act(refs[3], Verb.LINK, HANDLER, {"incident": other.id})
    desk.act(refs[0], Verb.DECLARE_CONFLICT, MANAGER, {"who": TOP}, {"reason": "A relative."})
    clock.go_on(minutes=1)
    desk.add(refs[1], "One thing more.", chat=desk.chat("81001"))
    obligations = {str(obligation.ref): obligation for obligation in store.write(claim, {DECISION}, 10, 60.0)}
    # The whole transaction is rolled back, so the complaint is not even assessed.
    refused(lambda: decide(desk, decision, obligations[refs[0]]), NotAllowed)
    for ref in refs[1:]:
        decide(desk, decision, obligations[ref])
    deliveries = {
        row.ref: (row.state, row.reason)
        for row in store.read(list_batch_deliveries, decision.batch, DECISION)
    }

    assert [deliveries[ref] for ref in refs[1:]] == [
        ("left_out", "newer"), ("left_out", "left"), ("left_out", "left"),
    ]  # fmt: skip
    assert {desk.case(ref).state for ref in refs} == {State.RECEIVED}
    assert desk.case(refs[0]).assessment is None


def test_a_letter_written_for_an_older_version_of_the_complaint_is_never_recorded(
    desk: Desk, clock: FakeClock
) -> None:
    (ref,), decision = propose(desk, clock, 1)
    store = desk.store
    store.write(answer_incident_decision, 1, desk.actor(TOP), agreed=True)
    refused(
        lambda: store.write(
            record_incident_decision, ref, decision, desk.actor(MANAGER), desk.actor(TOP), "Old words",
            seen_version=desk.case(ref).version - 1,
        ),
        Stale,
    )  # fmt: skip

    assert store.read(load_case, ref).state is State.RECEIVED


def test_a_preview_is_sent_once_and_goes_to_those_whom_it_counted(desk: Desk, clock: FakeClock) -> None:
    incident = open_outage(desk)
    first = join_cases(desk, incident, 1)[0]
    desk.act(first, Verb.REPLY, words={"text": "We are on it."})
    clock.go_on(minutes=1)
    draft = save_draft(desk, incident.id)
    late = desk.receive(chat=desk.chat("81999"))
    desk.act(late, Verb.LINK, HANDLER, {"incident": incident.id})
    desk.act(late, Verb.REPLY, words={"text": "We are on it."})
    desk.store.write(propose_incident_decision, draft, desk.actor(MANAGER))
    refused(lambda: desk.store.write(propose_incident_decision, draft, desk.actor(MANAGER)), AlreadyDone)
    decision = desk.store.read(load_incident_decision, incident.id)

    assert decision is not None
    assert decision.number == 1


def test_an_approval_taken_back_waits_again_and_decides_the_rest_once_it_is_approved(
    desk: Desk, clock: FakeClock
) -> None:
    refs, decision = propose(desk, clock, 3)
    store, top = desk.store, desk.actor(TOP)
    number, batch = decision.incident, decision.batch
    store.write(answer_incident_decision, number, top, agreed=True)
    (first,) = store.write(claim, [DECISION], 1, 60)
    refused(lambda: store.write(take_back_from_all, number, batch, desk.actor(MANAGER)), NotAllowed)
    assert store.write(take_back_from_all, number, batch, top) == (2, 1)
    waiting = store.read(load_incident_decision, number)
    assert waiting is not None
    assert (waiting.batch, waiting.waits, waiting.answered_by) == (batch, True, None)
    assert store.write(claim, [DECISION], 9, 60) == []
    # The one that a worker had claimed was approved at that time.
    decide(desk, decision, first)

    store.write(answer_incident_decision, number, top, agreed=True)
    for obligation in store.write(claim, [DECISION], 9, 60):
        decide(desk, decision, obligation)
    assert {desk.case(ref).state for ref in refs} == {State.DECIDED}
    verbs = [event.verb for ref in refs for event in store.read(load_history, ref)]
    assert verbs.count(Verb.RESPOND) == 3
    assert store.read(verify).first_bad is None
