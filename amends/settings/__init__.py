"""Settings: amends.toml and the environment, read once into one frozen object (docs/settings.md)."""

from amends.settings.loading import Secrets, Settings, load
from amends.settings.problems import Problem, SettingsError
from amends.settings.rulebook import cautions, not_counted, rulebook, rulebooks

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
