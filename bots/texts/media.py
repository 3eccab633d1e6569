"""What a complaint without words consists of: its recordings, photos and other files, and what was made of them."""

from collections.abc import Callable, Iterable

from complaints.letter_texts import ComplaintText

#: Kinds of file that staff must listen to or watch before the assessment.
AUDIBLE = frozenset({"voice", "audio", "video", "video_note"})
#: So many recordings are named; all of them are counted.
MOST_NAMED = 5

_Text = Callable[..., str]


def recording_name(kind: str, seconds: int | None, text: _Text) -> str:
    """ "a voice note of 0:42"; "" for other files and without a length."""
    if kind not in AUDIBLE or seconds is None:
        return ""
    return text(f"media.{kind}", length=f"{seconds // 60}:{seconds % 60:02}")


def recording_names(files: Iterable[tuple[str, int | None]], text: _Text) -> list[str]:
    """The first recordings of these files, each by kind and length."""
    names = [recording_name(kind, seconds, text) for kind, seconds in files]
    return [name for name in names if name][:MOST_NAMED]


def without_words(complaint: ComplaintText, text: _Text, count: _Text) -> str:
    """The files of a complaint without words, and below them the transcripts and forwarded words, marked as such."""
    names = recording_names(complaint.files, text)
    photos = sum(kind == "photo" for kind, _ in complaint.files)
    others = len(complaint.files) - photos - len(names)
    names += [
        count(f"media.{kind}", number) for kind, number in (("photos", photos), ("others", others)) if number
    ]
    lines = [f"({', '.join(names)})"] if names else []
    lines += [text("media.transcript", text=transcript) for transcript in complaint.transcripts]
    lines += [text("readback.forwarded", text=forwarded) for forwarded in complaint.forwarded]
    return "\n".join(lines) or text("readback.no_words")
