"""Checks an installation before a start: one finding per subject, each with its remedy (`amends check`)."""

import os
import shlex
import shutil
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from amends.init import SCOPES
from amends.runtime.programs import file_scanner, translator_from
from amends.settings import Settings, SettingsError, cautions, rulebook, rulebooks
from amends.settings.presets import ANNOUNCED_DAYS, coming_changes, preset_named
from bots.loopback import is_loopback
from bots.texts.loading import STAFF, TextsError, load_catalogues
from complaints.actors import MANAGERS, staff
from complaints.rulebook import Calendar, Rulebooks, categories_of
from complaints.times import local_time, parse_time
from complaints.vocabulary import Category, Role
from reports.render_markdown import pluralise
from store.custody.key_check import require_keys
from store.custody.rotate_keys import list_stale_keys
from store.database.engine import database_url
from store.database.errors import SealBroken, StoreError
from store.database.keyring import Keyring
from store.database.migrate import schema_status
from store.database.roles import may_change_events
from store.models.erased import list_models_with_erased_words
from store.models.examples import list_assessed_proposals
from store.models.models import load_active_model, load_last_run, read_model_blob
from store.proof.hash_chain import list_instance_events
from store.store import Store, open_store

#: What Slack must let the app do (docs/slack.md). Without metadata a posted message cannot be found again.
NEEDED_SCOPES = tuple(scope for scope in SCOPES if not scope.startswith("usergroups"))
#: If the last backup is older than this, more than a day's work could be lost.
BACKUP_MAX_AGE = timedelta(days=2)
#: Number of coming days off that are shown.
_DAYS_SHOWN = 3
#: Number of refused rows of an example file that are shown.
_ROWS_SHOWN = 5
#: Slack's error codes for a channel to which the app cannot post a card.
_CHANNEL_ERRORS = frozenset({"channel_not_found", "not_in_channel", "is_archived", "missing_scope"})

#: What a drift warning means, for people at the command line.
DRIFT_TEXTS = {
    "agreement": "people confirm {value:.0%} of the last {rows} proposals, the card says {bound:.0%}",
    "mix": "the last {rows} complaints are of other categories than before (index {value:.2f} > {bound:.2f})",
    "calibration": "over the last {rows} its probabilities are off by {value:.2f}, at most {bound:.2f} is usual",
}
#: The EICAR test file, in parts, so that no scanner objects to this one.
_SCANNER_TEST = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"
_BAD_MODEL = "Run `amends triage rollback`, or promote an intact file; until then an earlier one proposes."
_ERASED_WORDS = "The next night replaces it by one without them; if this stays, see `amends outbox list`."
_LAW_LIST = "`amends law list` has its source."
_NO_ENCODER = "Install it with `make install EXTRA=embeddings`, or train again without it."
_DRIFT = "See docs/learning.md, Drift: look at what people confirm, train again, or go back."


@dataclass(frozen=True)
class CheckFinding:
    mark: str
    subject: str
    result: str
    remedy: str = ""


_ok, _warn, _fail = (partial(CheckFinding, mark) for mark in ("ok", "warn", "fail"))


async def check_installation(settings: Settings) -> list[CheckFinding]:
    """Check everything that a start needs. Nothing is changed, and no message is sent."""
    findings = [_ok("settings", f"read from {settings.file}"), *_settings(settings)]
    findings += [*_secret_keys(settings), *_database(settings), *_texts(settings), *_levels(settings)]
    findings += _categories(settings)
    findings += await _scanner(settings)
    findings += _speech(settings)
    findings += await _translator(settings)
    findings += [finding async for finding in _telegram(settings)]
    findings += [finding async for finding in _slack(settings)]
    return findings


def _settings(settings: Settings) -> Iterator[CheckFinding]:
    for caution in cautions(settings):
        yield _warn("settings", caution)
    all_rules = rulebooks(settings)
    own = all_rules.own
    for rules in all_rules:
        subject = "calendar" if rules is own else f"calendar {rules.country}"
        yield _ok(subject, _days_off(rules.calendar, datetime.now(UTC)))
    today = datetime.now(UTC).date()
    yield from scheme_findings(settings, {rules.preset for rules in all_rules}, today)
    yield from _authority(settings, all_rules)
    if not own.on_call.people:
        yield _warn("on call", "no one", "In danger no person is alerted at once: set [on_call].")
    elif not own.on_call.always:
        yield _warn(
            "on call", "not at all hours", "At other times the bot says when a person will read the message."
        )
    else:
        yield _ok("on call", f"{len(own.on_call.people)} at all hours")


