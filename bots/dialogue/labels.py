"""A typed label is the press of that button, where such a button stands (surfaces.md)."""

from __future__ import annotations

from bots.dialogue import already_told, questions, remedies, replies, restoring, survey
from bots.dialogue.asked import ORDER, QUESTIONS
from bots.dialogue.buttons import SCORES, SURVEY
from bots.dialogue.danger import STEP as DANGER
from bots.dialogue.heard import Press
from bots.dialogue.talk import Talk
from complaints.record import Case
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


def typed(talk: Talk, text: str) -> Press | None:
    """The press that this text stands for, or None: then it is words like any other."""
    choice = talk.texts.choice_of(text)
    if questions.confirms(talk) and (choice in ("yes", "no", "change") or already_told.affirms(text)):
        return Press(choice or "yes", talk.step, talk.ref, int(talk.state["turn"]))
    if choice is None:
        return _added(talk, text)
    turn = int(talk.state["turn"])
    if choice.startswith("lang_"):
        return Press(choice, talk.step, None, turn)
    if choice == "new":
        asked = next((one for one in reversed(talk.state.get("bursts", [])) if one["asked"]), None)
        return Press("new", "belongs", None, asked["turn"]) if asked else None
    if talk.step in _AT.get(choice, ()):
        return Press(choice, talk.step, talk.ref, turn)
    done = remedies.waiting(talk) if choice in ("yes", "no") and talk.step == "idle" else None
    if done is not None:
        return Press(choice, f"{remedies.STEP}{done[1].n}", done[0].ref, turn)
    if choice in ("export", "correct_data", "erase_data"):
        return Press(choice, "mydata", None, turn)
    case = _standing(talk, choice)
    if case is not None:
        step = SURVEY[0] if choice in (*SCORES, "skip") else "decision"
        return Press(choice, step, case.ref, turn)
    return None


def _standing(talk: Talk, choice: str) -> Case | None:
    """The complaint under whose letter this button stands: letters leave the talk where it is."""
    if choice in ("accept", "disagree", "question"):
        return replies.waiting(talk)
    if choice == "insist":
        return restoring.set_aside(talk)
    if choice in (*SCORES, "skip") and talk.step == "idle":
        return survey.waiting(talk)
    if choice == "send" and talk.step == "idle":
        return next((one for one in talk.open_cases if one.confirmed_at is None), None)
    return None


def _added(talk: Talk, text: str) -> Press | None:
    """`Add to <ref>`, typed."""
    ref = find_reference(text)
    if ref is None or talk.case(ref) is None:
        return None
    labels = {talk.texts.label(language, "add", ref).casefold() for language in talk.texts.languages}
    asked = next((one for one in reversed(talk.state.get("bursts", [])) if one["asked"]), None)
    if asked is None or " ".join(text.casefold().split()) not in labels:
        return None
    return Press("add", "belongs", ref, asked["turn"])
