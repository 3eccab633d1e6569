"""One report in every format and language (clause 8)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import pytest

from amends.documents.labels import Labels, load_labels
from reports.document import (
    CalendarMonth,
    Chart,
    ChartKind,
    Column,
    Estimate,
    KeyFigure,
    Label,
    Mark,
    MeasureUnit,
    Money,
    Ref,
    Report,
    Section,
    Table,
    Tone,
    Verbatim,
    references,
    text,
    without_references,
)
from reports.output.render_markdown import as_markdown
from reports.output.wording import in_words
from reports.statistics import Share
from reports.tally import Period

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
FIGURE = text("report.column.figure")


def a_report() -> Report:
    rows = (
        (
            Label("category", "delivery"),
            Share(41, 50),
            Estimate(1234.5, MeasureUnit.WORKING_DAYS),
            Ref("A7K-M3Q-9T"),
        ),
        (
            Verbatim("two|parts ![x](http://a.example/) <b>"),
            Share(2, 3),
            Estimate(-0.05, MeasureUnit.POINTS, low=-0.1, high=0.01),
            None,
        ),
        (
            CalendarMonth(date(2026, 11, 1)),
            1200,
            Money(Decimal("1234.5"), "EUR"),
            (Ref("B7K-M3Q-9T"), Ref("C7K-M3Q-9T")),
        ),
    )
    names = ("label", "share", "other", "refs")
    return Report(
        kind="monitoring",
        clause="8.4",
        title=text("report.figures"),
        as_of=NOW,
        period=Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)),
        summary=(Mark(Tone.BAD, text("report.empty")),),
        figures=(KeyFigure("share", FIGURE, Share(41, 50), Estimate(0.9, MeasureUnit.SHARE, 0)),),
        sections=(
            Section(
                "first",
                text("report.summary"),
                tables=(Table("rows", FIGURE, tuple(Column(name, FIGURE) for name in names), rows),),
                charts=(Chart("dots", FIGURE, ChartKind.DOTS, "rows", "label", ("share",)),),
            ),
        ),
        damaged=("D7K-M3Q-9T",),
    )


def labels(language: str) -> Labels:
    return load_labels((language,), "Europe/London", staff=True)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("82.0% (41 of 50; 69.2% to 90.2%)", "1,234.5 working days", "-5.0 points (-10.0 to +1.0)")),
        ("tr", ("%82,0", "1.234,5 iş günü", "Kasım 2026", "1 Ekim 2026 – 31 Ekim 2026")),
        ("de", ("82,0\xa0%", "1.234,50\xa0€", "zu wenige (3)", "B7K-M3Q-9T und C7K-M3Q-9T")),
        ("es", ("82,0\xa0%", "1.234,5 días hábiles", "noviembre de 2026", "Del 1 de octubre de 2026 al")),
    ],
)
def test_each_language_writes_the_values_of_a_report_as_its_readers_do(
    language: str, words: tuple[str, ...]
) -> None:
    page = as_markdown(a_report(), labels(language)).replace("\xa0", " ")
    assert [phrase for phrase in words if phrase.replace("\xa0", " ") not in page] == []
    assert "two\\|parts !\\[x](http://a.example/) &lt;b>" in page


def test_references_that_a_reader_may_not_know_of_are_left_out_and_stay_counted() -> None:
    report = a_report()
    assert references(report) == {"A7K-M3Q-9T", "B7K-M3Q-9T", "C7K-M3Q-9T", "D7K-M3Q-9T"}
    hidden = without_references(report, frozenset({"A7K-M3Q-9T", "B7K-M3Q-9T", "D7K-M3Q-9T"}))
    assert references(hidden) == {"C7K-M3Q-9T", ""}
    assert len(hidden.sections[0].tables[0].rows) == 2
    page = as_markdown(hidden, labels("en"))
    assert "C7K-M3Q-9T" in page
    assert "1 complaint cannot be read" in page


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
@pytest.mark.parametrize("unit", [MeasureUnit.PLAIN, MeasureUnit.SHARE, MeasureUnit.POINTS])
def test_an_interval_with_one_open_end_is_written_with_the_other(language: str, unit: MeasureUnit) -> None:
    words = {
        in_words(Estimate(0.5, unit, 0, low, high), labels(language))
        for low, high in product((None, 0.25), (None, 0.75))
    }
    assert len(words) == 4


def test_a_title_turns_no_words_around_it() -> None:
    assert in_words(Verbatim("Refunds \u202egnp.exe\u2066 late"), labels("en")) == "Refunds gnp.exe late"


def test_an_open_interval_is_read_as_at_least_and_at_most() -> None:
    texts = labels("en")
    assert in_words(Estimate(9, digits=0, low=2), texts) == "9 (2 or more)"
    assert in_words(Estimate(9, digits=0, high=12), texts) == "9 (12 or less)"
    assert in_words(Estimate(0.0, digits=0, low=0.0, high=0.0), texts) == "0 (0 to 0)"
    assert in_words(Estimate(None, low=2), texts) == "too few"
