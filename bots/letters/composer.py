"""The exact text of an act before it is done: shown to staff, stored with the act, sent as it stands.

What a duty says to the complainant, whatever tells it: a chat, a person at the phone, a letter (7.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bots.letters import acknowledgement, decision, progress
from bots.letters import closing as letters_closing
from bots.letters import decision as letters_decision
from bots.letters import progress as letters_progress
from bots.letters.letter import Letter, parts
from bots.texts import Texts
from complaints.case import Case, Event
from complaints.case_values import RemedyOwed
from complaints.obligations.delay_notices import remedy_notice_at
from complaints.vocabulary import Role, Target, Verb

#: Forms whose text goes to the complainant.
FORMS = frozenset({"reply", "ask", "inform", "resolve", "decide"})


def preview(
    form: str,
    case: Case,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    texts: Texts,
    now: datetime,
    language: str | None = None,
    told: Sequence[str] = (),
) -> str:
    """The letter of a filled form, as the complainant will read it; the store keeps it as words["letter"].

    `told` are the issues in words, from the assessment. Raises ValueError for a form that writes nothing.
    """
    letter = Letter(case, texts, texts.language(language or case.language))
    match form:
        case "reply":
            return progress.reply(letter, words)
        case "ask":
            return progress.ask(letter, words, facts["needed_by"])
        case "inform":
            return progress.inform(letter, words, facts["next_date"])
        case "resolve":
            return decision.short(letter, facts, words)
        case "decide":
            return decision.full(letter, facts, words, told=told, now=now)
    raise ValueError(f"the form {form!r} writes nothing to the complainant")


WordsOf = Callable[[int], Mapping[str, str]]

#: The acts that end a complaint, whose words its closing message tells.
_ENDS = frozenset(
    {
        Verb.WITHDRAW,
        Verb.NOT_ACCEPT,
        Verb.MERGE,
        Verb.APPROVE,
        Verb.CLOSE,
        Verb.LAPSE,
        Verb.RECLASSIFY,
    }
)


@dataclass(frozen=True)
class Spoken:
    """The exact words and the name of what they were made from."""

    text: str
    template: str


@dataclass(frozen=True)
class Composer:
    """One complaint as its letters need it: `events` without words, `words_of(seq)` those of one event."""

    letter: Letter
    events: Sequence[Event]
    words_of: WordsOf
    now: datetime

    def compose(self, kind: str, facts: Mapping[str, Any]) -> Spoken | None:
        """What a duty of this kind with these facts says; None where nothing is left to say.

        Raises KeyError for a kind that tells the complainant nothing.
        """
        return _COMPOSED[kind](self, facts)

    def acknowledge(self, facts: Mapping[str, Any]) -> Spoken:
        """That we have it."""
        level = int(facts.get("level", 1))
        return Spoken(acknowledgement.acknowledgement(self.letter, level, now=self.now), "acknowledge")

    def decision(self, facts: Mapping[str, Any]) -> Spoken:
        """The letter that was previewed and approved."""
        seq = int(facts["seq"])
        text = self.words_of(seq).get("letter")
        if not text:
            # Decided by a route without a preview (a script, an import): what it would have shown.
            decision = self.letter.case.decision
            text = self._previewed("resolve" if decision is not None and decision.short else "decide", seq)
        return Spoken(text, "decision")

    def written(self, facts: Mapping[str, Any]) -> Spoken:
        """What a person of staff wrote."""
        seq, verb = int(facts["seq"]), str(facts["verb"])
        return Spoken(self.words_of(seq).get("letter") or self._previewed(verb, seq), verb)

    def dates(self, facts: Mapping[str, Any]) -> Spoken | None:
        """The first real dates, or a date that was moved and why; a date that has passed is no promise."""
        if "target" not in facts:
            if self.letter.answer_by() <= self.now:
                return None
            return Spoken(acknowledgement.dates(self.letter), "dates")
        reason = self.words_of(int(facts["seq"])).get("reason", "")
        moved = acknowledgement.extended(self.letter, str(facts["target"]), int(facts.get("of", 0)), reason)
        return Spoken(moved, "dates.moved")

    def progress(self, facts: Mapping[str, Any]) -> Spoken:
        """How far it is; before the date of the answer is missed, that it will be."""
        missing = facts.get("target") == Target.DECIDE
        return Spoken(letters_progress.progress(self.letter, self.now, missing=missing), "progress")

    def delay(self, facts: Mapping[str, Any]) -> Spoken | None:
        """That the answer, or what they asked beside it, is not ready.

        Of the answer nothing once the notice that its date will not be kept is due.
        """
        target = str(facts.get("target", Target.DECIDE))
        if target != Target.DECIDE:
            return Spoken(letters_progress.beside(self.letter, Target(target), self.now), target)
        until = facts.get("until")
        if until is not None and datetime.fromisoformat(str(until)) <= self.now:
            return None
        return Spoken(letters_progress.delay(self.letter, self.now), "delay")

    def legal_passed(self, facts: Mapping[str, Any]) -> Spoken:
        """That the outside is open now."""
        target = Target(facts.get("target", Target.LEGAL))
        return Spoken(letters_progress.legal_passed(self.letter, target), "legal_passed")

    def confirmation(self, facts: Mapping[str, Any]) -> Spoken:
        """What was heard or told by voice, in writing; a decision with its whole text."""
        verb = str(facts["verb"])
        said = letters_progress.confirmation(self.letter, verb, self._event(int(facts["seq"])).facts)
        decision = self.letter.case.decision
        if verb == Verb.COMMUNICATE_DECISION and decision is not None:
            said = parts(said, self.decision({"seq": decision.seq}).text)
        if verb == Verb.OFFER_RECOURSE:
            said = parts(said, letters_closing.recourse(self.letter))
        return Spoken(said, "confirmation")

    def remedy(self, facts: Mapping[str, Any]) -> Spoken | None:
        """Done, or late, as the event says that it follows."""
        case, number = self.letter.case, int(facts["remedy"])
        one = next((found for found in case.remedies if found.n == number), None)
        if one is None:
            return None
        decision = next((made for made in reversed(case.decisions) if made.level == one.level), None)
        words = self.words_of(decision.seq) if decision is not None else {}
        if facts.get("verb") == Verb.REMEDY_LATE:
            return None if one.done_at is not None else self._late(one, words, int(facts["seq"]))
        return Spoken(letters_closing.remedy_done(self.letter, one, words), "remedy_done")

    def _late(self, one: RemedyOwed, words: Mapping[str, str], seq: int) -> Spoken:
        """That its date will not be kept, or was not; where that was told before, that it is still not done."""
        case = self.letter.case
        target = case.target(Target.REMEDY, one.n)
        missed = remedy_notice_at(case, target) if target is not None else one.due
        told = any(
            event.verb is Verb.REMEDY_LATE
            and int(event.facts["remedy"]) == one.n
            and missed <= event.at
            and event.seq < seq
            for event in self.events
        )
        if told:
            still = letters_closing.remedy_still_late(self.letter, one, words, self.now)
            return Spoken(still, "remedy_late.still")
        late = letters_closing.remedy_late(self.letter, one, words, self.now)
        return Spoken(late, "remedy_late")

    def reply_reminder(self, facts: Mapping[str, Any]) -> Spoken:
        """That the decision waits for a reply."""
        return Spoken(letters_closing.reply_reminder(self.letter), "reply_reminder")

    def recourse(self, facts: Mapping[str, Any]) -> Spoken:
        """The outside steps."""
        return Spoken(letters_closing.recourse(self.letter), "recourse")

    def outside(self, facts: Mapping[str, Any]) -> Spoken:
        """What an outside body decided, or that we did it."""
        seq = int(facts["seq"])
        return Spoken(
            letters_decision.concluded(self.letter, self._event(seq).facts, self.words_of(seq)), "outside"
        )

    def next_recourse(self, facts: Mapping[str, Any]) -> Spoken:
        """The outside step after one that was refused."""
        return Spoken(letters_decision.next_step(self.letter, int(facts["step"])), "next_recourse")

    def no_independent(self, facts: Mapping[str, Any]) -> Spoken:
        """That nobody here is independent of it."""
        return Spoken(letters_decision.no_independent(self.letter), "no_independent")

    def summary(self, facts: Mapping[str, Any]) -> Spoken:
        """That it was settled early and accepted."""
        return Spoken(letters_closing.summary(self.letter), "summary")

    def closing(self, facts: Mapping[str, Any]) -> Spoken | None:
        """How it ended; nothing where the complainant's own press was answered already."""
        code = str(facts["code"])
        ends = [one for one in self.events if one.verb in _ENDS]
        if ends and ends[-1].verb is Verb.WITHDRAW and ends[-1].role is Role.COMPLAINANT:
            return None
        words: Mapping[str, str] = {}
        other = ""
        if ends:
            proposed = [one for one in ends if one.verb is Verb.RECLASSIFY] if code == "not_complaint" else []
            words = self.words_of((proposed or ends)[-1].seq)
            other = str(ends[-1].facts.get("other_ref", ""))
        text = letters_closing.closing(self.letter, code, words, other=other)
        return Spoken(text, f"closing.{code}")

    def _event(self, seq: int) -> Event:
        return next(one for one in self.events if one.seq == seq)

    def _previewed(self, form: str, seq: int) -> str:
        letter = self.letter
        return preview(
            form,
            letter.case,
            self._event(seq).facts,
            self.words_of(seq),
            texts=letter.texts,
            now=self.now,
            language=letter.language,
        )


_COMPOSED: Mapping[str, Callable[[Composer, Mapping[str, Any]], Spoken | None]] = {
    "acknowledge": Composer.acknowledge,
    "decision": Composer.decision,
    "letter": Composer.written,
    "dates": Composer.dates,
    "progress": Composer.progress,
    "delay": Composer.delay,
    "legal_passed": Composer.legal_passed,
    "confirmation": Composer.confirmation,
    "remedy_notice": Composer.remedy,
    "reply_reminder": Composer.reply_reminder,
    "recourse": Composer.recourse,
    "closing": Composer.closing,
    "outside": Composer.outside,
    "next_recourse": Composer.next_recourse,
    "no_independent": Composer.no_independent,
    "summary": Composer.summary,
}


def read_out(
    case: Case,
    about: str,
    facts: Mapping[str, Any],
    *,
    events: Sequence[Event],
    words_of: WordsOf,
    texts: Texts,
    now: datetime,
) -> Spoken | None:
    """What people tell where no chat takes it, in the complainant's language."""
    letter = Letter(case, texts, texts.language(case.language))
    if about == "logged":
        return Spoken(acknowledgement.read_out(letter, now=now), "logged")
    return Composer(letter, events, words_of, now).compose(about, facts)
