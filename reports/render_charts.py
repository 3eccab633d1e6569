"""Two charts of the monitoring report as SVG: complaints by week, and shares with their targets."""

from collections.abc import Iterator
from html import escape

from reports.kpis import Goal, ShareFigure, TargetVerdict
from reports.monitoring import Monitoring

WIDTH = 720
#: Colours readable on white and in print. Verdicts also have a mark, for readers who cannot see the colours.
_INK, _FAINT, _BAR, _GOOD, _BAD = "#1d2430", "#c9d0da", "#3b6ea5", "#2f7d4f", "#b3372f"
_LEFT, _ROW = 240, 30


def draw_volume(report: Monitoring) -> str:
    """Complaints received by week, each week named by its Monday."""
    weeks = list(report.weeks.items())
    top, height = max((n for _, n in weeks), default=1), 180
    step = (WIDTH - 60) / max(len(weeks), 1)
    parts = [_text(0, 16, f"Complaints received by week: {report.received}", size=15)]
    for index, (week, number) in enumerate(weeks):
        bar_height = (height - 50) * number / top
        x, y = 30 + index * step, height - bar_height
        size = f'width="{max(step - 4, 1):.1f}" height="{bar_height:.1f}"'
        parts.append(f'<rect x="{x + 2:.1f}" y="{y:.1f}" {size} fill="{_BAR}"/>')
        parts.append(_text(x + step / 2, y - 4, str(number), size=11, anchor="middle"))
        # As many labels as fit, always with the first.
        if index % max(1, round(56 / step + 0.5)) == 0:
            parts.append(_text(x + step / 2, height + 16, week[5:], size=11, anchor="middle"))
    parts.append(_line(30, height, WIDTH - 30, height, _INK))
    return _svg(height + 28, parts, f"Bars: complaints received in each of {len(weeks)} weeks")


def draw_targets(report: Monitoring) -> str:
    """Each share with a target: its value with the 95 % interval, and the target as a vertical line."""
    figures = [figure for figure in report.shares if figure.kpi.goal is not None]
    height = 40 + _ROW * len(figures)
    parts = [_text(0, 16, "Shares and their targets", size=15)]
    for index, figure in enumerate(figures):
        parts += _share(44 + index * _ROW, figure)
    return _svg(height + 10, parts, "Dots: shares with 95 % intervals; upright lines: targets")


def _share(y: float, figure: ShareFigure) -> Iterator[str]:
    yield _text(0, y + 4, figure.kpi.title + _target(figure.kpi.goal), size=12)
    yield _line(_LEFT, y, WIDTH - 90, y, _FAINT)
    goal = figure.kpi.goal
    bound = None if goal is None else goal.at_least if goal.at_least is not None else goal.at_most
    if bound is not None:
        yield _line(_x(bound), y - 9, _x(bound), y + 9, _INK)
    value, interval = figure.share.value, figure.share.interval
    if value is None or interval is None:
        yield _text(WIDTH - 80, y + 4, f"too few ({figure.share.of})", size=11)
        return
    colour = _BAD if figure.verdict is TargetVerdict.NOT_MET else _GOOD
    yield _line(_x(interval[0]), y, _x(interval[1]), y, colour, width=4)
    yield f'<circle cx="{_x(value):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    label = f"{value * 100:.1f} %" + (" ✗" if figure.verdict is TargetVerdict.NOT_MET else " ✓")
    yield _text(WIDTH - 80, y + 4, label, size=12)


def _target(goal: Goal | None) -> str:
    if goal is None:
        return ""
    sign, bound = ("≥", goal.at_least) if goal.at_least is not None else ("≤", goal.at_most)
    return f", {sign} {(bound or 0) * 100:g} %"


def _x(share: float) -> float:
    return _LEFT + (WIDTH - 90 - _LEFT) * share


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, width: float = 1.5) -> str:
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, *, size: int, anchor: str = "start") -> str:
    attributes = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {attributes} fill="{_INK}">{escape(text)}</text>'


def _svg(height: float, parts: list[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img"'
    return (
        f'{head} font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
