"""The optional programs of the operator: how they run without our secrets; virus scanner, speech, translator."""

import asyncio
import json
import os
import shlex
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import structlog

from amends.settings import Settings
from amends.settings.sections import SpeechSettings
from bots.loopback import is_loopback
from bots.telegram.machine_words import Speech, Translate, Translator

#: No other variable reaches a command: our environment holds the tokens and the keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


#: In bytes of UTF-8. An hour of speech has about 60 KiB; a command that prints without end is cut.
LONGEST_OUTPUT = 256 * 1024


async def run_command(
    words: Sequence[str],
    data: bytes,
    timeout_seconds: float,
    *,
    folder: Path | None = None,
    printed: Path | None = None,
) -> int:
    """The exit code; what the command prints goes into the file `printed`.

    Raises OSError or ValueError if there is no such program, and TimeoutError after killing it and its children.
    """
    nowhere = asyncio.subprocess.DEVNULL
    with nullcontext(nowhere) if printed is None else printed.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=nowhere,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            cwd=folder,
            start_new_session=True,
        )
    try:
        await asyncio.wait_for(process.communicate(data), timeout_seconds)
    finally:
        if process.returncode is None:
            # The whole group: a script's own children would run on.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0


class NoResult(Exception):
    """Why a command or a service gave no result, without any words of the data."""


async def command_result(
    words: Sequence[str],
    data: bytes,
    timeout_seconds: float,
    *,
    accepted: Sequence[int] = (0,),
    as_file: bool = False,
) -> tuple[int, str]:
    """The exit code and what the command prints; it runs in a folder of its own, which is deleted afterwards.

    It gets the data on standard input, or with `as_file` the path of a file as its last argument. Raises
    NoResult if it is missing, takes too long or ends with another code.
    """
    with TemporaryDirectory(prefix="amends-") as name:
        file, printed = Path(name, "data"), Path(name, "printed")
        if as_file:
            await asyncio.to_thread(file.write_bytes, data)
            words, data = [*words, str(file)], b""
        try:
            code = await run_command(words, data, timeout_seconds, folder=Path(name), printed=printed)
        except TimeoutError:
            raise NoResult("timeout") from None
        except (OSError, ValueError) as error:
            raise NoResult(type(error).__name__) from None
        if code not in accepted:
            raise NoResult(f"exit code {code}")
        return code, await asyncio.to_thread(_read, printed)


def _read(printed: Path) -> str:
    with printed.open("rb") as output:
        return output.read(LONGEST_OUTPUT).decode(errors="replace").replace("\0", "").strip()


async def call_address(url: str, timeout_seconds: float, token: str | None = None, body: str = "") -> None:
    """POST the JSON, or nothing, and read no answer. Raises as `post`, and NoResult for another status than 2xx."""
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= {} if token is None else {"Authorization": f"Bearer {token}"}
    status, _ = await post(url, timeout_seconds, LONGEST_OUTPUT, content=body.encode(), headers=headers)
    if not httpx.codes.is_success(status):
        raise NoResult(f"HTTP {status}")


async def reason_of_failure(attempt: Awaitable[object]) -> str:
    """Why a command or a call failed, without its data or address; "" if it did not fail."""
    try:
        await attempt
    except NoResult as reason:
        return str(reason)
    except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return type(error).__name__
    return ""


async def post(url: str, timeout_seconds: float, max_bytes: int, **body: Any) -> tuple[int, bytes]:
    """The status and the body of the answer; redirects are not followed, so no other host gets the body.

    `body` is `content` or `json` of httpx. Raises TimeoutError, httpx.HTTPError, httpx.InvalidURL, and NoResult for
    an answer that is too long.
    """
    answer = bytearray()
    async with (
        asyncio.timeout(timeout_seconds),
        httpx.AsyncClient(timeout=timeout_seconds, trust_env=not is_loopback(url)) as client,
        client.stream("POST", url, **body) as response,
    ):
        async for chunk in response.aiter_bytes():
            answer += chunk
            if len(answer) > max_bytes:
                raise NoResult("its answer is too long")
    return response.status_code, bytes(answer)


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
