"""The rules of a complaint, fixed when it is received: later settings change no date of it.

A rulebook is plain data. `as_json` and `from_json` are inverse, and `id` is the hash of the content, so equal
rulebooks are one row in the store. `Rulebooks` chooses the rules of a new complaint by the country that the person
chose, or by their language.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, cached_property
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from complaints.errors import BadFacts
from complaints.times import MINUTES_A_DAY
from complaints.vocabulary import Category


@dataclass(frozen=True)
class Calendar:
    """The working hours. `hours` maps a weekday (0 = Monday) to its spans in minutes after midnight.

    `holidays` has every day off. `closures` are those of them on which only the organisation is closed, and
    `closed_weekdays` the weekdays without hours that are no weekend in the country. Neither moves a legal date.
    """

    zone: str = "Europe/London"
    hours: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    always: bool = False
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: Mapping[date, str] = field(default_factory=dict)
    closed_weekdays: tuple[int, ...] = ()

    @cached_property
    def counted(self) -> dict[Any, Any]:
        """The due times that were counted by this calendar (`working_time.due`): an event asks for each six times."""
        return {}

    @cached_property
    def by_law(self) -> Calendar:
        """The calendar of legal dates: only weekends and public holidays are days off."""
        if self.always or not (self.closures or self.closed_weekdays):
            return self
        return Calendar(
            zone=self.zone,
            hours={**dict.fromkeys(self.closed_weekdays, ((0, MINUTES_A_DAY),)), **self.hours},
            holidays={day: name for day, name in self.holidays.items() if day not in self.closures},
        )


@dataclass(frozen=True)
class PriorityTargets:
    """The times of one priority as spans, as docs/subsystems/deadlines.md writes them ("4 wh", "10 bd")."""

    look: str
    first_action: str
    update_every: str
    decide: str


@dataclass(frozen=True)
class LevelTargets:
    """The times that a scheme sets for one level after the first, from the disagreement on; None: the usual time.

    `outside_when_missed`: the complainant may go outside once its time to decide has passed without an answer.
    """

    ack: str | None = None
    decide: str | None = None
    extension_cap: str | None = None
    outside_when_missed: bool = False


@dataclass(frozen=True)
class SubjectClock:
    """A legal time of its own for some categories, in place of `legal`; without `about` for every complaint.

    `answer` is "decision", or "news": a first answer by a person. `after` comes first, and `within` counts from its
    end.
    """

    name: str
    within: str
    about: tuple[str, ...] = ()
    answer: str = "decision"
    after: str | None = None

    @property
    def rule(self) -> str:
        """The name of the rule in the basis of a target."""
        return f"clock.{self.name}"


@dataclass(frozen=True)
class Completion:
    """An incomplete complaint: the least time to complete it. The legal time counts from the completion.

    `ask_within` is how long after receipt we may ask; None: at any time.
    """

    within: str
    ask_within: str | None = None


@dataclass(frozen=True)
class HoldOff:
    """What may not happen over the matter ("cutoff", "collection") while it is open, or with an outside body."""

    open: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Targets:
    """Every span that a due time is computed from.

    `decide_from` is "received" or, in some schemes for P3 and P4, "acknowledged". `delay_notice` is how long before
    the promised date the complainant gets the notice that the answer is not ready; with `delay_outside` the notice
    adds that they may go outside now. `complex_doubles`: complexity 3 doubles the time to decide.
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
    #: The rules that the law or the scheme sets ("ack", "level.2.decide"), in addition to `legal` and `privacy`.
    law: tuple[str, ...] = ()
    #: By the number of the level.
    by_level: Mapping[int, LevelTargets] = field(default_factory=dict)
    #: The legal times of their own by category.
    clocks: tuple[SubjectClock, ...] = ()
    #: All levels together share the legal time; otherwise it ends with the first decision.
    legal_for_all_levels: bool = False
    completion: Completion | None = None
    #: The time to answer an outside body that asks whether we take part, and the longest one, in exceptional cases.
    reply_to_body: str | None = None
    reply_to_body_at_most: str | None = None

    def at_level(self, level: int) -> LevelTargets:
        """The times that the scheme sets for this level."""
        return self.by_level.get(level, LevelTargets())


