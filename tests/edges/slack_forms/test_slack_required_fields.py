"""Every form can be submitted with nothing but its required fields.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from bots.slack.app import register_listeners
from bots.slack.client.client import make_client
from bots.slack.context import SlackContext, StaffChannels
from bots.slack.listeners.log_complaint import open_from_command
from bots.slack.payloads import SlashCommand
from bots.slack.responses import OpenView
from bots.slack.views.open_form import view_for
from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.forms import FORMS, Input
from complaints.vocabulary import CloseCode, Flag, Role, State, Verb
from store.cases.act import act as store_act
from store.cases.read import list_cases, load_case, load_history
from store.cases.receive_message import receive_message
from store.people.staff import load_actor, sync_staff
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, Member, PlannedAct
from tests.databases import FakeClock
from tests.edges.slack_office import EXECUTIVE, RESTRICTED, TRIAGE, letter, read_out_text
from tests.rules.slack_cases import RULES, voice

ALICE, MONA, TUGBA, BURAK = "U0000001", "U0000002", "U0000003", "U0000005"
KINDS = {
    Input.TEXT: ("plain_text_input", "value"),
    Input.AMOUNT: ("plain_text_input", "value"),
    Input.CHOICE: ("static_select", "selected_option"),
    Input.WHOLE: ("radio_buttons", "selected_option"),
    Input.FLAG: ("checkboxes", "selected_options"),
    Input.FLAGS: ("checkboxes", "selected_options"),
    Input.DATE: ("datepicker", "selected_date"),
    Input.MOMENT: ("datetimepicker", "selected_date_time"),
    Input.STAFF: ("users_select", "selected_user"),
}
ASSESSED = {
    "category": "money", "severity": "2", "safety": "0", "complexity": "1", "reach": "1", "recurrence": "2",
    "immediate_needed": "no",
}  # fmt: skip
RESOLVED = {
    "done": "We sent it back.", "finding": "upheld", "cause": "Read twice", "cause_class": "single",
    "agreed_how": "As asked", "others_affected": "none",
}  # fmt: skip
DECIDED = {
    "issues.0.finding": "upheld", "issues.0.reasons": "We erred.", "nothing_why": "It is paid.",
    "others_affected": "none", "root_cause": "A slip", "cause_class": "single",
}  # fmt: skip
EVIDENCE = {"evidence": ["complainant_heard", "records_checked"]}
REASON = {"reason": "For a reason"}
NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


def input_state(form: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The `state.values` that Slack sends for exactly these fields."""
    state: dict[str, Any] = {}
    for path, value in values.items():
        group, _, rest = path.partition(".")
        name = rest.partition(".")[2] if rest else path
        form_field = next(
            candidate
            for candidate in FORMS[form].fields
            if candidate.name == name and candidate.group == (group if rest else None)
        )
        kind, key = KINDS[form_field.input]
        if kind in ("static_select", "radio_buttons"):
            value = {"value": value}
        elif kind == "checkboxes":
            value = [{"value": option} for option in value]
        state[path] = {"value": {"type": kind, key: value}}
    return state


