"""One decision on all complaints of an incident: a manager's form and preview, the second person, and the jobs."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bots.slack import recipients
from bots.slack.batches.steps import (
    left_to_person,
    letter_blocks,
    letter_heading,
    preview_view,
    previewed_batch,
)
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    SlackMessage,
    actions,
    button,
    escaped,
    mention,
    section,
)
from bots.slack.context import SlackContext
from bots.slack.incidents.incident_card import left_out_of
from bots.slack.incidents.incident_forms import TAKE_BACK_TIME, closed_with_offer, open_incident_for
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, OpenView, Response, push_view
from bots.slack.router import Router
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import input_blocks, statement_of, values_of
from bots.slack.views.form_modals import View
from bots.slack.views.incident_inputs import incident_view
from bots.texts.texts import currency_of
from complaints.actors import Actor
from complaints.batch import (
    Audience,
    Batch,
    IncidentDecision,
    check_form,
    decision_facts,
    decision_left_out,
    decision_words,
    may_approve_all,
    reason_of,
)
from complaints.case import Case
from complaints.errors import BadFacts, ComplaintError, OutOfOrder, Stale
from complaints.forms import FORMS
from complaints.forms import read as read_form
from complaints.incidents import Incident, fields_of, read
from complaints.rulebook import Rulebook, categories_of
from complaints.vocabulary import RESTRICTING, CauseClass
from store.cases.batches import DECISION, BatchDelivery, list_batch_deliveries, record_left_out
from store.cases.incident_acts import (
    answer_incident_decision,
    load_decidable,
    load_decision_audience,
    load_proposed_audience,
    prepare_incident_decision,
    propose_incident_decision,
    record_incident_decision,
)
from store.cases.read import load_case
from store.incidents import load_incident, load_incident_decision
from store.outbox.complete import Completed, Failed, Outcome, Rescheduled
from store.people.staff import list_members
from store.record.load import load_complaint_text
from store.rulebooks import load_current_rulebook
from store.values import Obligation
from triage.facts.stated_amounts import require_amounts

router = Router()


@router.action("incident.decide")
async def open_decide(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "decide", actor)
    last = await slack.store.aread(load_incident_decision, incident.id)
    if last is not None and last.waits:
        raise OutOfOrder.worded("waits_for_approval")
    audience = _require_some(await slack.store.aread(load_decidable, incident.id, actor))
    rules = await slack.store.aread(load_current_rulebook)
    return OpenView(_form_view(incident, audience, last, rules, slack.texts))


def _form_view(
    incident: Incident, audience: Audience, last: IncidentDecision | None, rules: Rulebook, texts: StaffTexts
) -> View:
    """The form, filled in with what was sent back, otherwise with what most of the complaints have."""
    blocks: list[Block] = [section(texts.count("incident.decides", len(audience.to)))]
    blocks += left_to_person(audience.reasons, texts)
    initial = _usual(incident, audience, rules, texts)
    if last is not None and last.agreed is False:
        who, reason = mention(last.answered_by or ""), escaped(last.reason, 2000)
        blocks.insert(0, section(texts.text("incident.returned_why", who=who, reason=reason)))
        initial = {**last.facts, **last.words}
    fields = fields_of("incident_decide", audience.languages)
    blocks += input_blocks(
        fields, texts, initial, {"category": texts.choices("category", _categories(rules))}
    )
    return incident_view(incident, "decide", blocks, texts, submit="modal.preview")


def _usual(incident: Incident, audience: Audience, rules: Rulebook, texts: StaffTexts) -> dict[str, Any]:
    categories = Counter(case.category for case in audience.to if case.category).most_common(1)
    return {
        "category": categories[0][0] if categories else None,
        "severity": min(3, max((case.severity for case in audience.to), default=2)),
        "reach": 3,
        "currency": currency_of(rules.country),
        "root_cause": incident.what,
        "cause_class": CauseClass.RECURRING.value,
        "others_action": texts.text("incident.others_action", incident=incident.id),
    }


def _categories(rules: Rulebook) -> tuple[str, ...]:
    return tuple(code for code in categories_of(rules) if code not in RESTRICTING)


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
    values = values_of(view["state"]["values"])
    facts, words = read(submission.form, values, languages, options={"category": _categories(rules)})
    facts = require_amounts(facts | statement_of(view), words, rules.country)
    check_form(facts, words, languages)
    batch = Batch(
        submission.form, actor.id, previewed_at, str(incident.id), incident.version, facts=facts, words=words
    )
    wanted = IncidentDecision.previewed(batch)
    audience = _require_some(await slack.store.aread(load_decision_audience, incident.id, actor, wanted))
    blocks = await _preview_blocks(slack, wanted, audience, actor)
    preview = await preview_view(
        slack, batch, audience, actor, blocks, stated=facts,
        callback_id="incident_decide_preview", title="incident.verb.decide", submit="preview.ask_approval",
    )  # fmt: skip
    return push_view(preview)


@router.view("incident_decide_preview")
async def ask_second_person(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the previewed decision and ask for approval; rights and version are checked again."""
    batch = await previewed_batch(submission, actor, slack)
    await slack.store.awrite(propose_incident_decision, batch, actor)
    return CLOSE_FORMS


