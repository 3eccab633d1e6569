"""The exact letter that the complainant will get, shown before it is sent (docs/surfaces.md, "Modals")."""

from __future__ import annotations

from datetime import datetime

from bots.slack.client.block_kit import MODAL_BLOCKS, button, context, pieces, plain, plain_section, section
from bots.slack.payloads import PREVIEW_SUFFIX
from bots.slack.texts import StaffTexts
from bots.slack.views.forms import View, metadata
from complaints.case import Case
from complaints.vocabulary import Flag


def preview_view(
    form: str,
    case: Case,
    letter: str,
    draft: str,
    texts: StaffTexts,
    *,
    leaves_at: datetime | None = None,
    approval: bool = False,
    unread_at: datetime | None = None,
) -> View:
    """The letter; submitting sends it, Back returns to the form with what was typed.

    `leaves_at` is the end of the quiet hours that hold the letter back. `approval`: a second person must agree first.
    `unread_at` is when the complainant wrote something that this person has not read yet.
    """
    head = texts.text("preview.approval" if approval else "preview.head")
    blocks = [section(head), *(plain_section(piece) for piece in pieces(letter))][: MODAL_BLOCKS - 5]
    if unread_at is not None:
        when = texts.clock(unread_at, case.rules.calendar.zone)
        blocks.insert(0, section(texts.text("preview.unread", when=when)))
    if leaves_at is not None:
        when = texts.clock(leaves_at, case.rules.calendar.zone)
        blocks.append(context(texts.text("preview.leaves_at", when=when)))
    if Flag.FOR_ANOTHER in case.flags:
        blocks.insert(0, section(texts.text("preview.for_another")))
    if Flag.NO_CONTACT in case.flags:
        blocks.insert(0, section(texts.text("preview.no_contact")))
    if case.told_by_people:
        blocks.append(context(texts.text("preview.no_channel")))
    return {
        "type": "modal",
        "callback_id": form + PREVIEW_SUFFIX,
        "private_metadata": metadata(case.ref, case.work_version, draft=draft),
        "title": plain(texts.text(f"verb.{form}"), 24),
        "submit": plain(texts.text("preview.ask_approval" if approval else "preview.send"), 24),
        "close": plain(texts.text("preview.back"), 24),
        "blocks": blocks,
    }


def open_button(case: Case, texts: StaffTexts) -> dict[str, object]:
    """A button that opens the complaint, for notices and direct messages."""
    return button(texts.text("verb.open"), "case.open", case.ref)
