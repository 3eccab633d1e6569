"""Logging: JSON lines where standard error is no terminal; no token and no personal data in any of them."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from pathlib import PurePath
from typing import Any

import structlog

#: A bot token in a URL, and Slack's tokens: never in a log, whoever wrote the line.
_SECRET = re.compile(r"(?:bot)?\d{5,}:[A-Za-z0-9_-]{8,}|xox[abp]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+")
#: Ours speak at the level asked for. The libraries speak only when something is wrong: at lower levels they
#: write whole addresses (with the token) and whole bodies (with people's words).
_OURS = ("amends", "bots", "complaints", "reports", "scheduler", "store", "triage")
#: Bolt and its line are given a logger of ours, and write whole payloads into it.
_THEIRS = ("amends.slack.bolt",)
#: How many calls of a failure are told, the innermost first.
_CALLS = 6


def _without_secrets(hidden: Iterable[str]) -> Any:
    ours = sorted((re.escape(one) for one in hidden if len(one) >= 3), key=len, reverse=True)
    secret = re.compile("|".join([*ours, _SECRET.pattern]))

    def hide(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in line.items():
            if isinstance(value, str):
                line[key] = secret.sub("[secret]", value)
        return line

    return hide


def _failure_by_place(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its kind and where it came from; its message may hold somebody's words."""
    said = line.pop("exc_info", None)
    if said is True:
        said = sys.exc_info()
    failure = said[1] if isinstance(said, tuple) else said
    if isinstance(failure, BaseException):
        line["failure"] = told(failure)
    line.pop("stack_info", None)
    if line.get("logger") == "asyncio":
        # Its further lines show the task and what it raised, in full.
        line["event"] = str(line["event"]).partition("\n")[0]
    return line


def told(failure: BaseException) -> str:
    """`KeyError at acting.py:88 < hearing.py:80`: what a log may say of a failure."""
    frames = traceback.extract_tb(failure.__traceback__)[-_CALLS:]
    places = " < ".join(f"{PurePath(one.filename).name}:{one.lineno}" for one in reversed(frames))
    return f"{type(failure).__name__} at {places}" if places else type(failure).__name__


def set_up_logging(level: str, hidden: Iterable[str] = ()) -> None:
    """Log to standard error from this level on; `hidden` are secrets that no line may show."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    shown = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _failure_by_place,
            _without_secrets(hidden),
            shown,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # Logging's own complaints about a line would show that line and its failure in full.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())
    for name in _THEIRS:
        logging.getLogger(name).setLevel(logging.WARNING)
