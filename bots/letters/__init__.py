"""The letters to the complainant, as pure functions of the complaint (7.1, 7.3, 7.4, 7.8, 7.9)."""

from bots.letters.composer import preview
from bots.letters.letter import Letter

__all__ = ["Letter", "preview"]
