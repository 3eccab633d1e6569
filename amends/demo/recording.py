"""Makes the demo's past through the verbs, as the text that `snapshot` reads.

The same code makes the same past: references, ids and keys come from fixed numbers.
"""

import random
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from amends.demo.demo_past import make_past
from amends.demo.past_values import read_tables
from amends.demo.settings import demo_settings
from amends.demo.snapshot import RECORDED_AT, snapshot_text
from amends.figures import count_figures
from amends.reports.build import build_report, last_days
from amends.settings import Settings
from amends.wiring import Application
from bots.telegram.callback_data import Buttons
from complaints.times import format_time
from simulator import Simulator
from store.database.keyring import KEY_BYTES, Keyring
from store.database.migrate import upgrade
from store.proof.hash_chain import record_instance_event
from store.rulebooks import use_rulebooks
from store.store import Store, open_store

#: The number of past complaints.
PAST = 200


def record_past(number: int = PAST) -> str:
    """The past as the verbs make it today."""
    numbers = random.Random(2026)  # no secret: the record gets new keys at each start
    with (
        TemporaryDirectory(prefix="amends-past-") as folder,
        patch.object(secrets, "randbelow", numbers.randrange),
        patch.object(secrets, "token_hex", lambda size: numbers.randbytes(size).hex()),
    ):
        settings = demo_settings(Path(folder), Simulator(), listen_port=1)
        url = settings.secrets.database_url
        upgrade(url)
        store = open_store(url, Keyring([bytes(KEY_BYTES)]), lambda: RECORDED_AT)
        try:
            return _record(store, settings, number)
        finally:
            store.close()


def _record(store: Store, settings: Settings, number: int) -> str:
    desk = Application(settings, store, parts=("telegram", "slack", "scheduler"))
    store.write(use_rulebooks, desk.rulebooks)
    buttons = Buttons(*settings.secrets.button_secrets())
    history = make_past(store, desk.texts, desk.rules, buttons, number, end=RECORDED_AT)
    _make_reports(store, settings)
    lines = [
        (line.chat, line.name, line.language, line.text, line.from_bot, format_time(line.at))
        for line in history.lines
    ]
    return snapshot_text(store.read(read_tables), lines, desk.rules)


def _make_reports(store: Store, settings: Settings) -> None:
    """The reports that a desk of this age has made, and its public figures (8.1, 8.2, 8.6)."""
    now = store.now()
    period = last_days(now, settings.organisation.timezone)
    for kind in ("analysis", "review"):
        build_report(kind, store, settings, period, now)
        store.write(record_instance_event, "report", {"report": kind, "format": "pdf"})
    store.write(record_instance_event, "publication", count_figures(store, settings, period, now))
