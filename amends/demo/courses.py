"""What the demo's past complaints are about and how far each has come; courses.toml lists their steps."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, zip_longest
from pathlib import Path

from amends.demo.actions import COMPLAINANT_STEPS
from amends.demo.settings import TEXTS
from complaints.deadlines.opening_hours import next_working
from complaints.rulebook import Rulebook
from complaints.vocabulary import RESTRICTING, Category
from triage.example import Example

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


_TABLES = tomllib.loads(Path(__file__).with_name("courses.toml").read_text(encoding="utf-8"))


def _steps(entries: Sequence[str]) -> Iterator[DemoStep]:
    for entry in entries:
        name, _, hours = entry.partition(" ")
        if hours:
            yield DemoStep(name, timedelta(hours=float(hours)))
        else:
            yield from _steps(_TABLES["stages"][name])


COURSES: Mapping[str, Course] = {
    name: Course(tuple(_steps(row["steps"])), row["weight"], timedelta(hours=row["ended"]))
    for name, row in _TABLES["courses"].items()
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


def people() -> list[tuple[str, str]]:
    """Names with their languages: two people who write English for each who writes Turkish."""
    english, turkish = TEXTS["names"]["en"], TEXTS["names"]["tr"]
    names = []
    for n, name in enumerate(english):
        names.append((name, "en"))
        if n % 2:
            names.append((turkish[n // 2 % len(turkish)], "tr"))
    return names


def mix_examples(examples: Sequence[Example]) -> dict[str, Iterator[Example]]:
    """For each language an endless sequence of its examples: the categories in turn, a third of the rare ones."""
    mixed: dict[str, Iterator[Example]] = {}
    for language in TEXTS["names"]:
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
    return Example(TEXTS["praise"][language], "other", 1, language)
