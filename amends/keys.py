"""The keys of this installation, from the settings to the store and to the chat buttons."""

from __future__ import annotations

import hmac

from amends.settings import Settings
from store.database.keyring import Keyring


def keyring(settings: Settings) -> Keyring:
    """The keys that wrap all other keys, newest first. Raises SettingsError if none is set."""
    return Keyring(settings.secrets.keys())


def button_secrets(settings: Settings) -> tuple[bytes, ...]:
    """The secrets that sign the buttons of chat messages, newest first.

    They are derived from the keys: buttons sent earlier still work after a restart and after a key rotation.
    """
    keys = settings.secrets.keys()
    return tuple(hmac.digest(key, b"amends buttons", "sha256") for key in keys)


def button_secret(settings: Settings) -> bytes:
    """The secret that signs new buttons."""
    return button_secrets(settings)[0]
