"""`amends case`: list complaints and show one of them; `amends case redate` is in case_redate.py."""

from __future__ import annotations

import json as json_module
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from amends.cli.console import (
    check_output,
    local_due_time,
    local_time,
    out,
    print_damage,
    print_json,
    print_line,
    print_table,
    write_file,
)
from amends.cli.options import (
    Json,
    Output,
    Purpose,
    Reason,
    Reference,
    open_record,
    operator,
    parse_ref,
    row_id,
    staff_labels,
)
from amends.documents.blocks import Edition
from complaints.vocabulary import Priority, State, Verb

if TYPE_CHECKING:
    from amends.documents.case_file.case_file import StoredPicture
    from amends.documents.case_file.record_view import RecordView
    from amends.documents.labels import Labels
    from complaints.similarity import SimilarCase
    from store.cases.export import WholeCase
    from store.store import Store

#: Larger pictures (in bytes), and those after the first 20, are enclosures only: the PDF must open in a second.
_LARGEST_PICTURE = 6_000_000
_MOST_PICTURES = 20
#: The name of the receipt that is attached to an evidence file.
RECEIPT = "receipt.json"


def list_(
    *,
    state: Annotated[State | None, typer.Option(case_sensitive=False)] = None,
    owner: str | None = None,
    priority: Annotated[Priority | None, typer.Option(case_sensitive=False)] = None,
    category: str | None = None,
    incident: Annotated[int | None, typer.Option(callback=row_id)] = None,
    jurisdiction: str | None = None,
    overdue: bool = False,
    like: str | None = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    after: str | None = None,
    json: Json = False,
) -> None:
    from store.cases.read import list_cases
    from store.similarity.similar import list_all_similar_cases

    with open_record() as (settings, store):
        zone = ZoneInfo(settings.organisation.timezone)
        if like is not None:
            _print_similar(store.read(list_all_similar_cases, parse_ref(like)), zone, json=json)
            return
        cases, next_page = store.read(
            list_cases,
            state=state,
            owner=owner,
            priority=priority,
            category=category,
            incident=incident,
            jurisdiction=jurisdiction.upper() if jurisdiction else None,
            overdue=overdue,
            after=after,
            limit=limit,
        )
    if json:
        print_json({"cases": cases, "next": next_page})
        return
    labels = staff_labels(settings, zone.key)
    print_table(
        "Complaints",
        ("reference", "country", "state", "priority", "category", "owner", "received", "next due"),
        [
            (
                case["ref"],
                case["jurisdiction"],
                labels.code("state", case["state"]),
                case["priority"],
                labels.code("category", case["category"]),
                case["owner"],
                local_time(case["received_at"], zone),
                _next_due(case["next_due"], zone, labels),
            )
            for case in cases
        ],
    )
    if next_page:
        out.print(f"More: --after {next_page}")


def _next_due(due: Mapping[str, Any] | None, zone: ZoneInfo, labels: Labels) -> str | None:
    return f"{labels.code('target', due['target'])} {local_time(due['at'], zone)}" if due else None


def _print_similar(cases: Sequence[SimilarCase], zone: ZoneInfo, *, json: bool) -> None:
    """Print the complaints that are similar to one, the most similar first; no other filter applies."""
    from complaints.times import format_time, json_fields

    if json:
        rows = [
            {**json_fields(case, "ref share received_at is_open"), "incident_id": case.incident}
            for case in cases
        ]
        print_json({"cases": rows, "next": None})
        return
    print_table(
        "Similar complaints",
        ("reference", "in common", "received", "open", "incident"),
        [
            (
                case.ref,
                f"{case.share:.0%}",
                local_time(format_time(case.received_at), zone),
                "yes" if case.is_open else "no",
                case.incident,
            )
            for case in cases
        ],
    )


def show(ref: Reference, *, reason: Reason = Purpose.OPERATION, json: Json = False) -> None:
    what = "show" if reason is Purpose.OPERATION else f"show {reason.value}"
    record, zone, labels, damaged = _read_record(ref, what, reason)
    if json:
        print_json(record)
    else:
        _print_record(record, zone, labels)
    print_damage(damaged)


