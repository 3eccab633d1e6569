"""The copy of a person's data, as the chat hands it over (8.1): the same archive as `amends privacy export`."""

from __future__ import annotations

from amends.documents.labels import load_labels
from amends.privacy.exporting import archive
from amends.retention import retention
from amends.settings import Settings
from bots.telegram.mydata import MOST_BYTES, CopyOf
from store.open import Store

NAME = "mydata.zip"
#: Room for the record itself beside the files, which are named where they do not fit.
_RECORD = 2 * 1024 * 1024


def copies(settings: Settings, store: Store) -> CopyOf:
    """What makes the copy: by person and language, its name and bytes; that it was given out is recorded."""
    own, kept = settings.organisation, retention(settings)
    labels = load_labels(settings.languages, own.timezone, settings.texts_folder, own=settings.own_names)

    def copy_of(person: str, language: str) -> tuple[str, bytes]:
        largest = MOST_BYTES - _RECORD
        return NAME, archive(store, person, labels, language=language, largest=largest, retention=kept)

    return copy_of
