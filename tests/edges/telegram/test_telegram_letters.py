"""Letters that are sent without a press: dates, progress, reminders, recourse, closings, danger receipts.

The subject is what people see and press; test_store_* tests the store on both databases. Tests marked `on_both` also
run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from complaints.actors import staff
from complaints.vocabulary import CloseCode, Role, State, Target, Verb
from simulator import Simulator
from simulator.customer import Customer
from store.cases.act import act
from store.cases.read import load_case, load_history, open_case
from store.people.staff import load_actor
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, TOP
from tests.edges.telegram_desk import TEXTS, TelegramDesk, telegram_desk


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as running:
        yield running


async def later(desk: TelegramDesk, clock: FakeClock, **time: float) -> None:
    """Let time pass and wait until everything due is done."""
    clock.go_on(**time)
    desk.worker.nudge()
    await desk.settled()


async def decided(desk: TelegramDesk) -> tuple[Customer, str]:
    """A complaint whose decision was communicated."""
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    desk.resolve(ref)
    await desk.settled()
    return anna, ref


async def test_after_the_assessment_the_first_promised_dates_are_sent(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    desk.store.write(act, ref, Verb.ASSESS, desk.store.read(load_actor, HANDLER), ASSESSED)
    await desk.settled()
    assert anna.heard[-1].startswith(f"{ref}: a person has read and assessed your complaint. We answer by ")


async def test_a_promised_date_without_news_is_answered_by_a_progress_report(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    await later(desk, clock, days=8, hours=4)
    reports = [text for text in anna.heard if text.startswith(f"{ref}: so far we have recorded it.")]
    assert len(reports) == 1
    informed = [event for event in desk.store.read(load_history, ref) if event.verb is Verb.INFORM]
    assert [event.role for event in informed] == [Role.SYSTEM]


async def test_silence_gets_one_reminder_and_a_closing_that_does_not_count_as_agreement(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna, ref = await decided(desk)
    await later(desk, clock, days=16)
    assert len([text for text in anna.heard if "do not know yet what you think of it" in text]) == 1
    desk.store.write(act, ref, Verb.VERIFY, staff(MANAGER, Role.MANAGER), {"remedy": 0}, {"how": "Seen."})
    await later(desk, clock, days=30)
    case = desk.store.read(load_case, ref)
    assert (case.state, case.close_code, case.reply) == (State.CLOSED, CloseCode.ANSWERED_NO_REPLY, None)
    assert any("that does not count as your agreement" in text for text in anna.heard)


async def test_a_disagreement_is_reviewed_by_other_people_and_then_pointed_to_outside_recourse(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna, ref = await decided(desk)
    await anna.presses("I disagree")
    await desk.settled()
    assert f"{ref} stays open. What should we look at again?" in anna.heard[-2]
    assert "It is now at level 2 of 2" in anna.heard[-1]
    await anna.says("You never read my letter.")
    await desk.settled()
    store, manager = desk.store, desk.store.read(load_actor, MANAGER)
    store.write(open_case, ref, manager, "case")
    evidence = {"evidence": ["complainant_heard", "records_checked"]}
    facts = {"issues": [{"finding": "not_upheld"}], "cause_class": "single", "others_affected": "none"}
    words = {"issues.0.reasons": "The terms say so.", "root_cause": "Terms.", "letter": "We looked again."}
    store.write(act, ref, Verb.ASSIGN, manager, {"owner": MANAGER})
    store.write(act, ref, Verb.INVESTIGATE, manager, evidence)
    store.write(act, ref, Verb.RESPOND, manager, facts, words)
    await desk.settled()
    assert anna.heard[-1] == "We looked again."
    await anna.presses("I disagree")
    await desk.settled()
    assert "We have no further review ourselves" in anna.heard[-1]
    assert store.read(load_case, ref).state is State.RECOURSE_OFFERED


@pytest.mark.on_both
async def test_after_acceptance_and_closing_one_survey_and_one_reminder_are_sent(
    desk: TelegramDesk, clock: FakeClock
) -> None:
    anna, ref = await decided(desk)
    await anna.presses("I accept")
    await desk.settled()
    store, actor = desk.store, desk.store.read(load_actor, HANDLER)
    store.write(open_case, ref, actor, "case")
    store.write(act, ref, Verb.CLOSE, actor, {"cause_class": "single"}, {"root_cause": "An old pipe."})
    await desk.settled()
    assert f"{ref} is now closed" in anna.heard[-1]
    await later(desk, clock, days=4)
    assert "Did we treat you fairly and with respect?" in anna.heard[-1]
    await later(desk, clock, days=6)
    assert "This is the only reminder." in anna.heard[-1]
    await anna.presses("5")
    await desk.settled()
    assert anna.heard[-1].startswith("How satisfied are you with the outcome?")
    await later(desk, clock, days=60)
    assert len([text for text in anna.heard if "treat you fairly" in text]) == 2


async def test_a_danger_receipt_is_sent_after_a_manager_confirmed_it(desk: TelegramDesk) -> None:
    anna = desk.sim.customer("Anna")
    await anna.says("There is a strong smell of gas in the kitchen now!")
    await desk.settled()
    assert anna.heard[0].startswith("Please call 0800 111 999 now")
    assert "has seen it" not in "".join(anna.heard)
    desk.store.write(act, desk.ref, Verb.RECEIPT, desk.store.read(load_actor, MANAGER))
    await desk.settled()
    assert anna.heard[-1] == f"{desk.ref}: a manager has seen it."


async def test_a_withdrawal_is_confirmed_once(desk: TelegramDesk) -> None:
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    await anna.says("/withdraw")
    await desk.settled()
    await anna.presses("Yes")
    await desk.settled()
    assert anna.heard[-1].startswith(f"You have taken {ref} back.")
    assert len([text for text in anna.heard if "back" in text]) == 2
    assert desk.store.read(load_case, ref).close_code is CloseCode.WITHDRAWN


async def test_the_approver_counts_as_involved_when_the_decision_leaves(desk: TelegramDesk) -> None:
    """A letter that promised a review at its preview does not promise it once nobody is left for it."""
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    store, manager = desk.store, desk.store.read(load_actor, MANAGER)
    store.write(open_case, ref, manager, "case")
    store.write(act, ref, Verb.ASSIGN, manager, {"owner": MANAGER})
    store.write(act, ref, Verb.ASSESS, manager, {**ASSESSED, "severity": 4})
    evidence = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]
    store.write(act, ref, Verb.INVESTIGATE, manager, {"evidence": evidence})
    facts = {"issues": [{"finding": "not_upheld"}], "cause_class": "single", "others_affected": "none"}
    promised = TEXTS.text("en", "decision.next_level")
    words = {"issues.0.reasons": "So.", "root_cause": "Terms.", "letter": f"We looked.\n{promised}"}
    store.write(act, ref, Verb.RESPOND, manager, facts, words)
    top = store.read(load_actor, TOP)
    store.write(open_case, ref, top, "approve")
    store.write(act, ref, Verb.APPROVE, top, {"agreed": "yes"})
    await desk.settled()
    assert promised not in anna.heard[-1]
    assert "Everybody here who could review it has already taken part." in anna.heard[-1]
    await anna.presses("I disagree")
    await desk.settled()
    assert "Everybody here who could review it has already taken part in it" in anna.heard[-1]
    assert not any("What should we look at again?" in text for text in anna.heard)
    await anna.says("Then tell me at least who decided this.")
    await desk.settled()
    assert store.read(load_case, ref).target(Target.REPLY) is not None
