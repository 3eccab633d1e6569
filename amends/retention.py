"""How long a closed complaint is kept, by country, and whom to complain to about data (8.1).

Which complaints were erased, kept beside amends.toml: a backup restored later must forget them again.

A backup knows nothing of what happened after it. References and moments stand here, never a name or a word.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from amends.settings import Settings, rulebook
from complaints.errors import ComplaintError
from store.custody.retention import erase, list_unerased
from store.database.errors import StoreError
from store.store import Store

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


NAME = "erasures.jsonl"


def journal(settings: Settings) -> Path:
    """Where the list stands."""
    return settings.file.parent / NAME


def require_writable(file: Path) -> None:
    """StoreError where the list cannot be kept: an erasure that a backup would undo is not begun."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as wrong:
        said = os.strerror(wrong.errno or 0)
        raise StoreError(
            f"{file} cannot be written ({said}), and a restored backup could not forget again: "
            "give the right to write it. Nothing was erased."
        ) from wrong


def remember(file: Path, refs: Iterable[str], at: str) -> None:
    """Add these to the list, on the disk before anything else is said."""
    lines = "".join(json.dumps({"ref": ref, "erased_at": at}) + "\n" for ref in refs)
    if not lines:
        return
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(number, lines.encode())
        os.fsync(number)
    finally:
        os.close(number)


def listed(file: Path) -> list[str]:
    """References in the list, each once; none where there is no list."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(str(json.loads(line)["ref"]) for line in lines if line.strip()))


def again(store: Store, file: Path) -> tuple[list[str], dict[str, str]]:
    """Erase in this database what the list names and it still holds; also what it could not, with why."""
    erased, left = [], {}
    for ref in store.read(list_unerased, listed(file)):
        try:
            store.write(erase, ref, "restored")
        except ComplaintError as refused:
            left[ref] = str(refused)
        else:
            erased.append(ref)
    return erased, left
