"""Clauses 5, 6 and 8: what the registers and the log of the desk show, and what turns a clause red."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from complaints.registers.definitions import REGISTERS
from complaints.registers.entries import Entry, EntryAct
from complaints.vocabulary import Role
from reports.clauses.clause_evidence import ClauseStatus, OrganisationFacts, RegisterDemand
from reports.clauses.count import count
from reports.clauses.table import CLAUSES
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE
from tests.rules.clause_records import HOUSE, history_of

DEMANDS = [(row.id, demand) for row in CLAUSES for demand in row.records]
LATER = replace(HOUSE, now=HOUSE.now + timedelta(days=400))


def an_entry(demand: RegisterDemand, due: date | None = None, *, is_open: bool = False) -> Entry:
    """An entry that counts for the demand, or one that is still open."""
    register = REGISTERS[demand.register]
    open_states = [state for state in register.states if state not in register.closed]
    state = open_states[0] if is_open or not demand.states else min(demand.states)
    act = min(demand.acts) if demand.acts else register.first_acts[0].name
    done = EntryAct(1, HOUSE.now, ALICE.id, Role.MANAGER, act, {}, {}, state, ALICE.id, due)
    return Entry(register, 1, (done,))


def status(number: str, house: OrganisationFacts) -> tuple[ClauseStatus, str]:
    """The status of a clause, and where and how the record violates it."""
    counted = count([history_of(b.acknowledged(b.a_received_case()))], house).of(number)
    return counted.status, " ".join(f"{v.ref}: {v.what}" for v in counted.evidence.violations)


@pytest.mark.parametrize(("number", "demand"), DEMANDS)
def test_a_clause_has_no_evidence_without_what_its_registers_must_hold(
    number: str, demand: RegisterDemand
) -> None:
    counted = count([], HOUSE).of(number)
    assert counted.status in (ClauseStatus.NO_EVIDENCE, ClauseStatus.NOT_YET)
    assert demand.what not in {figure.what for figure in counted.evidence.figures}


@pytest.mark.parametrize(("number", "demand"), DEMANDS)
def test_an_entry_or_an_event_is_evidence_for_its_clause(number: str, demand: RegisterDemand) -> None:
    house = (
        replace(HOUSE, recorded_at={demand.event: HOUSE.now})
        if demand.event
        else replace(HOUSE, entries={demand.register: (an_entry(demand),)})
    )
    figures = {figure.what for figure in count([], house).of(number).evidence.figures}
    assert demand.what in figures


@clause("4.10")
@clause("5.2")
@clause("6.1")
@clause("6.2")
@clause("6.3")
@clause("8.5")
@clause("8.6")
@clause("8.7")
@pytest.mark.parametrize(("number", "demand"), [row for row in DEMANDS if row[1].in_time])
def test_an_overdue_entry_turns_its_clause_red_and_is_named(number: str, demand: RegisterDemand) -> None:
    late = an_entry(demand, HOUSE.now.date() - timedelta(days=3), is_open=True)
    verdict, where = status(number, replace(HOUSE, entries={demand.register: (late,)}))
    assert verdict is ClauseStatus.VIOLATED
    assert f"{demand.register}-1: " in where
    in_time = an_entry(demand, HOUSE.now.date(), is_open=True)
    assert status(number, replace(HOUSE, entries={demand.register: (in_time,)}))[0] is not verdict


@clause("4.8")
@clause("5.1")
@clause("8.1")
@clause("8.2")
@clause("8.5")
@clause("8.6")
@clause("H")
@pytest.mark.parametrize(("number", "demand"), [row for row in DEMANDS if row[1].within])
def test_a_desk_that_let_the_period_pass_without_one_turns_the_clause_red(
    number: str, demand: RegisterDemand
) -> None:
    verdict, where = status(number, LATER)
    assert verdict is ClauseStatus.VIOLATED
    assert f"{demand.within} days" in where


@clause("2018")
@clause("6.4")
@clause("8.1")
@clause("G")
@pytest.mark.parametrize("number", ["2018", "6.4", "G"])
def test_a_handler_without_a_valid_training_turns_the_clause_red(number: str) -> None:
    demand = RegisterDemand("trainings on record", "training")
    ended = an_entry(demand, HOUSE.now.date() - timedelta(days=1))
    verdict, where = status(number, replace(HOUSE, entries={"training": (ended,)}))
    assert verdict is ClauseStatus.VIOLATED
    assert f"{ALICE.id} handles complaints without a valid training" in where
