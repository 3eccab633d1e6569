"""Safety rules: signs of harm in what a person wrote, which may only raise the assessment (clauses 7.4, 7.5).

Standard library only, and fast: it runs in the transaction of every message. Every language's rules look at
every text, because people mix languages and a missed sign costs more than a second look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from triage.folding import Folded, fold
from triage.names import SUFFIX, named_people
from triage.rule import KEY, Rule, compile_pattern, compile_search, leads, read_rules
from triage.scope import Standing, standing, write_out

__all__ = ["BUILT_IN", "KINDS", "DangerSign", "Sign", "named_people", "own_sign", "signs"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign found: the rule's name, its floors and where it stands in the text as written.

    `severity` 1-5 and `safety` 0-3 are floors on the scales of `iso10002.md` section 4. `danger` is present
    danger: the bot speaks at once and people are paged. `span` is (start, end), end not included.
    """

    rule: str
    kind: str
    severity: int
    safety: int
    danger: bool
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DangerSign:
    """An organisation's own `[[danger]]`: words that page people, and what the bot says first.

    `number` is the emergency number put into `text`, which holds the sentence per language. These signs
    pass the same tests for denial and doubt as the built-in ones, are added to them and never replace them.
    """

    signs: tuple[str, ...]
    number: str | None
    text: Mapping[str, str]
    name: str


#: The kind of an organisation's own signs: `own.smell_of_gas`.
ORGANISATION = "own"
LANGUAGES = ("en", "tr", "de", "es")
BUILT_IN: tuple[Rule, ...] = tuple(rule for language in LANGUAGES for rule in read_rules(language))
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rule.kind for rule in BUILT_IN))

_TOKEN = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(
    r"[.!?…;\n\r]+(?=\s|$|[^\d\w])|[\n\r]|\b(?:but|however|although|ama|fakat|ancak|lakin|aber|jedoch|doch|"
    r"allerdings|pero|sin embargo|aunque)\b"
)
_GAP = r"[\x20\t\-_'\"*]{1,3}"
# How far around a sign its sentence may reach; longer ones are prose without full stops.
_WINDOW = 400
# After these an organisation's own bare word is an account or a product, not a danger: "gas bill", "yangın
# sigortası".
_ADMINISTRATIVE = (
    r"(?!"
    + _GAP
    + r"(?:bills?|billing|invoices?|meters?|prices?|pricing|tariffs?|accounts?|contracts?|company|companies|"
    r"suppl(?:y|ier|iers)|payments?|charges?|readings?|rates?|engineers?|cards?|insurance|bonus|stations?|customers?|"
    r"department|boilers?|cookers?|hobs?|ovens?|services?|certificates?|alarms?|doors?|exits?|drills?|fatura\w*|sayac\w*|"
    r"abone\w*|sozlesme\w*|fiyat\w*|ucret\w*|dagitim\w*|sirket\w*|tarife\w*|borc\w*|hesab\w*|parasi\w*|sigorta\w*|"
    r"kart\w*|odeme\w*)\b)"
)


@dataclass(frozen=True, slots=True)
class _Matcher:
    """A pattern of a rule; `order` is its place among all, `starts` what the words it may open begin with."""

    order: int
    rule: Rule
    pattern: str | re.Pattern[str]
    starts: tuple[str, ...] = ()

    def match(self, folded: str, place: int) -> re.Match[str] | None:
        pattern = self.pattern if isinstance(self.pattern, re.Pattern) else compile_pattern(self.pattern)
        return pattern.match(folded, place)


@dataclass(frozen=True, slots=True)
class Index:
    """Patterns by the whole word that they begin with, or by the first letters of the words they may."""

    by_word: dict[str, list[_Matcher]] = field(default_factory=dict)
    by_letters: dict[str, list[_Matcher]] = field(default_factory=dict)

    def at(self, word: str) -> list[_Matcher]:
        """The patterns to try at a word, in the order of their files."""
        exact = self.by_word.get(word, [])
        begun = [one for one in self.by_letters.get(word[:KEY], ()) if word.startswith(one.starts)]
        return sorted([*exact, *begun], key=_order) if exact and begun else exact or begun


def _order(matcher: _Matcher) -> int:
    return matcher.order


def index_of(rules: Iterable[Rule]) -> Index:
    """The patterns of rules by the letters that lead to them."""
    index = Index()
    patterns = ((rule, pattern) for rule in rules for pattern in rule.patterns)
    for order, (rule, pattern) in enumerate(patterns):
        starts: dict[str, list[str]] = {}
        for lead in sorted(leads(pattern)):
            if lead.whole:
                index.by_word.setdefault(lead.letters, []).append(_Matcher(order, rule, pattern))
            else:
                starts.setdefault(lead.key, []).append(lead.letters)
        for key, letters in starts.items():
            index.by_letters.setdefault(key, []).append(_Matcher(order, rule, pattern, tuple(letters)))
    return index


_INDEX = index_of(BUILT_IN)


def own_sign(wordings: Sequence[str], number: str | None, text: Mapping[str, str]) -> DangerSign:
    """An organisation's `[[danger]]` entry as a sign, named after its first wording: `smell_of_gas`."""
    name = "_".join(_TOKEN.findall(fold(wordings[0] if wordings else "").text))
    return DangerSign(tuple(wordings), number, text, name or "sign")


def _own_index(extra: Sequence[DangerSign]) -> Index:
    """The organisation's signs as matchers; they are settings, so a bare word is taken with its endings."""
    index = Index()
    for sign in extra:
        rule = Rule(sign.name, ORGANISATION, 5, 3, True, (), suspicion=True)
        for wording in sign.signs:
            words = _TOKEN.findall(fold(wording).text)
            if not words:
                continue
            pattern = r"[^\w\n]{1,3}".join(re.escape(word) for word in words) + SUFFIX + r"(?![^\W_])"
            if len(words) == 1:
                pattern += _ADMINISTRATIVE
            matcher = _Matcher(0, rule, re.compile(pattern), (words[0],))
            index.by_letters.setdefault(words[0][:KEY], []).append(matcher)
    return index


def _sentence(folded: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the clause around a sign: a full stop, a new line or a "but" ends it."""
    low, high = max(0, start - _WINDOW), min(len(folded), end + _WINDOW)
    for stop in _SENTENCE_END.finditer(folded, low, start):
        low = stop.end()
    after = _SENTENCE_END.search(folded, end, high)
    return low, after.start() if after else high


def _judge(matcher: _Matcher, text: str, folded: Folded, start: int, end: int) -> Sign | None:
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
    )
    if stands is Standing.DENIED:
        return None
    if stands is Standing.POSSIBLE:
        return Sign(
            f"{rule.name}_possible", rule.kind, min(rule.severity, 3), min(rule.safety, 1), False, span
        )
    if stands is Standing.PAST and rule.danger:
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
    found = found_by(text, *((_INDEX, _own_index(extra)) if extra else (_INDEX,)))
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
