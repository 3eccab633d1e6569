"""The view that a press opens, and the exact letter that is shown before an act is sent."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bots.slack.act_letters import letters_if_approved
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    context,
    escaped,
    pages,
    plain,
    plain_sections,
    section,
)
from bots.slack.client.refused_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.payloads import PREVIEW_SUFFIX
from bots.slack.recipients import suggested_owner
from bots.slack.staff_texts import StaffTexts
from bots.slack.views import refusals
from bots.slack.views.actions import first_actions, fits, verb_of
from bots.slack.views.form_modals import (
    FormPrefill,
    View,
    form_view,
    metadata,
    modal,
    notice_view,
    resendable,
    with_notice,
)
from bots.slack.views.incident_inputs import incident_case_view
from bots.slack.views.opened_case import case_view, dates_view, model_view
from bots.slack.views.prefill import FormStart, prefill, typed_values_of
from bots.slack.views.template_views import template_menu
from bots.slack.views.timeline import shown_messages
from complaints.actions.assessment import issue_texts
from complaints.actions.authorisation import (
    READING_REASONS,
    Access,
    authorise,
    out_of_order,
    require_possible,
)
from complaints.actions.registry import ACTIONS, form_of, verbs_that
from complaints.actors import Actor
from complaints.case import Case, Event, last_of
from complaints.errors import ComplaintError, NotAllowed, ReasonNeeded
from complaints.forms import FORMS, Form
from complaints.history import taken_back_seqs
from complaints.vocabulary import Flag, Verb
from store.cases.read import load_case, load_history, open_case, read_dates
from store.cases.staff_letters import list_templates
from store.database.errors import SealBroken
from store.incidents import list_open_incidents
from store.people.staff import count_reviewers, list_members
from store.record.access_log import find_last_read, write_read
from store.record.load import load_complaint_text, load_event_words, load_readable_words
from store.record.worklists import count_open_by_owner
from store.rulebooks import load_current_rulebooks
from store.similarity.similar import find_usual_cause
from store.values import OpenedCase

#: The head of a preview and its button, by the act of the second person that comes first.
_SECOND_PERSON: Mapping[Verb | None, tuple[str, str]] = {
    Verb.APPROVE: ("preview.approval", "preview.ask_approval"),
    Verb.CHECK_DECISION: ("preview.check", "preview.ask_check"),
}
#: Blocks of a letter on one page of its preview; the rest is for when it leaves and for warnings.
_LETTER_BLOCKS = MODAL_BLOCKS - 10


def require_form(form: str, case: Case, actor: Actor) -> None:
    """Refuse a form that this person may not use, or that does not fit, before anything is typed.

    Raises NotAllowed and OutOfOrder.
    """
    verb, table = verb_of(form, case), FORMS.get(form, Form(form))
    if table.is_for_many_acts:
        authorise(case, verb, actor)
    else:
        require_possible(case, verb, actor)
    ACTIONS[verb].requires_actor(case, actor)
    if table.access:
        authorise(None, Access(table.access), actor)
    if not fits(form, case):
        raise out_of_order(case, form)


def next_act(case: Case, actor: Actor) -> str:
    """The first act that this person may do of those that meet the next due time and of the card; or `open`."""
    for name in first_actions(case):
        if name != "open" and is_open_to(name, case, actor):
            return name
    return "open"


def is_open_to(form: str, case: Case, actor: Actor) -> bool:
    """May this person use the form now?"""
    try:
        require_form(form, case, actor)
    except ComplaintError:
        return False
    return True


async def view_for(
    slack: SlackContext,
    form: str,
    ref: str,
    actor: Actor,
    *,
    work_version: int | None = None,
    suggested_link: tuple[str, str] | None = None,
    reason: str | None = None,
) -> View:
    """The view that a press opens; showing words is recorded as a read.

    `work_version` is that of the button: if the complaint changed since, the view says what was done.
    `suggested_link` is the relation and the other reference that the button offered. `reason` is why this person
    reads the complaint, if the view asked for it. Raises ComplaintError.
    """
    if form == "due":
        return await explained_view(slack, ref, actor)
    case = await slack.store.aread(load_case, ref)
    try:
        if form == "open":
            view = await opened_view(slack, ref, actor, reason=reason)
        elif form == "model":
            opened = await slack.store.awrite(
                open_case, ref, actor, form, reason, is_whole=lambda opened: False
            )
            return model_view(opened, slack.texts, now=slack.store.now())
        else:
            async with slack.refusals_recorded(ref, form, actor):
                require_form(form, case, actor)
            if form in FORMS:
                start = await prefilled(slack, form, case, actor, suggested_link, reason)
                view = form_view(form, case, slack.texts, start)
            else:
                view = await _incident_view(slack, case)
    except ReasonNeeded:
        return reason_view(form, case, slack.texts)
    if work_version is not None and work_version < case.work_version:
        verbs = refusals.verbs_since(await slack.store.aread(load_history, ref), work_version)
        view = with_notice(
            view, slack.texts.text("modal.changed", since=refusals.verb_names(verbs, slack.texts))
        )
    return view


def reason_view(form: str, case: Case, texts: StaffTexts) -> View:
    """Asks why a person reads a complaint that is not theirs; a press on a reason opens it, or the form."""
    value = case.ref if form == "open" else f"{case.ref}:{form}"
    reasons = [
        button(texts.text(f"reading.{reason}"), f"reason.{reason}", value) for reason in READING_REASONS
    ]
    view = notice_view(texts.text("reading.ask", ref=case.ref), texts, title="reading.title", ref=case.ref)
    return {**view, "blocks": [*view["blocks"], actions("reasons", reasons)]}


async def opened_view(
    slack: SlackContext, ref: str, actor: Actor, *, page: int = 0, reason: str | None = None
) -> View:
    """The opened complaint; this is recorded as a read. Raises ReasonNeeded."""
    opened = await slack.store.awrite(open_case, ref, actor, "open", reason)
    return case_view(
        opened,
        slack.texts,
        now=slack.store.now(),
        page=page,
        may=lambda name: _may_use(name, opened.case, actor),
    )


def _may_use(name: str, case: Case, actor: Actor) -> bool:
    """May this person do this at all? What does not fit now is still offered, with its reason."""
    if name in ("open", "due", "improvement"):
        return True
    try:
        require_form(name, case, actor)
    except NotAllowed:
        return False
    except ComplaintError:
        pass
    return True


async def explained_view(slack: SlackContext, ref: str, actor: Actor, *, page: int = 0) -> View:
    """The dates explained, for people who may open the complaint; without words, so it is no read."""
    case, events = await slack.store.awrite(read_dates, ref, actor)
    return dates_view(case, events, slack.texts, now=slack.store.now(), page=page)


async def _incident_view(slack: SlackContext, case: Case) -> View:
    incidents = await slack.store.aread(list_open_incidents)
    rules = await slack.store.aread(load_current_rulebooks)
    return incident_case_view(case, incidents, rules.languages, slack.texts)


async def prefilled(
    slack: SlackContext,
    form: str,
    case: Case,
    actor: Actor,
    suggested_link: tuple[str, str] | None = None,
    reason: str | None = None,
    *,
    is_redrawn: bool = False,
) -> FormPrefill:
    """What the form starts with; what it shows of the complainant's words is recorded as a read."""
    now = slack.store.now()
    # A form can be drawn again long after it was opened, and the person may have lost the right since.
    async with slack.refusals_recorded(case.ref, form, actor):
        authorise(case, verb_of(form, case), actor)
    opened, messages, shows = None, list[Block](), FORMS[form].shows
    if shows:
        read_at = await slack.store.aread(find_last_read, case.ref, actor.id)

        def is_whole(opened: OpenedCase) -> bool:
            if shows == "words":
                return not is_redrawn
            messages[:], whole = shown_messages(form, opened, slack.texts, read_at)
            # Another page of a form shows no message: what arrived since is still unread.
            return whole and not is_redrawn

        opened = await slack.store.awrite(open_case, case.ref, actor, form, reason, is_whole=is_whole)
    needed = _verbs_shown_in(form)
    if opened is None and needed:
        await slack.store.awrite(write_read, case, actor, form, whole=False)
    events = await _history(slack, case.ref, needed)
    start = FormStart(
        case,
        events,
        slack.texts,
        now,
        opened=opened,
        recorded=slack.suggest(form, case),
        messages=messages,
        suggested_link=suggested_link,
        actor=actor,
    )
    sources = [source for source in FORMS[form].starts if source in _LOADED]
    loaded: dict[str, Any] = {source: await _LOADED[source](slack, start, actor) for source in sources}
    filled = prefill(form, replace(start, **loaded))
    if (taken_back := _taken_back(events, verb_of(form, case))) is not None and not is_redrawn:
        words = await slack.store.aread(load_readable_words, case.ref, taken_back.seq)
        filled = filled.with_typed(typed_values_of(form, replace(taken_back, words=words)), {})
    if not FORMS[form].template_fills:
        return filled
    menu = template_menu(form, case, await slack.store.aread(list_templates), slack.texts)
    return replace(filled, preface=[*filled.preface, *menu])


