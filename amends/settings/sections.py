"""The sections of amends.toml as frozen models; a field's description is its documentation everywhere."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from amends.settings.field_types import (
    AmountText,
    ClockText,
    CountryCode,
    HoursText,
    KeepingText,
    LanguageCode,
    QuietText,
    RotaText,
    SlackChannel,
    SlackPeople,
    SlackPerson,
    SpanText,
    ZoneName,
)
from complaints.rulebook import is_code
from complaints.vocabulary import Category, Priority, Role

PRESETS = Path(__file__).parent.parent / "presets"

LevelRole = Literal["handler", "manager", "top_management"]


class SettingsSection(BaseModel):
    """A table of the file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def known_preset(name: str) -> str:
    """The name again, or ValueError with those that exist."""
    known = sorted(one.stem for one in PRESETS.glob("*.toml"))
    if name not in known:
        raise ValueError(f"{name!r} is not a preset; write one of {', '.join(known)}")
    return name


class Organisation(SettingsSection):
    """Who answers complaints, where and in which languages."""

    name: str = Field(
        min_length=1, max_length=200, description="As complainants know it.", examples=["Northwind Water"]
    )
    country: CountryCode = Field(description="Two letters; gives the public holidays.", examples=["GB"])
    region: str | None = Field(
        default=None, description="Part of the country with holidays of its own.", examples=["ENG"]
    )
    timezone: ZoneName = Field(
        description="Where working time is counted and shown.", examples=["Europe/London"]
    )
    languages: tuple[LanguageCode, ...] = Field(
        min_length=1,
        description="Spoken with complainants; the first is the fallback.",
        examples=[["en", "tr"]],
    )
    staff_language: LanguageCode = Field(default="en", description="Spoken with staff in Slack.")
    emergency_number: str = Field(
        default="112",
        pattern=r"^[0-9+ ()-]{2,25}$",
        description="Told at signs of danger, before anything else.",
    )
    preset: str = Field(
        default="small_business",
        description="Deadlines, levels and recourse of a scheme (`amends/presets/`).",
    )
    team: str = Field(
        default="",
        max_length=100,
        description="Who answers, in the acknowledgement; empty: the organisation.",
    )

    _known_preset = field_validator("preset")(known_preset)


class CalendarSettings(SettingsSection):
    """When work is done."""

    hours: HoursText = Field(
        default="Mon-Fri 09:00-17:30",
        description='Opening hours, split shifts too, or "always".',
        examples=["Mon-Fri 09:00-17:30"],
    )
    closed: dict[str, str] = Field(
        default_factory=dict,
        description="Days off besides the public holidays: date = name.",
        examples=[{"2026-12-24": "Closed"}],
    )

    ics: tuple[str, ...] = Field(
        default=(),
        description="iCalendar files with further days off, beside this one; read at each start.",
        examples=[["closures.ics"]],
    )

    @field_validator("closed")
    @classmethod
    def _dates(cls, closed: dict[str, str]) -> dict[str, str]:
        for day in closed:
            try:
                date.fromisoformat(day)
            except ValueError as wrong:
                raise ValueError(f'{day!r} is not a date; write one such as "2026-12-24"') from wrong
        return closed


class Slack(SettingsSection):
    """Where complaints are shown to staff; ids, not names."""

    triage_channel: SlackChannel = Field(description="One card per complaint.", examples=["C0000001"])
    restricted_channel: SlackChannel = Field(
        description="Complaints about staff, handling or discrimination; private.", examples=["C0000002"]
    )
    executive_channel: SlackChannel = Field(
        description="Significant complaints, to be receipted (clause 5.3).", examples=["C0000003"]
    )


class Roles(SettingsSection):
    """Who acts in which capacity: Slack ids of people, of private channels (their members) or of user groups.

    Fails closed: who is not named may do nothing.
    """

    intake: tuple[SlackPeople, ...] = Field(default=(), description="Log what they hear elsewhere.")
    handler: tuple[SlackPeople, ...] = Field(default=(), description="Assess, investigate, decide.")
    manager: tuple[SlackPeople, ...] = Field(default=(), description="Assign, approve, extend.")
    top_management: tuple[SlackPeople, ...] = Field(default=(), description="The last level.")
    auditor: tuple[SlackPeople, ...] = Field(default=(), description="Read and report.")

    def as_mapping(self) -> dict[Role, tuple[str, ...]]:
        """Role to its Slack ids."""
        return {Role(name): getattr(self, name) for name in type(self).model_fields}


