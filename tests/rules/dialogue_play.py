"""A conversation without store and network: the dialogue and the rules of the record.

A test is a transcript: `play.writes("…")` returns the bot's answers as the person would read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from bots.dialogue.inputs import (
    ButtonInput,
    CommandInput,
    EditInput,
    Elapsed,
    FileInput,
    IncomingMessage,
    TextInput,
)
from bots.dialogue.step import step
from bots.dialogue.turn import written_reply
from bots.texts.catalogues import load_catalogues
from bots.texts.texts import Texts
from complaints.actions.intake import Arrival
from complaints.actions.perform import perform, receive
from complaints.actors import SYSTEM, complainant, staff
from complaints.case import Case, Event
from complaints.identifiers import new_reference
from complaints.incidents import Incident
from complaints.rulebook import (
    Calendar,
    Danger,
    OnCall,
    PriorityTargets,
    RecourseStep,
    Rulebook,
    Rulebooks,
    Targets,
)
from complaints.vocabulary import Role, Verb
from store.values import (
    Chat,
    Code,
    CodeState,
    Conversation,
    DialogueTurn,
    PlannedAct,
    ReceivedFile,
    ReplyText,
)

START = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
TEXTS: Texts = load_catalogues(["en", "tr", "de", "es"])
HANDLER, MANAGER = staff("U1", Role.HANDLER), staff("U2", Role.MANAGER)

RULES = Rulebook(
    organisation="Northwind Water",
    country="GB",
    languages=("en", "tr"),
    staff_language="en",
    emergency_number="112",
    preset="small_business",
    calendar=Calendar(hours=dict.fromkeys(range(5), ((540, 1050),))),
    targets=Targets(
        by_priority={
            "P1": PriorityTargets("30 min", "4 h", "1 day", "5 bd"),
            "P2": PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
            "P3": PriorityTargets("1 bd", "3 bd", "5 bd", "5 bd"),
            "P4": PriorityTargets("2 bd", "5 bd", "10 bd", "5 bd"),
        },
        legal="10 bd",
    ),
    levels={1: ("handler", "manager"), 2: ("manager", "top_management")},
    authority={},
    recourse=(RecourseStep("Consumer ombudsman", "0300 123 4567", "12 months", True),),
    danger=(
        Danger(("smell of gas", "gas"), "0800 111 999", {"en": "Leave now, call {number} from outside."}),
    ),
    on_call=OnCall(always=True, people=("U2",)),
    team="Complaints team",
    notice="northwind.example/privacy",
)

ASSESSED: Mapping[str, Any] = {
    "category": "supply",
    "severity": 2,
    "safety": 0,
    "complexity": 1,
    "reach": 1,
    "recurrence": 2,
    "immediate_needed": "no",
    "issues": [],
}
RESOLVED: Mapping[str, Any] = {"finding": "upheld", "cause_class": "single", "others_affected": "none"}


@dataclass
class Play:
    """One person's conversation, kept between turns as the store keeps it."""

    language: str | None = "en"
    catalogue: Texts = TEXTS
    rules: Rulebook = RULES
    others: Mapping[str, Rulebook] = field(default_factory=dict)
    staff_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    now: datetime = START
    state: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    texts_by_ref: dict[str, list[tuple[str, int, str, int | None, str | None]]] = field(default_factory=dict)
    acted: list[PlannedAct] = field(default_factory=list)
    wakes: list[tuple[datetime, str]] = field(default_factory=list)
    replies: list[ReplyText] = field(default_factory=list)
    posted: dict[str, str] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))
    codes: dict[str, Code] = field(default_factory=dict)
    reviewers: int = 1
    events: dict[str, list[Event]] = field(default_factory=dict)
    #: Answers "no" where the bot asks whether anybody is in danger; the tests do not see the question.
    denies: bool = False

    def signed(self) -> Play:
        """With the table of hazards signed by a safety officer."""
        self.rules = replace(self.rules, hazards_signed_until="2099-12-31")
        return self

    def receives(self, message: IncomingMessage) -> list[str]:
        """Take one step, do what it asks for as the store would, and return the new replies."""
        turn = self.turn(message)
        by = complainant("p1")
        self.language = turn.language or self.language
        for act in turn.acts:
            self.do(act.verb, act.ref, by, act.facts, act.words, turn.jurisdiction)
            self.acted.append(act)
        self.state = dict(turn.state)
        keys = {reply.key for reply in self.replies}
        new = [reply for reply in turn.replies if reply.key not in keys]
        self.replies += new
        self.wakes += [(wake.due, wake.what) for wake in turn.wake_ups]
        return [self.text(reply) for reply in new]

    def turn(self, message: IncomingMessage) -> DialogueTurn:
        """One step of the dialogue, without its effects."""
        conversation = Conversation(
            load_files=lambda ref: [file for act in self.acted if act.ref == ref for file in act.files],
            chat=Chat("telegram", "70001", "en", "Mary"),
            person="p1",
            state=self.state,
            language=self.language,
            cases=tuple(reversed(self.cases.values())),
            next_ref=new_reference(Random(len(self.acted)).randrange),
            texts=self.texts_of,
            find_source=self.source_of,
            staff=self.staff_names,
            rules=lambda: Rulebooks(self.rules, self.others),
            incidents=lambda: self.incidents,
            check_code=lambda text: self.codes.get(text.strip(), Code(CodeState.UNKNOWN)),
            find_ref_of_message=lambda platform_id: self.posted.get(platform_id),
            load_decision_letter=lambda ref: self.letters.get(ref, ""),
            load_events=lambda ref: self.events.get(ref, []),
            count_reviewers=lambda case: self.reviewers,
        )
        return step(conversation, message, now=self.now, texts=self.catalogue)

    def do(
        self,
        verb: Verb,
        ref: str,
        by: Any,
        facts: Mapping[str, Any] | None = None,
        words: Any = None,
        jurisdiction: str | None = None,
    ) -> None:
        """Record a verb of any actor."""
        if verb is Verb.RECEIVE:
            rules = Rulebooks(self.rules, self.others).of(jurisdiction)
            arrival = Arrival(ref, "p1", "telegram", self.language or "en", self.now, rules)
            done = receive(arrival, at=self.now, actor=by, facts=facts or {}, words=words or {})
        else:
            if verb is Verb.DISAGREE:
                facts = {"reviewers": self.reviewers, **(facts or {})}
            done = perform(self.cases[ref], verb, at=self.now, actor=by, facts=facts, words=words)
        self.cases[ref] = done.case
        event = done.event
        self.events.setdefault(ref, []).append(event)
        for name, text in event.words.items():
            row = (name, event.seq, text, event.facts.get("replaces"), event.facts.get("source"))
            self.texts_by_ref.setdefault(ref, []).append(row)

    def texts_of(self, ref: str) -> Mapping[str, str]:
        """Like store.record.load.load_newest_texts."""
        rows = self.texts_by_ref.get(ref, [])
        replaced = {row[3] for row in rows if row[3] is not None}
        texts: dict[str, list[str]] = {}
        for name, seq, text, _, _ in rows:
            if seq not in replaced:
                texts.setdefault(name, []).append(text)
        return {name: "\n\n".join(parts) for name, parts in texts.items()}

    def source_of(self, source: str) -> tuple[str, str, int] | None:
        """Like store.record.load.find_text_by_source."""
        rows = [(ref, row) for ref, rows in self.texts_by_ref.items() for row in rows if row[4] == source]
        if not rows:
            refs = [act.ref for act in self.acted for file in act.files if file.source == source]
            return (refs[-1], "", 0) if refs else None
        return rows[-1][0], rows[-1][1][0], rows[-1][1][1]

    def text(self, reply: ReplyText) -> str:
        """A reply as the person reads it."""
        language = self.catalogue.danger_language(reply.fields.get("spoken"), self.language or "en")
        return written_reply(self.catalogue, language, reply.template, reply.fields)

    def writes(self, text: str, source: str | None = None, **more: Any) -> list[str]:
        replies = self.receives(TextInput(text, source or str(next(self.numbers)), self.now, **more))
        if self.denies and self.state["step"] == "danger_question":
            return self.presses("no")[1:]
        return replies

    def sends(
        self, kind: str = "photo", caption: str = "", *, is_forwarded: bool = False, **more: Any
    ) -> list[str]:
        source = str(next(self.numbers))
        file = ReceivedFile(f"f{source}", f"u{source}", kind, source, **more)
        return self.receives(FileInput(file, caption, source, self.now, is_forwarded=is_forwarded))

    def edits(self, source: str, text: str) -> list[str]:
        """The person edits an earlier message."""
        return self.receives(EditInput(text, source, self.now))

    def commands(self, name: str, argument: str = "") -> list[str]:
        return self.receives(CommandInput(name, argument, str(next(self.numbers)), self.now))

    def presses(self, choice: str, message: ReplyText | None = None) -> list[str]:
        """The person presses a button under this message, or under the last one that has it."""
        reply = message or next(s for s in reversed(self.replies) if any(choice in row for row in s.buttons))
        name, _, ref = choice.partition(":")
        return self.receives(ButtonInput(name, reply.step, ref or reply.ref, int(reply.fields["turn"])))

    def waits(self, seconds: float) -> list[str]:
        """Time passes; timers that fall due fire."""
        until, answers = self.now + timedelta(seconds=seconds), []
        while due := sorted(wake for wake in self.wakes if wake[0] <= until):
            self.wakes.remove(due[0])
            self.now = max(self.now, due[0][0])
            answers += self.receives(Elapsed(due[0][1]))
        self.now = until
        return answers

    @property
    def ref(self) -> str:
        return list(self.cases)[-1]

    @property
    def case(self) -> Case:
        """The newest complaint."""
        return self.cases[self.ref]

    @property
    def words(self) -> str:
        """All words of all acts."""
        return "\n".join(text for act in self.acted for text in act.words.values())

    def files_a_complaint(self, text: str = "The water has been brown since Monday.") -> str:
        """Write a complaint, send it and return its reference."""
        self.writes(text)
        self.presses("done")
        self.writes("12 Mill Lane, last week")
        self.presses("apology")
        self.presses("send")
        return self.ref

    def files_another_complaint(self, text: str = "The bill is wrong.") -> str:
        """File a second complaint without its questions, and return its reference."""
        self.commands("complain", text)
        self.commands("cancel")
        return self.ref

    def staff_resolve(self) -> str:
        """Staff resolve the newest complaint and the decision reaches the person."""
        ref = self.ref
        self.do(Verb.ASSIGN, ref, HANDLER, {"owner": HANDLER.id})
        self.do(Verb.ASSESS, ref, HANDLER, ASSESSED)
        words = {"done": "Flushed.", "cause": "Old pipe.", "agreed_how": "By phone."}
        self.do(Verb.RESOLVE, ref, HANDLER, RESOLVED, words)
        self.do(Verb.COMMUNICATE_DECISION, ref, SYSTEM)
        return ref
