"""The tables of amends.toml as frozen models. What each key means, and an example of it, is in sections.toml."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

from amends.settings.field_types import (
    AmountTexts,
    ClockText,
    CountryCode,
    HoursText,
    LanguageCode,
    OnCallHoursText,
    QuietText,
    RetentionText,
    SlackChannel,
    SlackPeople,
    SlackPerson,
    SpanText,
    ZoneName,
)
from amends.settings.variables import Address
from bots.loopback import is_loopback
from complaints.forms import EVIDENCE
from complaints.registers.definitions import FIGURES
from complaints.rulebook import is_code
from complaints.vocabulary import Category, Priority, Role

PRESETS = Path(__file__).parent.parent / "presets"

LevelRole = Literal["handler", "manager", "top_management"]


def _encrypted(url: str) -> str:
    if not url.startswith("https://") and not is_loopback(url):
        raise ValueError(f"{url} would be called unencrypted; write an address with https://")
    return url


EncryptedAddress = Annotated[Address, AfterValidator(_encrypted)]


class SettingsSection(BaseModel):
    """A table of the file; it refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def known_preset(name: str) -> str:
    """Return the name, or raise ValueError with the presets that exist."""
    names = sorted(file.stem for file in PRESETS.glob("*.toml"))
    if name not in names:
        raise ValueError(f"{name!r} is not a preset; write one of {', '.join(names)}")
    return name


def _dated(closed: dict[str, str]) -> dict[str, str]:
    for day in closed:
        try:
            date.fromisoformat(day)
        except ValueError as wrong:
            raise ValueError(f'{day!r} is not a date; write one such as "2026-12-24"') from wrong
    return closed


def _code(text: str) -> str:
    if not is_code(text):
        raise ValueError(f'{text!r} is not a code; write only small letters, digits and "_", such as "leak"')
    return text


def _command(command: str) -> str:
    try:
        shlex.split(command)
    except ValueError as wrong:
        raise ValueError(
            f'{command!r} is not a command ({wrong}); write one such as "clamdscan -"'
        ) from wrong
    return command


def _codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    wrong = next((code for code in codes if not is_code(code)), None)
    if wrong is not None:
        raise ValueError(f'{wrong!r} is not a code; write only small letters, digits and "_"')
    return codes


def _figure(key: str) -> str:
    if key not in FIGURES:
        raise ValueError(f"{key!r} is no figure; choose from {', '.join(FIGURES)}")
    return key


def _evidence(kind: str) -> str:
    if kind not in EVIDENCE:
        raise ValueError(f"{kind!r} is no kind of evidence; write one of {', '.join(EVIDENCE)}")
    return kind


def _not_blank(signs: tuple[str, ...]) -> tuple[str, ...]:
    if any(not sign.strip() for sign in signs):
        raise ValueError('a sign is empty; write words such as "smell of gas"')
    return signs


def _own_names(names: dict[str, str]) -> dict[str, str]:
    if any(not text.strip() or len(text) > 75 or "{" in text or "}" in text for text in names.values()):
        raise ValueError('a name is 1 to 75 characters without braces, such as "Leak in the street"')
    return names


def _without_gap(levels: dict[str, tuple[LevelRole, ...]]) -> dict[str, tuple[LevelRole, ...]]:
    if sorted(levels) != [str(number) for number in range(1, len(levels) + 1)]:
        raise ValueError(
            'levels are numbered from 1 without a gap; write 1 = ["handler", "manager"], then 2 = …'
        )
    if any(not roles for roles in levels.values()):
        raise ValueError(
            'at a level without roles no one can decide; write roles such as ["handler", "manager"]'
        )
    return levels


PresetName = Annotated[str, AfterValidator(known_preset)]
EvidenceKind = Annotated[str, AfterValidator(_evidence)]
Levels = Annotated[dict[str, tuple[LevelRole, ...]], AfterValidator(_without_gap)]


class Organisation(SettingsSection):
    """The organisation that answers complaints, its country and its languages."""

    name: str = Field(min_length=1, max_length=200)
    country: CountryCode
    region: str | None = None
    timezone: ZoneName
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    staff_language: LanguageCode = "en"
    address: Literal["formal", "informal"] = "formal"
    emergency_number: str = Field(default="112", pattern=r"^[0-9+ ()-]{2,25}$")
    preset: PresetName = "small_business"
    team: str = Field(default="", max_length=100)
    bot: str = Field(default="", pattern=r"^(|[A-Za-z0-9_]{5,32})$")


