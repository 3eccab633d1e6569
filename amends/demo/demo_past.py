"""Writes the demo's past in one transaction: the clock moves from the first message to now, due time by due time.

Nothing is sent: each message is recorded as sent, with the text that the desk's own writers compose.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from amends.demo.actions import ALICE, BURAK, STEPS, DemoComplaint, PastActions
from amends.demo.courses import COURSES, mix_examples, people, plan, praise, schedule
from amends.demo.outage import Outage
from amends.demo.registers import RegisterHistory
from amends.demo.settings import PEOPLE, first_model
from bots.dialogue.inputs import Elapsed
from bots.dialogue.step import step
from bots.letters.composer import CHAT_LETTERS
from bots.letters.letter import Letter
from bots.telegram.callback_data import Buttons
from bots.telegram.letters import LetterHandler
from bots.telegram.sending import Sender
from bots.texts.texts import Texts
from complaints.actors import MODEL, SYSTEM
from complaints.errors import ComplaintError
from complaints.obligations.kinds import ACTS, NewObligation, SendPriority
from complaints.rulebook import Rulebook
from scheduler.proposals import danger_sign, triage_context
from simulator import Simulator
from store.cases import act, outgoing_messages, read, receive_message
from store.cases.outgoing_messages import FollowUpAct
from store.database.transaction import Tx
from store.outbox import claim, complete, rows
from store.people import staff
from store.people.masked_texts import load_masked_story
from store.record.load import load_texts
from store.store import Store
from store.values import Chat, Obligation
from triage.learning.examples import starter_examples
from triage.model.pipeline import Model
from triage.proposal import proposal_facts, proposal_words, propose
from triage.search_words import story_words
from triage.shingles import sketch

#: Obligations that are completed in the past, in addition to messages to complainants. All others are for staff: they
#: were done then and leave nothing to show now.
_AUTOMATIC = frozenset({"propose", "wake", *ACTS})
#: Earlier than the first message: staff have their roles from then on.
_ROLES_SINCE = timedelta(days=120)
_INITIALS = "ABCDEFGHKLMNPRSTW"
#: The first chat number; people who are added on the simulator's page have lower ones.
_FIRST_CHAT = 7_000_001

P = ParamSpec("P")
R = TypeVar("R")


def fill(
    store: Store,
    simulator: Simulator,
    texts: Texts,
    rules: Rulebook,
    buttons: Buttons,
    number: int,
    *,
    progress: Callable[[float], object],
) -> DemoHistory:
    """Write this many past complaints and show their messages on the simulator's phones.

    Trains the first model before, so that the past's proposals come from it.
    """
    model = first_model(store, rules.languages)
    history = DemoHistory(rules, texts, DemoMessages(texts, buttons), model, store.now(), progress)

    def write(tx: Tx) -> None:
        # Roles are stored with their period: people must have had their roles when they acted in the past.
        tx.now = history.end - _ROLES_SINCE
        staff.sync_staff(tx, PEOPLE)
        history.write(tx, number)

    store.write(write)
    for line in history.lines:
        person = simulator.customer(line.name, language=line.language, met=True, number=int(line.chat))
        person.remembers(line.text, from_bot=line.from_bot, at=line.at)
    return history


@dataclass(frozen=True)
class DemoLine:
    chat: str
    name: str
    language: str
    text: str
    from_bot: bool
    at: datetime


@dataclass
class DemoHistory:
    """Writes the past inside one transaction; `progress` gets the finished share, from 0 to 1."""

    rules: Rulebook
    texts: Texts
    messages: DemoMessages
    model: Model
    end: datetime
    progress: Callable[[float], object]
    lines: list[DemoLine] = field(default_factory=list)
    #: Steps that the rules refused, as `step: error code`.
    refusals: list[str] = field(default_factory=list)
    outage: Outage = field(default_factory=Outage)
    registers: RegisterHistory = field(init=False)
    _actions: PastActions = field(init=False)
    _names: dict[str, str] = field(default_factory=dict)
    _refs: dict[str, None] = field(default_factory=dict)
    _kinds: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.registers = RegisterHistory(self.end, self.texts)
        self._actions = PastActions(self.rules, self.texts, self._record_message)

    def write(self, tx: Tx, number: int) -> None:
        """Take this many complaints to the end of their courses; complete each obligation at its due time."""
        self._actions.save_templates(tx)
        self._kinds = _AUTOMATIC | CHAT_LETTERS | {"say"}
        queue: list[tuple[datetime, int, DemoComplaint, list[tuple[datetime, str]]]] = []
        total = 0
        for complaint, times in self._complaints(number):
            total += len(times)
            heapq.heappush(queue, (times[0][0], complaint.number, complaint, times))
        done = 0
        while queue:
            at, order, complaint, times = heapq.heappop(queue)
            done += 1
            self.progress(done / total)
            self._complete_due(tx, at)
            self.registers.write(tx, at)
            tx.now = at
            if self._do(tx, complaint, times[0][1]) and len(times) > 1:
                heapq.heappush(queue, (max(times[1][0], tx.now), order, complaint, times[1:]))
        self.registers.write(tx, self.end)
        self.outage.write(tx, self.end, self.texts, self._complete_due)
        self._complete_due(tx, self.end)
        self._schedule_cards(tx)

    def _complaints(self, number: int) -> Iterator[tuple[DemoComplaint, list[tuple[datetime, str]]]]:
        examples, names = mix_examples(starter_examples(self.rules.languages)), people()
        for n, name in enumerate(plan(number)):
            course = COURSES[name]
            person, language = names[n % len(names)]
            chat = Chat(
                "telegram", str(_FIRST_CHAT + n), language, f"{person} {_INITIALS[n % len(_INITIALS)]}."
            )
            outage = self.outage.example(name, language)
            example = outage or (praise(language) if name == "praise" else next(examples[language]))
            complaint = DemoComplaint(n, chat, language, example, handler=ALICE if n % 2 else BURAK)
            if outage is not None:
                self.outage.complaints.append(complaint)
            begins = self.end - course.ended - course.duration - timedelta(minutes=7 * (n % 60))
            yield complaint, schedule(course, begins=begins, end=self.end, rules=self.rules)

    def _do(self, tx: Tx, complaint: DemoComplaint, name: str) -> bool:
        """Do the step. If the rules refuse it, which depends on the hour of the day, the complaint's course ends."""
        try:
            STEPS[name](self._actions, tx, complaint)
        except ComplaintError as error:
            self.refusals.append(f"{name}: {error.code}")
            return False
        return True

    def _record_message(self, tx: Tx, complaint: DemoComplaint, text: str) -> None:
        """A message came in: show it, and let the bot answer at once."""
        chat, name = complaint.chat.address, str(complaint.chat.name)
        self.lines.append(DemoLine(chat, name, complaint.language, text, False, tx.now))
        self._names[chat] = name
        if complaint.ref:
            self._refs[complaint.ref] = None
        self._complete_due(tx, tx.now)

    def _complete_due(self, tx: Tx, until: datetime) -> None:
        """Complete the obligations that are due up to this time, each at its own time."""
        complete.complete_others(tx, self._kinds, until)
        while True:
            obligation = claim.find_earliest(tx, self._kinds, until)
            if obligation is None:
                return
            tx.now = max(tx.now, obligation.due)
            self._complete(tx, obligation)

    def _complete(self, tx: Tx, obligation: Obligation) -> None:
        if not complete.is_still_required(tx, obligation):
            complete.complete(tx, obligation.id)
        elif obligation.kind in ACTS:
            act.act(
                tx,
                str(obligation.ref),
                ACTS[obligation.kind],
                SYSTEM,
                dict(obligation.facts),
                {},
                key=obligation.key,
                completes=obligation.id,
            )
        elif obligation.kind == "wake":
            self.messages.wake(tx, obligation)
        elif obligation.kind == "propose":
            self._propose(tx, obligation)
        else:
            self._send(tx, obligation)

    def _propose(self, tx: Tx, obligation: Obligation) -> None:
        ref = str(obligation.ref)
        case = read.load_case(tx, ref)
        texts = load_texts(tx, ref)
        story = "\n".join(text.text for text in texts)
        signs = tuple(danger_sign(danger) for danger in self.rules.danger)
        proposal = propose(
            self.model, story, triage_context(case, texts, languages=self.rules.languages, danger=signs)
        )
        facts, words = proposal_facts(proposal, words=case.words), proposal_words(proposal)
        masked = load_masked_story(tx, ref)
        act.record_proposal(
            tx,
            ref,
            MODEL,
            facts,
            words,
            sketch=sketch(masked),
            story_words=story_words(masked, case.language),
            key=obligation.key,
            settles=obligation.id,
        )

    def _send(self, tx: Tx, obligation: Obligation) -> None:
        outgoing = self.messages.compose(tx, obligation)
        if outgoing is None or obligation.chat is None:
            complete.complete(tx, obligation.id)
            return
        message = outgoing_messages.begin_sending(
            tx,
            obligation,
            outgoing.text,
            template=outgoing.template,
            language=outgoing.language,
            ref=obligation.ref,
        )
        outgoing_messages.record_sent(
            tx, message, f"past:{message}", completes=obligation.id, acts=outgoing.acts
        )
        chat = obligation.chat.address
        self.lines.append(DemoLine(chat, self._names[chat], outgoing.language, outgoing.text, True, tx.now))

    def _schedule_cards(self, tx: Tx) -> None:
        """Let the desk post one card for each complaint when it starts, in its state now."""
        tx.now = self.end
        complete.complete_others(tx, self._kinds, self.end)
        self.outage.schedule_card(tx)
        for ref in self._refs:
            redraw = NewObligation(f"redraw:past:{ref}", "redraw", tx.now, SendPriority.BULK, {"ref": ref})
            rows.insert_obligation(tx, redraw)


