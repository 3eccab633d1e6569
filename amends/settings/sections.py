"""The tables of amends.toml as frozen models. A field's description is its documentation on every page."""

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
    AmountText,
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


class SettingsSection(BaseModel):
    """A table of the file; it refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def known_preset(name: str) -> str:
    """Return the name, or raise ValueError with the presets that exist."""
    names = sorted(file.stem for file in PRESETS.glob("*.toml"))
    if name not in names:
        raise ValueError(f"{name!r} is not a preset; write one of {', '.join(names)}")
    return name


class Organisation(SettingsSection):
    """The organisation that answers complaints, its country and its languages."""

    name: str = Field(
        min_length=1,
        max_length=200,
        description="Its name as complainants know it.",
        examples=["Northwind Water"],
    )
    country: CountryCode = Field(description="Two letters; decides the public holidays.", examples=["GB"])
    region: str | None = Field(
        default=None, description="Part of the country, if it has its own public holidays.", examples=["ENG"]
    )
    timezone: ZoneName = Field(
        description="The time zone in which working time is counted and times are shown.",
        examples=["Europe/London"],
    )
    languages: tuple[LanguageCode, ...] = Field(
        min_length=1,
        description="The languages of the conversations with complainants; the first is the fallback.",
        examples=[["en", "tr"]],
    )
    staff_language: LanguageCode = Field(
        default="en", description="The language of everything that staff read in Slack."
    )
    address: Literal["formal", "informal"] = Field(
        default="formal",
        description='How complainants are addressed, in a language that has both: in German "Sie" or "du".',
    )
    emergency_number: str = Field(
        default="112",
        pattern=r"^[0-9+ ()-]{2,25}$",
        description="The number that complainants get first when there are signs of danger.",
    )
    preset: str = Field(
        default="small_business",
        description="The scheme whose deadlines, levels and outside bodies apply (`amends/presets/`).",
    )
    team: str = Field(
        default="",
        max_length=100,
        description="The team that the acknowledgement names; if empty, it names the organisation.",
    )

    bot: str = Field(
        default="",
        pattern=r"^(|[A-Za-z0-9_]{5,32})$",
        description="The username of the bot, without @, for the public page and the poster; if empty, Amends asks "
        "Telegram.",
        examples=["northwind_bot"],
    )

    _known_preset = field_validator("preset")(known_preset)


class CalendarSettings(SettingsSection):
    """Opening hours and days off."""

    hours: HoursText = Field(
        default="Mon-Fri 09:00-17:30",
        description='Opening hours, also with several shifts a day; or "always".',
        examples=["Mon-Fri 09:00-17:30"],
    )
    closed: dict[str, str] = Field(
        default_factory=dict,
        description="Days off in addition to the public holidays: date = name.",
        examples=[{"2026-12-24": "Closed"}],
    )

    ics: tuple[str, ...] = Field(
        default=(),
        description="iCalendar files with more days off, in the folder of this file; read at each start.",
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
    """The channels in which staff see complaints; write ids, not names."""

    triage_channel: SlackChannel = Field(description="Gets one card per complaint.", examples=["C0000001"])
    restricted_channel: SlackChannel = Field(
        description="Gets complaints about staff, handling or discrimination; it must be private.",
        examples=["C0000002"],
    )
    executive_channel: SlackChannel = Field(
        description="Gets significant complaints, which top management must confirm as read (clause 5.3).",
        examples=["C0000003"],
    )
    subject: Literal["off", "masked"] = Field(
        default="off",
        description="`masked`: cards begin with the category and the first masked words. Read decision 75 before.",
    )


class Roles(SettingsSection):
    """The roles of staff: Slack ids of people, private channels (all their members) or user groups.

    People who are not named here may do nothing.
    """

    intake: tuple[SlackPeople, ...] = Field(
        default=(), description="May log complaints that arrive in other ways."
    )
    handler: tuple[SlackPeople, ...] = Field(default=(), description="May assess, investigate and decide.")
    manager: tuple[SlackPeople, ...] = Field(default=(), description="May assign, approve and extend.")
    top_management: tuple[SlackPeople, ...] = Field(default=(), description="May decide at the last level.")
    auditor: tuple[SlackPeople, ...] = Field(default=(), description="May read and report.")

    def as_mapping(self) -> dict[Role, tuple[str, ...]]:
        return {Role(name): getattr(self, name) for name in type(self).model_fields}


class ColleagueSettings(SettingsSection):
    """One member of staff: other names, manager and deputy (4.5, Annex C).

    People who handle no complaints may be listed too, so that a complaint that names them is recognised.
    """

    id: SlackPerson = Field(description="Their Slack id.", examples=["U0000001"])
    aliases: tuple[str, ...] = Field(
        default=(),
        description="Other names by which complainants know them, in addition to the one in Slack.",
        examples=[["Alice from the front desk"]],
    )
    line: SlackPerson | None = Field(
        default=None,
        description="Their manager, who has no access to complaints about them either.",
        examples=["U0000002"],
    )
    deputy: SlackPerson | None = Field(
        default=None, description="Their deputy while they are absent.", examples=["U0000003"]
    )
    categories: tuple[str, ...] = Field(
        default=(),
        description="Categories that they handle best: they are proposed first for these. Empty: all.",
        examples=[["money", "supply"]],
    )
    languages: tuple[LanguageCode, ...] = Field(
        default=(),
        description="Languages that they write. For other languages they are proposed last. Empty: all.",
        examples=[["en", "tr"]],
    )


class PriorityTargetsSettings(SettingsSection):
    """The deadlines of one priority."""

    look: SpanText | None = Field(
        default=None, description="By when a person assesses the complaint (clause 7.5).", examples=["1 bd"]
    )
    first_action: SpanText | None = Field(
        default=None, description="By when a person first contacts the complainant.", examples=["3 bd"]
    )
    update_every: SpanText | None = Field(
        default=None, description="How often the complainant gets a progress notice (7.3).", examples=["5 bd"]
    )
    decide: SpanText | None = Field(
        default=None, description="By when the complainant gets the decision (7.8).", examples=["10 bd"]
    )


class TargetsSettings(PriorityTargetsSettings):
    """Deadlines. The first four apply to each priority for which `[targets.P1]` … `[targets.P4]` set nothing."""

    ack: SpanText | None = Field(
        default=None, description="By when the complaint is acknowledged (7.4).", examples=["1 bd"]
    )
    approve: SpanText | None = Field(
        default=None, description="By when a second person approves.", examples=["1 bd"]
    )
    remedy: SpanText | None = Field(
        default=None,
        description="By when a remedy without a promised date is carried out.",
        examples=["10 bd"],
    )
    verify: SpanText | None = Field(
        default=None, description="By when a remedy is checked, after it was carried out.", examples=["5 bd"]
    )
    reply_reminder: SpanText | None = Field(
        default=None,
        description="When the complainant is reminded, once, to reply to the decision.",
        examples=["10 bd"],
    )
    lapse: SpanText | None = Field(
        default=None, description="When the complaint is closed if there is no reply.", examples=["20 bd"]
    )
    delay_notice: SpanText | None = Field(
        default=None,
        description="How long before the promised date the complainant is warned that the answer is not ready.",
        examples=["1 bd"],
    )
    escalated_ack: SpanText | None = Field(
        default=None,
        description="By when a disagreement with the decision is acknowledged.",
        examples=["1 bd"],
    )
    waiting_limit: SpanText | None = Field(
        default=None,
        description="How long handling waits for the complainant's answer to a question.",
        examples=["10 bd"],
    )
    reopen_window: SpanText | None = Field(
        default=None, description="How long a closed complaint can be reopened.", examples=["6 months"]
    )
    subject: SpanText | None = Field(
        default=None,
        description="By when staff who are complained about are informed, after the assessment and of the outcome "
        "(Annex C).",
        examples=["1 bd"],
    )
    improvement: SpanText | None = Field(
        default=None,
        description="By when an improvement is made after an outside body overturned a decision.",
        examples=["20 bd"],
    )
    privacy: SpanText | None = Field(
        default=None,
        description="By when the part of a complaint about personal data is answered: counted from the day after "
        "receipt, and moved to a working day. If unset, the period of the country's law applies, if it has one.",
        examples=["30 days"],
    )
    P1: PriorityTargetsSettings = Field(
        default=PriorityTargetsSettings(),
        description="The deadlines of P1. Only here can they be later than the default.",
    )
    P2: PriorityTargetsSettings = Field(
        default=PriorityTargetsSettings(),
        description="The deadlines of P2. Only here can they be later than the default.",
    )
    P3: PriorityTargetsSettings = Field(default=PriorityTargetsSettings(), description="The deadlines of P3.")
    P4: PriorityTargetsSettings = Field(default=PriorityTargetsSettings(), description="The deadlines of P4.")

    def for_priority(self, priority: Priority) -> PriorityTargetsSettings:
        table: PriorityTargetsSettings = getattr(self, priority.value)
        return table


class DialogueSettings(SettingsSection):
    """How long the conversation with a complainant waits."""

    burst: SpanText = Field(
        default="20 s",
        description="How long the bot waits for further messages before it asks the next question.",
    )
    file_abandoned_after: SpanText = Field(
        default="30 min", description="How long after the last message an unfinished form is filed."
    )
    file_abandoned_at_latest: SpanText = Field(
        default="4 h", description="When an unfinished form is filed although the complainant still writes."
    )
    quiet_hours: QuietText = Field(
        default="20:00-08:00",
        description='When the complainant gets no messages, except in danger; or "none".',
    )
    answer_at_once_within: SpanText = Field(
        default="30 min",
        description="A reply by staff this soon after the complainant's message is sent in quiet hours too.",
    )


class Simulation(SettingsSection):
    """Simulated complaints (clause 8.3): staff handle them without knowing it, and no figure counts them."""

    telegram: tuple[Annotated[str, Field(pattern=r"^-?[0-9]{1,20}$")], ...] = Field(
        default=(), description="The Telegram ids of the testers.", examples=[["700000001"]]
    )


class SurveySettings(SettingsSection):
    """When complainants are asked how satisfied they are with the handling (clause 8.3)."""

    delay: SpanText = Field(default="3 days", description="How long after the complaint ends.")
    reminder: SpanText = Field(
        default="5 days", description="How long after the survey it is repeated, once."
    )


class QualityCheckSettings(SettingsSection):
    """A share of decisions is read by a second person before they are sent (clause 4.5, docs/quality.md)."""

    share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="The share at the lowest risk; each point of risk adds it once more. 0: no decision is drawn.",
        examples=[0.05],
    )


class CaseReviewSettings(SettingsSection):
    """Closed complaints are reviewed by people who took no part in them (Annex C, docs/quality.md)."""

    each_month: int = Field(
        default=2,
        ge=0,
        le=200,
        description="How many of those closed in the month before are drawn; 0: none.",
    )


class TrainingSettings(SettingsSection):
    """Training that a person needs before they get a complaint (clause 6.4, docs/registers.md)."""

    required: tuple[str, ...] = Field(
        default=(),
        description="The subjects, as the register of training names them. It counts for complaints received from "
        "then on.",
        examples=[["complaints_handling"]],
    )

    @field_validator("required")
    @classmethod
    def _codes(cls, required: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((subject for subject in required if not is_code(subject)), None)
        if wrong is not None:
            raise ValueError(f'{wrong!r} is not a code; write only small letters, digits and "_"')
        return required


class ThresholdSettings(SettingsSection):
    """A limit of a figure of the monitoring report (clause 8.4, docs/registers.md)."""

    figure: str = Field(description="The key of the share.", examples=["reopened"])
    above: float | None = Field(
        default=None, ge=0, le=1, description="Alert above this share.", examples=[0.05]
    )
    below: float | None = Field(
        default=None, ge=0, le=1, description="Alert below this share.", examples=[0.9]
    )
    over: int = Field(default=30, ge=7, le=366, description="The share of so many days up to now.")

    @field_validator("figure")
    @classmethod
    def _of_monitoring(cls, figure: str) -> str:
        if figure not in FIGURES:
            raise ValueError(f"{figure!r} is no figure; choose from {', '.join(FIGURES)}")
        return figure

    @model_validator(mode="after")
    def _one_limit(self) -> ThresholdSettings:
        if self.above is None and self.below is None:
            raise ValueError("give above, below or both, such as above = 0.05")
        return self


class Authority(SettingsSection):
    """The most that a role may grant alone."""

    amount: AmountText = Field(
        description="Above this amount a second person must approve.", examples=["100 GBP"]
    )


class Recourse(SettingsSection):
    """One outside body to which a complainant can turn (clause 7.9)."""

    body: str = Field(min_length=1, description="The name of the body.", examples=["Consumer ombudsman"])
    contact: str = Field(default="", description="How complainants can reach it.")
    limit: str = Field(
        default="",
        description="Until when a complainant can turn to it. A length of time is shown in the reader's language; "
        "other text is shown unchanged.",
        examples=["12 months"],
    )
    free: StrictBool = Field(default=True, description="Whether it is free for the complainant.")
    form: str = Field(
        default="", description="The link to its complaint form.", examples=["https://ombudsman.example/form"]
    )
    cost: str = Field(default="", description="What it charges if it is not free.", examples=["25 EUR"])


def known_evidence(kind: str) -> str:
    """Return the kind of evidence, or raise ValueError with those that exist."""
    if kind not in EVIDENCE:
        raise ValueError(f"{kind!r} is no kind of evidence; write one of {', '.join(EVIDENCE)}")
    return kind


EvidenceKind = Annotated[str, AfterValidator(known_evidence)]


class InvestigationSettings(SettingsSection):
    """The plan of one level of investigation, instead of the built-in one."""

    steps: tuple[EvidenceKind, ...] = Field(
        min_length=1,
        description="What is gathered; a decision warns while a step is open.",
        examples=[["complainant_heard", "records_checked", "similar_cases"]],
    )
    required: tuple[EvidenceKind, ...] = Field(
        default=(),
        description="What a decision cannot do without.",
        examples=[["complainant_heard", "records_checked"]],
    )


class DangerSettings(SettingsSection):
    """The organisation's own signs of danger, in addition to the built-in ones."""

    signs: tuple[str, ...] = Field(
        min_length=1,
        description="Words that show the danger, with any ending. Where they occur, this entry is used.",
        examples=[["smell of gas"]],
    )
    number: str | None = Field(
        default=None,
        description="The number to call; without it, the built-in one for this danger or the emergency number.",
        examples=["0800 111 999"],
    )
    text: dict[LanguageCode, str] = Field(
        default_factory=dict,
        description=(
            "The text that complainants get, by language; `{number}` is replaced by the number. "
            "In another language they get the built-in advice."
        ),
        examples=[{"en": "Leave now and call {number} from outside."}],
    )

    @field_validator("signs")
    @classmethod
    def _not_blank(cls, signs: tuple[str, ...]) -> tuple[str, ...]:
        if any(not sign.strip() for sign in signs):
            raise ValueError('a sign is empty; write words such as "smell of gas"')
        return signs


