"""The rules of a scheme with their dates: reads and checks the files in amends/presets/ (docs/law.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, TypeAdapter, ValidationError, model_validator

from amends.settings import sections
from amends.settings.field_types import AmountText, SpanText
from amends.settings.problems import Problem, SettingsError
from amends.settings.sections import SettingsSection
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


_TYPES: Mapping[str, Any] = {
    "span": SpanText,
    "yes_or_no": StrictBool,
    "amount": AmountText,
    "clock": ClockRule,
    "completion": CompletionRule,
    "hold_off": HoldOffRule,
    "fast_track": FastTrackRule,
    "body": BodyRule,
    "publication": PublicationRule,
    "decide_from": Literal["received", "acknowledged"],
    "levels": sections.Levels,
    "text": Annotated[str, Field(min_length=1)],
}
_ADAPTERS = {name: TypeAdapter(accepted) for name, accepted in _TYPES.items()}
#: The rules of a country under any scheme, in files like those of presets.
COUNTRIES = Path(__file__).parent.parent / "presets" / "countries"
_LEVEL = r"level\.[2-9]\."


class RuleKind(SettingsSection):
    """One kind of rule: a pattern of its name, the type of its value, an example, and what it means."""

    pattern: str
    type: str
    example: str
    meaning: str


RULE_KINDS = tuple(
    RuleKind(**kind)
    for kind in tomllib.loads(Path(__file__).with_name("rule_kinds.toml").read_text(encoding="utf-8"))["kind"]
)

#: The times that count by the calendar of the law where their source is not our own, in addition to `legal`.
_COUNTED_BY_LAW = re.compile(rf"ack|decide|extension_cap|escalated_ack|{_LEVEL}(ack|decide|extension_cap)")


class PresetRule(SettingsSection):
    """One rule. `first` and `last` are the days of receipt to which it applies, both included; None: no limit."""

    name: str = Field(examples=["legal"])
    value: Any = Field(examples=["30 days"])
    first: date | None = Field(default=None, alias="from", examples=[date(2026, 12, 28)])
    last: date | None = Field(default=None, alias="until", examples=[date(2026, 12, 27)])
    source: str = Field(min_length=1, examples=["Law 3071, article 7"])
    certain: Literal["law", "authority", "summary", "excerpt", "recalled", "own"] = Field(examples=["law"])

    @model_validator(mode="after")
    def _known(self) -> PresetRule:
        kind = next((kind for kind in RULE_KINDS if re.fullmatch(kind.pattern, self.name)), None)
        if kind is None:
            names = [name for kind in RULE_KINDS for name in readable_name(kind.pattern).split("` `")]
            close = get_close_matches(self.name, names, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(f"name: {self.name!r} is not a rule; {hint}accepted: {', '.join(names)}")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"until: {self.last} is before `from` ({self.first}); both days are included")
        adapter = _ADAPTERS[kind.type]
        try:
            value = adapter.validate_python(self.value)
        except ValidationError as wrong:
            error = wrong.errors(include_url=False)[0]
            path = ".".join(("value", *map(str, error["loc"])))
            message = error["msg"].removeprefix("Value error, ")
            raise ValueError(f"{path}: {message}; write value = {kind.example}") from None
        object.__setattr__(self, "value", adapter.dump_python(value, exclude_defaults=True))
        return self

    def is_on(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def as_json(self) -> dict[str, Any]:
        """The keys of the file; without a limit `from` or `until` is null."""
        return self.model_dump(mode="json", by_alias=True)

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
    rule: tuple[PresetRule, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Preset:
    """A scheme: every rule of every day, its own ones after those of the scheme that it is based on."""

    name: str
    title: str
    rules: tuple[PresetRule, ...]
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

    rules: Mapping[str, PresetRule]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a rule."""
        return self.rules[name].value if name in self.rules else default

    def group(self, prefix: str) -> dict[str, Any]:
        """The values of `prefix.NAME` by NAME."""
        start = f"{prefix}."
        return {
            name.removeprefix(start): rule.value
            for name, rule in self.rules.items()
            if name.startswith(start)
        }


@cache
def preset_named(name: str) -> Preset:
    """The preset with this name. Raises SettingsError with every problem of its file."""
    return _preset(name, sections.PRESETS / f"{name}.toml")


@cache
def country_law(country: str) -> Preset:
    """What applies in a country where neither the settings nor the scheme say otherwise."""
    file = COUNTRIES / f"{country}.toml"
    return _preset(country, file if file.is_file() else COUNTRIES / "other.toml")


