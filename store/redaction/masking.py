"""The masked copy of a text: what points to a person is replaced by a code in brackets (4.9).

Training, similar cases and reports read masked copies. The codes are the same in every language, so that a model
learns one word for each: [name], [phone], [email], [address], [card], [iban], [number].
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from store.redaction.patterns import find_numbers, pattern, patterns, read_patterns, word_list

#: Endings that a language joins to a name without a mark, folded: Turkish cases, the German and English genitive.
_ENDINGS = r"(?:n?in|n?un|[yn]?[iu]|[yn]?[ea]|n?[dt][ea]n?|y?l[ea]|l[ea]r|s|n)?"
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
#: A part of a name that is shorter is masked only where it begins with a capital.
_SHORTEST_IN_LOWER_CASE = 3
_LETTERS, _NO_PART = re.compile(r"[^\W\d_]+"), re.compile(r"[^\w'’]+|_")
#: How a spelling begins, before its first choice.
_STEM = re.compile(r"(?:[^\W_](?!\?))*")


@dataclass(frozen=True, order=True)
class MaskedSpan:
    """What is masked of a text, end excluded; `kind` is the code."""

    start: int
    end: int
    kind: str


def mask(
    text: str, *, names: Iterable[str] = (), language: str | None = None, country: str | None = None
) -> str:
    """The text with a code instead of each personal value; `names` are those that the desk knows of the complaint.

    `language` is that of the text and `country` the desk's, for numbers in national form; None means all languages.
    """
    # Accents as marks of their own would part a word.
    text, pieces, position = unicodedata.normalize("NFC", text), [], 0
    for span in find_spans(text, names=names, language=language, country=country):
        pieces += [text[position : span.start], f"[{span.kind}]"]
        position = span.end
    return "".join([*pieces, text[position:]])


def find_spans(
    text: str, *, names: Iterable[str] = (), language: str | None = None, country: str | None = None
) -> list[MaskedSpan]:
    """The spans that `mask` replaces, in order and without overlaps; parameters as for `mask`."""
    spans = [MaskedSpan(*match.span(), "name") for match in _given_names(text, frozenset(names))]
    spans += [
        MaskedSpan(*match.span("name"), "name") for cue in patterns("cues") for match in cue.finditer(text)
    ]
    if any(sign in text for sign in "@([{"):
        spans += [MaskedSpan(*match.span(), "email") for match in pattern("email").finditer(text)]
    if any(map(str.isdigit, text)):
        spans += [MaskedSpan(*match.span(), "address") for match in pattern("addresses").finditer(text)]
        countries = _countries(language, country)
        spans += [MaskedSpan(*number) for number in find_numbers(text, countries)]
    joined: list[MaskedSpan] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if joined and span.start < joined[-1].end:
            # Of two that overlap the longer one names the whole.
            last = joined.pop()
            longer = max(last, span, key=lambda part: part.end - part.start)
            span = MaskedSpan(last.start, max(last.end, span.end), longer.kind)
        joined.append(span)
    return joined


@lru_cache(maxsize=64)
def _countries(language: str | None, country: str | None) -> tuple[str, ...]:
    by_language = read_patterns()["languages"]
    spoken = [by_language[language]] if language in by_language else by_language.values()
    listed = [code for codes in spoken for code in codes]
    return tuple(dict.fromkeys([*([country] if country else []), *listed]))


def _given_names(text: str, names: frozenset[str]) -> Iterator[re.Match[str]]:
    folded = _fold(text)
    # Compiling a pattern takes .4 ms and every person has another, so only for a text that may have the name.
    if not any(_STEM.match(spelled)[0] in folded for spelled in _spellings(names).values()):  # type: ignore[index]
        return
    search, ordinary = _name_search(names)
    for match in search.finditer(folded):
        words = [(match.start() + word.start(), word.group()) for word in _LETTERS.finditer(match.group())]
        is_ordinary = all(word in word_list("particles") or word.startswith(ordinary) for _, word in words)
        before = folded[: match.start()].rstrip(". ").rpartition(" ")[2]
        is_ordinary = (is_ordinary and before not in word_list("titles")) or before in word_list("articles")
        if not is_ordinary or any(text[start].isupper() for start, _ in words):
            yield match


@lru_cache(maxsize=512)
def _name_search(names: frozenset[str]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """A pattern for the parts of these names, alone or in a row, on a folded text; and the parts that are words."""
    parts = _spellings(names)
    word = f"(?:{'|'.join(sorted(parts.values(), key=len, reverse=True))})"
    initials = f"(?:[{''.join(sorted({part[0] for part in parts}))}]\\.\\s?)?"
    small = f"(?:(?:{'|'.join(sorted(word_list('particles')))})\\s)"
    own = "|".join(sorted(word_list("particles").intersection(" ".join(names).casefold().split())))
    prefix = f"(?:(?:{own})\\s)?" if own else ""
    whole = rf"{_START}{initials}{prefix}{word}(?:[\s.'-]{{1,2}}{small}{{0,2}}{word})*{_END}"
    ordinary = (
        part for part in parts if len(part) < _SHORTEST_IN_LOWER_CASE or part in word_list("also_words")
    )
    return re.compile(whole), tuple(ordinary)


@lru_cache(maxsize=512)
def _spellings(names: frozenset[str]) -> Mapping[str, str]:
    """The parts of these names, folded, each with a pattern of how people write it."""
    split = {part for name in names for part in _NO_PART.split(name.replace("İ", "i").casefold())}
    return {
        _fold(part): _spelling(part)
        for part in split
        if len(part) > 1 and part not in word_list("particles") and not part.isdigit()
    }


def _spelling(part: str) -> str:
    """Müller as muller or mueller, O'Brien as obrien; with endings on longer ones."""
    spelled = re.sub(r"[äöü]", lambda match: f"{_fold(match.group())}e?", part)
    spelled = re.sub(r"(?<=[aou])e(?!\?)", "e?", spelled)
    spelled = re.sub(r"['’]", "['\\\\s]?", spelled)
    spelled = _fold(spelled).replace("ß", "ss").replace("ss", "(?:ss|ß)")
    return spelled + (_ENDINGS if len(part) > _SHORTEST_IN_LOWER_CASE else "s?")


class _Plain(dict[int, str]):
    """Letters in lower case without accents, each as one character, so that positions stay."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = unicodedata.normalize("NFKD", character)[0].lower()
        self[code] = plain if len(plain) == 1 else character
        return self[code]


_PLAIN = _Plain({ord("ı"): "i", ord("İ"): "i", ord("’"): "'", ord("ø"): "o", ord("ł"): "l"})


def _fold(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_PLAIN)
