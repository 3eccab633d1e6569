"""`amends db`: migrations, the proof that the record is complete, backups and keys (8.1)."""

from __future__ import annotations

import json as json_module
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.console import err, out, print_json, progress_bar
from amends.cli.options import NOT_WELL, Json, Yes, confirm, load_settings, open_record, operator
from complaints.times import json_fields
from reports.words import pluralise

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.custody.verify import Outside, Start
    from store.store import Store
    from store.values import Verification

NewFile = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]
ExistingFile = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)]


def upgrade(*, roles: Annotated[str | None, typer.Option(metavar="ROLE")] = None) -> None:
    from store.database.migrate import upgrade as upgrade_database
    from store.database.schema import grant_rights

    url = load_settings().secrets.database_url
    upgrade_database(url)
    err.print("The database is at this release.")
    for role in grant_rights(url, roles):
        err.print(f"{role} may run the desk. It cannot change or delete events, reads and attempts.")


def _short_heads(heads: list[str] | None) -> list[str] | None:
    for head in heads or []:
        if not re.fullmatch(r"[1-9][0-9]{0,17}:[0-9a-f]{16,64}", head):
            raise typer.BadParameter(f"{head!r} is none: copy it as the digest shows it, such as 412:9f…")
    return heads


def verify(
    *,
    full: Annotated[bool, typer.Option("--full")] = False,
    backup: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    checkpoint: Annotated[list[Path] | None, typer.Option(exists=True, dir_okay=False)] = None,
    head: Annotated[list[str] | None, typer.Option(metavar="SIZE:HEAD", callback=_short_heads)] = None,
    offline: Annotated[bool, typer.Option("--offline")] = False,
    json: Json = False,
) -> None:
    """Check every row against the journal, every chain, the log, and what is kept outside; name each damage.

    By default this checks what changed since the last verification. A full run that was stopped continues.
    """
    from amends.log_head import head_file, kept_head
    from store.database.keyring import Keyring
    from store.restore import verify_file

    outside = replace(_read_outside(checkpoint or []), short_heads=tuple(head or []))
    if backup is not None:
        verification = verify_file(
            backup, Keyring(load_settings().secrets.keys()), datetime.now(UTC), outside
        )
        _record_backup_check(verification)
    else:
        with open_record() as (settings, store):
            outside = _add_witnesses(settings, store, outside, ask=not offline)
            outside = replace(outside, head=kept_head(head_file(settings)))
            verification = _verify_in_steps(store, outside, full=full)
    _print_verification(verification, json=json)
    if verification.first_bad is not None:
        raise typer.Exit(NOT_WELL)


def _record_backup_check(verification: Verification) -> None:
    """Record in the desk's own log that a backup was read and checked (8.1); without that record, say so."""
    from store.database.errors import StoreError
    from store.proof.hash_chain import record_instance_event

    facts = {"sound": verification.first_bad is None, "entries": verification.entries}
    try:
        with open_record() as (_, store):
            store.write(record_instance_event, "backup_check", facts)
    except StoreError as error:
        err.print(f"The check is not on the record of this desk: {error}")


def _verify_in_steps(store: Store, outside: Outside, *, full: bool) -> Verification:
    """Verify with a progress bar, and show the rate."""

    started, done = time.monotonic(), 0
    with progress_bar("Verifying") as progress:

        def show(start: Start, number: int) -> None:
            nonlocal done
            done = number
            if number == 0 and start.checked_before:
                earlier = pluralise(start.checked_before, "owner")
                err.print(
                    f"This continues the run of {start.log['at']}, which has checked {earlier} of rows."
                )
            progress(number, len(start.owners))

        verification = verify_in_steps(store, outside, full=full, show=show)
    rate = done / max(time.monotonic() - started, 0.001)
    err.print(f"{pluralise(done, 'owner')} of rows, {rate:,.0f} a second.")
    return verification


