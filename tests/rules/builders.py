"""Complaints at every stage, built by the verbs themselves: `an_assessed_case()`, `a_decided_case()` …

Every builder returns a `BuiltComplaint`: the case, its events and the obligations after the last act.
`complaint.do(...)` performs one more act and returns a new one, so that a test can branch at any point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import perform, receive
from complaints.actors import MODEL, SYSTEM, Actor, complainant, staff
from complaints.case import Case, Event
from complaints.case_values import RecordedSign
from complaints.obligations.kinds import NewObligation
from complaints.rulebook import Calendar, Limit, OnCall, PriorityTargets, RecourseStep, Rulebook, Targets
from complaints.vocabulary import Flag, Verb

#: A Tuesday. London is at UTC in November; working time is 09:00 to 17:30.
TUESDAY = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
REF = "A7K-M3Q-9T"
OTHER_REF = "777-777-7E"

ANNA = complainant("p1")
ALICE = staff("U0000001", "handler")
BURAK = staff("U0000002", "handler")
MONA = staff("U0000003", "manager")
METE = staff("U0000004", "manager")
TUGBA = staff("U0000005", "top_management")
IDA = staff("U0000006", "intake")
AUDREY = staff("U0000007", "auditor")
ORHAN = staff("U0000008", "on_call")
WITHOUT_ROLE = staff("U0000009")
STAFF = (ALICE, BURAK, MONA, METE, TUGBA, IDA, AUDREY, ORHAN, WITHOUT_ROLE)

SECTION_4 = {
    "P1": PriorityTargets("30 min", "4 h", "1 day", "5 bd"),
    "P2": PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
    "P3": PriorityTargets("1 bd", "3 bd", "5 bd", "10 bd"),
    "P4": PriorityTargets("2 bd", "5 bd", "10 bd", "20 bd"),
}
RULES = Rulebook(
    organisation="Northwind Water",
    country="GB",
    languages=("en", "tr"),
    staff_language="en",
    emergency_number="112",
    preset="plain",
    calendar=Calendar("Europe/London", dict.fromkeys(range(5), ((9 * 60, 17 * 60 + 30),))),
    targets=Targets(SECTION_4),
    levels={1: ("handler", "manager"), 2: ("manager", "top_management")},
    authority={"handler": Limit(10_000, "GBP"), "manager": Limit(200_000, "GBP")},
    recourse=(RecourseStep("Consumer ombudsman"),),
    on_call=OnCall(always=True, people=(ORHAN.id,)),
)


def at(text: str) -> datetime:
    """The UTC instant of `2026-11-03 10:00`, which is also London time in November."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rules_with(**targets: Any) -> Rulebook:
    """The rules with other targets: `rules_with(legal="10 bd")`."""
    return replace(RULES, targets=replace(RULES.targets, **targets))


