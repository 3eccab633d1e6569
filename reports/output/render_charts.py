"""A chart of a report as SVG, from the numbers of its table.

Series differ in colour, in dashes and in markers, and verdicts have signs: nothing depends on colour alone. The
colours are those of Okabe and Ito, which differ for readers with any common colour blindness.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from math import floor, log10
from textwrap import wrap

from reports.document import (
    CalendarMonth,
    Cell,
    Chart,
    ChartKind,
    Estimate,
    MeasureUnit,
    Money,
    Sentence,
    Table,
    Tone,
    Week,
)
from reports.output.wording import DASH, SIGNS, ReportTexts, in_words, with_detail
from reports.statistics import Share

WIDTH = 720
_INK, _FAINT, _BAD, _GOOD = "#1d2733", "#c9d0d6", "#d55e00", "#0072b2"
_SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
_DASHES = ("", "7 4", "2 4", "9 3 2 3")
#: In pixels: room for names at the left, one row, the height of lines and columns, their margin at the left.
_NAMES, _ROW, _HEIGHT, _AXIS = 250, 27, 230, 56
#: Characters of a line of a name that fit into `_NAMES`.
_NAME_LENGTH = 40


def draw_chart(chart: Chart, table: Table, texts: ReportTexts) -> str:
    """The chart as SVG; a value that is not shown in the table is missing here too."""
    if chart.kind is ChartKind.DOTS:
        return _dots(chart, table, texts)
    over_time = any(isinstance(cell, Week | CalendarMonth) for cell in table.column(chart.label))
    if chart.kind is ChartKind.LINE:
        return _lines(chart, table, texts)
    return _columns(chart, table, texts) if over_time else _bars(chart, table, texts)


def number_of(cell: Cell) -> float | None:
    """The number of a cell, or of the value in a sentence such as a target; None without one."""
    match cell:
        case bool():
            return None
        case int():
            return float(cell)
        case Share() | Estimate():
            return cell.value
        case Money():
            return float(cell.amount)
        case Sentence():
            return number_of(cell.fields.get("value"))
        case _:
            return None


def _bars(chart: Chart, table: Table, texts: ReportTexts) -> str:
    rows, top, parts = (
        list(table.column(chart.label)),
        _largest(chart, table),
        list(_legend(chart, table, texts)),
    )
    y, thick = 30 if parts else 8, 20 if len(chart.values) == 1 else 13
    for index, name in enumerate(rows):
        parts += _name(y + thick * len(chart.values) / 2, name, texts)
        for number, id_ in enumerate(chart.values):
            cell = table.column(id_)[index]
            length = (WIDTH - _NAMES - 90) * (number_of(cell) or 0) / top
            parts.append(_bar(_NAMES, y, max(length, 0), thick - 2, _SERIES[number]))
            parts.append(_text(_NAMES + length + 6, y + thick - 6, with_detail(cell, texts)[0], size=12))
            y += thick
        y += 10
    return _svg(y + 4, parts, chart, texts)


def _columns(chart: Chart, table: Table, texts: ReportTexts) -> str:
    names, top = list(table.column(chart.label)), _largest(chart, table)
    step = (WIDTH - _AXIS - 20) / max(len(names), 1)
    parts = list(_legend(chart, table, texts))
    parts += _scale(_ticks(0, top), 0, top, MeasureUnit.PLAIN, texts)
    for number, id_ in enumerate(chart.values):
        width = (step - 4) / len(chart.values)
        for index, cell in enumerate(table.column(id_)):
            height = _HEIGHT - _y(number_of(cell) or 0, 0, top)
            x = _AXIS + index * step + 2 + number * width
            parts.append(_bar(x, _HEIGHT - height, width, height, _SERIES[number]))
    parts += _below([_AXIS + (index + 0.5) * step for index in range(len(names))], names, texts)
    return _svg(_HEIGHT + 30, parts, chart, texts)


def _lines(chart: Chart, table: Table, texts: ReportTexts) -> str:
    names = list(table.column(chart.label))
    cells = [cell for id_ in chart.values for cell in table.column(id_)]
    numbers = [value for cell in cells if (value := number_of(cell)) is not None]
    fixed = [chart.target] if isinstance(chart.target, float | int) else []
    first = next((cell for cell in table.column(chart.values[0]) if isinstance(cell, Estimate | Share)), None)
    unit = (
        MeasureUnit.SHARE
        if isinstance(first, Share)
        else first.unit
        if first is not None
        else MeasureUnit.PLAIN
    )
    ticks = _ticks(min([0.0, *numbers]), 1.0 if unit is MeasureUnit.SHARE else max([1.0, *numbers, *fixed]))
    low, high = ticks[0], ticks[-1]
    step = (WIDTH - _AXIS - 20) / max(len(names), 1)
    xs = [_AXIS + (index + 0.5) * step for index in range(len(names))]
    parts = [*_legend(chart, table, texts), *_scale(ticks, low, high, unit, texts)]
    for target in fixed:
        y = _y(target, low, high)
        parts.append(_line(_AXIS, y, WIDTH - 20, y, _INK, dash="4 3"))
    for number, id_ in enumerate(chart.values):
        values = [number_of(cell) for cell in table.column(id_)]
        parts += _path(xs, values, low, high, _SERIES[number], _DASHES[number], 2.5)
        for x, value in zip(xs, values, strict=True):
            if value is not None:
                parts.append(_marker(x, _y(value, low, high), number, _SERIES[number]))
    parts += _below(xs, names, texts)
    return _svg(_HEIGHT + 30, parts, chart, texts)


def _dots(chart: Chart, table: Table, texts: ReportTexts) -> str:
    cells = table.column(chart.values[0])
    targets = table.column(chart.target) if isinstance(chart.target, str) else (None,) * len(cells)
    ends = [end for cell in cells for end in (_interval(cell) or ())]
    is_share = any(isinstance(cell, Share) for cell in cells)
    low, high = (0.0, 1.0) if is_share else (min([0.0, *ends]), max([0.0, *ends]) or 1.0)
    room = WIDTH - 118 - _NAMES

    def across(value: float) -> float:
        return _NAMES + room * (value - low) / ((high - low) or 1)

    parts, y = list[str](), 20.0
    fixed = chart.target if isinstance(chart.target, float | int) else None
    for name, cell, target in zip(table.column(chart.label), cells, targets, strict=True):
        parts += [*_name(y, name, texts), _line(_NAMES, y, _NAMES + room, y, _FAINT)]
        bound = fixed if fixed is not None else number_of(target)
        if bound is not None:
            parts.append(_line(across(bound), y - 10, across(bound), y + 10, _INK, width=2))
        value, interval = number_of(cell), _interval(cell)
        colour = _BAD if bound is not None and _misses(value, target) else _GOOD
        if value is not None:
            if interval is not None:
                parts.append(_line(across(interval[0]), y, across(interval[1]), y, colour, width=4))
            parts.append(f'<circle cx="{across(value):.1f}" cy="{y:.1f}" r="5.5" fill="{colour}"/>')
        sign = f" {SIGNS[Tone.BAD]}" if colour == _BAD else ""
        parts.append(_text(WIDTH - 102, y + 4, with_detail(cell, texts)[0] + sign, size=12))
        y += _ROW
    return _svg(y - 6, parts, chart, texts)


def _misses(value: float | None, target: Cell) -> bool:
    bound = number_of(target)
    if value is None or bound is None or not isinstance(target, Sentence):
        return False
    return value < bound if target.id.endswith("at_least") else value > bound


def _interval(cell: Cell) -> tuple[float, float] | None:
    if isinstance(cell, Share):
        return cell.interval
    if isinstance(cell, Estimate) and cell.low is not None and cell.high is not None:
        return cell.low, cell.high
    return None


def _largest(chart: Chart, table: Table) -> float:
    return max([1.0, *(number_of(cell) or 0 for id_ in chart.values for cell in table.column(id_))])


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers from below `low` to above `high`."""
    size = 10 ** floor(log10(max(high - low, 1e-9)))
    step = next(size * part for part in (0.2, 0.5, 1, 2) if (high - low) / (size * part) <= 6)
    first = floor(low / step + 1e-9)
    count = 1
    while (first + count) * step < high - 1e-9:
        count += 1
    return [round((first + number) * step, 10) for number in range(count + 1)]


