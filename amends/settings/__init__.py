"""Settings: amends.toml and the environment, read once into one frozen object (docs/settings.md)."""

from amends.settings.errors import Problem, SettingsError
from amends.settings.loading import Settings, load
from amends.settings.rules import cautions, not_counted, rulebook, rulebooks
from amends.settings.variables import Secrets

__all__ = [
    "Problem",
    "Secrets",
    "Settings",
    "SettingsError",
    "cautions",
    "load",
    "not_counted",
    "rulebook",
    "rulebooks",
]
