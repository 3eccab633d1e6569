"""Every letter that staff send is shown first, reads in Telegram as it was shown, and can be taken back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

import pytest

from bots.letters.composer import compose_read_out, preview
from bots.slack.context import SlackContext, StaffChannels
from complaints.event_facts import TAKE_BACK_SECONDS
from complaints.forms import EVIDENCE
from complaints.vocabulary import State, Verb
from simulator import Simulator
from simulator.customer import Customer
from store.cases.act import act
from store.cases.read import load_case, load_history, open_case
from store.cases.staff_letters import take_back
from store.people.staff import load_actor
from store.store import Store
from store.values import Chat
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, TOP, Desk
from tests.edges.slack_forms.test_slack_required_fields import Client, bare_app
from tests.edges.slack_office import EXECUTIVE, RESTRICTED, TRIAGE
from tests.edges.telegram_desk import TEXTS, TelegramDesk, telegram_desk
from tests.rules.slack_cases import voice
from triage.letters.letter_warnings import find_warnings

Values = Mapping[str, Any]
#: A form with its values, and who fills it in.
Step = tuple[str, str, Values]
ASSESSED: Step = (HANDLER, "assess", {
    "category": "supply", "severity": "2", "safety": "0", "complexity": "1", "reach": "1", "recurrence": "2",
    "immediate_needed": "no",
})  # fmt: skip
GATHERED: Step = (
    HANDLER,
    "investigate",
    {"evidence": ["complainant_heard", "records_checked", "rule_or_contract"]},
)
SHORT: Values = {**RESOLVED, **RESOLVED_WORDS}
DECIDED: Values = {
    "issues.0.finding": "upheld", "issues.0.reasons": "The pipe was old.", "remedies.0.type": "refund",
    "remedies.0.text": "Your last bill", "root_cause": "An old pipe", "cause_class": "single",
    "others_affected": "none",
}  # fmt: skip
PAID: Values = {**DECIDED, "remedies.0.amount": "50", "remedies.0.currency": "GBP"}
LIMIT: Values = {"limits": ["one_contact"], "until": "2026-12-20", "reason": "Nine messages name our staff."}
MORE_TIME: Values = {"target": "decide", "extended_to": "2026-11-13", "reason": "The parts are late."}
AGREED: Values = {"agreed": "yes"}
NOW = "1793700000"
SPOKEN: Values = {"given_at": NOW, "by_whom": "Anna, by phone"}
WARNED: Step = (HANDLER, "warn_conduct", {"text": "Please write without names."})
RESOLVED_STEP, DECIDED_STEP = (HANDLER, "resolve", SHORT), (HANDLER, "decide", DECIDED)
LIMITED: tuple[Step, ...] = (WARNED, (HANDLER, "limit_contact", LIMIT), (MANAGER, "approve", AGREED))
REFUND: tuple[Step, ...] = (GATHERED, DECIDED_STEP)
#: What comes before each letter, and the letter last.
LETTERS: Mapping[str, tuple[Step, ...]] = {
    "reply": ((HANDLER, "reply", {"text": "We sent somebody."}),),
    "ask": ((HANDLER, "ask", {"text": "Which day?", "needed_by": "2026-11-06"}),),
    "inform": ((HANDLER, "inform", {"done": "Read it", "left": "Ask", "next_date": "2026-11-06"}),),
    "warn_conduct": (WARNED,),
    "resolve": (RESOLVED_STEP,),
    "decide": (GATHERED, DECIDED_STEP),
    "decide, approved": (GATHERED, (HANDLER, "decide", PAID), (TOP, "approve", AGREED)),
    "extend": ((MANAGER, "extend", MORE_TIME),),
    "extend, approved": ((HANDLER, "extend", MORE_TIME), (MANAGER, "approve", AGREED)),
    "reclassify, approved": (
        (HANDLER, "reclassify", {"kind": "praise", "reason": "You thank us."}), (MANAGER, "approve", AGREED),
    ),
    "not_accept": ((MANAGER, "not_accept", {"reason": "It came two years after the time limit."}),),
    "limit_contact, approved": (WARNED, (HANDLER, "limit_contact", LIMIT), (MANAGER, "approve", AGREED)),
    "review_limit": (*LIMITED, (TOP, "review_limit", {"outcome": "ended", "reason": "It is calm again."})),
    "remedy": (*REFUND, (HANDLER, "remedy", {"remedy": "0", "done_at": NOW})),
    "given: accept": (RESOLVED_STEP, (HANDLER, "given", {"what": "accept", **SPOKEN})),
    "given: withdraw": ((HANDLER, "given", {"what": "withdraw", **SPOKEN}),),
    "external": (RESOLVED_STEP, (HANDLER, "external", {
        "body": "Ombudsman", "event": "final", "outcome": "Pay it back.", "overturned": "yes",
    })),
    "close": (
        RESOLVED_STEP, (MANAGER, "verify", {"remedy": "0", "how": "Seen"}),
        (HANDLER, "given", {"what": "accept", **SPOKEN}),
        (HANDLER, "close", {"root_cause": "An old pipe", "cause_class": "single"}),
    ),
}  # fmt: skip


class Office:
    """Staff in Slack with the real letters, and the complainant in the simulated Telegram."""

    def __init__(self, desk: TelegramDesk, clock: FakeClock) -> None:
        slack = SlackContext(
            desk.store, voice(), StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE), partial(preview, texts=TEXTS),
            partial(compose_read_out, texts=TEXTS),
        )  # fmt: skip
        self.desk, self.clock, self.store = desk, clock, desk.store
        self.slack = Client(desk.store, slack, bare_app(slack))

    async def complains(self) -> tuple[Customer, str]:
        anna = await self.desk.send_story()
        ref = await self.desk.complete_form(anna)
        self.store.write(act, ref, Verb.ASSIGN, self.store.read(load_actor, HANDLER), {"owner": HANDLER})
        return anna, ref

    async def shows(self, step: Step, ref: str) -> tuple[dict[str, Any], str]:
        """The view before the act, and the letter in it: the preview, or the form of the second person."""
        member, form, values = step
        self.store.write(open_case, ref, self.store.read(load_actor, member), "open", "help")
        view = await self.slack.opens(member, form, ref)
        if form == "approve":
            return view, letter_in(view)
        answer = await self.slack.submits(member, view, values)
        assert answer["response_action"] == "push", (form, answer)
        return answer["view"], letter_in(answer["view"])

    async def acts(self, step: Step, ref: str) -> str:
        """Do it; the letter that was shown first, if there is one."""
        member, form, values = step
        if form in ("assess", "investigate", "verify"):
            await self.slack.does(member, form, ref, values)
            return ""
        view, letter = await self.shows(step, ref)
        answer = await self.slack.submits(member, view, values if form == "approve" else {})
        assert answer == {"response_action": "clear"}
        return letter

    async def passes(self, seconds: int = TAKE_BACK_SECONDS) -> None:
        await self.desk.settled()
        self.clock.go_on(seconds=seconds)
        self.desk.worker.nudge()
        await self.desk.settled()


def letter_in(view: Mapping[str, Any]) -> str:
    """The words of the letter: its plain text."""
    blocks = [block["text"] for block in view["blocks"] if block["type"] == "section" and "text" in block]
    return words("\n".join(text["text"] for text in blocks if text["type"] == "plain_text"))


def words(text: str) -> str:
    return " ".join(text.replace("———", "").split())


@pytest.fixture(scope="module", autouse=True)
def _warnings_loaded() -> None:
    """The first check of a letter loads its rules and the language model: on a busy machine more than Slack's 3 s."""
    find_warnings("Hello", language="en", may_admit=True, personal=(), writes_in=None)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as desk:
        yield Office(desk, clock)


