"""Clauses 5 and 6, commitment to planning: the evidence for each."""

from collections.abc import Iterator

from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.vocabulary import Flag, Role
from reports.clauses.evidence import OrganisationFacts, Point, fault_if, minutes, must

_LEVEL_ROLES = (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT)


def responsibility(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """5.3: top management is notified of a significant complaint at once and confirms the receipt."""
    case = history.case
    stages = zip(history.events, history.stages, strict=True)
    first = next((event for event, stage in stages if Flag.SIGNIFICANT in stage.flags), None)
    if first is None:
        return
    receipt = case.executive_receipt_at
    latest = due(first.at, "1 bd", case.rules.calendar).at
    ended = case.closed_at
    is_unconfirmed = receipt is None and latest < (min(ended, house.now) if ended is not None else house.now)
    yield Point(
        "significant complaints, minutes to the receipt of the top",
        (first.seq,),
        measure=None if receipt is None else max(0.0, minutes(first.at, receipt)),
        fault=fault_if("significant complaints, minutes to the receipt of the top", is_unconfirmed),
    )


def layers(house: OrganisationFacts) -> Iterator[Point]:
    """5.3: every role of the levels has a holder."""
    for role in _LEVEL_ROLES:
        is_filled = bool(house.holders(role))
        yield must("roles that somebody holds", is_filled, role=role.value)
