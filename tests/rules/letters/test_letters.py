"""Letters to the complainant contain everything that clause 7 requires; words of staff are on lines of their
own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.settings.presets import preset_named
from bots.letters import decision_letters, progress_letters
from bots.letters.composer import Composer, preview
from bots.letters.letter import Letter
from bots.texts.phrases import body_line
from complaints.actors import SYSTEM, staff
from complaints.case import Case
from complaints.case_values import Issue, RemedyOwed
from complaints.deadlines.targets import next_news
from complaints.rulebook import RecourseStep
from complaints.vocabulary import CloseCode, Flag, Role, State, Verb
from tests.rules.dialogue_play import HANDLER, MANAGER, RULES, TEXTS, Play

PRESETS = Path(__file__).parents[3] / "amends/presets"
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
    """A letter for the newest complaint."""
    return Letter(play.case, TEXTS, language)


def decision_letter(case: Case, **more: Any) -> str:
    """The letter of a decision."""
    return preview("decide", case, DECIDED, WORDS, texts=TEXTS, now=NOW, **more)


def an_assessed_complaint() -> Play:
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
    text = progress_letters.acknowledgement(letter(play))
    assert text.startswith(
        f"We have your complaint {ref}, received 3 November 2026, 10:00. "
        "Our Complaints team answers by Tuesday, 17 November 2026 at the latest."
    )
    assert text.endswith("You also have the right to go to: Consumer ombudsman")


def test_an_unsigned_form_is_acknowledged_with_the_offer_to_sign() -> None:
    play = Play()
    play.writes("The water is brown.")
    play.do(Verb.END_FORM, play.ref, SYSTEM, {"because": "silence"})
    assert "If you like, press Send to sign it." in progress_letters.acknowledgement(letter(play))


def test_the_acknowledgement_of_the_next_level_names_its_people_and_date() -> None:
    play = Play()
    play.files_a_complaint()
    play.staff_resolve()
    play.do(Verb.DISAGREE, play.ref, staff("U1", Role.HANDLER), *answer_by_phone())
    text = progress_letters.acknowledgement(letter(play), 2)
    assert "stays open. It is now at level 2 of 2: people who were not involved before" in text


def answer_by_phone() -> tuple[dict[str, Any], dict[str, str]]:
    """An answer recorded by phone, with a reviewer left."""
    return {"given_at": "2026-11-03T10:00:00Z", "reviewers": 1}, {"by_whom": "Mary"}


def test_a_decision_has_every_part_under_its_heading() -> None:
    text = decision_letter(an_assessed_complaint().case, issue_texts=["My bill has doubled."])
    assert [part.split("\n")[0] for part in text.split("\n\n")] == [
        f"{an_assessed_complaint().ref}: our decision",
        "What you told us",
        "My bill has doubled.",
        "What we found",
        "Why",
        "What we will do, and by when",
        "What changes",
        "A person on our team made this decision, at level 1 of 2.",
        "If you disagree",
        "If another form would help you (large print, a call, another language), write that here.",
    ]
    assert "You are right, and we are sorry. We uphold this." in text
    assert "Money back (£180.00): What you paid too much, by Tuesday, 8 December 2026" in text
    assert "A gesture of goodwill: A new tap: this is an offer. We do it if you accept." in text
    assert "within 20 working days. If you do nothing, that never counts as a yes." in text
    assert "1. Consumer ombudsman. 0300 123 4567. Free of charge. Time limit: 12 months." in text
    assert text.count("Consumer ombudsman") == 1


def test_words_of_staff_are_on_lines_of_their_own() -> None:
    lines = decision_letter(an_assessed_complaint().case).splitlines()
    assert "The readings were mixed up." in lines
    assert "Every reading is photographed." in lines


def test_every_issue_has_a_finding_and_reasons() -> None:
    case = replace(an_assessed_complaint().case, issues=(Issue(0, "money"), Issue(1, "staff_conduct")))
    facts = {**DECIDED, "issues": [{"finding": "upheld"}, {"finding": "no_finding"}]}
    words = {**WORDS, "issues.1.reasons": "Nobody recalls the call."}
    text = preview("decide", case, facts, words, texts=TEXTS, now=NOW)
    assert text.count("What we found") == 2
    assert "2. Conduct of staff" in text
    assert "We could not find out what happened." in text


def test_a_decision_at_a_higher_level_says_that_the_decider_was_not_involved() -> None:
    play = Play()
    play.files_a_complaint()
    play.staff_resolve()
    play.do(Verb.DISAGREE, play.ref, staff("U1", Role.HANDLER), *answer_by_phone())
    text = decision_letter(play.case)
    assert "A person who took no part in the earlier decision made this one, at level 2 of 2." in text
    assert "We have no further level ourselves." in text


def test_a_decision_is_available_in_turkish() -> None:
    text = decision_letter(an_assessed_complaint().case, language="tr")
    assert "Haklısınız, özür dileriz." in text
    assert "Süreniz: 20 iş günü." in text
    assert "The readings were mixed up." in text.splitlines()


def test_a_resolution_letter_names_the_recourse_too() -> None:
    words = {"done": "We sent it back.", "cause": "Read twice.", "agreed_how": "By phone."}
    text = preview(
        "resolve", an_assessed_complaint().case, {"finding": "upheld"}, words, texts=TEXTS, now=NOW
    )
    assert "We sent it back." in text.splitlines()
    assert "Consumer ombudsman" in text
    assert "Read twice." not in text


@pytest.mark.parametrize(
    ("form", "facts", "words", "parts"),
    [
        (
            "change",
            {},
            {"text": "We read twice."},
            ["because of complaints such as this one:", "We read twice."],
        ),
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
def test_messages_of_staff_are_previewed_as_sent(
    form: str, facts: dict[str, Any], words: dict[str, str], parts: list[str]
) -> None:
    text = preview(form, an_assessed_complaint().case, facts, words, texts=TEXTS, now=NOW)
    assert [part for part in parts if part not in text] == []


def test_a_form_without_a_letter_has_no_preview() -> None:
    with pytest.raises(ValueError, match="writes nothing"):
        preview("note", an_assessed_complaint().case, {}, {}, texts=TEXTS, now=NOW)


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_a_progress_letter_names_done_left_and_date_in_every_state(state: State, language: str) -> None:
    play = an_assessed_complaint()
    on_time = progress_letters.progress(Letter(replace(play.case, state=state), TEXTS, language), NOW)
    late = progress_letters.progress(
        Letter(replace(play.case, state=state), TEXTS, language), NOW + timedelta(days=60)
    )
    assert play.ref in on_time
    assert "Consumer ombudsman" not in on_time
    assert "Consumer ombudsman" in late


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
@pytest.mark.parametrize("code", list(CloseCode))
def test_every_closing_has_a_letter_in_every_language(code: CloseCode, language: str) -> None:
    play = Play()
    play.files_a_complaint()
    case = replace(play.case, state=State.CLOSED, closed_at=NOW, close_code=code)
    text = decision_letters.closing(
        Letter(case, TEXTS, language), code, {"reason": "Out of scope."}, other="A7K-M3Q-9T"
    )
    assert play.ref in text
    assert "{" not in text


def test_the_closing_letter_explains_reopening_and_its_time_limit() -> None:
    play = Play()
    ref = play.files_a_complaint()
    case = replace(play.case, state=State.CLOSED, closed_at=NOW, close_code=CloseCode.LAPSED)
    text = decision_letters.closing(Letter(case, TEXTS, "en"), "lapsed", {})
    assert f"type /reopen {ref} by Wednesday, 5 May 2027." in text
    assert "does not count as your agreement" in text


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_letter_for_a_still_late_remedy_names_next_news_and_other_help(language: str) -> None:
    play = Play()
    play.files_a_complaint()
    play.staff_resolve()
    remedy = RemedyOwed(n=0, type="refund", level=1, due=NOW - timedelta(days=9), late=2)
    written = letter(play, language)
    text = decision_letters.remedy_still_late(
        written, remedy, {"remedies.0.text": "What you paid too much"}, NOW
    )
    # Five working days from today, in the language of the letter.
    assert written.due_day(datetime(2026, 11, 12, 12, 0, tzinfo=UTC)) in text
    assert "What you paid too much" in text
    assert "0300 123 4567" in text


def test_a_promised_remedy_with_a_date_has_no_full_stop_before_the_comma() -> None:
    play = Play()
    play.files_a_complaint()
    assert letter(play).remedy("refund", "We pay it back. ").endswith(": We pay it back")


def test_the_reply_reminder_names_the_last_day_and_the_recourse() -> None:
    play = Play()
    play.files_a_complaint()
    play.staff_resolve()
    text = decision_letters.reply_reminder(letter(play))
    assert "Please answer by Tuesday, 1 December 2026" in text
    assert "Time limit: 12 months." in text


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_after_the_last_level_the_closing_still_names_the_outside_body_with_form_cost_and_limit(
    language: str,
) -> None:
    body = RecourseStep("The board", "board.example", "12 months", False, "board.example/form", "25 EUR")
    play = Play(rules=replace(RULES, recourse=(body,)))
    play.files_a_complaint()
    text = decision_letters.closing(letter(play, language), CloseCode.EXHAUSTED, {})
    assert text.endswith(body_line(TEXTS, language, 1, body))
    assert {"board.example/form", "25 EUR"} <= set(re.findall(r"board.example/form|25 EUR", text))


def test_a_letter_that_was_previewed_before_the_reader_was_known_as_a_child_keeps_its_dates_right() -> None:
    play = an_assessed_complaint()
    facts = {**DECIDED, "remedies": [{"type": "refund", "amount": "5.00", "currency": "GBP"}]}
    words = {
        **WORDS,
        "letter": preview("decide", play.case, facts, WORDS, texts=TEXTS, now=NOW, language="de"),
    }
    child = replace(play.case, flags=play.case.flags | {Flag.MINOR})
    later = NOW + timedelta(days=7)
    sent = preview("decide", child, facts, words, texts=TEXTS, now=later, written_at=NOW, language="de")
    assert "19. November 2026" not in sent
    assert "26. November 2026" in sent


def test_the_recourse_letter_lists_the_steps() -> None:
    text = decision_letters.recourse(letter(an_assessed_complaint()))
    assert "already taken part in it" in text
    assert "1. Consumer ombudsman. 0300 123 4567. Free of charge. Time limit: 12 months." in text


def test_the_time_limit_of_a_body_is_in_the_complainants_language() -> None:
    play = an_assessed_complaint()
    assert "Süre sınırı: 12 ay." in decision_letters.recourse(letter(play, "tr"))
    own = RecourseStep("KDK", limit="until it is heard")
    assert body_line(TEXTS, "en", 1, own).endswith("Time limit: until it is heard.")
    scheme = RecourseStep("KDK", limit="6 months from our answer, or from when it was due")
    assert body_line(TEXTS, "tr", 1, scheme).endswith("yanıt vermemiz gereken günden sonra 6 ay.")


def test_an_outside_body_is_named_with_its_form_and_its_cost() -> None:
    body = RecourseStep(
        "The board", "board.example", "12 months", free=False, form="board.example/form", cost="25 EUR"
    )
    assert body_line(TEXTS, "en", 2, body) == (
        "2. The board. board.example. Form: board.example/form. Cost: 25 EUR. Time limit: 12 months."
    )
    assert "They may charge a fee." in body_line(TEXTS, "en", 2, replace(body, cost=""))


@pytest.mark.parametrize("preset", sorted(PRESETS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_time_limit_of_a_preset_can_be_read_in_every_language(preset: Path) -> None:
    for limit in re.findall(r'\blimit = "([^"]+)"', preset.read_text(encoding="utf-8")):
        assert TEXTS.has(f"limit.{limit}") or TEXTS.limit("tr", limit) != limit, limit


@pytest.mark.parametrize("preset", ["eu_dsa", "uk_ofcom"])
@pytest.mark.parametrize("language", ["de", "es", "tr"])
def test_an_outside_body_that_a_preset_describes_is_named_in_the_readers_language(
    preset: str, language: str
) -> None:
    (body,) = preset_named(preset).on(date(2026, 11, 27)).group("recourse").values()
    step = RecourseStep(**body)
    play = Play(rules=replace(RULES, recourse=(step,)), language=language)
    play.files_a_complaint()
    name = TEXTS.body(language, step.body)
    assert name != step.body
    assert name.rstrip(".") in decision_letters.recourse(letter(play, language))
    assert name in letter(play, language).body_names()
    assert name in play.commands("policy")[0]


def test_a_moved_date_is_communicated_with_its_reason() -> None:
    play = an_assessed_complaint()
    play.do(
        Verb.EXTEND,
        play.ref,
        MANAGER,
        {"target": "decide", "extended_to": "2026-11-12"},
        {"reason": "Frost."},
    )
    text = progress_letters.moved_date(letter(play), "decide", 0, "Frost.")
    assert "The new date is Thursday, 12 November 2026." in text
    assert "Frost." in text.splitlines()


@pytest.mark.parametrize(
    ("language", "day"), [("en", "Saturday, 14 November 2026"), ("tr", "14 Kasım 2026 Cumartesi")]
)
def test_a_date_that_ends_with_a_day_off_is_written_as_that_day(language: str, day: str) -> None:
    play = an_assessed_complaint()
    facts = {"target": "decide", "extended_to": "2026-11-14"}
    play.do(Verb.EXTEND, play.ref, MANAGER, facts, {"reason": "Frost."})
    assert day in progress_letters.moved_date(letter(play, language), "decide", 0, "Frost.")
    (status,) = play.commands("status")
    assert "Saturday, 14 November 2026" in status


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
@pytest.mark.parametrize("verb", ["accept", "disagree", "withdraw"])
def test_an_answer_by_phone_is_confirmed_in_writing(verb: str, language: str) -> None:
    play = an_assessed_complaint()
    text = progress_letters.confirmation(letter(play, language), verb, {"given_at": "2026-11-03T10:00:00Z"})
    assert play.ref in text
    assert "10:00" in text


def test_the_survey_begins_with_fairness() -> None:
    assert "Did we treat you fairly and with respect?" in decision_letters.survey(
        letter(an_assessed_complaint())
    )


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_delay_notice_names_progress_and_the_expected_date(language: str) -> None:
    play = an_assessed_complaint()
    early = progress_letters.delay(letter(play, language), NOW)
    late = progress_letters.delay(letter(play, language), NOW + timedelta(days=90))
    for text in (early, late):
        assert play.ref in text
        assert letter(play, language).due_day(letter(play).answer_by()) in text
        assert "Consumer" not in text
    assert early != late


def test_the_delay_notice_lists_the_outside_bodies_where_the_scheme_says_so() -> None:
    written = letter(an_assessed_complaint())
    rules = replace(written.case.rules, targets=replace(written.case.rules.targets, delay_outside=True))
    text = progress_letters.delay(replace(written, case=replace(written.case, rules=rules)), NOW)
    assert "You can go outside now:" in text
    assert written.body_list() in text


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_missed_date_notice_names_next_news_before_and_after_the_date(
    language: str,
) -> None:
    written = letter(an_assessed_complaint(), language)
    answer, before, after = written.answer_by(), NOW, written.answer_by() + timedelta(days=1)
    missing, late = (progress_letters.progress(written, now, missing=True) for now in (before, after))
    for text, now in ((missing, before), (late, after)):
        assert written.due_day(answer) in text
        assert written.due_day(next_news(written.case, now)) in text
    assert missing != late
    assert written.text("progress.on_time", date=written.due_day(answer)) not in missing


def test_a_delay_notice_held_until_its_limit_is_not_sent() -> None:
    written = letter(an_assessed_complaint())
    facts = {"target": "decide", "version": 2, "until": NOW.isoformat()}
    composer = Composer(written, (), lambda seq: {}, NOW)
    assert composer.compose("delay", facts) is None
    message = replace(composer, now=NOW - timedelta(minutes=1)).compose("delay", facts)
    assert message is not None
    assert "our answer is not ready yet" in message.text


def test_a_missed_date_notice_alone_names_the_outside_bodies_of_the_scheme() -> None:
    written = letter(an_assessed_complaint())
    rules = replace(written.case.rules, targets=replace(written.case.rules.targets, delay_outside=True))
    text = progress_letters.progress(
        replace(written, case=replace(written.case, rules=rules)), NOW, missing=True
    )
    assert written.body_list() in text
