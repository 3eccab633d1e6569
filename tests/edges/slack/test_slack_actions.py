"""Staff act in Slack: buttons, menus, forms, previews and refusals, with the real app on the simulated Slack.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from bots.slack.jobs.post import Poster, SlackUnavailable
from bots.slack.jobs.staff_files import FileJobs
from complaints.forms import NO_ISSUE
from complaints.vocabulary import CloseCode, Role, State, Verb
from simulator.screen import FormRefused
from store.cases.act import act
from store.cases.export import export_record
from store.cases.read import load_case, load_history, open_case
from store.files import store_file
from store.people.staff import list_members, load_actor, sync_staff
from store.record.access_log import find_last_read
from store.record.load import load_event_words
from store.store import Store
from store.tables import ATTEMPTS
from store.values import Member, ReceivedFile
from tests.databases import FakeClock
from tests.edges.slack_office import (
    ALICE,
    ANNA,
    ASSESSMENT,
    AUDREY,
    BURAK,
    MONA,
    RESOLVED,
    TRIAGE,
    TUGBA,
    Office,
    open_office,
)
from tests.interception import replace_in_store


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def assessed_complaint(office: Office, **more: str) -> str:
    ref = office.proposed()
    await office.acts(ALICE, "Assess", ref, ASSESSMENT | more)
    return ref


async def investigated_complaint(office: Office, **more: str) -> str:
    ref = await assessed_complaint(office, **more)
    everything = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]
    await office.acts(ALICE, "Investigate", ref, {"evidence": everything})
    return ref


def decision(amount: str = "20.00", **more: str) -> dict[str, str]:
    return {
        "issues.0.finding": "upheld",
        "issues.0.reasons": "We erred.",
        "remedies.0.type": "refund",
        "remedies.0.text": "The money back",
        "remedies.0.amount": amount,
        "remedies.0.currency": "GBP",
        "others_affected": "none",
        "root_cause": "A typing error",
        "cause_class": "single",
    } | more


def attempts(office: Office) -> list[tuple[str, str, str]]:
    query = select(ATTEMPTS.c.by, ATTEMPTS.c.verb, ATTEMPTS.c.code)
    rows = office.store.read(lambda tx: list(tx.connection.execute(query)))
    return [(row.by, row.verb, row.code) for row in rows]


async def test_one_press_makes_the_member_the_owner(office: Office) -> None:
    ref = office.proposed()
    await office.staff(ALICE).presses(await office.card(ref), "Take")

    assert office.store.read(load_case, ref).owner == ALICE
    assert "<@U0000001>" in (await office.card(ref)).text


@pytest.mark.on_both
async def test_when_two_members_press_take_the_second_gets_a_private_message(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    office.store.write(act, ref, Verb.ASSIGN, office.store.read(load_actor, BURAK), {"owner": BURAK}, {})
    await office.staff(ALICE).presses(card, "Take")
    await office.idle()

    assert office.store.read(load_case, ref).owner == BURAK
    assert await office.private_answer(ALICE) != ""


async def test_the_assessment_form_shows_the_words_records_a_read_and_assigns_an_unowned_complaint(
    office: Office,
) -> None:
    ref = office.proposed()
    await office.staff(ALICE).presses(await office.card(ref), "Assess")
    modal = await office.staff(ALICE).opened("Assess")
    text = modal.text
    await office.submits(ALICE, "Assess", ASSESSMENT)
    case = office.store.read(load_case, ref)

    assert "Zzyzx: my bill is wrong" in text
    assert "Because of: “bill”" in text
    assert office.store.read(find_last_read, ref, ALICE) is not None
    assert (case.state, case.owner) == (State.ASSESSED, ALICE)
    assert office.staff(ALICE).modal is None


async def test_the_assessment_form_has_no_default_for_safety(office: Office) -> None:
    ref = office.proposed()
    await office.staff(ALICE).presses(await office.card(ref), "Assess")
    await office.staff(ALICE).opened("Assess")
    with pytest.raises(FormRefused) as refused:
        await office.staff(ALICE).submits()

    assert set(refused.value.errors) == {"safety"}


async def test_a_quick_resolution_is_previewed_sent_and_closed(office: Office) -> None:
    ref = await assessed_complaint(office)
    card = await office.card(ref)
    await office.staff(ALICE).presses(card, "Resolve")
    await office.staff(ALICE).opened("Resolve")
    await office.staff(ALICE).fills(dict(RESOLVED))
    preview = await office.staff(ALICE).submits()
    preview_text, state_before_sending = preview.text, office.store.read(load_case, ref).state
    await office.staff(ALICE).submits()
    await office.passes_ten_seconds()
    office.complainant_acts(Verb.ACCEPT, ref, {}, {})
    await office.idle()
    await office.acts(ALICE, "Close", ref, {})
    case = office.store.read(load_case, ref)

    assert preview.callback_id == "resolve_preview"
    assert preview.close_label == "Back"
    assert "We sent it back." in preview_text
    assert state_before_sending is State.ASSESSED
    assert office.staff(ALICE).modal is None
    assert (case.state, case.close_code) == (State.CLOSED, CloseCode.RESOLVED)
    assert (
        f"Dear Anna, about {ref}:"
        in office.store.read(load_event_words, ref, case.decisions[0].seq)["letter"]
    )


async def test_going_back_from_a_preview_sends_nothing_and_keeps_the_input(office: Office) -> None:
    ref = await assessed_complaint(office)
    await office.staff(ALICE).chooses(await office.card(ref), "More", "Reply")
    await office.staff(ALICE).opened("Reply")
    await office.staff(ALICE).fills(text="We are looking into it.")
    await office.staff(ALICE).submits()
    await office.staff(ALICE).closes()

    assert office.staff(ALICE).modal.values == {"text": "We are looking into it.", "attachments": None}
    assert office.store.read(load_case, ref).contacted is False


async def test_a_refund_above_the_limit_is_approved_by_another_person(office: Office) -> None:
    ref = await investigated_complaint(office)
    preview = await office.acts(ALICE, "Decide", ref, decision("500.00"))
    waiting = office.store.read(load_case, ref)
    requests = [text for text in office.texts(MONA) if "asks for your approval" in text]
    request = office.staff(MONA).direct_messages[-1]
    await office.staff(MONA).presses(request, "Approve")
    modal = await office.staff(MONA).opened("Approve")
    letter = modal.text
    await office.submits(MONA, "Approve", {"agreed": "yes"})
    await office.passes_ten_seconds()
    case = office.store.read(load_case, ref)

    assert preview.submit_label == "Ask for approval"
    assert waiting.drafted is not None
    assert len(requests) == 1
    assert "The money back" in letter
    assert case.decisions[0].approved_by == MONA
    assert case.state is State.REMEDYING


async def test_a_sum_above_the_limit_of_an_approver_is_refused_with_the_names_of_those_who_may(
    office: Office,
) -> None:
    ref = await investigated_complaint(office)
    await office.acts(ALICE, "Decide", ref, decision("2500.00"))
    members = office.store.read(list_members)
    (name,) = [member.name for member in members if member.id == TUGBA]

    async def refusal() -> str:
        await office.staff(MONA).presses(await office.card(ref), "Approve")
        await office.staff(MONA).opened("Approve")
        await office.staff(MONA).fills(agreed="yes")
        with pytest.raises(FormRefused) as refused:
            await office.staff(MONA).submits()
        await office.staff(MONA).closes()
        return str(refused.value.errors["agreed"])

    assert await refusal() == f"The sum is above your limit. These people may approve it: {name}."
    office.store.write(sync_staff, [member for member in members if member.id != TUGBA])
    assert "nobody here may approve it" in await refusal()
    assert office.store.read(load_case, ref).drafted is not None


async def test_the_author_of_a_draft_cannot_approve_it_and_sees_why(office: Office) -> None:
    office.store.write(
        sync_staff,
        [
            Member(ALICE, "Alice", (), frozenset({Role.MANAGER})),
            Member(MONA, "Mona", (), frozenset({Role.MANAGER})),
        ],
    )
    ref = await investigated_complaint(office, severity="4")
    await office.acts(ALICE, "Decide", ref, decision())
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Approve")

    assert await office.private_answer(ALICE) == "A second person must do this."
    assert alice.modal is None
    assert office.store.read(load_case, ref).drafted is not None


@pytest.mark.on_both
async def test_a_remedy_is_carried_out_and_verified_and_the_complaint_closed(office: Office) -> None:
    ref = await investigated_complaint(office)
    await office.acts(ALICE, "Decide", ref, decision())
    office.complainant_acts(Verb.ACCEPT, ref, {}, {})
    done = int(office.store.now().timestamp())
    await office.acts(ALICE, "Remedy", ref, {"remedy": "0", "done_at": done, "proof": "Bank receipt"})
    await office.acts(ALICE, "Verify", ref, {"how": "Seen on the statement"})
    await office.acts(ALICE, "Close", ref, {"lesson": "Check twice"})
    case = office.store.read(load_case, ref)

    assert case.everything_verified
    assert case.close_code is CloseCode.RESOLVED


async def test_a_second_issue_gets_its_own_row_and_finding(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Assess")
    await alice.opened("Assess")
    await alice.fills({"issues.0.category": "money", "issues.0.text": "The bill"})
    await alice.presses(alice.modal, "Add an issue")
    await office.sim.until(lambda: alice.modal and "issues.1.text" in alice.modal.labels)
    await alice.fills(ASSESSMENT | {"issues.1.category": "service", "issues.1.text": "Nobody answered"})
    await alice.submits()
    await office.idle()
    everything = ["complainant_heard", "records_checked"]
    await office.acts(ALICE, "Investigate", ref, {"evidence": everything})
    await alice.presses(await office.card(ref), "Decide")
    modal = await alice.opened("Decide")

    assert [issue.category for issue in office.store.read(load_case, ref).issues] == ["money", "service"]
    assert "issues.1.finding" in modal.labels
    assert "Nobody answered" in modal.text


async def test_assessing_again_keeps_the_issues_and_their_words_in_decision_and_export(
    office: Office,
) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    two = {"issues.0.category": "money", "issues.0.text": "The bill"}
    await office.acts(ALICE, "Assess", ref, ASSESSMENT | two)
    await alice.chooses(await office.card(ref), "More", "Assess")
    modal = await alice.opened("Assess")
    assert modal.values["issues.0.text"] == "The bill"
    await alice.presses(modal, "Add an issue")
    await office.sim.until(lambda: alice.modal and "issues.1.text" in alice.modal.labels)
    await alice.fills(
        ASSESSMENT | {"complexity": "2", "issues.1.category": "service", "issues.1.text": "Nobody answered"}
    )
    await alice.submits()
    await office.idle()
    # A person who only changes a criterion leaves the issues as the form has them.
    await office.acts(ALICE, "Assess", ref, ASSESSMENT | {"complexity": "1"})
    item = {"items.0.step": "records_checked", "items.0.shows": "Read twice", "items.0.issue": "1"}
    await office.acts(ALICE, "Investigate", ref, {"evidence": ["complainant_heard"], **item})

    await alice.chooses(await office.card(ref), "More", "Assess")
    await alice.opened("Assess")
    await alice.fills(ASSESSMENT | {"issues.0.text": "Another matter"})
    top = await alice.submits(expect_errors=True)
    assert top is not None
    assert "Leave its words and category as they are" in top.errors["issues.0.text"]
    await alice.closes()
    await alice.presses(await office.card(ref), "Decide")
    modal = await alice.opened("Decide")
    assert "The bill" in modal.text
    assert "Nobody answered" in modal.text
    exported = office.store.read(export_record, ref)["issues"]
    assert [(row["category"], row["text"]) for row in exported] == [
        ("money", "The bill"), ("service", "Nobody answered"),
    ]  # fmt: skip


async def test_an_issue_that_nothing_names_is_dropped_by_a_choice_in_its_row(office: Office) -> None:
    ref = office.proposed()
    first = {"issues.0.category": "money", "issues.0.text": "The bill"}
    await office.acts(ALICE, "Assess", ref, ASSESSMENT | first)
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Assess")
    await alice.presses(await alice.opened("Assess"), "Add an issue")
    await office.sim.until(lambda: alice.modal and "issues.1.text" in alice.modal.labels)
    await alice.fills({"issues.0.category": NO_ISSUE, "issues.1.text": "Nobody answered"})
    await alice.fills({"safety": "0", "issues.1.category": "service"})
    await alice.submits()
    await office.idle()
    exported = office.store.read(export_record, ref)["issues"]

    assert [(row["category"], row["text"]) for row in exported] == [("service", "Nobody answered")]


async def test_a_row_is_left_out_of_a_first_assessment_by_a_choice_in_it(office: Office) -> None:
    ref = office.proposed()
    first = {"issues.0.category": NO_ISSUE, "issues.0.text": "The bill"}
    await office.acts(ALICE, "Assess", ref, ASSESSMENT | first)

    assert [row["text"] for row in office.store.read(export_record, ref)["issues"]] == [None]


async def test_an_unticked_step_is_withdrawn_and_one_that_a_colleague_ticked_meanwhile_stays(
    office: Office,
) -> None:
    ref = await assessed_complaint(office)
    await office.acts(ALICE, "Investigate", ref, {"evidence": ["complainant_heard", "records_checked"]})
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Investigate")
    await alice.opened("Investigate")
    mona = office.store.read(load_actor, MONA)
    office.store.write(act, ref, Verb.INVESTIGATE, mona, {"evidence": ["similar_cases"]})
    await alice.fills({"evidence": ["complainant_heard"]})
    await alice.submits(expect_errors=True)
    # The first try says that somebody else was faster.
    await alice.submits()
    await office.idle()

    assert office.store.read(load_case, ref).evidence == {"complainant_heard", "similar_cases"}
    assert office.store.read(load_history, ref)[-1].facts["withdrawn"] == ["records_checked"]


async def test_invalid_values_are_reported_at_their_fields(office: Office) -> None:
    ref = await investigated_complaint(office)
    await office.staff(ALICE).presses(await office.card(ref), "Decide")
    await office.staff(ALICE).opened("Decide")
    await office.staff(ALICE).fills(decision(**{"remedies.0.amount": "12,5", "others_affected": "some"}))
    with pytest.raises(FormRefused) as amount:
        await office.staff(ALICE).submits()
    await office.staff(ALICE).fills({"remedies.0.amount": "12.50"})
    with pytest.raises(FormRefused) as others:
        await office.staff(ALICE).submits()

    assert amount.value.errors == {
        "remedies.0.amount": "An amount above zero with a decimal point, for example 12.50."
    }
    assert others.value.errors == {
        "others_action": "You chose that others are affected: say what is done for them."
    }


async def test_deciding_is_not_offered_before_evidence_is_recorded(office: Office) -> None:
    ref = await assessed_complaint(office)
    card = await office.card(ref)
    await office.staff(ALICE).presses(card, "Open")
    await office.staff(ALICE).opened("Open")
    opened = office.staff(ALICE).modal

    assert "Decide" not in opened.buttons
    assert "decide" not in str(card.options("More")).lower()


async def test_a_change_while_a_form_is_open_is_reported_and_the_input_is_kept(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Extend")
    await office.idle()
    await alice.closes(all=True) if alice.modal else None
    await alice.chooses(await office.card(ref), "More", "Reply")
    await alice.opened("Reply")
    await alice.fills(text="Half an hour's work")
    office.store.write(act, ref, Verb.ASSIGN, office.store.read(load_actor, MONA), {"owner": BURAK}, {})
    top = await alice.submits()
    notice = top.text
    preview = await alice.submits()

    assert "This changed meanwhile: Assigned." in notice
    assert preview.callback_id == "reply_preview"
    assert "Half an hour's work" in preview.text


async def test_a_decision_is_not_sent_while_a_new_message_is_unread(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    await alice.opened("Resolve")
    await alice.fills(dict(RESOLVED))
    await alice.submits()
    office.clock.go_on(minutes=5)
    office.add(ref, "Wait, it happened again")
    top = await alice.submits()

    assert "New message at 10:05: open it first." in top.text
    assert office.store.read(load_case, ref).state is State.ASSESSED


async def test_a_decision_is_previewed_only_after_the_new_message_was_opened(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    await alice.opened("Resolve")
    office.clock.go_on(minutes=5)
    office.add(ref, "Wait, it happened again")
    await alice.fills(dict(RESOLVED))
    top = await alice.submits()
    refused = top.text
    await alice.presses(top, "Open")
    opened = (await alice.opened("Open")).text
    await alice.closes()
    preview = await alice.submits()

    assert "New message at 10:05: open it first." in refused
    assert "Wait, it happened again" in opened
    assert preview.callback_id == "resolve_preview"


async def test_other_actions_succeed_and_mention_the_new_message(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    office.clock.go_on(minutes=5)
    office.add(ref, "Wait, it happened again")
    await alice.chooses(await office.card(ref), "More", "Note")
    await alice.opened("Note")
    await alice.fills(text="Called twice")
    notice = await alice.submits()

    assert "Done. The complainant wrote at 10:05" in notice.text
    assert [event.verb for event in office.store.read(load_history, ref)].count(Verb.NOTE) == 1


async def test_a_preview_that_was_sent_is_not_sent_twice(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.chooses(await office.card(ref), "More", "Reply")
    await alice.opened("Reply")
    await alice.fills(text="Once only")
    preview = await alice.submits()
    view = preview.view
    await alice.submits()
    alice.member.views = [view]
    top = await alice.submits()

    assert "already" in top.text
    assert [event.verb for event in office.store.read(load_history, ref)].count(Verb.REPLY) == 1


async def test_the_same_menu_action_can_be_used_twice(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    for text in ("First", "Second"):
        await alice.chooses(await office.card(ref), "More", "Note")
        await office.submits(ALICE, "Note", {"text": text})

    assert [event.verb for event in office.store.read(load_history, ref)].count(Verb.NOTE) == 2


async def test_a_person_without_a_role_is_refused_in_a_private_message(office: Office) -> None:
    ref = office.proposed()
    stranger = office.sim.staff("U0000099", "Sam", "nothing")
    await office.idle()
    await stranger.joins(TRIAGE)
    card = stranger.channel(TRIAGE).card(ref)
    await stranger.presses(card, "Open")
    await office.idle()

    assert stranger.modal is None
    assert attempts(office) == [(stranger.id, "open", "not_open_to_you")]
    assert "You have no role" in await office.private_answer(stranger.id)


async def test_an_auditor_may_open_a_complaint_but_not_act_on_it(office: Office) -> None:
    ref = office.proposed()
    audrey = office.staff(AUDREY)
    card = await office.card(ref, AUDREY)
    words = (await office.reads(AUDREY, ref)).text
    await audrey.closes(all=True)
    await audrey.presses(card, "Assess")
    await office.idle()

    assert "Zzyzx: my bill is wrong" in words
    assert "Your role does not allow this" in await office.private_answer(AUDREY)
    assert attempts(office) == [(AUDREY, "assess", "not_allowed.role")]


async def test_a_role_revoked_while_a_form_is_open_takes_effect_at_once(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Assess")
    await alice.opened("Assess")
    await alice.fills(dict(ASSESSMENT))
    office.clock.go_on(seconds=1)
    office.store.write(sync_staff, [Member(MONA, "Mona", (), frozenset({Role.MANAGER}))])
    with pytest.raises(FormRefused) as refused:
        await alice.submits()

    assert "You have no role" in refused.value.errors["category"]
    assert alice.modal.values["severity"] == ASSESSMENT["severity"]
    assert office.store.read(load_case, ref).state is State.RECEIVED


async def test_a_form_started_from_the_open_complaint_is_pushed_on_top_of_it(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    await alice.opened("Open")
    await alice.presses(alice.modal, "Reply")
    await alice.opened("Reply")
    await alice.fills(text="We are on it.")
    preview = await alice.submits()
    depth = len(alice.member.views)
    await alice.submits()

    assert preview.callback_id == "reply_preview"
    assert depth == 3
    assert alice.modal is None
    await office.passes_ten_seconds()
    assert office.store.read(load_case, ref).contacted


async def test_a_letter_is_previewed_from_a_complaint_opened_on_top_of_a_form(office: Office) -> None:
    ref = await assessed_complaint(office)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    await alice.opened("Resolve")
    office.clock.go_on(minutes=5)
    office.add(ref, "It happened again")
    await alice.fills(dict(RESOLVED))
    refused = await alice.submits()
    await alice.presses(refused, "Open")
    await alice.presses(await alice.opened("Open"), "Reply")
    await alice.opened("Reply")
    await alice.fills(text="We are on it.")
    preview = await alice.submits()

    assert preview.callback_id == "reply_preview"
    assert "We are on it." in preview.text


async def test_taking_an_open_complaint_updates_the_view(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    await alice.opened("Open")
    await alice.presses(alice.modal, "Take")
    await office.sim.until(lambda: alice.modal and "Take" not in alice.modal.buttons)

    assert office.store.read(load_case, ref).owner == ALICE


async def test_a_file_is_sent_only_to_the_member_who_asked_and_deleted_after_a_day(office: Office) -> None:
    photo = ReceivedFile("file-1", "unique-1", "photo", "1", "image/jpeg", 5, None)
    ref = office.receive("See the picture", photo)
    office.store.write(store_file, ref, 1, b"\xff\xd8\xffjpeg", "image/jpeg")
    office.propose(ref)
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Open")
    await alice.opened("Open")
    await alice.presses(alice.modal, "Send to me")
    await office.idle()
    files = alice.files
    office.clock.go_on(hours=25)
    await office.idle()

    assert [(name, data[:3]) for name, data in files] == [(f"{ref}-1.jpg", b"\xff\xd8\xff")]
    assert len(office.sim.calls("files.delete")) == 1
    assert [read["what"] for read in office.store.read(export_record, ref)["reads"]] == ["open", "file:1"]


async def test_a_file_whose_upload_got_no_answer_is_also_deleted_after_a_day(office: Office) -> None:
    complete_upload = office.client.files_completeUploadExternal

    async def complete_without_answer(**arguments: Any) -> None:
        await complete_upload(**arguments)
        raise TimeoutError

    office.client.files_completeUploadExternal = complete_without_answer  # type: ignore[assignment,method-assign]
    file_jobs = FileJobs(Poster(office.desk, office.client))
    outcome = await file_jobs.deliver(ALICE, "page.md", b"page", "Here.")
    assert outcome == SlackUnavailable("TimeoutError")
    assert len(office.staff(ALICE).files) == 1
    office.clock.go_on(hours=25)
    await office.idle()

    assert office.staff(ALICE).files == []


async def test_the_command_lists_and_shows_complaints_and_reports_unknown_words(office: Office) -> None:
    ref = office.proposed()
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Take")
    for words in ("help", "list", "mine", "wonders", "show"):
        await alice.runs(f"/complaints {words}", channel=TRIAGE)
    answers = [message.text for message in alice.ephemerals]
    await alice.runs(f"/complaints show {ref.lower()}", channel=TRIAGE)
    modal = await alice.opened("Open")

    assert "show REF" in answers[0]
    assert ref in answers[1]
    assert ref in answers[2]
    assert "There is no `wonders`" in answers[3]
    assert ref in modal.text


async def test_lists_leave_out_restricted_complaints_the_member_may_not_know_of(office: Office) -> None:
    ref = office.proposed(restricted=True, category="staff_conduct")
    await office.idle()
    await office.staff(BURAK).runs("/complaints list", channel=TRIAGE)
    await office.staff(BURAK).runs(f"/complaints show {ref}", channel=TRIAGE)
    await office.staff(MONA).runs("/complaints list", channel=TRIAGE)

    answers = [message.text for message in office.staff(BURAK).ephemerals]
    assert ref not in answers[0]
    assert "not open to you" in answers[1]
    assert ref in office.staff(MONA).ephemerals[0].text


async def test_the_home_lists_own_complaints_first_and_then_those_without_an_owner(office: Office) -> None:
    ref, other = office.proposed(), office.proposed("Another matter entirely")
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Take")
    await alice.opens_home()
    await office.sim.until(lambda: alice.home is not None)
    text = alice.home.text
    await alice.presses(alice.home, "Assess", value=ref)
    modal = await alice.opened("Assess")

    assert text.index("Yours") < text.index(ref) < text.index("Without an owner") < text.index(other)
    assert ref in modal.private_metadata


async def test_an_internal_error_is_reported_plainly_and_logged_without_personal_words(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ref = office.proposed()

    def broken(ref: str, *_: object) -> None:
        raise RuntimeError("Zzyzx in the message")

    card = await office.card(ref)
    replace_in_store(monkeypatch, office.store, open_case, broken)
    await office.staff(ALICE).presses(card, "Open")
    await office.idle()

    assert "Something went wrong on our side" in await office.private_answer(ALICE)
    assert "RuntimeError" in caplog.text
    assert "Zzyzx" not in caplog.text


async def test_a_conversation_in_the_thread_changes_nothing_in_the_record(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    version = office.store.read(load_case, ref).version
    await office.staff(ALICE).says(TRIAGE, "Does anybody know this address?", thread=card)
    await office.sim.settled(0.1)

    assert office.store.read(load_case, ref).version == version
    assert ANNA.address == "70001"
    assert office.staff(TUGBA).modal is None
