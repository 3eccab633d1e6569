"""The readable page of a person's archive: what they told us, what we wrote, what we keep, whom to complain to.

What is kept, why, until when (8.1): told to the person with everything else.

A person's own data as one archive: for programs, to read, and their files (8.1: requests are on the record).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from amends.documents.labels import Labels
from amends.privacy.person_data import concerning
from amends.retention import authority
from complaints.retention import RetentionPeriod
from complaints.timestamps import format_time
from store.cases.export import (
    WholeCase,
    WholePerson,
    export_person,
    list_person_roles,
    read_stored_file,
    record_read,
)
from store.store import Store

#: Due times that were promised to the person; the others are only how we keep them.
_PROMISED = ("ack", "first_action", "update", "decide", "remedy", "reply", "legal")
#: Nothing is fetched from anywhere: the page is read offline, on a phone as well.
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #c9d0d6 } h3 { margin-bottom: .3rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: start; vertical-align: top;
padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e7ea } th { color: #56616d; font-weight: normal }
blockquote { margin: .8rem 0; padding: .6rem 1rem; background: #f3f5f7; border-inline-start: 3px solid #c9d0d6;
white-space: pre-wrap; overflow-wrap: anywhere } .about { color: #56616d; font-size: .85rem; display: block }
"""


def index(data: Mapping[str, Any], labels: Labels) -> str:
    """The archive's data as a page in the language of `labels`; every word of anybody is escaped."""
    say, org = labels.say, str(data["organisation"])
    title = say("mine.title", org=org)
    body = "\n".join(
        (
            f"<h1>{escape(title)}</h1>",
            _paragraph(say("mine.opening", when=labels.moment(data["made_at"]))),
            *_you(data, labels),
            *(line for one in data["complaints"] for line in _complaint(one, data, labels)),
            *_messages(data["other_messages"], say("mine.other_messages"), labels),
            *_rights(data, labels),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{escape(labels.language)}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _you(data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    you = data["you"]
    yield f"<h2>{escape(labels.say('mine.you'))}</h2>"
    yield _table(
        [
            (labels.say("case.name"), you["name"]),
            (labels.say("case.language"), you["language"]),
            (labels.say("case.support_needs"), you["support_needs"]),
            (labels.say("mine.since"), labels.moment(you["known_since"])),
            *((one["channel"], one["address"]) for one in you["contact_points"]),
        ]
    )


def _complaint(one: Mapping[str, Any], data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say, labels = labels.say, labels.in_zone(one.get("timezone") or labels.zone)
    yield f"<h2>{escape(say('mine.complaint', ref=one['ref']))}</h2>"
    parts = ", ".join(labels.code("person", part) or part for part in one["your_part"])
    yield _table([(say("case.part"), parts)])
    if "state" in one:
        yield from _own(one, labels)
    yield from _left_out(one["not_included"], labels)
    for kept in data["kept"]:
        if kept["ref"] == one["ref"]:
            yield f"<h3>{escape(say('mine.kept'))}</h3>"
            fields = {"until": labels.moment(kept["until"])} if kept["until"] else {}
            yield _paragraph(say(f"mine.kept.{kept['why']}", **fields))


def _own(one: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say, code = labels.say, labels.code
    yield _table(
        [
            (say("case.received_at"), labels.moment(one["received_at"])),
            (say("case.state"), code("state", one["state"])),
            (say("case.category"), code("category", one["category"])),
            (say("case.closed_at"), labels.moment(one["closed_at"])),
            *((labels.code("number", each["kind"]) or "", each["value"]) for each in one["numbers"]),
            *_dates(one, labels),
        ]
    )
    if one["proposal"]:
        proposed = code("category", one["proposal"]["category"])
        yield _paragraph(say("mine.proposal", category=proposed))
    yield from _texts(one["texts"], labels)
    yield from _messages(one["messages"], say("messages.title"), labels)
    yield from _decided(one, labels)
    yield from _files(one["files"], labels)
    if one["who_looked"]:
        yield f"<h3>{escape(say('mine.looked'))}</h3>"
        yield _table(
            [(labels.moment(each["at"]) or "", code("part", each["by"])) for each in one["who_looked"]]
        )


def _dates(one: Mapping[str, Any], labels: Labels) -> Iterator[tuple[str, str | None]]:
    """The newest date of each promise."""
    newest = {each["target"]: each["promised_due"] for each in one["dates"]}
    for target in _PROMISED:
        if target in newest:
            name = f"{labels.say('mine.promised')}: {labels.code('promise', target)}"
            yield name, labels.moment(newest[target])


def _found(each: Mapping[str, Any], labels: Labels) -> str:
    found = labels.code("finding", each["finding"]) or ""
    return f"{found}: {each['reasons']}" if each["reasons"] else found


def _texts(texts: Sequence[Mapping[str, Any]], labels: Labels) -> Iterator[str]:
    yield f"<h3>{escape(labels.say('mine.words'))}</h3>"
    for one in texts:
        by = labels.say("mine.by_you") if one["by"] == "you" else labels.code("part", one["by"])
        yield _quote(f"{labels.moment(one['at'])} · {by}", one["text"])


def _messages(messages: Sequence[Mapping[str, Any]], title: str, labels: Labels) -> Iterator[str]:
    if messages:
        yield f"<h3>{escape(title)}</h3>"
    for one in messages:
        way = labels.say("mine.from_you" if one["direction"] == "in" else "mine.from_us")
        failed = f" · {labels.say('mine.not_delivered')}" if one["state"] == "failed" else ""
        yield _quote(f"{labels.moment(one['at'])} · {way}{failed}", one["text"] or "–")


def _decided(one: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say, code = labels.say, labels.code
    for made in one["decisions"]:
        yield f"<h3>{escape(say('follow.decision', level=made['level']))}</h3>"
        yield _table(
            [
                (say("case.decided_by"), code("part", made["by"])),
                (say("case.decided_at"), labels.moment(made["told_at"] or made["at"])),
                *((say("table.finding"), _found(each, labels)) for each in made["findings"]),
            ]
        )
    if one["remedies"]:
        yield f"<h3>{escape(say('mine.remedies'))}</h3>"
        yield _table(
            [
                (
                    code("remedy", each["type"]) or "",
                    " · ".join(
                        part
                        for part in (
                            each["text"],
                            labels.amount(each["amount"], each["currency"]),
                            labels.moment(each["done_at"]),
                        )
                        if part
                    ),
                )
                for each in one["remedies"]
            ]
        )


def _files(files: Sequence[Mapping[str, Any]], labels: Labels) -> Iterator[str]:
    if not files:
        return
    yield f"<h3>{escape(labels.say('mine.files'))}</h3><ul>"
    for one in files:
        name = escape(one["name"] or one["kind"])
        if one["path"]:
            yield f'<li dir="auto"><a href="{escape(quote(one["path"]))}">{name}</a></li>'
        else:
            yield f'<li dir="auto">{name} ({escape(labels.say("mine.no_file"))})</li>'
    yield "</ul>"


def _left_out(left: Sequence[Mapping[str, str]], labels: Labels) -> Iterator[str]:
    if left:
        yield f"<h3>{escape(labels.say('mine.left_out'))}</h3><ul>"
        for one in left:
            said = f"{labels.code('left', one['what'])}: {labels.code('why', one['why'])}"
            yield f"<li>{escape(said)}</li>"
        yield "</ul>"


def _rights(data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say = labels.say
    yield f"<h2>{escape(say('mine.rights'))}</h2>"
    yield _paragraph(say("mine.rights_are"))
    yield _paragraph(say("mine.complain_to", authority=data["complain_to"]))
    if data["privacy_notice"]:
        yield _paragraph(say("mine.notice", notice=data["privacy_notice"]))


def _paragraph(text: str) -> str:
    return f'<p dir="auto">{escape(text)}</p>'


def _quote(about: str, text: str) -> str:
    return f'<blockquote dir="auto"><span class="about">{escape(about)}</span>{escape(text)}</blockquote>'


def _table(rows: Sequence[tuple[str, str | None]]) -> str:
    lines = "".join(
        f'<tr><th>{escape(name)}</th><td dir="auto">{escape(value)}</td></tr>'
        for name, value in rows
        if value
    )
    return f"<table>{lines}</table>" if lines else ""


def kept(whole: WholeCase, retention: Mapping[str, str] | None) -> dict[str, Any]:
    """Why a complaint is still here: a code, and the instant at which it goes, where that is known.

    `retention` gives the span by country that holds now; without it the one of the complaint's own rules.
    """
    record, rules = whole.record, whole.rules
    span = rules.retention if retention is None else retention.get(rules.country, "")
    told: dict[str, Any] = {"ref": record["ref"], "why": "handling", "span": span or None, "until": None}
    if record["erased_at"]:
        return {**told, "why": "erased", "until": record["erased_at"]}
    if record["legal_hold"]:
        return {**told, "why": "legal_claim"}
    if record["closed_at"] is None:
        return told
    if not span:
        return {**told, "why": "no_end"}
    received, closed = (datetime.fromisoformat(record[name]) for name in ("received_at", "closed_at"))
    until = RetentionPeriod.parse(span).until(received=received, closed=closed, calendar=rules.calendar)
    return {**told, "why": "accountability", "until": format_time(until)}


#: What `reads` calls it.
WHAT = "export"
_SAFE = re.compile(r"[^\w.-]+")


def archive(
    store: Store,
    person: str,
    labels: Labels,
    *,
    by: str = "complainant",
    language: str | None = None,
    largest: int | None = None,
    notes: bool = False,
    retention: Mapping[str, str] | None = None,
) -> bytes:
    """A ZIP of everything on file about one person (people.id), who asked for it or for whom it was asked.

    `data.json`, `index.html` in `language` (else the person's), `files/<ref>/<n>-<name>`. `largest` is how
    many bytes its files may have together: what would go beyond is left out and named. `notes`: with what
    staff wrote for themselves, once somebody has checked that it tells nothing of others; letters are always
    in it. `by` is `complainant` or `operator`: each complaint notes that it was given out. Raises UnknownRow
    where there is no such person, Erased where they were erased.
    """
    store.write(record_read, list(store.read(list_person_roles, person)), by, WHAT)
    whole, now = store.read(export_person, person), store.now()
    data = {"made_at": format_time(now), **_data(whole, notes=notes, retention=retention)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        _pack_files(store, packed, data["complaints"], largest)
        spoken = labels.in_language(language or _language(whole))
        _write(packed, "data.json", json.dumps(data, ensure_ascii=False, indent=2).encode())
        _write(packed, "index.html", index(data, spoken).encode())
    return out.getvalue()


def _language(whole: WholePerson) -> str:
    """The language that the person chose, else the one in which they complained last."""
    return whole.language or next((str(one.record["language"]) for one, _ in reversed(whole.cases)), "")


def _data(whole: WholePerson, *, notes: bool, retention: Mapping[str, str] | None) -> dict[str, Any]:
    rules = whole.rules
    return {
        "organisation": rules.organisation,
        "privacy_notice": rules.notice or None,
        "complain_to": authority(rules.country),
        "you": {
            "id": whole.id,
            "name": whole.name,
            "language": whole.language,
            "support_needs": whole.needs,
            "known_since": whole.created_at,
            "contact_points": list(whole.contact_points),
        },
        "complaints": [concerning(one, whole, parts, notes=notes) for one, parts in whole.cases],
        "kept": [kept(one, retention) for one, _ in whole.cases],
        "other_messages": list(whole.messages),
    }


def _pack_files(
    store: Store, packed: zipfile.ZipFile, complaints: list[dict[str, Any]], largest: int | None
) -> None:
    """Their files, one by one; each entry is told where it lies, or why it does not."""
    left = largest
    for one in complaints:
        for file in one.get("files", ()):
            file["path"] = None
            if file["state"] != "fetched" or one["erased_at"]:
                continue
            if left is not None and (file["size"] or 0) > left:
                one["not_included"].append({"what": "file", "why": "too_large"})
                continue
            data = store.read(read_stored_file, one["ref"], file["seq"])
            file["path"] = f"files/{one['ref']}/{file['seq']}-{_safe(file['name'], file['kind'])}"
            _write(packed, file["path"], data)
            left = None if left is None else left - len(data)


def _safe(name: str | None, kind: str) -> str:
    """A name that is a name on every machine and leads nowhere else."""
    return _SAFE.sub("_", name or kind).strip("._")[-80:] or kind


def _write(packed: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date: the archive tells when it was made in data.json, once.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, data)
