"""Registers: the acts on an entry, who may, and whether an improvement helped."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from complaints.actions.authorisation import authorise_entry, may_act_on_entry
from complaints.actors import SYSTEM, staff
from complaints.errors import BadFacts, NotAllowed, OutOfOrder, UnknownReference
from complaints.forms import WrongFields
from complaints.registers.definitions import REGISTERS
from complaints.registers.effect import Effect, EffectVerdict, rate_ratio_interval
from complaints.registers.entries import Entry, next_act, parse_code, read_form
from complaints.vocabulary import Role

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
IMPROVEMENT = REGISTERS["improvement"]
BEGUN = {"source": "idea", "category": "money", "owner": "U2", "due": "2026-12-01"}


def after(entry: Entry | None, act: str, by: str = "U1", words: Any = None, **facts: Any) -> Entry:
    done = next_act(
        entry, IMPROVEMENT.acts[act], at=NOW, by=by, role=Role.MANAGER, today=NOW.date(), facts=facts,
        words=words or {},
    )  # fmt: skip
    return Entry(IMPROVEMENT, 1, (*(entry.acts if entry else ()), done))


def test_every_act_of_a_register_can_be_reached_and_every_state_ends() -> None:
    for register in REGISTERS.values():
        assert register.first_acts
        assert register.closed <= set(register.states)
        assert register.name_field in register.fields
        for act in register.acts.values():
            assert act.sources <= set(register.states), (register.name, act.name)
            assert act.second_to is None or act.second_to in register.acts


def test_a_later_act_replaces_facts_and_keeps_the_others() -> None:
    entry = after(None, "add", words={"what": "Read it once"}, **BEGUN)
    corrected = after(entry, "correct", words={"what": "Read it twice"}, due="2026-12-15")
    assert (corrected.version, corrected.state, corrected.due) == (2, "open", date(2026, 12, 15))
    assert (corrected.words["what"], corrected.facts["source"], corrected.owner) == (
        "Read it twice",
        "idea",
        "U2",
    )
    assert corrected.acts[0] == entry.acts[0]


@pytest.mark.parametrize(
    ("register", "facts"),
    [
        ("improvement", {"due": "2026-11-02"}),
        ("objective", {"since": "2026-12-01", "due": "2026-11-30"}),
        ("training", {"done_on": "2026-11-01", "due": "2026-10-31"}),
        ("review", {"done_on": "2026-11-03", "due": "2026-11-02"}),
    ],
)
def test_a_day_that_has_passed_or_comes_before_the_first_is_refused_at_its_field(
    register: str, facts: dict[str, str]
) -> None:
    with pytest.raises(BadFacts) as refused:
        next_act(
            None, REGISTERS[register].acts["add"], at=NOW, by="U1", role=Role.MANAGER, today=NOW.date(),
            facts=facts, words={},
        )  # fmt: skip
    assert (refused.value.field, refused.value.code) == ("due", "not_ahead")


def test_a_target_is_read_as_people_write_it() -> None:
    values = {
        "figure": "fair", "direction": "at_least", "target": "97,5 %", "since": "2026-11-01", "due": "2026-12-01",
        "owner": "U2",
    }  # fmt: skip
    facts, _ = read_form(REGISTERS["objective"].acts["add"], values, ["en"], {})
    assert facts["target"] == "97.5"


def test_an_act_that_does_not_fit_the_state_is_refused() -> None:
    entry = after(None, "suggest", words={"what": "Longer hours"})
    with pytest.raises(OutOfOrder):
        after(entry, "done", done_on="2026-11-01", effect_days="30")
    with pytest.raises(OutOfOrder):
        after(None, "accept", owner="U2", due="2026-12-01")
    with pytest.raises(BadFacts):
        after(after(None, "add", **BEGUN), "done", done_on="2026-11-04", effect_days="30")


def test_the_owner_may_finish_an_entry_and_a_stranger_may_not() -> None:
    entry, done = after(None, "add", **BEGUN), IMPROVEMENT.acts["done"]
    assert authorise_entry(entry, done, staff("U2", Role.HANDLER)) is Role.HANDLER
    assert not may_act_on_entry(entry, done, staff("U3", Role.HANDLER))
    assert may_act_on_entry(None, IMPROVEMENT.acts["suggest"], staff("U3", Role.INTAKE))
    assert not may_act_on_entry(None, IMPROVEMENT.acts["add"], staff("U3", Role.HANDLER))
    assert not may_act_on_entry(None, IMPROVEMENT, staff("U9"))
    assert not may_act_on_entry(None, IMPROVEMENT.acts["raise"], staff("U1", Role.MANAGER))
    assert may_act_on_entry(None, IMPROVEMENT.acts["raise"], SYSTEM)


def test_a_letter_needs_a_second_person() -> None:
    entry = after(after(None, "add", **BEGUN), "done", done_on="2026-11-01", effect_days="30")
    with pytest.raises(OutOfOrder):
        after(entry, "approve_letter")
    proposed = after(entry, "propose_letter", words={"text.en": "We read every meter twice."})
    approve = IMPROVEMENT.acts["approve_letter"]
    with pytest.raises(NotAllowed) as refused:
        authorise_entry(proposed, approve, staff("U1", Role.MANAGER))
    assert refused.value.code == "not_allowed.second_person"
    assert may_act_on_entry(proposed, approve, staff("U4", Role.TOP_MANAGEMENT))
    with pytest.raises(OutOfOrder):
        after(proposed, "propose_letter", words={"text.en": "Again"})


def test_a_form_is_read_by_its_fields_and_references_are_separated() -> None:
    act = IMPROVEMENT.acts["suggest"]
    facts, words = read_form(act, {"what": "x", "refs": "a7k-m3q-9t, B2C-D4F-5G"}, ("en",), {})
    assert (facts["refs"], words) == (["A7K-M3Q-9T", "B2C-D4F-5G"], {"what": "x"})
    with pytest.raises(WrongFields) as wrong:
        read_form(act, {"owner": "U1"}, ("en",), {})
    assert wrong.value.fields == {"what": "required", "owner": "unknown_field"}
    letter = IMPROVEMENT.acts["propose_letter"].form(("en", "tr"))
    assert [field.name for field in letter] == ["text.en", "text.tr"]


@pytest.mark.parametrize("code", ["improvement", "improvement-x", "nothing-1", "improvement-1-2", ""])
def test_a_wrong_code_is_unknown(code: str) -> None:
    with pytest.raises(UnknownReference):
        parse_code(code)


@pytest.mark.parametrize(
    ("before", "after_count", "verdict"),
    [
        (4, 5, EffectVerdict.TOO_FEW), (20, 4, EffectVerdict.EFFECTIVE), (20, 14, EffectVerdict.NO_CLEAR_FALL),
        (4, 20, EffectVerdict.NO_CLEAR_FALL), (0, 0, EffectVerdict.TOO_FEW), (30, 0, EffectVerdict.EFFECTIVE),
    ],
)  # fmt: skip
def test_an_improvement_helped_only_if_the_interval_excludes_the_old_rate(
    before: int, after_count: int, verdict: EffectVerdict
) -> None:
    assert Effect(before, 90, after_count, 90).verdict is verdict


@pytest.mark.parametrize(
    ("before", "before_time", "later", "later_time"), [(20, 4, 7, 4), (0, 1, 5, 2), (300, 3, 250, 2)]
)
def test_the_interval_of_two_rates_is_the_exact_conditional_one(
    before: int, before_time: float, later: int, later_time: float
) -> None:
    from scipy.stats import binomtest

    exact = binomtest(later, before + later).proportion_ci(method="exact")
    low, high = rate_ratio_interval(before, before_time, later, later_time)
    scale = before_time / later_time
    assert low == pytest.approx(exact.low / (1 - exact.low) * scale)
    assert high == (pytest.approx(exact.high / (1 - exact.high) * scale) if before else float("inf"))
