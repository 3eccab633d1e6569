"""Trouble on purpose: outages, and faults of single calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

How = Literal[
    "answer",
    "timeout_after_accept",
    "cut_after_accept",
    "cut_before",
    "html_502",
    "bad_json",
    "lost",
    "twice",
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


class Trouble:
    """The switches of the page, and the faults that tests order.

    Faults are ordered by method name; "file" is a download from Telegram; "interactive", "slash_commands" and
    "events_api" are deliveries to the app in Slack, which can be `lost` or come `twice`.
    """

    def __init__(self) -> None:
        self.refuse = False
        self.listeners: list[Callable[[], None]] = []
        self._down = {"telegram": False, "slack": False}
        self._faults: dict[str, list[Fault]] = {}

    @property
    def telegram_down(self) -> bool:
        """Telegram answers 502, or cuts the line when `refuse` is set."""
        return self._down["telegram"]

    @telegram_down.setter
    def telegram_down(self, down: bool) -> None:
        self._switch("telegram", down)

    @property
    def slack_down(self) -> bool:
        """Slack answers 503, its sockets are closed."""
        return self._down["slack"]

    @slack_down.setter
    def slack_down(self, down: bool) -> None:
        self._switch("slack", down)

    def _switch(self, platform: str, down: bool) -> None:
        if self._down[platform] != down:
            self._down[platform] = down
            for listener in self.listeners:
                listener()

    def order(self, method: str, fault: Fault, times: int) -> None:
        """Let the next `times` calls of `method` go wrong."""
        self._faults.setdefault(method.lower(), []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, which is used up."""
        ordered = self._faults.get(method.lower())
        return ordered.pop(0) if ordered else None
