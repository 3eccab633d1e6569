"""The settings of the triage model, in the form that the scheduler uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amends.settings.field_types import parse_clock
from amends.settings.loading import Settings
from amends.settings.rulebook import rulebook
from complaints.rulebook import categories_of
from scheduler.training import LearningSettings
from triage.learning.examples import organisation_examples


def learning_settings(settings: Settings) -> LearningSettings:
    """When and how the model learns."""
    triage = settings.triage
    return LearningSettings(
        retrain_after=triage.retrain_after,
        retrain_at=parse_clock(triage.retrain_at),
        wanted_precision=triage.wanted_precision,
        alert_budget=triage.alert_budget,
        encoder=triage.encoder,
    )


def own_examples(settings: Settings) -> Sequence[Mapping[str, Any]]:
    """The organisation's own examples, as a training order contains them; `amends check` reports unreadable files."""
    files = organisation_examples(settings.examples_folder, categories_of(rulebook(settings)))
    return [
        {
            "text": example.text,
            "category": example.category,
            "severity": example.severity,
            "language": example.language,
        }
        for example in files.examples
    ]
