"""What a letter of staff to a complainant should not say: warnings with the words that cause them.

A warning is advice: the writer changes the letter or sends it as it is (4.7, 5.1, 7.8). Plain rules, sentence by
sentence; their words are in `triage/phrases/warnings_<language>.toml`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from triage.issues import split_sentences
from triage.matching import LANGUAGES, FoldedText, fold, languages_of, lines_of, read_phrases
from triage.safety.language import clear_language, words_of
from triage.text import desk_language

Span = tuple[int, int]

#: The codes, in the order in which they are shown. Events and metrics name them.
WARNINGS = ("others_data", "internal", "admission", "promise_without_date", "blaming", "wrong_language")
#: Characters of a letter that are read; the longest field of a form is shorter.
_LONGEST = 12_000
#: Of a shorter text the language is not known.
_FEWEST_LETTERS = 20
_LARGE = r"[^\W\d_a-zß-öø-ÿğışœ]"
_NAME = re.compile(rf"(?<![^\W_]){_LARGE}[^\W\d_]{{1,24}}\s{_LARGE}[^\W\d_]{{1,24}}(?![^\W_])")
_INNER_NAME = re.compile(rf"(?<=[a-z,] ){_LARGE}[^\W\d_]{{2,24}}")
_WORD = re.compile(r"[^\W\d_]{3,}")
#: The salutation ends here.
_GREETING = re.compile(r"[^,:!\n]{3,60}(?=[,:!\n])")
_ADDRESS = re.compile(
    rf"(?:(?:Frau|Herr|M[rs]s?|Sra?|Señora?)\.? )?(?P<name>{_LARGE}[^\W\d_]{{1,20}})(?: Bey| Hanım)?,\s"
)
_ADVERBS = ("ly", "mente", "weise")
#: What others said is no sentence of the writer.
_QUOTED = re.compile(r"[“„][^“”„]{1,300}[”“]|«[^»]{1,300}»|\"[^\"]{1,300}\"|‘[^’]{10,300}’")


class LetterWarning(NamedTuple):
    """A warning: its code (one of `WARNINGS`), and the span of the words that cause it, end excluded."""

    code: str
    span: Span


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence: its start in the letter, and its words as written and folded."""

    start: int
    text: str
    folded: FoldedText

    def span(self, match: re.Match[str]) -> Span:
        low, high = self.folded.span(*match.span())
        return self.start + low, self.start + high

    def words(self, span: Span) -> str:
        return self.text[span[0] - self.start : span[1] - self.start]

    @property
    def whole(self) -> Span:
        return self.start, self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The table of one kind of warning: one pattern, or the words, by key."""

    patterns: Mapping[str, re.Pattern[str]]

    def __call__(self, key: str, sentence: _Sentence) -> re.Match[str] | None:
        searched = sentence.text.lower() if key == "written" else sentence.folded.text
        return self.patterns[key].search(searched) if key in self.patterns else None

    def cause(self, sentence: _Sentence) -> Span | None:
        """The words of the first pattern, where no exception is in the sentence."""
        match = self("patterns", sentence) or self("written", sentence)
        return None if match is None or self("unless", sentence) else sentence.span(match)


def find_warnings(
    text: str,
    *,
    language: str,
    may_admit: bool,
    personal: Iterable[tuple[int, int, str]] = (),
    writes_in: str | None = None,
) -> tuple[LetterWarning, ...]:
    """The warnings for a letter, at most one for each code; never raises, in time linear in its length.

    `language` is that of the complainant's letters; `writes_in` what they write, if it is another one. With
    `may_admit` the writer may accept liability. `personal` are (start, end, kind) of names, phones, e-mails,
    addresses and numbers in the text that the caller does not know as the complainant's or the desk's; kind "name"
    for names.
    """
    text = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), text[:_LONGEST])
    sentences = _sentences(text)
    if not sentences:
        return ()
    written_in = _language(text)
    causes: dict[str, Span] = {}
    if written_in not in (None, language, writes_in):
        causes["wrong_language"] = sentences[0].whole
    # The name in the salutation is the complainant's.
    match = _GREETING.match(text)
    greeting = frozenset(_words(match.group())) if match else frozenset()
    # A name at the end is the signature.
    end = len(text.rstrip(" .,!\n"))
    named = [span for span in personal if span[1] < end or span[2] != "name"]
    for code in languages_of(written_in or language):
        rules = _phrases(code)
        for index, sentence in enumerate(sentences):
            around = sentences[max(0, index - 1) : index + 2]
            others = [span for span in named if 0 <= span[0] - sentence.start < len(sentence.text)]
            spans = {
                "internal": _internal(rules["internal"], sentence, greeting, sentences),
                "admission": None if may_admit else _admission(rules["admission"], sentence),
                "promise_without_date": _promise(rules["promise_without_date"], sentence, around),
                "blaming": rules["blaming"].cause(sentence),
                "others_data": _others_data(rules["others_data"], sentence, others, greeting),
            }
            for kind, span in spans.items():
                if span is not None:
                    causes.setdefault(kind, span)
    return tuple(LetterWarning(kind, causes[kind]) for kind in WARNINGS if kind in causes)


def _language(text: str) -> str | None:
    """The language of the letter, where that is sure: by its frequent words, which is faster, or by the model."""
    if sum(map(str.isalpha, text)) < _FEWEST_LETTERS:
        return None
    written_in, is_sure = clear_language(words_of(text), LANGUAGES), True
    if written_in is None:
        written_in, is_sure = desk_language(text, LANGUAGES)
    return written_in if is_sure else None


def _admission(rules: _Rules, sentence: _Sentence) -> Span | None:
    """An accepted liability: the words for it, or a word of the law about what we did."""
    legal = rules("legal", sentence)
    if legal and rules("we", sentence) and not (rules("unless", sentence) or rules("legal_unless", sentence)):
        return sentence.span(legal)
    return rules.cause(sentence)


def _promise(rules: _Rules, sentence: _Sentence, around: Iterable[_Sentence]) -> Span | None:
    """A promise without a date. A date in the sentence before or after it counts, unless it says "soon"."""
    if rules("dated", sentence) or rules("unless", sentence):
        return None
    span, is_vague = rules.cause(sentence), rules("vague", sentence)
    if is_vague and (span or rules("weak", sentence)):
        return sentence.whole
    return None if any(rules("dated", other) for other in around) else span


def _internal(
    rules: _Rules, sentence: _Sentence, greeting: frozenset[str], letter: Sequence[_Sentence]
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
    names = {word for other in before for name in _INNER_NAME.findall(other.text) for word in _words(name)}
    is_other = names - greeting or any(rules("persons", other) for other in before)
    return None if is_other else sentence.span(pronoun)


def _address(rules: _Rules, sentence: _Sentence, greeting: frozenset[str]) -> Span | None:
    """A sentence that begins with a colleague's name: "Tom, please check"."""
    match = _ADDRESS.match(sentence.text)
    if match is None:
        return None
    word = fold(match["name"]).text
    if word in greeting or word.endswith(_ADVERBS) or rules.patterns["no_names"].fullmatch(word):
        return None
    follows = rules.patterns["after_name"].match(fold(sentence.text[match.end() :]).text)
    return sentence.whole if follows else None


