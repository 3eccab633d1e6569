"""Clauses look at what was delivered: a record without delivered messages or reports turns them red."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actors import SYSTEM
from complaints.history import CaseHistory
from complaints.vocabulary import Verb
from reports.clauses.clause_evidence import ClauseStatus
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, TUESDAY, BuiltComplaint
from tests.rules.clause_records import HOUSE, clause_result, history_of, is_red


def lapsed() -> BuiltComplaint:
    return b.a_communicated_case().later(days=40).do(Verb.LAPSE, SYSTEM)


def answered() -> BuiltComplaint:
    with_question = b.an_assessed_case().later(days=1).do(Verb.ADD, ANNA, b.a_message(kind="question"))
    return with_question.do(Verb.REPLY, ALICE, {}, {"text": "Tomorrow."})


RECORDS = {
    "4.4": (b.a_communicated_case, "acknowledged, but no delivered message"),
    "4.4 reply": (answered, "no message arrived"),
    "7.3": (b.a_closed_case, "without a message"),
    "7.4": (b.a_communicated_case, "acknowledged, but no delivered message"),
    "7.8": (b.a_communicated_case, "communicated, but no delivered message"),
    "7.9": (b.a_case_offered_recourse, "outside bodies were named, but"),
    "7.9 lapse": (lapsed, "without a delivered reminder"),
    "D": (b.a_closed_case, "closed without acknowledgement, delivery of the decision"),
}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("state", ["deleted", "failed", "uncertain", "sending"])
@clause("4.4")
@clause("7.3")
@clause("7.4")
@clause("7.8")
@clause("7.9")
@clause("D")
def test_acts_without_delivered_messages_turn_their_clause_red(name: str, state: str) -> None:
    build, why = RECORDS[name]
    number, days = name.split()[0], 60.0
    complaint = build()
    whole = history_of(complaint)
    assert not [
        violation
        for violation in clause_result(number, whole, days=days).evidence.violations
        if why in violation.what
    ]
    messages = tuple(replace(message, state=state) for message in whole.messages)
    lost = replace(whole, messages=() if state == "deleted" else messages)
    assert why in is_red(number, [lost], days=days) or any(
        why in violation.what for violation in clause_result(number, lost, days=days).evidence.violations
    )


@clause("7.4")
@clause("7.8")
def test_what_a_person_passed_on_needs_no_message() -> None:
    complaint = b.a_communicated_case()
    by_voice = replace(
        history_of(complaint, delivered=False),
        events=tuple(
            replace(event, role=min(ALICE.roles), by=ALICE.id)
            if event.verb in (Verb.ACKNOWLEDGE, Verb.COMMUNICATE_DECISION)
            else event
            for event in complaint.events
        ),
    )
    for number in ("7.4", "7.8"):
        assert clause_result(number, by_voice).status is ClauseStatus.MET


@clause("8.3")
def test_a_survey_that_was_not_delivered_asked_nobody() -> None:
    surveyed = b.a_closed_case().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})

    def people_asked(history: CaseHistory) -> int | None:
        figures = clause_result("8.3", history, days=30).evidence.figures
        return next(
            figure.share.hits
            for figure in figures
            if figure.what == "endings that were asked about" and figure.share
        )

    assert (people_asked(history_of(surveyed)), people_asked(history_of(surveyed, delivered=False))) == (1, 0)


@clause("8.4")
@pytest.mark.parametrize(
    ("reported", "days", "status"),
    [
        (None, 3, ClauseStatus.NO_EVIDENCE),
        (2, 3, ClauseStatus.MET),
        (None, 92, ClauseStatus.VIOLATED),
        (2, 92, ClauseStatus.MET),
        (2, 94, ClauseStatus.VIOLATED),
    ],
)
def test_monitoring_is_met_only_by_a_report_of_the_last_quarter(
    reported: int | None, days: int, status: ClauseStatus
) -> None:
    reported_at = None if reported is None else TUESDAY + timedelta(days=reported)
    house = replace(HOUSE, reported_at=reported_at)
    assert clause_result("8.4", history_of(b.a_closed_case()), house=house, days=days).status is status
