"""Reading a story: one line, one step; every line is also readable as prose.

Anna [en]: The new meter drips since Monday and nobody came.     she writes (the language once)
Anna presses Done                                                a button under the newest message that has it
Anna sends a voice note · Anna sends 3 photos · Anna sends a photo: the broken pipe
Anna writes 40 messages in 3 minutes
Anna edits: The new meter drips since Tuesday.                   her last message
Anna blocks the bot · Anna unblocks the bot
Bot to Anna: reference                                           expected, since her last step
Bot told Anna once: reference · Bot never told Anna: reference   over the whole story
Alice presses Assess · Alice chooses Reply                       on the newest card she sees (or: on Anna's card)
Alice fills severity=2 text="We are sorry."                      in the modal on top
Alice submits · Alice is refused: needs approval · Alice goes back
Alice sees: fragment · Alice does not see: fragment · Alice sees no card of Anna
Clock +3 days · Clock to the next due time
Telegram is down · Telegram is up · Slack is down · Slack is up
Record of Anna: state=closed close_code=resolved                 fields of the record
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class BadStory(ValueError):
    """A line that is no step; the message names line, text and the accepted forms."""


@dataclass(frozen=True)
class Step:
    """One line: what is done, by whom, with which words and values."""

    line: int
    text: str
    kind: str
    who: str = ""
    words: str = ""
    number: int = 1
    language: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


_NAME = r"(?P<who>[A-Z][\w-]*)"
_FORMS: tuple[tuple[str, str], ...] = (
    ("hears", r"Bot to (?P<who>[A-Z][\w-]*): (?P<words>.+)"),
    ("hears_once", r"Bot told (?P<who>[A-Z][\w-]*) once: (?P<words>.+)"),
    ("hears_not", r"Bot never told (?P<who>[A-Z][\w-]*): (?P<words>.+)"),
    ("record", r"Record of (?P<who>[A-Z][\w-]*): (?P<values>.+)"),
    ("clock_next", r"Clock to the next due time"),
    ("clock", r"Clock \+(?P<number>\d+) (?P<words>seconds?|minutes?|hours?|days?|weeks?)"),
    ("trouble", r"(?P<who>Telegram|Slack) is (?P<words>down|up)"),
    ("bursts", _NAME + r" writes (?P<number>\d+) messages in (?P<words>\d+) minutes"),
    ("voice", _NAME + r" sends a voice note"),
    ("photos", _NAME + r" sends (?P<number>\d+) photos"),
    ("photo", _NAME + r" sends a photo(?:: (?P<words>.+))?"),
    ("edits", _NAME + r" edits: (?P<words>.+)"),
    ("blocks", _NAME + r" blocks the bot"),
    ("unblocks", _NAME + r" unblocks the bot"),
    ("presses", _NAME + r" presses (?P<words>.+)"),
    ("fills", _NAME + r" fills (?P<values>.+)"),
    ("submits", _NAME + r" submits"),
    ("refused", _NAME + r" is refused: (?P<words>.+)"),
    ("goes_back", _NAME + r" goes back"),
    ("no_card", _NAME + r" sees no card of (?P<words>[A-Z][\w-]*)"),
    ("sees_not", _NAME + r" does not see: (?P<words>.+)"),
    ("sees", _NAME + r" sees: (?P<words>.+)"),
    ("says", _NAME + r"(?: \[(?P<language>[a-z]{2})\])?: (?P<words>.+)"),
)


def read_story(text: str) -> tuple[Step, ...]:
    """The steps of a story; empty lines and lines that begin with # are left out. Raises BadStory."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if said and not said.startswith("#"):
            steps.append(_step(number, said))
    return tuple(steps)


def _step(number: int, said: str) -> Step:
    for kind, form in _FORMS:
        found = re.fullmatch(form, said)
        if found:
            parts = found.groupdict()
            return Step(
                line=number,
                text=said,
                kind=kind,
                who=parts.get("who") or "",
                words=(parts.get("words") or "").strip(),
                number=int(parts.get("number") or 1),
                language=parts.get("language"),
                values=_values(number, said, parts.get("values")),
            )
    known = ", ".join(kind for kind, _ in _FORMS)
    raise BadStory(f"line {number}: {said!r} is no step. Steps are: {known} (see docs/stories.md).")


def _values(number: int, said: str, text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    values: dict[str, str] = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if not equals:
            raise BadStory(f"line {number}: {said!r} needs name=value pairs; quote values with blanks.")
        values[name] = value
    return values


Report = Callable[[Step, str], None]
