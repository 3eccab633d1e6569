"""Every form with its starred fields of the contract and nothing else, as a bare client submits it.

The subject is forms; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
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
from tests.edges.slack_office import EXECUTIVE, RESTRICTED, TRIAGE, letter, spoken
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
    "issues.0.finding": "upheld", "issues.0.reasons": "We erred.", "others_affected": "none",
    "root_cause": "A slip", "cause_class": "single",
}  # fmt: skip
GATHERED = {"evidence": ["complainant_heard", "records_checked"]}
WHY = {"reason": "For a reason"}
NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


def typed(form: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`state.values` as Slack sends them, of exactly these fields."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        group, _, rest = path.partition(".")
        name = rest.partition(".")[2] if rest else path
        one = next(
            each for each in FORMS[form] if each.name == name and each.group == (group if rest else None)
        )
        kind, key = KINDS[one.input]
        if kind in ("static_select", "radio_buttons"):
            value = {"value": value}
        elif kind == "checkboxes":
            value = [{"value": each} for each in value]
        found[path] = {"value": {"type": kind, key: value}}
    return found


@dataclass
class Client:
    """Opens views and submits them, with what was given and no more."""

    store: Store
    desk: SlackContext
    app: AsyncApp
    numbers: count[int] = field(default_factory=lambda: count(1))

    def received(self, *, language: str = "en", words: str = "My bill is wrong", **more: Any) -> str:
        """Anna's complaint."""

        def step(talk: Conversation) -> DialogueTurn:
            facts = (
                message_facts(field="description", has_words=True, subjects=more.pop("subjects", ())) | more
            )
            return DialogueTurn(
                state={}, acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, facts, {"description": words}),)
            )

        chat = Chat("telegram", "70001", language, "Anna")
        return self.store.write(receive_message, f"tg:{next(self.numbers)}", chat, step).refs[0]

    def hears(self, ref: str, verb: Verb, facts: Mapping[str, Any] | None = None) -> None:
        """An act of Anna's."""
        act = PlannedAct(verb, ref, facts or {}, {})
        chat = Chat("telegram", "70001", "en", "Anna")
        self.store.write(
            receive_message,
            f"tg:{next(self.numbers)}",
            chat,
            lambda talk: DialogueTurn(state={}, acts=(act,)),
        )

    async def opens(self, member: str, form: str, ref: str) -> dict[str, Any]:
        """The view that a press opens."""
        return await view_for(self.desk, form, ref, self.store.read(load_actor, member))

    async def submits(
        self, member: str, view: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What a submission is acknowledged with."""
        form = str(view["callback_id"])
        sent = {**view, "id": "V1", "hash": "h", "state": {"values": typed(form, values)}}
        body = {"type": "view_submission", "user": {"id": member}, "team": {"id": "T1"}, "view": sent}
        answer = await self.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        assert answer.status == 200
        return dict(json.loads(answer.body))

    async def does(self, member: str, form: str, ref: str, values: Mapping[str, Any]) -> None:
        """Open, submit, and send what is previewed where the contract has a preview; nothing is refused."""
        answer = await self.submits(member, await self.opens(member, form, ref), values)
        if form in ("reply", "ask", "inform", "resolve", "decide"):
            assert (answer["response_action"], answer["view"]["callback_id"]) == (
                "push",
                f"{form}_preview",
            ), answer
            assert answer["view"]["close"]["text"] == "Back"
            assert set(json.loads(answer["view"]["private_metadata"])) == {"ref", "version", "draft"}
            answer = await self.submits(member, answer["view"], {})
        assert answer == {"response_action": "clear"}

    async def assessed(self, **more: Any) -> str:
        """Received and assessed by Alice."""
        ref = self.received(**more)
        await self.does(ALICE, "assess", ref, ASSESSED)
        return ref

    async def gathered(self, **more: Any) -> str:
        """Investigated too."""
        ref = await self.assessed(**more)
        await self.does(ALICE, "investigate", ref, GATHERED)
        return ref

    def told(self, ref: str) -> None:
        """The channel took acknowledgement and decision."""
        if not self.store.read(load_case, ref).acks:
            self.store.write(store_act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        self.store.write(store_act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)

    def last(self, ref: str) -> Verb:
        """The last act that anybody did."""
        return self.store.read(load_history, ref)[-1].verb


def bare_app(slack: SlackContext) -> AsyncApp:
    """The listeners of the product, with a Slack that nothing here calls."""
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
    slack = SlackContext(store, voice(), StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE), letter, spoken)
    return Client(store, slack, bare_app(slack))


#: One by one, each on a complaint of its own: (who, form, starred fields, the event's verb).
ALONE = [
    (MONA, "assign", {"owner": BURAK}, Verb.ASSIGN),
    (ALICE, "reply", {"text": "We are on it."}, Verb.REPLY),
    (ALICE, "note", {"text": "She rang."}, Verb.NOTE),
    (ALICE, "ask", {"text": "Which day?", "needed_by": "2026-11-06"}, Verb.ASK),
    (ALICE, "inform", {"done": "Read it", "left": "Ask", "next_date": "2026-11-06"}, Verb.INFORM),
    (ALICE, "investigate", {}, Verb.INVESTIGATE),
    (ALICE, "investigate", GATHERED, Verb.INVESTIGATE),
    (ALICE, "resolve", RESOLVED, Verb.RESOLVE),
    (MONA, "extend", {"target": "decide", "extended_to": "2026-11-13", "reason": "Parts"}, Verb.EXTEND),
    (ALICE, "extend", {"target": "decide", "extended_to": "2026-11-13", "reason": "Parts"}, Verb.EXTEND),
    (ALICE, "escalate", WHY, Verb.ESCALATE),
    (ALICE, "restrict", WHY, Verb.RESTRICT),
    (MONA, "not_accept", WHY, Verb.NOT_ACCEPT),
    (MONA, "hold", WHY, Verb.HOLD),
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


@pytest.mark.parametrize(("member", "form", "values", "verb"), ALONE, ids=lambda one: str(one)[:20])
async def test_the_starred_fields_alone_are_enough(
    client: Client, member: str, form: str, values: dict[str, Any], verb: Verb
) -> None:
    ref = await client.assessed()
    await client.does(member, form, ref, values)
    assert client.last(ref) is verb


@pytest.mark.parametrize("needed", ["no", "yes"])
async def test_an_assessment_needs_its_starred_fields_alone(client: Client, needed: str) -> None:
    ref = client.received()
    await client.does(ALICE, "assess", ref, ASSESSED | {"immediate_needed": needed})
    # What is needed and of which nobody says that it is possible is for the top to know at once.
    assert (Flag.SIGNIFICANT in client.store.read(load_case, ref).flags) is (needed == "yes")
    await client.does(ALICE, "assess", ref, ASSESSED | {"severity": "3", "immediate_needed": needed})
    assert client.last(ref) is Verb.REASSESS


@pytest.mark.on_both
async def test_a_decision_is_led_to_its_closing_with_starred_fields_alone(client: Client) -> None:
    ref = await client.gathered()
    await client.does(
        ALICE, "decide", ref, DECIDED | {"remedies.0.type": "refund", "remedies.0.amount": "500",
                                         "remedies.0.currency": "GBP"},
    )  # fmt: skip
    await client.does(MONA, "approve", ref, {"agreed": "yes"})
    client.told(ref)
    await client.does(ALICE, "remedy", ref, {"remedy": "0", "done_at": int(NOW.timestamp())})
    await client.does(BURAK, "verify", ref, {"remedy": "0", "how": "Seen at the bank"})
    heard = {"what": "accept", "given_at": int(NOW.timestamp()), "by_whom": "Anna"}
    await client.does(ALICE, "given", ref, heard)
    await client.does(ALICE, "close", ref, {"root_cause": "A slip", "cause_class": "single"})
    assert client.store.read(load_case, ref).close_code is CloseCode.RESOLVED
    await client.does(MONA, "reopen", ref, WHY)
    assert client.store.read(load_case, ref).is_open


async def test_a_disagreement_heard_by_phone_goes_up(client: Client) -> None:
    ref = await client.gathered()
    await client.does(ALICE, "decide", ref, DECIDED)
    client.told(ref)
    heard = {"what": "disagree", "given_at": int(NOW.timestamp()), "by_whom": "Anna"}
    await client.does(ALICE, "given", ref, heard)
    assert (client.store.read(load_case, ref).state, client.store.read(load_case, ref).level) == (
        State.ESCALATED,
        2,
    )


async def test_what_a_second_person_refuses_or_grants(client: Client) -> None:
    ref = await client.assessed()
    await client.does(ALICE, "reclassify", ref, {"kind": "praise", "reason": "Thanks"})
    await client.does(MONA, "approve", ref, {"agreed": "no", "reason": "It is one"})
    await client.does(ALICE, "reclassify", ref, {"kind": "praise", "reason": "Only thanks"})
    await client.does(MONA, "approve", ref, {"agreed": "yes"})
    assert client.store.read(load_case, ref).close_code is CloseCode.NOT_COMPLAINT


async def test_restricted_and_held_are_lifted_again(client: Client) -> None:
    ref = await client.assessed()
    await client.does(ALICE, "restrict", ref, WHY)
    await client.does(MONA, "unrestrict", ref, WHY)
    await client.does(MONA, "hold", ref, WHY)
    await client.does(MONA, "release", ref, WHY)
    case = client.store.read(load_case, ref)
    assert (case.restricted, Flag.LEGAL_HOLD in case.flags) == (False, False)


@pytest.mark.parametrize(
    ("relation", "verb"),
    [("duplicate", Verb.MERGE), ("same_incident", Verb.LINK), ("about_handling_of", Verb.LINK)],
)
async def test_a_link_is_done_by_its_submission(client: Client, relation: str, verb: Verb) -> None:
    first, second = client.received(), client.received(words="About my bill again")
    view = await client.opens(ALICE, "link", second)
    assert "cannot be taken back" in json.dumps(view["blocks"])
    await client.does(
        ALICE, "link", second, {"relation": relation, "other_ref": first.lower().replace("-", " ")}
    )
    assert verb in [one.verb for one in client.store.read(load_history, second)]


async def test_a_link_to_what_is_not_there_is_answered_at_its_field(client: Client) -> None:
    ref = client.received()
    view = await client.opens(ALICE, "link", ref)
    for other in ("A7K-M3Q-9T", "nonsense", ref):
        answer = await client.submits(ALICE, view, {"relation": "same_incident", "other_ref": other})
        assert (answer["response_action"], set(answer["errors"])) == ("errors", {"other_ref"})


PREVIEWED = [
    ("reply", {"text": "Yes."}),
    ("ask", {"text": "Which day?", "needed_by": "2026-11-06"}),
    ("inform", {"done": "Read it", "left": "Ask", "next_date": "2026-11-06"}),
    ("resolve", RESOLVED),
    ("decide", DECIDED),
]


@pytest.mark.parametrize(("form", "values"), PREVIEWED, ids=lambda one: str(one)[:8])
async def test_a_letter_about_another_person_needs_no_field_beyond_the_contract(
    client: Client, form: str, values: dict[str, Any]
) -> None:
    ref = await client.gathered(for_whom="agreed")
    await client.does(ALICE, form, ref, values)


@pytest.mark.parametrize(("form", "values"), PREVIEWED, ids=lambda one: str(one)[:8])
async def test_another_language_is_confirmed_in_a_reply_and_in_nothing_else(
    client: Client, form: str, values: dict[str, Any]
) -> None:
    ref = await client.gathered(language="tr", words="Faturam yanlış")
    if form == "reply":
        answer = await client.submits(ALICE, await client.opens(ALICE, form, ref), values)
        assert (answer["response_action"], set(answer["errors"])) == ("errors", {"language_confirmed"})
        values = values | {"language_confirmed": ["yes"]}
    await client.does(ALICE, form, ref, values)


async def test_a_complaint_about_staff_is_decided_with_the_contracts_fields_alone(client: Client) -> None:
    ref = client.received(words="Burak laughed at me", subjects=[BURAK])
    assessed = ASSESSED | {"category": "staff_conduct"}
    await client.does(MONA, "assess", ref, assessed)
    heard = {
        "evidence": ["complainant_heard", "records_checked", "subject_heard"],
        "subject_informed_at": int(NOW.timestamp()),
    }
    await client.does(MONA, "investigate", ref, heard)
    await client.does(MONA, "decide", ref, DECIDED)
    assert client.last(ref) in (Verb.RESPOND, Verb.APPROVE)


@pytest.mark.parametrize("channel", ["phone", "counter", "email", "letter", "web", "other"])
async def test_a_complaint_is_logged_with_starred_fields_alone(client: Client, channel: str) -> None:
    command = SlashCommand("log", "", ALICE, f"t.{channel}", TRIAGE)
    opened = await open_from_command(command, client.store.read(load_actor, ALICE), client.desk)
    assert isinstance(opened, OpenView)
    view = opened.view
    starred = {
        "channel": channel, "received_at": int(NOW.timestamp()), "description": "Water is brown",
        "language": "en",
    }  # fmt: skip
    answer = await client.submits(ALICE, view, starred)
    (listed,), _ = client.store.read(list_cases)
    assert answer["response_action"] == "update"
    assert listed["state"] == "received"


def test_the_starred_fields_are_the_contracts_and_no_others() -> None:
    starred = {form: sorted(one.path for one in fields if one.required) for form, fields in FORMS.items()}
    reasons = ("escalate", "restrict", "unrestrict", "reopen", "not_accept", "hold", "release")
    assert starred == {
        "take": [], "receipt": [], "bind": [], "investigate": [],
        "assess": sorted(ASSESSED),
        "assign": ["owner"], "reply": ["text"], "note": ["text"],
        "ask": ["needed_by", "text"], "inform": ["done", "left", "next_date"],
        "resolve": sorted(RESOLVED),
        "decide": ["cause_class", "issues.N.finding", "issues.N.reasons", "others_affected", "root_cause"],
        "approve": ["agreed"], "remedy": ["done_at", "remedy"], "verify": ["how", "remedy"],
        "close": ["cause_class", "root_cause"],
        "extend": ["extended_to", "reason", "target"],
        **{key: ["reason"] for key in reasons},
        "link": ["other_ref", "relation"], "reclassify": ["kind", "reason"], "conflict": ["reason", "who"],
        "external": ["body", "event"], "given": ["by_whom", "given_at", "what"],
        "log_complaint": ["channel", "description", "language", "received_at"],
    }  # fmt: skip
