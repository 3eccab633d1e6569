"""Costs grow with the work in hand: no statement of a live path reads a whole table, by each database's own plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from benchmarks import archive_rows
from complaints.duties import Lane
from complaints.people import MODEL, SYSTEM
from complaints.vocabulary import Verb
from store.engines import Engines
from store.open import Store
from store.places import Even, Window
from store.stuck import Reason
from store.tables import OBLIGATIONS
from store.values import Side
from store.worklists import Section
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, Desk
from tests.edges.test_store_binding import code_of, sends
from tests.edges.test_store_entering import GIVEN, TELLER, desk_of, log
from tests.edges.test_store_hearing import PHOTO

#: Tables that do not grow with the archive may be read whole.
SMALL = frozenset(
    {"staff", "staff_roles", "settings", "rulebooks", "models", "model_uses", "model_runs", "history_parts"}
    | {"clock"}
)

#: Closed complaints on file while plans are made.
ARCHIVE = 400

_PROPOSED = {
    "words": 1,
    "category": "supply",
    "probability": 0.8,
    "severity": 2,
    "safety": 0,
    "abstained": False,
    "restricted": False,
    "model": None,
}


def _reminded(store: Store, desk: Desk) -> None:
    """Nobody has it: one is asked, another speaks for what is left; what became of notices; an absence over."""
    ref = desk.receive(chat=desk.chat("70008"))
    owed = select(OBLIGATIONS.c.id).where(OBLIGATIONS.c.scope == ref, OBLIGATIONS.c.kind == "remind")
    numbers = store.run(lambda tx: list(tx.connection.execute(owed).scalars()), writes=False)
    store.reminders_waiting(ref)
    store.ask_in_turn(numbers[0], [HANDLER])
    store.ask_in_turn(numbers[1], [HANDLER, MANAGER])
    store.reminders_told(ref, ("no such key",))
    store.give_up(numbers[0], "x")
    store.given_up(desk.actor(MANAGER))
    store.retry_all(ref=ref)
    store.give_up(numbers[0], "x")
    store.give_up_for_good(numbers[0], Reason.TEST)
    store.deliveries(ref)
    store.happened_since(desk.actor(HANDLER), store.now(), 5)


def _an_incident(desk: Desk) -> None:
    """One cause with a complaint in it, told with all."""
    store, by = desk.store, desk.actor(HANDLER)
    number = store.open_incident(by, {}, {"what": "x", "line.en": "x"}).id
    ref = desk.receive(chat=desk.chat("70009"))
    desk.act(ref, Verb.LINK, facts={"incident": number})
    store.open_incidents()
    store.cases_of_incident(number)
    store.incident_counts(number)
    store.incident_history(number)
    batch = str(store.update_all(number, by, {"text.en": "x"}).batch)
    (owed,) = store.claim(["incident_update"], 5, 60)
    store.update_text(number, batch, "en")
    store.tell_of_incident(ref, batch, by, {"text": "x"}, settles=owed.id)
    store.incident_deliveries(batch)
    store.incident_post(number, "C1")
    store.incident_posted(number, "1.1", 1)
    store.told_above(ref)
    store.surveyed_before(ref)


def _a_logged_one(store: Store) -> None:
    """One without a chat: told by people, its stage asked for, bound by its code."""
    desk = desk_of(store)
    desk.numbers = count(1000)
    ref = log(desk).ref
    for owed in store.claim(["tell_by_voice"], 5, 60):
        store.to_tell(owed, "x", template="t", language="en")
    store.stage(ref, desk.actor(TELLER), GIVEN["phone"])
    sends(desk, "00000000")
    sends(desk, code_of(desk, ref))
    store.away(HANDLER, store.now())
    store.back(HANDLER)
    store.expired({"GB": "24 months"})


def _a_life(store: Store) -> None:
    """Every live path once."""
    desk = Desk(store)
    chat = desk.chat()
    store.known(["tg:1"])
    ref = desk.receive(files=(PHOTO,))
    desk.say("a", ref=ref)
    desk.add(ref, "It smells too.")
    store.hear(desk.key(), chat, _looking(ref))
    (said,) = store.claim(["say"], 5, 60)
    store.sent(store.sending(said, "text", template="t", language="en", ref=ref), "5", settles=said.id)
    for kind in ("card", "fetch", "thread"):
        for owed in store.claim([kind], 5, 60):
            store.still_owed(owed)
            store.settle(owed.id)
    store.claimable(["say", "card"])
    store.next_due()
    store.outbox()
    store.free_leases()
    store.keep_file(ref, 1, b"data", "image/png")
    hashes = (b"12345678", b"23456789", b"34567890")
    store.propose(desk.receive(chat=desk.chat("70002")), MODEL, _PROPOSED, {}, sketch=hashes)
    store.propose(ref, MODEL, _PROPOSED, {"because": "{}"}, sketch=hashes, key="propose:1")
    store.like_confirmed(ref, hashes)
    store.likes_of(ref)
    store.likes_of(ref, desk.actor(HANDLER))
    store.like_clusters(desk.actor(MANAGER))
    store.open_case(ref, desk.actor(HANDLER), "open")
    store.file_bytes(ref, 1, desk.actor(HANDLER))
    desk.act(ref, Verb.ASSESS, facts=ASSESSED, version=0)
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    store.act(ref, Verb.ACKNOWLEDGE, SYSTEM)
    store.act(ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    desk.complain(ref, Verb.ACCEPT)
    desk.act(ref, Verb.NOTE, MANAGER, words={"text": "x"})
    desk.act(ref, Verb.CLOSE, facts={"cause_class": "single"}, words={"root_cause": "x"})
    store.contact(ref)
    store.record(ref)
    store.history(ref)
    store.texts(ref)
    store.words_of(ref, 1)
    store.last_read(ref, HANDLER)
    store.claim_post(ref, "C1", "card")
    store.posted(ref, "card", "1.1", 1, 1)
    store.post_at("C1", "1.1")
    store.posts(ref)
    store.sweep_cards()
    store.waiting()
    store.listens("slack-line", "a:1", 60.0)
    store.take_place([Even("chat", 1.0), Window("bot", 3, 1.0)])
    store.pause(Even("chat", 1.0), 1.0)
    store.claim_apart([Side(("say", "card"), dict.fromkeys(Lane, 1))], 60.0)
    store.read_draft(store.draft(ref, HANDLER, "note", {}, {}, "", 1))
    store.slack_seen("Ev1")
    store.blocked(chat, True, store.now())
    store.free_waits(("say", "card"))
    store.cases()
    _, cursor = store.cases(state="closed", limit=1)
    store.cases(owner=HANDLER)
    store.cases(priority="P4", overdue=True, after=cursor)
    for section in Section:
        store.worklist(section, desk.actor(MANAGER), due_from=store.now(), due_before=store.now())
        store.worklist(section, desk.actor(HANDLER), offset=1, limit=5)
        store.worklist(section, desk.actor(MANAGER), slow_before=store.now())
    _reminded(store, desk)
    for column, value in (("category", "supply"), ("state", "closed"), ("priority", "P4")):
        store.coded(column, value, desk.actor(HANDLER))
    store.loads()
    store.search_number("8841207", desk.actor(HANDLER))
    store.judged(10)
    store.examples_page((store.now(), "A", 1))
    store.unassessed_page((store.now(), "A"))
    store.assessed_since(store.now())
    store.models_with_erased_words()
    _an_incident(desk)
    _a_logged_one(store)
    store.tidy()


def _looking(ref: str) -> Any:
    from store.values import Conversation, Turn

    def step(talk: Conversation) -> Turn:
        talk.texts(ref)
        talk.sources("2")
        return Turn(state={"step": "x"}, language="en")

    return step


@contextmanager
def _remembered(engines: Engines) -> Iterator[dict[str, Any]]:
    """Every statement that reads or changes rows, with parameters that it was given."""
    statements: dict[str, Any] = {}

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            statements.setdefault(statement, parameters[0] if many else parameters)

    listened = {id(engine): engine for engine in (engines.writing, engines.reading)}.values()
    for engine in listened:
        event.listen(engine, "before_cursor_execute", remember)
    yield statements
    for engine in listened:
        event.remove(engine, "before_cursor_execute", remember)


def test_no_statement_of_a_live_path_reads_a_whole_table(sqlite_store: Store) -> None:
    engines = sqlite_store._engines
    with _remembered(engines) as statements:
        _a_life(sqlite_store)
    assert len(statements) > 60
    scans = []
    with engines.reading.connect() as connection:
        for statement, parameters in statements.items():
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                found = re.match(r"SCAN (\w+)\b(?! USING (?:COVERING )?INDEX)", step.detail)
                counted = found is not None and found[1].startswith(
                    "anon_"
                )  # the rows of a subquery with a limit
                if found and not counted and found[1] not in SMALL and "CONSTANT ROW" not in step.detail:
                    scans.append((step.detail, statement))
    assert scans == []


def test_while_nothing_is_due_nothing_that_is_to_come_is_read(sqlite_store: Store) -> None:
    engines = sqlite_store._engines
    room = dict.fromkeys(Lane, 1)
    for ask, index in (
        (lambda: sqlite_store.claim(("say", "card"), 1, 60.0), "ix_obligations_due"),
        (lambda: sqlite_store.claim_apart([Side(("say", "card"), room)], 60.0), "ix_obligations_lane"),
    ):
        with _remembered(engines) as statements:
            ask()
        with engines.reading.connect() as connection:
            steps = [
                step.detail
                for statement, parameters in statements.items()
                for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                if re.match(r"(SEARCH|SCAN) obligations", step.detail)
            ]
        assert steps
        assert all(f"SEARCH obligations USING INDEX {index}" in one for one in steps), steps
        assert all("due<?" in one for one in steps), steps


def test_no_statement_of_a_live_path_reads_a_whole_table_on_postgresql(postgres_store: Store) -> None:
    engines = postgres_store._engines
    with _remembered(engines) as statements:
        _a_life(postgres_store)
    assert len(statements) > 60
    scans = []
    with engines.writing.connect() as connection:
        # A plan is made for what is on file: with an archive, and told to, it goes by keys wherever it can.
        closed = list(
            connection.exec_driver_sql("SELECT ref FROM complaints WHERE state = 'closed'").scalars()
        )
        archive_rows.copy(connection, closed, ARCHIVE, progress=lambda _: None)
        connection.exec_driver_sql("ANALYZE")
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"SET enable_{way} = off")
        grown = set(
            connection.exec_driver_sql(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= %(least)s",
                {"least": ARCHIVE},
            ).scalars()
        )
        partial = set(
            connection.exec_driver_sql(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
            ).scalars()
        )
        assert {"complaints", "events", "obligations", "messages", "texts", "contact_points"} <= grown
        for statement, parameters in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            scans += [(*scan, statement) for scan in _whole(plan[0]["Plan"], grown, partial, limited=False)]
    assert scans == []


def _whole(
    node: dict[str, Any], grown: set[str], partial: set[str], *, limited: bool
) -> Iterator[tuple[str, str]]:
    """Tables of the archive that a plan reads from end to end.

    An index read without a condition is as long as its table, unless it holds only the work in hand, or its
    order is what is wanted and a limit ends it.
    """
    kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name")
    by_index = "Index Cond" in node or index in partial or limited
    if table in grown and (kind == "Seq Scan" or (index is not None and not by_index)):
        yield kind, str(index or table)
    goes_on = kind == "Limit" or (limited and kind not in ("Sort", "Aggregate", "Hash"))
    for below in node.get("Plans", ()):
        yield from _whole(below, grown, partial, limited=goes_on)


def test_no_statement_is_made_by_pasting_text_together() -> None:
    import ast

    import store

    pasted = []
    for file in Path(store.__file__).parent.rglob("*.py"):
        if "migrations" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in ("text", "exec_driver_sql", "literal_column") and any(
                    isinstance(one, ast.JoinedStr | ast.BinOp) for one in node.args
                ):
                    pasted.append((file.name, node.lineno))
    assert pasted == []
