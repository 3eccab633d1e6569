"""What the demo's past complaints are about and how far each has come: a course lists its steps with their times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, zip_longest

from amends.demo.actions import COMPLAINANT_STEPS
from complaints.deadlines.opening_hours import next_working
from complaints.rulebook import Rulebook
from complaints.vocabulary import RESTRICTING, Category
from triage.example import Example

H, D = timedelta(hours=1), timedelta(days=1)
#: The last step ends this long before the demo opens: a step may take a few messages.
_LAST_STEP = timedelta(minutes=3)


@dataclass(frozen=True)
class DemoStep:
    """`name` is one of actions.STEPS, `after` the time since the step before."""

    name: str
    after: timedelta


@dataclass(frozen=True)
class Course:
    """`weight` is its share of the demo's complaints, `ended` how long ago its last step was."""

    steps: tuple[DemoStep, ...]
    weight: int
    ended: timedelta

    @property
    def recent(self) -> bool:
        """Ended within three hours: its steps must not move to the next working morning."""
        return self.ended <= timedelta(hours=3)

    @property
    def duration(self) -> timedelta:
        return sum((step.after for step in self.steps), timedelta())


_RECEIVED = (DemoStep("write", 0 * H), DemoStep("finish_form", H / 20))
_ASSESSED = (*_RECEIVED, DemoStep("assess", 3 * H))
_INVESTIGATED = (*_ASSESSED, DemoStep("investigate", 5 * H))
_ANSWERED = (
    *_ASSESSED,
    DemoStep("reply", H),
    DemoStep("ask", 2 * H),
    DemoStep("answer", 8 * H),
    DemoStep("investigate", 3 * H),
)
_REFUND_DECIDED = (*_INVESTIGATED, DemoStep("decide_refund", 20 * H), DemoStep("approve", 2 * H))
_REPAIR_DECIDED = (*_INVESTIGATED, DemoStep("decide_repair", 20 * H))
_NOT_UPHELD = (*_INVESTIGATED, DemoStep("decide_not_upheld", 20 * H))
_REVIEWED = (*_NOT_UPHELD, DemoStep("disagree", 30 * H), DemoStep("review", 20 * H))
_RECOURSE_OFFERED = (*_REVIEWED, DemoStep("disagree", 20 * H))
_AT_OMBUDSMAN = (*_RECOURSE_OFFERED, DemoStep("notify_outside_body", 4 * D))
_RESOLVED = (*_ASSESSED, DemoStep("resolve", H), DemoStep("accept", H), DemoStep("close", H))
_REMEDIED = (
    *_REFUND_DECIDED,
    DemoStep("accept", 9 * H),
    DemoStep("complete_remedies", 2 * D),
    DemoStep("verify_remedies", D),
    DemoStep("close", 2 * H),
)
_ACCEPTED_REPAIR = (*_REPAIR_DECIDED, DemoStep("accept", 4 * H))
_NO_REPLY = (*_REPAIR_DECIDED, DemoStep("complete_remedies", 2 * D), DemoStep("verify_remedies", D))
_REOPENED = (*_REMEDIED, DemoStep("reopen", 7 * D), DemoStep("reply", H))

