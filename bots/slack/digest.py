"""The morning digest: one direct message a working day instead of a ping for each due time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bots.slack import lists
from bots.slack.blocks import Block, context, header, mention, section
from bots.slack.card import Drawn
from bots.slack.delivered import stuck_line
from bots.slack.desk import Desk
from bots.slack.home import heading
from bots.slack.likes import cluster_lines
from bots.slack.model_news import NO_NEWS, ModelNews, model_news, news_lines
from bots.slack.posting import Poster
from bots.slack.suggesting import shared_out
from bots.slack.telling_once import say_once
from bots.slack.voice import Voice
from bots.slack.whom import present, stand_ins
from complaints.actors import Actor
from complaints.case import Case
from complaints.deadlines.local_time import MINUTES_A_DAY, at_minute, wall
from complaints.deadlines.opening_hours import is_working, opening_time, working_day_from
from complaints.deadlines.working_time import before
from complaints.obligations.reminders import TOP_AFTER_DAYS
from complaints.rulebook import Calendar
from complaints.similarity import SimilarCluster
from complaints.vocabulary import Role
from store.outbox.deliveries import list_failed_kinds
from store.outbox.outcomes import Completed, Outcome
from store.people.staff import list_members, load_member
from store.record.worklists import (
    CaseChanges,
    Worklist,
    WorklistSection,
    count_open_by_owner,
    list_events_since,
    load_worklist,
)
from store.rulebooks import load_current_rulebook
from store.similarity.similar import list_similar_clusters
from store.values import FailedObligation, Member, Obligation

#: The part of somebody who is away, for whom this person stands in.
FOR = "for:"
#: Rows of each part; the home has all of them.
FEW = 8
#: Ownerless complaints that are shared out among those who are here; the next due come first.
MOST_SHARED = 50


@dataclass(frozen=True)
class Morning:
    """What is there to be said to one person: the parts by the id of their heading, in the order shown."""

    parts: Mapping[str, Worklist]
    #: Like complaints that somebody should look at together; of managers alone.
    clusters: tuple[SimilarCluster, ...] = ()
    #: What was given up and nobody took up; of managers alone.
    stuck: tuple[FailedObligation, ...] = ()
    #: Whom each ownerless complaint is proposed to.
    proposed: Mapping[str, str] = field(default_factory=dict)
    #: After an absence: what happened meanwhile, complaint by complaint, and since when.
    happened: tuple[CaseChanges, ...] = ()
    #: What there is to hear of the model; of managers alone.
    model: ModelNews = NO_NEWS

    @property
    def is_empty(self) -> bool:
        """Nothing to say: then nothing is said."""
        more = self.clusters or self.stuck or self.happened or self.model != NO_NEWS
        return not more and not any(page.count for page in self.parts.values())


def digest(morning: Morning, voice: Voice, now: datetime, zone: str) -> Drawn:
    """The message: headings with counts, a few rows of each, and the way to the rest."""
    title = voice.say("digest.title")
    blocks: list[Block] = [header(title)]
    counts = []
    for name, page in morning.parts.items():
        if not page.count:
            continue
        head = heading_of(name, page, voice)
        counts.append(head)
        rows = [_row(case, name, morning, voice, now) for case in page.cases]
        if page.more:
            rows.append(f"_{voice.say('digest.more', number=page.more)}_")
        blocks.append(section("\n".join([f"*{head}*", *rows])))
    if morning.clusters:
        head = f"{voice.say('digest.clusters')} ({len(morning.clusters)})"
        counts.append(head)
        blocks.append(section("\n".join([f"*{head}*", *cluster_lines(morning.clusters, voice)])))
    more = (
        ("digest.happened", [_meanwhile(one, voice, now) for one in morning.happened]),
        ("stuck.title", [stuck_line(one, voice, zone) for one in morning.stuck]),
    )
    for id_, rows in more:
        if rows:
            head = f"{voice.say(id_)} ({len(rows)})"
            counts.append(head)
            blocks.append(section("\n".join([f"*{head}*", *rows])))
    if heard := news_lines(morning.model, voice):
        head = voice.say("digest.model")
        counts.append(head)
        blocks.append(section("\n".join([f"*{head}*", *heard])))
    blocks.append(context(voice.say("digest.home")))
    return Drawn(f"{title}: {', '.join(counts)}", blocks)


def _row(case: Case, part: str, morning: Morning, voice: Voice, now: datetime) -> str:
    """A line of a list; of what nobody has with whom it is proposed to."""
    said = lists.row(case, voice, now)
    whom = morning.proposed.get(case.ref) if part == WorklistSection.UNASSIGNED else None
    return said if whom is None else f"{said} · {voice.say('digest.proposed', who=mention(whom))}"


def _meanwhile(one: CaseChanges, voice: Voice, now: datetime) -> str:
    """`A7K-M3Q-9T · …: Reply, Decision (5)`."""
    acts = ", ".join(voice.say(f"did.{verb}") for verb in one.verbs[:FEW])
    return voice.count("digest.meanwhile", one.count, row=lists.row(one.case, voice, now), acts=acts)


def heading_of(name: str, page: Worklist, voice: Voice) -> str:
    """`Due today (3)`."""
    if name in set(WorklistSection):
        return heading(WorklistSection(name), page.count, voice)
    if name.startswith(FOR):
        return f"{voice.say('digest.for', who=mention(name.removeprefix(FOR)))} ({page.count})"
    return f"{voice.say(f'digest.{name}')} ({page.count})"


def returned(member: Member, now: datetime, calendar: Calendar) -> datetime | None:
    """Since when this person was away, on the first working morning after; else None."""
    if member.absent_from is None or member.absent_until is None or now < member.absent_until:
        return None
    yesterday = working_day_from(wall(now, calendar.zone).date() - timedelta(days=1), calendar, -1)
    return member.absent_from if opening_time(yesterday, calendar) < member.absent_until else None


def end_of(day: date, calendar: Calendar) -> datetime:
    """Before this what is due on this day is due; closing time at 24:00 is still of the day that it closes."""
    return at_minute(day, MINUTES_A_DAY, calendar.zone) + timedelta(seconds=1)


class Digests:
    """Performs `digest` and `message`."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.desk: Desk = poster.desk

    async def digest(self, owed: Obligation) -> Outcome:
        """`digest:<day>:<member>`: of that day only; nobody who is away, nor who has nothing to hear."""
        desk, now = self.desk, self.desk.store.now()
        member = await desk.store.aread(load_member, str(owed.facts["member"]))
        rules = await desk.store.aread(load_current_rulebook)
        zone = rules.calendar.zone
        today = wall(now, zone).date()
        if (
            member is None
            or not member.roles
            or member.is_away(now)
            or today.isoformat() != owed.facts["day"]
            # After a stop until the evening tomorrow's tells it.
            or not is_working(now, rules.calendar)
        ):
            return Completed()
        actor = Actor(member.id, member.roles)
        morning = await self.morning(actor, today, rules.calendar)
        since = returned(member, now, rules.calendar)
        if since is not None:
            happened = await desk.store.aread(list_events_since, actor, since, FEW)
            morning = replace(morning, happened=happened)
        if morning.is_empty:
            return Completed()
        return await say_once(self.poster, owed, member.id, digest(morning, desk.voice, now, zone))

    async def morning(self, actor: Actor, today: date, calendar: Calendar) -> Morning:
        """What this person must know this morning, of the next working day too: the ladder's `-1bd`."""
        tonight = end_of(today, calendar)
        following = end_of(working_day_from(today + timedelta(days=1), calendar), calendar)
        desk, now = self.desk, self.desk.store.now()
        manages = actor.has(Role.MANAGER, Role.TOP_MANAGEMENT)
        members = await desk.store.aread(list_members)

        async def page(
            one: WorklistSection,
            since: datetime | None = None,
            until: datetime | None = None,
            owner: str | None = None,
            only: datetime | None = None,
        ) -> Worklist:
            return await desk.store.aread(
                load_worklist,
                one,
                actor,
                owner=owner,
                due_from=since,
                due_before=until,
                slow_before=only,
                limit=FEW,
            )

        replaced = [
            one.id for one in members if one.is_away(now) and actor.id in stand_ins(one.id, members, now)
        ]
        # While somebody manages, of a P3 or P4 the top hears only what has been overdue for days.
        above = not actor.has(Role.MANAGER) and any(
            Role.MANAGER in one.roles for one in present(members, now)
        )
        long = before(now, f"-{TOP_AFTER_DAYS} bd", calendar).at if above else None
        ownerless = await desk.store.aread(
            load_worklist, WorklistSection.UNASSIGNED, actor, limit=MOST_SHARED
        )
        loads = await desk.store.aread(count_open_by_owner)
        return Morning(
            {
                **({"overdue": await page(WorklistSection.OVERDUE, only=long)} if manages else {}),
                **({} if manages else {"late": await page(WorklistSection.MINE, None, now)}),
                "today": await page(WorklistSection.MINE, now, tonight),
                "next": await page(WorklistSection.MINE, tonight, following),
                **{f"{FOR}{one}": await page(WorklistSection.MINE, None, tonight, one) for one in replaced},
                "unassigned": await page(WorklistSection.UNASSIGNED),
                "waiting": await page(WorklistSection.WAITING),
                "unchecked": await page(WorklistSection.UNCHECKED),
            },
            await desk.store.aread(list_similar_clusters, actor) if manages else (),
            await desk.store.aread(list_failed_kinds, actor, FEW) if manages else (),
            shared_out(ownerless.cases, members, loads, now),
            model=await desk.do(model_news, desk.store) if manages else NO_NEWS,
        )

    async def message(self, owed: Obligation) -> Outcome:
        """`message`: a few words to one person, once."""
        said = owed.payload
        return await say_once(
            self.poster, owed, str(said["member"]), Drawn(str(said["text"]), said.get("blocks") or [])
        )
