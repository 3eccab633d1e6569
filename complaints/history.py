"""A complaint with what stands beside it in the record: its events, who read it, what was sent; never a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from complaints.actions.fold import after, begin, fold
from complaints.case import Case, Event
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb


@dataclass(frozen=True)
class ReadEntry:
    """Somebody opened the complaint as it stood at `version`; `role` is the one that let them (4.7)."""

    by: str
    role: str
    at: datetime
    version: int


@dataclass(frozen=True)
class MessageEntry:
    """A message of ours or theirs: `template` with its `version` where it is a text of ours.

    `direction` is in or out, `state` how far it got (sending, sent, uncertain, failed).
    """

    direction: str
    template: str | None
    version: str | None
    language: str | None
    state: str
    at: datetime


@dataclass(frozen=True)
class CaseHistory:
    """One complaint as those see it who count. `fields` names, by event, which fields hold words."""

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
        """What these events add up to; the fields are those of their words."""
        told = tuple(events)
        return cls(
            case=fold(told, rules),
            events=told,
            fields={one.seq: frozenset(one.words) for one in told if one.words},
            reads=tuple(reads),
            messages=tuple(messages),
        )

    @cached_property
    def stages(self) -> tuple[Case, ...]:
        """The case as each event left it, in their order."""
        found: list[Case] = []
        for event in self.events:
            found.append(after(found[-1], event) if found else begin(event, self.case.first_rules))
        return tuple(found)

    def before(self, event: Event) -> Case:
        """The case as this event found it; the first event finds the one that it opens."""
        return self.stages[max(0, self.events.index(event) - 1)]

    def at_version(self, version: int) -> Case:
        """The case as it stood at this version."""
        return next((one for one in reversed(self.stages) if one.version <= version), self.stages[0])

    def of_verb(self, *verbs: Verb) -> tuple[Event, ...]:
        """The events of these verbs, in order."""
        return tuple(one for one in self.events if one.verb in verbs)

    def has_words(self, event: Event, *names: str) -> bool:
        """True when one of these fields of the event holds words."""
        return bool(self.fields.get(event.seq, frozenset()) & set(names))
