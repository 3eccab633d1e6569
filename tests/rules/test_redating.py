"""An open complaint under other rules: recorded, for a reason, and no promise broken in silence (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from complaints.actions.fold import fold
from complaints.actions.perform import perform
from complaints.actors import OPERATOR, Actor
from complaints.case_values import TargetSet
from complaints.deadlines.explanation import explained
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.rulebook import Calendar, Rulebook
from complaints.vocabulary import Role, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    MONA,
    RULES,
    TUGBA,
    Told,
    a_case_at_level_two,
    a_closed_case,
    a_logged_case,
    a_received_case,
    a_refund,
    a_told_case,
    acknowledged,
    an_assessed_case,
    assessed,
    at,
    rules_with,
)

WHY = {"reason": "The tenth was a day off and nobody had written it down."}
CLOSED = {date(2026, 11, 10): "Closed for stocktaking"}
SHUT = replace(RULES, calendar=replace(RULES.calendar, holidays=CLOSED))
TURKISH = replace(
    RULES,
    country="TR",
    calendar=Calendar("Europe/Istanbul", dict.fromkeys(range(5), ((9 * 60, 18 * 60),))),
    targets=replace(RULES.targets, legal="15 bd"),
)


def sooner(decide: str = "5 bd") -> Rulebook:
    return rules_with(
        by_priority={
            priority: replace(spans, decide=decide) for priority, spans in RULES.targets.by_priority.items()
        }
    )


def redated(
    told: Told,
    rules: Rulebook,
    *,
    later: bool = False,
    by: Actor = OPERATOR,
    words: dict[str, str] | None = None,
) -> Told:
    facts: dict[str, Any] = {
        "rulebook": rules.id, "before": told.case.rules.id, "jurisdiction": rules.country, "later": later,
    }  # fmt: skip
    moment = told.at + timedelta(minutes=1)
    done = perform(
        told.case,
        Verb.REDATE,
        at=moment,
        by=by,
        facts=facts,
        words=WHY if words is None else words,
        rules=rules,
    )
    return Told(done.case, (*told.events, done.event), done.owed, moment)


def the(told: Told, target: Target) -> TargetSet:
    found = told.case.target(target)
    assert found is not None
    return found


def dates(told: Told, target: Target) -> tuple[Any, Any]:
    return the(told, target).internal_due, the(told, target).promised_due


@clause("7.3")
def test_a_date_that_gets_nearer_moves_at_once() -> None:
    told = redated(an_assessed_case(), sooner())
    assert dates(told, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-11-10 17:30"))
    assert the(told, Target.DECIDE).basis == "P3.decide;redated"


@clause("7.3")
def test_a_promised_date_stays_though_the_rules_give_a_later_one() -> None:
    told = redated(an_assessed_case(), SHUT)
    assert dates(told, Target.DECIDE) == (at("2026-11-17 17:30"), at("2026-11-17 17:30"))
    assert the(told, Target.DECIDE).basis == "P3.decide;redated;promise kept"
    assert "dates" not in told.kinds


@clause("7.3")
def test_a_day_that_was_named_for_the_next_news_takes_the_place_of_no_nearer_promise() -> None:
    words = {"done": "Read.", "left": "Ask."}
    told = an_assessed_case().do(Verb.INFORM, ALICE, {"next_date": "2026-11-12"}, words)
    seldom = rules_with(
        by_priority={
            priority: replace(spans, update_every="10 bd")
            for priority, spans in RULES.targets.by_priority.items()
        }
    )
    kept, moved = redated(told, seldom), redated(told, seldom, later=True)
    assert dates(kept, Target.UPDATE) == dates(told, Target.UPDATE) == (at("2026-11-10 17:30"),) * 2
    assert dates(moved, Target.UPDATE) == (at("2026-11-12 17:30"),) * 2


def test_a_promise_moves_later_only_on_demand_and_the_complainant_is_told_why() -> None:
    told = redated(an_assessed_case(), SHUT, later=True)
    assert dates(told, Target.DECIDE) == (at("2026-11-18 17:30"), at("2026-11-18 17:30"))
    duties = {one.key: one.facts for one in told.owed if one.kind == "dates"}
    seq = told.last.seq
    assert duties[f"dates:{seq}:decide"] == {"seq": seq, "verb": "redate", "target": "decide", "of": 0}


def test_of_a_date_that_was_never_told_nothing_is_told() -> None:
    told = redated(acknowledged(a_received_case()), SHUT, later=True)
    assert dates(told, Target.UPDATE)[1] > dates(acknowledged(a_received_case()), Target.UPDATE)[1]
    assert [one.facts["target"] for one in told.owed if one.kind == "dates"] == ["decide"]


def test_before_an_assessment_the_inner_date_moves_and_the_outer_promise_stays() -> None:
    told = acknowledged(a_received_case())
    longer = redated(told, sooner("15 bd"))
    assert the(told, Target.DECIDE).promised_due == at("2026-12-01 17:30")
    assert dates(longer, Target.DECIDE) == (at("2026-11-24 17:30"), at("2026-11-24 17:30"))
    shut = redated(told, replace(SHUT, targets=RULES.targets))
    assert dates(shut, Target.DECIDE) == (at("2026-11-18 17:30"), at("2026-12-01 17:30"))


def test_a_promise_that_was_kept_is_kept_by_the_assessment_that_follows() -> None:
    told = redated(acknowledged(a_received_case(rules=sooner())), rules_with())
    assert dates(told, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-11-10 17:30"))
    judged = assessed(told)
    assert dates(judged, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-11-10 17:30"))


def test_a_kept_promise_can_be_moved_by_asking_again_and_then_nothing_is_left_to_do() -> None:
    kept = redated(an_assessed_case(), SHUT)
    with pytest.raises(AlreadyDone):
        redated(kept, SHUT)
    moved = redated(kept, SHUT, later=True)
    assert the(moved, Target.DECIDE).promised_due == at("2026-11-18 17:30")
    with pytest.raises(AlreadyDone):
        redated(moved, SHUT, later=True)


@clause("7.3")
def test_what_the_law_sets_is_corrected_both_ways() -> None:
    told = an_assessed_case(rules=rules_with(legal="12 bd"))
    assert the(told, Target.LEGAL).internal_due == at("2026-11-19 17:30")
    assert the(redated(told, rules_with(legal="20 bd")), Target.LEGAL).internal_due == at("2026-12-01 17:30")
    nearer = redated(told, rules_with(legal="6 bd"))
    assert the(nearer, Target.LEGAL).internal_due == at("2026-11-11 17:30")
    assert dates(nearer, Target.DECIDE) == (at("2026-11-11 17:30"), at("2026-11-11 17:30"))
    without = redated(told, rules_with())
    assert the(without, Target.LEGAL).met_at == without.at


def test_a_date_that_was_missed_is_not_mended() -> None:
    late = an_assessed_case().later(days=15)
    told = redated(late, SHUT, later=True)
    assert the(told, Target.DECIDE).internal_due == at("2026-11-17 17:30")
    assert the(told, Target.DECIDE).basis == "P3.decide;redated;missed before"


def test_what_was_missed_is_not_mended_by_the_assessment_that_follows_either() -> None:
    told = acknowledged(a_received_case(rules=sooner())).later(days=9)
    stands = redated(told, rules_with(), later=True)
    assert dates(stands, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-12-01 17:30"))
    judged = assessed(stands)
    assert the(judged, Target.DECIDE).internal_due == at("2026-11-10 17:30")


def test_an_extension_stands_inside_the_legal_maximum() -> None:
    more = {"target": "decide", "extended_to": "2026-11-24"}
    told = an_assessed_case(rules=rules_with(legal="20 bd")).do(Verb.EXTEND, MONA, more, WHY)
    again = redated(told, replace(SHUT, targets=told.case.rules.targets))
    assert dates(again, Target.DECIDE) == (at("2026-11-24 17:30"), at("2026-11-24 17:30"))
    capped = redated(told, rules_with(legal="12 bd"))
    assert the(capped, Target.DECIDE).internal_due == at("2026-11-19 17:30")
    assert the(capped, Target.DECIDE).basis == "extend;capped by legal;redated"


def test_days_that_were_promised_by_an_act_stand() -> None:
    told = a_told_case(remedies=[a_refund()])
    again = redated(told, TURKISH, later=True)
    assert again.case.target(Target.REMEDY) == told.case.target(Target.REMEDY)


def test_the_time_to_answer_does_not_get_shorter() -> None:
    told = a_told_case()
    shorter = redated(told, rules_with(lapse="3 bd", reply_reminder="1 bd"))
    assert the(shorter, Target.LAPSE).internal_due == the(told, Target.LAPSE).internal_due


@clause("7.3")
def test_each_version_is_explained_by_the_rules_that_counted_it() -> None:
    told = redated(an_assessed_case(), TURKISH, later=True)
    first, last = (
        explained(told.case, one)
        for one in told.case.targets
        if one.target is Target.DECIDE and one.version > 1
    )
    assert any("Europe/London" in line for line in first)
    assert any("Europe/Istanbul" in line for line in last)
    assert last[-1].startswith("Counted anew when the complaint went on under other rules")


def test_what_comes_afterwards_is_counted_by_the_new_rules() -> None:
    told = redated(an_assessed_case(), TURKISH, later=True).do(
        Verb.REPLY, ALICE, words={"text": "We are on it."}
    )
    assert the(told, Target.UPDATE).internal_due == at("2026-11-10 15:00")  # 18:00 in Istanbul
    assert told.case.rules is TURKISH


def test_the_events_give_the_case_again_and_an_event_without_its_rules_gives_none() -> None:
    told = redated(an_assessed_case(), TURKISH)
    assert fold(told.events, told.case.first_rules) == told.case
    bare = (*told.events[:-1], replace(told.last, rules=None))
    with pytest.raises(ValueError, match="comes without them"):
        fold(bare, told.case.first_rules)


def test_where_no_chat_takes_it_people_tell_the_moved_promise() -> None:
    heard = {"what": "acknowledge", "given_at": "2026-11-03T10:00:00Z"}
    told = assessed(a_logged_case().do(Verb.ACKNOWLEDGE, ALICE, heard, {"by_whom": "Anna"}))
    moved = redated(told, SHUT, later=True)
    spoken = [one.facts["about"] for one in moved.owed if one.key.startswith("voice:dates:")]
    assert spoken == ["dates", "dates"]  # the decision, and until when they hear next


def test_closed_complaints_keep_their_rules() -> None:
    with pytest.raises(OutOfOrder, match="reopen it first"):
        redated(a_closed_case(), SHUT)


def test_the_same_rules_one_year_later_are_no_other_rules() -> None:
    years = {
        year: {date(at_, 12, 25): "Christmas Day" for at_ in range(year - 2, year + 9)}
        for year in (2026, 2027)
    }
    old, new = (replace(RULES, calendar=replace(RULES.calendar, holidays=days)) for days in years.values())
    assert old.id != new.id
    assert old.edition == new.edition
    assert old.says_as(new)
    with pytest.raises(AlreadyDone):
        redated(an_assessed_case(rules=old), new)
    moved = {**years[2027], date(2026, 12, 28): "Boxing Day"}
    assert not old.says_as(replace(RULES, calendar=replace(RULES.calendar, holidays=moved)))
    assert not old.says_as(RULES)


def test_a_level_that_the_rules_lack_keeps_the_complaint_under_its_own() -> None:
    single = replace(TURKISH, levels={1: ("handler", "manager")})
    with pytest.raises(OutOfOrder, match="is at level 2"):
        redated(a_case_at_level_two(), single)


def test_it_needs_a_reason_the_rules_and_the_operator() -> None:
    with pytest.raises(BadFacts, match="Say why"):
        redated(an_assessed_case(), SHUT, words={})
    for by in (ALICE, MONA, TUGBA):
        with pytest.raises(NotAllowed):
            redated(an_assessed_case(), SHUT, by=by)
    facts = {"rulebook": SHUT.id, "before": RULES.id, "jurisdiction": "GB"}
    with pytest.raises(BadFacts, match="amends case redate"):
        an_assessed_case().do(Verb.REDATE, OPERATOR, facts, WHY)


def test_the_record_names_who_why_and_both_rulebooks() -> None:
    told = redated(an_assessed_case(), TURKISH)
    event = told.last
    assert (event.by, event.role, event.words) == ("operator", Role.SYSTEM, WHY)
    assert {name: event.facts[name] for name in ("rulebook", "before", "jurisdiction")} == {
        "rulebook": TURKISH.id,
        "before": RULES.id,
        "jurisdiction": "TR",
    }
