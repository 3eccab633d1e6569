"""`amends check` says what roles may grant, and which decisions would leave nobody to review them (4.5, E)."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.checks import _authority, _levels, review_gap
from amends.demo.settings import SETTINGS
from amends.settings import Settings, load, rulebooks
from complaints.vocabulary import Role

LEVELS = {1: ("handler", "manager"), 2: ("manager", "top_management")}
H, M, T = Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT


@pytest.mark.parametrize(
    ("roster", "gap"),
    [
        ({"a": {H}, "m": {M}, "t": {T}}, "m that t approves"),
        ({"a": {H}, "m": {M}, "n": {M}, "t": {T}}, None),
        ({"a": {H}, "m": {M}}, "a decision by m"),
        ({"o": {H, T}}, "a decision by o"),
        ({"a": {H}, "t": {T}}, "a that t approves"),
    ],
)
def test_a_roster_is_searched_for_a_decision_that_nobody_could_review(
    roster: dict[str, set[Role]], gap: str | None
) -> None:
    result = review_gap(roster, LEVELS, 2)
    assert (gap in result) if gap and result else result is gap


def test_a_third_level_needs_people_beyond_both_levels_below() -> None:
    levels = {**LEVELS, 3: ("top_management",)}
    roster = {"a": {H}, "m": {M}, "n": {M}, "t": {T}}
    assert review_gap(roster, levels, 2) is None
    assert review_gap(roster, levels, 3) is not None
    assert review_gap({**roster, **{f"t{number}": {T} for number in range(5)}}, levels, 3) is None


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "amends.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {})


def test_the_demo_always_has_somebody_left_to_review(tmp_path: Path) -> None:
    findings = list(_levels(loaded(tmp_path, SETTINGS)))
    assert {finding.mark for finding in findings} == {"ok"}


@pytest.mark.parametrize(("country", "currency"), [("GB", "GBP"), ("TR", "TRY"), ("DE", "EUR")])
def test_without_limits_handlers_may_grant_50_and_managers_500(
    tmp_path: Path, country: str, currency: str
) -> None:
    before, _, rest = SETTINGS.partition("[authority]")
    text = before.replace('"GB"', f'"{country}"') + rest[rest.index("[[recourse]]") :]
    settings = loaded(tmp_path, text)
    limits = rulebooks(settings).own.authority
    assert {role: (limit.amount, limit.currency) for role, limit in limits.items()} == {
        "handler": (5000, currency),
        "manager": (50000, currency),
    }
    (finding,) = _authority(settings, rulebooks(settings))
    assert finding.mark == "warn"
    assert finding.result == f"not set, so the defaults: handler 50.00 {currency}, manager 500.00 {currency}"


def test_limits_that_are_set_are_named_without_a_warning(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SETTINGS)
    (finding,) = _authority(settings, rulebooks(settings))
    assert (finding.mark, finding.result) == ("ok", "handler 100.00 GBP, manager 2000.00 GBP")
