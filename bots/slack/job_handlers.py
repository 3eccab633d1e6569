"""The obligations that Slack fulfils: the handler of each kind, for the scheduler."""

from collections.abc import Awaitable, Callable
from functools import partial

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.priority_lock import ShutdownWait
from bots.slack.batches import bulk_acts
from bots.slack.batches.change_letter import send_letters
from bots.slack.client.block_kit import SlackMessage, escaped
from bots.slack.client.client import NETWORK, PERMANENT, error_of
from bots.slack.client.slack_limits import RateLimitedTask, RateLimitWait, SlackRateLimiter, rate_limited
from bots.slack.context import SlackContext
from bots.slack.conversation import ConversationJobs
from bots.slack.incidents import incident_decision, incident_forms
from bots.slack.incidents.incident_card import IncidentCards
from bots.slack.jobs.case_posts import CardJobs
from bots.slack.jobs.danger_pages import PageJobs
from bots.slack.jobs.digest import DigestJobs
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.jobs.post import Poster, failure_outcome, post_once
from bots.slack.jobs.reports import ReportJobs
from bots.slack.jobs.staff_files import FileJobs
from bots.slack.jobs.staff_reminders import ReminderJobs
from bots.slack.register_acts import RegisterJobs
from bots.slack.views.home import home_view
from store.outbox.complete import Completed, Outcome
from store.proof.log import latest_checkpoint
from store.slack_posts import record_slack_key
from store.values import Obligation

JobHandler = Callable[[Obligation], Awaitable[Outcome]]

#: Slack accepts about one message a second in each channel.
POST_INTERVAL = 1.0


def job_handlers(
    slack: SlackContext,
    client: AsyncWebClient,
    *,
    interval: float = POST_INTERVAL,
    shutdown: ShutdownWait | None = None,
) -> dict[str, JobHandler]:
    """The handlers by kind; `interval` is the time between two posts in one channel in seconds, 0 for no limit."""
    poster = Poster(slack, client)
    limiter = SlackRateLimiter(slack.store, interval, shutdown or ShutdownWait()) if interval > 0 else None
    cards, files, direct = CardJobs(poster), FileJobs(poster), DirectMessageJobs(poster)
    reports, digests = ReportJobs(files), DigestJobs(poster)
    registers, talk = RegisterJobs(direct), ConversationJobs(poster)

    async def post_ephemeral(obligation: Obligation) -> Outcome:
        message = obligation.payload
        try:
            await client.chat_postEphemeral(
                channel=message["channel"], user=message["user"], text=message["text"],
                thread_ts=message.get("thread"), blocks=message.get("blocks"),
            )  # fmt: skip
        except SlackApiError as failure:
            if error_of(failure) not in PERMANENT:
                raise
            # Not in the channel, or it is archived: no reason to alarm a manager.
            direct = SlackMessage(str(message["text"]), message.get("blocks") or [])
            return await post_once(poster, obligation, str(message["user"]), direct)
        return Completed()

    async def draw_home(obligation: Obligation) -> Outcome:
        member_id = str(obligation.facts["member"])
        await client.views_publish(user_id=member_id, view=await home_view(slack, member_id))
        return Completed()

    async def post_checkpoint(obligation: Obligation) -> Outcome:
        channel, newest = slack.channels.proof, await slack.store.aread(latest_checkpoint)
        # After an outage several hours wait, and one post is enough.
        key = f"checkpoint:{newest.size}" if newest is not None else ""
        if channel is None or newest is None or await poster.was_tried(key):
            return Completed()
        root = newest.root.hex()
        text = slack.texts.text(
            "checkpoint.post", size=newest.size, root=root, note=escaped(newest.note, 2000)
        )
        await poster.post(channel, SlackMessage(text, []), obligation.key)
        await slack.store.awrite_with_retry(record_slack_key, key)
        return Completed()

    handlers: dict[str, JobHandler] = {
        "home": draw_home,
        "checkpoint_post": post_checkpoint,
        "card": cards.card,
        "redraw": cards.redraw,
        "thread": cards.thread,
        "slack_erase": cards.erase,
        "page": PageJobs(direct).page,
        "talk_show": talk.show,
        "talk_mark": talk.mark,
        "talk_heard": talk.heard,
        "remind": ReminderJobs(direct).remind,
        "told_owner": direct.notify_owner,
        "ask_approval": direct.ask_approval,
        "draft_settled": direct.mark_settled,
        "told_checked": direct.notify_checked,
        "ask_review": direct.ask_review,
        "told_overturned": direct.notify_overturned,
        "survey_concern": direct.notify_survey_concern,
        "told_failed": direct.notify_failed,
        "tell": post_ephemeral,
        "tell_by_voice": direct.ask_to_read_out,
        "incident_card": IncidentCards(poster).draw,
        "incident_update": partial(incident_forms.inform, slack),
        "incident_decision": partial(incident_decision.decide, slack),
        "incident_notice": partial(incident_decision.notify, direct),
        "digest": digests.digest,
        "message": digests.message,
        "move": partial(bulk_acts.move, slack),
        "bulk_inform": partial(bulk_acts.inform, slack),
        "register_reminder": registers.remind,
        "register_check": registers.check,
        "register_notice": registers.notify,
        "change_letter": partial(send_letters, direct),
        "stats": reports.stats,
        "clauses": reports.clauses,
        "report": reports.report,
        "channel_report": reports.channel_report,
        "slack_file": files.send,
        "slack_fetch": files.fetch,
        "slack_file_delete": files.delete,
    }
    return {kind: _with_rate_limit(handler, limiter) for kind, handler in handlers.items()}


def _with_rate_limit(handler: JobHandler, limiter: SlackRateLimiter | None) -> JobHandler:
    """The handler with calls that keep the rate limits; a failed call to Slack becomes its outcome."""

    async def handle(obligation: Obligation) -> Outcome:
        task = RateLimitedTask(limiter, obligation.lane) if limiter is not None else None
        try:
            with rate_limited(task):
                return await handler(obligation)
        except (SlackApiError, RateLimitWait, *NETWORK) as failure:
            return failure_outcome(failure)

    return handle
