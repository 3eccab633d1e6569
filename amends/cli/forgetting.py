"""`amends privacy erase` and `purge`: what may be forgotten is, what is kept is answered for (8.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, local, out, table
from amends.cli.progress import bar
from amends.retention import authority, journal, remember, require_writable, retention
from amends.settings import Settings
from complaints.timestamps import format_time
from store.custody.retention import Expired, erase_complainant, find_person, list_expired
from store.custody.retention import erase as store_erase

_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,60}")

#: Why a complaint is kept, and until when.
HELD = {
    "open": ("it is still being handled", "until it is closed"),
    "legal_hold": ("a claim or the law needs it (legal hold)", "until the hold is released"),
    "external": ("an outside body is at work on it", "until that body has concluded"),
}

_OTHER_COPIES = (
    "Not reached from here: exports and reports that you made yourselves, and backups. A backup that is restored "
    "erases again by itself what erasures.jsonl names."
)


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise typer.BadParameter(
            "write a code or the number of the request, as request or DSR-2026-11: it stays on the record, so "
            "neither blanks nor names"
        )
    return text


def erase(
    *,
    complainant: Annotated[str, typer.Option(help="A reference of theirs, or the person's id.")],
    reason: Annotated[
        str, typer.Option(callback=_code, help="A code that stays on the record: request, DSR-2026-11.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Erase a person and all their complaints: words, files, names. Figures and the chain stay."""
    with opened(config) as (settings, store):
        person = store.read(find_person, complainant)
        if not yes and not json and err.is_terminal:
            typer.confirm(f"Everything that {person} said to us is destroyed for good. Go on?", abort=True)
        require_writable(journal(settings))
        done = store.write(erase_complainant, person, reason)
        remember(journal(settings), done.erased, format_time(store.now()))
        if json:
            kept = [{"ref": ref, "why": code, "until": HELD[code][1]} for ref, code in done.kept.items()]
            as_json(
                {
                    "complainant": done.person,
                    "erased": list(done.erased),
                    "kept": kept,
                    "person_erased": done.person_erased,
                    "authority": authority(settings.organisation.country),
                }
            )
        else:
            _told(settings, done.erased, done.kept, done.person_erased)
    if done.kept or not done.person_erased:
        raise typer.Exit(NOT_WELL)


def _told(settings: Settings, erased: Sequence[str], kept: Mapping[str, str], person_erased: bool) -> None:
    for ref in erased:
        out.print(f"erased  {ref}")
    for ref, code in kept.items():
        why, until = HELD[code]
        out.print(f"kept    {ref}: {why}; {until}.")
    if person_erased:
        out.print("The person's name and contacts are erased.")
    elif not kept:
        out.print("The person's name is kept: they have a part in the complaint of somebody else.")
    if kept:
        where = authority(settings.organisation.country)
        out.print("Tell the person what is kept, why and until when, and that they may complain to")
        out.print(f"{where}. Then erase again.")
    err.print(_OTHER_COPIES)


def purge(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    r"""Erase what was kept longer than `\[privacy] retention` says, counted from closing."""
    with opened(config) as (settings, store):
        spans = retention(settings)
        if not spans:
            err.print("Everything is kept: [privacy] retention is not set.")
        found = store.read(list_expired, spans, limit=1_000_000) if spans else []
        going = [one for one in found if one.held is None]
        if not dry_run:
            with bar("Purging") as progress:
                for number, one in enumerate(going, start=1):
                    store.write(store_erase, one.ref, "retention")
                    progress(number, len(going))
        if json:
            as_json(
                {
                    "dry_run": dry_run,
                    "purged": [_row(one) for one in going],
                    "held": [_row(one) for one in found if one.held],
                }
            )
            return
        zone = ZoneInfo(settings.organisation.timezone)
        table(
            "Would be purged" if dry_run else "Purged",
            ("reference", "closed", "kept until", ""),
            [
                (
                    one.ref,
                    local(format_time(one.closed_at), zone),
                    local(format_time(one.due), zone),
                    f"stays: {HELD[one.held][0]}" if one.held else "",
                )
                for one in found
            ],
        )
        out.print(f"{len(going)} {'would go' if dry_run else 'gone'}, {len(found) - len(going)} held back.")


def _row(one: Expired) -> dict[str, str | None]:
    return {
        "ref": one.ref,
        "closed_at": format_time(one.closed_at),
        "purge_due": format_time(one.due),
        "why": one.held,
    }
