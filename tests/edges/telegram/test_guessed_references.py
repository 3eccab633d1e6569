"""Who guesses references learns nothing: the same answer and the same queries for no complaint and for a foreign one.

Routes that take a typed reference: in Telegram every command (also /start of a deep link), the words of a message
and the labels of buttons; in Slack the slash command and the forms that link complaints or join them to an incident.
Of the data of the bot's buttons, and of the buttons and views that Slack keeps, we wrote the reference ourselves. No
web page takes one: `amends/runtime/web.py` has the webhook, health and metrics.

Small in the suite, 10,000 guesses for each route with TESTING=long.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from bots.dialogue.commands import COMMANDS
from bots.dialogue.inputs import ButtonInput, CommandInput, TextInput
from bots.dialogue.step import step as dialogue_step
from bots.slack.listeners import search_view, slash_commands
from bots.slack.listeners.form_checks import typed_reference
from bots.slack.payloads import SlashCommand
from bots.slack.views.refusals import refusal_text
from bots.telegram.callback_data import Buttons
from complaints.actors import staff
from complaints.errors import ComplaintError, NotAllowed
from complaints.identifiers import new_reference
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.receive_message import receive_message
from store.people.identification import load_case_for_caller
from store.people.staff import load_actor
from store.store import Store
from store.tables import ATTEMPTS, READS
from store.values import Chat, CodeState
from tests.databases import LONG, FakeClock
from tests.edges.desk import Desk
from tests.edges.slack_office import BURAK, MONA, TRIAGE, Office, open_office
from tests.edges.store.test_store_bind import code_of, sends
from tests.edges.store.test_store_log import desk_of, log
from tests.edges.telegram_desk import SECRET, TEXTS

#: Every button that is about one complaint.
PRESSED = (
    "accept", "disagree", "question", "receipt", "take_up", "new_complaint", "send", "not_yet", "change", "story",
    "insist", "safe", "done", "skip", "yes", "no", "1", "add",
)  # fmt: skip
GUESSES = 10_000 if LONG else 40
OTHER = Chat("telegram", "70002", "en", "Guesser")


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The SQL statements that are issued meanwhile."""
    issued: list[str] = []

    def remember(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        issued.append(statement)

    engines = {store._engines.writing, store._engines.reading}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", remember)
    try:
        yield issued
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", remember)


def guesses(foreign: list[str], chance: random.Random) -> list[str]:
    """Guessed references in random order, all well formed, with the existing ones among them."""
    unknown = [new_reference(chance.randrange) for _ in range(GUESSES - len(foreign))]
    assert not set(unknown) & set(foreign)
    together = unknown + foreign
    chance.shuffle(together)
    return together


def sample(foreign: list[str], chance: random.Random) -> list[str]:
    """All guesses, or in the suite a few for each of many routes."""
    tried = guesses(foreign, chance)
    return tried if LONG else [*foreign[:3], *[ref for ref in tried if ref not in foreign][:5]]


def test_every_module_that_reads_a_typed_reference_is_covered_here() -> None:
    bots = Path(__file__).parents[3] / "bots"
    readers = {
        file.relative_to(bots).as_posix()
        for file in bots.rglob("*.py")
        if re.search(r"(parse|find)_reference\(", file.read_text(encoding="utf-8"))
    }
    assert readers == {
        "dialogue/button_handlers.py", "dialogue/commands.py", "dialogue/new_message.py", "dialogue/status.py",
        "telegram/callback_data.py", "slack/listeners/slash_commands.py", "slack/listeners/form_checks.py",
        "slack/listeners/search_view.py",
    }  # fmt: skip


# In Telegram.


class Guesser:
    """Sends messages from chats that have no complaint, and collects what is answered."""

    def __init__(self, store: Store) -> None:
        self.store, self.chats = store, count(80_000)

    def sends(self, incoming: Callable[[Store], Any]) -> tuple[Any, ...]:
        """The replies, acts and SQL statements that follow; every message comes from a chat of its own."""
        seen: list[Any] = []

        def step(talk: Any) -> Any:
            turn = dialogue_step(talk, incoming(self.store), now=self.store.now(), texts=TEXTS)
            seen.append((tuple((reply.template, str(reply.fields)) for reply in turn.replies), turn.acts))
            return turn

        address = str(next(self.chats))
        with statements(self.store) as issued:
            self.store.write(
                receive_message, f"tg:{address}", Chat("telegram", address, "en", "Guesser"), step
            )
        return *seen[0], tuple(issued)


def some_foreign_cases(desk: Desk, number: int = 10) -> list[str]:
    return [desk.receive(chat=desk.chat(str(70_100 + n))) for n in range(number)]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_guessed_reference_in_a_command_of_the_bot_is_answered_the_same_for_all(
    usual_store: Store, command: str
) -> None:
    foreign = some_foreign_cases(Desk(usual_store))
    guesser = Guesser(usual_store)
    answers = set()
    for ref in sample(foreign, random.Random(command)):
        replies, acts, issued = guesser.sends(
            lambda store, ref=ref: CommandInput(command, ref, "1", store.now())  # type: ignore[misc]
        )
        assert acts == ()
        answers.add((str(replies).replace(ref, "REF"), issued))
    assert len(answers) == 1


@pytest.mark.parametrize("choice", PRESSED)
def test_a_button_about_a_complaint_of_another_person_does_and_says_the_same_as_about_none(
    usual_store: Store, choice: str
) -> None:
    foreign = some_foreign_cases(Desk(usual_store), 3)
    guesser = Guesser(usual_store)
    answers = set()
    for ref in sample(foreign, random.Random(choice)):
        replies, acts, issued = guesser.sends(
            lambda _store, ref=ref: ButtonInput(choice, "decision", ref, 1)  # type: ignore[misc]
        )
        assert acts == ()
        answers.add((str(replies).replace(ref, "REF"), issued))
    assert len(answers) == 1


def test_a_guessed_reference_in_a_message_opens_nothing(usual_store: Store) -> None:
    foreign = some_foreign_cases(Desk(usual_store))
    guesser = Guesser(usual_store)
    answers: dict[str, tuple[str, ...]] = {}
    for ref in guesses(foreign, random.Random(1)):
        replies, acts, _ = guesser.sends(
            lambda store, ref=ref: TextInput(f"This is about {ref}, please", "1", store.now())  # type: ignore[misc]
        )
        # A complaint of the guesser's own begins, and nothing is added to another person's.
        assert [act.verb for act in acts] == [Verb.RECEIVE]
        assert acts[0].ref not in foreign
        if ref in foreign:
            label = TEXTS.label("en", "add", ref)
            _, acts, _ = guesser.sends(
                lambda store, label=label: TextInput(label, "1", store.now())  # type: ignore[misc]
            )
            assert not {act.ref for act in acts} & set(foreign)
        answers[ref] = tuple(template for template, _ in replies)
    # The letters of a reference are words too, and may raise a doubt of danger, whether it exists or not.
    assert {answer[1:] for answer in answers.values()} == {()}
    assert {answer[0] for answer in answers.values()} <= {"receipt", "receipt.noted", "danger.ask"}


def test_guessed_data_of_a_button_is_no_button(usual_store: Store) -> None:
    buttons, chance = Buttons(SECRET), random.Random(2)
    ref = new_reference(chance.randrange)
    stolen = [buttons.encode("70001", ButtonInput("withdraw", "decision", ref, turn)) for turn in range(20)]
    for data in stolen:
        assert buttons.decode("70001", data) is not None
        assert buttons.decode("70002", data) is None
    raw = [base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)) for data in stolen]
    for _ in range(GUESSES):
        changed = bytearray(chance.choice(raw))
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        assert buttons.decode("70001", base64.urlsafe_b64encode(changed).decode()) is None
        assert buttons.decode("70001", chance.randbytes(chance.randrange(48)).hex()) is None


