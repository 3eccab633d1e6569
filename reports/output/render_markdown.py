"""A report as a Markdown page."""

from collections.abc import Iterator, Mapping, Sequence

from reports.document import Report
from reports.output.outline import (
    OutlineChart,
    OutlineHeading,
    OutlineItems,
    OutlinePart,
    OutlineTable,
    outline,
)
from reports.output.wording import ReportTexts, in_words


def as_markdown(report: Report, texts: ReportTexts, pictures: Mapping[str, str] | None = None) -> str:
    """The whole report; `pictures` has the image files by the ids of their charts."""
    parts = (part for element in outline(report, texts) for part in _part(element, texts, pictures or {}))
    return "\n\n".join((f"# {in_words(report.title, texts)}", *parts)) + "\n"


def _part(part: OutlinePart, texts: ReportTexts, pictures: Mapping[str, str]) -> Iterator[str]:
    match part:
        case OutlineHeading():
            yield f"{'#' * (part.level + 1)} {part.words}"
        case OutlineItems():
            yield "\n".join(f"- {_line(item)}" for item in part.items)
        case OutlineTable():
            yield f"**{_line(part.title)}**"
            yield _grid(part.head, part.rows) if part.rows else texts.text("report.empty")
        case OutlineChart():
            if file := pictures.get(part.chart.id):
                yield f"![{_line(part.title)}]({file})"
        case _:
            yield _line(part.words)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(words: str) -> str:
    return _line(words).replace("|", "\\|")


def _line(words: str) -> str:
    """One line without links, pictures and HTML: what people wrote must not load anything in a reader's program."""
    return " ".join(words.split()).replace("[", "\\[").replace("<", "&lt;")
