"""The ASGI application: both platforms and the page, over one world.

The simulator as one object: started in-process, driven by tests and by the demo.

The simulator as a child process, for tests that must outlive what they kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette

from simulator import seeding
from simulator.base import Call, Fault, How, Json, Limits, RealTime, SimClock, Trouble
from simulator.colleague import Colleague
from simulator.customer import Customer, GroupChat
from simulator.http import Server, listen
from simulator.page import api
from simulator.slack import api as slack_api
from simulator.slack.contract import SIGNING_SECRET, Workspace, example_workspace, state_of
from simulator.slack.socket import Link
from simulator.slack.state import Member
from simulator.telegram import api as telegram_api
from simulator.telegram import people
from simulator.telegram.state import BOT_ID, TelegramState
from simulator.telegram.updates import WebhookDelivery
from simulator.world import World


def build(world: World, link: Link | None = None) -> Starlette:
    """All routes; webhooks are delivered while the application runs."""
    link = link or Link(world)
    delivery = WebhookDelivery(world)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(delivery.run())
        try:
            yield
        finally:
            running.cancel()
            delivery.stop()
            link.stop()
            world.changes.close()
            world.telegram.arrived.set()
            await link.disconnect(say=False)
            await asyncio.gather(running, return_exceptions=True)

    return Starlette(
        routes=[*api.routes(link), *telegram_api.routes(world), *slack_api.routes(link), *link.routes()],
        lifespan=lifespan,
    )


TELEGRAM_TOKEN = f"{BOT_ID}:simulated-token-of-the-demo-bot-xx"


class Simulator:
    """`async with Simulator() as sim:` serves both platforms and the page on loopback."""

    def __init__(
        self,
        *,
        clock: SimClock | None = None,
        limits: Limits | None = None,
        workspace: Workspace | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        request_url: str | None = None,
        signing_secret: str = SIGNING_SECRET,
    ) -> None:
        self._host, self._port = host, port
        self.bot_token = TELEGRAM_TOKEN
        slack = state_of(
            workspace or example_workspace(), signing_secret=signing_secret, request_url=request_url
        )
        self.world = World(
            telegram=TelegramState(TELEGRAM_TOKEN),
            slack=slack,
            clock=clock or RealTime(),
            limits=limits or Limits(),
        )
        self.link = Link(self.world)
        self._server: Server | None = None
        self._customers: dict[str, Customer] = {}

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        listening = listen(self._host, self._port)
        self.world.url = f"http://{self._host}:{listening.getsockname()[1]}"
        self._server = Server(build(self.world, self.link), listening)
        await self._server.start()

    async def stop(self) -> None:
        """Close every line."""
        if self._server is not None:
            await self._server.stop()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def url(self) -> str:
        """The page's address."""
        return self.world.url

    @property
    def telegram_url(self) -> str:
        """The Bot API's address, without /bot."""
        return self.world.url

    @property
    def slack_url(self) -> str:
        """The Web API's address, ending in /api/."""
        return f"{self.world.url}/api/"

    @property
    def slack_bot_token(self) -> str:
        """The bot's token."""
        return self.world.slack.bot_token

    @property
    def slack_app_token(self) -> str:
        """The app-level token, for Socket Mode."""
        return self.world.slack.app_token

    @property
    def slack_signing_secret(self) -> str:
        """What requests to the app's URL are signed with."""
        return self.world.slack.signing_secret

    @property
    def trouble(self) -> Trouble:
        """The switches."""
        return self.world.trouble

    def clock_now(self) -> datetime:
        """The world's time."""
        return self.world.now()

    def customer(
        self, name: str, *, language: str = "en", met: bool = False, number: int | None = None
    ) -> Customer:
        """The customer of that name, made if new. `met`: the bot may write first; `number`: the id wanted."""
        if name not in self._customers:
            known = [
                p for p in self.world.telegram.people.values() if p.name == name and number in (None, p.id)
            ]
            person = (
                known[0] if known else people.add_person(self.world, name, language, met=met, number=number)
            )
            self._customers[name] = Customer(self.world, person)
        return self._customers[name]

    def group(self, title: str, *members: Customer) -> GroupChat:
        """A group chat with these people and the bot."""
        return GroupChat(self.world, people.add_group(self.world, title, [m.person for m in members]))

    def staff(self, member: str, name: str | None = None, role: str = "handler") -> Colleague:
        """The member of that id; a new one needs a name and comes into all public channels."""
        slack = self.world.slack
        if member not in slack.members:
            if name is None:
                raise LookupError(f"There is no member {member}: give a name to add one.")
            slack.members[member] = Member(member, name, role)
            for channel in slack.channels.values():
                if not channel.private:
                    channel.members.add(member)
        return Colleague(self.link, slack.members[member])

    async def until(
        self,
        predicate: Callable[[], object],
        timeout: float = 10,  # noqa: ASYNC109
        *,
        what: str = "",
    ) -> None:
        """Wait until the predicate is true. Raises TimeoutError with what was said so far."""
        if not await self.world.changes.until(predicate, timeout):
            raise TimeoutError(f"Not within {timeout} s: {what or 'the condition'}.\n{self.describe()}")

    async def settled(self, quiet: float = 0.05, timeout: float = 10) -> None:  # noqa: ASYNC109
        """Wait until nothing changed for `quiet` seconds and no update waits."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while (
            await self.world.changes.beyond(self.world.changes.version, quiet) or self.world.telegram.updates
        ):
            if loop.time() > deadline:
                raise TimeoutError(f"Still moving after {timeout} s.\n{self.describe()}")

    def fail_next(
        self,
        method: str,
        *,
        how: How = "answer",
        status: int | None = None,
        error: str | None = None,
        retry_after: int | None = None,
        times: int = 1,
    ) -> None:
        """Let the next calls of a method go wrong."""
        self.world.trouble.order(method, Fault(how, status, error, retry_after), times)

    async def disconnect_sockets(self, reason: str = "refresh_requested", *, say: bool = True) -> None:
        """Close Socket Mode connections, after a disconnect frame if `say`."""
        await self.link.disconnect(reason, say=say)

    def ghost(self) -> None:
        """One more Socket Mode connection that swallows what it gets; `disconnect_sockets` ends it."""
        self.link.ghost()

    def remember_post(
        self,
        channel: str,
        ts: str,
        text: str,
        *,
        blocks: list[Json] | None = None,
        thread_ts: str | None = None,
        metadata: Json | None = None,
    ) -> None:
        """A message of the app from before the simulator started, under its old ts."""
        seeding.post(self.world, channel, ts, text, blocks=blocks, thread_ts=thread_ts, metadata=metadata)

    def calls(self, method: str) -> list[Call]:
        """Every call of a method so far (getUpdates only when refused)."""
        return self.world.calls.of(method)

    @property
    def refusals(self) -> list[str]:
        """Why Slack refused blocks, views and acknowledgements so far."""
        return self.world.slack.refusals

    @property
    def breaches(self) -> list[str]:
        """What was against the platforms' written contracts so far: nothing of ours may stand here."""
        return self.world.breaches

    def describe(self) -> str:
        """Chats, posts and refusals, for messages of failing tests."""
        lines = []
        for person in self.world.telegram.people.values():
            lines += [f"-- {person.name}", *Customer(self.world, person).transcript().splitlines()[-20:]]
        for channel in self.world.slack.channels.values():
            lines += [
                f"-- #{channel.name or channel.id}",
                *[f"{p.author}: {p.text}" for p in channel.posts[-10:]],
            ]
        lines += [f"-- refused: {reason}" for reason in self.refusals[-5:]]
        refused = [c for c in self.world.calls.all if not c.answer.get("ok", True)]
        lines += [
            f"-- {c.method} -> {c.answer.get('error') or c.answer.get('description')}" for c in refused[-5:]
        ]
        return "\n".join(lines)


@contextlib.contextmanager
def start(port: int = 0) -> Iterator[dict[str, Any]]:
    """Run it; gives addresses and tokens; ends it afterwards. Raises RuntimeError if it does not start."""
    command = [sys.executable, "-m", "simulator", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        line = process.stdout.readline() if process.stdout else ""
        try:
            if not line:
                raise RuntimeError("The simulator did not start: see its messages above.")
            yield json.loads(line)
        finally:
            process.terminate()
