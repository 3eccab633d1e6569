"""One complaint for figures and evidence, without any words; and what the record shows of its own keeping (8.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from complaints.actions.perform import apply_event, begin, fold
from complaints.actions.registry import ACTIONS, DECISION_VERBS, SECOND_PERSON_VERBS
from complaints.case import Case, Event, events_of
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb


def taken_back_seqs(events: Iterable[Event]) -> frozenset[int]:
    """The numbers of the letters and drafts among these events that were taken back before they left."""
    return frozenset(int(event.facts["seq"]) for event in events_of(events, Verb.TAKE_BACK))


def refused_request(events: Sequence[Event], about: str) -> tuple[Event, Event] | None:
    """The last request about this (`asks` of its row) and the "no" of a second person; None if it was not refused."""
    request = next((event for event in reversed(events) if ACTIONS[event.verb].asks == about), None)
    answers = (event for event in reversed(events) if event.verb in SECOND_PERSON_VERBS)
    answer = next((event for event in answers if event.facts.get("of", "respond") == about), None)
    if request is None or answer is None or answer.seq < request.seq or answer.facts["agreed"] != "no":
        return None
    return request, answer


def was_for_reader(drafted_at: datetime, events: Sequence[Event]) -> bool:
    """True if the draft of this time was drawn for a second reader, and no approval answered it."""
    drafts = (event for event in events if event.at == drafted_at and event.verb in DECISION_VERBS)
    draft = next(drafts, None)
    if draft is None or draft.facts.get("check") != "drawn" or draft.facts.get("needs_approval"):
        return False
    later = (event for event in events if event.seq > draft.seq)
    answer = next((event for event in later if event.verb in SECOND_PERSON_VERBS), None)
    return answer is None or ACTIONS[answer.verb].is_second_reader


@dataclass(frozen=True)
class ReadEntry:
    """A member of staff opened the complaint at this `version`; `role` is the role that allowed it (4.7)."""

    by: str
    role: str
    at: datetime
    version: int
    reason: str | None = None


@dataclass(frozen=True)
class MessageEntry:
    """A message to or from the complainant; `template` and its `version` if it was made from one of our texts.

    `direction` is in or out, `state` is sending, sent, uncertain or failed.
    """

    direction: str
    template: str | None
    version: str | None
    language: str | None
    state: str
    at: datetime


@dataclass(frozen=True)
class CaseHistory:
    """One complaint as reports need it. `fields` names, by event, the fields that hold words."""

    case: Case
    events: tuple[Event, ...] = ()
    fields: Mapping[int, frozenset[str]] = field(default_factory=dict)
    reads: tuple[ReadEntry, ...] = ()
    messages: tuple[MessageEntry, ...] = ()

    @classmethod
    def of(
        cls,
        events: Iterable[Event],
        rules: Rulebook,
        *,
        reads: Iterable[ReadEntry] = (),
        messages: Iterable[MessageEntry] = (),
    ) -> CaseHistory:
        """The history of these events; `fields` come from their words."""
        events_in_order = tuple(events)
        return cls(
            case=fold(events_in_order, rules),
            events=events_in_order,
            fields={event.seq: frozenset(event.words) for event in events_in_order if event.words},
            reads=tuple(reads),
            messages=tuple(messages),
        )

    @cached_property
    def stages(self) -> tuple[Case, ...]:
        """The case after each event, in their order."""
        stages: list[Case] = []
        for event in self.events:
            stages.append(apply_event(stages[-1], event) if stages else begin(event, self.case.first_rules))
        return tuple(stages)

    @property
    def written_in(self) -> str | None:
        """The language in which the person writes, as detected; for one without a chat as staff recorded it.

        None where it is not sure, and for complaints from before it was detected.
        """
        if self.case.channel != "telegram":
            return self.case.language
        detected = [event.facts.get("written_in") for event in self.of_verb(Verb.PROPOSE)]
        return next((language for language in reversed(detected) if language), None)

    def before(self, event: Event) -> Case:
        """The case before this event; for the first event, the case that it opens."""
        return self.stages[max(0, self.events.index(event) - 1)]

    def at_version(self, version: int) -> Case:
        return next((case for case in reversed(self.stages) if case.version <= version), self.stages[0])

    def of_verb(self, *verbs: Verb) -> tuple[Event, ...]:
        """The events of these verbs, in order, without letters that were taken back before they left."""
        unsent = taken_back_seqs(self.events)
        return tuple(event for event in events_of(self.events, *verbs) if event.seq not in unsent)

    def has_words(self, event: Event, *names: str) -> bool:
        """True when one of these fields of the event holds words."""
        return bool(self.fields.get(event.seq, frozenset()) & set(names))


class DataRequest(NamedTuple):
    """A request about one person's data. `due_at` is None where no date was promised."""

    about: str
    asked_at: datetime
    due_at: datetime | None
    answered_at: datetime | None


class CollectionRecord(NamedTuple):
    """The period's `events` of the installation by verb, each with its time and facts, and what is kept now.

    `under_hold` complaints are under a legal hold now; `erased` ones have lost their words, of `complaints` in all.
    """

    events: Mapping[str, Sequence[tuple[datetime, Mapping[str, Any]]]]
    requests: Sequence[DataRequest]
    placed: int
    released: int
    under_hold: int
    complaints: int
    erased: int
