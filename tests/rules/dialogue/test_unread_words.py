"""Nothing that a complainant writes stays unread: it is on a date of the complaint, or gets one of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.actors import SYSTEM
from complaints.case import Case
from complaints.errors import OutOfOrder
from complaints.obligations.reminders import REMINDED
from complaints.vocabulary import UNDECIDED, Flag, Target, Verb
from tests.rules.builders import ALICE, ANNA, CAUSE, a_case_offered_recourse, a_communicated_case
from tests.rules.dialogue_play import HANDLER, MANAGER, Play


def decided(play: Play) -> None:
    play.staff_resolve()


def accepted(play: Play) -> None:
    play.staff_resolve()
    play.writes("I accept")


def closed(play: Play) -> None:
    accepted(play)
    play.do(Verb.ACKNOWLEDGE, play.ref, SYSTEM)
    play.do(Verb.CLOSE, play.ref, HANDLER, {"cause_class": "single"}, {"root_cause": "An old pipe."})


def refused_without_a_reviewer(play: Play) -> None:
    play.staff_resolve()
    play.reviewers = 0
    play.writes("I disagree")


def offered_recourse(play: Play) -> None:
    refused_without_a_reviewer(play)
    play.do(Verb.OFFER_RECOURSE, play.ref, SYSTEM)


def outside(play: Play) -> None:
    offered_recourse(play)
    play.do(Verb.NOTIFY_EXTERNAL, play.ref, HANDLER, {"event": "notified"}, {"body": "Ombudsman"})


def withdrawn(play: Play) -> None:
    play.commands("withdraw")
    play.presses("yes")


def not_accepted(play: Play) -> None:
    play.do(Verb.NOT_ACCEPT, play.ref, MANAGER, {}, {"reason": "Out of scope."})


def in_the_survey(play: Play) -> None:
    closed(play)
    play.do(Verb.SURVEY, play.ref, SYSTEM, {"step": "sent"})
    play.writes("4")


def about_to_reopen(play: Play) -> None:
    closed(play)
    play.commands("reopen", play.ref)


ENDINGS: tuple[Callable[[Play], None], ...] = (
    decided, accepted, closed, refused_without_a_reviewer, offered_recourse, outside, withdrawn, not_accepted,
    in_the_survey, about_to_reopen,
)  # fmt: skip
WORDS = (
    "It leaks again since this morning.",
    "Nobody called me back, and I am tired of it.",
    "Still brown water!",
)
WAYS: tuple[Callable[[Play, str, str], object], ...] = (
    lambda play, ref, text: play.writes(text),
    lambda play, ref, text: play.writes(f"{ref}: {text}"),
    lambda play, ref, text: play.commands("add", f"{ref} {text}"),
    lambda play, ref, text: (play.commands("add", ref), play.writes(text)),
    lambda play, ref, text: play.commands("human", text),
    lambda play, ref, text: (play.writes("I have a question"), play.writes(text)),
    lambda play, ref, text: play.sends("voice", text),
    lambda play, ref, text: play.edits("1", text),
)


def is_seen_by_staff(case: Case) -> bool:
    """A date or a flag that staff see covers the complainant's last words."""
    live = {target.target for target in case.current_targets() if target.met_at is None}
    concern = case.survey_concern_at is not None
    return (case.state in UNDECIDED and bool(live & REMINDED)) or Target.REPLY in live or concern


@given(ending=st.sampled_from(ENDINGS), way=st.sampled_from(WAYS), text=st.sampled_from(WORDS))
def test_whatever_is_written_at_any_step_reaches_a_date_of_staff(
    ending: Callable[[Play], None], way: Callable[[Play, str, str], object], text: str
) -> None:
    play = Play()
    ref = play.files_a_complaint()
    ending(play)
    before = sum(len(rows) for rows in play.texts_by_ref.values())
    way(play, ref, text)
    rows = [(ref, row) for ref, rows in play.texts_by_ref.items() for row in rows]
    assert len(rows) > before, "the words were recorded"
    holders = [ref for ref, row in rows if text in row[2]]
    assert holders
    assert any(is_seen_by_staff(play.cases[ref]) for ref in holders)


def test_words_after_the_outside_steps_are_answered_and_not_closed_over() -> None:
    offered = a_case_offered_recourse()
    wrote = offered.do(
        Verb.ADD, ANNA, {"field": "addition", "has_words": True}, {"addition": "And the gate?"}
    )
    assert Flag.QUESTION_OPEN in wrote.case.flags
    assert wrote.case.target(Target.REPLY) is not None
    with pytest.raises(OutOfOrder, match="answer it first"):
        wrote.do(Verb.CLOSE, ALICE, {"cause_class": "single"}, CAUSE)
    answered = wrote.do(Verb.REPLY, ALICE, {}, {"text": "We mend it on Friday."})
    assert Flag.QUESTION_OPEN not in answered.case.flags


@pytest.mark.parametrize("facts", [{"kind": "data_erasure", "aside": True}, {"remedy": 0, "remedy_ok": True}])
def test_what_has_its_own_date_or_needs_no_answer_opens_no_question(facts: dict[str, object]) -> None:
    complaint = a_communicated_case()
    added = complaint.do(Verb.ADD, ANNA, {"field": "x", "has_words": True, **facts}, {"x": "Yes"})
    assert Flag.QUESTION_OPEN not in added.case.flags


def test_a_disagreement_without_a_reviewer_asks_for_nothing_more() -> None:
    play = Play()
    play.files_a_complaint()
    play.staff_resolve()
    play.reviewers = 0
    assert play.writes("I disagree") == []
    assert play.state["step"] == "idle"
