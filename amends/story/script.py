"""Reads a story: each line is one step, and the whole also reads as prose.

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
Figures: incidents=1 complaints=47                               the incidents part of the report
Record of Anna: state=closed close_code=resolved                 fields of the record

Customers of a group are called Person-1, Person-2 and so on, in the order in which they first wrote.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


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


_NAME = r"(?P<who>[A-Z][\w-]*)"
_FORMS: tuple[tuple[str, str], ...] = (
    ("message", r"Bot to (?P<who>[A-Z][\w-]*): (?P<words>.+)"),
    ("message_once", r"Bot told (?P<who>[A-Z][\w-]*) once: (?P<words>.+)"),
    ("no_message", r"Bot never told (?P<who>[A-Z][\w-]*): (?P<words>.+)"),
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
    ("sees_home", _NAME + r" sees at home: (?P<words>.+)"),
    ("sees_once", _NAME + r" sees once: (?P<words>.+)"),
    ("refused", _NAME + r" is refused: (?P<words>.+)"),
    ("goes_back", _NAME + r" goes back"),
    ("no_card", _NAME + r" sees no card of (?P<words>[A-Z][\w-]*)"),
    ("sees_not", _NAME + r" does not see: (?P<words>.+)"),
    ("sees", _NAME + r" sees: (?P<words>.+)"),
    ("says", _NAME + r"(?: \[(?P<language>[a-z]{2})\])?: (?P<words>.+)"),
)
KINDS = tuple(kind for kind, _ in _FORMS)

_GROUP_WRITES = re.compile(r"(\d+) people write((?: \[[a-z]{2}\])?: .+)")
_GROUP = re.compile(r"\b[Pp]eople (\d+)-(\d+)\b")
_GROUP_LINE = re.compile(
    r"(?:People|Bot to people|Bot told people|Bot never told people|Records of people) \d"
)
_GROUP_CARDS = re.compile(r"(.+ on) the cards of people (\d+)-(\d+)")
#: The verbs of a group's line, plural and singular.
_SINGULAR: tuple[tuple[str, str], ...] = (
    (" press ", " presses "),
    (" send ", " sends "),
    (" block ", " blocks "),
    (" unblock ", " unblocks "),
)


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
    for plural, singular in _SINGULAR:
        line = line.replace(plural, singular, 1)
    return [_GROUP.sub(f"Person-{n}", line, count=1) for n in range(first, last + 1)]


def _new_people(line: str) -> int:
    """How many people of a group write for the first time in this line."""
    writes = _GROUP_WRITES.fullmatch(line)
    return int(writes[1]) if writes else 0


def _step(number: int, line: str) -> StoryStep:
    for kind, form in _FORMS:
        match = re.fullmatch(form, line)
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
