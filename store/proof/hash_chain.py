"""The hash chain of a complaint's events: each entry contains the hash of the previous one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from complaints.case import Event
from complaints.times import format_time, parse_time
from complaints.vocabulary import Role, Verb
from store.proof.seal import canonical

VERSION = 1
#: The previous hash in the first entry of a chain.
GENESIS = "0" * 64


def event_entry(ref: str, event: Event, *, commit: str | None, prev: str) -> str:
    """The canonical entry of an event; its SHA-256 is the hash that the next entry contains."""
    return build_entry(
        ref,
        event.seq,
        event.verb.value,
        format_time(event.at),
        event.by,
        event.role.value,
        event.facts,
        commit,
        prev,
    )


def build_entry(
    ref: str,
    seq: int,
    verb: str,
    at: str,
    by: str,
    role: str,
    facts: Mapping[str, Any],
    commit: str | None,
    prev: str,
) -> str:
    """`event_entry` from plain values, also for chains of other events than a complaint's."""
    return canonical(
        {
            "version": VERSION,
            "case": ref,
            "seq": seq,
            "verb": verb,
            "at": at,
            "actor": by,
            "role": role,
            "facts": facts,
            "commit": commit,
            "prev": prev,
        }
    )


def previous_hash(entry: str) -> str:
    """The hash of the previous entry, which this entry contains."""
    return str(json.loads(entry)["prev"])


def parse_event(entry: str) -> Event:
    """The event in an entry, without its words, which are sealed elsewhere."""
    values = json.loads(entry)
    return Event(
        seq=values["seq"],
        verb=Verb(values["verb"]),
        at=parse_time(values["at"]),
        by=values["actor"],
        role=Role(values["role"]),
        facts=values["facts"],
    )
