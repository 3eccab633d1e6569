"""A button's data: small, opaque, and valid for one chat only (docs/design.md, "Threats")."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.dialogue.buttons import REMEDIES, SURVEY
from bots.dialogue.inputs import ButtonInput
from bots.telegram.callback_data import Buttons
from bots.texts.catalogues import load_catalogues

BUTTONS = Buttons(b"a secret for buttons, 32 bytes..")
TEXTS = load_catalogues(["en", "tr"])
CODES = sorted(id_.removeprefix("button.") for id_ in TEXTS.ids("en") if id_.startswith("button."))
CHOICES = [*CODES, "lang_en"]
STEPS = [
    "story",
    "where",
    "help",
    "whom",
    "check",
    "change",
    "decision",
    "belongs",
    "danger",
    "sure",
    *SURVEY,
]

presses = st.builds(
    ButtonInput,
    choice=st.sampled_from(CHOICES),
    step=st.sampled_from(STEPS),
    ref=st.sampled_from([None, "234-679-AY", "A7K-M3Q-9T"]),
    turn=st.integers(0, 10**12),
)


@given(presses, st.integers(1, 10**12))
def test_every_button_fits_into_64_bytes(press: ButtonInput, chat: int) -> None:
    assert len(BUTTONS.encode(str(chat), press).encode()) <= 64


def test_a_turn_that_no_longer_fits_is_older_than_every_answer() -> None:
    press = ButtonInput("what_would_help", "decision", "A7K-M3Q-9T", 0x10000)
    data = BUTTONS.encode("1", press)
    assert len(data) <= 64
    assert BUTTONS.decode("1", data) == replace(press, turn=0)
    assert BUTTONS.decode("1", BUTTONS.encode("1", replace(press, turn=0xFFFF))) == replace(
        press, turn=0xFFFF
    )


def test_the_turn_of_a_real_button_fits_for_millions_of_messages() -> None:
    press = ButtonInput("what_would_help", "change", "A7K-M3Q-9T", 10**7)
    assert BUTTONS.decode("1", BUTTONS.encode("1", press)) == press


def test_codes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="shorten"):
        BUTTONS.encode("1", ButtonInput("x" * 40, "check", "A7K-M3Q-9T", 1))


@given(presses.filter(lambda press: press.ref is None), st.integers(1, 10**12))
def test_a_button_sealed_for_a_chat_opens_only_there(press: ButtonInput, chat: int) -> None:
    data = BUTTONS.encode(str(chat), press)
    assert BUTTONS.decode(str(chat), data) == press
    assert BUTTONS.decode(str(chat + 1), data) is None
    assert Buttons(b"another secret, also 32 bytes...").decode(str(chat), data) is None


@given(presses, st.integers(0, 300))
def test_a_button_with_a_flipped_bit_does_not_open(press: ButtonInput, bit: int) -> None:
    data = BUTTONS.encode("1", press)
    raw = bytearray(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    assert BUTTONS.decode("1", base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) is None


@given(st.text(max_size=64))
def test_other_data_is_no_button(data: str) -> None:
    assert BUTTONS.decode("1", data) is None


def test_the_data_of_a_button_does_not_show_its_meaning() -> None:
    data = BUTTONS.encode("1", ButtonInput(REMEDIES[0], "help", "A7K-M3Q-9T", 3))
    raw = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    assert not any(word in raw for word in (b"repair", b"help", b"A7KM3Q9T"))
