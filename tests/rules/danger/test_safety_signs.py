"""Signs of harm in four languages: what must be found, what must not, and what is only possible.

In `safety_signs.csv`, `expected` names the rule. It is empty if no sign may be found, and `possible` if harm did not
happen but could have.
"""

from __future__ import annotations

import csv
from pathlib import Path

from triage.matching import LANGUAGES
from triage.safety.signs import BUILT_IN, KINDS, Sign, find_signs

CASES = list(csv.DictReader(Path(__file__).with_name("safety_signs.csv").open(encoding="utf-8")))


def test_a_sign_of_harm_is_found() -> None:
    rows = [row for row in CASES if row["expected"] not in ("", "possible")]
    dangers = [{sign.rule: sign.danger for sign in find_signs(row["text"])} for row in rows]
    wrong = [
        (row, signs)
        for row, signs in zip(rows, dangers, strict=True)
        if signs.get(row["expected"]) is not (row["danger"] == "yes")
    ]
    assert wrong == []


def test_a_denial_or_another_meaning_is_no_sign() -> None:
    rows = [row for row in CASES if not row["expected"]]
    assert [(row, signs) for row in rows if (signs := find_signs(row["text"])) != ()] == []


def test_harm_that_did_not_happen_is_a_sign_without_danger() -> None:
    for row in (row for row in CASES if row["expected"] == "possible"):
        signs = find_signs(row["text"])
        assert signs, row
        assert all(sign.severity <= 3 and sign.safety <= 1 and not sign.danger for sign in signs), row


def test_every_language_has_enough_cases_of_every_sort() -> None:
    for language in LANGUAGES:
        rows_of_language = [row for row in CASES if row["language"] == language]
        assert sum(bool(row["expected"]) for row in rows_of_language) >= 50
        assert sum(not row["expected"] for row in rows_of_language) >= 30


def test_every_kind_has_a_rule() -> None:
    kinds = {
        "gas", "fire", "electric", "flood", "injury", "crash", "self_harm", "violence", "threat", "minor",
        "vulnerable", "discrimination", "legal_threat", "cutoff_eviction", "poisoning", "food", "medical",
    }  # fmt: skip
    assert set(KINDS) == kinds


def test_every_language_has_the_same_rules_with_the_same_floors() -> None:
    floors = {
        language: {
            (rule.name, rule.kind, rule.severity, rule.safety, rule.danger)
            for rule in BUILT_IN
            if rule.language == language
        }
        for language in LANGUAGES
    }
    assert all(mine == floors["en"] for mine in floors.values())


def test_rules_only_raise_within_the_scales() -> None:
    assert all(1 <= rule.severity <= 5 and 0 <= rule.safety <= 3 for rule in BUILT_IN)
    assert all(rule.severity == 5 and rule.safety == 3 for rule in BUILT_IN if rule.danger)


def test_the_gravest_sign_comes_first() -> None:
    signs = find_signs("I will see my lawyer. There is a smell of gas in the flat.")
    assert [sign.rule for sign in signs] == ["gas_smell", "legal_threat"]


def test_a_weaker_sign_of_the_same_kind_is_left_out() -> None:
    assert [sign.rule for sign in find_signs("The cooker caught fire, a fire in my own home.")] == ["fire"]


def test_the_span_marks_the_original_words() -> None:
    text = "Merhaba 🔥🔥, BİNADA GAZ KOKUSU VAR"
    (sign,) = find_signs(text)
    assert text[sign.span[0] : sign.span[1]] == "GAZ KOKUSU"


def test_decomposed_full_width_and_invisible_characters_are_normalised() -> None:
    assert [sign.rule for sign in find_signs("evde gaz kac\u0327ag\u0306i var")] == ["gas_smell"]
    assert [sign.rule for sign in find_signs("ｇａｓ ｌｅａｋ here")] == ["gas_smell"]
    assert [sign.rule for sign in find_signs("g\u200bas le\u00adak")] == ["gas_smell"]


def test_a_denial_ends_at_the_sentence() -> None:
    assert [sign.rule for sign in find_signs("No injuries. The kitchen is on fire")] == ["fire"]
    assert [sign.rule for sign in find_signs("Nobody was hurt but the kitchen is on fire")] == ["fire"]
    assert [sign.rule for sign in find_signs("Yaralı yok ama binada yangın var")] == ["fire"]


def test_a_denial_of_something_else_denies_no_sign() -> None:
    assert [
        sign.rule for sign in find_signs("Nobody answered the phone about the gas leak or the flood")
    ] == [
        "gas_smell",
        "flood",
    ]
    assert find_signs("no gas leak or flood was found") == ()


def test_a_past_and_repaired_danger_is_not_present() -> None:
    (sign,) = find_signs("Last winter there was a gas leak, it was repaired the same day.")
    assert (sign.rule, sign.severity, sign.safety, sign.danger) == ("gas_smell_past", 5, 2, False)


def test_a_danger_reported_long_ago_and_not_repaired_is_still_present() -> None:
    assert find_signs("I reported the gas leak two weeks ago and nobody came.")[0].danger
    assert find_signs("Geçen hafta gaz kokusunu bildirdim, hâlâ kokuyor, kimse gelmedi.")[0].danger


def test_a_child_in_need_is_more_severe_than_a_child_only_mentioned() -> None:
    assert [sign.severity for sign in find_signs("My 3 year old son wants the red one.")] == [3]
    assert [sign.severity for sign in find_signs("My 3 year old son is ill from the damp.")] == [4]


def test_signs_with_equal_fields_are_equal() -> None:
    assert Sign("fire", "fire", 5, 3, True, (0, 4)) == Sign("fire", "fire", 5, 3, True, (0, 4))


def test_the_end_of_a_line_is_the_end_of_a_sentence() -> None:
    assert [sign.rule for sign in find_signs("I have no heating\nstill")] == ["cut_off"]
    assert [sign.rule for sign in find_signs("I'm disabled\nthere is no smell of gas")] == [
        "vulnerable_person"
    ]
    assert find_signs("Kolum kırıldı\nyaralanabilirdik")[0].severity == 5
