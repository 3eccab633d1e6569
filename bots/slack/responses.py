"""What a listener answers, and how the answer reaches the person: as a message, in a modal or in the app's home.

A payload is acknowledged once everything is committed: Slack takes an acknowledgement for success and sends what was
not acknowledged again. Views are changed after the acknowledgement, for that must come within 3 seconds.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client.block_kit import Block, actions, button, plain, section
from bots.slack.client.client import NETWORK, SlackClient, error_of, is_trigger_expired, log_unexpected
from bots.slack.client.response_url import answer_privately, sees_channel
from bots.slack.context import SlackContext
from bots.slack.jobs.case_posts import draw_pressed_card
from bots.slack.payloads import (
    UNREADABLE,
    ButtonPress,
    DirectMessage,
    FormSubmission,
    HomeOpened,
    Request,
    SlashCommand,
    pressed_card,
    pressed_message,
    with_pressed_message,
)
from bots.slack.recipients import possible_approvers
from bots.slack.staff_texts import StaffTexts
from bots.slack.views import refusals
from bots.slack.views.form_modals import View, has_pages, notice_view, with_notice, with_statement
from bots.slack.views.form_pages import input_paths, other_page, typed_values
from bots.slack.views.open_form import open_button, opened_view
from bots.slack.views.opened_case import with_next_drawing
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import AlreadyDone, ComplaintError, NotAllowed, Stale
from complaints.forms import FORMS, PREVIEWED, WrongFields, path_in_form
from complaints.obligations.kinds import SendPriority
from store.cases.read import load_case
from store.database.errors import DamagedCase, DatabaseUnavailable, SealBroken
from store.outbox.rows import insert_redraw
from store.people.staff import list_members


@dataclass(frozen=True)
class Acknowledged:
    """Nothing more to show."""


@dataclass(frozen=True)
class Redraw:
    """Done: the home or the opened complaint where the button was pressed shows it; a card has its own obligation."""


@dataclass(frozen=True)
class OpenView:
    """A view opens, on top of the modal where one is open."""

    view: View


@dataclass(frozen=True)
class ReplaceView:
    """The open view becomes this one; where another press changed it in between, the other stays."""

    view: View


@dataclass(frozen=True)
class RedrawView:
    """The open view is drawn again; once more from the record where it was changed in between."""

    draw: Callable[[], Awaitable[View]]


@dataclass(frozen=True)
class PublishHome:
    """This person's home becomes this view."""

    member_id: str
    view: View


@dataclass(frozen=True)
class PrivateNotice:
    """A text that only the person who pressed sees."""

    text: str
    blocks: Sequence[Block] = ()


def take_back_offer(text: str, action_id: str, value: str, texts: StaffTexts) -> PrivateNotice:
    """What the sender of a letter, or of letters to many, sees while it waits."""
    press = button(texts.text("verb.take_back"), action_id, value)
    return PrivateNotice(text, [section(text), actions("take_back", [press])])


@dataclass(frozen=True)
class CommandReply:
    """The answer to a command, which only this person sees."""

    text: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class FormAnswer:
    """What a submitted view is acknowledged with."""

    payload: Mapping[str, Any]
    #: Shown only to this person, beneath the card from which the form was opened, or as a direct message.
    notice: PrivateNotice | None = None


Response = (
    Acknowledged
    | Redraw
    | OpenView
    | ReplaceView
    | RedrawView
    | PublishHome
    | PrivateNotice
    | CommandReply
    | FormAnswer
)

CLOSE_FORMS = FormAnswer({"response_action": "clear"})


def push_view(view: View) -> FormAnswer:
    """The submitted view stays, and this one opens on top of it."""
    return FormAnswer({"response_action": "push", "view": view})


def update_view(view: View) -> FormAnswer:
    """The submitted view becomes this one."""
    return FormAnswer({"response_action": "update", "view": view})


def field_errors(errors: Mapping[str, str]) -> FormAnswer:
    """The submitted view stays, with these texts at its fields (by block_id)."""
    return FormAnswer({"response_action": "errors", "errors": dict(errors)})


async def schedule_home(slack: SlackContext, key: str, member_id: str) -> None:
    """Draw this person's home again, because an act was done from there."""
    await slack.schedule(f"home:{key}", "home", {"member": member_id})


