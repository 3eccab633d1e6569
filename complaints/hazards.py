"""The hazards that people write about: who is called, what is said, and what is never to be done.

The table is `hazards.toml`. Each sentence in it comes from an official page and holds only in the countries whose
page says so. The operator's safety officer signs the sentences of their countries (`amends danger print`); without a
signature only the number is given, and people are paged.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")
_TABLE = tomllib.loads(FILE.read_text(encoding="utf-8"))
#: The day on which the pages were read.
READ_ON: date = _TABLE["read"]
DO, NEVER = "do", "never"


@dataclass(frozen=True)
class Hazard:
    """`kinds` are the kinds of safety signs that mean it (triage/signs).

    `unasked` pages at the first possible sign, without "Is anybody in danger now?". `discreet`: another person may
    read the complainant's screen.
    """

    name: str
    kinds: tuple[str, ...]
    unasked: bool = False
    discreet: bool = False
    #: The acts whose question is answered by "No" in every country.
    no: tuple[str, ...] = ()


@dataclass(frozen=True)
class SafetySentence:
    """One instruction. `acts` are the acts that it forbids; `source` is the official page by country."""

    id: str
    hazard: str
    role: str
    text: Mapping[str, str]
    source: Mapping[str, str]
    acts: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallNumber:
    """The number to call about a hazard in a country, where that is not the general emergency number."""

    hazard: str
    country: str
    number: str
    source: str
    #: In addition to the general number: who answers, by language.
    second: bool = False
    name: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TextNumber:
    """How a deaf person, or one who cannot speak, reaches help; `hazard` "" is the general way of the country."""

    hazard: str
    country: str
    text: Mapping[str, str]
    source: str


#: The deadliest first: where two hazards fire, the first speaks (the reasons are in the table).
HAZARDS: tuple[Hazard, ...] = tuple(
    Hazard(**{**row, "kinds": tuple(row["kinds"]), "no": tuple(row.get("no", ()))})
    for row in _TABLE["hazard"]
)
SENTENCES: tuple[SafetySentence, ...] = tuple(
    SafetySentence(**{**row, "acts": tuple(row.get("acts", ()))}) for row in _TABLE["sentence"]
)
NUMBERS: tuple[CallNumber, ...] = tuple(CallNumber(**row) for row in _TABLE["number"])
TEXT_NUMBERS: tuple[TextNumber, ...] = tuple(TextNumber(**row) for row in _TABLE["text_number"])
HAZARD_OF_KIND: Mapping[str, Hazard] = {
    kind: hazard for hazard in HAZARDS for kind in (hazard.name, *hazard.kinds)
}
#: The kinds of signs with which nothing is written unprompted.
DISCREET: frozenset[str] = frozenset(kind for hazard in HAZARDS if hazard.discreet for kind in hazard.kinds)


def deadliest_first(names: Iterable[str]) -> list[Hazard]:
    """The hazards with these names; the first speaks."""
    wanted = set(names)
    return [hazard for hazard in HAZARDS if hazard.name in wanted]


def call_number(hazard: str, country: str, *, second: bool = False) -> CallNumber | None:
    """The special number for a hazard in a country, or the one in addition to it; None without one."""
    wanted = (hazard, country, second)
    return next((row for row in NUMBERS if (row.hazard, row.country, row.second) == wanted), None)


def text_number(hazard: str, country: str, language: str) -> str | None:
    """How a person who cannot speak reaches help about this hazard, or in general."""
    rows = {row.hazard: row for row in TEXT_NUMBERS if row.country == country}
    row = rows.get(hazard) or rows.get("")
    return row.text.get(language) if row is not None else None


def sentences(hazard: str, country: str, role: str) -> tuple[SafetySentence, ...]:
    """What an official page of this country says about a hazard, in the order of the table."""
    return tuple(
        row for row in SENTENCES if row.hazard == hazard and row.role == role and country in row.source
    )


@cache
def table_hash(countries: frozenset[str]) -> str:
    """SHA-256 of all that is said in these countries, in every language: what a safety officer signs."""
    contents = [
        *(f"{row.id}|{row.role}|{row.acts}|{sorted(row.text.items())}|{sorted(countries & row.source.keys())}"
          for row in SENTENCES if countries & row.source.keys()),
        *(f"{row.hazard}|{row.country}|{row.number}" for row in NUMBERS if row.country in countries),
        *(f"{row.hazard}|{row.country}|{sorted(row.text.items())}"
          for row in TEXT_NUMBERS if row.country in countries),
        *(f"{hazard.name}|{hazard.no}" for hazard in HAZARDS),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()
