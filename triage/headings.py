"""Which column is which: as it was asked for, else by the names that such columns usually have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from triage.errors import UnknownColumn
from triage.folding import fold


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns. None: found by its usual names, and left out where there is none such."""

    text: str | None = None
    category: str | None = None
    severity: str | None = None
    language: str | None = None
    at: str | None = None


#: Usual names, folded (lower case, no accents, one blank between words), the likelier first.
USUAL: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text", "complaint text", "complaint", "narrative", "consumer complaint narrative", "description",
        "complaint description", "message", "body", "story", "details", "comment", "content", "words",
        "beschreibung", "beschwerde", "beschwerdetext", "nachricht", "inhalt", "sachverhalt",
        "aciklama", "sikayet", "sikayet metni", "metin", "mesaj", "icerik", "konu metni",
        "texte", "reclamation", "plainte", "message client", "texto", "queja", "descripcion",
    ),
    "category": (
        "category", "label category", "label", "complaint category", "product", "issue", "topic", "subject area",
        "class", "problem code", "kategorie", "thema", "art", "kategori", "konu", "sinif",
        "categorie", "motif", "categoria", "motivo",
    ),
    "severity": (
        "severity", "label severity", "urgency", "priority", "criticality", "schwere", "schweregrad",
        "dringlichkeit", "prioritat", "onem", "onem derecesi", "aciliyet", "oncelik", "gravite", "urgence",
    ),
    "language": ("language", "lang", "locale", "sprache", "dil", "langue", "idioma"),
    "at": (
        "at", "received at", "received", "date received", "received on", "created at", "created", "date",
        "timestamp", "datum", "eingang", "eingegangen am", "eingangsdatum", "tarih", "gelis tarihi",
        "kayit tarihi", "date de reception", "fecha",
    ),
}  # fmt: skip
_OPTIONS = {name: f"--{name}" for name in USUAL}


@dataclass(frozen=True, slots=True)
class Found:
    """Where each column stands (from 0), its name in the file, and which of them nobody asked for by name."""

    places: Mapping[str, int]
    names: Mapping[str, str]
    guessed: tuple[str, ...]


def find_columns(header: Sequence[str], asked: Columns) -> Found:
    """The columns of a header; raises UnknownColumn where one that is needed is missing or stands twice."""
    folded = [_folded(name) for name in header]
    places: dict[str, int] = {}
    guessed: list[str] = []
    for name in (one.name for one in fields(Columns)):
        wanted = getattr(asked, name)
        place = (
            _asked(header, folded, wanted, name)
            if wanted is not None
            else _usual(header, folded, name, places)
        )
        if place is None:
            continue
        places[name] = place
        if wanted is None:
            guessed.append(name)
    for name in ("text", "category"):
        if name not in places:
            raise UnknownColumn(
                f"The file has no column that is called as the {name} usually is; it has {_listed(header)}. "
                f"Name it with {_OPTIONS[name]}."
            )
    return Found(places, {name: header[place] for name, place in places.items()}, tuple(guessed))


def _folded(name: str) -> str:
    return " ".join(fold(name).text.replace("_", " ").replace("-", " ").split())


def _listed(header: Sequence[str]) -> str:
    return ", ".join(map(repr, header)) or "none at all"


def _asked(header: Sequence[str], folded: Sequence[str], wanted: str, name: str) -> int:
    exact = [place for place, one in enumerate(header) if one == wanted.strip()]
    alike = exact or [place for place, one in enumerate(folded) if one == _folded(wanted)]
    if not alike:
        raise UnknownColumn(
            f"The file has no column {wanted!r}; it has {_listed(header)}. "
            "Name the columns with --text, --category, --severity, --language and --at."
        )
    if len(alike) > 1:
        which = " and ".join(str(place + 1) for place in alike)
        raise UnknownColumn(
            f"The file has {len(alike)} columns {wanted!r} (numbers {which}): rename all but the one that "
            f"is meant, or name another with {_OPTIONS[name]}."
        )
    return alike[0]


def _usual(header: Sequence[str], folded: Sequence[str], name: str, taken: Mapping[str, int]) -> int | None:
    for usual in USUAL[name]:
        alike = [place for place, one in enumerate(folded) if one == usual and place not in taken.values()]
        if len(alike) > 1 and name in ("text", "category"):
            raise UnknownColumn(
                f"The file has {len(alike)} columns {header[alike[0]]!r}: rename all but the one that is "
                f"meant, or name another with {_OPTIONS[name]}."
            )
        if alike:
            return alike[0]
    return None