def _add_witnesses(settings: Settings, store: Store, outside: Outside, *, ask: bool) -> Outside:
    """Add the keys of the witnesses, and what each of them has cosigned of this log."""
    from amends.checkpoints import ask_witnesses
    from store.proof.log import latest_checkpoint, origin
    from store.proof.notes import parse_verifier

    witnesses = settings.proof.witnesses
    verifiers = tuple(parse_verifier(witness.key, is_witness=True) for witness in witnesses)
    notes: list[str] = []
    if ask and witnesses and store.read(latest_checkpoint) is not None:
        notes, silent = ask_witnesses(witnesses, store.read(origin))
        for name in silent:
            err.print(f"The witness {name} gave no checkpoint of this log: it is not compared with its copy.")
    return replace(outside, notes=(*outside.notes, *notes), witnesses=verifiers)


def _read_outside(files: list[Path]) -> Outside:
    """Signed checkpoints; raises StoreError for a file that is no text."""
    from store.custody.verify import Outside
    from store.database.errors import StoreError

    notes = []
    for file in files:
        try:
            notes.append(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise StoreError(
                f"{file} is no checkpoint ({type(error).__name__}): look at its name."
            ) from error
    return Outside(notes=tuple(notes))


def _print_verification(verification: Verification, *, json: bool) -> None:
    bad = verification.first_bad
    full = verification.verified_at is None
    if json:
        print_json(
            {
                "well": bad is None,
                "full": full,
                "first_bad": None if bad is None else {"ref": bad[0], "seq": bad[1], "why": bad[2]},
                "problems": [damage._asdict() for damage in verification.problems],
                **json_fields(
                    verification,
                    "cases entries unsealed_tail erased skipped_owners skipped_log_entries verified_at",
                ),
                "compared_with": [{"what": what, "size": size} for what, size in verification.compared_with],
            }
        )
        return
    counts = f"{pluralise(verification.cases, 'complaint')}, {pluralise(verification.entries, 'event')}"
    out.print(f"Checked: {counts}, {verification.erased} erased.")
    if not full:
        owners = pluralise(verification.skipped_owners, "owner")
        entries = pluralise(verification.skipped_log_entries, "entry", "entries")
        out.print(
            f"Not read again: {owners} of rows and {entries} of the log, which were verified by "
            f"{verification.verified_at} and have no journal entry since. If somebody changed these in the database, "
            "only `amends db verify --full` finds it."
        )
    out.print(f"Newer than the last checkpoint: {pluralise(verification.unsealed_tail, 'event')}.")
    if bad is None:
        out.print(_describe_comparison(verification))
    for damage in verification.problems:
        event = f", event {damage.seq}" if damage.seq else ""
        row = f" ({damage.table} {damage.row}, {damage.kind})" if damage.table else ""
        out.print(f"Not whole: {damage.ref}{event}: {damage.why}{row}", highlight=False)
    if bad is not None:
        out.print(
            "Restore what is damaged from a backup (docs/custody.md, Damage); all other rows can be used."
        )


def _describe_comparison(verification: Verification) -> str:
    """What a record without damage was compared with: without anything outside, it is only consistent."""
    # Of several checkpoints the newest counts.
    sizes = dict(sorted(verification.compared_with, key=lambda row: row[1]))
    if not sizes:
        return (
            "Consistent; removal of whole complaints cannot be excluded, because there is nothing outside of the "
            "database to compare with: give --checkpoint FILE or name a witness (docs/proof.md)."
        )
    parts = (f"{what} ({pluralise(size, 'entry', 'entries')} of the log)" for what, size in sizes.items())
    return (
        f"No damage was found. Compared with: {', '.join(parts)}. Removal of what is newer than "
        "that cannot be excluded. What this shows and what not: docs/proof.md."
    )


def measure() -> None:
    from store.record.measured import count_coverage

    with open_record() as (_, store), progress_bar("Measuring") as progress:
        coverage = store.read(count_coverage)
        missing, done = coverage.complaints - coverage.measured, 0
        for number in store.measure_missing():
            done += number
            progress(done, missing)
        coverage = store.read(count_coverage)
    rows = f"{coverage.measured:,} of {coverage.complaints:,} have their measures now"
    err.print(f"{pluralise(done, 'complaint')} measured; {rows}.")


def backup(
    file: NewFile,
    *,
    force: Annotated[bool, typer.Option("--force")] = False,
    json: Json = False,
) -> None:
    from store.backup import back_up
    from store.proof.hash_chain import record_instance_event

    settings = load_settings()
    with progress_bar("Backing up") as progress:
        copy = back_up(settings.secrets.database_url, file, overwrite=force, progress=progress)
    with open_record() as (_, store):
        facts = {"heads": copy.heads, "root": copy.root, "size": copy.size}
        store.write(record_instance_event, "backup", facts)
    if json:
        print_json(
            {"file": str(copy.file), **json_fields(copy, "size revision complaints events heads root")}
        )
        return
    counts = f"{pluralise(copy.complaints, 'complaint')}, {pluralise(copy.events, 'event')}"
    out.print(f"{file}: {pluralise(copy.size, 'byte')}, {counts}.")
    head = f" --head {copy.heads}:{copy.root}" if copy.heads else ""
    out.print(f"Check it: amends db verify --backup {file}{head}", soft_wrap=True)
    out.print(
        "The keys are not in it: keep AMENDS_SECRET_KEY (.env) apart from it, for as long as you keep it; "
        "keep erasures.jsonl with the keys."
    )


def restore(
    file: ExistingFile,
    *,
    anyway: Annotated[bool, typer.Option("--anyway")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    from amends.log_head import head_file, kept_head
    from amends.retention import erase_again, erasures_file
    from store.database.keyring import Keyring
    from store.proof.hash_chain import record_instance_event
    from store.proof.log import record_new_start
    from store.restore import restore as restore_into

    settings = load_settings()
    keys, url = Keyring(settings.secrets.keys()), settings.secrets.database_url
    if (kept := kept_head(head_file(settings))) is not None:
        entries = pluralise(kept.checkpoint.size, "entry", "entries")
        err.print(
            f"This desk's log had {entries} at {kept.at}. What the backup lacks of it is lost for good."
        )
        confirm("Begin again with the record of the backup?", "restored", yes=yes)
    with progress_bar("Restoring") as progress:
        restored = restore_into(url, file, keys, datetime.now(UTC), accept_unsound=anyway, progress=progress)
    with open_record() as (_, store):
        erased, not_erased = erase_again(store, erasures_file(settings))
        rows = {name: restored.rows[name] for name in ("complaints", "events")}
        store.write(record_instance_event, "restore", {**rows, "erased": len(erased)})
        # The file follows at the first start: a backup restored for a test must not replace the desk's head.
        store.write(record_new_start, kept, operator())
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
    consistent = "The record is consistent; removal of whole complaints cannot be excluded."
    out.print(consistent if well else "The record is NOT whole: amends db verify.")
    if erased:
        out.print(f"Erased again, as erasures.jsonl says: {', '.join(erased)}.")
    for ref, reason in not_erased.items():
        out.print(f"NOT erased again: {ref}, {reason}")
    out.print(
        "What was due before now is done at the next start. Run `amends privacy purge` if files expire."
    )


def new_start(*, yes: Yes = False) -> None:
    from amends.log_head import OlderDatabase, advance_head, head_file

    with open_record() as (settings, store):
        try:
            advance_head(store, head_file(settings))
        except OlderDatabase as older:
            err.print("\n".join(str(older).split("\n")[:2]))
        else:
            err.print("Nothing to confirm: the database continues what this desk had.")
            return
        confirm("Begin again with this database? What it lacks is lost for good.", "changed", yes=yes)
        advance_head(store, head_file(settings), confirmed_by=operator())
    err.print("This database is the new start of the desk, and the record says so.")


def checkpoint(file: NewFile) -> None:
    from store.backup import write_atomically
    from store.database.errors import StoreError
    from store.proof.log import add_checkpoint, log_signer

    seed = load_settings().secrets.signing_key
    with open_record() as (_, store):
        more = True
        while more:
            saved, more = store.write(add_checkpoint, seed)
        signer = store.read(log_signer, seed)
    if saved is None:
        raise StoreError("There is nothing to cover yet: no message was received and no setting loaded.")
    with write_atomically(file) as part:
        part.write_text(saved.note, encoding="utf-8")
    err.print(f"{saved.size} entries of the log in {file}. Check: amends db verify --checkpoint {file}")
    if signer is not None:
        err.print(f"The key of the log, for witnesses and docs/verify.py: {signer.verifier}", soft_wrap=True)
    else:
        err.print(
            "It is not signed, so `amends db verify` will not trust it: set AMENDS_SIGNING_KEY (`amends init`)."
        )


def prove(
    ref: Annotated[str, typer.Argument(metavar="REF")],
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", dir_okay=False)] = None,
) -> None:
    from amends.cli.options import parse_ref
    from store.backup import write_atomically
    from store.proof.log import prove as prove_complaint

    seed = load_settings().secrets.signing_key
    with open_record() as (_, store):
        document = json_module.dumps(store.read(prove_complaint, parse_ref(ref), seed), indent=1) + "\n"
    if output is None:
        out.print(document, end="", markup=False, highlight=False, soft_wrap=True)
        return
    with write_atomically(output) as part:
        part.write_text(document, encoding="utf-8")


def vacuum() -> None:
    with open_record() as (_, store):
        is_clean = store.remove_remnants(rewrite=True)
    if not is_clean:
        err.print("Another process reads the database, so its log could not be emptied: repeat the command.")
        raise typer.Exit(NOT_WELL)
    err.print("Every table was written again, without what was erased.")


def rotate_key(*, json: Json = False) -> None:
    from amends.cli.privacy import remove_remnants
    from amends.settings import SettingsError
    from amends.settings.problems import Problem
    from store.custody.secret_keys import list_stale_keys, record_key_use, record_keys_rotated, rotate_keys
    from store.database.errors import DAMAGE_REMEDY

    settings = load_settings()
    if len(settings.secrets.keys()) < 2:  # the new key and an old one
        remedy = "put a new key before the present one, separated by a comma, and restart the desk first"
        raise SettingsError([Problem("AMENDS_SECRET_KEY", ".env", f"holds one key only; {remedy}")])
    with open_record() as (_, store), progress_bar("Moving keys") as progress:
        store.write(record_key_use)
        total, done, damaged = store.read(list_stale_keys), 0, set[str]()
        while moved := store.write(rotate_keys, damaged=damaged):
            done += moved
            progress(done, max(done, total))
        store.write(record_keys_rotated)
        remove_remnants(store)
    if json:
        print_json({"moved": done, "left": len(damaged), "damaged": sorted(damaged)})
    elif damaged:
        for row in sorted(damaged):
            out.print(f"Not moved, no key of AMENDS_SECRET_KEY opens it: {row}", highlight=False)
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


def verify_in_steps(
    store: Store, outside: Outside, *, full: bool, show: Callable[[Start, int], None]
) -> Verification:
    """Check the owners in batches, each in a transaction of its own; after each batch the position is kept.

    `show` gets the start and the number of owners that were checked, first 0.
    """
    from store.custody.verify import (
        Part,
        begin_verification,
        conclude,
        end_verification,
        last_verified,
        pages_of,
        save_position,
        verify_owners,
    )
    from store.database.schema import find_differences

    verified = None if full else store.read(last_verified)
    start = store.read(begin_verification, full=verified is None)
    # What was planted would act on these writes, and get the desk's signature.
    may_write = not store.read(lambda tx: list(find_differences(tx.connection)))
    part, done = Part(), 0
    show(start, done)
    for page in pages_of(start.owners):
        part += store.read(verify_owners, page)
        done += len(page)
        # A damage is only reported at the end: a run that was stopped before must find it again.
        if verified is None and may_write and not part.damages:
            store.write(save_position, page[-1], start.log)
        show(start, done)
    verification = store.read(conclude, part, outside, verified=verified, left_out=start.left_out)
    sound = verification.first_bad is None
    if may_write:
        store.write(end_verification, start.log, full=verified is None, sound=sound)
    return verification
