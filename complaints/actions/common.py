"""What every verb begins and ends with: the table, the permission, the event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from complaints import lifecycle, permissions
from complaints.actors import Actor
from complaints.case import Case, Event, Facts
from complaints.errors import BadFacts
from complaints.timestamps import parse_time
from complaints.vocabulary import Role, Verb

Words = Mapping[str, str]


class VerbFunction(Protocol):
    """A verb: pure; given moment, actor, facts and words it raises ComplaintError or returns the event."""

    def __call__(self, case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
        """Do it."""
        ...


def allowed(case: Case, verb: Verb, by: Actor) -> Role:
    """Refuse by permission first, then by the lifecycle; return the role in which it is done."""
    role = permissions.require(case, verb, by)
    lifecycle.require(case, verb)
    return role


def happened(
    case: Case, verb: Verb, *, at: datetime, by: Actor, role: Role, facts: Mapping[str, Any], words: Words
) -> Event:
    """The event, with words that are empty left out."""
    return Event(
        seq=case.version + 1,
        verb=verb,
        at=at,
        by=by.id,
        role=role,
        facts=dict(facts),
        words={path: said for path, said in words.items() if said.strip()},
    )


def plain(verb: Verb) -> VerbFunction:
    """A verb with no guard of its own beyond the table and the permission."""

    def act(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
        role = allowed(case, verb, by)
        return happened(case, verb, at=at, by=by, role=role, facts=facts, words=words)

    act.__name__ = verb.value
    return act


def need_given(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> None:
    """What staff heard by voice says when and from whom (docs/domain.md, "Taken by staff"); else BadFacts.

    Nobody of staff accepts, disagrees or withdraws for a complainant without it.
    """
    if not by.is_staff:
        return
    if not facts.get("given_at"):
        raise BadFacts(f"Say when this was heard on {case.ref}.", field="given_at", code="required")
    if parse_time(str(facts["given_at"])) > at:
        raise BadFacts(
            f"What was heard on {case.ref} lies in the future: give the time when it was said.",
            field="given_at",
            code="ahead",
        )
    need_words(words, "by_whom", f"Say who told it about {case.ref}.")


def need_words(words: Words, path: str, why: str) -> str:
    """The words of a field, or BadFacts naming it."""
    said = words.get(path, "").strip()
    if not said:
        raise BadFacts(why, code="required", field=path)
    return said
