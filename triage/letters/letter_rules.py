"""The rules for what a letter of staff should not say: the words that they find in each sentence.

Their words are in `triage/phrases/warnings_<language>.toml`. `triage.letters.letter_sentences` weighs what they find.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from triage.matching import FoldedText, fold, lines_of, read_phrases
from triage.sentences import split_sentences

Span = tuple[int, int]

_LARGE = r"[^\W\d_a-zß-öø-ÿğışœ]"
_NAME = re.compile(rf"(?<![^\W_]){_LARGE}[^\W\d_]{{1,24}}\s{_LARGE}[^\W\d_]{{1,24}}(?![^\W_])")
_TITLED = re.compile(
    r"\b(?:M(?:rs?|s|iss)|Dr|Frau|Herrn?|Fam(?:ilie)?|Sra?|[Ss]eñor(?:a|ita)?|[Dd]o(?:n|ña)|licenciad[oa])\b\.? "
    rf"{_LARGE}[^\W\d_]{{1,24}}|{_LARGE}[^\W\d_]{{1,24}} (?:Hanım|Bey)"
)
_INNER_NAME = re.compile(rf"(?<=[a-z,] ){_LARGE}[^\W\d_]{{2,24}}")
_WORD = re.compile(r"[^\W\d_]{3,}")
_ADDRESS = re.compile(
    rf"[(¿¡]?(?:(?:Frau|Herr|M[rs]s?|Sra?|Señora?)\.? )?(?P<name>{_LARGE}[^\W\d_]{{1,20}})"
    rf"(?: Bey| Hanım)?(?P<end>,| [–-]|:)\s"
)
#: A note in a sentence is one of its own: "(Draft!) Dear ...".
_PART = re.compile(r"(?:(?!(?<=[)\]>!?])\s+[^\W\d_]|(?<=--)\s|\s--).)+", re.DOTALL)
#: Here a sentence ends, and not at a bracket or "on the 31.".
_ENDS = re.compile(r"(?<!\d)[.!?…][\s)\]\"'”’]*$|\d[!?]\s*$")
#: A clause ends here.
_CLAUSE = re.compile(r"[,;:()–]| (?:and|but|und|aber|y|pero|ve|ama|fakat|so|dass|que|which|where) ")
_ADVERBS = ("ly", "mente", "weise")
#: What others said is no sentence of the writer.
_QUOTED = re.compile(r"[“„][^“”„]{1,300}[”“]|«[^»]{1,300}»|\"[^\"]{1,300}\"|‘[^’]{10,300}’")


@dataclass(frozen=True, slots=True)
class LetterSentence:
    """A sentence: its start in the letter, and its words as written and folded."""

    start: int
    text: str
    folded: FoldedText
    matches: dict[int, re.Match[str] | None] = field(default_factory=dict, compare=False)

    def span(self, match: re.Match[str]) -> Span:
        low, high = self.folded.span(*match.span())
        return self.start + low, self.start + high

    def words(self, span: Span) -> str:
        return self.text[span[0] - self.start : span[1] - self.start]

    @property
    def whole(self) -> Span:
        return self.start, self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class LetterRules:
    """The table of one kind of warning: one pattern, or the words, by key."""

    patterns: Mapping[str, re.Pattern[str]]

    def __call__(self, key: str, sentence: LetterSentence) -> re.Match[str] | None:
        pattern = self.patterns.get(key)
        if pattern is None:
            return None
        # A rule is asked several times, and searching is most of the time of a letter. Hashing a pattern is slow.
        number = id(pattern)
        if number not in sentence.matches:
            searched = sentence.text.lower() if key == "written" else sentence.folded.text
            sentence.matches[number] = pattern.search(searched)
        return sentence.matches[number]

    def cause(self, sentence: LetterSentence) -> Span | None:
        """The words of the first pattern, where no exception is in the sentence."""
        match = self("patterns", sentence) or self("written", sentence)
        return None if match is None or self("unless", sentence) else sentence.span(match)


@dataclass(frozen=True, slots=True)
class SplitLetter:
    """A letter with blanks in place of what it quotes, and its sentences."""

    text: str
    sentences: Sequence[LetterSentence]


def split_letter(written: str) -> SplitLetter:
    """The sentences; a line break ends one."""
    text = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), written)
    sentences: list[LetterSentence] = []
    position = 0
    for line in text.splitlines(keepends=True):
        for start, end in split_sentences(line):
            sentences += [
                LetterSentence(position + part.start(), part.group(), fold(part.group()))
                for part in _PART.finditer(line, start, end)
            ]
        position += len(line)
    return SplitLetter(text, sentences)


@lru_cache(maxsize=8)
def letter_rules(language: str) -> Mapping[str, LetterRules]:
    """The tables of a language, compiled: a space in a pattern is a short gap, in which a comma may be."""
    table = read_phrases("warnings", language)
    return {
        kind: LetterRules({key: compile_patterns(key, lines) for key, lines in keys.items()})
        for kind, keys in table.items()
    }


def compile_patterns(key: str, lines: str) -> re.Pattern[str]:
    if key == "no_names":
        return re.compile("|".join(lines.split()))
    patterns = "|".join(
        line.replace(" ?", r"\s{0,3}").replace(" ", r"[\s,]{1,3}") for line in lines_of(lines)
    )
    return re.compile(rf"(?<![^\W_])(?:{patterns})(?![^\W_])")


def words_in(text: str) -> list[str]:
    return _WORD.findall(fold(text).text)


def find_admission(rules: LetterRules, sentence: LetterSentence) -> Span | None:
    """An accepted liability: the words for it, or a word of the law about what we did."""
    legal = rules("legal", sentence)
    if legal and rules("we", sentence) and not (rules("unless", sentence) or rules("legal_unless", sentence)):
        return sentence.span(legal)
    return rules.cause(sentence)


def find_dated(rules: LetterRules, sentences: Sequence[LetterSentence]) -> list[bool]:
    """Whether each sentence has a day, or is one with a part that has it: "You get it (9.80) on Friday"."""
    dated = [bool(rules("dated", sentence)) for sentence in sentences]
    goes_on = [not _ENDS.search(sentence.text) for sentence in sentences]
    return [
        is_dated
        or (index > 0 and goes_on[index - 1] and dated[index - 1])
        or (goes_on[index] and any(dated[index + 1 : index + 2]))
        for index, is_dated in enumerate(dated)
    ]


def find_promise(
    rules: LetterRules, sentence: LetterSentence, around: Iterable[LetterSentence], *, is_dated: bool
) -> Span | None:
    """A promise without a date. A date in the sentence before or after it counts, unless it says "soon"."""
    if is_dated or rules("unless", sentence):
        return None
    span, is_vague = rules.cause(sentence), rules("vague", sentence)
    if is_vague and (span or rules("weak", sentence)):
        return sentence.whole
    return None if any(_gives_day(rules, other) for other in around) else span


def _gives_day(rules: LetterRules, sentence: LetterSentence) -> bool:
    """Whether a sentence says when something will happen, and not only when something did."""
    return bool(rules("dated", sentence)) and bool(rules.cause(sentence) or rules("follows", sentence))


def promise_marks(rules: LetterRules, sentence: LetterSentence, *, is_dated: bool) -> dict[str, bool]:
    """What the clauses without a day promise."""
    clauses = _CLAUSE.split(sentence.folded.text)
    undated = [clause for clause in clauses if not rules.patterns["dated"].search(clause)]
    keys = {"undated_clause": "patterns", "weak_clause": "weak", "vague_clause": "vague"}
    marks = {mark: any(map(rules.patterns[key].search, undated)) for mark, key in keys.items()}
    return marks | {"dated": is_dated, "undated": not is_dated, "undated_end": clauses[-1] in undated}


def has_full_name(
    rules: LetterRules,
    sentence: LetterSentence,
    personal: Iterable[tuple[int, int, str]],
    greeting: frozenset[str],
) -> bool:
    """Two names in a row, not of the complainant and not in an address."""
    contacts = [span for span in personal if span[2] != "name"]
    for match in _NAME.finditer(sentence.text):
        words, (low, high) = words_in(match.group()), (sentence.start + end for end in match.span())
        is_known = greeting.intersection(words) or any(map(rules.patterns["no_names"].fullmatch, words))
        if (
            len(words) == 2
            and not is_known
            and not any(low < span[1] and span[0] < high for span in contacts)
        ):
            return True
    return False


def has_titled_name(sentence: LetterSentence, greeting: frozenset[str]) -> bool:
    """A person with a title who is not the complainant: "Mrs Dyer", "Fatma Hanım"."""
    return any(greeting.isdisjoint(words_in(match.group())) for match in _TITLED.finditer(sentence.text))


def find_internal(
    rules: LetterRules, sentence: LetterSentence, greeting: frozenset[str], letter: Sequence[LetterSentence]
) -> Span | None:
    """Words for colleagues, also in the familiar form in a formal letter."""
    familiar = rules("familiar", sentence)
    # "Şen" is a name.
    is_familiar = familiar and sentence.words(sentence.span(familiar)).islower()
    if familiar and is_familiar and any(rules("formal", other) for other in letter):
        return sentence.span(familiar)
    is_first = sentence is letter[0]
    cause = rules.cause(sentence) or (None if is_first else _address(rules, sentence, greeting))
    pronoun = rules("pronouns", sentence)
    if cause or not pronoun or rules("reader", sentence):
        return cause
    # "She will give up" is about the complainant where no other woman is in the letter so far.
    before = [other for other in letter if other.start <= sentence.start]
    names = {word for other in before for name in _INNER_NAME.findall(other.text) for word in words_in(name)}
    is_other = names - greeting or any(rules("persons", other) for other in before)
    return None if is_other else sentence.span(pronoun)


def _address(rules: LetterRules, sentence: LetterSentence, greeting: frozenset[str]) -> Span | None:
    """A sentence that begins with a colleague's name: "Tom, please check"."""
    match = addressed_name(rules, sentence, greeting)
    if match is None or match["end"] != ",":
        return None
    follows = rules.patterns["after_name"].match(fold(sentence.text[match.end() :]).text)
    return sentence.whole if follows else None


