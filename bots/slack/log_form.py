"""The form by which staff write down what reached them by phone, at the counter, by e-mail or letter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bots.slack.blocks import MODAL_BLOCKS, Block, context, header, pieces, plain, said, section
from bots.slack.inputs import input_block
from bots.slack.modals import View, metadata
from bots.slack.voice import Voice
from bots.texts.texts import language_name
from complaints.case import Case
from complaints.forms import FORMS
from complaints.rulebook import Rulebooks

FORM = "log_complaint"
TOLD = "log_complaint_told"


def log_view(rules: Rulebooks, voice: Voice, *, key: str, now: datetime, text: str = "") -> View:
    """The form; `text` and `now` are the words and the time of a message where one is logged.

    `key` makes a repeat of the submission known: it travels in the metadata.
    """
    initial: dict[str, Any] = {
        "received_at": int(now.timestamp()) // 60 * 60,
        "language": rules.languages[0],
        "jurisdiction": rules.own.country,
        "description": text or None,
    }
    choices = {
        "language": tuple((one, language_name(one)) for one in rules.languages),
        "jurisdiction": tuple((one, voice.country(one)) for one in rules.codes),
    }
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": metadata("", 0, key=key),
        "title": plain(voice.say("verb.log_complaint"), 24),
        "submit": plain(voice.say("modal.save"), 24),
        "close": plain(voice.say("modal.cancel"), 24),
        "blocks": [
            input_block(
                FORM,
                one,
                one.name,
                voice,
                initial=initial.get(one.name),
                choices=choices.get(one.name),
            )
            for one in FORMS[FORM]
            # Where there is one country nobody need say which.
            if one.name != "jurisdiction" or rules.are_several
        ],
    }


def told_view(case: Case, text: str, voice: Voice) -> View:
    """What to tell whoever complains, word for word; submitting says that it was told (7.4)."""
    zone = case.rules.calendar.zone
    lines: list[Block] = [
        header(case.ref),
        section(voice.say("log.read_out", when=voice.moment(case.received_at, zone))),
        *(said(one) for one in pieces(text)),
        context(voice.say("log.bind_hint")),
    ]
    return {
        "type": "modal",
        "callback_id": TOLD,
        "private_metadata": metadata(case.ref, case.work_version),
        "title": plain(voice.say("verb.log_complaint"), 24),
        "submit": plain(voice.say("log.told"), 24),
        "close": plain(voice.say("log.later"), 24),
        "blocks": lines[:MODAL_BLOCKS],
    }
