"""From a press in Slack to its acknowledgement and to the drawn card, while cards of other complaints wait.

People press *Take* on different cards at a steady rate; the desk is a real `amends run`, Slack is another process.
Its channel takes a post a second, so the cards of WAITING complaints wait the whole time. Then 50 people press the
same button at once. The ceiling is a slack-bolt app in the same run that answers at once and stores nothing. All
ROUNDS rounds are shown: the goals are those of the worst, the ratios those of the median.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks import databases
from benchmarks.measuring import ms, quantile, result_table, verdict
from benchmarks.processes import StandIn, process, standin, store_of, trained
from complaints.actions.intake import message_facts
from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.cases.receive_message import receive_message
from store.rulebooks import use_rulebook
from store.slack_posts import claim_post, complete_drawings, list_waiting_drawings, record_posted
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, PlannedAct
from tests.edges.product import SETTINGS, Product, until
from tests.rules.slack_cases import RULES

EACH_SECOND, PRESSES, WAITING, CROWD, ROUNDS = 20.0, 100, 60, 50, 3
#: Waiting when the desk starts: some are posted until the last press.
SEEDED = WAITING + 90
GOAL_ACKNOWLEDGED, GOAL_DRAWN = 0.3, 1.0
HANDLERS = [f"U{number:07}" for number in range(101, 101 + CROWD)]
PROPOSAL = {
    "category": "money", "probability": 0.83, "severity": 2, "safety": 0, "abstained": False, "restricted": False,
    "model": "m1", "alternatives": [],
}  # fmt: skip
#: Member, reference, block and ts.
Press = tuple[str, str, str, str]
#: Seconds, by what was waited for.
Times = dict[str, list[float]]


@dataclass(frozen=True)
class Rounds:
    """The times of all rounds of steady presses and of a crowd, and the acts that each crowd's presses became."""

    steady: Sequence[Times]
    crowds: Sequence[Times]
    acts: Sequence[int] = ()

    def p95(self, what: str) -> list[float]:
        """The p95 of each round of steady presses."""
        return [quantile(times[what], 0.95) for times in self.steady]

    @property
    def informed(self) -> list[int]:
        """How many of each crowd were informed."""
        return [len(times["informed"]) for times in self.crowds]

    @property
    def last(self) -> list[float]:
        """When the last of each crowd was informed."""
        return [max(times["informed"]) for times in self.crowds]

    def cells(self, bare: Rounds) -> tuple[str, ...]:
        """All rounds, with the ratios of their medians to those of the bare app."""
        drawn = self.p95("drawn")
        return (
            _joined(map(ms, self.p95("acknowledged"))),
            _joined(map(ms, drawn)),
            f"{median(drawn) / median(bare.p95('drawn')):.1f}",
            _joined(map(str, self.acts)),
            _joined(map(str, self.informed)),
            _joined(map(ms, self.last)),
            f"{median(self.last) / median(bare.last):.1f}",
        )


def _joined(rounds: Iterable[str]) -> str:
    return "; ".join(rounds)


async def table() -> Table:
    """p95 until acknowledged and until drawn, the crowd's slowest, and the ratio to the bare app."""
    title = f"{EACH_SECOND:g} presses a second with {WAITING} posts waiting; {CROWD} people press one button"
    report = result_table(
        title,
        " | acknowledged, p95 | card drawn, p95 | ratio | 50 at once: acts | informed | the last | ratio "
        "| posts waiting | goal",
    )
    bare = await _bare()
    report.add_row("slack-bolt alone, nothing stored", *bare.cells(bare), "", "")
    for name, fresh in databases.each():
        report.add_row(f"Amends on {name}", *await _product(fresh(), bare))
    return report


async def _bare() -> Rounds:
    async with standin() as platforms:
        with process([sys.executable, "-m", "benchmarks.bare_slack", platforms.url]):
            refs = [f"r{number}" for number in range(ROUNDS * (PRESSES + 1))]
            return await _measured(platforms, [(HANDLERS[0], ref, "actions:1.1", "1.1") for ref in refs])