def _scale(
    ticks: Sequence[float], low: float, high: float, unit: MeasureUnit, texts: ReportTexts
) -> Iterator[str]:
    digits = 0 if all(tick == int(tick) for tick in ticks) or unit is MeasureUnit.SHARE else 1
    for tick in ticks:
        if tick <= high:
            y = _y(tick, low, high)
            words = texts.percent(tick, 0) if unit is MeasureUnit.SHARE else texts.decimal(tick, digits)
            yield _line(_AXIS, y, WIDTH - 20, y, _FAINT, width=1)
            yield _text(_AXIS - 6, y + 4, words, size=11, anchor="end")


def _y(value: float, low: float, high: float) -> float:
    return _HEIGHT - (_HEIGHT - 36) * (value - low) / ((high - low) or 1)


def _path(
    xs: Sequence[float],
    values: Sequence[float | None],
    low: float,
    high: float,
    colour: str,
    dash: str,
    width: float,
) -> Iterator[str]:
    """A line between neighbours; a missing value leaves a gap."""
    points = list(zip(xs, values, strict=True))
    for (x, value), (next_x, next_value) in pairwise(points):
        if value is not None and next_value is not None:
            ends = (x, _y(value, low, high), next_x, _y(next_value, low, high))
            yield _line(*ends, colour, width=width, dash=dash)


