"""`amends case`: the record of one complaint or of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from amends.cli.numbered import of_a_row
from amends.cli.opened import Config, Json, Reference, opened
from amends.cli.printing import as_json, local, local_by, out, said, table
from complaints.deadlines.explanation import due_record
from complaints.errors import UnknownReference
from complaints.references import parse_reference
from complaints.similarity import SimilarCase
from complaints.timestamps import format_time
from complaints.vocabulary import Priority, State, Verb
from store.cases.export import OPERATOR, export_record, record_read
from store.cases.read import list_cases, load_case, load_history
from store.record.texts import load_event_words
from store.similarity.similar import list_all_similar_cases
from store.store import Store

app = typer.Typer(help="The record.", no_args_is_help=True)


def reference(text: str) -> str:
    """The reference meant; raises UnknownReference with what a reference looks like."""
    found = parse_reference(text)
    if found is None:
        raise UnknownReference(f"{text} is no reference. One looks like A7K-M3Q-9T, in any case and spacing.")
    return found


def zone_of(store: Store, ref: str) -> ZoneInfo:
    """Where a complaint's times are told: in its own zone."""
    return ZoneInfo(store.read(load_case, reference(ref)).rules.calendar.zone)


@app.command("list")
def list_(
    *,
    state: Annotated[State | None, typer.Option(case_sensitive=False, help="Where it stands.")] = None,
    owner: Annotated[str | None, typer.Option(help="A member of staff's Slack id.")] = None,
    priority: Annotated[Priority | None, typer.Option(case_sensitive=False, help="How soon.")] = None,
    category: Annotated[str | None, typer.Option(help="supply, service, money …")] = None,
    incident: Annotated[
        int | None, typer.Option(help="The number of an incident.", callback=of_a_row)
    ] = None,
    jurisdiction: Annotated[
        str | None, typer.Option(help="The two letters of the country whose rules hold.")
    ] = None,
    overdue: Annotated[bool, typer.Option(help="Only those with a due time that has passed.")] = False,
    like: Annotated[
        str | None, typer.Option(help="Only those told in nearly the same words as this reference.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    after: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Complaints, those with the next due time first."""
    with opened(config) as (settings, store):
        if like is not None:
            _likes(
                store.read(list_all_similar_cases, reference(like)),
                ZoneInfo(settings.organisation.timezone),
                json=json,
            )
            return
        cases, following = store.read(
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
            as_json({"cases": cases, "next": following})
            return
        zone = ZoneInfo(settings.organisation.timezone)
        table(
            "Complaints",
            ("reference", "country", "state", "priority", "category", "owner", "received", "next due"),
            [
                (
                    one["ref"],
                    one["jurisdiction"],
                    one["state"],
                    one["priority"],
                    one["category"],
                    one["owner"],
                    local(one["received_at"], zone),
                    _next(one["next_due"], zone),
                )
                for one in cases
            ],
        )
        if following:
            out.print(f"More: --after {following}")


def _likes(likes: Sequence[SimilarCase], zone: ZoneInfo, *, json: bool) -> None:
    """What is like one complaint, the most like first; no other filter applies."""
    found = [
        {
            "ref": one.ref,
            "share": one.share,
            "received_at": format_time(one.received_at),
            "is_open": one.is_open,
            "incident_id": one.incident,
        }
        for one in likes
    ]
    if json:
        as_json({"cases": found, "next": None})
        return
    table(
        "Like complaints",
        ("reference", "in common", "received", "open", "incident"),
        [
            (
                one.ref,
                f"{one.share:.0%}",
                local(format_time(one.received_at), zone),
                "yes" if one.is_open else "no",
                one.incident,
            )
            for one in likes
        ],
    )


def _next(due: Any, zone: ZoneInfo) -> str | None:
    return f"{due['target']} {local(due['at'], zone)}" if due else None


class Why(StrEnum):
    """For what an operator looks at a complaint (4.7)."""

    OPERATION = "operation"
    AUDIT = "audit"
    REQUEST = "request"
    LAW = "law"


@app.command()
def show(
    ref: Reference,
    *,
    reason: Annotated[
        Why, typer.Option(help="What for; it stays on the record beside who was shown it.")
    ] = Why.OPERATION,
    json: Json = False,
    config: Config = None,
) -> None:
    """The whole record of one complaint, words included; that it was shown stays on the record."""
    with opened(config) as (_, store):
        record, zone = store.read(export_record, reference(ref)), zone_of(store, ref)
        store.write(
            record_read,
            [record["ref"]],
            OPERATOR,
            "show" if reason is Why.OPERATION else f"show {reason.value}",
        )
        if json:
            as_json(record)
            return
        skipped = {
            "texts",
            "issues",
            "targets",
            "decisions",
            "remedies",
            "messages",
            "deliveries",
            "events",
            "reads",
            "files",
            "people",
        }
        table(
            "", ("field", "value"), [(name, value) for name, value in record.items() if name not in skipped]
        )
        table(
            "Said",
            ("field", "seq", "when", "text"),
            [(one["field"], one["seq"], local(one["at"], zone), one["text"]) for one in record["texts"]],
        )
        table(
            "Messages",
            ("when", "way", "state", "text"),
            [
                (local(one["at"], zone), one["direction"], one["state"], one["text"])
                for one in record["messages"]
            ],
        )
        table(
            "Delivery",
            ("number", "what", "state", "when", "why"),
            [
                (one["obligation"], one["kind"], one["state"], local(one["at"], zone), one["reason"])
                for one in record["deliveries"]
            ],
        )
        table(
            "Targets",
            ("target", "version", "inside", "promised", "met"),
            [
                (
                    one["target"],
                    one["version"],
                    local(one["internal_due"], zone),
                    local(one["promised_due"], zone),
                    local(one["met_at"], zone),
                )
                for one in record["targets"]
            ],
        )
        table(
            "Read by",
            ("when", "who", "role", "what"),
            [(local(one["at"], zone), one["by"], one["role"], one["what"]) for one in record["reads"]],
        )


@app.command()
def history(ref: Reference, *, json: Json = False, config: Config = None) -> None:
    """What happened, when, by whom, in which role, under which clause."""
    with opened(config) as (_, store):
        events = store.read(export_record, reference(ref))["events"]
        if json:
            as_json({"ref": reference(ref), "events": events})
            return
        zone = zone_of(store, ref)
        table(
            reference(ref),
            ("", "when", "what", "by", "role", "clause", "facts"),
            [
                (
                    one["seq"],
                    local(one["at"], zone),
                    one["verb"].replace("_", " "),
                    one["by"],
                    one["role"],
                    one["clause"],
                    _brief(one["facts"]),
                )
                for one in events
            ],
        )


def _brief(facts: dict[str, Any]) -> str:
    """The facts that a person asks for first: no lists of dates, no empty values."""
    left_out = {"targets", "met", "signs", "ref", "rulebook", "complainant"}
    return ", ".join(
        f"{name} {value}"
        for name, value in facts.items()
        if name not in left_out and value not in (None, False, [], {}, "")
    )


@app.command()
def due(ref: Reference, *, json: Json = False, config: Config = None) -> None:
    """How each due time was computed: every day counted, every holiday, every rule; who extended it, and why.

    Reasons are words of the record: that they were shown stays on it.
    """
    with opened(config) as (_, store):
        case = store.read(load_case, reference(ref))
        events = [
            replace(one, words=store.read(load_event_words, case.ref, one.seq))
            if one.verb is Verb.EXTEND
            else one
            for one in store.read(load_history, case.ref)
        ]
        if any(one.words for one in events):
            store.write(record_read, [case.ref], OPERATOR, "due")
        rows = due_record(case, events)
        if json:
            as_json({"ref": case.ref, "targets": rows})
            return
        zone = ZoneInfo(case.rules.calendar.zone)
        for one in rows:
            met = f", met {local(one['met_at'], zone)}" if one["met_at"] else ""
            old = ", superseded" if one["superseded"] else ""
            of = f" {one['of']}" if one["of"] else ""
            due_at = local_by(one["internal_due"], zone)
            said(f"{one['target']}{of}, version {one['version']}: {due_at}{met}{old}", style="bold")
            for line in one["because"]:
                said(f"    {line}")
