"""The instance's keys, from the settings to the store."""

from __future__ import annotations

import hmac

from amends.settings import Settings
from store.keyring import Keyring


def keyring(settings: Settings) -> Keyring:
    """The keys that wrap all others, newest first; raises SettingsError where none is set."""
    return Keyring(settings.secrets.keys())


def button_secret(settings: Settings) -> bytes:
    """The secret that signs the buttons of our messages, made from the newest key: it survives a restart."""
    return hmac.digest(settings.secrets.keys()[0], b"amends buttons", "sha256")
