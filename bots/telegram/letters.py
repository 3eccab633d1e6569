"""The complainant's quiet hours hold back what we begin, never what answers (docs/surfaces.md, "Quiet hours").

What speaks to a complainant unasked: one performer for each kind of duty that ends in a letter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bots.dialogue.after_decision import STEP as REMEDY_STEP
from bots.dialogue.buttons import INSIST, REPLY, SCALE, SURE, SURVEY, Rows
from bots.letters import Letter, acknowledgement, closing
from bots.letters.composer import Composer, Spoken
from bots.letters.letter import parts
from bots.telegram.callback_data import Buttons
from bots.telegram.sending import OutgoingMessage, Sender
from bots.texts import Texts
from complaints.actors import SYSTEM
from complaints.case import Case
from complaints.deadlines.working_time import due, quiet_until
from complaints.obligations.resend import LATE
from complaints.vocabulary import CloseCode, Flag, Role, Verb
from store.cases.act import act as store_act
from store.cases.read import load_case, load_history
from store.incidents.card import was_surveyed_before
from store.outbox.messages import Following, load_contact
from store.outbox.outcomes import Completed as Settled
from store.outbox.outcomes import Failed, Outcome, Rescheduled
from store.store import Store
from store.texts import load_event_words
from store.values import Obligation


def held_until(case: Case, now: datetime, *, answers: bool = False, closing: bool = False) -> datetime | None:
    """When a letter that we begin may leave; None: now.

    `answers` is a reply of staff, which leaves at once within half an hour of the person's last message.
    `closing` by the person's own act answers a press and is not held back.
    """
    rules = case.rules
    until = quiet_until(now, rules.dialogue.quiet_hours, rules.calendar.zone)
    if until <= now:
        return None
    if answers and case.last_words_at is not None:
        fresh = due(case.last_words_at, rules.dialogue.answer_at_once_within, rules.calendar).at
        if now <= fresh:
            return None
    return None if closing and case.close_code == "withdrawn" else until


#: What leaves even to somebody who wants no contact.
STILL_SENT: frozenset[str] = frozenset({"acknowledge", "danger_seen"})

Perform = Callable[[Obligation], Awaitable[Outcome]]


@dataclass(frozen=True)
class ComposedLetter:
    """A letter ready to leave: its text, its buttons at which step, and what its acceptance brings about."""

    text: str
    buttons: Rows = ()
    step: str = ""
    act: tuple[Verb, Mapping[str, Any], Mapping[str, str]] | None = None
    must_arrive: bool = True
    template: str = ""


Write = Callable[[Letter, Obligation], ComposedLetter | None]

#: What the person wrote may leave nobody independent, and is answered at once; an act of staff may do so too.
_THEIRS: frozenset[str] = frozenset({Verb.RECEIVE.value, Verb.ADD.value, Verb.ANSWER.value})


def _begun_by_us(owed: Obligation) -> bool:
    return owed.kind == "no_independent" and owed.facts.get("verb") not in _THEIRS


@dataclass(frozen=True)
class LetterHandler:
    """Writes and sends letters. `waits` kinds are held back by quiet hours: we begin them, not the person."""

    store: Store
    sender: Sender
    buttons: Buttons
    texts: Texts
    waits: frozenset[str] = field(
        default=frozenset(
            {
                "decision",
                "letter",
                "dates",
                "progress",
                "delay",
                "remedy_notice",
                "reply_reminder",
                "closing",
                "survey",
                "survey_reminder",
                "legal_passed",
                "confirmation",
                "outside",
                "next_recourse",
            }
        )
    )

    def performers(self) -> Mapping[str, Perform]:
        """By kind of duty."""
        return {kind: self._performing(kind, one) for kind, one in self.writers().items()}

    def writers(self) -> Mapping[str, Write]:
        """What each kind of duty says, without sending it."""
        return {
            "acknowledge": self._acknowledgement,
            "decision": self._bringing(Verb.COMMUNICATE_DECISION, REPLY, "decision"),
            "letter": self._plain,
            "dates": self._plain,
            "progress": self._progress,
            "remedy_notice": self._remedy,
            "reply_reminder": self._reply_reminder,
            "recourse": self._bringing(Verb.OFFER_RECOURSE),
            "closing": self._closing,
            "survey": self._survey,
            "survey_reminder": self._survey,
            "danger_seen": self._seen,
            "delay": self._plain,
            "legal_passed": self._plain,
            "confirmation": self._plain,
            "outside": self._plain,
            "next_recourse": self._plain,
            "no_independent": self._progress,
            "summary": self._plain,
        }

    def _performing(self, kind: str, write: Write) -> Perform:
        async def perform(owed: Obligation) -> Outcome:
            store, ref = self.store, str(owed.ref)
            case = await store.aread(load_case, ref)
            if kind in self.waits or _begun_by_us(owed):
                until = held_until(case, store.now(), answers=kind == "letter", closing=kind == "closing")
                if until is not None:
                    return Rescheduled(until, "quiet hours")
            chat = owed.chat or await store.aread(load_contact, ref)
            if chat is None:
                return Failed(f"{ref} has no chat to write to: tell the complainant by another route")
            language = self.texts.language(chat.language or case.language)
            letter = Letter(case, self.texts, language)
            written = await store.in_thread(lambda: write(letter, owed))
            if written is None:
                return Settled()
            if owed.facts.get(LATE):
                # It names days as they were when it was written.
                late = letter.say("late", day=letter.day_when(owed.due))
                written = replace(written, text=parts(late, written.text))
            if Flag.NO_CONTACT in case.flags and not self._asked_for(case, owed):
                return await self._kept(owed, written)
            return await self.sender.send(owed, chat, self._message(written, letter, kind, chat.address))

        return perform

    def _asked_for(self, case: Case, owed: Obligation) -> bool:
        """Who wants no contact still gets the acknowledgement, and the answer to a question of theirs."""
        if owed.kind in STILL_SENT:
            return True
        event = owed.facts.get("seq")
        if owed.kind != "letter" or event is None or case.question_answered_at is None:
            return False
        found = next(one for one in self.store.read(load_history, case.ref) if one.seq == int(event))
        return found.at == case.question_answered_at

    async def _kept(self, owed: Obligation, written: ComposedLetter) -> Outcome:
        """Not sent, at the complainant's wish: what would have followed from it follows, and says so."""
        if written.act is None:
            return Settled()
        verb, facts, words = written.act
        await self.store.awrite(
            store_act, str(owed.ref), verb, SYSTEM, {**facts, "kept": True}, words,
            key=f"kept:{owed.key}", settles=owed.id,
        )  # fmt: skip
        return Settled(settled=True)

    def _message(self, written: ComposedLetter, letter: Letter, kind: str, address: str) -> OutgoingMessage:
        case = letter.case
        keyboard = self.buttons.keyboard(
            self.texts,
            letter.language,
            address,
            [list(row) for row in written.buttons],
            step=written.step,
            ref=case.ref,
            turn=case.version,
        )
        acts: tuple[Following, ...] = ()
        if written.act is not None:
            verb, facts, words = written.act
            acts = ((case.ref, verb, SYSTEM, facts, words),)
        return OutgoingMessage(
            text=written.text,
            template=written.template or kind,
            language=letter.language,
            keyboard=keyboard,
            ref=case.ref,
            must_arrive=written.must_arrive,
            acts=acts,
        )

    def _said(self, letter: Letter, owed: Obligation) -> Spoken | None:
        """The words of a duty, as people would tell them too."""
        ref, store = letter.case.ref, self.store
        composer = Composer(
            letter,
            store.read(load_history, ref),
            lambda seq: store.read(load_event_words, ref, seq),
            store.now(),
        )
        return composer.compose(owed.kind, owed.facts)

    def _plain(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        said = self._said(letter, owed)
        return None if said is None else ComposedLetter(said.text, template=said.template)

    def _bringing(self, verb: Verb, rows: Rows = (), step: str = "") -> Write:
        """A letter whose acceptance by the channel is an act; the reply time starts with it (7.8)."""

        def write(letter: Letter, owed: Obligation) -> ComposedLetter | None:
            said = self._said(letter, owed)
            return None if said is None else ComposedLetter(said.text, rows, step, (verb, {}, {}))

        return write

    def _acknowledgement(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        level = int(owed.facts.get("level", 1))
        said = self._said(letter, owed)
        signing = level == 1 and acknowledgement.unsigned(letter)
        rows: Rows = (("send",),) if signing else ()
        act = (Verb.ACKNOWLEDGE, {"level": level}, dict[str, str]())
        return None if said is None else ComposedLetter(said.text, rows, "check", act)

    def _progress(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        said = self._said(letter, owed)
        act = None if said is None else (Verb.INFORM, dict[str, Any](), {"letter": said.text})
        return None if said is None else ComposedLetter(said.text, act=act)

    def _remedy(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        """What was carried out, with the question whether it is right; or that it is late."""
        said = self._said(letter, owed)
        if said is None or said.template != "remedy_done":
            return None if said is None else ComposedLetter(said.text, template=said.template)
        return ComposedLetter(said.text, SURE, f"{REMEDY_STEP}{owed.facts['remedy']}", template=said.template)

    def _closing(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        """How it ended; where it was taken for something else, with the way to insist."""
        said = self._said(letter, owed)
        rows: Rows = INSIST if owed.facts.get("code") == CloseCode.NOT_COMPLAINT else ()
        return None if said is None else ComposedLetter(said.text, rows, "closing", template=said.template)

    def _reply_reminder(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        said = self._said(letter, owed)
        return None if said is None else ComposedLetter(said.text, REPLY, "decision")

    def _survey(self, letter: Letter, owed: Obligation) -> ComposedLetter | None:
        if self.store.read(was_surveyed_before, letter.case.ref):
            # Asked about another complaint of the same incident: once is enough.
            return None
        reminder = owed.kind == "survey_reminder"
        step = {"step": "reminded" if reminder else "sent"}
        return ComposedLetter(
            closing.survey(letter, reminder=reminder),
            SCALE,
            SURVEY[0],
            (Verb.SURVEY, step, {}),
            must_arrive=False,
        )

    def _seen(self, letter: Letter, owed: Obligation) -> ComposedLetter:
        return ComposedLetter(acknowledgement.seen(letter, str(owed.facts.get("role", Role.ON_CALL.value))))
