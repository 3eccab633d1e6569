"""What speaks to a complainant unasked: one performer for each kind of duty that ends in a letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.dialogue.buttons import REPLY, SCALE, SURVEY, Rows
from bots.letters import Letter, afterwards, preview, received, under_way
from bots.telegram.buttons import Buttons
from bots.telegram.quiet import held_until
from bots.telegram.sending import Message, Sender
from bots.texts import Texts
from complaints.people import SYSTEM
from complaints.record import Case
from complaints.vocabulary import Role, Verb
from store.messages import Following
from store.open import Store
from store.outcomes import Done as Settled
from store.outcomes import GaveUp, Later, Outcome
from store.values import Obligation

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
                "remedy_notice",
                "reply_reminder",
                "closing",
                "survey",
                "survey_reminder",
                "legal_passed",
                "confirmation",
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
            "decision": self._decision,
            "letter": self._letter,
            "dates": self._dates,
            "progress": self._progress,
            "remedy_notice": self._remedy,
            "reply_reminder": self._reply_reminder,
            "recourse": self._recourse,
            "closing": self._closing,
            "survey": self._survey,
            "survey_reminder": self._survey,
            "danger_seen": self._seen,
            "legal_passed": self._legal_passed,
            "confirmation": self._confirmation,
        }

    def _performing(self, kind: str, write: Write) -> Perform:
        async def perform(owed: Obligation) -> Outcome:
            store, ref = self.store, str(owed.ref)
            case = await store.in_thread(store.case, ref)
            if kind in self.waits:
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
            return await self.sender.send(owed, chat, self._message(written, letter, kind, chat.address))

        return perform

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

    def _words(self, owed: Obligation) -> Mapping[str, str]:
        return self.store.words_of(str(owed.ref), int(owed.facts["seq"]))

    def _facts(self, owed: Obligation) -> Mapping[str, Any]:
        seq = int(owed.facts["seq"])
        return next(one.facts for one in self.store.history(str(owed.ref)) if one.seq == seq)

    def _acknowledgement(self, letter: Letter, owed: Obligation) -> Written:
        level = int(owed.facts.get("level", 1))
        signing = level == 1 and received.unsigned(letter)
        return Written(
            received.acknowledgement(letter, level),
            buttons=(("send",),) if signing else (),
            step="check",
            act=(Verb.ACKNOWLEDGE, {"level": level}, {}),
        )

    def _decision(self, letter: Letter, owed: Obligation) -> Written:
        """The letter that was previewed and approved; the reply time starts when it is accepted (7.8)."""
        words = self._words(owed)
        text = words.get("letter")
        if not text:
            # Decided by a route without a preview (a script, an import): what it would have shown.
            decision = letter.case.decision
            form = "resolve" if decision is not None and decision.short else "decide"
            facts, now = self._facts(owed), self.store.now()
            text = preview(
                form, letter.case, facts, words, texts=self.texts, now=now, language=letter.language
            )
        return Written(text, REPLY, "decision", (Verb.COMMUNICATE_DECISION, {}, {}))

    def _letter(self, letter: Letter, owed: Obligation) -> Written:
        words = self._words(owed)
        text = words.get("letter")
        verb = str(owed.facts["verb"])
        if not text:
            facts, now = self._facts(owed), self.store.now()
            text = preview(
                verb, letter.case, facts, words, texts=self.texts, now=now, language=letter.language
            )
        return Written(text, template=verb)

    def _dates(self, letter: Letter, owed: Obligation) -> Written:
        if owed.facts.get("verb") != Verb.EXTEND:
            return Written(received.dates(letter))
        target, of = str(owed.facts.get("target", "decide")), int(owed.facts.get("of", 0))
        reason = self._words(owed).get("reason", "")
        return Written(received.extended(letter, target, of, reason), template="dates.moved")

    def _progress(self, letter: Letter, owed: Obligation) -> Written:
        text = under_way.progress(letter, self.store.now())
        return Written(text, act=(Verb.INFORM, {}, {"letter": text}))

    def _legal_passed(self, letter: Letter, owed: Obligation) -> Written:
        return Written(under_way.legal_passed(letter))

    def _confirmation(self, letter: Letter, owed: Obligation) -> Written:
        text = under_way.confirmation(letter, str(owed.facts["verb"]), self._facts(owed))
        return Written(text)

    def _remedy(self, letter: Letter, owed: Obligation) -> Written | None:
        """Done, or late, as the event says that it follows."""
        number = int(owed.facts["remedy"])
        one = next((found for found in letter.case.remedies if found.n == number), None)
        if one is None:
            return None
        words = self._promise(letter.case, one.level)
        late = owed.facts.get("verb") == Verb.REMEDY_LATE
        write = afterwards.remedy_late if late else afterwards.remedy_done
        return Written(write(letter, one, words), template="remedy_late" if late else "remedy_done")

    def _promise(self, case: Case, level: int) -> Mapping[str, str]:
        decision = next((one for one in reversed(case.decisions) if one.level == level), None)
        return self.store.words_of(case.ref, decision.seq) if decision is not None else {}

    def _reply_reminder(self, letter: Letter, owed: Obligation) -> Written:
        return Written(afterwards.reply_reminder(letter), REPLY, "decision")

    def _recourse(self, letter: Letter, owed: Obligation) -> Written:
        return Written(afterwards.recourse(letter), act=(Verb.OFFER_RECOURSE, {}, {}))

    def _closing(self, letter: Letter, owed: Obligation) -> Written | None:
        code = str(owed.facts["code"])
        ends = (
            Verb.WITHDRAW,
            Verb.NOT_ACCEPT,
            Verb.MERGE,
            Verb.APPROVE,
            Verb.CLOSE,
            Verb.LAPSE,
            Verb.RECLASSIFY,
        )
        events = [one for one in self.store.history(letter.case.ref) if one.verb in ends]
        if events and events[-1].verb is Verb.WITHDRAW and events[-1].role is Role.COMPLAINANT:
            # The dialogue answered the press itself.
            return None
        words: Mapping[str, str] = {}
        other = ""
        if events:
            about = (
                [one for one in events if one.verb is Verb.RECLASSIFY] if code == "not_complaint" else events
            )
            words = self.store.words_of(letter.case.ref, (about or events)[-1].seq)
            other = str(events[-1].facts.get("other_ref", ""))
        text = afterwards.closing(letter, code, words, other=other)
        return Written(text, template=f"closing.{code}")

    def _survey(self, letter: Letter, owed: Obligation) -> Written:
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
