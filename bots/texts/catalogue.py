"""One catalogue file read and checked: message ids, their forms, and the fields that each form has."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import PoFileError, read_po

FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_BRACES = re.compile(r"[{}]")


class TextsError(Exception):
    """A catalogue cannot be used; the message names the file, the id and the remedy."""


class UnknownText(KeyError):
    """The code asked for an id, or left out a field, that the catalogues know: a mistake of ours."""


@dataclass(frozen=True)
class CatalogueMessage:
    """The forms of one text: one, or as many as the language has plurals."""

    forms: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The names in braces, over all forms."""
        return frozenset(name for form in self.forms for name in FIELD.findall(form))


def read(data: bytes, language: str, origin: str) -> dict[str, CatalogueMessage]:
    """The messages of a catalogue file; raises TextsError for what is no catalogue or not filled in."""
    try:
        catalogue = read_po(io.BytesIO(data), locale=language, abort_invalid=True)
    except (PoFileError, ValueError, UnicodeDecodeError) as wrong:
        raise TextsError(f"{origin} is not a gettext catalogue in UTF-8: {wrong}") from wrong
    found: dict[str, CatalogueMessage] = {}
    for entry in catalogue:
        if not entry.id:
            continue
        plural = isinstance(entry.id, list | tuple)
        id_ = entry.id[0] if plural else str(entry.id)
        forms = tuple(entry.string) if isinstance(entry.string, list | tuple) else (str(entry.string),)
        if entry.fuzzy or not all(form.strip() for form in forms):
            raise TextsError(f'{origin}: "{id_}" has no text yet; fill it in')
        for form in forms:
            if _BRACES.search(FIELD.sub("", form)):
                raise TextsError(f'{origin}: "{id_}" has a brace that is no field; write fields as {{ref}}')
        found[str(id_)] = CatalogueMessage(forms)
    return found


def read_file(file: Path, language: str) -> dict[str, CatalogueMessage]:
    """The messages of a file."""
    return read(file.read_bytes(), language, str(file))


def overlay(
    own: Mapping[str, CatalogueMessage], given: Mapping[str, CatalogueMessage], origin: str
) -> dict[str, CatalogueMessage]:
    """Our texts with an organisation's put over them; raises TextsError where the fields differ."""
    for id_, message in given.items():
        ours = own.get(id_)
        if ours is not None and ours.fields != message.fields:
            wanted = ", ".join(f"{{{name}}}" for name in sorted(ours.fields)) or "none"
            raise TextsError(f'{origin}: "{id_}" must have exactly these fields: {wanted}')
        if ours is not None and len(ours.forms) != len(message.forms):
            raise TextsError(f'{origin}: "{id_}" must have {len(ours.forms)} form(s)')
    return {**own, **{id_: message for id_, message in given.items() if id_ in own}}
