"""A story that cannot be played ends with its line and what is there instead."""

from __future__ import annotations

from amends.demo.run import play

STORY = """Anna [en]: The tram stop in Mill Lane has been dark for a week.
Anna presses Money back
"""


async def test_a_button_that_a_customer_does_not_see_is_named_with_those_that_she_sees() -> None:
    failure = await play(STORY, report=lambda line: None)
    assert failure is not None
    assert failure.startswith("line 2: Anna presses Money back")
    assert "'Done'" in failure
