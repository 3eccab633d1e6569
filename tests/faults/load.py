"""What is told to a desk and what it owes: numbered, so that anybody can count what came of it."""

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

#: Chats of people who tell, and of people to whom something is due.
TELLING, OWED = 1_000_000, 2_000_000
#: By these words a receipt and an acknowledgement are known.
RECEIVED, ACKNOWLEDGED = "Your reference is", "We have your complaint"


@dataclass(frozen=True)
class Load:
    """So many updates and due messages, so many of each in one chat, and so many deaths among them.

    Of the due messages of a chat one is the acknowledgement of a complaint, which becomes an event when it is
    accepted; the others are numbered prompts.
    """

    updates: int
    due: int
    kills: int
    a_chat: int = 5
    seed: int = 1

    @property
    def tellers(self) -> range:
        """Chats that tell."""
        return range(TELLING, TELLING + self.updates // self.a_chat)

    @property
    def owed(self) -> range:
        """Chats to which something is due."""
        return range(OWED, OWED + self.due // self.a_chat)

    def told(self, chat: int) -> list[str]:
        """What this chat tells, in order; all of it belongs to one complaint."""
        return [f"Chat {chat}, part {part}: the water meter is broken." for part in range(self.a_chat)]

    def deaths(self) -> list[int]:
        """After how many steps (an update confirmed, a message accepted) the process dies, in order."""
        steps = len(self.tellers) * self.a_chat + len(self.owed) * self.a_chat
        chance = random.Random(self.seed)
        return sorted(chance.sample(range(1, max(2, int(steps * 0.95))), self.kills))


def owe(store: Store, load: Load, chats: Iterable[int] | None = None) -> None:
    """One complaint in each chat that is owed something (or these of them), signed, and its numbered prompts; all
    due now."""
    for chat in load.owed if chats is None else chats:
        store.write(
            receive_message,
            f"seed:{chat}",
            Chat("telegram", str(chat), "en", "P"),
            _Step(chat, load.a_chat - 1),
        )


@dataclass(frozen=True)
class _Step:
    chat: int
    prompts: int

    def __call__(self, talk: Conversation) -> DialogueTurn:
        ref = talk.next_ref
        told = message_facts(field="description", has_words=True, source="1")
        words = {"description": f"Chat {self.chat}: the water is brown."}
        says = tuple(
            ReplyText(f"prompt:{number}", "added", {"ref": f"{self.chat}-{number}"})
            for number in range(self.prompts)
        )
        acts = (PlannedAct(Verb.RECEIVE, ref, told, words), PlannedAct(Verb.CONFIRM, ref, {}, {}))
        return DialogueTurn(state={}, acts=acts, says=says)


def tell(telegram: Telegram, load: Load) -> dict[int, int]:
    """Every chat tells its parts, all chats mixed, each in its own order; the chat of each update."""
    chance = random.Random(load.seed)
    turns = [chat for chat in load.tellers for _ in range(load.a_chat)]
    chance.shuffle(turns)
    parts = {chat: iter(load.told(chat)) for chat in load.tellers}
    return {telegram.says(chat, next(parts[chat])): chat for chat in turns}


@dataclass
class Progress:
    """How many steps are done: updates confirmed, receipts, prompts and acknowledgements accepted, each once."""

    telegram: Telegram
    load: Load
    numbers: dict[int, int]
    _read: int = 0
    _arrived: set[tuple[int, str]] = field(default_factory=set)

    @property
    def steps(self) -> int:
        """Of both kinds."""
        new = self.telegram.accepted[self._read :]
        self._read += len(new)
        self._arrived |= {(one.chat, one.words) for one in new if self._counts(one)}
        return len(self.numbers) - self.telegram.waiting + len(self._arrived)

    @property
    def all_steps(self) -> int:
        """When all is done."""
        return len(self.numbers) + len(self.load.tellers) + len(self.load.owed) * self.load.a_chat

    def _counts(self, one: Accepted) -> bool:
        if one.chat in self.load.owed:
            return f"{one.chat}-" in one.words or ACKNOWLEDGED in one.words
        return one.chat in self.load.tellers and RECEIVED in one.words


def prompts_of(heard: Iterable[str], chat: int) -> list[int]:
    """The numbers of the prompts among what a chat heard, in order."""
    named = (text.partition(f"{chat}-")[2] for text in heard)
    return [int(one.rstrip(".")) for one in named if one]
