"""What a story has told already, so that it is shown or confirmed, not asked; only where plain rules can tell.

What may be asked after the story, as data: in this order, each once, most of it only on a cue
(docs/domain.md, section 6, B).

A question added here is asked, taken by button or words, read back and put among the facts of the record;
it needs its texts `ask.<step>` and `readback.<step>`, and its buttons.
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

#: Kinds of number that say what a story is about; a card's never does.
_NUMBERS = frozenset(
    {"order", "account", "customer", "invoice", "meter", "booking", "policy", "contract", "reference"}
)
#: More than this are not confirmed in one breath: then the question is asked.
_MOST = 6
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
_AKRABA = "annem|babam|eşim|kardeşim|dedem|ninem|teyzem|amcam|dayım|halam"
_RELATIONS = (
    ("guardian", r"\b(?:legal guardian|guardian of|vasisiyim|vasisi)\b"),
    ("carer", r"\b(?:(?:his|her|their|as a|as their) carer|i care for|i look after|bakıcısıyım)\b"),
    ("parent", r"\bmy (?:\w+ ){0,2}(?:son|daughter|child)\b|\b(?:oğlum|kızım|çocuğum)"),
    (
        "relative",
        rf"\bmy (?:\w+ ){{0,2}}(?:{_RELATIVES})\b|\b(?:{_AKRABA})",
    ),
)


def where_and_when(found: Sequence[StoryFact], received: date) -> str | None:
    """What the story names of both: a day up to receipt, and a place or a number; None where one lacks."""
    days = [one for one in found if one.kind == "date" and one.value[:10] <= received.isoformat()]
    about = [one for one in found if _says_where(one)]
    told: dict[str, str] = {}
    for one in sorted([*about, *days], key=lambda one: one.span):
        told.setdefault(one.value, " ".join(one.text.split()).rstrip("."))
    return ", ".join(told.values()) if days and about and len(told) <= _MOST else None


def _says_where(one: StoryFact) -> bool:
    """A number, a branch, a street with its house; a street alone is where half a town lives."""
    if one.kind == "place":
        return any(character.isdigit() for character in one.value)
    # Where money is to be paid is not what it is about.
    return one.kind == "branch" or (one.kind in _NUMBERS and not is_iban(one.value))


def remedy(found: Sequence[StoryFact]) -> str | None:
    """The remedy that the story asks for in so many words, where it is one of the choices; a doubt is asked."""
    asked_for = {one.value for one in found if one.kind == "remedy"}
    only = asked_for.pop() if len(asked_for) == 1 else None
    return only if only in REMEDIES else None


def affirms(text: str) -> bool:
    """True for a yes in so many words to "Is that right?"."""
    return bool(_YES.fullmatch(text.strip()))


def for_oneself(text: str) -> bool:
    """True when an answer to "for whom?" says in so many words: for me."""
    return bool(_FOR_ONESELF.fullmatch(text.strip()))


def relation(story: str) -> str | None:
    """What the person is to whom the story is about, where it names just one; a doubt is asked."""
    found = [name for name, pattern in _RELATIONS if re.search(pattern, story, re.IGNORECASE)]
    # A guardian or carer says so; that it is their own son besides does not change the part they have.
    return found[0] if len(found) == 1 or found[:1] in (["guardian"], ["carer"]) else None


@dataclass(frozen=True)
class StoryKnowledge:
    """What is known when the next question is chosen: the story, its cues and signs, what was pressed.

    `found` gives the facts in the story, read only when a question needs them; `received` is the day of it.
    """

    story: str
    cues: frozenset[str]
    rules: frozenset[str]
    received: date
    found: Callable[[], tuple[StoryFact, ...]]
    chosen: Mapping[str, str] = field(default_factory=dict)


Asks = Callable[[StoryKnowledge], bool]
Known = Callable[[StoryKnowledge], str | None]
Facts = Mapping[str, Any]


def _nothing(told: StoryKnowledge) -> None:
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


def _someone_else(told: StoryKnowledge) -> bool:
    return told.chosen.get("whom") in ("agreed", "cannot_decide", "do_not_know")


def _somebody(text: str) -> Facts:
    """Words about who it is for: until it is clear that they agreed, nobody has been shown to."""
    return {"for_whom": "for_me" if for_oneself(text) else "do_not_know"}


def _is_minor(choice: str) -> Facts:
    """The band itself is sealed: the record needs to know only whether it is a child."""
    return {"minor": choice != "adult"}


def _age_in(text: str) -> Facts:
    found = re.search(r"\b\d{1,3}\b", text)
    return {"minor": int(found.group()) < 18} if found else {}


def _kept_back(text: str) -> Facts:
    """Words about the name: whoever writes some does not simply give it."""
    return {"anonymity": "pseudonym"}


def _effect(told: StoryKnowledge) -> bool:
    return "effect" in told.cues and "effect_told" not in told.cues


QUESTIONS: tuple[Question, ...] = (
    Question(
        "age", "age_band", AGE, lambda told: CHILD_WRITING in told.rules, coded=_is_minor, worded=_age_in
    ),
    Question("whom", "for_whom", WHOM, _cue("for_another"), worded=_somebody),
    Question("relation", "relation", RELATION, _someone_else, known=lambda told: relation(told.story)),
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
        told=lambda told: where_and_when(told.found(), told.received),
    ),
    Question(
        "help",
        "remedy_requested",
        HELP,
        lambda told: True,
        told=lambda told: remedy(told.found()),
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
