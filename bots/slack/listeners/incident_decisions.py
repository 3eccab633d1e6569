"""One decision on all complaints of an incident: a manager's form and preview, and the second person's answer."""

from dataclasses import replace

from bots.slack.context import SlackContext
from bots.slack.jobs.incidents import decision_letter
from bots.slack.listeners.incidents import (
    TAKE_BACK_TIME,
    closed_with_offer,
    open_incident_for,
    previewed_batch,
)
from bots.slack.listeners.letter_check import check_texts_to_all
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, OpenView, Response, push_view
from bots.slack.router import Router
from bots.slack.views.form_inputs import statement_of, values_of
from bots.slack.views.incident_decision import (
    DecisionPreview,
    decision_preview_view,
    incident_approve_view,
    incident_decide_view,
)
from bots.slack.views.letter_warnings import codes_of, warning_lines
from complaints.actors import Actor
from complaints.batches.batch import Audience, Batch
from complaints.batches.incident_decision import IncidentDecision, check_form
from complaints.errors import BadFacts, OutOfOrder, Stale
from complaints.forms import read as read_form
from complaints.incidents import read
from complaints.rulebook import categories_of
from complaints.vocabulary import RESTRICTING
from store.cases.batches import save_batch
from store.cases.incident_acts import (
    answer_incident_decision,
    load_decidable,
    load_decision_audience,
    load_proposed_audience,
    prepare_incident_decision,
    propose_incident_decision,
)
from store.incidents import load_incident_decision
from store.rulebooks import load_current_rulebook
from triage.facts.stated_amounts import require_amounts

router = Router()


@router.action("incident.decide")
async def open_decide(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "decide", actor)
    last = await slack.store.aread(load_incident_decision, incident.id)
    if last is not None and last.waits:
        raise OutOfOrder("A decision waits for approval.", code="waits_for_approval")
    audience = _require_some(await slack.store.aread(load_decidable, incident.id, actor))
    rules = await slack.store.aread(load_current_rulebook)
    return OpenView(incident_decide_view(incident, audience, last, rules, slack.texts))


@router.view("incident_decide")
async def preview_decision(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Show who gets it and three letters; nothing is recorded, and what was typed is kept for a day."""
    view, metadata = submission.view, submission.metadata
    # Before anything is read: a message that comes from now on is newer than the preview.
    previewed_at = slack.store.now()
    incident = await open_incident_for(slack, metadata.incident, "decide", actor, metadata.version)
    inputs = [str(block["block_id"]) for block in view["blocks"] if block["type"] == "input"]
    languages = tuple(name.partition(".")[2] for name in inputs if name.startswith("reasons."))
    rules = await slack.store.aread(load_current_rulebook)
    codes = tuple(code for code in categories_of(rules) if code not in RESTRICTING)
    values = values_of(view["state"]["values"])
    facts, words = read(submission.form, values, languages, options={"category": codes})
    facts = require_amounts(facts | statement_of(view), words, rules.country)
    check_form(facts, words, languages)
    batch = Batch(
        submission.form, actor.id, previewed_at, str(incident.id), incident.version, facts=facts, words=words
    )
    wanted = IncidentDecision.previewed(batch)
    audience = _require_some(await slack.store.aread(load_decision_audience, incident.id, actor, wanted))
    preview = await _preview(slack, wanted, audience, actor)
    warned = await check_texts_to_all(slack, facts, words, audience.to[0], actor)
    refs = tuple(case.ref for case in audience.to)
    draft = await slack.store.awrite(save_batch, replace(batch, refs=refs, overruled=codes_of(warned)))
    warnings = warning_lines(warned, slack.texts)
    return push_view(decision_preview_view(incident, preview, draft, slack.texts, warnings))


@router.view("incident_decide_preview")
async def ask_second_person(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the previewed decision and ask for approval; rights and version are checked again."""
    batch = await previewed_batch(submission, actor, slack)
    await slack.store.awrite(propose_incident_decision, batch, actor)
    return CLOSE_FORMS


@router.action("incident.approve")
async def open_approve(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "approve", actor)
    decision = await slack.store.aread(load_incident_decision, incident.id)
    if decision is None or not decision.waits:
        raise OutOfOrder("Nothing waits for approval.", code="nothing_to_approve")
    decider = await slack.actor(decision.by)
    audience = await slack.store.aread(load_proposed_audience, decision, decider, actor)
    preview = await _preview(slack, decision, audience, decider, approver=actor.id)
    return OpenView(incident_approve_view(incident, preview, slack.texts))


@router.view("incident_approve")
async def answer(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    metadata = submission.metadata
    facts, words = read_form("approve", values_of(submission.view["state"]["values"]))
    agreed = facts["agreed"] == "yes"
    try:
        incident = await slack.store.awrite(
            answer_incident_decision, metadata.incident, actor,
            agreed=agreed, reason=words.get("reason", ""), version=metadata.version, delay=TAKE_BACK_TIME,
        )  # fmt: skip
    except (Stale, OutOfOrder) as refused:
        decision = await slack.store.aread(load_incident_decision, metadata.incident)
        if decision is not None and decision.waits:
            raise
        raise OutOfOrder("Another person has answered.", code="nothing_to_approve") from refused
    decision = await slack.store.aread(load_incident_decision, incident.id)
    if decision is None or not agreed:
        return CLOSE_FORMS
    return await closed_with_offer(slack, incident, decision.batch)


def _require_some(audience: Audience) -> Audience:
    if not audience.to and any(why == "evidence" for _, why in audience.left_out):
        raise BadFacts("Evidence is missing.", field="evidence", code="evidence_for_all")
    if not audience.to:
        raise BadFacts("Nobody can be decided with all: decide each.", code="nobody_to_tell")
    return audience


async def _preview(
    slack: SlackContext,
    decision: IncidentDecision,
    audience: Audience,
    decider: Actor,
    *,
    approver: str | None = None,
) -> DecisionPreview:
    letters = []
    for case in audience.samples:
        try:
            after, reviewers = await slack.store.aread(
                prepare_incident_decision, case, decision, decider, approver
            )
        except BadFacts as wrong:
            # What is wrong with the remedy is wrong for all; the form names its fields without the row.
            field = (wrong.field or "").rpartition(".")[2]
            raise BadFacts(str(wrong), field=field, code=wrong.code) from wrong
        letters.append((case, await decision_letter(slack, decision, after, reviewers)))
    return DecisionPreview(replace(decision, number=len(audience.to)), audience, letters)
