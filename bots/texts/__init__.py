"""All texts that people read, by message id, from gettext catalogues (4.3: plain language)."""

from bots.texts.catalogue import TextsError
from bots.texts.loading import load_catalogues
from bots.texts.texts import Texts

__all__ = ["Texts", "TextsError", "load_catalogues"]
