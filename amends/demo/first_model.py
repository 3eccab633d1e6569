"""The first model of a demo or a story, trained here: nobody should wait for a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

from store.open import Store
from triage.artefact import digest, dump
from triage.card import card
from triage.pipeline import Model
from triage.starters import train_starter


def first_model(store: Store, languages: Sequence[str]) -> Model:
    """Train from the starter examples and put the model in use."""
    model = train_starter(languages)
    blob = dump(model)
    store.keep_model(blob, digest(blob), card(model))
    return model
