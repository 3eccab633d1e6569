"""Places: a branch or a street, only beside a word that says so, for a name alone may be anybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from triage.details.detail import Detail, Story
from triage.phrasing import lines_of, read_phrases


@lru_cache(maxsize=8)
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    lines = lines_of(read_phrases("details", language)["places"]["patterns"])
    return tuple(re.compile(line) for line in lines if not line.startswith("#"))


def places(story: Story, language: str) -> Iterator[Detail]:
    """The places in a story as it was written: capitals tell a name from a word."""
    for pattern in _patterns(language):
        for hit in pattern.finditer(story.text):
            start, end = hit.span("place" if "place" in pattern.groupindex else 0)
            text = story.text[start:end]
            yield Detail("place", " ".join(text.split()), text, (start, end))
