"""A second person reads drawn decisions before they are sent; closed complaints are reviewed by others (4.5, C)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bots.slack.views.opened_case import dates_view
from complaints.deadlines.opening_hours import next_working
from complaints.deadlines.quiet_hours import checked_by
from complaints.forms import DECISION_QUESTIONS, REVIEW_QUESTIONS
from complaints.history import CaseHistory
from complaints.vocabulary import State, Verb
from reports.monitoring import Monitoring, monitor
from reports.tally import Period
from scheduler.ticks import schedule_next_morning
from simulator.screen import FormRefused
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.people.staff import load_actor
from store.rulebooks import use_rulebook
from store.store import Store
from store.tables import READS
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack.test_slack_actions import assessed_complaint, decision, investigated_complaint
from tests.edges.slack_office import ALICE, AUDREY, BURAK, MONA, RESOLVED, TUGBA, Office, open_office
from tests.rules.slack_cases import RULES

PASSES = dict.fromkeys(DECISION_QUESTIONS, "yes") | {"agreed": "yes"}


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        opened.store.write(use_rulebook, replace(RULES, check_share=1.0))
        yield opened


def figures(office: Office, ref: str) -> Monitoring:
    now = office.store.now()
    history = CaseHistory(office.store.read(load_case, ref), tuple(office.store.read(load_history, ref)))
    return monitor([history], period=Period(now - timedelta(days=90), now + timedelta(days=1)), now=now)


def asked(office: Office, words: str) -> set[str]:
    return {
        member for member in (ALICE, BURAK, MONA, TUGBA, AUDREY) if words in " ".join(office.texts(member))
    }


@clause("4.5")
async def test_a_drawn_decision_goes_back_with_a_note_and_is_sent_once_another_person_passes_it(
    office: Office,
) -> None:
    ref = await investigated_complaint(office)
    preview = await office.acts(ALICE, "Decide", ref, decision())
    drafted = office.store.read(load_case, ref)
    readers = asked(office, f"asks you to read a decision on {ref}")
    burak, alice = office.staff(BURAK), office.staff(ALICE)
    await burak.presses(burak.direct_messages[-1], "Check decision")
    form = await burak.opened("Check decision")
    await burak.fills(PASSES | {"check_tone": "no"})
    with pytest.raises(FormRefused) as refused:
        await burak.submits()
    await office.submits(BURAK, "Check decision", {"agreed": "no", "reason": "Say sorry first."})
    returned = office.store.read(load_case, ref)
    await alice.presses(alice.direct_messages[-1], "Decide")
    again = await alice.opened("Decide")
    refilled = dict(again.values)
    await office.submits(ALICE, "Decide", {"issues.0.reasons": "We are sorry: we erred."})
    await alice.submits()
    await office.idle()
    await office.acts(MONA, "Check decision", ref, PASSES)
    await office.passes_ten_seconds()
    case = office.store.read(load_case, ref)
    report = figures(office, ref)

    assert preview.submit_label == "Ask a second reader"
    assert drafted.drafted is not None
    assert readers == {BURAK, MONA}
    assert asked(office, f"<@{BURAK}> sent the decision on {ref} back to its author") == {BURAK, MONA}
    assert asked(office, f"<@{MONA}> agreed to the decision on {ref}") == {BURAK, MONA}
    assert "bill is wrong" in form.text
    assert "We erred." in form.text
    assert set(refused.value.errors) == {"agreed"}
    assert (returned.state, returned.decisions) == (State.INVESTIGATING, ())
    assert "Say sorry first." in again.text
    assert (refilled["issues.0.reasons"], refilled["remedies.0.amount"]) == ("We erred.", "20.00")
    assert (case.state, case.decisions[0].by, case.decisions[0].approved_by) == (State.REMEDYING, ALICE, None)
    assert (report.share("decisions_read").share.hits, report.share("decisions_passed").share.hits) == (2, 1)
    assert report.share("decision_questions", "tone").share.hits == 1


@clause("4.5")
async def test_the_author_cannot_read_the_decision_as_second_person(office: Office) -> None:
    ref = await assessed_complaint(office)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Check decision")
    refused = await office.private_answer(ALICE)
    await alice.presses(await office.card(ref), "Open")
    opened = await alice.opened("Open")

    assert refused == "A second person must do this."
    assert "Check decision" not in opened.buttons
    assert office.store.read(load_case, ref).decisions == ()


async def test_a_reader_who_is_later_than_another_is_told_that_nothing_is_left_to_do(office: Office) -> None:
    ref = await assessed_complaint(office)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    mona, card = office.staff(MONA), await office.card(ref)
    line = next(line for line in card.text.splitlines() if "second reading by" in line)
    assert line.replace("*", "") in mona.direct_messages[-1].text
    await mona.presses(await office.card(ref), "Check decision")
    await mona.opened("Check decision")
    await mona.fills(PASSES)
    await office.acts(BURAK, "Check decision", ref, PASSES)
    notice = await mona.submits()

    past = dates_view(
        office.store.read(load_case, ref), office.store.read(load_history, ref), office.desk.texts,
        now=office.store.now(),
    )  # fmt: skip

    assert notice is not None
    assert "somebody else has answered" in notice.text
    assert notice.submit_label is None
    assert "second reading" in str(past)
    assert "*approval" not in str(past)


@clause("E")
async def test_a_draft_whose_complaint_became_graver_asks_those_who_may_approve(office: Office) -> None:
    ref = await assessed_complaint(office)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    await office.acts(ALICE, "Assess", ref, {"severity": "4", "safety": "0"})
    await office.idle()
    burak, mona = office.staff(BURAK), office.staff(MONA)
    await burak.presses(burak.direct_messages[-1], "Check decision")
    refused = await office.private_answer(BURAK)
    approvers = asked(office, f"asks for your approval of a decision on {ref}")
    named = asked(office, f"These people can approve it now: <@{MONA}>, <@{TUGBA}>.")
    await mona.presses(mona.direct_messages[-1], "Approve")
    form = await mona.opened("Approve")
    await office.submits(MONA, "Approve", PASSES)
    await office.passes_ten_seconds()
    case = office.store.read(load_case, ref)

    assert "needs the approval of a manager" in refused
    assert approvers == named == {MONA, TUGBA}
    assert RESOLVED["done"] in form.text
    assert (case.decisions[0].approved_by, case.decisions[0].short) == (MONA, True)
    assert asked(office, f"<@{MONA}> agreed to the decision on {ref}") == {BURAK, MONA, TUGBA}


@clause("E")
@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("Decide", decision("150.00")),
        ("Extend", {"target": "decide", "extended_to": "2026-11-13", "reason": "We wait for the reading."}),
        ("Reclassify", {"kind": "enquiry", "reason": "It is a question."}),
        (
            "Limit contact",
            {
                "limits": ["fewer_replies"],
                "reply_days": "14",
                "until": "2026-12-31",
                "reason": "The names went on.",
            },
        ),
    ],
)
async def test_who_asked_for_an_approval_is_told_of_a_no_and_finds_the_reason_in_the_form(
    office: Office, label: str, values: dict[str, Any]
) -> None:
    office.store.write(use_rulebook, RULES)
    ref = await investigated_complaint(office)
    if label == "Limit contact":
        author = office.store.read(load_actor, ALICE)
        words = dict.fromkeys(("text", "letter"), "Please name nobody.")
        office.store.write(act, ref, Verb.WARN_CONDUCT, author, {}, words)
        await office.passes_ten_seconds()
    await office.acts(ALICE, label, ref, values)
    await office.acts(MONA, "Approve", ref, {"agreed": "no", "reason": "Say sorry first."})
    await office.idle()
    alice = office.staff(ALICE)
    await alice.presses(alice.direct_messages[-1], label)
    form = await alice.opened(label)
    card = await office.card(ref)

    assert f"did not approve your request on {ref} ({label})" in alice.direct_messages[-1].text
    assert "Say sorry first." in form.text
    assert {field: form.values[field] for field in values} == values
    assert "Not approved, sent back" in card.thread[-1].text


@clause("4.5")
async def test_a_decision_that_nobody_has_read_is_sent_before_its_date_is_missed(office: Office) -> None:
    ref = await assessed_complaint(office)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    waiting = office.store.read(load_case, ref)
    until = checked_by(waiting)
    assert until is not None
    await office.until(until)
    case, event = office.store.read(load_case, ref), office.store.read(load_history, ref)
    sent = next(event for event in event if event.verb is Verb.CHECK_DECISION)

    assert waiting.decisions == ()
    assert case.decisions[0].communicated_at is not None
    assert (sent.role, sent.facts["skipped"]) == ("system", "no_time")
    assert figures(office, ref).volume["drawn_but_not_read"] == {"no_time": 1}


@clause("C")
async def test_a_closed_complaint_is_reviewed_by_a_person_who_took_no_part_in_it(office: Office) -> None:
    office.store.write(use_rulebook, RULES)
    ref = await assessed_complaint(office)
    await office.acts(ALICE, "Resolve", ref, RESOLVED)
    office.complainant_acts(Verb.ACCEPT, ref, {}, {})
    await office.acts(ALICE, "Close", ref, {})
    schedule_next_morning(office.store)
    for _ in range(40):
        await office.until(office.clock.at + timedelta(days=1))
        review = office.store.read(load_case, ref).review
        if review is not None:
            break
    assert review is not None
    await office.until(next_working(review.due, RULES.calendar))
    reviewer = office.staff(review.reviewer)
    request = next(post for post in reviewer.direct_messages if f"{ref} is closed and was drawn" in post.text)
    reminders = [
        post.text for post in reviewer.direct_messages if f"The review of {ref} was due" in post.text
    ]
    answers = dict.fromkeys(REVIEW_QUESTIONS, "yes") | {
        "review_open": "no",
        "reason": "No one said what came next.",
    }
    await reviewer.presses(request, "Review complaint")
    unread = await office.submits(review.reviewer, "Review complaint", answers)
    await reviewer.closes(all=True)
    await reviewer.presses(request, "Open")
    opened = await reviewer.opened("Open")
    await reviewer.presses(request, "Review complaint")
    await office.submits(review.reviewer, "Review complaint", answers)
    case = office.store.read(load_case, ref)
    query = select(READS.c.reason).where(READS.c.ref == ref, READS.c.by == review.reviewer)
    reasons = office.store.read(lambda tx: set(tx.connection.execute(query).scalars()))
    objectivity = figures(office, ref).share("objectivity", "open").share

    assert review.reviewer in {BURAK, TUGBA, AUDREY, MONA}
    assert len(reminders) == 1
    assert unread is not None
    assert "You have not read this complaint yet" in unread.text
    assert "bill is wrong" in opened.text
    assert case.open_review is None
    assert reasons == {"check"}
    assert review.reviewer not in case.workers
    assert (objectivity.hits, objectivity.of) == (0, 1)
