"""The dates explained: every version of every date with its steps; never a complainant's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    VIEW_BYTES,
    Block,
    escaped,
    header,
    mention,
    pages,
    paragraphs,
    plain,
    section,
)
from bots.slack.texts import StaffTexts
from bots.slack.views.card import headline
from bots.slack.views.forms import View, metadata, page_buttons
from complaints.actors import MODEL_ID, SYSTEM_ID
from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import DueStep
from complaints.deadlines.explanation import explanation_steps, targets_in_order
from complaints.vocabulary import Role

#: The rest of the view is for the headline and the page buttons.
_PER_PAGE = MODAL_BLOCKS - 4
_NOT_STAFF = frozenset({SYSTEM_ID, MODEL_ID, Role.COMPLAINANT.value})


def dates_view(
    case: Case, events: Sequence[Event], texts: StaffTexts, *, now: datetime, page: int = 0
) -> View:
    """One page of the dates: first the open ones, then those that were met or replaced.

    `events` have no words: the reason of an extension is shown in the opened complaint.
    """
    body = pages(list(_body(case, events, texts, now)), _PER_PAGE, VIEW_BYTES)
    page = max(0, min(page, len(body) - 1))
    blocks = [header(headline(case, texts)), *body[page]]
    if len(body) > 1:
        blocks.append(page_buttons("due", case.ref, page, len(body), texts))
    return {
        "type": "modal",
        "callback_id": "due",
        "private_metadata": metadata(case.ref, case.work_version, page=page),
        "title": plain(texts.text("verb.due"), 24),
        "close": plain(texts.text("modal.close"), 24),
        "blocks": blocks,
    }


def _body(case: Case, events: Sequence[Event], texts: StaffTexts, now: datetime) -> Iterator[Block]:
    # A stable sort: open dates first, each part in the order of the explanation.
    for target in sorted(targets_in_order(case), key=lambda target: not _is_open(case, target)):
        lines = [f"*{_title(case, target, texts, now)}*"]
        lines += [f"• {_sentence(step, texts)}" for step in explanation_steps(case, target, events)]
        yield from (section(paragraph) for paragraph in paragraphs(lines))


def _is_open(case: Case, target: TargetSet) -> bool:
    return target.met_at is None and case.target(target.target, target.of) == target


def _title(case: Case, target: TargetSet, texts: StaffTexts, now: datetime) -> str:
    if _is_open(case, target):
        return texts.target_due(target, case, now)
    zone = case.rules.calendar.zone
    name, when = texts.text(f"target.{target.target.value}"), texts.due_time(target.internal_due, zone)
    if target.met_at is not None:
        return texts.text("due.met", target=name, when=when, met=texts.moment(target.met_at, zone))
    return texts.text("due.superseded", target=name, when=when, version=target.version)


def _sentence(step: DueStep, texts: StaffTexts) -> str:
    moment = texts.closing_with_year if step.code == "closing" else texts.moment_with_year
    return texts.text(
        f"why.{step.code}",
        local=moment(step.local) if step.local else "",
        until=texts.moment_with_year(step.until) if step.until else "",
        zone=step.zone,
        day=texts.day(step.day) if step.day else "",
        days=", ".join(texts.day(day) for day in step.days),
        span=texts.duration(step.span) if step.span else "",
        name=texts.text(f"did.{step.name}") if step.code == "set" else escaped(step.name, 300),
        number=step.number,
        by=texts.text(f"who.{step.by}") if step.by in _NOT_STAFF else mention(step.by),
    )
