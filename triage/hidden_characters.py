"""Invisible characters. Some writers need them; others use them so that a text reads otherwise than it is."""

import re
import unicodedata

#: Reorder or split words: zero-width spaces, and the embeddings, overrides and isolates of directions. No language
#: needs them in a complaint. Joiners and simple direction marks are not among them: emoji and Persian need them.
_MISLEADING = "\u200b\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
#: The same, and joiners, soft hyphens, direction marks and annotations.
_INVISIBLE = re.compile(
    f"[{_MISLEADING}\u00ad\u061c\u180e\u200c-\u200f\u2061-\u2064\u206a-\u206f\ufff9-\ufffb]"
)
_MARKS = dict.fromkeys(map(ord, _MISLEADING), "\ufffd")


def mark_misleading(text: str) -> str:
    """For readers: each character that misleads is shown as one sign."""
    return text.translate(_MARKS)


def remove_misleading(text: str) -> str:
    """For writers, whose input is saved: what is left is what they see."""
    return text.translate(dict.fromkeys(_MARKS))


def normalise_characters(text: str) -> str:
    """For a model: NFKC without invisible characters, which would split a word or hide a number."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
