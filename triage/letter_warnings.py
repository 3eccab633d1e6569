"""What a letter of staff to a complainant should not say: warnings with the words that cause them.

A warning is advice: the writer changes the letter or sends it as it is (4.7, 5.1, 7.8). Plain rules, sentence by
sentence; their words are in `triage/phrases/warnings_<language>.toml`. What the rules find is weighed together with
the words of the sentence and with groups of words (`letters_<language>.toml`). The weights
(`triage/letters/weights_<language>.csv`) were learned from written letters (`benchmarks.letter_words`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import log
from typing import NamedTuple

from triage.issues import split_sentences
from triage.matching import LANGUAGES, FoldedText, fold, languages_of, lines_of, read_phrases
from triage.safety.language import WORD, clear_language, words_of
from triage.text import desk_language, sure_language
from triage.word_weights import mean_weight, rare_weight, read_weights, word_features

Span = tuple[int, int]

#: The codes, in the order in which they are shown. Events and metrics name them.
WARNINGS = ("others_data", "internal", "admission", "promise_without_date", "blaming", "wrong_language")
#: Characters of a letter that are read; the longest field of a form is shorter.
_LONGEST = 12_000
#: Of a shorter text the language is not known.
_FEWEST_LETTERS = 20
#: A shorter sentence may be a name or an address.
_FEWEST_FOREIGN_WORDS = 8
_LARGE = r"[^\W\d_a-zß-öø-ÿğışœ]"
_NAME = re.compile(rf"(?<![^\W_]){_LARGE}[^\W\d_]{{1,24}}\s{_LARGE}[^\W\d_]{{1,24}}(?![^\W_])")
_TITLED = re.compile(
    rf"\b(?:M(?:rs?|s|iss)|Dr|Frau|Herrn?|Fam(?:ilie)?|Sra?|Señor(?:a|ita)?|Do(?:n|ña)|señor(?:a|ita)?|do(?:n|ña)|licenciad[oa])\b\.? "
    rf"{_LARGE}[^\W\d_]{{1,24}}|{_LARGE}[^\W\d_]{{1,24}} (?:Hanım|Bey)"
)
_INNER_NAME = re.compile(rf"(?<=[a-z,] ){_LARGE}[^\W\d_]{{2,24}}")
_WORD = re.compile(r"[^\W\d_]{3,}")
#: The salutation ends here.
_GREETING = re.compile(r"[^,:!\n]{3,60}(?=[,:!\n])")
_ADDRESS = re.compile(
    rf"[(¿¡]?(?:(?:Frau|Herr|M[rs]s?|Sra?|Señora?)\.? )?(?P<name>{_LARGE}[^\W\d_]{{1,20}})"
    rf"(?: Bey| Hanım)?(?P<end>,| [–-]|:)\s"
)
#: A note in a sentence is one of its own: "(Draft!) Dear ...".
_PART = re.compile(r"(?:(?!(?<=[)\]>!?])\s+[^\W\d_]|(?<=--)\s|\s--).)+", re.DOTALL)
#: Signs of a note or of a desk: "->", an abbreviation, a word in capitals, "XX" in place of a date, "@Sam".
_SIGNS = {
    "sign": re.compile(r"-->?|=>|->|<<|!!|\?\?|\.{3}$|[\[\]<>]|\b\w{1,12}/\w|#\d|\bXX"),
    "short_code": re.compile(r"(?<![\w.])[A-ZÄÖÜ]{2,3}(?![\w.])"),
    "code": re.compile(r"\bXX|@\w|[A-ZÄÖÜ]{4}"),
}
#: Here a sentence ends, and not at a bracket or "on the 31.".
_ENDS = re.compile(r"(?<!\d)[.!?…][\s)\]\"'”’]*$|\d[!?]\s*$")
#: A clause ends here.
_CLAUSE = re.compile(r"[,;:()–]| (?:and|but|und|aber|y|pero|ve|ama|fakat|so|dass|que|which|where) ")
#: The marks that are weighed together with each group.
_JOINED = {
    "name", "full_name", "titled", "contact", "undated_clause", "weak_clause", "undated", "undated_end", "digit", "before",
    "addressed", "question", "code", "bracket", "own_line", "last", "after_closing", "bracketed", "marker",
    "lower_break",
}  # fmt: skip
#: The marks that say where in a letter a sentence is.
_PLACES = {
    "own_line", "line_start", "last", "after_closing", "bracketed", "marker", "lower_break", "first", "before",
    "day_before", "day_after",
}  # fmt: skip
#: The words of a weighed sentence that a warning shows.
#: A shorter sentence ("Read and assessed it.") warns only where a rule matches in it.
_FEWEST_WORDS = 5
_SHOWN_WORDS = 8
#: In the files of weights: what weighs more than this is a warning.
LIMIT = "<limit>"
#: The warnings that are weighed, in the order of the columns of the files.
WEIGHED = ("others_data", "internal", "admission", "promise_without_date", "blaming")
#: The first column: how rare a feature is.
RARITY = "rarity"
#: What words that a rule found weigh more. Where held-out letters showed no gain, the weights alone decide.
TRUST = {"others_data": 0.0, "internal": 2.0, "admission": 1.0, "promise_without_date": 1.0, "blaming": 0.0}
_ADVERBS = ("ly", "mente", "weise")
#: What others said is no sentence of the writer.
_QUOTED = re.compile(r"[“„][^“”„]{1,300}[”“]|«[^»]{1,300}»|\"[^\"]{1,300}\"|‘[^’]{10,300}’")


#: Keys of words that are searched only next to a name.
_NO_PATTERNS = ("no_names", "after_name", "salutation", "closing")


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


@dataclass(frozen=True, slots=True)
class WeighedSentence:
    """What is weighed in a sentence: its words, marks (rules and groups), and the words that the rules found."""

    sentence: _Sentence
    words: frozenset[str]
    marks: frozenset[str]
    groups: frozenset[str]
    causes: Mapping[str, Span]

    def is_excepted(self, kind: str) -> bool:
        """Whether nothing is weighed, or an exception ("not liable") is in the sentence and no rule found words."""
        return not self.words or (f"#{kind}.unless" in self.marks and kind not in self.causes)

    def can_warn(self, kind: str) -> bool:
        """Whether a rule found words, or there are enough of them to trust their weight, and no exception."""
        return (kind in self.causes or self.is_long) and not self.is_excepted(kind)

    def weight(self, weights: Mapping[str, float], rarity: Mapping[str, float]) -> float:
        blocks = (self.words, self.marks, self.groups)
        return sum(rare_weight(features, weights, rarity) for features in blocks)

    def without_place(self) -> "WeighedSentence":
        """The same words without the marks of their place in a letter."""
        return replace(
            self,
            marks=frozenset(mark for mark in self.marks if mark[1:] not in _PLACES),
            groups=frozenset(
                name for name in self.groups if _PLACES.isdisjoint(name[1:].split("+"))
            ),
        )

    @property
    def is_long(self) -> bool:
        """True where the weight of words alone can be trusted."""
        return len(WORD.findall(self.sentence.folded.text)) >= _FEWEST_WORDS

    def heaviest_words(self, weights: Mapping[str, float]) -> Span:
        """The neighbouring words that weigh most."""
        tokens = list(WORD.finditer(self.sentence.folded.text))
        windows = (tokens[start : start + _SHOWN_WORDS] for start in range(len(tokens)))
        heaviest = max(
            (window for window in windows if len(window) == min(len(tokens), _SHOWN_WORDS)),
            key=lambda window: mean_weight(word_features([token.group() for token in window]), weights),
        )
        low, high = self.sentence.folded.span(heaviest[0].start(), heaviest[-1].end())
        return self.sentence.start + low, self.sentence.start + high


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
    text = _without_quotes(text[:_LONGEST])
    written_in = _language(text)
    causes: dict[str, Span] = {}
    if written_in not in (None, language, writes_in):
        causes["wrong_language"] = _sentences(text)[0].whole
    elif foreign := _foreign_sentence(text, {language, writes_in}):
        causes["wrong_language"] = foreign.whole
    for code in languages_of(written_in or language):
        readings, rarity = read_sentences(text, code, personal), _weights(code)[RARITY]
        # Each sentence of a longer letter is less likely to be the faulty one.
        length = log(max(1, len(readings)))
        for reading in readings:
            for kind in WEIGHED:
                if (kind == "admission" and may_admit) or kind in causes or not reading.can_warn(kind):
                    continue
                weights = _weights(code)[kind]
                trust = TRUST[kind] if kind in reading.causes else 0.0
                if reading.weight(weights, rarity) + trust - length > weights[LIMIT]:
                    causes[kind] = reading.causes.get(kind) or reading.heaviest_words(weights)
    return tuple(LetterWarning(kind, causes[kind]) for kind in WARNINGS if kind in causes)


def read_sentences(
    text: str, language: str, personal: Iterable[tuple[int, int, str]]
) -> list[WeighedSentence]:
    """The sentences of a letter as they are weighed, by the tables of this language."""
    text = _without_quotes(text)
    sentences, rules, groups = _sentences(text), _phrases(language), _groups(language)
    # The name in the salutation is the complainant's.
    match = _GREETING.match(text)
    greeting = frozenset(_words(match.group())) if match else frozenset()
    salutation = rules["internal"].patterns["salutation"]
    is_salutation = match and (salutation.match(fold(match.group()).text) or match.group().istitle())
    greeting_end = match.end() + 1 if match and is_salutation else 0
    # A name at the end is the signature.
    end = len(text.rstrip(" .,!\n"))
    named = [span for span in personal if span[1] < end or span[2] != "name"]
    # What comes before the salutation is a note.
    salutations = [sentence.start for sentence in sentences if salutation.match(sentence.folded.text)]
    # What comes after the closing formula is a signature, or a note.
    closings = [sentence.start for sentence in sentences if rules["internal"]("closing", sentence)]
    closing = min(closings, default=len(text))
    keys = [(kind, key) for kind in rules for key in rules[kind].patterns if key not in _NO_PATTERNS]
    dated = _dated(rules["promise_without_date"], sentences)
    readings = []
    for index, sentence in enumerate(sentences):
        around = sentences[max(0, index - 1) : index + 2]
        others = [span for span in named if 0 <= span[0] - sentence.start < len(sentence.text)]
        spans = {
            "internal": _internal(rules["internal"], sentence, greeting, sentences),
            "admission": _admission(rules["admission"], sentence),
            "promise_without_date": _promise(rules["promise_without_date"], sentence, around, is_dated=dated[index]),
            "blaming": rules["blaming"].cause(sentence),
            "others_data": _others_data(rules["others_data"], sentence, others, greeting),
        }
        causes = {kind: span for kind, span in spans.items() if span is not None}
        true = {
            "addressed": bool(_addressed(rules["internal"], sentence, greeting)),
            "before": bool(salutations) and sentence.start < salutations[0],
            "bracket": sentence.text[:1] in "([@",
            "question": sentence.text.rstrip(")").endswith("?"),
            "day_before": any(dated[max(0, index - 1) : index]),
            "day_after": any(dated[index + 1 : index + 2]),
            "first": index == 0,
            **_layout(text, sentences, index, closing),
            "digit": any(map(str.isdigit, sentence.text)),
            "lower_start": sentence.text[:1].islower(),
            "no_end": sentence.text.rstrip()[-1:].isalpha(),
            **{name: bool(sign.search(sentence.text)) for name, sign in _SIGNS.items()},
            "titled": _has_titled_name(sentence, greeting),
            "contact": any(kind != "name" for _, _, kind in others),
            "name": any(kind == "name" for _, _, kind in others),
            "full_name": _has_full_name(rules["others_data"], sentence, others, greeting),
            **_promises(rules["promise_without_date"], sentence, is_dated=dated[index]),
        }
        marks = {
            *causes,
            *(f"{kind}.{key}" for kind, key in keys if rules[kind](key, sentence)),
            *(name for name, is_true in true.items() if is_true),
        }
        own_groups = {name for name, pattern in groups.items() if pattern.search(sentence.folded.text)}
        pairs = combinations(sorted(own_groups | (marks & _JOINED)), 2)
        own_groups.update("+".join(pair) for pair in pairs if not own_groups.isdisjoint(pair))
        rest = sentence.text[max(0, greeting_end - sentence.start) :]
        words = frozenset(word_features(words_of(rest)))
        mark_set, group_set = (frozenset(f"#{name}" for name in names) for names in (marks, own_groups))
        readings.append(WeighedSentence(sentence, words, mark_set, group_set, causes))
    return readings


def _layout(text: str, sentences: Sequence[_Sentence], index: int, closing: int) -> dict[str, bool]:
    """Where the sentence is: a note of colleagues is often a line of its own, in brackets, or after the end."""
    sentence = sentences[index]
    low, high = sentence.whole
    begins = low == 0 or text[:low].rstrip(" ").endswith("\n")
    ends = text[high:].lstrip(" ")[:1] in ("", "\n")
    return {
        "own_line": begins and ends,
        "line_start": begins and not ends,
        "last": index == len(sentences) - 1,
        "after_closing": low > closing,
        "bracketed": sentence.text[:1] in "([{<" and sentence.text.rstrip()[-1:] in ")]}>",
        "marker": not (sentence.text[:1].isalnum() or sentence.text[:1] in "¿¡\"'"),
        "lower_break": sentence.text[:1].islower() and not sentences[0].text[:1].islower(),
    }


def _without_quotes(text: str) -> str:
    return _QUOTED.sub(lambda quoted: " " * len(quoted.group()), text)


def _language(text: str) -> str | None:
    """The language of the letter, where that is sure: by its frequent words, which is faster, or by the model."""
    if sum(map(str.isalpha, text)) < _FEWEST_LETTERS:
        return None
    written_in, is_sure = clear_language(words_of(text), LANGUAGES), True
    if written_in is None:
        written_in, is_sure = desk_language(text, LANGUAGES)
    return written_in if is_sure else None


def _foreign_sentence(text: str, languages: Set[str | None]) -> _Sentence | None:
    """The first sentence that is surely in none of these languages: a closing that was copied from another letter.

    In the 3,000 longer sentences of the learned letters this was never wrong. It takes 0.1 ms a sentence.
    """
    for sentence in _sentences(text):
        if len(WORD.findall(sentence.text)) >= _FEWEST_FOREIGN_WORDS:
            guess = sure_language(sentence.text)
            # Of languages without tables, neighbours (Danish, Norwegian) are too alike for one sentence.
            if guess is not None and guess not in languages and not languages.isdisjoint(LANGUAGES):
                return sentence
    return None


def _admission(rules: _Rules, sentence: _Sentence) -> Span | None:
    """An accepted liability: the words for it, or a word of the law about what we did."""
    legal = rules("legal", sentence)
    if legal and rules("we", sentence) and not (rules("unless", sentence) or rules("legal_unless", sentence)):
        return sentence.span(legal)
    return rules.cause(sentence)


def _dated(rules: _Rules, sentences: Sequence[_Sentence]) -> list[bool]:
    """Whether each sentence has a day, or is one with a part that has it: "You get it (9.80) on Friday"."""
    dated = [bool(rules("dated", sentence)) for sentence in sentences]
    goes_on = [not _ENDS.search(sentence.text) for sentence in sentences]
    return [
        is_dated
        or (index > 0 and goes_on[index - 1] and dated[index - 1])
        or (goes_on[index] and any(dated[index + 1 : index + 2]))
        for index, is_dated in enumerate(dated)
    ]


def _promise(
    rules: _Rules, sentence: _Sentence, around: Iterable[_Sentence], *, is_dated: bool
) -> Span | None:
    """A promise without a date. A date in the sentence before or after it counts, unless it says "soon"."""
    if is_dated or rules("unless", sentence):
        return None
    span, is_vague = rules.cause(sentence), rules("vague", sentence)
    if is_vague and (span or rules("weak", sentence)):
        return sentence.whole
    return None if any(_gives_day(rules, other) for other in around) else span


def _gives_day(rules: _Rules, sentence: _Sentence) -> bool:
    """Whether a sentence says when something will happen, and not only when something did."""
    return bool(rules("dated", sentence)) and bool(rules.cause(sentence) or rules("follows", sentence))


def _promises(rules: _Rules, sentence: _Sentence, *, is_dated: bool) -> dict[str, bool]:
    """What the clauses without a day promise."""
    clauses = _CLAUSE.split(sentence.folded.text)
    undated = [clause for clause in clauses if not rules.patterns["dated"].search(clause)]
    keys = {"undated_clause": "patterns", "weak_clause": "weak", "vague_clause": "vague"}
    marks = {mark: any(map(rules.patterns[key].search, undated)) for mark, key in keys.items()}
    return marks | {"dated": is_dated, "undated": not is_dated, "undated_end": clauses[-1] in undated}


def _has_full_name(
    rules: _Rules, sentence: _Sentence, personal: Iterable[tuple[int, int, str]], greeting: frozenset[str]
) -> bool:
    """Two names in a row, not of the complainant and not in an address."""
    contacts = [span for span in personal if span[2] != "name"]
    for match in _NAME.finditer(sentence.text):
        words, (low, high) = _words(match.group()), (sentence.start + end for end in match.span())
        is_known = greeting.intersection(words) or any(map(rules.patterns["no_names"].fullmatch, words))
        if (
            len(words) == 2
            and not is_known
            and not any(low < span[1] and span[0] < high for span in contacts)
        ):
            return True
    return False


def _has_titled_name(sentence: _Sentence, greeting: frozenset[str]) -> bool:
    """A person with a title who is not the complainant: "Mrs Dyer", "Fatma Hanım"."""
    return any(greeting.isdisjoint(_words(match.group())) for match in _TITLED.finditer(sentence.text))


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
    match = _addressed(rules, sentence, greeting)
    if match is None or match["end"] != ",":
        return None
    follows = rules.patterns["after_name"].match(fold(sentence.text[match.end() :]).text)
    return sentence.whole if follows else None


def _addressed(rules: _Rules, sentence: _Sentence, greeting: frozenset[str]) -> re.Match[str] | None:
    """The name at the beginning of a sentence, where it is not the complainant's."""
    match = _ADDRESS.match(sentence.text)
    word = fold(match["name"]).text if match else ""
    is_no_name = word in greeting or word.endswith(_ADVERBS) or rules.patterns["no_names"].fullmatch(word)
    return None if is_no_name else match


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
            sentences += [
                _Sentence(position + part.start(), part.group(), fold(part.group()))
                for part in _PART.finditer(line, start, end)
            ]
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


@lru_cache(maxsize=8)
def _groups(language: str) -> Mapping[str, re.Pattern[str]]:
    return {name: _compile(name, lines) for name, lines in read_phrases("letters", language).items()}


@lru_cache(maxsize=8)
def _weights(language: str) -> Mapping[str, Mapping[str, float]]:
    """The weight of each feature, and the limit, by the warning."""
    return dict(zip((RARITY, *WEIGHED), read_weights("letters", language), strict=True))


def _compile(key: str, lines: str) -> re.Pattern[str]:
    if key == "no_names":
        return re.compile("|".join(lines.split()))
    patterns = "|".join(
        line.replace(" ?", r"\s{0,3}").replace(" ", r"[\s,]{1,3}") for line in lines_of(lines)
    )
    return re.compile(rf"(?<![^\W_])(?:{patterns})(?![^\W_])")
