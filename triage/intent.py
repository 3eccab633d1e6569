"""What a message is: a complaint or something different; and cues for one more question of the dialogue.

In doubt a message is a complaint (clause 3). The intent is a proposal from readable cues; a person reclassifies, with
a second person. Its cues are in `triage/phrases/intent_<language>.toml`.

The cues for a question (again, effect, support, the name, on behalf of another; 7.4) are found as the safety rules
are, denial included, but they raise nothing and are not recorded. Their patterns are in
`triage/signs/asking_<language>.toml`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp

from triage.matching import LANGUAGES, fold, languages_of, read_phrases, whole_words
from triage.safety.safety_rules import index_rules, read_rules
from triage.safety.signs import Sign, find_signs, match_rules

COMPLAINT = "complaint"
KINDS = (COMPLAINT, "enquiry", "praise", "suggestion", "request")

SURE = 0.8
"""Probability from which on another kind than a complaint is proposed."""
# People come to a complaints desk on purpose, so a complaint needs no cue of its own, and a long story is evidence.
_BASE_SCORE, _LONG_FROM, _SCORE_PER_WORD = 0.6, 25, 0.05
_DISSATISFACTION = 3.0
"""What each cue of dissatisfaction adds to the score of a complaint."""
_DISCOUNT = 0.5
"""Factor for other cues next to one of dissatisfaction: "thank you, but it is still broken"."""
_QUESTION_MARK = 1.2
_SHOUTED_FROM = 3
"""From this many words, a text all in capitals counts as shouting."""
_DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a message is: complaint, enquiry, praise, suggestion or request (docs/surfaces.md, "Modals").

    `probability` is that of `kind`, 0 to 1. `because` are names of cues, never words of the message: "doubt" where
    there is no cue at all, "sign.<kind>" for a sign of harm.
    """

    kind: str
    probability: float
    because: tuple[str, ...]


def classify_intent(
    text: str, *, language: str | None = None, found_signs: Sequence[Sign] | None = None
) -> Intent:
    """Classify a message; never raises, in time linear in the length.

    Another kind than a complaint is proposed only where it is sure and the text contains neither a cue of
    dissatisfaction nor a sign of harm. `language` None (the default) uses the cues of all languages. `found_signs`
    are the signs of harm, where the caller already has them.
    """
    weights = _weigh_cues(text, language)
    harm = find_signs(text) if found_signs is None else found_signs
    harm_names = tuple(dict.fromkeys(f"sign.{sign.kind}" for sign in harm))
    dissatisfaction = tuple(name for kind, name in weights if kind == COMPLAINT) + harm_names
    scores = dict.fromkeys(KINDS, 0.0)
    for (kind, _), weight in weights.items():
        scores[kind] += weight * (_DISCOUNT if dissatisfaction else 1)
    length = _SCORE_PER_WORD * max(0, len(text.split()) - _LONG_FROM)
    scores[COMPLAINT] = _BASE_SCORE + length + _DISSATISFACTION * len(dissatisfaction)
    highest = max(scores.values())
    shares = {kind: exp(score - highest) for kind, score in scores.items()}
    total = sum(shares.values())
    likeliest = max(KINDS, key=lambda kind: shares[kind])
    if likeliest != COMPLAINT and shares[likeliest] / total >= SURE and not dissatisfaction:
        names = tuple(name for kind, name in weights if kind == likeliest)
        return Intent(likeliest, round(shares[likeliest] / total, 4), names)
    return Intent(COMPLAINT, round(shares[COMPLAINT] / total, 4), dissatisfaction or (_DOUBT,))


