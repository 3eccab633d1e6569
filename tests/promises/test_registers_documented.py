"""docs/registers.md lists every register and act with who may do it, as registers.toml has them."""

from __future__ import annotations

from tests.register_page import PAGE, page


def test_the_page_of_registers_is_the_one_that_the_data_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.register_page`"