class Triage(SettingsSection):
    """How the model learns that proposes assessments (clause 7.5; docs/learning.md)."""

    retrain_after: int = Field(
        default=50, ge=0, description="A new model is trained after this many assessments; 0 turns this off."
    )
    retrain_at: ClockText = Field(
        default="03:00",
        description="The local time at which a new model is trained in each night after something changed; or "
        '"off". Erased texts are removed from the models in any case, at 03:00.',
        examples=["03:00"],
    )
    wanted_precision: float = Field(
        default=0.90,
        gt=0,
        lt=1,
        description='The share of correct proposals that is required, among those that do not say "not sure".',
    )
    alert_budget: float = Field(
        default=0.10,
        gt=0,
        le=0.5,
        description="The largest share of complaints for which the model may propose severity 4 or 5.",
    )
    encoder: Literal["auto", "none", "minilm", "e5"] = Field(
        default="auto",
        description="The text encoder for the next training; auto uses the installed one, if there is one.",
    )


#: Slack shows 100 choices in a menu; the others are for the categories of Amends.
MOST_CODES, MOST_CATEGORIES = 100, 80


class OwnCode(SettingsSection):
    """A code of the organisation's own, with its names."""

    key: str = Field(
        description="The code in the record, reports and examples. Never change it later.", examples=["leak"]
    )
    name: dict[LanguageCode, str] = Field(
        min_length=1,
        description="The name that people see, by language.",
        examples=[{"en": "Leak in the street", "tr": "Sokakta su kaçağı"}],
    )

    @field_validator("key")
    @classmethod
    def _code(cls, key: str) -> str:
        if not is_code(key):
            raise ValueError(
                f'{key!r} is not a code; write only small letters, digits and "_", such as "leak"'
            )
        return key

    @field_validator("name")
    @classmethod
    def _named(cls, name: dict[str, str]) -> dict[str, str]:
        if any(not text.strip() or len(text) > 75 or "{" in text or "}" in text for text in name.values()):
            raise ValueError('a name is 1 to 75 characters without braces, such as "Leak in the street"')
        return name


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

    customers: int | None = Field(
        default=None,
        ge=1,
        strict=True,
        description="How many customers or units it has now: reports then show complaints per 1,000 of them.",
        examples=[12000],
    )