def dissatisfaction(text: str) -> tuple[str, ...]:
    """The cues of dissatisfaction and the signs of harm in a text."""
    intent = classify_intent(text)
    return intent.because if intent.kind == COMPLAINT and intent.because != (_DOUBT,) else ()


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words that indicate a kind. `takes` hides the words it matched from the cues after it."""

    name: str
    kind: str
    weight: float
    takes: bool
    pattern: re.Pattern[str]


def _weigh_cues(text: str, language: str | None) -> dict[tuple[str, str], float]:
    """The weight of each cue in a text, by kind and name; a cue of two languages counts once."""
    cues, spared = _tables(languages_of(language))
    remaining = fold(text).text
    for pattern in spared:
        remaining = pattern.sub(" ; ", remaining)
    weights: dict[tuple[str, str], float] = {}
    for cue in cues:
        if cue.pattern.search(remaining):
            key = (cue.kind, cue.name)
            weights[key] = max(weights.get(key, 0.0), cue.weight)
            if cue.takes:
                remaining = cue.pattern.sub(" ; ", remaining)
    if "??" in text or (text.isupper() and len(text.split()) >= _SHOUTED_FROM):
        weights[COMPLAINT, "shouting"] = 0.0
    if "?" in remaining:
        weights["enquiry", "question_mark"] = _QUESTION_MARK
    return weights


@lru_cache(maxsize=8)
def _tables(languages: tuple[str, ...]) -> tuple[tuple[_Cue, ...], tuple[re.Pattern[str], ...]]:
    """The cues of these languages, those that take first, and the patterns that no cue looks at."""
    cues, spared = [], []
    for language in languages:
        table = read_phrases("intent", language)
        spared.append(whole_words(table["spared"]))
        for entry in table["cue"]:
            pattern = whole_words(entry["patterns"])
            takes = entry.get("takes", False)
            cues.append(_Cue(entry["name"], entry["kind"], entry.get("weight", 0.0), takes, pattern))
    return tuple(sorted(cues, key=lambda cue: not cue.takes)), tuple(spared)


_QUESTION_RULES = tuple(rule for language in LANGUAGES for rule in read_rules(f"asking_{language}"))
_QUESTION_INDEX = index_rules(_QUESTION_RULES)
CUE_KINDS: frozenset[str] = frozenset(rule.kind for rule in _QUESTION_RULES)


_ANSWER_INDEX = index_rules(
    tuple(rule for language in LANGUAGES for rule in read_rules(f"answers_{language}"))
)
_LAST_SENTENCE = re.compile(r"[.!;\n]\s+(?=\S)")
#: A question without a question mark is at most so long.
_QUESTION_WORDS = 12
_WORD = re.compile(r"\w+")
_LONGEST_PHRASE = 8
_WITH_REFUSAL = frozenset(
    word for language in LANGUAGES for word in read_phrases("intent", language)["with_refusal"].split()
)


@dataclass(frozen=True, slots=True)
class AnswerCues:
    """What an answer also does: `verdict` is accept or disagree, `rest` what follows a refusal to answer."""

    asks: bool
    only_asks: bool
    declines: bool
    verdict: str | None = None
    returns: bool = False
    rest: str = ""


def read_answer(text: str) -> AnswerCues:
    """Whether an answer asks something itself or declines to answer, in all languages; never raises."""
    plain = text.strip()
    sentences = _LAST_SENTENCE.split(plain)
    cues = match_rules(sentences[-1], _ANSWER_INDEX)
    words = len(plain.split())
    if plain.endswith(("?", "？", "؟")):
        asks = "question" in cues or "¿" in sentences[-1]
    else:
        # Only words of a question at the very beginning: "when you came" is none.
        asks = "question" in cues and cues["question"].span[0] == 0 and words <= _QUESTION_WORDS
    only_asks = asks and all("?" in sentence for sentence in sentences[:-1])
    whole = match_rules(plain, _ANSWER_INDEX)
    verdict = "disagree" if "disagrees" in whole else "accept" if "accepts" in whole else None
    rest = _rest_of_refusal(plain, whole)
    return AnswerCues(asks, only_asks, rest is not None, verdict, "returns" in whole, rest or "")


def _rest_of_refusal(text: str, cues: Mapping[str, Sign]) -> str | None:
    """What a text says after a refusal at its beginning, "" if nothing; None if it does not begin with one."""
    if "declines" in cues:
        start, end = cues["declines"].span
        rest = "" if _adds_nothing(text[end:]) else text[end:].strip(" ,.;:!-\n")
        return rest if _adds_nothing(text[:start]) else None
    # A word with several meanings declines only where it is all that is said.
    start, end = cues["declines_alone"].span if "declines_alone" in cues else (0, 0)
    return "" if end and _adds_nothing(f"{text[:start]} {text[end:]}") else None


def _adds_nothing(text: str) -> bool:
    return _WITH_REFUSAL.issuperset(_WORD.findall(fold(text).text))


@lru_cache(maxsize=8)
def _phrases(kind: str) -> frozenset[str]:
    tables = [read_phrases("intent", language)[kind] for language in LANGUAGES]
    return frozenset(
        " ".join(_WORD.findall(line)) for table in tables for line in fold(table).text.splitlines()
    )


def says_only(kind: str, text: str) -> bool:
    """True for a text of only phrases of a kind: "greetings" or "affirms", in all languages."""
    phrases, words, reached = _phrases(kind), _WORD.findall(fold(text).text), {0}
    for end in range(1, len(words) + 1):
        starts = reached.intersection(range(max(0, end - _LONGEST_PHRASE), end))
        if any(" ".join(words[start:end]) in phrases for start in starts):
            reached.add(end)
    return bool(words) and len(words) in reached


def find_cues(text: str) -> frozenset[str]:
    """The kinds of cues for a question in a text, in all languages; never raises."""
    return frozenset(cue_words(text))


def cue_words(text: str) -> dict[str, str]:
    """The kinds of cues for a question in a text, each with the words as written; never raises."""
    signs = match_rules(text, _QUESTION_INDEX).values()
    return {sign.kind: text[slice(*sign.span)] for sign in signs}
