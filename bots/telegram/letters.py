"""Letters to complainants through Telegram: one handler for each kind of obligation that ends in a letter.

Quiet hours delay letters that the desk starts, never replies (docs/surfaces.md, "Quiet hours").
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bots.dialogue.buttons import RECEIPT
from bots.letters.composer import CHAT_LETTERS, DECISION_LETTERS, Composer, LetterText
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
from complaints.vocabulary import Flag, Verb
from store.cases.act import act as store_act
from store.cases.outgoing_messages import load_contact
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
SURVEYS: frozenset[str] = frozenset({"survey", "survey_reminder"})
#: Letters under which the receipt of the complaint can be requested (docs/proof.md).
RECEIPT_LETTERS: frozenset[str] = frozenset({"acknowledge", "decision", "closing"})

#: An attachment whose letter has not left is tried again after this time.
WAIT_FOR_LETTER = timedelta(minutes=5)
#: A letter whose attachments are still being fetched is looked at again after so many seconds.
ATTACHMENT_SECONDS = 2.0


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
        return {**dict.fromkeys(CHAT_LETTERS, self.send), "attachment": self._attachment}

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

    async def send(self, obligation: Obligation) -> Outcome:
        """Send the letter of one obligation, unless it has to wait or the person wants no contact."""
        store, ref, kind = self.store, str(obligation.ref), obligation.kind
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
        composed = await store.in_thread(lambda: self.compose(letter, obligation))
        if composed is None:
            return Completed()
        if obligation.facts.get(LATE):
            # Days in the letter are as seen from its original date.
            note = letter.text("late", day=letter.event_day(obligation.due))
            composed = replace(composed, text=join_paragraphs(note, composed.text))
        if Flag.NO_CONTACT in case.flags and not self._is_sent_without_contact(case, obligation):
            return await self._keep_unsent(obligation, composed)
        message = self._message(composed, letter, obligation.kind, chat.address)
        return await self.sender.send(obligation, chat, message)

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

    async def _keep_unsent(self, obligation: Obligation, composed: LetterText) -> Outcome:
        """Not sent, at the complainant's wish. The act that follows is recorded with the fact `kept`."""
        if composed.act is None:
            return Completed()
        verb, facts, words = composed.act
        await self.store.awrite(
            store_act, str(obligation.ref), verb, SYSTEM, {**facts, "kept": True}, words,
            key=f"kept:{obligation.key}", completes=obligation.id,
        )  # fmt: skip
        return Completed(settled=True)

    def _message(self, composed: LetterText, letter: Letter, kind: str, address: str) -> OutgoingMessage:
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
        return OutgoingMessage(
            text=composed.text,
            template=composed.template,
            language=letter.language,
            keyboard=keyboard,
            ref=case.ref,
            must_arrive=composed.must_arrive,
            acts=composed.acts(case.ref),
            dates=letter.dates,
            in_short=composed.in_short,
            to_child=Flag.MINOR in case.flags,
        )

    def compose(self, letter: Letter, obligation: Obligation) -> LetterText | None:
        """The letter of this obligation, without sending it; None where nothing is left to say."""
        ref, store, kind = letter.case.ref, self.store, obligation.kind
        if kind in SURVEYS and store.read(was_surveyed_before, ref):
            # The person was asked about another complaint of the same incident.
            return None
        if kind in DECISION_LETTERS:
            reviewers = store.read(count_reviewers, letter.case)
            text = store.read(load_complaint_text, ref)
            letter = replace(letter, reviewers=reviewers, complaint_text=text)
        history = store.read(load_history, ref)
        composer = Composer(letter, history, lambda seq: store.read(load_event_words, ref, seq), store.now())
        return composer.compose(kind, obligation.facts)
