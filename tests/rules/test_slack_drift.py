"""The drift warnings that staff read in the figures and in the digest."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bots.slack.jobs.digest import DigestContent, ModelNews, digest_message
from bots.slack.views.command_replies import stats_message
from reports.monitoring import Period, monitor
from tests.rules.slack_cases import NOW, voice
from triage.learning.drift import DriftWarning

NOTHING = monitor((), period=Period(NOW - timedelta(days=91), NOW), now=NOW, repeats=0)
WARNED = (
    DriftWarning("agreement", 0.551, 0.8, 200),
    DriftWarning("mix", 0.31, 0.25, 200),
    DriftWarning("calibration", 0.2, 0.15, 200),
)


@pytest.mark.parametrize("language", ["en", "tr"])
def test_each_drift_warning_is_a_line_under_the_figures(language: str) -> None:
    text = json.dumps(stats_message(NOTHING, voice(language), "UTC", WARNED).blocks, ensure_ascii=False)
    assert text.count("⚠️") == 3
    for figure in ("55", "80", "31", "25", "20", "15", "200"):
        assert figure in text


def test_without_drift_the_figures_have_no_warning() -> None:
    assert "⚠️" not in json.dumps(stats_message(NOTHING, voice(), "UTC").blocks, ensure_ascii=False)


@pytest.mark.parametrize("language", ["en", "tr"])
def test_each_drift_warning_is_a_line_of_the_digest(language: str) -> None:
    message = digest_message(
        DigestContent({}, model=ModelNews(drifts=WARNED)), voice(language), NOW, "Europe/London"
    )
    assert json.dumps(message.blocks, ensure_ascii=False).count("⚠️") == 3
    assert not DigestContent({}, model=ModelNews(drifts=WARNED)).is_empty
