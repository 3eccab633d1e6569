"""What followed in the demo's past: talk, dates, remedies, levels, outside bodies, endings, surveys.

How far the demo's earlier complaints have come: each course is a list of steps with the time before each.

One outage in the demo's past: a dozen people, one incident, one update to all of them.

The demo's past: earlier complaints, led by the same verbs through the same store; nothing is sent.

All of it is one transaction in which the clock walks from the first message until now, stopping wherever
something was due: what the desk would have sent is written down as sent, as it would have been worded.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, zip_longest

from amends.demo.actions import ALICE, BURAK, MONA, STEPS, TUGBA, DemoWords, Doing, Life
from amends.demo.settings import PEOPLE, first_model
from bots.letters import preview
from bots.telegram.callback_data import Buttons
from bots.texts.texts import Texts
from complaints.actors import MODEL, SYSTEM, complainant
from complaints.deadlines.working_time import next_working
from complaints.errors import ComplaintError
from complaints.incidents import SAME_INCIDENT
from complaints.obligations.kinds import ACTS, NewObligation, SendPriority
from complaints.rulebook import Rulebook
from complaints.timestamps import format_time
from complaints.vocabulary import RESTRICTING, Category, Target, Verb
from scheduler.proposals import about, danger_sign, proposal_facts, words_behind
from simulator import Simulator
from store.cases import act, incident_updates, outgoing_messages, read
from store.cases import act as cases_act
from store.cases import propose as cases_propose
from store.database.transaction import Tx
from store.incidents import incidents
from store.incidents.card import schedule_card
from store.outbox import claim, complete, rows
from store.people import staff
from store.record import texts as store_texts
from store.store import Store
from store.values import Chat, Obligation
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.model.pipeline import Model
from triage.proposal import propose
from triage.similarity import sketch

_SAID: Mapping[str, Mapping[str, str]] = {
    "reply": {
        "en": "We have read all of it and are looking into it; you hear from us again this week.",
        "tr": "Hepsini okuduk ve inceliyoruz; bu hafta içinde size yeniden yazacağız.",
    },
    "ask": {
        "en": "Could you send us the date on the letter that you mention?",
        "tr": "Sözünü ettiğiniz mektubun tarihini bize yazar mısınız?",
    },
    "answer": {"en": "The letter is of the 2nd of this month.", "tr": "Mektup bu ayın 2'sinde yazılmış."},
    "extend": {
        "en": "Our supplier's records come only next week.",
        "tr": "Tedarikçimizin kayıtları ancak gelecek hafta geliyor.",
    },
    "skip": {"en": "Skip", "tr": "Geç"},
}


def _remedy(doing: Doing, tx: Tx, life: Life) -> None:
    for one in doing.case(tx, life).owed_remedies:
        if one.done_at is None:
            done = {"remedy": str(one.n), "done_at": tx.now.isoformat().replace("+00:00", "Z")}
            doing.act(
                tx,
                life,
                "remedy",
                Verb.REMEDY_DONE,
                doing.judge(tx, life),
                done,
                {"proof": "Job sheet, signed"},
            )


def _verify(doing: Doing, tx: Tx, life: Life) -> None:
    for one in doing.case(tx, life).owed_remedies:
        if one.done_at is not None and one.verified_at is None:
            by = TUGBA if one.done_by == MONA.id else MONA
            facts, words = {"remedy": str(one.n)}, {"how": "Called and looked"}
            doing.act(tx, life, "verify", Verb.VERIFY, by, facts, words)


def _close(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"root_cause": "Records of two systems did not agree."}
    doing.act(tx, life, "close", Verb.CLOSE, MONA, {"cause_class": "single"}, words)


def _by_complainant(verb: Verb) -> Callable[[Doing, Tx, Life], None]:
    def act(doing: Doing, tx: Tx, life: Life) -> None:
        person = complainant(doing.case(tx, life).complainant)
        cases_act.act(tx, life.ref, verb, person, {}, {})

    return act


def _review(doing: Doing, tx: Tx, life: Life) -> None:
    by = doing.judge(tx, life)
    doing.act(tx, life, "take", Verb.ASSIGN, by, {"owner": by.id}, {})
    doing.steps["investigate"](doing, tx, life)
    doing.steps["decide_not_upheld"](doing, tx, life)
    doing.steps["approve"](doing, tx, life)


def _reclassify(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"reason": "Praises us and asks for nothing."}
    doing.act(tx, life, "reclassify", Verb.RECLASSIFY, doing.judge(tx, life), {"kind": "praise"}, words)


def _reply(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"text": _SAID["reply"][life.language]}
    doing.act(tx, life, "reply", Verb.REPLY, doing.judge(tx, life), {"language_confirmed": True}, words)


def _ask(doing: Doing, tx: Tx, life: Life) -> None:
    facts = {"needed_by": (tx.now + timedelta(days=5)).date().isoformat(), "language_confirmed": True}
    words = {"text": _SAID["ask"][life.language]}
    doing.act(tx, life, "ask", Verb.ASK, doing.judge(tx, life), facts, words)


def _answer(doing: Doing, tx: Tx, life: Life) -> None:
    doing.say(tx, life, _SAID["answer"][life.language])


def _extend(doing: Doing, tx: Tx, life: Life) -> None:
    """A manager moves the decision by two days, where the date and its caps allow it."""
    target = doing.case(tx, life).target(Target.DECIDE)
    if target is None:
        return
    later = {"target": "decide", "extended_to": (target.internal_due + timedelta(days=2)).date().isoformat()}
    doing.act(tx, life, "extend", Verb.EXTEND, MONA, later, {"reason": _SAID["extend"][life.language]})


def _outside(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"body": "Consumer ombudsman", "external_ref": f"CO-{4000 + life.number}"}
    doing.act(tx, life, "external", Verb.NOTIFY_EXTERNAL, MONA, {"event": "notified"}, words)


def _overturned(doing: Doing, tx: Tx, life: Life) -> None:
    comply_by = (tx.now + timedelta(days=20)).date().isoformat()
    words = {"body": "Consumer ombudsman", "outcome": "Pay back 60.00 GBP and apologise."}
    facts = {"event": "final", "comply_by": comply_by}
    doing.act(tx, life, "external", Verb.CONCLUDE_EXTERNAL, MONA, facts, words)


def _reopen(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"reason": "The same fault came back within a week."}
    doing.act(tx, life, "reopen", Verb.REOPEN, MONA, {}, words)


def _survey(doing: Doing, tx: Tx, life: Life) -> None:
    """The questions that came some days after the end; how content somebody is differs from life to life."""
    content = 5 - life.number // 2 % 3
    for at in range(5):
        doing.say(tx, life, str(max(1, content - (at % 2))))
    doing.say(tx, life, _SAID["skip"][life.language])


AFTERWARDS: Mapping[str, Callable[[Doing, Tx, Life], None]] = {
    "reply": _reply,
    "ask": _ask,
    "answer": _answer,
    "extend": _extend,
    "accept": _by_complainant(Verb.ACCEPT),
    "disagree": _by_complainant(Verb.DISAGREE),
    "withdraw": _by_complainant(Verb.WITHDRAW),
    "remedy": _remedy,
    "verify": _verify,
    "close": _close,
    "review": _review,
    "reclassify": _reclassify,
    "outside": _outside,
    "overturned": _overturned,
    "reopen": _reopen,
    "survey": _survey,
}


H, D = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class DemoStep:
    """`does` names the step (see doing.py), `after` the time since the one before."""

    does: str
    after: timedelta


@dataclass(frozen=True)
class Course:
    """`weight` is how often it occurs among the demo's complaints, `ended` how long ago its last step was."""

    steps: tuple[DemoStep, ...]
    weight: int
    ended: timedelta

    @property
    def recent(self) -> bool:
        """Ended within the hour: it must not be moved to the next working morning."""
        return self.ended <= timedelta(hours=3)

    @property
    def lasts(self) -> timedelta:
        """From the first message to the last step."""
        return sum((one.after for one in self.steps), timedelta())


