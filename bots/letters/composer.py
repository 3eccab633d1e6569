"""Each letter to the complainant: as a preview for staff, and for each kind of obligation (7.3).

A preview is stored with its act and sent unchanged. A chat also gets the buttons below a letter, and the act that
follows from its delivery.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from bots.dialogue.buttons import APPEAL, FORM_COPY, INSIST, REMEDY_STEP, REPLY, SCALE, SURE, SURVEY, Rows
from bots.letters import decision_letters, progress_letters
from bots.letters.letter import Letter, join_paragraphs
from bots.texts.texts import Texts
from complaints.actions.registry import ACTIONS, SECOND_PERSON_VERBS, form_of, verbs_that
from complaints.actors import SYSTEM, Actor
from complaints.case import Case, Event, events_of
from complaints.case_values import RemedyOwed
from complaints.forms import FORMS
from complaints.history import taken_back_seqs
from complaints.letter_texts import NO_TEXT, ComplaintText
from complaints.obligations.kinds import LETTERS
from complaints.obligations.standing import remedy_notice_at
from complaints.vocabulary import CloseCode, Flag, Role, Target, Verb

#: The kinds of obligation whose letter can hold a decision; `confirmation` repeats one that was given by voice.
DECISION_LETTERS = frozenset({"decision", "confirmation"})


def preview(
    form: str,
    case: Case,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    texts: Texts,
    now: datetime,
    language: str | None = None,
    issue_texts: Sequence[str] = (),
    reviewers: int = 0,
    complaint_text: ComplaintText = NO_TEXT,
    written_at: datetime | None = None,
) -> str:
    """The letter of a filled-in form as the complainant will read it; stored as words["letter"].

    The stored letter of a decision, from `written_at`, is only adjusted to the review and the dates of `now`.
    `issue_texts` are the issues in the words of the assessment. For a decision, `reviewers` is the number of people
    who could review it, and `complaint_text` the complaint in the complainant's own words. Raises ValueError for a
    form that sends nothing.
    """
    texts = texts.to(child=Flag.MINOR in case.flags)
    letter = Letter(case, texts, texts.language(language or case.language), reviewers, complaint_text)
    if form not in _COMPOSED and not FORMS[form].keeps_letter:
        raise ValueError(f"the form {form!r} writes nothing to the complainant")
    if stored := words.get("letter"):
        return decision_letters.as_it_leaves(letter, stored, facts, words, written_at or now, now)
    if form in _COMPOSED:
        return _COMPOSED[form](letter, facts, words, issue_texts=issue_texts, now=now)
    return progress_letters.from_staff(letter, FORMS[form], facts, words)


#: Letters with more than the fields of their form, and that about what an improvement changed.
_COMPOSED: Mapping[str, Callable[..., str]] = {
    "change": lambda letter, facts, words, **_: progress_letters.from_staff(
        letter, FORMS["reply"], facts, words, "reply.change"
    ),
    "resolve": lambda letter, facts, words, **_: decision_letters.short_decision(letter, facts, words),
    "decide": decision_letters.full_decision,
}


WordsOf = Callable[[int], Mapping[str, str]]

#: The acts that close a complaint, or ask for it; the closing letter uses their words.
_CLOSING_VERBS = verbs_that(lambda row: row.ends or row.asks == "reclassify")


#: The verb, the facts and the words of an act.
Act = tuple[Verb, Mapping[str, Any], Mapping[str, str]]


@dataclass(frozen=True)
class LetterText:
    """The text of a letter, and the name of the template it was made from.

    `in_short`: a long decision in a few lines, for the chat. `buttons` are below it in a chat; a press belongs to
    `step`. `act` is recorded when the channel accepts the letter. `must_arrive`: send it again
    when that is uncertain.
    """

    text: str
    template: str
    in_short: str = ""
    buttons: Rows = ()
    step: str = ""
    act: Act | None = None
    must_arrive: bool = True

    def acts(self, ref: str) -> tuple[tuple[str, Verb, Actor, Mapping[str, Any], Mapping[str, str]], ...]:
        """The act on this complaint that follows from the delivery, as the store records it."""
        if self.act is None:
            return ()
        verb, facts, words = self.act
        return ((ref, verb, SYSTEM, facts, words),)


@dataclass(frozen=True)
class Composer:
    """Composes the letters of one complaint. `events` hold no words; `words_of(seq)` loads those of one event."""

    letter: Letter
    events: Sequence[Event]
    words_of: WordsOf
    now: datetime

    def compose(self, kind: str, facts: Mapping[str, Any]) -> LetterText | None:
        """The letter for an obligation of this kind; None when there is nothing left to say.

        Raises KeyError for a kind that sends the complainant nothing.
        """
        return _BY_KIND[kind](self, facts)

    def logged(self, facts: Mapping[str, Any]) -> LetterText:
        """What a person who logs a complaint reads out at once."""
        return LetterText(progress_letters.read_out(self.letter, now=self.now), "logged")

    def acknowledge(self, facts: Mapping[str, Any]) -> LetterText:
        letter, level = self.letter, int(facts.get("level", 1))
        can_sign = not letter.case.reviews_decision and progress_letters.is_unsigned(letter)
        return LetterText(
            progress_letters.acknowledgement(letter, level, now=self.now),
            "acknowledge",
            buttons=(("send",), *FORM_COPY) if can_sign else FORM_COPY,
            step="check",
            act=(Verb.ACKNOWLEDGE, {"level": level}, {}),
        )

    def decision(self, facts: Mapping[str, Any]) -> LetterText:
        # A decision by script or import has no stored preview: the same letter is composed now.
        decision = self.letter.case.decision
        form = "resolve" if decision is not None and decision.short else "decide"
        # The time to carry out a remedy counts from the decision, not from when the letter leaves.
        at = decision.at if decision is not None else self.now
        seq = int(facts["seq"])
        event_facts, words = self._event(seq).facts, self.words_of(seq)
        return LetterText(
            self._preview(form, seq, at),
            "decision",
            decision_letters.in_short(self.letter, event_facts, words, at),
            buttons=REPLY,
            step="decision",
            # The time to reply starts with it (7.8).
            act=(Verb.COMMUNICATE_DECISION, {}, {}),
        )

    def written(self, facts: Mapping[str, Any]) -> LetterText:
        seq, verb = int(facts["seq"]), str(facts["verb"])
        form, words = FORMS[form_of(verb)], self.words_of(seq)
        # Composed also where a letter is stored: its days are promises.
        composed = progress_letters.from_staff(self.letter, form, self._event(seq).facts, words)
        counts = seq in {unsent.event.seq for unsent in self.letter.case.unsent}
        return LetterText(
            words.get("letter") or composed,
            verb,
            act=(Verb.DELIVER, {"seq": seq}, {}) if counts else None,
        )

    def dates(self, facts: Mapping[str, Any]) -> LetterText | None:
        """The dates after the assessment, or a moved date with its reason.

        None when the date has passed, or when the promised day did not move.
        """
        if "target" not in facts:
            if self.letter.answer_by() <= self.now:
                return None
            return LetterText(progress_letters.dates(self.letter, self.now), "dates")
        reason = self.words_of(int(facts["seq"])).get("reason", "")
        moved = progress_letters.moved_date(
            self.letter, str(facts["target"]), int(facts.get("of", 0)), reason
        )
        return None if moved is None else LetterText(moved, "dates.moved")

    def progress(self, facts: Mapping[str, Any]) -> LetterText:
        """The progress; before the date of the answer is missed, also that it will be."""
        missing = facts.get("target") == Target.DECIDE
        text = progress_letters.progress(self.letter, self.now, missing=missing)
        return LetterText(text, "progress", act=(Verb.INFORM, {}, {"letter": text}))

    def no_independent(self, facts: Mapping[str, Any]) -> LetterText:
        text = decision_letters.no_independent(self.letter)
        return LetterText(text, "no_independent", act=(Verb.INFORM, {}, {"letter": text}))

    def delay(self, facts: Mapping[str, Any]) -> LetterText | None:
        """The answer, or the reply to another request, is not ready.

        None for the answer once the notice that its date will be missed is due.
        """
        target = str(facts.get("target", Target.DECIDE))
        if target != Target.DECIDE:
            number = int(facts.get("of", 0))
            return LetterText(
                progress_letters.other_delay(self.letter, Target(target), number, self.now), target
            )
        until = facts.get("until")
        if until is not None and datetime.fromisoformat(str(until)) <= self.now:
            return None
        return LetterText(progress_letters.delay(self.letter, self.now), "delay")

    def legal_passed(self, facts: Mapping[str, Any]) -> LetterText:
        target = Target(facts.get("target", Target.LEGAL))
        return LetterText(progress_letters.legal_passed(self.letter, target), "legal_passed")

    def confirmation(self, facts: Mapping[str, Any]) -> LetterText:
        """What was agreed or communicated by voice, in writing; for a decision with its full text."""
        verb = Verb(str(facts["verb"]))
        text = progress_letters.confirmation(self.letter, verb, self._event(int(facts["seq"])).facts)
        decision = self.letter.case.decision
        if ACTIONS[verb].records == "decision" and decision is not None:
            text = join_paragraphs(text, self.decision({"seq": decision.seq}).text)
        if ACTIONS[verb].records == "recourse":
            text = join_paragraphs(text, decision_letters.recourse(self.letter))
        return LetterText(text, "confirmation")

    def remedy(self, facts: Mapping[str, Any]) -> LetterText | None:
        case, number = self.letter.case, int(facts["remedy"])
        remedy = next((remedy for remedy in case.remedies if remedy.n == number), None)
        if remedy is None:
            return None
        decision = next(
            (decision for decision in reversed(case.decisions) if decision.level == remedy.level), None
        )
        words = self.words_of(decision.seq) if decision is not None else {}
        if facts.get("verb") == Verb.REMEDY_LATE:
            return None if remedy.done_at is not None else self._late_remedy(remedy, words, int(facts["seq"]))
        text = decision_letters.remedy_done(self.letter, remedy, words)
        return LetterText(text, "remedy_done", buttons=SURE, step=f"{REMEDY_STEP}{number}")

    def _late_remedy(self, remedy: RemedyOwed, words: Mapping[str, str], seq: int) -> LetterText:
        """The date will be missed, or was missed; after an earlier such letter, it is still not done."""
        case = self.letter.case
        target = case.target(Target.REMEDY, remedy.n)
        missed = remedy_notice_at(case, target) if target is not None else remedy.due
        reported_before = any(
            int(event.facts["remedy"]) == remedy.n and missed <= event.at and event.seq < seq
            for event in events_of(self.events, Verb.REMEDY_LATE)
        )
        if reported_before:
            text = decision_letters.remedy_still_late(self.letter, remedy, words, self.now)
            return LetterText(text, "remedy_late.still")
        text = decision_letters.remedy_late(self.letter, remedy, words, self.now)
        return LetterText(text, "remedy_late")

    def outside(self, facts: Mapping[str, Any]) -> LetterText:
        seq = int(facts["seq"])
        return LetterText(
            decision_letters.outside_decision(self.letter, self._event(seq).facts, self.words_of(seq)),
            "outside",
        )

    def next_recourse(self, facts: Mapping[str, Any]) -> LetterText:
        return LetterText(decision_letters.next_body(self.letter, int(facts["step"])), "next_recourse")

    def closing(self, facts: Mapping[str, Any]) -> LetterText | None:
        """How it ended; None after a withdrawal in the chat, which got its reply at once."""
        code = str(facts["code"])
        closings = [event for event in self.events if event.verb in _CLOSING_VERBS]
        if closings and closings[-1].role is Role.COMPLAINANT:
            return None
        words: Mapping[str, str] = {}
        other = ""
        if closings:
            reclassified = events_of(closings, Verb.RECLASSIFY)
            source = reclassified if code == "not_complaint" and reclassified else closings
            words = self.words_of(source[-1].seq)
            other = str(closings[-1].facts.get("other_ref", ""))
        text = decision_letters.closing(self.letter, code, words, other=other)
        return LetterText(
            text,
            decision_letters.closing_template(self.letter.case, code),
            buttons=INSIST if code == CloseCode.NOT_COMPLAINT else (),
            step="closing",
        )

    def reply_reminder(self, facts: Mapping[str, Any]) -> LetterText:
        text = decision_letters.reply_reminder(self.letter)
        return LetterText(text, "reply_reminder", buttons=REPLY, step="decision")

    def recourse(self, facts: Mapping[str, Any]) -> LetterText:
        act = (Verb.OFFER_RECOURSE, dict[str, Any](), dict[str, str]())
        return LetterText(decision_letters.recourse(self.letter), "recourse", act=act)

    def summary(self, facts: Mapping[str, Any]) -> LetterText:
        return LetterText(decision_letters.summary(self.letter), "summary")

    def survey(self, facts: Mapping[str, Any], *, step: str = "sent") -> LetterText:
        """The survey, or its reminder; it is not worth a second copy."""
        is_reminder = step == "reminded"
        return LetterText(
            decision_letters.survey(self.letter, reminder=is_reminder),
            "survey_reminder" if is_reminder else "survey",
            buttons=SCALE,
            step=SURVEY[0],
            act=(Verb.SURVEY, {"step": step}, {}),
            must_arrive=False,
        )

    def conduct(self, facts: Mapping[str, Any]) -> LetterText | None:
        """A limit on contact, or what became of it."""
        event = self._event(int(facts["seq"]))
        taken_back = taken_back_seqs(self.events)
        before = [row for row in self.events if row.seq < event.seq and row.seq not in taken_back]
        request = events_of(before, Verb.LIMIT_CONTACT)[-1]
        # A renewal moves the last day, and the letter about an appeal gives the day in force.
        later = [row for row in (*before, event) if row.seq > request.seq]
        days = [row.facts["until"] for row in later if row.facts.get("outcome") == "renewed"]
        limit = {**request.facts, "until": days[-1]} if days else request.facts
        outcome = str(event.facts.get("outcome", "limit"))
        words = self.words_of(request.seq if event.verb in SECOND_PERSON_VERBS else event.seq)
        # Once for each limit there is a button to appeal against it.
        conduct = self.letter.case.conduct
        return LetterText(
            progress_letters.contact_limit(self.letter, limit, words, outcome),
            f"conduct.{outcome}",
            buttons=APPEAL if conduct.limit is not None and not conduct.appealed else (),
            step="conduct",
        )

    def danger_seen(self, facts: Mapping[str, Any]) -> LetterText:
        role = str(facts.get("role", Role.ON_CALL.value))
        return LetterText(progress_letters.danger_seen(self._in_danger_language(), role), "danger_seen")

    def talk(self, facts: Mapping[str, Any]) -> LetterText | None:
        """A line exactly as it was typed, or that a person came or left."""
        if facts["phase"] == "line":
            line = self.words_of(int(facts["seq"])).get("text")
            return None if line is None else LetterText(line, "talk")
        letter, role = self._in_danger_language(), str(facts["role"])
        return LetterText(progress_letters.person_talks(letter, role, str(facts["phase"])), "talk")

    def _in_danger_language(self) -> Letter:
        """The letter in the language of the message with the danger, also if the desk does not speak it."""
        letter = self.letter
        written = next((sign.language for sign in reversed(letter.case.signs) if sign.danger), "")
        return replace(letter, language=letter.texts.danger_language(written, letter.language))

    def _event(self, seq: int) -> Event:
        return next(event for event in self.events if event.seq == seq)

    def _preview(self, form: str, seq: int, at: datetime) -> str:
        letter, event = self.letter, self._event(seq)
        return preview(
            form,
            letter.case,
            event.facts,
            self.words_of(seq),
            texts=letter.texts,
            now=at,
            written_at=event.at,
            language=letter.language,
            reviewers=letter.reviewers,
            complaint_text=letter.complaint_text,
        )


_BY_KIND: Mapping[str, Callable[[Composer, Mapping[str, Any]], LetterText | None]] = {
    "logged": Composer.logged,
    "acknowledge": Composer.acknowledge,
    "decision": Composer.decision,
    "letter": Composer.written,
    "dates": Composer.dates,
    "progress": Composer.progress,
    "delay": Composer.delay,
    "legal_passed": Composer.legal_passed,
    "confirmation": Composer.confirmation,
    "remedy_notice": Composer.remedy,
    "closing": Composer.closing,
    "outside": Composer.outside,
    "next_recourse": Composer.next_recourse,
    "conduct": Composer.conduct,
    "reply_reminder": Composer.reply_reminder,
    "recourse": Composer.recourse,
    "no_independent": Composer.no_independent,
    "summary": Composer.summary,
    "survey": Composer.survey,
    "survey_reminder": partial(Composer.survey, step="reminded"),
    "danger_seen": Composer.danger_seen,
    "talk": Composer.talk,
}
#: The kinds of obligation whose letter a chat gets.
CHAT_LETTERS = frozenset(_BY_KIND) - {"logged"}
#: The kinds with a letter that follows from an act; an acknowledgement follows from the complaint.
COMPOSED = LETTERS - {"acknowledge"} | {"confirmation"}


def compose_read_out(
    case: Case,
    about: str,
    facts: Mapping[str, Any],
    *,
    events: Sequence[Event],
    words_of: WordsOf,
    texts: Texts,
    now: datetime,
    reviewers: int = 0,
    complaint_text: ComplaintText = NO_TEXT,
) -> LetterText | None:
    """The letter that staff read out or post when there is no chat, in the complainant's language."""
    texts = texts.to(child=Flag.MINOR in case.flags)
    letter = Letter(case, texts, texts.language(case.language), reviewers, complaint_text)
    return Composer(letter, events, words_of, now).compose(about, facts)
