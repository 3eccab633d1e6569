"""Everything said and written about a complaint, word for word: all versions of its texts, then its messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Heading, Items, Paragraph, Wording
from amends.documents.case_file.record_view import RecordView


def wording(view: RecordView) -> Iterator[Block]:
    """Texts in the order in which they were recorded, messages in the order in which they were sent."""
    yield Heading(view.label("words.title"), new_page=True)
    if not view.record["texts"]:
        yield Paragraph(view.label("document.none"))
    for text in view.record["texts"]:
        yield Wording(_text_line(view, text), text["text"])
    yield from _merged(view)
    yield Heading(view.label("messages.title"))
    yield Paragraph(view.label("messages.truth"), quiet=True)
    if not view.record["messages"]:
        yield Paragraph(view.label("document.none"))
    for message in view.record["messages"]:
        yield Wording(_message_line(view, message), message["text"] or view.label("messages.no_text"))


def _merged(view: RecordView) -> Iterator[Block]:
    for other in view.record["merged"]:
        yield Heading(view.label("words.merged", ref=other["ref"], when=view.moment(other["received_at"])), 2)
        for text in other["texts"]:
            yield Wording(
                f"#{text['seq']} · {view.moment(text['at'])} · {view.field(text['field'])}", text["text"]
            )
        if other["files"]:
            yield Items(
                tuple(f"{file['name'] or file['kind']}, SHA-256 {file['sha256']}" for file in other["files"])
            )


def _text_line(view: RecordView, text: Mapping[str, Any]) -> str:
    event = view.events[text["seq"]]
    parts = [f"#{text['seq']}", view.moment(text["at"]), view.did(event), view.field(text["field"])]
    if text["replaces"] is not None:
        parts.append(view.label("words.replaces", seq=text["replaces"]))
    correction = next(
        (
            other
            for other in view.record["texts"]
            if other["replaces"] == text["seq"] and other["field"] == text["field"]
        ),
        None,
    )
    if correction is not None:
        parts.append(view.label("words.replaced", seq=correction["seq"]))
    return " · ".join(part for part in parts if part)


def _message_line(view: RecordView, message: Mapping[str, Any]) -> str:
    state = view.labels.code("message", message["state"])
    way = view.label(f"messages.{message['direction']}")
    parts = (
        view.moment(message["at"]),
        way,
        view.labels.code("channel", message["channel"] or None),
        state,
        message["reason"],
        message["template"],
        message["language"],
    )
    return " · ".join(part for part in parts if part)