class ProductSettings(_CountedCode):
    """A product or service that an assessment can name; reports compare them (docs/reports.md)."""

    key: str = Field(
        description="The code in the record and reports. Never change it later.", examples=["broadband"]
    )
    name: dict[LanguageCode, str] = Field(
        min_length=1,
        description="The name that staff see, by language.",
        examples=[{"en": "Broadband", "de": "Internetanschluss"}],
    )


class BranchSettings(_CountedCode):
    """A branch, site or team that an assessment can name; reports compare them (docs/reports.md)."""

    key: str = Field(
        description="The code in the record and reports. Never change it later.", examples=["harbour"]
    )
    name: dict[LanguageCode, str] = Field(
        min_length=1,
        description="The name that staff see, by language.",
        examples=[{"en": "Harbour Street", "de": "Hafenstraße"}],
    )


class OnCallSettings(SettingsSection):
    """The people who are alerted at signs of danger, and when."""

    hours: OnCallHoursText = Field(
        default="always", description='Hours as in the calendar, also past midnight; or "always".'
    )
    people: tuple[SlackPerson, ...] = Field(
        default=(), description="The Slack ids of these people.", examples=[["U0000002"]]
    )


class Privacy(SettingsSection):
    """The privacy notice for complainants, and how long files are kept."""

    notice: str = Field(default="", description="The address or the text of the privacy notice.")
    retention: RetentionText | None = Field(
        default=None,
        description='How long after closing a file is purged. "36 months from receipt" counts from receipt. '
        "If unset, files are kept.",
        examples=["72 months"],
    )
    purge: StrictBool = Field(
        default=False,
        description="Whether Amends purges automatically each day; if not, run `amends privacy purge`.",
    )


