"""What the law of a preset changes: between two days, and soon (docs/law.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from amends.settings.presets import Preset, PresetRule, shown_value

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
