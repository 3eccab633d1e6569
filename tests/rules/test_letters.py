"""What we write to the complainant: everything clause 7 asks for is there, words of staff stand alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.letters import Letter, acknowledgement, closing, preview, progress
from bots.letters.composer import Composer
from complaints.actors import SYSTEM, staff
from complaints.case import Case
from complaints.case_values import Issue, RemedyOwed
from complaints.deadlines.targets import next_news
from complaints.vocabulary import CloseCode, Role, State, Verb
from tests.rules.dialogue_play import HANDLER, MANAGER, TEXTS, Play

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
EVIDENCE = {"evidence": ["complainant_heard", "records_checked"]}
DECIDED: dict[str, Any] = {
    "issues": [{"finding": "upheld"}],
    "remedies": [
        {"type": "refund", "amount": "180.00", "currency": "GBP", "promised_by_date": "2026-12-08"},
        {"type": "goodwill", "needs_acceptance": True},
    ],
    "others_affected": "none",
    "cause_class": "single",
}
WORDS = {
    "issues.0.reasons": "The readings were mixed up.",
    "remedies.0.text": "What you paid too much",
    "remedies.1.text": "A new tap",
    "changes": "Every reading is photographed.",
    "root_cause": "Two readings booked on one meter",
}


def letter(play: Play, language: str = "en") -> Letter:
    """The newest complaint's letter."""
    return Letter(play.case, TEXTS, language)


def decision(case: Case, **more: Any) -> str:
    """The letter of a decision."""
    return preview("decide", case, DECIDED, WORDS, texts=TEXTS, now=NOW, **more)


def assessed() -> Play:
    """A complaint that is assessed."""
    play = Play()
    play.files_a_complaint()
    play.do(Verb.ASSESS, play.ref, HANDLER, {
        "category": "money", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 2,
        "immediate_needed": "no", "issues": [],
    })  # fmt: skip
    return play


def test_the_acknowledgement_has_reference_time_team_one_date_and_the_outside_right() -> None:
    play = Play()
    ref = play.files_a_complaint()
    text = acknowledgement.acknowledgement(letter(play))
    assert text.startswith(
        f"We have your complaint {ref}, received 3 November 2026, 10:00. Our Complaints team answers by "
        "Tuesday, 17 November 2026, usually sooner."
    )
    assert text.endswith("You also have the right to go to: Consumer ombudsman")


def test_a_form_filed_as_it_stood_says_so_and_that_send_still_signs() -> None:
    play = Play()
    play.writes("The water is brown.")
    play.do(Verb.END_FORM, play.ref, SYSTEM, {"because": "silence"})
    assert "You did not press Send" in acknowledgement.acknowledgement(letter(play))


def test_the_next_level_is_told_with_its_people_and_its_date() -> None:
    play = Play()
    play.files_a_complaint()
    play.is_decided()
    play.do(Verb.DISAGREE, play.ref, staff("U1", Role.HANDLER), *given())
    text = acknowledgement.acknowledgement(letter(play), 2)
    assert "stays open and is with level 2 of 2 now: people who were not involved before" in text


def given() -> tuple[dict[str, Any], dict[str, str]]:
    """An answer heard by telephone, with somebody left to review it."""
    return {"given_at": "2026-11-03T10:00:00Z", "reviewers": 1}, {"by_whom": "Mary"}


def test_a_decision_has_every_part_under_its_heading() -> None:
    text = decision(assessed().case, told=["My bill has doubled."])
    assert [one.split("\n")[0] for one in text.split("\n\n")] == [
        f"{assessed().ref}: our decision",
        "What you told us",
        "What we found",
        "Why",
        "What we will do, and by when",
        "What changes",
        "A person of our team decided this, at level 1 of 2.",
        "If you disagree",
        "If another form would help you (large print, a call, another language), write that here.",
    ]
    assert "1. My bill has doubled." in text
    assert "You are right: we uphold this." in text
    assert "Money back (£180.00): What you paid too much, by Tuesday, 8 December 2026" in text
    assert "A gesture of goodwill: A new tap: an offer. It is done once you accept." in text
    assert "within 20 working days. Doing nothing is never taken as a yes." in text
    assert "1. Consumer ombudsman. 0300 123 4567. Free of charge. Time limit: 12 months." in text
    assert "Accepting does not take away your right to go to: Consumer ombudsman" in text


def test_the_words_of_staff_stand_on_lines_of_their_own() -> None:
    lines = decision(assessed().case).splitlines()
    assert "The readings were mixed up." in lines
    assert "Every reading is photographed." in lines


