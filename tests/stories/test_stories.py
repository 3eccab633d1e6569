"""Whole complaints as readable transcripts, through the real python-telegram-bot and slack-bolt."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.demo.run import play

STORIES = sorted(Path(__file__).parent.glob("*.story"))


@pytest.mark.parametrize("story", STORIES, ids=[story.stem for story in STORIES])
async def test_a_story_plays_as_written(story: Path) -> None:
    lines: list[str] = []

    settings_file = story.with_suffix(".toml")
    settings = settings_file.read_text(encoding="utf-8") if settings_file.is_file() else ""
    failed = await play(story.read_text(encoding="utf-8"), report=lines.append, settings=settings)

    assert failed is None, "\n".join([*lines, str(failed)])
