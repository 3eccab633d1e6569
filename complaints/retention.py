"""How long a closed complaint is kept, counted from its closing or, in some schemes, from its receipt (8.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from complaints.deadlines.durations import Span
from complaints.deadlines.working_time import due
from complaints.rulebook import Calendar

_WRITTEN = re.compile(r"(.*?)(?:\s+from\s+(receipt|closing))?\s*", re.DOTALL)


@dataclass(frozen=True)
class RetentionPeriod:
    """A span, and whether it counts from receipt instead of from closing."""

    span: str
    from_receipt: bool = False

    @classmethod
    def parse(cls, text: str) -> RetentionPeriod:
        """Read "72 months", "72 months from closing" or "36 months from receipt"; raises BadSpan."""
        match = _WRITTEN.fullmatch(text)
        span, since = (match[1], match[2]) if match is not None else (text, None)
        return cls(str(Span.parse(span)), since == "receipt")

    def __str__(self) -> str:
        return f"{self.span} from receipt" if self.from_receipt else self.span

    def until(self, *, received: datetime, closed: datetime, calendar: Calendar) -> datetime:
        """When it may be erased; never before it is closed."""
        return max(closed, due(received if self.from_receipt else closed, self.span, calendar).at)
