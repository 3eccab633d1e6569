"""What was called, with what, and what was answered."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]
KEPT = 50_000


@dataclass(frozen=True)
class Call:
    """One call of a platform's method. `answer` is the whole answer, also when the caller never got it."""

    method: str
    arguments: Json
    answer: Json
    status: int
    at: datetime


class Calls:
    """The newest calls, oldest first."""

    def __init__(self) -> None:
        self.all: deque[Call] = deque(maxlen=KEPT)

    def of(self, method: str) -> list[Call]:
        """The calls of one method, in order."""
        return [call for call in self.all if call.method == method]