@dataclass(frozen=True)
class BuiltComplaint:
    """A complaint with its events, its obligations after the last act and the time of that act."""

    case: Case
    events: tuple[Event, ...]
    obligations: tuple[NewObligation, ...]
    at: datetime

    def later(self, **span: float) -> BuiltComplaint:
        """The same complaint some time later: `later(days=3)`."""
        return replace(self, at=self.at + timedelta(**span))

    def do(
        self,
        verb: Verb,
        by: Actor,
        facts: Mapping[str, Any] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> BuiltComplaint:
        """Perform one act a minute later; raises what the rules raise."""
        at = self.at + timedelta(minutes=1)
        done = perform(self.case, verb, at=at, actor=by, facts=facts, words=words)
        return BuiltComplaint(done.case, (*self.events, done.event), done.obligations, at)

    @property
    def last(self) -> Event:
        return self.events[-1]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the obligations."""
        return frozenset(obligation.key for obligation in self.obligations)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the obligations."""
        return frozenset(obligation.kind for obligation in self.obligations)

    def obligation(self, kind: str) -> NewObligation:
        """The only obligation of this kind."""
        (obligation,) = (obligation for obligation in self.obligations if obligation.kind == kind)
        return obligation


def a_sign(
    rule: str = "injury.injury",
    severity: int = 4,
    safety: int = 2,
    *,
    danger: bool = False,
    look: bool = False,
) -> RecordedSign:
    """A safety rule that fired; with `look` a likely one."""
    return RecordedSign(rule, severity, safety, danger, TUESDAY, look=look)


def a_message(**facts: Any) -> Mapping[str, Any]:
    """The facts of a message with words; others by name: `a_message(signs=(a_sign(),))`."""
    return message_facts(**{"field": "description", "has_words": True, **facts})


def a_received_case(
    *,
    rules: Rulebook = RULES,
    by: Actor = ANNA,
    at: datetime = TUESDAY,
    channel: str = "telegram",
    **facts: Any,
) -> BuiltComplaint:
    """The first qualifying message was received; `facts` takes the arguments of `said`."""
    arrival = Arrival(REF, ANNA.id, channel, "en", at, rules)
    words = {"description": "My bill is wrong."} if facts.get("has_words", True) else {}
    done = receive(arrival, at=at, actor=by, facts=a_message(**facts), words=words)
    return BuiltComplaint(done.case, (done.event,), done.obligations, at)


def a_logged_case(**more: Any) -> BuiltComplaint:
    """A complaint made by phone and logged by intake."""
    return a_received_case(by=IDA, channel="phone", **more)


def acknowledged(complaint: BuiltComplaint) -> BuiltComplaint:
    """The complainant pressed Send and the channel accepted the acknowledgement."""
    return complaint.do(Verb.CONFIRM, ANNA).do(Verb.ACKNOWLEDGE, SYSTEM)


CRITERIA: Mapping[str, Any] = {
    "category": "money",
    "severity": 2,
    "safety": 0,
    "complexity": 1,
    "reach": 1,
    "recurrence": 2,
    "immediate_needed": "no",
}


def assessed(
    complaint: BuiltComplaint, by: Actor = ALICE, words: Mapping[str, str] | None = None, **criteria: Any
) -> BuiltComplaint:
    """Assessed or reassessed; `criteria` replace those of a minor, safe, single complaint (P3)."""
    verb = Verb.ASSESS if complaint.case.assessment is None else Verb.REASSESS
    return complaint.do(verb, by, {**CRITERIA, **criteria}, words)


def an_assessed_case(*, rules: Rulebook = RULES, by: Actor = ALICE, **criteria: Any) -> BuiltComplaint:
    """Acknowledged and assessed; Alice owns it."""
    return assessed(acknowledged(a_received_case(rules=rules)), by, **criteria)


ALL_EVIDENCE = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]


def an_investigated_case(*, rules: Rulebook = RULES, by: Actor = ALICE, **criteria: Any) -> BuiltComplaint:
    """With all evidence that any decision may need."""
    return an_assessed_case(rules=rules, by=by, **criteria).do(
        Verb.INVESTIGATE, by, {"evidence": ALL_EVIDENCE}
    )


def a_refund(amount: str = "50.00", **more: Any) -> Mapping[str, Any]:
    """A remedy of a decision, promised for a day two weeks later."""
    promised = {"type": "refund", "amount": amount, "currency": "GBP", "promised_by_date": "2026-11-17"}
    return {**promised, **more}


def decided(
    complaint: BuiltComplaint, by: Actor = ALICE, *, finding: str = "upheld", remedies: Any = (), **more: Any
) -> BuiltComplaint:
    """A decision with one finding for all issues; other facts by name: `others_affected`, `cause_class`."""
    issues = [{"finding": finding} for _ in complaint.case.issues]
    facts = {
        "issues": issues,
        "remedies": list(remedies),
        "others_affected": "none",
        "cause_class": "single",
        **more,
    }
    words = {f"issues.{n}.reasons": "The readings were mixed up." for n in range(len(issues))}
    words["nothing_why"] = "Everything is repaired already."
    return complaint.do(
        Verb.RESPOND, by, facts, {**words, "root_cause": "Two readings.", "others_action": "Told."}
    )


