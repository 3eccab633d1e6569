"""Clauses 3 and 4, and what the edition of 2018 adds: demand, control, code, evidence."""

from __future__ import annotations

from reports.clauses.clause import Clause
from reports.clauses.queries import principles as q

#: The principles that clause 4.1 sums up.
PRINCIPLES = ("4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10")

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="3",
        title="Terms",
        demand="Any dissatisfaction for which an answer is expected, even silently, is a complaint.",
        control="Every first message of two words or a file opens a complaint. Two people together may classify "
        "it as not a complaint, with a reason, and never if a person came to harm.",
        code=(
            "complaints.actions.intake.check_receive",
            "complaints.actions.assessment.check_reclassify",
            "complaints.actions.approval.check_approve",
        ),
        shows="how many contacts two people classified as not a complaint, with a reason",
        case_query=q.terms,
    ),
    Clause(
        id="4.1",
        title="Principles, general",
        demand="Follow all the principles.",
        control="This table: it holds while every principle below holds.",
        code=("reports.clauses.count.ClauseReport",),
        shows="the status of the other principles",
        of=PRINCIPLES,
    ),
    Clause(
        id="4.2",
        title="Visibility",
        demand="Customers, staff and others know where and how to complain.",
        control="/policy and /how in the chat and the public page, all from the same settings and texts.",
        code=("amends.public_page.public_page", "bots.dialogue.commands.run_command"),
        shows="policy and procedure in every language, outside bodies named",
        organisation_query=q.visibility,
    ),
    Clause(
        id="4.3",
        title="Accessibility",
        demand="Easy for everyone: plain words, formats, languages, help.",
        control="Text, voice and photos; Skip and /human at every step; the complainant's language; staff log "
        "complaints from other channels on the same form.",
        code=("bots.dialogue.form.read_back", "complaints.actions.intake.record_answers"),
        shows="forms confirmed by language, channels, messages in a language of the complainant",
        case_query=q.accessibility,
    ),
    Clause(
        id="4.4",
        title="Responsiveness",
        demand="Acknowledge at once, act by urgency, keep informed, be courteous.",
        control="The acknowledgement is sent with the form; updates and answers to questions have due times.",
        code=(
            "complaints.obligations.standing.current_obligations",
            "complaints.deadlines.targets.wanted_targets",
        ),
        shows="minutes to the acknowledgement, updates by their deadline, questions without an answer",
        case_query=q.responsiveness,
    ),
    Clause(
        id="4.5",
        title="Objectivity",
        demand="Deal with each complaint equitably, objectively, without bias.",
        control="A person who is complained about or has a conflict neither sees nor acts; other people judge "
        "each level.",
        code=(
            "complaints.actions.authorisation.require_permission",
            "complaints.actions.access.check_declare_conflict",
        ),
        shows="conflicts declared, acts by people without a part in the matter",
        case_query=q.objectivity,
        lacks="the monthly random sample of closed complaints, judged by another person",
    ),
    Clause(
        id="4.6",
        title="Charges",
        demand="Complaining is free.",
        control="No setting can ask for money; the texts say that complaining is free.",
        code=("amends.settings.loading.load", "bots.dialogue.form.read_back"),
        shows="settings without a fee, texts that say so in each language",
        organisation_query=q.charges,
    ),
    Clause(
        id="4.7",
        title="Confidentiality",
        demand="Personal data serve the complaint alone, protected, disclosed only by consent.",
        control="Words are encrypted and stored separately from the events; each opening is a row; restricted "
        "complaints are open only to their owner and the levels above.",
        code=("store.record.read_log.write_read", "complaints.actors.may_read", "store.proof.seal.seal"),
        shows="openings by people with the role, the assignment and the clearance",
        case_query=q.confidentiality,
    ),
    Clause(
        id="4.8",
        title="Customer focus",
        demand="Welcome feedback and show by acts that it counts.",
        control="Suggestions and praise are accepted; a decision names what changes for all customers.",
        code=("complaints.actions.decision.check_respond",),
        shows="decisions that name a change",
        case_query=q.customer_focus,
        lacks="informing people who complained what was changed",
    ),
    Clause(
        id="4.9",
        title="Accountability",
        demand="It is clear who answers for each act and decision.",
        control="Assessing assigns the complaint; one owner; every act stores the person and the role; the model "
        "only proposes.",
        code=(
            "complaints.actions.assessment.check_assign",
            "complaints.actions.authorisation.require_permission",
            "complaints.actions.perform.perform",
        ),
        shows="assessed complaints with an owner, judgements by people, acts in a permitted role",
        case_query=q.accountability,
    ),
    Clause(
        id="4.10",
        title="Continual improvement",
        demand="Improving the process and the quality is a permanent aim.",
        control="A decision overturned outside opens an improvement action with a date.",
        code=("complaints.actions.reply_and_recourse.apply_conclude_external",),
        shows="actions opened, decisions overturned without one",
        case_query=q.improvement,
        lacks="actions carried out by their date, with a check of their effect",
    ),
    Clause(
        id="2018",
        title="Capacity, information integrity, competence, timeliness",
        demand="Enough competent people; a record that can be trusted; everything in time.",
        control="Append-only chained events with signed checkpoints; an explanation for every due time.",
        code=("store.custody.verify.verify", "store.proof.checkpoints.checkpoint"),
        shows="the chain of events",
        organisation_query=q.competence,
        lacks="workload against staff, and a training register that keeps untrained people from handling",
    ),
)
