"""Which decisions a second person reads before they are sent, and what that person answers (4.5; docs/quality.md)."""

from typing import Any

from complaints.actions.action import ActionRequest, require_words
from complaints.case import Case, Facts
from complaints.deadlines.quiet_hours import checked_by
from complaints.errors import BadFacts
from complaints.forms import DECISION_QUESTIONS

#: A draw is a number from 0 up to this; the store computes it with a secret key, so that no person can choose it.
DRAWS = 10_000


def risk_points(case: Case, facts: Facts) -> int:
    """The points of risk of a decision; each adds the whole share once more.

    The highest severity and safety count that were ever in force: lower ones before the decision change nothing.
    """
    severity, safety = max(case.severity, case.highest_severity), max(case.safety, case.highest_safety)
    grants = any(remedy.get("amount") for remedy in facts.get("remedies") or ())
    return max(0, severity - 2) + min(safety, 2) + int(grants) + int(bool(facts.get("is_new")))


def second_reading(case: Case, request: ActionRequest, *, approval: bool = False) -> dict[str, Any]:
    """Whether the decision was drawn, for its event: `drawn`, or the reason why it is sent unread.

    With `approval` a second person reads it in any case, and no date is lost by the questions.
    """
    draw = request.facts.get("draw")
    if draw is None or draw >= DRAWS * case.rules.check_share * (1 + risk_points(case, request.facts)):
        return {}
    until = checked_by(case)
    if approval:
        return {"check": "drawn"}
    if not request.facts.get("readers"):
        return {"check": "no_reader"}
    return {"check": "no_time" if until is not None and until <= request.at else "drawn"}


def require_answers(case: Case, request: ActionRequest) -> None:
    """Raise BadFacts for a question without an answer, for a pass with a "no", and for a return without a note."""
    facts = request.facts
    for question in DECISION_QUESTIONS:
        if question not in facts:
            raise BadFacts.worded("required:answers", field=question, ref=case.ref)
    if facts["agreed"] == "no":
        require_words(request, "reason", BadFacts.worded("required:what_must_change", ref=case.ref))
    elif any(facts[question] == "no" for question in DECISION_QUESTIONS):
        raise BadFacts.worded("passes_with_no", field="agreed", ref=case.ref)
