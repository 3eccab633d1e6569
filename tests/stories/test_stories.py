"""Whole complaints as readable transcripts, through the real python-telegram-bot and slack-bolt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from amends.demo import run
from amends.runtime import telegram

STORIES = sorted(Path(__file__).parent.rglob("*.story"))


@pytest.fixture(autouse=True)
def _copied_tables(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each story begins with a copy of the empty tables: their migrations are not its subject."""
    monkeypatch.setattr(run, "upgrade", lambda url: shutil.copy(sqlite_template, url.partition("///")[2]))


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the bot's profile is a third of a story's calls; tests of the profile and the browser tests set it."""

    async def leave_as_it_is(*_: object) -> None:
        return None

    monkeypatch.setattr(telegram, "set_profile", leave_as_it_is)


@pytest.mark.parametrize("story", STORIES, ids=[story.stem for story in STORIES])
async def test_a_story_plays_as_written(story: Path) -> None:
    lines: list[str] = []

    settings_file = story.with_suffix(".toml")
    settings = settings_file.read_text(encoding="utf-8") if settings_file.is_file() else ""
    failed = await run.play(story.read_text(encoding="utf-8"), report=lines.append, settings=settings)

    assert failed is None, "\n".join([*lines, str(failed)])
