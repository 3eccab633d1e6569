"""Clauses 5 and 6: commitment, policy, responsibility, planning."""

from __future__ import annotations

from reports.clauses.clause import Clause
from reports.clauses.queries import operation as q

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
        case_query=q.responsibility,
        organisation_query=q.layers,
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
