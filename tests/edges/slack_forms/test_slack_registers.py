"""Registers in Slack: lists and entries from the home, acts, reminders, and what was changed for complainants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amends.figures import Threshold, check_figures
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.registers.entries import rank_sample
from complaints.vocabulary import Verb
from simulator.colleague import StaffMember
from simulator.screen import Modal
from store.cases.act import act
from store.cases.read import list_messages, load_history, open_case
from store.custody.erasure import delete_expired_rows
from store.improvements import load_letter_audience
from store.people.staff import load_actor
from store.proof.hash_chain import list_instance_events
from store.record.load import load_case_file
from store.registers import act_on_entry, add_entry, list_entries, list_unattested, load_entry
from store.rulebooks import use_rulebook
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import (
    ALICE,
    ASSESSMENT,
    AUDREY,
    BURAK,
    MONA,
    RESOLVED,
    TUGBA,
    Office,
    open_office,
)
from tests.rules.slack_cases import RULES

ACTION = {
    "what": "Read each meter twice",
    "source": "idea",
    "category": "money",
    "owner": ALICE,
    "due": "2026-12-01",
}


QUESTIONS = ("recorded", "in_time", "priority", "fair", "reasons", "remedy", "next_step", "private")


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def opened_register(office: Office, member: str, register: str, title: str) -> StaffMember:
    """This member at the list of a register, chosen in the home."""
    colleague = office.staff(member)
    await colleague.opens_home()
    await office.sim.until(lambda: colleague.home is not None and "Records" in colleague.home.text)
    assert colleague.home is not None
    await colleague.chooses(colleague.home, "home.register", register)
    await colleague.opened(title)
    return colleague


async def filled(office: Office, colleague: StaffMember, button: str, values: dict[str, Any]) -> Modal:
    """The view after this button's form was filled in and submitted."""
    await colleague.presses(colleague.modal, button)
    await office.sim.until(
        lambda: colleague.modal is not None and colleague.modal.callback_id == "register", timeout=5
    )
    await colleague.fills(values)
    saved = await colleague.submits()
    assert saved is not None
    return saved


async def test_an_idea_is_accepted_done_and_its_owner_reminded(office: Office) -> None:
    burak = await opened_register(office, BURAK, "improvement", "Improvements")
    assert "New entry" not in burak.modal.buttons
    entry = await filled(office, burak, "Suggest an idea", {"what": "Longer hours on Monday"})
    assert "Longer hours on Monday" in entry.text
    assert "Proposed" in entry.text
    assert "Accept" not in entry.buttons

    mona = await opened_register(office, MONA, "improvement", "Improvements")
    await mona.presses(mona.modal, "Open")
    await office.sim.until(lambda: mona.modal and mona.modal.callback_id == "register_entry")
    entry = await filled(office, mona, "Accept", {"owner": ALICE, "due": "2026-12-01"})
    assert "Tue 1 Dec 2026" in entry.text

    at = office.clock.at.replace(month=11, day=25, hour=12)
    await office.until(at)
    assert any("improvement-1 is due on Tue 1 Dec 2026" in text for text in office.texts(ALICE))

    alice = await opened_register(office, ALICE, "improvement", "Improvements")
    await alice.presses(alice.modal, "Open")
    await office.sim.until(lambda: alice.modal and alice.modal.callback_id == "register_entry")
    entry = await filled(
        office, alice, "Done",
        {"changed": "We open at 8.", "done_on": "2026-11-24", "effect_days": "30"},
    )  # fmt: skip
    assert "We open at 8." in entry.text
    saved = office.store.read(load_entry, "improvement-1")
    assert [(done.act, done.by) for done in saved.acts] == [
        ("suggest", BURAK),
        ("accept", MONA),
        ("done", ALICE),
    ]
    logged = office.store.read(list_instance_events, "register")
    assert [event["facts"]["entry"] for event in logged] == [
        "improvement-1.3",
        "improvement-1.2",
        "improvement-1.1",
    ]
    assert "hours" not in str(logged)


async def test_the_second_of_two_people_is_asked_to_open_the_entry_again(office: Office) -> None:
    facts = {name: value for name, value in ACTION.items() if name != "what"}
    code = begun(office, "improvement", MONA, {"what": "Twice"}, **facts)
    lead = await opened_entry(office, MONA)
    await lead.presses(lead.modal, "Done")
    await office.sim.until(lambda: lead.modal and lead.modal.callback_id == "register")
    top = office.store.read(load_actor, TUGBA)
    office.store.write(act_on_entry, code, "cancel", top, {}, {"reason": "x"})
    await lead.fills({"changed": "y", "done_on": "2026-11-02", "effect_days": "30"})
    await lead.submits(expect_errors=True)
    assert "open it again" in str(lead.modal.errors)
    assert office.store.read(load_entry, code).state == "cancelled"