def _read_record(
    ref: str, what: str, reason: Purpose
) -> tuple[Mapping[str, Any], ZoneInfo, Labels, Sequence[str]]:
    """The record of a complaint, its zone, labels for it, and what of it is damaged; the reading is recorded."""
    from store.cases.export import export_record, record_read
    from store.database.errors import collecting_damage

    with open_record() as (settings, store):
        ref = parse_ref(ref)
        with collecting_damage() as damaged:
            record, zone = store.read(export_record, ref), _zone(store, ref)
        store.write(record_read, [ref], operator(), what, reason.value)
        return record, zone, staff_labels(settings, zone.key), damaged


def _zone(store: Store, ref: str) -> ZoneInfo:
    from store.cases.read import load_case

    return ZoneInfo(store.read(load_case, ref).rules.calendar.zone)


#: The tables of `case show` below its single fields.
_TABLES = tomllib.loads(Path(__file__).with_name("case_tables.toml").read_text(encoding="utf-8"))["table"]
_TIMES = frozenset({"at", "internal_due", "promised_due", "met_at"})
#: Facts without lists of dates and rule names, which other commands show.
_NOT_SHOWN = frozenset({"targets", "met", "signs", "ref", "rulebook", "complainant", "words"})
#: Shown by `case history` and `case due`, in these tables, or by --json only.
_NOT_FIELDS = {
    "texts", "issues", "targets", "decisions", "remedies", "messages", "deliveries", "events", "reads",
    "files", "people",
}  # fmt: skip


def _print_record(record: Mapping[str, Any], zone: ZoneInfo, labels: Labels) -> None:
    from amends.documents.case_file.record_view import RecordView
    from amends.documents.facts import field_name

    view = RecordView(record, labels)
    fields = (row for row in record.items() if row[0] not in _NOT_FIELDS)
    print_table(
        "",
        ("field", "value"),
        [(field_name(name, labels), _field_words(name, value, record, labels)) for name, value in fields],
    )
    for table in _TABLES:
        rows = (
            [_cell(table, name, row[name], zone, view) for name in table["columns"]]
            for row in record[table["field"]]
        )
        print_table(table["title"], table["headings"], rows)


def _cell(table: Mapping[str, Any], name: str, value: Any, zone: ZoneInfo, view: RecordView) -> str | None:
    """One cell of a table: texts exactly, times in the zone, codes in words."""
    from amends.documents.facts import value_words

    if (table["field"], name) == ("texts", "field"):
        return view.field(value) or view.label("said.other")
    if name in _TIMES:
        return local_time(value, zone)
    if name == "text" or value is None:
        return None if value is None else str(value)
    return value_words(table.get("codes", {}).get(name, name), value, view.labels)


def _field_words(name: str, value: Any, record: Mapping[str, Any], labels: Labels) -> str | None:
    """Words of people stay exactly as they are; the rest is shown in words."""
    from amends.documents.facts import value_words

    words = {text["text"] for text in record["texts"]} | {record["name"]}
    if value is None or value in ([], {}) or (isinstance(value, str) and value in words):
        return value or None
    if name == "complainant":
        return str(value)
    return value_words(name, value, labels).replace(record["complainant"], labels.text("part.complainant"))


def history(ref: Reference, *, reason: Reason = Purpose.OPERATION, json: Json = False) -> None:
    from amends.documents.case_file.record_view import RecordView
    from amends.documents.facts import fact_lines

    record, zone, labels, damaged = _read_record(ref, "history", reason)
    print_damage(damaged)
    if json:
        print_json({"ref": record["ref"], "events": record["events"]})
        return
    view = RecordView(record, labels)
    print_table(
        record["ref"],
        ("", "when", "what", "by", "clause", "facts"),
        [
            (
                event["seq"],
                local_time(event["at"], zone),
                labels.code("did", event["verb"]),
                view.who(event["by"], event["role"]),
                event["clause"],
                "; ".join(fact_lines(event["facts"], labels, without=_NOT_SHOWN)),
            )
            for event in record["events"]
        ],
    )


