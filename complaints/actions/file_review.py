"""Review of a closed complaint by a person who took no part in it, with the questions of Annex C (4.5)."""

from complaints.actions.request import ActionRequest, require_words
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import FileReview
from complaints.errors import NotAllowed
from complaints.forms import REVIEW_QUESTIONS
from complaints.times import parse_time


def check_draw_review(case: Case, request: ActionRequest) -> Facts:
    """Give a closed complaint to a reviewer. Raises NotAllowed for a person who took part in it."""
    if request.facts["reviewer"] in case.participants | case.denied:
        raise NotAllowed.worded("not_allowed.excluded:draw_review", ref=case.ref)
    return request.facts


def apply_draw_review(case: Case, event: Event) -> Case:
    facts = event.facts
    review = FileReview(facts["reviewer"], event.at, parse_time(facts["due"]), event.seq)
    return changed(case, review=review)


def check_review_case(case: Case, request: ActionRequest) -> Facts:
    """Record the answers; a "no" needs a note that says what was found."""
    if any(request.facts[question] == "no" for question in REVIEW_QUESTIONS):
        require_words(request, "reason", f"Say what you found on {case.ref}.")
    return request.facts


def apply_review_case(case: Case, event: Event) -> Case:
    return case if case.review is None else changed(case, review=changed(case.review, reviewed_at=event.at))
