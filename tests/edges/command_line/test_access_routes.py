"""Every way to a complaint: closed to people without access, and recorded with a reason for those who have it."""

from __future__ import annotations

import os
import pwd
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from amends.cli.main import COMMANDS
from amends.reports.report_kinds import KINDS
from bots.slack.app import LISTENERS
from bots.slack.payloads import ButtonPress, FormSubmission, HomeOpened, SlashCommand
from bots.slack.responses import RedrawView
from bots.slack.router import Route, Router
from bots.slack.views.open_form import view_for
from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor, staff
from complaints.errors import ComplaintError, ReasonNeeded
from complaints.forms import FORMS
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.files import read_file_bytes
from store.people.staff import load_actor
from store.record.worklists import WorklistSection, load_visible_cases
from store.store import Store
from store.tables import READS
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk
from tests.edges.product import Product
from tests.edges.product_desk import desk_of
from tests.edges.slack_office import ALICE, ASSESSMENT, AUDREY, BURAK, MONA, TRIAGE, Office, open_office

#: Commands that show personal data. Each records that it did.
RECORDED_COMMANDS = {"case show", "case history", "case due", "case file", "privacy export"}
#: Commands that show none: codes, dates, references, figures, settings.
UNRECORDED_COMMANDS = {
    "case list", "case redate", "check", "danger print", "clauses", "db backup", "db checkpoint", "db restore",
    "db new-start",
    "db rotate-key",
    "db upgrade", "db verify", "db measure", "db prove", "db vacuum",
    "export measures", "privacy hold", "privacy receipts", "demo",
    "privacy restrict", "prove", "poster", "import", "inbox give-up", "inbox list", "inbox retry", "init", "law diff",
    "law list", "outbox give-up", "outbox list",
    "outbox retry", "privacy erase", "privacy purge", "report access", "publish", "run",
    "register act", "register add", "register list", "register show",
    "slack-manifest", "triage evaluate", "triage forget-history", "triage history", "triage promote",
    "triage propose", "triage rollback", "triage train", "witness",
    *(f"report {kind.replace('_', '-')}" for kind in KINDS),
}  # fmt: skip
ROUTES = Router.joined(module.router for module in LISTENERS)
CANARY = "Zzyzx"
EVIDENCE = {"evidence": ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]}


def command_names() -> set[str]:
    names = set()
    for command in COMMANDS:
        inner = getattr(command, "commands", None)
        names |= {f"{command.name} {name}" for name in inner} if inner else {str(command.name)}
    return names


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def names_of(route: Route) -> list[str]:
    """Names that this route answers; a pattern answers every name that starts like it."""
    if isinstance(route.pattern, str):
        return [route.pattern]
    stem = route.pattern.pattern.removeprefix("^").partition("\\")[0]
    examples = {"case": [f"case.{form}" for form in (*FORMS, "open", "due", "incident")]}
    return examples.get(stem, {"home": ["home.page.0"], "reason": ["reason.help"]}.get(stem, ["anything"]))


async def answer(office: Office, route: Route, request: Any, actor: Actor) -> str:
    """All that the listener answers, and "" for a refusal."""
    arguments = (request, actor, office.desk) if route.admits else (request, office.desk)
    try:
        response = await route.listener(*arguments)
        return repr(await response.draw() if isinstance(response, RedrawView) else response)
    except ComplaintError:
        return ""


