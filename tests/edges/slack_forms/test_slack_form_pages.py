"""A decision on more issues than one view holds: page by page, and what was typed on the others is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from complaints.vocabulary import Finding, Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.people.staff import load_actor
from store.record.load import load_event_words
from store.store import Store
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, MONA, Office, open_office

#: So many that the remedies are on the second page and the causes on the third.
ISSUES = 60
REST = {
    "others_affected": "none", "root_cause": "A typing error", "cause_class": "single",
    "nothing_why": "Every bill is corrected already.",
}  # fmt: skip
#: More pages than the form has: a test that submits so often is refused each time.
MOST_PAGES = 9


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def with_many_issues(office: Office) -> str:
    """A complaint with sixty issues and enough evidence, whose Decide is open in front of Alice."""
    ref = office.proposed()
    alice = office.store.read(load_actor, ALICE)
    criteria = {name: int(value) if value.isdecimal() else value for name, value in ASSESSMENT.items()}
    criteria["issues"] = [{"category": "money"}] * ISSUES
    words = {f"issues.{number}.text": f"Matter {number}" for number in range(ISSUES)}
    office.store.write(act, ref, Verb.ASSESS, alice, criteria, words)
    evidence = {"evidence": ["complainant_heard", "records_checked"]}
    office.store.write(act, ref, Verb.INVESTIGATE, alice, evidence, {})
    office.store.write(open_case, ref, alice, "open")
    colleague = office.staff(ALICE)
    await colleague.presses(await office.card(ref), "Decide")
    await colleague.opened("Decide")
    return ref


async def fill_page(office: Office) -> list[str]:
    """Fill in every finding and its reasons on the page in front; returns the inputs of the page."""
    colleague = office.staff(ALICE)
    assert colleague.modal is not None
    inputs = list(colleague.modal.labels)
    values = {path: "upheld" for path in inputs if path.endswith(".finding")}
    values |= {path: f"Reason {path.split('.')[1]}" for path in inputs if path.endswith(".reasons")}
    await colleague.fills(values | {path: REST[path] for path in inputs if path in REST})
    return inputs


async def test_sixty_issues_are_decided_page_by_page(office: Office) -> None:
    ref = await with_many_issues(office)
    alice = office.staff(ALICE)
    seen: list[str] = []
    for _ in range(MOST_PAGES):
        seen += await fill_page(office)
        top = await alice.submits()
        if top.callback_id != "decide":
            break
    assert top.callback_id != "decide"
    while top is not None:
        letter_page = top.callback_id
        top = await alice.submits()
    await office.idle()
    case = office.store.read(load_case, ref)
    words = office.store.read(load_event_words, ref, case.decisions[0].seq)

    assert letter_page == "decide_preview"
    assert [path for path in seen if path.endswith(".finding")] == [
        f"issues.{n}.finding" for n in range(ISSUES)
    ]
    assert [issue.finding for issue in case.issues] == [Finding.UPHELD] * ISSUES
    assert [words[f"issues.{number}.reasons"] for number in range(ISSUES)] == [
        f"Reason {number}" for number in range(ISSUES)
    ]


async def test_going_back_a_page_keeps_what_was_typed_on_both(office: Office) -> None:
    await with_many_issues(office)
    alice = office.staff(ALICE)
    await fill_page(office)
    await alice.submits()
    await alice.fills({"changes": "A second reader"})
    await alice.presses(alice.modal, "Previous page")
    await office.sim.until(lambda: alice.modal and "issues.0.finding" in alice.modal.labels)
    first = dict(alice.modal.values)
    await alice.submits()

    assert first["issues.3.reasons"] == "Reason 3"
    assert alice.modal.values["changes"] == "A second reader"


async def test_a_wrong_field_on_another_page_brings_that_page_with_the_reason(office: Office) -> None:
    ref = await with_many_issues(office)
    alice = office.staff(ALICE)
    await fill_page(office)
    await alice.submits()
    await fill_page(office)
    await alice.fills({"remedies.0.amount": "5.00"})
    await alice.submits()
    await fill_page(office)
    shown_before = list(alice.modal.labels)
    top = await alice.submits()

    assert "remedies.0.amount" not in shown_before
    assert "choose what kind of remedy" in top.text
    assert top.values["remedies.0.amount"] == "5.00"
    await alice.fills({"remedies.0.type": "refund"})
    await alice.submits()
    preview = await alice.submits()
    assert preview.callback_id == "decide_preview"
    assert office.store.read(load_case, ref).decisions == ()


async def test_a_row_that_does_not_fit_gets_another_page(office: Office) -> None:
    await with_many_issues(office)
    alice = office.staff(ALICE)
    await fill_page(office)
    await alice.submits()
    await fill_page(office)
    for row in range(1, 4):
        await alice.presses(alice.modal, "Add a remedy")
        wanted = f"remedies.{row}.currency"
        await office.sim.until(lambda wanted=wanted: wanted in alice.modal.labels)  # type: ignore[misc]

        assert alice.modal.values[wanted] == "GBP"


async def test_a_change_meanwhile_is_told_before_the_next_page(office: Office) -> None:
    ref = await with_many_issues(office)
    alice = office.staff(ALICE)
    await fill_page(office)
    manager = office.store.read(load_actor, MONA)
    office.store.write(
        act,
        ref,
        Verb.EXTEND,
        manager,
        {"target": "decide", "extended_to": "2026-11-16"},
        {"reason": "More time"},
    )
    notice = (await alice.submits()).text
    await alice.submits()

    assert "This changed meanwhile" in notice
    assert "issues.0.finding" not in alice.modal.labels
    await alice.presses(alice.modal, "Previous page")
    await office.sim.until(lambda: alice.modal and "issues.0.finding" in alice.modal.labels)
    assert alice.modal.values["issues.0.reasons"] == "Reason 0"
