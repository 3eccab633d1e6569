"""How an installation says when its model learns."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from amends.settings import SettingsError
from amends.settings.loading import parse_settings
from amends.settings.triage import learning_settings
from scheduler.training import LearningSettings
from tests.edges.product import SETTINGS


def said(lines: str) -> LearningSettings:
    """What these lines under [triage] mean."""
    return learning_settings(parse_settings(f"{SETTINGS}\n[triage]\n{lines}\n", Path("amends.toml"), {}))


def test_without_a_word_it_learns_after_fifty_and_at_three() -> None:
    assert said("") == LearningSettings(50, time(3), 0.90, 0.10)


def test_every_part_can_be_set_and_the_night_switched_off() -> None:
    lines = 'retrain_after = 0\nretrain_at = "off"\nwanted_precision = 0.95\nalert_budget = 0.05'
    assert said(lines) == LearningSettings(0, None, 0.95, 0.05)
    assert said('retrain_at = "23:15"').retrain_at == time(23, 15)


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        ('retrain_at = "3 am"', 'write one such as "03:00", or "off"'),
        ('retrain_at = "24:00"', 'write one such as "03:00", or "off"'),
        ("retrain_after = -1", "retrain_after"),
        ("wanted_precision = 1.0", "wanted_precision"),
        ("alert_budget = 0", "alert_budget"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_accepted_form(line: str, accepted: str) -> None:
    with pytest.raises(SettingsError, match=accepted):
        said(line)
