"""The morning digest: one direct message each working day instead of a reminder for each due time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bots.slack.client.block_kit import (
    MESSAGE_BLOCKS,
    Block,
    SlackMessage,
    context,
    header,
    mention,
    section,
    sections,
)
from bots.slack.client.refused_blocks import data_table
from bots.slack.jobs.post import Poster, post_once
from bots.slack.recipients import member_actor, present_members, proposed_owners, substitutes
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.command_replies import drift_line
from bots.slack.views.home import case_cells, case_row, failed_line, list_heading
from bots.slack.views.proposal_blocks import cluster_lines
from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.deadlines.opening_hours import is_working, opening_time, working_day_from
from complaints.deadlines.working_time import before
from complaints.obligations.reminders import TOP_AFTER_DAYS
from complaints.rulebook import Calendar
from complaints.similarity import SimilarCluster
from complaints.times import MINUTES_A_DAY, at_minute, local_time
from complaints.vocabulary import Role
from store.models.models import load_active_model, load_last_run
from store.models.training_examples import list_assessed_proposals
from store.outbox.complete import Completed, Outcome
from store.outbox.deliveries import list_failed_obligations
from store.people.staff import list_members, load_member
from store.proof.log import SavedCheckpoint, latest_checkpoint
from store.record.measured import count_alarms
from store.record.worklists import (
    CaseChanges,
    Worklist,
    WorklistSection,
    count_open_by_owner,
    list_changes_since,
    load_worklist,
)
from store.rulebooks import load_current_rulebook
from store.similarity.similar import list_similar_clusters
from store.store import Store
from store.values import FailedObligation, Member, Obligation
from triage.processes.child_process import compute

if TYPE_CHECKING:
    from triage.learning.drift import DriftWarning

#: Begins the name of a part: the complaints of an absent member for this substitute.
FOR_ABSENT = "for:"
#: Rows of each part; the home shows all of them.
ROWS_OF_A_PART = 8
#: Parts with a paragraph of their own; more are joined. The rest of the message is for managers.
MOST_PARTS = MESSAGE_BLOCKS - 9
#: Complaints without an owner that are proposed to present members, the next due first.
MAX_PROPOSED = 50
#: Hexadecimal digits of the log's root: 64 bits, too many to find another log with the same ones.
SHORT_HEAD = 16


@dataclass(frozen=True)
class ModelNews:
    """What managers need to know of the model (docs/decisions/0060-quality-gate-for-new-models.md).

    `turned_away`: the newest candidate was rejected, so an older model stays in use. `made_anew`: so it was, and the
    model in use was trained again without erased words.
    """

    turned_away: bool = False
    made_anew: bool = False
    drifts: tuple[DriftWarning, ...] = ()


NO_NEWS = ModelNews()


@dataclass(frozen=True)
class DigestContent:
    """The digest of one person: the parts by the id of their heading, in the order shown."""

    parts: Mapping[str, Worklist]
    #: Similar complaints to look at together; only for managers.
    clusters: tuple[SimilarCluster, ...] = ()
    #: Failed obligations that still wait for a person; only for managers.
    failed: tuple[FailedObligation, ...] = ()
    #: The proposed owner of each complaint without one, by reference.
    proposed: Mapping[str, str] = field(default_factory=dict)
    #: After an absence: what others did, by complaint.
    changes: tuple[CaseChanges, ...] = ()
    #: Only for managers.
    model: ModelNews = NO_NEWS
    #: How often danger paged people or asked for a look; only for managers.
    alarms: Mapping[str, int] = field(default_factory=dict)
    #: The newest checkpoint, to compare the record with later; only for managers.
    checkpoint: SavedCheckpoint | None = None

    @property
    def is_empty(self) -> bool:
        extras = self.clusters or self.failed or self.changes or self.model != NO_NEWS
        return not extras and not any(page.count for page in self.parts.values())


class DigestJobs:
    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.slack = poster.slack

    async def digest(self, obligation: Obligation) -> Outcome:
        """`digest:<day>:<member>`: only on that day, to a present member, if there is anything to send."""
        slack, store, now = self.slack, self.slack.store, self.slack.store.now()
        member = await store.aread(load_member, str(obligation.facts["member"]))
        rules = await store.aread(load_current_rulebook)
        zone = rules.calendar.zone
        today = local_time(now, zone).date()
        if (
            member is None
            or not member.roles
            or member.is_away(now)
            or today.isoformat() != obligation.facts["day"]
            # After a stop that lasted until the evening, tomorrow's digest has it all.
            or not is_working(now, rules.calendar)
        ):
            return Completed()
        actor = member_actor(member)
        content = await self._content(actor, today, rules.calendar)
        since = absent_since(member, now, rules.calendar)
        if since is not None:
            changes = await store.aread(list_changes_since, actor, since, ROWS_OF_A_PART)
            content = replace(content, changes=changes)
        if content.is_empty:
            return Completed()
        message = digest_message(content, slack.texts, now, zone)
        return await post_once(self.poster, obligation, member.id, message)

    async def message(self, obligation: Obligation) -> Outcome:
        """`message`: a short message to one person, once."""
        payload = obligation.payload
        message = SlackMessage(str(payload["text"]), payload.get("blocks") or [])
        return await post_once(self.poster, obligation, str(payload["member"]), message)

    async def _content(self, actor: Actor, today: date, calendar: Calendar) -> DigestContent:
        """What this person needs to know this morning, including the next working day (`-1bd`)."""
        store, now = self.slack.store, self.slack.store.now()
        tonight = end_of_day(today, calendar)
        next_night = end_of_day(working_day_from(today + timedelta(days=1), calendar), calendar)
        manages = is_allowed(None, Access.MANAGE, actor)
        members = await store.aread(list_members)

        async def page(
            section: WorklistSection,
            since: datetime | None = None,
            until: datetime | None = None,
            owner: str | None = None,
            overdue_before: datetime | None = None,
        ) -> Worklist:
            return await store.aread(
                load_worklist,
                section,
                actor,
                owner=owner,
                due_from=since,
                due_before=until,
                slow_before=overdue_before,
                limit=ROWS_OF_A_PART,
            )

        parts: dict[str, Worklist] = {}
        if manages:
            overdue_before = _slow_limit(actor, members, now, calendar)
            parts["overdue"] = await page(WorklistSection.OVERDUE, overdue_before=overdue_before)
        else:
            parts["late"] = await page(WorklistSection.MINE, None, now)
        parts["today"] = await page(WorklistSection.MINE, now, tonight)
        parts["next"] = await page(WorklistSection.MINE, tonight, next_night)
        for member in members:
            if member.is_away(now) and actor.id in substitutes(member.id, members, now):
                own = await page(WorklistSection.MINE, None, tonight, member.id)
                parts[f"{FOR_ABSENT}{member.id}"] = own
        parts["unassigned"] = await page(WorklistSection.UNASSIGNED)
        parts["waiting"] = await page(WorklistSection.WAITING)
        parts["unchecked"] = await page(WorklistSection.UNCHECKED)
        unassigned = await store.aread(load_worklist, WorklistSection.UNASSIGNED, actor, limit=MAX_PROPOSED)
        loads = await store.aread(count_open_by_owner)
        return DigestContent(
            parts,
            clusters=await store.aread(list_similar_clusters, actor) if manages else (),
            failed=await store.aread(list_failed_obligations, actor, ROWS_OF_A_PART) if manages else (),
            proposed=proposed_owners(unassigned.cases, members, loads, now),
            model=await store.in_thread(model_news, store) if manages else NO_NEWS,
            alarms=await store.aread(count_alarms) if manages else {},
            checkpoint=await store.aread(latest_checkpoint) if manages else None,
        )


def _slow_limit(
    actor: Actor, members: Sequence[Member], now: datetime, calendar: Calendar
) -> datetime | None:
    """Top management reads of P3 and P4 only what was overdue before this time, while a manager is present."""
    managers = (member for member in present_members(members, now) if Role.MANAGER in member.roles)
    if actor.has(Role.MANAGER) or not any(managers):
        return None
    return before(now, f"-{TOP_AFTER_DAYS} bd", calendar).at


def absent_since(member: Member, now: datetime, calendar: Calendar) -> datetime | None:
    """When the absence began, on the first working morning after it; otherwise None."""
    last_working_day = working_day_from(
        local_time(now, calendar.zone).date() - timedelta(days=1), calendar, -1
    )
    opened_at = opening_time(last_working_day, calendar)
    return min(
        (absence.since for absence in member.absences if opened_at < absence.until <= now), default=None
    )


def end_of_day(day: date, calendar: Calendar) -> datetime:
    """What is due on this day is due before this time; a closing time of 24:00 belongs to the day that ends."""
    return at_minute(day, MINUTES_A_DAY, calendar.zone) + timedelta(seconds=1)


def digest_message(content: DigestContent, texts: StaffTexts, now: datetime, zone: str) -> SlackMessage:
    """The message: headings with counts, a few rows of each, and the way to the rest."""
    title = texts.text("digest.title")
    blocks: list[Block] = []
    headings, cells = list[str](), list[Sequence[str]]()

    def add(heading: str, rows: Sequence[str]) -> None:
        headings.append(heading)
        blocks.append(section("\n".join([f"*{heading}*", *rows])))

    for name, page in content.parts.items():
        if page.count:
            heading = part_heading(name, page, texts)
            proposed = [_proposed(case, name, content, texts) for case in page.cases]
            rows = [
                " · ".join(filter(None, (case_row(case, texts, now), owner)))
                for case, owner in zip(page.cases, proposed, strict=True)
            ]
            more = texts.text("digest.more", number=page.more)
            add(heading, [*rows, *([f"_{more}_"] if page.more else [])])
            for case, owner in zip(page.cases, proposed, strict=True):
                ref, state, priority, own, due = case_cells(case, texts, now).values()
                cells.append((heading, ref, state, priority, owner or own, due))
            cells += [(heading, more, "", "", "", "")] if page.more else []
    if cells:
        if len(blocks) > MOST_PARTS:
            lines = (line for block in blocks for line in block["text"]["text"].splitlines())
            blocks = sections(lines)[:MOST_PARTS]
        names = ("table.list", "table.ref", "table.state", "table.priority", "search.owner", "table.due")
        head = [texts.text(name) for name in names]
        blocks = data_table(texts.text("list.title"), head, cells, plain=blocks)
    blocks.insert(0, header(title))
    if content.clusters:
        heading = f"{texts.text('digest.clusters')} ({len(content.clusters)})"
        add(heading, cluster_lines(content.clusters, texts))
    if content.changes:
        rows = [_changes_line(changes, texts, now) for changes in content.changes]
        add(f"{texts.text('digest.happened')} ({len(rows)})", rows)
    if content.failed:
        rows = [failed_line(failed, texts, zone) for failed in content.failed]
        add(f"{texts.text('stuck.title')} ({len(rows)})", rows)
    if rows := model_lines(content.model, texts):
        add(texts.text("digest.model"), rows)
    if complaints := content.alarms.get("complaints"):
        # Per 1,000 is ten times the percentage.
        rates = {f"{kind}_rate": texts.percent(10 * n / complaints) for kind, n in content.alarms.items()}
        blocks.append(context(texts.text("digest.alarms", **content.alarms, **rates)))
    if (newest := content.checkpoint) is not None:
        short = f"{newest.size}:{newest.root.hex()[:SHORT_HEAD]}"
        blocks.append(context(texts.text("digest.log_head", size=newest.size, head=short)))
    blocks.append(context(texts.text("digest.home")))
    return SlackMessage(f"{title}: {', '.join(headings)}", blocks)


def _proposed(case: Case, part: str, content: DigestContent, texts: StaffTexts) -> str:
    """The proposed owner of a complaint without one; otherwise nothing."""
    owner = content.proposed.get(case.ref) if part == WorklistSection.UNASSIGNED else None
    return "" if owner is None else texts.text("digest.proposed", who=mention(owner))


def _changes_line(changes: CaseChanges, texts: StaffTexts, now: datetime) -> str:
    """`A7K-M3Q-9T · …: Reply, Decision (5)`."""
    acts = ", ".join(texts.text(f"did.{verb}") for verb in changes.verbs[:ROWS_OF_A_PART])
    row = case_row(changes.case, texts, now)
    return texts.count("digest.meanwhile", changes.count, row=row, acts=acts)


def part_heading(name: str, page: Worklist, texts: StaffTexts) -> str:
    """`Due today (3)`."""
    if name in set(WorklistSection):
        return list_heading(WorklistSection(name), page.count, texts)
    if name.startswith(FOR_ABSENT):
        return f"{texts.text('digest.for', who=mention(name.removeprefix(FOR_ABSENT)))} ({page.count})"
    return f"{texts.text(f'digest.{name}')} ({page.count})"


def model_news(store: Store) -> ModelNews:
    """The news as of now; repeated until a better model is accepted or people and the model agree again."""
    run = store.read(load_last_run)
    is_rejected, is_retrained = (False, False) if run is None else (not run.passes, run.made_anew)
    return ModelNews(is_rejected, is_retrained, tuple(drifts_in(store)))


def drifts_in(store: Store) -> Sequence[DriftWarning]:
    """Where the model and the people who assess disagree more than before."""
    from triage.learning.drift import ASSESSMENTS_READ, find_drift_in_record

    active = store.read(load_active_model)
    card = None if active is None else active[1]
    return compute(find_drift_in_record, store.read(list_assessed_proposals, ASSESSMENTS_READ), card)


def model_lines(news: ModelNews, texts: StaffTexts) -> list[str]:
    lines = [f"⚠️ {texts.text('digest.turned_away')}"] if news.turned_away else []
    lines += [f"⚠️ {texts.text('digest.made_anew')}"] if news.made_anew else []
    return lines + [drift_line(drift, texts) for drift in news.drifts]
