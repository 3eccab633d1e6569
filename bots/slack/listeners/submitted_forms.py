"""Submitted forms of a complaint: read, tried, previewed where a letter goes out, and recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bots.letters.suggestions import template_values
from bots.slack.act_letters import letters_of
from bots.slack.client.block_kit import mention
from bots.slack.context import SlackContext
from bots.slack.letter_check import check_letter, with_amounts
from bots.slack.listeners.form_checks import CHECKS, FilledForm, held
from bots.slack.payloads import PREVIEW_SUFFIX, FormSubmission
from bots.slack.responses import (
    CLOSE_FORMS,
    FormAnswer,
    PrivateNotice,
    Response,
    push_view,
    schedule_home,
    take_back_offer,
    update_view,
)
from bots.slack.router import Router
from bots.slack.views import refusals
from bots.slack.views.actions import verb_of
from bots.slack.views.form_inputs import statement_of
from bots.slack.views.form_modals import View, notice_view, opened_from_home, with_notice
from bots.slack.views.form_pages import next_page, typed_values
from bots.slack.views.open_form import issue_words, next_preview_page, open_button, preview_view
from bots.slack.views.refusals import codes_of, warning_lines
from bots.texts.texts import currency_of
from complaints.actions.authorisation import authorise, is_allowed
from complaints.actions.evidence import NEW, open_statements
from complaints.actions.perform import perform
from complaints.actions.registry import DECISION_VERBS, LETTER_VERBS, form_verb
from complaints.actors import Actor
from complaints.case import Case
from complaints.deadlines.quiet_hours import letter_held_until
from complaints.errors import AlreadyDone, Stale
from complaints.event_facts import HELD, OVERRULED, TAKE_BACK_SECONDS
from complaints.forms import CARD_ACTS, FORMS, PREVIEWED, attachments_of, read
from complaints.letter_texts import fill_template
from complaints.obligations.approvals import awaited_act, awaits_approver
from complaints.rulebook import categories_of
from complaints.vocabulary import Verb
from store.cases.act import act, complete_facts
from store.cases.read import load_case, load_history
from store.cases.staff_letters import act_with_attachments, count_template_use, load_template
from store.people.staff import count_reviewers, count_reviewers_by_approver
from store.record.access_log import find_last_read
from store.record.load import load_complaint_text
from store.slack_posts import drop_draft, read_draft, save_draft
from store.values import RecordedAct

router = Router()


@router.view(*((FORMS.keys() & CARD_ACTS.keys()) - PREVIEWED))
async def record_act(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the act of a form that writes no letter, or whose letter the form shows."""
    if not submission.metadata.is_last_page:
        return await _turn_page(submission, actor, slack)
    return await _record(await _read(submission, actor, slack), submission, slack)


async def _record(filled: FilledForm, submission: FormSubmission, slack: SlackContext) -> FormAnswer:
    recorded = await slack.store.awrite(
        act, filled.case.ref, filled.verb, filled.actor, filled.facts, filled.words,
        version=submission.metadata.version,
    )  # fmt: skip
    await _redraw_home(submission, slack)
    done = await _done(filled, slack)
    return replace(done, notice=_take_back_offer(recorded, slack))