def test_a_guessed_code_is_answered_the_same_whether_it_existed_or_not(
    usual_store: Store, clock: FakeClock
) -> None:
    desk = desk_of(usual_store)
    used, expired, tried_out = (code_of(desk, log(desk, key=f"log:{n}").ref) for n in range(3))
    assert sends(desk, used).state is CodeState.FOUND
    for _ in range(5):
        sends(desk, f"{(int(tried_out) + 1) % 10**8:08d}", OTHER)
    for _ in range(5):
        sends(desk, tried_out, OTHER)
    clock.go_on(days=6)
    alive = code_of(desk, log(desk, key="log:4").ref)
    clock.go_on(days=2)
    chance, guesser = random.Random(3), Guesser(usual_store)
    codes = [f"{chance.randrange(10**8):08d}" for _ in range(GUESSES)]
    answers = set()
    for code in (*codes, used, expired, tried_out):
        if code == alive:
            continue
        replies, acts, _ = guesser.sends(
            lambda store, code=code: CommandInput("start", code, "1", store.now())  # type: ignore[misc]
        )
        assert acts == ()
        answers.add(
            tuple(TEXTS.text("en", template) for template, _ in replies if template.startswith("bind"))
        )
    assert len(answers) == 1
    assert "is not valid here" in answers.pop()[0]


