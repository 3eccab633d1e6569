"""How to complain (4.2): what to do, how long it takes, what it costs, and who can help outside.

The public page and the poster give the same facts; times and outside bodies are those of the rules in force.
"""

from dataclasses import dataclass
from functools import lru_cache

import segno

from bots.dialogue.commands import time_promise
from bots.texts.recourse import describe_body
from bots.texts.texts import Texts, language_name
from complaints.rulebook import Rulebook


@dataclass(frozen=True)
class Answer:
    """The answer to a question: paragraphs, then a list. `ordered`: the list has steps in their order."""

    question: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ordered: bool = False


def answers(language: str, rules: Rulebook, texts: Texts) -> tuple[Answer, ...]:
    """How to complain, what happens then, how long it takes, what it costs and which outside bodies there are."""

    def text(id_: str, **fields: str) -> str:
        return texts.text(language, id_, **fields)

    languages = texts.together(language, [language_name(code) for code in rules.languages])
    bodies = tuple(describe_body(texts, language, step) for step in rules.recourse)
    levels = texts.count(language, "how.levels", rules.top_level)
    elsewhere = text("page.outside") if bodies else text("page.no_body", body=text("how.no_body"))
    return (
        Answer(text("page.how.title"), tuple(text("page.how", languages=languages).split("\n"))),
        Answer(text("page.steps.title"), items=tuple(text("page.steps").split("\n")), ordered=True),
        Answer(
            text("page.time.title"),
            (time_promise(language, rules, texts), text("page.time.longer")),
        ),
        Answer(text("page.cost.title"), (text("page.cost"),)),
        Answer(text("page.outside.title"), (levels, elsewhere), bodies, ordered=True),
    )


def chat_link(bot: str) -> str:
    """The address that opens the chat with the bot of this username."""
    return f"https://t.me/{bot}"


@lru_cache(maxsize=8)
def qr_code(link: str) -> str:
    """The QR code of an address as SVG, black on white with its quiet zone, so that it scans in dark colours too."""
    code = segno.make(link, error="m", micro=False)
    return str(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))
