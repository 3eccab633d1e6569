"""The simulator: the ASGI application, the object that tests and the demo drive, and a child process with it."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Self

from starlette.applications import Starlette

from simulator.colleague import StaffMember
from simulator.customer import Customer, GroupChat
from simulator.http import Server, listen
from simulator.page import api
from simulator.slack import api as slack_api
from simulator.slack.block_kit import completed
from simulator.slack.contract import SIGNING_SECRET, Workspace, create_state, example_workspace
from simulator.slack.socket import Link
from simulator.state.slack_state import BOT_USER, Post, SlackMember
from simulator.state.telegram_state import BOT_ID, TelegramState
from simulator.state.world import Call, Fault, FaultKind, Json, Limits, RealTime, SimClock, Trouble, World
from simulator.telegram import api as telegram_api
from simulator.telegram import people
from simulator.telegram.updates import WebhookDelivery


def build(world: World, link: Link | None = None) -> Starlette:
    """The application with both platforms and the page; it delivers webhooks while it runs."""
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
            await link.disconnect(send_frame=False)
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
        slack = create_state(
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
        """Start the server. Raises OSError if the port is in use."""
        listening = listen(self._host, self._port)
        self.world.url = f"http://{self._host}:{listening.getsockname()[1]}"
        self._server = Server(build(self.world, self.link), listening)
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
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
        return self.world.slack.bot_token

    @property
    def slack_app_token(self) -> str:
        """The app-level token, for Socket Mode."""
        return self.world.slack.app_token

    @property
    def slack_signing_secret(self) -> str:
        return self.world.slack.signing_secret

    @property
    def trouble(self) -> Trouble:
        return self.world.trouble

    def clock_now(self) -> datetime:
        return self.world.now()

    def customer(
        self, name: str, *, language: str = "en", met: bool = False, number: int | None = None
    ) -> Customer:
        """The customer with this name, added if new; `met` lets the bot write first, `number` is the Telegram id."""
        if name not in self._customers:
            person = next(
                (p for p in self.world.telegram.people.values() if p.name == name and number in (None, p.id)),
                None,
            )
            if person is None:
                person = people.add_person(self.world, name, language, met=met, number=number)
            self._customers[name] = Customer(self.world, person)
        return self._customers[name]

    def group(self, title: str, *members: Customer) -> GroupChat:
        """A group chat with these people and the bot."""
        return GroupChat(self.world, people.add_group(self.world, title, [m.person for m in members]))

    def staff(self, member: str, name: str | None = None, role: str = "handler") -> StaffMember:
        """The member with this id. With a name, a new member is added, in all public channels."""
        slack = self.world.slack
        if member not in slack.members:
            if name is None:
                raise LookupError(f"There is no member {member}: give a name to add one.")
            slack.members[member] = SlackMember(member, name, role)
            for channel in slack.channels.values():
                if not channel.private:
                    channel.members.add(member)
        return StaffMember(self.link, slack.members[member])

    async def until(
        self,
        predicate: Callable[[], object],
        timeout: float = 20,  # noqa: ASYNC109
        *,
        what: str = "",
    ) -> None:
        """Wait until the predicate is true. Raises TimeoutError with the transcript so far."""
        if not await self.world.changes.wait_until(predicate, timeout):
            raise TimeoutError(f"Not within {timeout} s: {what or 'the condition'}.\n{self.describe()}")

    async def settled(self, quiet: float = 0.05, timeout: float = 10) -> None:  # noqa: ASYNC109
        """Wait until nothing changes for `quiet` seconds and no update waits. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while (
            await self.world.changes.wait_for_newer(self.world.changes.version, quiet)
            or self.world.telegram.updates
        ):
            if loop.time() > deadline:
                raise TimeoutError(f"Still moving after {timeout} s.\n{self.describe()}")

    def fail_next(
        self,
        method: str,
        *,
        how: FaultKind = "answer",
        status: int | None = None,
        error: str | None = None,
        retry_after: int | None = None,
        times: int = 1,
    ) -> None:
        """Let the next calls of a method fail; docs/simulator.md lists the faults."""
        self.world.trouble.inject(method, Fault(how, status, error, retry_after), times)

    async def disconnect_sockets(self, reason: str = "refresh_requested", *, send_frame: bool = True) -> None:
        """Close all Socket Mode connections; `send_frame` sends a disconnect frame first."""
        await self.link.disconnect(reason, send_frame=send_frame)

    def add_dead_socket(self) -> None:
        """Add a Socket Mode connection whose app died: payloads sent to it get lost until `disconnect_sockets`."""
        self.link.add_dead_socket()

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
        """Add a message of the app from before the simulator started, under its old ts.

        Raises KeyError for an unknown channel.
        """
        posts = self.world.slack.channels[channel].posts
        head = self.world.slack.channels[channel].find_post(thread_ts) if thread_ts else None
        if head is not None:
            head.thread_ts = head.ts
        posted_at = datetime.fromtimestamp(float(ts), UTC)
        blocks = completed(blocks or [])
        posts.append(
            Post(ts, channel, BOT_USER, text, blocks, posted_at, thread_ts=thread_ts, metadata=metadata)
        )
        posts.sort(key=lambda p: float(p.ts))
        self.world.mark_changed()

    def calls(self, method: str) -> list[Call]:
        """All calls of a method so far. Of getUpdates only the refused ones are logged."""
        return self.world.calls.to_method(method)

    @property
    def refusals(self) -> list[str]:
        """Why Slack refused blocks, views and acknowledgements so far."""
        return self.world.slack.refusals

    @property
    def breaches(self) -> list[str]:
        """The product's violations of the platforms' contracts so far. A correct product has none."""
        return self.world.breaches

    def describe(self) -> str:
        """Chats, posts and refusals, for the messages of failing tests."""
        lines = []
        for person in self.world.telegram.people.values():
            lines += [f"-- {person.name}", *Customer(self.world, person).transcript().splitlines()[-20:]]
        for channel in self.world.slack.channels.values():
            lines += [
                f"-- #{channel.name or channel.id}",
                *[f"{p.author}: {p.text}" for p in channel.posts[-10:]],
            ]
        lines += [f"-- refused: {reason}" for reason in self.refusals[-5:]]
        refused = [c for c in self.world.calls.entries if not c.answer.get("ok", True)]
        lines += [
            f"-- {c.method} -> {c.answer.get('error') or c.answer.get('description')}" for c in refused[-5:]
        ]
        return "\n".join(lines)


@contextlib.contextmanager
def start(port: int = 0) -> Iterator[dict[str, Any]]:
    """Run the simulator as a child process; yields addresses and tokens. Raises RuntimeError if it fails to start."""
    command = [sys.executable, "-m", "simulator", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        line = process.stdout.readline() if process.stdout else ""
        try:
            if not line:
                raise RuntimeError("The simulator did not start: see its messages above.")
            yield json.loads(line)
        finally:
            process.terminate()
