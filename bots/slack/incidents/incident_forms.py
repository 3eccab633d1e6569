"""The forms of an incident: open, join, leave, change and end it, and the update to all its complaints."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bots.slack.batches.steps import left_out_by_name, preview_view, previewed_batch, taken_back_text
from bots.slack.client.block_kit import Block, context, divider, plain_sections, section
from bots.slack.context import SlackContext
from bots.slack.listeners.form_checks import typed_reference
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, OpenView, PrivateNotice, Response, push_view, take_back_offer
from bots.slack.router import Router
from bots.slack.views.form_inputs import input_blocks, minute_of, statement_of, values_of
from bots.slack.views.incident_inputs import LEAVE, NEW, incident_view, values_of_incident
from complaints.actions.authorisation import authorise
from complaints.actors import Actor
from complaints.batch import Audience, Batch, update_language
from complaints.deadlines.quiet_hours import letter_held_until
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, Stale
from complaints.event_facts import TAKE_BACK_SECONDS
from complaints.incidents import (
    DECIDING,
    SAME_INCIDENT,
    Incident,
    IncidentAct,
    fields_of,
    read,
    required_role,
)
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.incident_acts import (
    load_incident_audience,
    load_update_text,
    open_incident_with,
    record_incident_update,
    schedule_incident_update,
    take_back_from_all,
)
from store.cases.read import load_case
from store.incidents import act_on_incident, list_open_incidents, load_incident, load_incident_history
from store.outbox.complete import Completed, Failed, Outcome
from store.rulebooks import load_current_rulebooks
from store.values import Obligation
from triage.facts.stated_amounts import require_amounts

#: From a complaint's card; all other forms are about an incident that exists.
FROM_CASE = "incident"
#: The right that each verb needs; `join` needs that of a link.
_ACTS = {
    "update": IncidentAct.UPDATE,
    "edit": IncidentAct.CHANGE,
    "end": IncidentAct.END,
    "decide": IncidentAct.DECIDE,
    "approve": IncidentAct.APPROVE,
}
#: Nothing of an act on all is recorded in a complaint for this time.
TAKE_BACK_TIME = timedelta(seconds=TAKE_BACK_SECONDS)
router = Router()


@router.action("incident.edit", "incident.join", "incident.end")
async def open_form(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), press.name, actor)
    initial = {"edit": values_of_incident(incident), "end": {"ended_at": minute_of(slack.store.now())}}
    languages = (await slack.store.aread(load_current_rulebooks)).languages
    fields = fields_of(f"incident_{press.name}", languages)
    blocks = input_blocks(fields, slack.texts, initial.get(press.name, {}))
    return OpenView(incident_view(incident, press.name, blocks, slack.texts))


@router.view(FROM_CASE)
async def open_join_or_leave(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Open an incident with this complaint, add the complaint to one, or take it out."""
    metadata = submission.metadata

    async def link(facts: dict[str, object]) -> Response:
        await slack.store.awrite(act, metadata.ref, Verb.LINK, actor, facts, {}, version=metadata.version)
        return CLOSE_FORMS

    case = await slack.store.aread(load_case, metadata.ref)
    rules = await slack.store.aread(load_current_rulebooks)
    incidents = await slack.store.aread(list_open_incidents)
    values = values_of(submission.view["state"]["values"])
    if values.get("which") == LEAVE:
        if case.incident is None:
            raise AlreadyDone.worded("already_so", ref=metadata.ref)
        return await link({"relation": SAME_INCIDENT, "incident": case.incident, "left": True})
    options = (NEW, LEAVE, *(str(incident.id) for incident in incidents))
    facts, words = read(FROM_CASE, values, rules.languages, options={"which": options})
    facts = require_amounts(facts | statement_of(submission.view), words, rules.own.country)
    which = facts.pop("which")
    if which == NEW:
        await slack.store.awrite(
            open_incident_with, metadata.ref, actor, facts, words,
            version=metadata.version, key=_key(submission),
        )  # fmt: skip
        return CLOSE_FORMS
    return await link({"relation": SAME_INCIDENT, "incident": int(which)})


