"""One decision on all complaints of an incident: who gets it, what is recorded in each, and who may approve it.

A manager decides with one form and a second person approves. Each complaint gets its own assessment where it has
none, its own decision and its own approval (7.5 to 7.8). What needs a look of its own is left to a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from complaints.actions.assessment import with_criteria
from complaints.actions.authorisation import is_allowed
from complaints.actions.decision import exceeds
from complaints.actions.evidence import required_evidence
from complaints.actions.perform import perform
from complaints.actors import MANAGERS, Actor
from complaints.batches.batch import Batch, first_reason, left_out, wrote_since
from complaints.case import Case, Facts, Words
from complaints.errors import BadFacts, ComplaintError, NotAllowed
from complaints.forms import NO_PAYMENT
from complaints.obligations.standing import missed_times_payment
from complaints.rulebook import Limit, categories_of
from complaints.vocabulary import DECIDABLE, Finding, Flag, State, Verb

#: Assessed by the manager for all: a complaint that needs more has more than the incident's cause.
_COMPLEXITY = 1


@dataclass(frozen=True)
class IncidentDecision:
    """The last decision on an incident: its form, who decided, and what the second person answered.

    `facts` and `words` are those of the form. `agreed` is None while it waits.
    """

    incident: int
    batch: str
    by: str
    at: datetime
    #: A message of a complainant after this time was not known to the manager.
    previewed_at: datetime
    number: int
    facts: Facts
    words: Words
    answered_by: str | None = None
    answered_at: datetime | None = None
    #: The incident's version with the answer.
    answered_seq: int = 0
    agreed: bool | None = None
    #: Why it was sent back.
    reason: str = ""

    @classmethod
    def previewed(cls, batch: Batch) -> Self:
        """The decision of a form that is not recorded yet."""
        at = batch.previewed_at
        return cls(int(batch.about), "draft", batch.by, at, at, 0, batch.facts, batch.words)

    @property
    def waits(self) -> bool:
        return self.agreed is None

    @property
    def grant(self) -> tuple[str, str] | None:
        """Amount and currency that each complainant gets."""
        amount, currency = self.facts.get("amount"), self.facts.get("currency")
        return (str(amount), str(currency)) if amount and currency else None


def decision_left_out(case: Case, incident: int, now: datetime, previewed_at: datetime) -> str | None:
    """Why this complaint is left to a person; None: it may get the decision on all of this incident."""
    return left_out(case, incident=incident) or first_reason(
        processing=Flag.PROCESSING_RESTRICTED in case.flags,
        decided=bool(case.decisions) or case.state not in DECIDABLE | {State.RECEIVED} or case.level > 1,
        drafted=case.awaits_approval,
        # A person who is still asked our questions has not finished writing.
        newer=wrote_since(case, previewed_at) or case.form_open,
        safety=case.alarm is not None,
        media=case.only_in_media and not case.media_heard,
        language=case.written_in is not None,
        outside=case.external_open or case.external_final_at is not None,
        payment=missed_times_payment(case, now) is not None,
    )


def refusal_of(case: Case, decision: IncidentDecision, decider: Actor, now: datetime) -> str | None:
    """Why this complaint would be left to a person if it were decided now; None: it would be decided.

    It tries no act, so that a preview of hundreds is there within Slack's 3 s; the acts themselves check the rest.
    """
    why = decision_left_out(case, decision.incident, now, decision.previewed_at)
    if why is not None:
        return why
    if not all(is_allowed(case, verb, decider) for verb in (Verb.ASSESS, Verb.RESPOND)):
        return "not_open"
    facts = decision.facts
    if not decision.words.get(f"reasons.{case.language}"):
        # They joined, or chose another language, after the form was opened.
        return "language"
    assessed = case if case.assessment is not None else with_criteria(case, _assessment(case, facts))
    if assessed.category not in categories_of(case.rules):
        return "rules"
    return "evidence" if required_evidence(assessed) - case.evidence - set(facts["evidence"]) else None


def next_step(case: Case, decision: IncidentDecision) -> tuple[Verb, dict[str, Any], dict[str, str]] | None:
    """The next act on one complaint, with its facts and words; None when only the second person's is left."""
    facts, words = decision.facts, dict[str, str]()
    if case.assessment is None:
        verb, act_facts = Verb.ASSESS, _assessment(case, facts)
    elif missing := (required_evidence(case) - case.evidence) & set(facts["evidence"]):
        verb, act_facts = Verb.INVESTIGATE, {"evidence": sorted(missing)}
    elif case.drafted is None:
        verb, act_facts = Verb.RESPOND, decision_facts(facts)
        words = decision_words(decision.words, case.language)
    else:
        return None
    return verb, {**act_facts, "batch": decision.batch}, words