class ColleagueSettings(SettingsSection):
    """One person of staff: other names, whose line they are in, who stands in (4.5, Annex C).

    People who handle no complaints may stand here too: a complaint that names them is recognised.
    """

    id: SlackPerson = Field(description="Slack id.", examples=["U0000001"])
    aliases: tuple[str, ...] = Field(
        default=(),
        description="Names by which complainants know them, besides the one in Slack.",
        examples=[["Alice from the front desk"]],
    )
    line: SlackPerson | None = Field(
        default=None,
        description="Their manager, kept from complaints about them as they are themselves.",
        examples=["U0000002"],
    )
    deputy: SlackPerson | None = Field(
        default=None, description="Who stands in while they are away.", examples=["U0000003"]
    )


class PriorityTargetsSettings(SettingsSection):
    """The times of one priority."""

    look: SpanText | None = Field(
        default=None, description="A person has assessed it (clause 7.5).", examples=["1 bd"]
    )
    first_action: SpanText | None = Field(default=None, description="First human contact.", examples=["3 bd"])
    update_every: SpanText | None = Field(
        default=None, description="Progress is told this often (7.3).", examples=["5 bd"]
    )
    decide: SpanText | None = Field(default=None, description="The decision (7.8).", examples=["10 bd"])


class TargetsSettings(PriorityTargetsSettings):
    """Times; the first four for every priority for which `[targets.P1]` … `[targets.P4]` do not speak."""

    ack: SpanText | None = Field(default=None, description="The acknowledgement (7.4).", examples=["1 bd"])
    approve: SpanText | None = Field(
        default=None, description="A second person's approval.", examples=["1 bd"]
    )
    remedy: SpanText | None = Field(
        default=None, description="A remedy without a promised date is done.", examples=["10 bd"]
    )
    verify: SpanText | None = Field(
        default=None, description="A remedy is checked, after it was done.", examples=["5 bd"]
    )
    reply_reminder: SpanText | None = Field(
        default=None, description="Asking once for a reply to the decision.", examples=["10 bd"]
    )
    lapse: SpanText | None = Field(
        default=None, description="Closing when no reply comes.", examples=["20 bd"]
    )
    delay_notice: SpanText | None = Field(
        default=None,
        description="How long before the promised date of the answer the complainant hears that it is not ready.",
        examples=["1 bd"],
    )
    escalated_ack: SpanText | None = Field(
        default=None, description="Acknowledging a disagreement.", examples=["1 bd"]
    )
    waiting_limit: SpanText | None = Field(
        default=None, description="Waiting for what the complainant was asked.", examples=["10 bd"]
    )
    reopen_window: SpanText | None = Field(
        default=None, description="How long a closed complaint may be reopened.", examples=["6 months"]
    )
    subject: SpanText | None = Field(
        default=None,
        description="Staff complained about are told, after the assessment, and later of the outcome (C).",
        examples=["1 bd"],
    )
    improvement: SpanText | None = Field(
        default=None,
        description="An improvement is made after an outside body overturned a decision.",
        examples=["20 bd"],
    )
    privacy: SpanText | None = Field(
        default=None,
        description="The answer to the part about personal data, from the day after receipt to a working day; "
        "unset: as the country's law has it, where it does.",
        examples=["30 days"],
    )
    P1: PriorityTargetsSettings = Field(
        default=PriorityTargetsSettings(), description="Only here may P1 be later than the default."
    )
    P2: PriorityTargetsSettings = Field(
        default=PriorityTargetsSettings(), description="Only here may P2 be later than the default."
    )
    P3: PriorityTargetsSettings = Field(default=PriorityTargetsSettings(), description="Times of P3 alone.")
    P4: PriorityTargetsSettings = Field(default=PriorityTargetsSettings(), description="Times of P4 alone.")

    def of(self, priority: Priority) -> PriorityTargetsSettings:
        """What `[targets.Pn]` says."""
        said: PriorityTargetsSettings = getattr(self, priority.value)
        return said


