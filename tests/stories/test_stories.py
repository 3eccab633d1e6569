"""Whole complaints as readable transcripts, through the real python-telegram-bot and slack-bolt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from amends.demo import run

STORIES = sorted(Path(__file__).parent.glob("*.story"))


@pytest.fixture(autouse=True)
def _copied_tables(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each story begins with a copy of the empty tables: their migrations are not its subject."""
    monkeypatch.setattr(run, "upgrade", lambda url: shutil.copy(sqlite_template, url.partition("///")[2]))


@pytest.mark.parametrize("story", STORIES, ids=[story.stem for story in STORIES])
async def test_a_story_plays_as_written(story: Path) -> None:
    lines: list[str] = []

    settings_file = story.with_suffix(".toml")
    settings = settings_file.read_text(encoding="utf-8") if settings_file.is_file() else ""
    failed = await run.play(story.read_text(encoding="utf-8"), report=lines.append, settings=settings)

    assert failed is None, "\n".join([*lines, str(failed)])