@router.view(*PREVIEWED)
async def preview_act(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Show the exact letter of an act before it is recorded; record it where nothing is sent."""
    if not submission.metadata.is_last_page:
        return await _turn_page(submission, actor, slack)
    filled = await _with_template(await _read(submission, actor, slack), submission.metadata.template, slack)
    # Only a duplicate gets a letter, and only its act can be tried: a link also changes the other complaint.
    view = None if filled.verb is Verb.LINK else await _preview(filled, submission.metadata.version, slack)
    if view is None:
        return await _record(filled, submission, slack)
    return push_view(opened_from_home(view) if submission.metadata.from_home else view)


async def _with_template(filled_form: FilledForm, code: str, slack: SlackContext) -> FilledForm:
    """The facts also name the template that filled the field, and whether its text was changed."""
    if not code:
        return filled_form
    template = await slack.store.aread(load_template, code)
    text = fill_template(
        template.text, template_values(filled_form.form, filled_form.case, slack.texts.catalogue)
    )
    is_edited = filled_form.words.get(FORMS[filled_form.form].template_fills, "") != text.strip()
    facts = {**filled_form.facts, "template": code, "template_edited": is_edited}
    return replace(filled_form, facts=facts)


@router.view(*(form + PREVIEW_SUFFIX for form in PREVIEWED))
async def send_previewed(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the previewed act; rights and version are checked again."""
    metadata = submission.metadata
    draft = await slack.store.aread(read_draft, metadata.draft or "")
    if draft is None or draft.by != actor.id or draft.ref != metadata.ref:
        raise AlreadyDone.worded("already_done:preview", ref=metadata.ref)
    if not metadata.is_last_page:
        return update_view(next_preview_page(submission.view, draft.letter, slack.texts))
    case = await slack.store.aread(load_case, draft.ref)
    words = without_attachments(draft.words) | (
        {"letter": draft.letter} if FORMS[draft.form].keeps_letter else {}
    )
    verb = form_verb(draft.form, draft.facts, assessed=case.assessment is not None)
    recorded = await slack.store.awrite(
        act_with_attachments, draft.ref, verb, actor, held(draft.facts, case), words,
        attachments_of(draft.words),
        version=draft.work_version, key=f"slack:draft:{draft.id}",
    )  # fmt: skip
    if "template" in draft.facts:
        is_edited = bool(draft.facts["template_edited"])
        await slack.store.awrite(count_template_use, str(draft.facts["template"]), is_edited=is_edited)
    await slack.store.awrite(drop_draft, draft.id)
    await _redraw_home(submission, slack)
    return replace(CLOSE_FORMS, notice=_take_back_offer(recorded, slack))


def _take_back_offer(recorded: RecordedAct, slack: SlackContext) -> PrivateNotice | None:
    case, texts, seq = recorded.case, slack.texts, recorded.event.seq
    letters = (*case.unsent, *([case.unsent_act] if case.unsent_act is not None else []))
    if HELD not in recorded.event.facts or all(letter.event.seq != seq for letter in letters):
        return None
    # A letter may leave in quiet hours as an answer to the complainant's last message; a decision may not.
    until = letter_held_until(case, slack.store.now(), is_reply=recorded.event.verb in LETTER_VERBS)
    if until is None:
        text = texts.text("take_back.offer", ref=case.ref, seconds=TAKE_BACK_SECONDS)
    else:
        when = texts.clock(until, case.rules.calendar.zone)
        text = texts.text("take_back.offer_until", ref=case.ref, when=when)
    return take_back_offer(text, "case.take_back", f"{case.ref}:{seq}", texts)


async def _redraw_home(submission: FormSubmission, slack: SlackContext) -> None:
    if submission.metadata.from_home:
        view = submission.view
        await schedule_home(slack, f"{view['id']}:{view.get('hash')}", submission.member_id)


async def _done(filled: FilledForm, slack: SlackContext) -> FormAnswer:
    """Close the form; if the complainant wrote since this person last read, say so instead."""
    case, texts = filled.case, slack.texts
    unread_at = await _unread_since(filled, slack)
    if unread_at is None:
        return CLOSE_FORMS
    text = texts.text("modal.done_but_new", when=texts.clock(unread_at, case.rules.calendar.zone))
    view = notice_view(text, texts, ref=case.ref)
    return update_view(with_notice(view, text, accessory=open_button(case, texts)))


async def _unread_since(filled: FilledForm, slack: SlackContext) -> datetime | None:
    """When the complainant wrote last, if this person has read the complaint, but not since."""
    read_at: datetime | None = await slack.store.aread(find_last_read, filled.case.ref, filled.actor.id)
    wrote_at = filled.case.last_words_at
    return wrote_at if read_at is not None and wrote_at is not None and wrote_at > read_at else None


async def _read(submission: FormSubmission, actor: Actor, slack: SlackContext) -> FilledForm:
    form, view, metadata = submission.form, submission.view, submission.metadata
    case = await slack.store.aread(load_case, metadata.ref)
    await _require_role(form, case, actor, slack)
    defaults = {"currency": case.currency_requested or currency_of(case.rules.country) or ""}
    values = await typed_values(slack, view)
    facts, words = read(form, values, options=_options(case), defaults=defaults)
    facts = with_amounts(form, case, facts | statement_of(view), words)
    assessed = await _was_assessed(case, metadata.version, slack)
    filled = FilledForm(form, form_verb(form, facts, assessed=assessed), case, actor, facts, words, metadata)
    for check in FORMS[form].checks:
        filled = replace(filled, facts=await CHECKS[check](filled, slack))
    return filled


def _options(case: Case) -> dict[str, tuple[str, ...]]:
    return {
        "remedy": tuple(str(remedy.n) for remedy in case.remedies),
        "issue": tuple(str(issue.n) for issue in case.issues),
        "statement": tuple(str(statement.n) for statement in open_statements(case)),
        "basis": (*(str(item.n) for item in case.evidence_items), NEW),
        "category": categories_of(case.rules),
        "product": case.rules.products,
        "branch": case.rules.branches,
    }


async def _turn_page(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """The next page of a long form; the act is tried only with the last one."""
    metadata = submission.metadata
    case = await slack.store.aread(load_case, metadata.ref)
    await _require_role(submission.form, case, actor, slack)
    await _require_unchanged(case, metadata.version, slack)
    return update_view(await next_page(slack, submission.view, actor, options=_options(case)))


async def _require_unchanged(case: Case, drawn_version: int, slack: SlackContext) -> None:
    if case.work_version != drawn_version:
        events = await slack.store.aread(load_history, case.ref)
        verbs = refusals.verbs_since(events, drawn_version)
        raise Stale.worded("stale:form", ref=case.ref).after(verbs)


async def _require_role(form: str, case: Case, actor: Actor, slack: SlackContext) -> None:
    """Refuse a person without a role for this act before the form is checked.

    The other rights are checked with the act, because a repeat of what was done must be recognised first.
    """
    verb = verb_of(form, case)
    if not is_allowed(None, verb, actor):
        async with slack.refusals_recorded(case.ref, form, actor):
            authorise(case, verb, actor)


async def _was_assessed(case: Case, drawn_version: int, slack: SlackContext) -> bool:
    """Was it assessed when the form was drawn? A repeat of the first assessment is no reassessment."""
    if case.assessment is None or case.work_version == drawn_version:
        return case.assessment is not None
    events = await slack.store.aread(load_history, case.ref)
    return Verb.ASSESS.value not in refusals.verbs_since(events, drawn_version)


async def _preview(filled: FilledForm, drawn_version: int, slack: SlackContext) -> View | None:
    """Try the act without recording it, write its letter, and keep what was typed for a day; None without one."""
    case, actor, verb, now = filled.case, filled.actor, filled.verb, slack.store.now()
    words, is_decision = without_attachments(filled.words), verb in DECISION_VERBS
    await _require_unchanged(case, drawn_version, slack)
    async with slack.refusals_recorded(case.ref, verb.value, actor):
        facts = await slack.store.aread(complete_facts, case, verb, actor, filled.facts)
        tried = perform(case, verb, at=now, actor=actor, facts=facts, words=words)
    unread_at = await _unread_since(filled, slack)
    if unread_at is not None and is_decision:
        raise Stale.worded("new_message", ref=case.ref)
    awaited = awaited_act(tried.case) if not case.awaits_approval else None
    notes: Sequence[str] = ()
    if is_decision:
        letter, notes = await _decision_letter(filled, tried.case, awaited, words, slack)
    elif FORMS[filled.form].keeps_letter:
        letter = slack.preview(filled.form, case, filled.facts, words, now=now)
    elif not (letter := await letters_of(slack, case, tried)):
        return None
    approval = awaited is not None and awaits_approver(tried.case)
    warned = await check_letter(slack, filled.form, case, actor, filled.facts, words, approval=approval)
    overruled = {OVERRULED: list(codes_of(warned))} if warned else {}
    draft = await slack.store.awrite(
        save_draft, case.ref, actor.id, filled.form, {**filled.facts, **overruled},
        filled.words, letter, case.work_version,
    )  # fmt: skip
    return preview_view(
        filled.form,
        case,
        letter,
        draft,
        slack.texts,
        leaves_at=None if awaited else letter_held_until(case, now, is_reply=verb in LETTER_VERBS),
        waits_for=awaited,
        unread_at=unread_at,
        warnings=warning_lines(warned, slack.texts),
        attachments=[attachment.name for attachment in attachments_of(filled.words)],
        notes=notes,
    )


async def _decision_letter(
    filled: FilledForm, tried: Case, awaited: Verb | None, words: Mapping[str, str], slack: SlackContext
) -> tuple[str, Sequence[str]]:
    """The letter of a decision, and what the act of a second person can still change in it.

    Who approves takes no part in a review. So where one approver leaves no reviewer, the preview names them and
    the sentence that the letter has then.
    """
    store, texts, form = slack.store, slack.texts, filled.form
    issues = await issue_words(slack, filled.case) if "issues" in FORMS[form].groups else ()
    complaint_text = await store.aread(load_complaint_text, filled.case.ref)

    def letter(reviewers: int) -> str:
        return slack.preview(
            form, filled.case, filled.facts, words,
            now=store.now(), issue_texts=issues, reviewers=reviewers, complaint_text=complaint_text,
        )  # fmt: skip

    left = await store.aread(count_reviewers_by_approver, tried)
    if not left:
        return letter(await store.aread(count_reviewers, tried)), ()
    text, other = letter(max(left.values())), letter(0).splitlines()
    notes = []
    if changed_lines := [line for line in other if line not in text.splitlines()]:
        who = ", ".join(mention(name) for name, number in left.items() if not number)
        notes += [texts.text("preview.by_approver", who=who, text=" ".join(changed_lines))] if who else []
    rows = filled.facts.get("remedies", ())
    if awaited and any(not (row.get("promised_by_date") or row.get("needs_acceptance")) for row in rows):
        notes.append(texts.text("preview.from_approval"))
    return text, notes


def without_attachments(words: Mapping[str, str]) -> dict[str, str]:
    """The words of the letter: the names of its files are kept with the files."""
    return {name: text for name, text in words.items() if name != "attachments"}