class WitnessSettings(SettingsSection):
    """A witness that cosigns the checkpoints: `amends witness` or any other of C2SP."""

    name: str = Field(description="Its name, as in its key.", examples=["audit.example"])
    url: Address = Field(
        description="Its address; checkpoints go to `add-checkpoint` there.",
        examples=["https://audit.example"],
    )
    key: str = Field(
        description="Its verifier key, which `amends witness` prints.",
        examples=["audit.example+3b8aa972+BHtXstgNlxG8YTEeHv0sd4C2xvNE4IaOyXZ+BG8ob/LJ"],
    )

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

    kind: str = Field(
        min_length=1, description="Which report, as in `amends report --help`.", examples=["monitoring"]
    )
    channel: SlackChannel = Field(description="The channel that gets it.", examples=["C0000004"])
    when: Literal["weekly", "monthly", "quarterly", "yearly"] = Field(
        default="monthly",
        description="The period. It is sent on the first working morning after each, once.",
    )


class ProofSettings(SettingsSection):
    """Where the signed checkpoints of the record go (docs/proof.md); name at least one place that you do not run."""

    every_minutes: int = Field(
        default=10, ge=1, le=1440, description="How often a checkpoint is made and sent, in minutes."
    )
    slack_channel: SlackChannel | None = Field(
        default=None, description="Gets a checkpoint each hour.", examples=["C0000004"]
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="Gets the newest checkpoint; the same name with `.history` gets each of them.",
        examples=["checkpoints/newest.txt"],
    )
    command: tuple[str, ...] = Field(
        default=(),
        description="A command with its arguments, run without a shell; gets each checkpoint on standard input, "
        "and has 30 s.",
        examples=[["/usr/local/bin/keep-checkpoint"]],
    )
    witnesses: tuple[WitnessSettings, ...] = Field(
        default=(), description="Witnesses, which cosign each checkpoint."
    )

    @field_validator("witnesses")
    @classmethod
    def _different_names(cls, witnesses: tuple[WitnessSettings, ...]) -> tuple[WitnessSettings, ...]:
        if len({witness.name for witness in witnesses}) < len(witnesses):
            raise ValueError("two witnesses have the same name; give each its own key and name")
        return witnesses