def apply_decision(case: Case, decision: IncidentDecision, decider: Actor, at: datetime) -> Case:
    """The complaint after the manager's part of the decision.

    Raises ComplaintError where the rules refuse it for this complaint.
    """
    while (step := next_step(case, decision)) is not None:
        verb, facts, words = step
        case = perform(case, verb, at=at, actor=decider, facts=facts, words=words).case
    return case


def reason_of(refusal: ComplaintError) -> str:
    """The reason by which a refused complaint is left to a person."""
    if isinstance(refusal, NotAllowed):
        return "not_open"
    return "evidence" if refusal.code == "evidence_missing" else "rules"


def _assessment(case: Case, facts: Facts) -> dict[str, Any]:
    """The manager confirms the category for all; the severity is never below what the complaint has already."""
    return {
        "category": facts["category"],
        "severity": max(int(facts["severity"]), case.severity),
        "safety": case.safety,
        "complexity": _COMPLEXITY,
        "reach": facts["reach"],
        "recurrence": facts["recurrence"],
        "immediate_needed": "no",
        "because": "incident",
    }


def decision_facts(facts: Facts) -> dict[str, Any]:
    """The facts of one complaint's decision."""
    remedy = {
        name: facts[name] for name in ("type", "amount", "currency", "promised_by_date") if name in facts
    }
    return {
        "issues": [{"finding": facts["finding"]}],
        "remedies": [remedy] if remedy else [],
        # The others are the complaints of the incident, so other people are always affected.
        "others_affected": "some",
        "cause_class": facts["cause_class"],
        NO_PAYMENT: facts.get(NO_PAYMENT),
    }


def decision_words(words: Words, language: str) -> dict[str, str]:
    """The words of one complaint's decision, in its language; `root_cause` and `others_action` are for staff."""
    return {
        "issues.0.reasons": words.get(f"reasons.{language}", ""),
        "changes": words.get(f"changes.{language}", ""),
        "remedies.0.text": words.get(f"remedy_text.{language}", ""),
        "root_cause": words["root_cause"],
        "others_action": words["others_action"],
    }


def check_form(facts: Facts, words: Words, languages: tuple[str, ...]) -> None:
    """Raise BadFacts where the form would give some complainants a letter without a part, or promises nothing.

    Every text is given in each language or in none, because no letter has a passage in another language.
    """
    has_remedy = any(name in facts for name in ("type", "amount", "currency", "promised_by_date"))
    for name in ("changes", "remedy_text"):
        texts = [words.get(f"{name}.{language}", "") for language in languages]
        if any(texts) and not all(texts):
            missing = languages[texts.index("")]
            raise BadFacts.worded("required:text_in_language", field=f"{name}.{missing}")
    if has_remedy and "type" not in facts:
        raise BadFacts.worded("required:remedy_type_for_all", field="type")
    upheld = facts["finding"] in (Finding.UPHELD, Finding.PARTLY)
    if upheld and not has_remedy and not words.get(f"changes.{languages[0]}"):
        raise BadFacts.worded("required:promise", field=f"changes.{languages[0]}")


def check_approver(
    decision: IncidentDecision, by: Actor, authority: Mapping[str, Limit], *, agreed: bool = True
) -> None:
    """A second person with a manager's role agrees, and all amounts together lie within their limit.

    Who decided may take it back (`agreed` False). Raises NotAllowed.
    """
    if not by.roles & MANAGERS:
        raise NotAllowed.worded("not_allowed.manager:incident_decision")
    if agreed and by.id == decision.by:
        raise NotAllowed.worded("not_allowed.second_person:incident_decision", field="agreed")
    grants = [decision.grant] * decision.number if decision.grant else []
    if agreed and exceeds(by, grants, authority):
        raise NotAllowed.worded("not_allowed.limit:for_all", field="agreed")


def may_approve_all(decision: IncidentDecision, by: Actor, authority: Mapping[str, Limit]) -> bool:
    try:
        check_approver(decision, by, authority)
    except NotAllowed:
        return False
    return True


def folds_into_incident(case: Case) -> bool:
    """True while the card of an open incident takes the place of this complaint's: it needs no look of its own."""
    states = DECIDABLE | {State.RECEIVED, State.DECIDED, State.REMEDYING}
    return (
        left_out(case) is None
        and case.alarm is None
        and case.level == 1
        and case.state in states - {State.ESCALATED}
        and case.reply != "disagree"
        and case.question_at is None
        and not case.awaits_approval
    )
