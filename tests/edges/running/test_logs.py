"""The log contains no secrets, no messages of exceptions and no payloads of libraries."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from amends.logs import set_up_logging

WORDS = "my qwxyz bill"


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Returns what was logged. The logging configuration is restored afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.raiseExceptions)
    configured = structlog.get_config()
    yield lambda: capsys.readouterr().err
    root.handlers, root.level, logging.raiseExceptions = before
    structlog.configure(**configured)


def set_up() -> None:
    """Log at debug level with a secret of an unusual shape. Call it in the test: each phase has its own stream."""
    set_up_logging("debug", ["bot/token"])


def fail() -> None:
    raise ValueError(WORDS)


def test_an_exception_is_logged_with_its_type_and_place_only(logged: Callable[[], str]) -> None:
    set_up()
    try:
        fail()
    except ValueError:
        structlog.get_logger("scheduler.worker").exception("obligation_failed", id=7)
        logging.getLogger("amends.slack.bolt").exception("failed")
    own_entry, library_entry = (json.loads(line) for line in logged().splitlines())

    assert own_entry["failure"].startswith("ValueError at test_logs.py:")
    assert library_entry["failure"].startswith("ValueError at test_logs.py:")
    assert WORDS not in json.dumps([own_entry, library_entry])


def test_secrets_are_redacted_in_every_form(logged: Callable[[], str]) -> None:
    set_up()
    log = structlog.get_logger("bots.telegram")
    log.warning(
        "asked", url="http://x/botbot/token/getMe", other="https://t/bot12345678:AAAAAAAAAA/x xoxb-12-ab"
    )
    log_text = logged()

    assert "bot/token" not in log_text
    assert "AAAAAAAAAA" not in log_text
    assert "xoxb-12" not in log_text


def test_at_debug_level_the_libraries_log_no_payloads(logged: Callable[[], str]) -> None:
    set_up()
    for name in ("amends.slack.bolt", "slack_sdk", "httpx", "telegram.ext", "sqlalchemy.engine", "py3langid"):
        logging.getLogger(name).debug(WORDS)
        logging.getLogger(name).info(WORDS)
    structlog.get_logger("amends.parts").debug("heard")
    log_text = logged()

    assert WORDS not in log_text
    assert "heard" in log_text