# In Slack.


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def hidden_cases(office: Office) -> list[str]:
    """Complaints that Burak may not know of: restricted ones, and one with a conflict of interest."""
    restricted = [office.proposed(f"Hidden {n}", restricted=True, category="staff_conduct") for n in range(4)]
    conflicted = office.proposed("Conflict")
    mona = office.store.read(load_actor, MONA)
    office.store.write(act, conflicted, Verb.DECLARE_CONFLICT, mona, {"who": BURAK}, {"reason": "Neighbour"})
    return [*restricted, conflicted]


Route = Callable[[Office, str], Awaitable[Any]]


async def shows(office: Office, ref: str) -> Any:
    return await slash_commands.show(
        SlashCommand("show", ref, BURAK, "t", TRIAGE), await office.desk.actor(BURAK), office.desk
    )


async def searches(office: Office, ref: str) -> Any:
    return await search_view.search(
        SlashCommand("search", ref, BURAK, "t", TRIAGE), await office.desk.actor(BURAK), office.desk
    )


async def types_into_a_form(office: Office, ref: str) -> Any:
    return await typed_reference(ref, await office.desk.actor(BURAK), office.desk, "link")


async def answer(office: Office, route: Route, ref: str) -> tuple[str, tuple[str, ...]]:
    """What Burak sees, without the reference, and the statements behind it."""
    with statements(office.store) as issued:
        try:
            response = str(await route(office, ref))
        except ComplaintError as refused:
            response = f"{refused.field} {refusal_text(refused, office.desk.texts)}"
    return response.replace(ref, "REF"), tuple(issued)


@pytest.mark.parametrize("route", [shows, searches, types_into_a_form])
async def test_a_guessed_reference_in_slack_is_answered_the_same_for_all(
    office: Office, route: Route
) -> None:
    own = office.proposed("Not hidden")
    foreign = hidden_cases(office)
    await office.idle()
    # Its own statements would be counted with those of the guesses.
    await office.stop_worker()
    answers = {ref: await answer(office, route, ref) for ref in guesses(foreign, random.Random(7))}
    assert len({text for text, _ in answers.values()}) == 1
    # A reference of many digits is also looked up as a number, whether it exists or not.
    unknown = {issued for ref, (_, issued) in answers.items() if ref not in foreign}
    assert {answers[ref][1] for ref in foreign} <= unknown
    assert own in str(await route(office, own))


@pytest.mark.parametrize("role", [Role.INTAKE, Role.HANDLER])
async def test_a_call_taker_who_guesses_learns_no_more_than_that_the_proof_is_wrong(
    office: Office, role: Role
) -> None:
    foreign = hidden_cases(office)
    await office.idle()
    actor = staff(BURAK, role)
    answers = set()
    for ref in guesses(foreign, random.Random(5)):
        for _ in range(2):
            with pytest.raises(NotAllowed) as refused:
                office.store.write(load_case_for_caller, ref, actor, "Somebody Else")
            answers.add((refused.value.code, str(refused.value).replace(ref, "REF")))
    assert {code for code, _ in answers} == {"not_allowed.identity"}
    assert len(answers) == 1
    # The sixth try is refused as such, for a complaint that excludes the person and for none.
    for ref in (foreign[-1], new_reference(random.Random(6).randrange)):
        for _ in range(6):
            with pytest.raises(NotAllowed) as refused:
                office.store.write(load_case_for_caller, ref, actor, "Somebody Else")
        assert refused.value.code == "not_allowed.identity_locked"


async def test_every_guess_of_a_member_of_staff_is_recorded_and_no_read_follows(office: Office) -> None:
    foreign = hidden_cases(office)
    await office.idle()
    burak = office.staff(BURAK)
    tried = [*foreign, new_reference(random.Random(7).randrange)]
    for ref in tried:
        await burak.runs(f"/complaints show {ref}", channel=TRIAGE)
    await burak.runs("/complaints show Anna Zzyzx", channel=TRIAGE)
    assert len({message.text for message in burak.ephemerals[-len(tried) :]}) == 1
    attempts = select(ATTEMPTS.c.ref).where(ATTEMPTS.c.by == BURAK, ATTEMPTS.c.verb == "open")
    reads = select(func.count()).where(READS.c.by == BURAK)
    assert office.store.read(lambda tx: list(tx.connection.execute(attempts).scalars())) == tried
    assert office.store.read(lambda tx: tx.connection.execute(reads).scalar_one()) == 0
