"""How long a closed complaint is kept, by country, and whom to complain to about data (8.1)."""

from __future__ import annotations

from collections.abc import Mapping

from amends.settings import Settings, rulebook

#: Where complainants go who are not content with how their data are treated.
AUTHORITIES: Mapping[str, str] = {
    "GB": "Information Commissioner's Office, ico.org.uk",
    "IE": "Data Protection Commission, dataprotection.ie",
    "AU": "Office of the Australian Information Commissioner, oaic.gov.au",
    "TR": "Kişisel Verileri Koruma Kurumu, kvkk.gov.tr",
}


def retention(settings: Settings) -> dict[str, str]:
    """The span by country, as the settings say it now; a country without one keeps everything."""
    spans = {}
    for code in (None, *settings.jurisdiction):
        rules = rulebook(settings, code)
        if rules.retention:
            spans[rules.country] = rules.retention
    return spans


def authority(country: str) -> str:
    """Whom to complain to about data."""
    return AUTHORITIES.get(country, f"the data protection authority of {country}")
