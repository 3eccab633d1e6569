"""The form of one decision on all complaints of an incident, its preview, and what the second person sees."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    SlackMessage,
    actions,
    button,
    divider,
    escaped,
    mention,
    plain_sections,
    section,
)
from bots.slack.client.new_blocks import alerts
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import input_block
from bots.slack.views.forms import View, modal
from bots.slack.views.incident import (
    IncidentStatus,
    as_deliveries,
    incident_inputs,
    incident_metadata,
    incident_view,
    language_name,
    left_to_person,
)
from bots.texts.texts import currency_of
from complaints.batches.batch import Audience
from complaints.batches.incident_decision import IncidentDecision
from complaints.case import Case
from complaints.forms import FORMS
from complaints.incidents import Incident
from complaints.rulebook import Rulebook, categories_of
from complaints.vocabulary import RESTRICTING, CauseClass


@dataclass(frozen=True)
class DecisionPreview:
    """What a decision would do now: who gets it, and some letters exactly as they leave."""

    decision: IncidentDecision
    audience: Audience
    letters: Sequence[tuple[Case, str]]


def incident_decide_view(
    incident: Incident,
    audience: Audience,
    last: IncidentDecision | None,
    rules: Rulebook,
    texts: StaffTexts,
) -> View:
    """The form, filled in with what was sent back, otherwise with what most of the complaints have."""
    blocks: list[Block] = [section(texts.count("incident.decides", len(audience.to)))]
    blocks += left_to_person(as_deliveries(audience), texts)
    sent_back = last if last is not None and last.agreed is False else None
    if sent_back is not None:
        who, reason = mention(sent_back.answered_by or ""), escaped(sent_back.reason, 2000)
        blocks.insert(0, section(texts.text("incident.returned_why", who=who, reason=reason)))
    initial = (
        {**sent_back.facts, **sent_back.words} if sent_back else _usual(incident, audience, rules, texts)
    )
    codes = [code for code in categories_of(rules) if code not in RESTRICTING]
    categories = tuple((code, texts.text(f"category.{code}")) for code in codes)
    choices = {"category": categories}
    blocks += incident_inputs("incident_decide", audience.languages, texts, initial, choices=choices)
    return incident_view(incident, "decide", blocks, texts, submit="modal.preview")


def _usual(incident: Incident, audience: Audience, rules: Rulebook, texts: StaffTexts) -> dict[str, Any]:
    categories = Counter(case.category for case in audience.to if case.category).most_common(1)
    return {
        "category": categories[0][0] if categories else None,
        "severity": min(3, max((case.severity for case in audience.to), default=2)),
        "reach": 3,
        "currency": currency_of(rules.country),
        "root_cause": incident.what,
        "cause_class": CauseClass.RECURRING.value,
        "others_action": texts.text("incident.others_action", incident=incident.id),
    }


def decision_preview_view(
    incident: Incident, preview: DecisionPreview, draft: str, texts: StaffTexts, warnings: str = ""
) -> View:
    """How many get it, who is left to a person, and sample letters; submitting asks a second person."""
    blocks = [*alerts(warnings), *_preview_blocks(preview, texts)]
    return modal(
        texts, "incident_decide_preview", incident_metadata(incident, draft=draft), blocks[:MODAL_BLOCKS],
        title="incident.verb.decide", submit="preview.ask_approval", close="preview.back",
    )  # fmt: skip


def incident_approve_view(incident: Incident, preview: DecisionPreview, texts: StaffTexts) -> View:
    """The same preview for the second person, who agrees or says why not."""
    answer = [input_block("approve", entry, entry.name, texts) for entry in FORMS["approve"]]
    asks = texts.text("incident.asks_approval", who=mention(preview.decision.by))
    blocks = [section(asks), *_preview_blocks(preview, texts)]
    return incident_view(incident, "approve", [*blocks[: MODAL_BLOCKS - len(answer)], *answer], texts)


def _preview_blocks(preview: DecisionPreview, texts: StaffTexts) -> list[Block]:
    audience, decision = preview.audience, preview.decision
    number = len(audience.to)
    blocks: list[Block] = [section(texts.count("incident.decides", number))]
    if decision.grant is not None:
        amount, currency = decision.grant
        total = f"{Decimal(amount) * number:.2f}"
        text = texts.text("incident.each_gets", amount=amount, currency=escaped(currency), total=total)
        blocks.append(section(text))
    blocks += left_to_person(as_deliveries(audience), texts)
    for case, letter in preview.letters:
        blocks.append(divider())
        name = language_name(case.language, texts)
        blocks.append(section(texts.text("incident.letter_to", ref=case.ref, name=name)))
        blocks += plain_sections(letter)
    return blocks


def decision_notice(
    incident: Incident, about: str, status: IncidentStatus, texts: StaffTexts
) -> SlackMessage:
    """A direct message: approve it, it was sent back, or all complaints are decided."""
    decision = status.decision
    if decision is None:
        raise ValueError("a notice is about a decision")
    who = mention(decision.by)
    by = mention(decision.answered_by) if decision.answered_by else ""
    if about == "approve":
        text = texts.count("incident.dm.approve", decision.number, who=who, incident=incident.id)
        verb = "approve"
    elif about == "returned":
        text, verb = texts.text("incident.dm.returned", by=by, incident=incident.id), "decide"
    else:
        fields = {"done": status.number_decided, "total": decision.number, "incident": incident.id}
        left_out = [delivery for delivery in status.decided if delivery.state == "left_out"]
        text = texts.text("incident.dm.decided", **fields)
        return SlackMessage(text, [section(text), *left_to_person(left_out, texts)])
    press = button(texts.text(f"incident.verb.{verb}"), f"incident.{verb}", str(incident.id), style="primary")
    row = actions(f"incident:{incident.version}.0", [press])
    return SlackMessage(text, [section(text), row])
