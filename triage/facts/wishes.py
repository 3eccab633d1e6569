"""Wishes that no pattern of whole phrases knows: a clause that asks for something, and the remedy that it names.

They add to the wishes that phrases know. The read-back shows what is found, and one tap changes it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from triage.facts.fact import Story, StoryFact
from triage.matching import fold, mask_quotes, read_phrases, whole_words, with_parts

_CLAUSE = re.compile(
    r"(?<!\w)(?:(?!\b(?:and|but|or|und|aber|oder|sondern|y|o (?:(?:me |nos )?paguen\w*)"
    r"|pero|sino|ve|ama|fakat|veya|ya da)\b)"
    r"(?:[^.!?;,:\n\"\u2600-\u27bf\U0001f300-\U0001faff]|(?<=\d)[.,:](?=\d))){4,200}"
)
#: Characters between two clauses with one verb, and words of the second without "that".
_LONGEST_GAP, _MOST_LINKED_WORDS = 12, 6
#: A clause of fewer words says nothing ("please").
_FEWEST_WORDS = 2
#: A story ends with what is wanted.
_LAST_CLAUSES = 3
#: Words from which a story has probably said what is wanted.
_LONG_STORY = 25


def wishes_in_clauses(story: Story, language: str, wanted: Sequence[StoryFact]) -> list[StoryFact]:
    """The remedies that such clauses name, or their words as a wish of its own; linear in the length.

    A clause within a wish in own words, of those that are `wanted` already, asks for something too.
    """
    words = _words(language)
    own = [wish.span for wish in wanted if wish.value == "something_else"]
    folded = story.folded.text
    asked_until = refused_until = len(folded)
    wishes: list[StoryFact] = []
    previous: tuple[int, str] | None = None
    for clause in _CLAUSE.finditer(folded):
        text = clause.group().strip(" \t¿¡()-")
        start = clause.start() + clause.group().index(text)
        is_polite = (
            bool(words["polite"].fullmatch(text)) and folded[clause.end() : clause.end() + 1] in ".!\n"
        )
        if is_polite and previous and folded[previous[0] + len(previous[1]) : start].strip() == ",":
            # "The £25.98 back, please."
            start, text = previous
        elif len(text.split()) < _FEWEST_WORDS or words["polite"].fullmatch(text):
            continue
        previous = (start, text)
        question = words["negative_question"].match(text)
        lead = question or words["otherwise"].match(text)
        request = text[lead.end() :].strip() if lead else text
        names = {name: match for name, pattern in _names(language) if (match := pattern.search(request))}
        if loss := names.get("compensation"):
            # "The costs of the repair" asks for no repair.
            names = {name: m for name, m in names.items() if m is loss or not _is_within(m, loss)}
        # "I want that you call her and that you apologise", "an apology and my £6 back": one verb for both.
        before, link = _between(folded, asked_until, start), _between(folded, refused_until, start)
        is_linked, is_same = before.strip().isalpha(), not re.search(r"[.!?;\n]", before)
        is_short = bool(names) and is_linked and len(request.split()) <= _MOST_LINKED_WORDS
        continues = bool(names or is_linked) and words["continues"].match(request)
        goes_on = is_same and (is_short or continues or (lead and names))
        is_rest = not re.search(r"[.!?\n]", link) and words["only"].search(f"{link}{text.split()[0]}")
        is_asking = question or words["asks"].search(request) or goes_on or is_rest or is_polite
        low = story.folded.span(start, start + len(text))[0]
        is_own = any(first == low or (names and first < low < last) for first, last in own)
        # These have a negation of their own: "explain why he did not stop", "that it never happens again".
        own_no = names.get("explanation") or names.get("a_change")
        if words["declined"].search(request[: own_no.start()] if own_no else request):
            refused_until = clause.end() if is_asking or is_own else refused_until
        elif is_asking or is_own:
            asked_until = clause.end()
            follows = (
                is_same and not is_linked and (words["continues"].match(text) or words["so"].match(text))
            )
            if names and follows and wishes and wishes[-1].value == "something_else":
                # "I would be glad if he said sorry" asks for one thing.
                wishes.pop()
            wishes += [
                story.fact("remedy", name, start, start + len(text)) for name in names or ["something_else"]
            ]
    return wishes


def hints_at_wish(text: str, language: str) -> bool:
    """True where the last clauses name a remedy, or a long story speaks of wishes, even of refused ones only."""
    words = _words(language)
    clauses = [clause.group().strip() for clause in _CLAUSE.finditer(fold(mask_quotes(text)).text)]
    last = [clause for clause in clauses[-_LAST_CLAUSES:] if not words["declined"].search(clause)]
    return any(pattern.search(clause) for clause in last for _, pattern in _names(language)) or (
        len(text.split()) >= _LONG_STORY and any(words["asks"].search(clause) for clause in clauses)
    )


def _is_within(match: re.Match[str], other: re.Match[str]) -> bool:
    return other.start() <= match.start() and match.end() <= other.end()


def _between(text: str, end: int, start: int) -> str:
    """What is between two clauses; a full stop where they are too far apart."""
    return text[end:start] if 0 <= start - end <= _LONGEST_GAP else "."


@lru_cache(maxsize=8)
def _words(language: str) -> dict[str, re.Pattern[str]]:
    table = read_phrases("facts", language)["remedies"]["clauses"]
    return {key: whole_words(lines) for key, lines in table.items() if key != "names"}


@lru_cache(maxsize=8)
def _names(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = read_phrases("facts", language)["remedies"]
    names = table["clauses"]["names"].items()
    return tuple((remedy, whole_words(with_parts(words, table["parts"]))) for remedy, words in names)
