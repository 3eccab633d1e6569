"""Reads a story: each line is one step, and the whole also reads as prose.

`Anna [en]: The new meter drips.` writes it, `Anna presses Done` presses a button, and `Bot to Anna: reference` is
what she must have got since her last step. docs/stories.md explains every step; their forms are in `steps.toml`.

Customers of a group are called Person-1, Person-2 and so on, in the order in which they first wrote.
"""

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path


class BadStory(ValueError):
    """A line that is not a step; the message has its number, its text and the accepted steps."""


@dataclass(frozen=True)
class StoryStep:
    """One line: the kind of step, who does it, and its words and values.

    `more`: a group does this step together, and more of its people follow; only the last one waits for the desk.
    """

    line: int
    text: str
    kind: str
    who: str = ""
    words: str = ""
    number: int = 1
    language: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    more: bool = False


_STEPS = tomllib.loads(Path(__file__).with_name("steps.toml").read_text(encoding="utf-8"))
_FORMS: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(form.replace("NAME", r"[A-Z][\w-]*")) for kind, form in _STEPS["forms"].items()
}
KINDS = tuple(_FORMS)

_GROUP_WRITES = re.compile(r"(\d+) people write((?: \[[a-z]{2}\])?: .+)")
_GROUP = re.compile(r"\b[Pp]eople (\d+)-(\d+)\b")
_GROUP_LINE = re.compile(
    r"(?:People|Bot to people|Bot told people|Bot never told people|Records of people) \d"
)
_GROUP_CARDS = re.compile(r"(.+ on) the cards of people (\d+)-(\d+)")


def read_story(text: str) -> tuple[StoryStep, ...]:
    """The steps of a story without empty lines and comments (#). Raises BadStory."""
    steps: list[StoryStep] = []
    people = 0
    for number, raw_line in enumerate(text.splitlines(), 1):
        line = raw_line.strip()
        if not line or line.startswith("#"):
            continue
        lines = _lines_of_group(line, people) or [line]
        people += _new_people(line)
        # A group writes and presses together: only its last step waits until all is done.
        steps += [
            replace(_step(number, single), more=position < len(lines))
            for position, single in enumerate(lines, 1)
        ]
    return tuple(steps)


def _lines_of_group(line: str, people: int) -> list[str] | None:
    """The line once for each person of its group, or None if it is not about a group.

    `people` is how many people of groups have written so far.
    """
    writes = _GROUP_WRITES.fullmatch(line)
    if writes:
        return [f"Person-{people + n}{writes[2]}" for n in range(1, int(writes[1]) + 1)]
    cards = _GROUP_CARDS.fullmatch(line)
    if cards:
        return [f"{cards[1]} Person-{n}'s card" for n in range(int(cards[2]), int(cards[3]) + 1)]
    group = _GROUP.search(line) if _GROUP_LINE.match(line) else None
    if group is None:
        return None
    first, last = int(group[1]), int(group[2])
    if line.startswith("Records of"):
        line = line.replace("Records", "Record", 1)
    for plural, singular in _STEPS["singular"].items():
        line = line.replace(plural, singular, 1)
    return [_GROUP.sub(f"Person-{n}", line, count=1) for n in range(first, last + 1)]


def _new_people(line: str) -> int:
    """How many people of a group write for the first time in this line."""
    writes = _GROUP_WRITES.fullmatch(line)
    return int(writes[1]) if writes else 0


def _step(number: int, line: str) -> StoryStep:
    for kind, form in _FORMS.items():
        match = form.fullmatch(line)
        if match:
            parts = match.groupdict()
            return StoryStep(
                line=number,
                text=line,
                kind=kind,
                who=parts.get("who") or "",
                words=(parts.get("words") or "").strip(),
                number=int(parts.get("number") or 1),
                language=parts.get("language"),
                values=_values(number, line, parts.get("values")),
            )
    kinds = ", ".join(KINDS)
    raise BadStory(f"line {number}: {line!r} is not a step. Steps are: {kinds} (see docs/stories.md).")


def _values(number: int, line: str, text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    values: dict[str, str] = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if not equals:
            raise BadStory(f"line {number}: {line!r} needs name=value pairs; quote values with blanks.")
        values[name] = value
    return values
