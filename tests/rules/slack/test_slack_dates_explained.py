"""Explained dates in Slack at every stage and in both languages, and the times in the policy."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from amends.settings.rulebook import preset_targets
from bots.slack.views.command_replies import policy_blocks
from bots.slack.views.form_modals import View
from bots.slack.views.opened_case import dates_view
from complaints.actors import SYSTEM
from complaints.rulebook import LevelTargets
from complaints.vocabulary import Verb
from simulator.slack.block_kit import message_problems, view_problems
from tests.rules.slack_cases import MONA, NOW, RULES, Story, assessed, proposed, stages, voice

STAGES = stages()


def view_of(story: Story, language: str = "en", page: int = 0) -> View:
    return dates_view(story.case, story.events, voice(language), now=NOW, page=page)


def lines(view: View) -> list[str]:
    texts = [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]
    return [line for text in texts for line in text.splitlines()]


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_explained_dates_are_a_valid_view_at_every_stage(name: str, language: str) -> None:
    view = view_of(STAGES[name], language)
    assert view_problems(view, "modal") == []
    assert view["callback_id"] == "due"


def test_an_open_date_is_explained_in_full_and_listed_before_past_ones() -> None:
    text_lines = lines(view_of(assessed(proposed(Story()))))
    start = text_lines.index("*decision by Tue 10 Nov, 17:30*")
    assert text_lines[start + 1 : start + 8] == [
        "• Set Tue 3 Nov 2026, 10:02: Assessed (<@U0000001>).",
        "• Rule P3, decision: 5 working days.",
        "• By the calendar of the law and of the desk: they have the same days off.",
        "• Starts Tue 3 Nov 2026, 10:00 (Europe/London).",
        "• Day 0 is Tue 3 Nov 2026, the working day on which that falls.",
        "• 5 working days on: Wed 4 Nov 2026, Thu 5 Nov 2026, Fri 6 Nov 2026, Mon 9 Nov 2026, Tue 10 Nov 2026.",
        "• Due at closing time, Tue 10 Nov 2026, 17:30.",
    ]
    titles = [title for title in text_lines if title.startswith("*")]
    past = [n for n, title in enumerate(titles) if "done" in title or "replaced" in title]
    assert past == list(range(len(titles) - len(past), len(titles)))
    assert past


def test_a_closing_time_at_midnight_is_shown_as_24_00_of_the_same_day() -> None:
    end = datetime(2026, 11, 5, tzinfo=ZoneInfo("Europe/London"))
    assert voice().closing_with_year(end) == "Wed 4 Nov 2026, 24:00"
    assert voice().closing_with_year(end.replace(hour=9)) == "Thu 5 Nov 2026, 09:00"


def test_the_steps_are_in_the_language_of_the_staff() -> None:
    turkish = "\n".join(lines(view_of(STAGES["assessed"], "tr")))
    assert "5 iş günü sonrası" in turkish
    assert not re.search(r"working|Starts|closing", turkish)


def test_an_extension_is_shown_without_its_reason() -> None:
    story = assessed(proposed(Story()))
    story.act(
        Verb.EXTEND,
        MONA,
        {"target": "decide", "extended_to": "2026-11-12"},
        {"reason": "Anna's meter broke."},
    )
    events = [
        type(event)(event.seq, event.verb, event.at, event.by, event.role, event.facts)
        for event in story.events
    ]
    view = dates_view(story.case, events, voice(), now=NOW)
    assert "• Moved from Tue 10 Nov 2026, 17:30 to Thu 12 Nov 2026, 17:30." in lines(view)
    assert "meter" not in json.dumps(view)


def test_very_many_dates_are_shown_on_several_pages() -> None:
    story = assessed(proposed(Story()))
    for _ in range(120):
        story.act(Verb.INFORM, SYSTEM, {}, {"letter": "So far …"})
    first, last = view_of(story), view_of(story, page=99)
    for view in (first, last):
        assert view_problems(view, "modal") == []
    buttons = [block for block in first["blocks"] if block["type"] == "actions"]
    assert [button["action_id"] for row in buttons for button in row["elements"]] == ["due.next"]
    assert json.loads(last["private_metadata"])["page"] >= 1


def test_the_policy_states_the_times_of_a_level_the_limit_of_extensions_and_the_delay_notice() -> None:
    targets = replace(
        preset_targets("municipality"), by_level={2: LevelTargets(decide="20 bd")}, escalated_ack="1 bd"
    )
    blocks = policy_blocks(replace(RULES, targets=targets), voice())
    assert message_problems(blocks) == []
    text = json.dumps(blocks)
    assert "Level 2: acknowledged within 1 working day, decided within 20 working days." in text
    assert "All extensions of a decision together: 10 working days at most." in text
    assert "not ready 1 working day before its date" in text
    plain = json.dumps(policy_blocks(RULES, voice()))
    assert "not ready" not in plain
