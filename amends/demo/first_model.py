"""The first model of a story, and of the past while it is made; the running demo trains its own in the background."""

from collections.abc import Sequence
from functools import lru_cache

from store.models.models import keep_model
from store.store import Store
from triage.learning.examples import train_starter
from triage.model.artefact import digest, dump
from triage.model.model_card import model_card
from triage.model.pipeline import Model


def first_model(store: Store, languages: Sequence[str]) -> Model:
    """Train a model from the starter examples and use it; it is trained once per process, in this process."""
    model, blob = _trained(tuple(languages))
    store.write(keep_model, blob, digest(blob), model_card(model))
    return model


@lru_cache(maxsize=1)
def _trained(languages: tuple[str, ...]) -> tuple[Model, bytes]:
    model = train_starter(languages)
    return model, dump(model)