class CalendarSettings(SettingsSection):
    """Opening hours and days off."""

    hours: HoursText = "Mon-Fri 09:00-17:30"
    closed: Annotated[dict[str, str], AfterValidator(_dated)] = Field(default_factory=dict)
    ics: tuple[str, ...] = ()


class Slack(SettingsSection):
    """The channels in which staff see complaints; write ids, not names."""

    triage_channel: SlackChannel
    restricted_channel: SlackChannel
    executive_channel: SlackChannel
    subject: Literal["off", "masked"] = "off"


class Roles(SettingsSection):
    """The roles of staff: Slack ids of people, private channels (all their members) or user groups.

    People who are not named here may do nothing.
    """

    intake: tuple[SlackPeople, ...] = ()
    handler: tuple[SlackPeople, ...] = ()
    manager: tuple[SlackPeople, ...] = ()
    top_management: tuple[SlackPeople, ...] = ()
    auditor: tuple[SlackPeople, ...] = ()

    def as_mapping(self) -> dict[Role, tuple[str, ...]]:
        return {Role(name): getattr(self, name) for name in type(self).model_fields}


class ColleagueSettings(SettingsSection):
    """One member of staff: other names, manager and deputy (4.5, Annex C).

    People who handle no complaints may be listed too, so that a complaint that names them is recognised.
    """

    id: SlackPerson
    aliases: tuple[str, ...] = ()
    line: SlackPerson | None = None
    deputy: SlackPerson | None = None
    categories: tuple[str, ...] = ()
    languages: tuple[LanguageCode, ...] = ()


class PriorityTargetsSettings(SettingsSection):
    """The deadlines of one priority."""

    look: SpanText | None = None
    first_action: SpanText | None = None
    update_every: SpanText | None = None
    decide: SpanText | None = None


class TargetsSettings(PriorityTargetsSettings):
    """Deadlines. The first four apply to each priority for which `[targets.P1]` … `[targets.P4]` set nothing."""

    ack: SpanText | None = None
    approve: SpanText | None = None
    remedy: SpanText | None = None
    verify: SpanText | None = None
    reply_reminder: SpanText | None = None
    lapse: SpanText | None = None
    delay_notice: SpanText | None = None
    escalated_ack: SpanText | None = None
    waiting_limit: SpanText | None = None
    reopen_window: SpanText | None = None
    subject: SpanText | None = None
    improvement: SpanText | None = None
    privacy: SpanText | None = None
    P1: PriorityTargetsSettings = PriorityTargetsSettings()
    P2: PriorityTargetsSettings = PriorityTargetsSettings()
    P3: PriorityTargetsSettings = PriorityTargetsSettings()
    P4: PriorityTargetsSettings = PriorityTargetsSettings()

    def for_priority(self, priority: Priority) -> PriorityTargetsSettings:
        table: PriorityTargetsSettings = getattr(self, priority.value)
        return table


class DialogueSettings(SettingsSection):
    """How long the conversation with a complainant waits."""

    burst: SpanText = "20 s"
    file_abandoned_after: SpanText = "30 min"
    file_abandoned_at_latest: SpanText = "4 h"
    quiet_hours: QuietText = "20:00-08:00"
    answer_at_once_within: SpanText = "30 min"


class Simulation(SettingsSection):
    """Simulated complaints (clause 8.3): staff handle them without knowing it, and no figure counts them."""

    telegram: tuple[Annotated[str, Field(pattern=r"^-?[0-9]{1,20}$")], ...] = ()


class SurveySettings(SettingsSection):
    """When complainants are asked how satisfied they are with the handling (clause 8.3)."""

    delay: SpanText = "3 days"
    reminder: SpanText = "5 days"


class QualityCheckSettings(SettingsSection):
    """A share of decisions is read by a second person before they are sent (clause 4.5, docs/quality.md)."""

    share: float = Field(default=0.0, ge=0, le=1)


class CaseReviewSettings(SettingsSection):
    """Closed complaints are reviewed by people who took no part in them (Annex C, docs/quality.md)."""

    each_month: int = Field(default=2, ge=0, le=200)


