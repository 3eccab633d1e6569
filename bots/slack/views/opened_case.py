"""The opened complaint: what to do next, the story and everything since, facts and dates; and the dates explained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.sign_names import due_rule_name
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    divider,
    escaped,
    fields,
    header,
    mention,
    pages,
    plain_section,
    section,
    sections,
)
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.actions import CaseActions, available_actions
from bots.slack.views.card import action_row, fact_fields, flag_lines, headline, next_due_text
from bots.slack.views.form_modals import View, metadata, modal, page_buttons, resendable
from bots.slack.views.investigation_view import investigation_blocks
from bots.slack.views.proposal_blocks import model_line, proposal_blocks, similar_blocks
from bots.slack.views.timeline import newest_within, read_out_blocks, story_and_conversation
from complaints.actors import MODEL_ID, OPERATOR_ID, SYSTEM_ID
from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import DueStep
from complaints.deadlines.explanation import explanation_steps, targets_in_order
from complaints.deadlines.targets import next_due
from complaints.forms import CARD_ACTS
from complaints.history import was_for_reader
from complaints.vocabulary import Role, Target
from store.database.errors import UNREADABLE
from store.values import OpenedCase

_PRIMARY = frozenset({"everybody", "executives", "person"})
#: The rest of the view is for the headline, the buttons and the page buttons.
_PER_PAGE = MODAL_BLOCKS - 8
#: The rest of the view is for the headline and the page buttons.
_DATES_PER_PAGE = MODAL_BLOCKS - 4
_NOT_STAFF = frozenset({SYSTEM_ID, MODEL_ID, OPERATOR_ID, Role.COMPLAINANT.value})
#: Blocks and bytes of the first page: what has to be read out, the story, and the newest that followed.
_NOTICE_BLOCKS, _STORY_BLOCKS, _NEWEST_BLOCKS = 24, 12, 30
_NOTICE_BYTES, _PART_BYTES = 40_000, 70_000
#: The steps that explain a date in one line; the view of the dates has all of them.
_EXPLAINING = frozenset(
    {"set", "rule", "asked_for", "in_decision", "next_news", "review", "extended", "moved", "capped"}
)


def case_view(
    opened: OpenedCase,
    texts: StaffTexts,
    *,
    now: datetime,
    page: int = 0,
    may: Callable[[str], bool] = lambda name: True,
) -> View:
    """One page of the opened complaint; every page has the state and the buttons.

    The view is one person's own, so it offers only what this person may do.
    """
    case, available = opened.case, available_actions(opened.case)
    # The view is open already.
    fitting = [name for name in (*available.buttons, *available.others) if name != "open" and may(name)]
    buttons = tuple(name for name in fitting if name in available.buttons or CARD_ACTS[name].is_common)
    others = tuple(name for name in fitting if name not in buttons)
    due_and_flags = [next_due_text(case, texts, now), *flag_lines(case, texts)]
    head: list[Block] = [header(headline(case, texts)), *sections(due_and_flags)]
    if fitting:
        head.append(action_row(case, texts, CaseActions(buttons, others), 0, primary=_PRIMARY))
    story, followed = story_and_conversation(opened, texts, now)
    notices, newest = _notices(opened, texts), newest_within(followed, _NEWEST_BLOCKS, _PART_BYTES)
    urgent = pages(notices, _NOTICE_BLOCKS, _NOTICE_BYTES)[0]
    first = pages(story, _STORY_BLOCKS, _PART_BYTES)[0]
    between = [*story[len(first) :], *followed[: len(followed) - len(newest)], *notices[len(urgent) :]]
    older = pages(between, _PER_PAGE)[::-1] if between else []
    page = max(0, min(page, len(older)))
    if page:
        body = [*older[page - 1], _page_row(case.ref, page, len(older), texts)]
    else:
        row = [_page_row(case.ref, 0, len(older), texts)] if older else []
        body = [*urgent, *first, *row, *newest, *_facts(opened, texts, now)]
    stored = metadata(case.ref, case.work_version, page=page)
    return modal(texts, "open", stored, [*head, *body], title="verb.open")


def _page_row(ref: str, page: int, last: int, texts: StaffTexts) -> Block:
    """The buttons of the timeline: page 0 has the newest, page `last` the oldest that followed the story."""
    row = [button(texts.text("open.newest"), "open.previous", f"{ref}:0")] if page else []
    if page < last:
        row.append(button(texts.text("open.older"), "open.next", f"{ref}:{page + 1}"))
    return actions("turning", row)


def model_view(opened: OpenedCase, texts: StaffTexts, *, now: datetime) -> View:
    """What the model proposed and why, and similar complaints: pushed onto the opened complaint."""
    case = opened.case
    blocks = [*proposal_blocks(opened, texts), *similar_blocks(case, opened.similar_cases, texts, now=now)]
    stored = metadata(case.ref, case.work_version)
    return modal(texts, "model", stored, [header(headline(case, texts)), *blocks], title="verb.model")


def dates_view(
    case: Case, events: Sequence[Event], texts: StaffTexts, *, now: datetime, page: int = 0
) -> View:
    """One page of the dates explained: first the open ones, then those that were met or replaced.

    `events` have no words: the reason of an extension is shown in the opened complaint.
    """
    body = pages(list(_explanations(case, events, texts, now)), _DATES_PER_PAGE)
    page = max(0, min(page, len(body) - 1))
    blocks = [header(headline(case, texts)), *body[page]]
    if len(body) > 1:
        blocks.append(page_buttons("due", case.ref, page, len(body), texts))
    return modal(texts, "due", metadata(case.ref, case.work_version, page=page), blocks, title="verb.due")


def with_next_drawing(view: Mapping[str, Any]) -> View:
    """The open view drawn once more: otherwise Slack keeps a menu's old choice."""
    blocks = []
    for block in view["blocks"]:
        block_id = str(block.get("block_id"))
        if block_id.startswith("actions:"):
            _, version, _ = block_id.replace(".", ":").split(":")
            draw = int(block_id.rpartition(".")[2]) + 1
            block = {**block, "block_id": f"actions:{version}.{draw}"}
        blocks.append(block)
    return {**resendable(view), "blocks": blocks}


