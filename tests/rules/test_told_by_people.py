"""A complaint without a chat: people tell what is owed, a late one is worked from when it was written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bots.letters.composer import Composer, read_out
from bots.letters.letter import Letter
from bots.texts import load
from complaints.actions.fold import fold
from complaints.actions.intake import Arrival
from complaints.actions.perform import receive
from complaints.actors import complainant
from complaints.deadlines.targets import next_due
from complaints.errors import AlreadyDone, BadFacts
from complaints.obligations.kinds import NewObligation
from complaints.obligations.offline import LETTERS
from complaints.obligations.per_event import event_obligations
from complaints.obligations.standing import card_waits_until, current_obligations
from complaints.vocabulary import Role, State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    REF,
    RULES,
    TUESDAY,
    Told,
    a_closed_case,
    a_decided_case,
    a_logged_case,
    a_message,
    a_told_case,
    assessed,
    at,
    heard_at,
    staff,
)

IDA = staff("U0000009", Role.INTAKE)
TEXTS = load(("en", "tr"))
OTHER = complainant("p9")


def logged(received: datetime, now: datetime = TUESDAY, **more: str) -> Told:
    """Written down now, told then."""
    arrival = Arrival(REF, ANNA.id, "phone", "en", received, RULES)
    words = {"description": "My bill is wrong."}
    done = receive(arrival, at=now, by=IDA, facts={**a_message(), **more}, words=words)
    return Told(done.case, (done.event,), done.owed, now)


def by_key(told: Told) -> dict[str, NewObligation]:
    return {one.key: one for one in current_obligations(told.case)}


@clause("7.4")
def test_the_acknowledgement_is_told_by_people_when_it_was_not_read_out_at_once() -> None:
    told = logged(TUESDAY, answer_by="letter")
    duty = by_key(told)["voice:ack:1"]
    assert (duty.kind, duty.facts["about"], duty.facts["by"], duty.facts["once"]) == (
        "tell_by_voice",
        "acknowledge",
        "letter",
        False,
    )
    assert duty.due == told.at + timedelta(minutes=15)
    read = told.do(Verb.ACKNOWLEDGE, IDA, heard_at(told), {"by_whom": "herself"})
    assert "voice:ack:1" not in by_key(read)
    assert read.case.contacted


def test_without_a_wish_they_are_answered_as_they_came() -> None:
    assert by_key(logged(TUESDAY))["voice:ack:1"].facts["by"] == "phone"


@clause("7.3")
def test_nothing_owed_without_a_chat_is_left_to_a_chat() -> None:
    told = logged(TUESDAY)
    for verb, facts, words in (
        (Verb.REPLY, {}, {"text": "We look."}),
        (Verb.NOTE, {"what": "letter", **heard_at(told)}, {"by_whom": "herself"}),
    ):
        told = told.do(verb, ALICE, facts, words)
    kinds = {
        one.kind for one in (*current_obligations(told.case), *event_obligations(told.case, told.events[1]))
    }
    assert kinds & LETTERS == set()
    assert {one.key for one in event_obligations(told.case, told.events[1])} >= {"voice:letter:2"}


def test_what_was_heard_by_voice_is_not_told_back_by_voice() -> None:
    told = assessed(logged(TUESDAY)).do(
        Verb.WITHDRAW, ALICE, {"what": "withdraw", **heard_at(logged(TUESDAY))}, {"by_whom": "herself"}
    )
    kinds = [one.kind for one in event_obligations(told.case, told.last)]
    assert "confirmation" not in kinds
    assert "closing" in [one.facts.get("about") for one in current_obligations(told.case)]


@clause("7.8")
@pytest.mark.parametrize("verb", [Verb.ACKNOWLEDGE, Verb.COMMUNICATE_DECISION])
def test_what_was_told_by_voice_goes_to_the_chat_in_writing(verb: Verb) -> None:
    told = a_decided_case()
    if verb is Verb.ACKNOWLEDGE:
        told = Told(fold(told.events[:1], RULES), told.events[:1], (), told.at)
    done = told.do(verb, ALICE, heard_at(told), {"by_whom": "herself"})
    assert f"confirmation:{done.last.seq}" in {one.key for one in event_obligations(done.case, done.last)}
    by_system = [one.kind for one in event_obligations(a_told_case().case, a_told_case().last)]
    assert "confirmation" not in by_system


def test_a_decision_told_by_voice_is_confirmed_word_for_word() -> None:
    told = a_decided_case()
    decision = told.case.decision
    assert decision is not None
    done = told.do(Verb.COMMUNICATE_DECISION, ALICE, heard_at(told), {"by_whom": "herself"})
    composer = Composer(
        Letter(done.case, TEXTS, "en"), done.events, lambda seq: {"letter": f"words of {seq}"}, done.at
    )
    facts = {"seq": done.last.seq, "verb": Verb.COMMUNICATE_DECISION.value}
    said = composer.compose("confirmation", facts)
    assert said is not None
    assert said.text.endswith(f"words of {decision.seq}")
    assert "we told you our decision" in said.text


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_people_read_out_names_no_button_and_no_command(language: str) -> None:
    case = logged(TUESDAY).case
    told = read_out(case, "logged", {}, events=(), words_of=lambda seq: {}, texts=TEXTS, now=TUESDAY)
    letter = Letter(case, TEXTS, language)
    spoken = Composer(letter, logged(TUESDAY).events, lambda seq: {}, TUESDAY)
    texts = [
        spoken.compose("acknowledge", {"level": 1}),
        told,
        spoken.compose("closing", {"code": "resolved"}),
    ]
    for one in texts:
        assert one is not None
        assert REF in one.text
        assert " /" not in one.text


@clause("7.3")
def test_raised_late_gives_one_live_date_and_reminds_of_no_old_one() -> None:
    told = logged(at("2026-10-12T09:00:00+00:00"))
    due = next_due(told.case)
    ack = told.case.target(Target.ACK)
    assert ack is not None
    assert ack.internal_due < told.at
    assert due is not None
    assert (due.target, due.start) == (Target.ACT_BY, told.at)
    late = {one.key for one in current_obligations(told.case) if one.kind == "remind" and one.due <= told.at}
    assert late == set()
    # The date of the answer lies ahead; the update that passed before we knew of it is nobody's to tell.
    assert [key for key in by_key(told) if key.startswith("voice:progress")] == ["voice:progress:decide:1"]
    done = assessed(told)
    act_by = done.case.target(Target.ACT_BY)
    assert act_by is not None
    assert act_by.met_at == done.at


@pytest.mark.parametrize("hours", [0, 1, 24])
def test_what_was_told_before_its_acknowledgement_fell_due_is_not_late(hours: int) -> None:
    assert not logged(TUESDAY - timedelta(hours=hours)).case.raised_late


def test_the_card_of_a_late_one_waits_for_the_model_like_any_other() -> None:
    told = logged(at("2026-10-12T09:00:00+00:00"))
    assert card_waits_until(told.case) == told.at + timedelta(seconds=90)


@clause("4.3")
def test_a_bound_complaint_belongs_to_the_person_of_the_chat_and_is_told_there() -> None:
    told = a_logged_case()
    shown = told.do(Verb.BIND, ALICE)
    bound = shown.do(Verb.BIND, ANNA, {"person": OTHER.id})
    keys = {one.key for one in current_obligations(bound.case)}
    assert (shown.case.has_chat, bound.case.has_chat) == (False, True)
    assert bound.case.complainant == OTHER.id
    assert "ack:1" in keys
    assert not any(key.startswith("voice:") for key in keys)
    assert bound.do(Verb.ADD, OTHER, a_message()).case.words == 2


def test_a_complaint_with_a_chat_is_bound_to_no_other() -> None:
    told = a_logged_case().do(Verb.BIND, ANNA, {"person": OTHER.id})
    for by in (ALICE, OTHER):
        with pytest.raises(AlreadyDone):
            told.do(Verb.BIND, by)


def test_that_a_letter_was_told_says_when_and_to_whom() -> None:
    told = a_logged_case()
    with pytest.raises(BadFacts) as refused:
        told.do(Verb.NOTE, ALICE, {"what": "letter", **heard_at(told)}, {})
    assert refused.value.field == "by_whom"
    done = told.do(Verb.NOTE, ALICE, {"what": "letter", **heard_at(told)}, {"by_whom": "herself"})
    assert done.case.state is State.RECEIVED


def test_the_end_of_one_without_a_chat_is_told_by_people_too() -> None:
    told = a_closed_case()
    first = replace(told.events[0], facts={**told.events[0].facts, "channel": "phone"})
    owed = list(current_obligations(fold((first, *told.events[1:]), RULES)))
    assert "closing" in [one.facts.get("about") for one in owed]
    assert {"closing", "survey"} & {one.kind for one in owed} == set()


def test_a_date_that_has_passed_is_not_promised_anew() -> None:
    told = logged(TUESDAY)
    letter = Letter(told.case, TEXTS, "en")
    facts = {"seq": told.last.seq, "verb": Verb.ASSESS.value}
    in_time = Composer(letter, told.events, lambda seq: {}, TUESDAY).compose("dates", facts)
    late = Composer(letter, told.events, lambda seq: {}, letter.answer_by() + timedelta(days=1))

    assert in_time is not None
    assert late.compose("dates", facts) is None
