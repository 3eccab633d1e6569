"""The demo's past as it was made once through the verbs, moved by whole weeks to the present one."""

import json
import lzma
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from amends.demo.past_values import Tables, write_tables
from complaints.rulebook import Rulebook
from complaints.times import format_time, parse_time
from simulator import Simulator
from store.database.transaction import Tx
from store.rulebooks import store_rulebook
from store.store import Store

#: A working morning. The past is made as if it ended then, so the demo opens at this hour of this week's Tuesday.
RECORDED_AT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
#: The lines of the phones: chat, name, language, text, from the bot, time. No table has this name.
_PHONES = "-phones"
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
}
_MONTH_NUMBERS = {
    name: number for names in _MONTHS.values() for number, name in enumerate(names.split(), start=1)
}
_MONTHS_OF = {name: names.split() for names in _MONTHS.values() for name in names.split()}
#: A moment or a day as codes have it.
_CODED = re.compile(r"20\d\d-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00))?")
#: A day as letters write it. A weekday in front stays right.
_WRITTEN = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTH_NUMBERS)}) (20\d\d)\b")


@dataclass(frozen=True)
class Snapshot:
    """The rows of the record, and each line of the phones: chat, name, language, text, from the bot, time."""

    tables: Tables
    lines: Sequence[tuple[str, str, str, str, bool, str]]


@dataclass
class DateMover:
    """Moves the dates of a text by whole weeks; moments keep their local hour."""

    weeks: timedelta
    zone: ZoneInfo
    _moved: dict[str, str] = field(default_factory=dict)

    def move(self, text: str) -> str:
        if not self.weeks:
            return text
        text = _CODED.sub(self._coded, text)
        # Looking for days takes four times as long as looking for moments, and few lines have one.
        return _WRITTEN.sub(self._written, text) if " 20" in text else text

    def moment(self, written: str) -> str:
        local = datetime.fromisoformat(written).astimezone(self.zone).replace(tzinfo=None) + self.weeks
        moved = local.replace(tzinfo=self.zone).astimezone(UTC)
        return format_time(moved) if written.endswith("Z") else moved.isoformat()

    def _coded(self, match: re.Match[str]) -> str:
        written = match[0]
        if written not in self._moved:
            is_day = len(written) == len("2026-11-24")
            self._moved[written] = (
                (date.fromisoformat(written) + self.weeks).isoformat() if is_day else self.moment(written)
            )
        return self._moved[written]

    def _written(self, match: re.Match[str]) -> str:
        day = date(int(match[3]), _MONTH_NUMBERS[match[2]], int(match[1])) + self.weeks
        return f"{day.day} {_MONTHS_OF[match[2]][day.month - 1]} {day.year}"


def opening_time(now: datetime, zone: str) -> datetime:
    """When the demo opens: at the recorded hour of the recorded weekday, in the present week."""
    weeks = (now.date() - RECORDED_AT.date() + timedelta(days=RECORDED_AT.weekday())) // timedelta(weeks=1)
    return parse_time(DateMover(timedelta(weeks=weeks), ZoneInfo(zone)).moment(format_time(RECORDED_AT)))


def load_past(store: Store, simulator: Simulator, rules: Rulebook, file: Path) -> None:
    """Write the past of this file into a new record and onto the simulator's phones."""
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        next(lines)  # the hash of the sources
        snapshot = read_snapshot(lines, store.now(), rules)
    store.write(_write, snapshot, rules)
    for chat, name, language, text, from_bot, at in snapshot.lines:
        person = simulator.customer(name, language=language, met=True, number=int(chat))
        person.remembers(text, from_bot=from_bot, at=parse_time(at))


def read_snapshot(lines: Iterable[str], now: datetime, rules: Rulebook) -> Snapshot:
    """The past as it ends at this time."""
    weeks = timedelta(weeks=round((now - RECORDED_AT) / timedelta(weeks=1)))
    mover = DateMover(weeks, ZoneInfo(rules.calendar.zone))
    ids = _placeholders(rules)
    tables: Tables = {}
    phones: list[Any] = []
    for line in lines:
        if '"@' in line:
            for placeholder, id_ in ids.items():
                line = line.replace(f'"{placeholder}"', f'"{id_}"')
        values = json.loads(mover.move(line))
        if isinstance(values, dict):
            [(name, columns)] = values.items()
            rows = tables.setdefault(name, [])
        elif name == _PHONES:
            phones.append(values)
        else:
            rows.append(
                {column: value for column, value in zip(columns, values, strict=True) if value is not None}
            )
    tables.pop(_PHONES)
    return Snapshot(tables, phones)


def snapshot_text(tables: Tables, phones: Iterable[Any], rules: Rulebook) -> str:
    """The snapshot, a row a line, each table below a line with its name and columns."""
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in _lines(tables, phones))
    for placeholder, id_ in _placeholders(rules).items():
        text = text.replace(f'"{id_}"', f'"{placeholder}"')
    return text


def _lines(tables: Tables, phones: Iterable[Any]) -> Iterator[Any]:
    for name, rows in tables.items():
        columns = sorted({column for row in rows for column in row})
        yield {name: columns}
        yield from ([row.get(column) for column in columns] for row in rows)
    yield {_PHONES: []}
    yield from phones


def _placeholders(rules: Rulebook) -> Mapping[str, str]:
    """What the file has in place of the ids of this start's rules, whose hazards are signed on its day."""
    return {"@rules": rules.id, "@checked": _checked(rules).id, "@edition": rules.edition}


def store_rules(tx: Tx, rules: Rulebook) -> None:
    """Store the rules that the past names: those of this start, and those with which each draft is checked."""
    for rulebook in (rules, _checked(rules)):
        store_rulebook(tx, rulebook)


def _checked(rules: Rulebook) -> Rulebook:
    return replace(rules, check_share=1.0)


def _write(tx: Tx, snapshot: Snapshot, rules: Rulebook) -> None:
    store_rules(tx, rules)
    write_tables(tx, snapshot.tables)
