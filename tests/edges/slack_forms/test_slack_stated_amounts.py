"""Money in the words of a form in Slack: refused, entered as an amount, or stated to be no payment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots.slack.views.opened_case import case_view
from complaints.forms import FORMS, Input
from complaints.vocabulary import Verb
from store.cases.read import load_case, load_history, open_case
from store.people.staff import load_actor
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_forms.test_slack_incident_decisions import office, outage, preview
from tests.edges.slack_forms.test_slack_incidents import incident_card
from tests.edges.slack_forms.test_slack_required_fields import (
    ALICE,
    DECIDED,
    MONA,
    NOW,
    RESOLVED,
    Client,
    client,
)
from tests.edges.slack_office import MONA as MANAGER
from tests.edges.slack_office import Office
from tests.rules.slack_cases import voice

__all__ = ["client", "office"]

PROMISE = "We paid 900 pounds back to your card today."
DAY = {
    "needed_by": "2026-11-06",
    "next_date": "2026-11-06",
    "extended_to": "2026-11-13",
    "until": "2026-12-01",
}
CHOICES = {
    "target": "decide", "kind": "praise", "limits": ["one_channel"], "outcome": "kept", "body": "Ombudsman",
    "event": "notified",
}  # fmt: skip
FILLED = {
    "resolve": RESOLVED,
    "decide": {**DECIDED, "remedies.0.type": "apology"},
    "inform": {"done": "Read it", "left": "Ask"},
}


def filled(form: str, path: str) -> dict[str, Any]:
    """The form with the promise in this field."""
    names = {entry.name for entry in FORMS[form].fields}
    required = {name: value for name, value in {**DAY, **CHOICES}.items() if name in names}
    if form == "decide":
        required = {}
    return {**required, **FILLED.get(form, {}), path: PROMISE}


async def refused(client: Client, member: str, form: str, ref: str, path: str) -> dict[str, Any]:
    answer = await client.submits(member, await client.opens(member, form, ref), filled(form, path))
    assert answer["response_action"] == "update", (form, path, answer)
    blocks = answer["view"]["blocks"]
    assert "The text names 900 pounds" in json.dumps(blocks), (form, path)
    assert blocks[-1]["block_id"] == "no_payment"
    return answer


@clause("E")
async def test_no_form_of_a_complaint_sends_a_promise_of_money_from_any_field(client: Client) -> None:
    ref = await client.investigated()
    before = len(client.store.read(load_history, ref))
    tried = 0
    for form, member in (
        ("reply", ALICE), ("ask", ALICE), ("inform", ALICE), ("resolve", ALICE), ("decide", ALICE), ("extend", MONA),
        ("not_accept", MONA), ("reclassify", ALICE), ("warn_conduct", ALICE), ("external", ALICE),
    ):  # fmt: skip
        for entry in FORMS[form].fields:
            if entry.input is Input.TEXT and entry.sealed:
                await refused(client, member, form, ref, entry.path.replace(".N.", ".0."))
                tried += 1
    assert tried >= 20
    assert len(client.store.read(load_history, ref)) == before


async def test_a_sum_that_is_no_payment_is_stated_with_a_tick_shown_in_the_preview_and_recorded(
    client: Client,
) -> None:
    ref = await client.assessed()
    text = {"text": "Your bill of 900 pounds is right."}
    answer = await client.submits(ALICE, await client.opens(ALICE, "reply", ref), text)
    box = answer["view"]["blocks"][-1]
    assert "no new payment" not in json.dumps(answer["view"]["blocks"][0])
    answer = await client.submits(ALICE, answer["view"], text, ticked=box["block_id"])
    assert answer["response_action"] == "push"
    assert "You state that these sums" in json.dumps(answer["view"]["blocks"])
    await client.submits(ALICE, answer["view"], {})

    event = client.store.read(load_history, ref)[-1]
    assert (event.verb, event.facts["no_payment"]) == (Verb.REPLY, ["900.00GBP"])
    assert event.facts["overruled"] == ["no_payment"]
    opened = client.store.write(open_case, ref, client.store.read(load_actor, ALICE), "open", None)
    assert "sum stated to be no payment" in json.dumps(case_view(opened, voice(), now=NOW))


@clause("E")
async def test_resolve_records_its_amount_and_refuses_one_above_the_limit_at_its_field(
    client: Client,
) -> None:
    ref = await client.assessed()
    done = {**RESOLVED, "done": "We paid 45 pounds back.", "amount": "45", "type": "refund"}
    too_much = {**done, "done": PROMISE, "amount": "900"}
    answer = await client.submits(ALICE, await client.opens(ALICE, "resolve", ref), too_much)
    assert list(answer["errors"]) == ["amount"]
    assert "Use Decide" in answer["errors"]["amount"]

    await client.does(ALICE, "resolve", ref, done)
    event = client.store.read(load_history, ref)[-1]
    assert (event.facts["amount"], event.facts["currency"]) == ("45.00", "GBP")
    (remedy,) = client.store.read(load_case, ref).remedies
    assert (remedy.type, remedy.amount, remedy.currency) == ("refund", "45.00", "GBP")


async def test_resolve_asks_for_an_amount_or_none_where_money_was_asked_for(client: Client) -> None:
    plain, asks = (
        await client.assessed(),
        await client.assessed(amount_requested=4500, currency_requested="GBP"),
    )
    for ref, optional in ((plain, True), (asks, False)):
        view = await client.opens(ALICE, "resolve", ref)
        (amount,) = [block for block in view["blocks"] if block.get("block_id") == "amount"]
        assert amount["optional"] is optional
    answer = await client.submits(ALICE, await client.opens(ALICE, "resolve", asks), RESOLVED)
    assert answer["errors"] == {"amount": "Enter the amount, or “none” if nothing is paid."}
    await client.does(ALICE, "resolve", asks, {**RESOLVED, "amount": "none"})
    assert client.store.read(load_history, asks)[-1].facts["no_payment"] == []


@clause("E")
@pytest.mark.parametrize(
    "field", ["reasons.en", "changes.en", "remedy_text.en", "root_cause", "others_action"]
)
async def test_a_decision_on_all_names_no_money_beyond_its_amount(
    office: Office, clock: FakeClock, field: str
) -> None:
    await outage(office, clock, "en")
    shown = await preview(office, **{field: PROMISE})
    assert "The text names 900 pounds" in shown


@clause("E")
async def test_an_update_to_all_promises_no_money(office: Office, clock: FakeClock) -> None:
    await outage(office, clock, "en")
    mona = office.staff(MANAGER)
    await mona.presses(await incident_card(office, MANAGER), "Update all")
    await mona.opened("Update all")
    await mona.fills({"text.en": PROMISE})
    shown = await mona.submits()
    assert shown is not None
    assert "The text names 900 pounds" in shown.text
    await mona.fills({"no_payment": ["yes"]})
    sent = await mona.submits()
    assert sent is not None
    assert "You state that these sums" in sent.text
