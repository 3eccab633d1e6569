"""What the demo's people did in the past, through the same verbs and the same store as anybody.

What the desk told people in the past, worded by the same writers that word it when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from bots.dialogue import Elapsed, TextInput, step
from bots.letters import Letter, preview
from bots.telegram.callback_data import Buttons
from bots.telegram.letters import LetterHandler
from bots.telegram.sending import Sender
from bots.texts.texts import Texts
from complaints.actors import SYSTEM, Actor, staff
from complaints.case import Case
from complaints.rulebook import Rulebook
from complaints.vocabulary import Flag, Verb
from store.cases import act as cases_act
from store.cases import read, receive_message
from store.cases.outgoing_messages import Following
from store.database.transaction import Tx
from store.store import Store
from store.values import Chat, Obligation
from triage.example import Example

P = ParamSpec("P")
R = TypeVar("R")

ALICE, BURAK = staff("U0000001", "handler"), staff("U0000005", "handler")
MONA, TUGBA = staff("U0000002", "manager", "on_call"), staff("U0000003", "top_management")

#: What the bot's questions are answered with, in each of the demo's languages.
ANSWERS: Mapping[str, tuple[str, str]] = {
    "en": ("12 Mill Lane, account 8841207, last week", "Please put it right and tell me what happened."),
    "tr": ("Değirmen Sokak 12, hesap 8841207, geçen hafta", "Lütfen düzeltin ve ne olduğunu bana anlatın."),
}
_SEND: Mapping[str, str] = {"en": "Send", "tr": "Gönder"}


@dataclass
class Life:
    """One earlier complaint of the demo: who tells it, what is told, and its reference once there is one."""

    number: int
    chat: Chat
    language: str
    example: Example
    ref: str = ""
    handler: Actor = ALICE
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Doing:
    """Does one named step of one life inside an open transaction."""

    rules: Rulebook
    texts: Texts
    #: Told of every message in, so that what it calls for is said before the next one.
    said: Callable[[Tx, Life, str], None]
    steps: Mapping[str, Callable[[Doing, Tx, Life], None]]

    def do(self, tx: Tx, life: Life, name: str) -> None:
        """Do the step that has this name in courses.py."""
        self.steps[name](self, tx, life)

    def case(self, tx: Tx, life: Life) -> Case:
        """The case as it stands."""
        return read.load_case(tx, life.ref)

    def say(self, tx: Tx, life: Life, text: str) -> None:
        """The complainant writes."""
        source = f"{life.number}{len(life.said):03d}"
        life.said.append(text)
        words = TextInput(text, source, tx.now)
        heard = receive_message.receive_message(
            tx,
            f"past:{life.number}:{source}",
            life.chat,
            lambda talk: step(talk, words, now=tx.now, texts=self.texts),
        )
        if heard.refs:
            life.ref = heard.refs[0]
        self.said(tx, life, text)

    def act(
        self,
        tx: Tx,
        life: Life,
        form: str,
        verb: Verb,
        by: Actor,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
    ) -> None:
        """Staff read it, then act; a letter is the one that the preview shows."""
        if by.is_staff:
            read.open_case(tx, life.ref, by, "open")
        if form in ("resolve", "decide", "reply"):
            letter = preview(form, self.case(tx, life), facts, words, now=tx.now, texts=self.texts)
            words = {**words, "letter": letter}
        cases_act.act(tx, life.ref, verb, by, facts, words)

    def judge(self, tx: Tx, life: Life) -> Actor:
        """Who may decide at this level: another person than below, a manager where the case is restricted."""
        case = self.case(tx, life)
        if case.level > 1:
            return TUGBA if case.restricted else MONA
        return MONA if case.restricted else life.handler


def _tell(doing: Doing, tx: Tx, life: Life) -> None:
    doing.say(tx, life, life.example.text)


def _finish(doing: Doing, tx: Tx, life: Life) -> None:
    """Answer the questions that the bot asked when the story's burst was over, and sign."""
    where, remedy = ANSWERS[life.language]
    for text in (where, remedy, _SEND[life.language]):
        doing.say(tx, life, text)
        tx.now += timedelta(seconds=25)


def _take(doing: Doing, tx: Tx, life: Life) -> None:
    by = doing.judge(tx, life)
    doing.act(tx, life, "take", Verb.ASSIGN, by, {"owner": by.id}, {})


def _assess(doing: Doing, tx: Tx, life: Life) -> None:
    case = doing.case(tx, life)
    rules = max((sign.severity for sign in case.signs), default=1)
    safety = max((sign.safety for sign in case.signs), default=0)
    facts = {
        "category": life.example.category,
        "severity": max(rules, life.example.severity or 2),
        "safety": safety,
        "complexity": 1,
        "reach": 1,
        "recurrence": 2,
        "immediate_needed": "no",
        "compensation_likely": False,
        "media_heard": False,
        "issues": [],
    }
    by = doing.judge(tx, life)
    if case.owner is None:
        doing.act(tx, life, "take", Verb.ASSIGN, by, {"owner": by.id}, {})
    verb = Verb.ASSESS if case.assessment is None else Verb.REASSESS
    doing.act(tx, life, "assess", verb, by, facts, {})
    after = doing.case(tx, life)
    if Flag.SIGNIFICANT in after.flags and after.executive_receipt_at is None:
        doing.act(tx, life, "receipt", Verb.RECEIPT, TUGBA, {"of": "executive"}, {})


