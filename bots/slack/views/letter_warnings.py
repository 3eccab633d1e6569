"""The warnings about the words of a letter, as staff read them, and what is said of a letter sent all the same."""

from collections.abc import Iterable, Sequence

from bots.slack.client.block_kit import escaped
from bots.slack.client.refused_blocks import ALERT
from bots.slack.texts import StaffTexts

#: Characters of the letter that a warning quotes, at least and at most: with fewer it fits into an alert.
_QUOTED = 40, 160

#: The code of a warning, and the words of the letter that cause it.
Warned = tuple[str, str]


def warning_lines(warned: Iterable[Warned], texts: StaffTexts) -> str:
    """One line for each warning: the reason, the words, and what to do."""
    lines = []
    for code, cause in warned:
        room = ALERT - len(texts.text(f"letter_warning.{code}", words=""))
        words = escaped(" ".join(cause.split()), min(max(room, _QUOTED[0]), _QUOTED[1]))
        lines.append(f":warning: {texts.text(f'letter_warning.{code}', words=words)}")
    return "\n".join(lines)


def codes_of(warned: Iterable[Warned]) -> tuple[str, ...]:
    """The codes, as the event of an act keeps them in `overruled`; never the words."""
    return tuple(dict.fromkeys(code for code, _ in warned))


def overruled_line(codes: Sequence[str], texts: StaffTexts) -> str:
    """ "Sent although warned: promise without a date"."""
    return texts.text(
        "letter_warning.overruled", which=", ".join(texts.text(f"warned.{code}") for code in codes)
    )
