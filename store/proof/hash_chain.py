"""The chain of one complaint's events: each entry names the hash of the one before (docs/design.md, rule 4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from complaints.case import Event
from complaints.timestamps import format_time, parse_time
from complaints.vocabulary import Role, Verb
from store.proof.seal import canonical

VERSION = 1
#: What the first entry names as the one before.
GENESIS = "0" * 64


def entry_of(ref: str, event: Event, *, commit: str | None, prev: str) -> str:
    """The canonical entry of an event; its SHA-256 is the hash that the next one names."""
    return written(
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


def written(
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
    """The same from plain values: also for the chain of settings, which knows no verb of a complaint."""
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


def named_before(entry: str) -> str:
    """The hash of the entry before, which this one names."""
    return str(json.loads(entry)["prev"])


def event_of(entry: str) -> Event:
    """The event that an entry tells; its words are sealed elsewhere."""
    said = json.loads(entry)
    return Event(
        seq=said["seq"],
        verb=Verb(said["verb"]),
        at=parse_time(said["at"]),
        by=said["actor"],
        role=Role(said["role"]),
        facts=said["facts"],
    )