async def test_the_effect_is_counted_and_the_owner_informed(office: Office) -> None:
    mona = office.store.read(load_actor, MONA)
    for _ in range(12):
        ref = office.receive()
        office.store.write(act, ref, Verb.ASSESS, mona, dict(ASSESSMENT))
    facts = {name: value for name, value in ACTION.items() if name != "what"}
    office.store.write(add_entry, "improvement", "add", mona, facts, {"what": "Twice"})
    office.clock.go_on(seconds=86_400)
    done_on = (office.clock.at).date().isoformat()
    office.store.write(
        act_on_entry,
        "improvement-1",
        "done",
        mona,
        {"done_on": done_on, "effect_days": "30"},
        {"changed": "x"},
    )
    # Further acts do not stop the check; that of a corrected day counts.
    office.store.write(act_on_entry, "improvement-1", "correct", mona, {}, {"changed": "y"})
    await office.until(office.clock.at + timedelta(days=33))
    entry = office.store.read(load_entry, "improvement-1")
    assert (entry.state, entry.facts["before"], entry.facts["after"]) == ("effective", 12, 0)
    assert any("12 in the 30 days before, 0 in the 30 days after" in text for text in office.texts(ALICE))


async def test_a_complaint_opens_an_action_about_itself_and_hides_itself_from_others(office: Office) -> None:
    ref = office.owned(ALICE)
    card, alice = await office.card(ref), office.staff(ALICE)
    await alice.chooses(card, "More", "Improvement action")
    await office.sim.until(
        lambda: alice.modal is not None and alice.modal.callback_id == "register", timeout=5
    )
    await alice.fills({"what": "Say when a bill is an estimate"})
    entry = await alice.submits()
    assert entry is not None
    assert ref in entry.text
    (saved,) = office.store.read(list_entries, "improvement")
    assert (saved.refs, saved.facts["category"], saved.state) == ((ref,), "money", "proposed")

    office.store.write(
        act, ref, Verb.RESTRICT, office.store.read(load_actor, MONA), {"subject": BURAK}, {"reason": "x"}
    )
    burak = await opened_register(office, BURAK, "improvement", "Improvements")
    await burak.presses(burak.modal, "Open")
    await office.sim.until(lambda: burak.modal and burak.modal.callback_id == "register_entry")
    assert ref not in burak.modal.text
    with pytest.raises(NotAllowed):
        office.store.write(
            act_on_entry, saved.code, "cancel", office.store.read(load_actor, BURAK), {}, {"reason": "x"}
        )

    mona, soon = office.store.read(load_actor, MONA), office.clock.at.date() + timedelta(days=3)
    office.store.write(act_on_entry, saved.code, "accept", mona, {"owner": BURAK, "due": soon.isoformat()})
    await burak.closes(all=True)
    await burak.opens_home()
    await office.sim.until(lambda: burak.home is not None and saved.code in burak.home.text)
    await burak.presses(burak.home, "Open")
    await office.sim.until(lambda: burak.modal and "Correct" in burak.modal.buttons)
    await burak.presses(burak.modal, "Correct")
    await office.sim.until(lambda: burak.modal and burak.modal.callback_id == "register")
    assert ref not in str(burak.modal.blocks)
    other = office.receive()
    await burak.fills({"refs": other})
    await burak.submits()
    assert office.store.read(load_entry, saved.code).refs == (other, ref)


async def test_an_overturned_decision_opens_an_action(office: Office) -> None:
    mona, ref = office.store.read(load_actor, MONA), office.owned(ALICE)
    office.store.write(act, ref, Verb.NOTIFY_EXTERNAL, mona, {"event": "notified"}, {"body": "Ombudsman"})
    final = {"event": "final", "overturned": "yes"}
    office.store.write(act, ref, Verb.CONCLUDE_EXTERNAL, mona, final, {"body": "Ombudsman", "outcome": "x"})
    (entry,) = office.store.read(list_entries, "improvement")
    assert (entry.facts["source"], entry.refs, entry.state, entry.last.by) == (
        "overturned",
        (ref,),
        "proposed",
        "system",
    )
    assert entry.due is not None
    assert not entry.words


