"""A numbered load of messages from people and due messages to people, so that losses can be counted."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from complaints.actions.intake import message_facts
from complaints.vocabulary import Verb
from store.cases.receive_message import receive_message
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, PlannedAct, ReplyText
from tests.faults.telegram import Accepted, Telegram

#: First chats of the people who write, and of the people with due messages.
WRITERS_FROM, RECIPIENTS_FROM = 1_000_000, 2_000_000
#: Words that identify a receipt and an acknowledgement.
RECEIVED, ACKNOWLEDGED = "Your reference is", "We have your complaint"


@dataclass(frozen=True)
class Load:
    """The number of updates, of due messages, of each in one chat, and of kills.

    Of the due messages of a chat one is the acknowledgement of a complaint, which becomes an event when it is
    accepted. The others are numbered prompts.
    """

    updates: int
    due: int
    kills: int
    per_chat: int = 5
    seed: int = 1

    @property
    def writers(self) -> range:
        """The chats of the people who write."""
        return range(WRITERS_FROM, WRITERS_FROM + self.updates // self.per_chat)

    @property
    def recipients(self) -> range:
        """The chats of people with due messages."""
        return range(RECIPIENTS_FROM, RECIPIENTS_FROM + self.due // self.per_chat)

    def messages(self, chat: int) -> list[str]:
        """Return the messages of this chat in order; all belong to one complaint."""
        return [f"Chat {chat}, part {part}: the water meter is broken." for part in range(self.per_chat)]

    def deaths(self) -> list[int]:
        """Return after how many steps (a confirmed update, an accepted message) the process is killed, in order."""
        steps = len(self.writers) * self.per_chat + len(self.recipients) * self.per_chat
        random_order = random.Random(self.seed)
        return sorted(random_order.sample(range(1, max(2, int(steps * 0.95))), self.kills))


def add_obligations(store: Store, load: Load, chats: Iterable[int] | None = None) -> None:
    """Add a confirmed complaint with prompts, all due now, in these chats (default: all recipients)."""
    for chat in load.recipients if chats is None else chats:
        store.write(
            receive_message,
            f"seed:{chat}",
            Chat("telegram", str(chat), "en", "P"),
            _ComplaintWithPrompts(chat, load.per_chat - 1),
        )


@dataclass(frozen=True)
class _ComplaintWithPrompts:
    chat: int
    prompts: int

    def __call__(self, talk: Conversation) -> DialogueTurn:
        ref = talk.next_ref
        facts = message_facts(field="description", has_words=True, source="1")
        words = {"description": f"Chat {self.chat}: the water is brown."}
        replies = tuple(
            ReplyText(f"prompt:{number}", "added", {"ref": f"{self.chat}-{number}"})
            for number in range(self.prompts)
        )
        acts = (PlannedAct(Verb.RECEIVE, ref, facts, words), PlannedAct(Verb.CONFIRM, ref, {}, {}))
        return DialogueTurn(state={}, acts=acts, replies=replies)


def send_messages(telegram: Telegram, load: Load) -> dict[int, int]:
    """Send all messages, in order within a chat and mixed across chats. Returns the chat of each update id."""
    random_order = random.Random(load.seed)
    turns = [chat for chat in load.writers for _ in range(load.per_chat)]
    random_order.shuffle(turns)
    parts = {chat: iter(load.messages(chat)) for chat in load.writers}
    return {telegram.add_message(chat, next(parts[chat])): chat for chat in turns}


@dataclass
class Progress:
    """Counts the steps done: updates confirmed, and receipts, prompts and acknowledgements accepted, each once."""

    telegram: Telegram
    load: Load
    numbers: dict[int, int]
    _read: int = 0
    _arrived: set[tuple[int, str]] = field(default_factory=set)

    @property
    def steps(self) -> int:
        """The number of steps done."""
        new = self.telegram.accepted[self._read :]
        self._read += len(new)
        self._arrived |= {(message.chat, message.words) for message in new if self._counts(message)}
        return len(self.numbers) - self.telegram.waiting + len(self._arrived)

    @property
    def all_steps(self) -> int:
        """The number of steps of the whole load."""
        return len(self.numbers) + len(self.load.writers) + len(self.load.recipients) * self.load.per_chat

    def _counts(self, message: Accepted) -> bool:
        if message.chat in self.load.recipients:
            return f"{message.chat}-" in message.words or ACKNOWLEDGED in message.words
        return message.chat in self.load.writers and RECEIVED in message.words


def prompt_numbers(texts: Iterable[str], chat: int) -> list[int]:
    """Return the numbers of the prompts among the texts that a chat received, in order."""
    numbers = (text.partition(f"{chat}-")[2] for text in texts)
    return [int(number.partition(".")[0]) for number in numbers if number]
