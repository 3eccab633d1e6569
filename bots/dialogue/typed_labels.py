"""A typed button label counts as a press of that button, where the button is on offer (docs/surfaces.md)."""

from __future__ import annotations

from typing import Any

from bots.dialogue import after_decision, form, new_message, question_table
from bots.dialogue.buttons import SCORES, SURVEY
from bots.dialogue.danger import STEP as DANGER
from bots.dialogue.inputs import ButtonInput
from bots.dialogue.question_table import ORDER, QUESTIONS
from bots.dialogue.turn import Turn
from complaints.case import Case
from complaints.references import find_reference

#: The steps at which a choice can be typed.
_STEPS_BY_CHOICE: dict[str, frozenset[str]] = {
    "done": frozenset({"story", *ORDER}),
    "skip": frozenset({*ORDER, *SURVEY}),
    "send": frozenset({"check", "change"}),
    "change": frozenset({"check"}),
    "not_yet": frozenset({"check"}),
    "story": frozenset({"change"}),
    "where_and_when": frozenset({"change"}),
    "what_would_help": frozenset({"change"}),
    "cancel": frozenset(
        {"change", "fresh", "add", "reason", "question", "look_again", "human", "not_right", "correct"}
    ),
    "yes": frozenset({"sure", "again", "incident"}),
    "yes_more": frozenset({"incident"}),
    "no": frozenset({"sure", "again", "incident"}),
    "safe": frozenset({DANGER}),
    **{
        choice: frozenset({question.step})
        for question in QUESTIONS
        for choice in question.choices - {"yes", "no"}
    },
    **dict.fromkeys(SCORES, frozenset(SURVEY)),
}


def press_for_label(turn: Turn, text: str) -> ButtonInput | None:
    """The button press that this text means; None for any other text."""
    choice = turn.texts.choice_of(text)
    turn_number = int(turn.state["turn"])
    if form.awaits_confirmation(turn) and (
        choice in ("yes", "no", "change") or question_table.is_affirmation(text)
    ):
        return ButtonInput(choice or "yes", turn.step, turn.ref, turn_number)
    if choice is None:
        return _press_for_add_label(turn, text)
    if choice.startswith("lang_"):
        return ButtonInput(choice, turn.step, None, turn_number)
    if choice == "new":
        burst = _burst_in_question(turn)
        return ButtonInput("new", "belongs", None, burst["turn"]) if burst else None
    if turn.step in _STEPS_BY_CHOICE.get(choice, ()):
        return ButtonInput(choice, turn.step, turn.ref, turn_number)
    if choice in ("yes", "no") and turn.step == "idle":
        remedy_question = after_decision.remedy_awaiting_answer(turn)
        if remedy_question is not None:
            case, remedy = remedy_question
            return ButtonInput(choice, f"{after_decision.REMEDY_STEP}{remedy.n}", case.ref, turn_number)
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
    if choice == "insist":
        return new_message.restorable_case(turn)
    if choice in (*SCORES, "skip") and turn.step == "idle":
        return after_decision.case_awaiting_survey(turn)
    if choice == "send" and turn.step == "idle":
        return next((case for case in turn.open_cases if case.confirmed_at is None), None)
    return None


def _press_for_add_label(turn: Turn, text: str) -> ButtonInput | None:
    """`Add to <ref>`, typed."""
    ref = find_reference(text)
    if ref is None or turn.case(ref) is None:
        return None
    labels = {turn.texts.label(language, "add", ref).casefold() for language in turn.texts.languages}
    burst = _burst_in_question(turn)
    if burst is None or " ".join(text.casefold().split()) not in labels:
        return None
    return ButtonInput("add", "belongs", ref, burst["turn"])


def _burst_in_question(turn: Turn) -> dict[str, Any] | None:
    """The newest burst for which "New complaint, or an addition?" has no answer yet."""
    return next((burst for burst in reversed(turn.state.get("bursts", [])) if burst["asked"]), None)