COURSES: Mapping[str, Course] = {
    "first message": Course((DemoStep("write", 0 * H),), 2, H / 10),
    "received": Course(_RECEIVED, 5, 2 * H),
    "assessed": Course(_ASSESSED, 5, 3 * H),
    "taken": Course((*_RECEIVED, DemoStep("take", 2 * H)), 3, H),
    "investigated": Course(_INVESTIGATED, 4, 20 * H),
    "asked": Course((*_ASSESSED, DemoStep("reply", H), DemoStep("ask", 2 * H)), 3, 5 * H),
    "extended": Course((*_ANSWERED, DemoStep("extend", 4 * H)), 3, 20 * H),
    "waits for approval": Course((*_INVESTIGATED, DemoStep("decide_refund", 20 * H)), 3, 2 * H),
    "not upheld": Course(_NOT_UPHELD, 5, 2 * D),
    "remedy pending": Course(_ACCEPTED_REPAIR, 4, D),
    "remedy unverified": Course((*_ACCEPTED_REPAIR, DemoStep("complete_remedies", D)), 3, 5 * H),
    "accepted": Course((*_NOT_UPHELD, DemoStep("accept", 9 * H)), 2, 3 * H),
    "escalated": Course((*_NOT_UPHELD, DemoStep("disagree", 30 * H)), 3, 6 * H),
    "reviewed": Course(_REVIEWED, 2, D),
    "recourse offered": Course(_RECOURSE_OFFERED, 2, 3 * D),
    "at the ombudsman": Course(_AT_OMBUDSMAN, 1, 5 * D),
    "overturned": Course((*_AT_OMBUDSMAN, DemoStep("overturn", 20 * D)), 1, 2 * D),
    "resolved": Course(_RESOLVED, 12, 2 * D),
    "resolved, surveyed": Course((*_RESOLVED, DemoStep("answer_survey", 4 * D)), 12, 19 * D),
    "remedied": Course(_REMEDIED, 10, 3 * D),
    "remedied, surveyed": Course((*_REMEDIED, DemoStep("answer_survey", 4 * D)), 10, 24 * D),
    "reopened": Course(_REOPENED, 2, D),
    "no reply": Course(_NO_REPLY, 4, 33 * D),
    "lapsed": Course(_NOT_UPHELD, 3, 34 * D),
    "withdrawn": Course((*_ASSESSED, DemoStep("withdraw", 10 * H)), 2, 4 * D),
    "praise": Course((*_RECEIVED, DemoStep("reclassify", 3 * H), DemoStep("approve", 2 * H)), 2, 6 * D),
}


def plan(number: int) -> list[str]:
    """The courses of this many complaints, well mixed and in proportion to the weights.

    Each course occurs at least once, so the plan is never shorter than COURSES.
    """
    positions: list[tuple[float, str]] = []
    total = sum(course.weight for course in COURSES.values())
    for name, course in COURSES.items():
        count = max(1, round(number * course.weight / total))
        positions += [((n + 0.5) / count, name) for n in range(count)]
    return [name for _, name in sorted(positions)][: max(number, len(COURSES))]


def schedule(
    course: Course, *, begins: datetime, end: datetime, rules: Rulebook
) -> list[tuple[datetime, str]]:
    """The time of each step, all before `end`; staff's steps are in working time, the complainant's at any hour."""
    at, times = begins, []
    for step in course.steps:
        at += step.after
        if step.name not in COMPLAINANT_STEPS and not course.recent:
            at = next_working(at, rules.calendar)
        at = min(at, end - _LAST_STEP)
        times.append((at, step.name))
    return times


NAMES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Grace",
        "Oliver",
        "Amira",
        "Tom",
        "Helen",
        "Kofi",
        "Ruth",
        "Liam",
        "Priya",
        "Joan",
        "Sam",
        "Nora",
    ),
    "tr": ("Ayşe", "Kerem", "Zeynep", "Emre", "Fatma", "Deniz", "Selin", "Murat"),
}


def people() -> list[tuple[str, str]]:
    """Names with their languages: two people who write English for each who writes Turkish."""
    english, turkish = NAMES["en"], NAMES["tr"]
    names = []
    for n, name in enumerate(english):
        names.append((name, "en"))
        if n % 2:
            names.append((turkish[n // 2 % len(turkish)], "tr"))
    return names


def mix_examples(examples: Sequence[Example]) -> dict[str, Iterator[Example]]:
    """For each language an endless sequence of its examples: the categories in turn, a third of the rare ones."""
    mixed: dict[str, Iterator[Example]] = {}
    for language in NAMES:
        by_category: dict[str, list[Example]] = {}
        for example in examples:
            if example.language == language:
                by_category.setdefault(example.category, []).append(example)
        rounds = enumerate(zip_longest(*by_category.values()))
        mixed[language] = cycle(
            [
                example
                for n, row in rounds
                for example in row
                if example is not None and (n % 3 == 0 or _is_common(example))
            ]
        )
    return mixed


def _is_common(example: Example) -> bool:
    """Most complaints are about supply and cost; complaints about danger or people are rare."""
    return example.category not in {*RESTRICTING, Category.SAFETY}


def praise(language: str) -> Example:
    texts = {
        "en": "Your engineer was wonderful, thank you all for such a quick repair!",
        "tr": "Ustanız harikaydı, bu kadar hızlı onardığınız için hepinize teşekkür ederim!",
    }
    return Example(texts[language], "other", 1, language)
