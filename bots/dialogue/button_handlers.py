"""What each button does. A typed label counts as a press, where the button is on offer (docs/surfaces.md)."""

from typing import Any

from bots.dialogue import (
    after_decision,
    commands,
    danger,
    form,
    incident,
    my_data,
    new_message,
    question_table,
    read_back,
    status,
    survey,
)
from bots.dialogue.buttons import REMEDY_STEP, SCORES, SURVEY
from bots.dialogue.inputs import ButtonInput
from bots.dialogue.question_table import ORDER, QUESTIONS
from bots.dialogue.turn import FORM, IDLE, Turn
from bots.texts.texts import WITH_REF
from complaints.case import Case
from complaints.deadlines.periods import form_ends
from complaints.identifiers import find_reference
from complaints.vocabulary import Verb
from store.values import PlannedAct
from triage.intent import says_only
from triage.message_kind import asks_to_send, without_fillers

_DATA_REQUESTS = {
    "export": my_data.request_copy,
    "correct_data": my_data.ask_correction,
    "erase_data": my_data.ask_erasure,
}
#: Buttons under a letter or under the survey.
_REPLIES = {
    "accept": after_decision.accept_decision,
    "disagree": after_decision.reject_decision,
    "question": after_decision.ask_question,
    "appeal": after_decision.appeal_limit,
    "timeline": status.reply_timeline,
    "form_copy": my_data.request_form,
    "receipt": my_data.request_receipt,
    "take_up": survey.take_up_again,
    "new_complaint": survey.start_new_complaint,
}
#: The step of the form that each button under "Change" leads to.
_STEP_TO_CHANGE = {
    "story": "story",
    "where_and_when": "where",
    "what_would_help": "help",
    "happened_before": "again",
}
#: The steps that have the read-back above the Send button.
_READ_BACK = frozenset({"check", "change"})
#: The steps at which a choice can be typed.
_STEPS_BY_CHOICE: dict[str, frozenset[str]] = {
    "done": frozenset({"story", *ORDER}),
    "skip": frozenset({*ORDER, *SURVEY}),
    "send": frozenset({"check", "change"}),
    "change": frozenset({"check"}),
    "not_yet": frozenset({"check"}),
    **dict.fromkeys(_STEP_TO_CHANGE, frozenset({"change"})),
    "cancel": frozenset(
        {"change", "fresh", "add", "reason", "question", "look_again", "human", "not_right", "correct"}
    ),
    "yes": frozenset({"sure", "again", "incident", danger.ASKED, danger.DISCREET}),
    "yes_more": frozenset({"incident"}),
    "no": frozenset({"sure", "again", "incident", danger.ASKED, danger.DISCREET}),
    "safe": danger.STEPS,
    **{
        choice: frozenset({question.step})
        for question in QUESTIONS
        for choice in question.choices - {"yes", "no"}
    },
    **dict.fromkeys(SCORES, frozenset(SURVEY)),
}


def handle_press(turn: Turn, press: ButtonInput) -> None:
    """Do what the button says. A press that no longer fits gets a reply and changes nothing."""
    choice = press.choice
    case = turn.case(press.ref)
    if choice.startswith("lang_"):
        commands.set_language(turn, choice.removeprefix("lang_"))
    elif choice == "cancel":
        _cancel(turn)
    elif choice in ("new", "add"):
        new_message.choose_complaint(turn, choice, press.ref, press.turn)
    elif choice in _DATA_REQUESTS:
        _DATA_REQUESTS[choice](turn)
    elif case is None:
        turn.reply("status.unknown")
    elif choice == "safe" or (choice in ("yes", "no", *danger.HAZARD_CHOICES) and press.step in danger.STEPS):
        danger.handle_press(turn, case, choice, press.step)
    elif press.step == incident.STEP:
        incident.record_answer(turn, case, choice, form.ask_next)
    elif press.step in SURVEY and choice in (*SCORES, "skip"):
        survey.record_score(turn, case.ref, press.step, choice)
    elif choice == "take_up" and press.step == "belongs":
        after_decision.reopen_with_words(turn, case, press.turn)
    elif choice in _REPLIES:
        _REPLIES[choice](turn, case)
    elif choice in ("yes", "no") and press.step not in question_table.BY_STEP:
        remedy_number = after_decision.remedy_number_of(press.step)
        if remedy_number is not None:
            after_decision.record_remedy_check(turn, case, remedy_number, yes=choice == "yes")
        else:
            after_decision.confirm(turn, case, yes=choice == "yes")
    elif choice == "insist":
        new_message.reopen_by_button(turn, case)
    else:
        _handle_form_press(turn, case, press)


