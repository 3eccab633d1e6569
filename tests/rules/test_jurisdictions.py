"""Under whose rules a new complaint comes: plain enough to be told beforehand."""

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


def play(own: Rulebook = BRITISH, **more: object) -> Play:
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
def test_what_was_chosen_goes_before_the_language_and_that_before_the_own_country(
    chosen: str | None, language: str | None, country: str
) -> None:
    assert BOTH.for_person(chosen, language).country == country


def test_a_language_that_several_speak_decides_nothing() -> None:
    both = Rulebooks(RULES, {"TR": TURKISH})
    assert both.for_person(None, "tr").country == "GB"


def test_the_letters_are_read_in_any_case_and_a_strangers_mean_nothing() -> None:
    assert [BOTH.code(said) for said in ("tr", " TR ", "Gb", "FR", "12345678", "", "turkey")] == [
        "TR", "TR", "GB", None, None, None, None,
    ]  # fmt: skip


def test_rules_of_a_jurisdiction_that_is_gone_stand_as_they_are() -> None:
    gone = replace(RULES, country="IE")
    assert BOTH.today(gone) is gone
    assert BOTH.today(replace(TURKISH, emergency_number="1")) is TURKISH


@pytest.mark.parametrize("letters", ["TR", "tr", "Tr"])
def test_a_link_with_the_countrys_letters_chooses_its_rules(letters: str) -> None:
    talk = play()
    hello, country = talk.commands("start", letters)
    assert "155" in hello
    assert "Türkiye" in country
    ref = talk.files_a_complaint()
    assert talk.cases[ref].rules is TURKISH


def test_the_choice_is_kept_for_the_next_complaint_and_can_be_taken_back() -> None:
    talk = play()
    talk.commands("start", "TR")
    talk.commands("start")
    assert talk.cases[talk.files_a_complaint()].rules is TURKISH
    talk.commands("start", "GB")
    talk.commands("complain", "The bill is wrong again this month.")
    assert talk.case.rules is BRITISH


def test_a_code_is_no_country_and_other_letters_are_neither() -> None:
    talk = play()
    assert "code" in talk.commands("start", "12345678")[0].lower()
    for argument in ("", "FR", "poster"):
        assert "112" in talk.commands("start", argument)[0]
    assert "country" not in talk.state


def test_where_there_is_one_country_nothing_is_said_of_it() -> None:
    assert len(Play().commands("start")) == 1
    assert len(Play().commands("start", "TR")) == 1


def test_the_person_who_speaks_only_that_countrys_language_is_under_its_rules() -> None:
    talk = play(language="tr")
    talk.writes("Pazartesiden beri musluktan kahverengi su akıyor.")
    assert talk.case.rules is TURKISH


def test_another_language_later_moves_no_complaint_to_another_country() -> None:
    talk = play(language="tr")
    talk.writes("Pazartesiden beri musluktan kahverengi su akıyor.")
    first = talk.ref
    talk.commands("language", "en")
    assert talk.cases[first].rules is TURKISH


@pytest.mark.parametrize(("start", "number"), [("TR", "155"), ("GB", "112")])
def test_help_policy_and_how_are_those_of_the_country_that_was_chosen(start: str, number: str) -> None:
    talk, body = play(), {"TR": "Tüketici Hakem Heyeti", "GB": "Consumer ombudsman"}[start]
    talk.commands("start", start)
    assert number in talk.commands("help")[0]
    assert body in talk.commands("how")[0]
    assert body in talk.commands("policy")[0]


def test_how_tells_the_outside_bodies_of_the_open_complaint() -> None:
    talk = play()
    talk.commands("start", "TR")
    talk.files_a_complaint()
    talk.state["country"] = "GB"
    assert "Tüketici Hakem Heyeti" in talk.commands("how")[0]


def test_before_there_is_a_complaint_danger_has_the_number_of_the_chats_country() -> None:
    talk = play(language="tr")
    assert "187" in talk.writes("Evde doğalgaz kokusu var, ne yapalım?")[0]


def test_danger_in_a_complaint_has_the_number_of_its_country_whatever_was_chosen_since() -> None:
    talk = play()
    talk.commands("start", "TR")
    ref = talk.files_a_complaint()
    talk.commands("start", "GB")
    talk.commands("add", ref)
    told = talk.writes("Somebody is hurt, the pipe fell on him and he is bleeding badly.")
    assert "155" in told[0]
    assert "112" not in told[0]


def test_dates_are_told_in_the_zone_of_the_complaint() -> None:
    talk = play()
    talk.commands("start", "TR")
    talk.writes("The water has been brown since Monday.")
    target = talk.case.target(Target.ACK)
    assert target is not None
    assert target.internal_due.hour == 14  # 17:30 in Istanbul
    talk.presses("done")
    talk.writes("12 Mill Lane")
    talk.presses("apology")
    (told,) = talk.presses("not_yet")
    assert "13:30" in told  # half past ten in London is half past one there


def test_the_read_back_has_the_notice_of_the_complaints_country() -> None:
    talk = play()
    talk.commands("start", "TR")
    talk.writes("The water has been brown since Monday.")
    talk.presses("done")
    talk.writes("12 Mill Lane")
    read_back = talk.presses("apology")[-1]
    assert "kuzey.example/kvkk" in read_back
