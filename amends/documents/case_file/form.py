"""Annex B: the complainant's form, as far as it was filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Paragraph, Rows, Words
from amends.documents.case_file.telling import Telling, halves
from store.exporting import WholeCase

#: Parts of the people of a complaint beside the complainant, in the form's order.
_OTHERS = ("affected", "representative", "witness", "subject")


def form(told: Telling, whole: WholeCase) -> Iterator[Block]:
    """Person, agent, product and place, problem, remedy asked for, date and signature, enclosures."""
    record, say = told.record, told.say
    yield Heading(say("form.title"))
    yield Fields(
        (
            (say("case.ref"), record["ref"]),
            (say("case.received_at"), told.moment(record["received_at"])),
            (say("case.logged_at"), told.moment(record["logged_at"])),
            (say("case.channel"), told.labels.code("channel", record["channel"])),
            (say("case.language"), record["language"]),
        )
    )
    yield from _people(told, whole)
    yield Heading(say("form.product"), 2)
    yield Fields(
        (
            (say("case.category"), told.labels.code("category", record["category"])),
            (say("case.where_and_when"), record["where_and_when"]),
            *((told.labels.code("number", kind) or kind, value) for kind, value in whole.identifiers),
        )
    )
    yield Heading(say("form.problem"), 2)
    yield Words(say("form.in_their_words"), record["description"] or "")
    yield Heading(say("form.remedy"), 2)
    asked = [told.labels.code("button", one) or one for one in record["remedy_requested"]]
    yield Fields(
        (
            (say("case.remedy_requested"), "\n".join(asked) or None),
            (say("form.in_their_words"), record["remedy_requested_text"]),
        )
    )
    yield Heading(say("form.signature"), 2)
    yield Paragraph(_signature(told))
    yield from _enclosures(told)


def _people(told: Telling, whole: WholeCase) -> Iterator[Block]:
    record, say = told.record, told.say
    everybody = record["people"]
    if not everybody:
        # The edition for somebody complained about: nothing is said of the people at all.
        return
    yield Heading(say("form.person"), 2)
    # One complaint told to staff and bound to a chat later has both: they are the same person.
    mine = [one for one in everybody if one["role"] == "complainant"]
    names = " / ".join(dict.fromkeys((*whole.names, record["name"] or ""))).strip(" /")
    yield Fields(
        (
            (say("case.name"), names or None),
            (say("case.person_id"), record["complainant"]),
            *(_point(told, point) for one in mine for point in one["contact_points"]),
            (say("case.support_needs"), whole.needs),
            (say("case.flags"), ", ".join(_flags(told)) or None),
        )
    )
    yield Heading(say("form.agent"), 2)
    others = [one for part in _OTHERS for one in everybody if one["role"] == part]
    if not others and not record["for_whom"]:
        yield Paragraph(say("form.no_agent"))
        return
    yield Fields(((say("case.for_whom"), record["for_whom"]),))
    for one in others:
        yield Fields(
            (
                (say("case.part"), told.labels.code("person", one["role"])),
                (say("case.name"), one.get("name")),
                (say("case.person_id"), one["id"]),
                (say("case.relation"), one["relation"]),
                (say("case.authority"), one.get("authority")),
                (say("case.may_receive"), told.labels.yes(one["may_receive"])),
                *(_point(told, point) for point in one["contact_points"]),
            )
        )


def _point(told: Telling, point: Mapping[str, Any]) -> tuple[str, str | None]:
    marks = [told.say(f"point.{name}") for name in ("verified", "preferred", "blocked") if point[name]]
    name = told.labels.code("channel", point["channel"]) or ""
    if point["address"] is None:
        return name, None
    return name, f"{point['address']} ({', '.join(marks)})" if marks else point["address"]


def _flags(told: Telling) -> Iterator[str]:
    for flag in told.record["flags"]:
        yield told.labels.code("flag", flag) or flag


def _signature(told: Telling) -> str:
    record = told.record
    if record["confirmed_at"]:
        return told.say("form.signed", when=told.moment(record["confirmed_at"]))
    if record["form_ended_at"]:
        return told.say("form.unsigned", when=told.moment(record["form_ended_at"]))
    return told.say("form.open")


def _enclosures(told: Telling) -> Iterator[Block]:
    yield Heading(told.say("form.enclosures"), 2)
    files = told.record["files"]
    if not files:
        yield Paragraph(told.say("document.none"))
        return
    yield Rows(
        (
            told.say("table.number"),
            told.say("table.when"),
            told.say("table.what"),
            told.say("table.state"),
            told.say("table.digest"),
        ),
        tuple(
            (
                str(one["seq"]),
                told.moment(one["at"]),
                _what(told, one),
                told.labels.code("stored", one["state"]),
                halves(one["sha256"]),
            )
            for one in files
        ),
        widths=(1, 4, 6, 3, 6),
        small=True,
    )


def _what(told: Telling, one: Mapping[str, Any]) -> str:
    size = told.labels.count("case.bytes", one["size"]) if one["size"] is not None else None
    named = (told.labels.code("file", one["kind"]), one["name"], one["mime"], size)
    return "\n".join(each for each in named if each)
