"""Signs of danger that are likely and not certain: a person should look within the hour.

People in danger seldom name it: "he sits there, grey, and does not answer". Two means find such texts. Combinations
of word groups (`signs/combinations.toml`), which are the same in every language; and word weights
(`signs/weights_<language>.csv`), which were learned from written examples (`triage.learning.danger_words`). Standard
library only, because this runs in the transaction of every message.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import chain, pairwise
from math import inf, sqrt

from triage.matching import LANGUAGES, fold
from triage.safety.language import WORD, spoken_languages
from triage.safety.rules import Rule, index_rules, read_combinations, read_groups
from triage.safety.signs import Sign, judge_match

COMBINATIONS: tuple[Rule, ...] = tuple(rule for language in LANGUAGES for rule in read_combinations(language))
#: The sign of a text whose words are those of people in danger, of any kind.
BY_WORDS = Rule("danger_likely", "danger", 4, 2, False, (), look=True)
LIKELY: tuple[Rule, ...] = (*COMBINATIONS, BY_WORDS)

#: In the files of weights: below `LIGHT` a combination is not trusted; above `HEAVY` the words are enough.
LIGHT, HEAVY = "<light>", "<heavy>"

_INDICES = {language: index_rules(read_groups(language)) for language in LANGUAGES}
# Words that are weighed together, and how far a step moves: a danger is a few sentences of a longer story.
_WEIGHED_WORDS, _STEP = 60, 30
# Words from which on their weight alone is trusted: an answer such as "last Tuesday, I think" is too short.
_FEWEST_WORDS = 6
# The places of the word groups of a text in one language, by name.
_Groups = dict[str, list[tuple[int, int]]]


def find_likely_signs(text: str) -> tuple[Sign, ...]:
    """The likely signs of danger in any text, each rule once, in the languages that it may be written in.

    Few of them are present danger; the others ask for a look within the hour. Never raises.
    """
    folded = fold(text)
    tokens = list(WORD.finditer(folded.text))
    words = [token.group() for token in tokens]
    signs: dict[str, Sign] = {}
    for language in spoken_languages(words, LANGUAGES):
        weighed = _heaviest_words(words, language)
        if weighed.is_light:
            # Most complaints: their words are not those of people in danger, so no combination is tried.
            continue
        groups: _Groups = {}
        index = _INDICES[language]
        for token, word in zip(tokens, words, strict=True):
            for matcher in index.matchers(word):
                match = matcher.match(folded.text, token.start())
                if match is not None:
                    groups.setdefault(matcher.rule.name, []).append(match.span())
        for rule in COMBINATIONS:
            if rule.language != language or rule.name in signs:
                continue
            for start, end in _meetings(rule, groups):
                sign = judge_match(rule, text, folded, start, end)
                if sign is not None and (sign.look or sign.danger):
                    signs[rule.name] = sign
                    break
        if weighed.is_heavy and not signs and len(words) >= _FEWEST_WORDS:
            span = folded.span(tokens[weighed.start].start(), tokens[weighed.end - 1].end())
            floors = BY_WORDS.severity, BY_WORDS.safety, False
            signs[BY_WORDS.name] = Sign(BY_WORDS.name, BY_WORDS.kind, *floors, span, True, language)
    return tuple(sorted(signs.values(), key=lambda sign: (-sign.danger, sign.span)))


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


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A stretch of words by its places; `is_light`: the words of most ordinary complaints weigh as much."""

    start: int
    end: int
    is_light: bool
    is_heavy: bool


@lru_cache(maxsize=len(LANGUAGES))
def _weights(language: str) -> dict[str, float]:
    """The weight of each feature, and the thresholds `LIGHT` and `HEAVY`."""
    file = resources.files("triage").joinpath("signs", f"weights_{language}.csv")
    return {feature: float(weight) for feature, weight in csv.reader(file.read_text("utf-8").splitlines())}


def _heaviest_words(words: Sequence[str], language: str) -> _Weighed:
    weights, heaviest = _weights(language), (-inf, 0, len(words))
    for start in range(0, max(1, len(words) - _STEP), _STEP):
        stretch = words[start : start + _WEIGHED_WORDS]
        own = word_features(stretch) & weights.keys()
        if own:
            weight = sum(map(weights.__getitem__, own)) / sqrt(len(own))
            heaviest = max(heaviest, (weight, start, start + len(stretch)))
    weight, start, end = heaviest
    return _Weighed(start, end, weight <= weights[LIGHT], weight > weights[HEAVY])
