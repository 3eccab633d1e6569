"""Satisfaction with the handling (8.3): six questions, fairness and outcome first, all free to skip."""

from __future__ import annotations

from bots.dialogue.buttons import SCALE, SKIP, SURVEY
from bots.dialogue.outside import ADDITION
from bots.dialogue.recording import Message, add
from bots.dialogue.talk import IDLE, Talk
from complaints.record import Case
from complaints.vocabulary import Verb
from store.values import Act

FREE = "q6"


def waiting(talk: Talk) -> Case | None:
    """The newest complaint whose survey was sent and not begun."""
    return next(
        (
            one
            for one in talk.conversation.cases
            if "sent" in one.surveys and not {"answered", "skipped"} & set(one.surveys)
        ),
        None,
    )


def scored(talk: Talk, ref: str, question: str, choice: str) -> None:
    """A score or Skip; the next question leaves at once. A second press on the same question changes it."""
    facts = (
        {"step": "skipped", "question": question}
        if choice == "skip"
        else {"step": "answered", "question": question, "score": int(choice)}
    )
    talk.act(Act(Verb.SURVEY, ref, facts))
    if question in talk.state.get("asked", {}).get(ref, []):
        return
    _next(talk, ref, question)


def _next(talk: Talk, ref: str, question: str) -> None:
    asked = dict(talk.state.get("asked", {}))
    asked[ref] = [*asked.get(ref, []), question]
    # One survey at a time is remembered: the state must not grow with the years.
    talk.state["asked"] = {ref: asked[ref]}
    at = SURVEY.index(question) + 1
    if at == len(SURVEY):
        talk.go(IDLE)
        talk.say("survey.thanks", ref=ref)
        return
    following = SURVEY[at]
    talk.go(following, ref)
    talk.say(f"survey.{following}", ref=ref, buttons=SKIP if following == FREE else SCALE)


def told(talk: Talk, ref: str, message: Message) -> None:
    """The free answer. It can hold a new complaint, so the safety rules read it like any other words."""
    talk.act(Act(Verb.SURVEY, ref, {"step": "answered", "question": FREE}, {FREE: message.text}))
    if message.files or talk.reads_danger(message.text):
        add(talk, ref, ADDITION, message)
    _next(talk, ref, FREE)
