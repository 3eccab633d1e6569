"""The optional command that writes down recordings: it gets the path of a file and prints the words."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from amends.runtime.commands import run_command
from amends.settings.sections import SpeechSettings
from bots.telegram.files import Speech

#: In bytes of UTF-8. An hour of speech has about 60 KiB; a command that prints without end is cut.
LONGEST_TRANSCRIPT = 256 * 1024

log = structlog.get_logger(__name__)


def speech_from(settings: SpeechSettings) -> Speech | None:
    """How recordings are written down; None if no command is set."""
    if not settings.command:
        return None
    return Speech(partial(transcribe, settings.command, settings.timeout), settings.max_minutes * 60)


async def transcribe(words: tuple[str, ...], timeout_seconds: float, data: bytes) -> str | None:
    """Run the command on one recording; None if it is missing, takes too long or ends with another code than 0.

    It runs in a folder of its own, which is deleted afterwards, and gets none of our secrets.
    """
    with TemporaryDirectory(prefix="amends-speech-") as name:
        recording, printed = Path(name, "recording"), Path(name, "words")
        await asyncio.to_thread(recording.write_bytes, data)
        command = [*words, str(recording)]
        try:
            code = await run_command(command, b"", timeout_seconds, folder=Path(name), printed=printed)
        except TimeoutError:
            why = "timeout"
        except (OSError, ValueError) as error:
            why = type(error).__name__
        else:
            if code == 0:
                return await asyncio.to_thread(_read, printed)
            why = f"exit code {code}"
    log.error("speech_failed", why=why)
    return None


def _read(printed: Path) -> str:
    with printed.open("rb") as output:
        return output.read(LONGEST_TRANSCRIPT).decode(errors="replace").replace("\0", "").strip()
