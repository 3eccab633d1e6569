"""Who may do what is decided by `complaints.actions.authorisation` alone; no other place looks at roles for it."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.edges.command_line.test_access_routes import RECORDED_COMMANDS, UNRECORDED_COMMANDS, command_names

HERE = Path(__file__).parents[2]
FOLDERS = ("amends", "bots", "scheduler", "store", "triage")
#: Only the rules look at these: everybody else asks `authorise` or `is_allowed`.
DECIDE = frozenset(
    {"may_read", "may_manage", "is_excluded", "worked_on", "judged_below", "READERS", "MANAGERS", "HANDLERS"}
)
REFUSALS = ("not_allowed.role", "not_allowed.excluded", "not_allowed.restricted", "not_allowed.owner")
#: Uses that decide nothing, each with its reason.
NO_DECISION = {
    ("amends/checks.py", "MANAGERS"): "counts whether the settings name enough people",
    ("store/record/access_log.py", "READERS"): "names the role in which a person read",
    ("store/record/worklists.py", "READERS"): "the rule of Access.KNOW as SQL; a test compares the two",
}
#: What a variable with a person is called.
PEOPLE = frozenset({"actor", "by", "member", "owner", "person", "reader"})
#: Where the roles of people are read: to address them, to show or store them, or as SQL.
READ_ROLES = {
    "amends/checks.py", "amends/settings/sections.py", "bots/slack/jobs/digest.py", "bots/slack/recipients.py",
    "bots/slack/router.py", "bots/slack/staff_sync.py", "scheduler/ticks.py", "store/people/staff.py",
    "store/record/access_log.py", "store/record/worklists.py", "store/values.py",
}  # fmt: skip


def modules() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((HERE / folder).rglob("*.py"))]


def name_of(file: Path) -> str:
    return file.relative_to(HERE).as_posix()


def test_no_module_decides_about_access_itself() -> None:
    faults = [(name_of(file), fault) for file in modules() for fault in decisions_in(file)]
    assert [fault for fault in faults if fault not in NO_DECISION] == []


def decisions_in(file: Path) -> list[str]:
    """What this module uses to decide by itself."""
    faults: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=module, names=names) if str(module).startswith("complaints"):
                faults += [alias.name for alias in names if alias.name in DECIDE]
            case ast.Attribute(value=ast.Name(id="actors"), attr=attr) if attr in DECIDE:
                faults.append(attr)
            case ast.Attribute(value=ast.Name(id=person), attr="roles" | "has") if person in PEOPLE:
                faults += ["roles"] if name_of(file) not in READ_ROLES else []
            case ast.Call(func=ast.Name(id="NotAllowed"), keywords=keywords):
                codes = [word.value.value for word in keywords if isinstance(word.value, ast.Constant)]
                faults += [str(code) for code in codes if code in REFUSALS]
    return faults


def test_every_command_says_whether_it_shows_personal_data() -> None:
    """A new command must be put into one of the two lists; those of the first must record the read."""
    assert command_names() == RECORDED_COMMANDS | UNRECORDED_COMMANDS
