"""Logging: JSON lines where standard error is no terminal; no token and no personal data in any of them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

#: A bot token in a URL, and Slack's tokens: never in a log, whoever wrote the line.
_SECRET = re.compile(r"(?:bot)?\d{5,}:[A-Za-z0-9_-]{8,}|xox[abp]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+")


def _without_secrets(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = _SECRET.sub("[secret]", value)
    return line


def set_up_logging(level: str) -> None:
    """Log to standard error from this level on; the libraries speak only when something is wrong."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    shown = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_secrets,
            shown,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These write whole URLs (with the token) or whole bodies (with words) at lower levels.
    for name in (
        "httpx",
        "httpcore",
        "slack_sdk",
        "slack_bolt",
        "telegram",
        "aiohttp",
        "apscheduler",
        "uvicorn",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
