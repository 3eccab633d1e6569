"""docs/walkthrough.md follows the code in the order in which a real story runs it."""

from __future__ import annotations

import re

from tests.code_runs import STORY, calls_in_story
from tests.source import ROOT

PAGE = (ROOT / "docs" / "walkthrough.md").read_text(encoding="utf-8")
#: `## 3. Read the update: `bots/telegram/updates.py`, `read_update``
STOPS = re.findall(r"^## \d+\. .*: `([\w/]+\.py)`, `([\w.]+)`$", PAGE, re.MULTILINE)


def test_the_walkthrough_has_fourteen_stops() -> None:
    assert len(STOPS) == 14
    assert len(re.findall(r"^## \d+\. ", PAGE, re.MULTILINE)) == 14


def test_a_story_calls_the_stops_in_the_order_of_the_walkthrough() -> None:
    calls = iter(calls_in_story(STORY.read_text(encoding="utf-8"), STOPS))
    passed = []
    for stop in STOPS:
        if stop not in calls:
            break
        passed.append(stop)
    assert passed == STOPS
