"""Details found in the story are confirmed by Yes instead of asked (7.2; docs/domain.md, section 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.dialogue.buttons import CONFIRM
from complaints.vocabulary import Verb
from tests.rules.dialogue_play import RULES, START, Play

STORY = "Order 4711 came broken on 2 November. I want my money back."
SHOWN = "You wrote: Order 4711, 2 November. Is that right?"
ASKED_FOR = "You asked for: Money back. Is that right?"
WHERE = "Where did it happen, or which order or account is it about, and when?"
HELP = "What would put this right? Choose one, or write it in your own words."


def confirming(story: str = STORY) -> Play:
    """A play at the first confirmation."""
    play = Play()
    play.writes(story)
    assert play.presses("done")[0].startswith("You wrote: ")
    return play


def test_yes_records_the_detected_words_of_the_story_as_the_answer() -> None:
    play = confirming()
    assert play.replies[-1].buttons == CONFIRM
    assert play.presses("yes") == [ASKED_FOR]
    act = play.acted[-1]
    assert (act.verb, act.facts["field"], act.facts["from_story"]) == (Verb.ADD, "where_and_when", True)
    assert act.words == {"where_and_when": "Order 4711, 2 November"}
    [readback] = play.presses("yes")
    act = play.acted[-1]
    assert (act.verb, act.facts["field"], act.facts["remedy_requested"]) == (
        Verb.ADD,
        "remedy_requested",
        "money_back",
    )
    assert act.words == {"remedy_requested": "Money back"}
    assert "Where and when: Order 4711, 2 November\nYou would like: Money back\n" in readback


def test_confirming_details_leads_to_send_like_the_plain_questions() -> None:
    play = confirming()
    play.presses("yes")
    play.presses("yes")
    assert play.presses("send") == []
    assert play.case.confirmed_at == play.now


def test_the_change_button_asks_the_question_and_accepts_another_answer() -> None:
    play = confirming()
    assert play.presses("change") == [WHERE]
    assert play.writes("Order 4712, 1 November") == [ASKED_FOR]
    assert play.presses("change") == [HELP]
    [readback] = play.presses("apology")
    assert "Where and when: Order 4712, 1 November\nYou would like: Apology\n" in readback


def test_skip_records_no_detail() -> None:
    play = confirming()
    assert play.presses("skip") == [ASKED_FOR]
    [readback] = play.presses("skip")
    assert "Where and when" not in readback
    assert "You would like" not in readback
    assert [act.verb for act in play.acted] == [Verb.RECEIVE]


def test_words_instead_of_a_button_are_the_answer() -> None:
    play = confirming()
    play.writes("Order 4712, and it was on the first")
    [readback] = play.writes("replacement")
    assert "Where and when: Order 4712, and it was on the first\nYou would like: Replacement\n" in readback


@pytest.mark.parametrize(
    "yes", ["Yes", "evet", "Yes, that's right", "correct!", "that's right, yes", "doğru", "Sí", "Ja, stimmt."]
)
def test_yes_may_be_typed_in_several_forms(yes: str) -> None:
    play = confirming()
    assert play.writes(yes) == [ASKED_FOR]
    assert play.texts_of(play.ref)["where_and_when"] == "Order 4711, 2 November"


@pytest.mark.parametrize("text", ["yes, but it was order 4712", "right on the 3rd", "yesterday"])
def test_a_yes_with_more_words_is_an_answer_in_words(text: str) -> None:
    play = confirming()
    assert play.writes(text) == [ASKED_FOR]
    assert play.texts_of(play.ref)["where_and_when"] == text


@pytest.mark.parametrize("no", ["No", "Change", "hayır"], ids=range(3))
def test_no_or_change_may_be_typed_and_asks_the_question(no: str) -> None:
    play = confirming()
    assert play.writes(no) == [WHERE]
    assert play.texts_of(play.ref).keys() == {"description"}


def test_yes_to_a_plain_question_is_an_answer_in_words() -> None:
    play = Play()
    play.writes("The water is brown.")
    play.presses("done")
    assert play.writes("yes") == [HELP]
    assert play.texts_of(play.ref)["where_and_when"] == "yes"


def test_the_same_yes_twice_records_one_answer() -> None:
    play = confirming()
    button = play.replies[-1]
    play.presses("yes")
    assert play.presses("yes", message=button) == []
    assert len([act for act in play.acted if act.facts.get("field") == "where_and_when"]) == 1


def test_a_late_yes_is_an_addition() -> None:
    play = confirming()
    button = play.replies[-1]
    play.commands("cancel")
    [added] = play.presses("yes", message=button)
    assert play.ref in added
    assert play.texts_of(play.ref)["where_and_when"] == "Order 4711, 2 November"


def test_several_quick_messages_are_one_story() -> None:
    play = Play()
    play.writes("Order 4711 came broken.")
    play.writes("That was on 2 November.")
    play.writes("I want my money back")
    assert play.waits(20) == ["You wrote: Order 4711, 2 November. Is that right?"]


def test_an_edited_story_shows_the_new_details() -> None:
    play = Play()
    play.writes(STORY, source="m1")
    play.presses("done")
    assert play.edits("m1", "Order 4712 came broken on 2 November.") == [
        "You wrote: Order 4712, 2 November. Is that right?"
    ]
    assert play.edits("m1", "It came broken.") == [WHERE]


def test_a_file_is_an_addition_and_the_confirmation_stays_open() -> None:
    play = confirming()
    play.sends()
    assert play.presses("yes") == [ASKED_FOR]


def test_danger_interrupts_and_the_confirmation_is_repeated_afterwards() -> None:
    play = confirming()
    play.writes("I smell gas in the kitchen!")
    assert play.presses("safe") == [SHOWN]


@pytest.mark.parametrize(
    "story",
    [
        "The water has been brown since Monday.",
        "There is no water in the whole of Mill Lane since yesterday.",
        "Order 4711 is to come by 3 December 2027.",
        "My card 4111 1111 1111 1111 was charged yesterday.",
        "Pay it to GB82 WEST 1234 5698 7654 32, I have waited since Monday.",
    ],
    ids=range(5),
)
def test_without_a_day_and_a_number_or_place_the_question_is_asked(story: str) -> None:
    play = Play()
    play.writes(story)
    assert play.presses("done") == [WHERE]


def test_a_refused_remedy_leads_to_the_question_and_a_wish_without_a_button_is_confirmed_as_written() -> None:
    for wish, answer in (
        ("They refused a refund.", HELP),
        ("I want more information.", "You asked for: I want more information. Is that right?"),
    ):
        play = Play()
        play.writes(f"The water is brown. {wish}")
        play.presses("done")
        assert play.presses("skip") == [answer]


@pytest.mark.parametrize(
    ("wish", "codes", "amount"),
    [
        ("I want it repaired and 180 pounds back.", ["repair", "money_back"], (18000, "GBP", "180 pounds")),
        ("Ich will eine Entschuldigung und die 59,90 Euro zurück.", ["apology", "money_back"],
         (5990, "EUR", "59,90 Euro")),
        ("Tamir edilmesini ve 240 lira iade istiyorum.", ["repair", "money_back"], (24000, "TRY", "240 lira")),
        ("Quiero que lo reparen y que me devuelvan 74 euros.", ["repair", "money_back"],
         (7400, "EUR", "74 euros")),
    ],
    ids=["en", "de", "tr", "es"],
)  # fmt: skip
@pytest.mark.parametrize("is_typed", [False, True], ids=["in the story", "typed as the answer"])
def test_several_remedies_and_the_amount_are_all_kept(
    wish: str, codes: list[str], amount: tuple[int, str, str], is_typed: bool
) -> None:
    play = Play()
    play.writes("The machine is broken." if is_typed else f"The machine is broken. {wish}")
    play.presses("done")
    play.presses("skip")
    [readback] = play.writes(wish) if is_typed else play.presses("yes")
    assert amount[2] in readback.partition("You would like: ")[2]
    assert play.case.remedies_requested == tuple(codes)
    assert (play.case.amount_requested, play.case.currency_requested) == amount[:2]


def test_a_story_with_too_many_numbers_leads_to_the_question() -> None:
    play = Play()
    play.writes("Since Monday: " + ", ".join(f"order 4711{n}" for n in range(7)))
    assert play.presses("done") == [WHERE]


@pytest.mark.parametrize(
    ("story", "summary"),
    [
        ("4711 numaralı siparişim dün bozuk geldi.", "4711 numaralı siparişim, dün"),
        ("Bestellung 4711 kam gestern kaputt an.", "Bestellung 4711, gestern"),
        ("El pedido 4711 llegó roto ayer.", "pedido 4711, ayer"),
        ("Your branch in Leeds was shut on 2 November", "Leeds, 2 November"),
        ("No water at 12 Mill Lane since yesterday", "12 Mill Lane, since yesterday"),
    ],
    ids=range(5),
)
def test_details_are_found_in_every_language(story: str, summary: str) -> None:
    play = Play()
    play.writes(story)
    assert summary in play.presses("done")[0]


def test_relative_days_use_the_time_zone_of_the_rules() -> None:
    # 00:30 in Istanbul is the evening before in London, where 3 November is still in the future.
    calendar = replace(RULES.calendar, zone="Europe/Istanbul")
    east, west = Play(rules=replace(RULES, calendar=calendar)), Play()
    for play in (east, west):
        play.now = START.replace(day=2, hour=21, minute=30)
        play.writes("Order 4711 came broken on 2026-11-03.")
    assert east.presses("done")[0].startswith("You wrote: ")
    assert west.presses("done") == [WHERE]


def test_the_state_contains_no_words() -> None:
    play = confirming()
    play.presses("yes")
    assert "4711" not in str(play.state)
