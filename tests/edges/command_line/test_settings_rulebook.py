"""From settings to the rulebook: holidays, precedence, levels, limits, recourse, jurisdictions."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from amends.checks import _hazards, scheme_findings
from amends.settings import SettingsError, cautions, load, rulebook
from amends.settings.presets import preset_named, preset_names
from complaints.deadlines.working_time import due
from complaints.hazards import table_hash
from complaints.rulebook import (
    FastTrack,
    LevelTargets,
    Limit,
    OnCall,
    PriorityTargets,
    RecourseStep,
    Rulebook,
    as_json,
    from_json,
)

HEAD = """\
[organisation]
name = "Northwind Water"
country = "GB"
region = "ENG"
timezone = "Europe/London"
languages = ["en", "tr"]
{organisation}
[calendar]
hours = "Mon-Fri 09:00-17:30"
[slack]
triage_channel = "C0000001"
restricted_channel = "C0000002"
executive_channel = "C0000003"
"""


def rules(folder: Path, extra: str = "", *, organisation: str = "", country: str | None = None) -> Rulebook:
    file = folder / "amends.toml"
    file.write_text(HEAD.format(organisation=organisation) + extra, encoding="utf-8")
    return rulebook(load(file, {}), country, year=2026)


def warnings_of(folder: Path, extra: str) -> list[str]:
    rules(folder, extra)
    return cautions(load(folder / "amends.toml", {}))


def test_named_holidays_cover_two_past_and_eight_future_years(tmp_path: Path) -> None:
    holidays = rules(tmp_path).calendar.holidays
    assert holidays[date(2026, 12, 28)] == "Boxing Day (observed)"
    assert holidays[date(2026, 8, 31)] == "Late Summer Bank Holiday"
    assert (min(holidays).year, max(holidays).year) == (2024, 2034)


def test_the_worked_example_over_christmas_is_correct_with_real_holidays(tmp_path: Path) -> None:
    london = ZoneInfo("Europe/London")
    end = due(datetime(2026, 12, 24, 10, tzinfo=london), "2 bd", rules(tmp_path).calendar)
    assert end.at == datetime(2026, 12, 30, 17, 30, tzinfo=UTC)


def test_closing_days_of_the_organisation_count_as_holidays(tmp_path: Path) -> None:
    calendar = rules(tmp_path, '[calendar.closed]\n2026-12-24 = "Closed for stocktaking"\n').calendar
    assert calendar.holidays[date(2026, 12, 24)] == "Closed for stocktaking"
    assert calendar.closures == {date(2026, 12, 24): "Closed for stocktaking"}
    assert date(2026, 12, 24) not in calendar.by_law.holidays


def test_a_public_holiday_that_is_also_a_closing_day_stays_a_public_holiday(tmp_path: Path) -> None:
    calendar = rules(tmp_path, '[calendar.closed]\n2026-12-25 = "Closed"\n').calendar
    assert calendar.closures == {}
    assert date(2026, 12, 25) in calendar.by_law.holidays


@pytest.mark.parametrize(
    ("country", "hours", "weekdays"),
    [
        ("GB", "Mon-Thu 09:00-17:00", (4,)),
        ("GB", "Mon-Sat 09:00-17:00", ()),
        ("IL", "Sun-Thu 09:00-17:00", ()),
    ],
)
def test_a_weekday_without_hours_is_a_working_day_of_the_law(
    tmp_path: Path, country: str, hours: str, weekdays: tuple[int, ...]
) -> None:
    text = HEAD.format(organisation="").replace("Mon-Fri 09:00-17:30", hours)
    text = text.replace('"GB"', f'"{country}"').replace('region = "ENG"\n', "")
    (tmp_path / "amends.toml").write_text(text, encoding="utf-8")
    assert rulebook(load(tmp_path / "amends.toml", {}), year=2026).calendar.closed_weekdays == weekdays


def test_a_closure_that_would_have_moved_a_legal_date_gives_a_warning(tmp_path: Path) -> None:
    year = datetime.now(UTC).year + 1
    monday = next(date(year, 9, day) for day in range(7, 14) if date(year, 9, day).weekday() == 0)
    (warning,) = [
        line
        for line in warnings_of(tmp_path, f'[calendar.closed]\n{monday} = "Stocktaking"\n')
        if "closed" in line
    ]
    assert f"closed {monday} (Stocktaking): that moves your own dates, and no legal one" in warning
    assert "`legal` (10 bd, GB) stays" in warning
    assert not any("closed" in line for line in warnings_of(tmp_path, ""))


@pytest.mark.parametrize(
    ("region", "pays"), [("ENG", Limit(4000, "GBP")), ("WLS", Limit(2000, "GBP")), ("", None)]
)
def test_the_payment_of_water_companies_follows_the_region(
    tmp_path: Path, region: str, pays: Limit | None
) -> None:
    text = HEAD.format(organisation='preset = "uk_water"')
    text = text.replace('region = "ENG"\n', f'region = "{region}"\n' if region else "")
    (tmp_path / "amends.toml").write_text(text, encoding="utf-8")
    settings = load(tmp_path / "amends.toml", {})
    assert rulebook(settings, year=2026).missed_payment == pays
    assert any("set the region (ENG 40 GBP, WLS 20 GBP)" in line for line in cautions(settings)) is (
        pays is None
    )


@pytest.mark.parametrize("preset", preset_names())
def test_each_time_that_a_preset_calls_law_names_its_source(preset: str) -> None:
    unsourced = [
        rule.name
        for rule in preset_named(preset).rules
        if rule.certain != "own" and rule.source.startswith("our own")
    ]
    assert unsourced == []


CLOSURES = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
SUMMARY:Summer break\r
DTSTART;VALUE=DATE:20260803\r
DTEND;VALUE=DATE:20260815\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Fire drill\r
DTSTART:20261103T100000\r
DTEND:20261103T110000\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_days_off_are_also_read_from_calendar_files(tmp_path: Path) -> None:
    (tmp_path / "closures.ics").write_text(CLOSURES, encoding="utf-8", newline="")
    organisation = 'preset = "small_business"\n'
    without_file = rules(
        tmp_path, '[calendar.closed]\n2026-08-04 = "Stocktaking"\n', organisation=organisation
    )
    assert date(2026, 8, 3) not in without_file.calendar.holidays
    file = tmp_path / "amends.toml"
    text = file.read_text(encoding="utf-8").replace("[calendar]", '[calendar]\nics = ["closures.ics"]')
    file.write_text(text, encoding="utf-8")
    settings = load(file, {})
    holidays = rulebook(settings, year=2026).calendar.holidays
    assert (holidays[date(2026, 8, 3)], holidays[date(2026, 8, 4)]) == ("Summer break", "Stocktaking")
    assert date(2026, 8, 15) not in holidays
    assert "Christmas Day" in holidays.values()
    (left_out,) = [caution for caution in cautions(settings) if "Fire drill" in caution]
    assert left_out.startswith(
        "not counted as a day off: closures.ics: line 7: Fire drill: it is not a whole day"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), ("date,name\n", "line 1: 'date,name' is no line of an iCalendar file")],
)
def test_an_unreadable_calendar_file_is_refused_with_its_line_in_the_settings(
    tmp_path: Path, content: str | None, why: str
) -> None:
    rules(tmp_path)
    if content is not None:
        (tmp_path / "own.ics").write_text(content, encoding="utf-8")
    file = tmp_path / "amends.toml"
    text = file.read_text(encoding="utf-8").replace("[calendar]", '[calendar]\nics = ["own.ics"]')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert why in str(refused.value)
    assert re.search(r"line \d+: calendar\.ics", str(refused.value))
    assert "[calendar.closed]" in str(refused.value)


def test_a_calendar_file_that_closes_every_day_is_refused(tmp_path: Path) -> None:
    event = "BEGIN:VEVENT\nSUMMARY:Closed\nDTSTART;VALUE=DATE:20260706\nRRULE:FREQ=DAILY\nEND:VEVENT"
    (tmp_path / "own.ics").write_text(f"BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR\n", encoding="utf-8")
    rules(tmp_path)
    file = tmp_path / "amends.toml"
    text = file.read_text(encoding="utf-8").replace("[calendar]", '[calendar]\nics = ["own.ics"]')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="no day is worked in the year after 2026-07-03"):
        rulebook(load(file, {}), year=2026)


def test_by_default_the_times_are_those_of_the_preset_and_the_priority_table(tmp_path: Path) -> None:
    targets = rules(tmp_path).targets
    assert targets.by_priority == {
        "P1": PriorityTargets("30 min", "4 h", "1 day", "5 bd"),
        "P2": PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
        "P3": PriorityTargets("1 bd", "3 bd", "5 bd", "5 bd"),
        "P4": PriorityTargets("2 bd", "5 bd", "10 bd", "5 bd"),
    }
    assert (targets.ack, targets.legal, targets.extension_cap) == ("1 bd", "10 bd", None)


def test_a_time_for_one_priority_overrides_one_for_all_which_overrides_the_preset(tmp_path: Path) -> None:
    targets = rules(
        tmp_path, '[targets]\ndecide = "8 bd"\nack = "4 wh"\n[targets.P4]\ndecide = "9 bd"\n'
    ).targets
    decide = {name: priority_targets.decide for name, priority_targets in targets.by_priority.items()}
    assert decide == {"P1": "5 bd", "P2": "5 bd", "P3": "8 bd", "P4": "9 bd"}
    assert targets.ack == "4 wh"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("6 bd", "5 bd"),
        ("8 weeks", "5 bd"),
        ("2 months", "5 bd"),
        ("3 bd", "3 bd"),
        ("2 days", "2 days"),
        ("40 wh", "40 wh"),
        ("43 wh", "5 bd"),
    ],
)
def test_a_time_for_all_priorities_never_delays_the_most_urgent_ones(
    tmp_path: Path, span: str, expected: str
) -> None:
    targets = rules(tmp_path, f'[targets]\ndecide = "{span}"\n').targets
    assert (targets.by_priority["P1"].decide, targets.by_priority["P3"].decide) == (expected, span)
    assert targets.overrides == ()


def test_a_later_time_set_for_an_urgent_priority_applies_with_a_warning(tmp_path: Path) -> None:
    extra = '[targets.P1]\nlook = "2 h"\n[targets.P2]\ndecide = "4 bd"\n'
    targets = rules(tmp_path, extra).targets
    assert (targets.by_priority["P1"].look, targets.overrides) == ("2 h", ("P1.look",))
    assert warnings_of(tmp_path, extra) == [
        "targets.P1.look is later than the default for the most urgent complaints"
    ]


def test_no_preset_delays_the_most_urgent_priorities(tmp_path: Path) -> None:
    targets = rules(tmp_path, organisation='preset = "municipality"').targets
    assert [targets.by_priority[name].decide for name in ("P1", "P2", "P3", "P4")] == [
        "5 bd",
        "5 bd",
        "10 bd",
        "10 bd",
    ]
    assert (targets.ack, targets.legal, targets.extension_cap, targets.escalated_ack) == (
        "5 bd",
        None,
        "10 bd",
        "5 bd",
    )


@pytest.mark.parametrize(
    ("preset", "legal", "levels", "body"),
    [
        ("small_business", "10 bd", {1, 2}, "Citizens Advice consumer service"),
        ("uk_fca_disp", "8 weeks", {1}, "Financial Ombudsman Service"),
        ("au_rg271", "30 days", {1, 2}, "Australian Financial Complaints Authority (AFCA)"),
        ("municipality", None, {1, 2}, "Local Government and Social Care Ombudsman"),
        ("uk_fca_disp_payments", "35 bd", {1}, "Financial Ombudsman Service"),
        ("au_rg271_super", "45 days", {1, 2}, "Australian Financial Complaints Authority (AFCA)"),
        ("au_rg271_hardship", "21 days", {1, 2}, "Australian Financial Complaints Authority (AFCA)"),
        ("spso", None, {1, 2}, "Scottish Public Services Ombudsman (SPSO)"),
        ("uk_water", "10 bd", {1, 2}, "CCW (Consumer Council for Water)"),
        ("tr_public", "30 days", {1, 2}, "Kamu Denetçiliği Kurumu (KDK)"),
        ("uk_ofcom", "6 weeks", {1}, "Communications Ombudsman or CISAS, whichever we belong to"),
    ],
)
def test_every_preset_gives_a_complete_rulebook(
    tmp_path: Path, preset: str, legal: str | None, levels: set[int], body: str
) -> None:
    loaded = rules(tmp_path, organisation=f'preset = "{preset}"')
    assert (loaded.preset, loaded.targets.legal, set(loaded.levels)) == (
        preset,
        legal,
        levels,
    )
    assert loaded.recourse[0].body == body
    assert from_json(json.loads(json.dumps(as_json(loaded)))) == loaded


def test_a_preset_sets_how_times_are_counted_and_the_targets_of_its_second_level(tmp_path: Path) -> None:
    town = rules(tmp_path, organisation='preset = "municipality"').targets
    assert (town.decide_from, town.complex_doubles, town.delay_notice, town.delay_outside) == (
        "acknowledged",
        False,
        "1 bd",
        True,
    )
    assert town.by_level == {2: LevelTargets(ack="5 bd", decide="20 bd", extension_cap="20 bd")}
    small = rules(tmp_path).targets
    assert (small.decide_from, small.delay_notice) == ("received", "1 bd")
    assert small.by_level == {2: LevelTargets(outside_when_missed=True)}
    assert rules(tmp_path, '[targets]\ndelay_notice = "2 bd"\n').targets.delay_notice == "2 bd"


@pytest.mark.parametrize(
    ("preset", "track", "window"),
    [
        ("uk_fca_disp", FastTrack("3 bd"), "72 months"),
        ("au_rg271", FastTrack("5 bd"), None),
        ("au_rg271_super", FastTrack("5 bd"), None),
        ("au_rg271_hardship", FastTrack("5 bd"), None),
        ("municipality", None, "12 months"),
        ("small_business", None, "24 months"),
    ],
)
def test_a_preset_sets_the_fast_track_and_the_time_limit_for_complaining(
    tmp_path: Path, preset: str, track: FastTrack | None, window: str | None
) -> None:
    loaded = rules(tmp_path, organisation=f'preset = "{preset}"')
    assert (loaded.fast_track, loaded.accept_within) == (track, window)


def test_levels_limits_on_call_cover_and_danger_signs_are_read(tmp_path: Path) -> None:
    loaded = rules(
        tmp_path,
        '[levels]\n1 = ["handler"]\n[authority]\nhandler = { amount = "99.50 GBP" }\n'
        '[on_call]\nhours = "Mon-Fri 22:00-06:00"\npeople = ["U0000002"]\n'
        '[[danger]]\nsigns = ["gas"]\nnumber = "0800"\ntext.en = "Call {number}."\n',
    )
    assert loaded.levels == {1: ("handler",)}
    assert loaded.authority == {"handler": Limit(9950, "GBP")}
    assert loaded.on_call.hours[5] == ((0, 360),)
    assert loaded.danger[0].text == {"en": "Call {number}."}


@pytest.mark.parametrize(
    ("amount", "limit", "words"),
    [
        ("100", Limit(10_000, "GBP"), "100.00 GBP"),
        ('"99.50"', Limit(9_950, "GBP"), "99.50 GBP"),
        ('["50 GBP", "60 EUR"]', Limit(5_000, "GBP", {"EUR": 6_000}), "50.00 GBP / 60.00 EUR"),
    ],
)
def test_a_role_has_a_limit_in_the_currency_of_the_country_or_in_several(
    tmp_path: Path, amount: str, limit: Limit, words: str
) -> None:
    loaded = rules(tmp_path, f"[authority]\nhandler = {{ amount = {amount} }}\n")
    assert loaded.authority == {"handler": limit}
    assert str(loaded.authority["handler"]) == words
    assert from_json(as_json(loaded)) == loaded


def test_the_accounts_of_simulated_contacts_are_in_the_rulebook(tmp_path: Path) -> None:
    assert rules(tmp_path).simulated == ()
    loaded = rules(tmp_path, '[simulation]\ntelegram = ["700000001"]\n')
    assert loaded.simulated == ("700000001",)
    assert from_json(as_json(loaded)) == loaded


def test_without_on_call_people_there_is_no_cover(tmp_path: Path) -> None:
    assert rules(tmp_path).on_call == OnCall()


def test_the_organisations_own_recourse_replaces_every_default(tmp_path: Path) -> None:
    extra = '[[recourse]]\nbody = "Water ombudsman"\nlimit = "12 months"\n'
    assert rules(tmp_path, extra).recourse == (RecourseStep("Water ombudsman", limit="12 months"),)


def test_a_country_without_a_known_body_names_a_general_outside_body(tmp_path: Path) -> None:
    elsewhere = rules(tmp_path, '[jurisdiction.BR]\ntimezone = "America/Sao_Paulo"\n', country="BR")
    assert elsewhere.recourse == (
        RecourseStep("The public consumer protection body or ombudsman for this matter"),
    )


def test_a_second_country_has_its_own_rules_and_inherits_the_rest(tmp_path: Path) -> None:
    extra = (
        '[privacy]\nnotice = "https://northwind.example/privacy"\n'
        '[jurisdiction.TR]\ntimezone = "Europe/Istanbul"\nlanguages = ["tr"]\nemergency_number = "113"\n'
        '[jurisdiction.TR.calendar]\nhours = "Mon-Fri 08:30-17:00"\n'
        '[jurisdiction.TR.authority]\nhandler = { amount = "5000 TRY" }\n'
        '[jurisdiction.TR.privacy]\nnotice = "https://northwind.example/gizlilik"\nretention = "120 months"\n'
        '[jurisdiction.TR.targets]\nack = "2 wh"\n'
        '[[jurisdiction.TR.danger]]\nsigns = ["gaz"]\nnumber = "187"\n'
    )
    own, other = rules(tmp_path, extra), rules(tmp_path, extra, country="TR")
    assert (own.country, own.calendar.zone, own.notice) == (
        "GB",
        "Europe/London",
        "https://northwind.example/privacy",
    )
    assert (other.country, other.region, other.calendar.zone) == ("TR", None, "Europe/Istanbul")
    assert other.calendar.holidays[date(2026, 10, 29)] == "Republic Day"
    assert (other.languages, other.emergency_number, other.targets.ack) == (("tr",), "113", "2 wh")
    assert other.authority == {"handler": Limit(500000, "TRY")}
    assert (other.danger[0].number, own.danger) == ("187", ())
    assert (other.retention, other.notice) == ("120 months", "https://northwind.example/gizlilik")
    assert [step.body for step in other.recourse] == ["Tüketici hakem heyeti"]
    assert (other.organisation, other.survey) == (own.organisation, own.survey)


def test_holidays_are_named_in_the_language_of_the_staff(tmp_path: Path) -> None:
    turkish = rules(tmp_path, "[jurisdiction.TR]\n", organisation='staff_language = "tr"', country="TR")
    assert turkish.calendar.holidays[date(2026, 10, 29)] == "Cumhuriyet Bayramı"


def test_an_unknown_jurisdiction_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"jurisdiction\.DE: is not set; known are GB"):
        rules(tmp_path, country="DE")


def test_a_country_with_regional_holidays_but_no_region_gives_a_warning(tmp_path: Path) -> None:
    rules(tmp_path)
    file = tmp_path / "amends.toml"
    file.write_text(file.read_text().replace('region = "ENG"\n', ""))
    assert cautions(load(file, {})) == [
        "no region is set for GB: holidays of parts do not count (ENG, NIR, SCT, WLS)"
    ]


def test_a_retention_shorter_than_the_preset_requires_gives_a_warning(tmp_path: Path) -> None:
    organisation = 'preset = "uk_fca_disp"'
    rules(tmp_path, '[privacy]\nretention = "12 months"\n', organisation=organisation)
    warnings = cautions(load(tmp_path / "amends.toml", {}))
    assert any("uk_fca_disp asks to keep them for 36 months from receipt" in warning for warning in warnings)
    rules(tmp_path, '[privacy]\nretention = "36 months"\n', organisation=organisation)
    assert not any("asks to keep" in warning for warning in cautions(load(tmp_path / "amends.toml", {})))


def test_a_retention_that_purges_files_gives_a_warning(tmp_path: Path) -> None:
    (warning,) = warnings_of(tmp_path, '[privacy]\nretention = "24 months"\n')
    assert warning.startswith("privacy.retention purges files 24 months after closing (GB)")


def test_retention_may_be_counted_from_receipt(tmp_path: Path) -> None:
    organisation = 'preset = "uk_fca_disp"'
    loaded = rules(tmp_path, '[privacy]\nretention = "36 months  from receipt"\n', organisation=organisation)
    assert loaded.retention == "36 months from receipt"
    warnings = cautions(load(tmp_path / "amends.toml", {}))
    assert any("36 months after receipt (GB), but claims may be brought" in warning for warning in warnings)
    assert not any("asks to keep" in warning for warning in warnings)
    assert rules(tmp_path, '[privacy]\nretention = "72 months from closing"\n').retention == "72 months"
    with pytest.raises(SettingsError, match="is not a length of time"):
        rules(tmp_path, '[privacy]\nretention = "36 months from birth"\n')


def test_equal_settings_give_the_same_rulebook_before_and_after_storage(tmp_path: Path) -> None:
    first, second = rules(tmp_path), rules(tmp_path)
    assert first.id == second.id
    assert from_json(json.loads(json.dumps(as_json(first)))) == first


def test_the_check_announces_changes_of_the_law_and_clocks_that_no_category_starts(tmp_path: Path) -> None:
    rules(tmp_path, organisation='preset = "es_ley10_2025"')
    settings = load(tmp_path / "amends.toml", {})
    findings = [
        f"{finding.mark} {finding.result}"
        for finding in scheme_findings(settings, {"es_ley10_2025"}, date(2026, 12, 1))
    ]
    assert "warn the law changes: legal from 2026-12-28: 15 days becomes 15 bd" in findings
    assert "warn clock.interruption (2 h) is for no category that you have" in findings
    on_the_day = list(scheme_findings(settings, {"es_ley10_2025"}, date(2026, 12, 28)))
    assert not any("the law changes" in finding.result for finding in on_the_day)
    assert any("publish: the yearly evaluation" in finding.result for finding in on_the_day)


def test_a_plan_of_investigation_in_the_settings_replaces_ours_and_unknown_evidence_is_refused(
    tmp_path: Path,
) -> None:
    table = '[investigation.2]\nsteps = ["similar_cases"]\nrequired = ["records_checked"]\n'
    plan = rules(tmp_path, table).investigation[2]
    assert (plan.steps, plan.required) == (("similar_cases",), ("records_checked",))
    with pytest.raises(SettingsError, match="no kind of evidence"):
        rules(tmp_path, table.replace("similar_cases", "rumours"))


def signed(countries: set[str], on: str = "2026-11-01", signature: str | None = None) -> str:
    hash_ = signature or table_hash(frozenset(countries))
    return f'[hazards]\nsigned_by = "Jo Reed"\nsigned_on = {on}\nhash = "{hash_}"\n'


def test_a_signature_on_the_hazards_holds_for_twelve_months_and_for_these_very_sentences(
    tmp_path: Path,
) -> None:
    assert rules(tmp_path, signed({"GB"})).hazards_signed_until == "2027-11-01"
    assert rules(tmp_path, signed({"DE"})).hazards_signed_until == ""
    assert rules(tmp_path, signed({"GB"}, signature="0" * 64)).hazards_signed_until == ""
    assert rules(tmp_path).hazards_signed_until == ""


def test_half_a_signature_on_the_hazards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="amends danger print"):
        rules(tmp_path, '[hazards]\nsigned_by = "Jo Reed"\n')


@pytest.mark.parametrize(
    ("table", "mark", "words"),
    [
        ("", "warn", "not signed"),
        (signed({"GB"}, signature="0" * 64), "warn", "Jo Reed signed other sentences"),
        (signed({"GB"}, on="2020-01-01"), "warn", "ended on 2020-12-31"),
        (signed({"GB"}, on="2090-01-01"), "ok", "signed by Jo Reed, until 2091-01-01"),
    ],
)
def test_check_says_whether_the_hazards_are_signed(tmp_path: Path, table: str, mark: str, words: str) -> None:
    rulebook_ = rules(tmp_path, table)
    finding = _hazards(load(tmp_path / "amends.toml", {}), rulebook_)
    assert (finding.mark, words in str(finding)) == (mark, True)
