"""`amends db`: migrations, the proof that the record is complete, backups and keys (8.1)."""

from __future__ import annotations

import json as json_module
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.options import NOT_WELL, Config, Json, open_record
from amends.cli.output import err, out, print_json, progress_bar
from reports.render_markdown import pluralise

if TYPE_CHECKING:
    from store.values import Verification

NewFile = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]
ExistingFile = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)]


def upgrade(*, config: Config = None) -> None:
    """Bring the tables to this release; repeating it changes nothing."""
    from amends.settings import load
    from store.database.migrate import upgrade as upgrade_database

    settings = load(config)
    upgrade_database(settings.secrets.database_url)
    err.print("The database is at this release.")


def verify(
    *,
    backup: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Check this backup instead.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Check against this list kept outside too."),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check every event's place in its chain, commitment and projection, open every sealed value; name the damage."""
    from amends.settings import load
    from store.backup.restore import verify_file
    from store.custody.verify import verify as verify_record
    from store.database.keyring import Keyring

    heads = None if checkpoint is None else _read_checkpoint(checkpoint)
    if backup is not None:
        verification = verify_file(backup, Keyring(load(config).secrets.keys()), datetime.now(UTC), heads)
    else:
        with open_record(config) as (_, store):
            verification = store.read(verify_record, heads)
    _print_verification(verification, json=json)
    if verification.first_bad is not None:
        raise typer.Exit(NOT_WELL)


def _read_checkpoint(file: Path) -> dict[str, Any]:
    """A list of heads that `amends db checkpoint` wrote; raises StoreError for any other file."""
    from store.database.errors import StoreError

    try:
        document = json_module.loads(file.read_text(encoding="utf-8"))
        if {"version", "at", "root", "heads", "public_key", "signature"} <= set(document):
            return dict(document)
    except (ValueError, TypeError, OSError) as error:
        raise StoreError(f"{file} is no checkpoint ({type(error).__name__}): look at its name.") from error
    raise StoreError(f"{file} is no checkpoint: give a file that `amends db checkpoint` wrote.")


def _print_verification(verification: Verification, *, json: bool) -> None:
    bad = verification.first_bad
    if json:
        print_json(
            {
                "well": bad is None,
                "cases": verification.cases,
                "entries": verification.entries,
                "first_bad": None if bad is None else {"ref": bad[0], "seq": bad[1], "why": bad[2]},
                "problems": [{"ref": ref, "seq": seq, "why": why} for ref, seq, why in verification.problems],
                "unsealed_tail": verification.unsealed_tail,
                "erased": verification.erased,
            }
        )
        return
    counts = f"{pluralise(verification.cases, 'complaint')}, {pluralise(verification.entries, 'event')}"
    out.print(f"{counts}, {verification.erased} erased.")
    out.print(f"Newer than the last checkpoint: {pluralise(verification.unsealed_tail, 'event')}.")
    if bad is None:
        out.print("The record is whole.")
    for ref, seq, problem in verification.problems:
        out.print(f"Not whole: {ref}{f', event {seq}' if seq else ''}: {problem}")
    if bad is not None:
        out.print(
            "Restore what is damaged from a backup (docs/custody.md, Damage); all other rows can be used."
        )


def backup(
    file: NewFile,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Copy the whole record into one file while the desk runs; it restores into SQLite and PostgreSQL."""
    from amends.settings import load
    from store.backup.backup import back_up
    from store.proof.hash_chain import record_instance_event

    settings = load(config)
    with progress_bar("Backing up") as progress:
        copy = back_up(settings.secrets.database_url, file, overwrite=force, progress=progress)
    with open_record(config) as (_, store):
        facts = {"heads": copy.heads, "root": copy.root, "size": copy.size}
        store.write(record_instance_event, "backup", facts)
    if json:
        print_json(
            {
                "file": str(copy.file),
                "size": copy.size,
                "revision": copy.revision,
                "complaints": copy.complaints,
                "events": copy.events,
                "heads": copy.heads,
                "root": copy.root,
            }
        )
        return
    counts = f"{pluralise(copy.complaints, 'complaint')}, {pluralise(copy.events, 'event')}"
    out.print(f"{file}: {pluralise(copy.size, 'byte')}, {counts}.")
    out.print(f"{pluralise(copy.heads, 'head')} under the root {copy.root}.")
    out.print(f"Check it: amends db verify --backup {file}")
    out.print(
        "The keys are not in it: keep AMENDS_SECRET_KEY (.env) apart from it, for as long as you keep it; "
        "keep erasures.jsonl with the keys."
    )


def restore(
    file: ExistingFile,
    *,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where the record in the file is not whole.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Bring a backup into an empty database, check it from end to end, erase again what was erased since."""
    from amends.retention import erase_again, erasures_file
    from amends.settings import load
    from store.backup.restore import restore as restore_into
    from store.database.keyring import Keyring
    from store.proof.hash_chain import record_instance_event

    settings = load(config)
    keys, url = Keyring(settings.secrets.keys()), settings.secrets.database_url
    with progress_bar("Restoring") as progress:
        restored = restore_into(url, file, keys, datetime.now(UTC), accept_unsound=anyway, progress=progress)
    with open_record(config) as (_, store):
        erased, not_erased = erase_again(store, erasures_file(settings))
        rows = {name: restored.rows[name] for name in ("complaints", "events")}
        store.write(record_instance_event, "restore", {**rows, "erased": len(erased)})
    well = restored.verification.first_bad is None
    if json:
        print_json(
            {
                "rows": dict(restored.rows),
                "well": well,
                "upgraded_from": restored.upgraded_from,
                "erased_again": erased,
                "not_erased": not_erased,
            }
        )
        return
    if restored.upgraded_from is not None:
        out.print(
            f"The backup was of an earlier release ({restored.upgraded_from}) and was upgraded to this one."
        )
    for table, count in restored.rows.items():
        if count:
            out.print(f"{count:>10,} {table}")
    out.print("The record is whole." if well else "The record is NOT whole: amends db verify.")
    if erased:
        out.print(f"Erased again, as erasures.jsonl says: {', '.join(erased)}.")
    for ref, reason in not_erased.items():
        out.print(f"NOT erased again: {ref}, {reason}")
    out.print(
        "What was due before now is done at the next start. Run `amends privacy purge` if files expire."
    )


def checkpoint(file: NewFile, *, config: Config = None) -> None:
    """Write the signed list of all heads; kept outside, it shows a record that was cut or rewritten."""
    from store.backup.backup import write_atomically
    from store.proof.checkpoints import checkpoint as sign_checkpoint

    with open_record(config) as (_, store):
        document = store.write(sign_checkpoint)
    with write_atomically(file) as part:
        part.write_text(json_module.dumps(document, indent=1) + "\n", encoding="utf-8")
    err.print(f"{len(document['heads'])} heads in {file}. Check: amends db verify --checkpoint {file}")


def rotate_key(*, json: Json = False, config: Config = None) -> None:
    """Move every key to the newest secret of AMENDS_SECRET_KEY; then the older ones may be taken out of it."""
    from amends.settings import SettingsError, load
    from amends.settings.problems import Problem
    from store.custody.key_check import record_key_use
    from store.custody.rotate_keys import list_stale_keys, record_keys_rotated, rotate_keys
    from store.database.damage import DAMAGE_REMEDY

    settings = load(config)
    if len(settings.secrets.keys()) < 2:  # the new key and an old one
        remedy = "put a new key before the present one, separated by a comma, and restart the desk first"
        raise SettingsError([Problem("AMENDS_SECRET_KEY", ".env", f"holds one key only; {remedy}")])
    with open_record(config) as (_, store), progress_bar("Moving keys") as progress:
        store.write(record_key_use)
        total, done, damaged = store.read(list_stale_keys), 0, set[str]()
        while moved := store.write(rotate_keys, damaged=damaged):
            done += moved
            progress(done, max(done, total))
        store.write(record_keys_rotated)
    if json:
        print_json({"moved": done, "left": len(damaged)})
    elif damaged:
        out.print(f"{done} moved; {len(damaged)} cannot be opened with any key. {DAMAGE_REMEDY}")
    if damaged:
        raise typer.Exit(NOT_WELL)
    if json:
        return
    out.print(f"{done} moved; nothing is encrypted with an older key any more.")
    out.print(
        "Take the older key out of AMENDS_SECRET_KEY and restart the desk. Keep it, apart, for as long as you "
        "keep backups from its time. Give new codes to those who have an unused code for binding a chat."
    )
