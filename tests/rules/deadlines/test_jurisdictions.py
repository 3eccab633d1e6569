"""Which jurisdiction's rules apply to a new complaint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.rulebook import Calendar, Danger, Rulebook, Rulebooks
from complaints.vocabulary import Target
from tests.rules.dialogue_play import RULES, Play

BRITISH = replace(RULES, languages=("en",))
TURKISH = replace(
    RULES,
    country="TR",
    languages=("tr",),
    emergency_number="155",
    calendar=Calendar("Europe/Istanbul", RULES.calendar.hours),
    danger=(Danger(("doğalgaz kokusu",), "187", {"tr": "Hemen çıkın, {number} numarasını arayın."}),),
    notice="kuzey.example/kvkk",
    recourse=(replace(RULES.recourse[0], body="Tüketici Hakem Heyeti"),),
)
BOTH = Rulebooks(BRITISH, {"TR": TURKISH})


def a_play(own: Rulebook = BRITISH, **more: object) -> Play:
    return Play(rules=own, others={"TR": TURKISH}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "language", "country"),
    [
        (None, "tr", "TR"),
        (None, "en", "GB"),
        (None, "de", "GB"),
        (None, None, "GB"),
        ("TR", "en", "TR"),
        ("GB", "tr", "GB"),
        ("FR", "tr", "TR"),
    ],
)
def test_the_chosen_country_takes_precedence_over_language_and_own_country(
    chosen: str | None, language: str | None, country: str
) -> None:
    assert BOTH.for_person(chosen, language).country == country


def test_a_language_of_several_countries_decides_nothing() -> None:
    both = Rulebooks(RULES, {"TR": TURKISH})
    assert both.for_person(None, "tr").country == "GB"


def test_country_letters_are_read_in_any_case_and_others_ignored() -> None:
    assert [BOTH.code(argument) for argument in ("tr", " TR ", "Gb", "FR", "12345678", "", "turkey")] == [
        "TR", "TR", "GB", None, None, None, None,
    ]  # fmt: skip


def test_rules_of_a_removed_jurisdiction_are_kept() -> None:
    gone = replace(RULES, country="IE")
    assert BOTH.today(gone) is gone
    assert BOTH.today(replace(TURKISH, emergency_number="1")) is TURKISH


@pytest.mark.parametrize("letters", ["TR", "tr", "Tr"])
def test_a_link_with_the_countrys_letters_chooses_its_rules(letters: str) -> None:
    talk = a_play()
    hello, country = talk.commands("start", letters)
    assert "155" in hello
    assert "Türkiye" in country
    ref = talk.files_a_complaint()
    assert talk.cases[ref].rules is TURKISH


def test_the_choice_is_kept_for_the_next_complaint_and_can_be_taken_back() -> None:
    talk = a_play()
    talk.commands("start", "TR")
    talk.commands("start")
    assert talk.cases[talk.files_a_complaint()].rules is TURKISH
    talk.commands("start", "GB")
    talk.commands("complain", "The bill is wrong again this month.")
    assert talk.case.rules is BRITISH


def test_a_code_or_other_letters_choose_no_country() -> None:
    talk = a_play()
    assert "code" in talk.commands("start", "12345678")[0].lower()
    for argument in ("", "FR", "poster"):
        assert "112" in talk.commands("start", argument)[0]
    assert "country" not in talk.state


def test_with_one_country_the_greeting_names_none() -> None:
    assert len(Play().commands("start")) == 1
    assert len(Play().commands("start", "TR")) == 1


def test_a_language_of_one_country_applies_that_countrys_rules() -> None:
    talk = a_play(language="tr")
    talk.writes("Pazartesiden beri musluktan kahverengi su akıyor.")
    assert talk.case.rules is TURKISH


def test_a_later_language_change_keeps_the_country_of_a_complaint() -> None:
    talk = a_play(language="tr")
    talk.writes("Pazartesiden beri musluktan kahverengi su akıyor.")
    first = talk.ref
    talk.commands("language", "en")
    assert talk.cases[first].rules is TURKISH


@pytest.mark.parametrize(("start", "number"), [("TR", "155"), ("GB", "112")])
def test_help_policy_and_how_follow_the_chosen_country(start: str, number: str) -> None:
    talk, body = a_play(), {"TR": "Tüketici Hakem Heyeti", "GB": "Consumer ombudsman"}[start]
    talk.commands("start", start)
    assert number in talk.commands("help")[0]
    assert body in talk.commands("how")[0]
    assert body in talk.commands("policy")[0]


def test_how_lists_the_outside_bodies_of_the_open_complaint() -> None:
    talk = a_play()
    talk.commands("start", "TR")
    talk.files_a_complaint()
    talk.state["country"] = "GB"
    assert "Tüketici Hakem Heyeti" in talk.commands("how")[0]


def test_danger_without_a_complaint_gives_the_number_of_the_chats_country() -> None:
    talk = a_play(language="tr")
    assert "187" in talk.writes("Evde doğalgaz kokusu var, ne yapalım?")[0]


def test_danger_in_a_complaint_gives_the_number_of_its_own_country() -> None:
    talk = a_play()
    talk.commands("start", "TR")
    ref = talk.files_a_complaint()
    talk.commands("start", "GB")
    talk.commands("add", ref)
    replies = talk.writes("Somebody is hurt, the pipe fell on him and he is bleeding badly.")
    assert "155" in replies[0]
    assert "112" not in replies[0]


def test_dates_are_shown_in_the_time_zone_of_the_complaint() -> None:
    talk = a_play()
    talk.commands("start", "TR")
    talk.writes("The water has been brown since Monday.")
    target = talk.case.target(Target.ACK)
    assert target is not None
    assert target.internal_due.hour == 14  # 17:30 in Istanbul
    talk.presses("done")
    talk.writes("12 Mill Lane")
    talk.presses("apology")
    (answer,) = talk.presses("not_yet")
    assert "13:30" in answer  # 10:30 in London is 13:30 in Istanbul


def test_the_read_back_contains_the_privacy_notice_of_the_complaints_country() -> None:
    talk = a_play()
    talk.commands("start", "TR")
    talk.writes("The water has been brown since Monday.")
    talk.presses("done")
    talk.writes("12 Mill Lane")
    read_back = talk.presses("apology")[-1]
    assert "kuzey.example/kvkk" in read_back
