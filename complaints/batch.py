"""Acts on many complaints at once: who gets it, who is left to a person and why, and what a preview counted.

The update and the decision of an incident, the letter about a change, one text to a list, and moving a list use it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from complaints.actions.assessment import with_criteria
from complaints.actions.authorisation import Access, is_allowed
from complaints.actions.decision import exceeds
from complaints.actions.evidence import required_evidence
from complaints.actions.perform import perform
from complaints.actors import MANAGERS, Actor
from complaints.case import Case, Facts, Words
from complaints.errors import BadFacts, ComplaintError, NotAllowed
from complaints.forms import NO_PAYMENT
from complaints.obligations.standing import missed_times_payment
from complaints.rulebook import Limit, categories_of
from complaints.vocabulary import DECIDABLE, ContactKind, Finding, Flag, State, Verb

#: Letters that a preview shows, of different languages first.
SAMPLES = 3


@dataclass(frozen=True)
class Batch:
    """An act on many complaints as `by` previewed it, until it is sent: it goes to exactly the complaints `refs`.

    `kind` is its form. `about` is the number of an incident or the code of an entry, and `version` the one shown.
    """

    kind: str
    by: str
    #: A message of a complainant after this time was not known.
    previewed_at: datetime
    about: str = ""
    version: int = 0
    refs: tuple[str, ...] = ()
    facts: Facts = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    #: The codes of the warnings about its texts.
    overruled: tuple[str, ...] = ()
    #: Unguessable, from the time when it is saved.
    id: str = ""


@dataclass(frozen=True)
class Audience:
    """Who gets it, `to`, and who does not, `left_out` as (case, reason)."""

    to: tuple[Case, ...]
    left_out: tuple[tuple[Case, str], ...]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({case.language for case in self.to}))

    def require_some(self) -> Self:
        """This audience. Raises BadFacts if it is empty."""
        if not self.to:
            raise BadFacts.worded("nobody_to_tell")
        return self

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """The references of those who do not get it, with the reasons."""
        return [(case.ref, why) for case, why in self.left_out]

    @property
    def samples(self) -> list[Case]:
        """The first complaint of each language, then further ones, at most `SAMPLES`."""
        first = {case.language: case for case in reversed(self.to)}
        others = [case for case in self.to if case not in first.values()]
        return [*first.values(), *others][:SAMPLES]


def audience_of(cases: Iterable[Case], reader: Actor, reason: Callable[[Case], str | None]) -> Audience:
    """Those of these complaints that `reason` does not leave out, as far as this person may read them."""
    to, left_out = [], []
    for case in cases:
        why = reason(case)
        if why != "restricted" and not is_allowed(case, Access.READ, reader):
            why = "not_open"
        if why is None:
            to.append(case)
        else:
            left_out.append((case, why))
    return Audience(tuple(to), tuple(left_out))


# why a person writes instead

#: Why a complaint is left out of an act on many; each act has its own choice of these.
LEFT_OUT: frozenset[str] = frozenset({
    "restricted", "left", "closed", "safety", "severity", "second_issue", "support_need", "representative",
    "unreachable", "language", "informed", "newer", "processing", "outside", "not_open",
    # of a decision on all
    "decided", "drafted", "media", "payment", "evidence", "rules",
    # of a letter about a change
    "erased", "no_complaint", "withdrawn", "hold", "still_open",
})  # fmt: skip
#: What a batch keeps of a complaint from which it was taken back: no reason for a person to write.
TAKEN_BACK = "taken_back"
_NEEDS = frozenset({"minor", "vulnerable"})
#: A text to many with the same words within this time is the same letter: a long list takes several rounds.
SAME_LETTER = timedelta(days=3)


def first_reason(**reasons: bool) -> str | None:
    """The first of these that applies; None: no person needs to write."""
    return next((reason for reason, applies in reasons.items() if applies), None)


def left_out(case: Case, *, incident: int | None = None) -> str | None:
    """Why a person must write instead (docs/incidents.md, "Update all"); None: the update may go to this complainant.

    `incident` is for an act on all of its complaints: one may leave it after the act started.
    """
    why = first_reason(
        # This comes first: with any other reason its reference would appear in an open channel.
        restricted=case.restricted,
        left=incident is not None and case.incident != incident,
        closed=not case.is_open or case.withdrawn_at is not None or case.erased_at is not None,
    )
    return why or needs_person(case)


def needs_person(case: Case, *, counts_matters: bool = True) -> str | None:
    """Why a person must write to this complainant, open or closed; `counts_matters`: also for a second matter."""
    has_needs = any(sign.kind in _NEEDS for sign in case.signs)
    return first_reason(
        safety=case.safety >= 1 or case.unseen_alarm is not None,
        severity=case.severity >= 4,
        second_issue=counts_matters and (case.second_issue or len(case.issues) > 1),
        support_need=has_needs or bool(case.flags & {Flag.SUPPORT_NEED, Flag.MINOR}),
        representative=Flag.FOR_ANOTHER in case.flags,
        unreachable=not case.reachable or Flag.NO_CONTACT in case.flags,
    )


def update_left_out(case: Case, words: Words) -> str | None:
    """`left_out` for an update with these texts (`text.en`), where no text in another language may be sent."""
    return left_out(case) or ("language" if update_language(case, words) else None)


def update_language(case: Case, words: Words) -> str | None:
    """The language of a complainant who would get these texts in another one; None: there is a text in theirs."""
    return case.written_in or (None if words.get(f"text.{case.language}") else case.language)


def wrote_since(case: Case, previewed_at: datetime) -> bool:
    """True if the complainant wrote what the preview did not know."""
    return case.last_words_at is not None and case.last_words_at > previewed_at


def bulk_left_out(
    case: Case, language: str, previewed_at: datetime, *, informed: Collection[str] = ()
) -> str | None:
    """Why a text in this language, which goes to many at once, is not sent to this complainant; None: it may be.

    `informed` are the references of complaints that have this letter already.
    """
    return left_out(case) or first_reason(
        informed=case.ref in informed,
        safety=case.alarm is not None,
        newer=wrote_since(case, previewed_at),
        language=case.language != language or case.written_in is not None,
    )


def no_change_letter(case: Case, languages: Collection[str]) -> str | None:
    """Why this complainant gets no letter in these languages; None: the letter may be sent.

    An open complaint is left to its owner: the letter would look like the answer to it.
    """
    why = first_reason(
        # This comes first: with any other reason its reference would be shown.
        restricted=case.restricted,
        erased=case.erased_at is not None,
        no_complaint=case.kind is not ContactKind.COMPLAINT,
        withdrawn=case.withdrawn_at is not None or Flag.WITHDRAWN in case.flags,
        hold=Flag.LEGAL_HOLD in case.flags,
        processing=Flag.PROCESSING_RESTRICTED in case.flags,
        still_open=case.is_open or case.question_at is not None,
        outside=case.external_open,
        unreachable=case.is_history,
    )
    why = why or needs_person(case, counts_matters=False)
    return why or ("language" if case.language not in languages or case.written_in else None)


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
