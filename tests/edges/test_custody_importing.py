"""Past complaints: read from any CSV, refused row by row with reasons, brought in whole, and owing nothing."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.importing.mapping import Columns, read_mapping
from amends.importing.rows import missing, past_complaints, unused
from amends.importing.table import read_table
from amends.settings import SettingsError
from complaints.actions.intake import Arrival, said
from complaints.actions.registry import receive
from complaints.actors import SYSTEM, complainant
from complaints.errors import BadFacts
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Verb
from reports.monitoring import Period, monitor
from store.cases.export import export_record
from store.cases.import_past import PastComplaint, import_past, list_known_past
from store.cases.read import load_history
from store.outbox.claim import claim
from store.people.identifiers import find_by_identifier
from store.proof.retention import erase_complainant, find_person, list_expired
from store.proof.verify import verify
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import MANAGER, RULES, Desk, refused, still_due

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
HEADER = (
    "received_at,description,closed_at,close_code,channel,category,severity,finding,name,email,customer_ref"
)
ROW = "2025-03-01 09:30,The bill was wrong.,2025-03-20,resolved,phone,money,3,upheld,Mary Past,mary@past.example,C-77"


def table_of(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    """A file of these rows."""
    file = folder / "past.csv"
    file.write_bytes("\n".join((header, *rows)).encode(encoding))
    return file


def read(file: Path, columns: Columns | None = None) -> tuple[list[PastComplaint], list[str]]:
    """Rows taken, and refused ones as the report says them."""
    used = columns or Columns()
    table = read_table(file, encoding=used.encoding, delimiter=used.delimiter, languages=("en", "tr"))
    taken, no = past_complaints(table, used, Rulebooks(RULES), now=NOW)
    return taken, [f"{one.line}: {one.why}" for one in no]


def test_a_row_becomes_a_past_complaint(tmp_path: Path) -> None:
    (one,), no = read(table_of(tmp_path, ROW))
    assert no == []
    assert one.received_at == datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
    assert dict(one.ending) == {
        "closed_at": "2025-03-20T00:00:00Z",
        "close_code": "resolved",
        "category": "money",
        "finding": "upheld",
        "severity": 3,
    }
    assert (one.channel, one.language, one.words["customer_ref"]) == ("phone", "en", "C-77")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (("2025-03-01 09:30", "yesterday"), "received_at: is not written as"),
        (("2025-03-01 09:30", "2027-03-01"), "received_at: lies in the future"),
        (("2025-03-20", "2025-02-01"), "closed_at: It was closed after it was received"),
        (("2025-03-20", ""), "closed_at: is empty"),
        (("The bill was wrong.", ""), "description: is empty"),
        (("resolved", "fine"), "close_code: 'close_code' is one of"),
        (("phone", "fax"), "channel: write one of"),
        ((",money,", ",cash,"), "category: 'category' is one of"),
        ((",money,", ",,"), "category: A finding is on a matter"),
        ((",3,", ",9,"), "severity: write a whole number"),
        (("upheld", "maybe"), "finding: 'finding' is one of"),
        (("mary@past.example", "mary at past"), "email: is none"),
        (("C-77", "C-77,and,more"), "more cells than the header"),
    ],
)
def test_a_row_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, changed: tuple[str, str], why: str
) -> None:
    taken, (no,) = read(table_of(tmp_path, ROW.replace("2025-03-01", "2025-03-02"), ROW.replace(*changed)))
    assert len(taken) == 1
    assert no.startswith("3: ")
    assert why in no
    # The report names fields and forms, never what stood in the row.
    assert "bill was wrong" not in no
    assert "mary" not in no


def test_every_reason_of_a_row_is_told_at_once(tmp_path: Path) -> None:
    _, (no,) = read(
        table_of(
            tmp_path, ROW.replace("phone", "fax").replace("2025-03-20", "").replace("The bill was wrong.", "")
        )
    )
    assert no.count(";") == 2


def test_a_row_that_stands_twice_in_a_file_is_refused_the_second_time(tmp_path: Path) -> None:
    taken, no = read(table_of(tmp_path, ROW, ROW))
    assert (len(taken), no) == (1, ["3: the same as line 2: take one of the two out"])


def test_a_text_over_several_lines_keeps_the_line_numbers_right(tmp_path: Path) -> None:
    long = ROW.replace("The bill was wrong.", '"The bill\nwas wrong,\ntwice."')
    taken, no = read(table_of(tmp_path, long, ROW.replace("phone", "fax")))
    assert taken[0].words["description"] == "The bill\nwas wrong,\ntwice."
    assert no[0].startswith("5: ")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1254"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    header, row = (
        delimiter.join(line.split(","))
        for line in (HEADER, ROW.replace("The bill was wrong.", "Şişli’de çamurlu"))
    )
    (one,), no = read(table_of(tmp_path, row, header=header, encoding=encoding))
    assert no == []
    assert one.words["description"] == "Şişli’de çamurlu"


def test_own_columns_words_and_dates_are_mapped(tmp_path: Path) -> None:
    file = table_of(
        tmp_path,
        "01.03.2025;Faulty;20.03.2025;Billing;4711",
        header="Eingang;Text;Ende;Thema;Nr",
        encoding="cp1252",
    )
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[file]\ndate = "%d.%m.%Y"\n[columns]\nEingang = "received_at"\nText = "description"\nEnde = "closed_at"\n'
        'Thema = "category"\n[values.category]\nBilling = "money"\n'
        '[defaults]\nclose_code = "resolved"\nchannel = "letter"\n'
    )
    columns = read_mapping(mapping)
    (one,), no = read(file, columns)
    assert (no, one.ending["category"], one.channel) == ([], "money", "letter")
    assert one.received_at == datetime(2025, 3, 1, tzinfo=UTC)
    table = read_table(file)
    assert (unused(table, columns), missing(table, columns)) == (["Nr"], [])
    assert missing(table, Columns()) == ["received_at", "description", "closed_at", "close_code", "channel"]


def test_a_mapping_that_names_no_field_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nWhen = "received"\n[colours]\na = "b"\n[file]\ndelimiter = ";;"\n')
    why = str(refused(lambda: read_mapping(mapping), SettingsError))
    assert "columns.When" in why
    assert "received_at" in why
    assert "colours" in why
    assert "file.delimiter" in why


@given(st.binary(max_size=300))
def test_no_file_whatever_is_met_by_a_crash(raw: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "any.csv"
        file.write_bytes(raw)
        # A table, or in words why it is none.
        with contextlib.suppress(BadFacts):
            read(file)


def past(line: int = 2, **more: object) -> PastComplaint:
    """One of before."""
    ending = {
        "closed_at": "2025-03-20T00:00:00Z",
        "close_code": "resolved",
        "category": "money",
        "finding": "upheld",
    }
    words = {"description": f"Bill {line} was wrong.", "name": "Mary Past", "email": "mary@past.example"}
    return PastComplaint(line, NOW - timedelta(days=600), "telegram", "en", ending | more, words)


@clause("8.1")
def test_an_imported_complaint_is_closed_marked_and_owes_nothing(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    made = store.write(import_past, [past(), past(3, severity=5)])
    clock.go_on(days=400)
    assert still_due(store) == 0
    for ref in made.values():
        record = store.read(export_record, ref)
        assert (record["state"], record["imported"], record["close_code"]) == ("closed", True, "resolved")
        assert (record["category"], record["issues"][0]["finding"], record["next_due"]) == (
            "money",
            "upheld",
            None,
        )
        assert record["closed_at"] == "2025-03-20T00:00:00Z"
        assert record["targets"] == []
    assert [one.verb for one in store.read(load_history, made[2])] == [Verb.RECEIVE]
    assert store.read(verify).first_bad is None
    assert sorted(store.read(find_by_identifier, "MARY@past.example", "GB")) == sorted(made.values())
    # One person by e-mail, however many complaints.
    assert len({store.read(find_person, ref) for ref in made.values()}) == 1
    assert len(store.examples()) == 2
    assert desk.case(made[2]).is_history


def test_past_complaints_are_counted_apart_in_the_figures(store: Store) -> None:
    Desk(store)
    store.write(import_past, [past(), past(3)])
    period = Period(NOW - timedelta(days=700), NOW)
    counted = monitor(store.for_monitoring(period.start, period.end), period=period, now=NOW)
    assert (counted.received, counted.imported) == (0, 2)
    assert counted.as_json()["apart"]["imported"] == 2


def test_the_same_file_again_imports_nothing_twice(store: Store) -> None:
    Desk(store)
    first = store.write(import_past, [past(), past(3)])
    assert store.write(import_past, [past(), past(3)]) == {}
    assert store.read(list_known_past, [past(), past(4)]) == {2: first[2]}
    again = store.write(import_past, [past(9), past(3)])
    assert list(again) == [9]


def test_an_erased_import_is_not_brought_back_by_its_file(store: Store) -> None:
    Desk(store)
    made = store.write(import_past, [past()])
    store.write(erase_complainant, made[2], "request")
    assert store.write(import_past, [past()]) == {}
    assert store.read(verify).first_bad is None


def test_a_row_that_the_record_refuses_leaves_nothing_of_the_file(store: Store) -> None:
    Desk(store)
    refused(lambda: store.write(import_past, [past(), past(3, close_code="merged")]), BadFacts)
    assert store.read(verify).cases == 0


def test_an_imported_complaint_that_is_reopened_lives_like_any_other(store: Store) -> None:
    desk = Desk(store)
    ref = store.write(import_past, [past()])[2]
    desk.act(ref, Verb.REOPEN, MANAGER, words={"reason": "A new bill, the same fault."})
    case = desk.case(ref)
    assert (case.is_open, case.is_history) == (True, False)
    assert {one.kind for one in store.write(claim, ["card", "thread"], 10, 60)} == {"card", "thread"}
    assert store.read(export_record, ref)["next_due"] is not None
    assert store.read(verify).first_bad is None


def test_an_imported_complaint_is_purged_by_its_own_closing(store: Store) -> None:
    Desk(store)
    ref = store.write(import_past, [past()])[2]
    assert [one.ref for one in store.read(list_expired, {"GB": "12 months"})] == [ref]
    assert store.read(list_expired, {"GB": "24 months"}) == []


@pytest.mark.parametrize("by", [complainant("p1"), SYSTEM])
def test_nobody_but_an_import_calls_a_complaint_past(by: object) -> None:
    arrival = Arrival("A7K-M3Q-9T", "p1", "telegram", "en", NOW, RULES)
    facts = said(field="description", has_words=True) | {"imported": dict(past().ending)}
    refused(
        lambda: receive(arrival, at=NOW, by=by, facts=facts, words={"description": "x"}),  # type: ignore[arg-type]
        Exception,
    )
