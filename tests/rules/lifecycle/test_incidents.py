"""Rules of incidents: permissions, matching stories, joining, and who is left out of batch updates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.actions.perform import perform as perform_on_case
from complaints.actors import Actor
from complaints.batch import LEFT_OUT, left_out
from complaints.case import Case
from complaints.case_values import Alarm, Issue, RecordedSign
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed, OutOfOrder
from complaints.forms import WrongFields
from complaints.incidents import (
    Incident,
    IncidentAct,
    after,
    fold,
    incident_to_offer,
    informs_top_apart,
    perform_on_incident,
    read,
    recognises,
    required_role,
)
from complaints.times import format_time
from complaints.vocabulary import Flag, State, Verb
from tests.rules.builders import (
    ALICE,
    ANNA,
    AUDREY,
    BURAK,
    IDA,
    MONA,
    OTHER_REF,
    REF,
    TUESDAY,
    TUGBA,
    a_received_case,
    an_assessed_case,
)

WORDS = {"what": "No water", "area": "North", "line.en": "We know.", "signs.en": "no water, dry tap"}


def an_incident(**more: Any) -> Incident:
    event = perform_on_incident(None, IncidentAct.OPEN, at=TUESDAY, by=ALICE, facts={}, words=WORDS)
    return replace(after(None, event, id_=7), **more)


def done(incident: Incident, act: IncidentAct, by: Actor = ALICE, **facts: Any) -> Incident:
    event = perform_on_incident(
        incident, act, at=TUESDAY + timedelta(hours=1), by=by, facts=facts, words=WORDS
    )
    return after(incident, event, id_=incident.id)


def joined(case: Case, by: Actor = ALICE, **facts: Any) -> Case:
    return perform_on_case(case, Verb.LINK, at=TUESDAY, actor=by, facts={"incident": 7, **facts}).case


# permissions


@pytest.mark.parametrize("by", [ALICE, MONA, TUGBA])
def test_handling_roles_open_an_incident(by: Actor) -> None:
    assert required_role(None, IncidentAct.OPEN, by) in by.roles


@pytest.mark.parametrize("by", [AUDREY, IDA, ANNA])
def test_other_roles_cannot_open_an_incident(by: Actor) -> None:
    with pytest.raises(NotAllowed):
        required_role(None, IncidentAct.OPEN, by)


@pytest.mark.parametrize("act", [IncidentAct.CHANGE, IncidentAct.UPDATE, IncidentAct.END])
@pytest.mark.parametrize(("by", "allowed"), [(ALICE, True), (BURAK, False), (MONA, True), (AUDREY, False)])
def test_only_its_owner_or_a_manager_changes_updates_or_ends_an_incident(
    act: IncidentAct, by: Actor, allowed: bool
) -> None:
    if allowed:
        assert required_role(an_incident(), act, by) in by.roles
    else:
        with pytest.raises(NotAllowed):
            required_role(an_incident(), act, by)


def test_an_owner_without_a_handling_role_is_refused() -> None:
    with pytest.raises(NotAllowed):
        required_role(an_incident(), IncidentAct.END, Actor(ALICE.id, AUDREY.roles))


# lifecycle


def test_an_incident_is_rebuilt_from_its_events() -> None:
    opened = perform_on_incident(None, IncidentAct.OPEN, at=TUESDAY, by=ALICE, facts={}, words=WORDS)
    changed = perform_on_incident(
        after(None, opened, id_=7),
        IncidentAct.CHANGE,
        at=TUESDAY,
        by=MONA,
        facts={"owner": BURAK.id},
        words={**WORDS, "area": "Hill"},
    )
    incident = fold((opened, changed), id_=7)

    assert (incident.owner, incident.area, incident.version) == (BURAK.id, "Hill", 2)
    assert incident.words == {"en": ("no water", "dry tap")}


def test_an_incident_begins_when_opened_unless_an_earlier_time_is_given() -> None:
    early = format_time(TUESDAY - timedelta(hours=5))
    event = perform_on_incident(
        None, IncidentAct.OPEN, at=TUESDAY, by=ALICE, facts={"started_at": early}, words=WORDS
    )
    assert after(None, event, id_=7).started_at == TUESDAY - timedelta(hours=5)
    assert an_incident().started_at == TUESDAY
    later = {"started_at": format_time(TUESDAY + timedelta(hours=1))}
    with pytest.raises(BadFacts):
        perform_on_incident(None, IncidentAct.OPEN, at=TUESDAY, by=ALICE, facts=later, words=WORDS)


def test_an_ended_incident_accepts_no_further_act() -> None:
    ended = done(an_incident(), IncidentAct.END)
    assert not ended.is_open
    for act in (IncidentAct.CHANGE, IncidentAct.UPDATE, IncidentAct.END):
        with pytest.raises(AlreadyDone):
            done(ended, act, batch="7.3")


@pytest.mark.parametrize("hours", [-30, 30])
def test_an_incident_ends_after_its_start_and_not_in_the_future(hours: int) -> None:
    with pytest.raises(BadFacts):
        done(an_incident(), IncidentAct.END, ended_at=format_time(TUESDAY + timedelta(hours=hours)))


def test_the_public_line_falls_back_to_another_language() -> None:
    assert an_incident().line_in("tr") == "We know."
    assert an_incident(line={"en": "We know.", "tr": "Biliyoruz."}).line_in("tr") == "Biliyoruz."


# matching stories


@pytest.mark.parametrize(
    ("story", "hits"),
    [
        ("There is NO WATER and the tap is dry", 1),
        ("A dry tap. No water!", 2),
        ("The waters are no concern", 0),
        ("no hot water", 0),
        ("", 0),
    ],
)
def test_a_story_matches_an_incident_by_adjacent_words(story: str, hits: int) -> None:
    assert recognises(an_incident(), story) == hits


@pytest.mark.parametrize("story", ["Elektriklerimiz kesildi", "ELEKTRİK yok", "elektrik"])
def test_incident_words_match_as_prefixes_in_any_case(story: str) -> None:
    assert recognises(an_incident(words={"tr": ("elektrik",)}), story) == 1


def test_the_incident_with_most_matching_words_is_offered() -> None:
    other = an_incident(id=8, words={"en": ("no water",)})

    assert incident_to_offer([other, an_incident()], "no water, dry tap") == an_incident()
    assert incident_to_offer([an_incident(), other], "no water") == other


def test_an_ended_declined_or_lineless_incident_is_not_offered() -> None:
    story = "no water, dry tap"

    assert incident_to_offer([an_incident(ended_at=TUESDAY)], story) is None
    assert incident_to_offer([an_incident()], story, not_these=[7]) is None
    assert incident_to_offer([an_incident(line={})], story) is None


@given(st.text(), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_can_be_matched(story: str, signs: list[str]) -> None:
    incident = an_incident(words={"en": tuple(signs)})

    assert 0 <= recognises(incident, story) <= len(set(signs))


# joining


def test_joining_an_incident_keeps_state_and_targets() -> None:
    before = an_assessed_case().case
    case = joined(before)

    assert (case.incident, case.state, case.targets) == (7, before.state, before.targets)


def test_a_case_can_leave_an_incident() -> None:
    assert joined(joined(an_assessed_case().case), left=True).incident is None


def test_the_complainant_may_join_and_report_a_second_issue() -> None:
    case = joined(a_received_case().case, by=ANNA, second_issue=True)

    assert (case.incident, case.second_issue) == (7, True)


def test_the_complainant_can_neither_leave_an_incident_nor_link() -> None:
    case = joined(a_received_case().case, by=ANNA)
    with pytest.raises(NotAllowed):
        joined(case, by=ANNA, left=True)
    with pytest.raises(NotAllowed):
        perform_on_case(
            case, Verb.LINK, at=TUESDAY, actor=ANNA, facts={"relation": "duplicate", "other_ref": OTHER_REF}
        )


def test_joining_twice_or_joining_a_second_incident_is_refused() -> None:
    case = joined(an_assessed_case().case)
    with pytest.raises(AlreadyDone):
        joined(case)
    with pytest.raises(OutOfOrder):
        perform_on_case(case, Verb.LINK, at=TUESDAY, actor=ALICE, facts={"incident": 8})


def test_a_link_names_an_incident_or_another_complaint() -> None:
    case = an_assessed_case().case
    for facts in ({}, {"relation": "same_incident"}, {"other_ref": REF}):
        with pytest.raises(ComplaintError):
            perform_on_case(case, Verb.LINK, at=TUESDAY, actor=ALICE, facts=facts)


# left out of batch updates


def sign(rule: str) -> tuple[RecordedSign, ...]:
    return (RecordedSign(rule, 1, 0, False, TUESDAY),)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"state": State.CLOSED}, "closed"),
        ({"withdrawn_at": TUESDAY}, "closed"),
        ({"alarms": (Alarm(TUESDAY, TUESDAY),)}, "safety"),
        ({"second_issue": True}, "second_issue"),
        ({"issues": (Issue(0, "supply"), Issue(1, "money"))}, "second_issue"),
        ({"signs": sign("vulnerable.elderly")}, "support_need"),
        ({"signs": sign("minor.minor_affected")}, "support_need"),
        ({"flags": frozenset({Flag.SUPPORT_NEED})}, "support_need"),
        ({"flags": frozenset({Flag.RESTRICTED})}, "restricted"),
        ({"flags": frozenset({Flag.FOR_ANOTHER})}, "representative"),
        ({"flags": frozenset({Flag.UNREACHABLE})}, "unreachable"),
        ({"flags": frozenset({Flag.NO_CONTACT})}, "unreachable"),
        ({"channel": "phone"}, "unreachable"),
    ],
)
def test_special_cases_are_left_out_for_individual_handling(change: dict[str, Any], why: str | None) -> None:
    case = replace(an_assessed_case().case, **change)

    assert left_out(case) == why
    assert why is None or why in LEFT_OUT


@pytest.mark.parametrize(
    ("severity", "safety", "why", "apart"),
    [(3, 0, None, False), (4, 0, "severity", True), (2, 1, "safety", True)],
)
def test_serious_cases_are_left_out_and_reported_to_top_management_individually(
    severity: int, safety: int, why: str | None, apart: bool
) -> None:
    assessed = an_assessed_case().case
    assert assessed.assessment is not None
    case = replace(assessed, assessment=replace(assessed.assessment, severity=severity, safety=safety))

    assert (left_out(case), informs_top_apart(case)) == (why, apart)


# forms


def test_a_new_incident_needs_its_subject_and_start() -> None:
    with pytest.raises(WrongFields) as wrong:
        read("incident", {"which": "new"}, ("en",), options={"which": ("new", "7")})
    assert set(wrong.value.fields) == {"what", "started_at"}


def test_joining_an_existing_incident_needs_no_other_field() -> None:
    given_ = {"which": "7", "started_at": 1}
    assert read("incident", given_, ("en",), options={"which": ("new", "7")}) == ({"which": "7"}, {})


def test_an_update_to_all_needs_text_only_in_the_staff_language() -> None:
    with pytest.raises(WrongFields) as wrong:
        read("incident_update", {"text.tr": "Onarıldı."}, ("en", "tr"))
    assert wrong.value.fields == {"text.en": "required"}


def test_a_batch_update_needs_text_but_no_date_and_answers_no_question() -> None:
    case = replace(joined(an_assessed_case().case), question_at=TUESDAY)
    complaint = perform_on_case(
        case, Verb.INFORM, at=TUESDAY, actor=ALICE, facts={"batch": "7.2"}, words={"text": "It is mended."}
    )

    assert complaint.event.facts["batch"] == "7.2"
    assert complaint.case.question_at == TUESDAY
    with pytest.raises(BadFacts):
        perform_on_case(case, Verb.INFORM, at=TUESDAY, actor=ALICE, facts={"batch": "7.2"}, words={})
