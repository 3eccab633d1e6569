"""The steps of the demo's past complaints, done with the same verbs and the same store as in the running desk.

`STEPS` names each step, and steps.toml has those that are always the same; `courses.py` puts them into an order.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from amends.demo.settings import STAFF, TEXTS
from bots.dialogue.inputs import TextInput
from bots.dialogue.step import step
from bots.letters.composer import preview
from bots.texts.texts import Texts
from complaints.actions.authorisation import needs_reason
from complaints.actors import Actor, complainant, staff
from complaints.case import Case
from complaints.letter_texts import LetterTemplate
from complaints.rulebook import Rulebook
from complaints.times import format_time
from complaints.vocabulary import Flag, Target, Verb
from store.cases import act as cases_act
from store.cases import read, receive_message
from store.cases.staff_letters import count_template_use, save_template
from store.database.transaction import Tx
from store.people.staff import count_reviewers
from store.record.load import load_complaint_text
from store.rulebooks import load_current_rulebook, use_rulebook
from store.values import Chat
from triage.example import Example

ALICE, BURAK = staff("U0000001", "handler"), staff("U0000005", "handler")
MONA, TUGBA = staff("U0000002", "manager", "on_call"), staff("U0000003", "top_management")


@dataclass
class DemoComplaint:
    """One past complaint: its chat, what it is about, and its reference once it is received."""

    number: int
    chat: Chat
    language: str
    example: Example
    ref: str = ""
    handler: Actor = ALICE
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PastActions:
    """What a step needs: it works on one past complaint inside an open transaction."""

    rules: Rulebook
    texts: Texts
    #: Called after each incoming message, so that the bot's answers come before the next message.
    on_message: Callable[[Tx, DemoComplaint, str], None]
    #: The code of the template for the reply, by language.
    templates: dict[str, str] = field(default_factory=dict)

    def save_templates(self, tx: Tx) -> None:
        for language, text in TEXTS["reply"].items():
            name = TEXTS["reply_name"][language]
            template = LetterTemplate(0, 0, name, "reply", language, "", "", text, MONA.id, tx.now)
            self.templates[language] = save_template(tx, template).code

    def case(self, tx: Tx, complaint: DemoComplaint) -> Case:
        return read.load_case(tx, complaint.ref)

    def receive(self, tx: Tx, complaint: DemoComplaint, text: str) -> None:
        source = f"{complaint.number}{len(complaint.messages):03d}"
        complaint.messages.append(text)
        message = TextInput(text, source, tx.now)
        receipt = receive_message.receive_message(
            tx,
            f"past:{complaint.number}:{source}",
            complaint.chat,
            lambda conversation: step(conversation, message, now=tx.now, texts=self.texts),
        )
        if receipt.refs:
            complaint.ref = receipt.refs[0]
        self.on_message(tx, complaint, text)

    def act(
        self,
        tx: Tx,
        complaint: DemoComplaint,
        form: str,
        verb: Verb,
        actor: Actor,
        facts: Mapping[str, Any],
        words: Mapping[str, str],
    ) -> None:
        """Staff open the complaint, then act; a letter is the one that the form's preview shows."""
        if actor.is_staff:
            reason = "help" if needs_reason(self.case(tx, complaint), actor) else None
            read.open_case(tx, complaint.ref, actor, "open", reason)
        if form in ("resolve", "decide", "reply", "warn_conduct"):
            case = self.case(tx, complaint)
            letter = preview(
                form,
                case,
                facts,
                words,
                now=tx.now,
                texts=self.texts,
                reviewers=count_reviewers(tx, case, actor.id),
                complaint_text=load_complaint_text(tx, complaint.ref),
            )
            words = {**words, "letter": letter}
        cases_act.act(tx, complaint.ref, verb, actor, facts, words)

    def decider(self, tx: Tx, complaint: DemoComplaint) -> Actor:
        """Who may decide at this level: a new person at each level, a manager if the case is restricted."""
        case = self.case(tx, complaint)
        if case.level > 1:
            return TUGBA if case.restricted or MONA.id in case.acted_at.get(1, ()) else MONA
        return MONA if case.restricted else complaint.handler


Step = Callable[[PastActions, Tx, DemoComplaint], None]


