"""What the desk told people in the past, worded by the same writers that word it when it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from bots.dialogue import Elapsed, step
from bots.letters import Letter
from bots.telegram.buttons import Buttons
from bots.telegram.sending import Sender
from bots.telegram.speaking import Speaking
from bots.texts.texts import Texts
from complaints.people import SYSTEM
from complaints.record import Event
from complaints.rulebook import Rulebook
from store import hearing, incident_once, reading, told
from store.messages import Following
from store.open import Store
from store.transactions import Tx
from store.values import Obligation
from triage.example import Example


@dataclass(frozen=True)
class Written:
    """The words of one message and what its acceptance brings about."""

    text: str
    template: str
    language: str
    acts: tuple[Following, ...] = ()


class _Past:
    """The reading half of a store inside the transaction of the past: all that the writers ask for."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def now(self) -> datetime:
        return self._tx.now

    def words_of(self, ref: str, seq: int) -> Mapping[str, str]:
        return told.words_of(self._tx, ref, seq)

    def history(self, ref: str) -> list[Event]:
        return reading.history(self._tx, ref)

    def surveyed_before(self, ref: str) -> bool:
        return incident_once.surveyed_before(self._tx, ref)


@dataclass(frozen=True)
class Told:
    """Words messages of the past."""

    rules: Rulebook
    texts: Texts
    buttons: Buttons
    examples: Sequence[Example]

    def kinds(self, tx: Tx) -> frozenset[str]:
        """The kinds of duty that say something to complainants."""
        return frozenset({"say", *self._speaking(tx).writers()})

    def _speaking(self, tx: Tx) -> Speaking:
        return Speaking(cast(Store, _Past(tx)), cast(Sender, None), self.buttons, self.texts)

    def write(self, tx: Tx, one: Obligation) -> Written | None:
        """What this duty says, or None when it says nothing."""
        language = self.texts.language(one.chat.language if one.chat else None)
        if one.kind == "say":
            said: Mapping[str, Any] = one.payload
            text = self.texts.say(language, said["template"], **said["fields"])
            return Written(text, said["template"], language)
        writer = self._speaking(tx).writers()[one.kind]
        written = writer(Letter(reading.case(tx, str(one.ref)), self.texts, language), one)
        if written is None:
            return None
        acts: tuple[Following, ...] = ()
        if written.act is not None:
            verb, facts, words = written.act
            acts = ((str(one.ref), verb, SYSTEM, facts, words),)
        return Written(written.text, written.template or one.kind, language, acts)

    def wake(self, tx: Tx, one: Obligation) -> None:
        """Ask the dialogue again at its time."""
        if one.chat is None:
            return
        what = Elapsed(str(one.facts["what"]))
        hearing.hear(
            tx,
            one.key,
            one.chat,
            lambda talk: step(talk, what, now=tx.now, texts=self.texts),
            settles=one.id,
        )