_TOLD = (DemoStep("tell", 0 * H), DemoStep("finish", H / 20))
_ASSESSED = (*_TOLD, DemoStep("assess", 3 * H))
_LOOKED_INTO = (*_ASSESSED, DemoStep("investigate", 5 * H))
_ASKED = (
    *_ASSESSED,
    DemoStep("reply", H),
    DemoStep("ask", 2 * H),
    DemoStep("answer", 8 * H),
    DemoStep("investigate", 3 * H),
)
_UPHELD = (*_LOOKED_INTO, DemoStep("decide_refund", 20 * H), DemoStep("approve", 2 * H))
_MENDED = (*_LOOKED_INTO, DemoStep("decide_repair", 20 * H))
_REFUSED = (*_LOOKED_INTO, DemoStep("decide_not_upheld", 20 * H))
_LEVEL_2 = (*_REFUSED, DemoStep("disagree", 30 * H), DemoStep("review", 20 * H))
_OUTSIDE = (*_LEVEL_2, DemoStep("disagree", 20 * H))
_AT_ONCE = (*_ASSESSED, DemoStep("resolve", H), DemoStep("accept", H), DemoStep("close", H))
_PUT_RIGHT = (
    *_UPHELD,
    DemoStep("accept", 9 * H),
    DemoStep("remedy", 2 * D),
    DemoStep("verify", D),
    DemoStep("close", 2 * H),
)

