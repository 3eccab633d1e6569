"""The rules of a scheme with their dates: reads and checks the files in amends/presets/ (docs/law.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, TypeAdapter, ValidationError, model_validator

from amends.settings import sections
from amends.settings.field_types import AmountText, SpanText
from amends.settings.problems import Problem, SettingsError
from amends.settings.sections import LevelRole, SettingsSection
from amends.settings.toml_text import dotted, line_number, line_numbers
from complaints.rulebook import CODE

#: How sure we are of a rule, from the best to the weakest source; the words are those of `amends law list`.
CERTAINTY: Mapping[str, str] = {
    "law": "read in the law's own text",
    "authority": "read on the authority's page",
    "summary": "read in a summary",
    "excerpt": "one excerpt only: check it",
    "recalled": "known, not read again: check it",
    "own": "our own choice",
}


class FastTrackRule(SettingsSection):
    within: SpanText
    confirmed: Literal["always", "on_request"]


class ClockRule(SettingsSection):
    within: SpanText
    about: tuple[Annotated[str, Field(pattern=CODE.pattern)], ...] = ()
    answer: Literal["decision", "news"] = "decision"
    after: SpanText | None = None


class CompletionRule(SettingsSection):
    within: SpanText
    ask_within: SpanText | None = None


class HoldOffRule(SettingsSection):
    open: tuple[Literal["cutoff", "collection"], ...] = ()
    outside: tuple[Literal["cutoff", "collection"], ...] = ()


class BodyRule(SettingsSection):
    body: str = Field(min_length=1)
    contact: str = ""
    limit: str = ""
    free: StrictBool = True


class PublicationRule(SettingsSection):
    what: str = Field(min_length=1)
    by: str = Field(min_length=1)


@dataclass(frozen=True)
class RuleKind:
    """One kind of rule: a pattern of its name, the type of its value, an example, and what it means."""

    pattern: str
    value: Any
    example: str
    meaning: str


_LEVEL = r"level\.[2-9]\."
_TIMES = (
    "ack|look|first_action|update_every|decide|approve|remedy|verify|reply_reminder|lapse|escalated_ack|"
    "waiting_limit|reopen_window|subject|improvement|privacy"
)
RULE_KINDS: tuple[RuleKind, ...] = (
    RuleKind(_TIMES, SpanText, '"5 bd"', "the time of that name in `[targets]`"),
    RuleKind(
        "legal", SpanText, '"30 days"',
        "a deadline of its own that limits every other one, also with extensions",
    ),
    RuleKind(
        r"clock\.[a-z][a-z0-9_]*", ClockRule, '{ within = "5 days", about = ["money"] }',
        "in place of `legal` for the categories in `about`, as a person assessed them; without `about` for every"
        " complaint. Of several the shortest applies. `answer = \"news\"` asks for a first answer, not for the"
        " decision. `after` comes first: `within` counts from its end",
    ),
    RuleKind("legal_for_all_levels", StrictBool, "true", "all levels share the legal deadline"),
    RuleKind(
        "completion", CompletionRule, '{ within = "10 bd" }',
        "an incomplete complaint: the time that the complainant gets at least to complete it (*Ask*); the legal"
        " deadline then counts from the completion. `ask_within`: how long after receipt we may ask",
    ),
    RuleKind(
        "hold_off", HoldOffRule, '{ open = ["cutoff"], outside = ["cutoff", "collection"] }',
        "no cut-off or no debt collection over the matter while it is `open`, or with a body `outside`; the card"
        " says so",
    ),
    RuleKind("extension_cap", SpanText, '"10 bd"', "how much later all extensions together may move a date"),
    RuleKind(
        f"{_LEVEL}(ack|decide|extension_cap)", SpanText, '"20 bd"',
        "counted from the disagreement (`decide`: from its acknowledgement if `decide_from` says so); at that "
        "level it replaces the deadline of the priority",
    ),
    RuleKind(
        f"{_LEVEL}outside_when_missed", StrictBool, "true",
        "if the time of that level passes without an answer, the complainant is informed that they can turn "
        "to the outside bodies at once",
    ),
    RuleKind(
        "decide_from", Literal["received", "acknowledged"], '"acknowledged"',
        "`acknowledged`: P3 and P4 count from the acknowledgement, at every level",
    ),
    RuleKind(
        "complex_doubles", StrictBool, "false",
        "`no`: complexity 3 gives no additional time; that needs an extension",
    ),
    RuleKind(
        "delay_notice", SpanText, '"1 bd"',
        "how long before a date that may be missed the complainant gets a notice",
    ),
    RuleKind(
        "delay_outside", StrictBool, "true",
        "that notice names the outside bodies, to which the complainant can then turn at once",
    ),
    RuleKind("levels", Annotated[dict[str, tuple[LevelRole, ...]], AfterValidator(sections.require_whole_levels)], '{ 1 = ["handler", "manager"] }', "who may decide"),
    RuleKind(
        "fast_track", FastTrackRule, '{ within = "3 bd", confirmed = "always" }',
        "a complaint counts as settled early if the complainant accepts that within this time of receipt; the"
        " acceptance is confirmed in writing with the outside bodies, always or only on request or in "
        "hardship (a support need, signs of need or of being cut off)",
    ),
    RuleKind(
        "accept_within", SpanText, '"12 months"',
        "if everything in the story ended longer before receipt, card and assessment show that; nothing "
        "happens automatically, but a manager may refuse the complaint with a reason, and the refusal names "
        "the outside bodies",
    ),
    RuleKind("keep", SpanText, '"36 months"', "from receipt; `amends check` warns if files are purged earlier"),
    RuleKind(
        r"missed_payment\.[A-Z]{2,3}", AmountText, '"40 GBP"',
        "by the region of the settings, nothing without one; due without a request for each deadline of the "
        "scheme that was missed (`legal`, and a later level with `outside_when_missed`); the card and *Decide* "
        "show it, and a person promises it as a remedy",
    ),
    RuleKind(r"recourse\.[a-z][a-z0-9_]*", BodyRule, '{ body = "Ombudsman" }', "an outside body, in the order of the file"),
    RuleKind(
        "reply_to_body(_at_most)?", SpanText, '"20 bd"',
        "the time to answer an outside body that asks whether we take part (*External*: from notified to file sent); "
        "the longest one, in exceptional cases, is for people",
    ),
    RuleKind(
        "person_within", SpanText, '"3 min"',
        "how soon a request for a person is met; `amends report` gives the share and the mean wait",
    ),
    RuleKind(
        r"publish\.[a-z][a-z0-9_]*", PublicationRule, '{ what = "the yearly report", by = "31 March" }',
        "what to publish or report, and by when; `amends check` lists it, and a person does it",
    ),
    RuleKind(r"practice\.[a-z][a-z0-9_]*", Annotated[str, Field(min_length=1)], '"quarterly"', "for people; sets no date"),
)  # fmt: skip
_ADAPTERS = {kind.pattern: TypeAdapter(kind.value) for kind in RULE_KINDS}

#: The times that count by the calendar of the law where their source is not our own, in addition to `legal`.
_COUNTED_BY_LAW = re.compile(rf"ack|decide|extension_cap|escalated_ack|{_LEVEL}(ack|decide|extension_cap)")


class Rule(SettingsSection):
    """One rule. `first` and `last` are the days of receipt to which it applies, both included; None: no limit."""

    name: str = Field(examples=["legal"])
    value: Any = Field(examples=["30 days"])
    first: date | None = Field(default=None, alias="from", examples=[date(2026, 12, 28)])
    last: date | None = Field(default=None, alias="until", examples=[date(2026, 12, 27)])
    source: str = Field(min_length=1, examples=["Law 3071, article 7"])
    certain: Literal["law", "authority", "summary", "excerpt", "recalled", "own"] = Field(examples=["law"])

    @model_validator(mode="after")
    def _known(self) -> Rule:
        kind = next((kind for kind in RULE_KINDS if re.fullmatch(kind.pattern, self.name)), None)
        if kind is None:
            names = [name for kind in RULE_KINDS for name in readable_name(kind.pattern).split("` `")]
            close = get_close_matches(self.name, names, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(f"name: {self.name!r} is not a rule; {hint}accepted: {', '.join(names)}")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"until: {self.last} is before `from` ({self.first}); both days are included")
        adapter = _ADAPTERS[kind.pattern]
        try:
            value = adapter.validate_python(self.value)
        except ValidationError as wrong:
            error = wrong.errors(include_url=False)[0]
            path = ".".join(("value", *map(str, error["loc"])))
            message = error["msg"].removeprefix("Value error, ")
            raise ValueError(f"{path}: {message}; write value = {kind.example}") from None
        object.__setattr__(self, "value", adapter.dump_python(value, exclude_none=True))
        return self

    def is_on(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    @property
    def dates(self) -> str:
        """`from 2026-04-08`, `until 2026-04-07`, or both; empty without dates."""
        parts = [f"from {self.first}"] if self.first else []
        return " ".join([*parts, *([f"until {self.last}"] if self.last else [])])

    @property
    def is_by_law(self) -> bool:
        """True for a time that the scheme sets, so that only public holidays move it."""
        return self.certain != "own" and _COUNTED_BY_LAW.fullmatch(self.name) is not None


class PresetFile(SettingsSection):
    """A file: its own rules replace those of the same name in the preset that it is `based_on`."""

    title: str = Field(min_length=1, examples=["Turkish public bodies (law 3071)"])
    based_on: str | None = Field(default=None, examples=["au_rg271"])
    leave_out: tuple[str, ...] = Field(default=(), examples=[["publish.report"]])
    not_found: tuple[str, ...] = Field(default=(), examples=[["the date of the next change"]])
    rule: tuple[Rule, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Preset:
    """A scheme: every rule of every day, its own ones after those of the scheme that it is based on."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    not_found: tuple[str, ...]

    def on(self, day: date) -> RulesOfDay:
        return RulesOfDay({rule.name: rule for rule in self.rules if rule.is_on(day)})

    def change_days(self) -> list[date]:
        """The days on which a rule begins, or the one before has ended; the earliest first."""
        first = {rule.first for rule in self.rules if rule.first}
        return sorted(first | {rule.last + timedelta(days=1) for rule in self.rules if rule.last})


