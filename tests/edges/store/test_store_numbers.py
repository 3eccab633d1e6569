"""Staff find a complaint by the numbers that the bot read back, in every language (7.3)."""

from __future__ import annotations

import pytest

from bots.dialogue.inputs import TextInput
from bots.dialogue.step import step
from store.cases.receive_message import receive_message
from store.people.identification import find_by_identifier
from store.store import Store
from store.values import Conversation, DialogueTurn
from tests.clauses import clause
from tests.edges.desk import Desk
from tests.rules.dialogue_play import TEXTS


@clause("7.3")
@pytest.mark.parametrize(
    ("texts", "query"),
    [
        (["No heating since Monday, my customer number is 6612043."], "6612043"),
        (["Meine Kundennummer ist 6612043, die Heizung ist kalt."], "Kundennummer 6612043"),
        (["Mi número de cliente es 5540098 y no hay agua."], "5540098"),
        (["Müşteri no 5540098, suyum akmıyor."], "müşteri no 5540098"),
        (["4471920 numaralı siparişim kırık geldi."], "4471920"),
        (["Perdieron mi maleta, reserva 7HJ2K9."], "7hj2k9"),
        (["The water has been brown.", "done", "8841207"], "8841207"),
        (["The water has been brown.", "done", "It is AB-47110, since 3 November 2026"], "ab 47110"),
    ],
    ids=range(8),
)
def test_a_number_that_was_read_back_is_found(store: Store, texts: list[str], query: str) -> None:
    desk = Desk(store)
    for number, text in enumerate(texts):

        def take(conversation: Conversation, text: str = text, number: int = number) -> DialogueTurn:
            return step(conversation, TextInput(text, str(number), store.now()), now=store.now(), texts=TEXTS)

        result = store.write(receive_message, f"tg:{number}", desk.chat(), take)
    assert store.read(find_by_identifier, query, "GB") == list(result.refs)
    assert store.read(find_by_identifier, "2026", "GB") == []