def a_decided_case(*, rules: Rulebook = RULES, remedies: Any = (), **criteria: Any) -> BuiltComplaint:
    """Decided at level 1 by Alice without approval; not communicated yet."""
    return decided(an_investigated_case(rules=rules, **criteria), remedies=remedies)


def a_communicated_case(*, rules: Rulebook = RULES, remedies: Any = (), **criteria: Any) -> BuiltComplaint:
    """The channel accepted the decision; the reply is awaited."""
    return a_decided_case(rules=rules, remedies=remedies, **criteria).do(Verb.COMMUNICATE_DECISION, SYSTEM)


RESOLUTION: Mapping[str, Any] = {"finding": "upheld", "cause_class": "single", "others_affected": "none"}
RESOLVED: Mapping[str, str] = {"done": "Paid back.", "cause": "Read twice.", "agreed_how": "On the phone."}


def a_resolved_case(*, rules: Rulebook = RULES, **criteria: Any) -> BuiltComplaint:
    """Resolved at once by Alice, and communicated."""
    resolved = an_assessed_case(rules=rules, **criteria).do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    return resolved.do(Verb.COMMUNICATE_DECISION, SYSTEM)


def remedied(
    complaint: BuiltComplaint, n: int = 0, *, by: Actor = ALICE, checked_by: Actor = MONA
) -> BuiltComplaint:
    """Remedy number n is done and verified."""
    done = complaint.do(Verb.REMEDY_DONE, by, {"remedy": str(n), "done_at": complaint.at.isoformat()})
    return done.do(Verb.VERIFY, checked_by, {"remedy": str(n)}, {"how": "Seen on the statement."})


CAUSE: Mapping[str, str] = {"root_cause": "Two readings."}


def a_closed_case(*, rules: Rulebook = RULES) -> BuiltComplaint:
    """Resolved at once, accepted and closed."""
    accepted = a_resolved_case(rules=rules).do(Verb.ACCEPT, ANNA)
    return accepted.do(Verb.CLOSE, ALICE, {"cause_class": "single"}, CAUSE)


def a_case_at_level_two(*, rules: Rulebook = RULES, remedies: Any = (), **criteria: Any) -> BuiltComplaint:
    """Anna disagreed with Alice's decision: other people review it."""
    return a_communicated_case(rules=rules, remedies=remedies, **criteria).do(
        Verb.DISAGREE, ANNA, {"reviewers": 2}
    )


def a_case_offered_recourse(*, rules: Rulebook = RULES, remedies: Any = ()) -> BuiltComplaint:
    """Anna disagreed, no reviewer is left, and recourse was offered."""
    refused = a_communicated_case(rules=rules, remedies=remedies).do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    return refused.do(Verb.OFFER_RECOURSE, SYSTEM)


BY_PHONE: Mapping[str, str] = {"by_whom": "The complainant, on the phone."}


def phone_facts(complaint: BuiltComplaint) -> Mapping[str, str]:
    """The facts of a contact by phone that took place just now."""
    return {"given_at": complaint.at.isoformat()}


def has(complaint: BuiltComplaint, flag: Flag) -> bool:
    return flag in complaint.case.flags


def a_proposal(**more: Any) -> Mapping[str, Any]:
    """The facts of a proposal by the model."""
    return {
        "words": 1,
        "category": "money",
        "probability": 0.8,
        "severity": 2,
        "safety": 0,
        "abstained": False,
        "restricted": False,
        "model": "abc",
        **more,
    }


def proposed(complaint: BuiltComplaint, **more: Any) -> BuiltComplaint:
    return complaint.do(Verb.PROPOSE, MODEL, a_proposal(**more))


LOWER_REASON: Mapping[str, str] = {"override_reason": "She says herself that nobody was hurt."}
