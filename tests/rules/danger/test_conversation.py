"""A conversation with the complainant in a danger: who may write, what it counts as, and how it ends (5.3, 7.3)."""

from __future__ import annotations

from typing import Any

import pytest

from bots.letters.letter import Letter
from bots.letters.progress_letters import person_talks
from bots.texts.catalogues import load_catalogues
from complaints.actors import SYSTEM, Actor
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed, OutOfOrder
from complaints.obligations.kinds import SendPriority
from complaints.obligations.standing import TALK_IDLE, TALK_UNANSWERED, current_obligations
from complaints.vocabulary import State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    MONA,
    ORHAN,
    REF,
    BuiltComplaint,
    a_closed_case,
    a_logged_case,
    a_message,
    a_received_case,
    a_sign,
    an_assessed_case,
)
from tests.rules.lifecycle.test_conduct import limit_facts, warned

THREAD, OTHER_THREAD = "D0000001:1.000100", "D0000003:1.000200"
BEGIN = {"phase": "begin", "thread": THREAD}


def in_danger(rule: str = "gas.gas_smell") -> BuiltComplaint:
    return a_received_case(signs=(a_sign(rule, danger=True),))


def begun(complaint: BuiltComplaint | None = None, by: Actor = ALICE, **facts: Any) -> BuiltComplaint:
    return (complaint or in_danger()).do(Verb.TALK, by, {**BEGIN, **facts})


def line(talk: BuiltComplaint, text: str = "Are you outside?", by: Actor = ALICE) -> BuiltComplaint:
    assert talk.case.talk is not None
    facts = {"phase": "line", "thread": talk.case.talk.thread, "post": "1.000300"}
    return talk.do(Verb.TALK, by, facts, {"text": text})


def end(talk: BuiltComplaint, because: str = "button", by: Actor = ALICE) -> BuiltComplaint:
    assert talk.case.talk is not None
    return talk.do(Verb.TALK, by, {"phase": "end", "thread": talk.case.talk.thread, "because": because})


def pages(complaint: BuiltComplaint) -> list[str]:
    """Pages, without the request to close what was seen."""
    return [row.key for row in complaint.obligations if row.kind == "page" and not row.key.endswith(":close")]


@clause("5.3")
def test_who_begins_a_conversation_has_seen_the_danger_and_the_page_stops() -> None:
    talk = begun()
    assert talk.case.talk is not None
    assert (talk.case.talk.member, talk.case.talk.since) == (ALICE.id, talk.at)
    assert talk.case.alarms[-1].seen_at == talk.at
    assert pages(talk) == []
    assert not talk.case.form_open
    looked = begun(a_received_case(signs=(a_sign(look=True),)))
    assert looked.case.unseen_alarm is None


@clause("7.3")
def test_a_line_leaves_at_once_and_counts_as_a_contact_that_answers_the_question() -> None:
    asked = begun(in_danger().do(Verb.ADD, ANNA, a_message(kind="question"), {"description": "May I go in?"}))
    written = line(asked)
    sent = written.obligation("talk")
    assert (sent.due, sent.priority) == (written.at, SendPriority.DANGER)
    assert written.case.contacted
    assert written.case.question_answered_at == written.at
    assert Target.REPLY not in {t.target for t in written.case.current_targets() if t.met_at is None}
    assert (written.case.state, written.case.work_version) == (State.RECEIVED, asked.case.work_version)
    assert "thread" not in written.kinds


def test_only_the_person_who_talks_writes_lines_and_another_takes_over_explicitly() -> None:
    talk = begun()
    for by, refusal in ((BURAK, OutOfOrder), (ORHAN, OutOfOrder), (ANNA, NotAllowed), (SYSTEM, NotAllowed)):
        with pytest.raises(refusal):
            line(talk, by=by)
    with pytest.raises(OutOfOrder) as refused:
        begun(talk, MONA)
    assert refused.value.code == "talk_taken"
    with pytest.raises(AlreadyDone):
        begun(talk)
    taken = begun(talk, MONA, phase="take_over", thread=OTHER_THREAD)
    assert taken.case.talk is not None
    assert taken.case.talk.member == MONA.id
    shown = {(o.facts["phase"], o.facts["thread"]) for o in taken.obligations if o.kind == "talk_show"}
    assert shown == {("end", THREAD), ("take_over", OTHER_THREAD)}
    with pytest.raises(OutOfOrder):
        line(taken)


def test_a_line_in_the_thread_of_an_earlier_conversation_reaches_nobody() -> None:
    again = begun(end(begun()), thread=OTHER_THREAD)
    facts = {"phase": "line", "thread": THREAD, "post": "1.000300"}
    with pytest.raises(OutOfOrder) as refused:
        again.do(Verb.TALK, ALICE, facts, {"text": "Are you outside?"})
    assert refused.value.code == "talk_ended"


@pytest.mark.parametrize("text", ["", "   ", "é" * 4097, "👍" * 2049])
def test_an_empty_or_too_long_line_is_refused(text: str) -> None:
    with pytest.raises(BadFacts):
        line(begun(), text)
    line(begun(), "👍" * 2048)