async def _suggested_owner(slack: SlackContext, start: FormStart, actor: Actor) -> tuple[str, int] | None:
    if not start.case.is_unowned:
        return None
    members, loads = await slack.store.aread(list_members), await slack.store.aread(count_open_by_owner)
    return suggested_owner(start.case, members, loads, start.now)


async def _usual_cause(slack: SlackContext, start: FormStart, actor: Actor) -> tuple[str | None, str | None]:
    cause: tuple[str | None, str | None] = await slack.store.aread(find_usual_cause, start.case, actor)
    return cause


async def _waiting_letter(slack: SlackContext, start: FormStart, actor: Actor) -> str:
    """The letter as it leaves if this person agrees, or the reason that waits; without a preview, written again."""
    case, verb = start.case, Verb.EXTEND
    if case.drafted is not None:
        verb = Verb.RESOLVE if case.drafted.short else Verb.RESPOND
    if case.reclassification is not None:
        verb = Verb.RECLASSIFY
    elif case.drafted is None and case.extension is None:
        verb = Verb.LIMIT_CONTACT
    event = last_of(start.events, verb)
    if event is None:
        return ""
    try:
        words: Mapping[str, str] = await slack.store.aread(load_event_words, case.ref, event.seq)
    except SealBroken:
        return slack.texts.text("modal.letter_damaged")
    if case.drafted is None:
        try:
            return await letters_if_approved(slack, case, actor)
        except ComplaintError:
            # They may only say no, and read why it was asked for.
            return words.get("reason", "")
    return slack.preview(
        form_of(verb),
        case,
        event.facts,
        words,
        now=start.now,
        reviewers=await slack.store.aread(count_reviewers, case, actor.id),
        complaint_text=await slack.store.aread(load_complaint_text, case.ref),
        written_at=event.at,
    )


