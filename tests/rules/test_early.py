"""Settled early under a scheme's fast track, and told too late for it: what follows and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bots.letters import Letter, closing
from bots.letters.composer import Composer
from bots.slack.card import card
from bots.slack.fillings import filling
from complaints.deadlines.fast_track import ALWAYS, ON_REQUEST, early_until, out_of_time
from complaints.errors import BadFacts
from complaints.obligations.delay_notices import payment_owed
from complaints.rulebook import FastTrack, LevelTargets, Limit, RecourseStep, Rulebook, as_json, from_json
from complaints.vocabulary import CloseCode, Flag, Verb
from scheduler.proposals import proposal_facts
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    HEARD,
    IDA,
    MONA,
    RESOLUTION,
    RESOLVED,
    RULES,
    SYSTEM,
    Told,
    a_case_at_level_two,
    a_received_case,
    a_resolved_case,
    a_sign,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    proposed,
    rules_with,
)
from tests.rules.dialogue_play import RULES as SPOKEN_RULES
from tests.rules.dialogue_play import TEXTS, Play
from tests.rules.slack_cases import Story, voice
from tests.rules.slack_cases import proposed as with_proposal
from triage.proposal import About, propose

OMBUDSMAN = (RecourseStep("Financial Ombudsman Service", "https://www.financial-ombudsman.org.uk"),)
DISP = replace(RULES, fast_track=FastTrack("3 bd"), accept_within="72 months", recourse=OMBUDSMAN)
RG271 = replace(RULES, fast_track=FastTrack("5 bd", ON_REQUEST))


def accepted(when: str, rules: Rulebook, **received: object) -> Told:
    """Received on Tuesday 3 November at 10:00, resolved on the spot, accepted then."""
    told = assessed(acknowledged(a_received_case(rules=rules, **received)))
    told = told.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    return replace(told, at=at(when) - timedelta(minutes=1)).do(Verb.ACCEPT, ANNA)


@clause("7.8")
@pytest.mark.parametrize(
    ("when", "early"),
    [("2026-11-03 16:00", True), ("2026-11-06 17:30", True), ("2026-11-06 17:31", False)],
)
def test_accepted_by_close_of_the_third_working_day_after_receipt_it_is_confirmed_in_writing(
    when: str, early: bool
) -> None:
    told = accepted(when, DISP)
    assert told.case.settled_early == (ALWAYS if early else None)
    assert ("summary" in told.kinds) is early
    assert ("settled_early" in told.last.facts) is early


def test_the_day_of_receipt_is_the_next_working_one_where_it_came_on_a_day_off() -> None:
    told = a_received_case(rules=DISP, at=at("2026-11-07 12:00"))
    assert early_until(told.case) == at("2026-11-12 17:30")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_summary_names_both_days_and_the_outside_body(language: str) -> None:
    told = accepted("2026-11-05 11:00", DISP)
    letter = Letter(told.case, TEXTS, language)
    spoken = Composer(letter, told.events, lambda _: {}, told.at).compose("summary", {"seq": 1})
    assert spoken is not None
    days = [TEXTS.date(language, date(2026, 11, day), "Europe/London") for day in (3, 5)]
    for part in (
        told.case.ref,
        *days,
        "Financial Ombudsman Service",
        "https://www.financial-ombudsman.org.uk",
    ):
        assert part in spoken.text


def test_on_request_nothing_more_is_written_unless_somebody_is_in_hardship() -> None:
    plain = accepted("2026-11-10 17:30", RG271)
    assert (plain.case.settled_early, "summary" in plain.kinds) == (ON_REQUEST, False)
    cut_off = a_sign("cutoff_eviction.cut_off", 2, 0)
    poor = accepted("2026-11-10 17:30", RG271, signs=(cut_off,))
    assert "summary" in poor.kinds
    assert "summary" not in accepted("2026-11-10 17:31", RG271, signs=(cut_off,)).kinds


def test_without_a_fast_track_at_a_later_level_and_after_a_reopening_nothing_counts_as_early() -> None:
    assert accepted("2026-11-03 16:00", RULES).case.settled_early is None
    assert early_until(a_case_at_level_two(rules=DISP).case) is None
    closed = a_resolved_case(rules=DISP).do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE, {}, {"root_cause": "x"})
    again = closed.do(Verb.REOPEN, ANNA, {}, {"reason": "It came back."})
    assert (early_until(again.case), again.case.settled_early) == (None, None)


def test_an_acceptance_by_phone_counts_when_it_was_given_and_people_tell_the_summary() -> None:
    told = assessed(a_received_case(rules=DISP, by=IDA, channel="phone"))
    told = told.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    late = replace(told, at=at("2026-11-09 10:00"))
    said = {"what": "accept", "given_at": "2026-11-06T15:00:00+00:00"}
    done = late.do(Verb.ACCEPT, ALICE, said, HEARD)
    assert done.case.settled_early == ALWAYS
    (duty,) = (one for one in done.owed if one.facts.get("about") == "summary")
    assert (duty.kind, duty.facts["once"]) == ("tell_by_voice", True)


def test_nobody_settles_early_by_saying_so() -> None:
    told = a_resolved_case()
    with pytest.raises(BadFacts, match="is computed"):
        told.do(Verb.ACCEPT, ANNA, {"settled_early": ALWAYS})


def test_the_card_says_until_when_and_then_what_follows() -> None:
    told = a_resolved_case(rules=DISP)
    open_ = str(card(told.case, voice(), now=told.at, draw=1).blocks)
    assert "Settled and accepted by Fri 6 Nov, 17:30" in open_
    done = told.do(Verb.ACCEPT, ANNA)
    shown = str(card(done.case, voice(), now=done.at, draw=1).blocks)
    assert "Settled and accepted by" not in shown
    assert "goes out by itself" in shown
    plain = a_resolved_case(rules=RG271).do(Verb.ACCEPT, ANNA)
    assert "unless they ask for it" in str(card(plain.case, voice(), now=plain.at, draw=1).blocks)
    late = str(card(told.case, voice(), now=at("2026-11-06 17:31"), draw=1).blocks)
    assert "Settled and accepted by" not in late


def test_who_accepts_under_a_scheme_that_writes_on_request_is_told_that_they_may_ask() -> None:
    play = Play(rules=replace(SPOKEN_RULES, fast_track=FastTrack("5 bd", ON_REQUEST)))
    play.files_a_complaint()
    play.is_decided()
    assert "ask for it here" in play.writes("I accept")[0]


@clause("7.9")
def test_what_ended_longer_ago_than_the_scheme_takes_up_is_shown_and_never_refused_by_itself() -> None:
    town = replace(RULES, accept_within="12 months")
    told = proposed(acknowledged(a_received_case(rules=town)), happened_by="2025-11-02")
    assert out_of_time(told.case) == date(2025, 11, 2)
    drawn = str(card(told.case, voice(), now=told.at, draw=1).blocks)
    assert "Perhaps out of time: what is told ended on Sun 2 Nov 2025" in drawn
    assert "12 months" in drawn
    assert "A person decides" in drawn
    going_on = assessed(told)
    assert out_of_time(going_on.case) is not None
    decided = going_on.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    assert out_of_time(decided.case) is None


@pytest.mark.parametrize(
    ("within", "told"), [("12 months", "2025-11-03"), ("12 months", None), (None, "2001-01-01")]
)
def test_younger_than_that_undated_or_without_a_window_nothing_is_said(
    within: str | None, told: str | None
) -> None:
    rules = replace(RULES, accept_within=within)
    more = {} if told is None else {"happened_by": told}
    assert out_of_time(proposed(a_received_case(rules=rules), **more).case) is None


def test_the_assessment_says_so_too() -> None:
    story = with_proposal(Story(), happened_by="2020-01-01")
    story.case = replace(story.case, rules=replace(story.case.rules, accept_within="12 months"))
    filled = filling("assess", story.case, story.events, voice(), now=story.at, opened=story.opened())
    assert "Perhaps out of time" in str(filled.shown)


@clause("7.9")
@pytest.mark.parametrize("language", ["en", "tr"])
def test_refused_as_out_of_time_they_are_told_why_and_where_to_go_outside(language: str) -> None:
    told = proposed(an_assessed_case(rules=DISP), happened_by="2019-01-01")
    refused = told.do(Verb.NOT_ACCEPT, MONA, {}, {"reason": "It was in 2019."})
    assert refused.case.close_code is CloseCode.NOT_ACCEPTED
    text = closing.closing(Letter(refused.case, TEXTS, language), "not_accepted", refused.last.words)
    assert "It was in 2019." in text
    assert "Financial Ombudsman Service" in text


@pytest.mark.parametrize(
    ("story", "day"),
    [
        ("The pump broke on 3 January 2019 and again on 5 March 2020.", "2020-03-05"),
        ("My bill is wrong.", None),
    ],
)
def test_the_last_day_of_the_story_goes_into_the_proposal(story: str, day: str | None) -> None:
    about = About(("en",), received=date(2026, 11, 3), country="GB")
    assert proposal_facts(propose(None, story, about), words=1).get("happened_by") == day


def test_these_rules_stand_frozen_with_the_others_and_older_rulebooks_keep_their_id() -> None:
    assert from_json(as_json(DISP)) == DISP
    assert {"fast_track", "accept_within"} & set(as_json(RULES)) == set()
    assert len({RULES.id, DISP.id, RG271.id}) == 3


@clause("7.7")
def test_a_scheme_that_pays_for_missed_times_says_so_where_it_is_decided() -> None:
    water = rules_with(legal="10 bd", by_level={2: LevelTargets(decide="10 bd", outside_when_missed=True)})
    water = replace(water, missed_payment=Limit(4000, "GBP"))
    told = an_investigated_case(rules=water)
    late = at("2026-11-17 17:31")
    assert payment_owed(told.case, at("2026-11-17 17:30")) is None
    assert payment_owed(told.case, late) == Limit(4000, "GBP")
    assert "40.00 GBP owed unasked" in str(card(told.case, voice(), now=late, draw=1).blocks)
    assert "40.00 GBP owed" in str(filling("decide", told.case, told.events, voice(), now=late).shown)
    decided_late = decided(replace(told, at=late)).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    again = decided_late.do(Verb.DISAGREE, ANNA, {"reviewers": 2})
    assert payment_owed(again.case, again.at) == Limit(4000, "GBP")
    assert payment_owed(again.case, at("2026-12-11 10:00")) == Limit(8000, "GBP")
    assert payment_owed(replace(told.case, rules=RULES), late) is None
    assert from_json(as_json(water)) == water


def test_a_support_need_counts_as_hardship() -> None:
    told = a_resolved_case(rules=RG271)
    needy = replace(told, case=replace(told.case, flags=told.case.flags | {Flag.SUPPORT_NEED}))
    assert "summary" in needy.do(Verb.ACCEPT, ANNA).kinds