@router.view("incident_join")
async def join(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    metadata = submission.metadata
    incident = await open_incident_for(slack, metadata.incident, "join", actor)
    entered, _ = read("incident_join", values_of(submission.view["state"]["values"]), ())
    ref = await typed_reference(entered["other_ref"], actor, slack, "incident_join")
    facts = {"relation": SAME_INCIDENT, "incident": incident.id}
    await slack.store.awrite(act, ref, Verb.LINK, actor, facts, {})
    return CLOSE_FORMS


@router.view("incident_edit", "incident_end")
async def change(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    metadata, verb = submission.metadata, submission.form.removeprefix("incident_")
    await open_incident_for(slack, metadata.incident, verb, actor)
    rules = await slack.store.aread(load_current_rulebooks)
    facts, words = read(submission.form, values_of(submission.view["state"]["values"]), rules.languages)
    facts = require_amounts(facts | statement_of(submission.view), words, rules.own.country)
    change_or_end = IncidentAct.END if verb == "end" else IncidentAct.CHANGE
    await slack.store.awrite(
        act_on_incident, metadata.incident, change_or_end, actor, facts, words,
        version=metadata.version, key=_key(submission),
    )  # fmt: skip
    return CLOSE_FORMS


@router.action("incident.update")
async def open_update(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The text to all in each language of a reader, first in the staff's own."""
    incident = await open_incident_for(slack, int(press.ref), "update", actor)
    audience = (await slack.store.aread(load_incident_audience, incident.id, actor)).require_some()
    texts, last = slack.texts, (await slack.store.aread(load_incident_history, incident.id))[-2:]
    # The last two are an update and that it was taken back: the form starts with its text.
    is_back = last[-1].act is IncidentAct.TAKE_BACK and last[0].act is IncidentAct.UPDATE
    is_back = is_back and last[-1].facts["batch"] == last[0].facts["batch"]
    languages = (texts.language, *(code for code in audience.languages if code != texts.language))
    blocks = [
        section(texts.count("incident.reaches", len(audience.to))),
        *left_out_by_name(audience.reasons, texts),
        *input_blocks(fields_of("incident_update", languages), texts, last[0].words if is_back else {}),
    ]
    return OpenView(incident_view(incident, "update", blocks, texts, submit="modal.preview"))


@router.view("incident_update")
async def preview_update(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Show the exact letters; nothing is recorded, and what was typed is kept for a day."""
    view, metadata, texts = submission.view, submission.metadata, slack.texts
    incident = await open_incident_for(slack, metadata.incident, "update", actor, metadata.version)
    audience = (await slack.store.aread(load_incident_audience, incident.id, actor)).require_some()
    inputs = [str(block["block_id"]) for block in view["blocks"] if block["type"] == "input"]
    languages = [block_id.partition(".")[2] for block_id in inputs]
    _, words = read("incident_update", values_of(view["state"]["values"]), languages)
    now = slack.store.now()
    batch = Batch(submission.form, actor.id, now, str(incident.id), incident.version, words=words)
    # Those who get it in another language, which must be confirmed.
    foreign = Counter(filter(None, (update_language(case, words) for case in audience.to)))
    warnings = [
        texts.count("incident.other_language", number, name=texts.language_name(language))
        for language, number in foreign.items()
    ]
    tick = input_blocks(fields_of("incident_update_preview", ()), texts) if foreign else []
    preview = await preview_view(
        slack, batch, audience, actor, _preview_blocks(slack, audience, words), stated=statement_of(view),
        callback_id="incident_update_preview", title="incident.verb.update", warnings=warnings, inputs=tick,
    )  # fmt: skip
    return push_view(preview)


def _preview_blocks(slack: SlackContext, audience: Audience, words: Mapping[str, str]) -> list[Block]:
    """How many get it, one letter of each language exactly as its first reader gets it, and who is left out."""
    texts, now = slack.texts, slack.store.now()
    blocks: list[Block] = [section(texts.count("incident.reaches", len(audience.to)))]
    readers = Counter(case.written_language for case in audience.to)
    first = {case.written_language: case for case in reversed(audience.to)}
    for language in sorted(first, key=lambda language: (language != texts.language, language)):
        case, name = first[language], texts.language_name(language)
        text = {"text": words.get(f"text.{case.language}", next(iter(words.values())))}
        blocks.append(section(texts.text("incident.sample", name=name, number=readers[language])))
        blocks += plain_sections(slack.preview("reply", case, {}, text, now=now))
    blocks += [divider(), *left_out_by_name(audience.reasons, texts)]
    leaves_at = letter_held_until(audience.to[0], now, is_reply=True)
    if leaves_at is not None:
        when = texts.clock(leaves_at, audience.to[0].rules.calendar.zone)
        blocks.append(context(texts.text("preview.leaves_at", when=when)))
    return blocks


@router.view("incident_update_preview")
async def send_update(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Send the previewed update to all; rights and version are checked again."""
    batch, view = await previewed_batch(submission, actor, slack), submission.view
    ticked, _ = read(submission.callback, values_of(view["state"]["values"]), ())
    if any(block["type"] == "input" for block in view["blocks"]) and not ticked["language_confirmed"]:
        raise BadFacts.worded("language_not_confirmed", field="language_confirmed")
    incident = await slack.store.awrite(
        schedule_incident_update, batch, actor, delay=TAKE_BACK_TIME, **ticked
    )
    return await closed_with_offer(slack, incident, str(incident.batch))


async def closed_with_offer(slack: SlackContext, incident: Incident, batch: str) -> Response:
    """Close the forms, and offer the sender to take this act on all back while no complaint has it."""
    texts, history = slack.texts, await slack.store.aread(load_incident_history, incident.id)
    receivers = next(int(event.facts["receivers"]) for event in history if event.facts.get("batch") == batch)
    text = texts.count("incident.take_back", receivers, seconds=TAKE_BACK_SECONDS)
    offer = take_back_offer(text, "incident.take_back", f"{incident.id}:{batch}", texts)
    return replace(CLOSE_FORMS, notice=offer)


@router.action("incident.take_back")
async def take_back_act_on_all(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    async with slack.refusals_recorded(None, "incident_take_back", actor):
        number, too_late = await slack.store.awrite(take_back_from_all, int(press.ref), press.detail, actor)
    return PrivateNotice(taken_back_text(number, too_late, slack.texts))


async def inform(slack: SlackContext, obligation: Obligation) -> Outcome:
    """`incident_update:<batch>`: record the update in this complaint; its letter follows."""
    store, ref = slack.store, str(obligation.ref)
    batch, number = str(obligation.facts["batch"]), int(obligation.facts["incident"])
    case = await store.aread(load_case, ref)
    text = await store.aread(load_update_text, number, batch, case.language)
    words = {"text": text}
    words["letter"] = slack.preview("reply", case, {"batch": batch}, words, now=store.now())
    actor = await slack.actor(str(obligation.facts["by"]))
    try:
        await store.awrite(record_incident_update, ref, batch, actor, words, completes=obligation.id)
    except ComplaintError as refusal:
        return Failed(f"{ref} did not get the incident's update: {refusal}")
    return Completed(settled=True)


async def open_incident_for(
    slack: SlackContext, number: int, verb: str, actor: Actor, version: int | None = None
) -> Incident:
    """The incident, if this person may do this to it, and if it has not ended or this is about its decision.

    `version` is the one that the form was drawn for. Raises NotAllowed, recorded as an attempt, AlreadyDone, and
    Stale if the incident changed since.
    """
    incident = await slack.store.aread(load_incident, number)
    async with slack.refusals_recorded(None, f"incident_{verb}", actor):
        if verb in _ACTS:
            required_role(incident, _ACTS[verb], actor)
        else:
            authorise(None, Verb.LINK, actor)
    if not incident.is_open and _ACTS.get(verb) not in DECIDING:
        raise AlreadyDone.worded("incident_ended")
    if version is not None and version != incident.version:
        raise Stale.worded("stale")
    return incident


def _key(submission: FormSubmission) -> str | None:
    view_id = submission.view.get("id")
    return f"slack:{view_id}" if view_id else None
