"""A backup is complete or absent, made while the desk works, and restored into either kind of database."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from complaints.vocabulary import Verb
from store.backup import back_up
from store.cases.export import export_record
from store.cases.read import load_case
from store.custody.verify import Outside, verify
from store.database.errors import SealBroken, StoreError, WrongSchemaVersion
from store.database.keyring import Keyring
from store.database.leases import acquire_leadership
from store.database.migrate import downgrade
from store.files import read_file_bytes, store_file
from store.models.models import keep_model
from store.outbox.claim import claim
from store.proof.log import add_checkpoint
from store.restore import restore, verify_file
from store.store import Store
from store.values import Chat, ReceivedFile
from tests.clauses import clause
from tests.databases import KEYS, FakeClock, Server, opened
from tests.edges.desk import Desk, refused
from tests.edges.next_release import next_release
from tests.edges.proof.test_store_seal import CANARIES, _live


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'restored.db'}"
    server: Server = request.getfixturevalue("postgres_server")
    return server.new_database()


def fill_store(store: Store) -> tuple[str, str]:
    """Two complaints with words, a file, a checkpoint and a model; returns their references."""
    desk = Desk(store)
    photo = ReceivedFile("p1", "u1", "photo", "1", name="a.jpg", size=9)
    first = desk.receive("Brown water.", files=(photo,), chat=desk.chat("70002"))
    store.write(store_file, first, 1, b"x" * 1_500_000, "image/jpeg")
    second = desk.closed()
    store.write(add_checkpoint, None)
    store.write(keep_model, b"blob" * 1000, "a" * 64, {"name": "starter"})
    desk.send_reply("hello", chat=desk.chat("70002"))
    return first, second


@clause("8.1")
def test_a_backup_of_either_database_is_restored_into_either(
    database_url: str, empty_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    with opened(database_url, clock) as store:
        first, second = fill_store(store)
        before = {ref: store.read(export_record, ref) for ref in (first, second)}
        saved, _ = store.write(add_checkpoint, bytes(32))
        assert saved is not None
    backup = back_up(database_url, file)
    assert (backup.complaints, backup.size) == (2, file.stat().st_size)
    assert (backup.heads, backup.root) == (saved.size, saved.root.hex())
    compared = verify_file(file, KEYS, clock(), Outside(short_heads=(f"{backup.heads}:{backup.root}",)))
    assert (compared.first_bad, [size for _, size in compared.compared_with]) == (None, [saved.size])
    done = restore(empty_url, file, KEYS, clock())
    assert (done.verification.first_bad, done.upgraded_from) == (None, None)
    assert done.rows["complaints"] == 2
    with opened(empty_url, clock) as store:
        assert {ref: store.read(export_record, ref) for ref in (first, second)} == before
        assert store.read(verify, Outside(notes=(saved.note,))).first_bad is None
        desk = Desk(store, count(500))
        assert store.write(read_file_bytes, first, 1, desk.actor("U3")) == b"x" * 1_500_000
        desk.add(first, "And it smells.", chat=desk.chat("70002"))
        desk.receive("Another matter.", chat=desk.chat("70009"))
        assert store.read(verify).first_bad is None


def test_a_backup_is_one_file_that_only_its_owner_can_read(
    sqlite_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    with opened(sqlite_url, clock) as store:
        fill_store(store)
    folder = tmp_path / "copies"
    folder.mkdir()
    back_up(sqlite_url, folder / "backup.db")
    assert [file.name for file in folder.iterdir()] == ["backup.db"]
    assert (folder / "backup.db").stat().st_mode & 0o777 == 0o600


@clause("8.1")
def test_a_backup_holds_no_personal_word_unencrypted(
    sqlite_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    with opened(sqlite_url, clock) as store:
        _live(store)
    back_up(sqlite_url, tmp_path / "backup.db")
    everything = (tmp_path / "backup.db").read_bytes().lower()
    assert [canary for canary in CANARIES if canary.encode() in everything] == []


@contextmanager
def receiving_complaints(url: str, clock: FakeClock) -> Iterator[list[str]]:
    """Complaints are received all the time; gives their references so far."""
    refs: list[str] = []
    stop, started = threading.Event(), threading.Event()

    def receive() -> None:
        with opened(url, clock) as store:
            desk = Desk(store, count(1000))
            number = 0
            while not stop.is_set():
                number += 1
                refs.append(
                    desk.receive(f"Matter {number}.", chat=Chat("telegram", str(80000 + number), "en"))
                )
                started.set()

    thread = threading.Thread(target=receive)
    thread.start()
    try:
        assert started.wait(60)
        yield refs
    finally:
        stop.set()
        thread.join()


@clause("8.1")
def test_a_backup_made_while_complaints_are_received_is_of_one_moment(
    database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    with opened(database_url, clock) as store:
        fill_store(store)
    with receiving_complaints(database_url, clock) as refs:
        count_before = len(refs)
        while len(refs) < count_before + 20:
            threading.Event().wait(0.01)
        early, file = len(refs), tmp_path / "backup.db"
        backup = back_up(database_url, file)
        late = len(refs)
    assert early + 2 <= backup.complaints <= late + 3
    result = verify_file(file, KEYS, clock())
    assert (result.first_bad, result.cases) == (None, backup.complaints)


def test_the_progress_of_a_backup_reaches_its_end(
    database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    with opened(database_url, clock) as store:
        fill_store(store)
    steps: list[tuple[int, int]] = []
    back_up(database_url, tmp_path / "backup.db", progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1] > 0


def test_an_existing_file_is_not_overwritten_without_force(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    file.write_text("mine")
    error = refused(lambda: back_up(sqlite_url, file), StoreError)
    assert "--force" in str(error)
    assert file.read_text() == "mine"
    assert back_up(sqlite_url, file, overwrite=True).complaints == 0


@pytest.mark.parametrize("earlier", [None, b"an earlier backup"])
def test_on_a_full_disk_no_partial_backup_is_left_and_an_earlier_one_is_kept(
    database_url: str, clock: FakeClock, tmp_path: Path, earlier: bytes | None
) -> None:
    with opened(database_url, clock) as store:
        fill_store(store)
    folder = tmp_path / "copies"
    folder.mkdir()
    if earlier is not None:
        (folder / "backup.db").write_bytes(earlier)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        error = refused(lambda: back_up(database_url, folder / "backup.db", overwrite=True), StoreError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "could not be written" in str(error)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == (
        {} if earlier is None else {"backup.db": earlier}
    )


def test_a_missing_database_is_not_backed_up(tmp_path: Path) -> None:
    error = refused(lambda: back_up(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "b.db"), StoreError)
    assert "AMENDS_DATABASE_URL" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_a_postgres_database_of_another_release_is_not_backed_up(postgres_url: str, tmp_path: Path) -> None:
    downgrade(postgres_url, "base")
    refused(lambda: back_up(postgres_url, tmp_path / "b.db"), WrongSchemaVersion)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def whole_backup(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backup that each test gets a copy of."""
    folder = tmp_path_factory.mktemp("backup")
    url = f"sqlite:///{shutil.copy(sqlite_template, folder / 'amends.db')}"
    with opened(url, FakeClock()) as store:
        fill_store(store)
    back_up(url, folder / "backup.db")
    return folder / "backup.db"


