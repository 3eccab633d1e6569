"""Counting afterwards: what was told against the record, what was owed against what arrived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields

from sqlalchemy import func, select

from bots.telegram.updates import update_key
from store.cases.read import load_history
from store.custody.verify import verify
from store.outbox.dead_letters import find_handled_keys
from store.record.texts import load_texts
from store.store import Store
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from tests.faults.load import Load, prompts_of
from tests.faults.telegram import Accepted, Telegram

#: A message that left up to so many seconds before its process died may have been under way.
UNDER_WAY = 5.0


@dataclass(frozen=True)
class Reckoning:
    """Counts; everything above `doubled_when_cut` must be 0.

    `doubled_otherwise` came again although its process lived on. `doubled_when_cut` came again because the
    process died between sending and writing down that it was sent: no bot can know which; all say so of
    themselves, or count as `doubled_unmarked`.
    """

    updates_lost: int
    words_lost: int
    cases_missing: int
    cases_doubled: int
    told_out_of_order: int
    due_lost: int
    due_out_of_order: int
    acknowledgements_off: int
    posts_doubled: int
    doubled_otherwise: int
    doubled_unmarked: int
    first_bad: int
    duties_failed: int
    doubled_when_cut: int
    uncertain: int

    def wrong(self) -> dict[str, int]:
        """What must be nothing and is not."""
        allowed = {"doubled_when_cut", "uncertain"}
        counts = {one.name: int(getattr(self, one.name)) for one in fields(self)}
        return {name: count for name, count in counts.items() if count and name not in allowed}


def reckoned(
    store: Store,
    telegram: Telegram,
    load: Load,
    numbers: Collection[int],
    deaths: list[float],
    posts_doubled: int,
) -> Reckoning:
    """Compare; `deaths` are the loop's times, that of the first life first."""
    said = told(store)
    heard = {
        chat: list(dict.fromkeys(one.words for one in messages))
        for chat, messages in telegram.by_chat().items()
    }
    wanted = list(range(load.a_chat - 1))
    prompts = {chat: prompts_of(heard.get(chat, ()), chat) for chat in load.owed}
    proof = store.read(verify)
    whole, cut, unmarked = _doubles(telegram.doubled(), deaths)
    expected = {chat: load.told(chat) for chat in load.tellers}
    return Reckoning(
        updates_lost=len(_unknown(store, numbers)),
        words_lost=sum(len(set(expected[chat]) - set(_flat(said[chat]))) for chat in load.tellers),
        cases_missing=sum(not said[chat] for chat in (*load.tellers, *load.owed)),
        cases_doubled=sum(len(said[chat]) > 1 for chat in (*load.tellers, *load.owed)),
        told_out_of_order=sum(_flat(said[chat]) != expected[chat] for chat in load.tellers),
        due_lost=sum(len(set(wanted) - set(found)) for found in prompts.values()),
        due_out_of_order=sum(found != sorted(found) for found in prompts.values()),
        acknowledgements_off=_acknowledgements_off(store, [ref for chat in load.owed for ref in said[chat]]),
        posts_doubled=posts_doubled,
        doubled_otherwise=whole,
        doubled_unmarked=unmarked,
        first_bad=int(proof.first_bad is not None),
        duties_failed=_count(store, OBLIGATIONS.c.state == "failed"),
        doubled_when_cut=cut,
        uncertain=_count(store, MESSAGES.c.state == "uncertain"),
    )


def told(store: Store) -> dict[int, dict[str, list[str]]]:
    """By chat, which every word of it names: its complaints and what was told in each, in the record's order."""
    found: dict[int, dict[str, list[str]]] = defaultdict(dict)
    refs = store.read(lambda tx: list(tx.connection.execute(select(COMPLAINTS.c.ref)).scalars()))
    for ref in refs:
        words = [one.text for one in store.read(load_texts, ref)]
        if words and words[0].startswith("Chat "):
            found[int(words[0].split()[1].rstrip(":,"))][ref] = words
    return found


def _flat(complaints: dict[str, list[str]]) -> list[str]:
    return [words for told in complaints.values() for words in told]


def _unknown(store: Store, numbers: Iterable[int]) -> set[str]:
    keys = [update_key(number) for number in numbers]
    known: set[str] = set()
    for some in _pages(keys, 500):
        known |= store.read(find_handled_keys, some)
    return set(keys) - known


def _pages(keys: list[str], size: int) -> Iterator[list[str]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))


def _acknowledgements_off(store: Store, refs: Iterable[str]) -> int:
    """Complaints whose record does not say exactly once that they were acknowledged."""
    return sum(
        [one.verb.value for one in store.read(load_history, ref)].count("acknowledge") != 1 for ref in refs
    )


def _doubles(doubled: list[tuple[Accepted, Accepted]], deaths: list[float]) -> tuple[int, int, int]:
    cut = sum(_was_cut(first, deaths) and again.life > first.life for first, again in doubled)
    unmarked = sum(not again.marked for _, again in doubled)
    return len(doubled) - cut, cut, unmarked


def _was_cut(first: Accepted, deaths: list[float]) -> bool:
    return first.life < len(deaths) and deaths[first.life] <= first.at + UNDER_WAY


def _count(store: Store, wanted: object) -> int:
    query = select(func.count()).where(wanted)  # type: ignore[arg-type]
    return int(store.read(lambda tx: tx.connection.execute(query).scalar_one()))
