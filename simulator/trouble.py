"""Trouble on purpose: outages, and faults of single calls."""

from dataclasses import dataclass, field
from typing import Literal

How = Literal[
    "answer", "timeout_after_accept", "cut_after_accept", "cut_before", "html_502", "bad_json",
]


@dataclass(frozen=True)
class Fault:
    """What happens to one call instead of, or after, its work."""

    how: How = "answer"
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None

    @property
    def accepts(self) -> bool:
        """Whether the work is done although the caller is not told."""
        return self.how in ("timeout_after_accept", "cut_after_accept", "bad_json")


@dataclass
class Trouble:
    """The switches of the page, and the faults that tests order."""

    telegram_down: bool = False
    slack_down: bool = False
    refuse: bool = False
    faults: dict[str, list[Fault]] = field(default_factory=dict)

    def order(self, method: str, fault: Fault, times: int) -> None:
        """Let the next `times` calls of `method` go wrong."""
        self.faults.setdefault(method.lower(), []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, which is used up."""
        ordered = self.faults.get(method.lower())
        return ordered.pop(0) if ordered else None
