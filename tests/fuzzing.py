"""The parsers at the edge, what each is fed, and how each may refuse.

`python -m tests.fuzzing --inputs 10000` prints a table of inputs and crashes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from amends.documents.case_file.case_file import _as_svg
from amends.past_complaints import read_mapping
from amends.settings.closures import DeskHours, closures_in
from amends.settings.problems import BadCalendarFile, SettingsError
from amends.settings.settings_file import parse_settings
from bots.dialogue.inputs import parse_command
from bots.slack import payloads
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import chat_of_raw, key_of_raw
from store.backup import back_up
from store.database.errors import StoreError
from store.database.migrate import upgrade
from store.files import extension, media_type
from store.restore import restore
from tests.databases import KEYS, FakeClock, opened
from tests.edges.desk import Desk
from triage.csv.labelled_rows import read_examples
from triage.csv.reader import read_csv
from triage.errors import UnreadableModel, UnreadableTable
from triage.example import Example
from triage.learning.own_history import HistoryRow, read_history_file, write_history_file
from triage.learning.training import train
from triage.model import artefact

# What is fed to them.

_NUMBERS = st.one_of(
    st.integers(-3, 70_000), st.sampled_from([2**31, 2**63, -(2**63), 10**30, 10**400, 1e308, -0.0]),
    st.floats(allow_nan=True, allow_infinity=True),
)  # fmt: skip
_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "0", "\0", "\ud800", "\u202e", "a" * 5000, "Infinity", "{", "[" * 900, "A7K-M3Q-9T", "null"]
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in inside for found in _paths(child, (*path, key)))]


@st.composite
def changed_values(draw: st.DrawFn, samples: tuple[Any, ...]) -> Any:
    """A real payload with up to four places replaced, removed or doubled."""
    value = deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        *parents, last = draw(st.sampled_from([path for path in _paths(value) if path] or [("x",)]))
        holder = value
        for key in parents:
            holder = holder[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "nest"]))
        if change == "remove" and isinstance(holder, dict):
            holder.pop(last, None)
        elif change == "nest" and last in (holder if isinstance(holder, dict) else range(len(holder))):
            holder[last] = [deepcopy(value)] if draw(st.booleans()) else {"x": deepcopy(holder[last])}
        else:
            holder[last] = draw(VALUES)
    return value


@st.composite
def changed_bytes(draw: st.DrawFn, samples: tuple[bytes, ...]) -> bytes:
    """A real file with bytes changed, cut out, doubled or put in; sometimes only bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["flip", "cut", "end", "insert", "double"])):
            case "flip" if data:
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "end":
                del data[at:]
            case "insert":
                data[at:at] = draw(st.binary(max_size=16))
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
    return bytes(data)


def changed_texts(*samples: str) -> st.SearchStrategy[str]:
    """A real text file with changed bytes or characters."""
    return changed_bytes(tuple(text.encode() for text in samples)).map(
        lambda data: data.decode(errors="replace")
    )


