"""What the app shows of the bot before a word is said: its commands and its description, in each language."""

from __future__ import annotations

import structlog
from telegram import BotCommand

from bots.dialogue.commands import COMMANDS
from bots.telegram.application import App
from bots.texts import Texts

log = structlog.get_logger(__name__)


async def introduce(app: App, texts: Texts) -> None:
    """Set the commands in every language; the first one is for people whose language we do not have.

    A refusal is logged and changes nothing: the commands work without being listed.
    """
    try:
        await app.bot.set_my_commands(listed(texts, texts.languages[0]))
        for language in texts.languages:
            if len(language) == 2:
                await app.bot.set_my_commands(listed(texts, language), language_code=language)
    except Exception as refused:  # noqa: BLE001  # a courtesy: it must not keep us from hearing
        log.warning("commands_not_set", error=type(refused).__name__)


def listed(texts: Texts, language: str) -> list[BotCommand]:
    """The commands with what they do."""
    return [BotCommand(name, texts.say(language, f"command.{name}")) for name in COMMANDS]
