"""The record and the chats of a story run without ids, times and references, to compare two runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bots.texts.catalogues import load_catalogues, shipped_languages

#: Keys whose values differ in every run.
_DIFFERENT_KEYS = frozenset(
    {"hash", "entry", "commitment_key", "platform_id", "source", "rulebook", "seq", "group"}
)
#: Templates that are not sent again when their delivery is uncertain.
COURTESIES = frozenset({"survey", "survey_reminder"})
_REFERENCE = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{2}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")
_NUMBER = re.compile(r":\d+:")
_PERSON = re.compile(r"\b[0-9a-f]{16}\b")
_STAMP = re.compile(r"\b\d{8}T\d{6}\b")
_CLOCK = re.compile(r"\b\d\d:\d\d\b")
_MARKS = tuple(load_catalogues((language,)).text(language, "maybe_twice") for language in shipped_languages())


def comparable_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record without what differs between runs, and without marked repeats.

    Incoming and outgoing messages are compared separately, because an answer to three quick messages may come after
    the first or after the last. Proposals are only counted, because their content depends on which messages have
    arrived a minute after the first one.
    """
    events = [event for event in record["events"] if event["verb"] != "propose"]
    messages = _once(record["messages"])
    by_direction = {
        direction: [message for message in messages if message["direction"] == direction]
        for direction in ("in", "out")
    }
    deliveries = [_delivered(delivery) for delivery in record["deliveries"]]
    changed = {
        **record,
        "deliveries": deliveries,
        "messages": by_direction,
        "reads": _reads(record["reads"]),
        "events": events,
        "proposals": len(record["events"]) - len(events),
    }
    comparable: dict[str, Any] = _without_ids(changed, str(record["complainant"]))
    return comparable


def _delivered(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """A delivery without its obligation's number; one sent again after a death counts as delivered."""
    state = "delivered" if delivery["state"] == "sent_again" else delivery["state"]
    return {name: value for name, value in delivery.items() if name not in {"obligation", "uncertain_at"}} | {
        "state": state
    }


def _reads(reads: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The reads, with pages to the same person in a row counted once.

    A page that was posted before a death and not yet recorded is posted again with the same words, because a second
    page is better than none. Then these words were read twice, and the record says so.
    """
    kept: list[Mapping[str, Any]] = []
    for read in reads:
        is_repeated = kept and read["what"] == "page" and kept[-1]["by"] == read["by"]
        if not (is_repeated and kept[-1]["what"] == "page"):
            kept.append(read)
    return kept


def _once(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each message as if it had been sent once: of several attempts the last, which has the result."""
    kept: list[dict[str, Any]] = []
    for number, message in enumerate(messages):
        if message["reason"] == "unreachable" and any(
            message["text"] == later["text"] for later in messages[number + 1 :]
        ):
            # The number of attempts while Telegram is down depends on timing.
            continue
        text, marked = unmarked(message["text"] or "")
        if marked:
            [first] = [other for other in kept if other["text"] == text and other["state"] == "uncertain"]
            kept[kept.index(first)] = {**message, "text": text}
        elif message["template"] in COURTESIES and message["state"] == "uncertain":
            kept.append({**message, "state": "sent", "reason": None})
        else:
            kept.append({**message, "text": text})
    return kept


def unmarked(text: str) -> tuple[str, bool]:
    """Return the text without the line that says it may be a repeat, and whether it had that line."""
    for mark in _MARKS:
        if text.startswith(mark):
            return text.removeprefix(mark).lstrip("\n"), True
    return text, False


def texts_without_repeats(texts: Iterable[str]) -> list[str]:
    """Return the texts, without marked repeats."""
    kept: list[str] = []
    for text in texts:
        plain, marked = unmarked(text)
        # The first attempt may not have left: then the marked one is the only one.
        if not (marked and plain in kept):
            kept.append(plain)
    return [_without_times(text) for text in kept]


def comparable_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys of posts without references and event numbers, sorted."""
    return sorted(_NUMBER.sub(":(number):", _without_times(key)) for key in keys)


def _without_ids(value: Any, person: str) -> Any:
    if isinstance(value, str):
        return _without_times(value.replace(person, "the complainant"))
    if isinstance(value, Mapping):
        return {
            name: _without_ids(item, person) for name, item in value.items() if name not in _DIFFERENT_KEYS
        }
    if isinstance(value, list | tuple):
        return [_without_ids(item, person) for item in value]
    return value


def _without_times(text: str) -> str:
    text = _PERSON.sub("(person)", _STAMP.sub("(moment)", text))
    return _CLOCK.sub("(time)", _INSTANT.sub("(moment)", _REFERENCE.sub("(reference)", text)))