class DialogueSettings(SettingsSection):
    """How long the conversation waits."""

    burst: SpanText = Field(
        default="20 s", description="The next question, after the last message of a burst."
    )
    file_abandoned_after: SpanText = Field(
        default="30 min", description="Silence after which a form is filed as it stands."
    )
    file_abandoned_at_latest: SpanText = Field(
        default="4 h", description="When it is filed although the person still writes."
    )
    quiet_hours: QuietText = Field(
        default="20:00-08:00", description='The complainant\'s; danger excepted; or "none".'
    )
    answer_at_once_within: SpanText = Field(
        default="30 min", description="A staff reply this soon after their message leaves in quiet hours too."
    )


class Simulation(SettingsSection):
    """Simulated contacts (clause 8.3): testers run the real road, and no figure counts them; staff are not told."""

    telegram: tuple[Annotated[str, Field(pattern=r"^-?[0-9]{1,20}$")], ...] = Field(
        default=(), description="Telegram ids of the testers.", examples=[["700000001"]]
    )


class SurveySettings(SettingsSection):
    """When satisfaction with the handling is asked (clause 8.3)."""

    delay: SpanText = Field(default="3 days", description="After the ending.")
    reminder: SpanText = Field(default="5 days", description="After the survey, once.")


class Authority(SettingsSection):
    """What a role may grant alone."""

    amount: AmountText = Field(description="Above it a second person approves.", examples=["100 GBP"])


class Recourse(SettingsSection):
    """One outside body, in the order in which they may be asked (clause 7.9)."""

    body: str = Field(min_length=1, description="Its name.", examples=["Consumer ombudsman"])
    contact: str = Field(default="", description="How to reach it.")
    limit: str = Field(
        default="",
        description="Until when: a length of time, told in the reader's language, else words told as they are.",
        examples=["12 months"],
    )
    free: StrictBool = Field(default=True, description="Does it cost the complainant nothing?")


class DangerSettings(SettingsSection):
    """Signs of danger of the organisation's own; they add to the built-in ones."""

    signs: tuple[str, ...] = Field(
        min_length=1, description="Words that people use.", examples=[["smell of gas"]]
    )
    number: str | None = Field(
        default=None, description="Whom to call; else the emergency number.", examples=["0800 111 999"]
    )
    text: dict[LanguageCode, str] = Field(
        default_factory=dict,
        description="What to say, by language; `{number}` is filled in.",
        examples=[{"en": "Leave now and call {number} from outside."}],
    )

    @field_validator("signs")
    @classmethod
    def _not_blank(cls, signs: tuple[str, ...]) -> tuple[str, ...]:
        if any(not sign.strip() for sign in signs):
            raise ValueError('a sign is empty; write words such as "smell of gas"')
        return signs


class Triage(SettingsSection):
    """How the model behind the proposed assessment learns (clause 7.5; docs/learning.md)."""

    retrain_after: int = Field(
        default=50, ge=0, description="Assessments after which a new model is trained; 0: not by number."
    )
    retrain_at: ClockText = Field(
        default="03:00",
        description='When, by local time, a new one is trained each night that anything changed; or "off" (what was '
        "erased leaves the models at 03:00 all the same).",
        examples=["03:00"],
    )
    wanted_precision: float = Field(
        default=0.90,
        gt=0,
        lt=1,
        description='So many of the proposals that do not say "not sure" must be right.',
    )
    alert_budget: float = Field(
        default=0.10,
        gt=0,
        le=0.5,
        description="At most this share of complaints may be proposed as severity 4 or 5 by the model.",
    )
    encoder: Literal["auto", "none", "minilm", "e5"] = Field(
        default="auto",
        description="The optional encoder that the next training reads with; auto: the one installed, if any.",
    )


