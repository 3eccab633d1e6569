"""The readable page of a person's archive: what they told us, what we wrote, what we keep, whom to complain to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from amends.documents.labels import Labels

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
