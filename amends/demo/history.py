"""The demo's past: earlier complaints, led by the same verbs through the same store; nothing is sent.

All of it is one transaction in which the clock walks from the first message until now, stopping wherever
something was due: what the desk would have sent is written down as sent, as it would have been worded.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, zip_longest

from amends.demo.afterwards import AFTERWARDS
from amends.demo.courses import COURSES, Course, plan
from amends.demo.doing import ALICE, BURAK, STEPS, Doing, Life
from amends.demo.first_model import first_model
from amends.demo.incident import Outage
from amends.demo.place import PEOPLE
from amends.demo.told import Told
from bots.telegram.buttons import Buttons
from bots.texts.texts import Texts
from complaints.duties import ACTS, Lane, Owed
from complaints.errors import ComplaintError
from complaints.people import MODEL, SYSTEM
from complaints.rulebook import Rulebook
from complaints.vocabulary import RESTRICTING, Category
from complaints.worktime import next_working
from scheduler.proposing import about, danger_sign, proposal_facts, words_behind
from simulator import Simulator
from store import acting, claiming, messages, obligations, owed_rows, proposing, reading, staff, told
from store.open import Store
from store.transactions import Tx
from store.values import Chat, Obligation
from triage.example import Example
from triage.pipeline import Model
from triage.proposal import propose
from triage.sketch import sketch
from triage.starters import starter_examples

NAMES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Grace",
        "Oliver",
        "Amira",
        "Tom",
        "Helen",
        "Kofi",
        "Ruth",
        "Liam",
        "Priya",
        "Joan",
        "Sam",
        "Nora",
    ),
    "tr": ("Ayşe", "Kerem", "Zeynep", "Emre", "Fatma", "Deniz", "Selin", "Murat"),
}
#: What the desk does by itself. What complainants are told is kept too; all else was staff's own business of the
#: past, done then, with nothing to show for it now.
_BY_ITSELF = frozenset({"propose", "wake", *ACTS})
_COMPLAINANTS = ("tell", "finish", "accept", "disagree", "withdraw", "answer", "survey")
_LONG_AGO = timedelta(days=120)
#: A step may take a few answers: the last of them is said before the demo opens.
_LAST_WORD = timedelta(minutes=3)
_INITIALS = "ABCDEFGHKLMNPRSTW"
#: Numbers of the simulator's people begin here, out of the way of those added on the page.
_FIRST_CHAT = 7_000_001


@dataclass(frozen=True)
class Line:
    """One message of the past, to be shown on the phone."""

    chat: str
    name: str
    language: str
    text: str
    from_bot: bool
    at: datetime


@dataclass
class History:
    """Walks through the past inside one transaction."""

    told: Told
    model: Model
    end: datetime
    #: Told how much of it is written, from 0 to 1.
    progress: Callable[[float], object]
    lines: list[Line] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    doing: Doing = field(init=False)
    _names: dict[str, str] = field(default_factory=dict)
    outage: Outage = field(default_factory=Outage)
    _refs: dict[str, None] = field(default_factory=dict)
    _kept: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.doing = Doing(self.told.rules, self.told.texts, self._said, {**STEPS, **AFTERWARDS})

    def write(self, tx: Tx, number: int) -> None:
        """Lead so many complaints to where their courses end; duties due meanwhile are done at their time."""
        self._kept = _BY_ITSELF | self.told.kinds(tx)
        walk: list[tuple[datetime, int, Life, list[tuple[datetime, str]]]] = []
        total = 0
        for life, times in self._lives(number):
            total += len(times)
            heapq.heappush(walk, (times[0][0], life.number, life, times))
        done = 0
        while walk:
            at, order, life, times = heapq.heappop(walk)
            done += 1
            self.progress(done / total)
            self._keep_promises(tx, at)
            tx.now = at
            if self._do(tx, life, times[0][1]) and len(times) > 1:
                heapq.heappush(walk, (max(times[1][0], tx.now), order, life, times[1:]))
        self.outage.write(tx, self.end, self.told.texts, self._keep_promises)
        self._keep_promises(tx, self.end)
        self._leave_the_cards(tx)

    def _lives(self, number: int) -> Iterator[tuple[Life, list[tuple[datetime, str]]]]:
        examples, people = _well_mixed(self.told.examples), _people()
        for n, name in enumerate(plan(number)):
            course = COURSES[name]
            person, language = people[n % len(people)]
            chat = Chat(
                "telegram", str(_FIRST_CHAT + n), language, f"{person} {_INITIALS[n % len(_INITIALS)]}."
            )
            outage = self.outage.story(name, language)
            example = outage or (_praise(language) if name == "praise" else next(examples[language]))
            life = Life(n, chat, language, example, handler=ALICE if n % 2 else BURAK)
            if outage is not None:
                self.outage.lives.append(life)
            begins = self.end - course.ended - course.lasts - timedelta(minutes=7 * (n % 60))
            yield life, _times(begins, self.end, course, self.doing.rules)

    def _do(self, tx: Tx, life: Life, step: str) -> bool:
        """Do the step; a life that the rules stop (it depends on the hour of the day) ends there."""
        try:
            self.doing.do(tx, life, step)
        except ComplaintError as refused:
            self.refused.append(f"{step}: {refused.code}")
            return False
        return True

    def _said(self, tx: Tx, life: Life, text: str) -> None:
        """A message came in: it is shown, and what it calls for is said at once."""
        self.lines.append(Line(life.chat.address, str(life.chat.name), life.language, text, False, tx.now))
        self._names[life.chat.address] = str(life.chat.name)
        if life.ref:
            self._refs[life.ref] = None
        self._keep_promises(tx, tx.now)

    def _keep_promises(self, tx: Tx, until: datetime) -> None:
        """Do what falls due up to that moment, each at its own time."""
        obligations.settle_others(tx, self._kept, until)
        while True:
            one = claiming.earliest(tx, self._kept, until)
            if one is None:
                return
            tx.now = max(tx.now, one.due)
            self._keep(tx, one)

    def _keep(self, tx: Tx, one: Obligation) -> None:
        if not obligations.still_owed(tx, one):
            obligations.settle(tx, one.id)
        elif one.kind in ACTS:
            acting.act(
                tx, str(one.ref), ACTS[one.kind], SYSTEM, dict(one.facts), {}, key=one.key, settles=one.id
            )
        elif one.kind == "wake":
            self.told.wake(tx, one)
        elif one.kind == "propose":
            self._propose(tx, one)
        else:
            self._say(tx, one)

    def _propose(self, tx: Tx, one: Obligation) -> None:
        ref = str(one.ref)
        case = reading.case(tx, ref)
        story = "\n".join(text.text for text in told.texts(tx, ref))
        rules, drawn = self.doing.rules, sketch(story)
        signs = tuple(danger_sign(danger) for danger in rules.danger)
        known = about(case, languages=rules.languages, danger=signs)
        proposal = propose(self.model, story, known)
        facts, words = proposal_facts(proposal, words=case.words), words_behind(proposal)
        proposing.propose(tx, ref, MODEL, facts, words, sketch=drawn, key=one.key, settles=one.id)

    def _say(self, tx: Tx, one: Obligation) -> None:
        written = self.told.write(tx, one)
        if written is None or one.chat is None:
            obligations.settle(tx, one.id)
            return
        message = messages.sending(
            tx, one, written.text, template=written.template, language=written.language, ref=one.ref
        )
        messages.sent(tx, message, f"past:{message}", settles=one.id, acts=written.acts)
        name = self._names[one.chat.address]
        self.lines.append(Line(one.chat.address, name, written.language, written.text, True, tx.now))

    def _leave_the_cards(self, tx: Tx) -> None:
        """The desk draws each complaint as it stands now when it starts; its earlier faces were never shown."""
        tx.now = self.end
        obligations.settle_others(tx, self._kept, self.end)
        self.outage.leave_the_card(tx)
        for ref in self._refs:
            drawn = Owed(f"redraw:past:{ref}", "redraw", tx.now, Lane.BULK, {"ref": ref})
            owed_rows.insert(tx, drawn)


def _times(begins: datetime, end: datetime, course: Course, rules: Rulebook) -> list[tuple[datetime, str]]:
    """When each step happens: the complainant's at any hour, the staff's when they work, all of it before now."""
    at, times = begins, []
    for one in course.steps:
        at = at + one.after
        if one.does not in _COMPLAINANTS and not course.recent:
            at = next_working(at, rules.calendar)
        at = min(at, end - _LAST_WORD)
        times.append((at, one.does))
    return times


def _well_mixed(examples: Sequence[Example]) -> dict[str, Iterator[Example]]:
    """By language, one of each category after the other, for ever; of the rare ones a third."""
    mixed: dict[str, Iterator[Example]] = {}
    for language in NAMES:
        mine = [one for one in examples if one.language == language]
        shelves: dict[str, list[Example]] = {}
        for one in mine:
            shelves.setdefault(one.category, []).append(one)
        rounds = enumerate(zip_longest(*shelves.values()))
        mixed[language] = cycle(
            [one for n, row in rounds for one in row if one is not None and (n % 3 == 0 or _common(one))]
        )
    return mixed


def _common(one: Example) -> bool:
    """Most complaints are about what was supplied and what it cost, few about danger or people."""
    return one.category not in {*RESTRICTING, Category.SAFETY}


def _people() -> list[tuple[str, str]]:
    """Names with their languages: two who write English for each who writes Turkish."""
    english, turkish = NAMES["en"], NAMES["tr"]
    people = []
    for n, name in enumerate(english):
        people.append((name, "en"))
        if n % 2:
            people.append((turkish[n // 2 % len(turkish)], "tr"))
    return people


def _praise(language: str) -> Example:
    said = {
        "en": "Your engineer was wonderful, thank you all for such a quick repair!",
        "tr": "Ustanız harikaydı, bu kadar hızlı onardığınız için hepinize teşekkür ederim!",
    }
    return Example(said[language], "other", 1, language)


def fill(
    store: Store,
    simulator: Simulator,
    texts: Texts,
    rules: Rulebook,
    buttons: Buttons,
    number: int,
    *,
    progress: Callable[[float], object],
) -> History:
    """Write a past of so many complaints and show it on the simulator's phones.

    The first model is trained on the way, so that the past's proposals are its own.
    """
    examples = starter_examples(rules.languages)
    model = first_model(store, rules.languages)
    told_ = Told(rules, texts, buttons, examples)
    history = History(told_, model, store.now(), progress)

    def write(tx: Tx) -> None:
        # Whoever acted in the past held the role then: roles are kept by period.
        tx.now = history.end - _LONG_AGO
        staff.sync_staff(tx, PEOPLE)
        history.write(tx, number)

    store.run(write, writes=True)
    for line in history.lines:
        person = simulator.customer(line.name, language=line.language, met=True, number=int(line.chat))
        person.remembers(line.text, from_bot=line.from_bot, at=line.at)
    return history