#: What the database has for some sources of forms: the attribute of `FormStart` with the name of the source.
_LOADED: Mapping[str, Callable[[SlackContext, FormStart, Actor], Awaitable[object]]] = {
    "suggested_owner": _suggested_owner,
    "usual_cause": _usual_cause,
    "waiting_letter": _waiting_letter,
}


def _taken_back(events: Sequence[Event], verb: Verb) -> Event | None:
    """The letter of this verb that its sender took back, until another one is written: the form starts with it."""
    last = last_of(events, verb)
    return last if last is not None and last.seq in taken_back_seqs(events) else None


def _verbs_shown_in(form: str) -> frozenset[Verb]:
    """The acts whose words this form shows."""
    return verbs_that(lambda row: form in row.shown_in)


async def _history(slack: SlackContext, ref: str, with_words: frozenset[Verb]) -> list[Event]:
    """All events, with the words of these verbs only."""
    events = list(await slack.store.aread(load_history, ref))
    for index, event in enumerate(events):
        if event.verb in with_words:
            events[index] = replace(event, words=await slack.store.aread(load_readable_words, ref, event.seq))
    return events


async def issue_words(slack: SlackContext, case: Case) -> tuple[str, ...]:
    """The issues in the words of the last assessment that gave them: for the letter, and to compare."""
    return issue_texts(case, await _history(slack, case.ref, _verbs_shown_in("decide")))