def is_of_form(press: ButtonInput) -> bool:
    """True for a button of the form, which asks or signs something."""
    return press.step in FORM or press.choice in ("done", "send", "change", "not_yet", *_STEP_TO_CHANGE)


def _handle_form_press(turn: Turn, case: Case, press: ButtonInput) -> None:
    choice, ref = press.choice, case.ref
    answered_step = question_table.step_of(choice, press.step)
    if choice == "done":
        if turn.step == "story" and turn.ref == ref and turn.is_form_open(ref):
            form.ask_next(turn, ref)
        elif press.step == turn.step and turn.ref == ref and turn.is_form_open(ref):
            # "Done" was typed just after the question appeared. It is no answer, for example to "where?".
            form.ask(turn, turn.step, ref)
    elif answered_step is not None:
        form.choose(turn, ref, answered_step, choice, press.turn)
    elif choice == "skip":
        form.skip(turn, ref, press.step)
    elif choice == "send":
        _send(turn, case, press.step)
    elif choice == "not_yet":
        _reply_not_yet(turn, case)
    elif choice == "change":
        _load_form(turn, case)
        turn.go_to("change", ref)
        form.ask(turn, "change", ref)
    elif choice in _STEP_TO_CHANGE:
        _load_form(turn, case)
        _change_answer(turn, case, _STEP_TO_CHANGE[choice])


def _load_form(turn: Turn, case: Case) -> None:
    """Load this complaint's form into the state: an old button may belong to an earlier complaint."""
    if turn.ref != case.ref:
        fields = {step: turn.latest_field(name, case.ref) for step, name in read_back.FIELDS.items()}
        turn.state.update(fields=fields, chosen={}, done=list(question_table.ORDER))


def _change_answer(turn: Turn, case: Case, step: str) -> None:
    if case.form_open:
        form.change_answer(turn, case.ref, step)
    else:
        # After the end of the form a change is an addition (docs/subsystems/intake.md, "When the form ends").
        turn.go_to("add", case.ref)
        turn.reply("ask.add", ref=case.ref)


def _send(turn: Turn, case: Case, pressed_at: str) -> None:
    """Sign the complaint (B). The acknowledgement follows as the reply, unless it was sent before."""
    if case.confirmed_at is not None:
        turn.reply("sent.before", ref=case.ref)
    elif not turn.allows(case, Verb.CONFIRM):
        turn.reply("closed_already", ref=case.ref)
    elif case.form_open and not _was_read_back(turn, case.ref, pressed_at):
        # People must not sign words that were not read back to them.
        _load_form(turn, case)
        turn.go_to("check", case.ref)
        read_back.read_back(turn, case.ref)
    else:
        facts = read_back.facts_from_story(turn, case.ref)
        read_back.record_signed_answers(turn, case.ref)
        turn.plan(PlannedAct(Verb.CONFIRM, case.ref, facts))
        if not case.form_open:
            turn.reply("sent.late", ref=case.ref)
    if turn.ref == case.ref and turn.step in FORM:
        turn.go_to(IDLE)


def _was_read_back(turn: Turn, ref: str, pressed_at: str) -> bool:
    """False for an old button, a typed "Send", and where a danger or a flood took the place of the read-back."""
    if turn.ref == ref and turn.step in FORM - _READ_BACK:
        return False
    return turn.state.get("shown", {}).get("ref") == ref or (turn.ref != ref and pressed_at == "check")


def _reply_not_yet(turn: Turn, case: Case) -> None:
    if case.form_open:
        turn.reply("not_yet", ref=case.ref, time=turn.moment(min(form_ends(case)), case))
    else:
        turn.reply("not_yet.filed", ref=case.ref)


