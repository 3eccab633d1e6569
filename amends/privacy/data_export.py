"""A person's own data as one ZIP archive: for programs, as a readable page, and with their files (8.1)."""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import segno

from amends.documents.labels import Labels
from amends.privacy.data_page import data_page
from amends.privacy.person_data import complaint_data
from amends.retention import data_protection_authority
from complaints.deadlines.periods import RetentionPeriod
from complaints.times import format_time
from store.cases.export import (
    WholeCase,
    WholePerson,
    export_person,
    list_person_roles,
    read_stored_file,
    record_read,
)
from store.database.errors import (
    DatabaseUnavailable,
    StoreError,
    collecting_damage,
    describe_damage,
    note_damage,
)
from store.database.keyring import place
from store.files import is_program
from store.proof.log import add_receipt, log_signer
from store.store import Store

#: How the record of read complaints names this kind of access.
_READ_KIND = "export"
#: Checks a receipt and a case file in a browser, without a network.
_VERIFY_PAGE = Path(__file__).with_name("verify.html")
_UNSAFE = re.compile(r"[^\w.-]+")


def archive(
    store: Store,
    person: str,
    labels: Labels,
    *,
    requested_by: str = "complainant",
    reason: str | None = None,
    language: str | None = None,
    max_file_bytes: int | None = None,
    include_notes: bool = False,
    retention: Mapping[str, str] | None = None,
    signing_key: bytes | None = None,
) -> bytes:
    """A ZIP with everything on file about one person (people.id).

    It contains `data.json`, `index.html` in `language` (default: the person's), `files/<ref>/<n>-<name>`, and a
    receipt of each complaint, signed with `signing_key`, as `receipts/<ref>.json` and as a QR code (docs/proof.md),
    with the key of the log and the page that checks them.
    `max_file_bytes` is the number of bytes that all files together may have; files that do not fit are named instead.
    With `include_notes` it includes what staff wrote for internal use; check first that it reveals nothing of others.
    Letters are always included. Each complaint records the export with `requested_by` and `reason` (`record_read`).
    `retention` is the retention period by country.

    Raises UnknownRow if there is no such person, and Erased if they were erased.
    """
    store.write(record_read, list(store.read(list_person_roles, person)), requested_by, _READ_KIND, reason)
    with collecting_damage() as damaged:
        whole, now = store.read(export_person, person), store.now()
    data = {"made_at": format_time(now), **_data(whole, notes=include_notes, retention=retention)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        damaged += _pack_files(store, packed, data["complaints"], max_file_bytes)
        _pack_receipts(store, packed, data["complaints"], signing_key)
        # The caller may collect what this export had to leave out.
        data["unreadable"] = [describe_damage(where) for where in damaged if note_damage(where) or True]
        page_labels = labels.in_language(language or _language(whole))
        _write(packed, "data.json", json.dumps(data, ensure_ascii=False, indent=2).encode())
        _write(packed, "index.html", data_page(data, page_labels).encode())
    return out.getvalue()


def receipt_archive(store: Store, ref: str, signing_key: bytes) -> tuple[bytes, bool]:
    """A ZIP with the receipt of one complaint and its QR code, and whether it has the proof already."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        is_proof = _pack_receipt(store, packed, ref, signing_key)
        _pack_check(store, packed, signing_key)
    return out.getvalue(), is_proof


def _language(whole: WholePerson) -> str:
    """The language that the person chose, or that of their latest complaint."""
    latest = (str(case.record["language"]) for case, _ in reversed(whole.cases))
    return whole.language or next(latest, "")


def _data(whole: WholePerson, *, notes: bool, retention: Mapping[str, str] | None) -> dict[str, Any]:
    rules = whole.rules
    return {
        "organisation": rules.organisation,
        "privacy_notice": rules.notice or None,
        "complain_to": data_protection_authority(rules.country),
        "you": {
            "id": whole.id,
            "name": whole.name,
            "language": whole.language,
            "support_needs": whole.needs,
            "known_since": whole.created_at,
            "contact_points": list(whole.contact_points),
        },
        "complaints": [complaint_data(case, whole, parts, notes=notes) for case, parts in whole.cases],
        "kept": [_why_kept(case, retention) for case, _ in whole.cases],
        "other_messages": list(whole.messages),
        "conversations": list(whole.conversations),
    }


def _why_kept(whole: WholeCase, retention: Mapping[str, str] | None) -> dict[str, Any]:
    """Why a complaint is still stored, as a code, and until when, if that is known.

    `retention` has the periods by country that apply now; without it the complaint's own rules apply.
    """
    record, rules = whole.record, whole.rules
    period = rules.retention if retention is None else retention.get(rules.country, "")
    reason: dict[str, Any] = {"ref": record["ref"], "why": "handling", "span": period or None, "until": None}
    if record["erased_at"]:
        return {**reason, "why": "erased", "until": record["erased_at"]}
    if record["legal_hold"]:
        return {**reason, "why": "legal_claim"}
    if record["closed_at"] is None:
        return reason
    if not period:
        return {**reason, "why": "no_end"}
    received, closed = (datetime.fromisoformat(record[name]) for name in ("received_at", "closed_at"))
    until = RetentionPeriod.parse(period).until(received=received, closed=closed, calendar=rules.calendar)
    return {**reason, "why": "accountability", "until": format_time(until)}


def _pack_files(
    store: Store, packed: zipfile.ZipFile, complaints: list[dict[str, Any]], largest: int | None
) -> list[str]:
    """Add the files, and write into each complaint's data where its file is or why it is missing.

    Returns the places of the files that cannot be read.
    """
    bytes_left, damaged = largest, list[str]()
    for complaint in complaints:
        for file in complaint.get("files", ()):
            file["path"] = None
            if file["state"] != "fetched" or complaint["erased_at"]:
                continue
            if bytes_left is not None and (file["size"] or 0) > bytes_left:
                complaint["not_included"].append({"what": "file", "why": "too_large"})
                continue
            try:
                data = store.read(read_stored_file, complaint["ref"], file["seq"])
            except DatabaseUnavailable:
                raise
            except StoreError:
                damaged.append(place("files", f"{complaint['ref']}/{file['seq']}", "data"))
                complaint["not_included"].append({"what": "file", "why": "damaged"})
                continue
            name = _safe_name(file["name"], file["kind"])
            if is_program(file["mime"]):
                # Opened by mistake under the name of a picture, it could run.
                name = f"{name}.bin"
            file["path"] = f"files/{complaint['ref']}/{file['seq']}-{name}"
            _write(packed, file["path"], data)
            bytes_left = None if bytes_left is None else bytes_left - len(data)
    return damaged


def _pack_receipts(
    store: Store, packed: zipfile.ZipFile, complaints: list[dict[str, Any]], signing_key: bytes | None
) -> None:
    for complaint in complaints:
        # The record of a person who is only named in it is not theirs to prove.
        if complaint.get("erased_at") or "state" not in complaint:
            continue
        complaint["receipt"] = f"receipts/{complaint['ref']}.json"
        _pack_receipt(store, packed, complaint["ref"], signing_key)
    _pack_check(store, packed, signing_key)


def _pack_receipt(store: Store, packed: zipfile.ZipFile, ref: str, signing_key: bytes | None) -> bool:
    receipt = store.write(add_receipt, ref, signing_key)
    _write(packed, f"receipts/{ref}.json", json.dumps(receipt, indent=1).encode())
    code = segno.make(receipt["promise"] or receipt["leaf"], error="m", micro=False)
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=4, border=4, xmldecl=False)
    _write(packed, f"receipts/{ref}.svg", picture.getvalue())
    return "proof" in receipt


def _pack_check(store: Store, packed: zipfile.ZipFile, signing_key: bytes | None) -> None:
    """Add the page that checks the receipts, and the key that signed them: who has it today needs no later one."""
    if (signer := store.read(log_signer, signing_key)) is not None:
        _write(packed, "receipts/key.txt", f"{signer.verifier}\n".encode())
    _write(packed, "verify.html", _VERIFY_PAGE.read_bytes())


def _safe_name(name: str | None, kind: str) -> str:
    """A file name that is valid on every system and cannot lead out of its folder."""
    return _UNSAFE.sub("_", name or kind).strip("._")[-80:] or kind


def _write(packed: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date, because data.json already has the time of the export.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, data)
