"""A complaint without a chat: staff communicate by phone or letter, and late entries count from logging."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bots.letters.composer import Composer, compose_read_out
from bots.letters.letter import Letter
from bots.slack.views.actions import available_actions, first_actions
from bots.texts.catalogues import load_catalogues
from complaints.actions.intake import Arrival
from complaints.actions.perform import event_obligations, fold, receive
from complaints.actors import complainant
from complaints.deadlines.targets import next_due
from complaints.errors import AlreadyDone, BadFacts
from complaints.obligations.kinds import LETTERS, NewObligation
from complaints.obligations.standing import card_waits_until, current_obligations
from complaints.vocabulary import Role, State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    BY_PHONE,
    REF,
    RESOLUTION,
    RESOLVED,
    RULES,
    TUESDAY,
    BuiltComplaint,
    a_closed_case,
    a_communicated_case,
    a_decided_case,
    a_logged_case,
    a_message,
    assessed,
    at,
    decided,
    phone_facts,
    rules_with,
    staff,
)
from tests.rules.target_dates import latest_target

IDA = staff("U0000009", Role.INTAKE)
TEXTS = load_catalogues(("en", "tr", "de", "es"))
OTHER = complainant("p9")


def a_case_logged(received: datetime, now: datetime = TUESDAY, **more: str) -> BuiltComplaint:
    """Received at `received` and logged at `now`."""
    arrival = Arrival(REF, ANNA.id, "phone", "en", received, RULES)
    words = {"description": "My bill is wrong."}
    done = receive(arrival, at=now, actor=IDA, facts={**a_message(), **more}, words=words)
    return BuiltComplaint(done.case, (done.event,), done.obligations, now)


def by_key(complaint: BuiltComplaint) -> dict[str, NewObligation]:
    return {obligation.key: obligation for obligation in current_obligations(complaint.case)}


@clause("7.4")
def test_staff_give_the_acknowledgement_unless_it_was_read_out_at_once() -> None:
    complaint = a_case_logged(TUESDAY, answer_by="letter")
    obligation = by_key(complaint)["voice:ack:1"]
    assert (obligation.kind, obligation.facts["about"], obligation.facts["by"], obligation.facts["once"]) == (
        "tell_by_voice",
        "acknowledge",
        "letter",
        False,
    )
    assert obligation.due == complaint.at + timedelta(minutes=15)
    read = complaint.do(Verb.ACKNOWLEDGE, IDA, phone_facts(complaint), {"by_whom": "herself"})
    assert "voice:ack:1" not in by_key(read)
    assert read.case.contacted


def test_without_a_preference_the_answer_uses_the_channel_of_the_complaint() -> None:
    assert by_key(a_case_logged(TUESDAY))["voice:ack:1"].facts["by"] == "phone"


@clause("7.3")
def test_without_a_chat_no_obligation_is_left_to_a_chat() -> None:
    complaint = a_case_logged(TUESDAY)
    for verb, facts, words in (
        (Verb.REPLY, {}, {"text": "We look."}),
        (Verb.NOTE, {"what": "letter", **phone_facts(complaint)}, {"by_whom": "herself"}),
    ):
        complaint = complaint.do(verb, ALICE, facts, words)
    kinds = {
        obligation.kind
        for obligation in (
            *current_obligations(complaint.case),
            *event_obligations(complaint.case, complaint.events[1]),
        )
    }
    assert kinds & LETTERS == set()
    assert {obligation.key for obligation in event_obligations(complaint.case, complaint.events[1])} >= {
        "voice:letter:2"
    }


def test_an_answer_by_phone_is_not_confirmed_by_phone() -> None:
    complaint = assessed(a_case_logged(TUESDAY)).do(
        Verb.WITHDRAW,
        ALICE,
        {"what": "withdraw", **phone_facts(a_case_logged(TUESDAY))},
        {"by_whom": "herself"},
    )
    kinds = [obligation.kind for obligation in event_obligations(complaint.case, complaint.last)]
    assert "confirmation" not in kinds
    assert "closing" in [obligation.facts.get("about") for obligation in current_obligations(complaint.case)]


@clause("7.8")
@pytest.mark.parametrize("verb", [Verb.ACKNOWLEDGE, Verb.COMMUNICATE_DECISION])
def test_an_oral_communication_is_confirmed_in_the_chat(verb: Verb) -> None:
    complaint = a_decided_case()
    if verb is Verb.ACKNOWLEDGE:
        complaint = BuiltComplaint(fold(complaint.events[:1], RULES), complaint.events[:1], (), complaint.at)
    done = complaint.do(verb, ALICE, phone_facts(complaint), {"by_whom": "herself"})
    assert f"confirmation:{done.last.seq}" in {
        obligation.key for obligation in event_obligations(done.case, done.last)
    }
    by_system = [
        obligation.kind
        for obligation in event_obligations(a_communicated_case().case, a_communicated_case().last)
    ]
    assert "confirmation" not in by_system


def test_a_decision_given_by_phone_is_confirmed_word_for_word() -> None:
    complaint = a_decided_case()
    decision = complaint.case.decision
    assert decision is not None
    done = complaint.do(Verb.COMMUNICATE_DECISION, ALICE, phone_facts(complaint), {"by_whom": "herself"})
    composer = Composer(
        Letter(done.case, TEXTS, "en"), done.events, lambda seq: {"letter": f"words of {seq}"}, done.at
    )
    facts = {"seq": done.last.seq, "verb": Verb.COMMUNICATE_DECISION.value}
    message = composer.compose("confirmation", facts)
    assert message is not None
    assert message.text.endswith(f"words of {decision.seq}")
    assert "we told you our decision" in message.text


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_texts_to_read_out_name_no_button_and_no_command(language: str) -> None:
    case = a_case_logged(TUESDAY).case
    read_aloud = compose_read_out(
        case, "logged", {}, events=(), words_of=lambda seq: {}, texts=TEXTS, now=TUESDAY
    )
    letter = Letter(case, TEXTS, language)
    spoken = Composer(letter, a_case_logged(TUESDAY).events, lambda seq: {}, TUESDAY)
    texts = [
        spoken.compose("acknowledge", {"level": 1}),
        read_aloud,
        spoken.compose("closing", {"code": "resolved"}),
    ]
    for text in texts:
        assert text is not None
        assert REF in text.text
        assert " /" not in text.text


@clause("7.3")
def test_a_complaint_logged_late_gets_one_live_date_and_no_old_reminder() -> None:
    complaint = a_case_logged(at("2026-10-12T09:00:00+00:00"))
    due = next_due(complaint.case)
    ack = complaint.case.target(Target.ACK)
    assert ack is not None
    assert ack.internal_due < complaint.at
    assert due is not None
    assert (due.target, due.start) == (Target.ACT_BY, complaint.at)
    late = {
        obligation.key
        for obligation in current_obligations(complaint.case)
        if obligation.kind == "remind" and obligation.due <= complaint.at
    }
    assert late == set()
    # The decision date is in the future; the update that passed before logging is not announced.
    assert [key for key in by_key(complaint) if key.startswith("voice:progress")] == [
        "voice:progress:decide:1"
    ]
    done = assessed(complaint)
    act_by = done.case.target(Target.ACT_BY)
    assert act_by is not None
    assert act_by.met_at == done.at


@pytest.mark.parametrize("hours", [0, 1, 24])
def test_a_complaint_logged_before_its_acknowledgement_was_due_is_not_late(hours: int) -> None:
    assert not a_case_logged(TUESDAY - timedelta(hours=hours)).case.raised_late


def test_the_card_of_a_complaint_logged_late_waits_for_the_proposal() -> None:
    complaint = a_case_logged(at("2026-10-12T09:00:00+00:00"))
    assert card_waits_until(complaint.case) == complaint.at + timedelta(seconds=90)


@clause("4.3")
def test_a_bound_complaint_belongs_to_the_person_of_the_chat() -> None:
    complaint = a_logged_case()
    code_created = complaint.do(Verb.BIND, ALICE)
    bound = code_created.do(Verb.BIND, ANNA, {"person": OTHER.id})
    keys = {obligation.key for obligation in current_obligations(bound.case)}
    assert (code_created.case.has_chat, bound.case.has_chat) == (False, True)
    assert bound.case.complainant == OTHER.id
    assert "ack:1" in keys
    assert not any(key.startswith("voice:") for key in keys)
    assert bound.do(Verb.ADD, OTHER, a_message()).case.words == 2


def test_a_complaint_with_a_chat_cannot_be_bound_again() -> None:
    complaint = a_logged_case().do(Verb.BIND, ANNA, {"person": OTHER.id})
    for by in (ALICE, OTHER):
        with pytest.raises(AlreadyDone):
            complaint.do(Verb.BIND, by)


def test_a_letter_given_orally_records_time_and_recipient() -> None:
    complaint = a_logged_case()
    with pytest.raises(BadFacts) as refused:
        complaint.do(Verb.NOTE, ALICE, {"what": "letter", **phone_facts(complaint)}, {})
    assert refused.value.field == "by_whom"
    done = complaint.do(
        Verb.NOTE, ALICE, {"what": "letter", **phone_facts(complaint)}, {"by_whom": "herself"}
    )
    assert done.case.state is State.RECEIVED


def test_without_a_chat_staff_communicate_the_closing_too() -> None:
    complaint = a_closed_case()
    first = replace(complaint.events[0], facts={**complaint.events[0].facts, "channel": "phone"})
    obligations = list(current_obligations(fold((first, *complaint.events[1:]), RULES)))
    assert "closing" in [obligation.facts.get("about") for obligation in obligations]
    assert {"closing", "survey"} & {obligation.kind for obligation in obligations} == set()


def test_a_passed_date_is_not_promised_again() -> None:
    complaint = a_case_logged(TUESDAY)
    letter = Letter(complaint.case, TEXTS, "en")
    facts = {"seq": complaint.last.seq, "verb": Verb.ASSESS.value}
    in_time = Composer(letter, complaint.events, lambda seq: {}, TUESDAY).compose("dates", facts)
    late = Composer(letter, complaint.events, lambda seq: {}, letter.answer_by() + timedelta(days=1))

    assert in_time is not None
    assert late.compose("dates", facts) is None


@clause("7.8")
@pytest.mark.parametrize("is_short", [True, False], ids=["resolve", "decide"])
def test_without_a_chat_the_dates_of_a_decision_are_met_when_it_was_told(is_short: bool) -> None:
    complaint = a_logged_case(rules=rules_with(legal="40 bd"))
    complaint = assessed(complaint.do(Verb.ACKNOWLEDGE, ALICE, phone_facts(complaint), BY_PHONE))
    investigated = complaint.do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE})
    written = (
        investigated.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED) if is_short else decided(investigated)
    )
    dates = (Target.DECIDE, Target.LEGAL)
    assert [latest_target(written, name).met_at for name in dates] == [None, None]
    assert first_actions(written.case)[0] == available_actions(written.case).buttons[0] == "given"
    assert "voice:decision:" in " ".join(written.keys)
    told_at = written.later(days=1).at
    late = written.later(days=4)
    recorded = late.do(
        Verb.COMMUNICATE_DECISION, ALICE, {"what": "decision", "given_at": told_at.isoformat()}, BY_PHONE
    )
    assert [latest_target(recorded, name).met_at for name in dates] == [told_at, told_at]
    assert recorded.case.decisions[0].communicated_at == told_at
    assert latest_target(recorded, Target.LAPSE).start == told_at
    assert fold(recorded.events, complaint.case.rules) == recorded.case


@clause("7.8")
def test_a_decision_is_never_told_before_it_was_taken() -> None:
    complaint = a_logged_case()
    early = phone_facts(complaint)
    resolved = assessed(complaint).do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    accepted = resolved.later(days=2).do(Verb.ACCEPT, ALICE, early, BY_PHONE)
    assert accepted.case.decisions[0].communicated_at == resolved.at
    assert latest_target(accepted, Target.DECIDE).met_at == resolved.at
