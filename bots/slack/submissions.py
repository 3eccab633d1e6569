"""Submitted forms: read, tried, shown first where they reach the complainant, recorded, then acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck

from bots.slack import refusals
from bots.slack.desk import Desk
from bots.slack.entering import admit, remember
from bots.slack.inputs import values_of
from bots.slack.lists import knows_of
from bots.slack.modals import CONFIRMED, PREVIEWED, View, from_home, notice_view, with_notice
from bots.slack.opening import issues_told, verb_of
from bots.slack.press import Meta, read_meta
from bots.slack.preview import SUFFIX, open_button, preview_view
from bots.slack.telling import owe_home, unexpected
from complaints.actions.authorisation import require_permission
from complaints.actions.perform import perform
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.deadlines.durations import Span
from complaints.deadlines.quiet_hours import quiet_until
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed, Stale, UnknownReference
from complaints.forms import form_verb, read
from complaints.references import parse_reference
from complaints.rulebook import categories_of
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.record.read_log import find_last_read
from store.slack.posts import drop_draft, read_draft, save_draft


@dataclass(frozen=True)
class Filled:
    """A form as it was submitted, against the case as it stands."""

    form: str
    verb: Verb
    case: Case
    by: Actor
    facts: Mapping[str, Any]
    words: Mapping[str, str]


class Submissions:
    """The listeners of submitted views."""

    def __init__(self, desk: Desk, own_team: str | None) -> None:
        self.desk = desk
        self.own_team = own_team

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Any of our views: refusals answered where they can be mended, acts committed before the answer."""
        view = body["view"]
        meta = read_meta(view)
        try:
            answer = await self._answer(body, view, meta)
        except ComplaintError as refused:
            answer = await self._refused(view, meta, refused)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"submission of {view.get('callback_id')} on {meta.ref}", failure)
            answer = _update(with_notice(view, self.desk.voice.say("refused.unexpected")))
        await ack(**answer)

    async def _answer(self, body: Mapping[str, Any], view: Mapping[str, Any], meta: Meta) -> dict[str, Any]:
        callback = str(view["callback_id"])
        by = str(body["user"]["id"])
        actor = await admit(self.desk, body, self.own_team, by, what=callback, ref=meta.ref)
        if callback.endswith(SUFFIX):
            await self._send(meta, actor)
            await self._shown_at_home(body, meta)
            return {"response_action": "clear"}
        filled = await self._filled(callback, view, meta, actor)
        if callback == "link":
            other = await self._other(filled.case, str(filled.facts["other_ref"]), actor)
            filled = replace(filled, facts={**filled.facts, "other_ref": other})
        if callback in PREVIEWED:
            view = await self._preview(filled, meta)
            return {"response_action": "push", "view": from_home(view) if meta.home else view}
        await self.desk.store.awrite(
            act, meta.ref, filled.verb, actor, filled.facts, filled.words,
            version=meta.version,
        )  # fmt: skip
        await self._shown_at_home(body, meta)
        return await self._done(filled)

    async def _shown_at_home(self, body: Mapping[str, Any], meta: Meta) -> None:
        if meta.home:
            await owe_home(
                self.desk, f"{body['view']['id']}:{body['view'].get('hash')}", str(body["user"]["id"])
            )

    async def _done(self, filled: Filled) -> dict[str, Any]:
        """Done; where the complainant wrote since this person last read, that is said."""
        case, voice = filled.case, self.desk.voice
        written = await self._unread(case, filled.by)
        if written is None:
            return {"response_action": "clear"}
        text = voice.say("modal.done_but_new", when=voice.clock(written, case.rules.calendar.zone))
        told = notice_view(voice.say("modal.notice"), text, voice, ref=case.ref)
        return _update(with_notice(told, text, accessory=open_button(case, voice)))

    async def _unread(self, case: Case, by: Actor) -> datetime | None:
        """When the complainant wrote last, if this person has read and not since."""
        read_at: datetime | None = await self.desk.store.aread(find_last_read, case.ref, by.id)
        written = case.last_words_at
        return written if read_at is not None and written is not None and written > read_at else None

    async def _filled(self, form: str, view: Mapping[str, Any], meta: Meta, actor: Actor) -> Filled:
        case = await self.desk.store.aread(load_case, meta.ref)
        await self._must_have_role(form, case, actor)
        options = {
            "remedy": tuple(str(one.n) for one in case.remedies),
            "category": categories_of(case.rules),
        }
        facts, words = read(form, values_of(view["state"]["values"]), options=options)
        asked = {str(one.get("block_id")) for one in view["blocks"] if not one.get("optional")}
        for name, code in CONFIRMED.items():
            if name in asked and not facts.get(name):
                raise BadFacts(f"Tick '{name}' first.", code=code, field=name)
        if form == "assign":
            await self._must_handle(str(facts["owner"]))
        assessed = await self._was_assessed(case, meta.version)
        return Filled(form, form_verb(form, facts, assessed=assessed), case, actor, facts, words)

    async def _must_have_role(self, form: str, case: Case, by: Actor) -> None:
        """Who has no role for it hears that before anything of the form is judged.

        The other rights are checked with the act: a repeat of what was done must first be known as one.
        """
        verb = verb_of(form, case)
        if by.roles & ACTIONS[verb].roles:
            return
        try:
            require_permission(case, verb, by)
        except NotAllowed as refused:
            await remember(self.desk, case.ref, form, by, refused)
            raise

    async def _was_assessed(self, case: Case, drawn: int) -> bool:
        """Was it assessed when the form was drawn? A repeat of the first assessment is no reassessment."""
        if case.assessment is None or case.work_version == drawn:
            return case.assessment is not None
        events = await self.desk.store.aread(load_history, case.ref)
        return Verb.ASSESS.value not in refusals.since(events, drawn)

    async def _must_handle(self, member: str) -> None:
        """An owner must be able to act: nobody without a handling role gets a complaint."""
        owner = await self.desk.actor(member)
        if not owner.roles & ACTIONS[Verb.ASSESS].roles:
            raise BadFacts("This person handles no complaints.", code="owner_no_handler", field="owner")

    async def _preview(self, filled: Filled, meta: Meta) -> View:
        """Try the act on the record without recording it, write the letter, keep what was typed for a day."""
        case, now = filled.case, self.desk.store.now()
        if case.work_version != meta.version:
            events = await self.desk.store.aread(load_history, case.ref)
            raise Stale(f"{case.ref} moved on.", since=refusals.since(events, meta.version))
        try:
            tried = perform(case, filled.verb, at=now, by=filled.by, facts=filled.facts, words=filled.words)
        except NotAllowed as refused:
            await remember(self.desk, case.ref, filled.verb.value, filled.by, refused)
            raise
        unread = await self._unread(case, filled.by)
        if unread is not None and filled.verb in (Verb.RESOLVE, Verb.RESPOND):
            raise Stale(f"The complainant of {case.ref} wrote: open it first.", code="new_message")
        told = await issues_told(self.desk, case) if filled.form == "decide" else ()
        letter = self.desk.preview(filled.form, case, filled.facts, filled.words, now=now, told=told)
        draft = await self.desk.store.awrite(
            save_draft, case.ref, filled.by.id, filled.form, filled.facts, filled.words, letter,
            case.work_version,
        )  # fmt: skip
        approval = bool(tried.event.facts.get("needs_approval"))
        leaves = None if approval else leaves_at(case, filled.verb, now)
        return preview_view(
            filled.form,
            case,
            letter,
            draft,
            self.desk.voice,
            leaves_at=leaves,
            approval=approval,
            unread=unread,
        )

    async def _other(self, case: Case, written: str, by: Actor) -> str:
        ref = parse_reference(written)
        if ref is None:
            raise BadFacts("That is no reference.", code="not_a_reference", field="other_ref")
        try:
            other = await self.desk.store.aread(load_case, ref)
            known = knows_of(other, by)
        except UnknownReference:
            known = False
        if not known:
            # One answer for what does not exist and for what is not open to this person.
            raise BadFacts(f"No complaint is called {ref}.", code="unknown_reference", field="other_ref")
        if ref == case.ref:
            raise BadFacts("That is this complaint.", code="same_reference", field="other_ref")
        return ref

    async def _send(self, meta: Meta, actor: Actor) -> None:
        """The previewed act, with rights and versions checked again."""
        draft = await self.desk.store.aread(read_draft, meta.draft or "")
        if draft is None or draft.by != actor.id or draft.ref != meta.ref:
            raise AlreadyDone(f"This preview of {meta.ref} was sent or has expired.", code="already_done")
        case = await self.desk.store.aread(load_case, draft.ref)
        told = {**draft.words, "letter": draft.letter} if draft.letter else draft.words
        verb = form_verb(draft.form, draft.facts, assessed=case.assessment is not None)
        await self.desk.store.awrite(
            act, draft.ref, verb, actor, draft.facts, told,
            version=draft.work_version, key=f"slack:draft:{draft.id}",
        )  # fmt: skip
        await self.desk.store.awrite(drop_draft, draft.id)

    async def _refused(self, view: Mapping[str, Any], meta: Meta, refused: ComplaintError) -> dict[str, Any]:
        """Errors at their fields; everything else as a notice above, with what was typed kept."""
        voice, case = self.desk.voice, await self._case(meta.ref)
        if isinstance(refused, AlreadyDone):
            text = refusals.words(refused, voice, case)
            return _update(notice_view(voice.say("modal.notice"), text, voice, ref=meta.ref))
        if isinstance(refused, BadFacts):
            at_fields = refusals.errors(refused, view["blocks"], voice, case)
            if at_fields:
                return {"response_action": "errors", "errors": dict(at_fields)}
        text = refusals.words(refused, voice, case)
        preview = str(view["callback_id"]).endswith(SUFFIX)
        if not isinstance(refused, Stale) or case is None:
            return _update(with_notice(view, text))
        if preview:
            return _update(with_notice(view, f"{text} {voice.say('preview.go_back')}"))
        again = open_button(case, voice) if refused.code == "new_message" else None
        return _update(with_notice(view, text, version=case.work_version, accessory=again))

    async def _case(self, ref: str) -> Case | None:
        try:
            return await self.desk.store.aread(load_case, ref)
        except UnknownReference:
            return None


def leaves_at(case: Case, verb: Verb, now: datetime) -> datetime | None:
    """When quiet hours let a letter go; None: at once. A reply soon after their message is an answer."""
    dialogue = case.rules.dialogue
    until = quiet_until(now, dialogue.quiet_hours, case.rules.calendar.zone)
    if until == now:
        return None
    if verb in (Verb.REPLY, Verb.ASK, Verb.INFORM) and case.last_words_at is not None:
        soon = due(case.last_words_at, Span.parse(dialogue.answer_at_once_within), case.rules.calendar).at
        if now <= soon:
            return None
    return until


def _update(view: View) -> dict[str, Any]:
    return {"response_action": "update", "view": view}
