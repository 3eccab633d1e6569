"""The registers of a complaint: due times, outside bodies, links, events with their hashes, who opened it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Paragraph, Rows
from amends.documents.case_file.telling import Telling, halves
from complaints.incidents import Incident
from store.exporting import WholeCase

#: Facts that stand elsewhere in the file: dates among the targets, rules among the signs.
_ELSEWHERE = frozenset({"targets", "met", "signs", "ref", "rulebook", "complainant"})


def register(told: Telling, whole: WholeCase) -> Iterator[Block]:
    """Everything that was promised, counted, linked and done, and by whom the file was opened."""
    yield Heading(told.say("register.title"), new_page=True)
    yield from _targets(told)
    yield from _outside(told)
    yield from _links(told)
    if whole.incident is not None:
        yield from _incident(told, whole.incident)
    yield from _events(told, whole)
    yield from _reads(told)
    yield from _more(told)


def _targets(told: Telling) -> Iterator[Block]:
    say = told.say
    yield Heading(say("register.targets"), 2)
    yield Rows(
        (
            say("table.target"),
            say("table.inside"),
            say("table.promised"),
            say("table.met"),
            say("table.basis"),
        ),
        tuple(
            (
                f"{told.labels.code('target', one['target'])} {one['version']}",
                told.moment(one["internal_due"]),
                told.moment(one["promised_due"]),
                told.moment(one["met_at"]),
                f"{one['basis']} ({one['span']})" if one.get("span") else one["basis"],
            )
            for one in told.record["targets"]
        ),
        widths=(4, 4, 4, 4, 4),
        small=True,
    )


def _outside(told: Telling) -> Iterator[Block]:
    found = told.record["external"]
    if found:
        yield Heading(told.say("register.external"), 2)
    for one in found:
        yield Fields(tuple(_pairs(told, one)))


def _pairs(told: Telling, one: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, value in one.items():
        if name == "at":
            yield told.say("table.when"), told.moment(value)
        elif name not in _ELSEWHERE and value not in (None, "", [], {}):
            yield told.field(name), _plain(value)


def _links(told: Telling) -> Iterator[Block]:
    record, say = told.record, told.say
    if not record["links"]:
        return
    yield Heading(say("register.links"), 2)
    rows = [
        (told.labels.code("relation", one["relation"]) or "", one["other_ref"]) for one in record["links"]
    ]
    yield Fields(tuple(rows))


def _incident(told: Telling, one: Incident) -> Iterator[Block]:
    say = told.say
    yield Heading(f"{say('case.incident_id')} {told.record['incident_id']}", 2)
    yield Fields(
        (
            (say("table.what"), one.what),
            (say("incident.area"), one.area),
            (say("incident.started_at"), told.labels.moment(one.started_at)),
            (say("incident.ended_at"), told.labels.moment(one.ended_at)),
            (say("incident.line"), one.line_in(told.labels.language)),
        )
    )


def _events(told: Telling, whole: WholeCase) -> Iterator[Block]:
    say = told.say
    yield Heading(say("register.events"), 2)
    chain = told.labels.count("register.chain", len(told.record["events"]), head=whole.head)
    yield Paragraph(chain, quiet=True)
    yield Rows(
        (say("table.number"), say("table.when"), say("table.what"), say("table.clause"), say("table.hash")),
        tuple(
            (
                str(one["seq"]),
                told.moment(one["at"]),
                "\n".join(each for each in (told.did(one), _brief(one["facts"])) if each),
                one["clause"],
                halves(one["hash"]),
            )
            for one in told.record["events"]
        ),
        widths=(1, 3, 7, 1.4, 5),
        small=True,
    )


def _brief(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {_plain(value)}"
        for name, value in facts.items()
        if name not in _ELSEWHERE and value not in (None, False, [], {}, "")
    )


def _reads(told: Telling) -> Iterator[Block]:
    say = told.say
    yield Heading(say("register.reads"), 2)
    yield Rows(
        (say("table.when"), say("table.who"), say("table.what")),
        tuple(
            (told.moment(one["at"]), told.who(one["by"], one["role"] or None), one["what"])
            for one in told.record["reads"]
        ),
        widths=(4, 6, 6),
        small=True,
    )


def _more(told: Telling) -> Iterator[Block]:
    """What no part before has asked for: a field that is new in the record is never left out."""
    rest = {
        name: value for name, value in told.record.unasked().items() if value not in (None, "", [], {}, False)
    }
    yield Heading(told.say("register.more"), 2)
    yield Fields(tuple((told.field(name), _value(told, name, value)) for name, value in rest.items()))


def _value(told: Telling, name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return told.labels.yes(value)
    if name.endswith("_at") and isinstance(value, str):
        return told.moment(value)
    return _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