def _authority(settings: Settings, all_rules: Rulebooks) -> Iterator[CheckFinding]:
    """What each role may grant alone, and whether these are the defaults."""
    for rules in all_rules:
        subject = "authority" if rules is all_rules.own else f"authority {rules.country}"
        limits = ", ".join(
            f"{role} {limit.amount / 100:g} {limit.currency}" for role, limit in rules.authority.items()
        )
        jurisdiction = settings.jurisdiction.get(rules.country)
        if settings.authority or (jurisdiction is not None and jurisdiction.authority):
            yield _ok(subject, limits)
        else:
            remedy = "Set [authority] if your roles may grant other sums; top management has no limit."
            yield _warn(subject, f"not set, so the defaults: {limits}", remedy)


def scheme_findings(settings: Settings, presets: Iterable[str], today: date) -> Iterator[CheckFinding]:
    """What each scheme asks of people apart from handling complaints, and what its law changes soon.

    The product sends nothing to a regulator.
    """
    categories = {*Category, *(category.key for category in settings.category)}
    for name in sorted(presets):
        subject, preset = f"scheme {name}", preset_named(name)
        rules = preset.on(today)
        for key in ("reports", "learning"):
            if practice := rules.get(f"practice.{key}"):
                yield _ok(subject, f"{key}: {practice}")
        for publication in rules.group("publish").values():
            yield _ok(subject, f"publish: {publication['what']}, by {publication['by']}")
        for change in coming_changes(preset, today):
            for_people = change.name.startswith(("publish.", "practice."))
            remedy = (
                "" if for_people else "It applies to complaints received from then on, without a restart. "
            )
            yield _warn(subject, f"the law changes: {change}", remedy + _LAW_LIST)
        soon = preset.on(today + timedelta(days=ANNOUNCED_DAYS)).group("clock")
        for clock, value in (rules.group("clock") | soon).items():
            unknown = sorted(set(value.get("about", ())) - categories)
            if unknown and len(unknown) == len(value["about"]):
                remedy = f'Add [[category]] with key = "{unknown[0]}", so that staff can choose it.'
                yield _warn(
                    subject, f"clock.{clock} ({value['within']}) is for no category that you have", remedy
                )


def _days_off(calendar: Calendar, now: datetime) -> str:
    """The number of days off, and the next ones by name, so that a missing closure is noticed."""
    today = local_time(now, calendar.zone).date()
    coming = [day for day in sorted(calendar.holidays) if day >= today][:_DAYS_SHOWN]
    names = "; ".join(f"{day} {calendar.holidays[day]}" for day in coming)
    return f"{pluralise(len(calendar.holidays), 'day')} off, {calendar.zone}; next {names or 'none'}"


def _secret_keys(settings: Settings) -> Iterator[CheckFinding]:
    try:
        settings.secrets.keys()
        yield _ok("secret key", f"{len(settings.secrets.secret_key)} set")
    except SettingsError:
        yield _fail("secret key", "missing", "`amends init` makes one: AMENDS_SECRET_KEY in .env.")
    if settings.secrets.signing_key is None:
        remedy = (
            "Set AMENDS_SIGNING_KEY to what `openssl rand -base64 32` prints, best in a place of its own."
        )
        yield _warn("signing key", "missing", remedy)
    yield _places_of_checkpoints(settings)


def _places_of_checkpoints(settings: Settings) -> CheckFinding:
    """Whether checkpoints leave this machine: without that, its administrator can rewrite the record unnoticed."""
    proof, folder = settings.proof, settings.file.absolute().parent
    remedy = "Name a witness, a Slack channel, a command or a file on another machine in [proof]."
    places = [f"witness {witness.name}" for witness in proof.witnesses]
    places += [name for name in ("slack_channel", "file", "command") if getattr(proof, name)]
    if not places:
        return _warn("checkpoints", "sent to no place outside of the database", remedy)
    if places == ["file"]:
        existing = next(parent for parent in (folder / str(proof.file)).parents if parent.exists())
        if existing.stat().st_dev == folder.stat().st_dev:
            return _warn("checkpoints", f"only into a file on the disk of {settings.file.name}", remedy)
    return _ok("checkpoints", f"every {pluralise(proof.every_minutes, 'minute')}: {', '.join(places)}")