@dataclass(frozen=True)
class Dialogue:
    """The waiting times of a conversation."""

    burst: str = "20 s"
    file_abandoned_after: str = "30 min"
    file_abandoned_at_latest: str = "4 h"
    quiet_hours: str = "20:00-08:00"
    answer_at_once_within: str = "30 min"


@dataclass(frozen=True)
class Survey:
    """When complainants are asked about the handling (8.3)."""

    delay: str = "3 days"
    reminder: str = "5 days"


@dataclass(frozen=True)
class Limit:
    """What a role may grant without approval; amounts in minor units of their currency, `others` by currency."""

    amount: int
    currency: str
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def by_currency(self) -> dict[str, int]:
        return {self.currency: self.amount, **self.others}

    def __str__(self) -> str:
        """The amounts, for people: 50.00 GBP / 60.00 EUR."""
        return " / ".join(f"{amount / 100:.2f} {currency}" for currency, amount in self.by_currency.items())


@dataclass(frozen=True)
class RecourseStep:
    """An outside body (7.9); their order is the order of the steps.

    `form` is the link to its complaint form, `cost` what it charges where it is not free.
    """

    body: str
    contact: str = ""
    limit: str = ""
    free: bool = True
    form: str = ""
    cost: str = ""


@dataclass(frozen=True)
class FastTrack:
    """Within `within` of receipt an acceptance settles it early: `confirmed` in writing "always" or "on_request"."""

    within: str
    confirmed: str = "always"


@dataclass(frozen=True)
class Danger:
    """The organisation's own danger signs, and the text that is sent first when one appears."""

    signs: tuple[str, ...]
    number: str | None = None
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OnCall:
    """The people paged at danger, and their hours: "always" or spans as in the calendar."""

    always: bool = False
    hours: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    #: The time zone of the hours, if not that of the calendar.
    zone: str = ""


