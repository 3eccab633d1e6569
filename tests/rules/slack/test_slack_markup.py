"""A complaint logged from a Slack message has the words that its readers saw (7.2)."""

from __future__ import annotations

import pytest

from bots.slack.client.block_kit import plain_words

NAMES = {"U0000001": "Ann Sealedname"}


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("Rude at the desk: <@U0000001>.", "Rude at the desk: @Ann Sealedname."),
        ("Ask <@U0000009> or <@U0000008|burak>", "Ask @U0000009 or @burak"),
        ("Seen in <#C0000001|desk> and <#C0000002>", "Seen in #desk and #C0000002"),
        ("<!here> and <!subteam^S01|@crew>", "@here and @crew"),
        ("On <!date^1392734382^{date}|18 February>", "On 18 February"),
        ("See <http://water.example|water.example>", "See http://water.example"),
        ("See <https://water.example/a|our page>", "See our page (https://water.example/a)"),
        ("Write to <mailto:mary@mail.example|mary@mail.example>", "Write to mary@mail.example"),
        ("Call <tel:+441234|01234>", "Call 01234 (+441234)"),
        (
            "1 &lt; 2 &amp;amp; <https://water.example/?a=1&amp;b=2>",
            "1 < 2 &amp; https://water.example/?a=1&b=2",
        ),
        ("&lt;@U0000001&gt; is typed", "<@U0000001> is typed"),
        ("", ""),
    ],
)
def test_control_tokens_of_a_slack_message_become_plain_words(raw: str, read: str) -> None:
    assert plain_words(raw, NAMES) == read
