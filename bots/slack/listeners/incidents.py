"""Incidents: the buttons of their card open forms; these are recorded, and an update to all is previewed first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bots.slack.client.block_kit import actions, button, section
from bots.slack.context import SlackContext
from bots.slack.listeners.forms import TAKE_BACK_SECONDS, typed_reference
from bots.slack.listeners.letter_check import check_texts_to_all
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, OpenView, PrivateNotice, Response, push_view
from bots.slack.router import Router
from bots.slack.views.form_inputs import statement_of, values_of
from bots.slack.views.incident import (
    LEAVE,
    NEW,
    incident_edit_view,
    incident_end_view,
    incident_join_view,
    incident_preview_view,
    incident_update_view,
    languages_of,
    taken_back_text,
)
from bots.slack.views.letter_warnings import codes_of, warning_lines
from complaints.actions.authorisation import authorise
from complaints.actors import Actor
from complaints.batches.batch import Audience, Batch, update_language
from complaints.deadlines.quiet_hours import letter_held_until
from complaints.errors import AlreadyDone, BadFacts, Stale
from complaints.incidents import DECIDING, SAME_INCIDENT, Incident, IncidentAct, read, required_role
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.batches import load_batch, save_batch
from store.cases.incident_acts import (
    load_incident_audience,
    open_incident_with,
    schedule_incident_update,
    take_back_from_all,
)
from store.cases.read import load_case
from store.incidents import act_on_incident, list_open_incidents, load_incident, load_incident_history
from store.rulebooks import load_current_rulebooks
from triage.facts.stated_amounts import require_amounts

#: From a complaint's card; all other forms are about an incident that exists.
FROM_CASE = "incident"
#: Nothing of an act on all is recorded in a complaint for this time.
TAKE_BACK_TIME = timedelta(seconds=TAKE_BACK_SECONDS)
#: The right that each verb needs; `join` needs that of a link.
_ACTS = {
    "update": IncidentAct.UPDATE,
    "edit": IncidentAct.CHANGE,
    "end": IncidentAct.END,
    "decide": IncidentAct.DECIDE,
    "approve": IncidentAct.APPROVE,
}
router = Router()


@router.action("incident.edit")
async def open_edit(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "edit", actor)
    rules = await slack.store.aread(load_current_rulebooks)
    return OpenView(incident_edit_view(incident, rules.languages, slack.texts))


@router.action("incident.join")
async def open_join(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "join", actor)
    return OpenView(incident_join_view(incident, slack.texts))


@router.action("incident.end")
async def open_end(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "end", actor)
    return OpenView(incident_end_view(incident, slack.texts, now=slack.store.now()))


@router.action("incident.update")
async def open_update(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), "update", actor)
    audience = await _load_audience(slack, incident, actor)
    texts, last = slack.texts, (await slack.store.aread(load_incident_history, incident.id))[-2:]
    # The last two are an update and that it was taken back: the form starts with its text.
    is_back = last[-1].act is IncidentAct.TAKE_BACK and last[0].act is IncidentAct.UPDATE
    is_back = is_back and last[-1].facts["batch"] == last[0].facts["batch"]
    initial = last[0].words if is_back else {}
    return OpenView(incident_update_view(incident, audience, languages_of(audience, texts), texts, initial))


@router.view(FROM_CASE)
async def open_join_or_leave(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Open an incident with this complaint, add the complaint to one, or take it out."""
    metadata = submission.metadata
    case = await slack.store.aread(load_case, metadata.ref)
    rules = await slack.store.aread(load_current_rulebooks)
    incidents = await slack.store.aread(list_open_incidents)
    values = values_of(submission.view["state"]["values"])
    if values.get("which") == LEAVE:
        if case.incident is None:
            raise AlreadyDone(f"{metadata.ref} belongs to no incident: nothing to do.", code="already_so")
        left = {"relation": SAME_INCIDENT, "incident": case.incident, "left": True}
        await slack.store.awrite(act, metadata.ref, Verb.LINK, actor, left, {}, version=metadata.version)
        return CLOSE_FORMS
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
    joined = {"relation": SAME_INCIDENT, "incident": int(which)}
    await slack.store.awrite(act, metadata.ref, Verb.LINK, actor, joined, {}, version=metadata.version)
    return CLOSE_FORMS


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