class Files(SettingsSection):
    """What happens to the files that complainants send."""

    scanner: str = Field(
        default="",
        description="A virus scanner that reads a file from its standard input: exit code 0 is clean, 1 is infected. "
        "An infected file is kept but not handed on. If empty, files are not scanned.",
        examples=["clamdscan -"],
    )

    @field_validator("scanner")
    @classmethod
    def _command(cls, command: str) -> str:
        try:
            shlex.split(command)
        except ValueError as wrong:
            raise ValueError(
                f'{command!r} is not a command ({wrong}); write one such as "clamdscan -"'
            ) from wrong
        return command


class SpeechSettings(SettingsSection):
    """A command that writes down recordings (docs/operations.md, "Recordings in words")."""

    command: tuple[str, ...] = Field(
        default=(),
        description="A command with its arguments, run without a shell. It gets the path of a recording as its "
        "last argument and prints the words. If empty, nothing is written down.",
        examples=[["/usr/local/bin/write-down"]],
    )
    timeout: int = Field(default=600, ge=1, le=7200, description="Stop the command after so many seconds.")
    max_minutes: int = Field(
        default=15, ge=1, le=240, description="Longer recordings are kept and not written down."
    )


class TranslatorSettings(SettingsSection):
    """A command or a service that translates complainants' words for staff (docs/operations.md, "Translations")."""

    command: tuple[str, ...] = Field(
        default=(),
        description="A command with its arguments, run without a shell; `{source}` and `{target}` become language "
        "codes. It reads the words from standard input and prints the translation.",
        examples=[["argos-translate", "--from-lang", "{source}", "--to-lang", "{target}"]],
    )
    url: Address | None = Field(
        default=None,
        description="Instead of a command, a service with LibreTranslate's API; words go to `translate` there. "
        "HTTPS, or on this machine.",
        examples=["https://translate.example"],
    )
    target: LanguageCode | None = Field(
        default=None,
        description="The language to translate into; if unset, `staff_language`.",
        examples=["en"],
    )
    reads: tuple[LanguageCode, ...] = Field(
        default=(),
        description="Further languages that all staff read: words in these are not translated.",
        examples=[["de"]],
    )
    timeout: int = Field(default=60, ge=1, le=600, description="Give up an attempt after so many seconds.")

    @model_validator(mode="after")
    def _command_or_service(self) -> TranslatorSettings:
        if self.command and self.url:
            raise ValueError("write a command or a url, not both")
        if self.url and not self.url.startswith("https://") and not is_loopback(self.url):
            raise ValueError(f"{self.url} would send words unencrypted; write an address with https://")
        return self


