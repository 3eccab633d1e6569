"""Cells and tables that several reports share: targets, verdicts, counts by code."""

from collections.abc import Iterable, Mapping

from reports.document import Cell, Column, Estimate, Mark, MeasureUnit, Sentence, Table, Tone, text
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
