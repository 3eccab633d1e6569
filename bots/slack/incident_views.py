"""The forms of an incident and the preview of an update to all, made from the table of fields in the rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.core import Locale

from bots.slack.blocks import MODAL_BLOCKS, Block, context, divider, pieces, plain, said, section
from bots.slack.incident_card import headline, left_out_words
from bots.slack.inputs import input_block
from bots.slack.modals import View, metadata
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.incidents import Incident, fields_of
from store.cases.incident_updates import Audience, UpdateDelivery

NEW, LEAVE = "new", "leave"
#: A menu of Slack has a hundred entries; more open incidents than this nobody keeps apart.
MOST_OFFERED = 50


@dataclass(frozen=True)
class IncidentMeta:
    """The private_metadata of an incident's view."""

    incident: int
    version: int
    draft: str | None = None


def read_incident_meta(view: Mapping[str, Any]) -> IncidentMeta:
    """Read it back."""
    known = json.loads(view.get("private_metadata") or "{}")
    return IncidentMeta(int(known.get("incident", 0)), int(known.get("version", 0)), known.get("draft"))


def case_view(
    case: Case, incidents: Sequence[Incident], languages: Sequence[str], voice: Voice, *, now: datetime
) -> View:
    """From a complaint's card: open an incident, join an open one, or leave the one that it belongs to."""
    mine = case.incident
    if mine is not None:
        leave: tuple[tuple[str, str], ...] = ((LEAVE, voice.say("incident.leave", number=mine)),)
        return _view(
            "incident",
            voice.say("verb.incident"),
            metadata(case.ref, case.work_version),
            [_input("incident", "which", languages, voice, initial=LEAVE, choices=leave)],
            voice,
        )
    choices: tuple[tuple[str, str], ...] = ((NEW, voice.say("incident.new")),)
    choices += tuple((str(one.id), headline(one, voice)) for one in incidents[:MOST_OFFERED])
    blocks = [
        _input("incident", "which", languages, voice, choices=choices, initial=None if incidents else NEW)
    ]
    blocks.append(context(voice.say("incident.hint")))
    initial = {"started_at": int(case.received_at.timestamp()) // 60 * 60}
    blocks += _inputs("incident", languages, voice, initial, without=("which",), optional=True)
    title = voice.say("verb.incident")
    return _view("incident", title, metadata(case.ref, case.work_version), blocks, voice)


def edit_view(incident: Incident, languages: Sequence[str], voice: Voice) -> View:
    """What staff say about it, as it stands."""
    initial: dict[str, Any] = {
        "what": incident.what,
        "area": incident.area,
        "started_at": int(incident.started_at.timestamp()),
        "owner": incident.owner,
    }
    initial |= {f"line.{one}": text for one, text in incident.line.items()}
    initial |= {f"signs.{one}": ", ".join(words) for one, words in incident.words.items()}
    blocks = _inputs("incident_edit", languages, voice, initial)
    return _of(incident, "edit", blocks, voice)


def join_view(incident: Incident, voice: Voice) -> View:
    """Another complaint by its reference."""
    return _of(incident, "join", _inputs("incident_join", (), voice, {}), voice)


def end_view(incident: Incident, voice: Voice, *, now: datetime) -> View:
    """When it was over."""
    initial = {"ended_at": int(now.timestamp()) // 60 * 60}
    return _of(incident, "end", _inputs("incident_end", (), voice, initial), voice)


def update_view(incident: Incident, told: Audience, languages: Sequence[str], voice: Voice) -> View:
    """The text to all, one of each language that somebody of them reads; the first is the staff's own."""
    blocks: list[Block] = [section(voice.count("incident.reaches", len(told.to)))]
    blocks += _left_out(told, voice)
    blocks += _inputs("incident_update", languages, voice, {})
    return _of(incident, "update", blocks, voice, submit="modal.preview")


def preview_view(
    incident: Incident,
    told: Audience,
    samples: Mapping[str, str],
    draft: str,
    voice: Voice,
    *,
    leaves_at: str | None = None,
) -> View:
    """Exactly what one of each language gets, how many get it, and who is left out for a person."""
    blocks: list[Block] = [section(voice.count("incident.reaches", len(told.to)))]
    for language, letter in samples.items():
        number = sum(one.language == language for one in told.to)
        name = language_name(language, voice)
        blocks.append(section(voice.say("incident.sample", name=name, number=number)))
        blocks += [said(one) for one in pieces(letter)]
    blocks.append(divider())
    blocks += _left_out(told, voice)
    if leaves_at is not None:
        blocks.append(context(voice.say("preview.leaves_at", when=leaves_at)))
    meta = json.dumps(
        {"incident": incident.id, "version": incident.version, "draft": draft}, separators=(",", ":")
    )
    view = _view("incident_update_preview", voice.say("incident.verb.update"), meta, blocks, voice)
    return {
        **view,
        "blocks": blocks[:MODAL_BLOCKS],
        "submit": plain(voice.say("preview.send"), 24),
        "close": plain(voice.say("preview.back"), 24),
    }


def languages_of(told: Audience, voice: Voice) -> tuple[str, ...]:
    """The staff's language, then every other in which somebody is told."""
    return (voice.language, *(one for one in told.languages if one != voice.language))


def language_name(language: str, voice: Voice) -> str:
    """A language as the staff call it."""
    locale = Locale.parse(language.replace("-", "_"))
    return str(locale.get_display_name(voice.language.replace("-", "_")) or language)


def _left_out(told: Audience, voice: Voice) -> list[Block]:
    if not told.left_out:
        return []
    left = [UpdateDelivery(case.ref, "left_out", why) for case, why in told.left_out]
    return [context(voice.say("incident.left_out", refs=left_out_words(left, voice)))]


def _of(
    incident: Incident, verb: str, blocks: list[Block], voice: Voice, *, submit: str = "modal.save"
) -> View:
    meta = json.dumps({"incident": incident.id, "version": incident.version}, separators=(",", ":"))
    view = _view(f"incident_{verb}", voice.say(f"incident.verb.{verb}"), meta, blocks, voice)
    return {**view, "submit": plain(voice.say(submit), 24)}


def _view(callback: str, title: str, meta: str, blocks: list[Block], voice: Voice) -> View:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": meta,
        "title": plain(title, 24),
        "submit": plain(voice.say("modal.save"), 24),
        "close": plain(voice.say("modal.cancel"), 24),
        "blocks": blocks,
    }


def _inputs(
    form: str,
    languages: Sequence[str],
    voice: Voice,
    initial: Mapping[str, Any],
    *,
    without: Sequence[str] = (),
    optional: bool = False,
) -> list[Block]:
    return [
        _input(form, one.name, languages, voice, initial=initial.get(one.name), optional=optional)
        for one in fields_of(form, languages)
        if one.name not in without
    ]


def _input(
    form: str,
    name: str,
    languages: Sequence[str],
    voice: Voice,
    *,
    initial: Any = None,
    choices: tuple[tuple[str, str], ...] | None = None,
    optional: bool = False,
) -> Block:
    field = next(one for one in fields_of(form, languages) if one.name == name)
    kind, _, language = name.partition(".")
    named = {"name": language_name(language, voice)} if language else {}
    label = voice.say(f"incident.field.{kind}", **named)
    return input_block(
        form,
        field,
        name,
        voice,
        label=label,
        initial=initial,
        choices=choices,
        required=False if optional else None,
    )
