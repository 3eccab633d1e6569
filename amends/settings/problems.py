"""What is wrong with the settings, in words that let an installer correct it without reading code."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One wrong setting: its key, its file and line, what is wrong, and the accepted forms."""

    key: str
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.what}" if self.key else f"{self.place}: {self.what}"


class SettingsError(Exception):
    """The settings cannot be used; the message has one line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BadCalendarFile(ValueError):
    """An iCalendar file cannot be used; the message names the line, if there is one, and the remedy."""


class NotCounted(Exception):
    """An event of a calendar file cannot be counted as days off; the message says why and what to write instead."""
