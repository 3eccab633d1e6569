"""Settings: amends.toml and the environment, read once into one frozen object (docs/settings.md)."""

from amends.settings.cautions import cautions
from amends.settings.problems import Problem, SettingsError
from amends.settings.rulebook import all_ignored_closures, rulebook, rulebooks
from amends.settings.settings_file import Settings, load
from amends.settings.variables import Secrets

__all__ = [
    "Problem", "Secrets", "Settings", "SettingsError", "all_ignored_closures", "cautions", "load",
    "rulebook", "rulebooks",
]  # fmt: skip
