"""Everything that people send: each kind is kept as what it is, or refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from telegram import Update

from bots.dialogue.inputs import EditInput, FileInput, IncomingMessage, TextInput, Transcript, Unreadable
from bots.telegram.callback_data import Buttons
from bots.telegram.updates import to_input
from complaints.vocabulary import Flag, Verb
from tests.rules.dialogue_play import Play

ANNA = {"id": 7, "is_bot": False, "first_name": "Anna"}
SHOP = {"id": 8, "is_bot": False, "first_name": "Shop"}
FILE = {"file_id": "f", "file_unique_id": "u"}
LINKED = "See 😡 this page now"
LINK = {"type": "text_link", "offset": 7, "length": 9, "url": "https://shop.example/terms"}
WITH_LINK = "See 😡 this page (https://shop.example/terms) now"


def converted(content: dict[str, Any], kind: str = "message") -> IncomingMessage | None:
    message = {"message_id": 5, "date": 1, "edit_date": 2, "chat": {"id": 7, "type": "private"}, "from": ANNA}
    update = Update.de_json({"update_id": 1, kind: {**message, **content}})
    result = to_input(update, Buttons(b"a secret for buttons, 32 bytes.."), "link")
    assert result is not None
    return result[2]


def forwarded_from(user: dict[str, Any]) -> dict[str, Any]:
    return {"forward_origin": {"type": "user", "date": 1, "sender_user": user}}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"text": LINKED, "entities": [LINK]}, WITH_LINK),
        ({"location": {"latitude": 51.5, "longitude": -0.1}}, "51.5, -0.1"),
        (
            {
                "venue": {
                    "location": {"latitude": 51.5, "longitude": -0.1},
                    "title": "Market Hall",
                    "address": "1 High Street",
                }
            },
            "Market Hall, 1 High Street (51.5, -0.1)",
        ),
        ({"contact": {"phone_number": "+441", "first_name": "Bea", "last_name": "Ox"}}, "Bea Ox +441"),
    ],
)
def test_words_places_and_contacts_are_kept_as_text(content: dict[str, Any], text: str) -> None:
    incoming = converted(content)
    assert isinstance(incoming, TextInput)
    assert incoming.text == text
    assert incoming.is_place == ("location" in content or "venue" in content)


@pytest.mark.parametrize(
    "content",
    [
        {"poll": {"id": "1", "question": "Good?", "options": [], "total_voter_count": 0, "is_closed": False,
                  "is_anonymous": True, "type": "regular", "allows_multiple_answers": False,
                  "allows_revoting": False, "members_only": False}},
        {"dice": {"emoji": "🎲", "value": 3}},
        {"rich_message": {"blocks": []}},
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_a_sentence(content: dict[str, Any]) -> None:
    incoming = converted(content)
    assert incoming == Unreadable()
    (answer,) = Play().receives(incoming)
    assert answer.startswith("I cannot keep a message of this kind.")


def test_a_sticker_is_kept_with_its_emoji_and_a_caption_with_its_link() -> None:
    sticker = {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
    incoming = converted({"sticker": {**sticker, "emoji": "😡"}})
    assert isinstance(incoming, FileInput)
    assert (incoming.file.kind, incoming.file.name) == ("sticker", "😡")
    photo = {"photo": [{**FILE, "width": 1, "height": 1}], "caption": LINKED, "caption_entities": [LINK]}
    incoming = converted(photo)
    assert isinstance(incoming, FileInput)
    assert incoming.caption == WITH_LINK
    edited = converted(photo, "edited_message")
    assert isinstance(edited, EditInput)
    assert edited.text == WITH_LINK


@pytest.mark.parametrize(("author", "is_forwarded"), [(SHOP, True), (ANNA, False)])
def test_only_words_of_somebody_else_are_forwarded(author: dict[str, Any], is_forwarded: bool) -> None:
    incoming = converted({"text": "Your order is late.", **forwarded_from(author)})
    assert isinstance(incoming, TextInput)
    assert incoming.is_forwarded == is_forwarded


def test_a_forwarded_command_is_words_of_somebody_else() -> None:
    assert isinstance(converted({"text": "/withdraw", **forwarded_from(SHOP)}), TextInput)


def test_a_forwarded_message_is_no_story_and_no_answer() -> None:
    play = Play()
    (receipt,) = play.writes("We cannot repair the boiler. Regards, the shop", is_forwarded=True)
    assert "What went wrong?" in receipt
    assert list(play.acted[0].words) == ["forwarded"]
    assert play.presses("done")[0].startswith("Tell me in your own words what went wrong.")
    play.writes("They refuse to repair my boiler.")
    (question,) = play.presses("done")
    assert play.writes("Send", is_forwarded=True) == [question]
    assert play.acted[-1].words == {"forwarded.2": "Send"}
    play.presses("skip")
    (read_back,) = play.presses("skip")
    assert "They refuse to repair my boiler.\n" in read_back
    assert "You forwarded: We cannot repair the boiler." in read_back


def test_a_new_complaint_takes_a_forwarded_message_along() -> None:
    play = Play()
    play.files_a_complaint()
    play.writes("Your second order is late too.", is_forwarded=True)
    play.presses("new")
    assert play.acted[-1].verb is Verb.RECEIVE
    assert play.acted[-1].words == {"forwarded": "Your second order is late too."}


@pytest.mark.parametrize(
    ("kind", "answer", "name"),
    [
        ("voice", "I have a voice note of 0:42. A person will listen to it.", "a voice note of 0:42"),
        (
            "audio",
            "I have a sound recording of 0:42. A person will listen to it.",
            "a sound recording of 0:42",
        ),
        ("video_note", "I have a video message of 0:42. A person will watch it.", "a video message of 0:42"),
    ],
)
def test_a_recording_is_confirmed_and_named_in_the_read_back(kind: str, answer: str, name: str) -> None:
    play = Play()
    assert play.sends(kind, seconds=42)[1] == answer
    play.presses("done")
    play.presses("skip")
    (read_back,) = play.presses("skip")
    assert f"({name})\n" in read_back
    assert "no words" not in read_back


def test_the_read_back_of_files_alone_names_them_and_marks_what_a_machine_wrote() -> None:
    play = Play()
    play.sends("photo")
    play.sends("voice", seconds=42)
    play.sends("document")
    play.receives(Transcript(play.ref, 2, "No water since Monday"))
    play.presses("done")
    play.presses("skip")
    (read_back,) = play.presses("skip")
    assert (
        "(a voice note of 0:42, 1 photo, 1 file)\n"
        "A machine wrote this from the recording, not checked: No water since Monday\n"
    ) in read_back


def test_another_file_in_an_edited_message_is_added_and_the_same_file_is_not() -> None:
    play = Play()
    play.sends("photo")
    (sent,) = play.acted[-1].files
    ref, edit = play.ref, EditInput("", sent.source, play.now, sent)
    acts = len(play.acted)
    assert play.receives(edit) == []
    assert len(play.acted) == acts
    other = replace(sent, platform_id="other", platform_unique_id="u-other")
    play.receives(EditInput("It leaks here.", sent.source, play.now, other))
    assert [(act.ref, act.files, dict(act.words)) for act in play.acted[acts:]] == [
        (ref, (other,), {}),
        (ref, (), {"description": "It leaks here."}),
    ]


@pytest.mark.parametrize("asked", ["reopen_reason", "addition", "check"])
def test_the_files_of_an_album_stay_together(asked: str) -> None:
    play = Play()
    if asked == "check":
        play.writes("The water is brown.")
        play.presses("done")
        play.presses("skip")
        play.presses("skip")
    else:
        play.files_a_complaint()
    if asked == "reopen_reason":
        play.commands("add")
    elif asked == "addition":
        play.files_another_complaint()
    before = len(play.acted)
    answers = [answer for _ in range(3) for answer in play.sends(group="album")]
    acts = play.acted[before:]
    assert len({(act.ref, act.facts["field"]) for act in acts}) == 1
    assert play.case.media == 3
    if asked == "check":
        assert answers == []
        (read_back,) = play.waits(30)
        assert "With 3 files" in read_back
    else:
        assert len(answers) == 1
    if asked == "addition":
        play.presses("new")
        assert len(play.acted[-1].files) == 3


def test_a_caption_added_later_belongs_to_its_file() -> None:
    play = Play()
    ref = play.files_a_complaint()
    play.sends("photo", caption="")
    source = play.acted[-1].files[0].source
    (answer,) = play.edits(source, "This is the brown water.")
    assert ref in answer
    assert (play.acted[-1].ref, play.acted[-1].words) == (ref, {"addition": "This is the brown water."})


def test_a_transcript_raises_danger_but_is_no_answer_and_replaces_no_listening() -> None:
    play = Play()
    play.sends("voice", seconds=42)
    before = play.case
    (danger,) = play.receives(Transcript(play.ref, 1, "There is a smell of gas in the hall"))
    assert "0800 111 999" in danger
    case = play.case
    assert Flag.DANGER in case.flags
    assert case.only_in_media
    assert Flag.MEDIA_UNHEARD in case.flags
    assert (case.words, case.last_words_at) == (before.words, before.last_words_at)
    assert play.acted[-1].words == {"transcript.1": "There is a smell of gas in the hall"}
    assert play.acted[-1].facts["kind"] == "transcript"
