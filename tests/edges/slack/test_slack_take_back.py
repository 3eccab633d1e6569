"""A letter of staff waits ten seconds in which its sender can take it back; its targets are open until it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from bots.slack.views.home import home_view
from complaints.actors import SYSTEM
from complaints.errors import NotAllowed, OutOfOrder
from complaints.event_facts import HELD, TAKE_BACK_SECONDS
from complaints.vocabulary import State, Target, Verb
from store.cases.act import act
from store.cases.read import load_case, load_history, open_case
from store.cases.staff_letters import take_back
from store.outbox.claim import claim
from store.outbox.complete import complete, release
from store.people.staff import load_actor
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, RESOLVED, RESOLVED_WORDS, SECOND, Desk, refused
from tests.edges.slack_office import ALICE, ASSESSMENT, BURAK, MONA, TUGBA, Office, open_office
from tests.edges.slack_office import RESOLVED as RESOLVED_FORM


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def previewed(office: Office, label: str, ref: str, values: dict[str, str]) -> None:
    """Alice fills in the form of the card and sends its letter."""
    alice, card = office.staff(ALICE), await office.card(ref)
    await (alice.presses(card, label) if label in card.buttons else alice.chooses(card, "More", label))
    await office.submits(ALICE, "", values)
    await alice.submits()
    await office.sim.until(lambda: bool(alice.ephemerals), timeout=10)


def verbs(office: Office, ref: str) -> list[Verb]:
    return [event.verb for event in office.store.read(load_history, ref)]


async def test_a_decision_is_taken_back_in_time_and_the_complaint_is_as_before(office: Office) -> None:
    ref = office.owned(ALICE)
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    before = office.store.read(load_case, ref)
    await previewed(office, "Resolve", ref, RESOLVED_FORM)
    alice = office.staff(ALICE)
    offer = alice.ephemerals[-1]
    assert "leaves in 10 seconds" in offer.text
    case = office.store.read(load_case, ref)
    assert case.state is State.DECIDED
    assert {target.met_at for target in case.current_targets() if target.target is Target.DECIDE} == {None}

    await alice.presses(offer, "Take back")
    await office.sim.until(lambda: "is taken back. Nothing was sent" in alice.ephemerals[-1].text, timeout=10)
    # The form starts with what was taken back, so that a mistake is mended and not typed again.
    await alice.presses(alice.ephemerals[-1], "Resolve")
    assert (await alice.opened("Resolve")).values["done"] == RESOLVED_FORM["done"]
    await alice.closes()
    await office.until(office.clock.at + timedelta(minutes=1))

    case = office.store.read(load_case, ref)
    assert (case.state, case.decisions, case.remedies) == (before.state, (), ())
    assert case.target(Target.DECIDE) == before.target(Target.DECIDE)
    assert Verb.COMMUNICATE_DECISION not in verbs(office, ref)
    assert "Resolve" in (await office.card(ref)).buttons


async def test_a_reply_that_has_left_cannot_be_taken_back_and_counts_from_then(office: Office) -> None:
    ref = office.owned(ALICE)
    await previewed(office, "Reply", ref, {"text": "We look into it."})
    written_at = office.clock.at
    assert not office.store.read(load_case, ref).contacted

    await office.until(written_at + timedelta(seconds=TAKE_BACK_SECONDS))
    case = office.store.read(load_case, ref)
    assert case.last_contact_at == written_at + timedelta(seconds=TAKE_BACK_SECONDS)
    first_action = case.target(Target.FIRST_ACTION)
    assert first_action is not None
    assert first_action.met_at == case.last_contact_at

    alice = office.staff(ALICE)
    await alice.presses(alice.ephemerals[-1], "Take back")
    await office.sim.until(lambda: "too late" in alice.ephemerals[-1].text, timeout=10)
    assert Verb.TAKE_BACK not in verbs(office, ref)


@pytest.mark.on_both
def test_a_letter_that_a_worker_claimed_is_not_taken_back(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    sent = desk.act(ref, Verb.REPLY, facts={HELD: 10}, words={"text": "Hello", "letter": "Hello"})
    alice, seq = desk.actor(HANDLER), sent.event.seq
    while earlier := store.write(claim, ["acknowledge", "dates"], 1, 60):
        store.write(complete, earlier[0].id)
    assert store.write(claim, ["letter"], 1, 60) == []
    clock.go_on(seconds=10)
    (obligation,) = store.write(claim, ["letter"], 1, 60)

    error = refused(lambda: store.write(take_back, ref, seq, alice), OutOfOrder)
    assert isinstance(error, OutOfOrder)
    assert error.code == "already_sent"
    assert store.read(load_history, ref)[-1].verb is Verb.REPLY

    # The rate limit had no slot: it has not left, so it can still be taken back, by its sender alone.
    store.write(release, obligation.id, 1.0)
    refused(lambda: store.write(take_back, ref, seq, desk.actor(SECOND)), NotAllowed)
    store.write(take_back, ref, seq, alice)
    clock.go_on(seconds=60)
    assert store.write(claim, ["letter"], 1, 60) == []
    refused(lambda: store.write(take_back, ref, seq, alice), OutOfOrder)


def test_a_decision_that_others_worked_on_is_not_taken_back(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed()
    sent = desk.act(ref, Verb.RESOLVE, facts={**RESOLVED, HELD: 10}, words=RESOLVED_WORDS)
    desk.act(ref, Verb.REPLY, SECOND, words={"text": "Hello"})
    take = lambda: usual_store.write(take_back, ref, sent.event.seq, desk.actor(HANDLER))  # noqa: E731
    error = refused(take, OutOfOrder)
    assert isinstance(error, OutOfOrder)
    assert error.code == "worked_on"


def test_a_taken_back_question_waits_for_nothing(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed()
    facts = {"needed_by": "2026-11-10", HELD: 10}
    question = desk.act(ref, Verb.ASK, facts=facts, words={"text": "Which day?"})
    assert desk.case(ref).asked_at is None
    usual_store.write(take_back, ref, question.event.seq, usual_store.read(load_actor, HANDLER))
    case = desk.case(ref)
    assert (case.asked_at, case.target(Target.WAITING), case.unsent) == (None, None, ())
    usual_store.write(act, ref, Verb.NOTE, desk.actor(HANDLER), {}, {"text": "We ring instead."})


async def test_a_warning_about_contact_is_taken_back_and_a_limit_waits_for_its_delivery(
    office: Office,
) -> None:
    ref = office.owned(ALICE)
    alice, warning = office.staff(ALICE), {"text": "Please write without names."}
    await previewed(office, "Warn about contact", ref, warning)
    assert "leaves in 10 seconds" in alice.ephemerals[-1].text
    assert "Limit contact" not in (await office.card(ref)).options("More")
    await alice.presses(alice.ephemerals[-1], "Take back")
    await office.sim.until(lambda: "is taken back. Nothing was sent" in alice.ephemerals[-1].text, timeout=10)
    await office.until(office.clock.at + timedelta(minutes=1))
    assert office.store.read(load_case, ref).conduct.warned_at is None

    await alice.presses(alice.ephemerals[-1], "Warn about contact")
    assert (await alice.opened("Warn about contact")).values["text"] == warning["text"]
    await alice.submits()
    await alice.submits()
    await office.until(office.clock.at + timedelta(seconds=TAKE_BACK_SECONDS))
    case = office.store.read(load_case, ref)
    assert (case.conduct.warned_at, case.contacted) == (office.clock.at, False)
    assert "Limit contact" in (await office.card(ref)).options("More")


WORDS = {"issues.0.reasons": "We erred.", "nothing_why": "It is mended.", "root_cause": "A slip"}
DECIDED = {
    "issues": [{"finding": "upheld"}],
    "remedies": [],
    "others_affected": "none",
    "cause_class": "single",
}
MONEY = {"type": "refund", "amount": "500.00", "currency": "GBP"}
LIMIT = {"limits": ["one_contact"], "until": "2026-12-20"}
WHY = {"reason": "Nine messages call our staff names."}
#: What comes before each letter, and the letter: who, which act, facts and words.
Step = tuple[str, Verb, Mapping[str, Any], Mapping[str, str]]
WARNED: tuple[Step, ...] = ((ALICE, Verb.WARN_CONDUCT, {}, {"text": "Please write without names."}),)
LIMIT_ASKED: tuple[Step, ...] = (*WARNED, (ALICE, Verb.LIMIT_CONTACT, LIMIT, WHY))
LIMITED: tuple[Step, ...] = (*LIMIT_ASKED, (MONA, Verb.APPROVE, {"agreed": "yes"}, {}))
LETTERS: Mapping[str, tuple[Step, ...]] = {
    "reply": ((ALICE, Verb.REPLY, {}, {"text": "On Monday."}),),
    "ask": ((ALICE, Verb.ASK, {"needed_by": "2026-11-10"}, {"text": "Which day?"}),),
    "inform": ((ALICE, Verb.INFORM, {"next_date": "2026-11-10"}, {"done": "Read", "left": "All"}),),
    "warning": WARNED,
    "resolve": ((ALICE, Verb.RESOLVE, RESOLVED, RESOLVED_WORDS),),
    "decide": ((ALICE, Verb.RESPOND, DECIDED, WORDS),),
    "approve": (
        (ALICE, Verb.RESPOND, {**DECIDED, "remedies": [MONEY]}, WORDS),
        (MONA, Verb.APPROVE, {"agreed": "yes"}, {}),
    ),
    "limit": LIMITED,
    "limit kept": (
        *LIMITED,
        (ALICE, Verb.APPEAL_LIMIT, {}, {"reason": "Said so"}),
        (TUGBA, Verb.REVIEW_LIMIT, {"outcome": "kept"}, WHY),
    ),
    "limit ended": (*LIMITED, (TUGBA, Verb.REVIEW_LIMIT, {"outcome": "ended"}, WHY)),
}


async def does(office: Office, ref: str, step: Step, **more: int) -> int:
    """A member of staff, who has read the complaint, does this; the number of the event."""
    member, verb, facts, words = step
    by = office.store.read(load_actor, member)
    office.store.write(open_case, ref, by, "open")
    words = {**words, "letter": "Dear Anna"} if verb in (Verb.REPLY, Verb.ASK, Verb.WARN_CONDUCT) else words
    recorded = office.store.write(act, ref, verb, by, {**facts, **more}, words)
    await office.idle()
    return recorded.event.seq


async def seen(office: Office, ref: str) -> tuple[Any, ...]:
    """What staff see of it: the card with its buttons, every home, and the open dates."""
    card, case = await office.card(ref), office.store.read(load_case, ref)
    homes = [
        [block.get("text") for block in (await home_view(office.desk, member))["blocks"]]
        for member in (ALICE, MONA, TUGBA)
    ]
    dates = [
        (target.target, target.of, target.internal_due)
        for target in case.current_targets()
        if target.met_at is None
    ]
    # Below it the thread has a line for each act, also for what was taken back.
    return card.text.split("History (")[0], card.buttons, card.options("More"), homes, sorted(dates)


@clause("7.3")
@pytest.mark.parametrize("name", LETTERS)
async def test_after_a_letter_is_taken_back_staff_see_what_they_saw_before(office: Office, name: str) -> None:
    ref = await investigated(office)
    *earlier, letter = LETTERS[name]
    for step in earlier:
        await does(office, ref, step)
    before = await seen(office, ref)
    seq = await does(office, ref, letter, **{HELD: TAKE_BACK_SECONDS})
    office.store.write(take_back, ref, seq, office.store.read(load_actor, letter[0]))
    await office.idle()
    assert await seen(office, ref) == before
    await office.until(office.clock.at + timedelta(minutes=1))
    assert office.store.read(load_history, ref)[-1].verb is Verb.TAKE_BACK


async def investigated(office: Office) -> str:
    """A complaint of Alice's that she can decide."""
    ref = office.owned(ALICE)
    criteria = {"severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 2, "issues": []}
    # Otherwise a letter would end our questions, and the acknowledgement would be sent at once.
    office.store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    await does(office, ref, (ALICE, Verb.ASSESS, {**ASSESSMENT, **criteria}, {}))
    evidence = {"evidence": ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]}
    await does(office, ref, (ALICE, Verb.INVESTIGATE, evidence, {"finding": "Read twice."}))
    return ref