@clause("4.7")
async def test_no_route_of_slack_shows_or_changes_a_complaint_for_a_person_who_lost_access(
    office: Office,
) -> None:
    """All buttons, forms and commands are tried, also those that a later release adds."""
    ref = office.owned(BURAK, f"{CANARY}: my bill is wrong")
    store, burak = office.store, office.store.read(load_actor, BURAK)
    store.write(act, ref, Verb.ASSESS, burak, ASSESSMENT, {"issues.0.text": f"{CANARY} once more"})
    store.write(act, ref, Verb.INVESTIGATE, burak, EVIDENCE, {})
    forms = [await view_for(office.desk, form, ref, burak) for form in ("assess", "decide")]
    assert CANARY in repr(forms)
    store.write(act, ref, Verb.DECLARE_CONFLICT, burak, {"who": BURAK}, {"reason": "A friend"})
    await office.idle()
    version = store.read(load_case, ref).version
    shown, tried = [], 0
    for form, group in ((forms[0], "issues"), (forms[1], "remedies")):
        view = {**form, "id": "V1", "state": {"values": {}}}
        values = {
            "home.page.0": f"{WorklistSection.OPEN}:0",
            "outbox.retry": "1",
            "more": group,
            "matters": "[]",
        }
        for route in ROUTES.actions:
            for name in names_of(route):
                if name == "matters" and group != "issues":
                    continue
                value = "1" if name.startswith("incident.") else values.get(name, f"{ref}:1")
                press = ButtonPress(name, value, BURAK, f"t{tried}", view=view)
                shown.append((name, await answer(office, route, press, burak)))
                tried += 1
        for route in ROUTES.views:
            for name in names_of(route):
                submission = FormSubmission({**view, "callback_id": name}, BURAK)
                try:
                    shown.append((name, await answer(office, route, submission, burak)))
                except KeyError:
                    # A form without a complaint, which this view does not fill in.
                    assert name in {"log_complaint", "move", "move_preview"}
                tried += 1
    for route in ROUTES.commands:
        for name in names_of(route):
            for rest in (ref, "money", ""):
                command = SlashCommand(name, rest, BURAK, f"t{tried}", TRIAGE)
                shown.append((name, await answer(office, route, command, burak)))
                tried += 1
    home = next(route for route in ROUTES.events if route.matches("app_home_opened"))
    shown.append(("home", await answer(office, home, HomeOpened(BURAK, "home"), burak)))
    await office.idle()

    # These draw the form again that the press brought; they read nothing of the record.
    from_screen = {"more", "matters"}
    assert {name for name, text in shown if CANARY in text} <= from_screen
    assert store.read(load_case, ref).version == version
    assert office.staff(BURAK).files == []
    assert tried > 200


ROLES = [*(role for role in Role if role not in {Role.SYSTEM, Role.MODEL, Role.COMPLAINANT}), None]


@clause("4.7")
def test_lists_contain_exactly_the_complaints_that_their_reader_may_know_of(store: Store) -> None:
    """The lists decide in SQL, and must decide as the rules do."""
    desk = Desk(store)
    refs = [desk.assessed() for _ in range(2)]
    refs += [desk.receive(subjects=(subject,)) for subject in (SECOND, MANAGER, "U9")]
    for ref in (refs[1], refs[2]):
        store.write(act, ref, Verb.DECLARE_CONFLICT, desk.actor(HANDLER), {"who": HANDLER}, {"reason": "x"})
    for role in ROLES:
        me = staff("U9", role) if role else staff("U9")
        listed = {case.ref for case in store.read(load_visible_cases, refs, me)}
        allowed = {ref for ref in refs if is_allowed(store.read(load_case, ref), Access.KNOW, me)}
        assert listed == allowed, role


def reads(store: Store, by: str) -> list[tuple[str, str | None]]:
    query = select(READS.c.what, READS.c.reason).where(READS.c.by == by).order_by(READS.c.id)
    return [tuple(row) for row in store.read(lambda tx: tx.connection.execute(query).all())]


@clause("4.7")
async def test_a_colleague_opens_a_complaint_with_one_more_click_and_the_reason_is_recorded(
    office: Office,
) -> None:
    ref = office.owned(ALICE)
    opened = await office.reads(BURAK, ref, "I help the owner")
    assert CANARY in opened.text
    assert reads(office.store, BURAK) == [("open", "help")]


