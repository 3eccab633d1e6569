"""The accepted shape of each fact of an event: codes, times and ids, never a person's words.

`forms.read` already checks a form. These checks cover every other source of facts (the scheduler, the command
line, an import), so an action never gets a value that it cannot use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from typing import Any

from complaints import forms
from complaints.case import Facts
from complaints.errors import BadFacts
from complaints.forms import ANSWER_TO, FORMS, OPTIONS, Field, Input
from complaints.rulebook import is_code
from complaints.vocabulary import ContactKind, Verb

Shape = Callable[[Any], bool]

#: The rules compute these: an act cannot move a date, count one as met, or settle early through its facts.
DERIVED = ("targets", "met", "settled_early", "told_at")

#: On an act whose words reach the complainant: the codes of the warnings that were shown before it was sent.
OVERRULED = "overruled"

#: On a letter that staff send: the seconds in which its sender can take it back. It counts once it is delivered.
HELD = "held"
#: So long a letter waits, and nothing of an act on all is recorded in a complaint.
TAKE_BACK_SECONDS = 10
#: On a letter with attachments: the numbers of its files in the record.
ATTACHMENTS = "attachments"
#: On a warning about contact, and on a decision that no chat takes: it counts from its delivery.
COUNTS_DELIVERED = "counts_delivered"

#: Names of safety rules may contain an organisation's own words ("smell of gas"): settings, not a person's words.
_NAMES = frozenset({"rule", "rules"})
_LONGEST = 200
_SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class FactShapes:
    """The facts that a verb requires, and the shapes of the facts that it uses."""

    required: frozenset[str] = frozenset()
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def plus(self, **shapes: Shape) -> FactShapes:
        """These shapes and more."""
        return FactShapes(self.required, {**self.shapes, **shapes})


ANY_FACTS = FactShapes()


def check_facts(verb: Verb, facts: Facts, expected: FactShapes) -> None:
    """Raise BadFacts for a missing or misshapen fact; unknown facts must be codes (see `check_wordless`)."""
    for name in DERIVED:
        if name in facts:
            raise BadFacts.worded("derived:computed", field=name, name=name)
    if "owner" in facts and "owner" not in expected.shapes:
        raise BadFacts.worded("derived:owner", field="owner")
    for name in sorted(expected.required):
        if name not in facts:
            raise BadFacts.worded("required:fact", field=name, verb=verb.value, name=name)
    for name, value in facts.items():
        shape = _ON_ANY_LETTER.get(name) or expected.shapes.get(name)
        if shape is not None and not shape(value):
            raise BadFacts.worded("not_an_option:fact", field=name, name=name, verb=verb.value)


def check_wordless(facts: Facts) -> None:
    """Raise BadFacts where a fact contains words or is not a JSON value."""
    for path, value in _leaves("", facts):
        name = path.rsplit(".", 1)[-1]
        is_json = isinstance(value, str | int | bool | None) or (isinstance(value, float) and isfinite(value))
        if not is_json or _SPACE.search(path):
            raise BadFacts.worded("words_in_facts:no_json", field=path, path=path)
        if isinstance(value, str) and (
            len(value) > _LONGEST or (name not in _NAMES and _SPACE.search(value))
        ):
            raise BadFacts.worded("words_in_facts:words", field=path, path=path)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), item)
    elif isinstance(value, list | tuple | set | frozenset):
        if isinstance(value, set | frozenset):
            yield path, value
        for item in value:
            yield from _leaves(path, item)
    else:
        yield path, value


# shapes of single values


def whole(low: int, high: int = 10**9) -> Shape:
    """A whole number in this range, or its digits."""

    def fits(value: Any) -> bool:
        if isinstance(value, bool) or not (
            isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit())
        ):
            return False
        return low <= int(value) <= high

    return fits


def flag(value: Any) -> bool:
    """True or False."""
    return isinstance(value, bool)


def code(value: Any) -> bool:
    """A string that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def codes(value: Any) -> bool:
    """A list of codes."""
    return isinstance(value, list | tuple) and all(code(item) for item in value)


