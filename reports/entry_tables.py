"""Entries of the registers as tables of a report (5, 6, 8)."""

from collections.abc import Iterable, Sequence
from datetime import date

from complaints.forms import Input
from complaints.registers.definitions import REGISTERS
from complaints.registers.entries import Entry
from reports.document import Cell, Colleague, Column, Label, Mark, Ref, Table, Tone, Verbatim, text

#: The fields of objectives in tables, and the section that has them.
OBJECTIVE, OBJECTIVES = ("figure", "direction", "target", "owner", "due"), "objectives"
OVERDUE = Mark(Tone.BAD, text("registers.overdue"))


def name_cell(entry: Entry) -> Cell:
    """What names the entry in lists; where that is empty, where it comes from, such as an overturned decision."""
    name = field_cell(entry, entry.register.name_field)
    return field_cell(entry, "source") if name is None and "source" in entry.register.fields else name


def field_cell(entry: Entry, name: str) -> Cell:
    """One field of an entry; None if it is empty."""
    value = entry.words.get(name) or entry.facts.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, list | tuple):
        return tuple(Ref(str(ref)) for ref in value)
    match entry.register.fields[name].input:
        case Input.DATE:
            return date.fromisoformat(str(value))
        case Input.STAFF:
            return Colleague(str(value))
        case Input.CHOICE if prefix := entry.register.choices[name]:
            return Label(prefix, str(value))
    return Verbatim(str(value))


def entry_table(
    id_: str, register: str, entries: Iterable[Entry], today: date, fields: Sequence[str]
) -> Table:
    """Code, these fields, state and whether it is overdue, one row for each entry."""
    labels = REGISTERS[register].labels
    heads = (
        Column("code", text("registers.code")),
        *(Column(name, text(f"register.field.{labels[name]}")) for name in fields),
        Column("state", text("registers.state")),
    )
    rows = (
        (
            Verbatim(entry.code),
            *(field_cell(entry, name) for name in fields),
            OVERDUE if entry.is_overdue(today) else Label("register.state", entry.state),
        )
        for entry in entries
    )
    return Table(id_, text(f"register.name.{register}"), heads, tuple(rows))
