"""Twenty complaints as people write them: nothing that a story says is asked, and four actions are enough (7.2)."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from complaints.identifiers import numbers_in
from store.people.identification import normal_form
from tests.clauses import clause
from tests.rules.dialogue_play import Play

STORIES = tomllib.loads(
    (Path(__file__).parents[2] / "stories" / "told_stories.toml").read_text(encoding="utf-8")
)["story"]
#: Message, Done, one answer and Send.
MOST_ACTIONS = 4


@clause("7.2")
@pytest.mark.parametrize("story", STORIES, ids=[story["name"] for story in STORIES])
def test_what_a_story_says_is_not_asked_and_four_actions_are_enough(story: dict[str, Any]) -> None:
    play = Play(denies=True, language="tr" if story["language"] == "tr" else "en")
    play.now = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
    messages = play.writes(story["text"])
    if play.state["step"] == "danger":
        # The number to call comes first.
        messages += play.presses("safe")
        if play.state["step"] == "idle":
            # Taken for despair or violence: a person goes on from here.
            return
    messages += play.presses("done")
    actions, asked_steps = 2, []
    while play.state["step"] != "check":
        assert actions < 12, asked_steps
        asked_steps.append(play.state["step"])
        messages += play.presses("skip")
        actions += 1
    readback = messages[-1]
    messages += play.presses("send")
    assert not set(asked_steps) & set(story["said"])
    assert [words for words in story["shown"] if words not in readback] == []
    assert [words for words in story.get("never", ()) if any(words in message for message in messages)] == []
    assert actions + 1 <= MOST_ACTIONS, asked_steps
    assert all(message.strip() for message in messages)
    assert play.case.confirmed_at == play.now
    # Every answer on record is in the text that the person signed.
    for name, text in play.texts_of(play.ref).items():
        assert text in readback or name == "danger", name


@clause("7.2")
@pytest.mark.parametrize("story", STORIES, ids=[story["name"] for story in STORIES])
def test_staff_find_a_complaint_by_the_numbers_that_the_bot_read_back(story: dict[str, Any]) -> None:
    play = Play(denies=True, language="tr" if story["language"] == "tr" else "en")
    play.writes(story["text"])
    numbers = {
        normal_form(number.kind, number.value, "GB")
        for act in play.acted
        for number in (*numbers_in(act.words.values()), *act.numbers)
    }
    assert {
        words for words in story["shown"] if words.isalnum() and any(c.isdigit() for c in words)
    } <= numbers
