"""The bot's command list as the Telegram app shows it, in each language."""

from __future__ import annotations

import structlog
from telegram import BotCommand

from bots.dialogue.commands import COMMANDS
from bots.telegram.application import App
from bots.texts import Texts

log = structlog.get_logger(__name__)


async def set_commands(app: App, texts: Texts) -> None:
    """Set the commands in every language; the first language is the default for all others.

    A failure is only logged: commands also work without the list.
    """
    try:
        await app.bot.set_my_commands(_commands(texts, texts.languages[0]))
        for language in texts.languages:
            if len(language) == 2:
                await app.bot.set_my_commands(_commands(texts, language), language_code=language)
    except Exception as error:  # noqa: BLE001  # optional: it must not keep the bot from starting
        log.warning("commands_not_set", error=type(error).__name__)


def _commands(texts: Texts, language: str) -> list[BotCommand]:
    return [BotCommand(name, texts.say(language, f"command.{name}")) for name in COMMANDS]