def require_whole_levels(
    levels: dict[str, tuple[LevelRole, ...]] | None,
) -> dict[str, tuple[LevelRole, ...]] | None:
    """Return the levels. Raises ValueError for gaps in their numbers and for levels without a role."""
    if not levels:
        return None
    if sorted(levels) != [str(number) for number in range(1, len(levels) + 1)]:
        raise ValueError(
            'levels are numbered from 1 without a gap; write 1 = ["handler", "manager"], then 2 = …'
        )
    if any(not roles for roles in levels.values()):
        raise ValueError(
            'at a level without roles no one can decide; write roles such as ["handler", "manager"]'
        )
    return levels


class Jurisdiction(SettingsSection):
    """A second country, named by its two letters. What is not set here is as in the rest of the file.

    Each complaint belongs to one jurisdiction and stays there. It can have its own tables calendar, targets,
    authority, recourse, danger and privacy.
    """

    region: str | None = Field(
        default=None, description="Part of the country, if it has its own public holidays."
    )
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
    calendar: CalendarSettings | None = Field(default=None, description="Its opening hours and days off.")
    targets: TargetsSettings | None = Field(default=None, description="Its deadlines.")
    levels: dict[str, tuple[LevelRole, ...]] | None = Field(
        default=None,
        description="The roles that may decide at each level.",
        examples=[{"1": ["handler", "manager"]}],
    )
    authority: dict[LevelRole, Authority] | None = Field(
        default=None, description="The amounts that roles may grant alone, in its currency."
    )
    recourse: tuple[Recourse, ...] | None = Field(default=None, description="Its outside bodies.")
    danger: tuple[DangerSettings, ...] | None = Field(default=None, description="Its own signs of danger.")
    privacy: Privacy | None = Field(default=None, description="Its privacy notice and retention.")

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str | None) -> str | None:
        return name if name is None else known_preset(name)

    _require_whole_levels = field_validator("levels")(require_whole_levels)


def require_few_categories(categories: tuple[OwnCategory, ...]) -> tuple[OwnCategory, ...]:
    """Raise ValueError for more than fit into a menu of Slack, together with those of Amends."""
    if len(categories) > MOST_CATEGORIES:
        raise ValueError(
            f"{len(categories)} are too many: a menu of Slack shows at most {MOST_CATEGORIES} of yours"
        )
    return categories


def require_menu_size(codes: tuple[OwnCode, ...]) -> tuple[OwnCode, ...]:
    """Raise ValueError for more than a menu of Slack shows."""
    if len(codes) > MOST_CODES:
        raise ValueError(f"{len(codes)} are too many: a menu of Slack shows at most {MOST_CODES}")
    return codes
