"""The morning digest: one direct message a working day instead of a ping for each due time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bots.slack import lists
from bots.slack.blocks import Block, context, header, mention, section
from bots.slack.card import Drawn
from bots.slack.desk import Desk
from bots.slack.home import heading
from bots.slack.likes import cluster_lines
from bots.slack.model_news import NO_NEWS, ModelNews, model_news, news_lines
from bots.slack.posting import Poster
from bots.slack.telling_once import say_once
from bots.slack.voice import Voice
from bots.slack.whom import stand_ins
from complaints.likeness import Cluster
from complaints.localtime import at_minute, wall
from complaints.people import Actor
from complaints.vocabulary import Role
from store.outcomes import Done, Outcome
from store.values import Obligation
from store.worklists import Section, Worklist

#: The part of somebody who is away, for whom this person stands in.
FOR = "for:"
#: Rows of each part; the home has all of them.
FEW = 8


@dataclass(frozen=True)
class Morning:
    """What is there to be said to one person: the parts by the id of their heading, in the order shown."""

    parts: Mapping[str, Worklist]
    #: Like complaints that somebody should look at together; of managers alone.
    clusters: tuple[Cluster, ...] = ()
    #: What there is to hear of the model; of managers alone.
    model: ModelNews = NO_NEWS

    @property
    def is_empty(self) -> bool:
        """Nothing to say: then nothing is said."""
        there = any(page.count for page in self.parts.values())
        return not there and not self.clusters and self.model == NO_NEWS


def digest(morning: Morning, voice: Voice, now: datetime) -> Drawn:
    """The message: headings with counts, a few rows of each, and the way to the rest."""
    title = voice.say("digest.title")
    blocks: list[Block] = [header(title)]
    counts = []
    for name, page in morning.parts.items():
        if not page.count:
            continue
        head = heading_of(name, page, voice)
        counts.append(head)
        rows = [lists.row(case, voice, now) for case in page.cases]
        if page.more:
            rows.append(f"_{voice.say('digest.more', number=page.more)}_")
        blocks.append(section("\n".join([f"*{head}*", *rows])))
    if morning.clusters:
        head = f"{voice.say('digest.clusters')} ({len(morning.clusters)})"
        counts.append(head)
        blocks.append(section("\n".join([f"*{head}*", *cluster_lines(morning.clusters, voice)])))
    if heard := news_lines(morning.model, voice):
        head = voice.say("digest.model")
        counts.append(head)
        blocks.append(section("\n".join([f"*{head}*", *heard])))
    blocks.append(context(voice.say("digest.home")))
    return Drawn(f"{title}: {', '.join(counts)}", blocks)


def heading_of(name: str, page: Worklist, voice: Voice) -> str:
    """`Due today (3)`."""
    if name in set(Section):
        return heading(Section(name), page.count, voice)
    if name.startswith(FOR):
        return f"{voice.say('digest.for', who=mention(name.removeprefix(FOR)))} ({page.count})"
    return f"{voice.say(f'digest.{name}')} ({page.count})"


class Digests:
    """Performs `digest` and `message`."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.desk: Desk = poster.desk

    async def digest(self, owed: Obligation) -> Outcome:
        """`digest:<day>:<member>`: of that day only; nobody who is away, nor who has nothing to hear."""
        desk, now = self.desk, self.desk.store.now()
        member = await desk.do(desk.store.member, str(owed.facts["member"]))
        rules = await desk.do(desk.store.current_rulebook)
        zone = rules.calendar.zone
        today = wall(now, zone).date()
        if (
            member is None
            or not member.roles
            or member.is_away(now)
            or today.isoformat() != owed.facts["day"]
        ):
            return Done()
        actor = Actor(member.id, member.roles)
        morning = await self.morning(actor, at_minute(today + timedelta(days=1), 0, zone))
        if morning.is_empty:
            return Done()
        return await say_once(self.poster, owed, member.id, digest(morning, desk.voice, now))

    async def morning(self, actor: Actor, tonight: datetime) -> Morning:
        """What this person must know this morning."""
        desk, now = self.desk, self.desk.store.now()
        work = desk.store.worklist
        manages = actor.has(Role.MANAGER, Role.TOP_MANAGEMENT)

        async def page(
            one: Section,
            since: datetime | None = None,
            until: datetime | None = None,
            owner: str | None = None,
        ) -> Worklist:
            return await desk.do(work, one, actor, owner=owner, due_from=since, due_before=until, limit=FEW)

        members = await desk.do(desk.store.members)
        replaced = [
            one.id for one in members if one.is_away(now) and actor.id in stand_ins(one.id, members, now)
        ]
        return Morning(
            {
                **({"overdue": await page(Section.OVERDUE)} if manages else {}),
                **({} if manages else {"late": await page(Section.MINE, None, now)}),
                "today": await page(Section.MINE, now, tonight),
                **{f"{FOR}{one}": await page(Section.MINE, None, tonight, one) for one in replaced},
                "unassigned": await page(Section.UNASSIGNED),
                "waiting": await page(Section.WAITING),
                "unchecked": await page(Section.UNCHECKED),
            },
            await desk.do(desk.store.like_clusters, actor) if manages else (),
            await desk.do(model_news, desk.store) if manages else NO_NEWS,
        )

    async def message(self, owed: Obligation) -> Outcome:
        """`message`: a few words to one person, once."""
        said = owed.payload
        return await say_once(self.poster, owed, str(said["member"]), Drawn(str(said["text"]), []))