@router.view("incident_update")
async def preview_update(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Show the exact letters; nothing is recorded, and what was typed is kept for a day."""
    view, texts = submission.view, slack.texts
    metadata = submission.metadata
    incident = await open_incident_for(slack, metadata.incident, "update", actor, metadata.version)
    audience = await _load_audience(slack, incident, actor)
    inputs = [str(block["block_id"]) for block in view["blocks"] if block["type"] == "input"]
    languages = [block_id.partition(".")[2] for block_id in inputs]
    _, words = read("incident_update", values_of(view["state"]["values"]), languages)
    samples = _samples(audience, words, slack)
    foreign = [language for case in audience.to if (language := update_language(case, words))]
    first = audience.to[0]
    warned = await check_texts_to_all(slack, statement_of(view), words, first, actor)
    draft = await slack.store.awrite(
        save_batch,
        Batch(
            submission.form, actor.id, slack.store.now(), str(incident.id), incident.version,
            words=words, overruled=codes_of(warned),
        ),
    )  # fmt: skip
    leaves_at = letter_held_until(first, slack.store.now(), is_reply=True)
    when = None if leaves_at is None else texts.clock(leaves_at, first.rules.calendar.zone)
    warnings = warning_lines(warned, texts)
    return push_view(
        incident_preview_view(
            incident, audience, samples, draft, texts, foreign=foreign, leaves_at=when, warnings=warnings
        )
    )


@router.view("incident_update_preview")
async def send_update(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Send the previewed update to all; rights and version are checked again."""
    batch = await previewed_batch(submission, actor, slack)
    view = submission.view
    ticked, _ = read(submission.callback, values_of(view["state"]["values"]), ())
    if any(block["type"] == "input" for block in view["blocks"]) and not ticked["language_confirmed"]:
        raise BadFacts.worded("language_not_confirmed", field="language_confirmed")
    incident = await slack.store.awrite(
        schedule_incident_update, int(batch.about), actor, batch.words,
        version=batch.version, key=f"draft:{batch.id}", overruled=batch.overruled, delay=TAKE_BACK_TIME, **ticked,
    )  # fmt: skip
    return await closed_with_offer(slack, incident, str(incident.batch))


async def closed_with_offer(slack: SlackContext, incident: Incident, batch: str) -> Response:
    """Close the forms, and offer the sender to take this act on all back while no complaint has it."""
    texts, history = slack.texts, await slack.store.aread(load_incident_history, incident.id)
    receivers = next(int(event.facts["receivers"]) for event in history if event.facts.get("batch") == batch)
    text = texts.count("incident.take_back", receivers, seconds=TAKE_BACK_SECONDS)
    press = button(texts.text("verb.take_back"), "incident.take_back", f"{incident.id}:{batch}")
    return replace(CLOSE_FORMS, notice=PrivateNotice(text, [section(text), actions("take_back", [press])]))


@router.action("incident.take_back")
async def take_back_act_on_all(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    async with slack.refusals_recorded(None, "incident_take_back", actor):
        number, too_late = await slack.store.awrite(take_back_from_all, int(press.ref), press.detail, actor)
    return PrivateNotice(taken_back_text(number, too_late, slack.texts))


async def previewed_batch(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Batch:
    """What this person typed before the preview that is submitted. Raises AlreadyDone if it has expired."""
    batch = await slack.store.aread(load_batch, submission.metadata.draft or "", submission.form)
    if batch is None or batch.by != actor.id:
        raise AlreadyDone("This preview was sent or has expired.", code="already_done")
    return batch


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
        raise AlreadyDone("This incident was ended before: nothing to do.", code="incident_ended")
    if version is not None and version != incident.version:
        raise Stale("This incident moved on: look again.")
    return incident


async def _load_audience(slack: SlackContext, incident: Incident, actor: Actor) -> Audience:
    """The complaints that an update reaches, and those left out. Raises BadFacts where it reaches none."""
    audience = await slack.store.aread(load_incident_audience, incident.id, actor)
    if not audience.to:
        raise BadFacts("Nobody can be told with all: write to each.", code="nobody_to_tell")
    return audience


def _key(submission: FormSubmission) -> str | None:
    view_id = submission.view.get("id")
    return f"slack:{view_id}" if view_id else None


def _samples(audience: Audience, words: Mapping[str, str], slack: SlackContext) -> dict[str, str]:
    """One letter of each language, exactly as its first reader gets it."""
    now, fallback = slack.store.now(), next(iter(words.values()))
    first = {case.written_language: case for case in reversed(audience.to)}
    samples = {}
    for language in sorted(first, key=lambda language: (language != slack.texts.language, language)):
        case = first[language]
        text = {"text": words.get(f"text.{case.language}", fallback)}
        samples[language] = slack.preview("reply", case, {}, text, now=now)
    return samples
