"""Everything said and written, word for word: texts in every version, then messages with their delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Heading, Items, Paragraph, Words
from amends.documents.case_file.telling import Telling


def verbatim(told: Telling) -> Iterator[Block]:
    """Texts in the order in which they were told, messages in the order in which they went."""
    yield Heading(told.say("words.title"), new_page=True)
    if not told.record["texts"]:
        yield Paragraph(told.say("document.none"))
    for one in told.record["texts"]:
        yield Words(_about(told, one), one["text"])
    yield from _merged(told)
    yield Heading(told.say("messages.title"))
    yield Paragraph(told.say("messages.truth"), quiet=True)
    if not told.record["messages"]:
        yield Paragraph(told.say("document.none"))
    for one in told.record["messages"]:
        yield Words(_sent(told, one), one["text"] or told.say("messages.no_text"))


def _merged(told: Telling) -> Iterator[Block]:
    for other in told.record["merged"]:
        yield Heading(told.say("words.merged", ref=other["ref"], when=told.moment(other["received_at"])), 2)
        for one in other["texts"]:
            yield Words(f"#{one['seq']} · {told.moment(one['at'])} · {told.field(one['field'])}", one["text"])
        if other["files"]:
            yield Items(
                tuple(f"{one['name'] or one['kind']}, SHA-256 {one['sha256']}" for one in other["files"])
            )


def _about(told: Telling, one: Mapping[str, Any]) -> str:
    event = told.events[one["seq"]]
    parts = [f"#{one['seq']}", told.moment(one["at"]), told.did(event), told.field(one["field"])]
    if one["replaces"] is not None:
        parts.append(told.say("words.replaces", seq=one["replaces"]))
    later = next(
        (
            other
            for other in told.record["texts"]
            if other["replaces"] == one["seq"] and other["field"] == one["field"]
        ),
        None,
    )
    if later is not None:
        parts.append(told.say("words.replaced", seq=later["seq"]))
    return " · ".join(part for part in parts if part)


def _sent(told: Telling, one: Mapping[str, Any]) -> str:
    state = told.labels.code("message", one["state"])
    way = told.say(f"messages.{one['direction']}")
    parts = (
        told.moment(one["at"]),
        way,
        told.labels.code("channel", one["channel"] or None),
        state,
        one["reason"],
        one["template"],
        one["language"],
    )
    return " · ".join(part for part in parts if part)
