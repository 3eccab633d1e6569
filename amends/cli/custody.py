"""`amends db backup`, `restore`, `rotate-key` and `checkpoint`: the record kept safe (8.1)."""

from __future__ import annotations

import json as encoding
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, out
from amends.cli.progress import bar
from amends.keys import keyring
from amends.retention import again, journal
from amends.settings import SettingsError, load
from amends.settings.problems import Problem
from reports.render_markdown import many
from store.backup.backup import back_up, making
from store.backup.restore import restore as restore_into
from store.custody.rotate_keys import list_stale_keys, record_keys_rotated, rotate_keys
from store.proof.checkpoints import checkpoint as store_checkpoint
from store.proof.instance_log import record_instance_event

File = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]


def backup(
    file: File,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Copy the whole record into one file while the desk runs; it restores into SQLite and PostgreSQL."""
    settings = load(config)
    url = settings.secrets.database_url
    with bar("Backing up") as progress:
        made = back_up(url, file, overwrite=force, progress=progress)
    with opened(config) as (_, store):
        store.write(
            record_instance_event, "backup", {"heads": made.heads, "root": made.root, "size": made.size}
        )
    if json:
        as_json(
            {
                "file": str(made.file),
                "size": made.size,
                "revision": made.revision,
                "complaints": made.complaints,
                "events": made.events,
                "heads": made.heads,
                "root": made.root,
            }
        )
        return
    held = f"{many(made.complaints, 'complaint')}, {many(made.events, 'event')}"
    out.print(f"{file}: {many(made.size, 'byte')}, {held}.")
    out.print(f"{many(made.heads, 'head')} under the root {made.root}.")
    out.print(f"Check it: amends db verify --backup {file}")
    out.print(
        "The keys are not in it: keep AMENDS_SECRET_KEY (.env) apart from it, for as long as you keep it; "
        "keep erasures.jsonl with the keys."
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    *,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where the record in the file is not whole.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Bring a backup into an empty database, check it from end to end, erase again what was erased since."""
    settings = load(config)
    keys, url = keyring(settings), settings.secrets.database_url
    with bar("Restoring") as progress:
        done = restore_into(url, file, keys, datetime.now(UTC), accept_unsound=anyway, progress=progress)
    with opened(config) as (_, store):
        erased, left = again(store, journal(settings))
        facts = {"complaints": done.rows["complaints"], "events": done.rows["events"], "erased": len(erased)}
        store.write(record_instance_event, "restore", facts)
    found = done.verification
    if json:
        as_json(
            {
                "rows": dict(done.rows),
                "well": found.first_bad is None,
                "upgraded_from": done.upgraded_from,
                "erased_again": erased,
                "not_erased": left,
            }
        )
        return
    if done.upgraded_from is not None:
        out.print(f"The backup was of an earlier release ({done.upgraded_from}) and was brought to this one.")
    for name, number in done.rows.items():
        if number:
            out.print(f"{number:>10,} {name}")
    out.print(
        "The record is whole." if found.first_bad is None else "The record is NOT whole: amends db verify."
    )
    if erased:
        out.print(f"Erased again, as erasures.jsonl says: {', '.join(erased)}.")
    for ref, why in left.items():
        out.print(f"NOT erased again: {ref}, {why}")
    out.print(
        "What was due before now is done at the next start. Run `amends privacy purge` if files expire."
    )


def rotate_key(*, json: Json = False, config: Config = None) -> None:
    """Move every key to the newest secret of AMENDS_SECRET_KEY; then the older ones may be taken out of it."""
    settings = load(config)
    if len(settings.secrets.keys()) < 2:  # a new one and an old one
        remedy = "put a new key before the present one, separated by a comma, and start the desk anew first"
        raise SettingsError([Problem("AMENDS_SECRET_KEY", ".env", f"holds one key only; {remedy}")])
    with opened(config) as (_, store), bar("Moving keys") as progress:
        total, done = store.read(list_stale_keys), 0
        while moved := store.write(rotate_keys):
            done += moved
            progress(done, max(done, total))
        store.write(record_keys_rotated)
    if json:
        as_json({"moved": done, "left": 0})
        return
    out.print(f"{done} moved; nothing is closed by an older key any more.")
    out.print(
        "Take the older key out of AMENDS_SECRET_KEY and start the desk anew. Keep it, apart, for as long as "
        "you keep backups of its time. Codes given out for binding before today must be given anew."
    )


def checkpoint(file: File, *, config: Config = None) -> None:
    """Write the signed list of all heads; kept outside, it shows a record that was cut or rewritten."""
    with opened(config) as (_, store):
        document = store.write(store_checkpoint)
    with making(file) as part:
        part.write_text(encoding.dumps(document, indent=1) + "\n", encoding="utf-8")
    err.print(f"{len(document['heads'])} heads in {file}. Check: amends db verify --checkpoint {file}")
