"""The questions after the story, as data: in this order, each at most once, most only on a cue
(docs/domain.md, section 6, B).

An answer that plain rules find in the story is read back or shown for confirmation, and not asked again.
A new row in QUESTIONS is a new question: asked, answered by button or words, read back and recorded as facts.
It needs the texts `ask.<step>` and `readback.<step>`, and its buttons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bots.dialogue.buttons import AGAIN, AGE, HELP, IDENTITY, NEEDS, RELATION, REMEDIES, SKIP, WHOM, Rows
from complaints.actions.intake import CHILD_WRITING
from triage.facts.fact import StoryFact
from triage.facts.references import is_iban

#: Kinds of number that identify what a story is about. A payment card's number does not.
_NUMBERS = frozenset(
    {"order", "account", "customer", "invoice", "meter", "booking", "policy", "contract", "reference"}
)
#: With more details than this, ask the question: so many cannot be confirmed by one Yes.
_MAX_CONFIRMED_DETAILS = 6
_RIGHT = (
    r"(?:yes|yep|yeah|correct|right|true|exactly|evet|doğru|aynen|öyle|ja|richtig|genau|stimmt|sí|si|correcto"
    r"|exacto|así es|(?:that'?s|that is|it is|das ist|das) (?:correct|right|true|it|richtig))"
)
_YES = re.compile(rf"{_RIGHT}(?:[ ,]+(?:{_RIGHT}|please|that is|it is)){{0,3}}[.! ]*", re.IGNORECASE)
_FOR_ONESELF = re.compile(
    r"\s*(?:it(?:'s| is) )?(?:for )?(?:me|myself|my own|mine|us|kendim|kendim için|benim|bizim)\b.{0,12}",
    re.IGNORECASE,
)
_RELATIVES = (
    "mother|father|mum|mom|dad|parents|wife|husband|brother|sister|grandmother|grandfather|grandson"
    "|granddaughter|aunt|uncle|nan"
)
_RELATIVES_TURKISH = "annem|babam|eşim|kardeşim|dedem|ninem|teyzem|amcam|dayım|halam"
_RELATIONS = (
    ("guardian", r"\b(?:legal guardian|guardian of|vasisiyim|vasisi)\b"),
    ("carer", r"\b(?:(?:his|her|their|as a|as their) carer|i care for|i look after|bakıcısıyım)\b"),
    ("parent", r"\bmy (?:\w+ ){0,2}(?:son|daughter|child)\b|\b(?:oğlum|kızım|çocuğum)"),
    ("relative", rf"\bmy (?:\w+ ){{0,2}}(?:{_RELATIVES})\b|\b(?:{_RELATIVES_TURKISH})"),
)


@dataclass(frozen=True)
class StoryKnowledge:
    """What the choice of the next question depends on.

    `rules`: the safety rules that matched. `details` finds dates, numbers and wishes; called only when needed.
    `received`: the local day of receipt. `chosen`: the choices made so far, by step.
    """

    story: str
    cues: frozenset[str]
    rules: frozenset[str]
    received: date
    details: Callable[[], tuple[StoryFact, ...]]
    chosen: Mapping[str, str] = field(default_factory=dict)


Condition = Callable[[StoryKnowledge], bool]
FindAnswer = Callable[[StoryKnowledge], str | None]
Facts = Mapping[str, Any]


def _no_answer(knowledge: StoryKnowledge) -> None:
    return None


@dataclass(frozen=True)
class Question:
    """One question; `field` holds its words.

    `asks`: whether it is asked at all. `implied_choice`: a choice that the story has clearly made; it is not asked.
    `story_answer`: an answer in the story, a choice or words, that is shown for a Yes in place of the question.
    `choice_facts` and `word_facts` give the facts of an answer by button or in words. Sensitive answers have
    no facts: their words are sealed, and only a flag shows that there are some.
    """

    step: str
    field: str
    buttons: Rows
    asks: Condition
    implied_choice: FindAnswer = _no_answer
    story_answer: FindAnswer = _no_answer
    choice_facts: Callable[[str], Facts] | None = None
    word_facts: Callable[[str], Facts] | None = None

    @property
    def choices(self) -> frozenset[str]:
        """The choices under the question, without Skip, which every question has."""
        return frozenset(choice for row in self.buttons for choice in row) - {"skip"}

    def facts(self, choice: str) -> Facts:
        return {self.field: choice} if self.choice_facts is None else self.choice_facts(choice)

    def facts_of_words(self, text: str) -> Facts:
        return {} if self.word_facts is None else self.word_facts(text)


# --- what plain rules find in the story


def where_and_when(details: Sequence[StoryFact], received: date) -> str | None:
    """The days up to receipt and the places or numbers in the story; None unless it has both."""
    days = [
        detail for detail in details if detail.kind == "date" and detail.value[:10] <= received.isoformat()
    ]
    places = [detail for detail in details if _identifies_place(detail)]
    texts: dict[str, str] = {}
    for detail in sorted([*places, *days], key=lambda detail: detail.span):
        texts.setdefault(detail.value, " ".join(detail.text.split()).rstrip("."))
    return ", ".join(texts.values()) if days and places and len(texts) <= _MAX_CONFIRMED_DETAILS else None


def _identifies_place(detail: StoryFact) -> bool:
    """True for a number, a branch, or a street with a house number; a street alone is too vague."""
    if detail.kind == "place":
        return any(character.isdigit() for character in detail.value)
    # An IBAN says where to pay money, not what the complaint is about.
    return detail.kind == "branch" or (detail.kind in _NUMBERS and not is_iban(detail.value))


def requested_remedy(details: Sequence[StoryFact]) -> str | None:
    remedies = {detail.value for detail in details if detail.kind == "remedy"}
    remedy = remedies.pop() if len(remedies) == 1 else None
    return remedy if remedy in REMEDIES else None


def relation(story: str) -> str | None:
    """How the writer is related to the person affected, if the story clearly names one relation."""
    relations = [name for name, pattern in _RELATIONS if re.search(pattern, story, re.IGNORECASE)]
    # A guardian or carer stays one, even if the story also says "my son".
    return relations[0] if len(relations) == 1 or relations[:1] in (["guardian"], ["carer"]) else None


def is_affirmation(text: str) -> bool:
    """True when a typed text clearly says yes to "Is that right?"."""
    return bool(_YES.fullmatch(text.strip()))


def is_for_oneself(text: str) -> bool:
    """True when a typed answer to "who is affected?" clearly says: for me."""
    return bool(_FOR_ONESELF.fullmatch(text.strip()))


# --- conditions and facts of the questions


def _has_cue(kind: str) -> Condition:
    return lambda knowledge: kind in knowledge.cues


def _is_for_someone_else(knowledge: StoryKnowledge) -> bool:
    return knowledge.chosen.get("whom") in ("agreed", "cannot_decide", "do_not_know")


def _lacks_effect(knowledge: StoryKnowledge) -> bool:
    return "effect" in knowledge.cues and "effect_told" not in knowledge.cues


def _whom_facts(text: str) -> Facts:
    """Until staff know that the person affected agreed, they must not disclose anything to the writer."""
    return {"for_whom": "for_me" if is_for_oneself(text) else "do_not_know"}


def _age_band_facts(choice: str) -> Facts:
    """The band is sealed; the record needs only whether the writer is a child."""
    return {"minor": choice != "adult"}


def _age_facts(text: str) -> Facts:
    number = re.search(r"\b\d{1,3}\b", text)
    return {"minor": int(number.group()) < 18} if number else {}


def _identity_facts(text: str) -> Facts:
    """A person who answers in words has a reservation about the use of their name."""
    return {"anonymity": "pseudonym"}


QUESTIONS: tuple[Question, ...] = (
    Question(
        "age",
        "age_band",
        AGE,
        lambda knowledge: CHILD_WRITING in knowledge.rules,
        choice_facts=_age_band_facts,
        word_facts=_age_facts,
    ),
    Question("whom", "for_whom", WHOM, _has_cue("for_another"), word_facts=_whom_facts),
    Question(
        "relation",
        "relation",
        RELATION,
        _is_for_someone_else,
        implied_choice=lambda knowledge: relation(knowledge.story),
    ),
    Question("effect", "effect", SKIP, _lacks_effect),
    Question(
        "again",
        "recurrent",
        AGAIN,
        _has_cue("again"),
        implied_choice=lambda knowledge: "yes" if "again_told" in knowledge.cues else None,
    ),
    Question("needs", "support_needs", NEEDS, _has_cue("support"), choice_facts=lambda choice: {}),
    Question("identity", "anonymity", IDENTITY, _has_cue("anonymous"), word_facts=_identity_facts),
    Question(
        "where",
        "where_and_when",
        SKIP,
        lambda knowledge: True,
        story_answer=lambda knowledge: where_and_when(knowledge.details(), knowledge.received),
    ),
    Question(
        "help",
        "remedy_requested",
        HELP,
        lambda knowledge: True,
        story_answer=lambda knowledge: requested_remedy(knowledge.details()),
    ),
)
BY_STEP: Mapping[str, Question] = {question.step: question for question in QUESTIONS}
#: The questions that may be replaced by an answer from the story, shown for a Yes.
CONFIRMED: frozenset[str] = frozenset(
    question.step for question in QUESTIONS if question.story_answer is not _no_answer
)
ORDER: tuple[str, ...] = tuple(BY_STEP)


def step_of(choice: str, current_step: str) -> str | None:
    """The question that a choice answers. A choice of several questions (Yes, No) answers the current one."""
    if current_step in BY_STEP and choice in BY_STEP[current_step].choices:
        return current_step
    steps = [question.step for question in QUESTIONS if choice in question.choices]
    return steps[0] if len(steps) == 1 and choice not in ("yes", "no") else None
