"""`amends` without the platforms' rate limits: what the desk can do, not what Telegram and Slack let through."""

from __future__ import annotations

from functools import partial

import amends.process
from amends.cli.main import main
from amends.wiring import Application, SendIntervals

if __name__ == "__main__":
    desk = partial(Application, send_intervals=SendIntervals(0.0, telegram=False))
    amends.process.Application = desk  # type: ignore[assignment,attr-defined]
    main()
