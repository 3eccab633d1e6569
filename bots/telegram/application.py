"""The `Application` of python-telegram-bot, used for routing and sending, and the bot's profile (4.2).

Polling has its own module. The profile is the bot's name, descriptions, commands and menu button in each language.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import structlog
from telegram import BotCommand, BotDescription, BotName, BotShortDescription, MenuButtonCommands
from telegram.constants import BotCommandLimit, BotDescriptionLimit, BotNameLimit
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.ext import Application
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning

from bots.dialogue.commands import COMMANDS, time_promise
from bots.loopback import is_loopback
from bots.texts.texts import Texts
from complaints.rulebook import Rulebooks

App = Application[Any, Any, Any, Any, Any, Any]
#: Called with an API method, or the kind of an obligation, and the result.
OnResult = Callable[[str, str], None]

# Polling needs the raw answer of getUpdates: the library parses it whole, and one bad update would fail all.
warnings.filterwarnings("ignore", message=r"Please use 'Bot\.getUpdates'")
# Our code accepts durations and Retry-After both as numbers and as timedelta.
warnings.filterwarnings(
    "ignore", message=r"In a future major version attribute", category=PTBDeprecationWarning
)
# It logs answers that it cannot parse in full, and an answer may contain a complainant's words.
logging.getLogger("telegram.request").setLevel(logging.CRITICAL)


def build_application(token: str, base_url: str, *, on_result: OnResult | None = None) -> App:
    """An Application without an Updater; `on_result` is called with the result of each API call.

    Both `/bot` and `/file/bot` are set from one address: otherwise files would come from the public server.
    """
    root = base_url.rstrip("/")
    return (
        Application.builder()
        .application_class(_StatelessApplication)
        .token(token)
        .base_url(f"{root}/bot")
        .base_file_url(f"{root}/file/bot")
        .request(_request(root, on_result, connections=64))
        .get_updates_request(_request(root, on_result, connections=2))
        .updater(None)
        .job_queue(None)
        .concurrent_updates(False)
        .build()
    )


class _StatelessApplication(Application[Any, Any, Any, Any, Any, Any]):
    def _mark_for_persistence_update(self, **_: Any) -> None:
        # The library would collect the ids of all users in memory, for a persistence that we do not use.
        return


class CountedRequest(HTTPXRequest):
    """The library's HTTP client; reports the method and the result of each call."""

    on_result: OnResult | None = None

    async def do_request(self, url: str, method: str, *args: Any, **named: Any) -> tuple[int, bytes]:
        """One call; the library's errors are raised unchanged."""
        result = "given up"
        try:
            status, body = await super().do_request(url, method, *args, **named)
            result = _result(status)
            return status, body
        except TimedOut as error:
            result = "unreachable" if isinstance(error.__cause__, httpx.ConnectTimeout) else "timeout"
            raise
        except NetworkError:
            result = "unreachable"
            raise
        finally:
            if self.on_result is not None:
                self.on_result("file" if "/file/" in url else url.rpartition("/")[2], result)


def _result(status: int) -> str:
    if status == 429:
        return "429"
    if status >= 500:
        return "5xx"
    return "ok" if status < 400 else "refused"


def _request(root: str, on_result: OnResult | None, *, connections: int) -> HTTPXRequest:
    # A server on this machine must not be called through a proxy from the environment.
    httpx_options = {"trust_env": False} if is_loopback(root) else {}
    request = CountedRequest(connection_pool_size=connections, httpx_kwargs=httpx_options)
    request.on_result = on_result
    return request


_LIMITS = {
    "bot.name": BotNameLimit.MAX_NAME_LENGTH,
    "bot.short": BotDescriptionLimit.MAX_SHORT_DESCRIPTION_LENGTH,
    "bot.description": BotDescriptionLimit.MAX_DESCRIPTION_LENGTH,
}
_REMEDY = "nothing to do: complaints work without it, and it is tried again each day"

#: What it is, the language, the wanted value, the call that reads it, and the call that sets it.
_Part = tuple[str, str, Any, Callable[[], Any], Callable[[], Any]]

log = structlog.get_logger(__name__)


async def set_profile(app: App, texts: Texts, rulebooks: Rulebooks) -> None:
    """Set what differs from the texts and the rules in force; the first language is the default for all others.

    Telegram allows few changes of the name a day, so equal texts are not sent again. A refusal is only logged: the
    bot works without its profile, and it is tried again each day.
    """
    for what, language, wanted, read, change in _parts(app, texts, rulebooks):
        try:
            if await read() != wanted:
                await change()
        except Exception as error:  # noqa: BLE001  # optional: nothing here may stop the bot
            why = error.message if isinstance(error, TelegramError) else type(error).__name__
            log.warning("bot_profile_not_set", what=what, language=language, why=why, remedy=_REMEDY)
            # The library derives BadRequest from NetworkError. After any other one, nothing gets through.
            if isinstance(error, NetworkError) and not isinstance(error, BadRequest):
                return


def _parts(app: App, texts: Texts, rulebooks: Rulebooks) -> Iterator[_Part]:
    bot, menu = app.bot, MenuButtonCommands()
    set_menu = partial(bot.set_chat_menu_button, menu_button=menu)
    yield "menu button", "all", menu, bot.get_chat_menu_button, set_menu
    for code in (None, *(language for language in texts.languages if len(language) == 2)):
        language = code or texts.languages[0]
        name, short, long = (profile_text(id_, texts, rulebooks, language) for id_ in _LIMITS)
        commands = _command_list(texts, language)
        for what, wanted, read, change in (
            ("commands", commands, bot.get_my_commands, partial(bot.set_my_commands, commands)),
            (
                "description",
                BotDescription(long),
                bot.get_my_description,
                partial(bot.set_my_description, long),
            ),
            (
                "short description",
                BotShortDescription(short),
                bot.get_my_short_description,
                partial(bot.set_my_short_description, short),
            ),
            ("name", BotName(name), bot.get_my_name, partial(bot.set_my_name, name)),
        ):
            yield (
                what,
                code or "default",
                wanted,
                partial(read, language_code=code),
                partial(change, language_code=code),
            )


def profile_text(id_: str, texts: Texts, rulebooks: Rulebooks, language: str) -> str:
    """A text of the profile within Telegram's limit: the organisation's name is shortened if it is too long.

    The times are those of the rules that a person with this language gets.
    """
    rules = rulebooks.for_person(None, language)
    fields = {"time": time_promise(language, rules, texts), "number": rules.emergency_number}
    # The profile is also read while the desk is down. The long description has the number in its own text.
    danger = f" {texts.text(language, 'bot.danger', **fields)}" if id_ == "bot.short" else ""
    limit = _LIMITS[id_] - len(danger)
    text = texts.text(language, id_, org=rules.organisation, **fields)
    if (excess := len(text) - limit) > 0:
        shorter = rules.organisation[: -excess - 1].rstrip()
        text = texts.text(language, id_, org=f"{shorter}…", **fields)
    return text[:limit] + danger


def _command_list(texts: Texts, language: str) -> tuple[BotCommand, ...]:
    return tuple(
        BotCommand(name, texts.text(language, f"command.{name}")[: BotCommandLimit.MAX_DESCRIPTION])
        for name in COMMANDS
    )
