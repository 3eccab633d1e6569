"""Other paths of the dialogue: answers, remedies, data requests, insisting, floods, old buttons, odd
messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bots.dialogue.inputs import ButtonInput, Unblocked, Unreadable
from complaints.actors import SYSTEM
from complaints.obligations.standing import current_obligations
from complaints.vocabulary import CloseCode, ContactKind, Flag, State, Target, Verb
from store.values import DialogueTurn
from tests.clauses import clause
from tests.rules.dialogue_play import ASSESSED, HANDLER, MANAGER, START, Play

LONG_AGO = timedelta(days=400)


def two_waiting_complaints() -> tuple[Play, str, str]:
    """A person with two complaints, each with an open question from staff."""
    play = Play(denies=True)
    first = play.files_a_complaint()
    play.commands("complain")
    play.writes("The bill is wrong.")
    play.commands("cancel")
    for ref in (first, play.ref):
        play.do(Verb.ASK, ref, HANDLER, {"needed_by": "2026-11-10"}, {"text": "Which tap?"})
    return play, first, play.ref


def is_waiting(play: Play, ref: str) -> bool:
    """Do staff wait for an answer on this complaint?"""
    return Flag.WAITING_COMPLAINANT in play.cases[ref].flags


def test_a_reply_to_a_question_of_staff_answers_that_complaint() -> None:
    play, first, second = two_waiting_complaints()
    play.posted["900"] = first
    [answer] = play.writes("The one in the kitchen.", reply_to="900")
    assert answer.startswith(f"I have added this to {first}. A person reads it")
    assert (is_waiting(play, first), is_waiting(play, second)) == (False, True)


@clause("7.6")
def test_with_several_open_questions_the_person_chooses_which_is_answered() -> None:
    play, first, second = two_waiting_complaints()
    [question] = play.writes("The one in the kitchen.")
    assert question.startswith("We have asked you about more than one complaint.")
    assert (is_waiting(play, first), is_waiting(play, second)) == (True, True)
    play.presses(f"add:{first}")
    assert (is_waiting(play, first), is_waiting(play, second)) == (False, True)
    assert play.texts_of(first)["addition"] == "The one in the kitchen."


def test_an_answer_added_to_its_complaint_ends_the_waiting() -> None:
    play, first, second = two_waiting_complaints()
    play.writes("The one in the kitchen.")
    play.presses(f"add:{second}")
    assert (is_waiting(play, first), is_waiting(play, second)) == (True, False)
    assert play.acted[-1].verb is Verb.ANSWER


def a_remedy_done() -> tuple[Play, str]:
    """A decided complaint whose only remedy was recorded as done."""
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.do(Verb.ASSIGN, ref, HANDLER, {"owner": HANDLER.id})
    play.do(Verb.ASSESS, ref, HANDLER, ASSESSED)
    play.do(Verb.INVESTIGATE, ref, HANDLER, {"evidence": ["complainant_heard", "records_checked"]})
    facts = {"issues": [{"finding": "upheld"}], "remedies": [{"type": "repair"}], "others_affected": "none"}
    words = {"issues.0.reasons": "Old pipe.", "root_cause": "Age"}
    play.do(Verb.RESPOND, ref, HANDLER, {**facts, "cause_class": "single"}, words)
    play.do(Verb.COMMUNICATE_DECISION, ref, SYSTEM)
    play.now += timedelta(days=1)
    done = {"remedy": "0", "done_at": play.now.isoformat()}
    play.do(Verb.REMEDY_DONE, ref, HANDLER, done, {"proof": "Job sheet"})
    return play, ref


def test_yes_to_a_remedy_is_recorded_once_as_proof() -> None:
    play, ref = a_remedy_done()
    press = ButtonInput("yes", "done0", ref, 9)
    assert play.receives(press) == [f"Thank you. I have noted for {ref} that it is right."]
    assert play.receives(press)[0].startswith("I already have your answer about that")
    [remedy] = play.cases[ref].remedies
    assert (remedy.answer, remedy.verified_at) == ("yes", None)


@clause("D")
def test_no_to_a_remedy_reopens_it_with_a_reply_due() -> None:
    play, ref = a_remedy_done()
    [question] = play.writes("No")
    assert question.startswith("I am sorry. What is not right?")
    [noted] = play.writes("It drips as before.")
    assert "counts as not done" in noted
    case = play.cases[ref]
    assert (case.remedies[0].done_at, case.remedies[0].answer) == (None, "no")
    assert {Flag.REMEDY_REFUSED, Flag.QUESTION_OPEN} <= case.flags
    assert case.target(Target.REPLY) is not None
    assert play.texts_of(ref)["not_right"] == "It drips as before."
    done = {"remedy": "0", "done_at": play.now.isoformat()}
    play.do(Verb.REMEDY_DONE, ref, HANDLER, done, {"proof": "Second job sheet"})
    assert Flag.REMEDY_REFUSED not in play.cases[ref].flags


def test_a_remedy_redone_after_resolving_is_verified_by_the_complainant() -> None:
    play = Play(denies=True)
    play.files_a_complaint()
    ref = play.staff_resolve()
    play.receives(ButtonInput("no", "done0", ref, 3))
    play.writes("cancel")
    done = {"remedy": "0", "done_at": play.now.isoformat()}
    play.do(Verb.REMEDY_DONE, ref, HANDLER, done, {"proof": "Flushed again"})
    play.now += timedelta(minutes=1)
    play.receives(ButtonInput("yes", "done0", ref, 3))
    assert play.cases[ref].everything_verified


@clause("7.3")
def test_a_question_prevents_lapsing_and_has_a_reply_target() -> None:
    play = Play(denies=True)
    play.files_a_complaint()
    ref = play.staff_resolve()
    play.writes("I have a question")
    play.writes("When do you come?")
    case = play.cases[ref]
    reply = case.target(Target.REPLY)
    assert reply is not None
    assert reply.span == case.rules.targets.by_priority["P3"].first_action
    play.do(Verb.REPLY, ref, HANDLER, {}, {"text": "On Friday."})
    assert play.cases[ref].question_at is None


def reclassified_complaint() -> tuple[Play, str]:
    """A fault report that two members of staff reclassified as no complaint."""
    play = Play(denies=True)
    ref = play.files_a_complaint("My street light is out on Mill Lane.")
    play.do(Verb.RECLASSIFY, ref, HANDLER, {"kind": "fault_report"}, {"reason": "A lamp is out."})
    play.do(Verb.APPROVE, ref, MANAGER, {"agreed": "yes"})
    assert play.cases[ref].close_code is CloseCode.NOT_COMPLAINT
    return play, ref


@clause("3")
def test_insisting_words_reopen_a_reclassified_complaint() -> None:
    play, ref = reclassified_complaint()
    play.now += timedelta(days=20)
    [answer] = play.writes("Nobody came for three weeks and I complain about that.")
    assert answer.startswith(f"{ref} is now treated as a complaint.")
    assert (play.cases[ref].state, play.cases[ref].kind) == (State.INVESTIGATING, ContactKind.COMPLAINT)
    assert len(play.cases) == 1


def test_the_insist_button_reopens_a_reclassified_complaint_once() -> None:
    play, ref = reclassified_complaint()
    press = ButtonInput("insist", "closing", ref, 3)
    assert play.receives(press)[0].startswith(f"{ref} is now treated as a complaint.")
    assert play.receives(press) == [f"{ref} is open. Write here to add to it."]


def test_another_matter_after_a_reclassification_is_a_new_complaint() -> None:
    play, ref = reclassified_complaint()
    assert "Your reference is" in play.writes("The bill of October shows a wrong sum.")[0]
    assert (len(play.cases), play.cases[ref].state) == (2, State.CLOSED)


def test_thanks_after_a_reclassification_reopen_nothing() -> None:
    play, ref = reclassified_complaint()
    play.writes("Thank you very much")
    assert play.cases[ref].state is State.CLOSED


def test_other_words_on_a_reclassified_complaint_are_added_and_offer_the_button() -> None:
    play, ref = reclassified_complaint()
    [answer] = play.writes(f"About {ref}: the lamp is number 17.")
    assert "press the button" in answer
    assert play.cases[ref].state is State.CLOSED
    assert play.writes("It is a complaint")[0].startswith(f"{ref} is now treated as a complaint")


def test_the_mydata_command_explains_what_is_stored_and_offers_a_copy_once_a_day() -> None:
    play = Play(denies=True)
    play.files_a_complaint()
    [answer] = play.commands("mydata")
    assert "data protection authority" in answer
    coming, _ = play.presses("export")
    assert coming.startswith("I am putting together everything")
    pending_reply = play.replies[-1]
    assert (pending_reply.kind, pending_reply.fields["person"]) == ("mydata", "p1")
    assert play.presses("export") == ["You had a copy within the last day. You can have a new one tomorrow."]
    play.now += timedelta(days=1)
    assert len(play.presses("export")) == 2


def test_a_data_correction_is_a_request_due_in_a_month() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.commands("mydata")
    play.presses("correct_data")
    [answer] = play.writes("My name is Marie, not Mary.")
    assert "by Thursday, 3 December 2026" in answer
    case = play.cases[ref]
    assert Flag.DATA_REQUEST in case.flags
    target = case.target(Target.DATA_REQUEST)
    assert target is not None
    assert target.met_at is None
    # The whole last day, as it is promised, and not the minute of the request.
    assert "data by 17:30 on Thursday, 3 December 2026." in play.commands("status")[0]
    play.do(Verb.REPLY, ref, HANDLER, {}, {"text": "It is corrected."})
    assert Flag.DATA_REQUEST not in play.cases[ref].flags
    met = play.cases[ref].target(Target.DATA_REQUEST)
    assert met is not None
    assert met.met_at is not None


def test_an_erasure_is_a_request_and_a_button_erases_nothing() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.commands("mydata")
    [sure] = play.presses("erase_data")
    assert "A person looks at it first." in sure
    play.presses("yes")
    assert Flag.DATA_REQUEST in play.cases[ref].flags
    assert play.texts_of(ref)["description"]


def test_without_a_complaint_there_is_nothing_to_correct() -> None:
    play = Play(denies=True)
    play.commands("mydata")
    assert play.presses("correct_data")[0].startswith("You have no complaint with us.")


@clause("7.2")
def test_a_flood_of_messages_is_recorded_completely_and_answered_once() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    replies_before = len(play.replies)
    for n in range(300):
        play.now += timedelta(seconds=0.2)
        play.writes(f"Message number {n} of many.")
    assert len([reply for reply in play.replies if reply.template == "flood"]) == 1
    assert len(play.replies) - replies_before < 10
    assert "Message number 299 of many." in play.words
    assert len(play.cases) == 1
    assert ref in play.cases


def test_a_flood_in_the_form_ends_with_the_open_question_asked_once() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    for n in range(200):
        play.now += timedelta(seconds=0.1)
        play.writes(f"Message number {n} of many.")
    replies_before = len(play.replies)
    assert [reply.template for reply in play.replies if reply.template == "flood"] == ["flood"]
    play.waits(120)
    assert [reply.template for reply in play.replies[replies_before:]] == ["readback"]


def test_a_read_back_that_a_flood_dropped_is_shown_completely_before_it_can_be_signed() -> None:
    play = Play(denies=True)
    play.writes("The water of 12 Mill Lane has been brown since Monday.")
    play.presses("done")
    for n in range(30):
        play.writes(f"/lang {n}")
    replies_before = len(play.replies)
    play.presses("apology")
    play.now += timedelta(seconds=30)
    play.writes("send")
    assert [reply.template for reply in play.replies[replies_before:]] == ["readback"]
    assert play.case.confirmed_at is None
    play.writes("send")
    assert play.case.confirmed_at == play.now


def test_danger_in_a_flood_is_answered() -> None:
    play = Play(denies=True)
    play.files_a_complaint()
    for n in range(100):
        play.writes(f"Message number {n} of many.")
    [answer] = play.writes("There is a strong smell of gas in the kitchen now!")
    assert answer.startswith("Please call 0800 111 999 now")


def test_an_ambiguous_command_asks_which_complaint() -> None:
    play, first, second = two_waiting_complaints()
    for name in ("add", "withdraw"):
        [answer] = play.commands(name)
        assert f"/{name} {first}" in answer
        assert f"/{name} {second}" in answer


def test_an_edited_command_is_a_command() -> None:
    play = Play(denies=True)
    assert play.edits("55", "/status")[0].startswith("You have no complaint with us.")
    assert play.cases == {}


def test_buttons_of_a_closed_complaint_change_nothing_and_are_answered() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    steps = list(play.replies)
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    before = play.cases[ref].state
    for reply in steps:
        for row in reply.buttons:
            for choice in row:
                play.presses(choice, message=reply)
    assert play.cases[ref].state is before
    assert len(play.cases) == 1


def test_a_press_from_two_devices_counts_once() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    for choice in ("done", "skip", "repair"):
        play.presses(choice)
    button = play.replies[-1]
    play.presses("send", message=button)
    before = play.case.version
    assert play.presses("send", message=button)[0].startswith("You have already sent")
    assert play.case.version == before


def test_unusual_messages_are_recorded_or_answered_plainly() -> None:
    play = Play(denies=True)
    assert play.writes("😡😡😡")[0].startswith("Please tell me in a few words")
    assert play.receives(Unreadable())[0].startswith("I cannot keep a message of this kind.")
    assert play.commands("start", "x'; -- \x00 ünsinn")[0].startswith("Hello.")
    assert "Your reference is" in play.writes("word " * 800)[0]
    assert play.sends("sticker") == []
    assert play.writes("51.5072, -0.1276") == []
    assert play.texts_of(play.ref)["where_and_when"] == "51.5072, -0.1276"


@clause("7.2")
def test_a_sticker_alone_is_no_complaint_and_a_photo_or_voice_alone_is() -> None:
    play = Play(denies=True)
    assert play.sends("sticker")[0].startswith("Please tell me in a few words")
    assert play.cases == {}
    for kind in ("photo", "voice", "animation"):
        other = Play(denies=True)
        assert "Your reference is" in other.sends(kind)[0]
        assert other.cases[other.ref].only_in_media


@clause("4.2")
def test_the_policy_is_shown_completely_with_its_version() -> None:
    [answer] = Play(denies=True).commands("policy")
    assert "answer within 10 working days" in answer
    assert "Outside: Consumer ombudsman." in answer
    assert "Version " in answer


def test_a_late_insist_button_is_refused_with_an_alternative() -> None:
    play, ref = reclassified_complaint()
    play.now += LONG_AGO
    assert "/complain" in play.receives(ButtonInput("insist", "closing", ref, 3))[0]


def test_the_flood_state_contains_no_words() -> None:
    play = Play(denies=True)
    turn: DialogueTurn = play.turn(Unreadable())
    assert set(turn.state["flood"]) == {"level", "at", "told"}


@clause("7.3")
def test_unblocking_makes_the_person_reachable_and_sends_missed_messages_again() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.do(Verb.FAIL_DELIVERY, ref, SYSTEM, {"because": "blocked"})
    words = play.cases[ref].words
    assert play.receives(Unblocked()) == []
    case = play.cases[ref]
    assert (case.reachable, case.words) == (True, words)
    assert "ack:1:r1" in {obligation.key for obligation in current_obligations(case)}
    before = case.version
    play.receives(Unblocked())
    assert play.cases[ref].version == before


@clause("7.3")
def test_a_message_about_one_complaint_makes_the_person_reachable_for_all() -> None:
    play = Play(denies=True)
    first = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, first, MANAGER, {}, {"reason": "Out of scope."})
    second = play.files_a_complaint()
    for ref in (first, second):
        play.do(Verb.FAIL_DELIVERY, ref, SYSTEM, {"because": "blocked"})
    play.commands("status")
    assert [play.cases[ref].reachable for ref in (first, second)] == [True, True]
    for ref in (first, second):
        play.do(Verb.FAIL_DELIVERY, ref, SYSTEM, {"because": "blocked"})
    play.commands("add", second)
    before = play.cases[second].version
    play.writes("And the pump hums all night long.")
    assert play.cases[second].version == before + 1


def test_a_survey_answered_only_by_skip_is_not_reminded_of() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Out of scope."})
    play.do(Verb.SURVEY, ref, SYSTEM, {"step": "sent"})
    assert "survey_reminder" in {obligation.kind for obligation in current_obligations(play.cases[ref])}
    play.writes("skip")
    assert "survey_reminder" not in {obligation.kind for obligation in current_obligations(play.cases[ref])}


def test_a_request_about_data_whose_month_ends_on_a_day_off_is_answered_on_the_next_working_day() -> None:
    play = Play(denies=True)
    ref = play.files_a_complaint()
    play.now = START + timedelta(days=2, minutes=37)
    play.commands("mydata")
    play.presses("correct_data")
    [answer] = play.writes("My name is Marie, not Mary.")
    assert "by Monday, 7 December 2026" in answer
    target = play.cases[ref].target(Target.DATA_REQUEST)
    assert target is not None
    assert target.internal_due == datetime(2026, 12, 7, 17, 30, tzinfo=UTC)