_USER = {"id": 5000001, "is_bot": False, "first_name": "Anna", "language_code": "en"}
_CHAT = {"id": 5000001, "type": "private", "first_name": "Anna"}
_MESSAGE = {"message_id": 7, "date": 1_793_000_000, "chat": _CHAT, "from": _USER}
_FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 9}
UPDATES: tuple[dict[str, Any], ...] = (
    {"update_id": 1, "message": {**_MESSAGE, "text": "The water is brown."}},
    {"update_id": 2, "edited_message": {**_MESSAGE, "edit_date": 1_793_000_001, "text": "The water is red."}},
    {
        "update_id": 3,
        "message": {
            **_MESSAGE, "text": "/status A7K-M3Q-9T", "entities": [{"type": "bot_command", "offset": 0, "length": 7}],
            "reply_to_message": {**_MESSAGE, "message_id": 6, "text": "x"}, "message_thread_id": 3,
        },
    },
    {
        "update_id": 4,
        "message": {
            **_MESSAGE, "caption": "Look", "media_group_id": "9",
            "photo": [{**_FILE, "width": 90, "height": 90}, {**_FILE, "width": 900, "height": 900}],
        },
    },
    {
        "update_id": 5,
        "message": {**_MESSAGE, "document": {**_FILE, "file_name": "a.pdf", "mime_type": "application/pdf"}},
    },
    {"update_id": 6, "message": {**_MESSAGE, "voice": {**_FILE, "duration": 3, "mime_type": "audio/ogg"}}},
    {"update_id": 7, "message": {**_MESSAGE, "location": {"latitude": 51.5, "longitude": -0.12}}},
    {"update_id": 8, "message": {**_MESSAGE, "contact": {"phone_number": "+440000000000", "first_name": "Bea"}}},
    {
        "update_id": 9,
        "callback_query": {
            "id": "4", "from": _USER, "chat_instance": "1", "data": "AAAA",
            "message": {**_MESSAGE, "text": "Which?"},
        },
    },
    {
        "update_id": 10,
        "my_chat_member": {
            "chat": _CHAT, "from": _USER, "date": 1_793_000_000,
            "old_chat_member": {"user": _USER, "status": "member"},
            "new_chat_member": {"user": _USER, "status": "kicked", "until_date": 0},
        },
    },
)  # fmt: skip
_TEAM = {"id": "T0000001", "domain": "x"}
_STORED = {
    "ref": "A7K-M3Q-9T", "version": 3, "incident": 1, "draft": "d", "page": 0, "home": True, "pages": 2,
    "rows": {"issues": 1}, "pressed": ["http://127.0.0.1:1/x", "C0000001", "1.2"],
}  # fmt: skip
_METADATA = json.dumps(_STORED)
_VIEW = {
    "id": "V1", "type": "modal", "callback_id": "assess", "private_metadata": _METADATA, "hash": "1",
    "blocks": [{"type": "input", "block_id": "severity", "element": {"type": "static_select", "action_id": "value"}}],
    "state": {"values": {"severity": {"value": {"type": "static_select", "selected_option": {"value": "2"}}}}},
}  # fmt: skip
_PERSON = {"id": "U0000001", "team_id": "T0000001", "username": "alice"}
CALLS: tuple[dict[str, Any], ...] = (
    {
        "type": "block_actions", "user": _PERSON, "team": _TEAM, "trigger_id": "1.1", "channel": {"id": "C0000001"},
        "container": {"type": "message", "channel_id": "C0000001", "message_ts": "1.2"},
        "response_url": "http://127.0.0.1:1/x",
        "actions": [{"action_id": "case.open", "value": "A7K-M3Q-9T", "block_id": "actions:3.1", "action_ts": "1.3"}],
    },
    {
        "type": "block_actions", "user": _PERSON, "team": _TEAM, "trigger_id": "1.1", "view": _VIEW,
        "actions": [{
            "action_id": "case.more", "type": "overflow", "block_id": "actions:3.1",
            "selected_option": {"value": "case.note:A7K-M3Q-9T"},
        }],
    },
    {"type": "view_submission", "user": _PERSON, "team": _TEAM, "view": _VIEW, "trigger_id": "1.1"},
    {
        "type": "event_callback", "team_id": "T0000001", "event_id": "Ev1",
        "authorizations": [{"team_id": "T0000001"}],
        "event": {"type": "app_home_opened", "user": "U0000001", "tab": "home", "channel": "D1"},
    },
    {
        "command": "/complaints", "text": "show A7K-M3Q-9T", "user_id": "U0000001", "team_id": "T0000001",
        "channel_id": "C0000001", "trigger_id": "1.1", "response_url": "http://127.0.0.1:1/x",
    },
    {"type": "message_action", "callback_id": "log", "user": _PERSON, "team": _TEAM, "trigger_id": "1.1",
     "message": {"text": "They rang", "user": "U1", "ts": "1.1"}, "channel": {"id": "C1"}},
)  # fmt: skip
_TOML = """[organisation]
name = "Northwind Water"
country = "GB"
region = "ENG"
timezone = "Europe/London"
languages = ["en", "tr"]
[calendar]
hours = "Mon-Thu 09:00-12:30 13:30-17:30, Fri 09:00-15:00"
closed = { 2026-12-24 = "Closed" }
[slack]
triage_channel = "C0000001"
restricted_channel = "C0000002"
executive_channel = "C0000003"
[roles]
handler = ["U0000001"]
[targets]
ack = "1 bd"
[targets.P1]
decide = "2 h"
[dialogue]
quiet_hours = "20:00-08:00"
[authority.handler]
amount = "100 GBP"
[[recourse]]
body = "Ombudsman"
limit = "12 months"
[[danger]]
signs = ["smell of gas"]
[privacy]
retention = "72 months"
[files]
scanner = "clamdscan -"
[jurisdiction.TR]
languages = ["tr"]
"""
_ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VTIMEZONE\r
TZID:Home\r
BEGIN:STANDARD\r
DTSTART:20251026T030000\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;TZID=Home:20261224T000000\r
DURATION:P2D\r
RRULE:FREQ=YEARLY;COUNT=3;BYMONTH=12\r
EXDATE;TZID=Home:20271224T000000\r
SUMMARY:Clos\r
 ed\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