def _write(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    past.receive(tx, complaint, complaint.example.text)


def _write_checked(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """Write while every decision goes to a second reader: the share is part of the rules at receipt."""
    rules = load_current_rulebook(tx)
    use_rulebook(tx, replace(rules, check_share=1.0))
    _write(past, tx, complaint)
    use_rulebook(tx, rules)


def _finish_form(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    where, remedy = TEXTS["form_answers"][complaint.language]
    send = TEXTS["send"][complaint.language]
    for text in (where, remedy, send):
        _close_danger(past, tx, complaint)
        past.receive(tx, complaint, text)
        tx.now += timedelta(seconds=25)
    _close_danger(past, tx, complaint)
    if past.case(tx, complaint).confirmed_at is None:
        past.receive(tx, complaint, send)


def _close_danger(past: PastActions, tx: Tx, complaint: DemoComplaint) -> bool:
    """Close a danger, for which the form waits; False if there is none."""
    if past.case(tx, complaint).alarm is None:
        return False
    past.act(tx, complaint, "end_danger", Verb.END_DANGER, MONA, {"danger_end": "helped"}, {})
    return True


def _take(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    actor = past.decider(tx, complaint)
    past.act(tx, complaint, "take", Verb.ASSIGN, actor, {"owner": actor.id}, {})


def _assess(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    case = past.case(tx, complaint)
    sign_severity = max((sign.severity for sign in case.signs), default=1)
    safety = max((sign.safety for sign in case.signs), default=0)
    facts = {
        "category": complaint.example.category,
        "severity": max(sign_severity, complaint.example.severity or 2),
        "safety": safety,
        "complexity": 1,
        "reach": 1,
        "recurrence": 2,
        "immediate_needed": "no",
        "compensation_likely": False,
        "media_heard": False,
        "issues": [],
        # Spread evenly by the reference, with no meaning.
        "product": case.rules.products[sum(case.ref.encode()) % len(case.rules.products)],
        "branch": case.rules.branches[sum(case.ref.encode()[:3]) % len(case.rules.branches)],
    }
    if case.owner is None:
        _take(past, tx, complaint)
    verb = Verb.ASSESS if case.assessment is None else Verb.REASSESS
    past.act(tx, complaint, "assess", verb, past.decider(tx, complaint), facts, {})
    assessed = past.case(tx, complaint)
    if Flag.SIGNIFICANT in assessed.flags and assessed.executive_receipt_at is None:
        past.act(tx, complaint, "receipt", Verb.RECEIPT, TUGBA, {"of": "executive"}, {})


def _reply(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"text": TEXTS["reply"][complaint.language]}
    actor = past.decider(tx, complaint)
    template = past.templates[complaint.language]
    facts = {"language_confirmed": True, "template": template, "template_edited": False}
    past.act(tx, complaint, "reply", Verb.REPLY, actor, facts, words)
    count_template_use(tx, template, is_edited=False)


def _answer(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    past.receive(tx, complaint, TEXTS["answer"][complaint.language])


def _extend(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    target = past.case(tx, complaint).target(Target.DECIDE)
    if target is None:
        return
    extended_to = (target.internal_due + timedelta(days=2)).date().isoformat()
    facts = {"target": "decide", "extended_to": extended_to}
    words = {"reason": TEXTS["extension_reason"][complaint.language]}
    past.act(tx, complaint, "extend", Verb.EXTEND, MONA, facts, words)


_REFUND = [{"type": "refund", "amount": "140.00", "currency": "GBP", "needs_acceptance": False}]
_REPAIR = [{"type": "repair", "needs_acceptance": False}]


def _decide(finding: str, remedies: list[dict[str, Any]], remedy_text: str, *, waits: bool = False) -> Step:
    """A decision that is approved at once if it must be, unless it `waits`."""

    def decide(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
        case = past.case(tx, complaint)
        facts = {
            "issues": [{"finding": finding} for _ in case.issues],
            "remedies": remedies,
            "others_affected": "none",
            "cause_class": "single",
            "language_confirmed": True,
        }
        words = {f"issues.{n}.reasons": TEXTS[finding][complaint.language] for n in range(len(case.issues))}
        words["root_cause"] = "Records of two systems did not agree."
        if remedies:
            words["remedies.0.text"] = remedy_text
        past.act(tx, complaint, "decide", Verb.RESPOND, past.decider(tx, complaint), facts, words)
        if not waits:
            _approve(past, tx, complaint)

    return decide


def _approve(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """Another person than the one who drafted it approves what waits for approval, if anything does."""
    case = past.case(tx, complaint)
    if case.drafted is not None:
        drafter = case.drafted.by
    elif case.reclassification is not None:
        drafter = case.reclassification[1]
    else:
        return
    actor = TUGBA if drafter == MONA.id else MONA
    past.act(tx, complaint, "approve", Verb.APPROVE, actor, {"agreed": "yes"}, {})


def _resolve(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """Resolve it at once; a serious complaint needs an investigation and a decision instead."""
    case = past.case(tx, complaint)
    if case.safety or case.severity > 2:
        for name in ("investigate", "decide_repair", "approve", "complete_remedies", "verify_remedies"):
            STEPS[name](past, tx, complaint)
        return
    facts = {
        "finding": "upheld",
        "cause_class": "single",
        "others_affected": "none",
        "language_confirmed": True,
    }
    words = {
        "done": TEXTS["done"][complaint.language],
        "cause": "A note was filed under the wrong account.",
        "agreed_how": "As asked for in the complaint.",
    }
    past.act(tx, complaint, "resolve", Verb.RESOLVE, past.decider(tx, complaint), facts, words)


def _as_complainant(verb: Verb) -> Step:
    def act(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
        actor = complainant(past.case(tx, complaint).complainant)
        cases_act.act(tx, complaint.ref, verb, actor, {}, {})

    return act


def _complete_remedies(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"proof": "Job sheet, signed"}
    for remedy in past.case(tx, complaint).owed_remedies:
        if remedy.done_at is None:
            facts = {"remedy": str(remedy.n), "done_at": format_time(tx.now)}
            past.act(tx, complaint, "remedy", Verb.REMEDY_DONE, past.decider(tx, complaint), facts, words)


def _verify_remedies(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """Another person than the one who completed the remedy verifies it."""
    for remedy in past.case(tx, complaint).owed_remedies:
        if remedy.done_at is not None and remedy.verified_at is None:
            actor = TUGBA if remedy.done_by == MONA.id else MONA
            facts, words = {"remedy": str(remedy.n)}, {"how": "Called and looked"}
            past.act(tx, complaint, "verify", Verb.VERIFY, actor, facts, words)


def _review(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    for name in ("take", "investigate", "decide_not_upheld", "approve"):
        STEPS[name](past, tx, complaint)


def _insult(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    past.receive(tx, complaint, TEXTS["insult"][complaint.language])


def _answer_survey(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """Answer the survey that was sent some days after the end; scores differ between complaints."""
    best = 5 - complaint.number // 2 % 3
    for question in range(5):
        past.receive(tx, complaint, str(max(1, best - (question % 2))))
    past.receive(tx, complaint, TEXTS["skip"][complaint.language])


def _from_table(row: Mapping[str, Any]) -> Step:
    """A step of steps.toml: always the same act of staff."""

    def act(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
        actor = MONA if row["by"] == "manager" else past.decider(tx, complaint)
        facts, words = (_filled(row.get(part, {}), tx, complaint) for part in ("facts", "words"))
        past.act(tx, complaint, row["form"], Verb(row["verb"]), actor, facts, words)

    return act


def _filled(value: Any, tx: Tx, complaint: DemoComplaint) -> Any:
    """The value with times counted from now, names of staff as ids, and texts in the complainant's language."""
    match value:
        case {"days": days}:
            return (tx.now + timedelta(days=days)).date().isoformat()
        case {"hours": hours}:
            return format_time(tx.now + timedelta(hours=hours))
        case {"by_language": name}:
            return TEXTS[name][complaint.language]
        case {"staff": name}:
            return STAFF[name]
        case dict():
            return {name: _filled(part, tx, complaint) for name, part in value.items()}
        case list():
            return [_filled(part, tx, complaint) for part in value]
        case str():
            return value.format(number=4000 + complaint.number)
    return value


_TABLE: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("steps.toml").read_text(encoding="utf-8"))
STEPS: Mapping[str, Step] = {
    "write": _write,
    "write_checked": _write_checked,
    "finish_form": _finish_form,
    "take": _take,
    "assess": _assess,
    "reply": _reply,
    "answer": _answer,
    "extend": _extend,
    "decide_refund": _decide("upheld", _REFUND, "The amount charged in error", waits=True),
    "decide_repair": _decide("upheld", _REPAIR, "A visit by our engineer"),
    "decide_not_upheld": _decide("not_upheld", [], ""),
    "decide_read": _decide("not_upheld", [], "", waits=True),
    "approve": _approve,
    "resolve": _resolve,
    "accept": _as_complainant(Verb.ACCEPT),
    "disagree": _as_complainant(Verb.DISAGREE),
    "withdraw": _as_complainant(Verb.WITHDRAW),
    "complete_remedies": _complete_remedies,
    "verify_remedies": _verify_remedies,
    "review": _review,
    "insult": _insult,
    "answer_survey": _answer_survey,
} | {name: _from_table(row) for name, row in _TABLE.items()}

#: Steps of the complainant: they happen at any hour, staff's steps only in working time.
COMPLAINANT_STEPS = frozenset({
    "write", "write_checked", "finish_form", "answer", "accept", "disagree", "withdraw", "answer_survey", "insult",
})  # fmt: skip
