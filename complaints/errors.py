"""The refusals of the rules; every message names the reference, the attempt and the remedy (refusals.toml)."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Self

FILE = Path(__file__).with_name("refusals.toml")


@cache
def refusal_texts() -> Mapping[str, str]:
    """The English texts by key: the code of the refusal, with a name after a colon where it has several."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


class ComplaintError(Exception):
    """The rules refuse an act on a complaint. `code` is a stable message id for the texts."""

    code = "refused"
    #: What the text names, such as the sums.
    values: Mapping[str, object] = {}

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.field = field

    @classmethod
    def worded(
        cls, key: str, /, *, field: str | None = None, code: str | None = None, **values: object
    ) -> Self:
        """The refusal with this text of refusals.toml, which has `values` in its braces.

        `code` is given where it is not the beginning of the key.
        """
        refusal = cls(refusal_texts()[key].format(**values), code=code or key.partition(":")[0])
        refusal.field, refusal.values = field, values
        return refusal


class OutOfOrder(ComplaintError):
    """The lifecycle does not allow this act in this state (docs/domain.md, section 3)."""

    code = "out_of_order"


class NotAllowed(ComplaintError):
    """This person's role, level, limit or closeness to the matter forbids the act."""

    code = "not_allowed"


class ReasonNeeded(ComplaintError):
    """This person may read the complaint, but it is not theirs: first they say why (4.7)."""

    code = "reason_needed"


class BadFacts(ComplaintError):
    """A field of the act is missing or wrong; `field` names it so that a form can show it there."""

    code = "bad_facts"


class UnknownReference(ComplaintError):
    """No complaint has this reference, or it is not this person's; one answer for both."""

    code = "unknown_reference"


class Stale(ComplaintError):
    """The complaint changed after this view of it was drawn; `since` are the verbs that happened in between."""

    code = "stale"

    since: tuple[str, ...] = ()

    def after(self, verbs: Iterable[str]) -> Self:
        """The refusal with what happened in between."""
        self.since = tuple(verbs)
        return self


class AlreadyDone(ComplaintError):
    """The same act by the same person was recorded before: nothing changed, nothing is wrong."""

    code = "already_done"
