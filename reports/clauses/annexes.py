"""Annexes A to H: small business, form, objectivity, follow-up, responses, escalation, monitoring, audit."""

from __future__ import annotations

from reports.clauses.clause import Clause
from reports.clauses.queries import annexes as q
from reports.kpis import Goal

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="A",
        title="Guidance for small businesses",
        demand="Be open, record, acknowledge, assess, resolve soon, tell, record the result, review.",
        control="The preset small_business: few roles, short times, the same road.",
        code=("amends.settings.rulebook.preset_named",),
        shows="how the eight steps stand",
        of=("4.2", "7.2", "7.4", "7.5", "7.7", "7.8", "7.9", "8.6"),
    ),
    Clause(
        id="B",
        title="Form for complainants",
        demand="Person, agent, product, problem, remedy wanted, date and signature, enclosures.",
        control="The dialogue fills it, the read-back shows it, Send signs it.",
        code=(
            "bots.dialogue.form.read_back",
            "complaints.actions.intake.receive",
            "complaints.actions.registry.perform",
        ),
        shows="how complete the forms are, and by whom they were signed",
        look=q.form,
    ),
    Clause(
        id="C",
        title="Objectivity",
        demand="Open, impartial, confidential, complete; fair to the staff complained about; checked regularly.",
        control="Named staff are kept out, told, heard and supported, with dates.",
        code=("complaints.case_values.Fairness", "complaints.permissions.is_excluded"),
        shows="decisions after the person complained about was told and heard",
        look=q.fairness,
        lacks="the regular check of random closed complaints",
    ),
    Clause(
        id="D",
        title="Follow-up form",
        demand="Receipt, complaint, assessment, remedy and a log of the steps, checking the correction included.",
        control="The events are the log; a remedy is done by one and checked, where it matters, by another.",
        code=("complaints.actions.remedies.verify", "store.cases.export.export_record"),
        shows="closed complaints whose step log has no gap, corrections checked",
        look=q.follow_up,
    ),
    Clause(
        id="E",
        title="Responses",
        demand="Fitting remedies, the same for others hit who did not complain, within authority.",
        control="A list of remedies; others affected are asked for; above the limit a second person agrees.",
        code=(
            "complaints.actions.decision.exceeds",
            "complaints.actions.decision.respond",
            "complaints.actions.decision.approve",
        ),
        shows="decisions that say who else is affected; grants within authority or agreed to",
        look=q.remedies,
    ),
    Clause(
        id="F",
        title="Escalation",
        demand="Front line, investigation, next internal level, outside.",
        control="One table of transitions; each level by people who had no part in a lower one.",
        code=(
            "complaints.permissions.judged_below",
            "complaints.actions.reply_and_recourse.disagree",
            "complaints.actions.investigation.escalate",
        ),
        shows="decisions by level, none by somebody of a lower one",
        look=q.levels,
    ),
    Clause(
        id="G",
        title="Continual monitoring",
        demand="Duties of top management, representative and managers; criteria and counts.",
        control="The figures of the monitoring report; first priorities that did not hold are counted.",
        code=("reports.kpis.SHARES", "reports.monitoring.monitor"),
        shows="first priorities that held; below 95 % is a violation",
        look=q.figures,
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