DTSTART;VALUE=DATE:20260501\r
DTEND;VALUE=DATE:20260502\r
SUMMARY:Off\r
END:VEVENT\r
END:VCALENDAR\r
"""
_CSV = (
    "text,category,severity,language,date\n"
    "The water is brown,supply,2,en,2026-03-01\n"
    '"My bill, again",money,3,en,2026-03-02\n'
    "Su akmıyor,supply,,tr,\n"
)
_HISTORY = write_history_file(
    [HistoryRow(Example("My bill", "money", 2, "en", None)), HistoryRow(Example("x", "y", None, None))]
)
_MAPPING = """[file]
delimiter = ";"
date = "%d.%m.%Y"
[columns]
Received = "received_at"
Story = "description"
Closed = "closed_at"
[values.close_code]
"Done" = "accepted"
[defaults]
channel = "phone"
"""


@dataclass(frozen=True)
class Parser:
    """What reads foreign input: what it is fed, the call, and the only errors that it may raise."""

    inputs: st.SearchStrategy[Any]
    read: Callable[[Any], Any]
    refusals: tuple[type[Exception], ...] = ()


def _read_call(body: Any) -> None:
    """All that a listener reads of a payload that was not refused."""
    if payloads.wrong_field(body) is not None:
        return
    payloads.named_workspaces(body)
    try:
        request = payloads.read_request(body)
    except KeyError:
        return
    payloads.pressed_card(request)
    names = (
        "case_ref",
        "attempt",
        "ref",
        "name",
        "detail",
        "suggested_link",
        "key",
        "metadata",
        "in_message",
        "in_home",
    )
    for name in names:
        getattr(request, name, None)


def _with_metadata(stored: Any) -> dict[str, Any]:
    return {**CALLS[2], "view": {**_VIEW, "private_metadata": json.dumps(stored)}}


def _read_update(raw: Any) -> None:
    if isinstance(raw, dict):
        key_of_raw(raw)
        chat_of_raw(raw)


def _read_csv_file(data: bytes) -> None:
    read_examples(data)
    list(read_csv(data).rows)


def _read_settings(text: str) -> None:
    with TemporaryDirectory() as folder:
        parse_settings(text, Path(folder) / "amends.toml", {})


def _read_mapping(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mapping.toml"
        file.write_bytes(data)
        read_mapping(file)


def _read_calendar(text: str) -> None:
    closures_in(text, DeskHours("Europe/London"), date(2026, 1, 1), date(2028, 1, 1))


def _restore(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "backup.db"
        file.write_bytes(data)
        restore(f"sqlite:///{folder}/restored.db", file, KEYS, FakeClock()())


def _sniff(data: bytes) -> None:
    media_type(data, "image/png")
    extension(data)
    _as_svg(data)


#: Payloads with changed parts, and forms whose own memory at Slack is changed.
PAYLOADS = st.one_of(changed_values(CALLS), changed_values((_STORED,)).map(_with_metadata))
_BUTTONS = Buttons(b"a secret for buttons, 32 bytes..")
_PICTURES = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x01\0\0\0\0" + bytes(20),
    b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x10\0\x10" + bytes(20),
)


def parsers(model: bytes, backup: bytes) -> Mapping[str, Parser]:
    """Every parser by name; `model` and `backup` are whole files of their kinds."""
    tables = (_CSV.encode(), _CSV.encode("utf-16"), gzip.compress(_CSV.encode()))
    packed = changed_bytes((gzip.decompress(_HISTORY),)).map(gzip.compress)
    return {
        "Telegram update, before parsing": Parser(changed_values(UPDATES), _read_update),
        "Telegram command": Parser(_TEXTS, lambda text: parse_command(f"/{text}", "1", FakeClock()())),
        "Telegram button": Parser(_TEXTS, lambda text: _BUTTONS.decode("1", text)),
        "Slack payload": Parser(PAYLOADS, _read_call),
        "CSV file": Parser(changed_bytes(tables), _read_csv_file, (UnreadableTable,)),
        "history file": Parser(
            st.one_of(changed_bytes((_HISTORY,)), packed), read_history_file, (UnreadableTable,)
        ),
        "calendar file": Parser(changed_texts(_ICS), _read_calendar, (BadCalendarFile,)),
        "amends.toml": Parser(changed_texts(_TOML), _read_settings, (SettingsError,)),
        "mapping.toml": Parser(changed_bytes((_MAPPING.encode(),)), _read_mapping, (SettingsError,)),
        "model file": Parser(changed_bytes((model,)), artefact.load, (UnreadableModel,)),
        "backup file": Parser(changed_bytes((backup,)), _restore, (StoreError,)),
        "file of a complainant": Parser(changed_bytes(_PICTURES), _sniff),
    }


def run(parser: Parser, inputs: int, counts: Counter[str]) -> None:
    """Feed a parser so many inputs, and count them, refusals and crashes; the first crash is raised."""

    @settings(
        max_examples=inputs, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    @given(parser.inputs)
    def feed(value: Any) -> None:
        counts["inputs"] += 1
        try:
            parser.read(value)
        except parser.refusals:
            counts["refused"] += 1
        except Exception:
            counts["crashes"] += 1
            raise

    feed()


def whole_model() -> bytes:
    """A small model file."""
    complaints = ("is wrong", "is late", "was never right", "again", "has gone", "makes me angry") * 4
    examples = [
        Example(f"{word} {number} {complaint}", category, 2, "en")
        for category, word in (("money", "bill"), ("supply", "water"))
        for number, complaint in enumerate(complaints)
    ]
    return artefact.dump(train(examples))


def whole_backup(folder: Path) -> bytes:
    """A backup of a store with one complaint."""
    url = f"sqlite:///{folder / 'fuzzed.db'}"
    upgrade(url)
    with opened(url, FakeClock()) as store:
        Desk(store).receive()
        back_up(url, folder / "backup.db")
    return (folder / "backup.db").read_bytes()


def main() -> int:
    """Print inputs, refusals, crashes and seconds for each parser; 1 if anything crashed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--inputs", type=int, default=1000, help="inputs for each parser")
    arguments.add_argument("--only", default="", help="a part of the parser's name")
    given_arguments = arguments.parse_args()
    total = Counter[str]()
    print("| parser | inputs | refused | crashes | seconds |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for name, parser in parsers(whole_model(), whole_backup(Path(folder))).items():
            if given_arguments.only not in name:
                continue
            counts, began = Counter[str](), time.monotonic()
            try:
                run(parser, given_arguments.inputs, counts)
            except Exception as crash:  # noqa: BLE001  # counted
                print(f"{name}: {type(crash).__name__}: {crash}", file=sys.stderr)
                traceback.print_exception(crash.__context__ or crash, limit=-3)
            total += counts
            seconds = time.monotonic() - began
            print(
                f"| {name} | {counts['inputs']} | {counts['refused']} | {counts['crashes']} | {seconds:.0f} |",
                flush=True,
            )
    print(f"| all | {total['inputs']} | {total['refused']} | {total['crashes']} | |")
    return int(total["crashes"] > 0)


if __name__ == "__main__":
    sys.exit(main())