@pytest.fixture
def backup(whole_backup: Path, tmp_path: Path) -> Path:
    """An intact backup, with its database next to it."""
    shutil.copy(whole_backup.with_name("amends.db"), tmp_path)
    return shutil.copy(whole_backup, tmp_path / "backup.db")


def _truncated(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)


def _flipped(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as stream:
        for offset in range(8192, size, 4096):
            stream.seek(offset)
            stream.write(b"\xff" * 64)


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")


def _text(file: Path) -> None:
    file.write_text("date,amount\n")


def _newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")


def _altered(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE complaints SET severity = 5 WHERE state = 'closed'")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_truncated, "damaged"),
        (_flipped, "damaged"),
        (_foreign, "another program's file"),
        (_text, "no backup of Amends"),
        (_newer, "newer release"),
        (_altered, "not whole"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_and_the_database_stays_empty(
    backup: Path, empty_url: str, clock: FakeClock, harm: Callable[[Path], None], message: str
) -> None:
    good = shutil.copy(backup, backup.with_name("good.db"))
    harm(backup)
    error = refused(lambda: restore(empty_url, backup, KEYS, clock()), StoreError)
    assert message in str(error)
    assert str(backup) in str(error)
    # The database is still empty: an intact backup can be restored.
    assert restore(empty_url, good, KEYS, clock()).verification.first_bad is None


def _tail_lost(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size - 3000)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_truncated, "damaged"),
        (_tail_lost, "damaged"),
        (_flipped, "damaged"),
        (_foreign, "another program's file"),
        (_text, "no backup of Amends"),
        (_newer, "newer release"),
    ],
)
def test_verifying_a_backup_detects_every_damage_that_would_stop_a_restore(
    backup: Path, clock: FakeClock, harm: Callable[[Path], None], message: str
) -> None:
    assert verify_file(backup, KEYS, clock()).first_bad is None
    harm(backup)
    why = str(refused(lambda: verify_file(backup, KEYS, clock()), StoreError))
    assert message in why
    assert str(backup) in why
    assert len(why.splitlines()) == 1