async def test_those_who_complained_hear_once_what_was_changed(office: Office) -> None:
    store = office.store
    mona = store.read(load_actor, MONA)
    closed, held, still_open = (
        await closed_complaint(office),
        await closed_complaint(office),
        office.owned(ALICE),
    )
    store.write(act, held, Verb.HOLD, mona, {}, {"reason": "x"})
    facts = {name: value for name, value in ACTION.items() if name != "what"} | {
        "refs": [closed, held, still_open]
    }
    store.write(add_entry, "improvement", "add", mona, facts, {"what": "Twice"})
    done = {"done_on": office.clock.at.date().isoformat(), "effect_days": "30"}
    store.write(act_on_entry, "improvement-1", "done", mona, done, {"changed": "x"})

    lead = await opened_entry(office, MONA)
    preview = await filled(
        office, lead, "Tell them what we changed", {"text.en": "We read each meter twice now."}
    )
    assert "We read each meter twice now." in preview.text
    assert f"still open 1 ({still_open})" in preview.text
    assert f"on legal hold 1 ({held})" in preview.text
    await lead.submits()
    await office.idle()
    assert store.read(load_entry, "improvement-1").last.facts["to"] == [closed]
    assert any("waits for your approval" in text for text in office.texts(TUGBA))
    with pytest.raises(NotAllowed):
        store.write(act_on_entry, "improvement-1", "approve_letter", mona)

    top = await opened_entry(office, TUGBA)
    assert "Approve the letter*" in str(top.home.blocks)
    await lead.opens_home()
    assert "Approve the letter*" not in str(lead.home.blocks)
    await top.presses(top.modal, "Approve the letter")
    await office.sim.until(lambda: top.modal and top.modal.callback_id == "change_letter_approve")
    assert "asks you to approve this letter" in top.modal.text
    assert "2 do not get it" in top.modal.text
    assert "We read each meter twice now." in top.modal.text
    await top.submits()
    await office.idle()
    (event,) = [event for event in store.read(load_history, closed) if event.verb is Verb.REPLY]
    assert event.facts["improvement"] == "improvement-1"
    assert (event.by, event.facts["approved_by"]) == (MONA, TUGBA)
    deliveries = store.read(lambda tx: list_messages(tx, load_case_file(tx, closed)))
    assert len([message for message in deliveries if "twice now" in str(message)]) == 1
    for ref in (held, still_open):
        assert Verb.REPLY not in {event.verb for event in store.read(load_history, ref)}

    office.clock.go_on(hours=24 * 9)
    store.write(delete_expired_rows)
    entry = store.read(load_entry, "improvement-1")
    audience = store.read(load_letter_audience, entry, {"text.en": "Again."}, mona)
    assert {(case.ref, why) for case, why in audience.left_out} >= {(closed, "informed")}


async def closed_complaint(office: Office) -> str:
    """A complaint of Anna's that was put right, accepted and closed."""
    ref, mona = office.receive(), office.store.read(load_actor, MONA)
    office.store.write(act, ref, Verb.ASSESS, mona, dict(ASSESSMENT))
    office.store.write(open_case, ref, mona, "open")
    words = {name: RESOLVED[name] for name in ("done", "cause", "agreed_how")} | {"letter": "x"}
    facts = {name: value for name, value in RESOLVED.items() if name not in words}
    office.store.write(act, ref, Verb.RESOLVE, mona, facts, words)
    await office.idle()
    office.complainant_acts(Verb.ACCEPT, ref, {}, {})
    office.store.write(act, ref, Verb.CLOSE, mona, {"cause_class": "single"}, {"root_cause": "x"})
    await office.idle()
    return ref


async def opened_entry(
    office: Office, member: str, register: str = "improvement", title: str = "Improvements"
) -> StaffMember:
    colleague = await opened_register(office, member, register, title)
    await colleague.presses(colleague.modal, "Open")
    await office.sim.until(
        lambda: colleague.modal and colleague.modal.callback_id == "register_entry", timeout=5
    )
    return colleague


def begun(office: Office, register: str, member: str, words: dict[str, str], **facts: Any) -> str:
    """The code of a new entry."""
    author = office.store.read(load_actor, member)
    return office.store.write(add_entry, register, "add", author, facts, words).code


async def test_praise_is_passed_on_without_the_name_of_who_praised(office: Office) -> None:
    ref, store = office.proposed(), office.store
    mona, alice = store.read(load_actor, MONA), store.read(load_actor, ALICE)
    store.write(act, ref, Verb.RECLASSIFY, alice, {"kind": "praise"}, {"reason": "x"})
    assert store.read(list_entries, "praise") == []
    store.write(open_case, ref, mona, "open")
    store.write(act, ref, Verb.APPROVE, mona, {"of": "reclassify", "agreed": "yes"})
    (entry,) = store.read(list_entries, "praise")
    assert (entry.refs, entry.state) == ((ref,), "open")

    lead = await opened_entry(office, MONA, "praise", "Praise")
    await filled(office, lead, "Pass it on", {"owner": BURAK, "text": "You explained the bill so well."})
    await office.idle()
    assert "Somebody praised your work:\nYou explained the bill so well." in office.texts(BURAK)
    assert store.read(load_entry, "praise-1").state == "passed_on"
    assert not any("Zzyzx" in text or ref in text for text in office.texts(BURAK))