@dataclass(frozen=True)
class RulesOfDay:
    """The rules of a scheme for complaints received on one day, by name in the order of the file."""

    rules: Mapping[str, Rule]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a rule."""
        return self.rules[name].value if name in self.rules else default

    def group(self, prefix: str) -> dict[str, Any]:
        """The values of `prefix.NAME` by NAME."""
        start = f"{prefix}."
        return {name.removeprefix(start): rule.value for name, rule in self.rules.items() if name.startswith(start)}


@cache
def preset_named(name: str) -> Preset:
    """The preset with this name. Raises SettingsError with every problem of its file."""
    file = sections.PRESETS / f"{name}.toml"
    text = file.read_text(encoding="utf-8")
    try:
        data = PresetFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError([Problem("", str(file), f"is not TOML: {wrong}")]) from wrong
    except ValidationError as refused:
        lines = line_numbers(text)
        raise SettingsError(_problem(error, str(file), lines) for error in refused.errors(include_url=False)) from None
    if problems := [Problem("rule", str(file), what) for what in _contradictions(data)]:
        raise SettingsError(problems)
    base = preset_named(sections.known_preset(data.based_on)) if data.based_on else None
    own = {rule.name for rule in data.rule} | set(data.leave_out)
    kept = tuple(rule for rule in base.rules if rule.name not in own) if base else ()
    missing = (*(base.not_found if base else ()), *data.not_found)
    return Preset(name, data.title, (*kept, *data.rule), missing)


def preset_names() -> list[str]:
    return sorted(file.stem for file in sections.PRESETS.glob("*.toml"))


def readable_name(pattern: str) -> str:
    """The names that a pattern of `RULE_KINDS` accepts, as the documentation writes them."""
    for written, read in ((_LEVEL, "level.2."), (r"\.[a-z][a-z0-9_]*", ".NAME"), (r"\.[A-Z]{2,3}", ".REGION")):
        pattern = pattern.replace(written, read)
    before, bracket, choice = pattern.partition("(")
    if not bracket:
        return pattern.replace("|", "` `")
    options = choice.removesuffix(")").removesuffix(")?").split("|")
    return "` `".join([*([before] if choice.endswith(")?") else []), *(before + option for option in options)])


def shown_value(value: Any) -> str:
    """A value as lists and tables show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = (f"{key} {shown_value(part)}" for key, part in value.items() if part not in ("", (), True))
        return ", ".join(parts).removeprefix("body ").removeprefix("what ")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _contradictions(data: PresetFile) -> Iterator[str]:
    for number, rule in enumerate(data.rule):
        for other in data.rule[:number]:
            starts = max(rule.first or date.min, other.first or date.min)
            if rule.name == other.name and starts <= min(rule.last or date.max, other.last or date.max):
                yield f"{rule.name} has two values on {starts}; end the earlier one with `until`"


def _problem(error: Any, file: str, lines: Mapping[Any, int]) -> Problem:
    path, message = tuple(error["loc"]), error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and ": " in message:
        key, message = message.split(": ", 1)
        path = (*path, key.split(".", maxsplit=1)[0])
    else:
        model: type[SettingsSection] = Rule if len(path) > 1 else PresetFile
        keys = {field.alias or name: field for name, field in model.model_fields.items()}
        if error["type"] == "extra_forbidden":
            message = f"unknown key; accepted here: {', '.join(keys)}"
        elif (field := keys.get(str(path[-1]))) is not None and field.examples:
            message = f"{message[0].lower()}{message[1:]}; write {path[-1]} = {_as_toml(field.examples[0])}"
    line = line_number(path, lines)
    return Problem(dotted(path), f"{file} line {line}" if line else file, message)


def _as_toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')
