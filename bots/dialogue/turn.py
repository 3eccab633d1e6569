"""One turn of a talk while it is being thought out: the state as it changes, and what comes of it.

The state is codes and ids only; words live in acts and, sealed, in what is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bots.dialogue.buttons import Rows
from bots.dialogue.question_table import ORDER
from bots.dialogue.signs import SignsInWords, read
from bots.texts import Texts
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.deadlines.local_time import wall
from complaints.deadlines.working_time import due
from complaints.lifecycle import TABLE
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Rulebook, Rulebooks
from complaints.timestamps import format_time, parse_time
from complaints.vocabulary import Verb
from store.values import Conversation, DialogueTurn, PlannedAct, ReplyText, WakeUp
from triage.facts.fact import StoryFact
from triage.facts.finder import find_facts

#: Steps at which the form's questions stand.
FORM = frozenset({"story", "incident", *ORDER, "check", "change"})
IDLE = "idle"
#: Where the state keeps the country whose link brought the person here.
COUNTRY = "country"


@dataclass
class Turn:
    """Lives for one `step`: the conversation as it was, the state as it becomes."""

    conversation: Conversation
    now: datetime
    rulebooks: Rulebooks
    texts: Texts
    state: dict[str, Any]
    acts: list[PlannedAct] = field(default_factory=list)
    says: list[ReplyText] = field(default_factory=list)
    wakes: list[WakeUp] = field(default_factory=list)
    chosen: str | None = None
    blocked: bool | None = None
    danger: tuple[str, RecordedSign] | None = None
    _readings: dict[tuple[str, str], SignsInWords] = field(default_factory=dict)
    _details: dict[str, tuple[StoryFact, ...]] = field(default_factory=dict)
    _files: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, conversation: Conversation, now: datetime, texts: Texts) -> Turn:
        """Take up the talk where its row says it stands."""
        state = {"step": IDLE, "ref": None, **conversation.state}
        state["turn"] = int(state.get("turn", 0)) + 1
        talk = cls(conversation, now, conversation.rules(), texts, state)
        if conversation.language is None:
            # The platform's hint is spoken until the person chooses, or writes so that it is plain.
            talk.chosen = talk.language
            state["hinted"] = True
        return talk

    @property
    def language(self) -> str:
        """The language to speak: chosen, else the platform's hint where we have it, else the first."""
        return self.texts.language(
            self.chosen or self.conversation.language or self.conversation.chat.language
        )

    @property
    def rules(self) -> Rulebook:
        """The rules in force that a complaint gets which begins in this turn."""
        return self.rulebooks.for_person(self.state.get(COUNTRY), self.language)

    def rules_of(self, ref: str | None) -> Rulebook:
        """What a complaint is frozen to; before it stands in the record, what it will be."""
        case = self.case(ref)
        return case.rules if case is not None else self.rules

    def in_force(self, ref: str | None) -> Rulebook:
        """The rules that a complaint's country has today: a number to call is today's, whatever it was once."""
        case = self.case(ref)
        return self.rules if case is None else self.rulebooks.today(case.rules)

    @property
    def here(self) -> Rulebook:
        """The rules in force for this person: of the country named last, else of the newest open complaint."""
        named = self.state.get(COUNTRY) in self.rulebooks.codes
        return self.rules if named or not self.open_cases else self.in_force(self.open_cases[0].ref)

    def name_country(self, code: str) -> None:
        """The person came by a link of this country: their next complaint is under its rules."""
        self.state[COUNTRY] = code

    @property
    def zone(self) -> str:
        """Where times are shown."""
        return self.rules_of(self.ref).calendar.zone

    @property
    def step(self) -> str:
        """Which question of ours stands."""
        return str(self.state["step"])

    @property
    def ref(self) -> str | None:
        """The complaint that the talk is about."""
        found: str | None = self.state["ref"]
        return found

    def case(self, ref: str | None) -> Case | None:
        """The person's complaint of this reference, as it was before this turn."""
        found = next((one for one in self.conversation.cases if one.ref == ref), None)
        # The reference of a merged complaint opens the one that goes on.
        whole = found is not None and found.merged_into is not None and self.case(found.merged_into)
        return whole or found

    @property
    def open_cases(self) -> list[Case]:
        """The person's complaints that are not closed nor taken back, the newest first."""
        return [one for one in self.conversation.cases if one.is_open and one.withdrawn_at is None]

    def form_open(self, ref: str | None) -> bool:
        """True while the questions about this complaint stand; one received in this turn has them all."""
        case = self.case(ref)
        return case.form_open if case is not None else ref == self.conversation.next_ref

    def possible(self, case: Case | None, verb: Verb) -> bool:
        """True when the lifecycle allows the verb now: a press may come late (docs/domain.md, section 3)."""
        return case is not None and case.state in TABLE[verb].sources

    def go(self, step: str, ref: str | None = None, **more: Any) -> None:
        """Where the talk stands from here."""
        self.state["step"] = step
        if ref is not None or step == IDLE:
            self.state["ref"] = ref
        self.state.update(more)

    def new_version(self, field: str, ref: str) -> str:
        """The field under which something is told anew: what was told before stands beside it."""
        told = self.told(ref)
        if field not in told:
            return field
        number = 2
        while f"{field}.{number}" in told:
            number += 1
        return f"{field}.{number}"

    def newest_version(self, field: str, ref: str) -> str:
        """The field under which it was told last."""
        told = self.told(ref)
        found = [name for name in told if name.split(".")[0] == field]
        return max(found, key=lambda name: int(name.partition(".")[2] or 1), default=field)

    def act(self, act: PlannedAct) -> None:
        """Have this done by the person of the chat."""
        self.acts.append(act)
        self._files[act.ref] = self._files.get(act.ref, 0) + len(act.files)

    def told(self, ref: str) -> Mapping[str, str]:
        """The newest words of each field of a complaint, those of this turn included."""
        told = dict(self.conversation.texts(ref)) if self.case(ref) is not None else {}
        for act in self.acts:
            for name, text in act.words.items() if act.ref == ref else ():
                before = told.get(name)
                edited = act.facts.get("field") == "edit"
                told[name] = text if edited or not before else f"{before}\n\n{text}"
        return told

    def reads_danger(self, text: str) -> bool:
        """True when these words hold a sign of present danger."""
        return self.reading(text, self.ref).danger is not None

    def reading(self, text: str, ref: str | None) -> SignsInWords:
        """What the plain rules see in these words to a complaint; each text is looked at once a turn."""
        rules = self.in_force(ref)
        key = (rules.country, text)
        if key not in self._readings:
            self._readings[key] = read(text, rules, self.conversation.staff, self.now)
        return self._readings[key]

    def received(self, ref: str) -> date:
        """The day on which a complaint was received, where times are shown; one of this turn: today."""
        case = self.case(ref)
        zone = self.rules_of(ref).calendar.zone
        return wall(case.received_at if case is not None else self.now, zone).date()

    def details(self, text: str, received: date) -> tuple[StoryFact, ...]:
        """The facts in these words; each text is looked at once a turn."""
        if text not in self._details:
            country = self.rules_of(self.ref).country
            self._details[text] = find_facts(text, received=received, country=country)
        return self._details[text]

    def files(self, ref: str) -> int:
        """How many files came with a complaint, those of this turn included."""
        case = self.case(ref)
        return (case.media if case is not None else 0) + self._files.get(ref, 0)

    def say(
        self,
        template: str,
        *,
        buttons: Rows = (),
        ref: str | None = None,
        key: str | None = None,
        lane: SendPriority = SendPriority.DIALOGUE,
        step: str | None = None,
        **fields: str,
    ) -> None:
        """Say a text; without a key of its own it is the next thing said in this turn.

        The fields `ref` and `turn` are always there: the one for the text, the other for the buttons.
        """
        own = f"say:{self.conversation.person}:{self.state['turn']}:{len(self.says)}"
        self.says.append(
            ReplyText(
                key=key or own,
                template=template,
                fields={**fields, **({"ref": ref} if ref else {}), "turn": self.state["turn"]},
                buttons=buttons,
                ref=ref,
                lane=lane,
                step=self.step if step is None else step,
            )
        )

    def owe(self, kind: str, template: str) -> None:
        """Have something brought into the chat by a duty of this kind, with a text beside it."""
        key = f"{kind}:{self.conversation.person}:{self.state['turn']}"
        fields = {"person": self.conversation.person, "turn": self.state["turn"]}
        self.says.append(ReplyText(key=key, template=template, fields=fields, kind=kind))

    def span(self, written: str) -> str:
        """A length of time in words: `24 months`."""
        return self.texts.span(self.language, written)

    def line(self, id_: str, **fields: Any) -> str:
        """A text to be put into another."""
        return self.texts.say(self.language, id_, **fields)

    def moment(self, at: datetime, case: Case | None = None) -> str:
        """A moment as the person reads it, of this complaint or of the one that the talk is about."""
        zone = case.rules.calendar.zone if case is not None else self.zone
        return self.texts.moment(self.language, at, zone)

    def day(self, at: datetime, case: Case | None = None) -> str:
        """The day by which something is due, as the person reads it, of this complaint or of the talk's."""
        zone = case.rules.calendar.zone if case is not None else self.zone
        return self.texts.day_by(self.language, at, zone)

    def day_when(self, at: datetime, case: Case) -> str:
        """The day on which something happened, as the person reads it."""
        return self.texts.date(self.language, at, case.rules.calendar.zone)

    def burst_ends(self) -> datetime:
        """When the burst to which a message of now belongs is over."""
        rules = self.rules_of(self.ref)
        return due(self.now, rules.dialogue.burst, rules.calendar).at

    def in_an_hour(self) -> datetime:
        """An hour from now."""
        return self.now + timedelta(hours=1)

    def remember_until(self, at: datetime) -> str:
        """A moment as it is kept in the state."""
        return format_time(at)

    def is_past(self, kept: str) -> bool:
        """True when a moment kept in the state has come."""
        return parse_time(kept) <= self.now

    def wake(self, what: str, at: datetime) -> None:
        """Think again then, unless the talk moved on."""
        self.wakes.append(WakeUp(f"wake:{self.conversation.person}:{self.state['turn']}:{what}", what, at))

    def turn(self) -> DialogueTurn:
        """What comes of it."""
        return DialogueTurn(
            state=self.state,
            acts=tuple(self.acts),
            says=tuple(self.says),
            wakes=tuple(self.wakes),
            language=self.chosen,
            blocked=self.blocked,
            jurisdiction=self.rules.country,
        )
