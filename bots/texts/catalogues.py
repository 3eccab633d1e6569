"""Loads the texts of a domain: the shipped gettext catalogues, checked, with an organisation's overrides."""

import io
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.pofile import PoFileError, read_po

from bots.texts.texts import FIELD, CatalogueMessage, Texts

#: The texts for complainants, for staff, for documents, and for reports.
COMPLAINANT, STAFF, DOCUMENTS, REPORTS = "amends", "staff", "documents", "reports"
DOMAINS = (COMPLAINANT, STAFF, DOCUMENTS, REPORTS)
#: The setting and the catalogue of the texts that read differently to a person who is addressed as "du".
INFORMAL = "informal"
#: How the ids begin that a catalogue has which is not a language of the desk: what people in
#: danger read, and that the desk does not speak the language.
DANGER_IDS = (
    "danger", "safe.noted", "button.safe", "button.yes", "button.no", "maybe_twice", "role.", "language.unsupported",
)  # fmt: skip
_BRACES = re.compile(r"[{}]")


class TextsError(Exception):
    """A catalogue cannot be used; the message names the file, the id and the remedy."""


def load_catalogues(
    languages: Iterable[str],
    overrides_dir: Path | None = None,
    *,
    domain: str = COMPLAINANT,
    own: Mapping[str, Mapping[str, str]] | None = None,
    address: str = "formal",
    further: bool = True,
) -> Texts:
    """The texts of one domain in these languages; the first is the fallback.

    `overrides_dir` may hold `<language>.po` with any ids of any domain (`amends init` creates the folder). A
    language without a shipped catalogue needs a file with every id. `own` are texts that only this organisation
    has, by id and language: the names of its categories. `address` "informal" takes the texts of informal.po where
    a language has them; formal texts of complainants have the informal ones for children. Only who answers people
    in danger needs `further` languages, whose catalogues take a tenth of a second. Raises TextsError.
    """
    wanted = tuple(dict.fromkeys(languages))
    if not wanted:
        raise TextsError("At least one language is needed: set [organisation] languages.")
    reference = shipped("en", domain)
    return Texts(
        wanted,
        {
            language: {
                **_language(language, domain, reference, overrides_dir, address),
                **_own(own, language),
            }
            for language in wanted
        },
        danger=_danger_texts(wanted, address) if further and domain == COMPLAINANT else None,
        informal=None
        if address == INFORMAL or domain in (STAFF, REPORTS)
        else load_catalogues(
            wanted, overrides_dir, domain=domain, own=own, address=INFORMAL, further=further
        ),
    )


@cache
def _danger_texts(wanted: tuple[str, ...], address: str) -> dict[str, dict[str, CatalogueMessage]]:
    """The texts of danger in every other language with a catalogue, which may have only these."""
    others = [language for language in catalogue_languages() if language not in wanted]
    return {
        language: {
            id_: message
            for id_, message in _addressed(language, COMPLAINANT, address).items()
            if id_.startswith(DANGER_IDS)
        }
        for language in others
    }


@cache
def _addressed(language: str, domain: str, address: str) -> Mapping[str, CatalogueMessage]:
    texts = shipped(language, domain)
    return overlay(texts, shipped(language, INFORMAL), "informal.po") if address == INFORMAL else texts


def _own(own: Mapping[str, Mapping[str, str]] | None, language: str) -> dict[str, CatalogueMessage]:
    """The organisation's own names in a language; a name missing there is shown in its first language."""
    return {
        id_: CatalogueMessage((names.get(language) or next(iter(names.values())),))
        for id_, names in (own or {}).items()
        if names
    }


def shipped_languages() -> list[str]:
    """The languages that a desk can speak without texts of its own; others have only the texts of danger."""
    reference = set(shipped("en", COMPLAINANT))
    return [name for name in catalogue_languages() if reference <= set(shipped(name, COMPLAINANT))]


@cache
def catalogue_languages() -> tuple[str, ...]:
    """The languages with a catalogue for complainants, those with only the texts of danger included."""
    folders = files("bots.texts").iterdir()
    return tuple(sorted(folder.name for folder in folders if folder.joinpath(f"{COMPLAINANT}.po").is_file()))


@cache
def shipped(language: str, domain: str) -> Mapping[str, CatalogueMessage]:
    """The catalogue shipped with Amends; empty for a language without one."""
    file = files("bots.texts").joinpath(language, f"{domain}.po")
    if not file.is_file():
        return {}
    return parse_catalogue(file.read_bytes(), language, f"{domain}.po ({language})")


def _language(
    language: str,
    domain: str,
    reference: Mapping[str, CatalogueMessage],
    folder: Path | None,
    address: str,
) -> Mapping[str, CatalogueMessage]:
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError) as error:
        raise TextsError(f'"{language}" is not a language; write two letters such as "en".') from error
    shipped_texts = _addressed(language, domain, address)
    if not set(reference) <= set(shipped_texts):
        # Only the texts of danger: not a language that a desk can speak.
        shipped_texts = {}
    file = folder / f"{language}.po" if folder is not None else None
    if file is None or not file.is_file():
        if not shipped_texts:
            raise TextsError(f'There are no texts in "{language}": add {language}.po with every text.')
        return shipped_texts
    overrides = read_file(file, language)
    unknown = sorted(set(overrides).difference(*(shipped("en", name) for name in DOMAINS)))
    if unknown:
        raise TextsError(f'{file}: no text has the id "{unknown[0]}"; see the catalogues of Amends')
    if shipped_texts:
        return overlay(shipped_texts, overrides, str(file))
    missing = sorted(set(reference) - set(overrides))
    if missing:
        raise TextsError(f'{file}: the text "{missing[0]}" is missing ({len(missing)} in all)')
    return {id_: overrides[id_] for id_ in reference}


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
