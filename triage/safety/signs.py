"""Signs of harm in a text, which may only raise the assessment (clauses 7.4, 7.5).

Standard library only, and fast, because it runs in the transaction of every message. The rules of all languages read
every text: people mix languages, and a missed sign costs more than a second look.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from triage.matching import LANGUAGES, FoldedText, fold
from triage.safety.negation import SignScope, find_scope, write_out
from triage.safety.organisation import ORGANISATION, DangerSign, index_own_signs
from triage.safety.safety_rules import Rule, RuleIndex, compile_search, index_rules, read_rules

BUILT_IN: tuple[Rule, ...] = tuple(rule for language in LANGUAGES for rule in read_rules(language))
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rule.kind for rule in BUILT_IN))

#: The kind of a danger whose hazard is not clear, and how the rule of a sign of the danger model ends, after its kind
#: (`triage.reader.danger`): `gas_likely`.
UNCLEAR, LIKELY = "danger", "_likely"

_INDEX = index_rules(BUILT_IN)
_TOKEN = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(
    r"[.!?…;\n\r]+(?=\s|$|[^\d\w])|[\n\r]|\b(?:but|however|although|ama|fakat|ancak|lakin|aber|jedoch|doch|"
    r"allerdings|pero|sin embargo|aunque)\b"
)
# Characters before and after a sign in which its sentence must end; longer ones are prose without full stops.
_WINDOW = 400


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of harm: the rule that matched, the floors that it sets, and where it is in the text as written.

    `severity` (1-5) and `safety` (0-3) are floors on the scales of docs/domain.md, section 4. With `danger` (present
    danger) the bot answers at once and people are paged; with `look` (likely, not certain) a person looks within the
    hour. `span` is (start, end), end excluded. `language` is that of the rule, "" where it has none. `hazards`: those
    that it may be about where none is clear, the likeliest first.
    """

    rule: str
    kind: str
    severity: int
    safety: int
    danger: bool
    span: tuple[int, int]
    look: bool = False
    language: str = ""
    hazards: tuple[str, ...] = ()


def find_signs(text: str, *, extra: Sequence[DangerSign] = ()) -> tuple[Sign, ...]:
    """The signs of harm in any text, gravest first, each rule once; never raises.

    `extra` are the organisation's own danger signs. What is denied ("no injuries", "kimse yaralanmadı") is left out.
    What could have happened is kept with severity 3 and safety 1, because severity includes potential harm. What is
    over and repaired is no present danger.
    """
    by_rule = match_rules(text, *((_INDEX, index_own_signs(extra)) if extra else (_INDEX,)))
    kept = [sign for sign in by_rule.values() if not any(_covers(other, sign) for other in by_rule.values())]
    return tuple(sorted(kept, key=lambda sign: (-sign.danger, -sign.severity, -sign.safety, sign.span)))


def match_rules(text: str, *indexes: RuleIndex) -> dict[str, Sign]:
    """The first match of each rule that is not denied, by the rule's name."""
    folded = fold(text)
    by_rule: dict[str, Sign] = {}
    for token in _TOKEN.finditer(folded.text):
        word = token.group()
        for index in indexes:
            for matcher in index.matchers(word):
                if matcher.rule.name in by_rule:
                    continue
                match = matcher.match(folded.text, token.start())
                if match is None:
                    continue
                sign = judge_match(matcher.rule, text, folded, *match.span())
                if sign is not None:
                    by_rule.setdefault(sign.rule, sign)
    return by_rule


def judge_match(rule: Rule, text: str, folded: FoldedText, start: int, end: int) -> Sign | None:
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
        is_question=folded.text[high : high + 1] == "?",
    )
    if scope is SignScope.DENIED:
        return None
    if scope is SignScope.POSSIBLE:
        severity, safety = min(rule.severity, 3), min(rule.safety, 1)
        return Sign(f"{rule.name}_possible", rule.kind, severity, safety, False, span, language=rule.language)
    if scope is SignScope.PAST and rule.danger:
        safety = min(rule.safety, 2)
        return Sign(
            f"{rule.name}_past", rule.kind, rule.severity, safety, False, span, language=rule.language
        )
    return Sign(rule.name, rule.kind, rule.severity, rule.safety, rule.danger, span, language=rule.language)


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


def _floors(sign: Sign) -> tuple[bool, int, int]:
    return sign.danger, sign.severity, sign.safety
