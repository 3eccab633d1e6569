"""An open complaint under other rules: recorded with a reason, and no promise broken silently (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from complaints.actions.perform import fold, perform
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
    BuiltComplaint,
    a_case_at_level_two,
    a_closed_case,
    a_communicated_case,
    a_logged_case,
    a_received_case,
    a_refund,
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


def rules_with_decision(decide: str = "5 bd") -> Rulebook:
    return rules_with(
        by_priority={
            priority: replace(spans, decide=decide) for priority, spans in RULES.targets.by_priority.items()
        }
    )


def redated(
    complaint: BuiltComplaint,
    rules: Rulebook,
    *,
    later: bool = False,
    by: Actor = OPERATOR,
    words: dict[str, str] | None = None,
) -> BuiltComplaint:
    facts: dict[str, Any] = {
        "rulebook": rules.id, "before": complaint.case.rules.id, "jurisdiction": rules.country, "later": later,
    }  # fmt: skip
    moment = complaint.at + timedelta(minutes=1)
    done = perform(
        complaint.case,
        Verb.REDATE,
        at=moment,
        actor=by,
        facts=facts,
        words=WHY if words is None else words,
        rules=rules,
    )
    return BuiltComplaint(done.case, (*complaint.events, done.event), done.obligations, moment)


def latest_target(complaint: BuiltComplaint, target: Target) -> TargetSet:
    target_set = complaint.case.target(target)
    assert target_set is not None
    return target_set


def dates(complaint: BuiltComplaint, target: Target) -> tuple[Any, Any]:
    return latest_target(complaint, target).internal_due, latest_target(complaint, target).promised_due


@clause("7.3")
def test_an_earlier_date_applies_at_once() -> None:
    complaint = redated(an_assessed_case(), rules_with_decision())
    assert dates(complaint, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-11-10 17:30"))
    assert latest_target(complaint, Target.DECIDE).basis == "P3.decide;redated"


@clause("7.3")
def test_a_promised_date_is_kept_when_the_new_rules_give_a_later_one() -> None:
    complaint = redated(an_assessed_case(), SHUT)
    assert dates(complaint, Target.DECIDE) == (at("2026-11-17 17:30"), at("2026-11-17 17:30"))
    assert latest_target(complaint, Target.DECIDE).basis == "P3.decide;redated;promise kept"
    assert "dates" not in complaint.kinds


@clause("7.3")
def test_a_next_news_date_replaces_no_earlier_promise() -> None:
    words = {"done": "Read.", "left": "Ask."}
    complaint = an_assessed_case().do(Verb.INFORM, ALICE, {"next_date": "2026-11-12"}, words)
    seldom = rules_with(
        by_priority={
            priority: replace(spans, update_every="10 bd")
            for priority, spans in RULES.targets.by_priority.items()
        }
    )
    kept, moved = redated(complaint, seldom), redated(complaint, seldom, later=True)
    assert dates(kept, Target.UPDATE) == dates(complaint, Target.UPDATE) == (at("2026-11-10 17:30"),) * 2
    assert dates(moved, Target.UPDATE) == (at("2026-11-12 17:30"),) * 2


def test_a_promise_moves_later_only_on_request_and_with_a_reason() -> None:
    complaint = redated(an_assessed_case(), SHUT, later=True)
    assert dates(complaint, Target.DECIDE) == (at("2026-11-18 17:30"), at("2026-11-18 17:30"))
    obligations = {
        obligation.key: obligation.facts for obligation in complaint.obligations if obligation.kind == "dates"
    }
    seq = complaint.last.seq
    assert obligations[f"dates:{seq}:decide"] == {"seq": seq, "verb": "redate", "target": "decide", "of": 0}


def test_a_date_that_was_never_communicated_gets_no_notice() -> None:
    complaint = redated(acknowledged(a_received_case()), SHUT, later=True)
    assert dates(complaint, Target.UPDATE)[1] > dates(acknowledged(a_received_case()), Target.UPDATE)[1]
    assert [
        obligation.facts["target"] for obligation in complaint.obligations if obligation.kind == "dates"
    ] == ["decide"]


def test_before_the_assessment_the_internal_date_moves_and_the_promise_stays() -> None:
    complaint = acknowledged(a_received_case())
    longer = redated(complaint, rules_with_decision("15 bd"))
    assert latest_target(complaint, Target.DECIDE).promised_due == at("2026-12-01 17:30")
    assert dates(longer, Target.DECIDE) == (at("2026-11-24 17:30"), at("2026-11-24 17:30"))
    shut = redated(complaint, replace(SHUT, targets=RULES.targets))
    assert dates(shut, Target.DECIDE) == (at("2026-11-18 17:30"), at("2026-12-01 17:30"))


def test_a_kept_promise_survives_the_assessment() -> None:
    complaint = redated(acknowledged(a_received_case(rules=rules_with_decision())), rules_with())
    assert dates(complaint, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-11-10 17:30"))
    judged = assessed(complaint)
    assert dates(judged, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-11-10 17:30"))


def test_a_kept_promise_can_be_moved_by_a_second_request_only() -> None:
    kept = redated(an_assessed_case(), SHUT)
    with pytest.raises(AlreadyDone):
        redated(kept, SHUT)
    moved = redated(kept, SHUT, later=True)
    assert latest_target(moved, Target.DECIDE).promised_due == at("2026-11-18 17:30")
    with pytest.raises(AlreadyDone):
        redated(moved, SHUT, later=True)


@clause("7.3")
def test_the_legal_maximum_is_corrected_in_both_directions() -> None:
    complaint = an_assessed_case(rules=rules_with(legal="12 bd"))
    assert latest_target(complaint, Target.LEGAL).internal_due == at("2026-11-19 17:30")
    assert latest_target(redated(complaint, rules_with(legal="20 bd")), Target.LEGAL).internal_due == at(
        "2026-12-01 17:30"
    )
    nearer = redated(complaint, rules_with(legal="6 bd"))
    assert latest_target(nearer, Target.LEGAL).internal_due == at("2026-11-11 17:30")
    assert dates(nearer, Target.DECIDE) == (at("2026-11-11 17:30"), at("2026-11-11 17:30"))
    without = redated(complaint, rules_with())
    assert latest_target(without, Target.LEGAL).met_at == without.at


def test_a_missed_date_is_not_corrected() -> None:
    late = an_assessed_case().later(days=15)
    complaint = redated(late, SHUT, later=True)
    assert latest_target(complaint, Target.DECIDE).internal_due == at("2026-11-17 17:30")
    assert latest_target(complaint, Target.DECIDE).basis == "P3.decide;redated;missed before"


def test_a_missed_date_is_not_corrected_by_the_next_assessment() -> None:
    complaint = acknowledged(a_received_case(rules=rules_with_decision())).later(days=9)
    redated_complaint = redated(complaint, rules_with(), later=True)
    assert dates(redated_complaint, Target.DECIDE) == (at("2026-11-10 17:30"), at("2026-12-01 17:30"))
    judged = assessed(redated_complaint)
    assert latest_target(judged, Target.DECIDE).internal_due == at("2026-11-10 17:30")


def test_an_extension_is_kept_within_the_legal_maximum() -> None:
    more = {"target": "decide", "extended_to": "2026-11-24"}
    complaint = an_assessed_case(rules=rules_with(legal="20 bd")).do(Verb.EXTEND, MONA, more, WHY)
    again = redated(complaint, replace(SHUT, targets=complaint.case.rules.targets))
    assert dates(again, Target.DECIDE) == (at("2026-11-24 17:30"), at("2026-11-24 17:30"))
    capped = redated(complaint, rules_with(legal="12 bd"))
    assert latest_target(capped, Target.DECIDE).internal_due == at("2026-11-19 17:30")
    assert latest_target(capped, Target.DECIDE).basis == "extend;capped by legal;redated"


def test_dates_promised_by_an_act_are_kept() -> None:
    complaint = a_communicated_case(remedies=[a_refund()])
    again = redated(complaint, TURKISH, later=True)
    assert again.case.target(Target.REMEDY) == complaint.case.target(Target.REMEDY)


def test_the_time_to_answer_never_gets_shorter() -> None:
    complaint = a_communicated_case()
    shorter = redated(complaint, rules_with(lapse="3 bd", reply_reminder="1 bd"))
    assert (
        latest_target(shorter, Target.LAPSE).internal_due
        == latest_target(complaint, Target.LAPSE).internal_due
    )


@clause("7.3")
def test_each_version_is_explained_by_the_rules_that_computed_it() -> None:
    complaint = redated(an_assessed_case(), TURKISH, later=True)
    first, last = (
        explained(complaint.case, target)
        for target in complaint.case.targets
        if target.target is Target.DECIDE and target.version > 1
    )
    assert any("Europe/London" in line for line in first)
    assert any("Europe/Istanbul" in line for line in last)
    assert last[-1].startswith("Counted anew when the complaint went on under other rules")


def test_later_targets_are_computed_by_the_new_rules() -> None:
    complaint = redated(an_assessed_case(), TURKISH, later=True).do(
        Verb.REPLY, ALICE, words={"text": "We are on it."}
    )
    assert latest_target(complaint, Target.UPDATE).internal_due == at("2026-11-10 15:00")  # 18:00 in Istanbul
    assert complaint.case.rules is TURKISH


def test_the_case_is_rebuilt_from_events_and_an_event_without_its_rules_fails() -> None:
    complaint = redated(an_assessed_case(), TURKISH)
    assert fold(complaint.events, complaint.case.first_rules) == complaint.case
    bare = (*complaint.events[:-1], replace(complaint.last, rules=None))
    with pytest.raises(ValueError, match="comes without them"):
        fold(bare, complaint.case.first_rules)


def test_without_a_chat_staff_communicate_the_moved_promise() -> None:
    by_phone = {"what": "acknowledge", "given_at": "2026-11-03T10:00:00Z"}
    complaint = assessed(a_logged_case().do(Verb.ACKNOWLEDGE, ALICE, by_phone, {"by_whom": "Anna"}))
    moved = redated(complaint, SHUT, later=True)
    spoken = [
        obligation.facts["about"]
        for obligation in moved.obligations
        if obligation.key.startswith("voice:dates:")
    ]
    assert spoken == ["dates", "dates"]  # the decision and the next update


def test_closed_complaints_keep_their_rules() -> None:
    with pytest.raises(OutOfOrder, match="reopen it first"):
        redated(a_closed_case(), SHUT)


def test_the_holidays_of_another_year_do_not_make_other_rules() -> None:
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


def test_a_complaint_at_a_level_that_the_new_rules_lack_is_refused() -> None:
    single = replace(TURKISH, levels={1: ("handler", "manager")})
    with pytest.raises(OutOfOrder, match="is at level 2"):
        redated(a_case_at_level_two(), single)


def test_redating_needs_a_reason_the_rules_and_the_operator() -> None:
    with pytest.raises(BadFacts, match="Say why"):
        redated(an_assessed_case(), SHUT, words={})
    for by in (ALICE, MONA, TUGBA):
        with pytest.raises(NotAllowed):
            redated(an_assessed_case(), SHUT, by=by)
    facts = {"rulebook": SHUT.id, "before": RULES.id, "jurisdiction": "GB"}
    with pytest.raises(BadFacts, match="amends case redate"):
        an_assessed_case().do(Verb.REDATE, OPERATOR, facts, WHY)


def test_the_record_names_operator_reason_and_both_rulebooks() -> None:
    complaint = redated(an_assessed_case(), TURKISH)
    event = complaint.last
    assert (event.by, event.role, event.words) == ("operator", Role.SYSTEM, WHY)
    assert {name: event.facts[name] for name in ("rulebook", "before", "jurisdiction")} == {
        "rulebook": TURKISH.id,
        "before": RULES.id,
        "jurisdiction": "TR",
    }
