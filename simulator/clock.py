"""The clock that the simulated world shows; whoever starts the simulator owns it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class SimClock(Protocol):
    """Time as the demo sees it. Instants are aware UTC.

    A clock may also have `zone`, an IANA name: the page shows times in it, else in the browser's own.
    """

    def now(self) -> datetime:
        """The world's time."""
        ...

    def next_due(self) -> tuple[str, datetime] | None:
        """What is owed next, in words, and when; None when nothing is."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Move forward, stopping at each due time on the way; returns when what fell due is done."""
        ...

    async def to_next_due(self) -> None:
        """Move to `next_due`; nothing happens when there is none."""
        ...


class RealTime:
    """The machine's clock, which nobody can move."""

    def now(self) -> datetime:
        """The machine's time."""
        return datetime.now(UTC)

    def next_due(self) -> tuple[str, datetime] | None:
        """Unknown to a plain clock."""
        return None

    async def advance(self, by: timedelta) -> None:
        """Refused: real time moves by itself."""
        raise ValueError(f"The simulator runs on real time and cannot move by {by}: start it with a clock.")

    async def to_next_due(self) -> None:
        """Refused: real time moves by itself."""
        raise ValueError("The simulator runs on real time and knows no due times: start it with a clock.")
