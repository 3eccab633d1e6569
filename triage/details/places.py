"""Places: a branch or a street, only beside a word that says so, for a name alone may be anybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from triage.details.detail import Detail, Story
from triage.language_tables import lines_of, read_phrases


@lru_cache(maxsize=8)
def _patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = read_phrases("details", language)["places"]
    return tuple((kind, re.compile(line)) for kind, lines in table.items() for line in lines_of(lines))


def places(story: Story, language: str) -> Iterator[Detail]:
    """The places in a story as it was written: capitals tell a name from a word."""
    for kind, pattern in _patterns(language):
        for hit in pattern.finditer(story.text):
            start, end = hit.span("place" if "place" in pattern.groupindex else 0)
            text = story.text[start:end]
            yield Detail(kind, " ".join(text.split()), text, (start, end))
