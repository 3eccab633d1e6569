"""Safety rules: signs of harm in what a person wrote, which may only raise the assessment (clauses 7.4, 7.5).

Standard library only, and fast: it runs in the transaction of every message. Every language's rules look at
every text, because people mix languages and a missed sign costs more than a second look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from triage.folding import FoldedText, fold
from triage.safety.negation import SignScope, standing, write_out
from triage.safety.own_signs import ORGANISATION, DangerSign, own_index, own_sign
from triage.safety.rules import Index, Matcher, Rule, compile_search, index_of, read_rules
from triage.safety.staff_names import named_people

__all__ = ["BUILT_IN", "KINDS", "ORGANISATION", "DangerSign", "Sign", "named_people", "own_sign", "signs"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign found: the rule's name, its floors and where it stands in the text as written.

    `severity` 1-5 and `safety` 0-3 are floors on the scales of docs/domain.md, section 4. `danger` is present
    danger: the bot speaks at once and people are paged. `span` is (start, end), end not included.
    """

    rule: str
    kind: str
    severity: int
    safety: int
    danger: bool
    span: tuple[int, int]


LANGUAGES = ("en", "tr", "de", "es")
BUILT_IN: tuple[Rule, ...] = tuple(rule for language in LANGUAGES for rule in read_rules(language))
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rule.kind for rule in BUILT_IN))

_TOKEN = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(
    r"[.!?…;\n\r]+(?=\s|$|[^\d\w])|[\n\r]|\b(?:but|however|although|ama|fakat|ancak|lakin|aber|jedoch|doch|"
    r"allerdings|pero|sin embargo|aunque)\b"
)
# How far around a sign its sentence may reach; longer ones are prose without full stops.
_WINDOW = 400

_INDEX = index_of(BUILT_IN)


def _sentence(folded: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the clause around a sign: a full stop, a new line or a "but" ends it."""
    low, high = max(0, start - _WINDOW), min(len(folded), end + _WINDOW)
    for stop in _SENTENCE_END.finditer(folded, low, start):
        low = stop.end()
    after = _SENTENCE_END.search(folded, end, high)
    return low, after.start() if after else high


def _judge(matcher: Matcher, text: str, folded: FoldedText, start: int, end: int) -> Sign | None:
    rule = matcher.rule
    low, high = _sentence(folded.text, start, end)
    sentence = folded.text[low:high]
    if rule.needs and not compile_search(rule.needs).search(sentence):
        return None
    if rule.unless and compile_search(rule.unless).search(sentence):
        return None
    span = folded.span(start, end)
    begins = folded.span(low, start)[0] if low < start else span[0]
    stands = standing(
        sentence,
        start - low,
        end - low,
        written=write_out(text[begins : span[0]]),
        language=rule.language,
        negatable=rule.negatable,
        possible=rule.possible,
        suspicion=rule.suspicion,
        conditional=rule.conditional,
    )
    if stands is SignScope.DENIED:
        return None
    if stands is SignScope.POSSIBLE:
        return Sign(
            f"{rule.name}_possible", rule.kind, min(rule.severity, 3), min(rule.safety, 1), False, span
        )
    if stands is SignScope.PAST and rule.danger:
        return Sign(f"{rule.name}_past", rule.kind, rule.severity, min(rule.safety, 2), False, span)
    return Sign(rule.name, rule.kind, rule.severity, rule.safety, rule.danger, span)


def _floors(sign: Sign) -> tuple[bool, int, int]:
    return sign.danger, sign.severity, sign.safety


def _covers(other: Sign, sign: Sign) -> bool:
    """Whether a graver sign of the same kind makes this one idle; an organisation's own signs all stand."""
    if other.kind != sign.kind or sign.kind == ORGANISATION:
        return False
    mine, theirs = _floors(sign), _floors(other)
    return theirs != mine and all(a >= b for a, b in zip(theirs, mine, strict=True))


def signs(text: str, *, extra: Sequence[DangerSign] = ()) -> tuple[Sign, ...]:
    """The signs of harm in a text, gravest first, none twice; never raises, whatever the text.

    What is denied ("no injuries", "kimse yaralanmadı") is left out; what could have happened is kept with
    severity 3 and safety 1, because severity counts harm "actual or potential"; what is over and mended is
    no present danger.
    """
    found = found_by(text, *((_INDEX, own_index(extra)) if extra else (_INDEX,)))
    kept = [sign for sign in found.values() if not any(_covers(other, sign) for other in found.values())]
    return tuple(sorted(kept, key=lambda sign: (-sign.danger, -sign.severity, -sign.safety, sign.span)))


def found_by(text: str, *indexes: Index) -> dict[str, Sign]:
    """The first hit of each rule that stands in a text, by the rule's name: what is denied is left out."""
    folded = fold(text)
    found: dict[str, Sign] = {}
    for token in _TOKEN.finditer(folded.text):
        word = token.group()
        for index in indexes:
            for matcher in index.at(word):
                if matcher.rule.name in found:
                    continue
                hit = matcher.match(folded.text, token.start())
                if hit is None:
                    continue
                sign = _judge(matcher, text, folded, hit.start(), hit.end())
                if sign is not None:
                    found.setdefault(sign.rule, sign)
    return found