@clause("4.5")
async def test_an_author_withdraws_a_draft_and_the_approvers_message_says_so(office: Office) -> None:
    ref = await investigated(office)
    drafted = {**DECIDED, "remedies": [MONEY]}
    await does(office, ref, (ALICE, Verb.RESPOND, drafted, {**WORDS, "remedies.0.text": "Your money"}))
    mona, alice, burak = office.staff(MONA), office.staff(ALICE), office.staff(BURAK)
    request = next(message for message in mona.direct_messages if "asks for your approval" in message.text)
    assert "Approve" in request.buttons

    await burak.chooses(await office.card(ref, BURAK), "More", "Withdraw the draft")
    assert "Only its author or the complaint's owner" in await office.private_answer(BURAK)
    assert office.store.read(load_case, ref).drafted is not None
    await alice.chooses(await office.card(ref), "More", "Withdraw the draft")
    await office.sim.until(
        lambda: any("is withdrawn" in shown.text for shown in alice.ephemerals), timeout=10
    )
    await office.idle()
    assert office.store.read(load_case, ref).drafted is None
    changed = next(message for message in mona.direct_messages if message.ts == request.ts)
    assert f"withdrew the draft decision on {ref}" in changed.text
    assert changed.buttons == []
    card = await office.card(ref)
    assert "waits for approval" not in card.text
    assert "Withdraw the draft" not in card.options("More")

    # The form starts with all that was typed, the findings and the amounts too.
    await alice.presses(alice.ephemerals[-1], "Decide")
    values = (await alice.opened("Decide")).values
    assert values["issues.0.reasons"] == WORDS["issues.0.reasons"]
    assert values["issues.0.finding"] == "upheld"
    assert values["remedies.0.amount"] == "500.00"


