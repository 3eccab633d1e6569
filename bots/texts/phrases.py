"""Phrases that letters and pages share: a complaint without words, by its files, and the outside bodies (7.9)."""

from collections.abc import Callable, Iterable

from bots.texts.texts import Texts
from complaints.letter_texts import ComplaintText
from complaints.rulebook import RecourseStep, Rulebook

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


def body_list(texts: Texts, language: str, rules: Rulebook) -> str:
    """A line for each outside body; empty if there is none."""
    steps = enumerate(rules.recourse, start=1)
    return "\n".join(body_line(texts, language, number, step) for number, step in steps)


def body_line(texts: Texts, language: str, number: int, step: RecourseStep) -> str:
    """`describe_body` with its number in the list."""
    return f"{number}. {describe_body(texts, language, step)}"


def describe_body(texts: Texts, language: str, step: RecourseStep) -> str:
    """Only what the settings hold about the body; nothing is guessed."""
    sentences = [f"{texts.body(language, step.body).rstrip('.')}."]
    if step.contact:
        sentences.append(f"{step.contact.rstrip('.')}.")
    if step.form:
        sentences.append(texts.text(language, "recourse.form", form=step.form.rstrip(".")))
    if step.free:
        sentences.append(texts.text(language, "recourse.free"))
    elif step.cost:
        sentences.append(texts.text(language, "recourse.cost", cost=step.cost.rstrip(".")))
    else:
        sentences.append(texts.text(language, "recourse.paid"))
    if step.limit:
        limit = texts.limit(language, step.limit)
        sentences.append(texts.text(language, "recourse.limit", limit=limit))
    return " ".join(sentences)
