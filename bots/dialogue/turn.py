"""One turn of the dialogue while it is computed: the state as it changes, the planned acts and the replies.

The state holds codes and ids only. Words are kept in the acts and, sealed, in the replies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bots.dialogue.buttons import Rows
from bots.dialogue.question_table import ORDER
from bots.texts.texts import Texts
from complaints.actions.authorisation import possible_in_state
from complaints.actions.intake import CHILD_WRITING
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.deadlines.working_time import due
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Rulebook, Rulebooks
from complaints.times import format_time, local_time, parse_time
from complaints.vocabulary import Flag, Verb
from store.values import Conversation, DialogueTurn, PlannedAct, ReplyText, WakeUp
from triage.facts.danger_talk import DangerMessage, read_danger_message
from triage.facts.fact import StoryFact
from triage.facts.finder import find_facts
from triage.matching import LANGUAGES
from triage.safety.language import spoken_languages, unread_language, words_of
from triage.safety.organisation import ORGANISATION, DangerSign, named_people, own_sign
from triage.safety.signs import find_signs

if TYPE_CHECKING:
    from triage.reader.acts import Act

#: The steps that belong to the form.
FORM = frozenset({"story", "incident", *ORDER, "check", "change"})
IDLE = "idle"
#: The field of a complaint's first words.
DESCRIPTION = "description"
#: Key in the state: the country of the link through which the person came. Their next complaint gets its rules.
COUNTRY = "country"
#: Field of a reply: a further paragraph below its text.
BELOW = "below"
#: The sign of a text in a language that the desk does not read.
UNREAD = "unread.unread"
#: Field of a reply to a child: such a person is not addressed formally.
TO_CHILD = "to_child"


#: A message that waited for so long, for example in an outage, is answered and paged with its age.
LATE_AFTER = timedelta(minutes=5)
#: Telegram keeps updates for a day: a message that seems older has the time of another clock.
LATE_UNTIL = timedelta(days=2)


def read_late(now: datetime, written_at: datetime | None) -> timedelta | None:
    """How long a message waited before it was read; None if that was a short time, or is not known."""
    waited = timedelta(0) if written_at is None else now - written_at
    return waited if LATE_AFTER <= waited <= LATE_UNTIL else None


@dataclass
class Turn:
    """Lives for one `step`: the conversation as it was loaded, and the state as it changes."""

    conversation: Conversation
    now: datetime
    rulebooks: Rulebooks
    catalogue: Texts
    state: dict[str, Any]
    acts: list[PlannedAct] = field(default_factory=list)
    replies: list[ReplyText] = field(default_factory=list)
    wake_ups: list[WakeUp] = field(default_factory=list)
    chosen_language: str | None = None
    blocked: bool | None = None
    #: A linking code to use.
    code: str | None = None
    danger: tuple[str, SignsInWords] | None = None
    #: What a message within a danger says.
    within_danger: DangerMessage | None = None
    #: When the person wrote the incoming message, if the channel says so.
    written_at: datetime | None = None
    #: The promised dates that this turn writes, each with its time in seconds since 1970.
    dates: dict[str, int] = field(default_factory=dict)
    _signs: dict[tuple[str, str], SignsInWords] = field(default_factory=dict)
    _details: dict[str, tuple[StoryFact, ...]] = field(default_factory=dict)
    _acts_read: dict[tuple[str, str], Act] = field(default_factory=dict)
    _file_counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, conversation: Conversation, now: datetime, texts: Texts) -> Turn:
        state = {"step": IDLE, "ref": None, **conversation.state}
        state["turn"] = int(state.get("turn", 0)) + 1
        turn = cls(conversation, now, conversation.rules(), texts, state)
        if conversation.language is None:
            # The platform's hint counts until the person chooses a language, or clearly writes in one.
            turn.chosen_language = turn.language
            state["hinted"] = True
        return turn

    @property
    def texts(self) -> Texts:
        """The texts in the form of address for this person."""
        return self.catalogue.to(child=self.is_child)

    @property
    def is_child(self) -> bool:
        """True if the record, or the words of this turn, say that the person is a child."""
        answers = [act.facts["minor"] for act in self.acts if "minor" in act.facts]
        if answers:
            return bool(answers[-1])
        cases = self.open_cases or self.conversation.cases[:1]
        if any(Flag.MINOR in case.flags for case in cases):
            return True
        signs = [sign.rule for in_words in self._signs.values() for sign in in_words.signs]
        return CHILD_WRITING in signs and not any(case.adult for case in cases)

    @property
    def language(self) -> str:
        """The language of the replies: the chosen one, then the platform's hint, then the first configured."""
        return self.texts.language(
            self.chosen_language or self.conversation.language or self.conversation.chat.language
        )

    @property
    def rules(self) -> Rulebook:
        """The rules that a complaint received in this turn gets."""
        return self.rulebooks.for_person(self.state.get(COUNTRY), self.language)

    def rules_of(self, ref: str | None) -> Rulebook:
        """The rules that a complaint was received under; without a complaint, those that it would get."""
        case = self.case(ref)
        return case.rules if case is not None else self.rules

    def current_rules(self, ref: str | None) -> Rulebook:
        """Today's rules of the complaint's country: an emergency number must be current, not as on receipt."""
        case = self.case(ref)
        return self.rules if case is None else self.rulebooks.today(case.rules)

    @property
    def person_rules(self) -> Rulebook:
        """Today's rules for this person: of the country named last, or those of the newest open complaint."""
        has_country = self.state.get(COUNTRY) in self.rulebooks.codes
        return (
            self.rules if has_country or not self.open_cases else self.current_rules(self.open_cases[0].ref)
        )

    @property
    def zone(self) -> str:
        return self.rules_of(self.ref).calendar.zone

    @property
    def step(self) -> str:
        """The current step: which question waits for an answer."""
        return str(self.state["step"])

    @property
    def ref(self) -> str | None:
        ref: str | None = self.state["ref"]
        return ref

    def case(self, ref: str | None) -> Case | None:
        """The person's complaint with this reference, as it was before this turn."""
        case = next((case for case in self.conversation.cases if case.ref == ref), None)
        # The reference of a merged complaint leads to the complaint that continues.
        continued = case is not None and case.merged_into is not None and self.case(case.merged_into)
        return continued or case

    @property
    def open_cases(self) -> list[Case]:
        """The person's complaints that are neither closed nor withdrawn, the newest first."""
        return [case for case in self.conversation.cases if case.is_open and case.withdrawn_at is None]

    def is_form_open(self, ref: str | None) -> bool:
        """True while the form of this complaint is open, also for one received in this turn."""
        case = self.case(ref)
        return case.form_open if case is not None else ref == self.conversation.next_ref

    def allows(self, case: Case | None, verb: Verb) -> bool:
        """True when the lifecycle allows the verb now: a press may come late (docs/domain.md, section 3)."""
        return case is not None and possible_in_state(case, verb)

    def go_to(self, step: str, ref: str | None = None, **more: Any) -> None:
        """Set the next step; `more` goes into the state."""
        self.state["step"] = step
        if ref is not None or step == IDLE:
            self.state["ref"] = ref
        self.state.update(more)

    def next_field(self, field: str, ref: str) -> str:
        """The field for a new version of an answer (`description.2`): earlier versions are kept."""
        words = self.words(ref)
        if field not in words:
            return field
        number = 2
        while f"{field}.{number}" in words:
            number += 1
        return f"{field}.{number}"

    def latest_field(self, field: str, ref: str) -> str:
        versions = [name for name in self.words(ref) if name.split(".")[0] == field]
        return max(versions, key=lambda name: int(name.partition(".")[2] or 1), default=field)

    def plan(self, act: PlannedAct) -> None:
        if self.written_at and read_late(self.now, self.written_at) and act.facts.get("signs"):
            act = replace(act, facts={**act.facts, "written_at": format_time(self.written_at)})
        self.acts.append(act)
        self._file_counts[act.ref] = self._file_counts.get(act.ref, 0) + len(act.files)

    def words(self, ref: str) -> Mapping[str, str]:
        """The latest words of each field of a complaint, including those of this turn."""
        words = dict(self.conversation.texts(ref)) if self.case(ref) is not None else {}
        for act in self.acts:
            for name, text in act.words.items() if act.ref == ref else ():
                before = words.get(name)
                is_edit = act.facts.get("field") == "edit"
                words[name] = text if is_edit or not before else f"{before}\n\n{text}"
        return words

    def mentions_danger(self, text: str) -> bool:
        return self.signs_in(text, self.ref).danger is not None

    def signs_in(self, text: str, ref: str | None) -> SignsInWords:
        """What the safety rules find in a text about a complaint; cached for the turn."""
        rules = self.current_rules(ref)
        key = (rules.country, text)
        if key not in self._signs:
            before = self._complaint_before(text, ref)
            signs = read_signs(
                text, rules, self.conversation.staff, self.now, self.catalogue.languages, before
            )
            # A person who denied the danger is not asked again for their language alone.
            kept = [
                sign
                for sign in signs.signs
                if (sign.rule, sign.language) != (UNREAD, self.state.get("unread"))
            ]
            self._signs[key] = replace(signs, signs=tuple(kept))
        return self._signs[key]

    def act_of(self, text: str, state: str) -> Act:
        """What a message does in this moment of a complaint (`triage.reader.acts.STATES`); cached for the turn."""
        # Imported here: only the running desk loads NumPy, and no command does.
        from triage.reader.acts import read_act

        if (state, text) not in self._acts_read:
            self._acts_read[state, text] = read_act(text, state)
        return self._acts_read[state, text]

    def _complaint_before(self, text: str, ref: str | None) -> str:
        """The complaint before a question about it; "" once it had an alarm, and for all that is no question."""
        case = self.case(ref)
        if case is None or case.alarms or not read_danger_message(text).asks:
            return ""
        story = self.words(case.ref).get(DESCRIPTION, "")
        return story if text not in story else ""

    def received_on(self, ref: str) -> date:
        """The local day on which a complaint was received; today for one received in this turn."""
        case = self.case(ref)
        zone = self.rules_of(ref).calendar.zone
        return local_time(case.received_at if case is not None else self.now, zone).date()

    def details_in(self, text: str, received: date) -> tuple[StoryFact, ...]:
        """The dates, places, numbers and wishes in a text; cached for the turn."""
        if text not in self._details:
            country = self.rules_of(self.ref).country
            self._details[text] = find_facts(
                text, received=received, country=country, written_in=self.language
            )
        return self._details[text]

    def files(self, ref: str) -> tuple[tuple[str, int | None], ...]:
        """The kind and the seconds of each file of a complaint, including those of this turn."""
        received = self.conversation.load_files(ref) if self.case(ref) is not None else ()
        new = (file for act in self.acts if act.ref == ref for file in act.files)
        return tuple((file.kind, file.seconds) for file in (*received, *new))

    def file_count(self, ref: str) -> int:
        """The number of files of a complaint, including those of this turn."""
        case = self.case(ref)
        return (case.media if case is not None else 0) + self._file_counts.get(ref, 0)

    def reply(
        self,
        template: str,
        *,
        buttons: Rows = (),
        ref: str | None = None,
        key: str | None = None,
        lane: SendPriority = SendPriority.DIALOGUE,
        step: str | None = None,
        **fields: str,
    ) -> None:
        """Add a reply. Without a `key`, its number within the turn makes it unique.

        The fields `ref` (for the text) and `turn` (for the buttons) are always filled in.
        """
        default_key = f"say:{self.conversation.person}:{self.state['turn']}:{len(self.replies)}"
        self.replies.append(
            ReplyText(
                key=key or default_key,
                template=template,
                fields={
                    **fields,
                    **({"ref": ref} if ref else {}),
                    **({TO_CHILD: True} if self.is_child else {}),
                    "turn": self.state["turn"],
                    "dates": self.dates,
                },
                buttons=buttons,
                ref=ref,
                lane=lane,
                step=self.step if step is None else step,
            )
        )

    def keep_replies(self, is_kept: Callable[[ReplyText], bool]) -> None:
        """Drop all other replies of this turn. A read-back that is not sent was not shown."""
        if any(reply.template.startswith("readback") and not is_kept(reply) for reply in self.replies):
            self.state.pop("shown", None)
        self.replies[:] = filter(is_kept, self.replies)

    def add_below(self, text: str, position: int = -1) -> None:
        """A further paragraph below a reply, by default the last one."""
        reply = self.replies[position]
        below = "\n\n".join(filter(None, (reply.fields.get(BELOW), text)))
        self.replies[position] = replace(reply, fields={**reply.fields, BELOW: below})

    def schedule_job(self, kind: str, template: str, **more: str) -> None:
        """Schedule an obligation of another kind than a reply, such as sending a file; `template` is its caption."""
        key = f"{kind}:{self.conversation.person}:{self.state['turn']}"
        reader = {TO_CHILD: True} if self.is_child else {}
        fields = {"person": self.conversation.person, "turn": self.state["turn"], **reader, **more}
        self.replies.append(ReplyText(key=key, template=template, fields=fields, kind=kind))

    def schedule_wake_up(self, what: str, at: datetime) -> None:
        """Run the dialogue again at this time with `Elapsed(what)`."""
        self.wake_ups.append(WakeUp(f"wake:{self.conversation.person}:{self.state['turn']}:{what}", what, at))

    def text(self, id_: str, **fields: Any) -> str:
        return self.texts.text(self.language, id_, **fields)

    def moment(self, at: datetime, case: Case | None = None) -> str:
        """Day and time in the zone of this complaint, or of the current one."""
        return self.texts.moment(self.language, at, case.rules.calendar.zone if case else self.zone)

    def due_day(self, at: datetime, case: Case | None = None) -> str:
        """The day by which something is due, in the zone of this complaint, or of the current one."""
        zone = case.rules.calendar.zone if case else self.zone
        return self.texts.promise(self.dates, self.texts.day_by(self.language, at, zone), at, zone)

    def due_time(self, at: datetime, case: Case) -> str:
        """The day and time by which something is due, in the zone of this complaint: `17:30 today`."""
        zone = case.rules.calendar.zone
        return self.texts.promise(self.dates, self.texts.time_by(self.language, at, self.now, zone), at, zone)

    def event_day(self, at: datetime, case: Case) -> str:
        return self.texts.date(self.language, at, case.rules.calendar.zone)

    def burst_end(self) -> datetime:
        """When a burst of messages ends if no further message follows."""
        rules = self.rules_of(self.ref)
        return due(self.now, rules.dialogue.burst, rules.calendar).at

    def is_past(self, stored: str) -> bool:
        """True when a time from the state has come."""
        return parse_time(stored) <= self.now

    def result(self) -> DialogueTurn:
        return DialogueTurn(
            state=self.state,
            acts=tuple(self.acts),
            replies=tuple(self.replies),
            wake_ups=tuple(self.wake_ups),
            language=self.chosen_language,
            blocked=self.blocked,
            jurisdiction=self.rules.country,
            code=self.code,
        )


