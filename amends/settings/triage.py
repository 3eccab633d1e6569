"""From the settings to what the scheduler knows of learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amends.settings.field_types import parse_clock
from amends.settings.loading import Settings
from amends.settings.rulebook import rulebook
from complaints.rulebook import categories_of
from scheduler.training import LearningSettings
from triage.learning.examples import organisation_examples


def learning(settings: Settings) -> LearningSettings:
    """How the model learns here."""
    said = settings.triage
    return LearningSettings(
        retrain_after=said.retrain_after,
        retrain_at=parse_clock(said.retrain_at),
        wanted_precision=said.wanted_precision,
        alert_budget=said.alert_budget,
        encoder=said.encoder,
    )


def own_examples(settings: Settings) -> Sequence[Mapping[str, Any]]:
    """The organisation's own examples, as a training order tells them; what cannot be read `check` reports."""
    read = organisation_examples(settings.examples_folder, categories_of(rulebook(settings)))
    return [
        {"text": one.text, "category": one.category, "severity": one.severity, "language": one.language}
        for one in read.examples
    ]
