"""Who may act in Slack, and which function answers which button, form and command."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client.client import log_unexpected
from bots.slack.context import SlackContext
from bots.slack.payloads import (
    ButtonPress,
    DirectMessage,
    FormSubmission,
    HomeOpened,
    Request,
    SlashCommand,
    named_workspaces,
    pressed_card,
    read_request,
)
from bots.slack.responses import Responder, Response
from complaints.actors import Actor
from complaints.errors import NotAllowed

Pattern = str | re.Pattern[str]
PressListener = Callable[[ButtonPress, Actor, SlackContext], Awaitable[Response]]
FormListener = Callable[[FormSubmission, Actor, SlackContext], Awaitable[Response]]
CommandListener = Callable[[SlashCommand, Actor, SlackContext], Awaitable[Response]]
DisplayListener = Callable[[ButtonPress, SlackContext], Awaitable[Response]]
HomeListener = Callable[[HomeOpened, SlackContext], Awaitable[Response]]
MessageListener = Callable[[DirectMessage, SlackContext], Awaitable[Response]]
AnyListener = TypeVar("AnyListener", bound=Callable[..., Awaitable[Response]])
#: Bolt's middleware; its last argument calls the listener.
Middleware = Callable[..., Awaitable[BoltResponse | None]]


def admission(slack: SlackContext, own_team: str | None, words: Collection[str]) -> Middleware:
    """Middleware that puts who acts into bolt's context as `actor`, with the roles of this moment (4.7).

    `words` are the words that the command knows. The middleware raises NotAllowed, once the attempt is recorded, for
    people of other workspaces and for people without a role.
    """

    async def admit(
        body: Mapping[str, Any], context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> None:
        request = read_request(body)
        actor = await slack.actor(request.member_id)
        foreign = named_workspaces(body) - {own_team} if own_team is not None else set()
        if foreign or not actor.roles:
            ref, attempt = _attempt(request, words)
            async with slack.refusals_recorded(ref, attempt, actor):
                raise NotAllowed.worded("not_open_to_you")
        context["actor"] = actor
        await next_()

    return admit


def _attempt(request: Request, words: Collection[str]) -> tuple[str | None, str]:
    if isinstance(request, SlashCommand):
        # Any other word may be a person's name or number, which the list of attempts must not hold.
        return None, f"command {request.word if request.word in words else 'unknown'}"
    return request.case_ref, request.attempt


@dataclass(frozen=True)
class Route:
    """A listener and the action, callback id or word that it answers.

    With `admits` it answers only people with a role, and is called with the actor too.
    """

    pattern: Pattern
    listener: Callable[..., Awaitable[Response]]
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
        self.events: list[Route] = []

    def action(self, *patterns: Pattern) -> Callable[[PressListener], PressListener]:
        """A button or a menu choice, by its action id, pressed by a person with a role."""
        return _register(self.actions, patterns)

    def display_action(self, *patterns: Pattern) -> Callable[[DisplayListener], DisplayListener]:
        """A button that changes only what is shown to the person who pressed it; no role is asked for."""
        return _register(self.actions, patterns, admits=False)

    def view(self, *patterns: Pattern) -> Callable[[FormListener], FormListener]:
        return _register(self.views, patterns)

    def command(self, *words: Pattern) -> Callable[[CommandListener], CommandListener]:
        return _register(self.commands, words)

    def other_command(self, listener: CommandListener) -> CommandListener:
        """Any word of the slash command that no other listener answers."""
        return self.command(re.compile(""))(listener)

    def home(self, listener: HomeListener) -> HomeListener:
        return _register(self.events, ("app_home_opened",), admits=False)(listener)

    def message(self, listener: MessageListener) -> MessageListener:
        """A message in the direct messages with the app; the act that follows asks for the right."""
        return _register(self.events, ("message",), admits=False)(listener)

    @classmethod
    def joined(cls, routers: Iterable[Router]) -> Router:
        """All routes of these routers, in their order."""
        whole = cls()
        for router in routers:
            whole.actions += router.actions
            whole.views += router.views
            whole.commands += router.commands
            whole.events += router.events
        return whole

    @property
    def words(self) -> frozenset[str]:
        """The words of the slash command that have a listener of their own."""
        return frozenset(route.pattern for route in self.commands if isinstance(route.pattern, str))

    def route(self, request: Request) -> Route:
        match request:
            case ButtonPress():
                routes, name = self.actions, request.action
            case FormSubmission():
                routes, name = self.views, request.callback
            case SlashCommand():
                routes, name = self.commands, request.word
            case HomeOpened():
                routes, name = self.events, "app_home_opened"
            case DirectMessage():
                routes, name = self.events, "message"
        return next(route for route in routes if route.matches(name))


def _register(
    routes: list[Route], patterns: Iterable[Pattern], *, admits: bool = True
) -> Callable[[AnyListener], AnyListener]:
    def register(listener: AnyListener) -> AnyListener:
        routes.extend(Route(pattern, listener, admits) for pattern in patterns)
        return listener

    return register


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
            route = router.route(request)
            arguments = (request, actor, slack) if route.admits else (request, slack)
            pressed = pressed_card(request)
            with slack.presses.in_progress(pressed[0]) if pressed else nullcontext():
                response = await route.listener(*arguments)
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
    for route in router.events:
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