def _preset(name: str, file: Path) -> Preset:
    text = file.read_text(encoding="utf-8")
    try:
        data = PresetFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError([Problem("", str(file), f"is not TOML: {wrong}")]) from wrong
    except ValidationError as refused:
        lines = line_numbers(text)
        raise SettingsError(
            _problem(error, str(file), lines) for error in refused.errors(include_url=False)
        ) from None
    if problems := [Problem(key, str(file), what) for key, what in _contradictions(data, name)]:
        raise SettingsError(problems)
    base = preset_named(data.based_on) if data.based_on else None
    own = {rule.name for rule in data.rule} | set(data.leave_out)
    kept = tuple(rule for rule in base.rules if rule.name not in own) if base else ()
    missing = (*(base.not_found if base else ()), *data.not_found)
    return Preset(name, data.title, (*kept, *data.rule), missing)


def preset_names() -> list[str]:
    return sorted(file.stem for file in sections.PRESETS.glob("*.toml"))


def readable_name(pattern: str) -> str:
    """The names that a pattern of `RULE_KINDS` accepts, as the documentation writes them."""
    for written, read in (
        (_LEVEL, "level.2."),
        (r"\.[a-z][a-z0-9_]*", ".NAME"),
        (r"\.[A-Z]{2,3}", ".REGION"),
    ):
        pattern = pattern.replace(written, read)
    before, bracket, choice = pattern.partition("(")
    if not bracket:
        return pattern.replace("|", "` `")
    options = choice.removesuffix(")").removesuffix(")?").split("|")
    return "` `".join(
        [*([before] if choice.endswith(")?") else []), *(before + option for option in options)]
    )


def shown_value(value: Any) -> str:
    """A value as lists and tables show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = (f"{key} {shown_value(part)}" for key, part in value.items() if part not in ("", (), True))
        return ", ".join(parts).removeprefix("body ").removeprefix("what ")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _contradictions(data: PresetFile, name: str) -> Iterator[tuple[str, str]]:
    others = [other for other in preset_names() if other != name]
    if data.based_on is not None and data.based_on not in others:
        yield "based_on", f"{data.based_on!r} is no other preset; write one of {', '.join(others)}"
    for number, rule in enumerate(data.rule):
        for other in data.rule[:number]:
            starts = max(rule.first or date.min, other.first or date.min)
            if rule.name == other.name and starts <= min(rule.last or date.max, other.last or date.max):
                yield "rule", f"{rule.name} has two values on {starts}; end the earlier one with `until`"


def _problem(error: Any, file: str, lines: Mapping[Any, int]) -> Problem:
    path, message = tuple(error["loc"]), error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and ": " in message:
        key, message = message.split(": ", 1)
        path = (*path, key.split(".", maxsplit=1)[0])
    else:
        model: type[SettingsSection] = PresetRule if len(path) > 1 else PresetFile
        keys = {field.alias or name: field for name, field in model.model_fields.items()}
        if error["type"] == "extra_forbidden":
            message = f"unknown key; accepted here: {', '.join(keys)}"
        elif (field := keys.get(str(path[-1]))) is not None and field.examples:
            message = f"{message[0].lower()}{message[1:]}; write {path[-1]} = {_as_toml(field.examples[0])}"
    line = line_number(path, lines)
    return Problem(dotted(path), f"{file} line {line}" if line else file, message)


def _as_toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')


#: `amends check` announces changes of the law this many days ahead.
ANNOUNCED_DAYS = 90


@dataclass(frozen=True)
class LawChange:
    """A rule that is another from `day` on; None where there is no such rule."""

    preset: str
    name: str
    day: date
    before: PresetRule | None
    after: PresetRule | None

    @property
    def values(self) -> tuple[str, str]:
        """The old and the new value as lists show them."""
        old, new = (shown_value(rule.value) if rule else "no rule" for rule in (self.before, self.after))
        return old, new

    @property
    def source(self) -> str:
        """The source of the new rule, or of the one that ends."""
        rule = self.after or self.before
        return rule.source if rule else ""

    def __str__(self) -> str:
        old, new = self.values
        if self.after is None:
            return f"{self.name} ends before {self.day}: {old}"
        return f"{self.name} from {self.day}: {f'{old} becomes ' if self.before else 'new: '}{new}"


def law_changes(preset: Preset, first: date, last: date) -> Iterator[LawChange]:
    """Every rule whose value on a day after `first`, up to `last`, is another than on the day before it."""
    for day in preset.change_days():
        if not first < day <= last:
            continue
        before, after = preset.on(day - timedelta(days=1)).rules, preset.on(day).rules
        for name in dict.fromkeys((*before, *after)):
            old, new = before.get(name), after.get(name)
            if (old and old.value) != (new and new.value):
                yield LawChange(preset.name, name, day, old, new)


def coming_changes(preset: Preset, today: date) -> Iterator[LawChange]:
    yield from law_changes(preset, today, today + timedelta(days=ANNOUNCED_DAYS))
