"""The bot's profile in Telegram: set in each language at a start, only where it differs, never stopping the start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amends.runtime.metrics import Metrics
from amends.runtime.telegram import TelegramPart
from amends.settings.settings_file import parse_settings
from bots.telegram.application import App, build_application, profile_text, set_profile
from bots.texts.catalogues import load_catalogues
from complaints.rulebook import ALWAYS, Rulebooks, RulePeriod
from scheduler.ticks import _housekeeping, housekeeping_handlers
from simulator import Simulator
from store.outbox.claim import claim
from store.rulebooks import use_rulebooks
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.product import KEY, SETTINGS, until
from tests.rules.builders import RULES

LANGUAGES = ("en", "tr", "de", "es")
TEXTS = load_catalogues(LANGUAGES)
BOOKS = Rulebooks(replace(RULES, languages=LANGUAGES))
SETTERS = ("setMyName", "setMyDescription", "setMyShortDescription", "setMyCommands", "setChatMenuButton")


@dataclass(frozen=True)
class Bot:
    sim: Simulator
    app: App


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Simulator() as sim:
        app = build_application(sim.bot_token, sim.telegram_url)
        async with app:
            yield Bot(sim, app)


@clause("4.2")
async def test_the_profile_is_set_in_every_language_and_not_sent_again(bot: Bot) -> None:
    await set_profile(bot.app, TEXTS, BOOKS)
    api = bot.app.bot
    for language in (None, *LANGUAGES):
        expected = language or "en"
        assert (await api.get_my_name(language)).name == profile_text("bot.name", TEXTS, BOOKS, expected)
        long = (await api.get_my_description(language)).description
        assert long == profile_text("bot.description", TEXTS, BOOKS, expected)
        commands = {
            command.command: command.description for command in await api.get_my_commands(None, language)
        }
        assert commands["status"] == TEXTS.text(expected, "command.status")
    assert (await api.get_chat_menu_button()).type == "commands"
    before = [len(bot.sim.calls(method)) for method in SETTERS]
    await set_profile(bot.app, TEXTS, BOOKS)
    assert [len(bot.sim.calls(method)) for method in SETTERS] == before
    changed = Rulebooks(replace(BOOKS.own, targets=replace(BOOKS.own.targets, ack="3 bd")))
    await set_profile(bot.app, TEXTS, changed)
    assert "3 working days" in (await api.get_my_description()).description
    assert len(bot.sim.calls("setMyName")) == before[0]


async def test_a_refused_name_leaves_the_rest_of_the_profile(
    bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    bot.sim.fail_next("setMyName", status=429, retry_after=40_000, times=9)
    await set_profile(bot.app, TEXTS, BOOKS)
    assert (await bot.app.bot.get_my_description("de")).description
    assert "bot_profile_not_set" in (logged := capsys.readouterr().out)
    assert "it is tried again each day" in logged


async def test_without_telegram_the_profile_is_given_up_after_one_call(bot: Bot) -> None:
    bot.sim.trouble.telegram_down = True
    await set_profile(bot.app, TEXTS, BOOKS)
    bot.sim.trouble.telegram_down = False
    assert [len(bot.sim.calls(method)) for method in SETTERS] == [0] * len(SETTERS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_profile_keeps_its_limit_with_the_longest_name(language: str) -> None:
    books = Rulebooks(
        replace(BOOKS.own, organisation="Ü" * 200, targets=replace(RULES.targets, legal="8 weeks"))
    )
    for id_, limit in (("bot.name", 64), ("bot.short", 120), ("bot.description", 512)):
        text = profile_text(id_, TEXTS, books, language)
        assert len(text) <= limit
        assert id_ == "bot.name" or RULES.emergency_number in text
        assert len(TEXTS.text(language, id_, org="", time="", number="")) < limit - 20


@clause("4.2")
async def test_the_daily_check_brings_the_profile_in_line_with_a_law_that_changed(
    tmp_path: Path, sqlite_url: str
) -> None:
    changes = datetime(2026, 12, 28, tzinfo=UTC)
    law = replace(RULES, targets=replace(RULES.targets, legal="15 bd"))
    books = Rulebooks(RULES, periods={"": (RulePeriod(ALWAYS, RULES), RulePeriod(changes, law))})
    clock = FakeClock(changes - timedelta(minutes=5))
    async with Simulator() as sim:
        secrets = {
            "AMENDS_SECRET_KEY": KEY,
            "AMENDS_TELEGRAM_TOKEN": sim.bot_token,
            "AMENDS_TELEGRAM_API_URL": sim.telegram_url,
        }
        settings = parse_settings(SETTINGS, tmp_path / "amends.toml", secrets)
        with opened(sqlite_url, clock) as store:
            store.write(use_rulebooks, books)
            part = TelegramPart(settings, store, TEXTS, books, rate_limited=False, metrics=Metrics())
            await part.start(receives=True)
            api = part._app.bot
            await until(lambda: part._profile is not None and part._profile.done())
            before = (await api.get_my_description("en")).description
            clock.go_on(minutes=10)
            _housekeeping(store, False)
            (tidy,) = store.write(claim, ["tidy"], 5, 60)
            await housekeeping_handlers(store, each_day=part.set_profile)["tidy"](tidy)
            after = (await api.get_my_description("en")).description
            await part.stop_receiving()
            await part.close()
    assert "15 working days" not in before
    assert "15 working days" in after
