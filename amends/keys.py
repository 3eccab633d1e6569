"""The instance's keys, from the settings to the store."""

from __future__ import annotations

from amends.settings import Settings
from store.keyring import Keyring


def keyring(settings: Settings) -> Keyring:
    """The keys that wrap all others, newest first; raises SettingsError where none is set."""
    return Keyring(settings.secrets.keys())
