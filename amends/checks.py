"""A line of `amends check`.

Is the model in use whole, was the last candidate let in, and do people still confirm what it proposes?

Is everything there that a start needs? One finding a line, each with its remedy (`amends check`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from amends.init import SCOPES
from amends.keys import keyring
from amends.settings import Settings, SettingsError, cautions, rulebook, rulebooks
from amends.settings.rulebook import preset_named
from bots.http_body import is_loopback
from bots.texts.catalogue import TextsError
from bots.texts.loading import STAFF, load
from complaints.actors import staff
from complaints.deadlines.local_time import wall
from complaints.rulebook import Calendar, categories_of
from complaints.timestamps import parse_time
from complaints.vocabulary import Role
from reports.render_markdown import many
from store.custody.rotate_keys import list_stale_keys
from store.database.errors import StoreError
from store.database.migrate import schema_status
from store.models.erased import list_models_with_erased_words
from store.models.examples import count_assessed
from store.models.models import load_active_model, load_last_run, read_model_blob
from store.proof.instance_log import list_instance_events
from store.store import Store, open_store


@dataclass(frozen=True)
class CheckFinding:
    """One line: ok, warn or fail; what was looked at, what was found, what to do."""

    mark: str
    what: str
    found: str
    remedy: str = ""


_REMEDY = "Run `amends triage rollback`, or promote a file that is whole; until then an earlier one proposes."


def model_findings(
    store: Store, *, own: Sequence[str] = (), folder: Path | None = None
) -> Iterator[CheckFinding]:
    """What there is to say of the model; nothing is changed. `own` are categories whose examples lie in `folder`."""
    from triage.errors import UnreadableModel
    from triage.model.artefact import load  # scikit-learn takes a second to load, and only this needs it

    active = store.read(load_active_model)
    if active is None:
        yield CheckFinding("warn", "model", "none yet", "The first start trains one in the background.")
        return
    sha256, card, number = active
    if strange := [one for one in own if one not in card.get("classes", ())]:
        examples = f"Write examples in {folder}; the next training reads them."
        yield CheckFinding("warn", "model", f"has not learnt {', '.join(strange)}", examples)
    try:
        model = load(store.read(read_model_blob, number), sha256=sha256)
    except UnreadableModel as wrong:
        yield CheckFinding("fail", "model", f"{sha256[:12]} cannot be used: {wrong}", _REMEDY)
        return
    yield CheckFinding("ok", "model", f"in use, {sha256[:12]}")
    if number in store.read(list_models_with_erased_words):
        yield CheckFinding("warn", "model", "may hold words that were erased since", _FORGETS)
    if (without := model.facts.get("without_encoder")) is not None:
        yield CheckFinding("warn", "encoder", f"{without} The model answers by its words.", _WITHOUT)
    run = store.read(load_last_run)
    if run is not None and (run.made_anew or not run.passes):
        why = "; ".join(run.verdict.get("reasons", ()))
        stays = "is made anew without what was erased" if run.made_anew else "stays in use"
        yield CheckFinding(
            "warn",
            "last training",
            f"its model was not let in: {why}",
            f"The one before {stays}; see `amends triage history`. Look at the newest assessments.",
        )
    yield from _drift(store, card.get("accuracy"))


def _drift(store: Store, accuracy: float | None) -> Iterator[CheckFinding]:
    from triage.learning.drift import LOOKED_AT, drift_in

    for one in drift_in(store.read(count_assessed, LOOKED_AT), {"accuracy": accuracy}):
        yield CheckFinding("warn", "model drift", DRIFTS[one.code].format(**one.as_json()), _READ)


_FORGETS = "The next night puts one without them in use; if this stays, see `amends outbox list`."
_WITHOUT = "Install it with `make install EXTRA=embeddings`, or train anew without it."

#: What a warning means, for people at the command line.
DRIFTS = {
    "agreement": "people confirm {value:.0%} of the last {rows} proposals, the card says {bound:.0%}",
    "mix": "the last {rows} complaints are of other categories than before (index {value:.2f} > {bound:.2f})",
    "calibration": "over the last {rows} its probabilities are off by {value:.2f}, at most {bound:.2f} is usual",
}
_READ = "See docs/learning.md, Drift: look at what is confirmed, train anew, or go back."


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


async def check_installation(settings: Settings) -> list[CheckFinding]:
    """Look at everything; nothing is changed, nobody is written to."""
    findings = [CheckFinding("ok", "settings", f"read from {settings.file}"), *_cautions(settings)]
    findings += [*_secrets(settings), *_database(settings), *_texts(settings), *_people(settings)]
    findings += _categories(settings)
    findings += [one async for one in _telegram(settings)]
    findings += [one async for one in _slack(settings)]
    return findings


def _cautions(settings: Settings) -> Iterator[CheckFinding]:
    for caution in cautions(settings):
        yield CheckFinding("warn", "settings", caution)
    known = rulebooks(settings)
    rules = known.own
    for one in known:
        name = "calendar" if one is rules else f"calendar {one.country}"
        yield CheckFinding("ok", name, _days_off(one.calendar, datetime.now(UTC)))
    yield from _of_schemes(rules.preset for rules in known)
    if not rules.on_call.people:
        yield CheckFinding("warn", "on call", "nobody", "Danger reaches nobody at once: set [on_call].")
    elif not rules.on_call.always:
        yield CheckFinding(
            "warn", "on call", "not at all hours", "Outside them the bot says until when nobody reads."
        )
    else:
        yield CheckFinding("ok", "on call", f"{len(rules.on_call.people)} at all hours")


def _of_schemes(presets: Iterable[str]) -> Iterator[CheckFinding]:
    """What each scheme asks of people beside the handling: nothing here reports to a regulator by itself."""
    for name in dict.fromkeys(presets):
        for key in ("reports", "learning"):
            if said := preset_named(name).get("practice", {}).get(key):
                yield CheckFinding("ok", f"scheme {name}", f"{key}: {said}")


def _days_off(calendar: Calendar, now: datetime) -> str:
    """How many there are, and the next ones by name, so that a missing closure is seen."""
    today = wall(now, calendar.zone).date()
    coming = [day for day in sorted(calendar.holidays) if day >= today][:_NEXT]
    listed = "; ".join(f"{day} {calendar.holidays[day]}" for day in coming)
    return f"{many(len(calendar.holidays), 'day')} off, {calendar.zone}; next {listed or 'none'}"


def _secrets(settings: Settings) -> Iterator[CheckFinding]:
    try:
        settings.secrets.keys()
        yield CheckFinding("ok", "secret key", f"{len(settings.secrets.secret_key)} set")
    except SettingsError:
        yield CheckFinding(
            "fail", "secret key", "missing", "`amends init` makes one: AMENDS_SECRET_KEY in .env."
        )


def _database(settings: Settings) -> Iterator[CheckFinding]:
    url = settings.secrets.database_url
    try:
        found = schema_status(url)
    except StoreError as wrong:
        yield CheckFinding("fail", "database", str(wrong), "Check AMENDS_DATABASE_URL.")
        return
    if not found.serves:
        remedy = "Install the newer release." if found.is_newer else "Run `amends db upgrade`."
        stands = "without tables yet" if found.revision is None else "not at this release"
        yield CheckFinding("fail", "database", stands, remedy)
        return
    said = "of a newer release that this one can work beside" if found.is_newer else "at this release"
    yield CheckFinding("ok", "database", said)
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


def _backed_up(store: Store) -> CheckFinding:
    """When `amends db backup` last ran; what others copy by their own means cannot be seen from here."""
    made = store.read(list_instance_events, "backup", 1)
    how = (
        "Run `amends db backup FILE` daily (docs/operations.md), or see that your own copies can be restored."
    )
    if not made:
        return CheckFinding("warn", "backup", "none by `amends db backup` yet", how)
    age = store.now() - parse_time(made[0]["at"])
    found = f"last {made[0]['at']}, {many(age.days, 'day')} ago"
    return (
        CheckFinding("warn", "backup", found, how)
        if age > BACKUP_OLD
        else CheckFinding("ok", "backup", found)
    )


def _older_keys(store: Store, keys: int) -> Iterator[CheckFinding]:
    """A key that was replaced closes things until `rotate-key` has run."""
    if keys < 2:  # the newest and an older one
        return
    left = store.read(list_stale_keys)
    if left:
        yield CheckFinding(
            "warn", "older keys", f"close {many(left, 'thing')} still", "Run `amends db rotate-key`."
        )
    else:
        yield CheckFinding(
            "warn", "older keys", "close nothing any more", "Take them out of AMENDS_SECRET_KEY."
        )


def _texts(settings: Settings) -> Iterator[CheckFinding]:
    try:
        load(settings.languages, settings.texts_folder)
        load((settings.organisation.staff_language,), settings.texts_folder, domain=STAFF)
    except TextsError as wrong:
        yield CheckFinding("fail", "texts", str(wrong), f"Mend it in {settings.texts_folder}.")
        return
    yield CheckFinding("ok", "texts", ", ".join(settings.languages))


def _categories(settings: Settings) -> Iterator[CheckFinding]:
    """Own categories, and whether the example files give the model something to know them by."""
    # Loads what guesses languages, which other commands need not.
    from triage.learning.examples import ENOUGH, organisation_examples

    own = [one.key for one in settings.category]
    folder = settings.examples_folder
    found = organisation_examples(folder, categories_of(rulebook(settings)))
    for name, why in found.unreadable.items():
        yield CheckFinding("warn", "examples", f"{folder / name} is not read", why)
    for name, rows in found.refused.items():
        told = "; ".join(f"line {one.line}: {one.reason}" for one in rows[:_TOLD])
        yield CheckFinding("warn", "examples", f"not used of {folder / name}: {many(len(rows), 'row')}", told)
    few = found.few(own)
    if few:
        named = ", ".join(f"{key} {count}" for key, count in few.items())
        yield CheckFinding(
            "warn",
            "categories",
            f"too few examples of {named}",
            f"Write {ENOUGH} and more of each in {folder}.",
        )
    elif own:
        yield CheckFinding(
            "ok", "categories", f"{len(own)} of your own, {many(len(found.examples), 'example')}"
        )
    elif found.examples:
        yield CheckFinding("ok", "examples", f"{len(found.examples)} of your own")


def _people(settings: Settings) -> Iterator[CheckFinding]:
    """Enough different people for every level: whoever decided below cannot review (4.5)."""
    held: dict[str, set[Role]] = {}
    for role in (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT):
        for member in getattr(settings.roles, role.value):
            held.setdefault(member, set()).add(role)
    indirect = [member for member in held if member[0] in "CS"]
    for level, names in sorted(rulebook(settings).levels.items()):
        able = {member for member, roles in held.items() if staff(member, *roles).has(*map(Role, names))}
        if not able:
            yield CheckFinding(
                "fail", f"level {level}", "nobody", f"Give somebody a role of: {', '.join(names)}."
            )
        elif len(able) < level and not indirect:
            yield CheckFinding(
                "warn",
                f"level {level}",
                f"{len(able)} in all",
                "Whoever decided below cannot review: the outside will be offered at once.",
            )
        else:
            yield CheckFinding("ok", f"level {level}", f"{len(able)} named")


async def _telegram(settings: Settings) -> AsyncIterator[CheckFinding]:
    token, url = settings.secrets.telegram_token, settings.secrets.telegram_api_url.rstrip("/")
    if token is None:
        yield CheckFinding("fail", "Telegram", "no token", "Set AMENDS_TELEGRAM_TOKEN (from @BotFather).")
        return
    me = await _call(f"{url}/bot{token}/getMe")
    if isinstance(me, str):
        yield CheckFinding("fail", "Telegram", me, "Check the token and AMENDS_TELEGRAM_API_URL.")
        return
    yield CheckFinding("ok", "Telegram", f"@{_result(me).get('username', '?')}")
    hook = await _call(f"{url}/bot{token}/getWebhookInfo")
    if isinstance(hook, str):
        yield CheckFinding("warn", "Telegram webhook", hook)
        return
    told = _result(hook)
    address, wanted = told.get("url", ""), settings.secrets.telegram_webhook_url or ""
    if address and not wanted:
        yield CheckFinding(
            "warn",
            "Telegram webhook",
            "set, but long polling is configured",
            "The start removes it; if another program set it, the two conflict.",
        )
    elif told.get("last_error_message"):
        yield CheckFinding("warn", "Telegram webhook", told["last_error_message"], "See docs/operations.md.")
    else:
        yield CheckFinding("ok", "Telegram updates", "webhook" if wanted else "long polling")


async def _slack(settings: Settings) -> AsyncIterator[CheckFinding]:
    secrets = settings.secrets
    if secrets.slack_bot_token is None:
        yield CheckFinding("fail", "Slack", "no bot token", "Set AMENDS_SLACK_BOT_TOKEN (xoxb-…).")
        return
    if secrets.slack_app_token is None and secrets.slack_signing_secret is None:
        yield CheckFinding(
            "fail",
            "Slack",
            "neither app token nor signing secret",
            "Set AMENDS_SLACK_APP_TOKEN (Socket Mode) or AMENDS_SLACK_SIGNING_SECRET (HTTP).",
        )
    api = secrets.slack_api_url if secrets.slack_api_url.endswith("/") else secrets.slack_api_url + "/"
    headers = {"Authorization": f"Bearer {secrets.slack_bot_token}"}
    who = await _call(f"{api}auth.test", headers=headers)
    if isinstance(who, str):
        yield CheckFinding("fail", "Slack", who, "Check the token and AMENDS_SLACK_API_URL (ends in /api/).")
        return
    yield CheckFinding("ok", "Slack", f"{who.get('team', '?')}, as {who.get('user', '?')}")
    granted = {one.strip() for one in str(who.get("_scopes") or "").split(",") if one.strip()}
    missing = [one for one in NEEDED_SCOPES if granted and one not in granted]
    if missing:
        yield CheckFinding(
            "fail", "Slack scopes", f"missing {', '.join(missing)}", "Install the app again (manifest)."
        )
    for name in ("triage_channel", "restricted_channel", "executive_channel"):
        channel = getattr(settings.slack, name)
        found = await _call(f"{api}conversations.info", headers=headers, channel=channel)
        yield _channel(f"Slack {name}", channel, found)


def _channel(what: str, channel: str, found: dict[str, Any] | str) -> CheckFinding:
    """Is the app there? What cannot be looked up is no proof that it is not."""
    if isinstance(found, str):
        mark = "fail" if found in _NOT_THERE else "warn"
        return CheckFinding(mark, what, f"{channel}: {found}", "Invite the app: /invite @Amends.")
    if (found.get("channel") or {}).get("is_member") is False:
        return CheckFinding("fail", what, f"{channel}: not joined", "Invite the app: /invite @Amends.")
    return CheckFinding("ok", what, channel)


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
