"""What we write to the complainant unasked, as pure texts (7.1, 7.3, 7.4, 7.8, 7.9)."""

from bots.letters.previewing import preview
from bots.letters.writing import Letter

__all__ = ["Letter", "preview"]
