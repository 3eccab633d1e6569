"""What a check receives, and the checks and refusals that several stages share."""

from dataclasses import dataclass
from datetime import datetime

from complaints.actors import Actor
from complaints.case import Case, Facts, Words
from complaints.errors import BadFacts, OutOfOrder
from complaints.rulebook import Rulebook
from complaints.times import parse_time
from complaints.vocabulary import Role, Verb


@dataclass(frozen=True)
class ActionRequest:
    """An act on a complaint that permission and lifecycle already allow, in this role.

    `rules` are the rules to move the complaint to, for `redate` alone.
    """

    verb: Verb
    at: datetime
    actor: Actor
    role: Role
    facts: Facts
    words: Words
    rules: Rulebook | None = None


def accept_as_given(case: Case, request: ActionRequest) -> Facts:
    """The check of a verb that needs no more than permission, lifecycle and the shape of its facts."""
    return request.facts


def require_offline_source(case: Case, request: ActionRequest) -> None:
    """Staff who record something said offline must give the time and the speaker (docs/domain.md, "Taken by staff").

    Without it no member of staff can accept, disagree or withdraw for a complainant. Raises BadFacts.
    """
    if not request.actor.is_staff:
        return
    given_at = request.facts.get("given_at")
    if not given_at:
        raise BadFacts.worded("required:offline_source", field="given_at", ref=case.ref)
    if parse_time(str(given_at)) > request.at:
        raise BadFacts.worded("ahead:offline_source", field="given_at", ref=case.ref)
    require_words(request, "by_whom", f"Say who told it about {case.ref}.")


def something_waits(case: Case) -> OutOfOrder:
    """The refusal while a draft, a wish or a limit waits for a second person."""
    return OutOfOrder.worded("waits_for_approval:something", ref=case.ref)


def require_words(request: ActionRequest, path: str, message: str) -> None:
    """Raise BadFacts with this message where a field of words is empty."""
    if not request.words.get(path, "").strip():
        raise BadFacts(message, code="required", field=path)
