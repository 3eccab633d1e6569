"""The steps of the demo's past complaints, done with the same verbs and the same store as in the running desk.

`STEPS` names each step; `courses.py` puts the steps into an order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from amends.demo.settings import TEXTS
from bots.dialogue.inputs import TextInput
from bots.dialogue.step import step
from bots.letters.composer import preview
from bots.texts.texts import Texts
from complaints.actions.authorisation import needs_reason
from complaints.actors import Actor, complainant, staff
from complaints.case import Case
from complaints.letter_templates import LetterTemplate
from complaints.rulebook import Rulebook
from complaints.times import format_time
from complaints.vocabulary import Flag, Target, Verb
from store.cases import act as cases_act
from store.cases import read, receive_message
from store.database.transaction import Tx
from store.letter_templates import count_template_use, save_template
from store.people.staff import count_reviewers
from store.record.load import load_complaint_text
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
            return TUGBA if case.restricted else MONA
        return MONA if case.restricted else complaint.handler


def _write(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    past.receive(tx, complaint, complaint.example.text)


def _finish_form(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    where, remedy = TEXTS["form_answers"][complaint.language]
    for text in (where, remedy, TEXTS["send"][complaint.language]):
        past.receive(tx, complaint, text)
        tx.now += timedelta(seconds=25)


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


def _reclassify(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"reason": "Praises us and asks for nothing."}
    actor = past.decider(tx, complaint)
    past.act(tx, complaint, "reclassify", Verb.RECLASSIFY, actor, {"kind": "praise"}, words)


def _reply(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"text": TEXTS["reply"][complaint.language]}
    actor = past.decider(tx, complaint)
    template = past.templates[complaint.language]
    facts = {"language_confirmed": True, "template": template, "template_edited": False}
    past.act(tx, complaint, "reply", Verb.REPLY, actor, facts, words)
    count_template_use(tx, template, is_edited=False)


def _ask(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    facts = {"needed_by": (tx.now + timedelta(days=5)).date().isoformat(), "language_confirmed": True}
    words = {"text": TEXTS["question"][complaint.language]}
    past.act(tx, complaint, "ask", Verb.ASK, past.decider(tx, complaint), facts, words)


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


def _investigate(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    evidence = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]
    actor = past.decider(tx, complaint)
    past.act(tx, complaint, "investigate", Verb.INVESTIGATE, actor, {"evidence": evidence}, {})


def _ask_statement(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    day = tx.now.date()
    facts = {
        "evidence": ["complainant_heard"],
        "items": [{"step": "records_checked", "dated": (day - timedelta(days=9)).isoformat()}],
        "statements": [{"inside": "no", "due_on": (day + timedelta(days=7)).isoformat()}],
    }
    words = {
        "items.0.shows": "The job was booked twice and closed once.",
        "items.0.from_whom": "The booking system",
        "statements.0.of_whom": "Kerr and Lowe, contractors",
    }
    past.act(tx, complaint, "investigate", Verb.INVESTIGATE, past.decider(tx, complaint), facts, words)


def _name_subject(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"reason": "It is about a person who works here."}
    past.act(tx, complaint, "restrict", Verb.RESTRICT, MONA, {"subject": BURAK.id}, words)


def _hear_subject(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """The person complained about is informed and replies (C); another person had a look from outside."""
    informed = {"subject_informed_at": format_time(tx.now - timedelta(hours=2))}
    evidence = [
        "complainant_heard",
        "records_checked",
        "staff_statement",
        "rule_or_contract",
        "subject_heard",
    ]
    facts = {"evidence": [*evidence, "similar_cases", "independent_view"], **informed}
    past.act(tx, complaint, "investigate", Verb.INVESTIGATE, past.decider(tx, complaint), facts, {})


_REFUND = [{"type": "refund", "amount": "140.00", "currency": "GBP", "needs_acceptance": False}]
_REPAIR = [{"type": "repair", "needs_acceptance": False}]


def _decide(
    finding: str, remedies: list[dict[str, Any]], remedy_text: str
) -> Callable[[PastActions, Tx, DemoComplaint], None]:
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
        if finding != "upheld" or remedies != _REFUND:
            # Only a refund stays waiting for approval, so that the demo shows one; all others are approved now.
            _approve(past, tx, complaint)

    return decide


_decide_refund = _decide("upheld", _REFUND, "The amount charged in error")
_decide_repair = _decide("upheld", _REPAIR, "A visit by our engineer")
_decide_not_upheld = _decide("not_upheld", [], "")


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
        for do in (_investigate, _decide_repair, _approve, _complete_remedies, _verify_remedies):
            do(past, tx, complaint)
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


def _as_complainant(verb: Verb) -> Callable[[PastActions, Tx, DemoComplaint], None]:
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
    for do in (_take, _investigate, _decide_not_upheld, _approve):
        do(past, tx, complaint)


def _notify_outside_body(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"body": "Consumer ombudsman", "external_ref": f"CO-{4000 + complaint.number}"}
    past.act(tx, complaint, "external", Verb.NOTIFY_EXTERNAL, MONA, {"event": "notified"}, words)


def _overturn(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    comply_by = (tx.now + timedelta(days=20)).date().isoformat()
    words = {"body": "Consumer ombudsman", "outcome": "Pay back 60.00 GBP and apologise."}
    facts = {"event": "final", "comply_by": comply_by}
    past.act(tx, complaint, "external", Verb.CONCLUDE_EXTERNAL, MONA, facts, words)


def _insult(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    past.receive(tx, complaint, TEXTS["insult"][complaint.language])


def _warn(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"text": TEXTS["warning"][complaint.language]}
    facts = {"language_confirmed": True}
    past.act(tx, complaint, "warn_conduct", Verb.WARN_CONDUCT, past.decider(tx, complaint), facts, words)


def _ask_limit(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    until = (tx.now + timedelta(days=60)).date().isoformat()
    facts = {"limits": ["fewer_replies"], "reply_days": "7", "until": until, "language_confirmed": True}
    words = {"reason": TEXTS["limit_reason"][complaint.language]}
    past.act(tx, complaint, "limit_contact", Verb.LIMIT_CONTACT, past.decider(tx, complaint), facts, words)


def _close(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"root_cause": "Records of two systems did not agree."}
    past.act(tx, complaint, "close", Verb.CLOSE, MONA, {"cause_class": "single"}, words)


def _reopen(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    words = {"reason": "The same fault came back within a week."}
    past.act(tx, complaint, "reopen", Verb.REOPEN, MONA, {}, words)


def _answer_survey(past: PastActions, tx: Tx, complaint: DemoComplaint) -> None:
    """Answer the survey that was sent some days after the end; scores differ between complaints."""
    best = 5 - complaint.number // 2 % 3
    for question in range(5):
        past.receive(tx, complaint, str(max(1, best - (question % 2))))
    past.receive(tx, complaint, TEXTS["skip"][complaint.language])


STEPS: Mapping[str, Callable[[PastActions, Tx, DemoComplaint], None]] = {
    "write": _write,
    "finish_form": _finish_form,
    "take": _take,
    "assess": _assess,
    "reclassify": _reclassify,
    "reply": _reply,
    "ask": _ask,
    "answer": _answer,
    "extend": _extend,
    "investigate": _investigate,
    "ask_statement": _ask_statement,
    "name_subject": _name_subject,
    "hear_subject": _hear_subject,
    "decide_refund": _decide_refund,
    "decide_repair": _decide_repair,
    "decide_not_upheld": _decide_not_upheld,
    "approve": _approve,
    "resolve": _resolve,
    "accept": _as_complainant(Verb.ACCEPT),
    "disagree": _as_complainant(Verb.DISAGREE),
    "withdraw": _as_complainant(Verb.WITHDRAW),
    "complete_remedies": _complete_remedies,
    "verify_remedies": _verify_remedies,
    "review": _review,
    "notify_outside_body": _notify_outside_body,
    "overturn": _overturn,
    "insult": _insult,
    "warn": _warn,
    "ask_limit": _ask_limit,
    "close": _close,
    "reopen": _reopen,
    "answer_survey": _answer_survey,
}

#: Steps of the complainant: they happen at any hour, staff's steps only in working time.
COMPLAINANT_STEPS = frozenset(
    {"write", "finish_form", "answer", "accept", "disagree", "withdraw", "answer_survey", "insult"}
)