async def schedule_late_answer(
    slack: SlackContext, press: ButtonPress, text: str, *, blocks: Sequence[Block] = ()
) -> None:
    """A direct message instead of an answer that could not be shown where the press was."""
    payload = {"member": press.member_id, "text": text, "blocks": list(blocks) or None}
    await slack.schedule(f"late:{press.key}", "message", payload=payload)


@dataclass(frozen=True)
class Responder:
    slack: SlackContext
    client: AsyncWebClient
    ack: AsyncAck
    request: Request

    async def deliver(self, response: Response, actor: Actor | None) -> None:
        """Acknowledge what a listener did, and show it. Raises SlackApiError or a network error."""
        request = self.request
        match response:
            case FormAnswer(payload):
                await self._acknowledge_form(self._with_pressed_message(payload))
            case CommandReply(text, blocks):
                await self.ack(text=text, blocks=blocks or None)
            case PrivateNotice(text, blocks) if isinstance(request, ButtonPress):
                await self._notify(request, text, blocks, level="info")
            case OpenView(view) if isinstance(request, SlashCommand):
                await self.client.views_open(trigger_id=request.trigger, view=view)
                await self.ack()
            case _:
                await self.ack()
                await self._show(response, actor)
        if isinstance(request, ButtonPress):
            await self._reset_menu_of_modal(request)
        if isinstance(request, ButtonPress) and request.resets_menu_of_card:
            await self._reset_menu_of_card(request)
        elif isinstance(response, Redraw | FormAnswer):
            await self._draw_pressed_card()
        if isinstance(response, FormAnswer) and response.notice and isinstance(request, FormSubmission):
            await self._tell_sender(request, response.notice)

    async def _acknowledge_form(self, payload: Mapping[str, Any]) -> None:
        """Acknowledge a submission; Slack would answer a refused block with "trouble" and no error to us.

        So a newer block of which nothing is known yet follows in an update of the view.
        """
        is_third = isinstance(self.request, FormSubmission) and self.request.is_third
        if is_third and payload.get("response_action") == "push":
            # A fourth view would be answered with "trouble" too.
            payload = {**payload, "response_action": "update"}
        client, view = self.client, payload.get("view")
        if view is None or not isinstance(client, SlackClient):
            await self.ack(**payload)
            return
        blocks, leaves_out = await client.certain("modal", view["blocks"])
        acknowledged = {**view, "blocks": blocks}
        if leaves_out:
            acknowledged["external_id"] = secrets.token_hex(16)
        await self.ack(**{**payload, "view": acknowledged})
        if leaves_out:
            await self._show_newest({**acknowledged, "blocks": view["blocks"]})

    async def _show_newest(self, view: View) -> None:
        """Update the acknowledged view, once Slack has shown it; if that fails, the next submission tries again."""
        for seconds in (0.1, 0.5, 2.0):
            await asyncio.sleep(seconds)
            try:
                await self.client.views_update(external_id=view["external_id"], view=view)
                return
            except (SlackApiError, *NETWORK) as failure:
                if not isinstance(failure, SlackApiError) or error_of(failure) != "not_found":
                    log_unexpected("newer blocks of a view", failure)
                    return

    def _with_pressed_message(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The next view of a form keeps where the card can be replaced."""
        if "view" not in payload:
            return payload
        return {**payload, "view": with_pressed_message(payload["view"], pressed_message(self.request))}

    async def _draw_pressed_card(self, *, always: bool = False) -> bool:
        """Draw the card of a press or of the form that it opened at once; False if its obligation must draw it."""
        pressed = pressed_card(self.request)
        return pressed is not None and await draw_pressed_card(
            self.slack, self.client, *pressed, always=always
        )

    async def _show(self, response: Response, actor: Actor | None) -> None:
        press = self.request
        match response:
            case PublishHome(member_id, view):
                await self.client.views_publish(user_id=member_id, view=view)
            case OpenView(view) if isinstance(press, ButtonPress):
                await self._open(press, view)
            case Redraw() if isinstance(press, ButtonPress) and actor is not None:
                await self._redraw(press, actor)
            case RedrawView(draw) if isinstance(press, ButtonPress) and press.view is not None:
                await self._redraw_view(press.view, draw)
            case ReplaceView(view) if isinstance(press, ButtonPress) and press.view is not None:
                await self._replace_view(press.view, view)

    async def answer_or_log(self, error: Exception) -> None:
        """Answer a failure; if even that fails, Slack itself shows that nothing was acknowledged."""
        try:
            await self.answer_failure(error)
        except Exception as failure:  # noqa: BLE001 - nothing is left to try
            log_unexpected("answer to a failure", failure)
            if isinstance(self.request, FormSubmission) and isinstance(failure, UNREADABLE):
                # Not even the submitted view can be read. Without a 200 it stays open with what was typed.
                self.ack.response = BoltResponse(status=400)

    async def answer_failure(self, error: Exception) -> None:
        """Explain what went wrong: a refusal with its reason and the remedy, or that the failure is ours."""
        request = self.request
        match request:
            case SlashCommand():
                await self.ack(await self._failure_text(error, "command"))
            case FormSubmission():
                answer = await self._form_failure(request, error)
                await self._acknowledge_form(answer.payload)
            case HomeOpened() | DirectMessage():
                log_unexpected("event", error)
            case ButtonPress():
                await self._press_failure(request, error)

    async def _failure_text(self, error: Exception, what: str, case: Case | None = None) -> str:
        texts = self.slack.texts
        if isinstance(error, NotAllowed) and error.code == "not_allowed.limit" and case is not None:
            members = await self.slack.store.aread(list_members)
            approvers = possible_approvers(case, members, self.slack.store.now())
            who = ", ".join(member.name for member in members if member.id in approvers)
            return texts.text("refused.limit.ask" if who else "refused.limit.nobody", who=who)
        if isinstance(error, ComplaintError):
            return refusals.refusal_text(error, texts, case)
        log_unexpected(what, error)
        if isinstance(error, DamagedCase | SealBroken):
            return texts.text("refused.damaged_record")
        is_late_command = isinstance(self.request, SlashCommand) and is_trigger_expired(error)
        return texts.text("late.command" if is_late_command else "refused.unexpected")

    async def _press_failure(self, press: ButtonPress, error: Exception) -> None:
        try:
            await self._reset_menu_of_card(press)
        except Exception as failure:  # noqa: BLE001 - the menu matters less than the answer
            log_unexpected("menu of a card", failure)
        what = f"press {press.action} on {press.ref}"
        if is_trigger_expired(error) and not press.in_modal:
            log_unexpected(what, error)
            await self._offer_again(press)
        elif is_trigger_expired(error):
            log_unexpected(what, error)
            # The button is still there, and its next press has a new trigger.
            await self._notify(press, self.slack.texts.text("late.press_again"))
        elif isinstance(error, NotAllowed) and error.code == "not_allowed.owner" and press.in_message:
            await self._say_who_may(press)
        else:
            case = await self._case(press.case_ref, error)
            await self._notify(press, await self._failure_text(error, what, case))
        if self.ack.response is None:
            await self.ack()
        if not press.resets_menu_of_card:
            # The card may offer what another person has done since.
            await self._draw_pressed_card()

    async def _say_who_may(self, press: ButtonPress) -> None:
        """Only the owner does this: the owner's name, and what this person may do instead."""
        slack, texts = self.slack, self.slack.texts
        case = await slack.store.aread(load_case, press.ref)
        actor = await slack.actor(press.member_id)
        text = refusals.owner_refusal(case, press.name, texts)
        row = refusals.owner_buttons(case, press.name, actor, texts, slack.store.now())
        await self.ack()
        await self._answer_privately(press, text, blocks=[section(text), *row])

    async def _form_failure(self, form: FormSubmission, error: Exception) -> FormAnswer:
        """The reason at its field, otherwise at the first one; what was typed is kept."""
        view, texts, ref = form.view, self.slack.texts, form.metadata.ref
        case = await self._case(ref if form.form in FORMS else None, error)
        # Another person answered: nothing is left to submit.
        answered = None if case is None else refusals.no_longer_awaited(form.form, case)
        if isinstance(error, Stale):
            error = answered or error
        text = await self._failure_text(error, f"submission of {form.callback} on {ref}", case)
        is_answered = answered is not None or getattr(error, "code", "") == "nothing_to_approve"
        if isinstance(error, AlreadyDone) or is_answered:
            return update_view(notice_view(text, texts, ref=ref, level="warning"))
        if isinstance(error, Stale) and case is not None and not form.is_preview:
            # Not at a field, because the view must count as drawn for the new version.
            accessory = open_button(case, texts) if error.code in ("new_message", "not_read") else None
            return update_view(with_notice(view, text, version=case.work_version, accessory=accessory))
        if getattr(error, "code", "") == "unstated_sums":
            return update_view(with_statement(view, text, texts))
        if isinstance(error, ComplaintError):
            if form.form in FORMS and not form.is_preview and error.code != "form_expired":
                hidden = await self._on_hidden_page(form, error)
                if hidden is not None:
                    return update_view(with_notice(hidden, text, level="error"))
            errors = refusals.errors_by_field(error, text, view.get("blocks") or (), texts)
            if errors:
                return field_errors(errors)
            # A preview has no fields: the reason replaces it, and the filled form is still beneath.
            go_back = texts.text("preview.go_back")
            notice = notice_view(f"{text}\n{go_back}", texts, ref=ref, level="error")
            return update_view({**notice, "close": plain(texts.text("preview.back"), 24)})
        return update_view(with_notice(view, text, level="error"))

    async def _on_hidden_page(self, form: FormSubmission, error: ComplaintError) -> View | None:
        """The page that has the wrong field, if it is not the one that was submitted."""
        if error.field is not None:
            values = await typed_values(self.slack, form.view)
            error.field = path_in_form(form.form, error.field, values)
        wrong = list(error.fields) if isinstance(error, WrongFields) else [error.field]
        if not has_pages(form.view) or wrong[0] is None or set(wrong) & set(input_paths(form.view)):
            return None
        actor = await self.slack.actor(form.member_id)
        return await other_page(self.slack, form.view, actor, at=wrong[0])

    async def _case(self, ref: str | None, error: Exception) -> Case | None:
        """The case, for the words of a refusal; a case that this person may not see gives none."""
        is_hidden = isinstance(error, NotAllowed) and error.code != "not_allowed.limit"
        if ref is None or not isinstance(error, ComplaintError) or is_hidden:
            return None
        try:
            return await self.slack.store.aread(load_case, ref)
        except ComplaintError:
            return None

    async def _tell_sender(self, form: FormSubmission, notice: PrivateNotice) -> None:
        """At once through the pressed card; its address can be half an hour old, then as a direct message."""
        card = form.metadata.pressed_message
        if card is not None:
            is_taken = await answer_privately(self.client, card.url, notice.text, blocks=notice.blocks)
            if is_taken and await sees_channel(self.client, card.channel, form.member_id):
                return
        payload = {"member": form.member_id, "text": notice.text, "blocks": list(notice.blocks)}
        await self.slack.schedule(
            f"notice:{form.metadata.draft or form.view['id']}", "message", payload=payload
        )

    async def _notify(
        self, press: ButtonPress, text: str, blocks: Sequence[Block] = (), *, level: str = "error"
    ) -> None:
        """In a message privately beneath it, in a modal on top of it, in the home in a view of its own."""
        slack, texts = self.slack, self.slack.texts
        await self.ack()
        if press.in_message:
            await self._answer_privately(press, text, blocks=blocks)
            return
        if press.in_modal and press.view is not None:
            view = with_next_drawing(press.view) if _is_opened_case(press) else press.view
            await self.client.views_update(
                view_id=press.view["id"], view=with_notice(view, text, level=level)
            )
            return
        view = notice_view(text, texts, ref=press.ref, level=level)
        try:
            await self.client.views_open(trigger_id=press.trigger, view=view)
        except SlackApiError as failure:
            if not is_trigger_expired(failure):
                raise
            await schedule_late_answer(slack, press, text)

    async def _offer_again(self, press: ButtonPress) -> None:
        """Slack's triggers live about three seconds: say so, with a button that does the same with a new one."""
        texts = self.slack.texts
        text = texts.text("late.told")
        again = button(texts.text("late.again"), press.action, press.value)
        row = actions(f"actions:{press.work_version or 0}.0", [again])
        blocks: list[Block] = [{"type": "section", "text": plain(text, 3000)}, row]
        await self.ack()
        if press.in_message:
            await self._answer_privately(press, text, blocks=blocks)
        else:
            await schedule_late_answer(self.slack, press, text, blocks=blocks)

    async def _answer_privately(self, press: ButtonPress, text: str, *, blocks: Sequence[Block] = ()) -> None:
        """Beneath the message at once, outside the queue; where it is not seen, as a direct message."""
        if await self._answer_now(press, text, blocks):
            return
        named = f"{press.case_ref}: {text}" if press.case_ref else text
        try:
            await schedule_late_answer(self.slack, press, named, blocks=blocks)
        except DatabaseUnavailable:
            # No obligation can be stored now, and silence would look like success.
            await self.client.chat_postEphemeral(channel=press.channel or "", user=press.member_id, text=text)

    async def _answer_now(self, press: ButtonPress, text: str, blocks: Sequence[Block]) -> bool:
        channel, thread = press.channel or "", press.thread
        if press.response_url is not None:
            is_taken = await answer_privately(
                self.client, press.response_url, text, blocks=blocks, thread=thread
            )
            return is_taken and await sees_channel(self.client, channel, press.member_id)
        try:
            await self.client.chat_postEphemeral(
                channel=channel, user=press.member_id, text=text, thread_ts=thread, blocks=blocks or None
            )
        except (SlackApiError, *NETWORK):
            return False
        return True

    async def _open(self, press: ButtonPress, view: View) -> None:
        view = with_pressed_message(view, press.pressed_message)
        if not press.in_modal:
            await self.client.views_open(trigger_id=press.trigger, view=view)
            return
        if view["callback_id"] in PREVIEWED and press.view is not None and press.view.get("previous_view_id"):
            # Pushed, the form would be the third view, and Slack takes no fourth: no letter could be shown.
            await self.client.views_update(view_id=press.view["id"], view=view)
            return
        try:
            await self.client.views_push(trigger_id=press.trigger, view=view)
        except SlackApiError as refused:
            if error_of(refused) != "push_limit_reached" or press.view is None:
                raise
            await self.client.views_update(view_id=press.view["id"], view=view)

    async def _redraw(self, press: ButtonPress, actor: Actor) -> None:
        if press.in_home:
            await schedule_home(self.slack, press.key, actor.id)
        if _is_opened_case(press) and press.view is not None:
            page = press.metadata.page
            await self._redraw_view(press.view, lambda: opened_view(self.slack, press.ref, actor, page=page))

    async def _redraw_view(self, view: Mapping[str, Any], draw: Callable[[], Awaitable[View]]) -> None:
        try:
            changed = with_pressed_message(await draw(), pressed_message(self.request))
            await self.client.views_update(view_id=view["id"], hash=view.get("hash"), view=changed)
        except SlackApiError as failure:
            if error_of(failure) != "hash_conflict":
                raise
            changed = with_pressed_message(await draw(), pressed_message(self.request))
            await self.client.views_update(view_id=view["id"], view=changed)

    async def _replace_view(self, view: Mapping[str, Any], changed: View) -> None:
        try:
            await self.client.views_update(view_id=view["id"], hash=view.get("hash"), view=changed)
        except SlackApiError as failure:
            if error_of(failure) != "hash_conflict":
                raise
            # Another press came in between; the person sees its result and presses again.
            log_unexpected("change of a form", failure)

    async def _reset_menu_of_card(self, press: ButtonPress) -> None:
        """Draw the card again: Slack keeps a menu's old choice, and sends nothing when it is chosen again."""
        if press.resets_menu_of_card and not await self._draw_pressed_card(always=True):
            await self.slack.store.awrite(insert_redraw, press.ref, press.key, priority=SendPriority.DIALOGUE)

    async def _reset_menu_of_modal(self, press: ButtonPress) -> None:
        """The same for the menu of an opened complaint, which lies beneath the view that was opened from it."""
        if press.from_menu and _is_opened_case(press) and press.view is not None:
            await self.client.views_update(view_id=press.view["id"], view=with_next_drawing(press.view))


def _is_opened_case(press: ButtonPress) -> bool:
    return press.in_modal and press.view is not None and press.view.get("callback_id") == "open"
