"""The dialogue is pure: while a step runs inside the transaction of its message, nothing is written.

Imports alone cannot show that, because a step calls the functions of its conversation (docs/design.md, rule 9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from bots.dialogue.commands import COMMANDS
from bots.dialogue.inputs import ButtonInput, CommandInput, FileInput, IncomingMessage, TextInput
from bots.dialogue.step import step
from store.cases.receive_message import receive_message
from store.store import Store
from store.values import Conversation, DialogueTurn, ReceivedFile
from tests.edges.store.test_store_bind import ANNA, code_of
from tests.edges.store.test_store_log import desk_of, log
from tests.edges.telegram.test_guessed_references import statements
from tests.edges.telegram_desk import TEXTS

#: How each function of a conversation is called: with a complaint of the person, its reference, or other arguments.
CALLS: dict[str, Callable[[Any, Conversation], object]] = {
    "texts": lambda call, talk: call(talk.cases[0].ref),
    "find_source": lambda call, talk: call("1"),
    "rules": lambda call, talk: call(),
    "incidents": lambda call, talk: call(),
    "find_ref_of_message": lambda call, talk: call("1"),
    "load_decision_letter": lambda call, talk: call(talk.cases[0].ref),
    "load_events": lambda call, talk: call(talk.cases[0].ref),
    "load_files": lambda call, talk: call(talk.cases[0].ref),
    "count_reviewers": lambda call, talk: call(talk.cases[0]),
    "check_code": lambda call, talk: call("00000000"),
}


def writes_while(store: Store, key: str, run: Callable[[Conversation], DialogueTurn]) -> list[str]:
    """The statements other than SELECT that are issued while this step of a message runs."""
    during: list[str] = []
    with statements(store) as issued:

        def observed(talk: Conversation) -> DialogueTurn:
            start = len(issued)
            turn = run(talk)
            during.extend(issued[start:])
            return turn

        store.write(receive_message, key, ANNA, observed)
    return [statement for statement in during if not statement.lstrip().upper().startswith("SELECT")]


def test_no_function_of_a_conversation_writes(store: Store) -> None:
    desk = desk_of(store)
    desk.receive(chat=ANNA)
    offered = [entry.name for entry in fields(Conversation) if "Callable" in str(entry.type)]
    assert sorted(CALLS) == sorted(offered)

    def call_all(talk: Conversation) -> DialogueTurn:
        for name, call in CALLS.items():
            call(getattr(talk, name), talk)
        return DialogueTurn(state=talk.state)

    assert writes_while(store, "tg:calls", call_all) == []


def test_no_step_writes_whatever_the_person_sends(usual_store: Store) -> None:
    store = usual_store
    desk, now = desk_of(store), store.now()
    code = code_of(desk, log(desk).ref)
    photo = ReceivedFile("file", "unique", "photo", "5", mime="image/jpeg", size=1000)

    messages: tuple[IncomingMessage, ...] = (
        TextInput("Hello", "1", now),
        TextInput("The water in our street has been brown since Monday.", "2", now),
        ButtonInput("done", "story", None, 2),
        FileInput(photo, "", "5", now),
        TextInput("00000000", "6", now),
        TextInput(code, "7", now),
        TextInput(code, "8", now),
        TextInput("There is a strong smell of gas in the kitchen!", "9", now),
        TextInput("Shall I switch on the light?", "10", now),
        *(CommandInput(name, "", "11", now) for name in COMMANDS),
    )
    for number, message in enumerate(messages):
        run = partial(step, incoming=message, now=now, texts=TEXTS)
        assert writes_while(store, f"tg:step:{number}", run) == []