def _database(settings: Settings) -> Iterator[CheckFinding]:
    url = settings.secrets.database_url
    try:
        schema = schema_status(url)
    except StoreError as wrong:
        yield _fail("database", str(wrong), "Check AMENDS_DATABASE_URL.")
        return
    file = Path(database_url(url).database or "") if url.startswith("sqlite") else None
    if schema.revision is None and (file is None or os.access(file.absolute().parent, os.W_OK)):
        yield _ok("database", "empty; the first `amends run` makes its tables")
        return
    if not schema.serves:
        remedy = "Install the newer release." if schema.is_newer else "Run `amends db upgrade`."
        if schema.revision is None:
            status, remedy = f"{file} cannot be made", "Make its folder, and let this account write there."
        else:
            status = "tables of another release"
        yield _fail("database", status, remedy)
        return
    status = "tables of a newer release, which this one can use" if schema.is_newer else "at this release"
    yield _ok("database", status)
    yield from _readable_by_others(settings, file)
    if not settings.secrets.secret_key:
        return
    store = open_store(url, Keyring(settings.secrets.keys()))
    try:
        try:
            store.read(require_keys)
        except SealBroken as wrong:
            yield _fail("secret key", "is not the one of this database", str(wrong))
            return
        if store.read(may_change_events):
            remedy = (
                "Run the desk with a role of its own: `amends db upgrade --roles ROLE` (docs/operations.md)."
            )
            yield _warn("database role", "may change and delete events", remedy)
        yield _last_backup(store)
        yield from _older_keys(store, len(settings.secrets.secret_key))
        own = [category.key for category in settings.category]
        yield from model_findings(store, own=own, folder=settings.examples_folder)
    finally:
        store.close()


def _readable_by_others(settings: Settings, database: Path | None) -> Iterator[CheckFinding]:
    """Files that other accounts may read: those of an earlier release had the mode that the system gives."""
    folder = settings.file.parent
    files = [folder / ".env", *folder.glob("erasures.jsonl")]
    if database is not None:
        files += [database, *database.parent.glob(f"{database.name}-*")]
    if readable := [str(file) for file in files if file.is_file() and file.stat().st_mode & 0o077]:
        yield _warn(
            "file modes", "other accounts may read it", f"Run: {shlex.join(['chmod', '600', *readable])}."
        )


def _last_backup(store: Store) -> CheckFinding:
    """When `amends db backup` last ran. Copies that are made in other ways cannot be seen from here."""
    events = store.read(list_instance_events, "backup", 1)
    remedy = "Run `amends db backup FILE` daily (docs/operations.md), or check that your own copies can be restored."
    if not events:
        return _warn("backup", "none by `amends db backup` yet", remedy)
    age = store.now() - parse_time(events[0]["at"])
    last = f"last {events[0]['at']}, {pluralise(age.days, 'day')} ago"
    if age > BACKUP_MAX_AGE:
        return _warn("backup", last, remedy)
    return _ok("backup", last)


def _older_keys(store: Store, key_count: int) -> Iterator[CheckFinding]:
    """An older key is needed until `amends db rotate-key` has encrypted everything with the newest."""
    if key_count < 2:
        return
    stale = store.read(list_stale_keys)
    if stale:
        yield _warn("older keys", f"still encrypt {pluralise(stale, 'thing')}", "Run `amends db rotate-key`.")
    else:
        yield _warn("older keys", "no longer encrypt anything", "Remove them from AMENDS_SECRET_KEY.")


