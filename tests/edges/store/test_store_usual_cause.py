"""The cause that a form starts with is the one chosen most often, and never the words of few people's complaints."""

from __future__ import annotations

from complaints.vocabulary import Verb
from store.similarity.similar import find_usual_cause
from store.store import Store
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk


def close(desk: Desk, chat: str, cause: str, cause_class: str) -> str:
    ref = desk.resolved(chat=desk.chat(chat))
    desk.complain(ref, Verb.ACCEPT, chat=desk.chat(chat))
    desk.act(ref, Verb.CLOSE, facts={"cause_class": cause_class}, words={"root_cause": cause})
    return ref


def test_a_form_starts_with_words_that_five_people_share_and_with_the_class_chosen_most_often(
    usual_store: Store,
) -> None:
    desk = Desk(usual_store)
    case = desk.case(desk.assessed(chat=desk.chat("1")))
    assert usual_store.read(find_usual_cause, case, desk.actor(HANDLER)) == (None, None)

    for number in range(4):
        close(desk, f"9{number}", "The terminal books twice", "recurring")
    # The same person again is not a fifth person.
    close(desk, "90", "The terminal books twice", "recurring")
    close(desk, "80", "The fitter was rude to her", "recurring")
    assert usual_store.read(find_usual_cause, case, desk.actor(HANDLER))[1] is None

    fifth = close(desk, "94", "The terminal books twice", "recurring")
    cause_class, cause = usual_store.read(find_usual_cause, case, desk.actor(HANDLER))
    assert cause == "The terminal books twice"
    assert cause_class == desk.case(fifth).decisions[-1].cause_class

    desk.act(fifth, Verb.RESTRICT, MANAGER, {}, {"reason": "A name came up"})
    assert usual_store.read(find_usual_cause, case, desk.actor(SECOND))[1] is None
