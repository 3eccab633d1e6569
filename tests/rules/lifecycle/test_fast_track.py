"""Settlement under a scheme's fast track, and complaints outside a scheme's time limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bots.letters import decision_letters
from bots.letters.composer import Composer
from bots.letters.letter import Letter
from bots.slack.views.card import card
from bots.slack.views.prefill import FormStart, prefill
from complaints.deadlines.periods import ALWAYS, ON_REQUEST, early_until, last_day_if_too_old
from complaints.errors import BadFacts
from complaints.obligations.standing import missed_times_payment
from complaints.rulebook import FastTrack, LevelTargets, Limit, RecourseStep, Rulebook, as_json, from_json
from complaints.vocabulary import CloseCode, Flag, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BY_PHONE,
    IDA,
    MONA,
    RESOLUTION,
    RESOLVED,
    RULES,
    SYSTEM,
    BuiltComplaint,
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
from triage.proposal import proposal_facts, propose
from triage.proposal_context import ProposalContext

OMBUDSMAN = (RecourseStep("Financial Ombudsman Service", "https://www.financial-ombudsman.org.uk"),)
DISP = replace(RULES, fast_track=FastTrack("3 bd"), accept_within="72 months", recourse=OMBUDSMAN)
RG271 = replace(RULES, fast_track=FastTrack("5 bd", ON_REQUEST))


def accepted_at(when: str, rules: Rulebook, **received: object) -> BuiltComplaint:
    """Received on Tuesday 3 November at 10:00, resolved at once, accepted at `when`."""
    complaint = assessed(acknowledged(a_received_case(rules=rules, **received)))
    complaint = complaint.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    return replace(complaint, at=at(when) - timedelta(minutes=1)).do(Verb.ACCEPT, ANNA)


@clause("7.8")
@pytest.mark.parametrize(
    ("when", "early"),
    [("2026-11-03 16:00", True), ("2026-11-06 17:30", True), ("2026-11-06 17:31", False)],
)
def test_acceptance_by_close_of_the_third_working_day_is_confirmed_in_writing(when: str, early: bool) -> None:
    complaint = accepted_at(when, DISP)
    assert complaint.case.settled_early == (ALWAYS if early else None)
    assert ("summary" in complaint.kinds) is early
    assert ("settled_early" in complaint.last.facts) is early


def test_receipt_on_a_day_off_counts_from_the_next_working_day() -> None:
    complaint = a_received_case(rules=DISP, at=at("2026-11-07 12:00"))
    assert early_until(complaint.case) == at("2026-11-12 17:30")


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_summary_names_both_days_and_the_outside_body(language: str) -> None:
    complaint = accepted_at("2026-11-05 11:00", DISP)
    letter = Letter(complaint.case, TEXTS, language)
    spoken = Composer(letter, complaint.events, lambda _: {}, complaint.at).compose("summary", {"seq": 1})
    assert spoken is not None
    days = [TEXTS.date(language, date(2026, 11, day), "Europe/London") for day in (3, 5)]
    for part in (
        complaint.case.ref,
        *days,
        "Financial Ombudsman Service",
        "https://www.financial-ombudsman.org.uk",
    ):
        assert part in spoken.text


def test_on_request_a_summary_is_written_only_in_hardship() -> None:
    plain = accepted_at("2026-11-10 17:30", RG271)
    assert (plain.case.settled_early, "summary" in plain.kinds) == (ON_REQUEST, False)
    cut_off = a_sign("cutoff_eviction.cut_off", 2, 0)
    poor = accepted_at("2026-11-10 17:30", RG271, signs=(cut_off,))
    assert "summary" in poor.kinds
    assert "summary" not in accepted_at("2026-11-10 17:31", RG271, signs=(cut_off,)).kinds


def test_fast_track_needs_the_rule_the_first_level_and_no_reopening() -> None:
    assert accepted_at("2026-11-03 16:00", RULES).case.settled_early is None
    assert early_until(a_case_at_level_two(rules=DISP).case) is None
    closed = a_resolved_case(rules=DISP).do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE, {}, {"root_cause": "x"})
    again = closed.do(Verb.REOPEN, ANNA, {}, {"reason": "It came back."})
    assert (early_until(again.case), again.case.settled_early) == (None, None)


def test_an_acceptance_by_phone_counts_from_its_time_and_staff_give_the_summary() -> None:
    complaint = assessed(a_received_case(rules=DISP, by=IDA, channel="phone"))
    complaint = complaint.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    late = replace(complaint, at=at("2026-11-09 10:00"))
    acceptance = {"what": "accept", "given_at": "2026-11-06T15:00:00+00:00"}
    done = late.do(Verb.ACCEPT, ALICE, acceptance, BY_PHONE)
    assert done.case.settled_early == ALWAYS
    (obligation,) = (
        obligation for obligation in done.obligations if obligation.facts.get("about") == "summary"
    )
    assert (obligation.kind, obligation.facts["once"]) == ("tell_by_voice", True)


def test_the_settled_early_fact_cannot_be_given() -> None:
    complaint = a_resolved_case()
    with pytest.raises(BadFacts, match="is computed"):
        complaint.do(Verb.ACCEPT, ANNA, {"settled_early": ALWAYS})


def test_the_card_shows_the_fast_track_limit_and_then_what_follows() -> None:
    complaint = a_resolved_case(rules=DISP)
    open_ = str(card(complaint.case, voice(), now=complaint.at, draw=1).blocks)
    assert "Settled and accepted by Fri 6 Nov, 17:30" in open_
    done = complaint.do(Verb.ACCEPT, ANNA)
    after_acceptance = str(card(done.case, voice(), now=done.at, draw=1).blocks)
    assert "Settled and accepted by" not in after_acceptance
    assert "is sent automatically" in after_acceptance
    plain = a_resolved_case(rules=RG271).do(Verb.ACCEPT, ANNA)
    assert "unless they ask for it" in str(card(plain.case, voice(), now=plain.at, draw=1).blocks)
    late = str(card(complaint.case, voice(), now=at("2026-11-06 17:31"), draw=1).blocks)
    assert "Settled and accepted by" not in late


def test_accepting_under_an_on_request_scheme_explains_how_to_ask_for_a_summary() -> None:
    play = Play(rules=replace(SPOKEN_RULES, fast_track=FastTrack("5 bd", ON_REQUEST)))
    play.files_a_complaint()
    play.staff_resolve()
    assert "ask for it here" in play.writes("I accept")[0]


@clause("7.9")
def test_a_complaint_outside_the_time_limit_is_marked_and_not_refused() -> None:
    town = replace(RULES, accept_within="12 months")
    complaint = proposed(acknowledged(a_received_case(rules=town)), happened_by="2025-11-02")
    assert last_day_if_too_old(complaint.case) == date(2025, 11, 2)
    drawn = str(card(complaint.case, voice(), now=complaint.at, draw=1).blocks)
    assert "Perhaps out of time: what they describe ended on Sun 2 Nov 2025" in drawn
    assert "12 months" in drawn
    assert "A person decides" in drawn
    going_on = assessed(complaint)
    assert last_day_if_too_old(going_on.case) is not None
    decided = going_on.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    assert last_day_if_too_old(decided.case) is None


@pytest.mark.parametrize(
    ("within", "happened_by"), [("12 months", "2025-11-03"), ("12 months", None), (None, "2001-01-01")]
)
def test_a_recent_or_undated_complaint_is_not_marked_out_of_time(
    within: str | None, happened_by: str | None
) -> None:
    rules = replace(RULES, accept_within=within)
    more = {} if happened_by is None else {"happened_by": happened_by}
    assert last_day_if_too_old(proposed(a_received_case(rules=rules), **more).case) is None


def test_the_assessment_form_shows_the_out_of_time_warning() -> None:
    story = with_proposal(Story(), happened_by="2020-01-01")
    story.case = replace(story.case, rules=replace(story.case.rules, accept_within="12 months"))
    filled = prefill(
        "assess", FormStart(story.case, story.events, voice(), now=story.at, opened=story.opened())
    )
    assert "Perhaps out of time" in str(filled.preface)


@clause("7.9")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_a_refusal_as_out_of_time_gives_the_reason_and_the_outside_body(language: str) -> None:
    complaint = proposed(an_assessed_case(rules=DISP), happened_by="2019-01-01")
    refused = complaint.do(Verb.NOT_ACCEPT, MONA, {}, {"reason": "It was in 2019."})
    assert refused.case.close_code is CloseCode.NOT_ACCEPTED
    text = decision_letters.closing(Letter(refused.case, TEXTS, language), "not_accepted", refused.last.words)
    assert "It was in 2019." in text
    assert "Financial Ombudsman Service" in text


@pytest.mark.parametrize(
    ("story", "day"),
    [
        ("The pump broke on 3 January 2019 and again on 5 March 2020.", "2020-03-05"),
        ("My bill is wrong.", None),
    ],
)
def test_the_proposal_contains_the_last_day_named_in_the_story(story: str, day: str | None) -> None:
    about = ProposalContext(("en",), received=date(2026, 11, 3), country="GB")
    assert proposal_facts(propose(None, story, about), words=1).get("happened_by") == day


def test_fast_track_rules_are_stored_and_have_another_id() -> None:
    assert from_json(as_json(DISP)) == DISP
    assert len({RULES.id, DISP.id, RG271.id}) == 3


@clause("7.7")
def test_a_payment_for_missed_times_is_shown_where_the_decision_is_made() -> None:
    water = rules_with(legal="10 bd", by_level={2: LevelTargets(decide="10 bd", outside_when_missed=True)})
    water = replace(water, missed_payment=Limit(4000, "GBP"))
    complaint = an_investigated_case(rules=water)
    late = at("2026-11-17 17:31")
    assert missed_times_payment(complaint.case, at("2026-11-17 17:30")) is None
    assert missed_times_payment(complaint.case, late) == Limit(4000, "GBP")
    assert "40.00 GBP owed without a request" in str(card(complaint.case, voice(), now=late, draw=1).blocks)
    assert "40.00 GBP owed" in str(
        prefill("decide", FormStart(complaint.case, complaint.events, voice(), now=late)).preface
    )
    decided_late = decided(replace(complaint, at=late)).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    again = decided_late.do(Verb.DISAGREE, ANNA, {"reviewers": 2})
    assert missed_times_payment(again.case, again.at) == Limit(4000, "GBP")
    assert missed_times_payment(again.case, at("2026-12-11 10:00")) == Limit(8000, "GBP")
    assert missed_times_payment(replace(complaint.case, rules=RULES), late) is None
    assert from_json(as_json(water)) == water


def test_a_support_need_counts_as_hardship() -> None:
    complaint = a_resolved_case(rules=RG271)
    needy = replace(complaint, case=replace(complaint.case, flags=complaint.case.flags | {Flag.SUPPORT_NEED}))
    assert "summary" in needy.do(Verb.ACCEPT, ANNA).kinds
