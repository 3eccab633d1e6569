"""The pack for the management review (8.6): two pages to decide from, then the details."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from complaints.registers.entries import Entry
from complaints.times import local_time
from reports.audit import audit_table
from reports.document import (
    Cell,
    Colleague,
    Column,
    Estimate,
    Label,
    Mark,
    MeasureUnit,
    Report,
    Section,
    Sentence,
    Table,
    Tone,
    Verbatim,
    text,
)
from reports.shared_tables import OBJECTIVE, OBJECTIVES, entry_table, field_cell, name_cell
from reports.tally import Period

#: Registers whose entries top management decides about once they are overdue.
_DUE = ("improvement", "audit", "plan", "risk", "policy", "review")
_FIELDS = {
    "improvement": ("what", "source", "owner", "due"),
    "objective": OBJECTIVE,
    "audit": ("what", "owner", "due"),
    "plan": ("kind", "what", "owner", "due", "done_on"),
    "risk": ("what", "likelihood", "impact", "measure", "owner", "due"),
    "policy": ("what", "owner", "due"),
    "alert": ("figure", "direction", "limit", "value", "until", "text"),
}
#: The analysis says this number too, next to that of the year before.
_REPEATED = "monitoring.received"
#: Trainings that end within so many days are named.
_SOON = timedelta(days=60)


@dataclass(frozen=True)
class ReviewInput:
    """`entries` by register, the newest first; `parts` are the reports whose pages follow; `staff` are ids."""

    entries: Mapping[str, tuple[Entry, ...]]
    parts: tuple[Report, ...]
    period: Period
    now: datetime
    zone: str
    staff: frozenset[str]

    @property
    def today(self) -> date:
        return local_time(self.now, self.zone).date()

    def of(self, register: str) -> tuple[Entry, ...]:
        return self.entries.get(register, ())

    def touched(self, register: str) -> tuple[Entry, ...]:
        """The entries that are open, or on which something was done in the period."""
        return tuple(
            entry
            for entry in self.of(register)
            if entry.is_open or any(self.period.holds(act.at) for act in entry.acts)
        )


def review_pack(values: ReviewInput) -> Report:
    """The pack; its first part is the monitoring report, whose key figures are on the first page."""
    decide = _to_decide(values)
    last = next((entry for entry in values.of("review") if entry.state != "cancelled"), None)
    sections = (
        # Words of registers and their owners are for fewer people than a channel has.
        Section("decide", text("review.decide"), tables=(decide,), private=True),
        _follow_up(values, last),
        _improvement(values),
        Section(
            OBJECTIVES, text("register.name.objective"), tables=(_table(values, "objective"),), private=True
        ),
        Section(
            "audits", text("register.name.audit"), private=True,
            tables=(
                audit_table(
                    "audit", text("register.name.audit"), values.touched("audit"), values.today, _FIELDS["audit"]
                ),
            ),
        ),
        Section("people", text("review.people"), items=tuple(_people(values))),
        Section(
            "plan", text("register.name.plan"),
            tables=tuple(_table(values, name) for name in ("plan", "risk", "policy", "alert")),
            private=True,
        ),
        *(section for part in values.parts for section in _details(part)),
    )  # fmt: skip
    return Report(
        kind="review",
        clause="8.6",
        title=text("review.title"),
        as_of=values.now,
        period=values.period,
        summary=_once(_summary(values, len(decide.rows), last)),
        figures=values.parts[0].figures,
        sections=sections,
        method=tuple(
            replace(section, id=f"{part.kind}.{section.id}")
            for part in values.parts
            for section in part.method
        ),
        limits=_once(limit for part in values.parts for limit in part.limits),
    )


def _summary(values: ReviewInput, matters: int, last: Entry | None) -> Iterator[Sentence | Mark]:
    if last is None:
        yield text("review.first")
    else:
        yield text("review.since", day=field_cell(last, "done_on"))
    tone = Tone.WATCH if matters else Tone.GOOD
    yield Mark(tone, text("review.to_decide", matters))
    for part in values.parts:
        yield from (
            line for line in part.summary if not (isinstance(line, Sentence) and line.id == _REPEATED)
        )


def _to_decide(values: ReviewInput) -> Table:
    heads = tuple(Column(name, text(f"review.{name}")) for name in ("matter", "what", "detail", "owner"))
    rows: list[tuple[Cell, ...]] = [
        (text("review.matter.target"), figure.title, figure.value, None)
        for figure in values.parts[0].figures
        if figure.mark is not None and figure.mark.tone is Tone.BAD
    ]
    rows += [
        (text("review.matter.alert"), name_cell(alert), field_cell(alert, "until"), None)
        for alert in values.of("alert")
        if alert.is_open
    ]
    rows += [
        (text("review.matter.objective"), name_cell(entry), _percent(entry), _owner(entry))
        for entry in values.of("objective")
        if entry.state == "missed"
    ]
    rows += [
        (
            text("review.matter.overdue", name=Label("register.name", name)),
            name_cell(entry),
            entry.due,
            _owner(entry),
        )
        for name in _DUE
        for entry in values.of(name)
        if entry.is_overdue(values.today)
    ]
    rows += [
        (text("review.matter.idea"), name_cell(entry), local_time(entry.opened_at, values.zone).date(), None)
        for entry in values.of("improvement")
        if entry.state == "proposed"
    ]
    return Table("decide", text("review.decide"), heads, tuple(rows))


def _owner(entry: Entry) -> Cell:
    return Colleague(entry.owner) if entry.owner else None


def _percent(entry: Entry) -> Cell:
    measured = entry.acts_of("measured")
    value = measured[-1].facts.get("value") if measured else None
    return None if value is None else Estimate(float(value), MeasureUnit.SHARE)


def _follow_up(values: ReviewInput, last: Entry | None) -> Section:
    """What the last review decided, and its actions: an action names the review in `record`."""
    if last is None:
        return Section("follow_up", text("review.follow_up"), notes=(text("review.first"),))
    actions = [
        entry
        for entry in values.of("improvement")
        if entry.facts.get("source") == "review" and entry.facts.get("record") == last.code
    ]
    notes = (text("review.decided", decisions=field_cell(last, "decisions")),)
    table = entry_table("actions", "improvement", actions, values.today, _FIELDS["improvement"])
    return Section("follow_up", text("review.follow_up"), notes=notes, tables=(table,), private=True)


def _improvement(values: ReviewInput) -> Section:
    heads = (
        Column("code", text("registers.code")),
        Column("what", text("register.field.changed")),
        Column("before", text("review.before")),
        Column("after", text("review.after")),
        Column("ratio", text("review.ratio")),
        Column("state", text("registers.state")),
    )
    rows: list[tuple[Cell, ...]] = []
    for entry in values.touched("improvement"):
        for check in entry.acts_of("check")[-1:]:
            low, high = check.facts.get("ratio_low"), check.facts.get("ratio_high")
            limits: Cell = (
                None
                if low is None or high is None
                else text("report.interval", low=Estimate(low, digits=2), high=Estimate(high, digits=2))
            )
            state = Label("register.state", entry.state)
            before, after = check.facts.get("before"), check.facts.get("after")
            rows.append((Verbatim(entry.code), field_cell(entry, "changed"), before, after, limits, state))
    effects = Table("effects", text("review.effects"), heads, tuple(rows))
    return Section(
        "improvement", text("register.name.improvement"), tables=(_table(values, "improvement"), effects),
        private=True,
    )  # fmt: skip


def _table(values: ReviewInput, register: str) -> Table:
    return entry_table(register, register, values.touched(register), values.today, _FIELDS[register])


def _people(values: ReviewInput) -> Iterator[Sentence | Mark]:
    trainings = [entry for entry in values.of("training") if entry.is_open]
    valid = {entry.owner for entry in trainings if entry.is_valid(values.today)}
    soon = [
        entry
        for entry in trainings
        if entry.due is not None and values.today <= entry.due <= values.today + _SOON
    ]
    yield text("review.trained", number=len(valid & values.staff), staff=len(values.staff))
    if soon:
        yield Mark(Tone.WATCH, text("review.trainings_end", len(soon), days=_SOON.days))
    for policy in values.of("policy"):
        if policy.state == "in_force":
            attested, total = len(policy.readers & values.staff), len(values.staff)
            yield text("review.attested", policy=name_cell(policy), number=attested, staff=total)
    praised = [entry for entry in values.of("praise") if values.period.holds(entry.opened_at)]
    passed = sum(entry.state == "passed_on" for entry in praised)
    yield text("review.praise", number=len(praised), passed=passed)
    ideas = [act for entry in values.of("improvement") for act in entry.acts_of("suggest")]
    yield text("review.ideas", sum(values.period.holds(act.at) for act in ideas))


def _once(sentences: Iterable[Any]) -> tuple[Any, ...]:
    """Without repeats; sentences have no hash."""
    kept: list[Any] = []
    for sentence in sentences:
        kept += [] if sentence in kept else [sentence]
    return tuple(kept)


def _details(part: Report) -> Iterator[Section]:
    """The pages of another report, whose first section begins a page; ids stay apart."""
    own = (section for section in part.sections if section.id != OBJECTIVES)
    for number, section in enumerate(own):
        renamed = {table.id: f"{part.kind}.{table.id}" for table in section.tables}
        yield replace(
            section,
            id=f"{part.kind}.{section.id}",
            tables=tuple(replace(table, id=renamed[table.id]) for table in section.tables),
            charts=tuple(
                replace(chart, id=f"{part.kind}.{chart.id}", table=renamed[chart.table])
                for chart in section.charts
            ),
            new_page=number == 0 or section.new_page,
        )
