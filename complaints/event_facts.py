"""What the facts of an act may be: the right shape for the verb, and never a word of anybody's.

Forms are read by `forms.read`; this holds every other road (the scheduler, the command line, an import) to
the same shapes, so that a verb never meets a value that it cannot use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any

from complaints import forms
from complaints.case import Facts
from complaints.errors import BadFacts
from complaints.forms import FORMS, GIVEN, Field, Input
from complaints.rulebook import is_code
from complaints.vocabulary import ContactKind, Target, Verb

Shape = Callable[[Any], bool]

#: What the rules write by themselves: nobody moves a date, counts one as met or settles early by saying so.
DERIVED = ("targets", "met", "settled_early")

#: Names of safety rules may hold an organisation's own words ("smell of gas"): its settings', not people's.
_NAMES = frozenset({"rule", "rules"})
_LONGEST = 200


def check(verb: Verb, facts: Facts) -> None:
    """Raise BadFacts for a missing or misshapen fact; facts that a verb does not know must be codes."""
    for name in DERIVED:
        if name in facts:
            raise BadFacts(f"'{name}' is computed: leave it out.", field=name, code="derived")
    if "owner" in facts and verb is not Verb.ASSIGN:
        raise BadFacts("An owner is set by 'assign': leave it out.", field="owner", code="derived")
    required, shapes = SHAPES.get(verb, (frozenset(), {}))
    for name in sorted(required):
        if name not in facts:
            raise BadFacts(f"'{verb.value}' needs '{name}': fill it in.", field=name, code="required")
    for name, value in facts.items():
        shape = shapes.get(name)
        if shape is not None and not shape(value):
            raise BadFacts(
                f"'{name}' of '{verb.value}' is not one of the accepted values: choose again.",
                field=name,
                code="not_an_option",
            )


def check_wordless(facts: Facts) -> None:
    """Raise BadFacts where a fact holds words or is no JSON value: events carry codes, times and ids only."""
    for path, value in _leaves("", facts):
        name = path.rsplit(".", 1)[-1]
        codes = isinstance(value, str | int | bool | None) or (isinstance(value, float) and isfinite(value))
        if not codes or any(letter.isspace() for letter in path):
            raise BadFacts(f"'{path}' is no JSON value: give a code.", field=path, code="words_in_facts")
        if isinstance(value, str) and (
            len(value) > _LONGEST or (name not in _NAMES and any(letter.isspace() for letter in value))
        ):
            raise BadFacts(
                f"'{path}' holds words: give them as words, apart from the facts.",
                field=path,
                code="words_in_facts",
            )


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), one)
    elif isinstance(value, list | tuple | set | frozenset):
        if isinstance(value, set | frozenset):
            yield path, value
        for one in value:
            yield from _leaves(path, one)
    else:
        yield path, value


def _whole(low: int, high: int = 10**9) -> Shape:
    def fits(value: Any) -> bool:
        if isinstance(value, bool) or not (
            isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit())
        ):
            return False
        return low <= int(value) <= high

    return fits


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _code(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _one_of(*options: str) -> Shape:
    return lambda value: isinstance(value, str) and value in options


def _codes(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(_code(one) for one in value)


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _reads(one: Field) -> Shape:
    """True for what `forms.read` would give for this field."""

    def fits(value: Any) -> bool:
        if one.name == "category":
            return is_code(value)  # which of them there are, the rules of the complaint say
        if one.input is Input.CHOICE and not one.options:
            return _whole(0)(value)
        if one.input in (Input.DATE, Input.MOMENT) and (not isinstance(value, str) or value.isdigit()):
            # Seconds are how Slack writes a moment; a fact has it as ISO 8601 already.
            return False
        try:
            forms.value_of(one, value, one.options)
        except ValueError:
            return False
        return True

    return fits


def _rows(members: Mapping[str, Shape], required: frozenset[str]) -> Shape:
    def fits(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(
            isinstance(row, Mapping)
            and all(row.get(name) is not None for name in required)
            and all(shape(row[name]) for name, shape in members.items() if row.get(name) is not None)
            for row in value
        )

    return fits


def _form(name: str) -> tuple[frozenset[str], dict[str, Shape]]:
    told = [one for one in FORMS[name] if not one.sealed]
    required = frozenset(one.name for one in told if one.required and one.group is None)
    shapes: dict[str, Shape] = {one.name: _reads(one) for one in told if one.group is None}
    for group in {one.group for one in told if one.group}:
        members = [one for one in told if one.group == group]
        needed = frozenset(one.name for one in members if one.required)
        shapes[group] = _rows({one.name: _reads(one) for one in members}, needed)
    return required, shapes


#: What the store knows of the people whom an act names: their managers, their roles, who is left to decide.
NAMED: Mapping[str, Shape] = {"lines": _codes, "subject_roles": _codes, "eligible": _whole(0)}
_SIGN: Mapping[str, Shape] = {
    "rule": _code,
    "severity": _whole(1, 5),
    "safety": _whole(0, 3),
    "danger": _flag,
}
_SAID: Mapping[str, Shape] = {
    "field": _code,
    "has_words": _flag,
    "media": _whole(0),
    "audible": _whole(0),
    "signs": _rows(_SIGN, frozenset(_SIGN)),
    "subjects": _codes,
    "kind": _code,
    **NAMED,
    "for_whom": _one_of("for_me", "agreed", "cannot_decide", "do_not_know"),
    "relation": _code,
    "anonymity": _one_of("named", "pseudonym", "no_contact"),
    "minor": _flag,
    "aside": _flag,
    "remedy": _whole(0),
    "remedy_ok": _flag,
}
_HEARD = (frozenset[str](), _SAID)
_PROPOSED: Mapping[str, Shape] = {
    "words": _whole(0),
    "category": is_code,
    "probability": _share,
    "severity": _whole(1, 5),
    "safety": _whole(0, 3),
    "abstained": _flag,
    "restricted": _flag,
}
#: What newer proposals tell besides: older ones, and those of the rules alone, have less.
_PROPOSED_MORE: Mapping[str, Shape] = {
    "alternatives": _rows({"category": is_code, "probability": _share}, frozenset({"category"})),
    "intent": _one_of(*ContactKind),
    "intent_probability": _share,
    "issues": _rows({"category": is_code, "probability": _share}, frozenset({"category"})),
    "criteria": _rows({"field": _code, "reason": _code}, frozenset({"field", "value", "reason"})),
    "happened_by": _reads(Field("happened_by", Input.DATE)),
}
_VOICE: Mapping[str, Shape] = {"what": _one_of(*GIVEN), "given_at": _reads(Field("given_at", Input.MOMENT))}
_ANSWER = (frozenset[str](), _VOICE)
_REMEDY = (frozenset({"remedy"}), {"remedy": _whole(0)})

#: By verb: the facts that must be there, and the shapes of those that the rules use.
SHAPES: Mapping[Verb, tuple[frozenset[str], Mapping[str, Shape]]] = {
    Verb.RECEIVE: _HEARD,
    Verb.ADD: _HEARD,
    Verb.ANSWER: _HEARD,
    Verb.ACKNOWLEDGE: (frozenset(), {**_VOICE, "level": _whole(1)}),
    Verb.PROPOSE: (frozenset(_PROPOSED), {**_PROPOSED, **_PROPOSED_MORE}),
    Verb.ASSESS: _form("assess"),
    Verb.REASSESS: _form("assess"),
    Verb.RECLASSIFY: _form("reclassify"),
    Verb.ASSIGN: (frozenset(), {"owner": _code, "batch": _code}),
    Verb.NOTE: (frozenset(), {**_VOICE, **_form("note")[1]}),
    Verb.ASK: _form("ask"),
    Verb.INVESTIGATE: _form("investigate"),
    Verb.RESOLVE: _form("resolve"),
    Verb.RESPOND: _form("decide"),
    Verb.APPROVE: _form("approve"),
    Verb.COMMUNICATE_DECISION: (frozenset(), {**_VOICE, "seq": _whole(1)}),
    Verb.ACCEPT: _ANSWER,
    Verb.DISAGREE: (frozenset(), {**_VOICE, "reviewers": _whole(0)}),
    Verb.OFFER_RECOURSE: _ANSWER,
    Verb.WITHDRAW: _ANSWER,
    Verb.NOTIFY_EXTERNAL: _form("external"),
    Verb.CONCLUDE_EXTERNAL: _form("external"),
    Verb.REMEDY_DONE: _form("remedy"),
    Verb.REMEDY_LATE: _REMEDY,
    Verb.VERIFY: _form("verify"),
    Verb.EXTEND: (_form("extend")[0], {**_form("extend")[1], "target": _one_of(*Target), "of": _whole(0)}),
    Verb.REDATE: (
        frozenset({"rulebook", "before", "jurisdiction"}),
        {"rulebook": _code, "before": _code, "jurisdiction": _code, "later": _flag},
    ),
    Verb.CLOSE: (frozenset(), _form("close")[1]),
    Verb.LINK: (
        frozenset(),
        {"other_ref": _code, "relation": _code, "incident": _whole(1), "left": _flag, "second_issue": _flag}
        | {"handlers": _codes, "other_complainant": _code, "subjects": _codes, **NAMED}
        | {
            "received_at": _reads(Field("received_at", Input.MOMENT)),
            "signs": _rows(_SIGN, frozenset(_SIGN)),
        },
    ),
    Verb.MERGE: (frozenset({"other_ref"}), {"other_ref": _code, "other_complainant": _code}),
    Verb.DECLARE_CONFLICT: (frozenset({"who"}), {"who": _code, **NAMED}),
    Verb.RESTRICT: (frozenset(), {"subject": _code, "subjects": _codes, **NAMED}),
    Verb.REPLY: _form("reply"),
    Verb.BIND: (frozenset(), {"person": _code}),
    Verb.RECEIPT: (frozenset(), {"of": _one_of("danger", "executive")}),
    Verb.SURVEY: (frozenset({"step"}), {"step": _code}),
}