async def test_a_reason_holds_for_a_day_and_is_asked_again_after_it(office: Office) -> None:
    ref = office.owned(ALICE)
    await office.reads(BURAK, ref, "I help the owner")
    burak = office.staff(BURAK)
    await burak.closes(all=True)
    await burak.presses(await office.card(ref, BURAK), "Open")
    await burak.opened("Open")
    assert reads(office.store, BURAK) == [("open", "help"), ("open", "help")]
    await burak.closes(all=True)
    office.clock.go_on(hours=25)
    await burak.presses(await office.card(ref, BURAK), "Open")
    await burak.opened("Reason for reading")


@pytest.mark.parametrize("member", [ALICE, MONA])
async def test_owner_and_manager_are_not_asked_for_a_reason(office: Office, member: str) -> None:
    ref = office.owned(ALICE)
    await office.staff(member).presses(await office.card(ref, member), "Open")
    await office.staff(member).opened("Open")
    assert reads(office.store, member) == [("open", None)]


async def test_nobody_is_asked_for_a_reason_where_the_complaint_can_be_taken(office: Office) -> None:
    ref = office.proposed()
    await office.staff(BURAK).presses(await office.card(ref, BURAK), "Open")
    await office.staff(BURAK).opened("Open")
    await office.reads(AUDREY, ref)
    assert reads(office.store, AUDREY) == [("open", "check")]


def test_a_file_needs_a_reason_too(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed()
    second = desk.actor(SECOND)
    for attempt in ((open_case, ref, second, "open"), (read_file_bytes, ref, 1, second)):
        with pytest.raises(ReasonNeeded):
            usual_store.write(*attempt)
    assert reads(usual_store, SECOND) == []


async def test_a_form_that_shows_all_words_is_recorded_as_having_read_the_complaint(
    office: Office,
) -> None:
    ref = office.owned(ALICE)
    alice = office.store.read(load_actor, ALICE)
    office.store.write(act, ref, Verb.ASSESS, alice, ASSESSMENT, {})
    office.store.write(act, ref, Verb.INVESTIGATE, alice, EVIDENCE, {})
    await view_for(office.desk, "decide", ref, alice)
    row = office.store.read(lambda tx: tx.connection.execute(select(READS)).one())
    assert (row.by, row.what, row.version) == (ALICE, "decide", 5)


@clause("4.7")
async def test_every_reading_command_records_the_account_and_the_reason(product: Product) -> None:
    with desk_of(product, datetime(2020, 3, 4, 10, tzinfo=UTC)) as desk:
        await records_every_read(product, desk)


async def records_every_read(product: Product, desk: Desk) -> None:
    ref = desk.receive("The water is brown.")
    account = f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    for command in sorted(RECORDED_COMMANDS - {"case due"}):
        name = {"case file": "case.pdf", "privacy export": "data.zip"}.get(command)
        what = ("--complainant", ref) if command == "privacy export" else (ref,)
        output = ("-o", name) if name else ()
        done = await product.amends(*command.split(), *what, *output, "--reason", "audit")
        assert done.code == 0, done.err
    query = select(READS.c.by, READS.c.role, READS.c.what, READS.c.reason).order_by(READS.c.id)
    rows = desk.store.read(lambda tx: tx.connection.execute(query).all())
    assert {(by, role, reason) for by, role, _, reason in rows} == {(account, "operator", "audit")}
    assert [what for _, _, what, _ in rows] == ["file", "history", "show audit", "export"]


async def test_the_list_of_unusual_access_is_printed_for_auditors(product: Product) -> None:
    with desk_of(product, datetime(2026, 11, 3, 23, tzinfo=UTC)) as desk:
        ref = desk.assessed()
        desk.store.write(open_case, ref, desk.actor(SECOND), "open", "help")
    period = ("--from", "2026-11-01", "--to", "2026-11-30")
    listed = await product.amends("report", "access", *period, "--json")
    printed = await product.amends("report", "access", *period)
    assert listed.code == 0, listed.err
    found = {(row["by"], row["sign"], row["ref"], row["reason"]) for row in listed.json["findings"]}
    assert (SECOND, "without assignment", ref, "help") in found
    assert (SECOND, "at night", ref, "help") in found
    assert "without assignment" in printed.out
