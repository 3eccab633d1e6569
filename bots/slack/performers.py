"""The duties that Slack performs, by kind, as the scheduler gets them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.priority_lock import ShutdownWait
from bots.slack.by_voice import ByVoice
from bots.slack.desk import Desk
from bots.slack.digest import Digests
from bots.slack.direct import Direct
from bots.slack.drawing import Drawing
from bots.slack.filing import Filing
from bots.slack.home import Home
from bots.slack.incident_duties import IncidentDuties
from bots.slack.moving import Moves
from bots.slack.pace import Pacer, Turn, Wait, in_turn
from bots.slack.posting import NETWORK, Poster, outcome_of
from bots.slack.reminding import Reminding
from bots.slack.reporting import Reporting
from bots.slack.threading import Threading
from store.outbox.outcomes import Completed, Outcome
from store.values import Obligation

Performer = Callable[[Obligation], Awaitable[Outcome]]

#: Slack takes about one message a second in each channel.
PACE = 1.0


def performers(
    desk: Desk, client: AsyncWebClient, *, pace: float = PACE, waiting: ShutdownWait | None = None
) -> dict[str, Performer]:
    """`{kind: performer}`; `pace` is the time in seconds between two posts in one channel."""
    poster = Poster(desk, client)
    pacer = Pacer(desk.store, pace, waiting or ShutdownWait()) if pace > 0 else None
    drawing, filing = Drawing(poster), Filing(poster)
    direct = Direct(poster)
    reporting, digests, moves = Reporting(filing), Digests(poster), Moves(poster)
    incidents = IncidentDuties(poster)

    async def tell(owed: Obligation) -> Outcome:
        said = owed.payload
        try:
            await poster.whisper(
                said["channel"], said["user"], said["text"], said.get("thread"), blocks=said.get("blocks")
            )
        except (SlackApiError, Wait, *NETWORK) as failure:
            return outcome_of(failure)
        return Completed()

    async def home(owed: Obligation) -> Outcome:
        await Home(desk, client).draw(str(owed.facts["member"]))
        return Completed()

    kinds: dict[str, Performer] = {
        "home": home,
        "card": drawing.card,
        "redraw": drawing.redraw,
        "thread": Threading(poster).thread,
        "page": direct.page,
        "remind": Reminding(direct).remind,
        "told_owner": direct.told_owner,
        "ask_approval": direct.ask_approval,
        "told_overturned": direct.told_overturned,
        "told_failed": direct.told_failed,
        "tell": tell,
        "tell_by_voice": ByVoice(direct).ask,
        "incident_card": incidents.card,
        "incident_update": incidents.update,
        "digest": digests.digest,
        "message": digests.message,
        "move": moves.move,
        "stats": reporting.stats,
        "clauses": reporting.clauses,
        "report": reporting.report,
        "slack_file": filing.send,
        "slack_file_delete": filing.delete,
    }
    return {kind: _answering(perform, pacer) for kind, perform in kinds.items()}


def _answering(perform: Performer, pacer: Pacer | None) -> Performer:
    """A performer whose calls wait for their turn, and whose Slack failures become outcomes wherever they happen."""

    async def performed(owed: Obligation) -> Outcome:
        try:
            with in_turn(Turn(pacer, owed.lane) if pacer is not None else None):
                return await perform(owed)
        except (SlackApiError, Wait, *NETWORK) as failure:
            return outcome_of(failure)

    return performed