class TrainingSettings(SettingsSection):
    """Training that a person needs before they get a complaint (clause 6.4, docs/registers.md)."""

    required: Annotated[tuple[str, ...], AfterValidator(_codes)] = ()


class ThresholdSettings(SettingsSection):
    """A limit of a figure of the monitoring report (clause 8.4, docs/registers.md)."""

    figure: Annotated[str, AfterValidator(_figure)]
    above: float | None = Field(default=None, ge=0, le=1)
    below: float | None = Field(default=None, ge=0, le=1)
    over: int = Field(default=30, ge=7, le=366)

    @model_validator(mode="after")
    def _one_limit(self) -> ThresholdSettings:
        if self.above is None and self.below is None:
            raise ValueError("give above, below or both, such as above = 0.05")
        return self


class Authority(SettingsSection):
    """The most that a role may grant alone, in one currency or several."""

    amount: AmountTexts


class Recourse(SettingsSection):
    """One outside body to which a complainant can turn (clause 7.9)."""

    body: str = Field(min_length=1)
    contact: str = ""
    limit: str = ""
    free: StrictBool = True
    form: str = ""
    cost: str = ""


class InvestigationSettings(SettingsSection):
    """The plan of one level of investigation, instead of the built-in one."""

    steps: tuple[EvidenceKind, ...] = Field(min_length=1)
    required: tuple[EvidenceKind, ...] = ()


class DangerSettings(SettingsSection):
    """The organisation's own signs of danger, in addition to the built-in ones."""

    signs: Annotated[tuple[str, ...], AfterValidator(_not_blank)] = Field(min_length=1)
    number: str | None = None
    text: dict[LanguageCode, str] = Field(default_factory=dict)


class Triage(SettingsSection):
    """How the model learns that proposes assessments (clause 7.5; docs/learning.md)."""

    retrain_after: int = Field(default=50, ge=0)
    retrain_at: ClockText = "03:00"
    wanted_precision: float = Field(default=0.90, gt=0, lt=1)
    alert_budget: float = Field(default=0.10, gt=0, le=0.5)
    encoder: Literal["auto", "none"] = "auto"


class OwnCode(SettingsSection):
    """A code of the organisation's own, with its names."""

    key: Annotated[str, AfterValidator(_code)]
    name: Annotated[dict[LanguageCode, str], AfterValidator(_own_names)] = Field(min_length=1)


class OwnCategory(OwnCode):
    """The organisation's own category, in addition to those that come with Amends (docs/triage.md)."""

    @field_validator("key")
    @classmethod
    def _not_standard(cls, key: str) -> str:
        if key in set(Category):
            raise ValueError(f"{key!r} comes with Amends; change its name in texts/, or choose another code")
        return key


class _CountedCode(OwnCode):
    """A code that an assessment can name, and how many customers it has."""

    customers: int | None = Field(default=None, ge=1, strict=True)


class ProductSettings(_CountedCode):
    """A product or service that an assessment can name; reports compare them (docs/reports.md)."""


class BranchSettings(_CountedCode):
    """A branch, site or team that an assessment can name; reports compare them (docs/reports.md)."""


class HazardSettings(SettingsSection):
    """The safety officer's signature on what the bot says in a danger; `amends danger print` shows it all."""

    signed_by: str = ""
    signed_on: date | None = None
    hash: str = ""

    @model_validator(mode="after")
    def _whole(self) -> HazardSettings:
        parts = (bool(self.signed_by), self.signed_on is not None, bool(self.hash))
        if any(parts) and not all(parts):
            raise ValueError("a signature needs signed_by, signed_on and hash: see amends danger print")
        return self


class OnCallSettings(SettingsSection):
    """The people who are alerted at signs of danger, when, and how (docs/operations.md, "On call")."""

    hours: OnCallHoursText = "always"
    people: tuple[SlackPerson, ...] = ()
    command: tuple[str, ...] = ()
    url: EncryptedAddress | None = None
    reach: dict[SlackPerson, Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict
    )
    timeout: int = Field(default=15, ge=1, le=120)
    heartbeat: EncryptedAddress | None = None
    heartbeat_every: int = Field(default=60, ge=10, le=3600)