def test_every_issue_has_its_finding_and_reasons() -> None:
    case = replace(assessed().case, issues=(Issue(0, "money"), Issue(1, "staff_conduct")))
    facts = {**DECIDED, "issues": [{"finding": "upheld"}, {"finding": "no_finding"}]}
    words = {**WORDS, "issues.1.reasons": "Nobody recalls the call."}
    text = preview("decide", case, facts, words, texts=TEXTS, now=NOW)
    assert text.count("What we found") == 2
    assert "2. Conduct of staff" in text
    assert "We could not establish what happened." in text


def test_at_a_higher_level_it_says_that_the_decider_was_not_involved() -> None:
    case = replace(assessed().case, level=2)
    text = decision(case)
    assert "A person who was not involved before decided this, at level 2 of 2." in text
    assert "We have no further level." in text


def test_a_decision_can_be_had_in_turkish() -> None:
    text = decision(assessed().case, language="tr")
    assert "Haklısınız: şikâyetiniz yerinde bulundu." in text
    assert "Süreniz: 20 iş günü." in text
    assert "The readings were mixed up." in text.splitlines()


def test_a_short_decision_carries_the_recourse_too() -> None:
    words = {"done": "We sent it back.", "cause": "Read twice.", "agreed_how": "By phone."}
    text = preview("resolve", assessed().case, {"finding": "upheld"}, words, texts=TEXTS, now=NOW)
    assert "We sent it back." in text.splitlines()
    assert "Consumer ombudsman" in text
    assert "Read twice." not in text


@pytest.mark.parametrize(
    ("form", "facts", "words", "parts"),
    [
        ("reply", {}, {"text": "We come today."}, ["We come today.", "Complaints team, Northwind Water"]),
        (
            "ask",
            {"needed_by": "2026-11-10"},
            {"text": "Which tap is it?"},
            ["Which tap is it?", "by Tuesday, 10 November 2026"],
        ),
        (
            "inform",
            {"next_date": "2026-11-10"},
            {"done": "We read the meter.", "left": "The pipe.", "reason": "It froze."},
            ["We read the meter.", "The pipe.", "It froze.", "by Tuesday, 10 November 2026"],
        ),
    ],
)
def test_what_staff_write_is_shown_as_it_leaves(
    form: str, facts: dict[str, Any], words: dict[str, str], parts: list[str]
) -> None:
    text = preview(form, assessed().case, facts, words, texts=TEXTS, now=NOW)
    assert [part for part in parts if part not in text] == []


def test_a_form_that_writes_nothing_has_no_letter() -> None:
    with pytest.raises(ValueError, match="writes nothing"):
        preview("note", assessed().case, {}, {}, texts=TEXTS, now=NOW)


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("state", [one for one in State if one is not State.CLOSED])
def test_progress_tells_done_left_and_date_in_every_state(state: State, language: str) -> None:
    play = assessed()
    on_time = progress.progress(Letter(replace(play.case, state=state), TEXTS, language), NOW)
    late = progress.progress(
        Letter(replace(play.case, state=state), TEXTS, language), NOW + timedelta(days=60)
    )
    assert play.ref in on_time
    assert "Consumer ombudsman" not in on_time
    assert "Consumer ombudsman" in late


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("code", list(CloseCode))
def test_every_ending_has_its_letter_in_every_language(code: CloseCode, language: str) -> None:
    play = Play()
    play.files_a_complaint()
    case = replace(play.case, state=State.CLOSED, closed_at=NOW, close_code=code)
    text = closing.closing(
        Letter(case, TEXTS, language), code, {"reason": "Out of scope."}, other="A7K-M3Q-9T"
    )
    assert play.ref in text
    assert "{" not in text


def test_the_closing_names_the_way_back_and_until_when() -> None:
    play = Play()
    ref = play.files_a_complaint()
    case = replace(play.case, state=State.CLOSED, closed_at=NOW, close_code=CloseCode.LAPSED)
    text = closing.closing(Letter(case, TEXTS, "en"), "lapsed", {})
    assert f"type /reopen {ref} by Wednesday, 5 May 2027." in text
    assert "does not count as your agreement" in text


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_is_still_not_done_says_when_they_hear_again_and_who_else_may_help(language: str) -> None:
    play = Play()
    play.files_a_complaint()
    play.is_decided()
    one = RemedyOwed(n=0, type="refund", level=1, due=NOW - timedelta(days=9), late=2)
    written = letter(play, language)
    text = closing.remedy_still_late(written, one, {"remedies.0.text": "What you paid too much"}, NOW)
    # Five working days after today, in the words of the language.
    assert written.due_day(datetime(2026, 11, 12, 12, 0, tzinfo=UTC)) in text
    assert "What you paid too much" in text
    assert "0300 123 4567" in text