def addressed_name(
    rules: LetterRules, sentence: LetterSentence, greeting: frozenset[str]
) -> re.Match[str] | None:
    """The name at the beginning of a sentence, where it is not the complainant's."""
    match = _ADDRESS.match(sentence.text)
    word = fold(match["name"]).text if match else ""
    is_no_name = word in greeting or word.endswith(_ADVERBS) or rules.patterns["no_names"].fullmatch(word)
    return None if is_no_name else match


def find_others(
    rules: LetterRules,
    sentence: LetterSentence,
    personal: Iterable[tuple[int, int, str]],
    greeting: frozenset[str],
) -> Span | None:
    """A name or a contact next to words for another person, or something private of a person."""
    third, staff = rules("third", sentence), rules("staff", sentence)
    is_of_other = third or (rules("pronouns", sentence) and not rules("own", sentence))
    contacts = [(start, end) for start, end, kind in personal if kind != "name"]
    names = [(start, end) for start, end, kind in personal if kind == "name"]
    no_names = rules.patterns.get("no_names")
    for match in _NAME.finditer(sentence.text):
        low, high = sentence.start + match.start(), sentence.start + match.end()
        is_name = no_names is None or not no_names.fullmatch(fold(match.group().split()[0]).text)
        if is_name and not any(start < high and low < end for start, end in contacts):
            names.append((low, high))
    names = [span for span in names if greeting.isdisjoint(words_in(sentence.words(span)))]
    if contacts and (is_of_other or (names and not staff)):
        return contacts[0]
    private = rules("sensitive", sentence)
    if private and (is_of_other or names or staff) and not rules("own_sensitive", sentence):
        return sentence.span(private)
    return names[0] if third and names and not staff else None
