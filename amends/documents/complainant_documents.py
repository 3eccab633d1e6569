"""Documents for complainants: a letter too long for a message, and the poster on how to complain (4.2)."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from amends.documents.blocks import Document, Lines
from amends.documents.labels import Labels
from amends.documents.typst import typeset
from amends.public_page import answers, chat_link, qr_code
from bots.texts.texts import Texts
from complaints.rulebook import Rulebooks


def long_letter(text: str, labels: Labels, *, organisation: str, ref: str, made_at: datetime) -> Document:
    """A letter exactly as it was written, under its first line."""
    title, *paragraphs = text.strip().split("\n\n")
    if len(title) > 100:
        title, paragraphs = ref, [title, *paragraphs]
    return Document(
        title=title,
        language=labels.language,
        organisation=organisation,
        subject=ref,
        created=labels.text("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=tuple(Lines(part) for part in paragraphs),
    )


_TEMPLATE = Path(__file__).with_name("poster.typ")


def poster(
    rulebooks: Rulebooks, texts: Texts, *, languages: Iterable[str], bot: str, created_at: datetime
) -> bytes:
    """The poster as PDF/A-3a with a page for each of these languages; `bot` is the bot's username.

    Raises TypesettingFailed.
    """
    link = chat_link(bot)
    sheets = [_sheet(rulebooks, texts, language, bot) for language in languages]
    data = {
        "title": sheets[0]["title"],
        "organisation": rulebooks.own.organisation,
        "link": link,
        "svg": qr_code(link),
        "sheets": sheets,
    }
    return typeset(_TEMPLATE, data, created_at=created_at)


def _sheet(rulebooks: Rulebooks, texts: Texts, language: str, bot: str) -> dict[str, Any]:
    rules = rulebooks.for_person(None, language)

    def text(id_: str, **fields: str) -> str:
        return texts.text(language, id_, **fields)

    return {
        "language": language[:2],
        "title": text("page.title", org=rules.organisation),
        "lead": text("page.lead"),
        "scan": text("page.scan", bot=bot),
        "alt": text("page.qr", link=chat_link(bot)),
        "danger": text("page.danger", number=rules.emergency_number),
        "answers": [vars(answer) for answer in answers(language, rules, texts)],
    }