COURSES: Mapping[str, Course] = {
    "being told": Course((DemoStep("tell", 0 * H),), 2, H / 10),
    "received": Course(_TOLD, 5, 2 * H),
    "assessed": Course(_ASSESSED, 5, 3 * H),
    "taken": Course((*_TOLD, DemoStep("take", 2 * H)), 3, H),
    "investigated": Course(_LOOKED_INTO, 4, 20 * H),
    "asked": Course((*_ASSESSED, DemoStep("reply", H), DemoStep("ask", 2 * H)), 3, 5 * H),
    "given more time": Course((*_ASKED, DemoStep("extend", 4 * H)), 3, 20 * H),
    "waits for approval": Course((*_LOOKED_INTO, DemoStep("decide_refund", 20 * H)), 3, 2 * H),
    "answered": Course(_REFUSED, 5, 2 * D),
    "remedy owed": Course((*_MENDED, DemoStep("accept", 4 * H)), 4, D),
    "to be checked": Course((*_MENDED, DemoStep("accept", 4 * H), DemoStep("remedy", D)), 3, 5 * H),
    "accepted": Course((*_REFUSED, DemoStep("accept", 9 * H)), 2, 3 * H),
    "escalated": Course((*_REFUSED, DemoStep("disagree", 30 * H)), 3, 6 * H),
    "reviewed": Course((*_LEVEL_2,), 2, D),
    "outside": Course(_OUTSIDE, 2, 3 * D),
    "at the ombudsman": Course((*_OUTSIDE, DemoStep("outside", 4 * D)), 1, 5 * D),
    "overturned": Course((*_OUTSIDE, DemoStep("outside", 4 * D), DemoStep("overturned", 20 * D)), 1, 2 * D),
    "resolved at once": Course(_AT_ONCE, 12, 2 * D),
    "resolved at once, long ago": Course((*_AT_ONCE, DemoStep("survey", 4 * D)), 12, 19 * D),
    "put right": Course(_PUT_RIGHT, 10, 3 * D),
    "put right, long ago": Course((*_PUT_RIGHT, DemoStep("survey", 4 * D)), 10, 24 * D),
    "came back": Course((*_PUT_RIGHT, DemoStep("reopen", 7 * D), DemoStep("reply", H)), 2, D),
    "no reply": Course((*_MENDED, DemoStep("remedy", 2 * D), DemoStep("verify", D)), 4, 33 * D),
    "lapsed": Course(_REFUSED, 3, 34 * D),
    "withdrawn": Course((*_ASSESSED, DemoStep("withdraw", 10 * H)), 2, 4 * D),
    "praise": Course((*_TOLD, DemoStep("reclassify", 3 * H), DemoStep("approve", 2 * H)), 2, 6 * D),
}


def plan(number: int) -> list[str]:
    """The courses of so many complaints, in the proportions of the weights and well mixed."""
    wheel: list[tuple[float, str]] = []
    total = sum(course.weight for course in COURSES.values())
    for name, course in COURSES.items():
        count = max(1, round(number * course.weight / total))
        wheel += [((n + 0.5) / count, name) for n in range(count)]
    return [name for _, name in sorted(wheel)][: max(number, len(COURSES))]


