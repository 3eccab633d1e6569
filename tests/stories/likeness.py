"""What two runs of a story have in common: the record and the chats without ids, times and references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bots.texts.loading import load_catalogues

#: What is new in every run, wherever it stands.
_NEW = frozenset({"hash", "platform_id", "source", "rulebook", "seq", "group"})
#: Not sent again when nobody knows whether they arrived: the record says so and it stays at that.
COURTESIES = frozenset({"survey", "survey_reminder"})
_REFERENCE = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{2}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")
_NUMBER = re.compile(r":\d+:")
_PERSON = re.compile(r"\b[0-9a-f]{16}\b")
_STAMP = re.compile(r"\b\d{8}T\d{6}\b")
_CLOCK = re.compile(r"\b\d\d:\d\d\b")
_MARKS = tuple(load_catalogues((language,)).say(language, "maybe_twice") for language in ("en", "tr"))


def record_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without what differs between two runs, and without a repeat that is marked.

    What came in and what went out stand apart: whoever writes three messages at once may be answered after the
    first or after the last. So do the proposals: a minute after the first message the model reads what is there.
    The last one is in the record.
    """
    done = [one for one in record["events"] if one["verb"] != "propose"]
    messages = _once(record["messages"])
    by_way = {way: [one for one in messages if one["direction"] == way] for way in ("in", "out")}
    deliveries = [_delivered(one) for one in record["deliveries"]]
    changed = {
        **record,
        "deliveries": deliveries,
        "messages": by_way,
        "events": done,
        "proposals": len(record["events"]) - len(done),
    }
    alike: dict[str, Any] = _alike(changed, str(record["complainant"]))
    return alike


def _delivered(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a notice without the number of its duty; one sent again after a death arrived."""
    state = "delivered" if delivery["state"] == "sent_again" else delivery["state"]
    return {name: one for name, one in delivery.items() if name not in {"obligation", "uncertain_at"}} | {
        "state": state
    }


def _once(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each message as if it had been sent once: of several tries the last, which tells what came of it."""
    kept: list[dict[str, Any]] = []
    for n, one in enumerate(messages):
        if one["reason"] == "unreachable" and any(
            one["text"] == later["text"] for later in messages[n + 1 :]
        ):
            # How often the desk knocks while Telegram is down is a matter of seconds.
            continue
        text, marked = unmarked(one["text"] or "")
        if marked:
            [first] = [other for other in kept if other["text"] == text and other["state"] == "uncertain"]
            kept[kept.index(first)] = {**one, "text": text}
        elif one["template"] in COURTESIES and one["state"] == "uncertain":
            kept.append({**one, "state": "sent", "reason": None})
        else:
            kept.append({**one, "text": text})
    return kept


def unmarked(text: str) -> tuple[str, bool]:
    """The text without the line that says it may have come before, and whether it had that line."""
    for mark in _MARKS:
        if text.startswith(mark):
            return text.removeprefix(mark).lstrip("\n"), True
    return text, False


def heard_of(texts: Iterable[str]) -> list[str]:
    """What somebody was told, a marked repeat left out."""
    kept: list[str] = []
    for text in texts:
        plain, marked = unmarked(text)
        # Its first try may have been cut off before it left: then the marked one is the only one.
        if not (marked and plain in kept):
            kept.append(plain)
    return [_words(text) for text in kept]


def keys_of(keys: Iterable[str]) -> list[str]:
    """The keys of posts without references and numbers of events, sorted: they stand in no order."""
    return sorted(_NUMBER.sub(":(number):", _words(key)) for key in keys)


def _alike(value: Any, person: str) -> Any:
    if isinstance(value, str):
        return _words(value.replace(person, "the complainant"))
    if isinstance(value, Mapping):
        return {name: _alike(one, person) for name, one in value.items() if name not in _NEW}
    if isinstance(value, list | tuple):
        return [_alike(one, person) for one in value]
    return value


def _words(text: str) -> str:
    text = _PERSON.sub("(person)", _STAMP.sub("(moment)", text))
    return _CLOCK.sub("(time)", _INSTANT.sub("(moment)", _REFERENCE.sub("(reference)", text)))
