"""Wishes that no pattern of whole phrases knows: a clause that asks for something, and the remedy that it names.

Looked at only where a story names no remedy otherwise. The read-back shows what is found, and one tap changes it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from triage.facts.fact import Story, StoryFact
from triage.matching import read_phrases, whole_words

_CLAUSE = re.compile(
    r"(?:(?!\b(?:and|but|und|aber|sondern|y|pero|sino|ve|ama|fakat)\b)(?:[^.!?;,:\n\"\u2600-\u27bf\U0001f300-\U0001faff]|(?<=\d)[.,:](?=\d))){4,200}"
)
_CONTINUES = re.compile(r"(?:que|q|dass|to|that)\b")
#: Characters between two clauses with one verb, and words of the second without "that".
_LONGEST_GAP, _MOST_LINKED_WORDS = 12, 6
#: A clause of fewer words says nothing ("please").
_FEWEST_WORDS = 2


def wishes_in_clauses(story: Story, language: str) -> Iterator[StoryFact]:
    """The remedies that such clauses name, or their words as a wish of its own; linear in the length."""
    table = read_phrases("facts", language)["remedies"]["clauses"]
    asks, declined = whole_words(table["asks"]), whole_words(table["declined"])
    asked_until = len(story.folded.text)
    for clause in _CLAUSE.finditer(story.folded.text):
        text, gap = clause.group().strip(), clause.start() - asked_until
        before = story.folded.text[asked_until : clause.start()] if 0 <= gap <= _LONGEST_GAP else "."
        remedies = [name for name, pattern in _names(language) if pattern.search(text)]
        # "I want that you call her and that you apologise", "an apology and my £6 back": one verb for both.
        is_same = not re.search(r"[.!?;\n]", before)
        is_short = bool(remedies) and len(text.split()) <= _MOST_LINKED_WORDS and before.strip().isalpha()
        goes_on = is_same and (is_short or _CONTINUES.match(text))
        if len(text.split()) < _FEWEST_WORDS or not (asks.search(text) or goes_on) or declined.search(text):
            continue
        asked_until = clause.end()
        start = clause.start() + clause.group().index(text)
        for remedy in remedies or ["something_else"]:
            yield story.fact("remedy", remedy, start, start + len(text))


@lru_cache(maxsize=8)
def _names(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    names = read_phrases("facts", language)["remedies"]["clauses"]["names"]
    return tuple((remedy, whole_words(words)) for remedy, words in names.items())
