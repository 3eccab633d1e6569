"""Reads and checks one catalogue file: the message ids, and the forms and fields of each text."""

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
    """The code uses an id that no catalogue has, or leaves out a field: a programming error."""


@dataclass(frozen=True)
class CatalogueMessage:
    """The forms of a text: one, or one for each plural form of the language."""

    forms: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The names in braces, of all forms."""
        return frozenset(name for form in self.forms for name in FIELD.findall(form))


def parse_catalogue(data: bytes, language: str, origin: str) -> dict[str, CatalogueMessage]:
    """Parse a catalogue; raises TextsError when it is invalid or a text is missing."""
    try:
        catalogue = read_po(io.BytesIO(data), locale=language, abort_invalid=True)
    except (PoFileError, ValueError, UnicodeDecodeError) as error:
        raise TextsError(f"{origin} is not a gettext catalogue in UTF-8: {error}") from error
    messages: dict[str, CatalogueMessage] = {}
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
        messages[str(id_)] = CatalogueMessage(forms)
    return messages


def read_file(file: Path, language: str) -> dict[str, CatalogueMessage]:
    return parse_catalogue(file.read_bytes(), language, str(file))


def overlay(
    shipped: Mapping[str, CatalogueMessage], overrides: Mapping[str, CatalogueMessage], origin: str
) -> dict[str, CatalogueMessage]:
    """The shipped texts with an organisation's overrides; raises TextsError when fields or forms differ."""
    for id_, message in overrides.items():
        original = shipped.get(id_)
        if original is not None and original.fields != message.fields:
            wanted = ", ".join(f"{{{name}}}" for name in sorted(original.fields)) or "none"
            raise TextsError(f'{origin}: "{id_}" must have exactly these fields: {wanted}')
        if original is not None and len(original.forms) != len(message.forms):
            raise TextsError(f'{origin}: "{id_}" must have {len(original.forms)} form(s)')
    return {**shipped, **{id_: message for id_, message in overrides.items() if id_ in shipped}}
