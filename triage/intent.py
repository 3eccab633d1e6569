"""Whether a message is a complaint at all: a proposal by cues that can be read, and doubt means complaint (3).

Standard library only. A person reclassifies, with a second one; this only says what to look at. The cues
stand in `triage/phrases/intent_<language>.toml`.

Cues in a story that call for one more question: again, effect, support, the name, somebody else's (7.4).

They look at the text as the safety rules do, denial included, but raise nothing and stay out of the record:
only the dialogue asks for them. The patterns stand in `signs/asking_<language>.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp

from triage.folding import fold
from triage.language_tables import any_of, languages_of, read_phrases
from triage.safety.rules import index_of, read_rules
from triage.safety.signs import LANGUAGES, Sign, found_by, signs

COMPLAINT = "complaint"
KINDS = (COMPLAINT, "enquiry", "praise", "suggestion", "request")

#: From this probability on something is proposed as another thing than a complaint.
SURE = 0.8
# Nobody comes to a complaints desk by chance: a complaint needs no cue of its own, and a long story is one.
_AT_REST, _LONG, _PER_WORD = 0.6, 25, 0.05
#: What each cue of dissatisfaction adds to a complaint.
_DISSATISFIED = 3.0
#: What is left of a courtesy or a question beside one: "thank you, but it is still broken".
_BESIDE = 0.5
_QUESTION_MARK = 1.2
#: So many words, all in capitals, are shouted.
_SHOUTED = 3
_DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a message is: complaint, enquiry, praise, suggestion or request (docs/surfaces.md, "Modals").

    `probability` is that of `kind`, 0 to 1. `because` are names of cues, never words of the message: "doubt"
    where nothing speaks for anything, "sign.<kind>" for a sign of harm.
    """

    kind: str
    probability: float
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words that speak for a kind; what `takes` has found is not looked at by the cues that follow."""

    name: str
    kind: str
    weight: float
    takes: bool
    pattern: re.Pattern[str]


def _compiled(patterns: str) -> re.Pattern[str]:
    return re.compile(r"(?<![^\W_])" + any_of(patterns) + r"(?![^\W_])")


@lru_cache(maxsize=8)
def _tables(languages: tuple[str, ...]) -> tuple[tuple[_Cue, ...], tuple[re.Pattern[str], ...]]:
    cues, spared = [], []
    for language in languages:
        table = read_phrases("intent", language)
        spared.append(_compiled(table["spared"]))
        for entry in table["cue"]:
            pattern = _compiled(entry["patterns"])
            takes = entry.get("takes", False)
            cues.append(_Cue(entry["name"], entry["kind"], entry.get("weight", 0.0), takes, pattern))
    return tuple(sorted(cues, key=lambda cue: not cue.takes)), tuple(spared)


def _found(text: str, language: str | None) -> dict[tuple[str, str], float]:
    """The weight of each cue found, by kind and name; one that two languages share counts once."""
    cues, spared = _tables(languages_of(language))
    left = fold(text).text
    for pattern in spared:
        left = pattern.sub(" ; ", left)
    found: dict[tuple[str, str], float] = {}
    for cue in cues:
        if cue.pattern.search(left):
            key = (cue.kind, cue.name)
            found[key] = max(found.get(key, 0.0), cue.weight)
            if cue.takes:
                left = cue.pattern.sub(" ; ", left)
    if "??" in text or (text.isupper() and len(text.split()) >= _SHOUTED):
        found[COMPLAINT, "shouting"] = 0.0
    if "?" in left:
        found["enquiry", "question_mark"] = _QUESTION_MARK
    return found


def intent(text: str, *, language: str | None = None, found_signs: Sequence[Sign] | None = None) -> Intent:
    """What a message seems to be; never raises, in time linear in the length. None asks every language.

    Another kind than a complaint is proposed only where it is sure, and neither a cue of dissatisfaction nor a
    sign of harm is in the text. `found_signs` are those signs, where they have been read already.
    """
    found = _found(text, language)
    told = signs(text) if found_signs is None else found_signs
    harm = tuple(dict.fromkeys(f"sign.{sign.kind}" for sign in told))
    against = tuple(name for kind, name in found if kind == COMPLAINT) + harm
    scores = dict.fromkeys(KINDS, 0.0)
    for (kind, _), weight in found.items():
        scores[kind] += weight * (_BESIDE if against else 1)
    long = _PER_WORD * max(0, len(text.split()) - _LONG)
    scores[COMPLAINT] = _AT_REST + long + _DISSATISFIED * len(against)
    highest = max(scores.values())
    shares = {kind: exp(score - highest) for kind, score in scores.items()}
    total = sum(shares.values())
    likeliest = max(KINDS, key=lambda kind: shares[kind])
    if likeliest != COMPLAINT and shares[likeliest] / total >= SURE and not against:
        because = tuple(name for kind, name in found if kind == likeliest)
        return Intent(likeliest, round(shares[likeliest] / total, 4), because)
    return Intent(COMPLAINT, round(shares[COMPLAINT] / total, 4), against or (_DOUBT,))


_RULES = tuple(rule for language in LANGUAGES for rule in read_rules(f"asking_{language}"))
CUE_KINDS: frozenset[str] = frozenset(rule.kind for rule in _RULES)
_INDEX = index_of(_RULES)


def cues(text: str) -> frozenset[str]:
    """The kinds of cue in a text, of every language that we know some of; never raises."""
    return frozenset(sign.kind for sign in found_by(text, _INDEX).values())
