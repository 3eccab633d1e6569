"""Any sequence of acts by anybody is refused with a reason, or leaves a complaint that keeps every law."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from complaints.actions.authorisation import require_permission
from complaints.actions.intake import Arrival
from complaints.actions.perform import perform, receive
from complaints.actors import MODEL, OPERATOR, SYSTEM, Actor
from complaints.case import Case, Event, Facts
from complaints.errors import ComplaintError
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from tests.rules import record_laws as laws
from tests.rules.builders import ANNA, IDA, REF, TUESDAY
from tests.rules.random_acts import (
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
    """One complaint; the machine is everybody who could do something to it."""

    case: Case
    events: list[Event]

    @initialize(dice=st.integers(0, 2**32))
    def it_arrives(self, dice: int) -> None:
        """Over a chat or the telephone, under one of several rulebooks."""
        drawn = Random(dice)
        self.at = TUESDAY
        by = drawn.choice((ANNA, ANNA, ANNA, IDA))
        channel = "telegram" if by is ANNA else "phone"
        arrival = Arrival(REF, ANNA.id, channel, "en", self.at, drawn.choice(RULEBOOKS))
        facts = a_message(drawn)
        done = receive(arrival, at=self.at, by=by, facts=facts, words={"description": "Wrong."})
        self.case, self.events = done.case, [done.event]
        laws.events_hold_no_words(done.event)

    # One rule, not three: Hypothesis leaves whole rules out of a run, and then a life has no middle. One
    # number a step, and dice thrown from it: that is many times faster than drawing every fact.
    @rule(dice=st.integers(0, 2**32))
    def somebody_acts(self, dice: int) -> None:
        """What carries the complaint on, what the desk does by itself, or anything by anybody."""
        drawn = Random(dice)
        drawn.choice((*[self._it_goes_on] * 4, *[self._the_desk, self._anything] * 2, self._the_rules))(drawn)

    def _anything(self, dice: Random) -> None:
        """Any verb by anybody, with likely facts, spoiled ones, or nonsense."""
        verb, by = dice.choice(list(Verb)), dice.choice(ACTORS)
        facts = likely_facts(dice, verb, self.case, self.at)
        facts = dice.choice((facts, facts, facts, {**facts, **nonsense(dice)}, nonsense(dice)))
        self._try(dice, verb, by, facts, dice.choice((WORDS, WORDS, {})))

    def _it_goes_on(self, dice: Random) -> None:
        """An act that carries it on from here, by somebody who well may."""
        verb = dice.choice(NEXT[self.case.state])
        if verb is Verb.ASSESS and self.case.assessment is not None:
            verb = Verb.REASSESS
        may = [one for one in ACTORS if self._lets(verb, one)] or list(ACTORS)
        self._try(dice, verb, dice.choice(may), likely_facts(dice, verb, self.case, self.at), WORDS)

    def _lets(self, verb: Verb, by: Actor) -> bool:
        try:
            require_permission(self.case, verb, by)
        except ComplaintError:
            return False
        return True

    def _the_desk(self, dice: Random) -> None:
        """What happens without anybody's decision."""
        verb = dice.choice((*DESK, Verb.LAPSE, Verb.REMEDY_LATE, Verb.COMMUNICATE_DECISION))
        by = MODEL if verb is Verb.PROPOSE else SYSTEM
        self._try(dice, verb, by, likely_facts(dice, verb, self.case, self.at), {})

    def _the_rules(self, dice: Random) -> None:
        """The operator puts it under other rules, or under the same ones once more."""
        rules, by = dice.choice(RULEBOOKS), dice.choice((OPERATOR, OPERATOR, OPERATOR, dice.choice(ACTORS)))
        facts = {"rulebook": rules.id, "before": self.case.rules.id, "jurisdiction": rules.country}
        facts |= {"later": dice.random() < 0.3}
        self._try(dice, Verb.REDATE, by, facts, dice.choice((WORDS, WORDS, {})), rules)

    def _try(
        self, dice: Random, verb: Verb, by: Actor, facts: Facts, words: Any, rules: Rulebook | None = None
    ) -> None:
        self.at += timedelta(minutes=dice.choice(_SPANS))
        before = self.case
        try:
            done = perform(before, verb, at=self.at, by=by, facts=facts, words=words, rules=rules)
        except ComplaintError as refused:
            laws.a_refusal_gives_reason_and_remedy(refused)
            return
        again = perform(before, verb, at=self.at, by=by, facts=facts, words=words, rules=rules)
        assert again == done
        self.case = done.case
        self.events.append(done.event)
        laws.the_state_moved_along_the_table(before, done.event, done.case)
        laws.only_a_yes_is_a_yes(before, done.event, done.case)
        laws.nothing_closes_with_a_remedy_owed(before, done.case)
        laws.an_offer_is_owed_after_a_yes_and_only_then(done.event, done.case)
        laws.no_clock_is_moved(before, done.event, done.case)
        laws.an_extension_makes_no_date_earlier(before, done.event, done.case)
        laws.other_rules_break_no_promise(before, done.event, done.case)
        laws.versions_count_work(before, done.event, done.case)
        laws.events_hold_no_words(done.event)
        laws.the_excluded_stay_outside(before, done.event, done.case)
        laws.a_manager_complained_about_is_for_the_top(before, done.event)
        laws.staff_are_heard_before_they_are_judged(before, done.event)
        laws.an_outside_decision_stands_above_ours(before, done.event, done.case)
        laws.no_duty_is_forgotten(before, done.case)

    @invariant()
    def nobody_judges_at_two_levels(self) -> None:
        """Whatever happened."""
        laws.nobody_judges_at_two_levels(self.case)

    @invariant()
    def severity_stands_above_the_rules(self) -> None:
        """Whatever happened."""
        laws.severity_stands_above_the_rules(self.case, self.events)

    @invariant()
    def duties_are_named_by_their_date(self) -> None:
        """Whatever happened."""
        laws.duties_are_named_by_their_date(self.case)

    @invariant()
    def no_deadline_without_message(self) -> None:
        """Deadlines with no message: none."""
        laws.no_deadline_without_message(self.case)

    @invariant()
    def notices_of_a_date_follow_each_other(self) -> None:
        """Never two at once that say different things."""
        laws.notices_of_a_date_follow_each_other(self.case)

    def teardown(self) -> None:
        """At the end the events give the same case once more, and every date of it explains itself."""
        if hasattr(self, "case"):
            laws.every_date_explains_itself(self.case, self.events)
            laws.the_events_are_the_case(self.case, self.events)


TestAnySequenceOfActs = Complaint.TestCase
TestAnySequenceOfActs.settings = settings(
    max_examples=settings.default.max_examples * 5 // 4,
    suppress_health_check=list(HealthCheck),
)
