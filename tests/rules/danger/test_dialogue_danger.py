"""Danger in any state: the emergency number first, no further questions, no false promise of help."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bots.dialogue.inputs import ButtonInput, TextInput
from bots.letters import progress_letters
from bots.letters.letter import Letter
from complaints.actors import staff
from complaints.case import Case
from complaints.obligations.kinds import SendPriority
from complaints.priorities import priority_of
from complaints.rulebook import Danger, OnCall
from complaints.vocabulary import Priority, Role, Verb
from tests.rules.dialogue_play import RULES, TEXTS, Play

GAS = "There is a strong smell of gas in the kitchen now!"


def test_danger_in_the_first_message_is_recorded_and_answered_with_the_number() -> None:
    play = Play()
    [answer] = play.writes(GAS)
    assert answer.startswith(
        "Please call 0800 111 999 now. We are a complaints service and cannot send help.\n\n"
        "Leave now, call 0800 111 999 from outside."
    )
    assert f"I am alerting our duty team ({play.ref})." in answer
    assert play.replies[-1].lane is SendPriority.DANGER
    assert certain_at(play.case) == play.now
    assert priority_of(play.case) is Priority.P1


def certain_at(case: Case) -> datetime | None:
    assert case.alarm is not None
    return case.alarm.certain_at


def written_at(case: Case) -> datetime | None:
    assert case.alarm is not None
    return case.alarm.written_at


def test_questions_stop_until_it_is_over_and_then_continue() -> None:
    play = Play()
    play.writes("The engineer left without finishing the work.")
    play.presses("done")
    play.writes("12 Mill Lane, this morning")
    assert len(play.writes(GAS)) == 1
    assert play.writes("It is getting worse.") == [f"I have passed this on ({play.ref}). I am still here."]
    assert play.waits(60) == []
    assert play.writes("it is over") == [
        "What would put this right? Choose one, or write it in your own words."
    ]
    assert "It is getting worse." in play.words
    assert not play.case.in_danger


def test_danger_within_the_first_messages_stops_the_first_question() -> None:
    play = Play()
    play.writes("The engineer left without finishing the work.")
    play.writes(GAS)
    assert play.waits(60) == []
    assert play.presses("safe")[0].startswith("What would put this right?")


def test_an_old_button_of_the_form_signs_nothing_while_a_danger_is_open() -> None:
    play = Play()
    play.writes("The engineer left without finishing the work.")
    play.presses("done")
    play.writes("12 Mill Lane, this morning")
    wishes = play.replies[-1]
    play.writes(GAS)
    assert play.presses("repair", wishes) == [f"I have passed this on ({play.ref}). I am still here."]
    assert play.case.in_danger
    assert "remedy_requested" not in play.texts_of(play.ref)


def test_danger_outside_a_form_opens_a_new_complaint() -> None:
    play = Play()
    first = play.files_a_complaint()
    assert play.writes(GAS)[0].startswith("Please call 0800 111 999 now")
    assert play.ref != first


def test_one_danger_word_is_enough() -> None:
    play = Play(rules=replace(RULES, danger=(replace(RULES.danger[0], signs=("kaçak",), number="187"),)))
    assert play.writes("Kaçak!")[0].startswith("Please call 187 now")
    assert len(play.cases) == 1


def test_danger_in_a_survey_answer_is_recorded_too() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.state = {**play.state, "step": "q6", "ref": ref}
    assert play.writes(GAS)[0].startswith("Please call 0800 111 999 now")
    assert certain_at(play.cases[ref]) is not None


def test_danger_in_an_edit_counts() -> None:
    play = Play()
    play.writes("The engineer left.", source="10")
    assert play.edits("10", GAS)[0].startswith("Please call 0800 111 999 now")


def test_without_on_call_cover_the_answer_says_when_staff_read_it() -> None:
    play = Play(rules=replace(RULES, on_call=OnCall()))
    play.now += timedelta(hours=10)
    [answer] = play.writes(GAS)
    assert "Nobody here reads this until 4 November 2026, 09:00." in answer
    assert "alerting" not in answer


@pytest.mark.parametrize("text", ["I want to kill myself", "Kendimi öldürmek istiyorum"])
def test_self_harm_has_its_own_number_and_text(text: str) -> None:
    play = Play()
    [answer] = play.writes(text)
    assert "116 123" in answer


def test_a_denied_danger_is_no_danger() -> None:
    play = Play()
    assert "Your reference is" in play.writes("There was no smell of gas, nobody was hurt.")[0]


def test_a_repeated_danger_sign_gets_a_short_answer_without_the_number() -> None:
    play = Play()
    play.writes(GAS)
    [answer] = play.writes("Still a strong smell of gas in the kitchen!")
    assert answer.startswith("I have passed this on")


def test_the_receipt_of_a_danger_is_confirmed_by_role_only_afterwards() -> None:
    play = Play()
    play.writes(GAS)
    play.do(Verb.RECEIPT, play.ref, staff("U2", Role.ON_CALL))
    letter = Letter(play.case, TEXTS, "en")
    assert progress_letters.danger_seen(letter, "on_call") == f"{play.ref}: the person on call has seen it."


OWN_TEXT = {
    "en": "Leave and call {number}.",
    "de": "Gehen Sie und rufen Sie {number} an.",
    "tr": "Çıkın, arayın: {number}.",
    "es": "Salga y llame al {number}.",
}


def with_own(*signs: str, number: str | None = "0800 222 333", text: dict[str, str] | None = None) -> Play:
    entry = Danger(signs=signs, number=number, text=OWN_TEXT if text is None else text)
    return Play(rules=replace(RULES, danger=(entry,)))


@pytest.mark.parametrize(
    ("sign", "words", "advice"),
    [
        ("smell of gas", "There is a smell of gas in the hall.", "Leave and call 0800 222 333."),
        ("smell of gas", "We have had strong smells of gas since noon.", "Leave and call 0800 222 333."),
        (
            "Gasgeruch",
            "Seit heute früh ist hier starker Gasgeruch.",
            "Gehen Sie und rufen Sie 0800 222 333 an.",
        ),
        ("gaz kokusu", "Mutfakta çok kötü bir gaz kokusundan duramıyoruz.", "Çıkın, arayın: 0800 222 333."),
        ("olor a gas", "Hay un fuerte olor a gas en la escalera.", "Salga y llame al 0800 222 333."),
    ],
    ids=range(5),
)
def test_the_organisations_own_entry_is_used_where_one_of_its_signs_occurs(
    sign: str, words: str, advice: str
) -> None:
    [answer] = with_own(sign).writes(words)
    assert "0800 222 333" in answer
    assert advice in answer
    assert "0800 111 999" not in answer


def test_an_own_number_without_a_text_comes_with_the_built_in_advice() -> None:
    [answer] = with_own("smell of gas", text={}).signed().writes("There is a smell of gas in the hall.")
    assert answer.startswith("Please call 0800 222 333 now")
    assert "Never switch lights or electrical devices on or off." in answer


def test_an_own_text_without_a_number_gets_the_number_of_the_country() -> None:
    [answer] = with_own("smell of gas", number=None).writes("There is a smell of gas in the hall.")
    assert "Leave and call 0800 111 999." in answer


def test_an_own_text_in_another_language_gives_way_to_built_in_advice_that_the_person_can_read() -> None:
    play = with_own("Gasgeruch", text={"en": "Leave now."}).signed()
    [answer] = play.writes("Seit heute früh ist hier starker Gasgeruch.")
    assert "Gehen Sie sofort an die frische Luft." in answer
    assert "0800 222 333" in answer
    unknown = with_own("Chlorwolke", text={"en": "Stay inside."})
    [answer] = unknown.writes("Über dem Bad steht eine Chlorwolke.")
    assert "Stay inside." in answer


@pytest.mark.parametrize(
    ("words", "start", "button"),
    [
        (
            "Es riecht hier stark nach Gas!",
            "Rufen Sie jetzt 0800 111 999 an",
            "Es ist vorbei",
        ),
        ("¡Huele mucho a gas en la cocina!", "Llame ahora al 0800 111 999", "Ya ha pasado"),
        ("Mutfakta çok kötü gaz kokusu var!", "Lütfen şimdi arayın: 0800 111 999", "Geçti, bitti"),
    ],
    ids=range(3),
)
def test_danger_is_answered_in_the_language_of_the_message(words: str, start: str, button: str) -> None:
    play = Play()
    [answer] = play.writes(words)
    assert answer.startswith(start)
    language = str(play.replies[-1].fields["spoken"])
    assert TEXTS.label(language, "safe") == button
    assert play.case.signs[0].language == language


def test_the_receipt_of_a_danger_is_confirmed_in_its_language() -> None:
    play = Play()
    play.writes("Es riecht hier stark nach Gas!")
    play.do(Verb.RECEIPT, play.ref, staff("U2", Role.ON_CALL))
    letter = Letter(play.case, TEXTS, "de")
    assert progress_letters.danger_seen(letter, "on_call").endswith("unserer Bereitschaft.")


def possible(play: Play) -> str:
    """Begin with a possible danger; the question."""
    [question] = play.writes("The lift stopped between two floors and my mother is inside since an hour.")
    return question


def test_a_read_back_that_a_danger_replaced_is_shown_completely_before_it_can_be_signed() -> None:
    play = Play()
    play.writes("The lift of order 4711 was not repaired on 2 November.")
    play.presses("done")
    assert play.state["step"] == "help"
    [question] = play.writes("An apology, my mother is still stuck inside")
    assert question.startswith("Is anybody in danger now?")
    play.do(Verb.RECEIPT, play.ref, staff("U2", Role.ON_CALL))
    play.do(Verb.END_DANGER, play.ref, staff("U2", Role.ON_CALL), {"danger_end": "helped"})
    [shown] = play.writes("send")
    assert "Where and when: order 4711, 2 November" in shown
    assert RULES.notice in shown
    assert play.case.confirmed_at is None
    play.presses("send")
    assert play.case.confirmed_at == play.now


def test_a_possible_danger_asks_one_question_and_the_form_waits() -> None:
    play = Play()
    assert possible(play).startswith("Is anybody in danger now? If so: Please call 112 now.")
    assert play.case.unseen_alarm is not None
    assert certain_at(play.case) is None
    assert play.waits(60) == []


@pytest.mark.parametrize(
    "answer", ["No", "no, nobody, it was last year", "nein, alles gut", "hayır, kimse yok"]
)
def test_only_a_clear_no_ends_the_question_without_a_page(answer: str) -> None:
    play = Play()
    possible(play)
    replies = play.writes(answer)
    assert replies[0].startswith("Good to know.")
    assert play.case.alarm is not None
    assert play.case.alarm.pages_from is None
    assert not play.case.in_danger


@pytest.mark.parametrize(
    "answer",
    ["Yes", "I do not know", "what do you mean?", "no one wakes up", "no but my son is sick", "hello?"],
)
def test_yes_and_every_unclear_answer_page(answer: str) -> None:
    play = Play()
    possible(play)
    [reply] = play.writes(answer)
    assert "Please call 112 now." in reply
    assert certain_at(play.case) == play.now


def test_without_an_answer_a_possible_danger_pages_after_two_minutes() -> None:
    play = Play()
    possible(play)
    assert play.case.alarm is not None
    assert play.case.alarm.pages_from == play.now + timedelta(minutes=2)


def test_possible_self_harm_pages_without_a_question_and_gets_the_helpline() -> None:
    play = Play()
    [answer] = play.writes(
        "I looked at the bridge for an hour last night. What stopped me was only the cold."
    )
    assert "116 123" in answer
    assert "If you have taken or done something, or you are about to: Please call 112 now." in answer
    assert certain_at(play.case) == play.now
    [again] = play.writes("I am so tired that I only want to sleep and not get up again.")
    assert "I stay here" in again


def test_words_of_despair_are_never_read_back_as_a_wish() -> None:
    play = Play(denies=True)
    play.writes("You cut off my power. I want to sleep, that is all I want. I want to kill myself.")
    play.presses("safe")
    [shown] = play.writes("send")
    assert "You would like" not in shown
    assert play.case.confirmed_at is None
    play.writes("send")
    assert play.case.confirmed_at == play.now
    assert "remedy_requested" not in play.texts_of(play.ref)


PARITY = {
    "collapse": (
        "The ceiling of the hall came down and we can hear people shouting underneath.",
        "Salonun tavanı çöktü, altında kalan insanların bağırdığını duyuyoruz.",
        "Die Decke der Halle ist eingestürzt, wir hören darunter Menschen rufen.",
        "Se vino abajo el techo de la sala y se oye a gente gritar debajo.",
    ),
    "order": (
        "He has a restraining order and he is outside again.",
        "Uzaklaştırma kararı var ama yine kapının önünde, beni bekliyor.",
        "Er hat ein Annäherungsverbot und steht wieder vor meiner Tür.",
        "Tiene una orden de alejamiento y está fuera otra vez.",
    ),
    "flue": (
        "The flue came apart and the whole family feels sick.",
        "Kombinin baca borusu ayrıldı, bütün ailenin midesi bulanıyor.",
        "Das Abgasrohr ist auseinandergegangen und der ganzen Familie ist übel.",
        "Se soltó el tubo de la caldera y toda la familia está mareada.",
    ),
    "self_harm": (
        "By the time you answer I won't be here, everybody will be better off without me.",
        "Siz cevap verene kadar ben burada olmayacağım, bensiz herkes daha iyi olacak.",
        "Bis Sie antworten, bin ich nicht mehr da, ohne mich sind alle besser dran.",
        "Para cuando contesten ya no estaré, todos estarán mejor sin mí.",
    ),
}


@pytest.mark.parametrize("name", PARITY)
@pytest.mark.parametrize("number", range(4))
def test_a_reported_danger_leads_to_a_page_or_a_look_in_every_language(name: str, number: int) -> None:
    play = Play()
    play.writes(PARITY[name][number])
    assert play.case.unseen_alarm is not None


@pytest.mark.parametrize(
    ("waited", "is_late"),
    [
        (timedelta(minutes=4), False),
        (timedelta(minutes=5), True),
        (timedelta(hours=23), True),
        # The time of another clock: Telegram keeps no message for so long.
        (timedelta(days=3), False),
        (timedelta(minutes=-10), False),
    ],
)
def test_a_danger_that_is_read_late_is_answered_with_its_time_and_recorded(
    waited: timedelta, is_late: bool
) -> None:
    play = Play()
    [answer] = play.receives(TextInput(GAS, "1", play.now - waited))
    assert answer.startswith("Please call 0800 111 999 now")
    assert ("We read this only now. You sent it on " in answer) is is_late
    assert written_at(play.case) == (play.now - waited if is_late else None)
    assert certain_at(play.case) == play.now


def test_a_likely_danger_that_is_read_late_is_answered_with_its_time_too() -> None:
    play = Play()
    written = play.now - timedelta(hours=2)
    answers = play.receives(TextInput("I don't see a tomorrow for myself any more", "1", written))
    assert any(
        "We read this only now. You sent it on 3 November 2026, 08:00." in answer for answer in answers
    )
    assert written_at(play.case) == written


def test_other_late_messages_and_a_later_danger_have_no_such_sentence() -> None:
    play = Play()
    late = play.receives(
        TextInput("The engineer left without finishing.", "1", play.now - timedelta(hours=2))
    )
    [danger] = play.writes(GAS)
    assert not any("only now" in answer for answer in (*late, danger))
    assert written_at(play.case) is None


def unclear_danger() -> tuple[Play, str]:
    play = Play(rules=replace(RULES, hazards_signed_until="2099-01-01"))
    play.writes("Our ceiling is bulging, water runs out of the lamp")
    [answer] = play.presses("yes")
    return play, answer


def test_where_no_hazard_is_clear_the_complainant_names_it_and_gets_its_instruction() -> None:
    play, answer = unclear_danger()
    assert answer.startswith("Please call 112 now.")
    assert "What is it about? Press what fits best." in answer
    *offered, last = play.replies[-1].buttons
    assert {"structure", "electricity", "flood", "other_hazard"} <= {name for row in offered for name in row}
    assert last == ("safe",)
    [advice] = play.presses("flood")
    assert "Never drive through flood water." in advice
    assert play.words.endswith("Water")
    assert play.case.in_danger


def test_of_the_hazards_that_a_person_names_the_deadliest_speaks() -> None:
    play, _ = unclear_danger()
    named = play.replies[-1]
    play.presses("flood", named)
    [advice] = play.presses("electricity", named)
    assert "Never touch a person who may still be in contact with electricity." in advice
    assert play.presses("flood", named) == [advice]
    [noted] = play.presses("other_hazard", named)
    assert noted.startswith("I have passed this on")
    [advice] = play.presses("flood", named)
    assert "electricity" not in advice


def test_a_hazard_can_be_named_by_typing_it_only_where_it_is_on_offer() -> None:
    play, _ = unclear_danger()
    [advice] = play.writes("water")
    assert "Never drive through flood water." in advice
    play, _ = unclear_danger()
    [noted] = play.writes("It is about me")
    assert noted.startswith("I have passed this on")


def test_a_person_who_threatens_is_named_discreetly_and_answered_discreetly() -> None:
    play, _ = unclear_danger()
    assert TEXTS.label("en", "violence") == "A person"
    [answer] = play.receives(ButtonInput("violence", "danger", play.ref, 1))
    assert answer.startswith("I have read this. You can reach 112 at any time.")
    assert play.replies[-1].buttons == (("yes", "no"),)


def test_a_hazard_named_after_the_danger_is_over_asks_and_warns_no_more() -> None:
    play, _ = unclear_danger()
    named = play.replies[-1]
    play.presses("safe")
    assert "Never" not in play.presses("flood", named)[0]
    assert not play.case.in_danger


def test_a_question_what_to_do_is_read_with_the_complaint_that_it_follows() -> None:
    for story, asked in (
        ("The apprentice you sent hangs on the cable in our hall and does not come free", True),
        ("The parcel came two days late and the box was wet.", False),
    ):
        play = Play()
        play.writes(story)
        assert not play.case.in_danger
        play.writes("can I pull him off by the jacket?")
        assert play.case.in_danger is asked


def test_who_said_that_nobody_is_in_danger_is_not_asked_again_for_a_question() -> None:
    play = Play()
    possible(play)
    play.writes("No")
    play.writes("may I let her out by myself?")
    assert play.replies[-1].template != "danger.ask"
