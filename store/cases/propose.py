"""Record the model's proposal for a complaint (7.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from complaints.actors import Actor
from complaints.vocabulary import Verb
from store.cases.act import act
from store.database.transaction import Tx
from store.similarity.similar import store_sketch
from store.values import RecordedAct


def record_proposal(
    tx: Tx,
    ref: str,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    sketch: Sequence[bytes],
    key: str | None = None,
    settles: int | None = None,
) -> RecordedAct:
    """Record a proposal and the sketch of the words that it was made from, in one transaction (7.5)."""
    recorded = act(tx, ref, Verb.PROPOSE, by, facts, words, key=key, settles=settles)
    store_sketch(tx, ref, sketch)
    return recorded
