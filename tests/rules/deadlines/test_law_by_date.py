"""Each date of the law that a preset uses: the old rule on the day before, the new rule on the day (7.3)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.settings import SettingsError, sections
from amends.settings.presets import coming_changes, law_changes, preset_named, preset_names
from amends.settings.rulebook import preset_targets

NONE = None
CUTOFF = {"open": ("cutoff",), "outside": ("cutoff", "collection")}
SPAIN = ("es_trader", "es_ley10_2025", "es_ley10_2025_electricity", "es_ley10_2025_finance")
#: Preset, rule, the first day of the new value, the value on the day before, and on the day.
DATES: list[tuple[str, str, str, Any, Any]] = [
    ("uk_ofcom", "legal", "2026-04-08", "8 weeks", "6 weeks"),
    ("es_trader", "legal", "2025-12-28", "1 month", "15 days"),
    *((name, "reply_to_body", "2028-09-20", NONE, "20 bd") for name in SPAIN),
    ("es_ley10_2025", "legal", "2025-12-28", "1 month", "15 days"),
    ("es_ley10_2025", "legal", "2026-12-28", "15 days", "15 bd"),
    (
        "es_ley10_2025",
        "clock.billing",
        "2026-12-28",
        NONE,
        {"within": "5 days", "about": ("money", "billing")},
    ),
    (
        "es_ley10_2025",
        "clock.interruption",
        "2026-12-28",
        NONE,
        {"within": "2 h", "about": ("interruption",), "answer": "news"},
    ),
    ("es_ley10_2025", "completion", "2026-12-28", NONE, {"within": "10 bd"}),
    ("es_ley10_2025", "extension_cap", "2026-12-28", NONE, "0 bd"),
    ("es_ley10_2025", "complex_doubles", "2026-12-28", NONE, False),
    ("es_ley10_2025", "hold_off", "2026-12-28", NONE, CUTOFF),
    ("es_ley10_2025", "person_within", "2026-12-28", NONE, "3 min"),
    ("es_ley10_2025_electricity", "legal", "2025-12-28", "1 month", "15 days"),
    ("es_ley10_2025_electricity", "legal", "2026-02-12", "15 days", "15 bd"),
    ("es_ley10_2025_electricity", "hold_off", "2026-12-28", NONE, CUTOFF),
    ("es_ley10_2025_finance", "legal", "2025-12-28", NONE, "1 month"),
    ("es_ley10_2025_finance", "completion", "2025-12-28", NONE, {"within": "10 days"}),
    ("es_ley10_2025_finance", "hold_off", "2026-12-28", NONE, {"open": ("cutoff",), "outside": ("cutoff",)}),
    ("es_rd951", "clock.ley10", "2026-12-28", NONE, {"within": "15 bd"}),
    ("uk_water", "missed_payment.ENG", "2025-07-02", "20 GBP", "40 GBP"),
    ("uk_water", "missed_payment.WLS", "2025-07-02", "20 GBP", "20 GBP"),
    ("municipality", "ack", "2026-04-01", NONE, "5 bd"),
    ("municipality", "decide", "2026-04-01", NONE, "10 bd"),
    ("municipality", "level.2.decide", "2026-04-01", NONE, "20 bd"),
    ("municipality", "level.2.extension_cap", "2026-04-01", NONE, "20 bd"),
    ("au_rg271", "legal", "2021-10-05", NONE, "30 days"),
    ("au_rg271_super", "legal", "2021-10-05", NONE, "45 days"),
    ("au_rg271_hardship", "legal", "2021-10-05", NONE, "21 days"),
    ("de_enwg111a", "reply_to_body", "2028-09-20", NONE, "20 bd"),
    ("de_enwg111a", "reply_to_body_at_most", "2028-09-20", NONE, "30 bd"),
    ("de_bafin", "reply_to_body", "2028-09-20", NONE, "20 bd"),
    ("de_bafin_insurers", "reply_to_body", "2028-09-20", NONE, "20 bd"),
]


@pytest.mark.parametrize(("preset", "rule", "day", "before", "after"), DATES)
def test_the_old_rule_holds_on_the_day_before_and_the_new_one_on_the_day(
    preset: str, rule: str, day: str, before: Any, after: Any
) -> None:
    first = date.fromisoformat(day)
    scheme = preset_named(preset)
    assert scheme.on(first - timedelta(days=1)).get(rule) == before
    assert scheme.on(first).get(rule) == after


@pytest.mark.parametrize("preset", preset_names())
def test_every_date_of_a_preset_is_in_the_table_above(preset: str) -> None:
    texts = ("practice.", "publish.", "recourse.")
    changes = {
        (change.name, change.day.isoformat())
        for change in law_changes(preset_named(preset), date.min, date.max)
        if not change.name.startswith(texts) and change.name != "waiting_limit"
    }
    tested = {(rule, day) for name, rule, day, *_ in DATES if name == preset}
    days_tested = {day for _, day in tested}
    assert {day for _, day in changes} <= days_tested


def test_the_limit_of_the_turkish_committees_is_that_of_its_year() -> None:
    committee = [
        preset_named("tr_6502").on(date(*day)).get("recourse.committee")["limit"]
        for day in ((2026, 12, 31), (2027, 1, 1))
    ]
    assert committee == [
        "disputes under 186,000 TL",
        "disputes under the limit of this year: ask the committee",
    ]


def test_the_financial_returns_of_the_united_kingdom_become_one_in_2027() -> None:
    returns = [
        preset_named("uk_fca_disp").on(date(*day)).get("publish.return")["what"]
        for day in ((2026, 12, 31), (2027, 1, 1))
    ]
    assert [what.split(",")[0] for what in returns] == [
        "the half-yearly complaints return (DISP 1 Annex 1)",
        "the merged half-yearly return",
    ]


def test_coming_changes_are_announced_ninety_days_ahead_and_not_earlier() -> None:
    spain = preset_named("es_ley10_2025")
    announced = {str(change) for change in coming_changes(spain, date(2026, 9, 29))}
    assert "legal from 2026-12-28: 15 days becomes 15 bd" in announced
    assert list(coming_changes(spain, date(2026, 9, 28))) == []
    assert list(coming_changes(spain, date(2026, 12, 28))) == []


def test_the_times_of_a_preset_are_those_of_the_day() -> None:
    spain = [preset_targets("es_ley10_2025", date(2026, 12, day)) for day in (27, 28)]
    assert [targets.legal for targets in spain] == ["15 days", "15 bd"]
    assert [len(targets.clocks) for targets in spain] == [0, 2]
    assert [targets.complex_doubles for targets in spain] == [True, False]


RULE = '[[rule]]\nname = "{name}"\nvalue = {value}\nsource = "Act 1"\ncertain = "law"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            RULE.format(name="legl", value='"5 bd"'),
            ("line 3: rule.1.name", "did you mean legal?", "clock.NAME"),
        ),
        (RULE.format(name="legal", value='"5 moons"'), ("line 4: rule.1.value", "'5 moons'", '"10 bd"')),
        (RULE.format(name="clock.bills", value='{ about = ["money"] }'), ("rule.1.value", "within = ")),
        (
            RULE.format(name="legal", value='"5 bd"') + "from = 2027-01-01\nuntil = 2026-12-31\n",
            ("rule.1.until", "2026-12-31 is before `from`"),
        ),
        (
            RULE.format(name="legal", value='"5 bd"') + 'from = "soon"\n',
            ("line 7: rule.1.from", "write from = 2026-12-28"),
        ),
        (
            RULE.format(name="legal", value='"5 bd"') + "form = 2026-12-28\n",
            ("rule.1.form", "accepted here: name, value, from, until"),
        ),
        (
            RULE.format(name="legal", value='"5 bd"').replace('"law"', '"sure"'),
            ("rule.1.certain", "'authority'"),
        ),
        (
            RULE.format(name="legal", value='"5 bd"').replace('source = "Act 1"\n', ""),
            ("rule.1.source", "write source = "),
        ),
        (RULE.format(name="legal", value='"5 bd"') * 2, ("legal has two values", "`until`")),
        (
            'based_on = "no_such"\n' + RULE.format(name="legal", value='"5 bd"'),
            ("based_on: 'no_such'", "is no other preset"),
        ),
        ("rule = 1 2", ("is not TOML",)),
    ],
)
def test_a_bad_preset_is_refused_with_file_key_and_accepted_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sections, "PRESETS", tmp_path)
    (tmp_path / "own.toml").write_text(f'title = "Own"\n{text}', encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        preset_named.__wrapped__("own")
    assert "own.toml" in str(refused.value)
    for part in says:
        assert part in str(refused.value)
