"""What speaks to a complainant unasked: one performer for each kind of duty that ends in a letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bots.dialogue.buttons import INSIST, REPLY, SCALE, SURE, SURVEY, Rows
from bots.dialogue.remedies import STEP as REMEDY_STEP
from bots.letters import Letter, afterwards, received
from bots.letters.composing import Composer, Spoken
from bots.letters.writing import parts
from bots.telegram.buttons import Buttons
from bots.telegram.quiet import held_until
from bots.telegram.sending import Message, Sender
from bots.texts import Texts
from complaints.missed import LATE
from complaints.people import SYSTEM
from complaints.record import Case
from complaints.vocabulary import CloseCode, Flag, Role, Verb
from store.messages import Following
from store.open import Store
from store.outcomes import Done as Settled
from store.outcomes import GaveUp, Later, Outcome
from store.values import Obligation

#: What leaves even to somebody who wants no contact.
STILL_SENT: frozenset[str] = frozenset({"acknowledge", "danger_seen"})

Perform = Callable[[Obligation], Awaitable[Outcome]]


@dataclass(frozen=True)
class Written:
    """A letter ready to leave: its text, its buttons at which step, and what its acceptance brings about."""

    text: str
    buttons: Rows = ()
    step: str = ""
    act: tuple[Verb, Mapping[str, Any], Mapping[str, str]] | None = None
    must_arrive: bool = True
    template: str = ""


Write = Callable[[Letter, Obligation], Written | None]

#: What the person wrote may leave nobody independent, and is answered at once; an act of staff may do so too.
_THEIRS: frozenset[str] = frozenset({Verb.RECEIVE.value, Verb.ADD.value, Verb.ANSWER.value})


def _begun_by_us(owed: Obligation) -> bool:
    return owed.kind == "no_independent" and owed.facts.get("verb") not in _THEIRS


@dataclass(frozen=True)
class Speaking:
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
            case = await store.in_thread(store.case, ref)
            if kind in self.waits or _begun_by_us(owed):
                until = held_until(case, store.now(), answers=kind == "letter", closing=kind == "closing")
                if until is not None:
                    return Later(until, "quiet hours")
            chat = owed.chat or await store.in_thread(store.contact, ref)
            if chat is None:
                return GaveUp(f"{ref} has no chat to write to: tell the complainant by another route")
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
        found = next(one for one in self.store.history(case.ref) if one.seq == int(event))
        return found.at == case.question_answered_at

    async def _kept(self, owed: Obligation, written: Written) -> Outcome:
        """Not sent, at the complainant's wish: what would have followed from it follows, and says so."""
        if written.act is None:
            return Settled()
        verb, facts, words = written.act
        await self.store.in_thread(
            self.store.act, str(owed.ref), verb, SYSTEM, {**facts, "kept": True}, words,
            key=f"kept:{owed.key}", settles=owed.id,
        )  # fmt: skip
        return Settled(settled=True)

    def _message(self, written: Written, letter: Letter, kind: str, address: str) -> Message:
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
        return Message(
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
        composer = Composer(letter, store.history(ref), lambda seq: store.words_of(ref, seq), store.now())
        return composer.compose(owed.kind, owed.facts)

    def _plain(self, letter: Letter, owed: Obligation) -> Written | None:
        said = self._said(letter, owed)
        return None if said is None else Written(said.text, template=said.template)

    def _bringing(self, verb: Verb, rows: Rows = (), step: str = "") -> Write:
        """A letter whose acceptance by the channel is an act; the reply time starts with it (7.8)."""

        def write(letter: Letter, owed: Obligation) -> Written | None:
            said = self._said(letter, owed)
            return None if said is None else Written(said.text, rows, step, (verb, {}, {}))

        return write

    def _acknowledgement(self, letter: Letter, owed: Obligation) -> Written | None:
        level = int(owed.facts.get("level", 1))
        said = self._said(letter, owed)
        signing = level == 1 and received.unsigned(letter)
        rows: Rows = (("send",),) if signing else ()
        act = (Verb.ACKNOWLEDGE, {"level": level}, dict[str, str]())
        return None if said is None else Written(said.text, rows, "check", act)

    def _progress(self, letter: Letter, owed: Obligation) -> Written | None:
        said = self._said(letter, owed)
        act = None if said is None else (Verb.INFORM, dict[str, Any](), {"letter": said.text})
        return None if said is None else Written(said.text, act=act)

    def _remedy(self, letter: Letter, owed: Obligation) -> Written | None:
        """What was carried out, with the question whether it is right; or that it is late."""
        said = self._said(letter, owed)
        if said is None or said.template != "remedy_done":
            return None if said is None else Written(said.text, template=said.template)
        return Written(said.text, SURE, f"{REMEDY_STEP}{owed.facts['remedy']}", template=said.template)

    def _closing(self, letter: Letter, owed: Obligation) -> Written | None:
        """How it ended; where it was taken for something else, with the way to insist."""
        said = self._said(letter, owed)
        rows: Rows = INSIST if owed.facts.get("code") == CloseCode.NOT_COMPLAINT else ()
        return None if said is None else Written(said.text, rows, "closing", template=said.template)

    def _reply_reminder(self, letter: Letter, owed: Obligation) -> Written | None:
        said = self._said(letter, owed)
        return None if said is None else Written(said.text, REPLY, "decision")

    def _survey(self, letter: Letter, owed: Obligation) -> Written | None:
        if self.store.surveyed_before(letter.case.ref):
            # Asked about another complaint of the same incident: once is enough.
            return None
        reminder = owed.kind == "survey_reminder"
        step = {"step": "reminded" if reminder else "sent"}
        return Written(
            afterwards.survey(letter, reminder=reminder),
            SCALE,
            SURVEY[0],
            (Verb.SURVEY, step, {}),
            must_arrive=False,
        )

    def _seen(self, letter: Letter, owed: Obligation) -> Written:
        return Written(received.seen(letter, str(owed.facts.get("role", Role.ON_CALL.value))))