@dataclass(frozen=True)
class InvestigationPlan:
    """What the investigation of one level gathers, and what of it a decision cannot do without (7.6)."""

    steps: tuple[str, ...]
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rulebook:
    """Everything that a verb, a due time or an obligation may depend on, except the record itself."""

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
    #: Telegram ids of people who test the handling: real processing, but not counted in figures (8.3).
    simulated: tuple[str, ...] = ()
    #: The organisation's own categories, with their names by language. They never replace the standard ones, because
    #: some of those have special rules (staff conduct, handling, discrimination, privacy, safety).
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Codes of products and branches that an assessment may name; only the settings know their names.
    products: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    #: In the rules of the organisation's own country: the other countries whose rules a new complaint may get.
    jurisdictions: tuple[str, ...] = ()
    #: The scheme's rules for a matter that is settled early, or None.
    fast_track: FastTrack | None = None
    #: How long after the matter the scheme takes up a complaint; a person may refuse an older one. None: no limit.
    accept_within: str | None = None
    #: The payment that the scheme prescribes for each missed time, or None.
    missed_payment: Limit | None = None
    hold_off: HoldOff = HoldOff()
    #: How soon the scheme wants a request for a person to be met, or None.
    person_within: str | None = None
    #: The share of decisions, at the lowest risk, that a second person reads before they are sent.
    check_share: float = 0.0
    #: The subjects in which a person needs valid training before they get a complaint (6.4).
    required_training: tuple[str, ...] = ()
    #: Until which local day, in ISO 8601, the safety officer's signature on the hazards holds; "" without one.
    hazards_signed_until: str = ""
    #: The organisation's own plans of investigation by level (1 to 3); they replace the built-in ones.
    investigation: Mapping[int, InvestigationPlan] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Hash of the content, 32 hex digits; each complaint has that of its rules."""
        return _digest(self)

    @cached_property
    def edition(self) -> str:
        """The hash of everything except the days off; the complaints policy is quoted by it.

        `id` changes each year with the known public holidays, this does not.
        """
        without_days_off = replace(self.calendar, holidays={}, closures={})
        return _digest(replace(self, calendar=without_days_off, jurisdictions=()))

    def says_as(self, other: Rulebook) -> bool:
        """True if both have the same content. Days off are compared in the years that both cover."""
        if self.edition != other.edition:
            return False
        own_days, other_days = self.calendar.holidays, other.calendar.holidays
        if not own_days or not other_days:
            return not own_days and not other_days
        first = max(min(own_days), min(other_days)).year
        last = min(max(own_days), max(other_days)).year

        def shared(days: Mapping[date, str]) -> set[date]:
            return {day for day in days if first <= day.year <= last}

        return shared(own_days) == shared(other_days) and (
            shared(self.calendar.closures) == shared(other.calendar.closures)
        )

    def calendar_of(self, rule: str) -> Calendar:
        """The calendar that a rule such as "P3.decide" or "level.2.ack" counts by: of the law, or our own."""
        return self.calendar.by_law if self.is_law(rule) else self.calendar

    def is_law(self, rule: str) -> bool:
        """True if the law or the scheme sets this time, so that our own closures do not move it."""
        if rule.startswith("clock."):
            return True
        key = rule if rule.startswith("level.") else rule.rpartition(".")[2]
        return key in _BY_LAW or key in self.targets.law

    @property
    def top_level(self) -> int:
        """The last level of review inside the organisation (Annex F)."""
        return max(self.levels)


#: The times that only the law sets.
_BY_LAW = frozenset({"legal", "privacy", "data_request", "reply_to_body", "reply_to_body_at_most"})


def _digest(rules: Rulebook) -> str:
    canonical = json.dumps(as_json(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


#: By class the fields that the rulebooks of a released version do not have: a new field is added here. At its default
#: it is left out, so that the ids of older rulebooks stay valid and processes of that version can read newer ones.
_ADDED_LATER: Mapping[str, frozenset[str]] = {}


def later_settings(value: Any) -> frozenset[str]:
    """The later fields (`Class.field`) that a rulebook, or a part of it, sets to something other than the default."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        values = {entry: getattr(value, entry.name) for entry in fields(value)}
        own = {
            f"{name}.{entry.name}"
            for entry in values
            if _is_later(name, entry) and values[entry] != _default(entry)
        }
        return frozenset(own).union(*map(later_settings, values.values()))
    if isinstance(value, Mapping):
        return frozenset().union(*map(later_settings, value.values()))
    if isinstance(value, tuple | list):
        return frozenset().union(*map(later_settings, value))
    return frozenset()


def _is_later(name: str, entry: Field[Any]) -> bool:
    return entry.name in _ADDED_LATER.get(name, frozenset())


