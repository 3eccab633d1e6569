"""`amends danger`: what the bot says in a danger, for the safety officer who signs it (docs/operations.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from amends.cli.console import out
from amends.cli.options import load_settings
from complaints.hazards import (
    HAZARDS,
    NUMBERS,
    READ_ON,
    SENTENCES,
    TEXT_NUMBERS,
    Hazard,
    table_hash,
)


def print_(language: Annotated[list[str] | None, typer.Option("--language")] = None) -> None:
    from amends.settings.rulebook import hazard_countries

    settings = load_settings()
    countries = hazard_countries(settings)
    languages = [
        code for code in language or settings.languages if any(code in row.text for row in SENTENCES)
    ]
    out.print("\n".join(_page(countries, languages)), soft_wrap=True, markup=False, highlight=False)


def _page(countries: frozenset[str], languages: Sequence[str]) -> Iterator[str]:
    """Every sentence with its source by country, in the order in which the hazards speak."""
    yield "# What the bot says in a danger"
    yield f"\nRead on {READ_ON} in stored copies of the pages named here. Open each page and compare before you sign."
    yield "Where two hazards fire, the one further up speaks; what is never to be done is joined."
    for hazard in HAZARDS:
        yield f"\n## {hazard.name.replace('_', ' ')}\n"
        yield from _hazard_lines(hazard, countries, languages)
    for row in TEXT_NUMBERS:
        if row.country in countries:
            about = row.hazard.replace("_", " ") or "every hazard"
            yield f"\nWho cannot speak or hear, {about}, {row.country} ({row.source}):"
            yield from (f"- {code}: {row.text[code]}" for code in languages)
    yield "\n## The signature, for amends.toml\n"
    yield "    [hazards]"
    yield '    signed_by = "name and office"'
    yield f"    signed_on = {datetime.now(UTC).date()}"
    yield f'    hash = "{table_hash(countries)}"'


def _hazard_lines(hazard: Hazard, countries: frozenset[str], languages: Sequence[str]) -> Iterator[str]:
    for row in NUMBERS:
        if row.hazard == hazard.name and row.country in countries:
            yield f"- {'also call' if row.second else 'call'}, {row.country}: {row.number} ({row.source})"
    if hazard.no:
        yield f'- answered "No": {", ".join(hazard.no)}'
    for sentence in SENTENCES:
        sources = [f"{country} {url}" for country, url in sentence.source.items() if country in countries]
        if sentence.hazard == hazard.name and sources:
            yield f"- {sentence.role}: " + " / ".join(sentence.text[code] for code in languages)
            yield from (f"  - {source}" for source in sources)