class OwnCategory(SettingsSection):
    """A category of the organisation's own, beside those that come with Amends (docs/triage.md)."""

    key: str = Field(
        description="Its code in the record, reports and examples; never change it afterwards.",
        examples=["leak"],
    )
    name: dict[LanguageCode, str] = Field(
        min_length=1,
        description="What people call it, by language.",
        examples=[{"en": "Leak in the street", "tr": "Sokakta su kaçağı"}],
    )

    @field_validator("key")
    @classmethod
    def _code(cls, key: str) -> str:
        if not is_code(key):
            raise ValueError(f'{key!r} is no code; write small letters, digits and "_" alone, such as "leak"')
        if key in set(Category):
            raise ValueError(f"{key!r} comes with Amends; word it anew in texts/, or choose another code")
        return key

    @field_validator("name")
    @classmethod
    def _named(cls, name: dict[str, str]) -> dict[str, str]:
        if any(not one.strip() or len(one) > 75 or "{" in one or "}" in one for one in name.values()):
            raise ValueError('a name is 1 to 75 characters without braces, such as "Leak in the street"')
        return name


class OnCallSettings(SettingsSection):
    """Who is paged at danger, and when."""

    hours: RotaText = Field(
        default="always", description='As in the calendar, also over midnight; or "always".'
    )
    people: tuple[SlackPerson, ...] = Field(
        default=(), description="Slack ids of people.", examples=[["U0000002"]]
    )


class Privacy(SettingsSection):
    """What complainants are told about their data, and how long the file is kept."""

    notice: str = Field(default="", description="Address or text of the privacy notice.")
    retention: KeepingText | None = Field(
        default=None,
        description='How long after closing the file is purged, or "36 months from receipt"; unset: kept.',
        examples=["72 months"],
    )
    purge: StrictBool = Field(
        default=False,
        description="Purge each day by itself what `retention` says; else by `amends privacy purge`.",
    )


def whole_levels(levels: dict[str, tuple[LevelRole, ...]] | None) -> dict[str, tuple[LevelRole, ...]] | None:
    """Refuse gaps in the numbering and levels at which nobody decides."""
    if not levels:
        return None
    if sorted(levels) != [str(number) for number in range(1, len(levels) + 1)]:
        raise ValueError(
            'levels are numbered from 1 without a gap; write 1 = ["handler", "manager"], then 2 = …'
        )
    if any(not roles for roles in levels.values()):
        raise ValueError('a level without roles decides nothing; write roles such as ["handler", "manager"]')
    return levels


class Jurisdiction(SettingsSection):
    """A second country, by its two letters: whatever is not said here is as in the rest of the file.

    Every complaint is frozen to one. Its own tables: calendar, targets, authority, recourse, danger, privacy.
    """

    region: str | None = Field(default=None, description="Its part with holidays of its own.")
    timezone: ZoneName | None = Field(
        default=None, description="Its time zone.", examples=["Europe/Istanbul"]
    )
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="Its languages.", examples=[["tr"]]
    )
    emergency_number: str | None = Field(
        default=None, pattern=r"^[0-9+ ()-]{2,25}$", description="Its emergency number.", examples=["112"]
    )
    preset: str | None = Field(default=None, description="Its scheme.", examples=["small_business"])
    calendar: CalendarSettings | None = Field(default=None, description="Its opening hours.")
    targets: TargetsSettings | None = Field(default=None, description="Its times.")
    levels: dict[str, tuple[LevelRole, ...]] | None = Field(
        default=None, description="Its levels.", examples=[{"1": ["handler", "manager"]}]
    )
    authority: dict[LevelRole, Authority] | None = Field(
        default=None, description="Its limits, in its currency."
    )
    recourse: tuple[Recourse, ...] | None = Field(default=None, description="Its outside bodies.")
    danger: tuple[DangerSettings, ...] | None = Field(default=None, description="Its danger numbers.")
    privacy: Privacy | None = Field(default=None, description="Its notice and retention.")

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str | None) -> str | None:
        return name if name is None else known_preset(name)

    _whole_levels = field_validator("levels")(whole_levels)
