"""`amends privacy`: give a person their data, erase it, and purge what was kept long enough (8.1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from amends.cli.console import (
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
from amends.cli.options import (
    NOT_WELL,
    Json,
    Output,
    Purpose,
    Reason,
    Reference,
    Yes,
    confirm,
    open_record,
    operator,
    parse_ref,
)
from complaints.times import format_time
from reports.words import pluralise

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.custody.erasure import Expired
    from store.store import Store

#: Why a complaint is kept, and until when, by the code of the reason.
KEPT = {
    "open": ("it is still being handled", "until it is closed"),
    "legal_hold": ("a claim or the law needs it (legal hold)", "until the hold ends or is released"),
    "damaged": ("its events cannot be read", "until it is restored from a backup (`amends db verify`)"),
    "external": ("an outside body is at work on it", "until that body has concluded"),
}

_OTHER_COPIES = (
    "Not reached from here: files that you made with -o, what people wrote or saved in Slack themselves, and "
    "backups. A backup that is restored erases automatically what erasures.jsonl names."
)
#: By what right something was erased, by the code of the receipt (GDPR).
RIGHTS = {
    "request": "the person's request (Art. 17)",
    "retention": "the end of the retention period (Art. 5(1)(e))",
}
_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,60}")

#: Shows the report on collection how long the person waited.
Asked = Annotated[datetime | None, typer.Option("--asked", formats=["%Y-%m-%d"])]

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
    language: str | None = None,
    notes: bool = True,
    reason: Reason = Purpose.REQUEST,
    asked_on: Asked = None,
) -> None:
    from amends.documents.labels import load_labels
    from amends.privacy.data_export import archive
    from amends.retention import retention_periods
    from store.custody.erasure import find_person
    from store.database.errors import collecting_damage

    check_output(output)
    with open_record() as (settings, store):
        zone = settings.organisation.timezone
        labels = load_labels(settings.languages, zone, settings.texts_folder, **settings.wording)
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
                signing_key=settings.secrets.signing_key,
            )
        write_file(output, data)
        _record_request(store, "copy", asked_on, zone)
    print_damage(damaged)


def _record_request(store: Store, about: str, asked_on: datetime | None, zone: str) -> None:
    """Record that a request about one person's data was answered, and when it was made (8.1)."""
    from complaints.times import at_minute
    from store.proof.hash_chain import record_instance_event

    asked_at = None if asked_on is None else format_time(at_minute(asked_on.date(), 0, zone))
    store.write(record_instance_event, "data_request", {"about": about, "asked_at": asked_at})


def erase(
    *,
    complainant: Complainant,
    reason: Annotated[str, typer.Option(callback=_code)],
    yes: Yes = False,
    asked_on: Asked = None,
    json: Json = False,
) -> None:
    from amends.retention import data_protection_authority, erasures_file, list_new_erasures, require_writable
    from store.custody.erasure import erase_complainant

    with open_record() as (settings, store):
        preview = store.read(erase_complainant, complainant, reason, preview=True)
        for ref in preview.erased:
            err.print(f"will be erased  {ref}")
        for ref, code in preview.kept.items():
            err.print(f"will be kept    {ref}: {KEPT[code][0]}")
        if exports := preview.counts.get("exports"):
            err.print(f"Files with their words were written here, {exports} in all: delete them yourself.")
        question = f"Destroy for good what {preview.person} has here ({_counts(preview.counts)})?"
        confirm(question, "erased", yes=yes)
        require_writable(erasures_file(settings))
        result = store.write(erase_complainant, preview.person, reason)
        _record_request(store, "erasure", asked_on, settings.organisation.timezone)
        list_new_erasures(store, erasures_file(settings))
        erased_at = format_time(store.now())
        remove_remnants(store)
    if json:
        kept = [{"ref": ref, "why": code, "until": KEPT[code][1]} for ref, code in result.kept.items()]
        print_json(
            {
                "complainant": result.person,
                "erased": list(result.erased),
                "kept": kept,
                "person_erased": result.person_erased,
                "erased_at": erased_at,
                "reason": reason,
                "right": "request",
                "counts": dict(result.counts),
                "authority": data_protection_authority(settings.organisation.country),
            }
        )
    else:
        _print_erasure(settings, result.erased, result.kept, person_erased=result.person_erased)
        out.print(
            f"Receipt: {_counts(result.counts)} erased at {erased_at}, by {RIGHTS['request']}: {reason}."
        )
    if result.kept or not result.person_erased:
        raise typer.Exit(NOT_WELL)


def _counts(counts: Mapping[str, int]) -> str:
    """`3 texts, 1 file`, without the files that no erasure reaches."""
    parts = (
        pluralise(number, name.removesuffix("s").replace("_", " "))
        for name, number in counts.items()
        if number and name != "exports"
    )
    return ", ".join(parts) or "nothing"


def remove_remnants(store: Store) -> None:
    """Remove what was overwritten from the log of SQLite, or say what is left to do."""
    if store.is_shared:
        err.print(
            "PostgreSQL keeps old row versions: run `amends db vacuum` in a quiet hour (docs/custody.md)."
        )
    elif not store.remove_remnants():
        err.print("Another process still reads old pages: the running desk removes them within minutes.")


