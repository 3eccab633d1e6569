"""Any sequence of acts by any actor is refused with a reason, or leaves a complaint that satisfies every
invariant."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from complaints.actions.authorisation import authorise
from complaints.actions.intake import Arrival
from complaints.actions.perform import perform, receive
from complaints.actors import MODEL, OPERATOR, SYSTEM, Actor
from complaints.case import Case, Event, Facts
from complaints.errors import ComplaintError
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from tests.rules import case_invariants as invariants
from tests.rules.builders import ANNA, IDA, REF, TUESDAY
from tests.rules.random_actions import (
    ACTORS,
    NEXT,
    RULEBOOKS,
    WORDS,
    a_message,
    likely_facts,
    nonsense,
)

DESK = (Verb.ACKNOWLEDGE, Verb.COMMUNICATE_DECISION, Verb.PROPOSE, Verb.FAIL_DELIVERY)
_SPANS = (0, 1, 1, 1, 45, 60 * 5, 60 * 24, 60 * 24, 60 * 24 * 9, 60 * 24 * 30)


class Complaint(RuleBasedStateMachine):
    """One complaint, and everyone who could act on it."""

    case: Case
    events: list[Event]

    @initialize(dice=st.integers(0, 2**32))
    def it_arrives(self, dice: int) -> None:
        """By chat or phone, under one of several rulebooks."""
        drawn = Random(dice)
        self.at = TUESDAY
        by = drawn.choice((ANNA, ANNA, ANNA, IDA))
        channel = "telegram" if by is ANNA else "phone"
        arrival = Arrival(REF, ANNA.id, channel, "en", self.at, drawn.choice(RULEBOOKS))
        facts = a_message(drawn)
        done = receive(arrival, at=self.at, actor=by, facts=facts, words={"description": "Wrong."})
        self.case, self.events = done.case, [done.event]
        invariants.events_contain_no_words(done.event)

    # One rule, not three: Hypothesis leaves out whole rules in a run, and then long histories are missing.
    # One number a step seeds a random generator: much faster than drawing every fact.
    @rule(dice=st.integers(0, 2**32))
    def an_act(self, dice: int) -> None:
        """An act that moves the complaint on, an automatic one, or any act by any actor."""
        drawn = Random(dice)
        drawn.choice(
            (*[self._likely_next_act] * 4, *[self._automatic_act, self._any_act] * 2, self._change_rules)
        )(drawn)

    def _any_act(self, dice: Random) -> None:
        """Any verb by any actor, with plausible, spoiled or nonsense facts."""
        verb, by = dice.choice(list(Verb)), dice.choice(ACTORS)
        facts = likely_facts(dice, verb, self.case, self.at)
        facts = dice.choice((facts, facts, facts, {**facts, **nonsense(dice)}, nonsense(dice)))
        self._perform(dice, verb, by, facts, dice.choice((WORDS, WORDS, {})))

    def _likely_next_act(self, dice: Random) -> None:
        """A likely next act by a permitted actor."""
        verb = dice.choice(NEXT[self.case.state])
        if verb is Verb.ASSESS and self.case.assessment is not None:
            verb = Verb.REASSESS
        may = [actor for actor in ACTORS if self._is_permitted(verb, actor)] or list(ACTORS)
        self._perform(dice, verb, dice.choice(may), likely_facts(dice, verb, self.case, self.at), WORDS)

    def _is_permitted(self, verb: Verb, by: Actor) -> bool:
        try:
            authorise(self.case, verb, by)
        except ComplaintError:
            return False
        return True

    def _automatic_act(self, dice: Random) -> None:
        """An automatic act."""
        verb = dice.choice((*DESK, Verb.LAPSE, Verb.REMEDY_LATE, Verb.COMMUNICATE_DECISION))
        by = MODEL if verb is Verb.PROPOSE else SYSTEM
        self._perform(dice, verb, by, likely_facts(dice, verb, self.case, self.at), {})

    def _change_rules(self, dice: Random) -> None:
        """The operator applies other rules, or the same ones again."""
        rules, by = dice.choice(RULEBOOKS), dice.choice((OPERATOR, OPERATOR, OPERATOR, dice.choice(ACTORS)))
        facts = {"rulebook": rules.id, "before": self.case.rules.id, "jurisdiction": rules.country}
        facts |= {"later": dice.random() < 0.3}
        self._perform(dice, Verb.REDATE, by, facts, dice.choice((WORDS, WORDS, {})), rules)

    def _perform(
        self, dice: Random, verb: Verb, by: Actor, facts: Facts, words: Any, rules: Rulebook | None = None
    ) -> None:
        self.at += timedelta(minutes=dice.choice(_SPANS))
        before = self.case
        try:
            done = perform(before, verb, at=self.at, actor=by, facts=facts, words=words, rules=rules)
        except ComplaintError as refused:
            invariants.a_refusal_gives_reason_and_remedy(refused)
            return
        again = perform(before, verb, at=self.at, actor=by, facts=facts, words=words, rules=rules)
        assert again == done
        self.case = done.case
        self.events.append(done.event)
        invariants.the_transition_is_allowed(before, done.event, done.case)
        invariants.acceptance_is_explicit(before, done.event, done.case)
        invariants.no_complaint_closes_with_a_due_remedy(before, done.case)
        invariants.an_offer_is_due_only_after_acceptance(done.event, done.case)
        invariants.no_date_moves_without_a_reason(before, done.event, done.case)
        invariants.an_extension_makes_no_date_earlier(before, done.event, done.case)
        invariants.redating_keeps_promises(before, done.event, done.case)
        invariants.versions_count_events_and_work(before, done.event, done.case)
        invariants.events_contain_no_words(done.event)
        invariants.excluded_people_neither_act_nor_own(before, done.event, done.case)
        invariants.complaints_about_managers_need_top_management(before, done.event)
        invariants.subjects_are_heard_before_a_decision(before, done.event)
        invariants.an_outside_decision_keeps_ours_and_opens_improvements(before, done.event, done.case)
        invariants.no_obligation_disappears_without_a_reason(before, done.case)

    @invariant()
    def no_person_decides_at_two_levels(self) -> None:
        invariants.no_person_decides_at_two_levels(self.case)

    @invariant()
    def severity_is_not_below_fired_rules(self) -> None:
        invariants.severity_is_not_below_fired_rules(self.case, self.events)

    @invariant()
    def obligation_keys_name_their_target_version(self) -> None:
        invariants.obligation_keys_name_their_target_version(self.case)

    @invariant()
    def every_deadline_has_a_message(self) -> None:
        invariants.every_deadline_has_a_message(self.case)

    @invariant()
    def notices_of_a_date_are_ordered(self) -> None:
        invariants.notices_of_a_date_are_ordered(self.case)

    def teardown(self) -> None:
        """The events give the same case again, and every date is explained."""
        if hasattr(self, "case"):
            invariants.every_date_is_explained(self.case, self.events)
            invariants.the_events_rebuild_the_case(self.case, self.events)


TestAnySequenceOfActs = Complaint.TestCase
TestAnySequenceOfActs.settings = settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=list(HealthCheck),
)
