"""A complaint logged by staff: one transaction with its person and dates; who may learn its stage by phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from bots.dialogue.turn import read_signs
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.obligations.standing import current_obligations
from complaints.times import parse_time
from complaints.vocabulary import Flag, Role, State, Target, Verb
from store.cases.export import export_record
from store.cases.read import list_cases, load_case, load_history, open_case
from store.cases.staff_intake import log_complaint
from store.custody.secret_keys import _person as move_person
from store.custody.verify import verify
from store.outbox.claim import claim
from store.outbox.complete import complete, is_still_required
from store.outbox.deliveries import list_deliveries, save_words_to_read_out
from store.outbox.failed import list_failed
from store.people.identification import find_by_identifier, load_case_for_caller
from store.people.staff import sync_staff
from store.store import Store
from store.tables import ATTEMPTS, COMPLAINTS, CONTACTS, PEOPLE, READS
from store.values import DeliveryStatus, Member
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, STAFF, Desk, refused

INTAKE_MEMBER = "U6"
CALLER_WORDS: Mapping[str, str] = {
    "description": "The water is brown.",
    "name": "Mary Sealedname",
    "phone": "020 7946 0018",
    "email": "Mary@Example.org",
    "address": "3 Mill Lane, Leeds",
    "customer_ref": "88-41 207",
}


def desk_of(store: Store) -> Desk:
    desk = Desk(store)
    store.write(sync_staff, (*STAFF, Member(INTAKE_MEMBER, "Flo Sealedname", (), frozenset({Role.INTAKE}))))
    return desk


def log(
    desk: Desk,
    words: Mapping[str, str] = CALLER_WORDS,
    *,
    by: str = INTAKE_MEMBER,
    key: str = "slack:log:1",
    **facts: Any,
) -> Case:
    """Log a call of Tuesday 3 November, 10:00, unless the facts differ."""
    call_facts = {"channel": "phone", "received_at": "2026-11-03T09:50:00Z", "language": "en"} | facts
    return desk.store.write(log_complaint, key, call_facts, words, desk.actor(by), read_signs)


def count(store: Store, query: Any) -> int:
    return int(store.read(lambda tx: tx.connection.execute(query).scalar_one()))


@clause("7.2")
def test_logging_makes_person_contact_points_complaint_and_obligations_in_one_transaction(
    store: Store,
) -> None:
    desk = desk_of(store)
    case = log(desk, answer_by="letter", consent_to_contact=True)
    record = store.read(export_record, case.ref)
    assert (record["state"], record["channel"], record["name"]) == ("received", "phone", "Mary Sealedname")
    assert [(row["field"], row["text"]) for row in record["texts"]] == [
        ("description", "The water is brown.")
    ]
    points = [(row["channel"], row["address"]) for row in record["people"][0]["contact_points"]]
    assert points == [
        ("phone", "+442079460018"),
        ("email", "mary@example.org"),
        ("letter", "3 Mill Lane, Leeds"),
    ]
    assert (case.answer_by, case.form_open, case.is_offline) == ("letter", False, True)
    first = store.read(load_history, case.ref)[0]
    assert (first.role, first.facts["recipient_staff"], first.facts["consent_to_contact"]) == (
        Role.INTAKE,
        INTAKE_MEMBER,
        True,
    )
    assert store.read(find_by_identifier, "02079460018", "GB") == [case.ref]
    assert store.read(find_by_identifier, "8841207", "GB") == [case.ref]
    kinds = {row["kind"] for row in store.read(list_failed, everything=True)}
    assert {"card", "propose", "tell_by_voice"} <= kinds
    assert "acknowledge" not in kinds
    assert store.read(verify).first_bad is None


def test_a_repeated_idempotency_key_changes_nothing(store: Store) -> None:
    desk = desk_of(store)
    log(desk)
    before = store.read(list_failed, everything=True)
    assert refused(lambda: log(desk), AlreadyDone).code == "already_done"  # type: ignore[attr-defined]
    assert count(store, select(func.count()).select_from(COMPLAINTS)) == 1
    assert store.read(list_failed, everything=True) == before


def test_the_same_phone_number_is_the_same_person_and_the_first_name_is_kept(store: Store) -> None:
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
    assert count(store, select(func.count()).select_from(CONTACTS)) == 3


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("phone", "not a number", "not_a_phone"),
        ("email", "nobody", "not_a_email"),
        ("customer_ref", "--", "not_a_number"),
    ],
)
def test_an_invalid_number_is_refused_at_its_field_and_nothing_is_stored(
    store: Store, field: str, value: str, code: str
) -> None:
    desk = desk_of(store)
    error = refused(lambda: log(desk, {**CALLER_WORDS, field: value}), BadFacts)
    assert isinstance(error, BadFacts)
    assert (error.field, error.code) == (field, code)
    assert count(store, select(func.count()).select_from(COMPLAINTS)) == 0
    assert log(desk).state is State.RECEIVED


@clause("7.3")
@pytest.mark.parametrize(("way", "field"), [("letter", "address"), ("phone", "phone"), ("email", "email")])
def test_a_way_to_answer_needs_its_address_or_number_unless_the_person_is_on_file(
    store: Store, way: str, field: str
) -> None:
    desk = desk_of(store)
    without = {name: words for name, words in CALLER_WORDS.items() if name != field}
    error = refused(lambda: log(desk, without, answer_by=way), BadFacts)
    assert isinstance(error, BadFacts)
    assert (error.field, error.code) == (field, "required")
    assert count(store, select(func.count()).select_from(COMPLAINTS)) == 0
    assert log(desk, answer_by=way).answer_by == way
    assert log(desk, without, key="slack:log:2", answer_by=way).answer_by == way
    representative = {"description": "No heating.", "representative": "Ines Roth, 9 High Street, Leeds"}
    log(desk, representative, key="slack:log:3", answer_by=way, answer_to="representative")


def test_a_received_date_in_the_future_is_refused(store: Store) -> None:
    desk = desk_of(store)
    error = refused(lambda: log(desk, received_at="2026-11-04T10:00:00Z"), BadFacts)
    assert isinstance(error, BadFacts)
    assert (error.field, error.code) == ("received_at", "ahead")


@clause("4.7")
def test_a_phone_complaint_is_checked_for_danger_and_named_staff_like_a_chat_message(store: Store) -> None:
    desk = desk_of(store)
    danger = log(desk, {"description": "There is a strong smell of gas in the hall."})
    named = log(desk, {"description": "Bob Sealedname shouted at me."}, key="slack:log:2")
    assert danger.alarms[-1].certain_at == store.now()
    assert Flag.DANGER in danger.flags
    assert "page" in {
        row["kind"] for row in store.read(list_failed, everything=True) if row["ref"] == danger.ref
    }
    assert named.subjects == {"U2"}
    assert named.restricted


@clause("4.7")
def test_staff_in_the_headers_of_an_email_are_not_complained_about(store: Store) -> None:
    forwarded = (
        "Hi Bob Sealedname, please log this.\n\nFrom: Mary <mary@example.org>\n"
        "To: Ann Sealedname <ann@desk.example>\n\n{words}\n\n"
        "On 2 Nov 2026 Bob Sealedname <bob@desk.example> wrote:\n> Regards\n> Bob Sealedname\n"
        "> There is a strong smell of gas in the hall."
    )
    desk = desk_of(store)
    late = log(desk, {"description": forwarded.format(words="My letter came late.")})
    rude = log(desk, {"description": forwarded.format(words="Ann Sealedname was rude.")}, key="slack:log:2")
    assert (late.subjects, late.restricted) == (set(), False)
    assert (rude.subjects, rude.restricted) == ({HANDLER}, True)
    # Danger is searched for in every word. One line of a long message is no certainty: the desk asks and looks.
    assert late.alarms[-1].at == store.now()


def test_a_complaint_on_behalf_of_another_person_waits_for_their_authority(store: Store) -> None:
    case = log(desk_of(store), {**CALLER_WORDS, "for_whom": "Her neighbour"})
    assert Flag.FOR_ANOTHER in case.flags


def test_auditors_and_strangers_cannot_log_a_complaint_and_the_attempt_is_recorded(store: Store) -> None:
    desk = desk_of(store)
    for member in ("U5", "U99"):
        refused(lambda member=member: log(desk, by=member), NotAllowed)  # type: ignore[misc]
    attempts = select(ATTEMPTS.c.by, ATTEMPTS.c.verb).order_by(ATTEMPTS.c.id)
    rows = store.read(lambda tx: list(tx.connection.execute(attempts)))
    assert [(row.by, row.verb) for row in rows] == [("U5", "log_complaint"), ("U99", "log_complaint")]


@clause("7.3")
def test_a_complaint_logged_late_keeps_its_figures_and_gives_staff_one_open_date(
    store: Store, clock: FakeClock
) -> None:
    desk = desk_of(store)
    case = log(desk, received_at="2026-10-12T09:00:00Z")
    ack, act_by = case.target(Target.ACK), case.target(Target.ACT_BY)
    listed = store.read(list_cases)[0][0]
    reminders = [row for row in current_obligations(case) if row.kind == "remind"]
    assert ack is not None
    assert ack.internal_due < store.now()
    assert act_by is not None
    assert (act_by.start, listed["next_due"]["target"]) == (case.logged_at, "act_by")
    assert case.raised_late
    assert {row.facts["target"] for row in reminders} == {"act_by"}
    clock.go_on(hours=1)
    store.write(open_case, case.ref, desk.actor(HANDLER), "open")
    desk.act(case.ref, Verb.ASSESS, facts=ASSESSED)
    met = store.read(load_case, case.ref).target(Target.ACT_BY)
    assert met is not None
    assert met.met_at == store.now()


def test_a_complaint_logged_within_a_day_is_not_raised_late(store: Store) -> None:
    assert log(desk_of(store)).target(Target.ACT_BY) is None


@clause("7.4")
def test_the_member_who_logs_a_complaint_may_acknowledge_it_by_voice(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    case = log(desk)
    facts = {"what": "acknowledge", "given_at": "2026-11-03T10:00:00Z", "level": 1}
    done = desk.act(case.ref, Verb.ACKNOWLEDGE, INTAKE_MEMBER, facts, {"by_whom": "told on the phone"})
    assert (done.event.role, done.case.contacted) == (Role.INTAKE, True)
    clock.go_on(minutes=20)
    claimed = store.write(claim, ("tell_by_voice",), 10, 90.0)
    assert [(obligation.key, store.read(is_still_required, obligation)) for obligation in claimed] == [
        ("voice:ack:1", False)
    ]


@clause("4.7")
@pytest.mark.parametrize("proof", ["+44 20 7946 0018", "mary@example.org", "8841207", "mary  SEALEDNAME"])
def test_the_stage_is_given_to_a_caller_who_proves_their_identity(store: Store, proof: str) -> None:
    desk = desk_of(store)
    case = log(desk)
    case_for_caller = store.write(load_case_for_caller, case.ref, desk.actor(INTAKE_MEMBER), proof)
    query = select(READS.c.by, READS.c.role, READS.c.what, READS.c.version)
    rows = store.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)])
    assert case_for_caller.ref == case.ref
    assert rows == [(INTAKE_MEMBER, "intake", "stage", 0)]


@clause("4.7")
def test_a_wrong_proof_is_refused_and_recorded_and_the_sixth_attempt_is_locked_out(store: Store) -> None:
    desk = desk_of(store)
    case = log(desk)
    codes = []
    for proof in ("", "1", "another name", "020 7946 0000", "x@y.z", "Mary Sealedname"):
        error = refused(
            lambda proof=proof: store.write(load_case_for_caller, case.ref, desk.actor(INTAKE_MEMBER), proof),
            NotAllowed,
        )  # type: ignore[misc]
        codes.append(error.code)  # type: ignore[attr-defined]
    assert codes == ["not_allowed.identity"] * 5 + ["not_allowed.identity_locked"]
    attempts = select(func.count()).where(ATTEMPTS.c.ref == case.ref, ATTEMPTS.c.verb == "stage")
    assert count(store, attempts) == 6


def test_the_identity_lock_ends_after_a_day(store: Store, clock: FakeClock) -> None:
    desk = desk_of(store)
    case = log(desk)
    for _ in range(5):
        refused(
            lambda: store.write(load_case_for_caller, case.ref, desk.actor(INTAKE_MEMBER), "nobody"),
            NotAllowed,
        )
    clock.go_on(hours=25)
    assert store.write(load_case_for_caller, case.ref, desk.actor(INTAKE_MEMBER), "8841207").ref == case.ref


def test_auditors_and_the_person_complained_about_do_not_learn_the_stage(store: Store) -> None:
    desk = desk_of(store)
    case = log(desk, {**CALLER_WORDS, "description": "Bob Sealedname shouted at me."})
    for member in ("U5", "U2"):
        refused(
            lambda member=member: store.write(load_case_for_caller, case.ref, desk.actor(member), "8841207"),
            NotAllowed,
        )  # type: ignore[misc]


@clause("7.3")
def test_a_letter_without_a_chat_is_stored_to_be_read_out_and_marked_as_told(
    store: Store, clock: FakeClock
) -> None:
    desk = desk_of(store)
    ref = log(desk, answer_by="letter").ref
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    desk.act(ref, Verb.REPLY, facts={}, words={"text": "We look into it.", "letter": "Dear Mary"})
    letters = [
        obligation
        for obligation in store.write(claim, ("tell_by_voice",), 10, 90.0)
        if obligation.key.startswith("voice:letter")
    ]
    store.write(save_words_to_read_out, letters[0], "Dear Mary", template="reply", language="en")
    store.write(save_words_to_read_out, letters[0], "Dear Mary", template="reply", language="en")
    sent = [
        obligation
        for obligation in store.read(export_record, ref)["messages"]
        if obligation["direction"] == "out"
    ]
    assert [(obligation["text"], obligation["state"]) for obligation in sent] == [("Dear Mary", "to_tell")]
    facts = {"what": "letter", "given_at": "2026-11-03T10:00:00Z"}
    refused(lambda: desk.act(ref, Verb.NOTE, HANDLER, facts, {}), BadFacts)
    desk.act(ref, Verb.NOTE, HANDLER, facts, {"by_whom": "Posted to her"})
    store.write(complete, letters[0].id)
    (told,) = (
        delivery for delivery in store.read(list_deliveries, ref) if delivery.status is DeliveryStatus.TOLD
    )
    assert told.at == parse_time(facts["given_at"])
    states = [
        obligation["state"]
        for obligation in store.read(export_record, ref)["messages"]
        if obligation["direction"] == "out"
    ]
    assert states == ["told"]


def test_a_decision_communicated_by_voice_starts_the_reply_time(store: Store) -> None:
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
    communicated = {"what": "decision", "given_at": "2026-11-03T10:00:00Z"}
    desk.act(ref, Verb.COMMUNICATE_DECISION, HANDLER, communicated, {"by_whom": "Told her on the phone"})
    assert store.read(load_case, ref).target(Target.LAPSE) is not None


def test_a_caller_for_another_person_is_recorded_as_their_representative(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk, {**CALLER_WORDS, "for_whom": "Her neighbour"}).ref
    roles = sorted(person["role"] for person in store.read(export_record, ref)["people"])
    assert roles == ["affected", "complainant", "representative"]


def test_a_complaint_is_found_by_contact_data_in_its_words(store: Store) -> None:
    desk = desk_of(store)
    ref = log(desk, {"description": "Please write to late.caller@example.org about the brown water."}).ref
    assert store.read(find_by_identifier, "late.caller@example.org", "GB") == [ref]


def test_two_people_at_one_address_keep_it_also_after_a_key_rotation(usual_store: Store) -> None:
    desk = desk_of(usual_store)
    address = {"address": "3 Mill Lane, Leeds"}
    first = log(desk, {"description": "No heating.", "phone": "+44 20 7946 0101"} | address)
    second = log(
        desk, {"description": "No hot water.", "phone": "+44 20 7946 0102"} | address, key="slack:log:2"
    )
    desk.store.write(lambda tx: [move_person(tx, row) for row in tx.connection.execute(select(PEOPLE)).all()])
    for case in (first, second):
        assert address["address"] in str(desk.store.read(export_record, case.ref)["people"])