@clause("7.8")
async def test_a_decision_whose_approval_was_taken_back_is_sent_after_the_next_approval(
    office: Office,
) -> None:
    ref = await investigated(office)
    drafted = {**DECIDED, "remedies": [MONEY]}
    await does(office, ref, (ALICE, Verb.RESPOND, drafted, {**WORDS, "remedies.0.text": "Your money"}))
    mona = office.staff(MONA)
    await does(office, ref, (MONA, Verb.APPROVE, {"agreed": "yes", HELD: 10}, {}))
    seq = office.store.read(load_history, ref)[-1].seq
    office.store.write(take_back, ref, seq, office.store.read(load_actor, MONA))
    await office.idle()
    assert office.store.read(load_case, ref).drafted is not None
    assert "asks for your approval" in mona.direct_messages[-1].text
    await does(office, ref, (MONA, Verb.APPROVE, {"agreed": "yes", HELD: 10}, {}))
    await office.until(office.clock.at + timedelta(minutes=1))

    assert Verb.COMMUNICATE_DECISION in verbs(office, ref)


@clause("4.3")
async def test_an_approved_limit_on_contact_is_taken_back_by_its_approver(office: Office) -> None:
    ref = await investigated(office)
    for step in LIMIT_ASKED:
        await does(office, ref, step)
    mona = office.staff(MONA)
    await mona.presses(await office.card(ref, MONA), "Approve")
    await office.submits(MONA, "Approve", {"agreed": "yes"})
    await office.sim.until(lambda: any("Take back" in shown.buttons for shown in mona.ephemerals), timeout=10)
    assert office.store.read(load_case, ref).conduct.limit is not None
    await mona.presses(mona.ephemerals[-1], "Take back")
    await office.sim.until(lambda: "is taken back. Nothing was sent" in mona.ephemerals[-1].text, timeout=10)
    await office.until(office.clock.at + timedelta(minutes=1))
    conduct = office.store.read(load_case, ref).conduct
    assert (conduct.limit, conduct.pending is not None) == (None, True)
    assert "waits for approval" in (await office.card(ref)).text
