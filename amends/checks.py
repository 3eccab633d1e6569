"""Checks an installation before a start: one finding per subject, each with its remedy (`amends check`)."""

import os
import shlex
import shutil
import tomllib
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from amends.init import SCOPES
from amends.reports.report_kinds import KINDS
from amends.runtime.alerts import TEST_ALERT, send_alert
from amends.runtime.programs import file_scanner, translator_from
from amends.settings import Settings, SettingsError, cautions, rulebook, rulebooks
from amends.settings.presets import ANNOUNCED_DAYS, coming_changes, preset_named
from bots.loopback import is_loopback
from bots.texts.catalogues import REPORTS, STAFF, TextsError, load_catalogues
from complaints.actors import MANAGERS, staff
from complaints.rulebook import Calendar, Rulebook, Rulebooks, categories_of
from complaints.times import local_time, parse_time
from complaints.vocabulary import Category, Role
from reports.words import pluralise
from store.custody.secret_keys import list_stale_keys, require_keys
from store.database.engine import database_url
from store.database.errors import SealBroken, StoreError
from store.database.keyring import Keyring
from store.database.migrate import require_known, schema_status
from store.database.schema import may_change_events
from store.models.erased import list_models_with_erased_words
from store.models.models import load_active_model, load_last_run, read_model_blob
from store.models.training_examples import list_assessed_proposals
from store.proof.hash_chain import list_instance_events
from store.slack_posts import list_unreached
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
_FINDINGS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("checks.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class CheckFinding:
    mark: str
    subject: str
    result: str
    remedy: str = ""


def _found(kind: str, **values: object) -> CheckFinding:
    """The finding of this kind in checks.toml, with the values filled in."""
    return CheckFinding(**{part: text.format(**values) for part, text in _FINDINGS[kind].items()})


async def check_installation(settings: Settings, *, page: bool = False) -> list[CheckFinding]:
    """Check everything that a start needs. Nothing is changed; only `page` sends messages, marked as a test."""
    findings = [_found("settings_read", file=settings.file), *_settings(settings)]
    findings += [*_secret_keys(settings), *_database(settings), *_texts(settings), *_levels(settings)]
    findings += [*_categories(settings), *_reports(settings)]
    findings += await _scanner(settings)
    findings += _speech(settings)
    findings += await _translator(settings)
    findings += [finding async for finding in _telegram(settings)]
    findings += [finding async for finding in _slack(settings)]
    if page:
        findings += [finding async for finding in _pages(settings)]
    return findings


def _settings(settings: Settings) -> Iterator[CheckFinding]:
    for caution in cautions(settings):
        yield _found("caution", caution=caution)
    all_rules = rulebooks(settings)
    own = all_rules.own
    for rules in all_rules:
        subject = "calendar" if rules is own else f"calendar {rules.country}"
        yield _found("calendar", calendar=subject, days=_days_off(rules.calendar, datetime.now(UTC)))
    today = datetime.now(UTC).date()
    yield from scheme_findings(settings, {rules.preset for rules in all_rules}, today)
    yield from _authority(settings, all_rules)
    yield _hazards(settings, own)
    if not own.on_call.people:
        yield _found("on_call_nobody")
    elif not own.on_call.always:
        yield _found("on_call_at_times")
    else:
        yield _found("on_call", people=len(own.on_call.people))
    command = settings.on_call.command
    if not command and not settings.on_call.url:
        yield _found("on_call_silent")
    if command and not shutil.which(command[0]):
        yield _found("on_call_program_missing", program=command[0])


def _hazards(settings: Settings, own: Rulebook) -> CheckFinding:
    """Whether a safety officer answers for the sentences that the bot adds to the number in a danger."""
    signed, until = settings.hazards, own.hazards_signed_until
    if not signed.signed_by:
        return _found("hazards_unsigned")
    if not until:
        return _found("hazards_changed", who=signed.signed_by)
    kind = "hazards_signed" if until >= datetime.now(UTC).date().isoformat() else "hazards_expired"
    return _found(kind, who=signed.signed_by, until=until)


def _authority(settings: Settings, all_rules: Rulebooks) -> Iterator[CheckFinding]:
    """What each role may grant alone, and whether these are the defaults."""
    for rules in all_rules:
        subject = "authority" if rules is all_rules.own else f"authority {rules.country}"
        limits = ", ".join(f"{role} {limit}" for role, limit in rules.authority.items())
        jurisdiction = settings.jurisdiction.get(rules.country)
        is_set = settings.authority or (jurisdiction is not None and jurisdiction.authority)
        yield _found("authority_set" if is_set else "authority_default", authority=subject, limits=limits)


def scheme_findings(settings: Settings, presets: Iterable[str], today: date) -> Iterator[CheckFinding]:
    """What each scheme asks of people apart from handling complaints, and what its law changes soon.

    The product sends nothing to a regulator.
    """
    categories = {*Category, *(category.key for category in settings.category)}
    for name in sorted(presets):
        preset = preset_named(name)
        rules = preset.on(today)
        for key in ("reports", "learning"):
            if practice := rules.get(f"practice.{key}"):
                yield _found("scheme_practice", scheme=name, practice=key, text=practice)
        for publication in rules.group("publish").values():
            yield _found("scheme_publication", scheme=name, what=publication["what"], by=publication["by"])
        for change in coming_changes(preset, today):
            for_people = change.name.startswith(("publish.", "practice."))
            kind = "law_changes_for_people" if for_people else "law_changes"
            yield _found(kind, scheme=name, change=change)
        soon = preset.on(today + timedelta(days=ANNOUNCED_DAYS)).group("clock")
        for clock, value in (rules.group("clock") | soon).items():
            unknown = sorted(set(value.get("about", ())) - categories)
            if unknown and len(unknown) == len(value["about"]):
                within, category = value["within"], unknown[0]
                yield _found("clock_for_nothing", scheme=name, clock=clock, within=within, category=category)


def _days_off(calendar: Calendar, now: datetime) -> str:
    """The number of days off, and the next ones by name, so that a missing closure is noticed."""
    today = local_time(now, calendar.zone).date()
    coming = [day for day in sorted(calendar.holidays) if day >= today][:_DAYS_SHOWN]
    names = "; ".join(f"{day} {calendar.holidays[day]}" for day in coming)
    return f"{pluralise(len(calendar.holidays), 'day')} off, {calendar.zone}; next {names or 'none'}"


def _secret_keys(settings: Settings) -> Iterator[CheckFinding]:
    try:
        settings.secrets.keys()
        yield _found("secret_key", count=len(settings.secrets.secret_key))
    except SettingsError:
        yield _found("secret_key_missing")
    if settings.secrets.signing_key is None:
        yield _found("signing_key_missing")
    yield _places_of_checkpoints(settings)


def _reports(settings: Settings) -> Iterator[CheckFinding]:
    for report in settings.report:
        if report.kind in KINDS:
            yield _found("report", report=report.kind, when=report.when, channel=report.channel)
        else:
            yield _found("report_unknown", report=report.kind, known=", ".join(KINDS))


def _places_of_checkpoints(settings: Settings) -> CheckFinding:
    """Whether checkpoints leave this machine: without that, its administrator can rewrite the record unnoticed."""
    proof, folder = settings.proof, settings.file.absolute().parent
    places = [f"witness {witness.name}" for witness in proof.witnesses]
    places += [name for name in ("slack_channel", "file", "command") if getattr(proof, name)]
    if not places:
        return _found("checkpoints_nowhere")
    if places == ["file"]:
        existing = next(parent for parent in (folder / str(proof.file)).parents if parent.exists())
        if existing.stat().st_dev == folder.stat().st_dev:
            return _found("checkpoints_on_same_disk", settings=settings.file.name)
    often = pluralise(proof.every_minutes, "minute")
    return _found("checkpoints", often=often, places=", ".join(places))


def _database(settings: Settings) -> Iterator[CheckFinding]:
    url = settings.secrets.database_url
    try:
        schema = schema_status(url)
        if schema.serves:
            require_known(url)
    except StoreError as wrong:
        yield _found("database_unreachable", wrong=wrong)
        return
    file = Path(database_url(url).database or "") if url.startswith("sqlite") else None
    if schema.revision is None and (file is None or os.access(file.absolute().parent, os.W_OK)):
        yield _found("database_empty")
        return
    if not schema.serves:
        if schema.revision is None:
            yield _found("database_cannot_be_made", file=file)
        else:
            yield _found("database_too_new" if schema.is_newer else "database_too_old")
        return
    yield _found("database_newer" if schema.is_newer else "database")
    yield from _readable_by_others(settings, file)
    if not settings.secrets.secret_key:
        return
    store = open_store(url, Keyring(settings.secrets.keys()))
    try:
        try:
            store.read(require_keys)
        except SealBroken as wrong:
            yield _found("secret_key_of_another", wrong=wrong)
            return
        if store.read(may_change_events):
            yield _found("database_role")
        yield _last_backup(store)
        if unreached := store.read(list_unreached):
            yield _found("on_call_unreached", people=", ".join(unreached))
        yield from _older_keys(store, len(settings.secrets.secret_key))
        own = [category.key for category in settings.category]
        yield from model_findings(store, own=own, folder=settings.examples_folder)
    finally:
        store.close()


def _readable_by_others(settings: Settings, database: Path | None) -> Iterator[CheckFinding]:
    """Files that other accounts may read: the desk makes them private, a copy or an editor may not."""
    folder = settings.file.parent
    files = [folder / ".env", *folder.glob("erasures.jsonl"), *folder.glob("log_head.txt")]
    if database is not None:
        files += [database, *database.parent.glob(f"{database.name}-*")]
    if readable := [str(file) for file in files if file.is_file() and file.stat().st_mode & 0o077]:
        yield _found("file_modes", command=shlex.join(["chmod", "600", *readable]))


def _last_backup(store: Store) -> CheckFinding:
    """When `amends db backup` last ran. Copies that are made in other ways cannot be seen from here."""
    events = store.read(list_instance_events, "backup", 1)
    if not events:
        return _found("backup_none")
    at = events[0]["at"]
    age = store.now() - parse_time(at)
    kind = "backup_old" if age > BACKUP_MAX_AGE else "backup"
    return _found(kind, at=at, age=pluralise(age.days, "day"))


def _older_keys(store: Store, key_count: int) -> Iterator[CheckFinding]:
    """An older key is needed until `amends db rotate-key` has encrypted everything with the newest."""
    if key_count < 2:
        return
    stale = store.read(list_stale_keys)
    if stale:
        yield _found("older_keys_needed", things=pluralise(stale, "thing"))
    else:
        yield _found("older_keys_needless")


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
        yield _found("model_none")
        return
    sha256, card, number = active
    if unknown := [category for category in own if category not in card.get("classes", ())]:
        yield _found("model_category_unknown", categories=", ".join(unknown), folder=folder)
    try:
        model = load(store.read(read_model_blob, number), sha256=sha256)
    except UnreadableModel as wrong:
        yield _found("model_unreadable", model=sha256[:12], wrong=wrong)
        return
    yield _found("model", model=sha256[:12])
    if number in store.read(list_models_with_erased_words):
        yield _found("model_erased_words")
    if (problem := model.facts.get("without_encoder")) is not None:
        yield _found("encoder_missing", problem=problem)
    run = store.read(load_last_run)
    if run is not None and (run.made_anew or not run.passes):
        reasons = "; ".join(run.verdict.get("reasons", ()))
        outcome = "is trained again without what was erased" if run.made_anew else "stays in use"
        yield _found("training_failed", reasons=reasons, outcome=outcome)
    yield from _drift(store, card.get("accuracy"))


def _drift(store: Store, accuracy: float | None) -> Iterator[CheckFinding]:
    from triage.learning.drift import ASSESSMENTS_READ, find_drift_in_record

    for drift in find_drift_in_record(
        store.read(list_assessed_proposals, ASSESSMENTS_READ), {"accuracy": accuracy}
    ):
        yield _found("model_drift", drift=DRIFT_TEXTS[drift.code].format(**drift.as_json()))


def _texts(settings: Settings) -> Iterator[CheckFinding]:
    try:
        load_catalogues(settings.languages, settings.texts_folder)
        for domain in (STAFF, REPORTS):
            load_catalogues((settings.organisation.staff_language,), settings.texts_folder, domain=domain)
    except TextsError as wrong:
        yield _found("texts_wrong", wrong=wrong, folder=settings.texts_folder)
        return
    yield _found("texts", languages=", ".join(settings.languages))


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
            yield _found("level_nobody", level=level, roles=", ".join(names))
        elif (gap := None if groups else review_gap(roles_of, rules.levels, level)) is not None:
            yield _found("level_without_review", level=level, people=len(able), gap=gap)
        else:
            yield _found("level", level=level, people=len(able))


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
        yield _found("examples_unreadable", file=folder / name, reason=reason)
    for name, rows in files.refused.items():
        reasons = "; ".join(f"line {row.line}: {row.reason}" for row in rows[:_ROWS_SHOWN])
        count = pluralise(len(rows), "row")
        yield _found("examples_refused", file=folder / name, rows=count, reasons=reasons)
    few = files.few(own)
    if few:
        counts = ", ".join(f"{key} {count}" for key, count in few.items())
        yield _found("examples_few", counts=counts, enough=ENOUGH_EXAMPLES, folder=folder)
    elif own:
        yield _found("categories", count=len(own), examples=pluralise(len(files.examples), "example"))
    elif files.examples:
        yield _found("examples", count=len(files.examples))


def _speech(settings: Settings) -> list[CheckFinding]:
    """The command that writes down recordings is there."""
    command = settings.speech.command
    if not command:
        return []
    return [_found("speech" if shutil.which(command[0]) else "speech_missing", program=command[0])]


async def _translator(settings: Settings) -> list[CheckFinding]:
    """The translator translates a harmless word."""
    if (translator := translator_from(settings)) is None:
        return []
    source, word = ("de", "Guten Tag") if translator.target != "de" else ("en", "Good morning")
    where = settings.translator.url or settings.translator.command[0]
    translated = await translator.translate(word, source, translator.target)
    kind = "translator" if translated else "translator_silent"
    return [_found(kind, where=where, source=source, target=translator.target)]


async def _scanner(settings: Settings) -> list[CheckFinding]:
    """The virus scanner passes a harmless file and refuses the test file that all scanners know."""
    if (scan := file_scanner(settings.files.scanner)) is None:
        return []
    verdicts = await scan(b"harmless"), await scan(_SCANNER_TEST)
    kind = "scanner_silent" if None in verdicts else "scanner_wrong"
    if verdicts == (True, False):
        kind = "scanner"
    return [_found(kind, scanner=settings.files.scanner)]


async def _telegram(settings: Settings) -> AsyncIterator[CheckFinding]:
    token, url = settings.secrets.telegram_token, settings.secrets.telegram_api_url.rstrip("/")
    if token is None:
        yield _found("telegram_token_missing")
        return
    bot = await _call(f"{url}/bot{token}/getMe")
    if isinstance(bot, str):
        yield _found("telegram_refused", reason=bot)
        return
    yield _found("telegram", username=_result(bot).get("username", "?"))
    if _result(bot).get("has_topics_enabled"):
        yield _found("telegram_topics")
    hook = await _call(f"{url}/bot{token}/getWebhookInfo")
    if isinstance(hook, str):
        yield _found("webhook_unknown", reason=hook)
        return
    webhook = _result(hook)
    address, configured = webhook.get("url", ""), settings.secrets.telegram_webhook_url or ""
    if address and not configured:
        yield _found("webhook_of_another")
    elif webhook.get("last_error_message"):
        yield _found("webhook_fails", reason=webhook["last_error_message"])
    else:
        yield _found("telegram_updates", how="webhook" if configured else "long polling")


async def _slack(settings: Settings) -> AsyncIterator[CheckFinding]:
    secrets = settings.secrets
    if secrets.slack_bot_token is None:
        yield _found("slack_token_missing")
        return
    if secrets.slack_app_token is None and secrets.slack_signing_secret is None:
        yield _found("slack_way_missing")
    api, headers = _slack_api(settings)
    identity = await _call(f"{api}auth.test", headers=headers)
    if isinstance(identity, str):
        yield _found("slack_refused", reason=identity)
        return
    yield _found("slack", team=identity.get("team", "?"), user=identity.get("user", "?"))
    granted = {scope.strip() for scope in str(identity.get("_scopes") or "").split(",") if scope.strip()}
    missing = [scope for scope in NEEDED_SCOPES if granted and scope not in granted]
    if missing:
        yield _found("slack_scopes_missing", scopes=", ".join(missing))
    channels = settings.slack.model_dump()
    if settings.proof.slack_channel is not None:
        channels["proof.slack_channel"] = settings.proof.slack_channel
    channels |= {f"report {report.kind}": report.channel for report in settings.report}
    for name, channel in channels.items():
        answer = await _call(f"{api}conversations.info", headers=headers, channel=channel)
        yield _channel(name, channel, answer)


def _channel(name: str, channel: str, answer: dict[str, Any] | str) -> CheckFinding:
    """Whether the app is a member of the channel; only a warning if Slack cannot say so."""
    if isinstance(answer, str):
        kind = "channel_refused" if answer in _CHANNEL_ERRORS else "channel_unknown"
        return _found(kind, name=name, channel=channel, reason=answer)
    if (answer.get("channel") or {}).get("is_member") is False:
        return _found("channel_refused", name=name, channel=channel, reason="not joined")
    return _found("channel", name=name, channel=channel)


def _slack_api(settings: Settings) -> tuple[str, dict[str, str]]:
    secrets = settings.secrets
    api = secrets.slack_api_url if secrets.slack_api_url.endswith("/") else secrets.slack_api_url + "/"
    return api, {"Authorization": f"Bearer {secrets.slack_bot_token}"}


async def _pages(settings: Settings) -> AsyncIterator[CheckFinding]:
    """A test alert in every way to each person on call; without any, to the managers, as a danger would go."""
    own, language, (api, headers) = (
        settings.on_call,
        settings.organisation.staff_language,
        _slack_api(settings),
    )
    people = own.people or tuple(member for member in settings.roles.manager if member[0] in "UW")
    if not people:
        yield _found("page_nobody")
    texts = load_catalogues((language,), settings.texts_folder, domain=STAFF, own=settings.own_names)
    text = texts.text(language, "dm.page_test")
    for member in people:
        opened = await _call(f"{api}conversations.open", headers=headers, users=member)
        if not isinstance(opened, str):
            channel = str(opened["channel"]["id"])
            opened = await _call(f"{api}chat.postMessage", headers=headers, channel=channel, text=text)
        results = {"Slack": opened if isinstance(opened, str) else ""}
        results |= await send_alert(settings, TEST_ALERT, member)
        for way, why in results.items():
            yield _found("page_failed" if why else "page_sent", way=way, member=member, why=why)


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
