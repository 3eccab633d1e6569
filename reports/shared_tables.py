"""Cells and tables that several reports share: targets, verdicts, counts by code, entries of registers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from complaints.forms import Input
from complaints.registers.definitions import REGISTERS
from complaints.registers.entries import Entry
from reports.document import (
    Cell,
    Colleague,
    Column,
    Estimate,
    Label,
    Mark,
    MeasureUnit,
    Ref,
    Sentence,
    Table,
    Tone,
    Verbatim,
    text,
)
from reports.kpis import Goal, TargetVerdict

_VERDICTS: Mapping[TargetVerdict, Mark | None] = {
    TargetVerdict.MET: Mark(Tone.GOOD, text("report.met")),
    TargetVerdict.NOT_MET: Mark(Tone.BAD, text("report.not_met")),
    TargetVerdict.TOO_FEW: Mark(Tone.NEUTRAL, text("report.too_few")),
    TargetVerdict.REPORT: None,
}
#: A difference that chance does not explain.
LOOK = Mark(Tone.WATCH, text("report.look"))


def verdict_mark(verdict: TargetVerdict) -> Mark | None:
    """The verdict with its sign; None without a target."""
    return _VERDICTS[verdict]


def target_cell(goal: Goal | None, unit: MeasureUnit = MeasureUnit.SHARE) -> Sentence | None:
    """`at least 90%`, `at most 8 working days`; None without a target."""
    if goal is None:
        return None
    name, bound = ("at_least", goal.at_least) if goal.at_least is not None else ("at_most", goal.at_most)
    is_whole = (
        bound is not None and float(f"{bound * (100 if unit is MeasureUnit.SHARE else 1):.6f}").is_integer()
    )
    return text(f"report.{name}", value=Estimate(bound, unit, 0 if is_whole else 1))


def columns(prefix: str, *names: str) -> tuple[Column, ...]:
    """Columns whose titles are the texts `<prefix>.<name>`."""
    return tuple(Column(name, text(f"{prefix}.{name}")) for name in names)


def count_table(id_: str, title: Sentence, counts: Iterable[tuple[Cell, int]], label: str) -> Table:
    """Counts by what their first column names; `label` is the id of that column's title."""
    heads = (Column("label", text(label)), Column("count", text("report.column.count")))
    return Table(id_, title, heads, tuple(counts))


#: The fields of objectives in tables, and the section that has them.
OBJECTIVE, OBJECTIVES = ("figure", "direction", "target", "owner", "due"), "objectives"
OVERDUE = Mark(Tone.BAD, text("registers.overdue"))


def name_cell(entry: Entry) -> Cell:
    """What names the entry in lists; where that is empty, where it comes from, such as an overturned decision."""
    name = field_cell(entry, entry.register.name_field)
    return field_cell(entry, "source") if name is None and "source" in entry.register.fields else name


def field_cell(entry: Entry, name: str) -> Cell:
    """One field of an entry; None if it is empty."""
    value = entry.words.get(name) or entry.facts.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, list | tuple):
        return tuple(Ref(str(ref)) for ref in value)
    match entry.register.fields[name].input:
        case Input.DATE:
            return date.fromisoformat(str(value))
        case Input.STAFF:
            return Colleague(str(value))
        case Input.CHOICE if prefix := entry.register.choices[name]:
            return Label(prefix, str(value))
    return Verbatim(str(value))


def entry_table(
    id_: str, register: str, entries: Iterable[Entry], today: date, fields: Sequence[str]
) -> Table:
    """Code, these fields, state and whether it is overdue, one row for each entry."""
    labels = REGISTERS[register].labels
    heads = (
        Column("code", text("registers.code")),
        *(Column(name, text(f"register.field.{labels[name]}")) for name in fields),
        Column("state", text("registers.state")),
    )
    rows = (
        (
            Verbatim(entry.code),
            *(field_cell(entry, name) for name in fields),
            OVERDUE if entry.is_overdue(today) else Label("register.state", entry.state),
        )
        for entry in entries
    )
    return Table(id_, text(f"register.name.{register}"), heads, tuple(rows))