@dataclass
class Client:
    """A client that opens views and submits them with exactly these values."""

    store: Store
    desk: SlackContext
    app: AsyncApp
    numbers: count[int] = field(default_factory=lambda: count(1))

    def received(self, *, language: str = "en", words: str = "My bill is wrong", **more: Any) -> str:
        """Store a complaint of Anna's."""

        def step(talk: Conversation) -> DialogueTurn:
            facts = (
                message_facts(field="description", has_words=True, subjects=more.pop("subjects", ())) | more
            )
            return DialogueTurn(
                state={}, acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": words}),)
            )

        chat = Chat("telegram", "70001", language, "Anna")
        return self.store.write(receive_message, f"tg:{next(self.numbers)}", chat, step).refs[0]

    def complainant_acts(self, ref: str, verb: Verb, facts: Mapping[str, Any] | None = None) -> None:
        """Store a message in which Anna performs this act."""
        act = PlannedAct(verb, ref, facts or {}, {})
        chat = Chat("telegram", "70001", "en", "Anna")
        self.store.write(
            receive_message,
            f"tg:{next(self.numbers)}",
            chat,
            lambda talk: DialogueTurn(state={}, acts=(act,)),
        )

    async def opens(self, member: str, form: str, ref: str) -> dict[str, Any]:
        """Return the view that a press opens."""
        return await view_for(self.desk, form, ref, self.store.read(load_actor, member))

    async def submits(
        self, member: str, view: Mapping[str, Any], values: Mapping[str, Any], *, ticked: str | None = None
    ) -> dict[str, Any]:
        """Submit the view and return Slack's acknowledgement; `ticked` is a box that is no field of the form."""
        form = str(view["callback_id"])
        state = input_state(form, values)
        if ticked is not None:
            state[ticked] = {"value": {"type": "checkboxes", "selected_options": [{"value": "yes"}]}}
        sent = {**view, "id": "V1", "hash": "h", "state": {"values": state}}
        body = {"type": "view_submission", "user": {"id": member}, "team": {"id": "T1"}, "view": sent}
        answer = await self.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        assert answer.status == 200
        return dict(json.loads(answer.body))

    async def does(self, member: str, form: str, ref: str, values: Mapping[str, Any]) -> None:
        """Open and submit a form, and send its letter if the form has a preview. Nothing may be refused."""
        answer = await self.submits(member, await self.opens(member, form, ref), values)
        if FORMS[form].keeps_letter or answer.get("response_action") == "push":
            assert (answer["response_action"], answer["view"]["callback_id"]) == (
                "push",
                f"{form}_preview",
            ), answer
            assert answer["view"]["close"]["text"] == "Back"
            assert set(json.loads(answer["view"]["private_metadata"])) == {"ref", "version", "draft"}
            answer = await self.submits(member, answer["view"], {})
        assert answer == {"response_action": "clear"}

    async def assessed(self, **more: Any) -> str:
        """Receive a complaint and let Alice assess it."""
        ref = self.received(**more)
        await self.does(ALICE, "assess", ref, ASSESSED)
        return ref

    async def investigated(self, **more: Any) -> str:
        """Receive, assess and investigate a complaint."""
        ref = await self.assessed(**more)
        await self.does(ALICE, "investigate", ref, EVIDENCE)
        return ref

    def record_sent(self, ref: str) -> None:
        """Record that acknowledgement and decision were sent."""
        if not self.store.read(load_case, ref).acks:
            self.store.write(store_act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        self.store.write(store_act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)

    def last_verb(self, ref: str) -> Verb:
        return self.store.read(load_history, ref)[-1].verb


def bare_app(slack: SlackContext) -> AsyncApp:
    """The product's listeners with a Slack client that no test calls."""
    nowhere = make_client("xoxb-1", "http://127.0.0.1:9/api/")

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1")

    app = AsyncApp(
        client=nowhere,
        authorize=authorize,
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    register_listeners(app, slack, nowhere, "T1")
    return app


@pytest.fixture
def client(usual_store: Store, clock: FakeClock) -> Client:
    store = usual_store
    store.write(use_rulebook, RULES)
    store.write(
        sync_staff,
        [
            Member(ALICE, "Alice", (), frozenset({Role.HANDLER})),
            Member(BURAK, "Burak", (), frozenset({Role.HANDLER})),
            Member(MONA, "Mona", (), frozenset({Role.MANAGER})),
            Member(TUGBA, "Tugba", (), frozenset({Role.TOP_MANAGEMENT})),
        ],
    )
    slack = SlackContext(store, voice(), StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE), letter, read_out_text)
    return Client(store, slack, bare_app(slack))


#: Each runs on its own complaint: (member, form, required fields, verb of the recorded event).
REQUIRED_VALUES = [
    (MONA, "assign", {"owner": BURAK}, Verb.ASSIGN),
    (ALICE, "reply", {"text": "We are on it."}, Verb.REPLY),
    (ALICE, "note", {"text": "She rang."}, Verb.NOTE),
    (ALICE, "ask", {"text": "Which day?", "needed_by": "2026-11-06"}, Verb.ASK),
    (ALICE, "inform", {"done": "Read it", "left": "Ask", "next_date": "2026-11-06"}, Verb.INFORM),
    (ALICE, "investigate", {}, Verb.INVESTIGATE),
    (ALICE, "investigate", EVIDENCE, Verb.INVESTIGATE),
    (ALICE, "resolve", RESOLVED, Verb.RESOLVE),
    (MONA, "extend", {"target": "decide", "extended_to": "2026-11-13", "reason": "Parts"}, Verb.EXTEND),
    (ALICE, "extend", {"target": "decide", "extended_to": "2026-11-13", "reason": "Parts"}, Verb.EXTEND),
    (ALICE, "warn_conduct", {"text": "Please write without names."}, Verb.WARN_CONDUCT),
    (ALICE, "escalate", REASON, Verb.ESCALATE),
    (ALICE, "restrict", REASON, Verb.RESTRICT),
    (MONA, "not_accept", REASON, Verb.NOT_ACCEPT),
    (MONA, "hold", REASON, Verb.HOLD),
    (ALICE, "reclassify", {"kind": "praise", "reason": "Thanks"}, Verb.RECLASSIFY),
    (ALICE, "conflict", {"who": ALICE, "reason": "My sister"}, Verb.DECLARE_CONFLICT),
    (MONA, "conflict", {"who": BURAK, "reason": "His sister"}, Verb.DECLARE_CONFLICT),
    *(
        (ALICE, "external", {"body": "Ombudsman", "event": event}, verb)
        for event, verb in {
            "notified": Verb.NOTIFY_EXTERNAL, "file_sent": Verb.NOTIFY_EXTERNAL,
            "provisional": Verb.NOTIFY_EXTERNAL, "final": Verb.CONCLUDE_EXTERNAL,
            "complied": Verb.CONCLUDE_EXTERNAL,
        }.items()
    ),
    *(
        (ALICE, "given", {"what": what, "given_at": int(NOW.timestamp()), "by_whom": "Anna"}, verb)
        for what, verb in {"withdraw": Verb.WITHDRAW, "acknowledge": Verb.ACKNOWLEDGE}.items()
    ),
]  # fmt: skip


async def test_a_form_can_be_submitted_with_its_required_fields_only(client: Client) -> None:
    for member, form, values, verb in REQUIRED_VALUES:
        ref = await client.assessed()
        await client.does(member, form, ref, values)
        assert client.last_verb(ref) is verb, (member, form, values)


@pytest.mark.parametrize("needed", ["no", "yes"])
async def test_an_assessment_can_be_submitted_with_its_required_fields_only(
    client: Client, needed: str
) -> None:
    ref = client.received()
    await client.does(ALICE, "assess", ref, ASSESSED | {"immediate_needed": needed})
    # Immediate action that is needed but not known to be possible makes the complaint significant.
    assert (Flag.SIGNIFICANT in client.store.read(load_case, ref).flags) is (needed == "yes")
    await client.does(ALICE, "assess", ref, ASSESSED | {"severity": "3", "immediate_needed": needed})
    assert client.last_verb(ref) is Verb.REASSESS


@pytest.mark.on_both
async def test_a_complaint_is_decided_closed_and_reopened_with_required_fields_only(client: Client) -> None:
    ref = await client.investigated()
    await client.does(
        ALICE, "decide", ref, DECIDED | {"remedies.0.type": "refund", "remedies.0.amount": "500",
                                         "remedies.0.currency": "GBP"},
    )  # fmt: skip
    await client.does(MONA, "approve", ref, {"agreed": "yes"})
    client.record_sent(ref)
    await client.does(ALICE, "remedy", ref, {"remedy": "0", "done_at": int(NOW.timestamp())})
    await client.does(BURAK, "verify", ref, {"remedy": "0", "how": "Seen at the bank"})
    answer = {"what": "accept", "given_at": int(NOW.timestamp()), "by_whom": "Anna"}
    await client.does(ALICE, "given", ref, answer)
    await client.does(ALICE, "close", ref, {"root_cause": "A slip", "cause_class": "single"})
    assert client.store.read(load_case, ref).close_code is CloseCode.RESOLVED
    await client.does(MONA, "reopen", ref, REASON)
    assert client.store.read(load_case, ref).is_open


async def test_a_disagreement_recorded_by_phone_escalates_the_complaint(client: Client) -> None:
    ref = await client.investigated()
    await client.does(ALICE, "decide", ref, DECIDED)
    client.record_sent(ref)
    answer = {"what": "disagree", "given_at": int(NOW.timestamp()), "by_whom": "Anna"}
    await client.does(ALICE, "given", ref, answer)
    assert (client.store.read(load_case, ref).state, client.store.read(load_case, ref).level) == (
        State.ESCALATED,
        2,
    )


async def test_a_second_person_refuses_or_approves_a_reclassification(client: Client) -> None:
    ref = await client.assessed()
    await client.does(ALICE, "reclassify", ref, {"kind": "praise", "reason": "Thanks"})
    await client.does(MONA, "approve", ref, {"agreed": "no", "reason": "It is one"})
    await client.does(ALICE, "reclassify", ref, {"kind": "praise", "reason": "Only thanks"})
    await client.does(MONA, "approve", ref, {"agreed": "yes"})
    assert client.store.read(load_case, ref).close_code is CloseCode.NOT_COMPLAINT


async def test_a_restriction_and_a_legal_hold_can_be_lifted(client: Client) -> None:
    ref = await client.assessed()
    await client.does(ALICE, "restrict", ref, REASON)
    await client.does(MONA, "unrestrict", ref, REASON)
    await client.does(MONA, "hold", ref, REASON)
    await client.does(MONA, "release", ref, REASON)
    case = client.store.read(load_case, ref)
    assert (case.restricted, Flag.LEGAL_HOLD in case.flags) == (False, False)


@pytest.mark.parametrize(
    ("relation", "verb"),
    [("duplicate", Verb.MERGE), ("same_incident", Verb.LINK), ("about_handling_of", Verb.LINK)],
)
async def test_submitting_the_link_form_links_or_merges_the_complaints(
    client: Client, relation: str, verb: Verb
) -> None:
    first, second = client.received(), client.received(words="About my bill again")
    view = await client.opens(ALICE, "link", second)
    assert "cannot be taken back" in json.dumps(view["blocks"])
    await client.does(
        ALICE, "link", second, {"relation": relation, "other_ref": first.lower().replace("-", " ")}
    )
    assert verb in [event.verb for event in client.store.read(load_history, second)]


async def test_a_link_to_an_unknown_complaint_is_refused_at_its_field(client: Client) -> None:
    ref = client.received()
    view = await client.opens(ALICE, "link", ref)
    for other in ("A7K-M3Q-9T", "nonsense", ref):
        answer = await client.submits(ALICE, view, {"relation": "same_incident", "other_ref": other})
        assert (answer["response_action"], set(answer["errors"])) == ("errors", {"other_ref"})


async def test_the_next_news_after_the_legal_maximum_are_refused_at_their_field(client: Client) -> None:
    ref = await client.investigated()
    view = await client.opens(ALICE, "inform", ref)
    answer = await client.submits(ALICE, view, {"done": "Read", "left": "Ask", "next_date": "2027-03-01"})
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == ["next_date"]
    assert "its legal maximum" in answer["errors"]["next_date"]


PREVIEWED = [
    ("reply", {"text": "Yes."}),
    ("ask", {"text": "Which day?", "needed_by": "2026-11-06"}),
    ("inform", {"done": "Read it", "left": "Ask", "next_date": "2026-11-06"}),
    ("resolve", RESOLVED),
    ("decide", DECIDED),
]


async def test_a_letter_on_behalf_of_another_person_needs_no_further_field(client: Client) -> None:
    for form, values in PREVIEWED:
        ref = await client.investigated(for_whom="agreed")
        await client.does(ALICE, form, ref, values)


async def test_only_a_reply_in_another_language_needs_a_confirmation(client: Client) -> None:
    for form, values in PREVIEWED:
        ref = await client.investigated(language="tr", words="Faturam yanlış")
        confirmed = {}
        if form == "reply":
            answer = await client.submits(ALICE, await client.opens(ALICE, form, ref), values)
            assert (answer["response_action"], set(answer["errors"])) == ("errors", {"language_confirmed"})
            confirmed = {"language_confirmed": ["yes"]}
        await client.does(ALICE, form, ref, values | confirmed)


async def test_a_reply_in_the_complainants_language_needs_no_confirmation(client: Client) -> None:
    ref = await client.investigated(language="tr", words="Faturam yanlış")
    text = "Faturanızı inceledik ve fazla alınan tutarı bugün hesabınıza geri gönderdik."
    await client.does(ALICE, "reply", ref, {"text": text})
    assert not client.store.read(load_history, ref)[-1].facts.get("language_confirmed")


async def test_a_complaint_about_staff_is_decided_with_required_fields_only(client: Client) -> None:
    ref = client.received(words="Burak laughed at me", subjects=[BURAK])
    criteria = ASSESSED | {"category": "staff_conduct"}
    await client.does(MONA, "assess", ref, criteria)
    evidence = {
        "evidence": ["complainant_heard", "records_checked", "subject_heard"],
        "subject_informed_at": int(NOW.timestamp()),
    }
    await client.does(MONA, "investigate", ref, evidence)
    await client.does(MONA, "decide", ref, DECIDED)
    assert client.last_verb(ref) in (Verb.RESPOND, Verb.APPROVE)


async def test_a_complaint_is_logged_with_required_fields_only(client: Client) -> None:
    channels = ("phone", "counter", "email", "letter", "web", "other")
    for channel in channels:
        command = SlashCommand("log", "", ALICE, f"t.{channel}", TRIAGE)
        opened = await open_from_command(command, client.store.read(load_actor, ALICE), client.desk)
        assert isinstance(opened, OpenView)
        required = {
            "channel": channel, "received_at": int(NOW.timestamp()), "description": "Water is brown",
            "language": "en",
        }  # fmt: skip
        answer = await client.submits(ALICE, opened.view, required)
        assert answer["response_action"] == "update", channel
    listed, _ = client.store.read(list_cases)
    assert [case["state"] for case in listed] == ["received"] * len(channels)
