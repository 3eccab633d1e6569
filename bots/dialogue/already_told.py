"""What a story has told already, so that it is shown or confirmed, not asked; only where plain rules can tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from bots.dialogue.buttons import REMEDIES
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
