"""One run of a story with the desk in its own process, undisturbed or killed once, and its outcome."""

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
from amends.demo.settings import CHANNELS, STAFF, signed_settings
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
from tests.stories.comparable import comparable_keys, comparable_record, texts_without_repeats, unmarked
from tests.stories.desk_process import ProcessDesk
from tests.stories.kill_points import Kill


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind; `records` and `texts` are without ids, times and references.

    `repeats`: the messages that say they may be repeats. `uncertain`: the messages that the record calls uncertain.
    """

    failed: str | None
    deaths: int
    passes: Mapping[str, int]
    records: list[dict[str, Any]]
    texts: dict[str, list[str]]
    repeats: list[str]
    uncertain: list[str]
    posts: list[str]
    posted_twice: list[str]
    given_up: list[str]
    proof: Verification
    refused: list[str]
    log: str


class _Clock:
    """The simulator's clock, read from the desk's database."""

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


class PersistentPlayer(Player):
    """Plays as people act: a press that was not acknowledged is made again once the desk is back."""

    def __init__(self, simulator: Simulator, desk: ProcessDesk) -> None:
        super().__init__(simulator, desk, staff=STAFF, channels=CHANNELS)
        self._process = desk

    async def play(self, step: StoryStep) -> None:
        """Play a step; after a death during the step, play the rest of it."""
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
            # Slack kept the form open. If it was recorded, the answer says so, and the person closes it.
            top = await member.submits()
            if top is not None and top.view.content.get("callback_id") == "notice":
                await member.closes(all=True)
            await self._process.settled()
            return
        try:
            await super().play(step)
        except StoryFailed as failed:
            # The card was redrawn: an action that it no longer offers is done.
            if not isinstance(failed.__cause__, LookupError | SlackImpossible):
                raise


def prepare(folder: Path) -> None:
    """Prepare a folder as after the first start: settings, tables and a trained model."""
    # The draw depends on the reference, which is random: two runs would give a review to different people.
    settings = signed_settings("[case_review]\neach_month = 0\n")
    (folder / "amends.toml").write_text(settings, encoding="utf-8")
    copy_trained_database(folder / "amends.db", KEY)


async def run(story: str, template: Path, folder: Path, kill: Kill | None) -> Outcome:
    """Play a story on a copy of the prepared folder; with `kill` the desk dies there and is started again."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    clock = _Clock()
    limits = Limits(ack_seconds=30, trigger_seconds=30)
    async with (
        Simulator(clock=clock, limits=limits) as simulator,
        _desk(simulator, folder, clock, kill) as desk,
    ):
        player = PersistentPlayer(simulator, desk)
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
        (store.read(export_record, row["ref"]) for row in rows), key=lambda record: record["received_at"]
    )
    texts = {name: list(chat.customer.heard) for name, chat in player._chats.items()}
    posts = _posts(simulator)
    return Outcome(
        failed=failed,
        deaths=desk.deaths,
        passes=dict(desk.passes),
        records=[comparable_record(record) for record in records],
        texts={name: texts_without_repeats(texts) for name, texts in texts.items()},
        repeats=[text for texts in texts.values() for text, marked in map(unmarked, texts) if marked],
        uncertain=[
            message["text"]
            for record in records
            for message in record["messages"]
            if message["state"] == "uncertain"
        ],
        posts=comparable_keys(posts),
        posted_twice=[key for key, times in posts.items() if times > 1],
        given_up=sorted(row["kind"] for row in store.read(list_failed) if row["state"] == "failed"),
        proof=store.read(verify),
        # A press that the dying desk did not acknowledge is no refusal: it is made again.
        refused=[why for why in simulator.refusals if not why.endswith("not acknowledged in time")],
        log=desk.log(),
    )


def _posts(simulator: Simulator) -> Counter[str]:
    """Count how often each card and each line below it is in a channel, by the key in its metadata."""
    return Counter(
        post.metadata["event_payload"]["key"]
        for channel in simulator.world.slack.channels.values()
        if channel.direct_with is None
        for post in channel.posts
        if post.metadata and not post.deleted
    )
