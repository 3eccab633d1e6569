"""Annexes A to H: small business, form, objectivity, follow-up, responses, escalation, monitoring, audit."""

from __future__ import annotations

from reports.clauses.clause import Clause
from reports.clauses.queries import annexes as q
from reports.kpis import Goal

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="A",
        title="Guidance for small businesses",
        demand="Be open, record, acknowledge, assess, resolve quickly, inform, record the result, review.",
        control="The preset small_business: few roles, short times, the same process.",
        code=("amends.settings.rulebook.preset_named",),
        shows="the status of the eight steps",
        of=("4.2", "7.2", "7.4", "7.5", "7.7", "7.8", "7.9", "8.6"),
    ),
    Clause(
        id="B",
        title="Form for complainants",
        demand="Person, agent, product, problem, remedy wanted, date and signature, enclosures.",
        control="The dialogue fills it in, the read-back shows it, Send confirms it.",
        code=(
            "bots.dialogue.form.read_back",
            "complaints.actions.intake.check_receive",
            "complaints.actions.perform.perform",
        ),
        shows="how complete the forms are, and who confirmed them",
        case_query=q.form,
    ),
    Clause(
        id="C",
        title="Objectivity",
        demand="Open, impartial, confidential, complete; fair to the staff complained about; checked regularly.",
        control="Named staff are excluded, informed, heard and supported, with dates.",
        code=("complaints.case_values.Fairness", "complaints.actors.is_excluded"),
        shows="decisions made after the person complained about was informed and heard",
        case_query=q.fairness,
        lacks="the regular check of random closed complaints",
    ),
    Clause(
        id="D",
        title="Follow-up form",
        demand="Receipt, complaint, assessment, remedy and a log of the steps, including the check of the "
        "correction.",
        control="The events are the log; one person carries out a remedy and, where it matters, another checks "
        "it.",
        code=("complaints.actions.remedies.check_verify", "store.cases.export.export_record"),
        shows="closed complaints whose step log has no gap, corrections checked",
        case_query=q.follow_up,
    ),
    Clause(
        id="E",
        title="Responses",
        demand="Suitable remedies, the same for other people affected who did not complain, within authority.",
        control="A list of remedies; the form asks for other people affected; above the limit a second person "
        "must agree.",
        code=(
            "complaints.actions.decision.exceeds",
            "complaints.actions.decision.check_respond",
            "complaints.actions.approval.check_approve",
        ),
        shows="decisions that say who is also affected; grants within authority or approved",
        case_query=q.remedies,
    ),
    Clause(
        id="F",
        title="Escalation",
        demand="Front line, investigation, next internal level, outside.",
        control="One table of transitions; each level by people who had no part in a lower one.",
        code=(
            "complaints.actors.judged_below",
            "complaints.actions.reply_and_recourse.check_disagree",
            "complaints.actions.investigation.check_escalate",
        ),
        shows="decisions by level, none by a person of a lower one",
        case_query=q.levels,
    ),
    Clause(
        id="G",
        title="Continual monitoring",
        demand="Responsibilities of top management, representative and managers; criteria and counts.",
        control="The figures of the monitoring report; first priorities that were changed are counted.",
        code=("reports.kpis.SHARES", "reports.monitoring.monitor"),
        shows="first priorities that were not changed; below 95 % is a violation",
        case_query=q.figures,
        goals={"first priority kept to the end": Goal(at_least=0.95)},
        lacks="figures on people: trained, with authority, suggestions",
    ),
    Clause(
        id="H",
        title="Audit",
        demand="Procedures that fit the policy, are followed, and can meet the objectives.",
        control="Nothing yet.",
        lacks="the checklist with its answers",
    ),
)