def model_findings(
    store: Store, *, own: Sequence[str] = (), folder: Path | None = None
) -> Iterator[CheckFinding]:
    """The condition of the active triage model, its last training, and whether people still confirm its proposals.

    `own` are the organisation's own categories, whose examples are in `folder`. Nothing is changed.
    """
    # Imported here because scikit-learn takes a second to load, and only this function needs it.
    from triage.errors import UnreadableModel
    from triage.model.artefact import load

    active = store.read(load_active_model)
    if active is None:
        yield _warn("model", "none yet", "The first start trains one in the background.")
        return
    sha256, card, number = active
    if unknown := [category for category in own if category not in card.get("classes", ())]:
        remedy = f"Write examples in {folder}; the next training reads them."
        yield _warn("model", f"has not learnt {', '.join(unknown)}", remedy)
    try:
        model = load(store.read(read_model_blob, number), sha256=sha256)
    except UnreadableModel as wrong:
        yield _fail("model", f"{sha256[:12]} cannot be used: {wrong}", _BAD_MODEL)
        return
    yield _ok("model", f"in use, {sha256[:12]}")
    if number in store.read(list_models_with_erased_words):
        yield _warn("model", "may hold words that were erased since", _ERASED_WORDS)
    if (problem := model.facts.get("without_encoder")) is not None:
        yield _warn("encoder", f"{problem} The model answers by its words.", _NO_ENCODER)
    run = store.read(load_last_run)
    if run is not None and (run.made_anew or not run.passes):
        reasons = "; ".join(run.verdict.get("reasons", ()))
        outcome = "is trained again without what was erased" if run.made_anew else "stays in use"
        yield _warn(
            "last training",
            f"its model did not pass the quality gate: {reasons}",
            f"The one before {outcome}; see `amends triage history`. Look at the newest assessments.",
        )
    yield from _drift(store, card.get("accuracy"))


def _drift(store: Store, accuracy: float | None) -> Iterator[CheckFinding]:
    from triage.learning.drift import ASSESSMENTS_READ, find_drift_in_record

    for drift in find_drift_in_record(
        store.read(list_assessed_proposals, ASSESSMENTS_READ), {"accuracy": accuracy}
    ):
        yield _warn("model drift", DRIFT_TEXTS[drift.code].format(**drift.as_json()), _DRIFT)


def _texts(settings: Settings) -> Iterator[CheckFinding]:
    try:
        load_catalogues(settings.languages, settings.texts_folder)
        load_catalogues((settings.organisation.staff_language,), settings.texts_folder, domain=STAFF)
    except TextsError as wrong:
        yield _fail("texts", str(wrong), f"Correct it in {settings.texts_folder}.")
        return
    yield _ok("texts", ", ".join(settings.languages))


def _levels(settings: Settings) -> Iterator[CheckFinding]:
    """Each level needs enough different people, because those who decided below cannot review (4.5)."""
    roles_of: dict[str, set[Role]] = {}
    for role in (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT):
        for member in getattr(settings.roles, role.value):
            roles_of.setdefault(member, set()).add(role)
    groups = [member for member in roles_of if member[0] in "CS"]
    rules = rulebook(settings)
    for level, names in sorted(rules.levels.items()):
        able = {member for member, roles in roles_of.items() if staff(member, *roles).has(*map(Role, names))}
        if not able:
            yield _fail(f"level {level}", "no one", f"Give someone one of these roles: {', '.join(names)}.")
        elif (gap := None if groups else review_gap(roles_of, rules.levels, level)) is not None:
            yield _warn(
                f"level {level}",
                f"{len(able)} in all, and nobody to review {gap}",
                "Name another person for this level. Until then the outside bodies are offered at once.",
            )
        else:
            yield _ok(f"level {level}", f"{len(able)} named")


def review_gap(
    roles_of: Mapping[str, Collection[Role]], levels: Mapping[int, Sequence[str]], level: int
) -> str | None:
    """The decision after which no reviewer is left at `level`, because its decider and approver count as involved.

    A second person approves at severity 4 or more, where there is danger, and above the limit. None if there is
    always one left.
    """

    def able(at_level: int) -> set[str]:
        return {member for member, roles in roles_of.items() if set(levels[at_level]) & set(roles)}

    if len(able(level)) > 2 * (level - 1):
        return None  # Each level below involves two people at most.
    approvers = {member for member, roles in roles_of.items() if MANAGERS & set(roles)}
    # The people who may have decided and approved below.
    involved: set[frozenset[str]] = {frozenset()}
    for below in range(1, level):
        reviewers = able(below + 1)
        deciders = [(person, people) for people in involved for person in able(below) - people]
        pairs = [
            (person, other, people) for person, people in deciders for other in approvers - people - {person}
        ]
        for person, people in deciders:
            if below + 1 == level and not reviewers - people - {person}:
                return f"a decision by {person}"
        for person, other, people in pairs:
            if below + 1 == level and not reviewers - people - {person, other}:
                return (
                    f"a decision by {person} that {other} approves (severity 4, danger, or above the limit)"
                )
        # Only people who review later matter, which keeps the number of combinations small.
        later = set().union(*(able(number) for number in levels if number > below))
        involved = {frozenset((people | {person}) & later) for person, people in deciders}
        involved |= {frozenset((people | {person, other}) & later) for person, other, people in pairs}
    return None


