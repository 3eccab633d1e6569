"""The transition table as a Mermaid state diagram and as a table of verbs: what docs/lifecycle.md shows."""

from __future__ import annotations

from collections.abc import Iterator

from complaints.lifecycle import EVERY, OPEN, TABLE
from complaints.permissions import WHO
from complaints.vocabulary import CLAUSES, State

BEGIN = "<!-- generated from complaints/lifecycle.py: do not edit below this line -->"


def diagram() -> str:
    """A Mermaid `stateDiagram-v2`: an arrow for every way from one state to another, with its verbs."""
    return "\n".join(("stateDiagram-v2", *(f"    {line}" for line in _arrows())))


def _arrows() -> Iterator[str]:
    for verb, move in TABLE.items():
        if move.begins is not None:
            yield f"[*] --> {move.begins}: {_said(verb)}"
    for source in State:
        for to in State:
            verbs = [
                verb for verb, move in TABLE.items() if source is not to and to in move.ways.get(source, ())
            ]
            if verbs:
                yield f"{source} --> {to}: {', '.join(map(_said, verbs))}"


def verbs() -> str:
    """A Markdown table: each verb, its clause, who may do it, from where, and where it may lead."""
    lines = ["| verb | clause | who | from | to |", "|---|---|---|---|---|"]
    for verb, move in TABLE.items():
        who = ", ".join(sorted(_said(role) for role in WHO[verb]))
        to = ", ".join(map(_said, move.to)) or "–"
        lines.append(f"| {_said(verb)} | {CLAUSES[verb]} | {who} | {_sources(move.sources)} | {to} |")
    return "\n".join(lines)


def _sources(sources: frozenset[State]) -> str:
    if sources == EVERY:
        return "every state"
    if sources == OPEN:
        return "every open state"
    return ", ".join(_said(state) for state in State if state in sources) or "–"


def _said(code: str) -> str:
    return code.replace("_", " ")


def page() -> str:
    """The generated part of docs/lifecycle.md, from its marker on."""
    return f"{BEGIN}\n\n```mermaid\n{diagram()}\n```\n\n## Verbs\n\n{verbs()}\n"


if __name__ == "__main__":
    print(page(), end="")
