"""Past complaints are read from any CSV file, refused row by row with reasons, and imported all or none."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.past_complaints import ColumnMapping, doubled, missing, past_complaints, read_mapping, unused
from amends.settings import SettingsError
from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import receive
from complaints.actors import SYSTEM, complainant
from complaints.errors import BadFacts
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Verb
from reports.monitoring import monitor, month_figures
from reports.tally import Period
from store.cases.export import export_record
from store.cases.read import load_history
from store.cases.staff_intake import PastComplaint, import_past, list_known_past
from store.custody.erasure import erase_complainant, find_person, list_expired
from store.custody.verify import verify
from store.outbox.claim import claim
from store.people.identification import find_by_identifier
from store.record.measured import count_months
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import MANAGER, RULES, Desk, refused, still_due
from tests.rules.reports_story import page
from triage.csv.reader import RefusedRow, read_csv
from triage.errors import UnreadableTable

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
HEADER = (
    "received_at,description,closed_at,close_code,channel,category,severity,finding,name,email,customer_ref"
)
ROW = "2025-03-01 09:30,The bill was wrong.,2025-03-20,resolved,phone,money,3,upheld,Mary Past,mary@past.example,C-77"


def file_of(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    file = folder / "past.csv"
    file.write_bytes("\n".join((header, *rows)).encode(encoding))
    return file


def read(file: Path, mapping: ColumnMapping | None = None) -> tuple[list[PastComplaint], list[str]]:
    """The accepted rows, and the refused rows with their reasons."""
    used = mapping or ColumnMapping()
    table = read_csv(
        file, encoding=used.encoding, delimiter=used.delimiter, languages=("en", "tr"), strict=True
    )
    rows = list(past_complaints(table, used, Rulebooks(RULES), now=NOW))
    accepted = [row for row in rows if isinstance(row, PastComplaint)]
    return accepted, [f"{row.line}: {row.reason}" for row in rows if isinstance(row, RefusedRow)]


def test_a_row_becomes_a_past_complaint(tmp_path: Path) -> None:
    (complaint,), reasons = read(file_of(tmp_path, ROW))
    assert reasons == []
    assert complaint.received_at == datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
    assert dict(complaint.ending) == {
        "closed_at": "2025-03-20T00:00:00Z",
        "close_code": "resolved",
        "category": "money",
        "finding": "upheld",
        "severity": 3,
    }
    assert (complaint.channel, complaint.language, complaint.words["customer_ref"]) == ("phone", "en", "C-77")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (("2025-03-01 09:30", "yesterday"), "received_at: is not written as"),
        (("2025-03-01 09:30", "2027-03-01"), "received_at: is in the future"),
        (("2025-03-20", "2025-02-01"), "closed_at: It was closed after it was received"),
        (("2025-03-20", ""), "closed_at: is empty"),
        (("The bill was wrong.", ""), "description: is empty"),
        (("resolved", "fine"), "close_code: 'close_code' is one of"),
        (("phone", "fax"), "channel: write one of"),
        ((",money,", ",cash,"), "category: 'category' is one of"),
        ((",money,", ",,"), "category: With 'finding' the category is needed too"),
        ((",3,", ",9,"), "severity: write a whole number"),
        (("upheld", "maybe"), "finding: 'finding' is one of"),
        (("mary@past.example", "mary at past"), "email: is not valid"),
        (("C-77", "C-77,and,more"), "more cells than the header"),
    ],
)
def test_a_row_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, changed: tuple[str, str], why: str
) -> None:
    file = file_of(tmp_path, ROW.replace("2025-03-01", "2025-03-02"), ROW.replace(*changed))
    accepted, (reason,) = read(file)
    assert len(accepted) == 1
    assert reason.startswith("3: ")
    assert why in reason
    # The report names fields and formats, never words of the row.
    assert "bill was wrong" not in reason
    assert "mary" not in reason


def test_all_reasons_to_refuse_a_row_are_reported(tmp_path: Path) -> None:
    _, (reason,) = read(
        file_of(
            tmp_path, ROW.replace("phone", "fax").replace("2025-03-20", "").replace("The bill was wrong.", "")
        )
    )
    assert reason.count(";") == 2


def test_a_duplicate_row_is_refused(tmp_path: Path) -> None:
    accepted, reasons = read(file_of(tmp_path, ROW, ROW))
    assert (len(accepted), reasons) == (1, ["3: the same as line 2: delete one of the two"])


def test_a_text_over_several_lines_keeps_the_line_numbers_right(tmp_path: Path) -> None:
    long = ROW.replace("The bill was wrong.", '"The bill\nwas wrong,\ntwice."')
    accepted, reasons = read(file_of(tmp_path, long, ROW.replace("phone", "fax")))
    assert accepted[0].words["description"] == "The bill\nwas wrong,\ntwice."
    assert reasons[0].startswith("5: ")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1254"])
def test_encoding_and_delimiter_are_detected(tmp_path: Path, encoding: str, delimiter: str) -> None:
    header, row = (
        delimiter.join(line.split(","))
        for line in (HEADER, ROW.replace("The bill was wrong.", "Şişli’de çamurlu"))
    )
    (complaint,), reasons = read(file_of(tmp_path, row, header=header, encoding=encoding))
    assert reasons == []
    assert complaint.words["description"] == "Şişli’de çamurlu"


def test_columns_words_and_dates_of_the_file_are_mapped(tmp_path: Path) -> None:
    file = file_of(
        tmp_path,
        "01.03.2025;Faulty;20.03.2025;Billing;4711",
        header="Eingang;Text;Ende;Thema;Nr",
        encoding="cp1252",
    )
    mapping_file = tmp_path / "map.toml"
    mapping_file.write_text(
        '[file]\ndate = "%d.%m.%Y"\n[columns]\nEingang = "received_at"\nText = "description"\nEnde = "closed_at"\n'
        'Thema = "category"\n[values.category]\nBilling = "money"\n'
        '[defaults]\nclose_code = "resolved"\nchannel = "letter"\n'
    )
    mapping = read_mapping(mapping_file)
    (complaint,), reasons = read(file, mapping)
    assert (reasons, complaint.ending["category"], complaint.channel) == ([], "money", "letter")
    assert complaint.received_at == datetime(2025, 3, 1, tzinfo=UTC)
    columns = read_csv(file).columns
    assert (unused(columns, mapping), missing(columns, mapping)) == (["Nr"], [])
    assert missing(columns, ColumnMapping()) == [
        "received_at",
        "description",
        "closed_at",
        "close_code",
        "channel",
    ]


def test_a_mapping_with_an_unknown_field_is_refused_with_the_accepted_ones(tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nWhen = "received"\n[colours]\na = "b"\n[file]\ndelimiter = ";;"\n')
    why = str(refused(lambda: read_mapping(mapping), SettingsError))
    assert "columns.When" in why
    assert "received_at" in why
    assert "colours" in why
    assert "file.delimiter" in why


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('file = "cp1252"', "file"),
        ("[file]\ndelimiter = '\"'", "file.delimiter"),
        ('[file]\ndelimiter = "\\n"', "file.delimiter"),
        ('[file]\ndate = "%d %d"', "file.date"),
        ('[file]\ndate = "%Q"', "file.date"),
        ("[file]\nencoding = 1252", "file.encoding"),
        ('[columns]\nWhen = ["received_at"]', "columns.When"),
        ('[values]\ncategory = "money"', "values.category"),
        ("[defaults]\nchannel = 1", "defaults.channel"),
    ],
)
def test_a_wrong_value_in_a_mapping_is_named_by_its_key(tmp_path: Path, text: str, key: str) -> None:
    mapping_file = tmp_path / "map.toml"
    mapping_file.write_text(text)
    assert f"{key}: " in str(refused(lambda: read_mapping(mapping_file), SettingsError))


def test_a_mapping_may_start_with_a_byte_order_mark_and_use_dates_with_a_time_zone(tmp_path: Path) -> None:
    mapping_file = tmp_path / "map.toml"
    mapping_file.write_text('[file]\ndate = "%Y-%m-%dT%H:%M:%S%z"\n', encoding="utf-8-sig")
    assert read_mapping(mapping_file).date == "%Y-%m-%dT%H:%M:%S%z"


def test_a_duplicate_column_is_refused_only_if_it_becomes_a_field() -> None:
    mapping = ColumnMapping(columns={"Text": "description"})
    assert doubled(("Text", "Note", "TEXT", "Note", "channel"), mapping) == ["text"]


def test_a_row_may_have_more_or_fewer_empty_cells_at_its_end_than_columns(tmp_path: Path) -> None:
    short = ROW.replace(",3,upheld,Mary Past,mary@past.example,C-77", "")
    accepted, reasons = read(file_of(tmp_path, f"{ROW},,", short))
    assert (len(accepted), reasons) == (2, [])
    assert dict(accepted[1].words) == {"description": "The bill was wrong."}


def test_a_date_at_the_edge_of_the_calendar_is_refused(tmp_path: Path) -> None:
    reasons = [
        read(file_of(tmp_path, ROW.replace("2025-03-01 09:30", day)))[1]
        for day in ("0001-01-01 00:00+02:00", "9999-12-31 23:59-02:00", "10000-01-01")
    ]
    assert all("received_at: is not written as" in reason for (reason,) in reasons)


def test_an_unclosed_quotation_mark_refuses_the_file(tmp_path: Path) -> None:
    file = file_of(tmp_path, ROW.replace("The bill", '"The bill'), ROW.replace("2025-03-01", "2025-03-02"))
    refused(lambda: read(file), UnreadableTable)


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(raw: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "any.csv"
        file.write_bytes(raw)
        with contextlib.suppress(UnreadableTable):
            read(file)


def past(line: int = 2, **more: object) -> PastComplaint:
    """A complaint that was closed before the desk was installed."""
    ending = {
        "closed_at": "2025-03-20T00:00:00Z",
        "close_code": "resolved",
        "category": "money",
        "finding": "upheld",
    }
    words = {"description": f"Bill {line} was wrong.", "name": "Mary Past", "email": "mary@past.example"}
    return PastComplaint(line, NOW - timedelta(days=600), "telegram", "en", ending | more, words)


@clause("8.1")
def test_an_imported_complaint_is_closed_and_marked_and_has_no_obligations(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    refs = store.write(import_past, [past(), past(3, severity=5)])
    clock.go_on(days=400)
    assert still_due(store) == 0
    for ref in refs.values():
        record = store.read(export_record, ref)
        assert (record["state"], record["imported"], record["close_code"]) == ("closed", True, "resolved")
        assert (record["category"], record["issues"][0]["finding"], record["next_due"]) == (
            "money",
            "upheld",
            None,
        )
        assert record["closed_at"] == "2025-03-20T00:00:00Z"
        assert record["targets"] == []
    assert [event.verb for event in store.read(load_history, refs[2])] == [Verb.RECEIVE]
    assert store.read(verify).first_bad is None
    assert sorted(store.read(find_by_identifier, "MARY@past.example", "GB")) == sorted(refs.values())
    # The same e-mail address is the same person, in any number of complaints.
    assert len({store.read(find_person, ref) for ref in refs.values()}) == 1
    assert len(store.examples()) == 2
    assert desk.case(refs[2]).is_history


@clause("8.4")
def test_past_complaints_are_counted_as_received_and_have_no_targets_or_times(store: Store) -> None:
    desk = Desk(store)
    store.write(import_past, [past(), past(3)])
    desk.receive()
    period = Period(NOW - timedelta(days=700), NOW + timedelta(days=1))
    compared = store.compared(period.start, period.end, NOW, "UTC")
    counted = monitor(
        store.for_monitoring(period.start, period.end), period=period, now=NOW, **compared._asdict()
    )
    assert (counted.received, counted.imported) == (3, 2)
    assert sum(counted.volume["channel"].values()) == 3
    assert sum(counted.volume["priority"].values()) == 1
    assert max(duration.working_days.n for duration in counted.durations) == 1
    assert max(figure.share.of for figure in counted.shares) <= 1
    assert "2 of them were imported" in page(counted)
    bounds = [datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]
    (year,) = store.read(count_months, bounds)
    month = month_figures(year, NOW)
    assert (month.received, month.open_at_end, month.to_decision.n) == (2, 0, 0)


def test_the_same_file_again_imports_nothing_twice(store: Store) -> None:
    Desk(store)
    first = store.write(import_past, [past(), past(3)])
    assert store.write(import_past, [past(), past(3)]) == {}
    assert store.read(list_known_past, [past(), past(4)]) == {2: first[2]}
    again = store.write(import_past, [past(9), past(3)])
    assert list(again) == [9]


def test_an_erased_import_does_not_return_with_its_file(store: Store) -> None:
    Desk(store)
    refs = store.write(import_past, [past()])
    store.write(erase_complainant, refs[2], "request")
    assert store.write(import_past, [past()]) == {}
    assert store.read(verify).first_bad is None


def test_a_row_refused_by_the_rules_imports_nothing_of_the_file(store: Store) -> None:
    Desk(store)
    refused(lambda: store.write(import_past, [past(), past(3, close_code="merged")]), BadFacts)
    assert store.read(verify).cases == 0


def test_a_reopened_imported_complaint_is_like_any_other(store: Store) -> None:
    desk = Desk(store)
    ref = store.write(import_past, [past()])[2]
    desk.act(ref, Verb.REOPEN, MANAGER, words={"reason": "A new bill, the same fault."})
    case = desk.case(ref)
    assert (case.is_open, case.is_history) == (True, False)
    assert {obligation.kind for obligation in store.write(claim, ["card", "thread"], 10, 60)} == {
        "card",
        "thread",
    }
    assert store.read(export_record, ref)["next_due"] is not None
    assert store.read(verify).first_bad is None


def test_an_imported_complaint_is_purged_by_its_own_closing_date(store: Store) -> None:
    Desk(store)
    ref = store.write(import_past, [past()])[2]
    assert [case.ref for case in store.read(list_expired, {"GB": "12 months"})] == [ref]
    assert store.read(list_expired, {"GB": "24 months"}) == []


@pytest.mark.parametrize("actor", [complainant("p1"), SYSTEM])
def test_only_an_import_may_record_a_past_complaint(actor: object) -> None:
    arrival = Arrival("A7K-M3Q-9T", "p1", "telegram", "en", NOW, RULES)
    facts = message_facts(field="description", has_words=True) | {"imported": dict(past().ending)}
    refused(
        lambda: receive(arrival, at=NOW, actor=actor, facts=facts, words={"description": "x"}),  # type: ignore[arg-type]
        Exception,
    )