def test_an_altered_record_is_restored_only_on_request(
    backup: Path, empty_url: str, clock: FakeClock
) -> None:
    _altered(backup)
    done = restore(empty_url, backup, KEYS, clock(), accept_unsound=True)
    assert done.verification.first_bad is not None
    with opened(empty_url, clock) as store:
        assert store.read(verify).first_bad is not None


def test_a_backup_is_not_restored_without_the_keys_of_its_time(
    backup: Path, empty_url: str, clock: FakeClock
) -> None:
    error = refused(
        lambda: restore(empty_url, backup, Keyring([b"another secret of 32 bytes here."]), clock()),
        (StoreError, SealBroken),  # type: ignore[arg-type]
    )
    assert "AMENDS_SECRET_KEY" in str(error)


def test_a_database_with_complaints_is_not_overwritten_by_a_restore(
    database_url: str, backup: Path, clock: FakeClock
) -> None:
    with opened(database_url, clock) as store:
        ref = Desk(store, count(700)).receive(chat=Chat("telegram", "99999", "en"))
    error = refused(lambda: restore(database_url, backup, KEYS, clock()), StoreError)
    assert "AMENDS_DATABASE_URL" in str(error)
    with opened(database_url, clock) as store:
        assert store.read(load_case, ref).ref == ref


def test_a_backup_is_restored_into_a_database_with_empty_tables(
    postgres_url: str, backup: Path, clock: FakeClock, sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "fresh.db")
    for url in (postgres_url, f"sqlite:///{tmp_path / 'fresh.db'}"):
        assert restore(url, backup, KEYS, clock()).rows["complaints"] == 2


def test_a_live_database_file_is_refused_as_a_backup(
    sqlite_url: str, empty_url: str, clock: FakeClock
) -> None:
    live = Path(sqlite_url.removeprefix("sqlite:///"))
    with opened(sqlite_url, clock) as store:
        fill_store(store)
        error = refused(lambda: restore(empty_url, live, KEYS, clock()), StoreError)
    assert "amends db backup" in str(error)


def test_a_restored_obligation_has_no_lease(
    empty_url: str, clock: FakeClock, sqlite_url: str, tmp_path: Path
) -> None:
    with opened(sqlite_url, clock) as store:
        fill_store(store)
        assert store.write(claim, ["say"], 5, 3600)
        assert store.write(acquire_leadership, "poller", "a process of then", 3600) is not None
    back_up(sqlite_url, tmp_path / "backup.db")
    restore(empty_url, tmp_path / "backup.db", KEYS, clock())
    with opened(empty_url, clock) as store:
        assert [obligation.key for obligation in store.write(claim, ["say"], 5, 60)] == ["hello"]
        assert store.write(acquire_leadership, "poller", "a process of now", 60) is not None


def test_a_restore_that_runs_out_of_space_leaves_nothing(
    backup: Path, tmp_path: Path, clock: FakeClock
) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        error = refused(
            lambda: restore(f"sqlite:///{folder / 'amends.db'}", backup, KEYS, clock()), StoreError
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Nothing was left" in str(error)
    assert list(folder.iterdir()) == []


def test_verifying_a_backup_changes_nothing_and_leaves_no_other_file(backup: Path, clock: FakeClock) -> None:
    before = backup.read_bytes()
    names = sorted(file.name for file in backup.parent.iterdir())
    assert verify_file(backup, KEYS, clock()).first_bad is None
    assert backup.read_bytes() == before
    assert sorted(file.name for file in backup.parent.iterdir()) == names


def test_a_backup_of_an_earlier_release_is_verified_and_restored_and_stays_unchanged(
    backup: Path, empty_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    before = backup.read_bytes()
    with next_release(tmp_path):
        assert verify_file(backup, KEYS, clock()).first_bad is None
        assert restore(empty_url, backup, KEYS, clock()).upgraded_from == "0001"
    assert backup.read_bytes() == before


def test_event_numbers_continue_after_the_restored_ones(
    backup: Path, postgres_url: str, clock: FakeClock
) -> None:
    restore(postgres_url, backup, KEYS, clock())
    with opened(postgres_url, clock) as store:
        desk = Desk(store, count(900))
        ref = desk.assessed(chat=desk.chat("70050"))
        desk.act(ref, Verb.NOTE, words={"text": "Seen."})
        highest = store.read(
            lambda tx: tx.connection.execute(text("SELECT max(id), count(DISTINCT id) FROM events")).one()
        )
        assert highest[0] >= highest[1]
        assert store.read(verify).first_bad is None