class Privacy(SettingsSection):
    """The privacy notice for complainants, and how long files are kept."""

    notice: str = ""
    retention: RetentionText | None = None
    purge: StrictBool = False


class WitnessSettings(SettingsSection):
    """A witness that cosigns the checkpoints: `amends witness` or any other of C2SP."""

    name: str
    url: Address
    key: str

    @model_validator(mode="after")
    def _key_of_this_name(self) -> WitnessSettings:
        # Imported here because it loads the cryptography, which most commands that read settings do not need.
        from store.proof.notes import parse_verifier

        owner = parse_verifier(self.key, is_witness=True).name
        if owner != self.name:
            raise ValueError(
                f"the key is that of {owner!r}; write name = {owner!r}, or the key of {self.name!r}"
            )
        return self


class ReportSettings(SettingsSection):
    """One report that a channel gets after each period: a short text and the PDF (docs/reports.md)."""

    kind: str = Field(min_length=1)
    channel: SlackChannel
    when: Literal["weekly", "monthly", "quarterly", "yearly"] = "monthly"


class ProofSettings(SettingsSection):
    """Where the signed checkpoints of the record go (docs/proof.md); name at least one place that you do not run."""

    every_minutes: int = Field(default=10, ge=1, le=1440)
    slack_channel: SlackChannel | None = None
    file: str | None = Field(default=None, min_length=1)
    command: tuple[str, ...] = ()
    witnesses: tuple[WitnessSettings, ...] = ()

    @field_validator("witnesses")
    @classmethod
    def _different_names(cls, witnesses: tuple[WitnessSettings, ...]) -> tuple[WitnessSettings, ...]:
        if len({witness.name for witness in witnesses}) < len(witnesses):
            raise ValueError("two witnesses have the same name; give each its own key and name")
        return witnesses


class Files(SettingsSection):
    """What happens to the files that complainants send."""

    scanner: Annotated[str, AfterValidator(_command)] = ""


class SpeechSettings(SettingsSection):
    """A command that writes down recordings (docs/operations.md, "Recordings in words")."""

    command: tuple[str, ...] = ()
    timeout: int = Field(default=600, ge=1, le=7200)
    max_minutes: int = Field(default=15, ge=1, le=240)


class TranslatorSettings(SettingsSection):
    """A command or a service that translates complainants' words for staff (docs/operations.md, "Translations")."""

    command: tuple[str, ...] = ()
    url: EncryptedAddress | None = None
    target: LanguageCode | None = None
    reads: tuple[LanguageCode, ...] = ()
    timeout: int = Field(default=60, ge=1, le=600)

    @model_validator(mode="after")
    def _command_or_service(self) -> TranslatorSettings:
        if self.command and self.url:
            raise ValueError("write a command or a url, not both")
        return self


class Jurisdiction(SettingsSection):
    """A second country, named by its two letters. What is not set here is as in the rest of the file.

    Each complaint belongs to one jurisdiction and stays there. It can have its own tables calendar, targets,
    authority, recourse, danger and privacy.
    """

    region: str | None = None
    timezone: ZoneName | None = None
    languages: tuple[LanguageCode, ...] | None = None
    emergency_number: str | None = Field(default=None, pattern=r"^[0-9+ ()-]{2,25}$")
    preset: PresetName | None = None
    calendar: CalendarSettings | None = None
    targets: TargetsSettings | None = None
    levels: Levels | None = None
    authority: dict[LevelRole, Authority] | None = None
    recourse: tuple[Recourse, ...] | None = None
    danger: tuple[DangerSettings, ...] | None = None
    privacy: Privacy | None = None


def fits_menu(most: int, whose: str = "") -> AfterValidator:
    """Refuses more codes than a menu of Slack shows."""

    def check(codes: tuple[OwnCode, ...]) -> tuple[OwnCode, ...]:
        if len(codes) > most:
            raise ValueError(f"{len(codes)} are too many: a menu of Slack shows at most {most}{whose}")
        return codes

    return AfterValidator(check)


#: The other choices of the menu are for the categories of Amends.
OwnCategories = Annotated[tuple[OwnCategory, ...], fits_menu(80, " of yours")]
Products = Annotated[tuple[ProductSettings, ...], fits_menu(100)]
Branches = Annotated[tuple[BranchSettings, ...], fits_menu(100)]