def as_json(value: Any) -> Any:
    """The rulebook as JSON values; mapping keys become strings, dates ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        return {
            entry.name: as_json(getattr(value, entry.name))
            for entry in fields(value)
            if not (_is_later(name, entry) and getattr(value, entry.name) == _default(entry))
        }
    if isinstance(value, Mapping):
        return {_key(key): as_json(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(entry) for entry in value]
    return value


def _default(entry: Field[Any]) -> Any:
    return entry.default if entry.default_factory is MISSING else entry.default_factory()


def _key(key: Any) -> str:
    return key.isoformat() if isinstance(key, date) else str(key)


def from_json(data: Mapping[str, Any]) -> Rulebook:
    """The inverse of `as_json`; the constructors refuse unknown keys of a newer release."""
    rules: Rulebook = _decoded(Rulebook, data)
    return rules


@cache
def _types_of(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _decoded(kind: Any, value: Any) -> Any:
    """A JSON value as the type of its field: keys as integers or dates, lists as tuples, objects as dataclasses."""
    if value is None or kind in (str, bool, float):
        return value
    if is_dataclass(kind):
        types = _types_of(cast("type", kind))
        return cast("type", kind)(**{name: _decoded(types.get(name), part) for name, part in value.items()})
    if kind is int:
        return int(value)
    if kind is date:
        return date.fromisoformat(value)
    parts = get_args(kind)
    if isinstance(kind, UnionType):
        return _decoded(parts[0], value)
    if get_origin(kind) is tuple:
        return tuple(_decoded(parts[0], item) for item in value)
    if get_origin(kind) is Mapping:
        return {_decoded(parts[0], key): _decoded(parts[1], item) for key, item in value.items()}
    return value


#: The beginning of the first period: before every complaint.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RulePeriod:
    """The rules for complaints received from `since` on, until the next period begins."""

    since: datetime
    rules: Rulebook


@dataclass(frozen=True)
class Rulebooks:
    """The rules in force: the organisation's own, and those of each further jurisdiction by its two letters.

    `periods` has the rules by date for every jurisdiction ("" is the own one) whose law changes: today's settings
    with the law of each time, the earliest first.
    """

    own: Rulebook
    others: Mapping[str, Rulebook] = field(default_factory=dict)
    periods: Mapping[str, tuple[RulePeriod, ...]] = field(default_factory=dict)

    def at(self, moment: datetime) -> Rulebooks:
        """The rules for complaints received at this moment."""

        def then(code: str, rules: Rulebook) -> Rulebook:
            begun = [period.rules for period in self.periods.get(code, ()) if period.since <= moment]
            return begun[-1] if begun else rules

        others = {code: then(code, rules) for code, rules in self.others.items()}
        return replace(self, own=then("", self.own), others=others)

    def __iter__(self) -> Iterator[Rulebook]:
        yield self.own
        yield from self.others.values()

    @property
    def codes(self) -> tuple[str, ...]:
        """The country codes, the organisation's own first."""
        return (self.own.country, *self.others)

    @property
    def are_several(self) -> bool:
        return bool(self.others)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of the texts for complainants, the organisation's first language first."""
        return tuple(dict.fromkeys(language for rules in self for language in rules.languages))

    def code(self, text: str) -> str | None:
        """The jurisdiction with this code, in any case; None if it is not set."""
        wanted = text.strip().upper()
        return wanted if wanted in self.codes else None

    def of(self, code: str | None) -> Rulebook:
        """The rules of a jurisdiction; the organisation's own without a code or if it is no longer set."""
        return self.others.get(code or "", self.own)

    def today(self, rules: Rulebook) -> Rulebook:
        """Today's rules of the same country; the same rules if that country is no longer set."""
        return self.of(rules.country) if rules.country in self.codes else rules

    def for_person(self, chosen: str | None, language: str | None) -> Rulebook:
        """The rules of a new complaint: of the chosen country, or of the only country with this language.

        If several countries have the language, or none, the organisation's own rules apply.
        """
        if chosen in self.codes:
            return self.of(chosen)
        speaking = [rules for rules in self if language in rules.languages]
        return speaking[0] if len(speaking) == 1 else self.own


CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
"""The form of a category code in events, reports and examples."""


def is_code(value: Any) -> bool:
    """True for a value that could be a category under some rulebook."""
    return isinstance(value, str) and CODE.fullmatch(value) is not None


_STANDARD_CATEGORIES = tuple(category.value for category in Category if category is not Category.OTHER)


def categories_of(rules: Rulebook) -> tuple[str, ...]:
    """Every category under these rules, the organisation's own before "other"."""
    return (*_STANDARD_CATEGORIES, *rules.categories, Category.OTHER.value)


def require_known_categories(facts: Mapping[str, Any], rules: Rulebook) -> None:
    """Raise BadFacts where facts name a category, product or branch that the complaint's rules lack (7.5)."""
    for name, codes in (("product", rules.products), ("branch", rules.branches)):
        if facts.get(name) is not None and facts[name] not in codes:
            choices = f"choose one of {', '.join(codes)}" if codes else f"the settings have no [[{name}]]"
            raise BadFacts.worded("not_an_option:own_code", field=name, name=name, choices=choices)
    categories = categories_of(rules)
    for path, code in _categories_in(facts):
        if code not in categories:
            raise BadFacts.worded(
                "not_an_option:category", field=path, path=path, categories=", ".join(categories)
            )


def _categories_in(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if facts.get("category") is not None:
        yield "category", facts["category"]
    for group in ("issues", "alternatives"):
        rows = facts.get(group)
        for number, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
            if isinstance(row, Mapping) and row.get("category") is not None:
                yield f"{group}.{number}.category", row["category"]
