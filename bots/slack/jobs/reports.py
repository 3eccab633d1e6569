"""Figures, reports and the clause table on request, made in a thread; a report as a short message (8)."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date

from slack_sdk.errors import SlackApiError

from bots.slack.client.block_kit import (
    MESSAGE_BLOCKS,
    Block,
    SlackMessage,
    context,
    escaped,
    header,
    pieces,
    section,
    sections,
)
from bots.slack.client.client import PERMANENT, error_of
from bots.slack.client.refused_blocks import CHART_POINTS, bar_chart, data_table
from bots.slack.jobs.digest import drifts_in
from bots.slack.jobs.post import post_once, post_once_in
from bots.slack.jobs.staff_files import FileJobs
from bots.slack.views.command_replies import stats_message
from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor
from complaints.errors import UnknownReference
from complaints.times import at_minute, local_time
from reports.document import ChartKind, Report, Table, for_channel, references, without_references
from reports.output.outline import charts_of, clause_words, figures_table, limit_sentences, sentences
from reports.output.render_charts import number_of, short_name
from reports.output.wording import ReportTexts, in_words, period_words
from reports.tally import Period
from store.cases.read import load_case
from store.outbox.complete import Completed, Failed, Outcome
from store.proof.hash_chain import record_instance_event
from store.values import Obligation

#: Limits of a report of a period before the first complaint: no channel needs it.
_NOTHING_YET = frozenset({"report.no_record", "report.before_record"})


class ReportJobs:
    def __init__(self, files: FileJobs) -> None:
        self.files = files
        self.poster = files.poster
        self.slack = files.poster.slack

    async def stats(self, obligation: Obligation) -> Outcome:
        """`stats`: the figures of the last quarter, as of now."""
        reports = self.slack.reports
        if reports is None:
            return Completed()
        drifts = await asyncio.to_thread(drifts_in, self.slack.store)
        figures = (await asyncio.to_thread(reports.build, "monitoring", None)).data
        message = stats_message(figures, self.slack.texts, reports.texts.zone, drifts)
        await self._answer(obligation, message)
        await self._record_delivery("stats")
        return Completed()

    async def clauses(self, obligation: Obligation) -> Outcome:
        """`clauses`: each clause with how it is met today."""
        if self.slack.clauses is None:
            return Completed()
        title = self.slack.texts.text("clauses.title")
        lines = await asyncio.to_thread(self.slack.clauses)
        text = "\n".join(escaped(line, 200) for line in lines)
        blocks = [header(title), *(section(piece) for piece in pieces(text))]
        await self._answer(obligation, SlackMessage(title, blocks[:MESSAGE_BLOCKS]))
        return Completed()

    async def report(self, obligation: Obligation) -> Outcome:
        """`report`: made with the rights of this moment; a person who lost them gets no report."""
        reports, facts = self.slack.reports, obligation.facts
        member_id, kind = str(facts["to"]), str(facts.get("kind", "monitoring"))
        actor = await self.slack.actor(member_id)
        if reports is None or kind not in reports.kinds or not is_allowed(None, Access.REPORT, actor):
            return Completed()
        # In a thread of its own, because counting may take seconds and would block the store's threads.
        report = await self._visible(actor, await asyncio.to_thread(reports.build, kind, None))
        message = report_message(report, reports.texts, self.slack.texts.text("report.file"))
        outcome = await post_once(self.poster, obligation, member_id, message)
        if isinstance(outcome, Completed):
            pdf = await asyncio.to_thread(reports.pdf, report)
            name = f"{kind}-{local_time(report.as_of, reports.texts.zone):%Y-%m-%d}.pdf"
            outcome = await self.files.deliver(member_id, name, pdf, self.slack.texts.text("report.here"))
        if isinstance(outcome, Completed):
            await self._record_delivery("slack", kind)
        return outcome

    async def channel_report(self, obligation: Obligation) -> Outcome:
        """`channel_report`: the short text in the channel and the PDF in its thread, each once.

        A channel has more readers than a report, so references and what single members of staff did are left out.
        """
        reports, facts = self.slack.reports, obligation.facts
        kind, channel = str(facts["report"]), str(facts["channel"])
        if reports is None or kind not in reports.kinds:
            return Failed("no such report")
        zone = reports.texts.zone
        days = (date.fromisoformat(str(facts[name])) for name in ("first", "after"))
        period = Period(*(at_minute(day, 0, zone) for day in days))
        report = for_channel(await asyncio.to_thread(reports.build, kind, period))
        if _NOTHING_YET.intersection(limit.id for limit in report.limits):
            return Completed()
        message = report_message(report, reports.texts, self.slack.texts.text("report.thread"))
        await post_once_in(self.poster, obligation, channel, message, channel)
        thread = await self.poster.find(channel, obligation.key)
        name = f"{kind}-{facts['first']}.pdf"
        if thread is None or not await self.poster.has_file(channel, thread, name):
            pdf = await asyncio.to_thread(reports.pdf, report)
            await self.files.share(channel, name, pdf, self.slack.texts.text("report.file"), thread)
        await self._record_delivery("slack", kind)
        return Completed()

    async def _record_delivery(self, format_: str, kind: str = "monitoring") -> None:
        """Only after Slack accepted it: the record shows a report that reached its reader (8.4)."""
        facts = {"report": kind, "format": format_}
        await self.slack.store.awrite(record_instance_event, "report", facts)

    async def _answer(self, obligation: Obligation, message: SlackMessage) -> None:
        """In the channel where it was requested; in the direct messages if we may not write there."""
        member_id, channel = str(obligation.facts["to"]), str(obligation.facts["channel"])
        try:
            await self.poster.client.chat_postEphemeral(
                channel=channel, user=member_id, text=message.text, blocks=message.blocks
            )
        except SlackApiError as failure:
            if error_of(failure) not in PERMANENT:
                raise
            await self.poster.post(await self.poster.conversation(member_id), message, obligation.key)

    async def _visible(self, actor: Actor, report: Report) -> Report:
        """Without references that this person may not know of; the figures still count those complaints."""
        refs = references(report)
        # Who may know of a damaged complaint cannot be read either.
        hidden = {ref for ref in refs if ref in report.damaged or not await self._may_know_of(ref, actor)}
        return without_references(report, frozenset(hidden))

    async def _may_know_of(self, ref: str, actor: Actor) -> bool:
        try:
            return is_allowed(await self.slack.store.aread(load_case, ref), Access.KNOW, actor)
        except UnknownReference:
            return False


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
