"""What the log may hold: no secret as it was given, no message of a failure, nothing of a library's talk."""

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
    """What was logged since the test set logging up; put back afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.raiseExceptions)
    yield lambda: capsys.readouterr().err
    root.handlers, root.level, logging.raiseExceptions = before
    structlog.reset_defaults()


def set_up() -> None:
    """Debug, with a secret of an unusual shape. In the test itself: each phase has a stream of its own."""
    set_up_logging("debug", ["bot/token"])


def fail() -> None:
    raise ValueError(WORDS)


def test_a_failure_is_told_by_its_kind_and_place_alone(logged: Callable[[], str]) -> None:
    set_up()
    try:
        fail()
    except ValueError:
        structlog.get_logger("scheduler.worker").exception("obligation_failed", id=7)
        logging.getLogger("amends.slack.bolt").exception("failed")
    ours, theirs = (json.loads(line) for line in logged().splitlines())

    assert ours["failure"].startswith("ValueError at test_logs.py:")
    assert theirs["failure"].startswith("ValueError at test_logs.py:")
    assert WORDS not in json.dumps([ours, theirs])


def test_no_secret_is_shown_in_whatever_shape_it_was_given(logged: Callable[[], str]) -> None:
    set_up()
    log = structlog.get_logger("bots.telegram")
    log.warning(
        "asked", url="http://x/botbot/token/getMe", other="https://t/bot12345678:AAAAAAAAAA/x xoxb-12-ab"
    )
    said = logged()

    assert "bot/token" not in said
    assert "AAAAAAAAAA" not in said
    assert "xoxb-12" not in said


def test_at_debug_the_libraries_keep_their_payloads_to_themselves(logged: Callable[[], str]) -> None:
    set_up()
    for name in ("amends.slack.bolt", "slack_sdk", "httpx", "telegram.ext", "sqlalchemy.engine", "py3langid"):
        logging.getLogger(name).debug(WORDS)
        logging.getLogger(name).info(WORDS)
    structlog.get_logger("amends.parts").debug("heard")
    said = logged()

    assert WORDS not in said
    assert "heard" in said