def written_reply(texts: Texts, language: str, template: str, fields: Mapping[str, Any]) -> str:
    """A reply as the person reads it."""
    texts = texts.to(child=TO_CHILD in fields)
    text, below = texts.text(language, template, **fields), fields.get(BELOW)
    return f"{text}\n\n{below}" if below else text


@dataclass(frozen=True)
class SignsInWords:
    """`signs` as they are recorded, the gravest first; `subjects`: the ids of the staff named.

    `hazards` are those that they may be about, where none is clear.
    """

    signs: tuple[RecordedSign, ...] = ()
    subjects: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()

    @property
    def danger(self) -> RecordedSign | None:
        """The sign of present danger to answer: the organisation's own has the better number and advice."""
        return self.own_danger or self.built_in_danger

    @property
    def own_danger(self) -> RecordedSign | None:
        return next((sign for sign in self.signs if sign.danger and sign.kind == ORGANISATION), None)

    @property
    def built_in_danger(self) -> RecordedSign | None:
        """The gravest one that is not the organisation's own."""
        return next((sign for sign in self.signs if sign.danger and sign.kind != ORGANISATION), None)

    @property
    def look(self) -> RecordedSign | None:
        return next((sign for sign in self.signs if sign.look), None)


def read_signs(
    text: str,
    rules: Rulebook,
    staff: Mapping[str, Sequence[str]],
    now: datetime,
    languages: Sequence[str] | None = None,
    before: str = "",
) -> SignsInWords:
    """Find the signs in one message. It may run inside its transaction, so no look-ups
    (docs/subsystems/intake.md, "What runs when").

    `languages` are those of the desk: a text in none of them has no reader here, which is a sign of its own. `before`
    is the complaint that a question is about.
    """
    if not text.strip():
        return SignsInWords()
    # Imported here: only the running desk loads NumPy, and no command does.
    from triage.reader.danger import read_danger, read_question

    spoken = spoken_languages(words_of(text), LANGUAGES)
    language = _written_language(spoken, rules)
    signs = read_danger(text, find_signs(text, extra=own_signs(rules)))
    if before and not any(sign.danger or sign.look for sign in signs):
        signs = (*signs, *read_question(text, before))
    recorded = tuple(
        RecordedSign(
            f"{sign.kind}.{sign.rule}",
            sign.severity,
            sign.safety,
            sign.danger,
            now,
            look=sign.look,
            # English words of danger are also words of other languages.
            language=language or (sign.language if sign.language != "en" else ""),
        )
        for sign in signs
    )
    if not any(sign.danger or sign.look for sign in recorded):
        unread = unread_language(text, languages) if languages else ""
        # No reader here can exclude a danger.
        recorded += (RecordedSign(UNREAD, 1, 0, False, now, look=True, language=unread),) if unread else ()
    member_by_name = {name: member for member, names in staff.items() for name in names}
    names_in_text = named_people(text, tuple(member_by_name))
    return SignsInWords(
        recorded,
        tuple(sorted({member_by_name[name] for name in names_in_text})),
        next((sign.hazards for sign in signs if sign.hazards), ()),
    )


def _written_language(spoken: Sequence[str], rules: Rulebook) -> str:
    """The language that a message is clearly written in, of those it may be in; "" where its words do not decide."""
    if not set(rules.languages) <= set(LANGUAGES):
        # A language whose words are not known here could be taken for another.
        return ""
    desk = [language for language in rules.languages if language in spoken]
    return spoken[0] if len(spoken) == 1 or (desk and desk[0] == spoken[0]) else ""


def own_signs(rules: Rulebook) -> tuple[DangerSign, ...]:
    """The organisation's own `[[danger]]` signs."""
    return tuple(own_sign(entry.signs, entry.number, entry.text) for entry in rules.danger)