def preview_view(
    form: str,
    case: Case,
    letter: str,
    draft: str,
    texts: StaffTexts,
    *,
    leaves_at: datetime | None = None,
    waits_for: Verb | None = None,
    unread_at: datetime | None = None,
    warnings: str = "",
    attachments: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> View:
    """The letter; submitting sends it, Back returns to the form with what was typed.

    `leaves_at` is the end of the quiet hours that hold the letter back. `waits_for`: what a second person does first.
    `unread_at` is when the complainant wrote something that this person has not read yet. `warnings` are about the
    words of the letter, a line each. `attachments` are the names of the files that go with it. `notes`: what the act
    of the second person can change.
    """
    head_id, asks_id = _SECOND_PERSON.get(waits_for, ("preview.head", None))
    head = texts.text(head_id)
    letter_pages = pages(plain_sections(letter), _LETTER_BLOCKS)
    blocks = [section(head), *letter_pages[0]]
    blocks[:0] = alerts(warnings)
    if unread_at is not None:
        when = texts.clock(unread_at, case.rules.calendar.zone)
        blocks[:0] = alerts(texts.text("preview.unread", when=when))
    blocks += [context(note) for note in notes]
    if attachments:
        blocks.append(context(texts.text("preview.attachments", names=escaped(", ".join(attachments), 1500))))
    if leaves_at is not None:
        when = texts.clock(leaves_at, case.rules.calendar.zone)
        blocks.append(context(texts.text("preview.leaves_at", when=when)))
    if Flag.FOR_ANOTHER in case.flags:
        blocks[:0] = alerts(texts.text("preview.for_another"))
    if Flag.NO_CONTACT in case.flags:
        blocks[:0] = alerts(texts.text("preview.no_contact"))
    if case.is_offline:
        blocks.append(context(texts.text("preview.no_channel")))
    submit = asks_id or ("preview.send_anyway" if warnings else "preview.send")
    if len(letter_pages) > 1:
        more = {"page": 0, "pages": len(letter_pages), "submit": submit}
        blocks.insert(0, context(texts.text("modal.page", page=1, pages=len(letter_pages))))
        submit = "modal.next_page"
    else:
        more = {}
    return modal(
        texts, form + PREVIEW_SUFFIX, metadata(case.ref, case.work_version, draft=draft, **more), blocks,
        title=f"verb.{form}", submit=submit, close="preview.back",
    )  # fmt: skip


def next_preview_page(view: Mapping[str, Any], letter: str, texts: StaffTexts) -> View:
    """The next page of a long letter; only the last one sends it."""
    stored = json.loads(view["private_metadata"])
    page, count = stored["page"] + 1, stored["pages"]
    number = context(texts.text("modal.page", page=page + 1, pages=count))
    is_last = page == count - 1
    return {
        **resendable(view),
        "private_metadata": json.dumps(stored | {"page": page}, separators=(",", ":")),
        "submit": plain(texts.text(stored["submit"] if is_last else "modal.next_page"), 24),
        "blocks": [number, *pages(plain_sections(letter), _LETTER_BLOCKS)[page]],
    }


def open_button(case: Case, texts: StaffTexts) -> dict[str, object]:
    """A button that opens the complaint, for notices and direct messages."""
    return button(texts.text("verb.open"), "case.open", case.ref)
