"""Whole complaints as readable transcripts, through the real python-telegram-bot and slack-bolt."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.demo.run import play

STORIES = sorted(Path(__file__).parent.glob("*.story"))


@pytest.mark.parametrize("story", STORIES, ids=[story.stem for story in STORIES])
async def test_the_story_holds(story: Path) -> None:
    told: list[str] = []

    beside = story.with_suffix(".toml")
    settings = beside.read_text(encoding="utf-8") if beside.is_file() else ""
    failed = await play(story.read_text(encoding="utf-8"), report=told.append, settings=settings)

    assert failed is None, "\n".join([*told, str(failed)])
