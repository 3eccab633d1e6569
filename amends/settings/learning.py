"""From the settings to what the scheduler knows of learning."""

from __future__ import annotations

from amends.settings.forms import parse_clock
from amends.settings.loading import Settings
from scheduler.retraining import Learning


def learning(settings: Settings) -> Learning:
    """How the model learns here."""
    said = settings.triage
    return Learning(
        retrain_after=said.retrain_after,
        retrain_at=parse_clock(said.retrain_at),
        wanted_precision=said.wanted_precision,
        alert_budget=said.alert_budget,
    )
