"""The readable page in a person's archive: complaints, rights, and why and until when data are kept (8.1)."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from amends.documents.labels import Labels
from store.database.errors import UNREADABLE

#: Due times that were promised to the person; the other ones are internal.
_PROMISED = ("ack", "first_action", "update", "decide", "remedy", "reply", "legal")
#: The page loads nothing from anywhere, because it is read offline, also on a phone.
_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def data_page(data: Mapping[str, Any], labels: Labels) -> str:
    """The archive's data as an HTML page in the language of `labels`. Every text from the record is escaped."""
    say, org = labels.text, str(data["organisation"])
    title = say("mine.title", org=org)
    body = "\n".join(
        (
            f"<h1>{escape(title)}</h1>",
            _paragraph(say("mine.opening", when=labels.moment(data["made_at"]))),
            *_unreadable(data, labels),
            *_person(data, labels),
            *(line for complaint in data["complaints"] for line in _complaint(complaint, data, labels)),
            *_messages(data["other_messages"], say("mine.other_messages"), labels),
            *_rights(data, labels),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{escape(labels.language)}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>\n{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _unreadable(data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    """What the database holds but cannot be opened any more."""
    if data["unreadable"]:
        yield _paragraph(labels.text("mine.unreadable", mark=UNREADABLE))
        yield f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in data['unreadable'])}</ul>"


def _person(data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    person = data["you"]
    yield f"<h2>{escape(labels.text('mine.you'))}</h2>"
    yield _table(
        [
            (labels.text("case.name"), person["name"]),
            (labels.text("case.language"), person["language"]),
            (labels.text("case.support_needs"), person["support_needs"]),
            (labels.text("mine.since"), labels.moment(person["known_since"])),
            *((point["channel"], point["address"]) for point in person["contact_points"]),
        ]
    )


def _complaint(complaint: Mapping[str, Any], data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say, labels = labels.text, labels.in_zone(complaint.get("timezone") or labels.zone)
    yield f"<h2>{escape(say('mine.complaint', ref=complaint['ref']))}</h2>"
    parts = ", ".join(labels.code("person", part) or part for part in complaint["your_part"])
    yield _table([(say("case.part"), parts)])
    if "state" in complaint:
        yield from _own_complaint(complaint, labels)
    if "receipt" in complaint:
        path = quote(complaint["receipt"])
        yield f'<p><a href="{path}">{escape(say("mine.receipt"))}</a></p>'
        yield f'<p><img src="{path.removesuffix("json")}svg" alt="" width="200"></p>'
    yield from _not_included(complaint["not_included"], labels)
    for reason in data["kept"]:
        if reason["ref"] == complaint["ref"]:
            yield f"<h3>{escape(say('mine.kept'))}</h3>"
            fields = {"until": labels.moment(reason["until"])} if reason["until"] else {}
            yield _paragraph(say(f"mine.kept.{reason['why']}", **fields))


def _own_complaint(complaint: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say, code = labels.text, labels.code
    yield _table(
        [
            (say("case.received_at"), labels.moment(complaint["received_at"])),
            (say("case.state"), code("state", complaint["state"])),
            (say("case.category"), code("category", complaint["category"])),
            (say("case.closed_at"), labels.moment(complaint["closed_at"])),
            *((code("number", number["kind"]) or "", number["value"]) for number in complaint["numbers"]),
            *_dates(complaint, labels),
        ]
    )
    if complaint["proposal"]:
        category = code("category", complaint["proposal"]["category"])
        yield _paragraph(say("mine.proposal", category=category))
    yield from _derived(complaint, labels)
    yield from _texts(complaint["texts"], labels)
    yield from _messages(complaint["messages"], say("messages.title"), labels)
    yield from _decisions(complaint, labels)
    yield from _files(complaint["files"], labels)
    if complaint["who_looked"]:
        yield f"<h3>{escape(say('mine.looked'))}</h3>"
        yield _table(
            [(labels.moment(read["at"]) or "", code("part", read["by"])) for read in complaint["who_looked"]]
        )


def _derived(complaint: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    """What programs derived from the person's words: proposals with the words that counted, signs, similar cases."""
    say = labels.text
    rows = []
    for proposal in complaint["proposals"]:
        values = {name: proposal[name] for name in ("severity", "safety")}
        category = f"{labels.code('category', proposal['category'])} {proposal['probability']:.0%}"
        words = ", ".join(reason["word"] for reason in proposal.get("because") or ())
        rows.append(
            (
                labels.moment(proposal["at"]) or "",
                say("mine.proposed", category=category, words=words or "–", **values),
            )
        )
    signs = (labels.code("rule", sign["rule"].rpartition(".")[2]) for sign in complaint["danger_signs"])
    rows += [(say("mine.sign"), sign or "") for sign in signs]
    rows.append((say("mine.similar"), str(complaint["similar_cases"])))
    yield f"<h3>{escape(say('mine.derived'))}</h3>"
    yield _table(rows)


def _dates(complaint: Mapping[str, Any], labels: Labels) -> Iterator[tuple[str, str | None]]:
    """The newest promised date of each target."""
    newest = {date["target"]: date["promised_due"] for date in complaint["dates"]}
    for target in _PROMISED:
        if target in newest:
            name = f"{labels.text('mine.promised')}: {labels.code('promise', target)}"
            yield name, labels.moment(newest[target])


#: Who wrote a text, where it is no member of staff.
_AUTHORS = {
    "you": "mine.by_you",
    "machine": "mine.by_machine",
    "translator": "mine.by_translator",
    "forwarded": "mine.by_forwarded",
}


def _texts(texts: Sequence[Mapping[str, Any]], labels: Labels) -> Iterator[str]:
    yield f"<h3>{escape(labels.text('mine.words'))}</h3>"
    for text in texts:
        by = text["by"]
        author = labels.text(_AUTHORS[by]) if by in _AUTHORS else labels.code("part", by)
        yield _quote(f"{labels.moment(text['at'])} · {author}", text["text"])


def _messages(messages: Sequence[Mapping[str, Any]], title: str, labels: Labels) -> Iterator[str]:
    if messages:
        yield f"<h3>{escape(title)}</h3>"
    for message in messages:
        sender = labels.text("mine.from_you" if message["direction"] == "in" else "mine.from_us")
        failed = f" · {labels.text('mine.not_delivered')}" if message["state"] == "failed" else ""
        yield _quote(f"{labels.moment(message['at'])} · {sender}{failed}", message["text"] or "–")


def _decisions(complaint: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say, code = labels.text, labels.code
    for decision in complaint["decisions"]:
        yield f"<h3>{escape(say('follow.decision', level=decision['level']))}</h3>"
        yield _table(
            [
                (say("case.decided_by"), code("part", decision["by"])),
                (say("case.decided_at"), labels.moment(decision["told_at"] or decision["at"])),
                *((say("table.finding"), _finding(finding, labels)) for finding in decision["findings"]),
            ]
        )
    if complaint["remedies"]:
        yield f"<h3>{escape(say('mine.remedies'))}</h3>"
        yield _table(
            [
                (code("remedy", remedy["type"]) or "", _remedy(remedy, labels))
                for remedy in complaint["remedies"]
            ]
        )


def _finding(finding: Mapping[str, Any], labels: Labels) -> str:
    result = labels.code("finding", finding["finding"]) or ""
    return f"{result}: {finding['reasons']}" if finding["reasons"] else result


def _remedy(remedy: Mapping[str, Any], labels: Labels) -> str:
    parts = (
        remedy["text"],
        labels.amount(remedy["amount"], remedy["currency"]),
        labels.moment(remedy["done_at"]),
    )
    return " · ".join(part for part in parts if part)


def _files(files: Sequence[Mapping[str, Any]], labels: Labels) -> Iterator[str]:
    if not files:
        return
    yield f"<h3>{escape(labels.text('mine.files'))}</h3><ul>"
    for file in files:
        name = escape(file["name"] or file["kind"])
        if file["path"]:
            yield f'<li dir="auto"><a href="{escape(quote(file["path"]))}">{name}</a></li>'
        else:
            yield f'<li dir="auto">{name} ({escape(labels.text("mine.no_file"))})</li>'
    yield "</ul>"


def _not_included(omissions: Sequence[Mapping[str, str]], labels: Labels) -> Iterator[str]:
    if omissions:
        yield f"<h3>{escape(labels.text('mine.left_out'))}</h3><ul>"
        for omission in omissions:
            line = f"{labels.code('left', omission['what'])}: {labels.code('why', omission['why'])}"
            yield f"<li>{escape(line)}</li>"
        yield "</ul>"


def _rights(data: Mapping[str, Any], labels: Labels) -> Iterator[str]:
    say = labels.text
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