def _categories(settings: Settings) -> Iterator[CheckFinding]:
    """The organisation's own categories, and whether the model has enough examples of each."""
    # Imported here because it loads the language detector, which other commands do not need.
    from triage.learning.examples import ENOUGH_EXAMPLES, organisation_examples

    own = [category.key for category in settings.category]
    folder = settings.examples_folder
    files = organisation_examples(folder, categories_of(rulebook(settings)))
    for name, reason in files.unreadable.items():
        yield _warn("examples", f"{folder / name} is not read", reason)
    for name, rows in files.refused.items():
        reasons = "; ".join(f"line {row.line}: {row.reason}" for row in rows[:_ROWS_SHOWN])
        yield _warn("examples", f"not used of {folder / name}: {pluralise(len(rows), 'row')}", reasons)
    few = files.few(own)
    if few:
        counts = ", ".join(f"{key} {count}" for key, count in few.items())
        yield _warn(
            "categories",
            f"too few examples of {counts}",
            f"Write {ENOUGH_EXAMPLES} or more of each in {folder}.",
        )
    elif own:
        yield _ok("categories", f"{len(own)} of your own, {pluralise(len(files.examples), 'example')}")
    elif files.examples:
        yield _ok("examples", f"{len(files.examples)} of your own")


def _speech(settings: Settings) -> list[CheckFinding]:
    """The command that writes down recordings is there."""
    command = settings.speech.command
    if not command:
        return []
    if shutil.which(command[0]):
        return [_ok("speech", command[0])]
    return [_warn("speech", f"{command[0]}: no such program", "Correct [speech] command in amends.toml.")]


async def _translator(settings: Settings) -> list[CheckFinding]:
    """The translator translates a harmless word."""
    if (translator := translator_from(settings)) is None:
        return []
    source, word = ("de", "Guten Tag") if translator.target != "de" else ("en", "Good morning")
    where = settings.translator.url or settings.translator.command[0]
    if await translator.translate(word, source, translator.target):
        return [_ok("translator", f"{where}, {source} to {translator.target}")]
    remedy = "Correct [translator] in amends.toml: staff see the words untranslated."
    return [_warn("translator", f"{where}: no translation from {source} to {translator.target}", remedy)]


async def _scanner(settings: Settings) -> list[CheckFinding]:
    """The virus scanner passes a harmless file and refuses the test file that all scanners know."""
    if (scan := file_scanner(settings.files.scanner)) is None:
        return []
    verdicts = await scan(b"harmless"), await scan(_SCANNER_TEST)
    if verdicts == (True, False):
        return [_ok("scanner", settings.files.scanner)]
    remedy = "Correct [files] scanner in amends.toml: files are kept, but handed on only after a scan."
    if None in verdicts:
        return [_warn("scanner", f"{settings.files.scanner}: no verdict", remedy)]
    return [
        _warn(
            "scanner", f"{settings.files.scanner}: passes the EICAR test file, or refuses a clean one", remedy
        )
    ]