def test_there_is_no_conversation_without_a_chat_that_takes_the_lines() -> None:
    with pytest.raises(OutOfOrder) as refused:
        begun(a_logged_case())
    assert refused.value.code == "talk_unreachable"
    blocked = begun().do(Verb.FAIL_DELIVERY, SYSTEM, {"because": "blocked", "kind": "talk"})
    with pytest.raises(OutOfOrder):
        line(blocked)


@clause("4.7")
def test_who_may_no_longer_read_the_complaint_cannot_go_on() -> None:
    talk = begun()
    conflicted = talk.do(Verb.DECLARE_CONFLICT, BURAK, {"who": ALICE.id}, {"reason": "Her sister."})
    restricted = talk.do(Verb.RESTRICT, MONA, {}, {"reason": "About staff."})
    for complaint in (conflicted, restricted):
        with pytest.raises(ComplaintError):
            line(complaint)
        obligation = complaint.obligation("talk_end")
        assert (obligation.facts["because"], obligation.due <= complaint.at) == ("right", True)
        assert end(complaint, "right", SYSTEM).case.talk is None


def test_a_conversation_ends_thirty_minutes_after_the_last_line() -> None:
    talk = begun()
    assert talk.obligation("talk_end").due == talk.at + TALK_IDLE
    written = line(talk.later(minutes=10))
    assert written.obligation("talk_end").due == written.at + TALK_IDLE
    ended = written.do(Verb.TALK, SYSTEM, written.obligation("talk_end").facts)
    assert ended.case.talk is None
    assert "talk_end" not in {obligation.kind for obligation in current_obligations(ended.case)}
    assert ended.obligation("talk").facts["phase"] == "end"
    assert pages(ended) == []


@clause("5.3")
def test_where_staff_do_not_answer_the_conversation_ends_and_the_page_begins_again() -> None:
    wrote = begun().do(Verb.ADD, ANNA, a_message(), {"description": "Hello?"})
    again = wrote.later(minutes=5).do(Verb.ADD, ANNA, a_message(), {"description": "Are you there?"})
    obligation = again.obligation("talk_end")
    assert (obligation.facts["because"], obligation.due) == ("unanswered", wrote.at + TALK_UNANSWERED)
    assert line(again).obligation("talk_end").facts["because"] == "idle"
    ended = again.do(Verb.TALK, SYSTEM, obligation.facts)
    assert ended.case.unseen_alarm is not None
    assert ended.obligation("page").due == ended.at


@clause("5.3")
def test_a_new_danger_in_a_conversation_pages_until_staff_write_a_line() -> None:
    worse = begun().do(Verb.ADD, ANNA, a_message(signs=(a_sign("fire.fire", danger=True),)))
    assert "page" in worse.kinds
    assert pages(line(worse)) == []


def test_a_closed_complaint_ends_the_conversation_without_a_word_to_the_complainant() -> None:
    talk = begun()
    closed = talk.do(Verb.NOT_ACCEPT, MONA, {}, {"reason": "Not ours."})
    obligation = closed.obligation("talk_end")
    assert (obligation.facts["because"], obligation.due) == ("closed", closed.at)
    assert "talk" not in closed.do(Verb.TALK, SYSTEM, obligation.facts).kinds
    # A danger on a complaint that was closed before is still talked about.
    late = begun(a_closed_case())
    assert late.obligation("talk_end").due == late.at + TALK_IDLE


def test_what_the_complainant_writes_meanwhile_is_shown_where_staff_talk() -> None:
    wrote = begun().do(Verb.ADD, ANNA, a_message(), {"description": "We are out."})
    assert wrote.obligation("talk_heard").facts["seq"] == wrote.last.seq
    assert "talk_heard" not in end(begun()).do(Verb.ADD, ANNA, a_message(), {"description": "Thanks."}).kinds


def test_nothing_unprompted_appears_where_somebody_may_read_along() -> None:
    talk = begun(in_danger("violence.at_the_door"))
    assert talk.case.is_discreet
    assert "talk" not in end(talk, "idle", SYSTEM).kinds
    assert "talk" in end(talk).kinds
    assert not begun().case.is_discreet


@pytest.mark.parametrize("language", ["en", "tr"])
def test_where_another_person_may_read_along_the_first_line_names_nobody(language: str) -> None:
    texts = load_catalogues([language])
    talk, violence = begun().case, begun(in_danger("violence.at_the_door")).case
    assert "Northwind" in person_talks(Letter(talk, texts, language), "handler", "begin")
    discreet = person_talks(Letter(violence, texts, language), "handler", "begin")
    assert not any(word in discreet for word in ("Northwind", REF))
    assert discreet == texts.text(language, "danger.person_discreet")


@clause("4.3")
def test_a_limit_on_contact_keeps_nobody_from_talking_in_a_danger() -> None:
    complaint = warned()
    asked = complaint.do(
        Verb.LIMIT_CONTACT,
        ALICE,
        limit_facts(complaint, limits=["one_contact"], reply_days=None),
        {"reason": "Nine."},
    )
    limited = asked.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    with pytest.raises(NotAllowed):
        limited.do(Verb.REPLY, BURAK, {}, {"text": "Hello."})
    assert begun(limited, BURAK).case.talk is not None


def test_a_conversation_is_no_work_that_makes_open_forms_stale() -> None:
    assessed = an_assessed_case()
    assert end(line(begun(assessed))).case.work_version == assessed.case.work_version
