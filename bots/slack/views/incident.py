"""The card of an incident, its forms, and the preview of an update to all; never a complainant's words."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    SlackMessage,
    actions,
    button,
    context,
    divider,
    escaped,
    fields,
    header,
    mention,
    plain_sections,
    section,
)
from bots.slack.client.new_blocks import alerts
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import input_block
from bots.slack.views.forms import View, metadata, modal
from complaints.batches.batch import TAKEN_BACK, Audience
from complaints.batches.incident_decision import IncidentDecision
from complaints.case import Case
from complaints.incidents import Incident, fields_of
from complaints.vocabulary import UNDECIDED, State
from store.cases.batches import BatchDelivery

#: The buttons of an open incident: the action id is `incident.<verb>`, the value the incident's number.
INCIDENT_BUTTONS = ("update", "decide", "join", "edit", "end")
#: So many references are named; the others are only counted.
MAX_NAMED = 20
#: With these reasons not even the reference is shown in the triage channel.
HIDDEN_REASONS = frozenset({"restricted", "not_open"})
#: Choices of the form from a complaint's card, in addition to the open incidents.
NEW, LEAVE = "new", "leave"
#: Slack allows 100 entries in a menu; a person cannot distinguish more than 50 incidents.
MAX_OFFERED = 50


@dataclass(frozen=True)
class IncidentStatus:
    """The complaints of an incident by state, and each delivery of the last update."""

    counts: Mapping[str, int]
    deliveries: Sequence[BatchDelivery] = ()
    #: The last decision on all, what became of it in each complaint, and the replies to decisions.
    decision: IncidentDecision | None = None
    decided: Sequence[BatchDelivery] = ()
    replies: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        """Some letter of the last update or decision is on its way."""
        agreed = self.decision is not None and self.decision.agreed
        letters = (*self.deliveries, *(self.decided if agreed else ()))
        return any(delivery.state == "waiting" for delivery in letters)

    @property
    def number_decided(self) -> int:
        return sum(delivery.is_recorded for delivery in self.decided)

    @property
    def all_decided(self) -> bool:
        """An approved decision is recorded in each complaint, or left to a person there."""
        agreed = self.decision is not None and self.decision.agreed
        open_acts = any(delivery.state == "waiting" and not delivery.is_recorded for delivery in self.decided)
        return bool(agreed) and not open_acts


def incident_card(
    incident: Incident, status: IncidentStatus, texts: StaffTexts, *, zone: str, draw: int
) -> SlackMessage:
    """The card as the record is now; `draw` counts the drawings of this post."""
    title = incident_headline(incident, texts)
    blocks: list[Block] = [header(title), fields(_fields(incident, status, texts, zone))]
    line = incident.line_in(texts.language)
    blocks.append(
        section(f"*{texts.text('incident.line')}*\n{escaped(line) or texts.text('incident.no_line')}")
    )
    states = [
        f"{texts.text(f'state.{state.value}')} {status.counts[state.value]}"
        for state in State
        if status.counts.get(state.value)
    ]
    states += [
        f"{texts.text(f'incident.{reply}')} {status.replies[reply]}"
        for reply in ("accept", "disagree")
        if status.replies.get(reply)
    ]
    if states:
        blocks.append(context(" · ".join(states)))
    blocks += _last_update(incident, status, texts, zone)
    blocks += _last_decision(status, texts)
    if incident.is_open or any(status.counts.get(state.value) for state in UNDECIDED):
        blocks.append(_buttons(incident, status.decision, texts, draw))
    count = texts.text("incident.cases", number=sum(status.counts.values()))
    return SlackMessage(f"{escaped(title)}. {count}", blocks)


def incident_headline(incident: Incident, texts: StaffTexts) -> str:
    name = texts.text("incident.number", number=incident.id)
    if not incident.is_open:
        name = f"{name} · {texts.text('incident.ended')}"
    return f"{name} · {incident.what}" if incident.what else name


def _fields(incident: Incident, status: IncidentStatus, texts: StaffTexts, zone: str) -> list[str]:
    rows = [
        ("incident.complaints", str(sum(status.counts.values()))),
        ("card.owner", mention(incident.owner) if incident.owner else texts.text("card.no_owner")),
        ("incident.began", texts.moment(incident.started_at, zone)),
    ]
    if incident.ended_at is not None:
        rows.append(("incident.ended", texts.moment(incident.ended_at, zone)))
    if incident.area:
        rows.append(("incident.area", escaped(incident.area, 200)))
    return [f"*{texts.text(label)}*\n{value}" for label, value in rows]


def _last_update(incident: Incident, status: IncidentStatus, texts: StaffTexts, zone: str) -> list[Block]:
    if incident.updated_at is None:
        return [context(texts.text("incident.no_update"))]
    when, how = texts.moment(incident.updated_at, zone), _delivery_counts(status.deliveries, texts)
    blocks = [section(texts.text("incident.updated", when=when, how=how))]
    left_out = [delivery for delivery in status.deliveries if delivery.state == "left_out"]
    if left_out:
        refs = _left_out_refs(left_out, texts)
        blocks.append(context(texts.text("incident.left_out", refs=refs)))
    return blocks


def _last_decision(status: IncidentStatus, texts: StaffTexts) -> list[Block]:
    """The decision on all: that it waits, was sent back, or how far it is; and who is left to a person."""
    decision = status.decision
    if decision is None:
        return []
    who, number = mention(decision.by), decision.number
    if decision.agreed is None:
        return [section(texts.count("incident.decision_waits", number, who=who))]
    by = mention(decision.answered_by or "")
    if not decision.agreed:
        return [context(texts.text("incident.decision_returned", who=who, by=by))]
    how = _delivery_counts([delivery for delivery in status.decided if delivery.is_recorded], texts)
    text = texts.text("incident.decided", done=status.number_decided, total=number, who=who, by=by, how=how)
    left_out = [delivery for delivery in status.decided if delivery.state == "left_out"]
    return [section(text), *left_to_person(left_out, texts)]


def left_to_person(
    left_out: Sequence[BatchDelivery], texts: StaffTexts, text_id: str = "incident.left_to_person"
) -> list[Block]:
    """`12 left to a person: ` and each reason with its number, and the references that may be shown."""
    if not left_out:
        return []
    named = 0
    parts = []
    for reason, number in Counter(str(delivery.reason) for delivery in left_out).most_common():
        refs = [delivery.ref for delivery in left_out if delivery.reason == reason][: MAX_NAMED - named]
        refs = [] if _is_hidden(reason, texts) else refs
        named += len(refs)
        more = ["…"] if refs and number > len(refs) else []
        references = f" ({', '.join([*refs, *more])})" if refs else ""
        parts.append(f"{texts.text(f'left_out.{reason}')} {number}{references}")
    text = texts.count(text_id, len(left_out), reasons="; ".join(parts))
    return [context(text)]


def _is_hidden(reason: str, texts: StaffTexts) -> bool:
    """True for a reason that says too much about a complaint; one of a newer release may do so."""
    return reason in HIDDEN_REASONS or not texts.catalogue.has(f"left_out.{reason}")


def _delivery_counts(deliveries: Sequence[BatchDelivery], texts: StaffTexts) -> str:
    """`sent 47, waiting 2, failed 1 (blocked)`."""
    counts = Counter(delivery.state for delivery in deliveries)
    parts = [texts.text(f"incident.{state}", number=counts[state]) for state in ("sent", "waiting")]
    parts += [texts.text("incident.taken_back", number=counts[TAKEN_BACK])] if counts[TAKEN_BACK] else []
    if counts["failed"]:
        reasons = {str(delivery.reason) for delivery in deliveries if delivery.state == "failed"}
        why = ", ".join(escaped(reason, 40) for reason in sorted(reasons))
        parts.append(f"{texts.text('incident.failed', number=counts['failed'])} ({why})")
    return ", ".join(parts)


def taken_back_text(number: int, too_late: int, texts: StaffTexts) -> str:
    """`47 letters are taken back and were not sent. It was too late for 3 letters.`"""
    lines = [texts.count("bulk.taken_back", number)]
    lines += [texts.count("bulk.too_late", too_late)] if too_late else []
    return " ".join(lines)


def _left_out_refs(left_out: Sequence[BatchDelivery], texts: StaffTexts) -> str:
    """`A7K-M3Q-9T (a matter of its own), 2 more that are not shown here`."""
    visible = [delivery for delivery in left_out if not _is_hidden(str(delivery.reason), texts)]
    parts = [
        f"{delivery.ref} ({texts.text(f'left_out.{delivery.reason}')})" for delivery in visible[:MAX_NAMED]
    ]
    rest = len(left_out) - len(parts)
    return ", ".join([*parts, *([texts.text("incident.more", number=rest)] if rest else [])])


def _buttons(incident: Incident, decision: IncidentDecision | None, texts: StaffTexts, draw: int) -> Block:
    """After the end only the decision is left; while it waits, it is approved instead of made."""
    waits = decision is not None and decision.waits
    verbs = [verb for verb in INCIDENT_BUTTONS if incident.is_open or verb == "decide"]
    verbs = ["approve" if verb == "decide" and waits else verb for verb in verbs]
    row = [
        button(
            texts.text(f"incident.verb.{verb}"),
            f"incident.{verb}",
            str(incident.id),
            style="primary" if verb == ("approve" if waits else "update") else None,
        )
        for verb in verbs
    ]
    return actions(f"incident:{incident.version}.{draw}", row)


def incident_case_view(
    case: Case, incidents: Sequence[Incident], languages: Sequence[str], texts: StaffTexts, *, now: datetime
) -> View:
    """From a complaint's card: open an incident, join an open one, or leave the one that it belongs to."""
    if case.incident is not None:
        leave = ((LEAVE, texts.text("incident.leave", number=case.incident)),)
        blocks = [_input("incident", "which", languages, texts, initial=LEAVE, choices=leave)]
    else:
        choices = (
            (NEW, texts.text("incident.new")),
            *((str(incident.id), incident_headline(incident, texts)) for incident in incidents[:MAX_OFFERED]),
        )
        only = None if incidents else NEW
        blocks = [_input("incident", "which", languages, texts, choices=choices, initial=only)]
        blocks.append(context(texts.text("incident.hint")))
        initial = {"started_at": int(case.received_at.timestamp()) // 60 * 60}
        blocks += incident_inputs(
            "incident", languages, texts, initial, without=("which",), optional=bool(incidents)
        )
    stored = metadata(case.ref, case.work_version)
    return modal(texts, "incident", stored, blocks, title="verb.incident", submit="modal.save")


def incident_edit_view(incident: Incident, languages: Sequence[str], texts: StaffTexts) -> View:
    initial: dict[str, Any] = {
        "what": incident.what,
        "area": incident.area,
        "started_at": int(incident.started_at.timestamp()),
        "owner": incident.owner,
    }
    initial |= {f"line.{language}": text for language, text in incident.line.items()}
    initial |= {f"signs.{language}": ", ".join(words) for language, words in incident.words.items()}
    blocks = incident_inputs("incident_edit", languages, texts, initial)
    return incident_view(incident, "edit", blocks, texts)


def incident_join_view(incident: Incident, texts: StaffTexts) -> View:
    return incident_view(incident, "join", incident_inputs("incident_join", (), texts, {}), texts)


def incident_end_view(incident: Incident, texts: StaffTexts, *, now: datetime) -> View:
    initial = {"ended_at": int(now.timestamp()) // 60 * 60}
    return incident_view(incident, "end", incident_inputs("incident_end", (), texts, initial), texts)


def incident_update_view(
    incident: Incident,
    audience: Audience,
    languages: Sequence[str],
    texts: StaffTexts,
    initial: Mapping[str, str],
) -> View:
    """The text to all in each language of a reader, first in the staff's own; `initial` was typed before."""
    blocks: list[Block] = [section(texts.count("incident.reaches", len(audience.to)))]
    blocks += _left_out(audience, texts)
    blocks += incident_inputs("incident_update", languages, texts, initial)
    return incident_view(incident, "update", blocks, texts, submit="modal.preview")


def incident_preview_view(
    incident: Incident,
    audience: Audience,
    samples: Mapping[str, str],
    draft: str,
    texts: StaffTexts,
    *,
    foreign: Sequence[str] = (),
    leaves_at: str | None = None,
    warnings: str = "",
) -> View:
    """The exact letter in each language, how many get it, and which complaints are left out.

    `foreign` are the languages of those who get it in another one, one for each person: that must be confirmed.
    """
    others = Counter(foreign).items()
    lines = [
        texts.count("incident.other_language", number, name=language_name(language, texts))
        for language, number in others
    ]
    warnings = "\n".join([*(f":warning: {line}" for line in lines), warnings]).strip()
    blocks = alerts(warnings)
    blocks.append(section(texts.count("incident.reaches", len(audience.to))))
    for language, letter in samples.items():
        number = sum(language == case.written_language for case in audience.to)
        name = language_name(language, texts)
        blocks.append(section(texts.text("incident.sample", name=name, number=number)))
        blocks += plain_sections(letter)
    blocks.append(divider())
    blocks += _left_out(audience, texts)
    if leaves_at is not None:
        blocks.append(context(texts.text("preview.leaves_at", when=leaves_at)))
    form, stored = "incident_update_preview", incident_metadata(incident, draft=draft)
    tick = incident_inputs(form, (), texts, {}) if foreign else []
    return modal(
        texts, form, stored, [*blocks[: MODAL_BLOCKS - len(tick)], *tick],
        title="incident.verb.update", submit="preview.send_anyway" if warnings else "preview.send",
        close="preview.back",
    )  # fmt: skip


def languages_of(audience: Audience, texts: StaffTexts) -> tuple[str, ...]:
    """The staff's language, then the other languages of the readers."""
    others = (language for language in audience.languages if language != texts.language)
    return (texts.language, *others)


def language_name(language: str, texts: StaffTexts) -> str:
    return texts.catalogue.language_name(language, texts.language)


def _left_out(audience: Audience, texts: StaffTexts) -> list[Block]:
    if not audience.left_out:
        return []
    return [context(texts.text("incident.left_out", refs=_left_out_refs(as_deliveries(audience), texts)))]


def as_deliveries(audience: Audience) -> list[BatchDelivery]:
    """Those left out, as the batch records them."""
    return [BatchDelivery(case.ref, "left_out", reason) for case, reason in audience.left_out]


def incident_metadata(incident: Incident, **more: Any) -> str:
    return json.dumps({"incident": incident.id, "version": incident.version, **more}, separators=(",", ":"))


def incident_view(
    incident: Incident, verb: str, blocks: list[Block], texts: StaffTexts, *, submit: str = "modal.save"
) -> View:
    name, title = f"incident_{verb}", f"incident.verb.{verb}"
    return modal(texts, name, incident_metadata(incident), blocks, title=title, submit=submit)


def incident_inputs(
    form: str,
    languages: Sequence[str],
    texts: StaffTexts,
    initial: Mapping[str, Any],
    *,
    without: Sequence[str] = (),
    optional: bool = False,
    choices: Mapping[str, tuple[tuple[str, str], ...]] | None = None,
) -> list[Block]:
    names = [entry.name for entry in fields_of(form, languages) if entry.name not in without]
    return [
        _input(
            form,
            name,
            languages,
            texts,
            initial=initial.get(name),
            optional=optional,
            choices=(choices or {}).get(name),
        )
        for name in names
    ]


def _input(
    form: str,
    name: str,
    languages: Sequence[str],
    texts: StaffTexts,
    *,
    initial: Any = None,
    choices: tuple[tuple[str, str], ...] | None = None,
    optional: bool = False,
) -> Block:
    entry = next(entry for entry in fields_of(form, languages) if entry.name == name)
    kind, _, language = name.partition(".")
    label_fields = {"name": language_name(language, texts)} if language else {}
    is_of_case = form in ("incident_decide", "incident_update_preview") and not language
    return input_block(
        form,
        entry,
        name,
        texts,
        # What every decision and letter asks is asked in the same words here.
        label=None if is_of_case else texts.text(f"incident.field.{kind}", **label_fields),
        initial=initial,
        choices=choices,
        required=False if optional else None,
    )
