"""After the filing: the timeline of /status, requests for a person, the privacy notice, the person's data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from complaints.actors import SYSTEM, complainant, staff
from complaints.case import Event
from complaints.vocabulary import Flag, Role, Target, Verb
from tests.rules.dialogue.test_dialogue_survey import surveyed
from tests.rules.dialogue_play import ASSESSED, HANDLER, MANAGER, RESOLVED, RULES, START, Play


def status(play: Play, argument: str = "") -> str:
    """The answer to /status as one text."""
    return "\n".join(play.commands("status", argument))


def test_the_timeline_says_what_was_done_and_what_comes_next_without_names() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.ACKNOWLEDGE, ref, SYSTEM, {"level": 1})
    play.now = START + timedelta(days=1)
    play.do(Verb.ASSIGN, ref, HANDLER, {"owner": HANDLER.id})
    play.do(Verb.ASSESS, ref, HANDLER, ASSESSED)
    play.do(Verb.NOTE, ref, HANDLER, {}, {"text": "Not for the complainant."})
    play.do(Verb.INVESTIGATE, ref, HANDLER, {}, {"plan": "Ask the crew."})
    text = status(play)
    assert text.splitlines() == [
        f"{ref}, received Tuesday, 3 November 2026: being looked into",
        "",
        "Done so far",
        "Tuesday, 3 November 2026: we got it; we confirmed that we have it",
        "Wednesday, 4 November 2026: a person took it on; a person read and assessed it; we began to look into it",
        "",
        "What comes next",
        "A person of our team has been on it since 10:00 today.",
        "We answer by Tuesday, 10 November 2026 at the latest.",
    ]
    assert HANDLER.id not in text


#: By when a person looks, that this time passed, since when a person is on it, and that a danger was seen.
ATTENTION = {
    "en": (
        "A person looks at it by 10:30 today.",
        "A person was to look at it by 10:30 today.",
        "has been on it since 10:40 today.",
        "Your message about the danger was seen by the person on call: 10:10 today.",
    ),
    "de": (
        "Ein Mensch sieht sich Ihre Beschwerde bis heute, 10:30 Uhr an.",
        "Bis heute, 10:30 Uhr sollte sich ein Mensch Ihre Beschwerde ansehen.",
        "kümmert sich seit heute, 10:40 Uhr darum.",
        "Ihre Meldung zur Gefahr wurde von unserer Bereitschaft gesehen: heute, 10:10 Uhr.",
    ),
    "es": (
        "Una persona leerá su queja a más tardar hoy a las 10:30.",
        "Una persona tenía que leer su queja a más tardar hoy a las 10:30.",
        "Se hizo cargo hoy a las 10:40.",
        "Su aviso de peligro lo vio la persona de guardia hoy a las 10:10.",
    ),
    "tr": (
        "Bir yetkili şikâyetinize en geç şu zamana kadar bakar: bugün 10:30.",
        "Bir yetkili şikâyetinize şu zamana kadar bakacaktı: bugün 10:30.",
        "Üstlendiği zaman: bugün 10:40.",
        "Gören: nöbetçi görevli. Zamanı: bugün 10:10.",
    ),
}


@pytest.mark.parametrize("language", ATTENTION)
def test_the_status_says_by_when_a_person_looks_and_since_when_somebody_is_on_it(language: str) -> None:
    look, look_late, taken, seen = ATTENTION[language]
    play = Play(language=language)
    play.writes("There is a smell of gas in my kitchen.")
    assert look in status(play)
    alarmed = Play(language=language)
    alarmed.writes("There is a smell of gas in my kitchen.")
    alarmed.now += timedelta(minutes=10)
    alarmed.do(Verb.RECEIPT, alarmed.ref, staff("U2", Role.ON_CALL))
    assert seen in status(alarmed)
    assert look not in status(alarmed)
    play.now += timedelta(minutes=40)
    assert look_late in status(play)
    waiting = status(play).splitlines()[0]
    play.do(Verb.ASSIGN, play.ref, HANDLER, {"owner": HANDLER.id})
    assert taken in status(play)
    assert look_late not in status(play)
    assert status(play).splitlines()[0] != waiting
    # With several complaints each has its line.
    play.commands("complain", "The invoice of May has the wrong sum, I paid it already.")
    assert taken in status(play)


def test_a_moved_date_is_in_the_timeline_and_a_wish_to_move_it_is_not() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.ASSESS, ref, HANDLER, ASSESSED)
    wish = {"extended_to": "2026-11-12", "target": "decide", "of": 0}
    play.do(Verb.EXTEND, ref, HANDLER, wish, {"reason": "The laboratory is late."})
    assert "a date was moved" not in status(play)
    play.do(Verb.APPROVE, ref, MANAGER, {"agreed": "yes"})
    assert "a date was moved" in status(play)
    assert "by Thursday, 12 November 2026" in status(play)


def test_a_decision_is_disclosed_only_after_its_approval_and_accepting_it_names_the_sum() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.ASSESS, ref, HANDLER, ASSESSED)
    evidence = {"evidence": ["complainant_heard", "records_checked"]}
    play.do(Verb.INVESTIGATE, ref, HANDLER, evidence, {"facts": "The crew was there."})
    before = status(play)
    facts = {
        **RESOLVED,
        "issues": [{"finding": "upheld"}],
        "remedies": [{"type": "refund", "amount": "50.00", "currency": "GBP"}],
    }
    play.do(Verb.RESPOND, ref, HANDLER, facts, {"root_cause": "Old pipe.", "issues.0.reasons": "It was old."})
    assert play.case.drafted is not None
    assert status(play) == before
    play.do(Verb.APPROVE, ref, staff("U3", Role.TOP_MANAGEMENT), {"agreed": "yes"})
    play.do(Verb.COMMUNICATE_DECISION, ref, SYSTEM)
    play.presses("accept", play_letter(play, ref))
    assert "Money back (£50.00): by " in play.text(play.replies[-1])


def test_a_decision_on_its_way_is_announced_and_then_waits_for_an_answer() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.ASSIGN, ref, HANDLER, {"owner": HANDLER.id})
    play.do(Verb.ASSESS, ref, HANDLER, ASSESSED)
    words = {"done": "Flushed.", "cause": "Old pipe.", "agreed_how": "By phone."}
    play.do(Verb.RESOLVE, ref, HANDLER, RESOLVED, words)
    assert "We have decided. You get the decision here soon." in status(play)
    assert "you got our decision" not in status(play)
    play.do(Verb.COMMUNICATE_DECISION, ref, SYSTEM)
    assert "you got our decision" in status(play)
    assert "We are waiting for your answer until" in status(play)
    play.presses("accept", play_letter(play, ref))
    assert "you accepted our decision" in status(play)


def play_letter(play: Play, ref: str) -> Any:
    """A reply with the buttons of the decision."""
    play.writes("thank you")
    return play.replies[-1]


def test_a_withdrawn_complaint_and_an_old_closing_name_no_false_way_back() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.do(Verb.WITHDRAW, ref, complainant("p1"))
    assert f"/reopen {ref}" in status(play)
    assert "you took it back" in status(play)
    play.now += timedelta(days=400)
    assert "/reopen" not in status(play)
    assert "Closed on Tuesday, 3 November 2026." in status(play)


def test_several_complaints_are_a_line_each_with_a_button_for_the_timeline() -> None:
    play = Play()
    first = play.files_a_complaint()
    play.now += timedelta(hours=1)
    play.commands("complain", "The crew broke my garden wall yesterday.")
    second = play.ref
    [answer] = play.commands("status")
    assert answer.startswith("Your complaints:")
    assert "Done so far" not in answer
    assert [row[0] for row in play.replies[-1].buttons] == [f"timeline:{second}", f"timeline:{first}"]
    assert play.presses(f"timeline:{first}")[0].startswith(f"{first}, received")
    # A typed label counts as a press: here the reference alone.
    assert "Done so far" in play.writes(first)[0]


def test_a_request_for_a_person_gets_the_time_of_the_desks_calendar_and_stays_on_record() -> None:
    play = Play()
    ref = play.files_a_complaint()
    assert play.commands("human")[0] == (
        f"I have asked a person of our team to write to you here about {ref}.\n\n"
        "You get the answer by 17:30 on Friday, 6 November 2026."
    )

    def requests() -> list[Event]:
        return [event for event in play.events[ref] if event.facts.get("field") == "human"]

    first_requests = requests()
    target = play.case.target(Target.REPLY)
    assert target is not None
    assert play.replies[-1].fields["dates"] == {
        "17:30 on Friday, 6 November 2026": int(target.promised_due.timestamp())
    }
    # Asking again records nothing new and promises the same.
    assert "17:30 on Friday, 6 November 2026" in play.commands("human")[0]
    assert requests() == first_requests
    assert "A person answers your message by 17:30 on Friday" in status(play)
    play.now += timedelta(days=7)
    assert "We said that a person answers by" in play.commands("human")[0]
    play.do(Verb.REPLY, ref, HANDLER, {}, {"text": "I am here."})
    play.commands("human")
    assert len(requests()) == 2


@pytest.mark.parametrize("has_closed", [False, True], ids=["after news from staff", "after a closing"])
def test_a_request_after_the_news_or_a_closing_is_a_new_one(has_closed: bool) -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.commands("human")
    if has_closed:
        play.do(Verb.WITHDRAW, ref, complainant("p1"))
        play.do(Verb.REOPEN, ref, complainant("p1"), {}, {"reason": "It is brown again."})
    else:
        # One text to all of an incident is no person's answer.
        play.do(Verb.INFORM, ref, HANDLER, {"batch": "inc1"}, {"text": "A pipe broke."})
        assert play.case.waits_for_person
        news = {"done": "Looked.", "left": "A repair."}
        play.do(Verb.INFORM, ref, HANDLER, {"next_date": "2026-11-09"}, news)
    assert not play.case.waits_for_person
    play.commands("human")
    assert play.case.waits_for_person
    assert len(play.case.person_waits) == 2
    assert Flag.QUESTION_OPEN in play.case.flags


def test_a_time_on_the_same_day_is_called_today() -> None:
    urgent = replace(RULES.targets.by_priority["P3"], first_action="4 wh")
    targets = replace(RULES.targets, by_priority={**RULES.targets.by_priority, "P3": urgent})
    play = Play(rules=replace(RULES, targets=targets))
    play.files_a_complaint()
    assert play.commands("human")[0].endswith("You get the answer by 14:00 today.")


def test_who_begins_with_a_wish_for_a_person_gets_a_date_too() -> None:
    play = Play()
    play.commands("human")
    answer = play.writes("My water has been brown for days and nobody calls me back.")[0]
    assert Flag.QUESTION_OPEN in play.case.flags
    target = play.case.target(Target.REPLY)
    assert target is not None
    assert int(target.promised_due.timestamp()) in play.replies[-1].fields["dates"].values()
    assert "You get the answer by 17:30 on Friday, 6 November 2026." in answer


def test_the_privacy_notice_is_below_the_first_answer_and_its_version_in_the_record() -> None:
    play = Play()
    play.writes("The water has been brown since Monday.")
    version = play.events[play.ref][0].facts["privacy_notice_version"]
    assert len(version) == 12
    assert all("Your data:" not in text for text in play.writes("It smells too."))
    play.presses("done")
    play.commands("complain", "The crew broke my garden wall yesterday.")
    assert play.events[play.ref][0].facts["privacy_notice_version"] == version
    play.rules = replace(RULES, notice="northwind.example/privacy-2")
    [answer] = play.commands("complain", "The meter shows another number than the bill.")
    assert "northwind.example/privacy-2" in answer
    assert play.events[play.ref][0].facts["privacy_notice_version"] != version


def test_in_danger_the_privacy_notice_waits_until_the_person_is_safe() -> None:
    play = Play()
    [danger] = play.writes("There is a smell of gas in my kitchen.")
    assert "Your data:" not in danger
    assert "Your data:" in play.presses("safe")[0]


def test_mydata_says_until_when_a_closed_complaint_must_stay() -> None:
    play = Play(rules=replace(RULES, retention="72 months"))
    ref = play.files_a_complaint()
    assert "we have to keep it until" not in play.commands("mydata")[0]
    play.do(Verb.WITHDRAW, ref, complainant("p1"))
    [menu] = play.commands("mydata")
    assert f"{ref} is closed: we have to keep it until Wednesday, 3 November 2032." in menu
    rows = [row[0] for row in play.replies[-1].buttons]
    assert rows == ["export", "correct_data", "erase_data", f"form_copy:{ref}"]
    assert play.presses("erase_data")[0].count("2032") == 1


def test_the_form_is_offered_and_sent_for_the_persons_own_complaint() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.commands("mydata")
    play.presses(f"form_copy:{ref}")
    assert (play.replies[-1].kind, play.replies[-1].fields["ref"]) == ("form_copy", ref)
    # Its label can be typed, too.
    play.writes(f"{ref} as a PDF")
    assert play.replies[-1].kind == "form_copy"


@pytest.mark.parametrize("words", ["Thank you!", "danke", "Teşekkürler"])
def test_thanks_in_the_survey_are_thanked_and_are_no_answer(words: str) -> None:
    play = surveyed()
    assert play.writes(words) == ["Thank you for writing. I ask nothing more."]
    assert play.state["step"] == "idle"
    assert "q6" not in play.texts_of(play.ref)
