"""How long closed complaints are kept (8.1), and the list of erasures to repeat in a restored backup.

The list is kept next to amends.toml, because a backup contains nothing that happened after it was made. It holds
references and times, never a name or a text.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from amends.settings import Settings, rulebook
from complaints.errors import ComplaintError, UnknownReference
from complaints.times import format_time
from store.custody.erasure import RESTORED, erase, erase_complainant, list_erasures, list_unerased
from store.database.errors import StoreError
from store.store import Store

#: Where complainants can complain about the handling of their personal data, by country.
DATA_PROTECTION_AUTHORITIES: Mapping[str, str] = {
    "GB": "Information Commissioner's Office, ico.org.uk",
    "IE": "Data Protection Commission, dataprotection.ie",
    "AU": "Office of the Australian Information Commissioner, oaic.gov.au",
    "TR": "Kişisel Verileri Koruma Kurumu, kvkk.gov.tr",
}
_FILE_NAME = "erasures.jsonl"


def retention_periods(settings: Settings) -> dict[str, str]:
    """The retention period by country, as the settings have it now. A country without one keeps everything."""
    periods = {}
    for code in (None, *settings.jurisdiction):
        rules = rulebook(settings, code)
        if rules.retention:
            periods[rules.country] = rules.retention
    return periods


def data_protection_authority(country: str) -> str:
    return DATA_PROTECTION_AUTHORITIES.get(country, f"the data protection authority of {country}")


def erasures_file(settings: Settings) -> Path:
    return settings.file.parent / _FILE_NAME


def require_writable(file: Path) -> None:
    """Raise StoreError if the list cannot be written: a restored backup would undo an erasure that is not in it."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as wrong:
        reason = os.strerror(wrong.errno or 0)
        raise StoreError(
            f"{file} cannot be written ({reason}), so a restored backup could not erase again: "
            "give this account the right to write it. Nothing was erased."
        ) from wrong


def list_new_erasures(store: Store, file: Path) -> None:
    """Add to the list every erasure of this record that is not in it, also one of a process that then died."""
    listed = {(kind, line[kind]) for line in _lines(file) for kind in ("ref", "person") if kind in line}
    _append(
        file,
        [
            {kind: number, "erased_at": format_time(at)}
            for kind, number, at in store.read(list_erasures)
            if (kind, number) not in listed
        ],
    )


def _append(file: Path, entries: Iterable[Mapping[str, str]]) -> None:
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    if not lines:
        return
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, lines.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def read_erasures(file: Path) -> list[str]:
    """The references in the list, without duplicates; empty if there is no list."""
    return list(dict.fromkeys(str(line["ref"]) for line in _lines(file) if "ref" in line))


def erase_again(store: Store, file: Path) -> tuple[list[str], dict[str, str]]:
    """Erase all complaints and people of the list that this database still has.

    Returns the erased references, and the reason for each that could not be erased.
    """
    erased, reasons = list[str](), dict[str, str]()
    for ref in store.read(list_unerased, read_erasures(file)):
        try:
            store.write(erase, ref, RESTORED)
        except ComplaintError as refused:
            reasons[ref] = str(refused)
        else:
            erased.append(ref)
    for line in _lines(file):
        # Of a person who is not in this backup nothing is left to erase.
        with suppress(UnknownReference):
            if "person" in line:
                store.write(erase_complainant, line["person"], RESTORED, RESTORED)
    return erased, reasons
