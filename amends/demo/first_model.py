"""The first model of a demo or a story, trained here: nobody should wait for a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from store.open import Store
from triage.artefact import digest, dump
from triage.card import card
from triage.pipeline import Model
from triage.starters import train_starter


def first_model(store: Store, languages: Sequence[str]) -> Model:
    """Train from the starter examples, once in a process, and put the model in use."""
    model, blob = _trained(tuple(languages))
    store.keep_model(blob, digest(blob), card(model))
    return model


@lru_cache(maxsize=1)
def _trained(languages: tuple[str, ...]) -> tuple[Model, bytes]:
    model = train_starter(languages)
    return model, dump(model)
