"""The report on collection (8.1): what was kept, asked for, erased, copied, checked and published."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from complaints.history import CollectionRecord, DataRequest
from reports.document import (
    Cell,
    Estimate,
    KeyFigure,
    MeasureUnit,
    Report,
    Section,
    Sentence,
    Table,
    Verbatim,
    text,
)
from reports.shared_tables import columns
from reports.statistics import Share
from reports.tally import Period

#: Events of the installation that are listed, with the facts that their sentences show.
_LOG = {
    "erasure": ("right", "complaints", "persons"),
    "backup": ("heads",),
    "backup_check": ("sound", "entries"),
    "restore": ("complaints", "erased"),
    "rotate_keys": (),
    "report": ("report", "format"),
    "publication": ("first", "last"),
}
#: Codes of those facts that have words of their own.
_RIGHTS = ("request", "retention", "restored")
_FORMATS = {"md": "Markdown", "slack": "Slack"}
_TITLES = {"stats": "monitoring", "equal_treatment": "equal"} | {
    name: name
    for name in (
        "monitoring",
        "analysis",
        "satisfaction",
        "collection",
        "public",
        "returns",
        "audit",
        "review",
    )
}


def collection(
    record: CollectionRecord, expired: int | None, periods: Mapping[str, str], period: Period, now: datetime
) -> Report:
    """The report; `expired` complaints are kept longer than `periods` by country say (None: no period is set)."""
    answered = [request for request in record.requests if request.answered_at is not None]
    in_time = Share(sum(is_in_time(request) for request in answered), len(answered))
    checks = [facts for verb in ("backup_check", "restore") for _, facts in record.events.get(verb, ())]
    figures = (
        ("complaints", record.complaints),
        ("erased", record.erased),
        ("expired", expired),
        ("under_hold", record.under_hold),
        ("requests", len(record.requests)),
        ("in_time", in_time if answered else None),
        ("restores", len(checks)),
    )
    return Report(
        "collection",
        "8.1",
        text("collection.title"),
        now,
        period,
        summary=tuple(_summary(record, expired, len(checks))),
        figures=tuple(KeyFigure(name, text(f"collection.{name}"), value) for name, value in figures),
        sections=(_retention(record, periods), _requests(record, now), _log(record)),
        method=(Section("method", text("collection.method"), items=(text("collection.requests_note"),)),),
        limits=() if periods else (text("collection.no_period"),),
    )


def is_in_time(request: DataRequest) -> bool:
    """By the date that was promised; without one within a month of 30 days."""
    limit = request.due_at or request.asked_at + timedelta(days=30)
    return request.answered_at is not None and request.answered_at <= limit


def _summary(record: CollectionRecord, expired: int | None, checks: int) -> Iterator[Sentence]:
    if expired:
        yield text("collection.too_long", expired)
    if not checks:
        yield text("collection.no_restore")
    unanswered = sum(request.answered_at is None for request in record.requests)
    yield text("collection.unanswered", unanswered)


def _retention(record: CollectionRecord, periods: Mapping[str, str]) -> Section:
    lengths = []
    for country, written in sorted(periods.items()):
        number, unit, *start = written.split()
        from_day = text("collection.from_receipt" if start else "collection.from_closing")
        lengths.append((Verbatim(country), text(f"span.{unit}", int(number)), from_day))
    holds = (
        (text("collection.placed"), record.placed),
        (text("collection.released"), record.released),
        (text("collection.under_hold"), record.under_hold),
    )
    tables = (
        Table(
            "periods",
            text("collection.periods"),
            columns("collection.column", "country", "length", "since"),
            tuple(lengths),
        ),
        Table("holds", text("collection.holds"), columns("collection.column", "what", "number"), holds),
    )
    return Section("retention", text("collection.retention"), tables=tables)


def _requests(record: CollectionRecord, now: datetime) -> Section:
    rows = tuple(
        (text(f"collection.about.{row.about}"), row.asked_at, row.due_at, row.answered_at, _days(row, now))
        for row in sorted(record.requests, key=lambda row: row.asked_at)
    )
    title = text("collection.data_requests")
    heads = columns("collection.column", "what", "asked", "due", "answered", "days")
    return Section("requests", title, tables=(Table("requests", title, heads, rows),))


def _log(record: CollectionRecord) -> Section:
    """Every event in the order of its time."""
    events = [(at, verb, facts) for verb, rows in record.events.items() if verb in _LOG for at, facts in rows]
    rows = tuple(
        (at, text(f"collection.log.{verb}", **{name: _fact(name, facts.get(name)) for name in _LOG[verb]}))
        for at, verb, facts in sorted(events, key=lambda event: event[0])
    )
    title, heads = text("collection.log"), columns("collection.column", "when", "what")
    return Section("log", title, tables=(Table("log", title, heads, rows),))


def _fact(name: str, value: object) -> Cell:
    """A fact in words: no code where the language has words for it."""
    if value is None or isinstance(value, bool | int):
        return value
    code = str(value)
    if name in ("first", "last"):
        return date.fromisoformat(code)
    if name == "right" and code in _RIGHTS:
        return text(f"collection.right.{code}")
    if name == "report" and code in _TITLES:
        return text(f"{_TITLES[code]}.title")
    return Verbatim(_FORMATS.get(code, code.upper()) if name == "format" else code)


def _days(request: DataRequest, now: datetime) -> Estimate:
    waited = (request.answered_at or now) - request.asked_at
    return Estimate(waited.total_seconds() / 86_400, MeasureUnit.DAYS)