def one_of(*options: str) -> Shape:
    """One of these strings."""
    return lambda value: isinstance(value, str) and value in options


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _rows(members: Mapping[str, Shape], required: Iterable[str]) -> Shape:
    needed = frozenset(required)

    def fits(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(
            isinstance(row, Mapping)
            and all(row.get(name) is not None for name in needed)
            and all(shape(row[name]) for name, shape in members.items() if row.get(name) is not None)
            for row in value
        )

    return fits


def _as_read(form_field: Field) -> Shape:
    """What `forms.read` would return for this field."""

    def fits(value: Any) -> bool:
        if form_field.name in ("category", "product", "branch"):
            return is_code(value)  # which exist depends on the complaint's rules
        if form_field.input is Input.CHOICE and not form_field.options:
            return whole(0)(value)
        if form_field.input is Input.FLAGS and not form_field.options:
            return codes(value)
        if form_field.input in (Input.DATE, Input.MOMENT) and (not isinstance(value, str) or value.isdigit()):
            # Slack writes a moment in seconds; a fact already has it as ISO 8601.
            return False
        try:
            forms.value_of(form_field, value, form_field.options)
        except ValueError:
            return False
        return True

    return fits


moment = _as_read(Field("moment", Input.MOMENT))


def _numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(whole(1)(number) for number in value)


_ON_ANY_LETTER: Mapping[str, Shape] = {
    OVERRULED: codes, HELD: whole(1, 60), ATTACHMENTS: _numbers, forms.NO_PAYMENT: codes,
}  # fmt: skip


# shapes of whole acts


@cache
def form_facts(name: str) -> FactShapes:
    """The facts that a form gives: required fields, and one list of rows for each group."""
    unsealed = [form_field for form_field in FORMS[name].fields if not form_field.sealed]
    single = [form_field for form_field in unsealed if form_field.group is None]
    shapes: dict[str, Shape] = {form_field.name: _as_read(form_field) for form_field in single}
    for group in {form_field.group for form_field in unsealed if form_field.group}:
        members = [form_field for form_field in unsealed if form_field.group == group]
        needed = (form_field.name for form_field in members if form_field.required)
        shapes[group] = _rows({form_field.name: _as_read(form_field) for form_field in members}, needed)
    return FactShapes(frozenset(form_field.name for form_field in single if form_field.required), shapes)


#: The store adds these where an act names members of staff: their managers, their roles, who is left to decide.
PEOPLE: Mapping[str, Shape] = {"lines": codes, "subject_roles": codes, "eligible": whole(0)}

#: The store adds these to a decision: its draw for a second reader, who could read it, whether the decider is new.
DRAW: Mapping[str, Shape] = {"draw": whole(0), "readers": whole(0), "is_new": flag}

_SIGN: Mapping[str, Shape] = {"rule": code, "severity": whole(1, 5), "safety": whole(0, 3), "danger": flag}
_SIGNS = _rows({**_SIGN, "look": flag, "language": code}, _SIGN)

#: A message of the complainant, or the description that staff log.
MESSAGE = FactShapes(
    shapes={
        "field": code,
        "has_words": flag,
        "media": whole(0),
        "audible": whole(0),
        "signs": _SIGNS,
        "subjects": codes,
        "kind": code,
        "translates": whole(1),
        **PEOPLE,
        "for_whom": one_of("for_me", "agreed", "cannot_decide", "do_not_know"),
        "relation": code,
        "anonymity": one_of("named", "pseudonym", "no_contact"),
        "minor": flag,
        "aside": flag,
        "remedy": whole(0),
        "remedy_ok": flag,
        "remedies_requested": codes,
        "amount_requested": whole(0),
        "currency_requested": code,
        "needs_reply": flag,
        "danger_answer": one_of("yes", "no", "unclear", "over"),
        "written_in": code,
        "answer_to": one_of(*ANSWER_TO),
        "signed": flag,
    }
)

_PROPOSED: Mapping[str, Shape] = {
    "words": whole(0),
    "category": is_code,
    "probability": _share,
    "severity": whole(1, 5),
    "safety": whole(0, 3),
    "abstained": flag,
    "restricted": flag,
}
_CATEGORY: Mapping[str, Shape] = {"category": is_code, "probability": _share}
#: A proposal. The optional facts are missing from those of the safety rules alone.
PROPOSAL = FactShapes(frozenset(_PROPOSED), _PROPOSED).plus(
    alternatives=_rows(_CATEGORY, ("category",)),
    intent=one_of(*ContactKind),
    intent_probability=_share,
    issues=_rows(_CATEGORY, ("category",)),
    criteria=_rows(
        {
            "field": code,
            "reason": code,
            "category": is_code,
            "probability": _share,
            "limit": _share,
            "number": whole(0),
        },
        ("field", "value", "reason"),
    ),
    happened_by=_as_read(Field("happened_by", Input.DATE)),
    written_in=code,
)

#: Something that staff received or gave offline: what, and when.
OFFLINE = FactShapes(shapes={"what": one_of(*OPTIONS["spoken"]), "given_at": moment})

#: A link to another complaint, which may be merged into this one, or to an incident.
LINK = FactShapes(
    shapes={
        "other_ref": code,
        "relation": code,
        "incident": whole(1),
        "left": flag,
        "second_issue": flag,
        "handlers": codes,
        "other_complainant": code,
        "subjects": codes,
        **PEOPLE,
        "received_at": moment,
        "signs": _SIGNS,
    }
)

#: A conversation: `thread` and `post` are where its lines, and this one, were typed.
TALK_FACTS = FactShapes(
    frozenset({"phase", "thread"}),
    {"phase": one_of("begin", "take_over", "line", "end"), "thread": code, "post": code, "because": code},
)
