"""Reading forms: all errors at once, words separate from facts, rows renumbered, exact shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.actions.registry import ACTIONS, FORM_VERBS, OFFLINE_VERBS, form_verb
from complaints.errors import BadFacts
from complaints.event_facts import ANY_FACTS, check_facts, check_wordless
from complaints.forms import FORMS, INCIDENT_FORMS, Input, WrongFields, day_of, moment_of, read
from complaints.vocabulary import Verb
from tests.clauses import clause
from tests.rules.builders import ANNA, a_received_case
from tests.rules.random_actions import nonsense

ASSESSMENT: Mapping[str, Any] = {
    "category": "money",
    "severity": "2",
    "safety": "0",
    "complexity": "1",
    "reach": "1",
    "recurrence": "2",
    "immediate_needed": "no",
}


def _wrong(form: str, given_: Mapping[str, Any], **options: tuple[str, ...]) -> Mapping[str, str]:
    with pytest.raises(WrongFields) as refused:
        read(form, given_, options=options)
    return refused.value.fields


@clause("7.3")
def test_every_field_says_who_reads_it() -> None:
    readers = {entry.reader for form in (*FORMS.values(), *INCIDENT_FORMS.values()) for entry in form.fields}
    assert readers == {"complainant", "asker", "staff"}


def test_facts_and_words_are_separated() -> None:
    facts, words = read("investigate", {"evidence": ["records_checked"], "facts": "  The meter was read. "})
    assert facts["evidence"] == ["records_checked"]
    assert words == {"facts": "The meter was read."}


def test_scales_become_numbers_and_checkboxes_become_booleans() -> None:
    facts, _ = read("assess", {**ASSESSMENT, "media_heard": ["yes"]})
    assert (facts["severity"], facts["safety"]) == (2, 0)
    assert (facts["media_heard"], facts["compensation_likely"]) == (True, False)


def test_every_wrong_field_is_reported_at_once() -> None:
    given_ = {
        "severity": "6",
        "safety": "",
        "category": "nonsense",
        "immediate_needed": "perhaps",
        "colour": "red",
    }
    assert _wrong("assess", given_) == {
        "category": "not_an_option",
        "severity": "not_an_option",
        "safety": "required",
        "complexity": "required",
        "reach": "required",
        "recurrence": "required",
        "immediate_needed": "not_an_option",
        "colour": "unknown_field",
    }


def test_a_refused_form_names_its_fields() -> None:
    with pytest.raises(BadFacts, match=r"These fields need another value: how, remedy"):
        read("verify", {}, options={"remedy": ("0",)})


def test_empty_rows_are_dropped_and_the_others_renumbered() -> None:
    given_ = {
        "issues.0.finding": "",
        "issues.2.finding": "upheld",
        "issues.2.reasons": "So it was.",
        "issues.5.finding": "not_upheld",
        "issues.5.reasons": "It was not.",
        "others_affected": "none",
        "root_cause": "That.",
        "cause_class": "single",
    }
    facts, words = read("decide", given_)
    assert facts["issues"] == [{"finding": "upheld"}, {"finding": "not_upheld"}]
    assert (words["issues.0.reasons"], words["issues.1.reasons"]) == ("So it was.", "It was not.")
    assert facts["remedies"] == []


def test_wrong_rows_are_reported_with_their_original_numbers() -> None:
    given_ = {
        "issues.3.finding": "upheld",
        "remedies.1.amount": "much",
        "remedies.1.text": "Money.",
        "others_affected": "none",
        "root_cause": "That.",
        "cause_class": "single",
        "issues.0.nonsense": "x",
        "issues.x.finding": "upheld",
    }
    assert _wrong("decide", given_) == {
        "issues.3.reasons": "required",
        "remedies.1.amount": "not_an_amount",
        "issues.0.nonsense": "unknown_field",
        "issues.x.finding": "unknown_field",
    }


@pytest.mark.parametrize(
    ("written", "amount"), [("5", "5.00"), ("5.5", "5.50"), (" 120.00 ", "120.00"), ("0.01", "0.01")]
)
def test_an_amount_is_stored_with_two_decimals(written: str, amount: str) -> None:
    facts, _ = read("decide", _a_decision(written))
    assert facts["remedies"][0]["amount"] == amount


@pytest.mark.parametrize(
    "written", ["0", "-5", "5,50", "5.555", "1e3", "1_000", "NaN", "٥", "5 GBP", "0.00", "9" * 13, "£5"]
)
def test_an_invalid_amount_is_refused(written: str) -> None:
    assert _wrong("decide", _a_decision(written)) == {"remedies.0.amount": "not_an_amount"}


def _a_decision(amount: str) -> Mapping[str, Any]:
    return {
        "issues.0.finding": "upheld",
        "issues.0.reasons": "So.",
        "remedies.0.type": "refund",
        "remedies.0.amount": amount,
        "remedies.0.currency": "GBP",
        "others_affected": "none",
        "root_cause": "That.",
        "cause_class": "single",
    }


@pytest.mark.parametrize(
    "written", ["03.11.2026", "2026-02-30", "tomorrow", "9999-12-31", "0001-01-01", "2026-11"]
)
def test_an_invalid_date_is_refused(written: str) -> None:
    given_ = {"target": "decide", "extended_to": written, "reason": "More to read."}
    assert _wrong("extend", given_) == {"extended_to": "not_a_date"}


@pytest.mark.parametrize(
    "given_at", [1793700000, "1793700000", "2026-11-03T10:00:00Z", "2026-11-03T13:00:00+03:00"]
)
def test_a_moment_in_seconds_or_iso_is_stored_in_utc(given_at: Any) -> None:
    facts, _ = read("given", {"what": "accept", "given_at": given_at, "by_whom": "Herself."})
    assert facts["given_at"].endswith("Z")
    assert moment_of(facts["given_at"]).year == 2026


@pytest.mark.parametrize(
    "given_at",
    ["2026-11-03T10:00:00", "now", "²", "9" * 30, "0001-01-01T00:00:00+14:00", "9999-12-31T23:00Z"],
)
def test_an_invalid_moment_is_refused(given_at: str) -> None:
    given_ = {"what": "accept", "given_at": given_at, "by_whom": "Herself."}
    assert _wrong("given", given_) == {"given_at": "not_a_moment"}


def test_a_boolean_is_no_moment() -> None:
    with pytest.raises(ValueError, match="not_a_moment"):
        moment_of(value=True)


def test_options_may_depend_on_the_case() -> None:
    given_ = {"remedy": "1", "how": "Looked."}
    facts, _ = read("verify", given_, options={"remedy": ("0", "1")})
    assert facts["remedy"] == "1"
    assert _wrong("verify", given_, remedy=("0",)) == {"remedy": "not_an_option"}
    assert _wrong("verify", given_) == {"remedy": "not_an_option"}


def test_multiple_choices_are_checked_individually() -> None:
    facts, _ = read("investigate", {"evidence": ["records_checked", "records_checked", "third_party"]})
    assert facts["evidence"] == ["records_checked", "third_party"]
    for bad in (["records_checked", "rumours"], "records_checked", 7):
        assert _wrong("investigate", {"evidence": bad}) == {"evidence": "not_an_option"}


def test_words_must_be_text_of_limited_length() -> None:
    assert _wrong("note", {"text": "x" * 3001}) == {"text": "too_long"}
    assert _wrong("note", {"text": ["x"]}) == {"text": "not_an_option"}
    assert _wrong("note", {"text": "   "}) == {"text": "required"}
    assert read("note", {"text": "x" * 3000})[1] == {"text": "x" * 3000}


def test_a_person_field_takes_one_id_and_a_checkbox_yes_or_no() -> None:
    assert _wrong("assign", {"owner": "two people"}) == {"owner": "not_an_option"}
    assert _wrong("reply", {"text": "Yes.", "language_confirmed": "maybe"}) == {
        "language_confirmed": "not_an_option"
    }


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_has_a_verb(name: str) -> None:
    facts = {"what": "accept", "event": "notified", "relation": "duplicate"}
    assert form_verb(name, facts) in Verb if name != "open" else True
    assert name in FORM_VERBS


@pytest.mark.parametrize(
    ("form", "facts", "assessed", "verb"),
    [
        ("assess", {}, False, Verb.ASSESS),
        ("assess", {}, True, Verb.REASSESS),
        ("external", {"event": "notified"}, False, Verb.NOTIFY_EXTERNAL),
        ("external", {"event": "file_sent"}, False, Verb.NOTIFY_EXTERNAL),
        ("external", {"event": "provisional"}, False, Verb.NOTIFY_EXTERNAL),
        ("external", {"event": "final"}, False, Verb.CONCLUDE_EXTERNAL),
        ("external", {"event": "complied"}, False, Verb.CONCLUDE_EXTERNAL),
        ("link", {"relation": "duplicate"}, False, Verb.MERGE),
        ("link", {"relation": "same_incident"}, False, Verb.LINK),
        ("take", {}, False, Verb.ASSIGN),
        ("decide", {}, False, Verb.RESPOND),
        ("remedy", {}, False, Verb.REMEDY_DONE),
        ("conflict", {}, False, Verb.DECLARE_CONFLICT),
        ("log_complaint", {}, False, Verb.RECEIVE),
        *(("given", {"what": what}, False, verb) for what, verb in OFFLINE_VERBS.items()),
    ],
)
def test_a_form_gives_the_verb_for_its_facts(
    form: str, facts: Mapping[str, str], assessed: bool, verb: Verb
) -> None:
    assert form_verb(form, facts, assessed=assessed) is verb


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.lists(st.text(max_size=5), max_size=2)
    | st.sampled_from(["yes", "upheld", "money", "2", "2026-11-09", "2026-11-09T10:00:00Z", "5.00", "refund"])
)


@given(st.data())
def test_any_input_is_read_or_refused_by_field(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(sorted(FORMS)))
    paths = [field.path.replace("N", str(n)) for field in FORMS[form].fields for n in (0, 1)] + ["nonsense"]
    given_ = data.draw(st.dictionaries(st.sampled_from(paths), _VALUES))
    try:
        facts, words = read(form, given_)
    except WrongFields:
        return
    json.dumps(facts, allow_nan=False)
    sealed = {field.name for field in FORMS[form].fields if field.sealed}
    assert {path.rsplit(".", 1)[-1] for path in words} <= sealed
    verb = FORM_VERBS[form]
    if ACTIONS[verb].shapes is not ANY_FACTS and form not in ("given", "external", "link", "log_complaint"):
        check_facts(verb, facts, ACTIONS[verb].shapes)


@given(st.integers(0, 2**32))
def test_any_facts_are_accepted_or_refused_by_field_for_every_verb(seed: int) -> None:
    dice = Random(seed)
    refusals = []
    for verb in Verb:
        try:
            check_facts(verb, nonsense(dice), ACTIONS[verb].shapes)
        except BadFacts as refused:
            refusals.append(refused)
    assert all(refusal.field for refusal in refusals)


@pytest.mark.parametrize("name", ["targets", "met"])
def test_computed_facts_cannot_be_given(name: str) -> None:
    with pytest.raises(BadFacts, match="is computed"):
        check_facts(Verb.NOTE, {name: []}, ACTIONS[Verb.NOTE].shapes)


def test_the_owner_cannot_be_set_by_a_reassessment() -> None:
    with pytest.raises(BadFacts, match="set by 'assign'"):
        check_facts(Verb.REASSESS, {**ASSESSMENT, "owner": "U1"}, ACTIONS[Verb.REASSESS].shapes)


@pytest.mark.parametrize(
    "facts",
    [
        {"text": "some words"},
        {"a": [{"b": "some words"}]},
        {"x": "y" * 201},
        {"x": 1j},
        {"x": {1, 2}},
        {"x": float("nan")},
        {"some words": 1},
    ],
)
def test_facts_contain_only_codes_times_and_ids(facts: Mapping[str, Any]) -> None:
    with pytest.raises(BadFacts) as refused:
        check_wordless(facts)
    assert refused.value.code == "words_in_facts"


def test_the_name_of_an_own_safety_rule_may_be_words() -> None:
    check_wordless({"signs": [{"rule": "danger.smell of gas"}], "rules": ["smell of gas"]})


def test_every_choice_field_has_options_or_depends_on_the_case() -> None:
    free = {
        (form, field.name)
        for form, table in FORMS.items()
        for field in table.fields
        if field.input in (Input.CHOICE, Input.FLAGS) and not field.options
    }
    settings = {("log_complaint", "language"), ("log_complaint", "jurisdiction")}
    settings |= {("assess", "product"), ("assess", "branch")}
    rows = {("investigate", name) for name in ("issue", "statement", "basis")}
    assert free == {("remedy", "remedy"), ("verify", "remedy"), *rows, *settings}


def test_a_date_is_read_in_iso_form() -> None:
    assert day_of("2026-11-03").isoformat() == "2026-11-03"


def test_a_fact_that_is_none_is_dropped() -> None:
    complaint = a_received_case().do(
        Verb.ADD, ANNA, {"field": "description", "has_words": True, "signs": None}
    )
    assert "signs" not in complaint.last.facts


def test_a_moment_in_facts_must_be_iso() -> None:
    with pytest.raises(BadFacts) as refused:
        check_facts(Verb.ACCEPT, {"given_at": "1793700000"}, ACTIONS[Verb.ACCEPT].shapes)
    assert refused.value.field == "given_at"
