"""A typed label is the press of that button, where such a button stands (docs/surfaces.md)."""

from __future__ import annotations

from bots.dialogue import after_decision, form, new_message, question_table
from bots.dialogue.buttons import SCORES, SURVEY
from bots.dialogue.danger import STEP as DANGER
from bots.dialogue.inputs import ButtonInput
from bots.dialogue.question_table import ORDER, QUESTIONS
from bots.dialogue.turn import Turn
from complaints.case import Case
from complaints.references import find_reference

#: At which steps of the form a choice can be typed.
_AT: dict[str, frozenset[str]] = {
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
    **{choice: frozenset({one.step}) for one in QUESTIONS for choice in one.choices - {"yes", "no"}},
    **dict.fromkeys(SCORES, frozenset(SURVEY)),
}


def typed(talk: Turn, text: str) -> ButtonInput | None:
    """The press that this text stands for, or None: then it is words like any other."""
    choice = talk.texts.choice_of(text)
    if form.confirms(talk) and (choice in ("yes", "no", "change") or question_table.affirms(text)):
        return ButtonInput(choice or "yes", talk.step, talk.ref, int(talk.state["turn"]))
    if choice is None:
        return _added(talk, text)
    turn = int(talk.state["turn"])
    if choice.startswith("lang_"):
        return ButtonInput(choice, talk.step, None, turn)
    if choice == "new":
        asked = next((one for one in reversed(talk.state.get("bursts", [])) if one["asked"]), None)
        return ButtonInput("new", "belongs", None, asked["turn"]) if asked else None
    if talk.step in _AT.get(choice, ()):
        return ButtonInput(choice, talk.step, talk.ref, turn)
    done = after_decision.remedies_waiting(talk) if choice in ("yes", "no") and talk.step == "idle" else None
    if done is not None:
        return ButtonInput(choice, f"{after_decision.STEP}{done[1].n}", done[0].ref, turn)
    if choice in ("export", "correct_data", "erase_data"):
        return ButtonInput(choice, "mydata", None, turn)
    case = _standing(talk, choice)
    if case is not None:
        step = SURVEY[0] if choice in (*SCORES, "skip") else "decision"
        return ButtonInput(choice, step, case.ref, turn)
    return None


def _standing(talk: Turn, choice: str) -> Case | None:
    """The complaint under whose letter this button stands: letters leave the talk where it is."""
    if choice in ("accept", "disagree", "question"):
        return after_decision.waiting(talk)
    if choice == "insist":
        return new_message.set_aside(talk)
    if choice in (*SCORES, "skip") and talk.step == "idle":
        return after_decision.survey_waiting(talk)
    if choice == "send" and talk.step == "idle":
        return next((one for one in talk.open_cases if one.confirmed_at is None), None)
    return None


def _added(talk: Turn, text: str) -> ButtonInput | None:
    """`Add to <ref>`, typed."""
    ref = find_reference(text)
    if ref is None or talk.case(ref) is None:
        return None
    labels = {talk.texts.label(language, "add", ref).casefold() for language in talk.texts.languages}
    asked = next((one for one in reversed(talk.state.get("bursts", [])) if one["asked"]), None)
    if asked is None or " ".join(text.casefold().split()) not in labels:
        return None
    return ButtonInput("add", "belongs", ref, asked["turn"])