#: So many of the past's complaints are about it, taken from those that are not far yet.
INCIDENT_PEOPLE = 12
EARLY = frozenset({"received", "assessed", "taken", "investigated"})
#: Said after everything else of the past, and before the demo opens.
_OPENED, _INCIDENT_TEXTS = timedelta(minutes=2, seconds=30), timedelta(minutes=2)

STORIES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "We have had no water in Mill Lane since this morning and nobody answers the telephone.",
        "No water from the kitchen tap since early today, the whole street is dry. When will it be back?",
        "The water went off without any warning, I had to send my children to school unwashed.",
        "There is no water in our building in Mill Lane. I want to know what happened and for how long.",
        "Our café had to close because there was no water all morning.",
    ),
    "tr": (
        "Değirmen Sokak'ta sabahtan beri su yok ve telefona kimse bakmıyor.",
        "Bu sabahtan beri musluktan su akmıyor, bütün sokak susuz. Ne zaman gelecek?",
        "Hiçbir haber verilmeden su kesildi, dükkânımı açamadım.",
    ),
}
WHAT = {
    "what": "Burst main in Mill Lane",
    "area": "Mill Lane",
    "line.en": "A water main burst in Mill Lane this morning. We are repairing it.",
    "line.tr": "Değirmen Sokak'ta bu sabah bir ana su borusu patladı. Onarıyoruz.",
    "signs.en": "no water, water went off, dry",
    "signs.tr": "su yok, su kesil, susuz",
}
UPDATE = {
    "text.en": "The burst main in Mill Lane is being repaired. We expect water again this evening. "
    "Drinking water is handed out at the corner of the bridge.",
    "text.tr": "Değirmen Sokak'taki patlayan boru onarılıyor. Suyun bu akşam gelmesini bekliyoruz. "
    "Köprünün köşesinde içme suyu dağıtılıyor.",
}


@dataclass
class Outage:
    """Takes some of the past's complaints and gives them their incident."""

    lives: list[Life] = field(default_factory=list)
    number: int | None = None
    _told: dict[str, Iterator[str]] = field(
        default_factory=lambda: {language: cycle(stories) for language, stories in STORIES.items()}
    )

    def story(self, course: str, language: str) -> Example | None:
        """What the next complaint tells, where this one is to be about the outage."""
        if course not in EARLY or len(self.lives) == INCIDENT_PEOPLE or language not in self._told:
            return None
        return Example(next(self._told[language]), "supply", 2, language)

    def write(
        self, tx: Tx, end: datetime, texts: Texts, keep_promises: Callable[[Tx, datetime], None]
    ) -> None:
        """Open it, let its complaints join, and tell them all once."""
        keep_promises(tx, end - _OPENED)
        tx.now = end - _OPENED
        self.lives = [life for life in self.lives if life.ref]
        if not self.lives:
            return
        began = {"started_at": format_time(min([tx.now, *self._received(tx)]))}
        self.number = incidents.open_incident(tx, ALICE, began, WHAT).id
        for at, life in enumerate(self.lives):
            # The first tells of the telephone too: a matter of its own beside the outage.
            self._join(tx, life, more=at == 0)
        keep_promises(tx, end - _INCIDENT_TEXTS)
        tx.now = end - _INCIDENT_TEXTS
        incident_updates.schedule_incident_update(tx, self.number, ALICE, UPDATE)
        for one in claim.claim(tx, {incident_updates.KIND}, INCIDENT_PEOPLE, 60.0):
            ref, batch = str(one.ref), str(one.facts["batch"])
            case = read.load_case(tx, ref)
            words = {"text": incident_updates.load_update_text(tx, self.number, batch, case.language)}
            words["letter"] = preview("reply", case, {}, words, now=tx.now, texts=texts)
            incident_updates.record_incident_update(tx, ref, batch, ALICE, words, settles=one.id)

    def leave_the_card(self, tx: Tx) -> None:
        """The desk posts its card when it starts."""
        if self.number is not None:
            schedule_card(tx, self.number, "past")

    def _received(self, tx: Tx) -> list[datetime]:
        return [read.load_case(tx, life.ref).received_at for life in self.lives]

    def _join(self, tx: Tx, life: Life, *, more: bool) -> None:
        """A complaint that is not open to her by now (it names somebody) stays by itself."""
        facts = {"relation": SAME_INCIDENT, "incident": self.number, "second_issue": more}
        try:
            act.act(tx, life.ref, Verb.LINK, ALICE, facts, {})
        except ComplaintError:
            return


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
class DemoLine:
    """One message of the past, to be shown on the phone."""

    chat: str
    name: str
    language: str
    text: str
    from_bot: bool
    at: datetime