async def test_a_policy_is_signed_by_top_management_and_read_by_each_member(office: Office) -> None:
    keeper = {"owner": MONA, "due": "2027-11-01", "link": "https://example.org/policy"}
    first = begun(office, "policy", MONA, {"what": "Complaints policy"}, **keeper)
    store, alice = office.store, office.staff(ALICE)
    lead = await opened_entry(office, MONA, "policy", "Policy")
    assert "Sign" not in lead.modal.buttons
    top = await opened_entry(office, TUGBA, "policy", "Policy")
    (sign,) = [
        button for block in top.modal.blocks for button in block.get("elements", ())
        if button.get("action_id") == "register.act.sign"
    ]  # fmt: skip
    assert "cannot be undone" in sign["confirm"]["text"]["text"]
    await top.presses(top.modal, "Sign")
    await office.sim.until(lambda: top.modal and "Read by 0 of 5" in top.modal.text)

    await alice.opens_home()
    await office.sim.until(
        lambda: alice.home is not None and "I have read the policy" in alice.home.buttons, timeout=5
    )
    await alice.presses(alice.home, "I have read the policy")
    await office.idle()
    await office.sim.until(lambda: "I have read the policy" not in alice.home.buttons)
    assert [done.by for done in store.read(load_entry, first).acts_of("attest")] == [ALICE]

    second = begun(office, "policy", MONA, {"what": "Complaints policy"}, **keeper)
    store.write(act_on_entry, second, "sign", store.read(load_actor, TUGBA))
    assert store.read(load_entry, first).state == "replaced"
    assert [entry.code for entry in store.read(list_unattested, ALICE)] == [second]


async def test_an_auditor_works_through_a_sample_of_complaints_of_others(office: Office) -> None:
    refs = [office.owned(ALICE) for _ in range(4)]
    plan = begun(office, "plan", MONA, {}, kind="audit", owner=AUDREY, due="2026-12-01")
    later = begun(office, "plan", MONA, {}, kind="audit", owner=AUDREY, due="2027-06-01")
    store, today = office.store, office.clock.at.date().isoformat()
    about = {"since": today, "until": today, "size": "5", "due": "2026-12-01"}
    with pytest.raises(BadFacts):
        begun(office, "audit", MONA, {"what": "x"}, **about, owner=ALICE)
    with pytest.raises(BadFacts):
        begun(office, "plan", MONA, {}, kind="audit", owner="U9999999", due="2026-12-01")
    audit = begun(office, "audit", MONA, {"what": "November"}, **about, owner=AUDREY, seed="s1")
    entry = store.read(load_entry, audit)
    assert sorted(entry.refs) == sorted(refs)
    assert entry.refs == tuple(rank_sample(refs, "s1"))

    audrey = await opened_entry(office, AUDREY, "audit", "Audits")
    assert entry.refs[0] in audrey.modal.text
    answers = {f"q_{name}": "yes" for name in QUESTIONS}
    with pytest.raises(OutOfOrder):
        store.write(act_on_entry, audit, "finish", store.read(load_actor, AUDREY), {}, {"reason": "x"})
    first = {"ref": entry.refs[0], **answers, "q_reasons": "no", "finding": "No reason for the date"}
    shown = await filled(office, audrey, "Answer", first)
    assert f"{entry.refs[0]} · 7 yes, 1 no" in shown.text
    for ref in entry.refs[1:]:
        await filled(office, audrey, "Answer", {"ref": ref, **answers})
    await filled(office, audrey, "Finish the audit", {"reason": "Sound, one gap."})

    (improvement,) = store.read(list_entries, "improvement")
    assert improvement.words["what"] == "No reason for the date"
    assert (improvement.refs, improvement.facts["record"]) == ((entry.refs[0],), audit)
    done = store.read(load_entry, plan)
    assert (done.state, done.facts["record"]) == ("done", audit)
    assert store.read(load_entry, later).state == "planned"


