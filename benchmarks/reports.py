"""Every report of one month with twelve months' trend, with very many stored complaints.

Rows of `complaints` and `measures` are inserted directly: copies of the measures of played complaints, spread over
three years by season and weekday, with skewed codes; a tenth of the last 60 days is open, Turkish ones are late more
often, and one category has a spike in the month. Only the last three months have events, as many as their complaints
name: the report counts these. Those that the search for new wording reads have words. AMENDS_REPORTS is the largest
size.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from sqlalchemy import bindparam, select, text, update

from amends.reports.build import build_report
from amends.reports.builders import MOST_TEXTS, THEME_DAYS
from amends.reports.report_kinds import KINDS
from amends.settings.settings_file import parse_settings
from benchmarks import databases
from benchmarks.histories import rates, story
from benchmarks.measuring import result_table, verdict
from complaints.measures.row import CaseMeasures, Stage, encode_stage
from complaints.vocabulary import Role, Verb
from reports.tally import Period
from store.database.keyring import Keyring, new_key, seal
from store.database.transaction import Tx
from store.people.masked_texts import masked_place
from store.record.load import key_place, text_place
from store.record.measures import read_measures
from store.store import Store, open_store
from store.tables import COMPLAINTS, EVENTS, MEASURES, PEOPLE, TEXTS
from tests.databases import KEYS
from tests.edges.desk import Desk
from tests.edges.product import SETTINGS

SIZES = (10_000, 100_000, int(os.environ.get("AMENDS_REPORTS", "1000000")))
MAX_SECONDS, MAX_MIB = 10, 1024
NOW = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = Period(datetime(2026, 10, 1, tzinfo=UTC), NOW)
YEARS = timedelta(days=3 * 365)
#: Complaints of the last days have events.
WITH_EVENTS = timedelta(days=92)
CHUNK = 5_000
CATEGORIES = [f"category_{n}" for n in range(24)]
HANDLERS = [f"U{n:03}" for n in range(60)]


def tables() -> Iterator[Table]:
    """Seconds and memory by size, on both databases."""
    report = result_table(
        "Each report of a month with twelve months' trend",
        "complaints | database | report | seconds | our processor | memory | goal",
    )
    for name, fresh in databases.each(shared_buffers="512MB", max_wal_size="4GB"):
        for size in SIZES:
            url = fresh()
            fill(url, size)
            for kind in KINDS:
                # In a process of its own, so that its memory is that of the report.
                command = [sys.executable, "-W", "ignore", "-m", "benchmarks.reports", url, kind]
                result = subprocess.run(command, check=True, capture_output=True, text=True)
                seconds, processor, mib = map(float, result.stdout.split()[:3])
                is_met = seconds <= MAX_SECONDS and mib <= MAX_MIB
                figures = (f"{seconds:.1f} s", f"{processor:.1f} s", f"{mib:.0f} MiB", verdict(is_met))
                report.add_row(f"{size:,}", name, kind, *figures)
    yield report


def fill(url: str, size: int, keys: Keyring = KEYS) -> None:
    """Insert this many complaints with their measures."""
    with closing(open_store(url, keys)) as store:
        desk = Desk(store)
        new, closed = desk.assessed(chat=desk.chat("70009")), desk.closed()
        patterns = {ref: store.read(read_measures, ref) for ref in (new, closed)}
        store.write(lambda tx: _insert(tx.connection, patterns, new, closed, size))
        store.write(give_words)


def _insert(connection: Any, patterns: Any, new: str, closed: str, size: int) -> None:
    shared = set(COMPLAINTS.columns.keys()) & set(CaseMeasures._fields)
    originals = {row["ref"]: dict(row) for row in connection.execute(COMPLAINTS.select()).mappings()}
    person = dict(connection.execute(PEOPLE.select()).mappings().first())
    chance = random.Random(size)
    times = _times(size)
    for first in range(0, size, CHUNK):
        people, complaints, measures, events = [], [], [], []
        for number in range(first, min(first + CHUNK, size)):
            at = times[number] + timedelta(hours=chance.triangular(0, 24, 11))
            age = NOW - at
            is_open = age < timedelta(days=60) and chance.random() < 0.1
            pattern: CaseMeasures = patterns[new if is_open else closed]
            row = _row(pattern, f"Z{number:09}", at, is_open=is_open, chance=chance)
            measures.append(row._asdict())
            # One person in five complains twice.
            complainant = f"z{number - (number % 5 == 4):09}"
            if complainant == f"z{number:09}":
                people.append({**person, "id": complainant})
            values = {name: value for name, value in row._asdict().items() if name in shared}
            complaints.append(
                {**originals[pattern.ref], **values, "flags": [], "complainant_id": complainant}
            )
            if age < WITH_EVENTS:
                events += [
                    _event(row.ref, seq, Verb.NOTE if seq > 1 else Verb.RECEIVE, at)
                    for seq in range(1, row.version + 1)
                ]
        connection.execute(PEOPLE.insert(), people)
        connection.execute(COMPLAINTS.insert(), complaints)
        connection.execute(MEASURES.insert(), measures)
        if events:
            columns = {column.name for column in EVENTS.columns}
            connection.execute(
                EVENTS.insert(), [{name: row[name] for name in row if name in columns} for row in events]
            )
        connection.execute(text("DELETE FROM amends_touched"))
    connection.execute(text("ANALYZE"))


def _event(ref: str, seq: int, verb: Verb, at: datetime) -> dict[str, Any]:
    return {
        "ref": ref, "seq": seq, "verb": verb.value, "at": at, "by": "U1", "role": "handler", "entry": "{}",
        "hash": f"{ref}{seq}", "prev": "", "mac": bytes(32),
    }  # fmt: skip


def give_words(tx: Tx) -> None:
    """Give words to the complaints that the search for new wording reads: the newest of two spans of days."""
    chance, columns = random.Random(1), COMPLAINTS.c
    for end in (NOW, NOW - THEME_DAYS):
        newest = select(columns.ref, columns.received_at, columns.language, columns.category).where(
            columns.received_at < end, columns.ref.startswith("Z")
        )
        newest = newest.order_by(columns.received_at.desc(), columns.ref.desc()).limit(MOST_TEXTS + 1)
        keys, texts, events = [], [], []
        for ref, at, language, category in tx.connection.execute(newest).all():
            key, words = new_key(), story(chance, language, category, is_new=end == NOW)
            keys.append({"case": ref, "wrapped": tx.keys.wrap(key, key_place(ref))})
            texts.append(
                {
                    "ref": ref, "seq": 1, "field": "description", "role": Role.COMPLAINANT.value, "at": at,
                    "source": "1", "replaces": None, "sealed": seal(key, words, text_place(ref, 1, "description")),
                    "masked": seal(key, words, masked_place(ref, 1, "description")),
                }
            )  # fmt: skip
            events.append(_event(ref, 1, Verb.RECEIVE, at))
        tx.connection.execute(
            update(COMPLAINTS)
            .where(columns.ref == bindparam("case"))
            .values(key_wrapped=bindparam("wrapped")),
            keys,
        )
        tx.insert_missing(EVENTS, events)
        tx.insert_missing(TEXTS, texts)
    tx.connection.execute(text("DELETE FROM amends_touched"))


def _times(size: int) -> list[datetime]:
    """The days of all complaints in order: more in winter and on Mondays, and a little more each year."""
    days = YEARS.days
    share = np.cumsum(rates((NOW - YEARS).date(), days, 1.0, growth=0.05))
    places = np.searchsorted(share / share[-1], (np.arange(size) + 0.5) / size)
    return [NOW - YEARS + timedelta(days=int(place)) for place in places]


def _row(
    pattern: CaseMeasures, ref: str, at: datetime, *, is_open: bool, chance: random.Random
) -> CaseMeasures:
    days = min(chance.lognormvariate(1.8, 0.8), (NOW - at) / timedelta(days=1))
    ended_at = None if is_open else at + timedelta(days=days)
    language = chance.choice(("en", "en", "en", "tr", "de", "es"))
    category = CATEGORIES[min(int(chance.expovariate(0.25)), 23)]
    if timedelta(days=5) < NOW - at < timedelta(days=15) and chance.random() < 0.1:
        category = CATEGORIES[7]
    in_time = 0.88 if language == "tr" else 0.93
    marks = "".join(
        f"{part[0]}{'+' if chance.random() < in_time else '-'}{part[2:]};"
        for part in pattern.marks[:-1].split(";")
    )
    stages = encode_stage(Stage(True, None, at + timedelta(days=10), None), at)
    stages += encode_stage(Stage(True, chance.choice(HANDLERS), at + timedelta(days=12), None), at)
    if ended_at is not None:
        stages += encode_stage(Stage(False, None, None, None), ended_at)
    details = pattern.details
    if not is_open:
        survey = (
            f',"surveys":[[{chance.randint(1, 5)},{chance.randint(1, 5)},true]]'
            if chance.random() < 0.2
            else ""
        )
        details = f'{{"levels":[[1,{int(days)},{days},1]]{survey}}}'
    return pattern._replace(
        ref=ref,
        received_at=at,
        received_on=at.date(),
        logged_at=at,
        closed_at=ended_at,
        decided_at=ended_at,
        category=category,
        product=f"product_{min(int(chance.expovariate(0.4)), 9)}",
        branch=f"branch_{min(int(chance.expovariate(0.1)), 29)}",
        cause_class=None if is_open else chance.choice(("single", "single", "recurring", "systemic")),
        outcome=None if is_open else chance.choice(("upheld", "partly", "not_upheld")),
        language=language,
        priority=chance.choice(("P1", "P2", "P3", "P3", "P3", "P4")),
        incident_id=None,
        decision_working_days=None if is_open else int(days * 5 / 7),
        decision_days=None if is_open else days,
        closure_working_days=None if is_open else int(days * 5 / 7),
        closure_days=None if is_open else days,
        marks=marks,
        pending=f"d{int(at.timestamp() + 864_000) * 1_000_000};" if is_open else None,
        stages=stages,
        details=details,
    )


def report_once(store: Store, kind: str) -> tuple[float, float, float]:
    """Seconds, seconds of this process's processor time, and MiB of one report."""
    customers = {f"product_{number}": 5_000 * (number + 1) for number in range(10)}
    toml = SETTINGS + "".join(
        f'[[product]]\nkey = "{key}"\nname = {{ en = "{key}" }}\ncustomers = {units}\n'
        for key, units in customers.items()
    )
    settings = parse_settings(toml, Path("amends.toml"), {})
    started, computed = time.perf_counter(), time.process_time()
    report = build_report(kind, store, settings, PERIOD, NOW)
    assert report.kind == kind
    seconds = time.perf_counter() - started
    # Not ru_maxrss, which is never less than that of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    mib = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return seconds, time.process_time() - computed, mib


if __name__ == "__main__":
    with closing(open_store(sys.argv[1], KEYS, lambda: NOW)) as opened:
        print(*report_once(opened, sys.argv[2]))
