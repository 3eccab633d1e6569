"""A Slack message as its readers see it: control tokens become the words that they mean."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

#: `<@U…>`, `<#C…|name>`, `<!here>`, `<https://…|label>`: angle brackets that a person typed come escaped.
_TOKEN = re.compile(r"<([^<>\n]+)>")

_SCHEMES = ("mailto:", "tel:")


def plain_words(text: str, names: Mapping[str, str]) -> str:
    """The words of a message; `names` are those of staff by their Slack ids.

    An unknown member stays an id, because a wrong name would be worse.
    """
    parts = _TOKEN.split(text)
    return "".join(
        html.unescape(_token(part, names) if number % 2 else part) for number, part in enumerate(parts)
    )


def _token(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    match target[:1]:
        case "@":
            # The rule about named staff knows the name that the settings give.
            return f"@{names.get(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{label or target[1:]}"
        case "!":
            return label or f"@{target[1:].partition('^')[0]}"
    address = next((target.removeprefix(scheme) for scheme in _SCHEMES if target.startswith(scheme)), target)
    # Slack adds a scheme to what was typed without one: example.com becomes <http://example.com|example.com>.
    return address if not label or label in address else f"{label} ({address})"
