"""The drift warnings that staff read in the figures and in the digest, and its line on danger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bots.slack.jobs.digest import DigestContent, ModelNews, digest_message
from bots.slack.views.command_replies import stats_message
from reports.kpis import ShareFigure
from reports.monitoring import monitor
from reports.tally import Period
from tests.rules.slack_cases import NOW, voice
from triage.learning.drift import DriftWarning

NOTHING = monitor((), period=Period(NOW - timedelta(days=91), NOW), now=NOW, repeats=0)
WARNED = (
    DriftWarning("agreement", 0.551, 0.8, 200),
    DriftWarning("mix", 0.31, 0.25, 200),
    DriftWarning("calibration", 0.2, 0.15, 200),
)


@pytest.mark.parametrize(
    ("language", "key", "hits", "words"),
    [
        ("en", "external", 5, "❌ *Taken outside*\n4.55 % (5 of 110)\nTarget: at most 3 %, missed"),
        ("en", "external", 1, "✅ *Taken outside*\n0.91 % (1 of 110)\nTarget: at most 3 %, met"),
        ("tr", "external", 5, "%4,55 (110 içinde 5)\nHedef: en çok %3, tutmadı"),
    ],
)
def test_a_share_next_to_its_target_is_written_in_words(
    language: str, key: str, hits: int, words: str
) -> None:
    report = replace(NOTHING, shares=(ShareFigure.of(key, None, hits, 110),))
    (text,) = [
        field["text"]
        for block in stats_message(report, voice(language), "UTC").blocks
        for field in block.get("fields", ())
    ]
    assert words in text
    assert "≤" not in text


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_each_drift_warning_is_a_line_under_the_figures(language: str) -> None:
    text = json.dumps(stats_message(NOTHING, voice(language), "UTC", WARNED).blocks, ensure_ascii=False)
    assert text.count("⚠️") == 3
    for figure in ("55", "80", "31", "25", "20", "15", "200"):
        assert figure in text


def test_without_drift_the_figures_have_no_warning() -> None:
    assert "⚠️" not in json.dumps(stats_message(NOTHING, voice(), "UTC").blocks, ensure_ascii=False)


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_digest_says_how_often_danger_paged_and_asked_for_a_look(language: str) -> None:
    def blocks(alarms: dict[str, int]) -> str:
        content = DigestContent({}, alarms=alarms)
        message = digest_message(content, voice(language), NOW, "Europe/London")
        return json.dumps(message.blocks, ensure_ascii=False)

    rate = "2.48" if language == "en" else "2,48"
    for figure in ("1210", "3", rate, "41"):
        assert figure in blocks({"complaints": 1210, "page": 3, "look": 41})
    # Nothing is divided by 0.
    assert rate not in blocks({"complaints": 0, "page": 0, "look": 0})


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_each_drift_warning_is_a_line_of_the_digest(language: str) -> None:
    message = digest_message(
        DigestContent({}, model=ModelNews(drifts=WARNED)), voice(language), NOW, "Europe/London"
    )
    assert json.dumps(message.blocks, ensure_ascii=False).count("⚠️") == 3
    assert not DigestContent({}, model=ModelNews(drifts=WARNED)).is_empty
