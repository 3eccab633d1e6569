"""The simulated world: one Telegram, one Slack, one clock, its troubles."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from simulator.calls import Calls
from simulator.changes import Changes
from simulator.clock import RealTime, SimClock
from simulator.limits import Limits
from simulator.pace import Pacing
from simulator.slack_state import SlackState
from simulator.telegram_state import TelegramState
from simulator.trouble import Trouble


@dataclass
class World:
    """Shared by both platforms, the page and the tests; used from one event loop."""

    telegram: TelegramState
    slack: SlackState
    clock: SimClock = field(default_factory=RealTime)
    limits: Limits = field(default_factory=Limits)
    changes: Changes = field(default_factory=Changes)
    trouble: Trouble = field(default_factory=Trouble)
    calls: Calls = field(default_factory=Calls)
    monotonic: Callable[[], float] = time.monotonic
    url: str = "http://127.0.0.1"
    #: What was against the written contract of a platform: an unknown field, a text too long, a block malformed.
    breaches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.telegram_pacing = Pacing(self.limits.telegram_pace, self.monotonic)
        self.trouble.listeners.append(self._troubled)
        self.slack_pacing = Pacing(self.limits.slack_pace, self.monotonic)

    def _troubled(self) -> None:
        # Open long polls end with the outage.
        self.telegram.arrived.set()
        self.changed()

    @property
    def real_time(self) -> bool:
        """Whether nobody can move the clock."""
        return isinstance(self.clock, RealTime)

    def now(self) -> datetime:
        """The world's time, aware UTC."""
        return self.clock.now()

    def changed(self) -> None:
        """Tell everyone who watches."""
        self.changes.changed()
