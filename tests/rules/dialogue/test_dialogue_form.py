"""From the first message to Send, as transcripts."""

from __future__ import annotations

from datetime import timedelta

from complaints.actors import SYSTEM
from complaints.vocabulary import Verb
from tests.rules.dialogue_play import HANDLER, RULES, TEXTS, Play


def test_a_first_message_of_two_words_opens_a_complaint_and_is_answered_at_once() -> None:
    play = Play(denies=True)
    [answer] = play.writes("Brown water")
    assert answer == (
        f"We are sorry to hear this. I have noted it. Your reference is {play.ref}. Go on, add photos or a voice "
        "note, or press Done.\n\n"
        "Your data: northwind.example/privacy\n/mydata shows what we keep."
    )
    assert play.texts_of(play.ref) == {"description": "Brown water"}


def test_a_greeting_is_answered_with_an_introduction_and_opens_nothing() -> None:
    play = Play(denies=True)
    [answer] = play.writes("Hello there!")
    assert answer.startswith("Hello. I am the automated complaints assistant of Northwind Water.")
    assert play.writes("Merhaba, iyi günler") == [answer]
    assert play.cases == {}


def test_one_word_is_answered_with_a_request_for_more() -> None:
    play = Play(denies=True)
    assert play.writes("Refund!")[0].startswith("Please tell me in a few words")
    assert play.cases == {}


def test_the_complete_form_leads_to_a_signed_complaint() -> None:
    play = Play(denies=True)
    play.writes("The water has been brown.")
    assert play.presses("done") == ["Where did it happen, or which order or account is it about, and when?"]
    assert play.writes("12 Mill Lane, last week") == [
        "What would put this right? Choose one, or write it in your own words."
    ]
    [readback] = play.presses("money_back")
    assert readback.startswith(
        f"This is what I wrote down under {play.ref}:\n\nThe water has been brown.\n"
        "\nWhere and when: 12 Mill Lane, last week\nYou would like: Money back\n"
    )
    assert "We answer by Tuesday, 17 November 2026 at the latest." in readback
    assert "Privacy: northwind.example/privacy" in readback
    assert play.presses("send") == []
    assert play.case.confirmed_at == play.now
    assert not play.case.form_open


def test_quick_messages_are_one_story_and_the_question_follows_after_20_seconds() -> None:
    play = Play(denies=True)
    play.writes("The first part.")
    for part in range(39):
        play.now += timedelta(seconds=4)
        assert play.writes(f"Part number {part}.") == []
    assert play.waits(19) == []
    assert play.waits(1) == ["Where did it happen, or which order or account is it about, and when?"]
    assert play.waits(600) == []
    assert play.texts_of(play.ref)["description"].count("\n\n") == 39
    assert len([reply for reply in play.replies if reply.template == "receipt"]) == 1


def test_typed_labels_work_as_buttons_in_every_language() -> None:
    play = Play(denies=True)
    play.writes("The water has been brown.")
    play.writes("bitti")
    play.writes("SKIP")
    [readback] = play.writes("money back")
    assert "You would like: Money back" in readback
    assert "Where and when" not in readback
    play.writes("gönder")
    assert play.case.confirmed_at is not None


def test_a_late_done_is_not_taken_as_an_answer() -> None:
    play = Play(denies=True)
    play.writes("The water has been brown.")
    [question] = play.waits(20)
    assert play.writes("Done") == [question]
    assert play.presses("done") == []
    play.writes("12 Mill Lane")
    assert play.texts_of(play.ref)["where_and_when"] == "12 Mill Lane"


def test_after_a_language_change_the_open_question_is_repeated() -> None:
    play = Play(denies=True)
    play.writes("The water has been brown.")
    play.presses("done")
    assert play.commands("language", "tr") == [
        "Artık Türkçe konuşuyoruz.",
        TEXTS.text("tr", "ask.where"),
    ]
    play.writes("geç")
    play.writes("özür")
    [_, readback] = play.commands("language", "en")
    assert readback.startswith("This is what I wrote down")


def test_a_story_that_says_everything_is_filed_with_two_taps() -> None:
    play = Play(denies=True)
    play.writes("Order 4471203 came broken on 3 November. I want a refund.")
    [readback] = play.presses("done")
    assert readback.startswith("This is what I wrote down")
    assert "Where and when: Order 4471203, 3 November\nYou would like: Money back\n" in readback


def test_a_refused_refund_is_not_taken_as_a_wish() -> None:
    play = Play(denies=True)
    play.writes("You told me that I do not get a refund for order 4471203 of 3 November.")
    assert play.presses("done") == ["What would put this right? Choose one, or write it in your own words."]


def test_changing_the_story_keeps_the_first_version_on_record() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    play.writes("Mill Lane")
    play.presses("repair")
    play.presses("change")
    play.presses("story")
    play.writes("The water is yellow.")
    [readback] = play.presses("done")
    assert "The water is yellow." in readback
    assert "brown" not in readback
    assert play.texts_of(play.ref)["description"] == "The water is brown."


