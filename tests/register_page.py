"""The tables of docs/registers.md: each register with its acts (`python -m tests.register_page` writes them)."""

from __future__ import annotations

from pathlib import Path

from complaints.registers.definitions import REGISTERS, Register, RegisterAct
from complaints.vocabulary import Role

PAGE = Path(__file__).parents[1] / "docs" / "registers.md"
BEGIN = "<!-- generated from complaints/registers/registers.toml: do not edit below this line -->"
#: As in the tables of docs/slack.md; the operator at the command line is S, as is the desk itself.
_LETTERS = {
    Role.INTAKE: "I", Role.HANDLER: "H", Role.MANAGER: "M", Role.TOP_MANAGEMENT: "T", Role.AUDITOR: "A",
    Role.ON_CALL: "O", Role.SYSTEM: "S",
}  # fmt: skip


def tables() -> str:
    """A table of the registers, and one of all their acts."""
    registers = [
        "## The registers",
        "",
        "| register | clause | seen by | closed | reminders, in days from the due day |",
        "|---|---|---|---|---|",
        *map(_register, REGISTERS.values()),
    ]
    acts = [
        "## Their acts",
        "",
        "| register | act | from | to | fields | who |",
        "|---|---|---|---|---|---|",
        *(
            f"| {register.name} {_row(act)}"
            for register in REGISTERS.values()
            for act in register.acts.values()
        ),
    ]
    return "\n".join([*registers, "", *acts, ""])


def _register(register: Register) -> str:
    days = ", ".join(map(str, register.remind)) or "–"
    closed = ", ".join(sorted(register.closed)) or "–"
    return f"| `{register.name}` | {register.clause} | {_roles(register.readers)} | {closed} | {days} |"


def _row(act: RegisterAct) -> str:
    fields = ", ".join(f"`{field.name}`{'' if field.required else '?'}" for field in act.fields) or "–"
    who = _roles(act.roles) + ", owner" * act.is_owners + ", only the owner" * act.is_owners_alone
    who += f"; not the person of `{act.second_to}`" if act.second_to else ""
    sources, target = ", ".join(sorted(act.sources)) or "new", act.target or "stays"
    return f"| `{act.name}` | {sources} | {target} | {fields} | {who} |"


def _roles(roles: frozenset[Role]) -> str:
    return " ".join(letter for role, letter in _LETTERS.items() if role in roles)


def page() -> str:
    return f"{PAGE.read_text(encoding='utf-8').partition(BEGIN)[0]}{BEGIN}\n\n{tables()}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
