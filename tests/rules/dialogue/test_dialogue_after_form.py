"""Messages and buttons after the form, as transcripts: additions, answers, decisions, closings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots.dialogue.commands import COMMANDS
from bots.dialogue.inputs import Blocked, ButtonInput, GroupSeen, Unblocked
from complaints.actors import SYSTEM
from complaints.vocabulary import CloseCode, Flag, State, Verb
from tests.rules.dialogue_play import HANDLER, MANAGER, Play

READ = "A person reads it by 17:30 on Wednesday, 4 November 2026."
OTHER = "Is it about something else?"


def test_an_addition_is_confirmed_once_per_burst_without_a_question() -> None:
    play = Play()
    ref = play.files_a_complaint()
    assert play.writes("And the meter reader never came.") == [f"I have added this to {ref}. {READ}"]
    assert play.writes("He was expected on Monday.") == []
    assert play.sends() == []
    assert len(play.cases) == 1
    play.now += timedelta(minutes=5)
    assert len(play.writes("One more thing happened.")) == 1


def test_the_new_complaint_button_opens_a_complaint_with_the_messages_of_the_burst() -> None:
    play = Play()
    first = play.files_a_complaint()
    [offer] = play.writes("Another matter: the meter reader never came.")
    assert offer == f"I have added this to {first}. {READ}\n\n{OTHER}"
    play.writes("He was to come on Monday.")
    [receipt] = play.presses("new")
    assert play.ref != first
    assert f"Your reference is {play.ref}." in receipt
    assert play.texts_of(play.ref) == {
        "description": "Another matter: the meter reader never came.\n\nHe was to come on Monday."
    }


@pytest.mark.parametrize(
    "words",
    [
        "Separate matter. Your shop gave me the wrong change this morning.",
        "Bir başka şikayetim var: kaporamızı geri vermiyorlar.",
        "My order 5582917 was due a week ago",
        "now the lift is broken too and nobody comes",
    ],
)
def test_a_clearly_other_matter_is_asked_about(words: str) -> None:
    play = Play()
    ref = play.files_a_complaint("My order 4471203 came broken on Monday.")
    play.writes("It was the blue one.")
    # Also right after an addition that was confirmed without a question.
    play.writes(words)
    assert play.replies[-1].buttons == (("new",), (f"add:{ref}",))
    play.presses("new")
    assert play.texts_of(play.ref) == {"description": words}


@pytest.mark.parametrize(
    "words",
    [
        "Still waiting, nobody called back although you promised it for Thursday, a disgrace for a firm like yours",
        "Sorry, it is order 4471230, not 4471203",
        "My order number is 4471203",
        "Ich habe noch vergessen: der Karton war auch nass",
        "¿Alguna novedad?",
        "gift card no thanks, cash",
        "the woman on the phone said the same to my neighbour, she has it in writing",
        "das Foto hab ich jetzt gefunden, ich lege es bei",
    ],
)
def test_an_ordinary_message_to_an_open_complaint_is_added_without_a_question(words: str) -> None:
    play = Play()
    play.files_a_complaint("My order 4471203 came broken on Monday.")
    play.writes(words)
    assert not play.replies[-1].buttons
    assert len(play.cases) == 1


@pytest.mark.parametrize(
    "words", ["any idea how long this will take", "hab ihr schon was rausgefunden", "dosyam ne durumda acaba"]
)
def test_a_question_without_its_mark_gets_a_person_and_a_time(words: str) -> None:
    play = Play()
    ref = play.files_a_complaint()
    [reply] = play.writes(words)
    assert "by 17:30 on Friday, 6 November 2026" in reply
    assert Flag.QUESTION_OPEN in play.cases[ref].flags
    assert not play.replies[-1].buttons


def test_a_price_is_not_answered_with_what_complaining_costs() -> None:
    play = Play()
    ref = play.files_a_complaint()
    [reply] = play.writes("How much does a monthly pass cost?")
    assert "costs you nothing" not in reply
    assert Flag.QUESTION_OPEN in play.cases[ref].flags


def test_pressing_new_complaint_twice_opens_one_complaint() -> None:
    play = Play()
    play.files_a_complaint()
    play.writes("Another matter: the meter reader never came.")
    button = play.replies[-1]
    play.presses("new", message=button)
    assert play.presses("new", message=button) == []
    assert len(play.cases) == 2


def test_the_add_to_button_adds_the_words_to_an_older_complaint() -> None:
    play = Play()
    first = play.files_a_complaint()
    play.commands("complain")
    play.writes("The bill is wrong.")
    play.commands("cancel")
    play.writes("I forgot to say that it smells.")
    assert play.replies[-1].fields["below"] == OTHER
    assert play.presses(f"add:{first}") == [f"I have added this to {first}. {READ}"]
    assert play.texts_of(first)["addition"] == "I forgot to say that it smells."


def test_the_add_to_label_may_be_typed() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.writes("Another matter: the meter reader never came.")
    assert play.writes(f"add to {ref}") == [f"I have added this to {ref}. {READ}"]
    assert play.writes("New complaint")[0].startswith("I have added this to")


def test_a_reply_to_a_message_of_a_complaint_belongs_to_that_complaint() -> None:
    play = Play()
    play.writes("The water is brown.", source="10")
    play.commands("cancel")
    ref = play.ref
    [answer] = play.writes("It is worse today, much worse.", reply_to="10")
    assert answer == f"I have added this to {ref}. {READ}"


def test_a_message_with_a_reference_belongs_to_that_complaint() -> None:
    play = Play()
    ref = play.files_a_complaint()
    assert play.writes(f"About {ref.lower()}: it smells now.") == [f"I have added this to {ref}. {READ}"]


def test_a_message_after_a_question_from_staff_is_an_answer() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.ASK, ref, HANDLER, {"needed_by": "2026-11-10"}, {"text": "Which tap?"})
    assert play.writes("The one in the kitchen.")[0].startswith(
        f"I have added this to {ref}. A person reads it"
    )
    assert play.acted[-1].verb is Verb.ANSWER
    assert Flag.WAITING_COMPLAINANT not in play.cases[ref].flags


def test_a_message_after_closing_opens_a_new_complaint() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    assert "Your reference is" in play.writes("Now the bill is wrong, too.")[0]
    assert len(play.cases) == 2
    assert play.cases[ref].state is State.CLOSED


def test_the_accept_button_records_acceptance_and_keeps_the_right_to_recourse() -> None:
    play = Play()
    play.files_a_complaint()
    ref = play.staff_resolve()
    [answer] = play.writes("i accept")
    assert answer.startswith(f"Thank you. You have accepted our decision on {ref}.")
    assert "your right to go to: Consumer ombudsman" in answer
    assert answer.endswith("Recorded: 3 November 2026, 10:00.")
    assert play.cases[ref].reply == "accept"
    [added] = play.writes("I accept")
    assert added == (
        f"I have added this to {ref}. A person reads it and answers here.\n\n"
        "You get the answer by 17:30 on Friday, 6 November 2026."
    )


def test_the_disagree_button_keeps_the_complaint_open_and_asks_what_to_review() -> None:
    play = Play()
    play.files_a_complaint()
    ref = play.staff_resolve()
    [answer] = play.writes("I disagree.")
    assert f"{ref} stays open. What should we look at again?" in answer
    assert play.writes("You did not read my letter.")[0] == (
        f"I have noted that for {ref}. A person reads it and writes to you here.\n\n"
        "You get the answer by Tuesday, 10 November 2026."
    )
    assert play.texts_of(ref)["look_again"] == "You did not read my letter."


def test_disagreement_at_the_top_level_asks_nothing_further() -> None:
    play = Play()
    play.files_a_complaint()
    ref = play.staff_resolve()
    play.cases[ref] = replace(
        play.cases[ref], level=2, decisions=(replace(play.cases[ref].decisions[0], level=2),)
    )
    assert play.writes("I disagree") == []
    assert play.cases[ref].state is State.DISAGREED


def test_the_question_button_adds_a_question_and_prevents_lapsing() -> None:
    play = Play()
    play.files_a_complaint()
    ref = play.staff_resolve()
    play.writes("I have a question")
    [answer] = play.writes("When do you come?")
    assert "A person answers here" in answer
    assert Flag.QUESTION_OPEN in play.cases[ref].flags
    assert play.cases[ref].reply is None


def test_a_button_of_a_superseded_decision_is_answered_and_changes_nothing() -> None:
    play = Play()
    play.files_a_complaint()
    ref = play.staff_resolve()
    play.writes("I disagree")
    before = play.cases[ref]
    assert "moved on since that message" in play.receives(ButtonInput("accept", "decision", ref, 1))[0]
    assert play.cases[ref] == before


def test_the_survey_runs_from_fairness_to_the_free_answer() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.do(Verb.SURVEY, ref, SYSTEM, {"step": "sent"})
    assert play.writes("5")[0].startswith("How satisfied are you with the outcome?")
    assert play.writes("4")[0].startswith("How easy was it to complain?")
    play.presses("3")
    play.writes("skip")
    assert play.presses("1")[0].startswith("What should we do better?")
    assert play.writes("Answer the telephone, please.")[0].startswith("Thank you.")
    facts = [act.facts for act in play.acted if act.verb is Verb.SURVEY]
    assert [act.get("score") for act in facts] == [5, 4, 3, None, 1, None]
    assert [act["question"] for act in facts] == ["q3", "q5", "q1", "q2", "q4", "q6"]
    assert play.acted[-1].words == {"q6": "Answer the telephone, please."}


def test_withdrawing_asks_for_confirmation() -> None:
    play = Play()
    ref = play.files_a_complaint()
    assert play.commands("withdraw")[0].startswith(f"Do you want to take {ref} back?")
    assert play.writes("no") == [f"All right, {ref} stays as it is."]
    play.commands("withdraw", ref)
    play.presses("yes")
    assert play.cases[ref].close_code is CloseCode.WITHDRAWN


def test_an_old_confirmation_button_changes_nothing() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.commands("withdraw")
    play.writes("No")
    assert play.presses("yes") == []
    assert play.cases[ref].is_open


def test_reopening_asks_for_a_reason_and_a_confirmation() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    assert play.commands("reopen")[0].startswith(f"What is new about {ref}")
    assert play.writes("It is your pipe after all.")[0].endswith(" again?")
    assert play.presses("yes")[0].startswith(f"{ref} is open again.")
    assert play.cases[ref].state is State.INVESTIGATING
    assert play.acted[-1].words == {"reason": "It is your pipe after all."}


def test_reopening_after_the_window_is_refused_with_an_alternative() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.now += timedelta(days=400)
    assert "/complain" in play.commands("reopen", ref)[0]


@pytest.mark.parametrize("answered", [True, False], ids=["before the confirmation", "before the reason"])
def test_a_window_that_ends_while_the_bot_asks_is_explained_and_the_reason_is_kept(answered: bool) -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.commands("reopen")
    if answered:
        play.writes("It is your pipe after all.")
    play.now += timedelta(days=400)
    if not answered:
        play.writes("It is your pipe after all.")
    assert "/complain" in play.presses("yes")[0]
    assert play.cases[ref].state is State.CLOSED
    assert "It is your pipe after all." in play.texts_of(ref).values()


def test_the_status_command_lists_only_the_persons_own_complaints_with_their_dates() -> None:
    play = Play()
    ref = play.files_a_complaint()
    [answer] = play.commands("status")
    assert f"{ref}, received Tuesday, 3 November 2026: received, waiting to be read" in answer
    assert "We answer by Tuesday, 17 November 2026 at the latest." in answer
    assert play.commands("status", "A7K-M3Q-9T") == play.commands("status", "nonsense")
    assert play.commands("status", f" {ref.lower().replace('-', ' ')} ")[0].startswith(f"{ref}, received")


def test_the_how_command_states_levels_outside_bodies_cost_and_time_limit() -> None:
    [answer] = Play().commands("how")
    assert "1. Consumer ombudsman. 0300 123 4567. Free of charge. Time limit: 12 months." in answer
    assert "up to 2 levels" in answer


def test_the_language_is_chosen_by_button_or_word_and_kept() -> None:
    play = Play()
    play.commands("language")
    assert play.presses("lang_tr") == ["Artık Türkçe konuşuyoruz."]
    assert play.commands("status")[0].startswith("Kayıtlı bir şikâyetiniz yok.")
    assert play.writes("English") == ["We speak English now."]


def test_the_human_command_opens_a_question_on_the_complaint() -> None:
    play = Play()
    ref = play.files_a_complaint()
    assert play.commands("human")[0].startswith("I have asked a person of our team")
    assert Flag.QUESTION_OPEN in play.cases[ref].flags


def test_the_human_command_without_a_complaint_asks_what_it_is_about() -> None:
    play = Play()
    play.commands("human")
    assert "Your reference is" in play.writes("I cannot read your letters.")[0]


def test_every_command_is_answered_with_and_without_a_complaint() -> None:
    for prepare in (lambda play: None, lambda play: play.files_a_complaint()):
        for name in (*COMMANDS, "unknown"):
            play = Play()
            prepare(play)
            assert len(play.commands(name)) == 1


def test_an_edit_after_the_form_is_recorded() -> None:
    play = Play()
    play.writes("The water is brown.", source="10")
    play.commands("cancel")
    assert "I have noted the change" in play.edits("10", "The water is red.")[0]
    assert play.edits("10", "The water is red.") == []


def test_a_greeting_edited_into_a_complaint_opens_one() -> None:
    play = Play()
    play.writes("Hello", source="10")
    assert "Your reference is" in play.edits("10", "Hello, my water is brown.")[0]


def test_an_old_send_button_signs_its_own_complaint() -> None:
    play = Play()
    play.writes("The water is brown.")
    for choice in ("done", "skip", "repair"):
        play.presses(choice)
    first, button = play.ref, play.replies[-1]
    play.commands("complain")
    play.writes("The bill is wrong.")
    play.presses("send", message=button)
    assert play.cases[first].confirmed_at is not None
    assert play.case.form_open
    assert play.presses("done")[0].startswith("Where did it happen")


def test_in_a_group_the_bot_answers_one_line_with_a_link_once_an_hour() -> None:
    play = Play()
    assert play.receives(GroupSeen("https://t.me/x"))[0].endswith("https://t.me/x")
    assert play.receives(GroupSeen("https://t.me/x")) == []
    play.now += timedelta(hours=1)
    assert len(play.receives(GroupSeen("https://t.me/x"))) == 1


def test_blocking_and_unblocking_are_recorded() -> None:
    play = Play()
    assert (play.turn(Blocked()).blocked, play.turn(Unblocked()).blocked) == (True, False)


def test_pressing_the_same_button_again_changes_nothing() -> None:
    play = Play()
    play.writes("The water is brown.")
    for choice in ("done", "skip"):
        play.presses(choice)
    button = play.replies[-1]
    play.presses("repair", message=button)
    before = play.case
    assert play.presses("repair", message=button) == []
    assert play.case == before


def test_a_story_that_begins_with_a_slash_is_a_story() -> None:
    play = Play()
    assert "Your reference is" in play.commands("my", "water has been brown for a week")[0]
    assert play.words == "/my water has been brown for a week"


def test_words_after_the_human_command_are_kept() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.commands("human", "Please call me in the morning")
    assert play.texts_of(ref)["human"] == "Please call me in the morning"


def test_an_eight_digit_code_is_treated_as_a_code() -> None:
    assert Play().writes("12345678")[0].startswith("That code is not valid here")
    assert Play().commands("start", "12345678")[0].startswith("That code is not valid here")


def test_reopen_and_withdraw_never_deny_a_complaint_that_exists() -> None:
    play = Play()
    ref = play.files_a_complaint()
    assert play.commands("reopen") == [f"{ref} is open. Write here to add to it."]
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    [reply] = play.commands("withdraw")
    assert reply.startswith(f"{ref} is closed.")
