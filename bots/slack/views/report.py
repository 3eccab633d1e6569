"""A report as a short message: its first page, with a table and a chart where the workspace shows them (clause 8)."""

from collections.abc import Iterator, Sequence

from bots.slack.client.block_kit import Block, SlackMessage, context, escaped, header, sections
from bots.slack.client.refused_blocks import CHART_POINTS, bar_chart, data_table
from reports.document import ChartKind, Report, Table
from reports.output.outline import charts_of, clause_words, figures_table, limit_sentences, sentences
from reports.output.render_charts import number_of, short_name
from reports.output.wording import ReportTexts, in_words, period_words

#: The message is short; the PDF has the rest.
_SENTENCES, _FIGURES = 8, 30


def report_message(report: Report, texts: ReportTexts, file_line: str) -> SlackMessage:
    """Summary, key figures, one chart, and what the report cannot say; `file_line` says where the rest is."""
    title, period = in_words(report.title, texts), period_words(report, texts)
    summary = sentences(report.summary, texts)[:_SENTENCES]
    blocks: list[Block] = [header(title), context(escaped(f"{clause_words(report, texts)} · {period}"))]
    blocks += sections(f"• {escaped(line, 500)}" for line in summary)
    if report.figures:
        blocks += _figures(figures_table(report), texts)
    blocks += _chart(report, texts)
    if limits := sentences(limit_sentences(report), texts)[:_SENTENCES]:
        heading = f"*{escaped(texts.text('report.limits'))}*"
        blocks += sections([heading, *(f"• {escaped(line, 500)}" for line in limits)])
    blocks.append(context(file_line))
    return SlackMessage(f"{title}, {period}: {' '.join(summary)}"[:1000], blocks)


def _figures(table: Table, texts: ReportTexts) -> Sequence[Block]:
    head = [in_words(column.title, texts) for column in table.columns]
    rows = [[escaped(in_words(cell, texts), 150) for cell in row] for row in table.rows[:_FIGURES]]
    plain = sections(" · ".join(cell for cell in row if cell != "–") for row in rows)
    return data_table(in_words(table.title, texts), head, rows, plain=plain)


def _chart(report: Report, texts: ReportTexts) -> Iterator[Block]:
    """The first chart of counts that Slack can draw."""
    for chart, table in charts_of(report):
        if chart.kind is ChartKind.BAR and len(table.rows) <= CHART_POINTS:
            names = [short_name(cell, texts) for cell in table.column(chart.label)]
            values = map(number_of, table.column(chart.values[0]))
            numbers = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            series = next(column.title for column in table.columns if column.id == chart.values[0])
            yield from bar_chart(in_words(chart.title, texts), in_words(series, texts), numbers)
            return