async def _product(url: str, bare: Rounds) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="amends-bench-desk-") as folder:
        async with standin() as platforms:
            product = Product(Path(folder), {"AMENDS_DATABASE_URL": url, **platforms.env})
            names = ", ".join(f'"{member}"' for member in HANDLERS)
            settings = SETTINGS.replace('handler = ["U0000001"]', f"handler = [{names}]")
            (product.folder / "amends.toml").write_text(settings, encoding="utf-8")
            with closing(store_of(product)) as store:
                store.write(use_rulebook, RULES)
                presses = [posted(store, number) for number in range(ROUNDS * (PRESSES + 1))]
                for number in range(SEEDED):
                    received(store, 10_000 + number)
            async with product.running():
                await product.ready()
                await trained(product)
                rounds = await _measured(platforms, presses)
                waiting = SEEDED - (await platforms.seen())["posts"]
            with closing(store_of(product)) as store:
                contested = [press[1] for press in presses[PRESSES :: PRESSES + 1]]
                acts = tuple(_taken(store, ref) for ref in contested)
    rounds = replace(rounds, acts=acts)
    holds = (
        max(rounds.p95("acknowledged")) <= GOAL_ACKNOWLEDGED
        and max(*rounds.p95("drawn"), *rounds.last) <= GOAL_DRAWN
        and (set(acts), set(rounds.informed)) == ({1}, {CROWD - 1})
    )
    return *rounds.cells(bare), f"{max(waiting, 0)} at the end", verdict(holds)


async def _measured(platforms: StandIn, presses: Sequence[Press]) -> Rounds:
    """Steady presses and those of a crowd, in turn."""

    async def is_connected() -> bool:
        return bool((await platforms.seen())["connected"])

    await until(is_connected)
    steady, crowds = [], []
    for start in range(0, len(presses), PRESSES + 1):
        *each, contested = presses[start : start + PRESSES + 1]
        await platforms.presses(each, each_second=EACH_SECOND)
        steady.append(await _times(platforms, "drawn", PRESSES))
        await platforms.presses([(member, *contested[1:]) for member in HANDLERS])
        crowds.append(await _times(platforms, "informed", CROWD - 1))
    return Rounds(steady, crowds)


async def _times(platforms: StandIn, what: str, number: int) -> Times:
    times: Times = {}

    async def are_answered() -> bool:
        nonlocal times
        times = (await platforms.seen())["presses"]
        return len(times.get(what, ())) >= number

    await until(are_answered, lambda: str({name: len(seconds) for name, seconds in times.items()}))
    return times


def received(store: Store, number: int) -> str:
    """A complaint with a proposal, so that its card is due."""
    facts, words = (
        message_facts(field="description", has_words=True),
        {"description": f"My bill {number} is wrong"},
    )

    def step(conversation: Conversation) -> DialogueTurn:
        return DialogueTurn(
            state={}, acts=(PlannedAct(Verb.RECEIVE, conversation.next_ref, facts, words, ()),)
        )

    chat = Chat("telegram", str(70_000 + number), "en", "Anna")
    ref = store.write(receive_message, f"tg:{number}", chat, step).refs[0]
    store.write(act, ref, Verb.PROPOSE, MODEL, PROPOSAL | {"words": 1}, {"because": "[]"})
    return ref


def posted(store: Store, number: int) -> Press:
    """A complaint whose card is posted and shows its newest version."""
    ref, ts = received(store, number), f"1.{number:06}"
    case = store.read(load_case, ref)
    store.write(claim_post, ref, "C0000001", "card")
    store.write(record_posted, ref, "card", ts, case.version, 1)
    store.write(complete_drawings, store.read(list_waiting_drawings, ref).keys())
    return HANDLERS[number % CROWD], ref, f"actions:{case.work_version}.1", ts


def _taken(store: Store, ref: str) -> int:
    return sum(event.verb is Verb.ASSIGN for event in store.read(load_history, ref))
