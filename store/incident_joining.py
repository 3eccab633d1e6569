"""Opening an incident from a complaint that belongs to it: both in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from complaints.incidents import SAME_INCIDENT, Incident
from complaints.people import Actor
from complaints.vocabulary import Verb
from store.acting import act
from store.incidents import open_incident
from store.transactions import Tx


def open_with(
    tx: Tx,
    ref: str,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    version: int | None = None,
    key: str | None = None,
) -> Incident:
    """Open an incident that this complaint joins first; `version` is the complaint's work_version as drawn.

    Raises what either act raises; then neither happened.
    """
    incident = open_incident(tx, by, facts, words, key=key)
    joins = {"relation": SAME_INCIDENT, "incident": incident.id}
    act(tx, ref, Verb.LINK, by, joins, version=version)
    return incident
