"""Who may act in Slack: members of our own workspace with a role, looked up for every single act (4.7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.context.async_context import AsyncBoltContext

from bots.slack.context import SlackContext
from bots.slack.payloads import Request, SlashCommand, named_workspaces, read_request
from complaints.actors import Actor
from complaints.errors import NotAllowed
from store.record.refused_attempts import record_refused_attempt

#: Bolt's middleware; its last argument calls the listener.
Middleware = Callable[..., Awaitable[BoltResponse | None]]


def admission(slack: SlackContext, own_team: str | None, words: Collection[str]) -> Middleware:
    """Middleware that puts who acts into bolt's context as `actor`.

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
            refusal = NotAllowed(
                "You have no role in the complaints desk: ask a manager.", code="not_open_to_you"
            )
            await record_refusal(slack, _case_ref(request), _attempt(request, words), actor, refusal)
            raise refusal
        context["actor"] = actor
        await next_()

    return admit


def _attempt(request: Request, words: Collection[str]) -> str:
    if isinstance(request, SlashCommand):
        # Any other word may be a person's name or number, which the list of attempts must not hold.
        return f"command {request.word if request.word in words else 'unknown'}"
    return request.attempt


def _case_ref(request: Request) -> str | None:
    return None if isinstance(request, SlashCommand) else request.case_ref


@asynccontextmanager
async def refusals_recorded(
    slack: SlackContext, ref: str | None, attempt: str, actor: Actor
) -> AsyncIterator[None]:
    """Record a NotAllowed that is raised inside, for the rights that are checked before the store sees the act."""
    try:
        yield
    except NotAllowed as refusal:
        await record_refusal(slack, ref, attempt, actor, refusal)
        raise


async def record_refusal(
    slack: SlackContext, ref: str | None, attempt: str, actor: Actor, refusal: NotAllowed
) -> None:
    """The attempt stays on the record (4.7); the store itself records what it refuses."""
    await slack.store.awrite(record_refused_attempt, ref, attempt, actor, refusal.code)
