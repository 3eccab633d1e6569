"""Properties of the safety rules that hold for any text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.safety.organisation import DangerSign
from triage.safety.signs import Sign, find_signs

SEEDS = st.sampled_from(
    [
        "I smell gas", "no injuries", "nobody was hurt", "my kitchen is on fire", "gaz kokusu var", "intihar",
        "it could have caught fire", "kimse yaralanmadı", "yangın çıkabilirdi", "my baby has no water",
        "es riecht nach Gas", "keine Verletzten", "niemand wurde verletzt", "hätte brennen können", "fast", "aber",
        "Ich will nicht mehr leben", "huele a gas", "no hubo heridos", "nadie", "casi", "pudo haber", "si hubiera",
        "me quiero morir", "sin embargo", "mein Kind friert", "mi hija tiene fiebre", "ä", "ñ", "ü", "sí",
        "don't", "last week", "still", "hâlâ", "or", ", ", "but", "ama", "\n",
        ". ", "🔥", "<b>", "İ", "ı", "ß", "e\u0301",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=300), st.lists(st.one_of(SEEDS, st.text(max_size=8)), max_size=12).map(" ".join)
)
OWN = (DangerSign(("gas", "smell of gas"), "0800 111 999", {"en": "Leave now."}, "gas_line"),)


def floors(signs: tuple[Sign, ...]) -> tuple[int, int, bool]:
    """The highest severity, safety and danger of the signs."""
    return (
        max((sign.severity for sign in signs), default=1),
        max((sign.safety for sign in signs), default=0),
        any(sign.danger for sign in signs),
    )


@given(TEXTS)
def test_any_text_is_read_without_an_error_and_spans_are_within_it(text: str) -> None:
    for sign in find_signs(text, extra=OWN):
        start, end = sign.span
        assert 0 <= start < end <= len(text)
        assert 1 <= sign.severity <= 5
        assert 0 <= sign.safety <= 3


@given(TEXTS, TEXTS)
def test_a_further_paragraph_never_lowers_a_floor(story: str, more: str) -> None:
    before, after = floors(find_signs(story)), floors(find_signs(f"{story}\n{more}"))
    assert all(later >= earlier for earlier, later in zip(before, after, strict=True))


@given(TEXTS)
def test_an_organisations_own_signs_never_replace_the_built_in_ones(text: str) -> None:
    assert set(find_signs(text)) <= set(find_signs(text, extra=OWN))


@given(TEXTS)
def test_the_same_text_gives_the_same_signs(text: str) -> None:
    assert find_signs(text) == find_signs(text)


@given(st.sampled_from(("möglich", "posible", "belki", "perhaps")), TEXTS)
def test_a_later_line_does_not_weaken_a_stated_danger(word: str, more: str) -> None:
    for danger in (
        "my kitchen is on fire",
        "binada yangın var",
        "im Keller brennt es",
        "hay fuego en la cocina",
    ):
        assert any(sign.danger for sign in find_signs(f"{danger}\n{word} {more}"))


def test_a_text_of_a_hundred_thousand_characters_is_read_to_its_end() -> None:
    assert find_signs("la " * 33_000 + ". my kitchen is on fire")[0].rule == "fire"
    assert find_signs("🔥" * 100_000) == ()
    assert find_signs("") == ()