@dataclass
class DemoHistory:
    """Walks through the past inside one transaction."""

    told: DemoWords
    model: Model
    end: datetime
    #: Told how much of it is written, from 0 to 1.
    progress: Callable[[float], object]
    lines: list[DemoLine] = field(default_factory=list)
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
        self.lines.append(
            DemoLine(life.chat.address, str(life.chat.name), life.language, text, False, tx.now)
        )
        self._names[life.chat.address] = str(life.chat.name)
        if life.ref:
            self._refs[life.ref] = None
        self._keep_promises(tx, tx.now)

    def _keep_promises(self, tx: Tx, until: datetime) -> None:
        """Do what falls due up to that moment, each at its own time."""
        complete.complete_others(tx, self._kept, until)
        while True:
            one = claim.earliest(tx, self._kept, until)
            if one is None:
                return
            tx.now = max(tx.now, one.due)
            self._keep(tx, one)

    def _keep(self, tx: Tx, one: Obligation) -> None:
        if not complete.is_still_required(tx, one):
            complete.complete(tx, one.id)
        elif one.kind in ACTS:
            act.act(
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
        case = read.load_case(tx, ref)
        story = "\n".join(text.text for text in store_texts.load_texts(tx, ref))
        rules, drawn = self.doing.rules, sketch(story)
        signs = tuple(danger_sign(danger) for danger in rules.danger)
        known = about(case, languages=rules.languages, danger=signs)
        proposal = propose(self.model, story, known)
        facts, words = proposal_facts(proposal, words=case.words), words_behind(proposal)
        cases_propose.propose(tx, ref, MODEL, facts, words, sketch=drawn, key=one.key, settles=one.id)

    def _say(self, tx: Tx, one: Obligation) -> None:
        written = self.told.write(tx, one)
        if written is None or one.chat is None:
            complete.complete(tx, one.id)
            return
        message = outgoing_messages.begin_sending(
            tx, one, written.text, template=written.template, language=written.language, ref=one.ref
        )
        outgoing_messages.record_sent(tx, message, f"past:{message}", settles=one.id, acts=written.acts)
        name = self._names[one.chat.address]
        self.lines.append(DemoLine(one.chat.address, name, written.language, written.text, True, tx.now))

    def _leave_the_cards(self, tx: Tx) -> None:
        """The desk draws each complaint as it stands now when it starts; its earlier faces were never shown."""
        tx.now = self.end
        complete.complete_others(tx, self._kept, self.end)
        self.outage.leave_the_card(tx)
        for ref in self._refs:
            drawn = NewObligation(f"redraw:past:{ref}", "redraw", tx.now, SendPriority.BULK, {"ref": ref})
            rows.insert_obligation(tx, drawn)


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
) -> DemoHistory:
    """Write a past of so many complaints and show it on the simulator's phones.

    The first model is trained on the way, so that the past's proposals are its own.
    """
    examples = starter_examples(rules.languages)
    model = first_model(store, rules.languages)
    told_ = DemoWords(rules, texts, buttons, examples)
    history = DemoHistory(told_, model, store.now(), progress)

    def write(tx: Tx) -> None:
        # Whoever acted in the past held the role then: roles are kept by period.
        tx.now = history.end - _LONG_AGO
        staff.sync_staff(tx, PEOPLE)
        history.write(tx, number)

    store.write(write)
    for line in history.lines:
        person = simulator.customer(line.name, language=line.language, met=True, number=int(line.chat))
        person.remembers(line.text, from_bot=line.from_bot, at=line.at)
    return history
