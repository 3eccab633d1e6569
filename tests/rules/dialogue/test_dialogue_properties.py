"""Any inputs in any order: no error, no lost words, no words in the state."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bots.dialogue.button_handlers import press_for_label
from bots.dialogue.commands import COMMANDS
from bots.dialogue.inputs import Blocked, ButtonInput, Elapsed, GroupSeen, Unblocked, Unreadable
from bots.dialogue.new_message import qualifies
from bots.dialogue.turn import Turn
from complaints.actors import SYSTEM
from complaints.errors import ComplaintError
from complaints.incidents import Incident
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Verb
from store.values import Chat, Conversation
from tests.rules.dialogue_play import HANDLER, MANAGER, START, TEXTS, Play

CODES = sorted(id_.removeprefix("button.") for id_ in TEXTS.ids("en") if id_.startswith("button."))
LABELS = [*CODES, "lang_tr", "nonsense"]
STEPS = [
    "story",
    "where",
    "help",
    "check",
    "change",
    "decision",
    "q3",
    "q6",
    "sure",
    "belongs",
    "danger",
    "incident",
    "",
]

#: An incident without words is asked about for every story.
INCIDENTS = (Incident(7, START, START, line={"en": "We know of no water."}),)

texts = st.one_of(
    st.sampled_from(
        [
            "The water is brown.",
            "There is a strong smell of gas in the kitchen now!",
            "Hello",
            "no",
            "Done",
            "5",
            "I accept",
            "New complaint",
            "Gönder",
            "Refund!",
            "/",
            "",
            " \n ",
        ]
    ),
    st.text(max_size=60),
)
moves = st.one_of(
    st.tuples(st.just("writes"), texts),
    st.tuples(st.just("sends"), st.sampled_from(["photo", "voice", "document", "sticker"]), texts),
    st.tuples(st.just("edits"), st.integers(1, 12), texts),
    st.tuples(st.just("presses"), st.sampled_from(LABELS), st.sampled_from(STEPS), st.integers(0, 20)),
    st.tuples(st.just("commands"), st.sampled_from([*COMMANDS, "x"]), texts),
    st.tuples(st.just("waits"), st.sampled_from([1, 25, 3600])),
    st.tuples(st.just("staff"), st.sampled_from(["reply", "end", "resolve", "refuse", "survey", "ask"])),
    st.tuples(
        st.just("other"),
        st.sampled_from([Blocked(), Unblocked(), Unreadable(), GroupSeen("x"), Elapsed("x")]),
    ),
)


def staff_acts(play: Play, what: str) -> None:
    """An act of staff or the scheduler in between, where the rules allow it."""
    if not play.cases:
        return
    ref = play.ref
    try:
        match what:
            case "reply":
                play.do(Verb.REPLY, ref, HANDLER, {}, {"text": "We come."})
            case "ask":
                play.do(Verb.ASK, ref, HANDLER, {"needed_by": "2027-11-10"}, {"text": "Which tap?"})
            case "end":
                play.do(Verb.END_FORM, ref, SYSTEM, {"because": "silence"})
            case "resolve":
                play.staff_resolve()
            case "refuse":
                play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Scope."})
            case "survey":
                play.do(Verb.SURVEY, ref, SYSTEM, {"step": "sent"})
    except ComplaintError:
        return


def replay(play: Play, event: tuple[Any, ...]) -> None:
    """Play one input."""
    kind, *arguments = event
    if kind == "writes":
        play.writes(arguments[0])
    elif kind == "sends":
        play.sends(arguments[0], arguments[1])
    elif kind == "edits":
        play.edits(str(arguments[0]), arguments[1])
    elif kind == "presses":
        refs = [None, *play.cases]
        play.receives(ButtonInput(arguments[0], arguments[1], refs[arguments[2] % len(refs)], arguments[2]))
    elif kind == "commands":
        play.commands(arguments[0], arguments[1])
    elif kind == "waits":
        play.waits(arguments[0])
    elif kind == "staff":
        staff_acts(play, arguments[0])
    else:
        play.receives(arguments[0])
    play.now += timedelta(seconds=1)


@settings(max_examples=150, deadline=None)
@given(st.lists(moves, max_size=25))
def test_any_order_of_inputs_keeps_a_valid_state(events: list[tuple[Any, ...]]) -> None:
    play = Play(incidents=INCIDENTS)
    for event in events:
        replay(play, event)
    assert play.state == {} or set(play.state) >= {"step", "ref", "turn"}


def is_label(play: Play, text: str) -> bool:
    """Is this text a button at this point of the conversation?"""
    conversation = Conversation(
        Chat("telegram", "1"), "p1", play.state, play.language, tuple(reversed(play.cases.values())), "x",
        play.texts_of, play.source_of, {}, lambda: Rulebooks(play.rules),
    )  # fmt: skip
    return press_for_label(Turn.begin(conversation, play.now, TEXTS), text) is not None


@settings(max_examples=150, deadline=None)
@given(st.lists(moves, max_size=15), texts.filter(qualifies))
def test_qualifying_words_always_end_in_an_act(events: list[tuple[Any, ...]], text: str) -> None:
    play = Play(incidents=INCIDENTS)
    for event in events:
        replay(play, event)
    if is_label(play, text):
        return
    before = len(play.acted)
    play.writes(text)
    recorded = [words for act in play.acted[before:] for words in act.words.values()]
    assert text in recorded


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=15), st.text(max_size=40).filter(str.strip))
def test_a_file_and_its_caption_always_end_in_an_act(events: list[tuple[Any, ...]], caption: str) -> None:
    play = Play()
    for event in events:
        replay(play, event)
    before = len(play.acted)
    play.sends("photo", caption)
    assert caption in [words for act in play.acted[before:] for words in act.words.values()]
    assert sum(len(act.files) for act in play.acted[before:]) == 1


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=20))
def test_the_state_is_json_and_contains_no_words_of_the_person(events: list[tuple[Any, ...]]) -> None:
    play = Play()
    secret = "Xylophonwort vertraulich"
    for event in events:
        replay(play, event)
        play.writes(f"{secret} {play.numbers}")
    assert secret not in json.dumps(play.state)


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=20))
def test_a_restart_between_two_messages_makes_no_difference(events: list[tuple[Any, ...]]) -> None:
    play = Play()
    for event in events:
        replay(play, event)
        play.state = json.loads(json.dumps(play.state))


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=20))
def test_every_reply_has_a_text_and_none_is_empty(events: list[tuple[Any, ...]]) -> None:
    play = Play()
    for event in events:
        replay(play, event)
    for reply in play.replies:
        for language in ("en", "tr", "de", "es"):
            assert TEXTS.text(language, reply.template, **reply.fields).strip()
