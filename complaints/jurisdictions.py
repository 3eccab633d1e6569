"""Under whose rules a new complaint comes: the organisation's own country, or another that it works in.

A complaint is frozen to one when it is received. Nothing here looks at words: only what the person chose and the
language that they speak, so that anybody can tell beforehand which it will be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from complaints.rulebook import Rulebook


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
