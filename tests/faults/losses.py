"""Count after a run: messages people wrote against the record, and due messages against deliveries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select

from bots.telegram.updates import update_key
from store.cases.read import list_messages, load_history
from store.custody.verify import verify
from store.database.transaction import Tx
from store.outbox.failed import find_handled_keys
from store.record.load import load_case_file, load_texts
from store.store import Store
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from tests.faults.load import Load, prompt_numbers
from tests.faults.telegram import Accepted, Telegram

#: A message sent at most this many seconds before its process was killed may count as interrupted.
INTERRUPTED_WITHIN = 5.0


@dataclass(frozen=True)
class LossCounts:
    """Counts; everything above `doubled_when_cut` must be 0.

    `doubled_when_cut` were sent again because the process was killed between sending and storing that it was sent.
    No bot can know which ones arrived, so every repeat says that it may be one; others count as `doubled_unmarked`.
    `doubled_otherwise` were sent again although their process was not killed.
    """

    updates_lost: int
    words_lost: int
    cases_missing: int
    cases_doubled: int
    words_out_of_order: int
    due_lost: int
    due_out_of_order: int
    acknowledgements_off: int
    posts_doubled: int
    doubled_otherwise: int
    doubled_unmarked: int
    first_bad: int
    obligations_failed: int
    doubled_when_cut: int
    uncertain: int

    def wrong(self) -> dict[str, int]:
        """Return the counts that must be 0 and are not."""
        allowed = {"doubled_when_cut", "uncertain"}
        counts = {field.name: int(getattr(self, field.name)) for field in fields(self)}
        return {name: count for name, count in counts.items() if count and name not in allowed}


def count_losses(
    store: Store,
    telegram: Telegram,
    load: Load,
    numbers: Collection[int],
    deaths: list[float],
    posts_doubled: int,
) -> LossCounts:
    """Compare; `deaths` are event loop times in seconds, in order."""
    complaints_by_chat = recorded_texts(store)
    sent_texts = {
        chat: list(dict.fromkeys(message.words for message in messages))
        for chat, messages in telegram.by_chat().items()
    }
    wanted = list(range(load.per_chat - 1))
    prompts = {chat: prompt_numbers(sent_texts.get(chat, ()), chat) for chat in load.recipients}
    proof = store.read(verify)
    whole, cut, unmarked = _doubles(_beyond_the_record(store, telegram.doubled(), complaints_by_chat), deaths)
    expected = {chat: load.messages(chat) for chat in load.writers}
    return LossCounts(
        updates_lost=len(_unhandled_keys(store, numbers)),
        words_lost=sum(
            len(set(expected[chat]) - set(_flat(complaints_by_chat[chat]))) for chat in load.writers
        ),
        cases_missing=sum(not complaints_by_chat[chat] for chat in (*load.writers, *load.recipients)),
        cases_doubled=sum(len(complaints_by_chat[chat]) > 1 for chat in (*load.writers, *load.recipients)),
        words_out_of_order=sum(_flat(complaints_by_chat[chat]) != expected[chat] for chat in load.writers),
        due_lost=sum(len(set(wanted) - set(numbers)) for numbers in prompts.values()),
        due_out_of_order=sum(numbers != sorted(numbers) for numbers in prompts.values()),
        acknowledgements_off=_acknowledgements_off(
            store, [ref for chat in load.recipients for ref in complaints_by_chat[chat]]
        ),
        posts_doubled=posts_doubled,
        doubled_otherwise=whole,
        doubled_unmarked=unmarked,
        first_bad=int(proof.first_bad is not None),
        obligations_failed=_count(store, OBLIGATIONS.c.state == "failed"),
        doubled_when_cut=cut,
        uncertain=_count(store, MESSAGES.c.state == "uncertain"),
    )


def recorded_texts(store: Store) -> dict[int, dict[str, list[str]]]:
    """Return the texts of each complaint in the record's order, by chat; each text names its chat."""
    complaints_by_chat: dict[int, dict[str, list[str]]] = defaultdict(dict)
    refs = store.read(lambda tx: list(tx.connection.execute(select(COMPLAINTS.c.ref)).scalars()))
    for ref in refs:
        words = [text.text for text in store.read(load_texts, ref)]
        if words and words[0].startswith("Chat "):
            complaints_by_chat[int(words[0].split()[1].rstrip(":,"))][ref] = words
    return complaints_by_chat


def _flat(complaints: dict[str, list[str]]) -> list[str]:
    return [words for texts in complaints.values() for words in texts]


def _unhandled_keys(store: Store, numbers: Iterable[int]) -> set[str]:
    keys = [update_key(number) for number in numbers]
    handled: set[str] = set()
    for page in _pages(keys, 500):
        handled |= store.read(find_handled_keys, page)
    return set(keys) - handled


def _pages(keys: list[str], size: int) -> Iterator[list[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _acknowledgements_off(store: Store, refs: Iterable[str]) -> int:
    """Count the complaints whose record has no acknowledgement or more than one."""
    return sum(
        [event.verb.value for event in store.read(load_history, ref)].count("acknowledge") != 1
        for ref in refs
    )


def _beyond_the_record(
    store: Store, doubled: list[tuple[Accepted, Accepted]], complaints_by_chat: Mapping[int, Iterable[str]]
) -> list[tuple[Accepted, Accepted]]:
    """The repeats without a message of their own in the record: a question may be asked again in the same words."""
    recorded = Counter(
        (chat, str(message["text"]))
        for chat in {original.chat for original, _ in doubled}
        for ref in complaints_by_chat[chat]
        for message in store.read(_messages_of, ref)
        if message["direction"] == "out"
    )
    repeats = []
    for original, repeat in sorted(doubled, key=lambda pair: pair[1].marked):
        recorded[original.chat, original.words] -= 1
        if recorded[original.chat, original.words] < 1:
            repeats.append((original, repeat))
    return repeats


def _messages_of(tx: Tx, ref: str) -> list[dict[str, Any]]:
    return list_messages(tx, load_case_file(tx, ref))


def _doubles(doubled: list[tuple[Accepted, Accepted]], deaths: list[float]) -> tuple[int, int, int]:
    cut = sum(_was_cut(first, deaths) and repeat.life > first.life for first, repeat in doubled)
    unmarked = sum(not repeat.marked for _, repeat in doubled)
    return len(doubled) - cut, cut, unmarked


def _was_cut(first: Accepted, deaths: list[float]) -> bool:
    return first.life < len(deaths) and deaths[first.life] <= first.at + INTERRUPTED_WITHIN


def _count(store: Store, wanted: object) -> int:
    query = select(func.count()).where(wanted)  # type: ignore[arg-type]
    return int(store.read(lambda tx: tx.connection.execute(query).scalar_one()))
