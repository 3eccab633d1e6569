"""How far the demo's earlier complaints have come: each course is a list of steps with the time before each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

H, D = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Step:
    """`does` names the step (see doing.py), `after` the time since the one before."""

    does: str
    after: timedelta


@dataclass(frozen=True)
class Course:
    """`weight` is how often it occurs among the demo's complaints, `ended` how long ago its last step was."""

    steps: tuple[Step, ...]
    weight: int
    ended: timedelta

    @property
    def recent(self) -> bool:
        """Ended within the hour: it must not be moved to the next working morning."""
        return self.ended <= timedelta(hours=3)

    @property
    def lasts(self) -> timedelta:
        """From the first message to the last step."""
        return sum((one.after for one in self.steps), timedelta())


_TOLD = (Step("tell", 0 * H), Step("finish", H / 20))
_ASSESSED = (*_TOLD, Step("assess", 3 * H))
_LOOKED_INTO = (*_ASSESSED, Step("investigate", 5 * H))
_ASKED = (*_ASSESSED, Step("reply", H), Step("ask", 2 * H), Step("answer", 8 * H), Step("investigate", 3 * H))
_UPHELD = (*_LOOKED_INTO, Step("decide_refund", 20 * H), Step("approve", 2 * H))
_MENDED = (*_LOOKED_INTO, Step("decide_repair", 20 * H))
_REFUSED = (*_LOOKED_INTO, Step("decide_not_upheld", 20 * H))
_LEVEL_2 = (*_REFUSED, Step("disagree", 30 * H), Step("review", 20 * H))
_OUTSIDE = (*_LEVEL_2, Step("disagree", 20 * H))
_AT_ONCE = (*_ASSESSED, Step("resolve", H), Step("accept", H), Step("close", H))
_PUT_RIGHT = (*_UPHELD, Step("accept", 9 * H), Step("remedy", 2 * D), Step("verify", D), Step("close", 2 * H))

COURSES: Mapping[str, Course] = {
    "being told": Course((Step("tell", 0 * H),), 2, H / 10),
    "received": Course(_TOLD, 5, 2 * H),
    "assessed": Course(_ASSESSED, 5, 3 * H),
    "taken": Course((*_TOLD, Step("take", 2 * H)), 3, H),
    "investigated": Course(_LOOKED_INTO, 4, 20 * H),
    "asked": Course((*_ASSESSED, Step("reply", H), Step("ask", 2 * H)), 3, 5 * H),
    "given more time": Course((*_ASKED, Step("extend", 4 * H)), 3, 20 * H),
    "waits for approval": Course((*_LOOKED_INTO, Step("decide_refund", 20 * H)), 3, 2 * H),
    "answered": Course(_REFUSED, 5, 2 * D),
    "remedy owed": Course((*_MENDED, Step("accept", 4 * H)), 4, D),
    "to be checked": Course((*_MENDED, Step("accept", 4 * H), Step("remedy", D)), 3, 5 * H),
    "accepted": Course((*_REFUSED, Step("accept", 9 * H)), 2, 3 * H),
    "escalated": Course((*_REFUSED, Step("disagree", 30 * H)), 3, 6 * H),
    "reviewed": Course((*_LEVEL_2,), 2, D),
    "outside": Course(_OUTSIDE, 2, 3 * D),
    "at the ombudsman": Course((*_OUTSIDE, Step("outside", 4 * D)), 1, 5 * D),
    "overturned": Course((*_OUTSIDE, Step("outside", 4 * D), Step("overturned", 20 * D)), 1, 2 * D),
    "resolved at once": Course(_AT_ONCE, 12, 2 * D),
    "resolved at once, long ago": Course((*_AT_ONCE, Step("survey", 4 * D)), 12, 19 * D),
    "put right": Course(_PUT_RIGHT, 10, 3 * D),
    "put right, long ago": Course((*_PUT_RIGHT, Step("survey", 4 * D)), 10, 24 * D),
    "came back": Course((*_PUT_RIGHT, Step("reopen", 7 * D), Step("reply", H)), 2, D),
    "no reply": Course((*_MENDED, Step("remedy", 2 * D), Step("verify", D)), 4, 33 * D),
    "lapsed": Course(_REFUSED, 3, 34 * D),
    "withdrawn": Course((*_ASSESSED, Step("withdraw", 10 * H)), 2, 4 * D),
    "praise": Course((*_TOLD, Step("reclassify", 3 * H), Step("approve", 2 * H)), 2, 6 * D),
}


def plan(number: int) -> list[str]:
    """The courses of so many complaints, in the proportions of the weights and well mixed."""
    wheel: list[tuple[float, str]] = []
    total = sum(course.weight for course in COURSES.values())
    for name, course in COURSES.items():
        count = max(1, round(number * course.weight / total))
        wheel += [((n + 0.5) / count, name) for n in range(count)]
    return [name for _, name in sorted(wheel)][: max(number, len(COURSES))]
