"""Logging to standard error, as JSON lines unless it is a terminal, without secrets and personal data."""

import logging
import re
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from pathlib import PurePath
from typing import Any

import structlog

#: A bot token in a URL, and Slack's tokens. They are removed from every line, also from those of libraries.
_SECRET = re.compile(r"(?:bot)?\d{5,}:[A-Za-z0-9_-]{8,}|xox[abp]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+")
#: The packages of the product log at the configured level. Libraries log only warnings and errors: at lower levels
#: they write whole addresses (with the token) and whole bodies (with complainants' texts).
_OWN_LOGGERS = ("amends", "bots", "complaints", "reports", "scheduler", "store", "triage")
#: Bolt and its connection use this logger of the product, and write whole payloads into it.
_LIBRARY_LOGGERS = ("amends.slack.bolt",)
#: How many frames of a failure are logged, the innermost first.
_FRAMES = 6


def _without_secrets(hidden: Iterable[str]) -> Any:
    literals = sorted((re.escape(value) for value in hidden if len(value) >= 3), key=len, reverse=True)
    secret = re.compile("|".join([*literals, _SECRET.pattern]))

    def hide(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in line.items():
            if isinstance(value, str):
                line[key] = secret.sub("[secret]", value)
        return line

    return hide


def _failure_by_place(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and frames: its message may contain a complainant's text."""
    info = line.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    failure = info[1] if isinstance(info, tuple) else info
    if isinstance(failure, BaseException):
        line["failure"] = describe_failure(failure)
    line.pop("stack_info", None)
    if line.get("logger") == "asyncio":
        # The further lines of asyncio's messages show the task and its exception in full.
        line["event"] = str(line["event"]).partition("\n")[0]
    return line


def describe_failure(failure: BaseException) -> str:
    """The part of a failure that may be logged, such as `KeyError at act.py:88 < receive_message.py:80`."""
    frames = traceback.extract_tb(failure.__traceback__)[-_FRAMES:]
    places = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(failure).__name__} at {places}" if places else type(failure).__name__


def set_up_logging(level: str, hidden: Iterable[str] = ()) -> None:
    """Log to standard error from this level on. `hidden` are secrets to remove from every line."""
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
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _failure_by_place,
            _without_secrets(hidden),
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # If a line cannot be formatted, logging would print the line and its exception in full.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _OWN_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())
    for name in _LIBRARY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
