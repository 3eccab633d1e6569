"""`amends privacy`: give a person their data, erase it, and purge what was kept long enough (8.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from amends.cli.options import NOT_WELL, Config, Json, Output, Purpose, Reason, open_record, operator
from amends.cli.output import (
    check_output,
    err,
    local_time,
    out,
    print_damage,
    print_json,
    print_table,
    progress_bar,
    write_file,
)
from complaints.times import format_time

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.custody.retention import Expired

#: Why a complaint is kept, and until when, by the code of the reason.
KEPT = {
    "open": ("it is still being handled", "until it is closed"),
    "legal_hold": ("a claim or the law needs it (legal hold)", "until the hold is released"),
    "damaged": ("its events cannot be read", "until it is restored from a backup (`amends db verify`)"),
    "external": ("an outside body is at work on it", "until that body has concluded"),
}

_OTHER_COPIES = (
    "Not reached from here: exports and reports that you made yourselves, and backups. A backup that is restored "
    "erases automatically what erasures.jsonl names."
)
_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,60}")

Complainant = Annotated[str, typer.Option(help="A reference of theirs, or the person's id.")]


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise typer.BadParameter(
            "write a code or the number of the request, as request or DSR-2026-11: it stays on the record, so "
            "neither blanks nor names"
        )
    return text


def export(
    *,
    complainant: Complainant,
    output: Output,
    language: Annotated[str | None, typer.Option(help="Of the index; else the person's own.")] = None,
    notes: Annotated[
        bool,
        typer.Option(help="With what staff wrote for themselves: look it through for other people's data."),
    ] = True,
    reason: Reason = Purpose.REQUEST,
    config: Config = None,
) -> None:
    """Everything on file about a person, as a ZIP to hand over; that it was made stays on the record."""
    from amends.documents.labels import load_labels
    from amends.privacy.data_export import archive
    from amends.retention import retention_periods
    from store.custody.retention import find_person
    from store.database.damage import collecting_damage

    check_output(output)
    with open_record(config) as (settings, store):
        zone = settings.organisation.timezone
        labels = load_labels(settings.languages, zone, settings.texts_folder, own=settings.own_names)
        with collecting_damage() as damaged:
            data = archive(
                store,
                store.read(find_person, complainant),
                labels,
                requested_by=operator(),
                reason=reason.value,
                language=language,
                include_notes=notes,
                retention=retention_periods(settings),
            )
    write_file(output, data)
    print_damage(damaged)


def erase(
    *,
    complainant: Complainant,
    reason: Annotated[
        str, typer.Option(callback=_code, help="A code that stays on the record: request, DSR-2026-11.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Erase a person and all their complaints: words, files, names. Figures and the chain stay."""
    from amends.retention import data_protection_authority, erasures_file, record_erasures, require_writable
    from store.custody.retention import erase_complainant, find_person

    with open_record(config) as (settings, store):
        person = store.read(find_person, complainant)
        if not yes and not json and err.is_terminal:
            typer.confirm(
                f"Everything that {person} wrote to us is destroyed for good. Continue?", abort=True
            )
        require_writable(erasures_file(settings))
        result = store.write(erase_complainant, person, reason)
        record_erasures(erasures_file(settings), result.erased, format_time(store.now()))
    if json:
        kept = [{"ref": ref, "why": code, "until": KEPT[code][1]} for ref, code in result.kept.items()]
        print_json(
            {
                "complainant": result.person,
                "erased": list(result.erased),
                "kept": kept,
                "person_erased": result.person_erased,
                "authority": data_protection_authority(settings.organisation.country),
            }
        )
    else:
        _print_erasure(settings, result.erased, result.kept, person_erased=result.person_erased)
    if result.kept or not result.person_erased:
        raise typer.Exit(NOT_WELL)


def _print_erasure(
    settings: Settings, erased: Sequence[str], kept: Mapping[str, str], *, person_erased: bool
) -> None:
    from amends.retention import data_protection_authority

    for ref in erased:
        out.print(f"erased  {ref}")
    for ref, code in kept.items():
        reason, until = KEPT[code]
        out.print(f"kept    {ref}: {reason}; {until}.")
    if person_erased:
        out.print("The person's name and contacts are erased.")
    elif not kept:
        out.print("The person's name is kept: they have a part in another person's complaint.")
    if kept:
        out.print("Tell the person what is kept, why and until when, and that they may complain to")
        out.print(f"{data_protection_authority(settings.organisation.country)}. Then erase again.")
    err.print(_OTHER_COPIES)


def purge(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    r"""Erase what was kept longer than `\[privacy] retention` says, counted from closing."""
    from amends.retention import retention_periods
    from store.custody.retention import erase as erase_complaint
    from store.custody.retention import list_expired
    from store.database.errors import DamagedCase

    with open_record(config) as (settings, store):
        spans = retention_periods(settings)
        if not spans:
            err.print("Everything is kept: [privacy] retention is not set.")
        expired = store.read(list_expired, spans, limit=1_000_000) if spans else []
        purged = [complaint for complaint in expired if complaint.kept_because is None]
        damaged = set[str]()
        if not dry_run:
            with progress_bar("Purging") as progress:
                for number, complaint in enumerate(purged, start=1):
                    try:
                        store.write(erase_complaint, complaint.ref, "retention")
                    except DamagedCase:
                        damaged.add(complaint.ref)
                    progress(number, len(purged))
                expired = [
                    replace(complaint, kept_because="damaged") if complaint.ref in damaged else complaint
                    for complaint in expired
                ]
                purged = [complaint for complaint in expired if complaint.kept_because is None]
    if json:
        held_back = [complaint for complaint in expired if complaint.kept_because]
        print_json(
            {
                "dry_run": dry_run,
                "purged": [_as_json(complaint) for complaint in purged],
                "held": [_as_json(complaint) for complaint in held_back],
            }
        )
        return
    zone = ZoneInfo(settings.organisation.timezone)
    print_table(
        "Would be purged" if dry_run else "Purged",
        ("reference", "closed", "kept until", ""),
        [
            (
                complaint.ref,
                local_time(format_time(complaint.closed_at), zone),
                local_time(format_time(complaint.due), zone),
                f"stays: {KEPT[complaint.kept_because][0]}" if complaint.kept_because else "",
            )
            for complaint in expired
        ],
    )
    result = "would go" if dry_run else "gone"
    out.print(f"{len(purged)} {result}, {len(expired) - len(purged)} held back.")


def _as_json(complaint: Expired) -> dict[str, str | None]:
    return {
        "ref": complaint.ref,
        "closed_at": format_time(complaint.closed_at),
        "purge_due": format_time(complaint.due),
        "why": complaint.kept_because,
    }
