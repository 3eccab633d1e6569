"""Warnings before a letter is sent: shown in its preview; overruling one is recorded."""

import json

from bots.slack.views.opened_case import case_view
from complaints.vocabulary import Verb
from store.cases.read import load_history, open_case
from store.people.staff import load_actor
from tests.edges.slack_forms.test_slack_required_fields import ALICE, MONA, NOW, Client, client
from tests.rules.slack_cases import voice

__all__ = ["client"]
SOON = "We will get back to you soon."


async def test_the_preview_warns_and_the_act_keeps_the_codes_without_the_words(client: Client) -> None:
    ref = await client.assessed()
    answer = await client.submits(ALICE, await client.opens(ALICE, "reply", ref), {"text": SOON})
    preview = answer["view"]
    assert preview["blocks"][0]["text"]["text"] == (
        f":warning: This promises something without a date: “{SOON}”. Add the date, or send it as it is."
    )
    assert preview["submit"]["text"] == "Send anyway"

    assert await client.submits(ALICE, preview, {}) == {"response_action": "clear"}

    event = client.store.read(load_history, ref)[-1]
    assert (event.verb, event.facts["overruled"]) == (Verb.REPLY, ["promise_without_date"])
    opened = client.store.write(open_case, ref, client.store.read(load_actor, ALICE), "open", None)
    view = json.dumps(case_view(opened, voice(), now=NOW), ensure_ascii=False)
    assert "Warning overruled: promise without a date" in view


async def test_a_letter_without_warnings_records_nothing_and_keeps_its_button(client: Client) -> None:
    ref = await client.assessed()
    answer = await client.submits(
        ALICE, await client.opens(ALICE, "reply", ref), {"text": "We sent it today."}
    )
    assert answer["view"]["submit"]["text"] == "Send"
    await client.submits(ALICE, answer["view"], {})
    assert "overruled" not in client.store.read(load_history, ref)[-1].facts


async def test_a_day_in_the_form_is_the_date_of_what_it_promises(client: Client) -> None:
    ref = await client.assessed()
    values = {"done": "We read it.", "left": "We will call you back.", "next_date": "2026-11-06"}
    answer = await client.submits(ALICE, await client.opens(ALICE, "inform", ref), values)
    assert answer["view"]["submit"]["text"] == "Send"


async def test_every_letter_of_an_act_warns_in_its_preview(client: Client) -> None:
    ref = await client.assessed()
    internal = {"reason": "Internal: offer a voucher first."}
    for form, values in {
        "extend": {"target": "decide", "extended_to": "2026-11-13", **internal},
        "not_accept": internal,
        "reclassify": {"kind": "praise", **internal},
    }.items():
        answer = await client.submits(MONA, await client.opens(MONA, form, ref), values)
        preview = answer["view"]
        assert (answer["response_action"], preview["callback_id"]) == ("push", f"{form}_preview")
        assert "reads like a note to colleagues" in preview["blocks"][0]["text"]["text"]
        assert client.last_verb(ref) is Verb.ASSESS

    await client.submits(MONA, preview, {})
    event = client.store.read(load_history, ref)[-1]
    assert (event.verb, event.facts["overruled"]) == (Verb.RECLASSIFY, ["internal"])


async def test_what_the_complainant_told_us_is_not_the_data_of_others(client: Client) -> None:
    ref = await client.assessed(words="Your driver hit my car. My sister drove it, ring her at 07700 900761.")
    for number, warns in (("07700900761", False), ("07700 900444", True)):
        text = f"We rang the other driver on {number}; he was not at home."
        answer = await client.submits(ALICE, await client.opens(ALICE, "reply", ref), {"text": text})
        assert (answer["view"]["submit"]["text"] == "Send anyway") is warns


async def test_only_a_manager_admits_liability(client: Client) -> None:
    ref = await client.assessed()
    for member, submit in ((ALICE, "Send anyway"), (MONA, "Send")):
        view = await client.opens(member, "reply", ref)
        answer = await client.submits(member, view, {"text": "We are liable for the damage."})
        assert answer["view"]["submit"]["text"] == submit
