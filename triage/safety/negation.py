"""Whether a sign is denied, merely possible, or past: negation and hypotheticals of four languages.

English, German and Spanish deny before the sign ("no injuries", "keine Verletzten", "sin heridos"), German
after it too ("verletzt wurde niemand"), Turkish only after it ("yangın çıkmadı"). We walk from the sign over
words that carry no content of their own and stop at the first that does, so that "nobody came about the gas
leak" is not taken for "no gas leak". The words are in `signs/scope.toml`, a table for each language.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from importlib import resources


class SignScope(Enum):
    """How a sign stands in its sentence."""

    SAID = "said"
    DENIED = "denied"
    POSSIBLE = "possible"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class SignPosition:
    """A sign in its folded sentence; `written` is what precedes it with its accents, umlauts as "ae", "oe", "ue".

    Folding makes one word of German "hatte" and "hätte" and of Spanish "si" and "sí": only there they differ.
    `conditional`: an "if" before it is part of it ("if you do not pay I will hurt you") and no doubt.
    """

    before: str
    own: str
    after: str
    written: str
    suspicion: bool
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    """A language's denial and doubt. `reaches` are the languages whose rules it may deny or doubt.

    `contests` says that a denial is another's, whom the writer does not believe: "you said there is no gas leak".
    """

    reaches: frozenset[str]
    denies: Callable[[SignPosition], bool]
    contests: Callable[[SignPosition], bool]
    doubts: Callable[[SignPosition], bool]
    past: re.Pattern[str]
    unresolved: re.Pattern[str]


Table = Mapping[str, str]

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|[,:;()\-]")
# The sign is one of a list that goes on: "fire, injuries or a crash".
_LISTED = r",?\s*(?:{0})\b|(?:,\s*\w+){{1,2}},?\s*(?:{0})\b"
# Words a denial may cross between two commas of a list: "no gas leak or flood".
_ITEM = 2
# How far back from a sign its denial or its doubt may stand.
_REACH = 160
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _words(table: Table, key: str) -> frozenset[str]:
    return frozenset(table.get(key, "").split())


def _pattern(table: Table, key: str, form: str) -> re.Pattern[str]:
    """The lines of a key as one pattern of this form; one that never matches where the language has none."""
    lines = [line for line in table.get(key, "").splitlines() if line]
    return re.compile(form.format("|".join(lines)) if lines else r"(?!)")


def write_out(text: str) -> str:
    """A text in lower case with its accents, German umlauts as two letters: "Hätte" becomes "haette"."""
    return unicodedata.normalize("NFC", text).lower().translate(_UMLAUTS)


def _denial_before(table: Table) -> Callable[[SignPosition], bool]:
    """The walk back from a sign to a word that denies it."""
    negators, no_denial, clear = (_words(table, key) for key in ("negators", "no_denial", "clear"))
    ends, lists = _words(table, "ends"), _words(table, "lists")
    listed_after = re.compile(_LISTED.format("|".join(sorted(lists))))

    def denied(place: SignPosition) -> bool:
        listed, budget = listed_after.match(place.after) is not None, 0
        for word in reversed(_WORD.findall(place.before)[-9:]):
            if word in no_denial or word in ends:
                # "and" ends a denial: "no power and fire in the kitchen".
                return False
            if word in lists:
                listed, budget = True, _ITEM
            if word in negators or word.endswith("n't"):
                return True
            if word in lists:
                continue
            if word == "," and listed:
                budget = _ITEM
            elif word not in clear:
                budget -= 1
                if budget < 0 or not word.isalpha():
                    return False
        return False

    return denied


def _modal_before(table: Table) -> Callable[[SignPosition], bool]:
    """The walk back from a sign to a word of possibility: "could have easily started a fire"."""
    modals, have, nearly = (_words(table, key) for key in ("modals", "have", "nearly"))
    towards = _words(table, "clear") | _words(table, "towards")

    def possible(place: SignPosition) -> bool:
        had = False
        for word in reversed(_WORD.findall(place.before)[-8:]):
            if word in nearly or (word.endswith("'ve") and word[:-3] in modals):
                return True
            if word in modals:
                return had or not place.suspicion
            had = had or word in have
            if word not in towards:
                return False
        return False

    return possible


def _before(table: Table) -> _Scope:
    """A language that denies before the sign, some also after it."""
    denied_before, modal_before = _denial_before(table), _modal_before(table)
    denied_after = _pattern(table, "denied_after", r"\s*(?:{})")
    phrase_before = _pattern(table, "denied_before", r"\b(?:{})$")
    risky = _pattern(table, "risky", r"\b(?:{})$")
    supposed = _pattern(table, "if", r"(?:{})[^,]*$")
    avoided = _pattern(table, "avoided_after", r"(?:{})")
    contested = _pattern(table, "contested", r"\b(?:{})[^.;]*$")
    # A doubt reaches over a few words of its own clause; a word of `breaks` begins another.
    reach = rf"(?:[^\w,;:]+(?!(?:{'|'.join(sorted(_words(table, 'breaks')))})\b)\w+){{{{0,7}}}}[^\w,;:]*$"
    doubted, unreal = (_pattern(table, key, r"\b(?:{})" + reach) for key in ("doubted", "unreal"))
    opens, closes = (
        _pattern(table, "opens", r"\b(?:{})\b[^,.;]*$"),
        _pattern(table, "closes", r"[^,.;]*\b(?:{})\b"),
    )

    def denies(place: SignPosition) -> bool:
        return bool(
            denied_after.match(place.after) or phrase_before.search(place.before) or denied_before(place)
        )

    def contests(place: SignPosition) -> bool:
        return contested.search(place.before) is not None

    def doubts(place: SignPosition) -> bool:
        return bool(
            modal_before(place)
            or risky.search(place.before)
            or (not place.conditional and supposed.search(place.before))
            or avoided.match(place.after)
            or (not place.suspicion and doubted.search(place.written))
            or unreal.search(place.written)
            or (opens.search(place.before) and closes.match(place.after))
        )

    return _Scope(_words(table, "reaches"), denies, contests, doubts, *_time(table))


def _after(table: Table) -> _Scope:
    """A language whose verb after the sign denies or doubts it, or the sign's own ending does: Turkish."""
    denied, possible, unreal = (_pattern(table, key, r"(?:{})$") for key in ("denied", "possible", "unreal"))
    clear = _words(table, "clear")
    nearly = _pattern(table, "nearly", r"\b(?:{})\b[^,.;]*$")
    contested = _pattern(table, "contested", r"\b(?:{})")

    def stands(place: SignPosition) -> SignScope:
        if possible.match(place.own) and not place.suspicion:
            return SignScope.POSSIBLE
        for word in _WORD.findall(place.after)[:4]:
            if denied.match(word):
                return SignScope.DENIED
            if (unreal if place.suspicion else possible).match(word):
                return SignScope.POSSIBLE
            if word not in clear:
                return SignScope.SAID
        return SignScope.SAID

    def denies(place: SignPosition) -> bool:
        return stands(place) is SignScope.DENIED

    def contests(place: SignPosition) -> bool:
        return contested.search(place.after) is not None

    def doubts(place: SignPosition) -> bool:
        return stands(place) is SignScope.POSSIBLE or nearly.search(place.before) is not None

    return _Scope(_words(table, "reaches"), denies, contests, doubts, *_time(table))


