"""Which function answers which button, form and command, and how bolt learns of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.admission import Middleware
from bots.slack.client.errors import log_unexpected
from bots.slack.context import SlackContext
from bots.slack.payloads import (
    ButtonPress,
    FormSubmission,
    HomeOpened,
    Request,
    SlashCommand,
    read_request,
)
from bots.slack.responses import Responder, Response
from complaints.actors import Actor

Pattern = str | re.Pattern[str]
PressListener = Callable[[ButtonPress, Actor, SlackContext], Awaitable[Response]]
FormListener = Callable[[FormSubmission, Actor, SlackContext], Awaitable[Response]]
CommandListener = Callable[[SlashCommand, Actor, SlackContext], Awaitable[Response]]
DisplayListener = Callable[[ButtonPress, SlackContext], Awaitable[Response]]
HomeListener = Callable[[HomeOpened, SlackContext], Awaitable[Response]]
#: A listener of any of these kinds; the actor is None for a listener without admission.
Listener = Callable[[Any, Any, SlackContext], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """A listener and the action, callback id or word that it answers; `admits`: only for people with a role."""

    pattern: Pattern
    listener: Listener
    admits: bool = True

    def matches(self, name: str) -> bool:
        """Does it answer this name? A pattern answers every name in which it is found."""
        if isinstance(self.pattern, str):
            return self.pattern == name
        return self.pattern.search(name) is not None


class Router:
    """The listeners of one module; among several that match the first one listed answers."""

    def __init__(self) -> None:
        self.actions: list[Route] = []
        self.views: list[Route] = []
        self.commands: list[Route] = []
        self.home_events: list[Route] = []

    def action(self, *patterns: Pattern) -> Callable[[PressListener], PressListener]:
        """A button or a menu choice, by its action id, pressed by a person with a role."""

        def register(listener: PressListener) -> PressListener:
            self.actions += [Route(pattern, listener) for pattern in patterns]
            return listener

        return register

    def display_action(self, *patterns: Pattern) -> Callable[[DisplayListener], DisplayListener]:
        """A button that changes only what is shown to the person who pressed it; no role is asked for."""

        def register(listener: DisplayListener) -> DisplayListener:
            async def shown(press: ButtonPress, _: None, slack: SlackContext) -> Response:
                return await listener(press, slack)

            self.actions += [Route(pattern, shown, admits=False) for pattern in patterns]
            return listener

        return register

    def view(self, *patterns: Pattern) -> Callable[[FormListener], FormListener]:
        """A submitted view, by its callback id."""

        def register(listener: FormListener) -> FormListener:
            self.views += [Route(pattern, listener) for pattern in patterns]
            return listener

        return register

    def command(self, *words: Pattern) -> Callable[[CommandListener], CommandListener]:
        """A word of the slash command."""

        def register(listener: CommandListener) -> CommandListener:
            self.commands += [Route(word, listener) for word in words]
            return listener

        return register

    def other_command(self, listener: CommandListener) -> CommandListener:
        """Any word of the slash command that no other listener answers."""
        self.commands.append(Route(re.compile(""), listener))
        return listener

    def home(self, listener: HomeListener) -> HomeListener:
        """A person opened the app's home."""

        async def shown(opened: HomeOpened, _: None, slack: SlackContext) -> Response:
            return await listener(opened, slack)

        self.home_events.append(Route("app_home_opened", shown, admits=False))
        return listener

    @classmethod
    def joined(cls, routers: Iterable[Router]) -> Router:
        """All routes of these routers, in their order."""
        whole = cls()
        for router in routers:
            whole.actions += router.actions
            whole.views += router.views
            whole.commands += router.commands
            whole.home_events += router.home_events
        return whole

    @property
    def words(self) -> frozenset[str]:
        """The words of the slash command that have a listener of their own."""
        return frozenset(route.pattern for route in self.commands if isinstance(route.pattern, str))

    def listener(self, request: Request) -> Listener:
        """The listener of a payload."""
        match request:
            case ButtonPress():
                routes, name = self.actions, request.action
            case FormSubmission():
                routes, name = self.views, request.callback
            case SlashCommand():
                routes, name = self.commands, request.word
            case HomeOpened():
                routes, name = self.home_events, "app_home_opened"
        return next(route.listener for route in routes if route.matches(name))


def register_router(
    app: AsyncApp,
    router: Router,
    slack: SlackContext,
    client: AsyncWebClient,
    admit: Middleware,
    *,
    command: str,
    shortcuts: Iterable[str],
) -> None:
    """Give a router's listeners to bolt: `command` takes all words, `shortcuts` are read as a ButtonPress."""

    async def answer(ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        request, actor = read_request(body), context.get("actor")
        responder = Responder(slack, client, ack, request)
        try:
            response = await router.listener(request)(request, actor, slack)
            await responder.deliver(response, actor)
        except Exception as error:
            # Not left to bolt, which forgets an acknowledgement when a listener fails after it.
            await responder.answer_or_log(error)
            context["failure_answered"] = True
            if ack.response is None:
                raise

    for route in router.actions:
        app.action(route.pattern, middleware=[admit] if route.admits else [])(answer)
    for route in router.views:
        app.view(route.pattern, middleware=[admit])(answer)
    for shortcut in shortcuts:
        app.shortcut(shortcut, middleware=[admit])(answer)
    app.command(command, middleware=[admit])(answer)
    for route in router.home_events:
        app.event(str(route.pattern))(answer)


def failure_handler(
    slack: SlackContext, client: AsyncWebClient
) -> Callable[..., Awaitable[BoltResponse | None]]:
    """Bolt's error handler: what the admission raises is answered in the same way as what a listener raises."""

    async def failed(
        error: Exception, body: Mapping[str, Any], ack: AsyncAck, context: AsyncBoltContext
    ) -> BoltResponse | None:
        if context.get("failure_answered"):
            return None
        try:
            request = read_request(body)
        except KeyError:
            log_unexpected("payload", error)
            return None
        await Responder(slack, client, ack, request).answer_or_log(error)
        # Handed on, for bolt would answer 500 in spite of the acknowledgement.
        return ack.response

    return failed
