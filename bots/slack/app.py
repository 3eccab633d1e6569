"""The Slack app: real slack-bolt with every listener of ours, for Socket Mode or HTTP."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import log_form, stage
from bots.slack.client import make_client
from bots.slack.commands import Commands
from bots.slack.desk import Desk
from bots.slack.home import Home
from bots.slack.incident_presses import IncidentPresses
from bots.slack.incident_submissions import IncidentSubmissions
from bots.slack.modals import NOTICE
from bots.slack.moving import Moving
from bots.slack.presses import Presses
from bots.slack.preview import SUFFIX
from bots.slack.submissions import Submissions
from bots.slack.taking_down import AGAIN, TakingDown
from bots.slack.telling import unexpected
from complaints.forms import FORMS

COMMAND = "/complaints"
SHORTCUTS = ("log_complaint", "log_from_message")
log = logging.getLogger("amends.slack.bolt")


async def build_app(desk: Desk, client: AsyncWebClient, *, signing_secret: str | None = None) -> AsyncApp:
    """The app, ready for `socket.connect` or `http.routes`.

    Asks Slack once who we are (auth.test): raises SlackApiError for a wrong token. `signing_secret` is needed
    for HTTP alone. The listeners use `client`, never bolt's copy of it, which forgets the proxy rule.
    """
    known = await client.auth_test()
    team = known.get("team_id")

    async def authorize(team_id: str | None = None) -> AuthorizeResult:
        # Without a result bolt answers nothing: people of other workspaces are refused by the listeners.
        return AuthorizeResult(
            enterprise_id=None,
            team_id=team,
            bot_id=known.get("bot_id"),
            bot_user_id=known.get("user_id"),
            bot_token=client.token,
        )

    app = AsyncApp(
        # The listeners never use bolt's own copies, so these need no token; the rules of `make_client` hold.
        client=make_client(None, client.base_url, proxy=client.proxy),
        authorize=authorize,
        signing_secret=signing_secret,
        logger=log,
        request_verification_enabled=signing_secret is not None,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    taking_down = TakingDown(desk, client, team)
    presses, submissions = Presses(desk, client, team), Submissions(desk, team)
    commands, home, moving = (
        Commands(desk, client, team),
        Home(desk, client, team),
        Moving(desk, client, team),
    )

    async def nothing(ack: AsyncAck) -> None:
        """A press or a closed view that asks for nothing but to be acknowledged."""
        await ack()

    async def home_opened(event: Mapping[str, Any]) -> None:
        try:
            await home.opened(event)
        except Exception as failure:  # noqa: BLE001 - logged; the person opens it again
            unexpected("home", failure)

    app.action("case.file")(presses.file)
    app.action("more")(presses.more)
    app.action("matters")(presses.matters)
    app.action(re.compile(r"^(open|due)\.(previous|next)$"))(presses.turned)
    app.action(re.compile(r"^case\."))(presses.pressed)
    app.action(re.compile(r"^incident\."))(IncidentPresses(desk, client, team).pressed)
    app.view(re.compile(r"^incident(_\w+)?$"))(IncidentSubmissions(desk, team).submitted)
    app.action(re.compile(r"^home\.page\.\d$"))(home.turned)
    app.action("outbox.retry")(home.retried)
    app.action("home.move")(moving.pressed)
    app.action(AGAIN)(taking_down.again)
    app.view(re.compile(r"^move(_preview)?$"))(moving.submitted)
    app.action("value")(nothing)
    app.view(log_form.FORM)(taking_down.submitted)
    app.view(log_form.TOLD)(taking_down.told)
    app.view(stage.CALLBACK)(stage.Stage(desk, team).submitted)
    app.view(re.compile(f"^({'|'.join(FORMS)})({SUFFIX})?$"))(submissions.submitted)
    app.view(NOTICE)(nothing)
    for callback_id in SHORTCUTS:
        app.shortcut(callback_id)(taking_down.asked)
    app.command(COMMAND)(commands.ran)
    app.event("app_home_opened")(home_opened)
    # Talk in channels and threads never becomes part of the record by itself; and an event to which the app was
    # subscribed by hand is sent three times more, and counted against the app, while nobody acknowledges it.
    app.event(re.compile(""))(nothing)
    # A button of another release: Slack would show a sign of trouble beside it. A form of one stays unanswered, for
    # else it would close as if its words were kept.
    app.action(re.compile(""))(nothing)
    app.error(_failed)
    return app


async def _failed(error: Exception) -> None:
    unexpected("listener", error)
