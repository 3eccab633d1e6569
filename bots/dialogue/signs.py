"""What the plain rules see in a message: signs of harm, and members of staff named in it (7.5, 4.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.case_values import RecordedSign
from complaints.rulebook import Rulebook
from triage.safety.signs import DangerSign, named_people, own_sign, signs


@dataclass(frozen=True)
class SignsInWords:
    """`signs` as they go into the record, gravest first; `subjects` the ids of staff named."""

    signs: tuple[RecordedSign, ...] = ()
    subjects: tuple[str, ...] = ()

    @property
    def danger(self) -> RecordedSign | None:
        """The gravest sign of present danger."""
        return next((one for one in self.signs if one.danger), None)


def read(text: str, rules: Rulebook, staff: Mapping[str, Sequence[str]], now: datetime) -> SignsInWords:
    """Read one message; runs in its transaction, so it looks nothing up (docs/design.md, "What runs when")."""
    if not text.strip():
        return SignsInWords()
    found = tuple(
        RecordedSign(f"{one.kind}.{one.rule}", one.severity, one.safety, one.danger, now)
        for one in signs(text, extra=own_signs(rules))
    )
    names = {name: member for member, called in staff.items() for name in called}
    named = named_people(text, tuple(names))
    return SignsInWords(found, tuple(sorted({names[name] for name in named})))


def own_signs(rules: Rulebook) -> tuple[DangerSign, ...]:
    """The organisation's `[[danger]]` signs."""
    return tuple(own_sign(one.signs, one.number, one.text) for one in rules.danger)
