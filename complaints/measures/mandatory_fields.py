"""Mandatory fields of a complaint that are empty (8.4)."""

from collections.abc import Iterator

from complaints.case import Case
from complaints.vocabulary import WITH_DECISION, State


def empty_fields(case: Case) -> Iterator[str]:
    """Mandatory fields that are empty although the complaint must have them by now; none for an imported one."""
    if case.is_history:
        return
    for name, value in (
        ("complainant", case.complainant),
        ("channel", case.channel),
        ("language", case.language),
    ):
        if not value:
            yield name
    if case.assessment is not None and not case.issues:
        yield "issues"
    if case.state is State.CLOSED:
        if case.close_code is None:
            yield "close_code"
        elif case.close_code in WITH_DECISION:
            last = case.decisions[-1] if case.decisions else None
            if last is None or not last.cause_class:
                yield "cause_class"
            if last is None or not last.others_affected:
                yield "others_affected"
