"""What the story says is read back and signed with Send, and not asked (7.2; docs/domain.md, section 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.vocabulary import Verb
from tests.rules.dialogue_play import RULES, START, TEXTS, Play

STORY = "Order 4711 came broken on 2 November. I want my money back."
WHERE = "Where did it happen, or which order or account is it about, and when?"
HELP = "What would put this right? Choose one, or write it in your own words."
DETAILS = "Where and when: Order 4711, 2 November\nYou would like: Money back\n"


def read_back(story: str = STORY) -> Play:
    """A play at the read-back of a story that says everything."""
    play = Play(denies=True)
    play.writes(story)
    play.presses("done")
    assert play.state["step"] == "check"
    return play


def test_send_records_what_the_story_says_as_the_answers() -> None:
    play = read_back()
    assert DETAILS in play.text(play.replies[-1])
    assert [act.verb for act in play.acted] == [Verb.RECEIVE]
    assert play.presses("send") == []
    assert [act.verb for act in play.acted] == [Verb.RECEIVE, Verb.ADD, Verb.ADD, Verb.CONFIRM]
    assert all(act.facts["from_story"] for act in play.acted[1:3])
    words = play.texts_of(play.ref)
    assert (words["where_and_when"], words["remedy_requested"]) == ("Order 4711, 2 November", "Money back")
    assert play.case.remedies_requested == ("money_back",)


def test_send_signs_the_answers_also_after_the_form_was_filed_or_another_complaint_began() -> None:
    play = read_back()
    ref, button = play.ref, play.replies[-1]
    play.commands("cancel")
    play.writes("Now the lamp in the hall is broken too, order 9920.")
    play.presses("new")
    play.presses("send", message=button)
    assert play.texts_of(ref)["where_and_when"] == "Order 4711, 2 November"
    assert "where_and_when" not in play.texts_of(play.ref)


def test_change_asks_the_question_and_only_the_new_answer_is_read_back() -> None:
    play = read_back()
    play.presses("change")
    assert play.presses("where_and_when") == [WHERE]
    [changed] = play.writes("Order 4712, 1 November")
    assert "Where and when: Order 4712, 1 November\n" in changed
    assert "Money back" not in changed
    assert "came broken" not in changed
    play.presses("send")
    assert play.texts_of(play.ref)["where_and_when"] == "Order 4712, 1 November"


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("Sorry, it was order 4712", "2 November, order 4712"),
        ("I meant the 3rd of November, not the 2nd", "Order 4711, 3rd of November"),
        ("No, 4712", "2 November, 4712"),
        ("Entschuldigung, es war am 1. November", "Order 4711, 1. November"),
        ("Pardon, sipariş 4712 olacaktı", "2 November, sipariş 4712"),
        ("Perdón, fue el 1 de noviembre", "Order 4711, 1 de noviembre"),
    ],
)
def test_a_correction_replaces_the_part_that_it_corrects(words: str, where: str) -> None:
    play = read_back()
    [changed] = play.writes(words)
    assert f"Where and when: {where}\n" in changed
    assert "You would like" not in changed
    play.presses("send")
    assert play.texts_of(play.ref)["where_and_when"] == where
    assert play.case.remedies_requested == ("money_back",)


def test_a_correction_in_the_story_leaves_only_the_corrected_day() -> None:
    play = read_back("Order 4711 came broken on 1 November. Sorry, 2 November. I want my money back.")
    assert DETAILS in play.text(play.replies[-1])


def test_a_further_wish_is_added_to_the_one_before() -> None:
    play = read_back()
    [changed] = play.writes("And I want an apology, too.")
    assert "You would like: Money back, Apology" in changed
    play.presses("send")
    assert play.case.remedies_requested == ("money_back", "apology")


def test_yes_to_a_plain_question_is_an_answer_in_words() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    assert play.writes("yes") == [HELP]
    assert play.texts_of(play.ref)["where_and_when"] == "yes"


def test_several_quick_messages_are_one_story() -> None:
    play = Play(denies=True)
    play.writes("Order 4711 came broken.")
    play.writes("That was on 2 November.")
    play.writes("I want my money back")
    assert DETAILS in play.waits(20)[0]


def test_an_edited_story_is_read_back_completely() -> None:
    play = Play(denies=True)
    play.writes(STORY, source="m1")
    play.presses("done")
    [again] = play.edits("m1", "Order 4712 came broken on 2 November.")
    assert "Where and when: Order 4712, 2 November\n" in again
    assert "You would like" not in again
    assert again.startswith("This is what I wrote down")


def test_danger_interrupts_and_everything_is_read_back_afterwards() -> None:
    play = read_back()
    play.writes("I smell gas in the kitchen!")
    assert DETAILS in play.presses("safe")[0]


@pytest.mark.parametrize(
    ("story", "question"),
    [
        ("The water has been brown since Monday.", HELP),
        ("Order 4711 is to come by 3 December 2027.", HELP),
        ("My card 4111 1111 1111 1111 was charged.", WHERE),
        ("Pay it to GB82 WEST 1234 5698 7654 32, I have waited long.", WHERE),
    ],
    ids=range(4),
)  # fmt: skip
def test_where_and_when_is_asked_only_of_a_story_with_neither(story: str, question: str) -> None:
    play = Play(denies=True)
    play.writes(story)
    assert play.presses("done") == [question]


def test_a_refused_remedy_leads_to_the_question_and_a_wish_without_a_button_is_shown_as_written() -> None:
    for wish, answer in (
        ("They refused a refund.", HELP),
        ("I want more information.", "You would like: I want more information"),
    ):
        play = Play(denies=True)
        play.writes(f"The water is brown. {wish}")
        play.presses("done")
        assert answer in play.presses("skip")[0]


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
    play = Play(denies=True)
    play.writes("The machine is broken." if is_typed else f"The machine is broken. {wish}")
    if play.state["step"] == "danger_discreet":
        play.presses("yes")
    play.presses("safe" if play.state["step"] == "danger" else "done")
    play.presses("skip")
    readback = play.writes(wish)[0] if is_typed else play.text(play.replies[-1])
    play.presses("send")
    assert amount[2] in readback.partition("You would like: ")[2]
    assert play.case.remedies_requested == tuple(codes)
    assert (play.case.amount_requested, play.case.currency_requested) == amount[:2]


def test_a_story_with_too_many_numbers_leads_to_the_question() -> None:
    play = Play(denies=True)
    play.writes("Numbers: " + ", ".join(f"order 4711{n}" for n in range(7)))
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
    play = Play(denies=True)
    play.writes(story)
    play.presses("done")
    assert summary in play.presses("skip")[0]


def test_relative_days_use_the_time_zone_of_the_rules() -> None:
    # 00:30 in Istanbul is the evening before in London, where 3 November is still in the future.
    calendar = replace(RULES.calendar, zone="Europe/Istanbul")
    east, west = Play(rules=replace(RULES, calendar=calendar)), Play(denies=True)
    for play in (east, west):
        play.now = START.replace(day=2, hour=21, minute=30)
        play.writes("Order 4711 came broken on 2026-11-03.")
    assert east.presses("done") == [HELP]
    assert west.presses("done") == [HELP]
    assert "Where and when: Order 4711, 2026-11-03" in east.presses("skip")[0]
    assert "Where and when: Order 4711\nWhen was it?" in west.presses("skip")[0].replace(
        "You would like: \n", ""
    )


def test_the_state_contains_no_words() -> None:
    play = read_back()
    play.writes("Sorry, it was order 4712")
    assert "4711" not in str(play.state)
    assert "4712" not in str(play.state)


@pytest.mark.parametrize("language", ["en", "de", "es", "tr"])
def test_the_read_back_names_the_other_person_and_not_only_their_consent(language: str) -> None:
    rules = replace(RULES, languages=("en", "de", "es", "tr"))
    play = Play(language=language, rules=rules)
    play.writes("I write for my mother. The water has been brown since Monday.")
    play.commands("language", language)
    play.presses("done")
    play.presses("agreed")
    while play.state["step"] != "check":
        play.presses("skip")
    who = TEXTS.text(language, "readback.whom", text=TEXTS.text(language, "answer.agreed"))
    assert who in play.text(play.replies[-1])
    assert TEXTS.label(language, "agreed") not in play.text(play.replies[-1])


def test_a_wish_at_the_question_where_it_was_is_no_place() -> None:
    play = Play(denies=True)
    play.writes("The water is brown.")
    play.presses("done")
    [again] = play.writes("I want my money back")
    assert again == WHERE
    assert "where_and_when" not in play.texts_of(play.ref)
    assert "You would like: Money back" in play.presses("skip")[0]


def test_a_story_that_only_hints_at_a_wish_is_read_back_with_the_choices() -> None:
    play = read_back("On 2 November your fitter charged me for the repair of order 4711, which was free.")
    shown = play.replies[-1]
    assert "What would put this right?" in play.text(shown)
    assert {"money_back", "explanation", "send"} <= {choice for row in shown.buttons for choice in row}
    [changed] = play.presses("money_back")
    assert "You would like: Money back" in changed
    play.presses("send")
    assert play.case.remedies_requested == ("money_back",)
