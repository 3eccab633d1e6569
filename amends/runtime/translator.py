"""The optional command or service that translates the complainant's words for staff."""

import json
from functools import partial

import httpx
import structlog

from amends.runtime.commands import LONGEST_OUTPUT, NoResult, command_result
from amends.runtime.post import post
from amends.settings import Settings
from bots.telegram.machine_words import Translate, Translator

#: No connection, no answer in time, or an answer that is not what the API promises.
_FAILURES = (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, AttributeError)

log = structlog.get_logger(__name__)


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
