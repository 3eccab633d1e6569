"""Costs grow with the open work: no live statement reads a whole table, by the query plans of both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from benchmarks import archive_rows
from complaints.actors import MODEL, SYSTEM
from complaints.obligations.kinds import SendPriority
from complaints.obligations.standing import current_obligations
from complaints.vocabulary import Verb
from store.cases.act import act, record_proposal
from store.cases.batches import list_batch_deliveries
from store.cases.export import export_record
from store.cases.incident_acts import load_update_text, record_incident_update, schedule_incident_update
from store.cases.outgoing_messages import begin_sending, load_contact, record_sent
from store.cases.read import list_cases, load_case, load_history, open_case
from store.cases.receive_message import receive_message
from store.custody.erasure import delete_expired_rows, list_expired
from store.database.engine import Engines
from store.database.leases import record_listener
from store.database.prepared import DriverCursor
from store.files import read_file_bytes, store_file
from store.incidents import (
    count_incident_cases,
    count_incident_replies,
    folds_card,
    list_incident_cases,
    list_open_incidents,
    load_incident_decision,
    load_incident_history,
    load_incident_post,
    open_incident,
    record_incident_posted,
    was_executive_notified,
    was_surveyed_before,
)
from store.models.erased import list_models_with_erased_words
from store.models.models import count_assessed_since
from store.models.training_examples import list_assessed_proposals, load_examples_page, load_unassessed_page
from store.outbox.claim import claim, claim_by_platform, count_claimable, count_waiting, find_earliest
from store.outbox.complete import (
    add_due,
    complete,
    end_all_leases,
    end_retry_pauses,
    fail,
    find_next_due,
    is_still_required,
)
from store.outbox.deliveries import list_deliveries, list_failed_obligations, save_words_to_read_out
from store.outbox.failed import FailureReason, find_handled_keys, give_up_obligation, list_failed, retry_all
from store.outbox.rate_limit import EvenlySpaced, SlidingWindow, pause_sending, take_slot
from store.outbox.rows import insert_obligation
from store.people.contacts import mark_blocked
from store.people.identification import load_case_for_caller
from store.people.staff import end_absence, record_absence
from store.record.access_log import find_last_read
from store.record.load import load_event_words, load_texts
from store.record.measured import count_alarms
from store.record.worklists import (
    WorklistSection,
    choose_member_to_ask,
    complete_reminders,
    count_open_by_owner,
    list_by_code,
    list_changes_since,
    list_reminders_waiting,
    load_worklist,
)
from store.similarity.search import CaseSearch, search_cases
from store.similarity.similar import (
    count_confirmed_similar,
    find_usual_cause,
    list_similar_cases,
    list_similar_clusters,
)
from store.slack_posts import (
    claim_post,
    list_posts,
    read_draft,
    record_posted,
    record_slack_key,
    save_draft,
    sweep_cards,
)
from store.store import Store
from store.tables import OBLIGATIONS
from store.values import PlatformCapacity
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, Desk
from tests.edges.store.test_store_bind import code_of, sends
from tests.edges.store.test_store_incidents import an_update
from tests.edges.store.test_store_log import CALLER_WORDS, INTAKE_MEMBER, desk_of, log
from tests.edges.store.test_store_receive_message import PHOTO

#: Tables that do not grow with the archive may be read whole.
SMALL = frozenset(
    {"staff", "staff_roles", "settings", "rulebooks", "models", "model_uses", "model_runs", "history_parts"}
    | {"clock", "absences"}
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


def _remind(store: Store, desk: Desk) -> None:
    """Reminders of an unassigned complaint, a digest turn, failed notices, and changes since an absence."""
    ref = desk.receive(chat=desk.chat("70008"))
    reminders = [row for row in current_obligations(store.read(load_case, ref)) if row.kind == "remind"]
    addition = store.read(find_earliest, ("add_due",), reminders[-1].due)
    store.write(add_due, addition)
    for row in reminders:
        store.write(insert_obligation, row, ref)
    query = select(OBLIGATIONS.c.id).where(OBLIGATIONS.c.scope == ref, OBLIGATIONS.c.kind == "remind")
    numbers = store.read(lambda tx: list(tx.connection.execute(query).scalars()))
    store.read(list_reminders_waiting, ref)
    store.write(choose_member_to_ask, numbers[0], {HANDLER: 0})
    store.write(choose_member_to_ask, numbers[1], {HANDLER: 0, MANAGER: 0})
    store.write(complete_reminders, ref, ("no such key",))
    store.write(fail, numbers[0], "x")
    store.read(list_failed_obligations, desk.actor(MANAGER))
    store.write(retry_all, ref=ref)
    store.write(fail, numbers[0], "x")
    store.write(give_up_obligation, numbers[0], FailureReason.TEST)
    store.read(list_deliveries, ref)
    store.read(list_changes_since, desk.actor(HANDLER), store.now(), 5)


def _handle_an_incident(desk: Desk) -> None:
    """An incident with one complaint and one update."""
    store, actor = desk.store, desk.actor(HANDLER)
    number = store.write(open_incident, actor, {}, {"what": "x", "line.en": "x"}).id
    ref = desk.receive(chat=desk.chat("70009"))
    desk.act(ref, Verb.LINK, facts={"incident": number})
    store.read(list_open_incidents)
    store.read(list_incident_cases, number)
    store.read(count_incident_cases, number)
    store.read(load_incident_history, number)
    store.read(load_incident_decision, number)
    store.read(count_incident_replies, number)
    store.read(folds_card, ref, number)
    batch = str(store.write(schedule_incident_update, an_update(number, {"text.en": "x"}), actor).batch)
    (obligation,) = store.write(claim, ["incident_update"], 5, 60)
    store.read(load_update_text, number, batch, "en")
    store.write(record_incident_update, ref, batch, actor, {"text": "x"}, completes=obligation.id)
    store.read(list_batch_deliveries, batch)
    store.write(load_incident_post, number, "C1")
    store.write(record_incident_posted, number, "1.1", 1)
    store.read(was_executive_notified, ref)
    store.read(was_surveyed_before, ref)


def _log_and_bind(store: Store) -> None:
    """A logged complaint: acknowledged by voice, its stage stated to a caller, bound by a code."""
    desk = desk_of(store)
    desk.numbers = count(1000)
    ref = log(desk).ref
    for obligation in store.write(claim, ["tell_by_voice"], 5, 60):
        store.write(save_words_to_read_out, obligation, "x", template="t", language="en")
    store.write(load_case_for_caller, ref, desk.actor(INTAKE_MEMBER), CALLER_WORDS["phone"])
    sends(desk, "00000000")
    sends(desk, code_of(desk, ref))
    store.write(record_absence, HANDLER, store.now())
    store.write(end_absence, HANDLER)
    store.read(list_expired, {"GB": "24 months"})


def _run_every_path(store: Store) -> None:
    """Run every live path once."""
    desk = Desk(store)
    chat = desk.chat()
    store.read(find_handled_keys, ["tg:1"])
    ref = desk.receive(files=(PHOTO,))
    desk.send_reply("a", ref=ref)
    desk.add(ref, "It smells too.")
    store.write(receive_message, desk.key(), chat, _reads_earlier_messages(ref))
    (reply,) = store.write(claim, ["say"], 5, 60)
    store.write(
        record_sent,
        store.write(begin_sending, reply, "text", template="t", language="en", ref=ref),
        "5",
        completes=reply.id,
    )
    for kind in ("card", "fetch", "thread"):
        for obligation in store.write(claim, [kind], 5, 60):
            store.read(is_still_required, obligation)
            store.write(complete, obligation.id)
    store.read(count_claimable, ["say", "card"])
    store.read(find_next_due)
    store.read(list_failed)
    store.write(end_all_leases)
    store.write(store_file, ref, 1, b"data", "image/png")
    hashes = (b"12345678", b"23456789", b"34567890")
    store.write(record_proposal, desk.receive(chat=desk.chat("70002")), MODEL, _PROPOSED, {}, sketch=hashes)
    store.write(record_proposal, ref, MODEL, _PROPOSED, {"because": "{}"}, sketch=hashes, key="propose:1")
    store.read(count_confirmed_similar, ref, hashes)
    store.read(list_similar_cases, ref)
    store.read(list_similar_cases, ref, desk.actor(HANDLER))
    store.read(find_usual_cause, store.read(load_case, ref), desk.actor(HANDLER))
    store.read(list_similar_clusters, desk.actor(MANAGER))
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    store.write(read_file_bytes, ref, 1, desk.actor(HANDLER))
    desk.act(ref, Verb.ASSESS, facts=ASSESSED, version=0)
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM)
    store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    desk.complain(ref, Verb.ACCEPT)
    desk.act(ref, Verb.NOTE, MANAGER, words={"text": "x"})
    desk.act(ref, Verb.CLOSE, facts={"cause_class": "single"}, words={"root_cause": "x"})
    store.read(load_contact, ref)
    store.read(export_record, ref)
    store.read(load_history, ref)
    store.read(load_texts, ref)
    store.read(load_event_words, ref, 1)
    store.read(find_last_read, ref, HANDLER)
    store.write(claim_post, ref, "C1", "card")
    store.write(record_posted, ref, "card", "1.1", 1, 1)
    store.read(list_posts, ref)
    store.write(sweep_cards)
    store.read(count_waiting)
    store.read(count_alarms)
    store.write(record_listener, "slack-line", "a:1", 60.0)
    store.write(take_slot, [EvenlySpaced("chat", 1.0), SlidingWindow("bot", 3, 1.0)])
    store.write(pause_sending, EvenlySpaced("chat", 1.0), 1.0)
    store.write(claim_by_platform, [PlatformCapacity(("say", "card"), dict.fromkeys(SendPriority, 1))], 60.0)
    store.read(read_draft, store.write(save_draft, ref, HANDLER, "note", {}, {}, "", 1))
    store.write(record_slack_key, "Ev1")
    store.write(mark_blocked, chat, True, store.now())
    store.write(end_retry_pauses, ("say", "card"))
    store.read(list_cases)
    _, cursor = store.read(list_cases, state="closed", limit=1)
    store.read(list_cases, owner=HANDLER)
    store.read(list_cases, priority="P4", overdue=True, after=cursor)
    for section in WorklistSection:
        store.read(load_worklist, section, desk.actor(MANAGER), due_from=store.now(), due_before=store.now())
        store.read(load_worklist, section, desk.actor(HANDLER), offset=1, limit=5)
        store.read(load_worklist, section, desk.actor(MANAGER), slow_before=store.now())
    _remind(store, desk)
    for column, value in (("category", "supply"), ("state", "closed"), ("priority", "P4")):
        store.read(list_by_code, column, value, desk.actor(HANDLER))
    store.read(count_open_by_owner)
    for asked in (
        CaseSearch(number="8841207"),
        CaseSearch([[b"8 bytes.", b"or these"], [b"and more"]]),
        CaseSearch(category="money", since=store.now()),
    ):
        store.write(search_cases, asked, desk.actor(HANDLER), limit=50)
    store.read(list_assessed_proposals, 10)
    store.read(load_examples_page, (store.now(), "A", 1))
    store.read(load_unassessed_page, (store.now(), "A"))
    store.read(count_assessed_since, store.now())
    store.read(list_models_with_erased_words)
    _handle_an_incident(desk)
    _log_and_bind(store)
    store.write(delete_expired_rows)


def _reads_earlier_messages(ref: str) -> Any:
    from store.values import Conversation, DialogueTurn

    def step(talk: Conversation) -> DialogueTurn:
        talk.texts(ref)
        talk.find_source("2")
        return DialogueTurn(state={"step": "x"}, language="en")

    return step


@contextmanager
def _recorded_statements(engines: Engines) -> Iterator[dict[str, Any]]:
    """Every statement that reads or changes rows, with its parameters."""
    statements: dict[str, Any] = {}

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        is_ours = statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE"))
        if is_ours:
            first = parameters[0] if many else parameters
            statements.setdefault(statement, tuple(first) if isinstance(first, list) else first)

    class RecordingCursor(DriverCursor):
        """Also records what does not pass through SQLAlchemy."""

        def __enter__(self) -> Any:
            self._cursor = super().__enter__()
            return self

        def execute(self, statement: str, parameters: Any = ()) -> Any:
            remember(None, None, statement, parameters, None, False)
            return self._cursor.execute(statement, parameters)

        def executemany(self, statement: str, parameters: Any) -> Any:
            remember(None, None, statement, parameters, None, True)
            return self._cursor.executemany(statement, parameters)

    listened = {id(engine): engine for engine in (engines.writing, engines.reading)}.values()
    for engine in listened:
        event.listen(engine, "before_cursor_execute", remember)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("store.database.prepared.DriverCursor", RecordingCursor)
        yield statements
    for engine in listened:
        event.remove(engine, "before_cursor_execute", remember)


def test_no_statement_of_a_live_path_reads_a_whole_table(sqlite_store: Store) -> None:
    engines = sqlite_store._engines
    with _recorded_statements(engines) as statements:
        _run_every_path(sqlite_store)
    assert len(statements) > 60
    scans = []
    with engines.reading.connect() as connection:
        for statement, parameters in statements.items():
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                scan = re.match(r"SCAN (\w+)\b(?! USING (?:COVERING )?INDEX)", step.detail)
                # The rows of a subquery with a limit.
                is_bounded = scan is not None and scan[1].startswith("anon_")
                if (
                    scan
                    and not is_bounded
                    and scan[1] not in SMALL
                    and "sqlite_master" not in step.detail
                    and "CONSTANT ROW" not in step.detail
                ):
                    scans.append((step.detail, statement))
    assert scans == []


def test_a_claim_with_nothing_due_does_not_read_obligations_of_the_future(sqlite_store: Store) -> None:
    engines = sqlite_store._engines
    room = dict.fromkeys(SendPriority, 1)
    for ask, index in (
        (lambda: sqlite_store.write(claim, ("say", "card"), 1, 60.0), "ix_obligations_due"),
        (
            lambda: sqlite_store.write(claim_by_platform, [PlatformCapacity(("say", "card"), room)], 60.0),
            "ix_obligations_lane",
        ),
    ):
        with _recorded_statements(engines) as statements:
            ask()
        with engines.reading.connect() as connection:
            steps = [
                step.detail
                for statement, parameters in statements.items()
                for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                if re.match(r"(SEARCH|SCAN) obligations", step.detail)
            ]
        assert steps
        assert all(f"SEARCH obligations USING INDEX {index}" in step for step in steps), steps
        assert all("due<?" in step for step in steps), steps


def test_no_statement_of_a_live_path_reads_a_whole_table_on_postgresql(postgres_store: Store) -> None:
    engines = postgres_store._engines
    with _recorded_statements(engines) as statements:
        _run_every_path(postgres_store)
    assert len(statements) > 60
    scans = []
    with engines.writing.connect() as connection:
        # The plan depends on the rows: with an archive, and scans disabled, it uses keys wherever it can.
        closed = list(
            connection.exec_driver_sql("SELECT ref FROM complaints WHERE state = 'closed'").scalars()
        )
        archive_rows.copy(connection, closed, ARCHIVE, progress=lambda _: None)
        connection.exec_driver_sql("ANALYZE")
        for method in ("seqscan", "hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"SET enable_{method} = off")
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

    An index read without a condition is as long as its table, unless it holds only the open work, or its order is
    the required one and a limit ends it.
    """
    kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name")
    by_index = "Index Cond" in node or index in partial or limited
    if table in grown and (kind == "Seq Scan" or (index is not None and not by_index)):
        yield kind, str(index or table)
    is_limited = kind == "Limit" or (limited and kind not in ("Sort", "Aggregate", "Hash"))
    for below in node.get("Plans", ()):
        yield from _whole(below, grown, partial, limited=is_limited)


def test_no_sql_statement_is_built_by_string_concatenation() -> None:
    import ast

    import store

    pasted = []
    for file in Path(store.__file__).parent.rglob("*.py"):
        # The triggers of the journal consist of the names of tables and columns that the code declares.
        if "migrations" in file.parts or file.name == "journaled.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in ("text", "exec_driver_sql", "literal_column") and any(
                    isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in node.args
                ):
                    pasted.append((file.name, node.lineno))
    assert pasted == []
