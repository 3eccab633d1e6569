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
#: A clause of fewer words says nothing ("please").
_FEWEST_WORDS = 2


def wishes_in_clauses(story: Story, language: str) -> Iterator[StoryFact]:
    """The remedies that such clauses name, or their words as a wish of its own; linear in the length."""
    table = read_phrases("facts", language)["remedies"]["clauses"]
    asks, declined = whole_words(table["asks"]), whole_words(table["declined"])
    for clause in _CLAUSE.finditer(story.folded.text):
        text = clause.group().strip()
        if len(text.split()) < _FEWEST_WORDS or not asks.search(text) or declined.search(text):
            continue
        start = clause.start() + clause.group().index(text)
        remedies = [name for name, pattern in _names(language) if pattern.search(text)]
        for remedy in remedies or ["something_else"]:
            yield story.fact("remedy", remedy, start, start + len(text))


@lru_cache(maxsize=8)
def _names(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    names = read_phrases("facts", language)["remedies"]["clauses"]["names"]
    return tuple((remedy, whole_words(words)) for remedy, words in names.items())
