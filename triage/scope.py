"""Whether a sign is denied, merely possible, or past: negation and hypotheticals of two languages.

English denies before the sign ("no injuries", "nobody was hurt"); Turkish after it ("yangın çıkmadı", "yaralı
yok"). We walk from the sign over words that carry no content of their own and stop at the first that does, so
that "nobody came about the gas leak" is not taken for "no gas leak". The words are in `signs/scope.toml`.
"""

from __future__ import annotations

import re
import tomllib
from enum import Enum
from importlib import resources


class Standing(Enum):
    """How a sign stands in its sentence."""

    SAID = "said"
    DENIED = "denied"
    POSSIBLE = "possible"
    PAST = "past"


_TABLE = tomllib.loads(resources.files("triage").joinpath("signs", "scope.toml").read_text(encoding="utf-8"))
_ENGLISH: dict[str, str] = _TABLE["english"]
_TURKISH: dict[str, str] = _TABLE["turkish"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _any(*texts: str) -> str:
    return "|".join(line for text in texts for line in text.splitlines() if line)


_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|[,:;()\-]")
_NEGATORS, _NO_DENIAL = _words(_ENGLISH["negators"]), _words(_ENGLISH["no_denial"])
_CLEAR = _words(_ENGLISH["clear"])
_MODALS, _HAVE, _NEARLY = (_words(_ENGLISH[key]) for key in ("modals", "have", "nearly"))
_TOWARDS = _CLEAR | _words(_ENGLISH["towards"])
_RISKY = re.compile(rf"\b(?:{_any(_ENGLISH['risky'])})$")
_IF = re.compile(rf"(?:{_any(_ENGLISH['if'])})[^,]*$")
_AFTER_DENIED = re.compile(rf"\s*(?:{_any(_ENGLISH['denied_after'])})")
_AFTER_AVOIDED = re.compile(_any(_ENGLISH["avoided_after"]))
_PAST = re.compile(rf"\b(?:{_any(_ENGLISH['past'], _TURKISH['past'])})\b")
_UNRESOLVED = re.compile(rf"\b(?:{_any(_ENGLISH['unresolved'], _TURKISH['unresolved'])})\b")
_TR_DENIED, _TR_POSSIBLE, _TR_UNREAL = (
    re.compile(rf"(?:{_any(_TURKISH[key])})$") for key in ("denied", "possible", "unreal")
)
_TR_CLEAR = _words(_TURKISH["clear"])
_TR_NEARLY = re.compile(rf"\b(?:{_any(_TURKISH['nearly'])})\b[^,.;]*$")
# The sign is one of a list that goes on: "fire, injuries or a crash".
_LISTED = re.compile(r",?\s*(?:or|nor)\b|(?:,\s*\w+){1,2},?\s*(?:or|nor)\b")
# Words a denial may cross between two commas of a list: "no gas leak or flood".
_ITEM = 2


def _denied_before(words: list[str], listed: bool) -> bool:
    budget = 0
    for word in reversed(words[-9:]):
        if word in _NO_DENIAL or word == "and":
            # "and" ends a denial: "no power and fire in the kitchen".
            return False
        if word in ("or", "nor"):
            listed, budget = True, _ITEM
        if word in _NEGATORS or word.endswith("n't"):
            return True
        if word in ("or", "nor"):
            continue
        if word == "," and listed:
            budget = _ITEM
        elif word not in _CLEAR:
            budget -= 1
            if budget < 0 or not word.isalpha():
                return False
    return False


def _possible_before(words: list[str], suspicion: bool) -> bool:
    have = False
    for word in reversed(words[-8:]):
        if word in _NEARLY or (word.endswith("'ve") and word[:-3] in _MODALS):
            return True
        if word in _MODALS or word == "couldve":
            return have or not suspicion
        if word in _HAVE:
            have = True
        if word not in _TOWARDS:
            return False
    return False


def _turkish(after: str, suspicion: bool, own: str) -> Standing:
    if _TR_POSSIBLE.match(own) and not suspicion:
        return Standing.POSSIBLE
    for word in _WORD.findall(after)[:4]:
        if _TR_DENIED.match(word):
            return Standing.DENIED
        if (_TR_UNREAL if suspicion else _TR_POSSIBLE).match(word):
            return Standing.POSSIBLE
        if word not in _TR_CLEAR:
            return Standing.SAID
    return Standing.SAID


def standing(
    sentence: str, start: int, end: int, *, negatable: bool, possible: bool, suspicion: bool
) -> Standing:
    """How the sign at folded `sentence[start:end]` stands: denied before doubted, doubted before past."""
    before, after = sentence[max(0, start - 160) : start], sentence[end : end + 80]
    words = _WORD.findall(before)
    own = sentence[start:end].rsplit(None, 1)[-1]
    turkish = _turkish(after, suspicion, own)
    if negatable and (
        turkish is Standing.DENIED
        or _AFTER_DENIED.match(after)
        or _denied_before(words, _LISTED.match(after) is not None)
    ):
        return Standing.DENIED
    if possible and (
        turkish is Standing.POSSIBLE
        or _possible_before(words, suspicion)
        or _RISKY.search(before)
        or _IF.search(before)
        or _AFTER_AVOIDED.match(after)
        or _TR_NEARLY.search(before)
    ):
        return Standing.POSSIBLE
    if _PAST.search(sentence) and not _UNRESOLVED.search(sentence):
        return Standing.PAST
    return Standing.SAID
