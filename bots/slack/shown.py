"""The words and files of a complaint, for those who may read them."""

from __future__ import annotations

from datetime import datetime

from bots.slack.blocks import Block, button, cut, escaped, pieces, said, section
from bots.slack.voice import Voice
from store.values import FileEntry, OpenedCase, Text

#: A line above the words takes some of the 3,000 characters of a paragraph.
_ROOM = 2800


def said_blocks(opened: OpenedCase, voice: Voice) -> list[Block]:
    """Everything the complainant said and sent, oldest first; files with a button to get them."""
    zone = opened.case.rules.calendar.zone
    parts = [(opened.case.ref, opened.texts, opened.files)]
    parts += [(one.ref, one.texts, one.files) for one in opened.merged]
    things: list[tuple[datetime, int, str, Text | FileEntry]] = [
        *((one.at, 0, ref, one) for ref, texts, _ in parts for one in texts),
        *((one.at, 1, ref, one) for ref, _, files in parts for one in files),
    ]
    blocks: list[Block] = []
    for at, _, ref, one in sorted(things, key=lambda each: each[:3]):
        when = voice.moment(at, zone)
        if isinstance(one, Text):
            blocks += _words(one, when, voice)
        else:
            blocks.append(file_block(ref, one, when, voice))
    return blocks or [section(voice.say("open.nothing_said"))]


def _words(one: Text, when: str, voice: Voice) -> list[Block]:
    field = one.field.split(".")[0]
    name = voice.say(f"said.{field}" if field in SAID else "said.other")
    if one.replaces is not None:
        name = voice.say("said.edited", what=name)
    first, *rest = pieces(one.text, _ROOM) or ["–"]
    return [said(f"{when} · {name}\n{first}"), *(said(each) for each in rest)]


#: The questions that words answer; words of other fields are "words".
SAID: frozenset[str] = frozenset(
    {
        "description",
        "where_and_when",
        "remedy_requested",
        "for_whom",
        "relation",
        "age_band",
        "effect",
        "recurrent",
        "support_needs",
        "anonymity",
        "question",
        "answer",
        "addition",
        "look_again",
        "reopen_reason",
        "remedy_check",
        "not_right",
        "data_correction",
        "data_erasure",
    }
)


def file_block(ref: str, one: FileEntry, when: str, voice: Voice) -> Block:
    """One file: what it is, and a button that sends it to the presser's own direct messages."""
    size = voice.say("file.size", kilobytes=max(1, round(one.size / 1024))) if one.size else ""
    kind = voice.say(f"file.{one.kind}" if one.kind in KINDS else "file.other")
    name = escaped(cut(one.name, 100)) if one.name else ""
    line = " · ".join(each for each in (when, kind, name, size) if each)
    if one.state == "fetched":
        return section(line, accessory=button(voice.say("file.send"), "case.file", f"{ref}:{one.seq}"))
    state = one.state if one.state in STATES else "failed"
    return section(f"{line}\n_{voice.say(f'file.state_{state}')}_")


KINDS: frozenset[str] = frozenset(
    {
        "photo",
        "document",
        "voice",
        "audio",
        "video",
        "video_note",
        "animation",
        "sticker",
        "location",
        "contact",
    }
)
STATES: frozenset[str] = frozenset({"announced", "too_large", "failed"})
