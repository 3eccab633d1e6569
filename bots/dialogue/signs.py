"""What the safety rules find in a message: signs of harm, and members of staff named in it (7.5, 4.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.case_values import RecordedSign
from complaints.rulebook import Rulebook
from triage.safety.signs import DangerSign, find_signs, named_people, own_sign


@dataclass(frozen=True)
class SignsInWords:
    """`signs` as they are recorded, the gravest first; `subjects`: the ids of the staff named."""

    signs: tuple[RecordedSign, ...] = ()
    subjects: tuple[str, ...] = ()

    @property
    def danger(self) -> RecordedSign | None:
        """The gravest sign of present danger."""
        return next((sign for sign in self.signs if sign.danger), None)


def read_signs(text: str, rules: Rulebook, staff: Mapping[str, Sequence[str]], now: datetime) -> SignsInWords:
    """Find the signs in one message. Runs inside its transaction, so no look-ups (docs/design.md, "What runs
    when")."""
    if not text.strip():
        return SignsInWords()
    recorded = tuple(
        RecordedSign(f"{sign.kind}.{sign.rule}", sign.severity, sign.safety, sign.danger, now)
        for sign in find_signs(text, extra=own_signs(rules))
    )
    member_by_name = {name: member for member, names in staff.items() for name in names}
    names_in_text = named_people(text, tuple(member_by_name))
    return SignsInWords(recorded, tuple(sorted({member_by_name[name] for name in names_in_text})))


def own_signs(rules: Rulebook) -> tuple[DangerSign, ...]:
    """The organisation's own `[[danger]]` signs."""
    return tuple(own_sign(entry.signs, entry.number, entry.text) for entry in rules.danger)
