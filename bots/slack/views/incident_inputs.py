"""The forms of an incident: open, join, leave, change and end it; never a complainant's words."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bots.slack.client.block_kit import Block, context
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import input_blocks, minute_of
from bots.slack.views.form_modals import View, metadata, modal
from complaints.case import Case
from complaints.incidents import Incident, fields_of

#: Choices of the form from a complaint's card, in addition to the open incidents.
NEW, LEAVE = "new", "leave"
#: Slack allows 100 entries in a menu; a person cannot distinguish more than 50 incidents.
MAX_OFFERED = 50


def incident_headline(incident: Incident, texts: StaffTexts) -> str:
    name = texts.text("incident.number", number=incident.id)
    if not incident.is_open:
        name = f"{name} · {texts.text('incident.ended')}"
    return f"{name} · {incident.what}" if incident.what else name


def incident_case_view(
    case: Case, incidents: Sequence[Incident], languages: Sequence[str], texts: StaffTexts
) -> View:
    """From a complaint's card: open an incident, join an open one, or leave the one that it belongs to."""
    offered = [(NEW, texts.text("incident.new"))]
    offered += [
        (str(incident.id), incident_headline(incident, texts)) for incident in incidents[:MAX_OFFERED]
    ]
    initial = {"which": None if incidents else NEW, "started_at": minute_of(case.received_at)}
    if case.incident is not None:
        offered = [(LEAVE, texts.text("incident.leave", number=case.incident))]
        initial = {"which": LEAVE}
    fields = fields_of("incident", languages)
    if incidents:
        fields = tuple(replace(entry, required=entry.name == "which") for entry in fields)
    which, *about_new = input_blocks(fields, texts, initial, {"which": tuple(offered)})
    blocks = [which]
    if case.incident is None:
        blocks += [context(texts.text("incident.hint")), *about_new]
    stored = metadata(case.ref, case.work_version)
    return modal(texts, "incident", stored, blocks, title="verb.incident", submit="modal.save")


def values_of_incident(incident: Incident) -> dict[str, Any]:
    """The values of its fields, as the form starts with them."""
    values: dict[str, Any] = {
        "what": incident.what,
        "area": incident.area,
        "started_at": int(incident.started_at.timestamp()),
        "owner": incident.owner,
    }
    values |= {f"line.{language}": text for language, text in incident.line.items()}
    return values | {f"signs.{language}": ", ".join(words) for language, words in incident.words.items()}


def incident_view(
    incident: Incident, verb: str, blocks: list[Block], texts: StaffTexts, *, submit: str = "modal.save"
) -> View:
    stored = json.dumps({"incident": incident.id, "version": incident.version}, separators=(",", ":"))
    title = f"incident.verb.{verb}"
    return modal(texts, f"incident_{verb}", stored, blocks, title=title, submit=submit)