@dataclass(frozen=True)
class DemoMessage:
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
    texts: Texts
    buttons: Buttons

    def compose(self, tx: Tx, obligation: Obligation) -> DemoMessage | None:
        language = self.texts.language(obligation.chat.language if obligation.chat else None)
        if obligation.kind == "say":
            reply: Mapping[str, Any] = obligation.payload
            text = self.texts.text(language, reply["template"], **reply["fields"])
            return DemoMessage(text, reply["template"], language)
        case = read.load_case(tx, str(obligation.ref))
        letter = self._letter_handler(tx).compose(Letter(case, self.texts, language), obligation)
        if letter is None:
            return None
        return DemoMessage(letter.text, letter.template, language, letter.acts(str(obligation.ref)))

    def wake(self, tx: Tx, obligation: Obligation) -> None:
        if obligation.chat is None:
            return
        elapsed = Elapsed(str(obligation.facts["what"]))
        receive_message.receive_message(
            tx,
            obligation.key,
            obligation.chat,
            lambda conversation: step(conversation, elapsed, now=tx.now, texts=self.texts),
            completes=obligation.id,
        )

    def _letter_handler(self, tx: Tx) -> LetterHandler:
        return LetterHandler(
            cast(Store, _StoreInTransaction(tx)), cast(Sender, None), self.buttons, self.texts
        )