def _time(table: Table) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return _pattern(table, "past", r"\b(?:{})\b"), _pattern(table, "unresolved", r"\b(?:{})\b")


_TABLES = tomllib.loads(resources.files("triage").joinpath("signs", "scope.toml").read_text(encoding="utf-8"))
_SCOPES = tuple((_after if table["denies"] == "after" else _before)(table) for table in _TABLES.values())


@lru_cache(maxsize=16)
def _reaching(language: str) -> tuple[_Scope, ...]:
    """The languages that may deny or doubt a sign of this one: all of them where it is not known, ""."""
    return tuple(scope for scope in _SCOPES if not language or language in scope.reaches)


def standing(
    sentence: str,
    start: int,
    end: int,
    *,
    written: str,
    language: str,
    negatable: bool,
    possible: bool,
    suspicion: bool,
    conditional: bool = False,
) -> SignScope:
    """How the sign at folded `sentence[start:end]` stands: denied before doubted, doubted before past.

    `written` is the text before the sign as `write_out` gives it; `language` that of the sign's rule.
    """
    before, after = sentence[max(0, start - _REACH) : start], sentence[end : end + 80]
    place = SignPosition(
        before, sentence[start:end].rsplit(None, 1)[-1], after, written, suspicion, conditional
    )
    scopes = _reaching(language)
    denied = negatable and any(scope.denies(place) for scope in scopes)
    if denied and not any(scope.contests(place) for scope in scopes):
        return SignScope.DENIED
    if possible and any(scope.doubts(place) for scope in scopes):
        return SignScope.POSSIBLE
    past = any(scope.past.search(sentence) for scope in scopes)
    if past and not any(scope.unresolved.search(sentence) for scope in scopes):
        return SignScope.PAST
    return SignScope.SAID
