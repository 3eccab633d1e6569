"""A message in the form is classified before it is used: only an answer is recorded as one (7.2, 7.4, Annex B)."""

from __future__ import annotations

import csv
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from bots.slack.views.card import flag_lines
from bots.texts.catalogues import load_catalogues
from complaints.actors import SYSTEM
from complaints.vocabulary import Flag, Verb
from tests.clauses import clause
from tests.rules.dialogue_play import RULES, TEXTS, Play
from tests.rules.first_messages import LANGUAGES, play_story, read_stories
from tests.rules.first_messages import TEXTS as FOUR_LANGUAGES
from tests.rules.slack_cases import voice
from triage.message_kind import classify_message

STORIES = [
    story
    for name in (
        "first_messages.toml",
        "first_messages_later.toml",
        "first_messages_fresh.toml",
        "first_messages_money.toml",
    )
    for story in read_stories(name)
]
GERMAN_DESK = load_catalogues(["de", "tr"])
HELP = "What would put this right? Choose one, or write it in your own words."


def at_where(story: str = "The water has been brown.") -> Play:
    play = Play()
    play.writes(story)
    play.presses("done")
    assert play.state["step"] == "where"
    return play


def at_check() -> Play:
    play = at_where()
    play.writes("12 Mill Lane, last week")
    play.presses("repair")
    return play


def test_each_class_of_message_is_recognised_in_each_language() -> None:
    file = Path(__file__).with_name("message_kinds.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines(), delimiter="|"))
    wrong = [row for row in rows if classify_message(row["text"]) != row["kind"]]
    assert wrong == []


@clause("7.2")
@pytest.mark.parametrize("language", LANGUAGES)
def test_first_messages_are_understood_and_filed_with_few_taps(language: str) -> None:
    results = [play_story(story) for story in STORIES if story["language"] == language]
    assert [(result.story["text"], result.faults) for result in results if result.faults] == []
    assert sum(result.left_to_people for result in results) <= 2
    filed = [result for result in results if not result.left_to_people]
    assert statistics.median(result.actions for result in filed) <= 3
    # Done and Send, if the message says everything.
    assert {result.actions for result in filed if not result.asked} == {2}


@pytest.mark.parametrize("words", ["Thank you so much!", "çok teşekkür ederim", "vielen Dank", "gracias"])
def test_thanks_are_no_answer(words: str) -> None:
    play = at_where()
    question = play.text(play.replies[-1])
    assert play.writes(words) == ["You are welcome.", question]
    assert play.texts_of(play.ref).keys() == {"description"}


def test_a_question_about_time_is_answered_from_the_calendar_and_goes_to_a_person() -> None:
    play = at_where()
    answer, again = play.writes("When will I get an answer?")
    # Received on Tuesday: look by the end of the next working day, reply within 3, answer within 10.
    assert answer == (
        "A person looks at your complaint by 17:30 on Wednesday, 4 November 2026. The answer to your complaint "
        "comes by Tuesday, 17 November 2026 at the latest.\n\nOur team has your question. A person writes "
        "to you about it here by 17:30 on Friday, 6 November 2026."
    )
    assert again.startswith("Where did it happen")
    assert Flag.QUESTION_OPEN in play.case.flags
    target = next(target for target in play.case.current_targets() if target.target.value == "reply")
    assert TEXTS.moment("en", target.promised_due, "UTC") == "6 November 2026, 17:30"


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("Does this cost anything?", "It costs you nothing"),
        ("Am I talking to a robot?", "I am a computer."),
        ("Can my landlord see this?", "Our team has your question."),
    ],
)
def test_a_question_gets_what_is_known(words: str, known: str) -> None:
    play = at_check()
    assert play.writes(words)[0].startswith(known)
    assert words not in play.texts_of(play.ref)["description"]


