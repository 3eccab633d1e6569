"""What a complaint consists of, for letters and documents: its words, or the files that came instead (7.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from complaints.actions.intake import FORWARDED, TRANSCRIPT


@dataclass(frozen=True)
class ComplaintText:
    """The complaint in the complainant's words; without any, its files (kind and seconds) and other words."""

    words: str = ""
    files: tuple[tuple[str, int | None], ...] = ()
    transcripts: tuple[str, ...] = ()
    forwarded: tuple[str, ...] = ()


NO_TEXT = ComplaintText()


def without_own_words(texts: Mapping[str, str], files: Iterable[tuple[str, int | None]]) -> ComplaintText:
    """A complaint without a description, from its newest texts by field and its files."""
    transcripts, forwarded = (
        tuple(text for name, text in texts.items() if name.split(".")[0] == field)
        for field in (TRANSCRIPT, FORWARDED)
    )
    return ComplaintText(files=tuple(files), transcripts=transcripts, forwarded=forwarded)
