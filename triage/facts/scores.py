"""A score from 1 to 5 in an answer, in figures or words, in all languages: "4, quicker than I thought"."""

import re
from functools import lru_cache

from triage.matching import LANGUAGES, any_of, fold, read_phrases
from triage.words import stop_words


def read_score(text: str) -> int | None:
    """The score that an answer gives; None without one, and where it could be several: "3 or 4"."""
    folded, (numbers, patterns) = fold(text).text, _tables()
    for pattern in patterns:
        scores = {numbers[match[match.lastindex or 0]] for match in pattern.finditer(folded)}
        if scores:
            return scores.pop() if len(scores) == 1 else None
    return None


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, int], tuple[re.Pattern[str], ...]]:
    """The numbers by their words, and where they are a score: alone, with a scale, or where they count nothing."""
    tables = [read_phrases("messages", language) for language in LANGUAGES]
    before, after, counted = (
        any_of("\n".join(table[name] for table in tables))
        for name in ("scale_before", "scale_after", "counted")
    )
    words = {
        word: score
        for table in tables
        for score, words in enumerate(table["scores"], 1)
        for word in (str(score), *words.split())
    }
    # "One" and "bir" are articles, too: they mean the score with its scale, or as a clause at the beginning.
    clear = "|".join(word for word, score in words.items() if score > 1 or word == "1")
    number = rf"(?<![\w:/-])(?<!\d[.,])({clear})(?:'\w*)?(?![\w:/-]|[.,]\d)"
    common = "|".join(frozenset().union(*map(stop_words, LANGUAGES)))
    ends = r"(?:\s[^\W_]+(?<!s))?\s*(?:[^\w\s]|\Z)"
    patterns = (
        rf"(?<![\w/-])(?:({'|'.join(words)})\s{{0,3}}{after}|{before}\s{{1,3}}({clear}))(?!\w)",
        # First in the message, before a common word, or at most one word before the end of its clause. But not in "I
        # rang 3 times", and not in a question: "is 5 the best?"
        rf"(?:\A\W*{number}|{number}(?={ends}|\s(?:{common})(?!\w)))(?!\s{counted}(?!\w))(?![^.!;\n]{{6,400}}\?)",
        rf"\A\W*({'|'.join(words)})\s*(?:[^\w\s'/-](?!\d)|\Z)",
    )
    return words, tuple(map(re.compile, patterns))
