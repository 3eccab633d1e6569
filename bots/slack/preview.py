"""What the complainant will read, exactly, before it leaves (docs/surfaces.md, "Modals")."""

from __future__ import annotations

from datetime import datetime

from bots.slack.blocks import MODAL_BLOCKS, button, context, pieces, plain, said, section
from bots.slack.modals import View, metadata
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.vocabulary import Flag

SUFFIX = "_preview"


def preview_view(
    form: str,
    case: Case,
    letter: str,
    draft: str,
    voice: Voice,
    *,
    leaves_at: datetime | None = None,
    approval: bool = False,
    unread: datetime | None = None,
) -> View:
    """The letter with its exact text; submitting sends it, Back leaves what was typed untouched.

    `leaves_at`: quiet hours hold it back until then. `approval`: a second person must agree first.
    `unread`: when the complainant wrote what this person has not opened yet.
    """
    head = voice.say("preview.approval" if approval else "preview.head")
    blocks = [section(head), *(said(one) for one in pieces(letter))][: MODAL_BLOCKS - 5]
    if unread is not None:
        when = voice.clock(unread, case.rules.calendar.zone)
        blocks.insert(0, section(voice.say("preview.unread", when=when)))
    if leaves_at is not None:
        when = voice.clock(leaves_at, case.rules.calendar.zone)
        blocks.append(context(voice.say("preview.leaves_at", when=when)))
    if Flag.FOR_ANOTHER in case.flags:
        blocks.insert(0, section(voice.say("preview.for_another")))
    if Flag.NO_CONTACT in case.flags:
        blocks.insert(0, section(voice.say("preview.no_contact")))
    if case.told_by_people:
        blocks.append(context(voice.say("preview.no_channel")))
    return {
        "type": "modal",
        "callback_id": form + SUFFIX,
        "private_metadata": metadata(case.ref, case.work_version, draft=draft),
        "title": plain(voice.say(f"verb.{form}"), 24),
        "submit": plain(voice.say("preview.ask_approval" if approval else "preview.send"), 24),
        "close": plain(voice.say("preview.back"), 24),
        "blocks": blocks,
    }


def open_button(case: Case, voice: Voice) -> dict[str, object]:
    """A button that opens the complaint, for notices and direct messages."""
    return button(voice.say("verb.open"), "case.open", case.ref)
