"""Whatever is said in whatever order: nothing breaks, no word is lost, the state holds no words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bots.dialogue import Blocked, ButtonInput, Elapsed, GroupSeen, Unblocked, Unreadable
from bots.dialogue.commands import COMMANDS
from bots.dialogue.new_message import qualifies
from bots.dialogue.turn import Turn
from bots.dialogue.typed_labels import press_for_label
from complaints.actors import SYSTEM
from complaints.errors import ComplaintError
from complaints.incidents import Incident
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Verb
from store.values import Chat, Conversation
from tests.rules.dialogue_play import HANDLER, MANAGER, START, TEXTS, Play

LABELS = [*sorted(TEXTS.with_prefix("en", "button.")), "lang_tr", "nonsense"]
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

#: Without words of its own everybody is asked about it.
KNOWN = (Incident(7, START, START, line={"en": "We know of no water."}),)

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
    """Something that staff or the scheduler do meanwhile, where the record allows it."""
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
                play.is_decided()
            case "refuse":
                play.do(Verb.NOT_ACCEPT, ref, MANAGER, {}, {"reason": "Scope."})
            case "survey":
                play.do(Verb.SURVEY, ref, SYSTEM, {"step": "sent"})
    except ComplaintError:
        return


def move(play: Play, one: tuple[Any, ...]) -> None:
    """Make one move."""
    kind, *given = one
    if kind == "writes":
        play.writes(given[0])
    elif kind == "sends":
        play.sends(given[0], given[1])
    elif kind == "edits":
        play.edits(str(given[0]), given[1])
    elif kind == "presses":
        refs = [None, *play.cases]
        play.hear(ButtonInput(given[0], given[1], refs[given[2] % len(refs)], given[2]))
    elif kind == "commands":
        play.commands(given[0], given[1])
    elif kind == "waits":
        play.waits(given[0])
    elif kind == "staff":
        staff_acts(play, given[0])
    else:
        play.hear(given[0])
    play.now += timedelta(seconds=1)


@settings(max_examples=150, deadline=None)
@given(st.lists(moves, max_size=25))
def test_no_order_of_events_breaks_the_talk(events: list[tuple[Any, ...]]) -> None:
    play = Play(incidents=KNOWN)
    for one in events:
        move(play, one)
    assert play.state == {} or set(play.state) >= {"step", "ref", "turn"}


def is_label(play: Play, text: str) -> bool:
    """True when this text is a button where the talk stands now."""
    conversation = Conversation(
        Chat("telegram", "1"), "p1", play.state, play.language, tuple(reversed(play.cases.values())), "x",
        play.texts_of, play.source_of, {}, lambda: Rulebooks(play.rules),
    )  # fmt: skip
    return press_for_label(Turn.begin(conversation, play.now, TEXTS), text) is not None


@settings(max_examples=150, deadline=None)
@given(st.lists(moves, max_size=15), texts.filter(qualifies))
def test_words_that_qualify_always_end_in_the_words_of_an_act(
    events: list[tuple[Any, ...]], text: str
) -> None:
    play = Play(incidents=KNOWN)
    for one in events:
        move(play, one)
    if is_label(play, text):
        return
    before = len(play.acted)
    play.writes(text)
    told = [said for act in play.acted[before:] for said in act.words.values()]
    assert text in told


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=15), st.text(max_size=40).filter(str.strip))
def test_a_file_and_its_caption_always_end_in_an_act(events: list[tuple[Any, ...]], caption: str) -> None:
    play = Play()
    for one in events:
        move(play, one)
    before = len(play.acted)
    play.sends("photo", caption)
    assert caption in [said for act in play.acted[before:] for said in act.words.values()]
    assert sum(len(act.files) for act in play.acted[before:]) == 1


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=20))
def test_the_state_is_json_and_holds_no_words_of_the_person(events: list[tuple[Any, ...]]) -> None:
    play = Play()
    secret = "Xylophonwort vertraulich"
    for one in events:
        move(play, one)
        play.writes(f"{secret} {play.numbers}")
    assert secret not in json.dumps(play.state)


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=20))
def test_a_restart_between_any_two_messages_is_invisible(events: list[tuple[Any, ...]]) -> None:
    play = Play()
    for one in events:
        move(play, one)
        play.state = json.loads(json.dumps(play.state))


@settings(max_examples=80, deadline=None)
@given(st.lists(moves, max_size=20))
def test_everything_said_has_its_text_and_no_message_is_empty(events: list[tuple[Any, ...]]) -> None:
    play = Play()
    for one in events:
        move(play, one)
    for said in play.said:
        for language in ("en", "tr"):
            assert TEXTS.say(language, said.template, **said.fields).strip()
