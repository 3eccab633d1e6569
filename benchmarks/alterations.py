"""Random alterations of the record and of the past: who notices them, and whether untouched stores raise an alarm.

AMENDS_ALTERATIONS is how many alterations are made on each database, by default 40 (`make soak`: 1,000). A third as
many are made by somebody with all keys. As many untouched stores are verified on SQLite, and a tenth on PostgreSQL.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

from rich.table import Table

from amends.cli.db import verify_in_steps
from benchmarks import databases
from benchmarks.measuring import verdict
from complaints.errors import ComplaintError
from store.backup import back_up
from store.custody.erasure import delete_expired_rows, erase
from store.custody.secret_keys import record_keys_rotated, rotate_keys
from store.custody.verify import Outside, verify
from store.database.keyring import Keyring
from store.proof.log import log_signer
from store.restore import restore
from store.store import open_store
from tests.databases import KEYS, Migrated, Server
from tests.edges import key_holder
from tests.edges.alterations import (
    SEED,
    WITNESS,
    Trial,
    cosigned_checkpoint,
    course_of,
    full_record,
    try_alterations,
)
from tests.edges.store.test_store_state_machine import Desk as Course
from tests.edges.witness_logs import new_witness

NUMBER = int(os.environ.get("AMENDS_ALTERATIONS", "40"))
#: One full record is altered so often; then another course makes the next.
PER_RECORD = 100
NEW_KEYS = Keyring([b"a newer key for the benchmarks..", b"a key for tests, 32 bytes long.."])
#: Lends an empty migrated database by its URL.
Lent = Callable[[], AbstractContextManager[str]]


def tables(number: int = NUMBER) -> Iterator[Table]:
    """The three tables, on both databases."""
    for name in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            lent = stack.enter_context(_databases(name))
            yield by_database_writers(name, lent, number)
            yield by_key_holders(name, lent, max(1, number // 3))
            yield untouched(name, lent, number if name == "SQLite" else max(1, number // 10))


@contextmanager
def _databases(name: str) -> Iterator[Lent]:
    """Lends empty migrated databases."""
    with ExitStack() as stack:
        if name == "SQLite":
            template = stack.enter_context(databases.sqlite())()

            @contextmanager
            def file() -> Iterator[str]:
                with tempfile.TemporaryDirectory(prefix="amends-bench-") as folder:
                    shutil.copy(template.removeprefix("sqlite:///"), copy := Path(folder) / "a.db")
                    yield f"sqlite:///{copy}"

            yield file
            return
        fresh = stack.enter_context(databases.postgres(fsync="off", synchronous_commit="off"))
        url = fresh()
        yield Migrated(Server(url), url.partition("?")[0].rsplit("/", 1)[1]).lent


def by_database_writers(name: str, lent: Lent, number: int) -> Table:
    """Alterations by somebody who can write to the database and has no key."""
    trials: list[Trial] = []
    while len(trials) < number:
        dice = Random(f"{name} {len(trials)}")
        with lent() as url:
            record = full_record(url, dice)
            trials += try_alterations(record, min(PER_RECORD, number - len(trials)), dice)
            assert record.store.read(verify).problems == (), "an alteration was not undone"
            record.store.close()
    faults = Counter(f"{trial.kind} in {trial.table}: {trial.fault}" for trial in trials if trial.fault)
    report = _report(
        f"{len(trials):,} alterations by a database writer ({name})", "made", "named rightly", ""
    )
    for kind, made in sorted(Counter(trial.kind for trial in trials).items()):
        right = sum(trial.kind == kind and not trial.fault for trial in trials)
        report.add_row(kind, f"{made:,}", f"{right:,}", verdict(right == made))
    tables_ = {trial.table for trial in trials}
    report.add_row(
        f"all, over {len(tables_)} tables", f"{len(trials):,}", f"{len(trials) - faults.total():,}", ""
    )
    for fault, times in faults.items():
        report.add_row(f"[red]{fault[:200]}[/]", str(times), "", "")
    return report


def by_key_holders(name: str, lent: Lent, number: int) -> Table:
    """Changes of what a witness cosigned, by somebody who has every key and computes everything anew."""
    trials: list[key_holder.Trial] = []
    # The witness refuses every trial, and reports each as an error.
    logging.getLogger("amends.witness").setLevel(logging.CRITICAL)
    while len(trials) < number:
        dice = Random(f"keys {name} {len(trials)}")
        with lent() as url, tempfile.TemporaryDirectory() as folder:
            record = full_record(url, dice, receipts=False)
            signer = record.store.read(log_signer, SEED)
            assert signer is not None
            witness = new_witness(Path(folder) / "witness", str(signer.verifier), name=WITNESS.name)
            trials += key_holder.try_forgeries(record, witness, min(PER_RECORD, number - len(trials)), dice)
            witness.close()
            record.store.close()
    columns = (
        "made",
        "record alone looks whole",
        "reported with the witness's copy",
        "refused by the witness",
        "",
    )
    report = _report(
        f"{len(trials):,} changes of what was cosigned, by a holder of all keys ({name})", *columns
    )
    for kind in sorted({trial.kind for trial in trials}):
        mine = [trial for trial in trials if trial.kind == kind]
        columns_of_trials = ("looks_whole", "is_reported", "is_refused")
        counts = [sum(getattr(trial, column) for trial in mine) for column in columns_of_trials]
        report.add_row(kind, str(len(mine)), *map(str, counts), verdict(counts[1:] == [len(mine)] * 2))
    return report


# --- untouched stores ---


def untouched(name: str, lent: Lent, number: int) -> Table:
    """Stores that nobody touched: any damage in them is a false alarm."""
    treated, alarms = Counter[str](), Counter[str]()
    for n in range(number):
        dice = Random(f"untouched {name} {n}")
        with lent() as url, tempfile.TemporaryDirectory() as folder:
            kinds = dice.sample(list(TREATMENTS), dice.randint(0, 3))
            kinds.sort(key=LAST.__contains__)
            problems = verify_treated(url, Path(folder), kinds, dice)
            treated.update(kinds or ["nothing else"])
            alarms.update({f"{', '.join(kinds)} ({n}): {problems[:2]}": 1} if problems else {})
    report = _report(f"{number:,} untouched stores ({name})", "stores", "")
    for kind, times in sorted(treated.items()):
        report.add_row(kind, f"{times:,}", "")
    report.add_row("false alarms", f"{alarms.total():,}", verdict(not alarms))
    for alarm in alarms:
        report.add_row(f"[red]{alarm}[/]", "", "")
    return report


def verify_treated(url: str, folder: Path, kinds: Sequence[str], dice: Random) -> list[object]:
    """Each damage that three verifications name: the default one twice, then everything."""
    course = course_of(url, dice, dice.randint(3, 30))
    notes = []
    for kind in kinds:
        TREATMENTS[kind](course, folder, dice)
        course.in_hand = {}
        if kind not in LAST:
            for _ in range(dice.randint(0, 6)):
                course.something_happens(dice.getrandbits(32))
        if dice.random() < 0.5:
            notes.append(cosigned_checkpoint(course.store).note)
    outside = Outside(tuple(notes), witnesses=(WITNESS.verifier,))
    problems: list[object] = []
    for _ in range(2):
        problems += verify_in_steps(course.store, outside, full=False, show=_silent).problems
    problems += course.store.read(verify, outside).problems
    course.store.close()
    return problems


def _silent(*_: object) -> None:
    pass


def _verified(course: Course, _: Path, dice: Random) -> None:
    verify_in_steps(course.store, Outside(), full=False, show=_silent)
    course.something_happens(dice.getrandbits(32))


def _erased(course: Course, _: Path, __: Random) -> None:
    for ref in [*course.logged.values(), *(ref for refs in course.told.values() for ref in refs)]:
        with suppress(ComplaintError):
            course.store.write(erase, ref, "request")
            course.erased.add(ref)


def _purged(course: Course, _: Path, __: Random) -> None:
    course.clock.go_on(days=400)
    course.store.write(delete_expired_rows)


def _rotated(course: Course, _: Path, __: Random) -> None:
    course.store.close()
    course.store = open_store(course.url, NEW_KEYS, course.clock)
    while course.store.write(rotate_keys, 7):
        pass
    course.store.write(record_keys_rotated)


def _restored(course: Course, folder: Path, dice: Random) -> None:
    file = folder / f"{dice.random()}.backup"
    back_up(course.url, file)
    course.store.close()
    course.url = f"sqlite:///{folder / f'{dice.random()}.db'}"
    restore(course.url, file, KEYS, course.clock())
    course.store = open_store(course.url, KEYS, course.clock)


def _vacuumed(course: Course, _: Path, __: Random) -> None:
    course.store.remove_remnants(rewrite=True)


TREATMENTS: Mapping[str, Callable[[Course, Path, Random], None]] = {
    "verified before, then used": _verified,
    "complaints erased": _erased,
    "backed up and restored": _restored,
    "every table written again (db vacuum)": _vacuumed,
    "a year passed, expired rows deleted": _purged,
    "keys rotated": _rotated,
}
#: After these the random course ends: it has the older key, and repeats messages whose keys were deleted.
LAST = ("a year passed, expired rows deleted", "keys rotated")


def _report(title: str, *columns: str) -> Table:
    report = Table(title=title, title_justify="left", show_edge=False)
    for column in ("", *columns):
        report.add_column(column)
    return report