@pytest.mark.parametrize("words", ["When will I get an answer?", "Any news", "Ne zaman geleceksiniz?"])
def test_a_question_after_the_filing_is_answered_from_the_calendar(words: str) -> None:
    play = Play()
    play.files_a_complaint()
    (answer,) = play.writes(words)
    assert answer.startswith("A person looks at your complaint by 17:30 on Wednesday, 4 November 2026.")
    assert play.texts_of(play.ref)["question"] == words


@pytest.mark.parametrize(
    "words",
    [
        "Sorry, it was the 2nd of October, not the 3rd.",
        "Entschuldigung, es war der 2. Oktober, nicht der 3.",
        "Perdón, fue el 2 de octubre, no el 3.",
        "Pardon, 3 Ekim değil 2 Ekim olacaktı.",
    ],
)
def test_a_correction_in_a_message_of_its_own_replaces_the_day_of_the_story(words: str) -> None:
    play = Play()
    play.writes(
        "You took the money twice, account 8841207. (3 October 2026) Please send the second payment back."
    )
    play.writes(words)
    (readback,) = play.presses("done")
    where = next(line for line in readback.splitlines() if line.startswith("Where and when"))
    assert "3" not in where
    assert "2" in where.removeprefix("Where and when: account 8841207")


def test_impatience_ends_the_questions_and_leads_to_send() -> None:
    play = at_where()
    ended, readback = play.writes("How many more questions?")
    assert ended == "A person reads what you wrote. I ask nothing more."
    assert readback.startswith("This is what I wrote down")
    assert play.presses("send") == []
    assert "How many" not in play.texts_of(play.ref)["description"]


def test_impatience_with_an_answer_is_an_answer() -> None:
    play = at_where()
    assert play.writes("I already told you, order 4711!") == [HELP]


def test_an_addition_is_read_for_the_answers_that_it_holds() -> None:
    play = at_where()
    assert play.writes("I forgot to say that I want my money back.")[0].startswith("Where did it happen")
    [readback] = play.writes("12 Mill Lane, yesterday")
    assert "You would like: Money back\n" in readback


def test_an_addition_under_the_read_back_shows_only_itself() -> None:
    play = at_check()
    [changed] = play.writes("One more thing: the tap drips as well.")
    assert "You added: One more thing: the tap drips as well.\n" in changed
    assert "brown" not in changed
    play.presses("send")
    assert play.case.confirmed_at == play.now


def test_a_new_matter_can_become_a_complaint_of_its_own() -> None:
    play = at_check()
    first = play.ref
    [offer] = play.writes("I have another complaint, about your rude fitter.")
    assert offer.startswith(f"I have added this to {first}.")
    assert offer.endswith("Is it about something else?")
    play.presses("new")
    assert play.ref != first
    assert play.texts_of(play.ref)["description"] == "I have another complaint, about your rude fitter."
    assert "fitter" not in play.texts_of(first)["description"]


def test_we_are_sorry_once_and_not_about_praise_or_next_to_an_emergency_number() -> None:
    play = at_check()
    play.presses("send")
    replies = "\n".join(play.text(reply) for reply in play.replies)
    assert replies.lower().count("sorry") == 1
    for words in (
        "Your driver was lovely, thank you all!",
        "I smell gas in the kitchen!",
        "I don't see a tomorrow for myself any more",
    ):
        assert "sorry" not in "\n".join(Play().writes(words)).lower()


def test_one_reminder_halfway_and_then_the_form_is_filed_as_it_stands() -> None:
    play = at_check()
    assert play.waits(14 * 60) == []
    play.writes("One more thing: the tap drips.")
    assert play.waits(14 * 60) == []
    [reminder] = play.waits(2 * 60)
    assert reminder.startswith(f"You have not sent {play.ref} yet.")
    assert "by 10:44 today" in reminder
    assert play.waits(3600) == []


def test_no_reminder_after_send() -> None:
    play = at_check()
    play.presses("send")
    assert play.waits(3600) == []


