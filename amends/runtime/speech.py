"""The optional command that writes down recordings: it gets the path of a file and prints the words."""

from functools import partial

import structlog

from amends.runtime.commands import NoResult, command_result
from amends.settings.sections import SpeechSettings
from bots.telegram.machine_words import Speech

log = structlog.get_logger(__name__)


def speech_from(settings: SpeechSettings) -> Speech | None:
    """How recordings are written down; None if no command is set."""
    if not settings.command:
        return None
    return Speech(partial(transcribe, settings.command, settings.timeout), settings.max_minutes * 60)


async def transcribe(command: tuple[str, ...], timeout_seconds: float, recording: bytes) -> str | None:
    """What the command writes down of one recording; None if it failed."""
    try:
        return (await command_result(command, recording, timeout_seconds, as_file=True))[1]
    except NoResult as failed:
        log.error("speech_failed", why=str(failed))
        return None
