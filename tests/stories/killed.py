"""One run of a story with the desk in a process of its own, undisturbed or killed once, and what came of it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amends.demo.run import STORY_BEGINS
from amends.demo.settings import CHANNELS, SETTINGS, STAFF
from amends.settings import load
from amends.story.player import Player, StoryFailed
from amends.story.script import StoryStep, read_story
from simulator import Limits, Simulator
from simulator.screen import NotAcknowledged
from simulator.slack.people import SlackImpossible
from store.cases.export import export_record
from store.cases.read import list_cases
from store.custody.verify import verify
from store.database import leases
from store.database.keyring import Keyring
from store.outbox.failed import list_failed
from store.store import Store, open_store
from store.values import Verification
from tests.edges.product import KEY
from tests.edges.trained_database import copy_trained_database
from tests.stories.desks import ProcessDesk
from tests.stories.killable import Kill
from tests.stories.likeness import heard_of, keys_of, record_of, unmarked


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind. `records` and `heard` are without ids, times and references.

    `repeated` are the messages that say of themselves that they may have come before, `uncertain` those of which
    the record says that nobody knows whether they arrived.
    """

    failed: str | None
    deaths: int
    passed: Mapping[str, int]
    records: list[dict[str, Any]]
    heard: dict[str, list[str]]
    repeated: list[str]
    uncertain: list[str]
    posts: list[str]
    posted_twice: list[str]
    given_up: list[str]
    proof: Verification
    refused: list[str]
    log: str


class _Clock:
    """The simulator's clock is the desk's, read where the desk keeps it."""

    zone = "Europe/London"

    def __init__(self) -> None:
        self.store: Store | None = None

    def now(self) -> datetime:
        offset = self.store.read(leases.clock_offset) if self.store else 0.0
        return datetime.now(UTC) + timedelta(seconds=offset)

    def next_due(self) -> tuple[str, datetime] | None:
        return None

    async def advance(self, by: timedelta) -> None:
        raise NotImplementedError(f"the story moves the clock, not the page: {by}")

    async def to_next_due(self) -> None:
        raise NotImplementedError("the story moves the clock, not the page")


class Persevering(Player):
    """Plays as people act: a press that was not acknowledged is made again, once the desk is back."""

    def __init__(self, simulator: Simulator, desk: ProcessDesk) -> None:
        super().__init__(simulator, desk, staff=STAFF, channels=CHANNELS)
        self._process = desk

    async def play(self, step: StoryStep) -> None:
        """One step; after a death in its midst, what is left of it."""
        deaths = self._process.deaths
        try:
            await super().play(step)
        except StoryFailed as failed:
            await self._process.settled()
            if self._process.deaths == deaths or not isinstance(failed.__cause__, NotAcknowledged):
                raise
            await self._again(step)

    async def _again(self, step: StoryStep) -> None:
        member = self._staff[step.who]
        if step.kind == "submits":
            # Slack kept the form open. Was it recorded, the answer says so, and the person closes it.
            top = await member.submits()
            if top is not None and top.view.content.get("callback_id") == "notice":
                await member.closes(all=True)
            await self._process.settled()
            return
        try:
            await super().play(step)
        except StoryFailed as failed:
            # The card was drawn anew meanwhile: what it does not offer any more is done.
            if not isinstance(failed.__cause__, LookupError | SlackImpossible):
                raise


def prepared(folder: Path) -> None:
    """A folder as an installer leaves it after the first start: settings, tables, a trained model."""
    (folder / "amends.toml").write_text(SETTINGS, encoding="utf-8")
    copy_trained_database(folder / "amends.db", KEY)


async def run(story: str, template: Path, folder: Path, kill: Kill | None) -> Outcome:
    """Play it on a copy of the prepared folder; with `kill` the desk dies there and is started again."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    clock = _Clock()
    limits = Limits(ack_seconds=30, trigger_seconds=30)
    async with (
        Simulator(clock=clock, limits=limits) as simulator,
        _desk(simulator, folder, clock, kill) as desk,
    ):
        player = Persevering(simulator, desk)
        failed = None
        for step in read_story(story):
            try:
                await player.play(step)
            except StoryFailed as wrong:
                failed = str(wrong)
                break
        if failed is None:
            await desk.settled()
        return _outcome(simulator, desk, player, failed)


@asynccontextmanager
async def _desk(simulator: Simulator, folder: Path, clock: _Clock, kill: Kill | None) -> Any:
    environment = {
        "AMENDS_DATABASE_URL": f"sqlite:///{folder / 'amends.db'}",
        "AMENDS_SECRET_KEY": KEY,
        "AMENDS_TELEGRAM_TOKEN": simulator.bot_token,
        "AMENDS_TELEGRAM_API_URL": simulator.telegram_url,
        "AMENDS_SLACK_BOT_TOKEN": simulator.slack_bot_token,
        "AMENDS_SLACK_APP_TOKEN": simulator.slack_app_token,
        "AMENDS_SLACK_API_URL": simulator.slack_url,
        "AMENDS_LOG": "warning",
    }
    settings = load(folder / "amends.toml", environment)
    store = open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()))
    store.move_clock((STORY_BEGINS - datetime.now(UTC)).total_seconds())
    clock.store = store
    desk = ProcessDesk(folder, environment, simulator, store)
    try:
        await desk.start(kill)
        yield desk
    finally:
        await desk.stop()
        store.close()


def _outcome(simulator: Simulator, desk: ProcessDesk, player: Player, failed: str | None) -> Outcome:
    store = desk.store
    rows, _ = store.read(list_cases, limit=200)
    records = sorted(
        (store.read(export_record, row["ref"]) for row in rows), key=lambda one: one["received_at"]
    )
    heard = {name: list(chat.customer.heard) for name, chat in player._chats.items()}
    posts = _posts(simulator)
    return Outcome(
        failed=failed,
        deaths=desk.deaths,
        passed=dict(desk.passed),
        records=[record_of(one) for one in records],
        heard={name: heard_of(texts) for name, texts in heard.items()},
        repeated=[text for texts in heard.values() for text, marked in map(unmarked, texts) if marked],
        uncertain=[
            one["text"] for record in records for one in record["messages"] if one["state"] == "uncertain"
        ],
        posts=keys_of(posts),
        posted_twice=[key for key, times in posts.items() if times > 1],
        given_up=sorted(row["kind"] for row in store.read(list_failed) if row["state"] == "failed"),
        proof=store.read(verify),
        # What the dying desk did not acknowledge is no refusal: it is pressed again.
        refused=[why for why in simulator.refusals if not why.endswith("not acknowledged in time")],
        log=desk.log(),
    )


def _posts(simulator: Simulator) -> Counter[str]:
    """How often each card and each line beneath one stands in a channel, by the key in its metadata."""
    return Counter(
        post.metadata["event_payload"]["key"]
        for channel in simulator.world.slack.channels.values()
        if channel.direct_with is None
        for post in channel.posts
        if post.metadata and not post.deleted
    )
