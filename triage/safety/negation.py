"""Whether a sign is denied, only possible, or past: negation and hypotheticals in four languages.

English, German and Spanish deny before the sign ("no injuries", "keine Verletzten", "sin heridos"), German also after
it ("verletzt wurde niemand"), Turkish only after it ("yangın çıkmadı"). The search walks from the sign over function
words and stops at the first content word, so "nobody came about the gas leak" is not taken for "no gas leak". The
words are in `signs/scope.toml`, one table per language.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from triage.matching import read_table
from triage.safety.safety_rules import Rule


class SignScope(Enum):
    """What its sentence says about a sign."""

    SAID = "said"
    DENIED = "denied"
    POSSIBLE = "possible"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class SignPosition:
    """A sign in its folded sentence.

    `written` is the text before it with accents, and with umlauts as "ae", "oe", "ue", because folding makes German
    "hatte" and "hätte" equal, and Spanish "si" and "sí". `conditional`: an "if" before the sign is part of it ("if
    you do not pay I will hurt you") and no doubt.
    """

    before: str
    own: str
    after: str
    written: str
    suspicion: bool
    conditional: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """How a language denies and doubts; `reaches` are the languages whose signs it applies to.

    `contests` says that the writer reports a denial without believing it: "you said there is no gas leak".
    """

    reaches: frozenset[str]
    denies: Callable[[SignPosition], bool]
    contests: Callable[[SignPosition], bool]
    doubts: Callable[[SignPosition], bool]
    supposing: re.Pattern[str]
    past: re.Pattern[str]
    unresolved: re.Pattern[str]


Table = Mapping[str, str]

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|[,:;()\-]")
# The sign is part of a list that continues: "fire, injuries or a crash".
_LISTED = r",?\s*(?:{0})\b|(?:,\s*\w+){{1,2}},?\s*(?:{0})\b"
# Content words that a denial may cross within an item of a list: "no gas leak or flood".
_ITEM_WORDS = 2
# Characters before and after a sign in which its denial or its doubt must be.
_REACH_BEFORE, _REACH_AFTER = 160, 80
# Words before and after it that a walk looks at.
_WORDS_BEFORE, _MODAL_WORDS_BEFORE, _WORDS_AFTER = 9, 8, 4
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _words(table: Table, key: str) -> frozenset[str]:
    return frozenset(table.get(key, "").split())


def _pattern(table: Table, key: str, form: str) -> re.Pattern[str]:
    """The lines of a key as one pattern of this form; a pattern that never matches where there are none."""
    lines = [line for line in table.get(key, "").splitlines() if line]
    return re.compile(form.format("|".join(lines)) if lines else r"(?!)")


def write_out(text: str) -> str:
    """A text in lower case with its accents, but German umlauts as two letters: "Hätte" becomes "haette"."""
    return unicodedata.normalize("NFC", text).lower().translate(_UMLAUTS)


def _denial_before(table: Table) -> Callable[[SignPosition], bool]:
    """The walk back from a sign to a word that denies it."""
    negators, no_denial, clear = (_words(table, key) for key in ("negators", "no_denial", "clear"))
    ends, lists = _words(table, "ends"), _words(table, "lists")
    list_continues = re.compile(_LISTED.format("|".join(sorted(lists))))

    def is_denied(position: SignPosition) -> bool:
        in_list, budget = list_continues.match(position.after) is not None, 0
        for word in reversed(_WORD.findall(position.before)[-_WORDS_BEFORE:]):
            if word in no_denial or word in ends:
                # "and" ends a denial: "no power and fire in the kitchen".
                return False
            if word in lists:
                in_list, budget = True, _ITEM_WORDS
            if word in negators or word.endswith("n't"):
                return True
            if word in lists:
                continue
            if word == "," and in_list:
                budget = _ITEM_WORDS
            elif word not in clear:
                budget -= 1
                if budget < 0 or not word.isalpha():
                    return False
        return False

    return is_denied


def _modal_before(table: Table) -> Callable[[SignPosition], bool]:
    """The walk back from a sign to a word of possibility: "could have easily started a fire"."""
    modals, have, nearly = (_words(table, key) for key in ("modals", "have", "nearly"))
    crossed = _words(table, "clear") | _words(table, "towards")

    def is_possible(position: SignPosition) -> bool:
        after_have = False
        for word in reversed(_WORD.findall(position.before)[-_MODAL_WORDS_BEFORE:]):
            if word in nearly or (word.endswith("'ve") and word[:-3] in modals):
                return True
            if word in modals:
                return after_have or not position.suspicion
            after_have = after_have or word in have
            if word not in crossed:
                return False
        return False

    return is_possible


def _scope_before(table: Table) -> _Scope:
    """A language that denies before the sign; some also deny after it."""
    denied_before, modal_before = _denial_before(table), _modal_before(table)
    denied_after = _pattern(table, "denied_after", r"\s*(?:{})")
    phrase_before = _pattern(table, "denied_before", r"\b(?:{})$")
    risky = _pattern(table, "risky", r"\b(?:{})$")
    supposed = _pattern(table, "if", r"(?:{})[^,]*$")
    avoided = _pattern(table, "avoided_after", r"(?:{})")
    contested = _pattern(table, "contested", r"\b(?:{})[^.;]*$")
    # A doubt reaches over a few words of its own clause; a word in `breaks` begins another clause.
    reach = rf"(?:[^\w,;:]+(?!(?:{'|'.join(sorted(_words(table, 'breaks')))})\b)\w+){{{{0,7}}}}[^\w,;:]*$"
    doubted, unreal = (_pattern(table, key, r"\b(?:{})" + reach) for key in ("doubted", "unreal"))
    opens = _pattern(table, "opens", r"\b(?:{})\b[^,.;]*$")
    closes = _pattern(table, "closes", r"[^,.;]*\b(?:{})\b")

    def denies(position: SignPosition) -> bool:
        return bool(
            denied_after.match(position.after)
            or phrase_before.search(position.before)
            or denied_before(position)
        )

    def contests(position: SignPosition) -> bool:
        return contested.search(position.before) is not None

    def doubts(position: SignPosition) -> bool:
        return bool(
            modal_before(position)
            or risky.search(position.before)
            or (not position.conditional and supposed.search(position.before))
            or avoided.match(position.after)
            or (not position.suspicion and doubted.search(position.written))
            or unreal.search(position.written)
            or (opens.search(position.before) and closes.match(position.after))
        )

    return _Scope(_words(table, "reaches"), denies, contests, doubts, *_time_patterns(table))


def _scope_after(table: Table) -> _Scope:
    """A language that denies or doubts by the verb after the sign, or by the sign's own ending: Turkish."""
    denied, possible, unreal = (_pattern(table, key, r"(?:{})$") for key in ("denied", "possible", "unreal"))
    clear = _words(table, "clear")
    nearly = _pattern(table, "nearly", r"\b(?:{})\b[^,.;]*$")
    contested = _pattern(table, "contested", r"\b(?:{})")

    def verb_scope(position: SignPosition) -> SignScope:
        if possible.match(position.own) and not position.suspicion:
            return SignScope.POSSIBLE
        for word in _WORD.findall(position.after)[:_WORDS_AFTER]:
            if denied.match(word):
                return SignScope.DENIED
            if (unreal if position.suspicion else possible).match(word):
                return SignScope.POSSIBLE
            if word not in clear:
                return SignScope.SAID
        return SignScope.SAID

    def denies(position: SignPosition) -> bool:
        return verb_scope(position) is SignScope.DENIED

    def contests(position: SignPosition) -> bool:
        return contested.search(position.after) is not None

    def doubts(position: SignPosition) -> bool:
        return verb_scope(position) is SignScope.POSSIBLE or nearly.search(position.before) is not None

    return _Scope(_words(table, "reaches"), denies, contests, doubts, *_time_patterns(table))


def _time_patterns(table: Table) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Words of a question about what can happen, and of the past."""
    return (
        _pattern(table, "asked", r"(?:{})"),
        _pattern(table, "past", r"\b(?:{})\b"),
        _pattern(table, "unresolved", r"\b(?:{})\b"),
    )


SCOPE_TABLES = read_table("signs", "scope.toml")
_SCOPES = tuple(
    (_scope_after if table["denies"] == "after" else _scope_before)(table) for table in SCOPE_TABLES.values()
)


@lru_cache(maxsize=16)
def _scopes_for(language: str) -> tuple[_Scope, ...]:
    """The languages that may deny or doubt a sign of this language; all of them for ""."""
    return tuple(scope for scope in _SCOPES if not language or language in scope.reaches)


def find_scope(
    sentence: str, start: int, end: int, *, written: str, rule: Rule, is_question: bool = False
) -> SignScope:
    """What a sentence says about the sign at folded `sentence[start:end]`: denied, possible, past or said.

    `written` is the text before the sign as `write_out` returns it; `rule` is the sign's. `is_question`: a
    question mark ends the sentence.
    """
    before = sentence[max(0, start - _REACH_BEFORE) : start]
    after = sentence[end : end + _REACH_AFTER]
    last_word = sentence[start:end].rsplit(None, 1)[-1]
    position = SignPosition(before, last_word, after, written, rule.suspicion, rule.conditional)
    scopes = _scopes_for(rule.language)
    denied = rule.negatable and any(scope.denies(position) for scope in scopes)
    if denied and not any(scope.contests(position) for scope in scopes):
        return SignScope.DENIED
    if is_question and any(scope.supposing.search(sentence) for scope in scopes):
        return SignScope.POSSIBLE
    if rule.possible and any(scope.doubts(position) for scope in scopes):
        return SignScope.POSSIBLE
    past = any(scope.past.search(sentence) for scope in scopes)
    if past and not any(scope.unresolved.search(sentence) for scope in scopes):
        return SignScope.PAST
    return SignScope.SAID
