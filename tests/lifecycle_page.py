"""docs/lifecycle.md: the moves of all verbs as a Mermaid state diagram and as a table."""

from collections.abc import Iterator
from pathlib import Path

from complaints.actions.registry import ACTIONS
from complaints.vocabulary import EVERY, OPEN, State, Verb

PAGE = Path(__file__).parents[1] / "docs" / "lifecycle.md"
BEGIN = "<!-- generated from complaints/actions/registry.py: do not edit below this line -->"


def diagram() -> str:
    """A Mermaid `stateDiagram-v2`: an arrow for every way from one state to another, with its verbs.

    *Take back* has none: it leads to the state from before the act that is taken back.
    """
    return "\n".join(("stateDiagram-v2", *(f"    {line}" for line in _arrows())))


def _arrows() -> Iterator[str]:
    for verb, action in ACTIONS.items():
        if action.moves.begins is not None:
            yield f"[*] --> {action.moves.begins}: {_label(verb)}"
    for source in State:
        for to in State:
            verbs = [
                verb
                for verb, action in ACTIONS.items()
                if source is not to and verb is not Verb.TAKE_BACK and to in action.moves.ways.get(source, ())
            ]
            if verbs:
                yield f"{source} --> {to}: {', '.join(map(_label, verbs))}"


def verbs() -> str:
    """A Markdown table: each verb, its clause, its roles, from which states, and where it may lead."""
    lines = ["| verb | clause | who | from | to |", "|---|---|---|---|---|"]
    for verb, action in ACTIONS.items():
        roles = ", ".join(sorted(map(_label, action.roles)))
        to = ", ".join(map(_label, action.moves.to)) or "–"
        to = "the state before the act" if verb is Verb.TAKE_BACK else to
        lines.append(
            f"| {_label(verb)} | {action.clause} | {roles} | {_sources(action.moves.sources)} | {to} |"
        )
    return "\n".join(lines)


def _sources(sources: frozenset[State]) -> str:
    if sources == EVERY:
        return "every state"
    if sources == OPEN:
        return "every open state"
    return ", ".join(_label(state) for state in State if state in sources) or "–"


def _label(code: str) -> str:
    return code.replace("_", " ")


def page() -> str:
    """The generated part of docs/lifecycle.md, from its marker on."""
    return f"{BEGIN}\n\n```mermaid\n{diagram()}\n```\n\n## Verbs\n\n{verbs()}\n"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text(encoding="utf-8").partition(BEGIN)[0] + page(), encoding="utf-8")
