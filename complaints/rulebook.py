"""The rules in force: frozen on a complaint when it is received, so that no later setting moves an old date.

A rulebook is plain data: `as_json` and `from_json` are each other's inverse, and `id` is the hash of the
content, so two equal rulebooks are one row in the store.

Under whose rules a new complaint comes: the organisation's own country, or another that it works in.

A complaint is frozen to one when it is received. Nothing here looks at words: only what the person chose and the
language that they speak, so that anybody can tell beforehand which it will be.

Which categories a complaint may have: those of Annex D and our own four, and an organisation's own.

An organisation's own stand beside the others and never replace them: some of those have duties of their own
(staff conduct, handling, discrimination, privacy, safety), which no other name may hide.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from complaints.errors import BadFacts
from complaints.vocabulary import Category


@dataclass(frozen=True)
class Calendar:
    """When work is done. `hours` maps a weekday (0 = Monday) to its spans in minutes after midnight."""

    zone: str = "Europe/London"
    hours: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    always: bool = False
    holidays: Mapping[date, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PriorityTargets:
    """The times of one priority as spans in the words of docs/surfaces.md ("4 wh", "10 bd")."""

    look: str
    first_action: str
    update_every: str
    decide: str


@dataclass(frozen=True)
class LevelTargets:
    """What a scheme asks of one level after the first, counted from the disagreement; None: as at every level.

    `outside_when_missed`: once its time to decide has passed unanswered the complainant may go outside.
    """

    ack: str | None = None
    decide: str | None = None
    extension_cap: str | None = None
    outside_when_missed: bool = False


@dataclass(frozen=True)
class Targets:
    """Every span that a due time is computed from.

    `decide_from` is "received" or, for P3 and P4 under a scheme that counts so, "acknowledged". `delay_notice` is how
    long before the promised date the complainant hears that the answer is not ready; with `delay_outside` that
    they may go outside now. `complex_doubles`: complexity 3 doubles the time to decide.
    """

    by_priority: Mapping[str, PriorityTargets]
    ack: str = "1 bd"
    approve: str = "1 bd"
    remedy: str = "10 bd"
    verify: str = "5 bd"
    reply_reminder: str = "10 bd"
    lapse: str = "20 bd"
    legal: str | None = None
    extension_cap: str | None = None
    escalated_ack: str = "1 bd"
    waiting_limit: str = "10 bd"
    reopen_window: str = "6 months"
    subject: str = "1 bd"
    improvement: str = "20 bd"
    privacy: str | None = None
    overrides: tuple[str, ...] = ()
    decide_from: str = "received"
    complex_doubles: bool = True
    delay_notice: str | None = None
    delay_outside: bool = False
    #: By the number of the level.
    by_level: Mapping[int, LevelTargets] = field(default_factory=dict)

    def at_level(self, level: int) -> LevelTargets:
        """What the scheme asks of this level."""
        return self.by_level.get(level, LevelTargets())


@dataclass(frozen=True)
class Dialogue:
    """How long the conversation waits."""

    burst: str = "20 s"
    file_abandoned_after: str = "30 min"
    file_abandoned_at_latest: str = "4 h"
    quiet_hours: str = "20:00-08:00"
    answer_at_once_within: str = "30 min"


@dataclass(frozen=True)
class Survey:
    """When satisfaction with the handling is asked (8.3)."""

    delay: str = "3 days"
    reminder: str = "5 days"


@dataclass(frozen=True)
class Limit:
    """What a role may grant without approval; amount in minor units of the currency."""

    amount: int
    currency: str


@dataclass(frozen=True)
class RecourseStep:
    """An outside body (7.9), in the order in which they may be asked."""

    body: str
    contact: str = ""
    limit: str = ""
    free: bool = True


@dataclass(frozen=True)
class FastTrack:
    """Within `within` of receipt an acceptance settles it early: `confirmed` in writing "always" or "on_request"."""

    within: str
    confirmed: str = "always"


@dataclass(frozen=True)
class Danger:
    """Signs of the organisation's own, and what is said at them before anything else."""

    signs: tuple[str, ...]
    number: str | None = None
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OnCall:
    """Who is paged at danger, and when they are there; hours "always" or spans as in the calendar."""

    always: bool = False
    hours: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    #: Where the hours count, if not in the zone of the calendar.
    zone: str = ""


