"""Who gets the letter about what was changed: one for each complaint that the action names (4.8, 8.7)."""

from collections.abc import Collection

from complaints.case import Case
from complaints.incidents import needs_person
from complaints.vocabulary import ContactKind, Flag

#: Why a complaint gets no such letter, in addition to the reasons of an update to all.
NO_CHANGE_LETTER: tuple[str, ...] = (
    "erased", "no_complaint", "withdrawn", "hold", "processing", "still_open", "outside", "language", "informed",
)  # fmt: skip


def no_change_letter(case: Case, languages: Collection[str]) -> str | None:
    """Why this complainant gets no letter in these languages; None: the letter may be sent.

    An open complaint is left to its owner: the letter would look like the answer to it.
    """
    reasons = {
        # This comes first: with any other reason its reference would be shown.
        "restricted": case.restricted,
        "erased": case.erased_at is not None,
        "no_complaint": case.kind is not ContactKind.COMPLAINT,
        "withdrawn": case.withdrawn_at is not None or Flag.WITHDRAWN in case.flags,
        "hold": Flag.LEGAL_HOLD in case.flags,
        "processing": Flag.PROCESSING_RESTRICTED in case.flags,
        "still_open": case.is_open or case.question_at is not None,
        "outside": case.external_open,
        "unreachable": case.is_history,
    }
    why = next((reason for reason, applies in reasons.items() if applies), None)
    why = why or needs_person(case, counts_matters=False)
    return why or ("language" if case.language not in languages or case.written_in else None)
