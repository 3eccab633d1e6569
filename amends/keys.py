"""The instance's keys, from the settings to the store."""

from __future__ import annotations

import hmac

from amends.settings import Settings
from store.database.keyring import Keyring


def keyring(settings: Settings) -> Keyring:
    """The keys that wrap all others, newest first; raises SettingsError where none is set."""
    return Keyring(settings.secrets.keys())


def button_secrets(settings: Settings) -> tuple[bytes, ...]:
    """The secrets of the buttons of our messages, the newest first: they survive a restart and a newer key."""
    secrets = settings.secrets.keys()
    return tuple(hmac.digest(key, b"amends buttons", "sha256") for key in secrets)


def button_secret(settings: Settings) -> bytes:
    """The one that signs now."""
    return button_secrets(settings)[0]
