"""A message of Slack's as its readers see it: control tokens become the words that they stand for."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

#: `<@U…>`, `<#C…|name>`, `<!here>`, `<https://…|label>`: a person's own angle brackets come escaped.
_TOKEN = re.compile(r"<([^<>\n]+)>")
_WRITTEN = ("mailto:", "tel:")


def words(text: str, names: Mapping[str, str]) -> str:
    """The words of a message; `names` are those of staff by their Slack ids.

    A member whom we do not know stays an id: a wrong name would be worse.
    """
    parts = _TOKEN.split(text)
    return "".join(html.unescape(_token(one, names) if n % 2 else one) for n, one in enumerate(parts))


def _token(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    match target[:1]:
        case "@":
            # The name that the settings have is the one that the rule about named staff knows.
            return f"@{names.get(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{label or target[1:]}"
        case "!":
            return label or f"@{target[1:].partition('^')[0]}"
    address = next((target.removeprefix(one) for one in _WRITTEN if target.startswith(one)), target)
    # Slack writes out what was typed without a scheme: example.com is <http://example.com|example.com>.
    return address if not label or label in address else f"{label} ({address})"