def receipts() -> None:
    from store.proof.hash_chain import list_instance_events

    with open_record() as (_, store):
        print_json(
            [{"at": row["at"], **row["facts"]} for row in store.read(list_instance_events, "erasure", 1_000)]
        )


def hold(
    ref: Reference,
    *,
    reason: Annotated[str, typer.Option()],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    release: Annotated[bool, typer.Option("--release")] = False,
) -> None:
    from complaints.actors import OPERATOR
    from complaints.vocabulary import Verb
    from store.cases.act import act

    facts = {"hold_until": until.date().isoformat()} if until and not release else {}
    with open_record() as (_, store):
        verb = Verb.RELEASE if release else Verb.HOLD
        store.write(act, parse_ref(ref), verb, OPERATOR, facts, {"reason": reason})
    span = facts.get("hold_until", "it is released")
    out.print(f"{parse_ref(ref)}: {'released' if release else f'under legal hold until {span}'}.")


def restrict(
    who: Annotated[str, typer.Argument(metavar="X")],
    *,
    reason: Annotated[str, typer.Option()],
    release: Annotated[bool, typer.Option("--release")] = False,
) -> None:
    from complaints.actors import OPERATOR
    from complaints.errors import AlreadyDone
    from complaints.identifiers import parse_reference
    from complaints.vocabulary import Verb
    from store.cases.act import act
    from store.custody.erasure import list_complaints_of

    verb = Verb.RESUME_PROCESSING if release else Verb.RESTRICT_PROCESSING
    ref = parse_reference(who)
    with open_record() as (_, store):
        for complaint in store.read(list_complaints_of, who) if ref is None else [ref]:
            with suppress(AlreadyDone):
                store.write(act, complaint, verb, OPERATOR, {}, {"reason": reason})
            out.print(f"{complaint}: processing {'allowed again' if release else 'restricted'}.")


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
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    from amends.retention import erasures_file, list_new_erasures, require_writable, retention_periods
    from store.custody.erasure import (
        RETENTION,
        erase_expired,
        erase_silent_people,
        list_expired,
        list_silent_people,
        record_receipt,
    )

    with open_record() as (settings, store):
        spans = retention_periods(settings)
        if not spans:
            err.print("Every complaint is kept: [privacy] retention is not set.")
        expired = store.read(list_expired, spans, limit=1_000_000) if spans else []
        purged = [complaint for complaint in expired if complaint.kept_because is None]
        silent = store.read(list_silent_people, limit=1_000_000)
        counts = Counter[str]()
        if (purged or silent) and not dry_run:
            if not json:
                _print_expired(settings, expired, done=False)
            what = f"{pluralise(len(purged), 'complaint')} and {pluralise(len(silent), 'person')} without one"
            confirm(f"{what} will be erased for good. Continue?", "erased", yes=yes)
            require_writable(erasures_file(settings))
            reasons = dict[str, str]()
            with progress_bar("Purging") as progress:
                for number, complaint in enumerate(purged, start=1):
                    erased = store.write(erase_expired, complaint.ref)
                    if isinstance(erased, str):
                        reasons[complaint.ref] = erased
                    else:
                        counts += erased
                    progress(number, len(purged))
            expired = [
                replace(complaint, kept_because=reasons.get(complaint.ref, complaint.kept_because))
                for complaint in expired
            ]
            purged = [complaint for complaint in expired if complaint.kept_because is None]
            if purged:
                store.write(record_receipt, RETENTION, RETENTION, len(purged), counts)
            if silent:
                counts["persons"] += store.write(erase_silent_people, silent)
            list_new_erasures(store, erasures_file(settings))
            remove_remnants(store)
    if json:
        held_back = [complaint for complaint in expired if complaint.kept_because]
        print_json(
            {
                "dry_run": dry_run,
                "purged": [_as_json(complaint) for complaint in purged],
                "held": [_as_json(complaint) for complaint in held_back],
                "counts": dict(counts),
                "without_complaint": len(silent),
            }
        )
        return
    _print_expired(settings, expired, done=not dry_run)
    out.print(f"{pluralise(len(silent), 'person')} without a complaint {'would go' if dry_run else 'gone'}.")
    if counts:
        out.print(f"Receipt: {_counts(counts)} erased, by {RIGHTS['retention']}.")


def _print_expired(settings: Settings, expired: Sequence[Expired], *, done: bool) -> None:
    zone = ZoneInfo(settings.organisation.timezone)
    print_table(
        "Purged" if done else "Would be purged",
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
    going = sum(complaint.kept_because is None for complaint in expired)
    out.print(f"{going} {'gone' if done else 'would go'}, {len(expired) - going} held back.")


def _as_json(complaint: Expired) -> dict[str, str | None]:
    return {
        "ref": complaint.ref,
        "closed_at": format_time(complaint.closed_at),
        "purge_due": format_time(complaint.due),
        "why": complaint.kept_because,
    }