def test_an_old_send_button_does_not_sign_words_that_were_not_read_back() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    for choice in ("done", "skip", "repair", "change", "story"):
        play.presses(choice)
    play.writes("The water is yellow.")

    [readback] = play.presses("send")
    assert "The water is yellow." in readback
    assert play.case.confirmed_at is None

    play.presses("send")
    assert play.case.confirmed_at == play.now


def test_changing_without_new_words_keeps_the_story() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    for choice in ("done", "skip", "repair", "change", "story"):
        play.presses(choice)
    [readback] = play.presses("done")
    assert "The water is brown." in readback


def test_changing_the_story_asks_again_for_place_and_remedy() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    play.writes("Mill Lane")
    play.presses("repair")
    play.presses("change")
    play.presses("where_and_when")
    [readback] = play.writes("Mill Road")
    assert "Where and when: Mill Road\n" in readback
    play.presses("change")
    play.presses("what_would_help")
    [readback] = play.writes("A new pipe, please")
    assert "You would like: A new pipe, please\n" in readback


def test_the_not_yet_button_states_when_the_unsigned_complaint_is_filed() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    for choice in ("done", "skip", "repair"):
        play.presses(choice)
    assert "as it stands at 3 November 2026, 10:30." in play.presses("not_yet")[0]
    assert play.case.form_open


def test_the_send_button_still_signs_after_the_form_ended() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    for choice in ("done", "skip", "repair"):
        play.presses(choice)
    play.do(Verb.END_FORM, play.ref, SYSTEM, {"because": "silence"})
    assert play.presses("send")[0].startswith("Thank you. You have now signed")
    assert play.presses("send")[0].startswith("You have already sent")


def test_late_answers_are_additions() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    play.do(Verb.END_FORM, play.ref, SYSTEM, {"because": "silence"})
    [answer] = play.writes("12 Mill Lane, last week")
    assert answer.startswith(f"I have added this to {play.ref}. A person reads it")
    assert play.presses("skip") == []
    assert len(play.cases) == 1


def test_a_message_from_staff_ends_the_questions() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.do(Verb.REPLY, play.ref, HANDLER, {}, {"text": "We come today."})
    assert play.waits(60) == []
    assert play.state["step"] == "idle"


def test_a_file_between_questions_is_an_addition_and_the_question_stays_open() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    assert play.sends("voice", seconds=3) == ["I have a voice note of 0:03. A person will listen to it."]
    assert play.case.media == 1
    assert play.writes("Mill Lane, yesterday")[0].startswith("What would put this right?")


def test_an_album_alone_is_one_complaint_with_one_receipt() -> None:
    play = Play(denies=True)
    assert len(play.sends(group="g1")) == 1
    assert play.sends(group="g1") == []
    assert play.sends(group="g1") == []
    assert (len(play.cases), play.case.media, play.case.only_in_media) == (1, 3, True)


def test_a_file_too_large_counts_and_a_smaller_one_is_requested() -> None:
    play = Play(denies=True)
    answers = play.sends("video", size=21 * 1024 * 1024)
    assert "larger than 20 MB" in answers[1]
    assert play.case.media == 1


def test_for_whom_is_asked_when_the_story_mentions_another_person() -> None:
    play = Play(denies=True)
    play.writes("I write on behalf of the old lady next door: her water is brown.")
    assert play.presses("done")[0].startswith("You seem to write for someone else.")
    assert play.presses("agreed") == ["What is your relationship to the person it is about?"]
    assert play.presses("someone_else")[0].startswith("Where did it happen")


def test_an_edit_is_a_new_version_and_the_first_is_kept() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.", source="77")
    play.presses("done")
    assert play.edits("77", "The water is red.") == []
    assert play.texts_of(play.ref)["description"] == "The water is red."
    assert [row[2] for row in play.texts_by_ref[play.ref]] == ["The water is brown.", "The water is red."]
    play.writes("Mill Lane")
    [readback] = play.presses("repair")
    assert "The water is red." in readback


def test_cancel_before_a_complaint_exists_drops_the_draft() -> None:
    play = Play(denies=True)
    play.commands("complain")
    assert play.commands("cancel") == ["All right, I have dropped that."]
    assert play.cases == {}


def test_cancel_during_the_form_ends_the_questions_and_names_withdraw() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    [answer] = play.commands("cancel")
    assert f"/withdraw {play.ref}" in answer
    assert not play.case.form_open
    assert play.waits(60) == []


def test_turkish_letters_choose_turkish_until_a_language_is_chosen() -> None:
    play = Play(language=None)
    assert play.writes("Faturam yanlış geldi")[0].startswith("Bunu duyduğumuza üzüldük.")
    assert play.case.language == "tr"


def test_a_named_member_of_staff_is_recorded_as_subject() -> None:
    play = Play(staff_names={"U9": ("Burak Demir", "Burak")})
    play.writes("Burak laughed at me and hung up.")
    assert play.case.subjects == frozenset({"U9"})
    assert play.case.restricted


def test_the_promised_date_before_the_assessment_is_the_legal_maximum() -> None:
    play = Play(rules=RULES)
    play.writes("The water is brown.")
    for choice in ("done", "skip"):
        play.presses(choice)
    assert "Tuesday, 17 November 2026" in play.presses("repair")[0]
