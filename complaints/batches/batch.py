"""Acts on many complaints at once: who gets it, who is left to a person and why, and what a preview counted.

The update and the decision of an incident, the letter about a change, one text to a list, and moving a list use it.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor
from complaints.case import Case, Facts, Words
from complaints.errors import BadFacts
from complaints.vocabulary import ContactKind, Flag

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
    """Why a person must write instead (docs/design.md, "An incident"); None: the update may go to this complainant.

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