def _cancel(turn: Turn) -> None:
    """Cancel the question above the button, never a complaint."""
    if turn.step == "change" and turn.ref is not None and turn.is_form_open(turn.ref):
        turn.go_to("check", turn.ref)
        read_back.read_back(turn, turn.ref)
    elif turn.step not in FORM and turn.step not in (IDLE, *danger.STEPS):
        turn.go_to(IDLE)
        turn.reply("cancel.dropped")


def press_for_label(turn: Turn, text: str) -> ButtonInput | None:
    """The button press that this text means; None for any other text."""
    choice = turn.texts.choice_of(text)
    if choice is None and turn.step in FORM:
        # Not under a decision: "OK, I accept that" is no press of its button.
        choice = turn.texts.choice_of(without_fillers(text))
    if choice is None and turn.step == "check" and asks_to_send(text):
        choice = "send"
    turn_number = int(turn.state["turn"])
    if turn.step in ("sure", incident.STEP) and choice is None and says_only("affirms", text):
        return ButtonInput("yes", turn.step, turn.ref, turn_number)
    if choice is None:
        return _press_for_label_with_reference(turn, text)
    if choice.startswith("lang_"):
        return ButtonInput(choice, turn.step, None, turn_number)
    if choice == "new":
        burst = _burst_in_question(turn)
        return ButtonInput("new", "belongs", None, burst["turn"]) if burst else None
    if choice == "take_up" and (burst := _burst_in_question(turn)) and not turn.open_cases:
        return ButtonInput(choice, "belongs", burst["ref"], burst["turn"])
    if turn.step in _STEPS_BY_CHOICE.get(choice, ()) or danger.offers(turn, choice):
        return ButtonInput(choice, turn.step, turn.ref, turn_number)
    if choice in ("yes", "no") and turn.step == "idle":
        remedy_question = after_decision.remedy_awaiting_answer(turn)
        if remedy_question is not None:
            case, remedy = remedy_question
            return ButtonInput(choice, f"{REMEDY_STEP}{remedy.n}", case.ref, turn_number)
    if choice in ("take_up", "new_complaint") and turn.state.get(survey.OFFERED) is not None:
        return ButtonInput(choice, "after_survey", turn.state[survey.OFFERED], turn_number)
    if choice in ("export", "correct_data", "erase_data"):
        return ButtonInput(choice, "mydata", None, turn_number)
    letter_case = _case_of_letter_button(turn, choice)
    if letter_case is not None:
        step = SURVEY[0] if choice in (*SCORES, "skip") else "decision"
        return ButtonInput(choice, step, letter_case.ref, turn_number)
    return None


def _case_of_letter_button(turn: Turn, choice: str) -> Case | None:
    """The complaint whose letter has this button. Sending a letter does not change the step of the dialogue."""
    if choice in ("accept", "disagree", "question"):
        return after_decision.case_awaiting_reply(turn)
    if choice == "appeal":
        return next((case for case in turn.conversation.cases if case.conduct.limit is not None), None)
    if choice == "receipt" and turn.step == "idle":
        return next(iter(turn.conversation.cases), None)
    if choice == "insist":
        return new_message.restorable_case(turn)
    if choice in (*SCORES, "skip") and turn.step == "idle":
        return survey.case_awaiting_survey(turn)
    if choice == "send" and turn.step == "idle":
        return next((case for case in turn.open_cases if case.confirmed_at is None), None)
    return None


def _press_for_label_with_reference(turn: Turn, text: str) -> ButtonInput | None:
    ref, typed = find_reference(text), " ".join(text.casefold().split())
    if ref is None or turn.case(ref) is None:
        return None
    choice = next(
        (
            choice
            for choice in WITH_REF
            for language in turn.texts.languages
            if turn.texts.label(language, choice, ref).casefold() == typed
        ),
        None,
    )
    burst = _burst_in_question(turn)
    if choice == "add":
        return ButtonInput(choice, "belongs", ref, burst["turn"]) if burst else None
    return ButtonInput(choice, "status", ref, int(turn.state["turn"])) if choice else None


def _burst_in_question(turn: Turn) -> dict[str, Any] | None:
    """The newest burst for which "New complaint, or an addition?" has no answer yet."""
    return next((burst for burst in reversed(turn.state.get("bursts", [])) if burst["asked"]), None)
