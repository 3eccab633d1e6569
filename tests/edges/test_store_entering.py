"""A complaint that staff write down: one transaction, its person, its dates; who may hear where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from bots.dialogue.signs import read
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.vocabulary import Flag, Role, State, Target, Verb
from store.cases.export import export_record
from store.cases.log import log_complaint
from store.cases.read import list_cases, load_case, load_history, open_case
from store.custody.verify import verify
from store.outbox.claim import claim
from store.outbox.complete import is_still_required
from store.outbox.failed import list_failed
from store.outbox.offline import save_words_to_read_out
from store.people.identifiers import find_by_identifier
from store.people.identity import load_case_for_caller
from store.people.staff import sync_staff
from store.store import Store
from store.tables import ATTEMPTS, COMPLAINTS, CONTACTS, PEOPLE, READS
from store.values import Member
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, STAFF, Desk, refused

TELLER = "U6"
GIVEN: Mapping[str, str] = {
    "description": "The water is brown.",
    "name": "Mary Sealedname",
    "phone": "020 7946 0018",
    "email": "Mary@Example.org",
    "customer_ref": "88-41 207",
}


def desk_of(store: Store) -> Desk:
    desk = Desk(store)
    store.write(sync_staff, (*STAFF, Member(TELLER, "Flo Sealedname", (), frozenset({Role.INTAKE}))))
    return desk


def log(
    desk: Desk, words: Mapping[str, str] = GIVEN, *, by: str = TELLER, key: str = "slack:log:1", **facts: Any
) -> Case:
    """Tuesday 3 November, 10:00, unless said otherwise."""
    told = {"channel": "phone", "received_at": "2026-11-03T09:50:00Z", "language": "en"} | facts
    return desk.store.write(log_complaint, key, told, words, desk.actor(by), read)


def count(store: Store, query: Any) -> int:
    return int(store.read(lambda tx: tx.connection.execute(query).scalar_one()))


@clause("7.2")
def test_logging_makes_person_contact_points_complaint_and_duties_at_once(store: Store) -> None:
    desk = desk_of(store)
    case = log(desk, answer_by="letter", consent_to_contact=True)
    record = store.read(export_record, case.ref)
    assert (record["state"], record["channel"], record["name"]) == ("received", "phone", "Mary Sealedname")
    assert [(one["field"], one["text"]) for one in record["texts"]] == [
        ("description", "The water is brown.")
    ]
    points = [(one["channel"], one["address"]) for one in record["people"][0]["contact_points"]]
    assert points == [("phone", "+442079460018"), ("email", "mary@example.org")]
    assert (case.answer_by, case.form_open, case.told_by_people) == ("letter", False, True)
    first = store.read(load_history, case.ref)[0]
    assert (first.role, first.facts["recipient_staff"], first.facts["consent_to_contact"]) == (
        Role.INTAKE,
        TELLER,
        True,
    )
    assert store.read(find_by_identifier, "02079460018", "GB") == [case.ref]
    assert store.read(find_by_identifier, "8841207", "GB") == [case.ref]
    kinds = {row["kind"] for row in store.read(list_failed, everything=True)}
    assert {"card", "propose", "tell_by_voice"} <= kinds
    assert "acknowledge" not in kinds
    assert store.read(verify).first_bad is None


def test_a_repeat_of_the_key_changes_nothing(store: Store) -> None:
    desk = desk_of(store)
    log(desk)
    before = store.read(list_failed, everything=True)
    assert refused(lambda: log(desk), AlreadyDone).code == "already_done"  # type: ignore[attr-defined]
    assert count(store, select(func.count()).select_from(COMPLAINTS)) == 1
    assert store.read(list_failed, everything=True) == before


def test_the_same_phone_is_the_same_person_and_a_known_name_stands(store: Store) -> None:
    desk = desk_of(store)
    first = log(desk)
    second = log(
        desk,
        {"description": "It is brown again.", "phone": "+44 20 7946 0018", "name": "M."},
        key="slack:log:2",
    )
    assert second.complainant == first.complainant
    assert store.read(export_record, second.ref)["name"] == "Mary Sealedname"
    assert count(store, select(func.count()).select_from(PEOPLE)) == 1
    assert count(store, select(func.count()).select_from(CONTACTS)) == 2


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("phone", "not a number", "not_a_phone"),
        ("email", "nobody", "not_a_email"),
        ("customer_ref", "--", "not_a_number"),
    ],
)
def test_a_number_that_is_none_is_refused_at_its_field_and_leaves_nothing(
    store: Store, field: str, value: str, code: str
) -> None:
    desk = desk_of(store)
    wrong = refused(lambda: log(desk, {**GIVEN, field: value}), BadFacts)
    assert isinstance(wrong, BadFacts)
    assert (wrong.field, wrong.code) == (field, code)
    assert count(store, select(func.count()).select_from(COMPLAINTS)) == 0
    assert log(desk).state is State.RECEIVED


def test_a_complaint_cannot_have_come_tomorrow(store: Store) -> None:
    desk = desk_of(store)
    wrong = refused(lambda: log(desk, received_at="2026-11-04T10:00:00Z"), BadFacts)
    assert isinstance(wrong, BadFacts)
    assert (wrong.field, wrong.code) == ("received_at", "ahead")


@clause("4.7")
def test_words_told_by_phone_are_read_by_the_same_rules_as_in_a_chat(store: Store) -> None:
    desk = desk_of(store)
    danger = log(desk, {"description": "There is a strong smell of gas in the hall."})
    named = log(desk, {"description": "Bob Sealedname shouted at me."}, key="slack:log:2")
    assert danger.danger_at == store.now()
    assert Flag.DANGER in danger.flags
    assert "page" in {
        row["kind"] for row in store.read(list_failed, everything=True) if row["ref"] == danger.ref
    }
    assert named.subjects == {"U2"}
    assert named.restricted


def test_what_is_for_somebody_else_waits_for_authority(store: Store) -> None:
    case = log(desk_of(store), {**GIVEN, "for_whom": "Her neighbour"})
    assert Flag.FOR_ANOTHER in case.flags


def test_auditors_and_strangers_log_nothing_and_the_attempt_stays(store: Store) -> None:
    desk = desk_of(store)
    for member in ("U5", "U99"):
        refused(lambda member=member: log(desk, by=member), NotAllowed)  # type: ignore[misc]
    attempts = select(ATTEMPTS.c.by, ATTEMPTS.c.verb).order_by(ATTEMPTS.c.id)
    rows = store.read(lambda tx: list(tx.connection.execute(attempts)))
    assert [(row.by, row.verb) for row in rows] == [("U5", "log_complaint"), ("U99", "log_complaint")]


@clause("7.3")
def test_raised_late_keeps_its_figures_and_gives_staff_one_live_date(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    case = log(desk, received_at="2026-10-12T09:00:00Z")
    ack, act_by = case.target(Target.ACK), case.target(Target.ACT_BY)
    row = store.read(list_cases)[0][0]
    reminders = [one for one in store.read(list_failed, everything=True) if one["kind"] == "remind"]
    assert ack is not None
    assert ack.internal_due < store.now()
    assert act_by is not None
    assert (act_by.start, row["next_due"]["target"]) == (case.logged_at, "act_by")
    assert case.raised_late
    assert {one["key"].split(":")[1] for one in reminders} == {"act_by"}
    clock.go_on(hours=1)
    store.write(open_case, case.ref, desk.actor(HANDLER), "open")
    desk.act(case.ref, Verb.ASSESS, facts=ASSESSED)
    met = store.read(load_case, case.ref).target(Target.ACT_BY)
    assert met is not None
    assert met.met_at == store.now()


def test_what_was_told_within_the_day_is_not_raised_late(store: Store) -> None:
    assert log(desk_of(store)).target(Target.ACT_BY) is None


@clause("7.4")
def test_whoever_logs_it_acknowledges_it_by_voice(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    case = log(desk)
    facts = {"what": "acknowledge", "given_at": "2026-11-03T10:00:00Z", "level": 1}
    done = desk.act(case.ref, Verb.ACKNOWLEDGE, TELLER, facts, {"by_whom": "told on the phone"})
    assert (done.event.role, done.case.contacted) == (Role.INTAKE, True)
    clock.go_on(minutes=20)
    claimed = store.write(claim, ("tell_by_voice",), 10, 90.0)
    assert [(one.key, store.read(is_still_required, one)) for one in claimed] == [("voice:ack:1", False)]


@clause("4.7")
@pytest.mark.parametrize("proof", ["+44 20 7946 0018", "mary@example.org", "8841207", "mary  SEALEDNAME"])
def test_the_stage_is_told_to_whoever_gives_what_is_on_file(store: Store, proof: str) -> None:
    desk = desk_of(store)
    case = log(desk)
    told = store.write(load_case_for_caller, case.ref, desk.actor(TELLER), proof)
    query = select(READS.c.by, READS.c.role, READS.c.what, READS.c.version)
    rows = store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])
    assert told.ref == case.ref
    assert rows == [(TELLER, "intake", "stage", 0)]


@clause("4.7")
def test_a_wrong_answer_is_refused_recorded_and_the_sixth_is_not_even_looked_at(store: Store) -> None:
    desk = desk_of(store)
    case = log(desk)
    codes = []
    for proof in ("", "1", "another name", "020 7946 0000", "x@y.z", "Mary Sealedname"):
        error = refused(
            lambda proof=proof: store.write(load_case_for_caller, case.ref, desk.actor(TELLER), proof),
            NotAllowed,
        )  # type: ignore[misc]
        codes.append(error.code)  # type: ignore[attr-defined]
    assert codes == ["not_allowed.identity"] * 5 + ["not_allowed.identity_locked"]
    attempts = select(func.count()).where(ATTEMPTS.c.ref == case.ref, ATTEMPTS.c.verb == "stage")
    assert count(store, attempts) == 6


def test_after_a_day_the_caller_may_be_asked_again(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    case = log(desk)
    for _ in range(5):
        refused(lambda: store.write(load_case_for_caller, case.ref, desk.actor(TELLER), "nobody"), NotAllowed)
    clock.go_on(hours=25)
    assert store.write(load_case_for_caller, case.ref, desk.actor(TELLER), "8841207").ref == case.ref


def test_auditors_and_the_person_complained_about_hear_no_stage(store: Store) -> None:
    desk = desk_of(store)
    case = log(desk, {**GIVEN, "description": "Bob Sealedname shouted at me."})
    for member in ("U5", "U2"):
        refused(
            lambda member=member: store.write(load_case_for_caller, case.ref, desk.actor(member), "8841207"),
            NotAllowed,
        )  # type: ignore[misc]


@clause("7.3")
def test_what_no_chat_takes_is_written_down_for_people_and_marked_when_told(
    store: Store, clock: FakeClock
) -> None:
    desk = desk_of(store)
    ref = log(desk, answer_by="letter").ref
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    desk.act(ref, Verb.REPLY, facts={}, words={"text": "We look into it.", "letter": "Dear Mary"})
    told = [
        one for one in store.write(claim, ("tell_by_voice",), 10, 90.0) if one.key.startswith("voice:letter")
    ]
    store.write(save_words_to_read_out, told[0], "Dear Mary", template="reply", language="en")
    store.write(save_words_to_read_out, told[0], "Dear Mary", template="reply", language="en")
    ours = [one for one in store.read(export_record, ref)["messages"] if one["direction"] == "out"]
    assert [(one["text"], one["state"]) for one in ours] == [("Dear Mary", "to_tell")]
    facts = {"what": "letter", "given_at": "2026-11-03T10:00:00Z"}
    refused(lambda: desk.act(ref, Verb.NOTE, HANDLER, facts, {}), BadFacts)
    desk.act(ref, Verb.NOTE, HANDLER, facts, {"by_whom": "Posted to her"})
    states = [one["state"] for one in store.read(export_record, ref)["messages"] if one["direction"] == "out"]
    assert states == ["told"]


def test_a_decision_told_by_voice_starts_the_reply_time(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk).ref
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    words = {"done": "Flushed.", "cause": "Old pipe.", "agreed_how": "By phone."}
    facts = {"finding": "upheld", "cause_class": "single", "others_affected": "none"}
    desk.act(ref, Verb.RESOLVE, facts=facts, words=words)
    keys = {row["key"] for row in store.read(list_failed, everything=True) if row["kind"] == "tell_by_voice"}
    seq = store.read(load_history, ref)[-1].seq
    assert f"voice:decision:{seq}" in keys
    given = {"what": "decision", "given_at": "2026-11-03T10:00:00Z"}
    desk.act(ref, Verb.COMMUNICATE_DECISION, HANDLER, given, {"by_whom": "Told her on the phone"})
    assert store.read(load_case, ref).target(Target.LAPSE) is not None


def test_who_speaks_for_another_is_their_representative(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk, {**GIVEN, "for_whom": "Her neighbour"}).ref
    roles = sorted(one["role"] for one in store.read(export_record, ref)["people"])
    assert roles == ["affected", "complainant", "representative"]


def test_numbers_in_the_words_find_it_too(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk, {"description": "Please write to late.caller@example.org about the brown water."}).ref
    assert store.read(find_by_identifier, "late.caller@example.org", "GB") == [ref]