def four_languages(phone: str | None = None) -> Play:
    return Play(language=phone, rules=replace(RULES, languages=LANGUAGES), catalogue=FOUR_LANGUAGES)


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Mein Paket ist nicht angekommen", "de"),
        ("no hay agua", "es"),
        ("Ekmek küflü çıktı.", "tr"),
        ("The bread was mouldy.", "en"),
        ("Router kaputt", "en"),
    ],
)
def test_the_first_words_choose_the_language_and_the_phone_only_where_they_are_too_few(
    words: str, language: str
) -> None:
    play = four_languages()
    play.writes(words)
    assert play.language == language
    assert play.case.language == language


@clause("4.4")
@pytest.mark.parametrize("starts", [True, False])
@pytest.mark.parametrize(
    ("first", "second", "code", "in_english", "in_german"),
    [
        (
            "Le chauffage de la maison est en panne depuis lundi.",
            "Il fait froid et personne ne vient.",
            "fr", "French", "Französisch",
        ),
        (
            "Вже третій день у квартирі немає гарячої води, і ніхто не відповідає.",
            "Ми мерзнемо, допоможіть будь ласка.",
            "uk", "Ukrainian", "Ukrainisch",
        ),
        (
            "لا يوجد ماء ساخن في الشقة منذ ثلاثة أيام ولا أحد يجيب على الهاتف.",
            "نحن نعاني من البرد ولا يأتي أحد.",
            "ar", "Arabic", "Arabisch",
        ),
    ],
)  # fmt: skip
def test_a_language_that_the_desk_does_not_speak_is_named_and_shown_to_staff(
    first: str, second: str, code: str, in_english: str, in_german: str, starts: bool
) -> None:
    play = Play(language=None, rules=replace(RULES, languages=("de", "tr")), catalogue=GERMAN_DESK)
    if starts:
        play.commands("start")
    english, german, question = play.writes(first)
    assert english.startswith(f"Your message seems to be in this language: {in_english}.")
    assert "I go on in this language: German." in english
    assert german.startswith(f"Ihre Nachricht ist wohl in dieser Sprache: {in_german}.")
    # Nobody at this desk can say that it is no danger, so the person is asked, and people look.
    assert play.replies[-1].template == "danger.ask"
    assert "112" in question
    assert play.case.unseen_alarm is not None
    assert play.presses("no")[-1].startswith("Es tut uns leid")
    assert (play.case.written_in, play.case.language) == (code, "de")
    assert [line for line in flag_lines(play.case, voice()) if f": {in_english}." in line]
    assert not [text for text in play.writes(second) if "Sprache" in text]


def test_the_language_changes_in_the_middle_of_the_form_and_answers_stay() -> None:
    play = four_languages("en")
    play.writes("The water has been brown.")
    play.presses("done")
    play.writes("12 Mill Lane, yesterday")
    _, again = play.commands("language", "es")
    assert again == FOUR_LANGUAGES.text("es", "ask.help")
    assert "12 Mill Lane, yesterday" in play.writes("una disculpa")[0]


def test_answers_and_buttons_days_later_are_additions() -> None:
    play = at_where()
    button = play.replies[-1]
    play.do(Verb.END_FORM, play.ref, SYSTEM, {"because": "silence"})
    play.waits(3 * 86400)
    play.writes("It was at 12 Mill Lane")
    assert "12 Mill Lane" in play.words
    play.presses("skip", message=button)
    assert play.case.is_open


@pytest.mark.parametrize(
    "words", ["Send it please", "yes, send", "Gönderin lütfen", "bitte abschicken", "envíalo ya"]
)
def test_send_typed_in_other_words_signs(words: str) -> None:
    play = at_check()
    assert play.writes(words) == []
    assert play.case.confirmed_at == play.now


@pytest.mark.parametrize("words", ["skip, please", "überspringen bitte", "saltar por favor"])
def test_a_typed_label_may_have_polite_words_around_it(words: str) -> None:
    play = four_languages("en")
    play.writes("The water has been brown.")
    play.presses("done")
    assert play.writes(words) == [HELP]
    assert play.texts_of(play.ref).keys() == {"description"}