def _others_data(
    rules: _Rules, sentence: _Sentence, personal: Iterable[tuple[int, int, str]], greeting: frozenset[str]
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
    names = [span for span in names if greeting.isdisjoint(_words(sentence.words(span)))]
    if contacts and (is_of_other or (names and not staff)):
        return contacts[0]
    private = rules("sensitive", sentence)
    if private and (is_of_other or names or staff) and not rules("own_sensitive", sentence):
        return sentence.span(private)
    return names[0] if third and names and not staff else None


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text).text)


def _sentences(text: str) -> list[_Sentence]:
    """The sentences; a line break ends one."""
    sentences: list[_Sentence] = []
    position = 0
    for line in text.splitlines(keepends=True):
        for start, end in split_sentences(line):
            sentences.append(_Sentence(position + start, line[start:end], fold(line[start:end])))
        position += len(line)
    return sentences


@lru_cache(maxsize=8)
def _phrases(language: str) -> Mapping[str, _Rules]:
    """The tables of a language, compiled: a space in a pattern is a short gap, in which a comma may be."""
    table = read_phrases("warnings", language)
    return {
        kind: _Rules({key: _compile(key, lines) for key, lines in keys.items()})
        for kind, keys in table.items()
    }


def _compile(key: str, lines: str) -> re.Pattern[str]:
    if key == "no_names":
        return re.compile("|".join(lines.split()))
    patterns = "|".join(
        line.replace(" ?", r"\s{0,3}").replace(" ", r"[\s,]{1,3}") for line in lines_of(lines)
    )
    return re.compile(rf"(?<![^\W_])(?:{patterns})(?![^\W_])")