@dataclass(frozen=True)
class Rulebook:
    """All that a verb, a due time or an obligation may depend on besides the record itself."""

    organisation: str
    country: str
    languages: tuple[str, ...]
    staff_language: str
    emergency_number: str
    preset: str
    calendar: Calendar
    targets: Targets
    levels: Mapping[int, tuple[str, ...]]
    authority: Mapping[str, Limit]
    recourse: tuple[RecourseStep, ...] = ()
    danger: tuple[Danger, ...] = ()
    on_call: OnCall = OnCall()
    dialogue: Dialogue = Dialogue()
    survey: Survey = Survey()
    team: str = ""
    region: str | None = None
    notice: str = ""
    retention: str = ""
    #: Telegram ids of those who test the handling: the real road, outside the figures (8.3).
    simulated: tuple[str, ...] = ()
    #: Categories of the organisation's own, and what they are called in each language.
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Of the organisation's own country: the others whose rules a new complaint may get.
    jurisdictions: tuple[str, ...] = ()
    #: What a scheme asks where the matter is settled early; None: nothing.
    fast_track: FastTrack | None = None
    #: How long after the matter a scheme takes a complaint up; older ones a person may refuse. None: no limit.
    accept_within: str | None = None
    #: What a scheme has paid unasked for each of its times that was missed; None: nothing.
    missed_payment: Limit | None = None

    @cached_property
    def id(self) -> str:
        """Content hash, 32 hex digits; the complaint holds it."""
        canonical = json.dumps(as_json(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    @cached_property
    def edition(self) -> str:
        """The hash of all but the days off: it stays from one year to the next, while `id` follows the window of
        years that the public holidays are known for. The complaints policy is quoted by it.
        """
        said = as_json(replace(self, calendar=replace(self.calendar, holidays={}), jurisdictions=()))
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def says_as(self, other: Rulebook) -> bool:
        """Do both say the same? Days off count in the years that both know."""
        if self.edition != other.edition:
            return False
        ours, theirs = self.calendar.holidays, other.calendar.holidays
        if not ours or not theirs:
            return not ours and not theirs
        first = max(min(ours), min(theirs)).year
        last = min(max(ours), max(theirs)).year
        return {day for day in ours if first <= day.year <= last} == {
            day for day in theirs if first <= day.year <= last
        }

    @property
    def top_level(self) -> int:
        """The last level at which we ourselves review (Annex F)."""
        return max(self.levels)


#: What rulebooks of earlier releases did not have: left out where it says nothing, so that these keep their id.
_LATER: Mapping[str, frozenset[str]] = {
    "Rulebook": frozenset({"categories", "jurisdictions", "fast_track", "accept_within", "missed_payment"}),
    "OnCall": frozenset({"zone"}),
    "Targets": frozenset({"decide_from", "complex_doubles", "delay_notice", "delay_outside", "by_level"}),
    "LevelTargets": frozenset({"outside_when_missed"}),
}


def said_later(value: Any) -> frozenset[str]:
    """What a rulebook, or a part of one, says in settings that came after the first release."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        held = {one: getattr(value, one.name) for one in fields(value)}
        here = {f"{name}.{one.name}" for one in held if _is_later(name, one) and held[one] != _default(one)}
        return frozenset(here).union(*map(said_later, held.values()))
    if isinstance(value, Mapping):
        return frozenset().union(*map(said_later, value.values()))
    if isinstance(value, tuple | list):
        return frozenset().union(*map(said_later, value))
    return frozenset()


def _is_later(name: str, one: Field[Any]) -> bool:
    return one.name in _LATER.get(name, frozenset())


def as_json(value: Any) -> Any:
    """The rulebook as JSON values; mapping keys become strings, dates ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        return {
            one.name: as_json(getattr(value, one.name))
            for one in fields(value)
            if not (_is_later(name, one) and getattr(value, one.name) == _default(one))
        }
    if isinstance(value, Mapping):
        return {_key(key): as_json(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    return value


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _key(key: Any) -> str:
    return key.isoformat() if isinstance(key, date) else str(key)


def from_json(data: Mapping[str, Any]) -> Rulebook:
    """Read back what `as_json` wrote; unknown keys of a newer release are refused by the constructors."""
    targets = dict(data["targets"])
    targets["by_priority"] = {p: PriorityTargets(**one) for p, one in targets["by_priority"].items()}
    targets["overrides"] = tuple(targets["overrides"])
    targets["by_level"] = {int(n): LevelTargets(**one) for n, one in targets.get("by_level", {}).items()}
    calendar = dict(data["calendar"])
    calendar["hours"] = _hours(calendar["hours"])
    calendar["holidays"] = {date.fromisoformat(day): name for day, name in calendar["holidays"].items()}
    on_call = dict(data["on_call"])
    on_call["hours"] = _hours(on_call["hours"])
    on_call["people"] = tuple(on_call["people"])
    return Rulebook(
        organisation=data["organisation"],
        country=data["country"],
        languages=tuple(data["languages"]),
        staff_language=data["staff_language"],
        emergency_number=data["emergency_number"],
        preset=data["preset"],
        calendar=Calendar(**calendar),
        targets=Targets(**targets),
        levels={int(level): tuple(roles) for level, roles in data["levels"].items()},
        authority={role: Limit(**one) for role, one in data["authority"].items()},
        recourse=tuple(RecourseStep(**one) for one in data["recourse"]),
        danger=tuple(
            Danger(signs=tuple(one["signs"]), number=one["number"], text=dict(one["text"]))
            for one in data["danger"]
        ),
        on_call=OnCall(**on_call),
        dialogue=Dialogue(**data["dialogue"]),
        survey=Survey(**data["survey"]),
        team=data["team"],
        region=data["region"],
        notice=data["notice"],
        retention=data["retention"],
        simulated=tuple(data.get("simulated", ())),
        categories={code: dict(names) for code, names in data.get("categories", {}).items()},
        jurisdictions=tuple(data.get("jurisdictions", ())),
        fast_track=FastTrack(**data["fast_track"]) if data.get("fast_track") else None,
        accept_within=data.get("accept_within"),
        missed_payment=Limit(**data["missed_payment"]) if data.get("missed_payment") else None,
    )


def _hours(data: Mapping[str, Any]) -> dict[int, tuple[tuple[int, int], ...]]:
    return {int(day): tuple((int(a), int(b)) for a, b in spans) for day, spans in data.items()}


@dataclass(frozen=True)
class Rulebooks:
    """The rules in force: the organisation's own, and those of each further jurisdiction by its two letters."""

    own: Rulebook
    others: Mapping[str, Rulebook] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Rulebook]:
        yield self.own
        yield from self.others.values()

    @property
    def codes(self) -> tuple[str, ...]:
        """The two letters of each, the organisation's own first."""
        return (self.own.country, *self.others)

    @property
    def are_several(self) -> bool:
        """True where there is anything to choose."""
        return bool(self.others)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that complainants are spoken to in, the first of the organisation's own first."""
        return tuple(dict.fromkeys(language for rules in self for language in rules.languages))

    def code(self, said: str) -> str | None:
        """The jurisdiction that these two letters name, in any case; None where it is none of ours."""
        wanted = said.strip().upper()
        return wanted if wanted in self.codes else None

    def of(self, code: str | None) -> Rulebook:
        """The rules of a jurisdiction; the organisation's own where none is named or it is no longer set."""
        return self.others.get(code or "", self.own)

    def today(self, rules: Rulebook) -> Rulebook:
        """What the country of these rules has today; these where it is a jurisdiction of ours no longer."""
        return self.of(rules.country) if rules.country in self.codes else rules

    def for_person(self, chosen: str | None, language: str | None) -> Rulebook:
        """The rules of a new complaint: what was chosen, else what the language says where only one speaks it.

        Where several speak the language, or none does, it is the organisation's own country.
        """
        if chosen in self.codes:
            return self.of(chosen)
        speaking = [rules for rules in self if language in rules.languages]
        return speaking[0] if len(speaking) == 1 else self.own


CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
"""What the code of a category looks like, in events, reports and examples."""


def is_code(value: Any) -> bool:
    """True for what could be a category under some rulebook."""
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def categories_of(rules: Rulebook) -> tuple[str, ...]:
    """Every category under these rules, an organisation's own before "other"."""
    ours = tuple(one.value for one in Category if one is not Category.OTHER)
    return (*ours, *rules.categories, Category.OTHER.value)


def need_known(facts: Mapping[str, Any], rules: Rulebook) -> None:
    """Raise BadFacts where facts name a category that the complaint's rules do not have (7.5)."""
    known = categories_of(rules)
    for path, code in _named(facts):
        if code not in known:
            raise BadFacts(
                f"'{path}' is no category under the rules of this complaint: choose one of {', '.join(known)}.",
                field=path,
                code="not_an_option",
            )


def _named(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if facts.get("category") is not None:
        yield "category", facts["category"]
    for group in ("issues", "alternatives"):
        rows = facts.get(group)
        for number, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
            if isinstance(row, Mapping) and row.get("category") is not None:
                yield f"{group}.{number}.category", row["category"]
