"""Signs of danger that are likely and not certain: a person should look within the hour.

People in danger seldom name it: "he sits there, grey, and does not answer". So the words of a text are weighed, with
word groups and their combinations (`signs/combinations.toml`), which are the same in every language. The weights
(`signs/weights_<language>.csv`) were learned from written examples (`benchmarks.danger_words`). Standard library
only, because this runs in the transaction of every message.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

from complaints.danger.hazards import HAZARD_OF_KIND
from triage.matching import LANGUAGES, FoldedText, fold
from triage.safety.language import WORD, spoken_languages
from triage.safety.rules import Matcher, Rule, index_rules, read_combinations, read_groups
from triage.safety.signs import Sign, judge_match
from triage.word_weights import mean_weight, read_weights, word_features

COMBINATIONS: tuple[Rule, ...] = tuple(rule for language in LANGUAGES for rule in read_combinations(language))
#: The sign of a text whose words are those of people in danger, of any kind.
BY_WORDS = Rule("danger_likely", "danger", 4, 2, False, (), look=True)
LIKELY: tuple[Rule, ...] = (*COMBINATIONS, BY_WORDS)

#: In the files of weights: what weighs more than `LOOK` asks for a look. A combination in words that weigh more than
#: `PAGE` is certain enough to page.
LOOK, PAGE = "<look>", "<page>"

_INDICES = {language: index_rules(read_groups(language)) for language in LANGUAGES}
_ONE_WORD = re.compile(r"[a-z0-9]+(?:\\w\*)?")
# Words that are weighed together, and how far a step moves: a danger is a few sentences of a longer story.
_WEIGHED_WORDS, _STEP = 60, 30
# Words from which on their weight alone is trusted: an answer such as "last Tuesday, I think" is too short.
_FEWEST_WORDS = 6
# The places of the word groups of a text in one language, by name.
_Groups = dict[str, list[tuple[int, int]]]
_COMBINATIONS = {code: [rule for rule in COMBINATIONS if rule.language == code] for code in LANGUAGES}


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text as it is weighed: the groups and combinations (`marks`) that begin at each word, and their signs."""

    tokens: Sequence[re.Match[str]]
    marks: Sequence[set[str]]
    signs: Sequence[tuple[int, Sign]]

    def features(self, start: int, end: int) -> set[str]:
        """What is weighed in the words from `start` to `end`."""
        words = [token.group() for token in self.tokens[start:end]]
        return word_features(words).union(*self.marks[start:end])


def find_likely_signs(text: str, *, spoken: Sequence[str] | None = None) -> tuple[Sign, ...]:
    """The likely signs of danger in any text, each rule once, in the languages that it may be written in.

    Few are present danger; the others ask for a look within the hour. `spoken` are these languages where the caller
    has counted them already (`spoken_languages`). Never raises.
    """
    folded = fold(text)
    tokens = list(WORD.finditer(folded.text))
    # A short message is read in full, because a combination that is present danger needs no weight.
    is_short = len(tokens) <= _WEIGHED_WORDS
    signs: dict[str, Sign] = {}
    spoken = spoken or spoken_languages((token.group() for token in tokens), LANGUAGES)
    for language in spoken:
        reading = _read(text, folded, tokens, language)
        stretches = _heavy_stretches(reading, language)
        for place, sign in reading.signs:
            weight = max((weight for weight, start, end in stretches if start <= place < end), default=-inf)
            # A word of another language ("gift" is poison in German) must not page.
            if sign.look and len(spoken) == 1 and weight > _weights(language)[PAGE]:
                sign = replace(sign, severity=5, safety=3, danger=True, look=False)
            if sign.look and _is_too_weak(sign, weight, language):
                continue
            if weight > -inf or (is_short and sign.danger):
                signs[sign.rule] = max(sign, signs.get(sign.rule, sign), key=lambda sign: sign.danger)
        if stretches and not signs and len(tokens) >= _FEWEST_WORDS:
            _, start, end = max(stretches)
            span = folded.span(tokens[start].start(), tokens[end - 1].end())
            signs[BY_WORDS.name] = Sign(BY_WORDS.name, BY_WORDS.kind, 4, 2, False, span, True, language)
    return tuple(sorted(signs.values(), key=lambda sign: (-sign.danger, sign.span)))


def _is_too_weak(sign: Sign, weight: float, language: str) -> bool:
    """Despair, violence and children page unasked, so their words must weigh more; otherwise people are asked."""
    hazard = HAZARD_OF_KIND.get(sign.kind)
    limits = _weights(language)
    return hazard is not None and hazard.unasked and weight < (limits[LOOK] + limits[PAGE]) / 2


def danger_features(text: str, language: str) -> set[str]:
    """What is weighed in a whole text."""
    folded = fold(text)
    tokens = list(WORD.finditer(folded.text))
    return _read(text, folded, tokens, language).features(0, len(tokens))


def _read(text: str, folded: FoldedText, tokens: Sequence[re.Match[str]], language: str) -> ReadText:
    groups: _Groups = {}
    marks: list[set[str]] = []
    for token in tokens:
        names, longer = _groups_of_word(language, token.group())
        spans = [(name, token.span()) for name in names]
        matches = ((matcher.rule.name, matcher.match(folded.text, token.start())) for matcher in longer)
        spans += [(name, match.span()) for name, match in matches if match is not None]
        for name, span in spans:
            groups.setdefault(name, []).append(span)
        marks.append({f"#{name}" for name, _ in spans})
    place_of = {token.start(): place for place, token in enumerate(tokens)}
    signs = []
    for rule in _COMBINATIONS[language]:
        for start, end in _meetings(rule, groups):
            sign = judge_match(rule, text, folded, start, end)
            if sign is not None and (sign.look or sign.danger):
                marks[place_of[start]] |= {f"@{' '.join(rule.all_of)}", f"@{rule.kind}"}
                signs.append((place_of[start], sign))
    return ReadText(tokens, marks, signs)


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


@lru_cache(maxsize=len(LANGUAGES))
def _weights(language: str) -> dict[str, float]:
    """The weight of each feature, and the thresholds `LOOK` and `PAGE`."""
    return read_weights("signs", language)[0]


def _heavy_stretches(reading: ReadText, language: str) -> list[tuple[float, int, int]]:
    """The stretches of words above `LOOK`: weight, and the places of their first and next word."""
    weights, count, stretches = _weights(language), len(reading.tokens), []
    for start in range(0, max(1, count - _STEP), _STEP):
        end = min(start + _WEIGHED_WORDS, count)
        weight = mean_weight(reading.features(start, end), weights)
        if weight > weights[LOOK]:
            stretches.append((weight, start, end))
    return stretches