def _notices(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """What has to be known before reading: damaged words, and a message that staff are to read out."""
    damaged = len(opened.damaged)
    lines = [texts.count("open.damaged", damaged, mark=UNREADABLE)] if damaged else []
    return [*sections(lines), *read_out_blocks(opened, texts)]


def _facts(opened: OpenedCase, texts: StaffTexts, now: datetime) -> list[Block]:
    """Facts, dates with the next one explained, and the model in one line."""
    case, zone = opened.case, opened.case.rules.calendar.zone
    blocks: list[Block] = [divider(), fields(fact_fields(case, texts))]
    if opened.complainant_name:
        blocks.append(plain_section(texts.text("open.complainant", name=opened.complainant_name)))
    if opened.support_needs:
        blocks.append(plain_section(texts.text("open.support", needs=opened.support_needs)))
    if opened.earlier_reads:
        readers = [f"{mention(read.by)} ({texts.moment(read.at, zone)})" for read in opened.earlier_reads]
        blocks += sections([texts.text("open.read_before", who=", ".join(readers))])
    blocks += investigation_blocks(case, opened.events, texts)
    if case.targets:
        following = next_due(case)
        targets = sorted(case.current_targets(), key=lambda target: target.internal_due)
        lines = [
            f"• {texts.target_due(target, case, now)}"
            for target in targets
            if target.met_at is None and target != following
        ]
        explained = [] if following is None else [_explained(opened, following, texts, now)]
        blocks += sections([*explained, *lines])
        blocks.append(actions("dues", [button(texts.text("verb.due"), "case.due", case.ref)]))
    if case.proposed is not None or opened.similar_cases:
        more = button(texts.text("open.model_more"), "case.model", case.ref)
        blocks.append(section(model_line(case, texts), accessory=more))
    return blocks


def _explained(opened: OpenedCase, target: TargetSet, texts: StaffTexts, now: datetime) -> str:
    """A date in one line with who set it, and by which rule."""
    steps = explanation_steps(opened.case, target, opened.events)
    why = [step_sentence(step, texts) for step in steps if step.code in _EXPLAINING]
    return " ".join((f"*{texts.target_due(target, opened.case, now)}*", *why))


def _explanations(case: Case, events: Sequence[Event], texts: StaffTexts, now: datetime) -> Iterator[Block]:
    # A stable sort: open dates first, each part in the order of the explanation.
    for target in sorted(targets_in_order(case), key=lambda target: not _is_open(case, target)):
        lines = [f"*{_title(case, target, events, texts, now)}*"]
        lines += [f"• {step_sentence(step, texts)}" for step in explanation_steps(case, target, events)]
        yield from sections(lines)


def _is_open(case: Case, target: TargetSet) -> bool:
    return target.met_at is None and case.target(target.target, target.of) == target


def _title(case: Case, target: TargetSet, events: Sequence[Event], texts: StaffTexts, now: datetime) -> str:
    is_reading = target.target is Target.APPROVE and was_for_reader(target.start, events)
    name = texts.second_reading if is_reading else texts.target_name(target.target, target.of)
    if _is_open(case, target):
        return texts.target_due(target, case, now, name=name)
    zone = case.rules.calendar.zone
    when = texts.due_time(target.internal_due, zone)
    if target.met_at is not None:
        return texts.text("due.met", target=name, when=when, met=texts.moment(target.met_at, zone))
    return texts.text("due.superseded", target=name, when=when, version=target.version)


def step_sentence(step: DueStep, texts: StaffTexts, *, plain: bool = False) -> str:
    """One step of a due time; `plain` is text for a terminal, otherwise mrkdwn."""
    moment = texts.closing_with_year if step.code == "closing" else texts.moment_with_year
    return texts.text(
        f"why.{step.code}",
        local=moment(step.local) if step.local else "",
        until=texts.moment_with_year(step.until) if step.until else "",
        zone=step.zone,
        day=texts.day(step.day) if step.day else "",
        days=", ".join(texts.day(day) for day in step.days),
        span=texts.duration(step.span) if step.span else "",
        name=_step_name(step, texts, plain=plain),
        number=step.number,
        by=texts.text(f"who.{step.by}") if step.by in _NOT_STAFF else step.by if plain else mention(step.by),
    )


def _step_name(step: DueStep, texts: StaffTexts, *, plain: bool) -> str:
    if step.code == "set":
        return texts.text(f"did.{step.name}")
    name = due_rule_name(step.name, texts.text) if step.code == "rule" else step.name
    return name if plain else escaped(name, 300)
