"""The Slack app: slack-bolt with all listeners, for Socket Mode or HTTP."""

import logging
import re

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import conversation, register_acts
from bots.slack.batches import bulk_acts, change_letter
from bots.slack.client.client import SlackClient, make_client
from bots.slack.client.refused_blocks import BlockSupport
from bots.slack.context import SlackContext
from bots.slack.incidents import incident_decision, incident_forms
from bots.slack.listeners import (
    caller_check,
    case_buttons,
    desk_settings,
    log_complaint,
    owner_requests,
    search_view,
    slash_commands,
    submitted_forms,
)
from bots.slack.router import Router, admission, failure_handler, register_router
from bots.slack.views.form_modals import NOTICE

COMMAND = "/complaints"
SHORTCUTS = ("log_complaint", "log_from_message")
#: The first listener that matches answers: `commands` comes last, for it answers every word.
LISTENERS = (
    owner_requests,
    change_letter,
    register_acts,
    conversation,
    case_buttons,
    submitted_forms,
    log_complaint,
    caller_check,
    bulk_acts,
    incident_forms,
    desk_settings,
    incident_decision,
    search_view,
    slash_commands,
)
log = logging.getLogger("amends.slack.bolt")


async def build_app(
    slack: SlackContext, client: AsyncWebClient, *, signing_secret: str | None = None
) -> AsyncApp:
    """The app, ready for `connection.connect` or `connection.http_handler`.

    Asks Slack once who we are (auth.test): raises SlackApiError for a wrong token. `signing_secret` is needed only
    for HTTP. The listeners use `client`, never bolt's copy of it, which ignores NO_PROXY.
    """
    identity = await client.auth_test()
    own_team = identity.get("team_id")

    async def authorize(team_id: str | None = None) -> AuthorizeResult:
        # Without a result bolt answers nothing: people of other workspaces are refused by the admission.
        return AuthorizeResult(
            enterprise_id=None,
            team_id=own_team,
            bot_id=identity.get("bot_id"),
            bot_user_id=identity.get("user_id"),
            bot_token=client.token,
        )

    if isinstance(client, SlackClient):
        client.plain_notice = slack.texts.text("modal.plain")
        client.support = BlockSupport(slack.store, str(own_team))
    app = AsyncApp(
        # Without a name, bolt reads the source files of every caller on the stack: 50 ms.
        name="amends",
        # No listener uses bolt's own client, so it needs no token.
        client=make_client(None, client.base_url, proxy=client.proxy),
        authorize=authorize,
        signing_secret=signing_secret,
        logger=log,
        request_verification_enabled=signing_secret is not None,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    register_listeners(app, slack, client, own_team)
    return app


def register_listeners(
    app: AsyncApp, slack: SlackContext, client: AsyncWebClient, own_team: str | None
) -> None:
    """Give bolt every listener, the admission before them and the one answer to failures."""
    router = Router.joined(module.router for module in LISTENERS)
    admit = admission(slack, own_team, router.words)
    register_router(app, router, slack, client, admit, command=COMMAND, shortcuts=SHORTCUTS)
    app.error(failure_handler(slack, client))
    # An input that acts only with its form, and a view that only says something.
    app.action("value")(_only_acknowledge)
    app.view(NOTICE)(_only_acknowledge)
    # Messages in channels and their threads never become part of the record. An event to which the app was
    # subscribed by hand is acknowledged, because Slack would send it three more times and count it as failed.
    app.event(re.compile(""))(_only_acknowledge)
    # A button of another release: Slack would show a warning next to it. An unknown form stays unanswered: if it
    # were acknowledged, it would close as if its words were kept.
    app.action(re.compile(""))(_only_acknowledge)


async def _only_acknowledge(ack: AsyncAck) -> None:
    await ack()
