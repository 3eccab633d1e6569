"""Clause 7: the operation of the process, from telling how it goes to closing."""

from __future__ import annotations

from reports.clauses.clause import Clause
from reports.clauses.queries import closing
from reports.clauses.queries import operation as q
from reports.kpis import Goal

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="7.1",
        title="Communication",
        demand="Say where and how to complain, what to give, the process with its times, remedies, outside "
        "bodies, the status.",
        control="The read-back before Send shows the required notices; /how, /policy and /status come from the "
        "settings.",
        code=("bots.dialogue.form.read_back", "bots.dialogue.commands.run_command"),
        shows="confirmed complaints for which the notices were shown before, in the wording in force",
        case_query=q.communication,
        organisation_query=q.texts,
    ),
    Clause(
        id="7.2",
        title="Receipt",
        demand="Record each complaint under an identifier with what is known of it.",
        control="One transaction: reference, words, time, channel, person; events whose removal is noticed.",
        code=(
            "store.cases.receive_message.receive_message",
            "complaints.actions.intake.check_receive",
            "store.custody.verify.verify",
        ),
        shows="records with every mandatory field, gaps in the chain",
        case_query=q.receipt,
        organisation_query=q.whole,
    ),
    Clause(
        id="7.3",
        title="Tracking",
        demand="Follow it to the end; give the status on request and at preset times.",
        control="A progress notice is an obligation at each update deadline; /status; every due time keeps its "
        "reason.",
        code=(
            "complaints.obligations.standing.current_obligations",
            "complaints.deadlines.targets.revise",
            "complaints.deadlines.explanation.explained",
        ),
        shows="deadlines with a message; one without, a working day later, is a violation",
        case_query=q.tracking,
    ),
    Clause(
        id="7.4",
        title="Acknowledgement",
        demand="Acknowledge receipt at once.",
        control="An obligation from the end of the form, repeated until a channel accepts it; by voice if there "
        "is no chat.",
        code=(
            "complaints.actions.intake.check_acknowledge",
            "complaints.obligations.standing.current_obligations",
        ),
        shows="acknowledged in time, including those never acknowledged; below 99 % is a violation",
        case_query=q.acknowledgement,
        goals={"acknowledged in time": Goal(at_least=0.99)},
    ),
    Clause(
        id="7.5",
        title="Initial assessment",
        demand="Assess severity, safety, complexity, impact, and the need for immediate action.",
        control="The model proposes, a person who has opened it sets the criteria; rules only raise.",
        code=(
            "complaints.actions.assessment.check_assess",
            "complaints.actions.assessment.check_reassess",
            "complaints.priorities.priority_of",
        ),
        shows="assessments by people who had opened the complaint; first priorities that were not changed",
        case_query=q.assessment,
    ),
    Clause(
        id="7.6",
        title="Investigation",
        demand="Every reasonable effort, in proportion to the seriousness.",
        control="A list of evidence by priority and complexity; no decision without it.",
        code=(
            "complaints.actions.decision.required_evidence",
            "complaints.actions.investigation.check_investigate",
        ),
        shows="decisions with the evidence that their level requires",
        case_query=closing.investigation,
    ),
    Clause(
        id="7.7",
        title="Response",
        demand="Correct it and prevent it; if not at once, plan the soonest way.",
        control="Remedies with a promised day, a cause for each decision, a notice when one is late.",
        code=(
            "complaints.actions.decision.check_respond",
            "complaints.actions.remedies.check_remedy_done",
            "complaints.actions.remedies.check_remedy_late",
        ),
        shows="causes named, remedies by the promised day, overdue ones without a notice",
        case_query=closing.response,
    ),
    Clause(
        id="7.8",
        title="Communicating the decision",
        demand="Communicate the decision as soon as it is taken.",
        control="An obligation from the decision on, sent again until a channel accepts it; reasons for each "
        "issue.",
        code=(
            "complaints.actions.decision.check_communicate_decision",
            "bots.letters.decision.full_decision",
        ),
        shows="hours from decision to delivery; one not delivered after a working day is a violation",
        case_query=closing.communication_of_the_decision,
    ),
    Clause(
        id="7.9",
        title="Closing",
        demand="Accepted: carry out and record. Refused: it stays open, with the ways inside and outside.",
        control="Closing is refused while an obligation or a question is open; without an answer the complaint "
        "ends with a code of its own.",
        code=(
            "complaints.actions.closing.check_close",
            "complaints.actions.closing.check_lapse",
            "complaints.actions.reply_and_recourse.check_disagree",
        ),
        shows="endings by code, each with its requirements; remedies not done at closing",
        case_query=closing.closing,
    ),
)