async def test_a_letter_from_the_sample_of_an_audit_is_previewed_in_the_third_view(office: Office) -> None:
    office.owned(ALICE)
    day = office.clock.at.date().isoformat()
    about = {"since": day, "until": day, "size": "5", "due": "2026-12-01", "owner": AUDREY}
    begun(office, "audit", MONA, {"what": "November"}, **about)
    mona = await opened_entry(office, MONA, "audit", "Audits")
    await mona.presses(mona.modal, "Open")
    await mona.presses(await mona.opened("Open"), "Reply")
    await mona.opened("Reply")
    assert len(mona.member.views) == 3
    await mona.fills(text="We are on it.")
    preview = await mona.submits()

    assert (preview.callback_id, len(mona.member.views)) == ("reply_preview", 3)


async def test_a_management_review_is_held_and_its_actions_become_improvements(office: Office) -> None:
    held = {"done_on": "2026-11-02", "owner": MONA, "due": "2027-02-01"}
    words = {"participants": "Board", "minutes": "We read the pack.", "decisions": "Two people more."}
    begun(office, "review", MONA, words, **held)
    lead = await opened_entry(office, MONA, "review", "Management reviews")
    assert "We read the pack." in lead.modal.text
    await filled(
        office, lead, "Add an action", {"what": "Hire two people", "owner": BURAK, "due": "2026-12-20"}
    )
    (improvement,) = office.store.read(list_entries, "improvement")
    assert (improvement.state, improvement.owner, improvement.facts["record"]) == ("open", BURAK, "review-1")
    with pytest.raises(NotAllowed):
        office.store.write(
            act_on_entry, "review-1", "follow_up", office.store.read(load_actor, ALICE), {}, {"reason": "x"}
        )


async def test_a_complaint_goes_only_to_a_person_with_valid_training(office: Office) -> None:
    store = office.store
    store.write(use_rulebook, replace(RULES, required_training=("complaints",)))
    mona, alice = store.read(load_actor, MONA), store.read(load_actor, ALICE)
    refs = [office.proposed() for _ in range(3)]
    await office.staff(ALICE).presses(await office.card(refs[0]), "Take")
    assert "no valid training" in await office.private_answer(ALICE)
    with pytest.raises(OutOfOrder):
        store.write(act, refs[0], Verb.ASSESS, alice, dict(ASSESSMENT))
    with pytest.raises(OutOfOrder):
        store.write(act, refs[0], Verb.ASSIGN, mona, {"owner": ALICE})
    assigned = store.write(
        act, refs[0], Verb.ASSIGN, mona, {"owner": ALICE}, {"reason": "Nobody else is here."}
    )
    assert assigned.event.facts["untrained"] == ["complaints"]

    trained = {"subject": "complaints", "owner": ALICE, "done_on": "2026-11-01", "due": "2026-11-10"}
    begun(office, "training", MONA, {}, **trained)
    assert "untrained" not in store.write(act, refs[1], Verb.ASSIGN, alice, {"owner": ALICE}).event.facts
    office.clock.go_on(hours=24 * 14)
    with pytest.raises(OutOfOrder):
        store.write(act, refs[2], Verb.ASSIGN, alice, {"owner": ALICE})


async def test_a_crossed_threshold_alerts_managers_once_and_the_answer_is_kept(office: Office) -> None:
    store, mona = office.store, office.store.read(load_actor, MONA)
    for _ in range(10):
        store.write(act, office.receive(), Verb.ASSESS, mona, dict(ASSESSMENT))
    limit = Threshold("assessed_in_time", above=0.5, below=None, days=30)
    objective = {"figure": "assessed_in_time", "direction": "at_least", "target": "95", "since": "2026-11-01"}
    begun(office, "objective", MONA, {}, **objective, due="2026-12-31", owner=MONA)
    for _ in range(2):
        check_figures(store, [limit, limit._replace(above=1.0), limit._replace(above=None, below=0.2)])
    await office.idle()
    office.clock.go_on(hours=24 * 9)
    store.write(delete_expired_rows)
    check_figures(store, [limit])
    (alert,) = store.read(list_entries, "alert")
    assert (alert.facts["value"], alert.facts["limit"]) == ("100.0", "50")
    assert store.read(load_entry, "objective-1").state == "on_target"
    messages = [message for message in office.staff(MONA).direct_messages if "limit 50 %" in message.text]
    assert len(messages) == 1

    lead = office.staff(MONA)
    await lead.presses(messages[0], "Answer")
    await office.sim.until(lambda: lead.modal is not None and lead.modal.callback_id == "register")
    await lead.fills({"text": "This was a test; nothing follows."})
    await lead.submits()
    assert store.read(load_entry, "alert-1").words == {"text": "This was a test; nothing follows."}
    assert store.read(load_entry, "alert-1").state == "answered"