async def _telegram(settings: Settings) -> AsyncIterator[CheckFinding]:
    token, url = settings.secrets.telegram_token, settings.secrets.telegram_api_url.rstrip("/")
    if token is None:
        yield _fail("Telegram", "no token", "Set AMENDS_TELEGRAM_TOKEN (from @BotFather).")
        return
    bot = await _call(f"{url}/bot{token}/getMe")
    if isinstance(bot, str):
        yield _fail("Telegram", bot, "Check the token and AMENDS_TELEGRAM_API_URL.")
        return
    yield _ok("Telegram", f"@{_result(bot).get('username', '?')}")
    if _result(bot).get("has_topics_enabled"):
        yield _warn(
            "Telegram topics",
            "Threaded Mode is on: answers go into the topic in which a person wrote last",
            "Switch it off in @BotFather unless you need it: one chat without topics is easier to follow.",
        )
    hook = await _call(f"{url}/bot{token}/getWebhookInfo")
    if isinstance(hook, str):
        yield _warn("Telegram webhook", hook)
        return
    webhook = _result(hook)
    address, configured = webhook.get("url", ""), settings.secrets.telegram_webhook_url or ""
    if address and not configured:
        yield _warn(
            "Telegram webhook",
            "set, but long polling is configured",
            "The start removes it; if another program set it, the two conflict.",
        )
    elif webhook.get("last_error_message"):
        yield _warn("Telegram webhook", webhook["last_error_message"], "See docs/operations.md.")
    else:
        yield _ok("Telegram updates", "webhook" if configured else "long polling")


async def _slack(settings: Settings) -> AsyncIterator[CheckFinding]:
    secrets = settings.secrets
    if secrets.slack_bot_token is None:
        yield _fail("Slack", "no bot token", "Set AMENDS_SLACK_BOT_TOKEN (xoxb-…).")
        return
    if secrets.slack_app_token is None and secrets.slack_signing_secret is None:
        yield _fail(
            "Slack",
            "neither app token nor signing secret",
            "Set AMENDS_SLACK_APP_TOKEN (Socket Mode) or AMENDS_SLACK_SIGNING_SECRET (HTTP).",
        )
    api = secrets.slack_api_url if secrets.slack_api_url.endswith("/") else secrets.slack_api_url + "/"
    headers = {"Authorization": f"Bearer {secrets.slack_bot_token}"}
    identity = await _call(f"{api}auth.test", headers=headers)
    if isinstance(identity, str):
        remedy = "Check the token and AMENDS_SLACK_API_URL (ends in /api/)."
        yield _fail("Slack", identity, remedy)
        return
    yield _ok("Slack", f"{identity.get('team', '?')}, as {identity.get('user', '?')}")
    granted = {scope.strip() for scope in str(identity.get("_scopes") or "").split(",") if scope.strip()}
    missing = [scope for scope in NEEDED_SCOPES if granted and scope not in granted]
    if missing:
        yield _fail("Slack scopes", f"missing {', '.join(missing)}", "Install the app again (manifest).")
    channels = settings.slack.model_dump()
    if settings.proof.slack_channel is not None:
        channels["proof.slack_channel"] = settings.proof.slack_channel
    for name, channel in channels.items():
        answer = await _call(f"{api}conversations.info", headers=headers, channel=channel)
        yield _channel(f"Slack {name}", channel, answer)


def _channel(subject: str, channel: str, answer: dict[str, Any] | str) -> CheckFinding:
    """Whether the app is a member of the channel; only a warning if Slack cannot say so."""
    if isinstance(answer, str):
        mark = "fail" if answer in _CHANNEL_ERRORS else "warn"
        return CheckFinding(mark, subject, f"{channel}: {answer}", "Invite the app: /invite @Amends.")
    if (answer.get("channel") or {}).get("is_member") is False:
        return _fail(subject, f"{channel}: not joined", "Invite the app: /invite @Amends.")
    return _ok(subject, channel)


async def _call(url: str, *, headers: dict[str, str] | None = None, **form: str) -> dict[str, Any] | str:
    """The platform's answer, or why there is none. The reason never contains the address, which holds the token."""
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=not is_loopback(url)) as client:
            response = await client.post(url, data=form, headers=headers)
        answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        return f"no answer ({type(wrong).__name__})"
    except ValueError:
        return f"no JSON in the answer (HTTP {response.status_code})"
    if not isinstance(answer, dict) or not answer.get("ok"):
        reason = answer.get("description") or answer.get("error") if isinstance(answer, dict) else None
        return str(reason or f"HTTP {response.status_code}")
    return {**answer, "_scopes": response.headers.get("x-oauth-scopes")}


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    result = answer.get("result")
    return result if isinstance(result, dict) else {}
