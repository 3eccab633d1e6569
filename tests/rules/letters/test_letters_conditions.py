"""Each sentence of a letter is said only in the states in which it is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bots.letters import decision_letters, progress_letters
from bots.letters.composer import Composer, preview
from bots.letters.letter import Letter
from bots.texts.catalogues import load_catalogues
from complaints.actions.authorisation import count_reviewers, count_reviewers_by_approver
from complaints.actors import SYSTEM
from complaints.errors import BadFacts
from complaints.letter_texts import ComplaintText
from complaints.vocabulary import CloseCode, Verb
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    CAUSE,
    MONA,
    RESOLUTION,
    RESOLVED,
    TUGBA,
    BuiltComplaint,
    a_case_at_level_two,
    a_communicated_case,
    a_received_case,
    a_resolved_case,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    decided,
    phone_facts,
)
from tests.rules.dialogue_play import TEXTS

STAFF = {member.id: member.roles for member in (ALICE, BURAK, MONA, TUGBA)}
OTHERS_LOOK = "people who were not involved look at it again"
REASON = {"reason": "It needs the next level."}
UPHELD: dict[str, Any] = {
    "issues": [{"finding": "upheld"}],
    "others_affected": "none",
    "cause_class": "single",
}


def letter(complaint: BuiltComplaint, **more: Any) -> Letter:
    return Letter(complaint.case, TEXTS, "en", **more)


def the_preview(complaint: BuiltComplaint, facts: Any = UPHELD, words: Any = None, **more: Any) -> str:
    all_words = {"issues.0.reasons": "The log shows it.", **(words or {})}
    return preview("decide", complaint.case, facts, all_words, texts=TEXTS, now=complaint.at, **more)


# --- the review that a decision offers


def test_a_decision_offers_a_review_only_if_somebody_is_left_for_it() -> None:
    complaint = an_investigated_case()
    assert OTHERS_LOOK in the_preview(complaint, reviewers=1)
    without = the_preview(complaint, reviewers=0)
    assert OTHERS_LOOK not in without
    assert "Everybody here who could review it has already taken part." in without


def test_the_approver_counts_as_involved() -> None:
    drafted = decided(an_investigated_case(by=MONA, severity=4), MONA)
    assert count_reviewers_by_approver(drafted.case, STAFF) == {TUGBA.id: 0}
    approved = drafted.do(Verb.APPROVE, TUGBA, {"agreed": "yes"})
    assert count_reviewers(approved.case, STAFF) == 0


def test_the_person_who_may_approve_is_not_promised_as_a_reviewer() -> None:
    drafted = decided(an_investigated_case(severity=4))
    assert count_reviewers_by_approver(drafted.case, STAFF) == {MONA.id: 1, TUGBA.id: 1}
    assert count_reviewers(drafted.case, STAFF, approver=MONA.id) == 1
    two = {ALICE.id: ALICE.roles, MONA.id: MONA.roles}
    assert count_reviewers_by_approver(drafted.case, two) == {MONA.id: 0}


def test_a_stored_letter_offers_the_review_that_is_possible_when_it_leaves() -> None:
    complaint = an_investigated_case()
    for language in ("en", "tr", "de", "es"):
        stored = the_preview(complaint, reviewers=1, language=language)
        leaving = the_preview(complaint, words={"letter": stored}, reviewers=0)
        assert leaving == the_preview(complaint, reviewers=0, language=language)


def test_a_disagreement_without_a_reviewer_left_says_so() -> None:
    refused = a_communicated_case().do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    text = decision_letters.recourse(letter(refused))
    assert "Everybody here who could review it has already taken part in it." in text


# --- who decides, at a higher level


def test_an_escalation_without_a_decision_promises_no_other_people() -> None:
    complaint = a_received_case().do(Verb.ESCALATE, ALICE, {}, REASON).do(Verb.CONFIRM, ANNA)
    text = progress_letters.acknowledgement(letter(complaint), 2, now=complaint.at)
    assert text.startswith("We have your complaint")
    assert "not involved" not in text
    assert "not involved" not in progress_letters.progress(letter(complaint), complaint.at)
    assert "took no part" not in the_preview(complaint)


def test_a_review_after_a_disagreement_names_its_people() -> None:
    complaint = a_case_at_level_two()
    text = progress_letters.acknowledgement(letter(complaint), 2, now=complaint.at)
    assert "people who were not involved before look at it again" in text
    assert "took no part in the earlier decision" in the_preview(complaint)


# --- what the complainant wrote, and what follows


def test_a_decision_quotes_the_complainants_own_words() -> None:
    complaint = an_investigated_case()
    text = the_preview(complaint, complaint_text=ComplaintText("My bill has doubled since May."))
    assert "What you told us\nMy bill has doubled since May." in text
    assert "Money" not in text
    resolved = preview(
        "resolve",
        complaint.case,
        RESOLUTION,
        RESOLVED,
        texts=TEXTS,
        now=complaint.at,
        complaint_text=ComplaintText("It leaks."),
    )
    assert "What you told us\nIt leaks." in resolved


@pytest.mark.parametrize("address", ["formal", "informal"])
@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "(a voice note of 0:42, 2 photos)\nA machine wrote this from the recording, not checked: No water.",
        ),
        (
            "de",
            (
                "(eine Sprachnachricht von 0:42, 2 Fotos)\n"
                "Von einer Maschine aus der Aufnahme geschrieben, nicht geprüft: No water."
            ),
        ),
        (
            "es",
            (
                "(una nota de voz de 0:42, 2 fotos)\n"
                "Lo escribió una máquina a partir de la grabación, sin comprobar: No water."
            ),
        ),
        (
            "tr",
            "(0:42 süreli sesli mesaj, 2 fotoğraf)\nBunu kayıttan makine yazdı, kontrol edilmedi: No water.",
        ),
    ],
)
def test_a_decision_names_recordings_and_photos_where_there_are_no_words(
    language: str, expected: str, address: str
) -> None:
    files = (("voice", 42), ("photo", None), ("photo", None))
    complaint = an_investigated_case()
    letter = preview(
        "decide",
        complaint.case,
        UPHELD,
        {"issues.0.reasons": "The log shows it."},
        texts=load_catalogues((language,), address=address),
        now=complaint.at,
        complaint_text=ComplaintText(files=files, transcripts=("No water.",)),
    )
    assert f"\n{expected}\n" in letter


def test_an_upheld_decision_without_a_remedy_needs_a_reason_that_the_letter_gives() -> None:
    complaint = an_investigated_case()
    words = {"issues.0.reasons": "The log shows it.", "root_cause": "A slip."}
    with pytest.raises(BadFacts) as refused:
        complaint.do(Verb.RESPOND, ALICE, UPHELD, words)
    assert refused.value.field == "nothing_why"
    why = {"nothing_why": "The bill was corrected on Monday."}
    assert complaint.do(Verb.RESPOND, ALICE, UPHELD, {**words, **why}).case.decision is not None
    text = the_preview(complaint, words=why)
    assert "The bill was corrected on Monday." in text
    assert "nothing more for us to put right" not in text


@pytest.mark.parametrize("more", [{"changes": "Every bill is checked."}, {}])
def test_a_decision_that_changes_or_upholds_nothing_needs_no_such_reason(more: dict[str, str]) -> None:
    finding = "upheld" if more else "not_upheld"
    words = {"issues.0.reasons": "The log shows it.", "root_cause": "A slip.", **more}
    facts = {**UPHELD, "issues": [{"finding": finding}]}
    assert an_investigated_case().do(Verb.RESPOND, ALICE, facts, words).case.decision is not None
    assert (
        "nothing more for us to put right" in the_preview(an_investigated_case(), facts, more)
    ) is not bool(more)


def test_the_dates_in_a_letter_count_from_the_approval() -> None:
    facts = {**UPHELD, "remedies": [{"type": "apology"}]}
    words = {"issues.0.reasons": "So.", "remedies.0.text": "By letter", "root_cause": "A slip."}
    complaint = an_investigated_case(severity=4)
    stored = the_preview(complaint, facts, words, reviewers=1)
    drafted = complaint.do(Verb.RESPOND, ALICE, facts, {**words, "letter": stored})
    approved = drafted.later(days=3).do(Verb.APPROVE, MONA, {"agreed": "yes"})
    composer = Composer(
        letter(approved, reviewers=1),
        approved.events,
        lambda seq: next(event.words for event in approved.events if event.seq == seq),
        approved.at,
    )
    sent = composer.compose("decision", {"seq": drafted.last.seq})
    day = letter(approved).due_day(approved.case.remedies[0].due)
    assert sent is not None
    assert f"By letter, by {day}" in sent.text
    assert day not in stored


# --- dates


def test_an_acknowledgement_after_the_promised_date_does_not_promise_it() -> None:
    complaint = acknowledged(a_received_case())
    late = complaint.at + timedelta(days=90)
    text = progress_letters.acknowledgement(letter(complaint), now=late)
    assert "We should have answered by" in text
    assert "at the latest" not in text


def test_a_moved_date_that_promises_the_same_day_is_no_news() -> None:
    complaint = acknowledged(a_received_case())
    later = {"target": "decide", "extended_to": "2026-11-20"}
    extended = complaint.do(Verb.EXTEND, MONA, later, {"reason": "Frost."})
    assert progress_letters.moved_date(letter(extended), "decide", 0, "Frost.") is None


def test_a_promised_update_that_has_passed_is_not_promised_again() -> None:
    complaint = an_assessed_case(complexity=3)
    text = progress_letters.dates(letter(complaint), complaint.at + timedelta(days=300))
    assert "You will hear from us" not in text


def test_a_reopened_complaint_is_not_said_to_be_looked_into() -> None:
    accepted = a_resolved_case().do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE, {"cause_class": "single"}, CAUSE)
    reopened = accepted.do(Verb.REOPEN, ANNA, {}, REASON)
    assert "so far we have opened it again" in progress_letters.progress(letter(reopened), reopened.at)


def test_a_delay_while_we_wait_for_the_complainant_asks_for_the_answer() -> None:
    complaint = an_assessed_case()
    with_question = complaint.do(Verb.ASK, ALICE, {"needed_by": "2026-11-06"}, {"text": "Which meter?"})
    nothing = "You do not need to do anything."
    assert nothing in progress_letters.delay(letter(complaint), complaint.at)
    assert nothing not in progress_letters.delay(letter(with_question), with_question.at)


def test_no_reminder_to_reply_leaves_while_the_complainant_waits_for_ours() -> None:
    complaint = a_communicated_case()
    assert "reply_reminder" in complaint.kinds
    message = {"field": "question", "has_words": True, "kind": "question"}
    assert "reply_reminder" not in complaint.do(Verb.ADD, ANNA, message, {"question": "Why?"}).kinds


# --- the end


def test_a_closing_without_any_promise_does_not_say_that_we_kept_it() -> None:
    accepted = a_communicated_case().do(Verb.ACCEPT, ANNA)
    closed = accepted.do(Verb.CLOSE, ALICE, {"cause_class": "single"}, CAUSE)
    assert "We have done what we promised" not in decision_letters.closing(
        letter(closed), CloseCode.RESOLVED, {}
    )


def test_a_complaint_taken_back_with_work_left_is_not_called_closed() -> None:
    complaint = assessed(acknowledged(a_received_case()), safety=1)
    by_phone = complaint.do(
        Verb.WITHDRAW, ALICE, phone_facts(complaint), {"by_whom": "The complainant, by phone."}
    )
    assert by_phone.case.is_open
    text = decision_letters.closing(letter(by_phone), CloseCode.WITHDRAWN, {})
    assert "closed" not in text
    assert "/reopen" not in text


def test_a_complaint_of_an_incident_is_not_asked_to_be_signed() -> None:
    ended = a_received_case().do(Verb.END_FORM, SYSTEM, {"because": "incident"})
    assert "press Send" in progress_letters.acknowledgement(letter(ended), now=ended.at)
    joined = replace(ended, case=replace(ended.case, incident=1))
    assert "press Send" not in progress_letters.acknowledgement(letter(joined), now=joined.at)
