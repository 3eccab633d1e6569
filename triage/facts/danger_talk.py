"""What a person in danger says next: an answer, news, or a question whether something may be done.

The words of each language are in `phrases/danger_<language>.toml`. Nothing here decides what is right to do: an act
that is asked about is only compared with the acts that official advice forbids (`complaints.hazards`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from triage.intent import read_answer
from triage.matching import LANGUAGES, any_of, fold, read_phrases

#: A "no" of more words needs a second word that shows calm: "No one wakes up" is no answer "no".
_SHORT_NO = 2
#: A clear "no" is not longer than this, in words.
_LONGEST_NO = 14


@dataclass(frozen=True, slots=True)
class DangerMessage:
    """`denies` is a clear "no" to "Is anybody in danger?". `acts` are the acts that are mentioned (hazards.toml)."""

    asks: bool
    denies: bool
    is_over: bool
    cannot_call: bool
    is_outside: bool
    help_comes: bool
    wants_number: bool
    acts: frozenset[str]
    #: The question may also ask for what is right: to leave, to call, or not to do something.
    asks_the_right: bool


def read_danger_message(text: str) -> DangerMessage:
    """Read a message within a danger, in all languages at once; never raises."""
    folded = fold(text).text
    names = {name for name, pattern in _patterns().items() if pattern.search(folded)}
    words = re.findall(r"\w+", folded)
    asks = "?" in text or "asks" in names or read_answer(text).asks
    begins_with_no = _patterns()["nobody"].match(folded.lstrip(" ,.!-")) is not None
    is_calm = len(words) <= _SHORT_NO or "calm" in names
    is_short = 0 < len(words) <= _LONGEST_NO
    return DangerMessage(
        asks=asks,
        denies=begins_with_no and is_calm and is_short and not asks and "unsure" not in names,
        is_over="over" in names and not asks and "unsure" not in names and "negated" not in names,
        cannot_call="cannot_call" in names,
        is_outside="outside" in names,
        help_comes="helped" in names,
        wants_number="number" in names,
        acts=frozenset(name.removeprefix("acts.") for name in names if name.startswith("acts.")),
        asks_the_right=bool(names & {"go_out", "negated"}),
    )


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """By name, one pattern for the words of all languages."""
    lines: dict[str, list[str]] = {}
    for language in LANGUAGES:
        for name, value in read_phrases("danger", language).items():
            tables = value if isinstance(value, dict) else {"": value}
            for act, text in tables.items():
                lines.setdefault(f"acts.{act}" if act else name, []).append(any_of(text))
    return {
        name: re.compile(r"(?<![^\W_])(?:" + "|".join(parts) + r")(?![^\W_])")
        for name, parts in lines.items()
    }
