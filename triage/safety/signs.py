"""Signs of harm in a text, which may only raise the assessment (clauses 7.4, 7.5).

Standard library only, and fast, because it runs in the transaction of every message. The rules of all languages read
every text: people mix languages, and a missed sign costs more than a second look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triage.matching import LANGUAGES, FoldedText, fold
from triage.safety.language import spoken_languages
from triage.safety.negation import SignScope, find_scope, write_out
from triage.safety.organisation import ORGANISATION, DangerSign, index_own_signs
from triage.safety.rules import (
    GROUP,
    Rule,
    RuleIndex,
    compile_search,
    index_rules,
    read_combinations,
    read_groups,
    read_rules,
)

_COMBINATIONS = tuple(rule for language in LANGUAGES for rule in read_combinations(language))
BUILT_IN: tuple[Rule, ...] = (
    *(rule for language in LANGUAGES for rule in read_rules(language)),
    *_COMBINATIONS,
)
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rule.kind for rule in BUILT_IN))

_INDEX = index_rules((*BUILT_IN, *(rule for language in LANGUAGES for rule in read_groups(language))))
_TOKEN = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(
    r"[.!?…;\n\r]+(?=\s|$|[^\d\w])|[\n\r]|\b(?:but|however|although|ama|fakat|ancak|lakin|aber|jedoch|doch|"
    r"allerdings|pero|sin embargo|aunque)\b"
)
# Characters before and after a sign in which its sentence must end; longer ones are prose without full stops.
_WINDOW = 400
# The places of the word groups of a text, by language and name.
type _Groups = dict[tuple[str, str], list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of harm: the rule that matched, the floors that it sets, and where it is in the text as written.

    `severity` (1-5) and `safety` (0-3) are floors on the scales of docs/domain.md, section 4. With `danger` (present
    danger) the bot answers at once and people are paged; with `look` (likely, not certain) a person should look
    within the hour. `span` is (start, end), end excluded. `language` is that of the rule, "" where it has none.
    """

    rule: str
    kind: str
    severity: int
    safety: int
    danger: bool
    span: tuple[int, int]
    look: bool = False
    language: str = ""


def find_signs(text: str, *, extra: Sequence[DangerSign] = ()) -> tuple[Sign, ...]:
    """The signs of harm in any text, gravest first, each rule once; never raises.

    `extra` are the organisation's own danger signs. What is denied ("no injuries", "kimse yaralanmadı") is left out.
    What could have happened is kept with severity 3 and safety 1, because severity includes potential harm. What is
    over and repaired is no present danger.
    """
    by_rule = match_rules(text, *((_INDEX, index_own_signs(extra)) if extra else (_INDEX,)))
    kept = [sign for sign in by_rule.values() if not any(_covers(other, sign) for other in by_rule.values())]
    return tuple(sorted(kept, key=lambda sign: (-sign.danger, -sign.look, -sign.severity, -sign.safety, sign.span)))


def match_rules(text: str, *indexes: RuleIndex) -> dict[str, Sign]:
    """The first match of each rule that is not denied, by the rule's name."""
    folded = fold(text)
    by_rule: dict[str, Sign] = {}
    groups: _Groups = {}
    tokens = list(_TOKEN.finditer(folded.text))
    spoken = spoken_languages((token.group() for token in tokens), LANGUAGES)
    for token in tokens:
        word = token.group()
        for index in indexes:
            for matcher in index.matchers(word):
                rule = matcher.rule
                # The everyday words of a group mean something else in another language: "die", "hat", "war".
                if rule.name in by_rule or (rule.kind == GROUP and rule.language not in spoken):
                    continue
                match = matcher.match(folded.text, token.start())
                if match is None:
                    continue
                if rule.kind == GROUP:
                    groups.setdefault((rule.language, rule.name), []).append(match.span())
                    continue
                sign = _judge(rule, text, folded, *match.span())
                if sign is not None:
                    by_rule.setdefault(sign.rule, sign)
    for rule in _combined(groups) if groups else ():
        for start, end in _meetings(rule, groups) if rule.name not in by_rule else ():
            sign = _judge(rule, text, folded, start, end)
            if sign is not None:
                by_rule.setdefault(sign.rule, sign)
                break
    return by_rule


def _combined(groups: _Groups) -> Iterator[Rule]:
    """The combinations all of whose word groups occur, in the order of their file."""
    for rule in _COMBINATIONS:
        if all((rule.language, group) in groups for group in rule.all_of):
            yield rule


def _meetings(rule: Rule, groups: _Groups) -> Iterator[tuple[int, int]]:
    """The places of the first group near which all others occur and none of the excluded."""

    def near(group: str, place: int) -> bool:
        return any(abs(start - place) <= rule.within for start, _ in groups.get((rule.language, group), ()))

    for start, end in groups[rule.language, rule.all_of[0]]:
        if all(near(group, start) for group in rule.all_of) and not any(
            near(group, start) for group in rule.none_of
        ):
            yield start, end


def _judge(rule: Rule, text: str, folded: FoldedText, start: int, end: int) -> Sign | None:
    """The sign of a match at folded `start` to `end`; None where its sentence denies or excludes it."""
    low, high = _sentence_bounds(folded.text, start, end)
    sentence = folded.text[low:high]
    if rule.needs and not compile_search(rule.needs).search(sentence):
        return None
    if rule.unless and compile_search(rule.unless).search(sentence):
        return None
    span = folded.span(start, end)
    sentence_start = folded.span(low, start)[0] if low < start else span[0]
    scope = find_scope(
        sentence,
        start - low,
        end - low,
        written=write_out(text[sentence_start : span[0]]),
        rule=rule,
    )
    if scope is SignScope.DENIED:
        return None
    if scope is SignScope.POSSIBLE:
        return Sign(
            f"{rule.name}_possible", rule.kind, min(rule.severity, 3), min(rule.safety, 1), False, span, language=rule.language
        )
    if scope is SignScope.PAST and rule.danger:
        return Sign(f"{rule.name}_past", rule.kind, rule.severity, min(rule.safety, 2), False, span, language=rule.language)
    return Sign(rule.name, rule.kind, rule.severity, rule.safety, rule.danger, span, rule.look, rule.language)


def _sentence_bounds(folded: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the clause around a sign: a full stop, a line break or a "but" ends it."""
    low, high = max(0, start - _WINDOW), min(len(folded), end + _WINDOW)
    for stop in _SENTENCE_END.finditer(folded, low, start):
        low = stop.end()
    after = _SENTENCE_END.search(folded, end, high)
    return low, after.start() if after else high


def _covers(other: Sign, sign: Sign) -> bool:
    """Whether a graver sign of the same kind makes this one redundant; an organisation's own signs are all kept."""
    if other.kind != sign.kind or sign.kind == ORGANISATION:
        return False
    floors, other_floors = _floors(sign), _floors(other)
    return other_floors != floors and all(a >= b for a, b in zip(other_floors, floors, strict=True))


def _floors(sign: Sign) -> tuple[bool, bool, int, int]:
    return sign.danger, sign.danger or sign.look, sign.severity, sign.safety
