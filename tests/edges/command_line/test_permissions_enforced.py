"""docs/permissions.md is enforced for Slack buttons and forms, the bot, the scheduler and the model.

A person of each role tries every act. An act that the page does not allow is refused and recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from complaints.actions.intake import message_facts
from complaints.actions.registry import ACTIONS
from complaints.actors import MODEL, SYSTEM, Actor
from complaints.errors import ComplaintError, NotAllowed
from complaints.forms import FORMS, Field, Input
from complaints.obligations.kinds import ACTS
from complaints.vocabulary import Role, Verb
from simulator.screen import Card
from simulator.slack import payloads
from simulator.slack.people import visible_post
from store.cases.act import act
from store.cases.read import load_case
from store.people.staff import list_members, load_actor, sync_staff
from store.store import Store
from store.tables import ATTEMPTS
from store.values import Member
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import Desk
from tests.edges.slack_office import ALICE, ASSESSMENT, BURAK, MONA, TRIAGE, Office, open_office
from tests.who_may import READS, verbs_of, who_may

#: The forms of one complaint. `log_complaint` is left out: it starts a new one.
CASE_FORMS = sorted({*FORMS, "incident"} - {"log_complaint"})
STAFF = [*(role for role in who_may()), None]
_NUMBERS = count(1)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def _give_role(office: Office, role: Role | None) -> None:
    """Give Burak only this role. The others keep their roles."""
    store = office.store
    others = [member for member in store.read(list_members) if member.id != BURAK]
    roles = frozenset({role}) if role is not None else frozenset[Role]()
    store.write(sync_staff, [*others, Member(BURAK, "Burak Demir", (), roles)])


def _a_case(office: Office, role: Role | None) -> str:
    """An assessed complaint that Burak owns, at the level where his role decides."""
    store = office.store
    ref = office.proposed()
    alice, mona = store.read(load_actor, ALICE), store.read(load_actor, MONA)
    store.write(act, ref, Verb.ASSESS, alice, {**ASSESSMENT, "issues": []}, {})
    if role is Role.TOP_MANAGEMENT:
        store.write(act, ref, Verb.ESCALATE, alice, {}, {"reason": "It is theirs."})
    store.write(act, ref, Verb.ASSIGN, mona, {"owner": BURAK}, {})
    return ref


def _refusals(office: Office, ref: str) -> int:
    """The number of Burak's recorded attempts."""
    query = ATTEMPTS.select().where(ATTEMPTS.c.by == BURAK, ATTEMPTS.c.ref == ref)
    return len(office.store.read(lambda tx: list(tx.connection.execute(query))))


def _may(role: Role | None, form: str) -> bool:
    """Whether the page allows it here; nobody was drawn to review this complaint."""
    return role is not None and form in who_may()[role] - {"review_case"}


async def _presses(office: Office, card: Card, ref: str, form: str) -> None:
    """Press this form's button even if the card does not show it: hiding a button is no protection."""
    colleague = office.staff(BURAK)
    world, member = colleague.world, colleague.member
    channel = world.slack.channels[TRIAGE]
    element = {
        "type": "button",
        "action_id": f"case.{form}",
        "value": ref,
        "text": {"type": "plain_text", "text": form},
    }
    work = office.store.read(load_case, ref).work_version
    acted = payloads.action(element, f"actions:{work}.1", None, world.slack.next_ts(world.now()))
    acted["action_ts"] = f"{next(_NUMBERS)}.000001"
    post = visible_post(world, member, channel, card.ts)
    payload = payloads.message_press(world, member, channel, post, acted, {})
    assert await colleague.link.deliver("interactive", payload) is not None
    member.views.clear()


@clause("5.3")
@clause("4.7")
@pytest.mark.parametrize("role", STAFF, ids=lambda role: role.value if role else "nobody")
async def test_a_press_is_refused_and_recorded_unless_the_permissions_page_allows_it(
    office: Office, role: Role | None
) -> None:
    _give_role(office, role)
    # A press only opens a form, so one complaint is enough for all.
    ref = _a_case(office, role)
    card = await office.card(ref, ALICE)
    refused = {}
    for form in CASE_FORMS:
        before = _refusals(office, ref)
        await _presses(office, card, ref, form)
        refused[form] = _refusals(office, ref) > before

    assert refused == {form: not _may(role, form) for form in CASE_FORMS}


