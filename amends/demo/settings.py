"""The demo's organisation: its people and its amends.toml with the simulator's addresses."""

import base64
import secrets
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amends.settings import Settings, load
from amends.settings.rulebook import hazard_countries
from amends.settings.settings_file import parse_settings
from complaints.hazards import table_hash
from complaints.vocabulary import Role
from simulator import Simulator
from store.values import Member

#: The simulator's staff with their roles. Slack reports them at the start; the demo's past needs them earlier.
PEOPLE: tuple[Member, ...] = (
    Member("U0000001", "Alice", (), frozenset({Role.HANDLER})),
    Member("U0000002", "Mona", (), frozenset({Role.MANAGER, Role.ON_CALL})),
    Member("U0000003", "Tuğba", (), frozenset({Role.TOP_MANAGEMENT})),
    Member("U0000004", "Audrey", (), frozenset({Role.AUDITOR})),
    Member("U0000005", "Burak", (), frozenset({Role.HANDLER})),
    # With her, a person is left to review what one manager decided and another person approved.
    Member("U0000006", "Selin", (), frozenset({Role.MANAGER})),
)
#: Their ids by the names that stories use.
STAFF: dict[str, str] = {member.name: member.id for member in PEOPLE}
CHANNELS = ("C0000001", "C0000002", "C0000003")

SETTINGS = Path(__file__).with_name("desk.toml").read_text(encoding="utf-8")
#: What people write in the demo and what they are called: by subject, then by language.
TEXTS: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))


def signed_settings(more: str) -> str:
    """The demo's amends.toml with further tables. Its hazards are signed for the demo only, by nobody who may."""
    text = f"{SETTINGS}\n{more}\n"
    signed = table_hash(hazard_countries(parse_settings(text, Path("amends.toml"), {})))
    today = datetime.now(UTC).date()
    return f'{text}[hazards]\nsigned_by = "the demo"\nsigned_on = {today}\nhash = "{signed}"\n'


def demo_settings(folder: Path, simulator: Simulator, *, listen_port: int, more: str = "") -> Settings:
    """Write amends.toml and .env into a folder, with the simulator's addresses and a new key, and load them.

    With them the command line can read the demo's record. `more` has further tables of a story.
    """
    file = folder / "amends.toml"
    file.write_text(signed_settings(more), encoding="utf-8")
    env = {
        "AMENDS_DATABASE_URL": f"sqlite:///{folder / 'amends.db'}",
        "AMENDS_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "AMENDS_TELEGRAM_TOKEN": simulator.bot_token,
        "AMENDS_TELEGRAM_API_URL": simulator.telegram_url,
        "AMENDS_SLACK_BOT_TOKEN": simulator.slack_bot_token,
        "AMENDS_SLACK_APP_TOKEN": simulator.slack_app_token,
        "AMENDS_SLACK_API_URL": simulator.slack_url,
        "AMENDS_LISTEN": f"127.0.0.1:{listen_port}",
        "AMENDS_LOG": "warning",
    }
    (folder / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in env.items()), encoding="utf-8"
    )
    return load(file, env)