@clause("7.3")
@pytest.mark.parametrize("name", LETTERS)
async def test_the_letter_that_was_shown_is_the_letter_that_telegram_gets(office: Office, name: str) -> None:
    anna, ref = await office.complains()
    *earlier, last = LETTERS[name]
    asked = ""
    for step in (ASSESSED, *earlier):
        asked = await office.acts(step, ref)
        await office.passes()
    before = len(anna.heard)
    shown = await office.acts(last, ref)
    await office.desk.settled()
    assert len(anna.heard) == before, "a letter waits until its sender can take it back no more"
    await office.passes()
    assert words("\n".join(anna.heard[before:])) == shown
    if last[1] == "approve":
        assert asked == shown, "who asked for the approval saw the same letter"


@clause("7.3")
@pytest.mark.parametrize("name", LETTERS)
async def test_a_letter_is_taken_back_and_sent_after_all(office: Office, name: str) -> None:
    anna, ref = await office.complains()
    *earlier, last = LETTERS[name]
    for step in (ASSESSED, *earlier):
        await office.acts(step, ref)
        await office.passes()
    before, state = len(anna.heard), office.store.read(load_case, ref).state
    await office.acts(last, ref)
    await office.desk.settled()
    event = office.store.read(load_history, ref)[-1]
    office.store.write(take_back, ref, event.seq, office.store.read(load_actor, last[0]))
    await office.passes(60)
    assert (office.store.read(load_case, ref).state, len(anna.heard)) == (state, before)
    shown = await office.acts(last, ref)
    await office.passes()
    assert words("\n".join(anna.heard[before:])) == shown


async def test_a_merge_is_shown_and_taken_back_on_both_complaints(office: Office) -> None:
    anna, ref = await office.complains()
    other = Desk(office.store).receive(
        "The water is brown again.", chat=Chat("telegram", str(anna.id), "en", "Anna")
    )
    await office.desk.settled()
    before = len(anna.heard)
    shown = await office.acts((HANDLER, "link", {"relation": "duplicate", "other_ref": ref}), other)
    assert f"{other} is about the same matter as {ref}" in shown
    await office.desk.settled()
    seq = next(e.seq for e in office.store.read(load_history, other) if e.verb is Verb.MERGE)
    office.store.write(take_back, other, seq, office.store.read(load_actor, HANDLER))
    await office.passes(60)
    merged, joined = office.store.read(load_case, other), office.store.read(load_case, ref)
    assert (merged.state, merged.merged_into, joined.merged) == (State.RECEIVED, None, ())
    assert not any("is about the same matter" in text for text in anna.heard[before:])


@clause("7.9")
async def test_the_preview_names_the_approver_who_would_leave_nobody_for_a_review(office: Office) -> None:
    _, ref = await office.complains()
    grave: Step = (HANDLER, "assess", {**ASSESSED[2], "severity": "4"})
    # The manager took part, so only top management is left for a review.
    gathered: Step = (MANAGER, "investigate", {"evidence": list(EVIDENCE)})
    for step in (grave, gathered):
        await office.acts(step, ref)
        await office.passes()
    view, letter = await office.shows((HANDLER, "decide", DECIDED), ref)
    assert "people who were not involved look at it again" in letter
    text = json.dumps(view["blocks"])
    assert f"If {TOP} approves, the letter says this instead: If you disagree, it stays open, and we" in text
    assert "Days that you did not choose count from the approval." in text
    await office.slack.submits(HANDLER, view, {})
    assert "people who were not involved" in letter_in(await office.slack.opens(MANAGER, "approve", ref))
    office.store.write(open_case, ref, office.store.read(load_actor, TOP), "open", "help")
    assert "Everybody here who could review it" in letter_in(await office.slack.opens(TOP, "approve", ref))
