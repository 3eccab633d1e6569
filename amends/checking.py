"""Is everything there that a start needs? One finding a line, each with its remedy (`amends check`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from amends.checking_model import model_findings
from amends.findings import Finding
from amends.keys import keyring
from amends.settings import Settings, SettingsError, cautions, rulebook, rulebooks
from amends.settings.rules import preset_named
from amends.slack_manifest import SCOPES
from bots.loopback import is_loopback
from bots.texts.catalogue import TextsError
from bots.texts.loading import STAFF, load
from complaints.categories import categories_of
from complaints.doing import instant
from complaints.localtime import wall
from complaints.people import staff
from complaints.rulebook import Calendar
from complaints.vocabulary import Role
from reports.many import many
from store.errors import StoreError
from store.migrating import standing_of
from store.open import Store, open_store

#: What Slack must let the app do (docs/slack.md); without metadata a post cannot be found again.
NEEDED_SCOPES = tuple(one for one in SCOPES if not one.startswith("usergroups"))


#: Older than this, a day's work and more would be lost.
BACKUP_OLD = timedelta(days=2)

#: So many days off to come are told.
_NEXT = 3

#: So many refused rows of an example file are told.
_TOLD = 5

#: Slack's words for a channel that a card cannot be posted to.
_NOT_THERE = frozenset({"channel_not_found", "not_in_channel", "is_archived", "missing_scope"})


async def check_installation(settings: Settings) -> list[Finding]:
    """Look at everything; nothing is changed, nobody is written to."""
    findings = [Finding("ok", "settings", f"read from {settings.file}"), *_cautions(settings)]
    findings += [*_secrets(settings), *_database(settings), *_texts(settings), *_people(settings)]
    findings += _categories(settings)
    findings += [one async for one in _telegram(settings)]
    findings += [one async for one in _slack(settings)]
    return findings


def _cautions(settings: Settings) -> Iterator[Finding]:
    for caution in cautions(settings):
        yield Finding("warn", "settings", caution)
    known = rulebooks(settings)
    rules = known.own
    for one in known:
        name = "calendar" if one is rules else f"calendar {one.country}"
        yield Finding("ok", name, _days_off(one.calendar, datetime.now(UTC)))
    yield from _of_schemes(rules.preset for rules in known)
    if not rules.on_call.people:
        yield Finding("warn", "on call", "nobody", "Danger reaches nobody at once: set [on_call].")
    elif not rules.on_call.always:
        yield Finding(
            "warn", "on call", "not at all hours", "Outside them the bot says until when nobody reads."
        )
    else:
        yield Finding("ok", "on call", f"{len(rules.on_call.people)} at all hours")


def _of_schemes(presets: Iterable[str]) -> Iterator[Finding]:
    """What each scheme asks of people beside the handling: nothing here reports to a regulator by itself."""
    for name in dict.fromkeys(presets):
        for key in ("reports", "learning"):
            if said := preset_named(name).get("practice", {}).get(key):
                yield Finding("ok", f"scheme {name}", f"{key}: {said}")


def _days_off(calendar: Calendar, now: datetime) -> str:
    """How many there are, and the next ones by name, so that a missing closure is seen."""
    today = wall(now, calendar.zone).date()
    coming = [day for day in sorted(calendar.holidays) if day >= today][:_NEXT]
    listed = "; ".join(f"{day} {calendar.holidays[day]}" for day in coming)
    return f"{many(len(calendar.holidays), 'day')} off, {calendar.zone}; next {listed or 'none'}"


def _secrets(settings: Settings) -> Iterator[Finding]:
    try:
        settings.secrets.keys()
        yield Finding("ok", "secret key", f"{len(settings.secrets.secret_key)} set")
    except SettingsError:
        yield Finding("fail", "secret key", "missing", "`amends init` makes one: AMENDS_SECRET_KEY in .env.")


def _database(settings: Settings) -> Iterator[Finding]:
    url = settings.secrets.database_url
    try:
        found = standing_of(url)
    except StoreError as wrong:
        yield Finding("fail", "database", str(wrong), "Check AMENDS_DATABASE_URL.")
        return
    if not found.serves:
        remedy = "Install the newer release." if found.is_newer else "Run `amends db upgrade`."
        stands = "without tables yet" if found.revision is None else "not at this release"
        yield Finding("fail", "database", stands, remedy)
        return
    said = "of a newer release that this one can work beside" if found.is_newer else "at this release"
    yield Finding("ok", "database", said)
    if not settings.secrets.secret_key:
        return
    store = open_store(url, keyring(settings))
    try:
        yield _backed_up(store)
        yield from _older_keys(store, len(settings.secrets.secret_key))
        yield from model_findings(
            store, own=[one.key for one in settings.category], folder=settings.examples_folder
        )
    finally:
        store.close()


def _backed_up(store: Store) -> Finding:
    """When `amends db backup` last ran; what others copy by their own means cannot be seen from here."""
    made = store.house_events("backup", 1)
    how = (
        "Run `amends db backup FILE` daily (docs/operations.md), or see that your own copies can be restored."
    )
    if not made:
        return Finding("warn", "backup", "none by `amends db backup` yet", how)
    age = store.now() - instant(made[0]["at"])
    found = f"last {made[0]['at']}, {many(age.days, 'day')} ago"
    return Finding("warn", "backup", found, how) if age > BACKUP_OLD else Finding("ok", "backup", found)


def _older_keys(store: Store, keys: int) -> Iterator[Finding]:
    """A key that was replaced closes things until `rotate-key` has run."""
    if keys < 2:  # the newest and an older one
        return
    left = store.stale_keys()
    if left:
        yield Finding(
            "warn", "older keys", f"close {many(left, 'thing')} still", "Run `amends db rotate-key`."
        )
    else:
        yield Finding("warn", "older keys", "close nothing any more", "Take them out of AMENDS_SECRET_KEY.")


def _texts(settings: Settings) -> Iterator[Finding]:
    try:
        load(settings.languages, settings.texts_folder)
        load((settings.organisation.staff_language,), settings.texts_folder, domain=STAFF)
    except TextsError as wrong:
        yield Finding("fail", "texts", str(wrong), f"Mend it in {settings.texts_folder}.")
        return
    yield Finding("ok", "texts", ", ".join(settings.languages))


def _categories(settings: Settings) -> Iterator[Finding]:
    """Own categories, and whether the example files give the model something to know them by."""
    # Loads what guesses languages, which other commands need not.
    from triage.own_examples import ENOUGH, organisation_examples

    own = [one.key for one in settings.category]
    folder = settings.examples_folder
    found = organisation_examples(folder, categories_of(rulebook(settings)))
    for name, why in found.unreadable.items():
        yield Finding("warn", "examples", f"{folder / name} is not read", why)
    for name, rows in found.refused.items():
        told = "; ".join(f"line {one.line}: {one.reason}" for one in rows[:_TOLD])
        yield Finding("warn", "examples", f"not used of {folder / name}: {many(len(rows), 'row')}", told)
    few = found.few(own)
    if few:
        named = ", ".join(f"{key} {count}" for key, count in few.items())
        yield Finding(
            "warn",
            "categories",
            f"too few examples of {named}",
            f"Write {ENOUGH} and more of each in {folder}.",
        )
    elif own:
        yield Finding("ok", "categories", f"{len(own)} of your own, {many(len(found.examples), 'example')}")
    elif found.examples:
        yield Finding("ok", "examples", f"{len(found.examples)} of your own")


def _people(settings: Settings) -> Iterator[Finding]:
    """Enough different people for every level: whoever decided below cannot review (4.5)."""
    held: dict[str, set[Role]] = {}
    for role in (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT):
        for member in getattr(settings.roles, role.value):
            held.setdefault(member, set()).add(role)
    indirect = [member for member in held if member[0] in "CS"]
    for level, names in sorted(rulebook(settings).levels.items()):
        able = {member for member, roles in held.items() if staff(member, *roles).has(*map(Role, names))}
        if not able:
            yield Finding("fail", f"level {level}", "nobody", f"Give somebody a role of: {', '.join(names)}.")
        elif len(able) < level and not indirect:
            yield Finding(
                "warn",
                f"level {level}",
                f"{len(able)} in all",
                "Whoever decided below cannot review: the outside will be offered at once.",
            )
        else:
            yield Finding("ok", f"level {level}", f"{len(able)} named")


async def _telegram(settings: Settings) -> AsyncIterator[Finding]:
    token, url = settings.secrets.telegram_token, settings.secrets.telegram_api_url.rstrip("/")
    if token is None:
        yield Finding("fail", "Telegram", "no token", "Set AMENDS_TELEGRAM_TOKEN (from @BotFather).")
        return
    me = await _call(f"{url}/bot{token}/getMe")
    if isinstance(me, str):
        yield Finding("fail", "Telegram", me, "Check the token and AMENDS_TELEGRAM_API_URL.")
        return
    yield Finding("ok", "Telegram", f"@{_result(me).get('username', '?')}")
    hook = await _call(f"{url}/bot{token}/getWebhookInfo")
    if isinstance(hook, str):
        yield Finding("warn", "Telegram webhook", hook)
        return
    told = _result(hook)
    address, wanted = told.get("url", ""), settings.secrets.telegram_webhook_url or ""
    if address and not wanted:
        yield Finding(
            "warn",
            "Telegram webhook",
            "set, but long polling is configured",
            "The start removes it; if another program set it, the two conflict.",
        )
    elif told.get("last_error_message"):
        yield Finding("warn", "Telegram webhook", told["last_error_message"], "See docs/operations.md.")
    else:
        yield Finding("ok", "Telegram updates", "webhook" if wanted else "long polling")


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    secrets = settings.secrets
    if secrets.slack_bot_token is None:
        yield Finding("fail", "Slack", "no bot token", "Set AMENDS_SLACK_BOT_TOKEN (xoxb-…).")
        return
    if secrets.slack_app_token is None and secrets.slack_signing_secret is None:
        yield Finding(
            "fail",
            "Slack",
            "neither app token nor signing secret",
            "Set AMENDS_SLACK_APP_TOKEN (Socket Mode) or AMENDS_SLACK_SIGNING_SECRET (HTTP).",
        )
    api = secrets.slack_api_url if secrets.slack_api_url.endswith("/") else secrets.slack_api_url + "/"
    headers = {"Authorization": f"Bearer {secrets.slack_bot_token}"}
    who = await _call(f"{api}auth.test", headers=headers)
    if isinstance(who, str):
        yield Finding("fail", "Slack", who, "Check the token and AMENDS_SLACK_API_URL (ends in /api/).")
        return
    yield Finding("ok", "Slack", f"{who.get('team', '?')}, as {who.get('user', '?')}")
    granted = {one.strip() for one in str(who.get("_scopes") or "").split(",") if one.strip()}
    missing = [one for one in NEEDED_SCOPES if granted and one not in granted]
    if missing:
        yield Finding(
            "fail", "Slack scopes", f"missing {', '.join(missing)}", "Install the app again (manifest)."
        )
    for name in ("triage_channel", "restricted_channel", "executive_channel"):
        channel = getattr(settings.slack, name)
        found = await _call(f"{api}conversations.info", headers=headers, channel=channel)
        yield _channel(f"Slack {name}", channel, found)


def _channel(what: str, channel: str, found: dict[str, Any] | str) -> Finding:
    """Is the app there? What cannot be looked up is no proof that it is not."""
    if isinstance(found, str):
        mark = "fail" if found in _NOT_THERE else "warn"
        return Finding(mark, what, f"{channel}: {found}", "Invite the app: /invite @Amends.")
    if (found.get("channel") or {}).get("is_member") is False:
        return Finding("fail", what, f"{channel}: not joined", "Invite the app: /invite @Amends.")
    return Finding("ok", what, channel)


async def _call(url: str, *, headers: dict[str, str] | None = None, **form: str) -> dict[str, Any] | str:
    """The platform's answer, or in words why there is none; never the address, for it holds the token."""
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=not is_loopback(url)) as client:
            answer = await client.post(url, data=form, headers=headers)
        said = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        return f"no answer ({type(wrong).__name__})"
    except ValueError:
        return f"no JSON in the answer (HTTP {answer.status_code})"
    if not isinstance(said, dict) or not said.get("ok"):
        reason = said.get("description") or said.get("error") if isinstance(said, dict) else None
        return str(reason or f"HTTP {answer.status_code}")
    return {**said, "_scopes": answer.headers.get("x-oauth-scopes")}


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    found = answer.get("result")
    return found if isinstance(found, dict) else {}
