"""The settings that say when an installation's model is trained."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from amends.settings import SettingsError
from amends.settings.settings_file import parse_settings
from amends.wiring import learning_settings
from scheduler.training import LearningSettings
from tests.edges.product import SETTINGS


def settings_of(lines: str) -> LearningSettings:
    """The settings of these lines under [triage]."""
    return learning_settings(parse_settings(f"{SETTINGS}\n[triage]\n{lines}\n", Path("amends.toml"), {}))


def test_by_default_the_model_is_trained_after_fifty_assessments_and_at_three() -> None:
    assert settings_of("") == LearningSettings(50, time(3), 0.90, 0.10)


def test_every_setting_can_be_changed_and_nightly_training_switched_off() -> None:
    lines = 'retrain_after = 0\nretrain_at = "off"\nwanted_precision = 0.95\nalert_budget = 0.05'
    assert settings_of(lines) == LearningSettings(0, None, 0.95, 0.05)
    assert settings_of('retrain_at = "23:15"').retrain_at == time(23, 15)


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
def test_an_invalid_value_is_refused_with_the_accepted_form(line: str, accepted: str) -> None:
    with pytest.raises(SettingsError, match=accepted):
        settings_of(line)
