"""Clauses 5 and 6, commitment to planning: the rows of the table and their evidence."""

from __future__ import annotations

from collections.abc import Iterator

from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.vocabulary import Flag, Role
from reports.clauses.evidence import Clause, OrganisationFacts, Point, minutes, must

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
        fault="significant, and top management has not confirmed it for a working day: press the receipt"
        if is_unconfirmed
        else None,
    )


def layers(house: OrganisationFacts) -> Iterator[Point]:
    """5.3: every role of the levels has a holder."""
    for role in _LEVEL_ROLES:
        is_filled = bool(house.holders(role))
        yield must(
            "roles that somebody holds",
            is_filled,
            f"no member has the role {role.value}: add one under [roles]",
        )


CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="5.1",
        title="Commitment",
        demand="Top management backs the process with policy, resources and training.",
        control="Nothing yet.",
        lacks="signed versions of policy and objectives",
    ),
    Clause(
        id="5.2",
        title="Policy",
        demand="An explicit, customer-centred, public policy that all staff know.",
        control="The policy text in every language; each complaint keeps the rules in force at its receipt.",
        code=("bots.dialogue.commands.run_command", "store.rulebooks.use_rulebook"),
        lacks="a review date of the policy, and staff who attest that they know it",
    ),
    Clause(
        id="5.3",
        title="Responsibility and authority",
        demand="Five layers with their responsibilities; top management learns at once of significant "
        "complaints.",
        control="Roles in the settings; a significant complaint goes to the executive channel, which asks for a "
        "receipt.",
        code=("complaints.priorities.is_significant", "complaints.actions.investigation.check_receipt"),
        shows="minutes from significant to the receipt by top management; roles that are filled",
        case_query=responsibility,
        organisation_query=layers,
    ),
    Clause(
        id="6.1",
        title="Planning, general",
        demand="A planned process that serves loyalty and quality.",
        control="A preset chosen in the settings.",
        code=("amends.settings.rulebook.rulebook",),
        lacks="a plan with its history and a list of risks",
    ),
    Clause(
        id="6.2",
        title="Objectives",
        demand="Measurable objectives per function, set regularly.",
        control="Targets in the settings; the monitoring report compares.",
        code=("reports.monitoring.monitor",),
        lacks="objectives with owner and period",
    ),
    Clause(
        id="6.3",
        title="Activities",
        demand="Activities planned in line with the quality management system.",
        control="Nothing yet.",
        lacks="a calendar of reviews, audits, surveys and training",
    ),
    Clause(
        id="6.4",
        title="Resources",
        demand="People, training, procedures, specialists and money are assessed and provided.",
        control="`amends check` says whether enough people have the roles; the report counts open complaints per "
        "handler.",
        code=("amends.checks.check_installation",),
        lacks="training, skills and forecast",
    ),
)