def due(ref: Reference, *, reason: Reason = Purpose.OPERATION, json: Json = False) -> None:
    """How each due time was computed: every day counted, every holiday, every rule; who extended it, and why.

    Reasons are words of the record: that they were shown stays on it.
    """
    from bots.slack.staff_texts import StaffTexts
    from bots.slack.views.opened_case import step_sentence
    from bots.texts.catalogues import STAFF, load_catalogues
    from complaints.deadlines.due_steps import DueStep
    from complaints.deadlines.explanation import due_record
    from store.cases.export import record_read
    from store.cases.read import load_case, load_history
    from store.database.errors import collecting_damage
    from store.record.load import load_event_words

    with open_record() as (settings, store):
        case = store.read(load_case, parse_ref(ref))
        with collecting_damage() as damaged:
            events = [
                replace(event, words=store.read(load_event_words, case.ref, event.seq))
                if event.verb is Verb.EXTEND
                else event
                for event in store.read(load_history, case.ref)
            ]
        if any(event.words for event in events):
            store.write(record_read, [case.ref], operator(), "due", reason.value)
    print_damage(damaged)
    targets = due_record(case, events)
    if json:
        print_json({"ref": case.ref, "targets": targets})
        return
    zone = ZoneInfo(case.rules.calendar.zone)
    language, own = settings.organisation.staff_language, settings.own_names
    texts = StaffTexts(load_catalogues((language,), settings.texts_folder, domain=STAFF, own=own), language)
    for target in targets:
        issue = f" {target['of']}" if target["of"] else ""
        due_at = local_due_time(target["internal_due"], zone)
        met = f", met {local_time(target['met_at'], zone)}" if target["met_at"] else ""
        old = ", superseded" if target["superseded"] else ""
        name = texts.target_name(target["target"], target["of"])
        print_line(f"{name}{issue}, version {target['version']}: {due_at}{met}{old}", style="bold")
        for step in target["steps"]:
            print_line(f"    {step_sentence(DueStep.from_json(step), texts, plain=True)}")


def file_(
    ref: Reference,
    *,
    output: Output,
    language: str | None = None,
    for_: Annotated[Edition, typer.Option("--for")] = Edition.HOUSE,
    reason: Reason = Purpose.OPERATION,
) -> None:
    from amends.documents.case_file.case_file import RECORD, case_file, exact_record
    from amends.documents.typst import as_pdf
    from store.cases.export import export_case, record_read
    from store.database.errors import collecting_damage

    check_output(output)
    with open_record() as (settings, store):
        ref = parse_ref(ref)
        labels = staff_labels(settings, settings.organisation.timezone, language)
        subject = for_ is Edition.SUBJECT
        with collecting_damage() as damaged:
            whole, now = store.read(export_case, ref), store.now()
            pictures = [] if subject else _pictures(store, whole)
        what = "file" if for_ is Edition.HOUSE else f"file:{for_.value}"
        store.write(record_read, [ref], operator(), what, reason.value)
        attached = {} if subject else {RECORD: exact_record(whole)}
        if for_ is Edition.OMBUDSMAN:
            attached |= _receipt(store, ref, settings.secrets.signing_key)
        document = case_file(
            whole, labels, for_, made_at=now, attached=[*attached], stored_pictures=pictures, damaged=damaged
        )
        write_file(output, as_pdf(document, created_at=now, attachments=attached))
    print_damage(damaged)


def _receipt(store: Store, ref: str, seed: bytes | None) -> dict[str, str]:
    """The receipt of the complaint with its proof as far as the log has one; empty before the first checkpoint."""
    from store.database.errors import DatabaseUnavailable, StoreError
    from store.proof.log import prove

    try:
        return {RECEIPT: json_module.dumps(store.read(prove, ref, seed), indent=1)}
    except DatabaseUnavailable:
        raise
    except StoreError:
        return {}


def _pictures(store: Store, whole: WholeCase) -> list[StoredPicture]:
    """The pictures that were fetched and are small enough to print."""
    from amends.documents.case_file.case_file import StoredPicture
    from store.cases.export import read_stored_file
    from store.database.errors import DatabaseUnavailable, StoreError, note_damage
    from store.database.keyring import place

    pictures = [
        file
        for file in whole.record["files"]
        if file["state"] == "fetched"
        and not whole.record["erased_at"]
        and (file["mime"] in ("image/jpeg", "image/png") or file["kind"] == "photo")
        and (file["size"] or 0) <= _LARGEST_PICTURE
    ]
    readable = []
    for picture in pictures[:_MOST_PICTURES]:
        ref, number = whole.record["ref"], picture["seq"]
        try:
            readable.append(StoredPicture(number, store.read(read_stored_file, ref, number)))
        except DatabaseUnavailable:
            raise
        except StoreError:
            note_damage(place("files", f"{ref}/{number}", "data"))
    return readable
