"""Letters to complainants through Telegram: one handler for each kind of obligation that ends in a letter.

Quiet hours delay letters that the desk starts, never replies (docs/surfaces.md, "Quiet hours").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from bots.dialogue.after_decision import REMEDY_STEP
from bots.dialogue.buttons import APPEAL, FORM_COPY, INSIST, RECEIPT, REPLY, SCALE, SURE, SURVEY, Rows
from bots.letters import decision, progress
from bots.letters.composer import DECISION_LETTERS, Composer
from bots.letters.letter import Letter, join_paragraphs
from bots.recovery import Handler
from bots.telegram.callback_data import Buttons
from bots.telegram.sending import OutgoingMessage, Sender
from bots.texts.texts import Texts
from complaints.actions.registry import MESSAGE_VERBS
from complaints.actors import SYSTEM
from complaints.case import Case
from complaints.deadlines.quiet_hours import letter_held_until
from complaints.event_facts import ATTACHMENTS
from complaints.obligations.kinds import kinds_that_are
from complaints.obligations.resend import LATE
from complaints.vocabulary import CloseCode, Flag, Role, Verb
from store.cases.act import act as store_act
from store.cases.outgoing_messages import FollowUpAct, load_contact
from store.cases.read import load_case, load_history
from store.cases.staff_letters import attachments_state, load_attachment
from store.incidents import was_surveyed_before
from store.outbox.complete import Completed, Failed, Outcome, RateLimited, Rescheduled
from store.people.staff import count_reviewers
from store.record.load import load_complaint_text, load_event_words
from store.store import Store
from store.values import Obligation

#: Letters sent even to a person who wants no contact.
SENT_WITHOUT_CONTACT: frozenset[str] = frozenset({"acknowledge", "danger_seen", "talk"})
#: Kinds of obligation that quiet hours delay: the desk starts them, not the complainant.
DELAYED_KINDS = kinds_that_are("delayed")
#: Letters that wait while staff talk with the complainant, and how often they are tried again.
WAITS_FOR_TALK = DELAYED_KINDS - {"letter", "decision"} | {"acknowledge"}
TALK_PAUSE = timedelta(minutes=5)
#: Letters under which the receipt of the complaint can be requested (docs/proof.md).
RECEIPT_LETTERS: frozenset[str] = frozenset({"acknowledge", "decision", "closing"})


#: An attachment whose letter has not left is tried again after this time.
WAIT_FOR_LETTER = timedelta(minutes=5)
#: A letter whose attachments are still being fetched is looked at again after so many seconds.
ATTACHMENT_SECONDS = 2.0
#: The verb, the facts and the words of an act.
Act = tuple[Verb, Mapping[str, Any], Mapping[str, str]]


@dataclass(frozen=True)
class ComposedLetter:
    """A letter ready to send: text, buttons and their step, and the act that follows once it is accepted."""

    text: str
    buttons: Rows = ()
    step: str = ""
    act: Act | None = None
    must_arrive: bool = True
    template: str = ""
    in_short: str = ""


Write = Callable[[Letter, Obligation], ComposedLetter | None]


def _attachments(case: Case, obligation: Obligation) -> tuple[int, ...]:
    """The numbers of the files that must be in the store before this letter leaves."""
    if obligation.kind == "decision":
        return case.decision.attachments if case.decision is not None else ()
    seq = obligation.facts.get("seq") if obligation.kind == "letter" else None
    events = [letter.event for letter in case.unsent if letter.event.seq == seq]
    return tuple(events[0].facts.get(ATTACHMENTS, ())) if events else ()


def _is_delayable(obligation: Obligation) -> bool:
    if obligation.kind == "no_independent":
        # After a message of the complainant it is a reply; acts of staff can lead to it too.
        return obligation.facts.get("verb") not in MESSAGE_VERBS
    return obligation.kind in DELAYED_KINDS


@dataclass(frozen=True)
class LetterHandler:
    store: Store
    sender: Sender
    buttons: Buttons
    texts: Texts
    receipts: bool = False

    def handlers(self) -> Mapping[str, Handler]:
        handlers = {kind: self._handler(kind, write) for kind, write in self.writers().items()}
        return {**handlers, "attachment": self._attachment}

    async def _attachment(self, obligation: Obligation) -> Outcome:
        """Send one file after its letter."""
        store, ref, seq = self.store, str(obligation.ref), int(obligation.facts["seq"])
        case = await store.aread(load_case, ref)
        if Flag.NO_CONTACT in case.flags:
            return Completed()
        until = letter_held_until(case, store.now(), is_reply=True)
        decision = next((decision for decision in case.decisions if decision.seq == seq), None)
        waits = decision is not None and decision.communicated_at is None
        if waits or seq in {letter.event.seq for letter in case.unsent}:
            return Rescheduled(until or store.now() + WAIT_FOR_LETTER, "waits for its letter")
        chat = obligation.chat or await store.aread(load_contact, ref)
        if chat is None:
            return Failed(f"{ref} has no chat to write to: hand the file over by another route")
        language = self.texts.language(chat.language or case.language)
        file = await store.aread(load_attachment, ref, int(obligation.facts["file"]))
        caption = self.texts.to(child=Flag.MINOR in case.flags).text(language, "attached.file", ref=ref)
        message = OutgoingMessage(caption, "attachment", language, ref=ref, file=file)
        return await self.sender.send(obligation, chat, message)

    def writers(self) -> Mapping[str, Write]:
        """The function that writes the letter of each kind of obligation, without sending it."""
        return {
            "acknowledge": self._acknowledgement,
            "decision": partial(
                self._compose, rows=REPLY, step="decision", act=(Verb.COMMUNICATE_DECISION, {}, {})
            ),
            "letter": self._written,
            "dates": self._compose,
            "progress": self._progress,
            "remedy_notice": self._remedy,
            "reply_reminder": partial(self._compose, rows=REPLY, step="decision"),
            "recourse": partial(self._compose, act=(Verb.OFFER_RECOURSE, {}, {})),
            "closing": self._closing,
            "survey": self._survey,
            "survey_reminder": self._survey,
            "danger_seen": self._danger_seen,
            "talk": self._talk,
            "delay": self._compose,
            "legal_passed": self._compose,
            "confirmation": self._compose,
            "outside": self._compose,
            "next_recourse": self._compose,
            "no_independent": self._progress,
            "summary": self._compose,
            "conduct": self._conduct,
        }

    def _handler(self, kind: str, write: Write) -> Handler:
        async def send_letter(obligation: Obligation) -> Outcome:
            store, ref = self.store, str(obligation.ref)
            case = await store.aread(load_case, ref)
            if case.talk is not None and kind in WAITS_FOR_TALK:
                return Rescheduled(store.now() + TALK_PAUSE, "a person is talking with the complainant")
            if _is_delayable(obligation):
                until = letter_held_until(
                    case, store.now(), is_reply=kind == "letter", is_closing=kind == "closing"
                )
                if until is not None:
                    return Rescheduled(until, "quiet hours")
            if numbers := _attachments(case, obligation):
                state = await store.aread(attachments_state, ref, numbers)
                if state != "ready":
                    why = f"an attachment of {ref} cannot be sent: take the letter back and send it again"
                    return RateLimited(ATTACHMENT_SECONDS) if state == "waiting" else Failed(why)
            chat = obligation.chat or await store.aread(load_contact, ref)
            if chat is None:
                return Failed(f"{ref} has no chat to write to: tell the complainant by another route")
            language = self.texts.language(chat.language or case.language)
            letter = Letter(case, self.texts.to(child=Flag.MINOR in case.flags), language)
            composed = await store.in_thread(lambda: write(letter, obligation))
            if composed is None:
                return Completed()
            if obligation.facts.get(LATE):
                # Days in the letter are as seen from its original date.
                note = letter.text("late", day=letter.event_day(obligation.due))
                composed = replace(composed, text=join_paragraphs(note, composed.text))
            if Flag.NO_CONTACT in case.flags and not self._is_sent_without_contact(case, obligation):
                return await self._keep_unsent(obligation, composed)
            message = self._message(composed, letter, kind, chat.address)
            return await self.sender.send(obligation, chat, message)

        return send_letter

    def _is_sent_without_contact(self, case: Case, obligation: Obligation) -> bool:
        """True for the few letters that a person who wants no contact still gets.

        These are the acknowledgement, the report on danger, and the answer to a question of theirs.
        """
        if obligation.kind in SENT_WITHOUT_CONTACT:
            return True
        seq = obligation.facts.get("seq")
        if case.question_at is not None and obligation.facts.get("verb") == Verb.REPLY:
            return True
        if obligation.kind != "letter" or seq is None or case.question_answered_at is None:
            return False
        history = self.store.read(load_history, case.ref)
        event = next(event for event in history if event.seq == int(seq))
        return event.at == case.question_answered_at

    async def _keep_unsent(self, obligation: Obligation, composed: ComposedLetter) -> Outcome:
        """Not sent, at the complainant's wish. The act that follows is recorded with the fact `kept`."""
        if composed.act is None:
            return Completed()
        verb, facts, words = composed.act
        await self.store.awrite(
            store_act, str(obligation.ref), verb, SYSTEM, {**facts, "kept": True}, words,
            key=f"kept:{obligation.key}", completes=obligation.id,
        )  # fmt: skip
        return Completed(settled=True)

    def _message(self, composed: ComposedLetter, letter: Letter, kind: str, address: str) -> OutgoingMessage:
        case = letter.case
        rows = composed.buttons
        if self.receipts and kind in RECEIPT_LETTERS:
            rows = (*rows, RECEIPT)
        keyboard = self.buttons.keyboard(
            self.texts,
            letter.language,
            address,
            rows,
            step=composed.step,
            ref=case.ref,
            turn=case.version,
        )
        acts: tuple[FollowUpAct, ...] = ()
        if composed.act is not None:
            verb, facts, words = composed.act
            acts = ((case.ref, verb, SYSTEM, facts, words),)
        return OutgoingMessage(
            text=composed.text,
            template=composed.template or kind,
            language=letter.language,
            keyboard=keyboard,
            ref=case.ref,
            must_arrive=composed.must_arrive,
            acts=acts,
            dates=letter.dates,
            in_short=composed.in_short,
            to_child=Flag.MINOR in case.flags,
        )

    def _compose(
        self, letter: Letter, obligation: Obligation, rows: Rows = (), step: str = "", act: Act | None = None
    ) -> ComposedLetter | None:
        """`act` is recorded when the channel accepts the letter: the time to reply starts with it (7.8)."""
        ref, store = letter.case.ref, self.store
        if obligation.kind in DECISION_LETTERS:
            reviewers = store.read(count_reviewers, letter.case)
            text = store.read(load_complaint_text, ref)
            letter = replace(letter, reviewers=reviewers, complaint_text=text)
        composer = Composer(
            letter,
            store.read(load_history, ref),
            lambda seq: store.read(load_event_words, ref, seq),
            store.now(),
        )
        composed = composer.compose(obligation.kind, obligation.facts)
        if composed is None:
            return None
        return ComposedLetter(
            composed.text, rows, step, act, template=composed.template, in_short=composed.in_short
        )

    def _acknowledgement(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        level = int(obligation.facts.get("level", 1))
        can_sign = not letter.case.reviews_decision and progress.is_unsigned(letter)
        rows = (("send",), *FORM_COPY) if can_sign else FORM_COPY
        return self._compose(letter, obligation, rows, "check", (Verb.ACKNOWLEDGE, {"level": level}, {}))

    def _written(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        seq = int(obligation.facts["seq"])
        counts = seq in {unsent.event.seq for unsent in letter.case.unsent}
        return self._compose(letter, obligation, act=(Verb.DELIVER, {"seq": seq}, {}) if counts else None)

    def _progress(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        composed = self._compose(letter, obligation)
        return composed and replace(composed, act=(Verb.INFORM, {}, {"letter": composed.text}))

    def _remedy(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        composed = self._compose(letter, obligation)
        if composed is None or composed.template != "remedy_done":
            return composed
        return replace(composed, buttons=SURE, step=f"{REMEDY_STEP}{obligation.facts['remedy']}")

    def _conduct(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        """Under a limit there is a button to appeal against it, once for each limit."""
        conduct = letter.case.conduct
        rows = APPEAL if conduct.limit is not None and not conduct.appealed else ()
        return self._compose(letter, obligation, rows, "conduct")

    def _closing(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        rows = INSIST if obligation.facts.get("code") == CloseCode.NOT_COMPLAINT else ()
        return self._compose(letter, obligation, rows, "closing")

    def _survey(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        if self.store.read(was_surveyed_before, letter.case.ref):
            # The person was asked about another complaint of the same incident.
            return None
        reminder = obligation.kind == "survey_reminder"
        facts = {"step": "reminded" if reminder else "sent"}
        return ComposedLetter(
            decision.survey(letter, reminder=reminder),
            SCALE,
            SURVEY[0],
            (Verb.SURVEY, facts, {}),
            must_arrive=False,
        )

    def _danger_seen(self, letter: Letter, obligation: Obligation) -> ComposedLetter:
        role = str(obligation.facts.get("role", Role.ON_CALL.value))
        return ComposedLetter(progress.danger_seen(_in_danger_language(letter), role))

    def _talk(self, letter: Letter, obligation: Obligation) -> ComposedLetter | None:
        """A line exactly as it was typed, or that a person came or left."""
        facts = obligation.facts
        if facts["phase"] == "line":
            line = self.store.read(load_event_words, letter.case.ref, int(facts["seq"])).get("text")
            return None if line is None else ComposedLetter(line)
        text = progress.person_talks(_in_danger_language(letter), str(facts["role"]), str(facts["phase"]))
        return ComposedLetter(text)


def _in_danger_language(letter: Letter) -> Letter:
    """The same letter in the language of the message with the danger, also if the desk does not speak it."""
    written = next((sign.language for sign in reversed(letter.case.signs) if sign.danger), "")
    return replace(letter, language=letter.texts.danger_language(written, letter.language))