def _typed(field: Field, office: Office) -> dict[str, Any]:
    """A valid value of this input, as Slack sends it."""
    now = office.store.now()
    match field.input:
        case Input.CHOICE | Input.WHOLE:
            value = "0" if not field.options else field.options[0]
            value = "praise" if field.name == "kind" else value
            return {"type": "static_select", "selected_option": {"value": value}}
        case Input.FLAG | Input.FLAGS:
            return {"type": "checkboxes", "selected_options": [{"value": field.options[0]}]}
        case Input.DATE:
            return {"type": "datepicker", "selected_date": (now + timedelta(days=6)).date().isoformat()}
        case Input.MOMENT:
            return {"type": "datetimepicker", "selected_date_time": int(now.timestamp()) - 60}
        case Input.STAFF:
            return {"type": "users_select", "selected_user": ALICE}
        case _:
            return {"type": "plain_text_input", "value": "12.00" if field.input is Input.AMOUNT else "words"}


def _filled(form: str, office: Office, other: str) -> dict[str, dict[str, dict[str, Any]]]:
    values = {}
    for field in FORMS[form].fields:
        if field.required:
            path = field.path.replace(".N.", ".0.")
            if form == "assess":
                # Only a manager may lower a rating. Repeating it is open to every assessor.
                chosen = {"value": ASSESSMENT[field.name]}
                values[path] = {"value": {"type": "static_select", "selected_option": chosen}}
                continue
            values[path] = {"value": _typed(field, office)}
    if "other_ref" in values:
        values["other_ref"] = {"value": {"type": "plain_text_input", "value": other}}
    return values


async def _submits(office: Office, ref: str, form: str, other: str) -> None:
    """Submit this form as if it had been opened while Burak still had the permission."""
    colleague = office.staff(BURAK)
    world, member = colleague.world, colleague.member
    work = office.store.read(load_case, ref).work_version
    values = _filled(form, office, other)
    payload = {
        **payloads.shortcut(world, member, "x"),
        "type": "view_submission",
        "response_urls": [],
        "view": {
            "id": f"V{next(_NUMBERS)}",
            "type": "modal",
            "callback_id": form,
            "private_metadata": f'{{"ref": "{ref}", "version": {work}}}',
            "blocks": [
                {"type": "input", "block_id": path, "element": {"type": "plain_text_input"}}
                for path in values
            ],
            "title": {"type": "plain_text", "text": form},
            "state": {"values": values},
            "hash": "1.x",
        },
    }
    assert await colleague.link.deliver("interactive", payload, accepts=True) is not None


#: These are done by the press itself or submitted to another listener.
NOT_SUBMITTED = {"take", "receipt", "bind", "incident"}


@clause("5.3")
@pytest.mark.parametrize("role", STAFF, ids=lambda role: role.value if role else "nobody")
async def test_a_form_submitted_after_the_permission_was_lost_is_refused_and_recorded(
    office: Office, role: Role | None
) -> None:
    forms = [form for form in CASE_FORMS if form not in NOT_SUBMITTED]
    # This test needs no card.
    await office.stop_worker()
    _give_role(office, role)
    other, ref = office.proposed(), _a_case(office, role)
    refused = {}
    for form in forms:
        before, version = _refusals(office, ref), office.store.read(load_case, ref).version
        await _submits(office, ref, form, other)
        refused[form] = _refusals(office, ref) > before
        if office.store.read(load_case, ref).version != version:
            ref = _a_case(office, role)

    assert refused == {form: not _may(role, form) for form in forms}


@clause("5.3")
def test_the_bot_performs_only_acts_of_the_complainant(usual_store: Store) -> None:
    desk = Desk(usual_store)
    refused = set()
    for number, verb in enumerate(verbs := set(Verb) - {Verb.RECEIVE}):
        chat = desk.chat(f"7{number:04}")
        ref = desk.receive(chat=chat)
        facts: dict[str, Any] = {"incident": 1} if verb is Verb.LINK else {}
        if verb in (Verb.ADD, Verb.ANSWER):
            facts = message_facts(field="description", has_words=True)
        try:
            desk.complain(ref, verb, facts, {"text": "words"}, chat=chat)
        except NotAllowed:
            refused.add(verb)
        except ComplaintError:
            # The complainant may do this, but the state or the facts do not fit.
            continue

    assert refused == {verb for verb in verbs if Role.COMPLAINANT not in ACTIONS[verb].roles}


@clause("7.5")
@pytest.mark.parametrize("by", [MODEL, SYSTEM], ids=["model", "system"])
def test_the_scheduler_and_the_model_never_judge(by: Actor) -> None:
    judging = {Verb.ASSESS, Verb.REASSESS, Verb.RESOLVE, Verb.RESPOND, Verb.APPROVE, Verb.RECLASSIFY}
    assert {verb for verb in judging if by.roles & ACTIONS[verb].roles} == set()
    assert set(ACTS.values()) <= {verb for verb, action in ACTIONS.items() if Role.SYSTEM in action.roles}


def test_every_form_is_listed_on_the_permissions_page() -> None:
    named = set().union(*who_may().values()) - READS
    assert named == {*FORMS, "incident", "take_back", "talk"}
    assert {verb for form in named for verb in verbs_of(form)} | set(ACTIONS) == set(ACTIONS)