def test_the_reply_reminder_names_the_last_day_and_the_outside_right() -> None:
    play = Play()
    play.files_a_complaint()
    play.is_decided()
    text = closing.reply_reminder(letter(play))
    assert "Please answer by Tuesday, 1 December 2026" in text
    assert "Time limit: 12 months." in text


def test_recourse_lists_the_steps_and_keeps_the_file() -> None:
    text = closing.recourse(letter(assessed()))
    assert "We have nothing further that we can review" in text
    assert "1. Consumer ombudsman. 0300 123 4567. Free of charge. Time limit: 12 months." in text


def test_the_time_limit_of_a_body_is_told_in_the_language_of_the_complainant() -> None:
    play = assessed()
    assert "Süre sınırı: 12 ay." in closing.recourse(letter(play, "tr"))
    assert (
        letter(play)
        .body_line(1, "KDK", "", free=True, limit="until it is heard")
        .endswith("until it is heard.")
    )


def test_a_moved_date_is_told_with_its_reason() -> None:
    play = assessed()
    play.do(
        Verb.EXTEND,
        play.ref,
        MANAGER,
        {"target": "decide", "extended_to": "2026-11-12"},
        {"reason": "Frost."},
    )
    text = acknowledgement.moved_date(letter(play), "decide", 0, "Frost.")
    assert "It will now be Thursday, 12 November 2026." in text
    assert "Frost." in text.splitlines()


@pytest.mark.parametrize(
    ("language", "day"), [("en", "Saturday, 14 November 2026"), ("tr", "14 Kasım 2026 Cumartesi")]
)
def test_a_date_that_lasts_to_the_end_of_a_day_off_is_told_as_that_day(language: str, day: str) -> None:
    play = assessed()
    facts = {"target": "decide", "extended_to": "2026-11-14"}
    play.do(Verb.EXTEND, play.ref, MANAGER, facts, {"reason": "Frost."})
    assert day in acknowledgement.moved_date(letter(play, language), "decide", 0, "Frost.")
    (status,) = play.commands("status")
    assert "Saturday, 14 November 2026" in status


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("verb", ["accept", "disagree", "withdraw"])
def test_what_was_heard_by_voice_is_confirmed_in_writing(verb: str, language: str) -> None:
    play = assessed()
    text = progress.confirmation(letter(play, language), verb, {"given_at": "2026-11-03T10:00:00Z"})
    assert play.ref in text
    assert "10:00" in text


def test_the_survey_begins_with_fairness() -> None:
    assert "Were you treated fairly and with respect?" in closing.survey(letter(assessed()))


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_notice_before_a_date_says_how_far_it_is_and_what_to_count_on(language: str) -> None:
    play = assessed()
    early = progress.delay(letter(play, language), NOW)
    late = progress.delay(letter(play, language), NOW + timedelta(days=90))
    for text in (early, late):
        assert play.ref in text
        assert letter(play, language).due_day(letter(play).answer_by()) in text
        assert "Consumer" not in text
    assert early != late


def test_where_a_scheme_opens_the_outside_with_the_notice_the_bodies_stand_in_it() -> None:
    one = letter(assessed())
    rules = replace(one.case.rules, targets=replace(one.case.rules.targets, delay_outside=True))
    text = progress.delay(replace(one, case=replace(one.case, rules=rules)), NOW)
    assert "you may go to one of these now" in text
    assert one.body_list() in text


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_notice_that_a_date_will_not_be_kept_says_when_they_hear_again_before_the_date_and_after_it(
    language: str,
) -> None:
    one = letter(assessed(), language)
    answer, before, after = one.answer_by(), NOW, one.answer_by() + timedelta(days=1)
    missing, late = (progress.progress(one, now, missing=True) for now in (before, after))
    for text, now in ((missing, before), (late, after)):
        assert one.due_day(answer) in text
        assert one.due_day(next_news(one.case, now)) in text
    assert missing != late
    assert one.text("progress.on_time", date=one.due_day(answer)) not in missing


def test_what_was_held_up_until_the_date_is_near_says_no_more_that_there_is_no_answer_yet() -> None:
    one = letter(assessed())
    facts = {"target": "decide", "version": 2, "until": NOW.isoformat()}
    composer = Composer(one, (), lambda seq: {}, NOW)
    assert composer.compose("delay", facts) is None
    said = replace(composer, now=NOW - timedelta(minutes=1)).compose("delay", facts)
    assert said is not None
    assert "our answer is not ready yet" in said.text


def test_where_only_the_second_notice_comes_it_names_the_outside_that_the_scheme_opens() -> None:
    one = letter(assessed())
    rules = replace(one.case.rules, targets=replace(one.case.rules.targets, delay_outside=True))
    text = progress.progress(replace(one, case=replace(one.case, rules=rules)), NOW, missing=True)
    assert one.body_list() in text
