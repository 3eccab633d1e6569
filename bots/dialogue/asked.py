"""What may be asked after the story, as data: in this order, each once, most of it only on a cue (section 6, B).

A question added here is asked, taken by button or words, read back and put among the facts of the record;
it needs its texts `ask.<step>` and `readback.<step>`, and its buttons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bots.dialogue import already_told
from bots.dialogue.buttons import AGAIN, AGE, HELP, IDENTITY, NEEDS, RELATION, SKIP, WHOM, Rows
from complaints.changes.telling import CHILD_WRITING
from triage.facts.fact import StoryFact


@dataclass(frozen=True)
class Told:
    """What is known when the next question is chosen: the story, its cues and signs, what was pressed.

    `found` gives the facts in the story, read only when a question needs them; `received` is the day of it.
    """

    story: str
    cues: frozenset[str]
    rules: frozenset[str]
    received: date
    found: Callable[[], tuple[StoryFact, ...]]
    chosen: Mapping[str, str] = field(default_factory=dict)


Asks = Callable[[Told], bool]
Known = Callable[[Told], str | None]
Facts = Mapping[str, Any]


def _nothing(told: Told) -> None:
    return None


@dataclass(frozen=True)
class Question:
    """One question. `field` is where its words lie; `known` is a choice that the story has made already.

    `told` is an answer in the story that is shown for a Yes in place of the question: a choice, or words.
    `coded` gives the facts of a pressed choice, `worded` those of an answer in words; what is sensitive has
    none, its words are sealed and a flag tells that there are some.
    """

    step: str
    field: str
    buttons: Rows
    asks: Asks
    known: Known = _nothing
    told: Known = _nothing
    coded: Callable[[str], Facts] | None = None
    worded: Callable[[str], Facts] | None = None

    @property
    def choices(self) -> frozenset[str]:
        """The choices under it, but for Skip, which is free everywhere."""
        return frozenset(one for row in self.buttons for one in row) - {"skip"}

    def facts(self, choice: str) -> Facts:
        """The facts of a pressed choice."""
        return {self.field: choice} if self.coded is None else self.coded(choice)

    def facts_of_words(self, text: str) -> Facts:
        """The facts of an answer in words."""
        return {} if self.worded is None else self.worded(text)


def _cue(kind: str) -> Asks:
    return lambda told: kind in told.cues


def _someone_else(told: Told) -> bool:
    return told.chosen.get("whom") in ("agreed", "cannot_decide", "do_not_know")


def _somebody(text: str) -> Facts:
    """Words about who it is for: until it is clear that they agreed, nobody has been shown to."""
    return {"for_whom": "for_me" if already_told.for_oneself(text) else "do_not_know"}


def _is_minor(choice: str) -> Facts:
    """The band itself is sealed: the record needs to know only whether it is a child."""
    return {"minor": choice != "adult"}


def _age_in(text: str) -> Facts:
    found = re.search(r"\b\d{1,3}\b", text)
    return {"minor": int(found.group()) < 18} if found else {}


def _kept_back(text: str) -> Facts:
    """Words about the name: whoever writes some does not simply give it."""
    return {"anonymity": "pseudonym"}


def _effect(told: Told) -> bool:
    return "effect" in told.cues and "effect_told" not in told.cues


QUESTIONS: tuple[Question, ...] = (
    Question(
        "age", "age_band", AGE, lambda told: CHILD_WRITING in told.rules, coded=_is_minor, worded=_age_in
    ),
    Question("whom", "for_whom", WHOM, _cue("for_another"), worded=_somebody),
    Question(
        "relation", "relation", RELATION, _someone_else, known=lambda told: already_told.relation(told.story)
    ),
    Question("effect", "effect", SKIP, _effect),
    Question(
        "again",
        "recurrent",
        AGAIN,
        _cue("again"),
        known=lambda told: "yes" if "again_told" in told.cues else None,
    ),
    Question("needs", "support_needs", NEEDS, _cue("support"), coded=lambda choice: {}),
    Question("identity", "anonymity", IDENTITY, _cue("anonymous"), worded=_kept_back),
    Question(
        "where",
        "where_and_when",
        SKIP,
        lambda told: True,
        told=lambda told: already_told.where_and_when(told.found(), told.received),
    ),
    Question(
        "help",
        "remedy_requested",
        HELP,
        lambda told: True,
        told=lambda told: already_told.remedy(told.found()),
    ),
)
BY_STEP: Mapping[str, Question] = {one.step: one for one in QUESTIONS}
#: The questions in whose place what was told already may be shown for a Yes.
CONFIRMED: frozenset[str] = frozenset(one.step for one in QUESTIONS if one.told is not _nothing)
ORDER: tuple[str, ...] = tuple(BY_STEP)


def step_of(choice: str, standing: str) -> str | None:
    """The question that a choice answers; one that stands under several (Yes, No) answers where it stood."""
    if standing in BY_STEP and choice in BY_STEP[standing].choices:
        return standing
    found = [one.step for one in QUESTIONS if choice in one.choices]
    return found[0] if len(found) == 1 and choice not in ("yes", "no") else None
