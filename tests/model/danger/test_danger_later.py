"""The danger sets of December 2026: pages, questions, other languages, and questions whether something may be done.

Their writers had not seen rules, texts or the bot. Never read them to extend a rule or a table.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from bots.dialogue.danger import STEPS
from bots.dialogue.turn import SignsInWords, read_signs
from complaints.actions.danger import is_certain
from tests.rules.dialogue_play import RULES, Play
from triage.matching import LANGUAGES

Row = Mapping[str, str]
DESK = replace(RULES, languages=LANGUAGES, danger=(), hazards_signed_until="2099-12-31")
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@cache
def rows(name: str) -> tuple[Row, ...]:
    with Path(__file__).with_name(f"{name}.csv").open(encoding="utf-8") as stream:
        return tuple(csv.DictReader(stream))


@cache
def signs(text: str) -> SignsInWords:
    return read_signs(text, DESK, {}, NOW, LANGUAGES)


def pages(row: Row) -> bool:
    return any(map(is_certain, signs(row["text"]).signs))


def asks(row: Row) -> bool:
    """Pages, or asks the question that pages unless the answer is a clear "no"."""
    return pages(row) or signs(row["text"]).look is not None


def of_set(name: str) -> list[Row]:
    return [row for row in rows("danger_later") if row["set"] == name]


def test_present_danger_pages_at_once_or_after_the_question() -> None:
    dangers = of_set("danger") + of_set("foreign")
    assert sum(map(asks, dangers)) / len(dangers) >= 0.97


def test_a_text_in_a_language_that_nobody_reads_always_asks() -> None:
    assert [row["text"] for row in of_set("foreign") if not asks(row)] == []


def test_ordinary_complaints_hardly_ever_page() -> None:
    ordinary = of_set("ordinary")
    assert sum(map(pages, ordinary)) / len(ordinary) <= 0.003
    assert sum(map(asks, ordinary)) / len(ordinary) <= 0.046


def test_few_lookalikes_page() -> None:
    alike = of_set("lookalike")
    assert sum(map(pages, alike)) / len(alike) <= 0.03


HARD = "danger_hard"


def hard(name: str) -> list[Row]:
    """The set of writers who were asked to write what nobody else would; never used to choose anything."""
    return [row for row in rows(HARD) if row["set"] == name]


def hazard_that_speaks(row: Row) -> str:
    kinds = [sign.kind for sign in signs(row["text"]).signs if sign.rule.endswith("_likely")]
    return next((kind for kind in kinds if kind != "danger"), "")


def test_dangers_in_unusual_words_lead_to_a_page_or_a_question() -> None:
    dangers = hard("danger")
    explicit = [row for row in dangers if row["level"] == "explicit"]
    assert sum(map(asks, explicit)) / len(explicit) >= 0.89
    assert sum(map(asks, dangers)) / len(dangers) >= 0.88


def test_a_hazard_that_the_model_names_is_the_right_one() -> None:
    named = [row for row in hard("danger") if hazard_that_speaks(row)]
    # The goal is .95, and a hazard for every danger: of these 816 the model names one in 131.
    assert len(named) >= 100
    assert sum(hazard_that_speaks(row) == row["hazard"] for row in named) / len(named) >= 0.93


def test_ordinary_and_alike_texts_in_unusual_words_seldom_page() -> None:
    # Many of the first and all of the second are near a danger on purpose: these are the measured figures.
    ordinary, alike = hard("ordinary"), hard("lookalike")
    assert sum(map(pages, ordinary)) / len(ordinary) <= 0.005
    assert sum(map(pages, alike)) / len(alike) <= 0.10


def hazards_offered(row: Row) -> tuple[list[str], bool]:
    """The hazard that speaks, or those that the complainant may choose from; and whether they choose."""
    play = Play(language=row["language"], rules=DESK)
    play.writes(row["text"])
    if play.state["step"] == "danger_question":
        play.presses("yes")
    named = play.state.get("hazards", [])[:1]
    return (named, False) if named else (list(play.state.get("likely_hazards", ())), True)


def test_the_right_hazard_speaks_at_once_or_after_one_press() -> None:
    """`accepted`: what a judge, who had seen neither rules nor results, would take for right; mostly one."""
    offered = [(row, *hazards_offered(row)) for row in of_set("danger") if asks(row)]
    right = [bool(set(names) & set(row["accepted"].split())) for row, names, _ in offered]
    assert sum(right) / len(right) >= 0.95
    at_once = [is_right for is_right, (_, _, chosen) in zip(right, offered, strict=True) if not chosen]
    assert sum(at_once) / len(at_once) >= 0.95


#: In danger, whatever is asked: the reply forbids, sends to those who can judge, or says that it was passed on.
_NEVER_PERMITS = {
    "danger", "danger.also", "danger.ask", "danger.cannot_judge", "danger.discreet", "danger.help_comes",
    "danger.listens", "danger.never", "danger.no", "danger.noted", "danger.number", "danger.outside",
    "danger.self_harm", "danger.stays", "danger.write",
}  # fmt: skip


def reply_to(row: Row) -> str:
    """The text id of the reply to this question, after the first message; "" if neither was taken for a danger."""
    play = Play(language=row["language"], rules=DESK)
    play.writes(row["before"])
    if play.state["step"] in ("danger_question", "danger_discreet"):
        play.presses("yes")
    play.writes(row["text"])
    return play.replies[-1].template if play.state["step"] in STEPS else ""


def test_no_question_in_a_danger_is_answered_by_a_permission_or_by_a_deadly_no() -> None:
    replies = [(row["asks_for"], reply_to(row)) for row in rows("danger_questions")]
    answered = [reply for _, reply in replies if reply]
    assert len(answered) / len(replies) >= 0.99
    assert set(answered) <= _NEVER_PERMITS
    # "No" to somebody who asks whether to leave, to wait outside or to call could kill.
    assert [wanted for wanted, reply in replies if wanted == "right" and reply == "danger.no"] == []


def test_questions_after_a_complaint_are_answered_in_danger_and_seldom_taken_for_one() -> None:
    """Written after the reader learned to read a question with the complaint before it, by who knew neither."""
    replies = [(row["set"], reply_to(row)) for row in rows("danger_conversations")]
    in_danger = [reply for name, reply in replies if name == "danger"]
    ordinary = [reply for name, reply in replies if name == "ordinary"]
    assert sum(map(bool, in_danger)) / len(in_danger) >= 0.97
    assert set(in_danger) - {""} <= _NEVER_PERMITS
    # One question more in a chat costs less than silence; after its answer no later question asks again.
    assert sum(map(bool, ordinary)) / len(ordinary) <= 0.10
