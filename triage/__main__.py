"""Training in a process of its own: an order on standard input, card and artefact on standard output.

The order is a JSON object: `{"languages": […], "examples": [{"text", "category", "severity", "language"}]}`.
It comes over a pipe so that no complainant's words ever lie in a file.
"""

from __future__ import annotations

import json
import sys

from triage.artefact import dump
from triage.card import card
from triage.example import Example
from triage.starters import starter_examples
from triage.training import train


def main() -> None:
    """Train on the starter examples and the order's; write the card as one JSON line, then the artefact."""
    order = json.loads(sys.stdin.buffer.read())
    confirmed = [
        Example(one["text"], one["category"], one.get("severity"), one.get("language"))
        for one in order["examples"]
    ]
    starters = starter_examples(order["languages"]) or starter_examples(("en",))
    model = train([*starters, *confirmed])
    sys.stdout.buffer.write(json.dumps(card(model), ensure_ascii=False).encode() + b"\n" + dump(model))


if __name__ == "__main__":
    main()
