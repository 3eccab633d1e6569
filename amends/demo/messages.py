"""The messages that the desk sent in the demo's past, composed by the same writers as in the running desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from bots.dialogue.inputs import Elapsed
from bots.dialogue.step import step
from bots.letters.letter import Letter
from bots.telegram.callback_data import Buttons
from bots.telegram.letters import LetterHandler
from bots.telegram.sending import Sender
from bots.texts.texts import Texts
from complaints.actors import SYSTEM
from store.cases import read, receive_message
from store.cases.outgoing_messages import FollowUpAct
from store.database.transaction import Tx
from store.store import Store
from store.values import Obligation

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class DemoMessage:
    """The text of one message and the acts that are recorded once it is accepted."""

    text: str
    template: str
    language: str
    acts: tuple[FollowUpAct, ...] = ()


class _StoreInTransaction:
    """The reading methods of a store inside the open transaction: all that the letter writers need."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def now(self) -> datetime:
        return self._tx.now

    def read(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return query(self._tx, *args, **kwargs)


@dataclass(frozen=True)
class DemoMessages:
    """Composes the messages that obligations of the past ask for."""

    texts: Texts
    buttons: Buttons

    def kinds(self, tx: Tx) -> frozenset[str]:
        """The kinds of obligations that send a message to a complainant."""
        return frozenset({"say", *self._letter_handler(tx).writers()})

    def compose(self, tx: Tx, obligation: Obligation) -> DemoMessage | None:
        """The message of this obligation, or None if it sends none."""
        language = self.texts.language(obligation.chat.language if obligation.chat else None)
        if obligation.kind == "say":
            reply: Mapping[str, Any] = obligation.payload
            text = self.texts.say(language, reply["template"], **reply["fields"])
            return DemoMessage(text, reply["template"], language)
        writer = self._letter_handler(tx).writers()[obligation.kind]
        letter = writer(Letter(read.load_case(tx, str(obligation.ref)), self.texts, language), obligation)
        if letter is None:
            return None
        acts: tuple[FollowUpAct, ...] = ()
        if letter.act is not None:
            verb, facts, words = letter.act
            acts = ((str(obligation.ref), verb, SYSTEM, facts, words),)
        return DemoMessage(letter.text, letter.template or obligation.kind, language, acts)

    def wake(self, tx: Tx, obligation: Obligation) -> None:
        """Let the dialogue continue at its wake-up time."""
        if obligation.chat is None:
            return
        elapsed = Elapsed(str(obligation.facts["what"]))
        receive_message.receive_message(
            tx,
            obligation.key,
            obligation.chat,
            lambda conversation: step(conversation, elapsed, now=tx.now, texts=self.texts),
            settles=obligation.id,
        )

    def _letter_handler(self, tx: Tx) -> LetterHandler:
        return LetterHandler(
            cast(Store, _StoreInTransaction(tx)), cast(Sender, None), self.buttons, self.texts
        )
