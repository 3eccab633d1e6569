"""Members and dates typed into commands, and who gets reminders or is suggested as owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bots.slack.listeners.slash_commands import Away, member_of, read_away
from bots.slack.recipients import (
    proposed_owners,
    reminded_members,
    skill_gap,
    substitutes,
    suggested_owner,
)
from complaints.errors import BadFacts
from complaints.obligations.reminders import ReminderLevel
from complaints.vocabulary import Flag, Role, Target
from store.values import Absence, Member
from tests.rules.slack_cases import NOW, stages

ALICE = Member("U0000001", "Alice Moor", ("ally",), frozenset({Role.HANDLER}))
BURAK = Member("U0000005", "Burak Er", (), frozenset({Role.HANDLER}), deputy="U0000001")
MONA = Member("U0000002", "Mona Alice", (), frozenset({Role.MANAGER}))
STAFF = (ALICE, BURAK, MONA)
TODAY = date(2026, 11, 3)


def away(member: Member, deputy: str | None = None) -> Member:
    return replace(member, absences=(Absence(NOW, NOW + timedelta(days=3)),), deputy=deputy)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("<@U0000001>", ALICE),
        ("<@U0000005|burak>", BURAK),
        ("U0000002", MONA),
        ("@alice", ALICE),
        ("@ally", ALICE),
        ("Burak", BURAK),
        ("@nobody", None),
        ("<@U9999999>", None),
    ],
)
def test_a_member_is_found_by_mention_id_name_or_alias(word: str, expected: Member | None) -> None:
    assert member_of(word, STAFF) is expected


def test_a_name_shared_by_two_people_matches_none_of_them() -> None:
    assert member_of("alice", (ALICE, Member("U0000009", "Alice Ray", (), frozenset()))) is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("until 2026-12-04", Away(date(2026, 12, 4))),
        ("@burak until 2026-12-04", Away(date(2026, 12, 4), member_id=BURAK.id)),
        ("until 2026-12-04 deputy @alice", Away(date(2026, 12, 4), deputy=ALICE.id)),
        ("@burak until 2026-12-04 deputy @alice", Away(date(2026, 12, 4), BURAK.id, ALICE.id)),
    ],
)
def test_an_absence_is_read_with_member_date_and_deputy(arguments: str, expected: Away) -> None:
    assert read_away(arguments, STAFF, TODAY) == expected


@pytest.mark.parametrize(
    "arguments", ["", "until", "until soon", "until 2026-11-03", "until 2028-01-01", "@who until 2026-12-04"]
)
def test_an_invalid_absence_is_refused(arguments: str) -> None:
    with pytest.raises(BadFacts):
        read_away(arguments, STAFF, TODAY)


def test_reminders_of_an_absent_owner_go_to_the_deputy_or_to_the_managers() -> None:
    case = stages()["owned"].case
    here, deputised = (ALICE, BURAK, MONA), (away(ALICE, BURAK.id), BURAK, MONA)

    assert reminded_members(case, Target.LOOK, here, NOW, ReminderLevel.OWNER) == (ALICE.id,)
    assert reminded_members(case, Target.LOOK, deputised, NOW, ReminderLevel.OWNER) == (BURAK.id,)
    assert reminded_members(case, Target.LOOK, (away(ALICE), BURAK, MONA), NOW, ReminderLevel.OWNER) == (
        MONA.id,
    )
    both = (away(ALICE, BURAK.id), away(BURAK), MONA)
    assert substitutes(ALICE.id, both, NOW) == [MONA.id]
    for role in (Role.INTAKE, Role.AUDITOR):
        unable = replace(BURAK, roles=frozenset({role}))
        assert substitutes(ALICE.id, (away(ALICE, BURAK.id), unable, MONA), NOW) == [MONA.id]


def test_the_suggested_owner_is_present_may_decide_and_has_the_fewest_complaints() -> None:
    fresh, higher = stages()["received"].case, stages()["escalated"].case
    loads = {ALICE.id: 3, BURAK.id: 7}

    assert suggested_owner(fresh, STAFF, loads, NOW) == (ALICE.id, 3)
    assert suggested_owner(fresh, (away(ALICE), BURAK, MONA), loads, NOW) == (BURAK.id, 7)
    assert suggested_owner(fresh, (MONA,), loads, NOW) == (MONA.id, 0)
    assert suggested_owner(higher, STAFF, loads, NOW) == (MONA.id, 0)
    assert suggested_owner(fresh, (), loads, NOW) is None
    restricted = replace(fresh, flags=fresh.flags | {Flag.RESTRICTED})
    assert suggested_owner(restricted, STAFF, loads, NOW) == (MONA.id, 0)


def test_skills_come_before_the_number_of_complaints_and_leave_nobody_out() -> None:
    case = replace(stages()["assessed"].case, language="tr", owner=None)
    category = str(case.category)
    speaks = replace(BURAK, languages=("tr", "en"))
    knows = replace(speaks, categories=(category,))
    other = replace(speaks, categories=("something_else",))
    english = replace(ALICE, languages=("en",), categories=(category,))
    loads = {BURAK.id: 9}

    assert [skill_gap(case, member) for member in (knows, speaks, other, english)] == [0, 1, 2, 3]
    assert suggested_owner(case, (english, other, MONA), loads, NOW) == (BURAK.id, 9)
    assert suggested_owner(case, (english, away(knows), MONA), loads, NOW) == (ALICE.id, 0)
    proposed = proposed_owners([case], (english, knows), loads, NOW)
    assert proposed == {case.ref: BURAK.id}
    left = replace(case, owner="U9999999", former_owner="U9999999")
    assert proposed_owners([left], (english, knows), loads, NOW) == proposed
    assert proposed_owners([replace(case, owner=ALICE.id)], (english, knows), loads, NOW) == {}
