"""Wishes that no pattern of whole phrases knows: a clause that asks for something, and the remedy that it names.

They add to the wishes that phrases know. The read-back shows what is found, and one tap changes it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from triage.facts.fact import Story, StoryFact
from triage.matching import read_phrases, whole_words

_CLAUSE = re.compile(
    r"(?:(?!\b(?:and|but|und|aber|sondern|y|pero|sino|ve|ama|fakat)\b)(?:[^.!?;,:\n\"\u2600-\u27bf\U0001f300-\U0001faff]|(?<=\d)[.,:](?=\d))){4,200}"
)
_CONTINUES = re.compile(r"(?:que|q|dass|to|that)\b")
#: "I do not ask for all of it, only for the £90."
_ONLY = re.compile(r"\b(?:only|just|nur|lediglich|sondern|solo|solamente|unicamente|sino|sadece|yalnizca)\b")
#: Characters between two clauses with one verb, and words of the second without "that".
_LONGEST_GAP, _MOST_LINKED_WORDS = 12, 6
#: A clause of fewer words says nothing ("please").
_FEWEST_WORDS = 2


def wishes_in_clauses(story: Story, language: str, wanted: Sequence[StoryFact]) -> Iterator[StoryFact]:
    """The remedies that such clauses name, or their words as a wish of its own; linear in the length.

    A clause within a wish in own words, of those that are `wanted` already, asks for something too.
    """
    table = read_phrases("facts", language)["remedies"]["clauses"]
    asks, declined = whole_words(table["asks"]), whole_words(table["declined"])
    own = [wish.span for wish in wanted if wish.value == "something_else"]
    asked_until = refused_until = len(story.folded.text)
    for clause in _CLAUSE.finditer(story.folded.text):
        text, gap = clause.group().strip(), clause.start() - asked_until
        before = story.folded.text[asked_until : clause.start()] if 0 <= gap <= _LONGEST_GAP else "."
        remedies = [name for name, pattern in _names(language) if pattern.search(text)]
        # "I want that you call her and that you apologise", "an apology and my £6 back": one verb for both.
        is_same = not re.search(r"[.!?;\n]", before)
        is_short = bool(remedies) and len(text.split()) <= _MOST_LINKED_WORDS and before.strip().isalpha()
        goes_on = is_same and (is_short or _CONTINUES.match(text))
        start = clause.start() + clause.group().index(text)
        low, high = story.folded.span(start, start + len(text))
        link = story.folded.text[refused_until:start] if start - refused_until <= _LONGEST_GAP else "."
        is_rest = not re.search(r"[.!?\n]", link) and _ONLY.search(f"{link}{text.split()[0]}")
        is_asking = asks.search(text) or goes_on or is_rest
        is_own = any(first < high and low < last for first, last in own)
        if declined.search(text):
            refused_until = clause.end() if is_asking or is_own else refused_until
            continue
        if len(text.split()) < _FEWEST_WORDS or not (is_asking or (is_own and remedies)):
            continue
        asked_until = clause.end()
        for remedy in remedies or ["something_else"]:
            yield story.fact("remedy", remedy, start, start + len(text))


@lru_cache(maxsize=8)
def _names(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    names = read_phrases("facts", language)["remedies"]["clauses"]["names"]
    return tuple((remedy, whole_words(words)) for remedy, words in names.items())
