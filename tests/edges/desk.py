"""A short-hand desk for the tests of the store: rules, staff, a chat, and the acts of a complaint's life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM, Actor
from complaints.case import Case
from complaints.rulebook import Calendar, Limit, PriorityTargets, Rulebook, Targets
from complaints.vocabulary import Role, Verb
from store.cases.act import act as store_act
from store.cases.read import load_case, open_case
from store.cases.receive_message import receive_message
from store.database.transaction import Tx
from store.outbox.claim import count_waiting
from store.outbox.deliveries import insert_message
from store.people.staff import load_actor, sync_staff
from store.record.load import load_case_key
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import (
    Chat,
    Conversation,
    DialogueTurn,
    Member,
    PlannedAct,
    ReceivedFile,
    RecordedAct,
    ReplyText,
    WakeUp,
)

HANDLER, SECOND, MANAGER, TOP, AUDITOR = "U1", "U2", "U3", "U4", "U5"

STAFF = (
    Member(HANDLER, "Ann Sealedname", ("Annie",), frozenset({Role.HANDLER})),
    Member(SECOND, "Bob Sealedname", (), frozenset({Role.HANDLER})),
    Member(MANAGER, "Cat Sealedname", (), frozenset({Role.MANAGER})),
    Member(TOP, "Dan Sealedname", (), frozenset({Role.TOP_MANAGEMENT})),
    Member(AUDITOR, "Eve Sealedname", (), frozenset({Role.AUDITOR})),
)

_SPANS = PriorityTargets(look="1 bd", first_action="3 bd", update_every="5 bd", decide="10 bd")

RULES = Rulebook(
    organisation="Northwind Water",
    country="GB",
    languages=("en", "tr"),
    staff_language="en",
    emergency_number="112",
    preset="small_business",
    calendar=Calendar(hours=dict.fromkeys(range(5), ((540, 1050),))),
    targets=Targets(by_priority=dict.fromkeys(("P1", "P2", "P3", "P4"), _SPANS), legal="20 bd"),
    levels={1: ("handler", "manager"), 2: ("manager", "top_management")},
    authority={"handler": Limit(10_000, "GBP"), "manager": Limit(200_000, "GBP")},
)

ASSESSED: Mapping[str, Any] = {
    "category": "supply",
    "severity": 2,
    "safety": 0,
    "complexity": 1,
    "reach": 1,
    "recurrence": 1,
    "immediate_needed": "no",
    "issues": [],
}
RESOLVED: Mapping[str, Any] = {"finding": "upheld", "cause_class": "single", "others_affected": "none"}
RESOLVED_WORDS = {"done": "The pipe was flushed.", "cause": "An old pipe.", "agreed_how": "By phone."}


@dataclass
class Desk:
    """One store with rules and staff loaded."""

    store: Store
    numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Load the rules and the staff."""
        self.store.write(use_rulebook, RULES)
        self.store.write(sync_staff, STAFF)

    def chat(self, address: str = "70001") -> Chat:
        """A chat on Telegram."""
        return Chat("telegram", address, "en", "Mary Sealedname")

    def pass_card_delay(self) -> None:
        """Pass the 91 seconds for which the first card waits for the proposal."""
        self.store.move_clock(91.0)

    def key(self) -> str:
        """The key of the next update."""
        return f"tg:{next(self.numbers)}"

    def receive(
        self,
        text: str = "The water is brown.",
        *,
        chat: Chat | None = None,
        files: tuple[ReceivedFile, ...] = (),
        says: tuple[ReplyText, ...] = (),
        wakes: tuple[WakeUp, ...] = (),
        **facts: Any,
    ) -> str:
        """Receive a first message that qualifies as a complaint, and return its reference."""

        def step(talk: Conversation) -> DialogueTurn:
            received = message_facts(
                field="description",
                has_words=bool(text),
                media=len(files),
                source=facts.pop("source", "1"),
                **facts,
            )
            act = PlannedAct(Verb.RECEIVE, talk.next_ref, received, {"description": text}, files)
            return DialogueTurn(state={"step": "story"}, acts=(act,), replies=says, wake_ups=wakes)

        return self.store.write(receive_message, self.key(), chat or self.chat(), step).refs[0]

    def add(self, ref: str, text: str, *, chat: Chat | None = None, source: str = "2", **facts: Any) -> None:
        """A further message of the same complainant."""
        added = message_facts(field="description", has_words=True, source=source, **facts)
        self.complain(ref, Verb.ADD, added, {"description": text}, chat=chat)

    def complain(
        self,
        ref: str,
        verb: Verb,
        facts: Mapping[str, Any] | None = None,
        words: Mapping[str, str] | None = None,
        *,
        chat: Chat | None = None,
    ) -> None:
        """An act of the complainant."""
        act = PlannedAct(verb, ref, facts or {}, words or {})
        self.store.write(
            receive_message,
            self.key(),
            chat or self.chat(),
            lambda talk: DialogueTurn(state=talk.state, acts=(act,)),
        )

    def send_reply(self, *keys: str, chat: Chat | None = None, **more: Any) -> None:
        """Let the dialogue send one reply per key."""
        says = tuple(ReplyText(key, "receipt", {"text": "sealedsaying"}, **more) for key in keys)
        self.store.write(
            receive_message,
            self.key(),
            chat or self.chat(),
            lambda talk: DialogueTurn(state=talk.state, replies=says),
        )

    def actor(self, member: str) -> Actor:
        """A member of staff with their present roles."""
        return self.store.read(load_actor, member)

    def act(
        self,
        ref: str,
        verb: Verb,
        member: str = HANDLER,
        facts: Mapping[str, Any] | None = None,
        words: Mapping[str, str] | None = None,
        **more: Any,
    ) -> RecordedAct:
        """An act of staff."""
        return self.store.write(store_act, ref, verb, self.actor(member), facts or {}, words or {}, **more)

    def assessed(self, **more: Any) -> str:
        """A complaint received, read and assessed."""
        ref = self.receive(**more)
        self.store.write(open_case, ref, self.actor(HANDLER), "open")
        self.act(ref, Verb.ASSESS, facts=ASSESSED)
        return ref

    def resolved(self, **more: Any) -> str:
        """A complaint resolved at first contact, with the decision communicated."""
        ref = self.assessed(**more)
        self.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
        self.deliver(ref, "acknowledge")
        self.store.write(store_act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        self.deliver(ref, "decision")
        self.store.write(store_act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
        return ref

    def deliver(self, ref: str, template: str) -> None:
        """A letter made from this template, which the channel accepted."""

        def write(tx: Tx) -> None:
            insert_message(
                tx, load_case_key(tx, ref), "A letter.", sealed_with="case", ref=ref, channel="telegram",
                template=template, language="en", state="sent",
            )  # fmt: skip

        self.store.write(write)

    def closed(self, **more: Any) -> str:
        """A complaint whose decision was accepted and which is closed."""
        ref = self.resolved(**more)
        self.complain(ref, Verb.ACCEPT)
        words = {"root_cause": "An old pipe."}
        self.act(ref, Verb.CLOSE, facts={"cause_class": "single"}, words=words)
        return ref

    def case(self, ref: str) -> Case:
        return self.store.read(load_case, ref)


def still_due(store: Store) -> int:
    """How many obligations are due and not done."""
    return sum(counts.due for counts in store.read(count_waiting).values())


def refused(call: Callable[[], object], error: type[Exception]) -> Exception:
    """The error that refuses this call; any other error fails the test."""
    try:
        call()
    except error as why:
        return why
    raise AssertionError(f"nothing refused it with {error.__name__}")
