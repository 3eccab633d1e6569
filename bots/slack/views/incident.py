"""The forms of an incident: open, join, leave, change and end it; never a complainant's words."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.slack.client.block_kit import Block, context
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import input_block
from bots.slack.views.forms import View, metadata, modal
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


def incident_view(
    incident: Incident, verb: str, blocks: list[Block], texts: StaffTexts, *, submit: str = "modal.save"
) -> View:
    stored = json.dumps({"incident": incident.id, "version": incident.version}, separators=(",", ":"))
    title = f"incident.verb.{verb}"
    return modal(texts, f"incident_{verb}", stored, blocks, title=title, submit=submit)


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
    label_fields = {"name": texts.language_name(language)} if language else {}
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