def _investigate(doing: Doing, tx: Tx, life: Life) -> None:
    evidence = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]
    doing.act(tx, life, "investigate", Verb.INVESTIGATE, doing.judge(tx, life), {"evidence": evidence}, {})


def _decide(finding: str, remedies: list[dict[str, Any]], promise: str) -> Callable[[Doing, Tx, Life], None]:
    def decide(doing: Doing, tx: Tx, life: Life) -> None:
        case = doing.case(tx, life)
        facts = {
            "issues": [{"finding": finding} for _ in case.issues],
            "remedies": remedies,
            "others_affected": "none",
            "cause_class": "single",
            "language_confirmed": True,
        }
        words = {f"issues.{n}.reasons": _REASONS[finding][life.language] for n in range(len(case.issues))}
        words["root_cause"] = "Records of two systems did not agree."
        if remedies:
            words["remedies.0.text"] = promise
        doing.act(tx, life, "decide", Verb.RESPOND, doing.judge(tx, life), facts, words)
        if finding != "upheld" or remedies != _REFUND:
            # Only the refund waits to be seen waiting; a serious matter's approval is given at once.
            _approve(doing, tx, life)

    return decide


_REASONS = {
    "upheld": {
        "en": "Our own records show what you described: the work was booked and then lost between two teams.",
        "tr": "Kayıtlarımız anlattığınızı doğruluyor: iş kaydedilmiş, sonra iki ekip arasında kaybolmuş.",
    },
    "not_upheld": {
        "en": "We compared the dates with the contract and found that each step was taken when it was due.",
        "tr": "Tarihleri sözleşmeyle karşılaştırdık ve her adımın zamanında atıldığını gördük.",
    },
}


def _approve(doing: Doing, tx: Tx, life: Life) -> None:
    case = doing.case(tx, life)
    waits = case.drafted is not None or case.reclassification is not None
    if waits:
        asked = case.drafted.by if case.drafted else case.reclassification[1] if case.reclassification else ""
        by = TUGBA if asked == MONA.id else MONA
        doing.act(tx, life, "approve", Verb.APPROVE, by, {"agreed": "yes"}, {})


def _resolve(doing: Doing, tx: Tx, life: Life) -> None:
    case = doing.case(tx, life)
    if case.safety or case.severity > 2:
        for name in ("investigate", "decide_repair", "approve", "remedy", "verify"):
            doing.steps[name](doing, tx, life)
        return
    facts = {
        "finding": "upheld",
        "cause_class": "single",
        "others_affected": "none",
        "language_confirmed": True,
    }
    words = {
        "done": {
            "en": "We corrected it today and checked it twice.",
            "tr": "Bugün düzelttik ve iki kez kontrol ettik.",
        }[life.language],
        "cause": "A note was filed under the wrong account.",
        "agreed_how": "As asked for in the complaint.",
    }
    doing.act(tx, life, "resolve", Verb.RESOLVE, doing.judge(tx, life), facts, words)


_REFUND = [{"type": "refund", "amount": "140.00", "currency": "GBP", "needs_acceptance": False}]
_REPAIR = [{"type": "repair", "needs_acceptance": False}]

STEPS: Mapping[str, Callable[[Doing, Tx, Life], None]] = {
    "tell": _tell,
    "finish": _finish,
    "take": _take,
    "assess": _assess,
    "investigate": _investigate,
    "decide_refund": _decide("upheld", _REFUND, "The amount charged in error"),
    "decide_repair": _decide("upheld", _REPAIR, "A visit by our engineer"),
    "decide_not_upheld": _decide("not_upheld", [], ""),
    "approve": _approve,
    "resolve": _resolve,
}


@dataclass(frozen=True)
class DemoMessage:
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

    def read(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return query(self._tx, *args, **kwargs)


@dataclass(frozen=True)
class DemoWords:
    """Words messages of the past."""

    rules: Rulebook
    texts: Texts
    buttons: Buttons
    examples: Sequence[Example]

    def kinds(self, tx: Tx) -> frozenset[str]:
        """The kinds of duty that say something to complainants."""
        return frozenset({"say", *self._speaking(tx).writers()})

    def _speaking(self, tx: Tx) -> LetterHandler:
        return LetterHandler(cast(Store, _Past(tx)), cast(Sender, None), self.buttons, self.texts)

    def write(self, tx: Tx, one: Obligation) -> DemoMessage | None:
        """What this duty says, or None when it says nothing."""
        language = self.texts.language(one.chat.language if one.chat else None)
        if one.kind == "say":
            said: Mapping[str, Any] = one.payload
            text = self.texts.say(language, said["template"], **said["fields"])
            return DemoMessage(text, said["template"], language)
        writer = self._speaking(tx).writers()[one.kind]
        written = writer(Letter(read.load_case(tx, str(one.ref)), self.texts, language), one)
        if written is None:
            return None
        acts: tuple[Following, ...] = ()
        if written.act is not None:
            verb, facts, words = written.act
            acts = ((str(one.ref), verb, SYSTEM, facts, words),)
        return DemoMessage(written.text, written.template or one.kind, language, acts)

    def wake(self, tx: Tx, one: Obligation) -> None:
        """Ask the dialogue again at its time."""
        if one.chat is None:
            return
        what = Elapsed(str(one.facts["what"]))
        receive_message.receive_message(
            tx,
            one.key,
            one.chat,
            lambda talk: step(talk, what, now=tx.now, texts=self.texts),
            settles=one.id,
        )