@router.action("incident.approve")
async def open_approve(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The same preview as of now for the second person, who agrees or says why not."""
    texts = slack.texts
    incident = await open_incident_for(slack, int(press.ref), "approve", actor)
    decision = await slack.store.aread(load_incident_decision, incident.id)
    if decision is None or not decision.waits:
        raise OutOfOrder.worded("nothing_to_approve")
    decider = await slack.actor(decision.by)
    audience = await slack.store.aread(load_proposed_audience, decision, decider, actor)
    asks = section(texts.text("incident.asks_approval", who=mention(decision.by)))
    blocks = [asks, *await _preview_blocks(slack, decision, audience, decider, approver=actor.id)]
    inputs = input_blocks(FORMS["approve"].fields, texts)
    blocks = [*blocks[: MODAL_BLOCKS - len(inputs)], *inputs]
    return OpenView(incident_view(incident, "approve", blocks, texts))


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
        raise OutOfOrder.worded("nothing_to_approve:answer") from refused
    decision = await slack.store.aread(load_incident_decision, incident.id)
    if decision is None or not agreed:
        return CLOSE_FORMS
    return await closed_with_offer(slack, incident, decision.batch)


def _require_some(audience: Audience) -> Audience:
    if not audience.to and any(why == "evidence" for _, why in audience.left_out):
        raise BadFacts.worded("evidence_for_all", field="evidence")
    return audience.require_some()


async def _preview_blocks(
    slack: SlackContext,
    decision: IncidentDecision,
    audience: Audience,
    decider: Actor,
    *,
    approver: str | None = None,
) -> list[Block]:
    """How many are decided now, who is left to a person, and sample letters exactly as they leave."""
    texts, number = slack.texts, len(audience.to)
    blocks: list[Block] = [section(texts.count("incident.decides", number))]
    if decision.grant is not None:
        amount, currency = decision.grant
        total = f"{Decimal(amount) * number:.2f}"
        text = texts.text("incident.each_gets", amount=amount, currency=escaped(currency), total=total)
        blocks.append(section(text))
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
        letter = await _decision_letter(slack, decision, after, reviewers)
        letters.append((letter_heading(case, texts), letter))
    return [*blocks, *left_to_person(audience.reasons, texts), *letter_blocks(letters)]


async def _decision_letter(
    slack: SlackContext, decision: IncidentDecision, after: Case, reviewers: int
) -> str:
    """The letter of one complaint exactly as it leaves; `after` is the complaint as the decision leaves it."""
    return slack.preview(
        "decide",
        after,
        decision_facts(decision.facts),
        decision_words(decision.words, after.language),
        now=slack.store.now(),
        reviewers=reviewers,
        complaint_text=await slack.store.aread(load_complaint_text, after.ref),
    )


async def decide(slack: SlackContext, obligation: Obligation) -> Outcome:
    """`incident_decision:<batch>`: record the decision in this complaint; its letter follows."""
    store, ref = slack.store, str(obligation.ref)
    number, batch = int(obligation.facts["incident"]), str(obligation.facts["batch"])
    decision = await store.aread(load_incident_decision, number, batch)
    # None: the approval was taken back while this was being done, and its sender read that it is too late.
    if decision is None or decision.agreed is False:
        return Failed(f"the decision {batch} on {ref} was not approved")
    decider, approver = await slack.actor(decision.by), await slack.actor(str(obligation.facts["by"]))
    case = await store.aread(load_case, ref)
    try:
        after, reviewers = await store.aread(prepare_incident_decision, case, decision, decider, approver.id)
        letter = await _decision_letter(slack, decision, after, reviewers)
        await store.awrite(
            record_incident_decision, ref, decision, decider, approver, letter,
            seen_version=case.version, completes=obligation.id,
        )  # fmt: skip
    except Stale:
        return Rescheduled(store.now(), "the complaint changed")
    except ComplaintError as refusal:
        why = decision_left_out(case, number, store.now(), decision.previewed_at) or reason_of(refusal)
        await store.awrite(record_left_out, ref, batch, why, completes=obligation.id)
    return Completed(settled=True)


async def notify(direct: DirectMessageJobs, obligation: Obligation) -> Outcome:
    """`incident_notice:<batch>:<about>`: ask for approval, or say what became of the decision."""
    slack, store = direct.slack, direct.slack.store
    number, batch = int(obligation.facts["incident"]), str(obligation.facts["batch"])
    about, incident = str(obligation.facts["about"]), await store.aread(load_incident, number)
    decision = await store.aread(load_incident_decision, number, batch)
    if decision is None or (about == "approve" and not decision.waits):
        return Completed()
    people = [decision.by]
    if about == "approve":
        authority = (await store.aread(load_current_rulebook)).authority
        members = await store.aread(list_members)
        able = [
            member
            for member in members
            if may_approve_all(decision, recipients.member_actor(member), authority)
        ]
        people = [member.id for member in recipients.present_members(able, store.now()) or able]
        if not people:
            return Failed("nobody may approve this: name another manager or top management in [roles]")
    decided = await store.aread(list_batch_deliveries, batch, DECISION)
    message = _notice(incident, about, decision, decided, slack.texts)
    return await direct.send(people, message, obligation)


def _notice(
    incident: Incident,
    about: str,
    decision: IncidentDecision,
    decided: Sequence[BatchDelivery],
    texts: StaffTexts,
) -> SlackMessage:
    """A direct message: approve it, it was sent back, or all complaints are decided."""
    if about == "decided":
        done = sum(delivery.is_recorded for delivery in decided)
        text = texts.text("incident.dm.decided", done=done, total=decision.number, incident=incident.id)
        return SlackMessage(text, [section(text), *left_to_person(left_out_of(decided), texts)])
    if about == "approve":
        who, verb = mention(decision.by), "approve"
        text = texts.count("incident.dm.approve", decision.number, who=who, incident=incident.id)
    else:
        by, verb = mention(decision.answered_by or ""), "decide"
        text = texts.text("incident.dm.returned", by=by, incident=incident.id)
    press = button(texts.text(f"incident.verb.{verb}"), f"incident.{verb}", str(incident.id), style="primary")
    return SlackMessage(text, [section(text), actions(f"incident:{incident.version}.0", [press])])
