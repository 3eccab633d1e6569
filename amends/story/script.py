"""Many customers in one line of a story: `50 people write: …`, then `People 6-50 press Yes`.

They are called Person-1, Person-2 … in the order in which they first wrote.

Reading a story: one line, one step; every line is also readable as prose.

Anna [en]: The new meter drips since Monday and nobody came.     she writes (the language once)
Anna presses Done                                                a button under the newest message that has it
Anna presses the first Done                                      the same under the oldest message that has it
Anna sends a voice note · Anna sends 3 photos · Anna sends a photo: the broken pipe
Anna writes 40 messages in 3 minutes
50 people write: There is no water.                              Person-1 to Person-50
People 6-50 press Yes · Bot to people 6-50: words · Records of people 6-50: incident_id=1
Anna edits: The new meter drips since Tuesday.                   her last message
Anna blocks the bot · Anna unblocks the bot
Bot to Anna: reference                                           expected, since her last step
Bot told Anna once: reference · Bot never told Anna: reference   over the whole story
Alice presses Assess · Alice chooses Reply                       on the newest card she sees (or: on Anna's card)
Alice fills severity=2 text="We are sorry."                      in the modal on top
Alice submits · Alice is refused: needs approval · Alice goes back
Alice runs /complaints mine · Alice sees at home: fragment · Burak sees once: fragment
Alice presses Take on the cards of people 1-25
Alice uses log_complaint · Anna sends the code that Alice sees
Alice sees: fragment · Alice does not see: fragment · Alice sees no card of Anna
Clock +3 days · Clock to the next due time
Telegram is down · Telegram is up · Slack is down · Slack is up
Figures: incidents=1 complaints=47                               what the report counts of incidents
Record of Anna: state=closed close_code=resolved                 fields of the record
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

_WRITE = re.compile(r"(\d+) people write((?: \[[a-z]{2}\])?: .+)")
_GROUP = re.compile(r"\b[Pp]eople (\d+)-(\d+)\b")
_FIRST = re.compile(r"(?:People|Bot to people|Bot told people|Bot never told people|Records of people) \d")
_CARDS = re.compile(r"(.+ on) the cards of people (\d+)-(\d+)")
#: What several people do, as one of them does it.
_ONE: tuple[tuple[str, str], ...] = (
    (" press ", " presses "),
    (" send ", " sends "),
    (" block ", " blocks "),
    (" unblock ", " unblocks "),
)


def people(line: str, known: int) -> list[str] | None:
    """The line once for each of its people, or None for a line about nobody or about one.

    `known` is how many people have written so far.
    """
    crowd = _WRITE.fullmatch(line)
    if crowd:
        return [f"Person-{known + n}{crowd[2]}" for n in range(1, int(crowd[1]) + 1)]
    cards = _CARDS.fullmatch(line)
    if cards:
        return [f"{cards[1]} Person-{n}'s card" for n in range(int(cards[2]), int(cards[3]) + 1)]
    group = _GROUP.search(line) if _FIRST.match(line) else None
    if group is None:
        return None
    first, last = int(group[1]), int(group[2])
    if line.startswith("Records of"):
        line = line.replace("Records", "Record", 1)
    for several, one in _ONE:
        line = line.replace(several, one, 1)
    return [_GROUP.sub(f"Person-{n}", line, count=1) for n in range(first, last + 1)]


def new_people(line: str) -> int:
    """How many people write here for the first time."""
    crowd = _WRITE.fullmatch(line)
    return int(crowd[1]) if crowd else 0


class BadStory(ValueError):
    """A line that is no step; the message names line, text and the accepted forms."""


@dataclass(frozen=True)
class StoryStep:
    """One line: what is done, by whom, with which words and values; `more` of the same line follow at once."""

    line: int
    text: str
    kind: str
    who: str = ""
    words: str = ""
    number: int = 1
    language: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    more: bool = False


_NAME = r"(?P<who>[A-Z][\w-]*)"
_FORMS: tuple[tuple[str, str], ...] = (
    ("hears", r"Bot to (?P<who>[A-Z][\w-]*): (?P<words>.+)"),
    ("hears_once", r"Bot told (?P<who>[A-Z][\w-]*) once: (?P<words>.+)"),
    ("hears_not", r"Bot never told (?P<who>[A-Z][\w-]*): (?P<words>.+)"),
    ("record", r"Record of (?P<who>[A-Z][\w-]*): (?P<values>.+)"),
    ("figures", r"Figures: (?P<values>.+)"),
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
    ("uses", _NAME + r" uses (?P<words>[a-z_]+)"),
    ("sends_code", _NAME + r" sends the code that (?P<words>[A-Z][\w-]*) sees"),
    ("runs", _NAME + r" runs (?P<words>/complaints .+)"),
    ("at_home", _NAME + r" sees at home: (?P<words>.+)"),
    ("sees_once", _NAME + r" sees once: (?P<words>.+)"),
    ("refused", _NAME + r" is refused: (?P<words>.+)"),
    ("goes_back", _NAME + r" goes back"),
    ("no_card", _NAME + r" sees no card of (?P<words>[A-Z][\w-]*)"),
    ("sees_not", _NAME + r" does not see: (?P<words>.+)"),
    ("sees", _NAME + r" sees: (?P<words>.+)"),
    ("says", _NAME + r"(?: \[(?P<language>[a-z]{2})\])?: (?P<words>.+)"),
)


def read_story(text: str) -> tuple[StoryStep, ...]:
    """The steps of a story; empty lines and lines that begin with # are left out. Raises BadStory."""
    steps: list[StoryStep] = []
    known = 0
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        each = people(said, known) or [said]
        known += new_people(said)
        # Of many at once only the last waits until all is done: they write and press together.
        steps += [replace(_step(number, one), more=one is not each[-1]) for one in each]
    return tuple(steps)


def _step(number: int, said: str) -> StoryStep:
    for kind, form in _FORMS:
        found = re.fullmatch(form, said)
        if found:
            parts = found.groupdict()
            return StoryStep(
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


Report = Callable[[StoryStep, str], None]
