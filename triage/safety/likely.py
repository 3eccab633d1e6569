"""Signs of danger that are likely and not certain: a person should look within the hour.

People in danger seldom name it: "he sits there, grey, and does not answer". Two means find such texts. Combinations
of word groups (`signs/combinations.toml`), which are the same in every language; and word weights
(`signs/weights_<language>.csv`), which were learned from written examples (`triage.learning.danger_words`). Standard
library only, because this runs in the transaction of every message.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources
from itertools import chain, pairwise
from math import inf, sqrt

from triage.matching import LANGUAGES, fold
from triage.safety.language import WORD, spoken_languages
from triage.safety.rules import Matcher, Rule, index_rules, read_combinations, read_groups
from triage.safety.signs import Sign, judge_match

COMBINATIONS: tuple[Rule, ...] = tuple(rule for language in LANGUAGES for rule in read_combinations(language))
#: The sign of a text whose words are those of people in danger, of any kind.
BY_WORDS = Rule("danger_likely", "danger", 4, 2, False, (), look=True)
LIKELY: tuple[Rule, ...] = (*COMBINATIONS, BY_WORDS)

#: In the files of weights: below `LIGHT` a combination is not trusted; above `HEAVY` the words are enough.
LIGHT, HEAVY = "<light>", "<heavy>"

_INDICES = {language: index_rules(read_groups(language)) for language in LANGUAGES}
_ONE_WORD = re.compile(r"[a-z0-9]+(?:\\w\*)?")
# Words that are weighed together, and how far a step moves: a danger is a few sentences of a longer story.
_WEIGHED_WORDS, _STEP = 60, 30
# Words from which on their weight alone is trusted: an answer such as "last Tuesday, I think" is too short.
_FEWEST_WORDS = 6
# The places of the word groups of a text in one language, by name.
_Groups = dict[str, list[tuple[int, int]]]


def find_likely_signs(text: str, *, spoken: Sequence[str] | None = None) -> tuple[Sign, ...]:
    """The likely signs of danger in any text, each rule once, in the languages that it may be written in.

    Few are present danger; the others ask for a look within the hour. `spoken` are these languages where the caller
    has counted them already (`spoken_languages`). Never raises.
    """
    folded = fold(text)
    tokens = list(WORD.finditer(folded.text))
    words = [token.group() for token in tokens]
    signs: dict[str, Sign] = {}
    for language in spoken_languages(words, LANGUAGES) if spoken is None else spoken:
        # Where the words are not those of people in danger, no combination is tried: most complaints end here.
        stretches = _weigh_stretches(words, language)
        # A short message is read in full, because a combination that is present danger needs no weight.
        is_short = len(words) <= _WEIGHED_WORDS
        parts = [(0, len(words))] if is_short else [(start, end) for _, start, end in stretches]
        places = sorted({place for start, end in parts for place in range(start, end)})
        groups: _Groups = {}
        for place in places:
            token = tokens[place]
            names, longer = _groups_of_word(language, words[place])
            for name in names:
                groups.setdefault(name, []).append(token.span())
            for matcher in longer:
                match = matcher.match(folded.text, token.start())
                if match is not None:
                    groups.setdefault(matcher.rule.name, []).append(match.span())
        for rule in COMBINATIONS:
            if rule.language != language or rule.name in signs or (rule.look and not stretches):
                continue
            for start, end in _meetings(rule, groups):
                sign = judge_match(rule, text, folded, start, end)
                if sign is not None and (sign.look or sign.danger):
                    signs[rule.name] = sign
                    break
        weight, start, end = max(stretches, default=(-inf, 0, 0))
        if weight > _weights(language)[HEAVY] and not signs and len(words) >= _FEWEST_WORDS:
            span = folded.span(tokens[start].start(), tokens[end - 1].end())
            floors = BY_WORDS.severity, BY_WORDS.safety, False
            signs[BY_WORDS.name] = Sign(BY_WORDS.name, BY_WORDS.kind, *floors, span, True, language)
    return tuple(sorted(signs.values(), key=lambda sign: (-sign.danger, sign.span)))


@lru_cache(maxsize=20_000)
def _groups_of_word(language: str, word: str) -> tuple[frozenset[str], tuple[Matcher, ...]]:
    """The groups that a word belongs to on its own, and the patterns that need the words after it too."""
    matchers = _INDICES[language].matchers(word)
    alone = [matcher for matcher in matchers if _ONE_WORD.fullmatch(str(matcher.pattern))]
    longer = tuple(matcher for matcher in matchers if matcher not in alone)
    return frozenset(matcher.rule.name for matcher in alone), longer


def _meetings(rule: Rule, groups: _Groups) -> Iterator[tuple[int, int]]:
    """The places of the first group near which all others occur and none of the excluded."""
    if any(group not in groups for group in rule.all_of):
        return

    def is_near(group: str, place: int) -> bool:
        return any(abs(start - place) <= rule.within for start, _ in groups.get(group, ()))

    for start, end in groups[rule.all_of[0]]:
        excluded = any(is_near(group, start) for group in rule.none_of)
        if not excluded and all(is_near(group, start) for group in rule.all_of):
            yield start, end


@lru_cache(maxsize=20_000)
def _features_of_word(word: str) -> tuple[str, ...]:
    return (word, *(word[:length] + "*" for length in (3, 4, 5) if len(word) > length))


def word_features(words: Sequence[str]) -> set[str]:
    """What is weighed in a stretch of folded words: the words, their beginnings, and pairs of neighbours."""
    return {*chain.from_iterable(map(_features_of_word, words)), *map(" ".join, pairwise(words))}


@lru_cache(maxsize=len(LANGUAGES))
def _weights(language: str) -> dict[str, float]:
    """The weight of each feature, and the thresholds `LIGHT` and `HEAVY`."""
    file = resources.files("triage").joinpath("signs", f"weights_{language}.csv")
    return {feature: float(weight) for feature, weight in csv.reader(file.read_text("utf-8").splitlines())}


def _weigh_stretches(words: Sequence[str], language: str) -> list[tuple[float, int, int]]:
    """The stretches of words that weigh more than `LIGHT`: weight, and the places of their first and next word."""
    weights, stretches = _weights(language), []
    for start in range(0, max(1, len(words) - _STEP), _STEP):
        stretch = words[start : start + _WEIGHED_WORDS]
        own = word_features(stretch) & weights.keys()
        weight = sum(map(weights.__getitem__, own)) / sqrt(len(own)) if own else -inf
        if weight > weights[LIGHT]:
            stretches.append((weight, start, start + len(stretch)))
    return stretches
