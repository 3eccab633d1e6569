"""A person's own data as one archive: for programs, to read, and their files (8.1: requests are on the record)."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from amends.documents.labels import Labels
from amends.privacy.concerning import concerning
from amends.privacy.index import index
from amends.privacy.keeping import kept
from amends.retention import authority
from complaints.doing import stamp
from store.exporting import WholePerson
from store.open import Store

#: What `reads` calls it.
WHAT = "export"
_SAFE = re.compile(r"[^\w.-]+")


def archive(
    store: Store,
    person: str,
    labels: Labels,
    *,
    by: str = "complainant",
    language: str | None = None,
    largest: int | None = None,
    notes: bool = False,
    retention: Mapping[str, str] | None = None,
) -> bytes:
    """A ZIP of everything on file about one person (people.id), who asked for it or for whom it was asked.

    `data.json`, `index.html` in `language` (else the person's), `files/<ref>/<n>-<name>`. `largest` is how
    many bytes its files may have together: what would go beyond is left out and named. `notes`: with what
    staff wrote for themselves, once somebody has checked that it tells nothing of others; letters are always
    in it. `by` is `complainant` or `operator`: each complaint notes that it was given out. Raises UnknownRow
    where there is no such person, Erased where they were erased.
    """
    store.note_read(list(store.roles_of(person)), by, WHAT)
    whole, now = store.export_person(person), store.now()
    data = {"made_at": stamp(now), **_data(whole, notes=notes, retention=retention)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        _pack_files(store, packed, data["complaints"], largest)
        spoken = labels.in_language(language or _language(whole))
        _write(packed, "data.json", json.dumps(data, ensure_ascii=False, indent=2).encode())
        _write(packed, "index.html", index(data, spoken).encode())
    return out.getvalue()


def _language(whole: WholePerson) -> str:
    """The language that the person chose, else the one in which they complained last."""
    return whole.language or next((str(one.record["language"]) for one, _ in reversed(whole.cases)), "")


def _data(whole: WholePerson, *, notes: bool, retention: Mapping[str, str] | None) -> dict[str, Any]:
    rules = whole.rules
    return {
        "organisation": rules.organisation,
        "privacy_notice": rules.notice or None,
        "complain_to": authority(rules.country),
        "you": {
            "id": whole.id,
            "name": whole.name,
            "language": whole.language,
            "support_needs": whole.needs,
            "known_since": whole.created_at,
            "contact_points": list(whole.contact_points),
        },
        "complaints": [concerning(one, whole, parts, notes=notes) for one, parts in whole.cases],
        "kept": [kept(one, retention) for one, _ in whole.cases],
        "other_messages": list(whole.messages),
    }


def _pack_files(
    store: Store, packed: zipfile.ZipFile, complaints: list[dict[str, Any]], largest: int | None
) -> None:
    """Their files, one by one; each entry is told where it lies, or why it does not."""
    left = largest
    for one in complaints:
        for file in one.get("files", ()):
            file["path"] = None
            if file["state"] != "fetched" or one["erased_at"]:
                continue
            if left is not None and (file["size"] or 0) > left:
                one["not_included"].append({"what": "file", "why": "too_large"})
                continue
            data = store.stored_file(one["ref"], file["seq"])
            file["path"] = f"files/{one['ref']}/{file['seq']}-{_safe(file['name'], file['kind'])}"
            _write(packed, file["path"], data)
            left = None if left is None else left - len(data)


def _safe(name: str | None, kind: str) -> str:
    """A name that is a name on every machine and leads nowhere else."""
    return _SAFE.sub("_", name or kind).strip("._")[-80:] or kind


def _write(packed: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date: the archive tells when it was made in data.json, once.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, data)
