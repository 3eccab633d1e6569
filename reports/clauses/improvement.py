"""Clause 8: keeping the record, analysis, satisfaction, monitoring, audit, review, improvement."""

from __future__ import annotations

from reports.clauses.clause import Clause
from reports.clauses.queries import improvement as q

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="8.1",
        title="Collection of information",
        demand="Rules to identify, gather, keep, protect and dispose of records; training records; public figures.",
        control="Encrypted rows, legal hold, erasing that keeps the chain intact.",
        code=(
            "complaints.actions.access.check_hold",
            "complaints.actions.closing.check_erase",
            "store.cases.erase.erase_words",
        ),
        shows="complaints erased, and complaints under a legal hold",
        case_query=q.collection,
        lacks="a training register, tested restores on the record, and public figures",
    ),
    Clause(
        id="8.2",
        title="Analysis",
        demand="Classify all; find what is systemic, recurring or single; trends; causes.",
        control="Category, cause and its reach are asked for before a complaint is closed.",
        code=("complaints.actions.closing.check_close",),
        shows="closed with category and cause, by the reach of the cause",
        case_query=q.analysis,
        lacks="trends, clusters and their review",
    ),
    Clause(
        id="8.3",
        title="Satisfaction with the process",
        demand="Measure regularly how satisfied people are with the handling; surveys, simulated contacts.",
        control="A survey after every ending, fairness first; simulated contacts use the real channels and are "
        "left out of the figures.",
        code=("complaints.obligations.standing.has_survey", "bots.dialogue.after_decision.record_score"),
        shows="endings with a survey, scores, simulated contacts",
        case_query=q.satisfaction,
    ),
    Clause(
        id="8.4",
        title="Monitoring",
        demand="Monitor process, resources and data continually.",
        control="`amends report monitoring`: figures with target and interval; overdue counts as failed.",
        code=("reports.monitoring.monitor",),
        shows="open complaints within the legal maximum",
        case_query=q.monitoring,
    ),
    Clause(
        id="8.5",
        title="Audit",
        demand="Audit regularly whether the process conforms and suits.",
        control="The role of auditor opens complaints and reports; nothing more yet.",
        code=("complaints.actors.may_read",),
        lacks="seeded samples, a checklist, findings",
    ),
    Clause(
        id="8.6",
        title="Management review",
        demand="Top management reviews the process from listed inputs to recorded outputs.",
        control="Nothing yet.",
        lacks="the pack, minutes and actions",
    ),
    Clause(
        id="8.7",
        title="Improvement",
        demand="Correct, prevent, innovate, learn from the best, recognise good handling.",
        control="Praise is counted separately.",
        code=("complaints.actions.assessment.check_reclassify",),
        lacks="actions with a check of their effect, staff suggestions, recognition",
    ),
)