def _below(xs: Sequence[float], names: Sequence[Cell], texts: ReportTexts) -> Iterator[str]:
    """As many names as fit, always with the first."""
    words = [short_name(name, texts) for name in names]
    widest = max((len(word) for word in words), default=1) * 6.2 + 8
    step = xs[1] - xs[0] if len(xs) > 1 else widest
    every = max(1, -int(-widest // step))
    for index in range(0, len(words), every):
        yield _text(xs[index], _HEIGHT + 18, words[index], size=11, anchor="middle")


def short_name(name: Cell, texts: ReportTexts) -> str:
    """The name of a row where there is little room: a month in digits, a week without its year."""
    if isinstance(name, CalendarMonth):
        return f"{name.day:%m/%Y}"
    return texts.day_of_year(name.monday) if isinstance(name, Week) else in_words(name, texts)


def _name(y: float, name: Cell, texts: ReportTexts) -> Iterator[str]:
    lines = wrap(in_words(name, texts), _NAME_LENGTH) or [DASH]
    lines = lines[:2] if len(lines) < 3 else [lines[0], f"{lines[1][: _NAME_LENGTH - 1]}…"]
    for number, line in enumerate(lines):
        yield _text(0, y + 4 + 13 * (number - (len(lines) - 1) / 2), line, size=12)


def _legend(chart: Chart, table: Table, texts: ReportTexts) -> Iterator[str]:
    if len(chart.values) < 2:
        return
    x = float(_AXIS)
    titles = {column.id: in_words(column.title, texts) for column in table.columns}
    for number, id_ in enumerate(chart.values):
        yield _line(x, 12, x + 26, 12, _SERIES[number], width=3, dash=_DASHES[number])
        yield _marker(x + 13, 12, number, _SERIES[number])
        yield _text(x + 32, 16, titles[id_], size=12)
        x += 60 + 6.6 * len(titles[id_])


def _marker(x: float, y: float, number: int, colour: str) -> str:
    if number == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    if number == 1:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
    return f'<path d="M {x:.1f} {y - 5:.1f} l 5 9 l -10 0 z" fill="{colour}"/>'


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'


def _line(
    x: float, y: float, to_x: float, to_y: float, colour: str, *, width: float = 1.5, dash: str = ""
) -> str:
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashes}/>'


def _text(x: float, y: float, words: str, *, size: int, anchor: str = "start") -> str:
    attributes = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {attributes} fill="{_INK}">{escape(words)}</text>'


def _svg(height: float, parts: Sequence[str], chart: Chart, texts: ReportTexts) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img"'
    return (
        f'{head} font-family="Libertinus Serif, Georgia, serif"><title>{escape(in_words(chart.title, texts))}</title>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
