"""Random acts for the state machine: actor, facts and words, plausible or nonsense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from complaints.actions.intake import message_facts
from complaints.actions.registry import OFFLINE_VERBS
from complaints.actors import MODEL, SYSTEM, Actor, complainant, staff
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.forms import DECISION_QUESTIONS, EVIDENCE, REVIEW_QUESTIONS
from complaints.rulebook import Calendar, LevelTargets, Rulebook
from complaints.vocabulary import Category, CauseClass, ContactKind, Finding, Remedy, State, Target, Verb
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    METE,
    MONA,
    OTHER_REF,
    REF,
    RULES,
    STAFF,
    TUESDAY,
    TUGBA,
    rules_with,
)

Facts = dict[str, Any]

DUTY_MANAGER = staff("U0000010", "on_call", "manager")
TURGUT = staff("U0000011", "top_management")
ACTORS: tuple[Actor, ...] = (ANNA, complainant("p2"), SYSTEM, MODEL, DUTY_MANAGER, TURGUT, *STAFF)
BY_ID: Mapping[str, Actor] = {actor.id: actor for actor in ACTORS}
HANDLING = (ALICE, BURAK, MONA, METE, TUGBA, TURGUT, DUTY_MANAGER)
MANAGING = (MONA, METE, TUGBA, TURGUT, DUTY_MANAGER)

RULEBOOKS: tuple[Rulebook, ...] = (
    RULES,
    rules_with(legal="10 bd"),
    rules_with(legal="8 weeks", extension_cap="10 bd"),
    rules_with(
        decide_from="acknowledged",
        complex_doubles=False,
        extension_cap="10 bd",
        delay_notice="1 bd",
        by_level={
            2: LevelTargets(ack="5 bd", decide="20 bd", extension_cap="20 bd", outside_when_missed=True)
        },
    ),
    replace(RULES, levels={1: ("handler", "manager")}),
    replace(RULES, check_share=1.0),
    replace(RULES, levels={1: ("handler",), 2: ("manager",), 3: ("top_management",)}),
    replace(
        rules_with(legal="30 days", lapse="10 bd", privacy="30 days"),
        country="TR",
        calendar=Calendar(zone="Europe/Istanbul", hours=dict.fromkeys(range(6), ((480, 720), (780, 1020)))),
    ),
)

#: Words for every field; none of them may ever appear in a fact.
SEALED_TEXT = "Some words that only the sealed rows may hold."
WORDS: Mapping[str, str] = dict.fromkeys(
    (
        *("text", "done", "left", "reason", "how", "proof", "root_cause", "cause", "agreed_how", "lesson"),
        *("override_reason", "immediate_action", "others_action", "changes", "body", "outcome", "by_whom"),
        *(f"issues.{n}.{name}" for n in range(4) for name in ("text", "reasons")),
        *(f"remedies.{n}.text" for n in range(4)),
    ),
    SEALED_TEXT,
)

SIGNS = (
    RecordedSign("injury.injury", 4, 2, False, TUESDAY),
    RecordedSign("gas.gas_smell", 5, 3, True, TUESDAY),
    RecordedSign("minor.minor_mentioned", 2, 0, False, TUESDAY),
    RecordedSign("discrimination.discrimination", 3, 0, False, TUESDAY),
    RecordedSign("food.unsafe_thing", 3, 1, False, TUESDAY),
)

_NAMES = (
    *("severity", "safety", "category", "issues", "remedies", "remedy", "owner", "who", "level", "targets"),
    *("met", "target", "extended_to", "needed_by", "signs", "subjects", "agreed", "given_at", "kind", "of"),
    *("event", "comply_by", "step", "reviewers", "finding", "other_ref", "words", "media", "close_code"),
)
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3, 99, 10**12, 0.5, float("nan"), float("inf"), "", " ", "0", "yes", "no"),
    *(
        "accept",
        "2026-11-09",
        "9999-12-31",
        "0001-01-01T00:00:00+14:00",
        "some words",
        "x" * 300,
        "\u0660",
        "²",
    ),
    *(
        [],
        [[]],
        [1],
        ["yes"],
        [{}],
        [{"finding": "upheld"}],
        {},
        {"a": 1},
        {"a b": 1},
        [{"rule": "x"}],
        (1, 2),
    ),
    *(b"bytes", {1, 2}, 1j, TUESDAY),
)


def nonsense(dice: Random) -> Facts:
    """Facts that no form would give: wrong names, wrong types, arbitrary values."""
    return {dice.choice(_NAMES): dice.choice(_ODD) for _ in range(dice.randint(0, 4))}


def day(at: datetime, ahead: int) -> str:
    """The day `ahead` days from now."""
    return (at + timedelta(days=ahead)).date().isoformat()


def moment(at: datetime, ago: int) -> str:
    """The moment `ago` minutes ago."""
    return (at - timedelta(minutes=ago)).isoformat().replace("+00:00", "Z")


#: What the questions asked after a sign add to a message.
ANSWERS_TO_SIGNS: tuple[Facts, ...] = (
    *[{}] * 6,
    {"for_whom": "for_me"},
    {"for_whom": "cannot_decide"},
    {"minor": True},
    {"minor": False},
    {"anonymity": "no_contact"},
    {"anonymity": "named"},
    {"aside": True},
    {"remedy": 0, "remedy_ok": True},
    {"remedy": 0, "remedy_ok": False},
)


def a_message(dice: Random) -> Facts:
    """Often plain words, sometimes media, a name or a sign of harm."""
    signs = dice.sample(SIGNS, dice.choice((0, 0, 0, 1)))
    named = dice.sample((ALICE.id, MONA.id), dice.choice((0, 0, 1))) if signs else []
    kind = dice.choice((None, None, None, "question", "data_erasure", "remedy_refused"))
    audible = dice.randint(0, 1)
    message = message_facts(
        field="description",
        has_words=not audible or dice.random() < 0.5,
        media=audible,
        audible=audible,
        signs=tuple(signs),
        subjects=tuple(named),
        kind=kind,
    )
    return {**message, **dice.choice(ANSWERS_TO_SIGNS), **(_people_facts(dice) if named else {})}


def _people_facts(dice: Random) -> Facts:
    """What the store adds for a named person: managers, roles, remaining reviewers."""
    return {
        "lines": dice.sample((METE.id, BURAK.id), dice.choice((0, 1))),
        "subject_roles": dice.choice((["handler"], ["manager"], [])),
        "eligible": dice.randint(0, 2),
    }


def criteria(dice: Random, case: Case, at: datetime) -> Facts:
    """An assessment; mild in half of all cases, so that resolving is tried too."""
    mild = dice.random() < 0.5
    return {
        "category": dice.choice(list(Category)),
        "severity": dice.randint(1, 2 if mild else 5),
        "safety": 0 if mild else dice.randint(0, 3),
        "complexity": dice.randint(1, 3),
        "reach": dice.randint(1, 2 if mild else 4),
        "recurrence": dice.randint(1, 5),
        "immediate_needed": dice.choice(("no", "yes")),
        "immediate_possible": dice.choice(("no", "yes")),
        "media_heard": dice.random() < 0.5,
        "issues": [{"category": "money"}] * dice.choice((0, 0, 1, 2)),
    }


def a_response(dice: Random, case: Case, at: datetime) -> Facts:
    """A decision with a finding for every issue."""
    remedies = [
        {
            "type": dice.choice(list(Remedy)).value,
            "needs_acceptance": dice.random() < 0.5,
            **dice.choice(
                ({}, {"amount": "20.00", "currency": "GBP"}, {"amount": "900.00", "currency": "GBP"})
            ),
            **dice.choice(({}, {"promised_by_date": day(at, 6)})),
        }
        for _ in range(dice.randint(0, 2))
    ]
    return {
        **_a_draw(dice),
        "issues": [{"finding": dice.choice(list(Finding)).value} for _ in case.issues],
        "remedies": remedies,
        "others_affected": dice.choice(("unknown", "none", "some")),
        "cause_class": dice.choice(list(CauseClass)).value,
    }


def _a_draw(dice: Random) -> Facts:
    """What the store adds to a decision of which a share is read first."""
    return {"draw": 0, "readers": dice.randint(0, 2), "is_new": dice.random() < 0.5}


def _answers(dice: Random, questions: tuple[str, ...]) -> Facts:
    return {question: dice.choice(("yes", "yes", "yes", "yes", "no")) for question in questions}


def _contact_time(dice: Random, case: Case, at: datetime) -> Facts:
    return {"given_at": moment(at, dice.randint(-5, 60))}


_FACTS: Mapping[Verb, Callable[[Random, Case, datetime], Facts]] = {
    Verb.ADD: lambda dice, case, at: a_message(dice),
    Verb.ANSWER: lambda dice, case, at: a_message(dice),
    Verb.ACKNOWLEDGE: lambda dice, case, at: {
        **_contact_time(dice, case, at),
        **dice.choice(({}, {"level": 1})),
    },
    Verb.PROPOSE: lambda dice, case, at: {
        "words": case.words,
        "category": dice.choice(list(Category)).value,
        "probability": 0.5,
        "severity": dice.randint(1, 5),
        "safety": dice.randint(0, 3),
        "abstained": False,
        "restricted": dice.random() < 0.5,
    },
    Verb.ASSESS: criteria,
    Verb.REASSESS: criteria,
    Verb.RECLASSIFY: lambda dice, case, at: {"kind": dice.choice(list(ContactKind)).value},
    Verb.ASSIGN: lambda dice, case, at: dice.choice(({}, {}, {"owner": dice.choice(HANDLING).id})),
    Verb.ASK: lambda dice, case, at: {"needed_by": day(at, dice.randint(-1, 16))},
    Verb.INFORM: lambda dice, case, at: {"next_date": day(at, dice.randint(0, 9))},
    Verb.INVESTIGATE: lambda dice, case, at: {
        "evidence": list(EVIDENCE),
        **dice.choice(({}, {"subject_informed_at": moment(at, 5)}, {"subject_heard_at": moment(at, -5)})),
        **dice.choice(({}, {}, {"subject_not_yet": "evidence", "subject_review_by": day(at, 4)})),
    },
    Verb.RESTRICT: lambda dice, case, at: dice.choice(
        ({}, {}, {"subject": dice.choice(HANDLING).id, **_people_facts(dice)})
    ),
    Verb.RESOLVE: lambda dice, case, at: {
        **_a_draw(dice),
        "finding": dice.choice(list(Finding)).value,
        "cause_class": "single",
        "others_affected": "none",
    },
    Verb.RESPOND: a_response,
    Verb.APPROVE: lambda dice, case, at: {"agreed": dice.choice(("yes", "yes", "no"))},
    Verb.CHECK_DECISION: lambda dice, case, at: {
        **_answers(dice, DECISION_QUESTIONS),
        "agreed": dice.choice(("yes", "yes", "no")),
    },
    Verb.DRAW_REVIEW: lambda dice, case, at: {
        "reviewer": dice.choice(HANDLING).id,
        "due": moment(at, -600),
        "period": "2026-11",
    },
    Verb.REVIEW_CASE: lambda dice, case, at: _answers(dice, REVIEW_QUESTIONS),
    Verb.TALK: lambda dice, case, at: {
        "phase": dice.choice(("begin", "take_over", "line", "line", "end")),
        "thread": "D0000001:1.000100",
    },
    Verb.ACCEPT: _contact_time,
    Verb.DISAGREE: lambda dice, case, at: {**_contact_time(dice, case, at), "reviewers": dice.randint(0, 2)},
    Verb.WITHDRAW: _contact_time,
    Verb.COMMUNICATE_DECISION: _contact_time,
    Verb.NOTE: lambda dice, case, at: dice.choice(
        ({}, {"what": "authority", **_contact_time(dice, case, at)})
    ),
    Verb.OFFER_RECOURSE: _contact_time,
    Verb.NOTIFY_EXTERNAL: lambda dice, case, at: {"event": "notified"},
    Verb.CONCLUDE_EXTERNAL: lambda dice, case, at: {
        "event": dice.choice(("final", "complied")),
        **dice.choice(({}, {"comply_by": day(at, 9)})),
        **dice.choice(({}, {"overturned": "yes"}, {"overturned": "no"})),
        **dice.choice(({}, {}, {"complainant_accepts": "no"})),
    },
    Verb.REMEDY_DONE: lambda dice, case, at: {
        "remedy": _a_remedy(dice, case),
        "done_at": moment(at, dice.randint(-5, 60)),
    },
    Verb.REMEDY_LATE: lambda dice, case, at: {"remedy": _a_remedy(dice, case)},
    Verb.VERIFY: lambda dice, case, at: {"remedy": _a_remedy(dice, case)},
    Verb.EXTEND: lambda dice, case, at: {
        "target": dice.choice((Target.DECIDE, Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION, Target.ACK)),
        "extended_to": day(at, dice.randint(0, 40)),
    },
    Verb.LINK: lambda dice, case, at: {
        "other_ref": dice.choice((OTHER_REF, REF)),
        **dice.choice(
            (
                {"relation": "same_incident"},
                {
                    "relation": "same_incident",
                    "incident": dice.choice((1, 2)),
                    "second_issue": dice.choice((True, False)),
                },
                {"relation": "same_incident", "incident": case.incident or 1, "left": True},
                {"relation": "about_handling_of", "handlers": [dice.choice(HANDLING).id]},
                {
                    "relation": "merged",
                    "other_complainant": dice.choice((ANNA.id, "p2")),
                    "received_at": moment(TUESDAY, dice.choice((-600, 600))),
                },
            )
        ),
    },
    Verb.MERGE: lambda dice, case, at: {
        "other_ref": OTHER_REF,
        "other_complainant": dice.choice((ANNA.id, "p2")),
    },
    Verb.DECLARE_CONFLICT: lambda dice, case, at: {"who": dice.choice(HANDLING).id},
    Verb.BIND: lambda dice, case, at: dice.choice(({}, {"person": dice.choice((ANNA.id, "p2"))})),
    Verb.REDATE: lambda dice, case, at: {"rulebook": "x", "before": "y", "jurisdiction": "GB"},
    Verb.SURVEY: lambda dice, case, at: {"step": dice.choice(("sent", "reminded", "answered"))},
}


def likely_facts(dice: Random, verb: Verb, case: Case, at: datetime) -> Facts:
    """Facts such as a form would give for this verb and case."""
    build = _FACTS.get(verb)
    return build(dice, case, at) if build else {}


def _a_remedy(dice: Random, case: Case) -> str:
    return str(dice.choice([*(remedy.n for remedy in case.remedies), 0]))


#: What moves a complaint on from each state, so that long histories are as frequent as short ones.
NEXT: Mapping[State, tuple[Verb, ...]] = {
    State.RECEIVED: (Verb.ASSESS, Verb.ASSESS, Verb.ASSIGN, Verb.INVESTIGATE, Verb.RECLASSIFY, Verb.APPROVE),
    State.ASSESSED: (
        Verb.RESOLVE,
        Verb.CHECK_DECISION,
        Verb.INVESTIGATE,
        Verb.RECLASSIFY,
        Verb.EXTEND,
        Verb.ASK,
        Verb.ESCALATE,
    ),
    State.INVESTIGATING: (
        Verb.ASSESS,
        Verb.RESPOND,
        Verb.RESPOND,
        Verb.APPROVE,
        Verb.CHECK_DECISION,
        Verb.EXTEND,
    ),
    State.ESCALATED: (Verb.ASSIGN, Verb.ASSESS, Verb.INVESTIGATE, Verb.INVESTIGATE, Verb.REASSESS),
    State.DECIDED: (
        Verb.COMMUNICATE_DECISION,
        Verb.ACCEPT,
        Verb.DISAGREE,
        Verb.VERIFY,
        Verb.CLOSE,
        Verb.LAPSE,
    ),
    State.REMEDYING: (Verb.REMEDY_DONE, Verb.REMEDY_DONE, Verb.VERIFY, Verb.VERIFY, Verb.CLOSE, Verb.ACCEPT),
    State.DISAGREED: (Verb.OFFER_RECOURSE, Verb.CONCLUDE_EXTERNAL),
    State.RECOURSE_OFFERED: (Verb.CLOSE, Verb.CONCLUDE_EXTERNAL, Verb.NOTIFY_EXTERNAL),
    State.CLOSED: (
        Verb.REOPEN,
        Verb.SURVEY,
        Verb.CONCLUDE_EXTERNAL,
        Verb.ADD,
        Verb.DRAW_REVIEW,
        Verb.REVIEW_CASE,
    ),
}
assert set(OFFLINE_VERBS.values()) <= set(_FACTS)
