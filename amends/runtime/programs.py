"""The optional programs of the operator that work on what complainants send: virus scanner, speech, translator."""

import json
import shlex
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import structlog

from amends.runtime.commands import LONGEST_OUTPUT, NoResult, command_result, post
from amends.settings import Settings
from amends.settings.sections import SpeechSettings
from bots.telegram.machine_words import Speech, Translate, Translator

#: In seconds. A scanner that needs longer for 20 MB is stopped; the worker renews the lease while it runs.
TIMEOUT_SECONDS = 60.0
_CLEAN, _INFECTED = 0, 1

log = structlog.get_logger(__name__)


def file_scanner(command: str) -> Callable[[bytes], Awaitable[bool | None]] | None:
    """The scanner of `[files] scanner`; None if no command is set.

    It returns True for a clean file, False for an infected one, and None if the command gave no verdict.
    """
    words = shlex.split(command)
    return (lambda data: scan(words, data)) if words else None


async def scan(words: list[str], data: bytes, timeout_seconds: float = TIMEOUT_SECONDS) -> bool | None:
    """Run the command on one file; None if it is missing, takes too long or ends with another code than 0 and 1."""
    try:
        code, _ = await command_result(words, data, timeout_seconds, accepted=(_CLEAN, _INFECTED))
    except NoResult as failed:
        log.error("scanner_failed", why=str(failed))
        return None
    return code == _CLEAN


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


#: No connection, no answer in time, or an answer that is not what the API promises.
_FAILURES = (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, AttributeError)


def translator_from(settings: Settings) -> Translator | None:
    """How words are translated into the language of staff; None if neither a command nor a service is set."""
    own, key = settings.translator, settings.secrets.translator_api_key
    if not own.command and not own.url:
        return None
    if own.url:
        translate: Translate = partial(by_service, own.url, key, own.timeout)
    else:
        translate = partial(by_command, own.command, own.timeout)
    target = own.target or settings.organisation.staff_language
    return Translator(partial(or_none, translate), target, frozenset({target, *own.reads}))


async def or_none(translate: Translate, text: str, source: str, target: str) -> str | None:
    """The translation; None after a failure, which is logged without any words."""
    try:
        return await translate(text, source, target)
    except NoResult as reason:
        why = str(reason)
    except _FAILURES as error:
        why = type(error).__name__
    log.error("translator_failed", why=why)
    return None


async def by_command(
    command: tuple[str, ...], timeout_seconds: float, text: str, source: str, target: str
) -> str:
    """What the command makes of the text; raises NoResult."""
    words = [word.replace("{source}", source).replace("{target}", target) for word in command]
    return (await command_result(words, text.encode(), timeout_seconds))[1]


async def by_service(
    url: str, key: str | None, timeout_seconds: float, text: str, source: str, target: str
) -> str:
    """What a service with LibreTranslate's API makes of the text; raises NoResult, or an error of `_FAILURES`."""
    request = {"q": text, "source": source, "target": target, "format": "text"}
    request |= {} if key is None else {"api_key": key}
    endpoint = f"{url.rstrip('/')}/translate"
    status, answer = await post(endpoint, timeout_seconds, LONGEST_OUTPUT, json=request)
    if status != httpx.codes.OK:
        raise NoResult(f"HTTP {status}")
    return str(json.loads(answer)["translatedText"].strip())
