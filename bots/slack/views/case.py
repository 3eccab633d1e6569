"""The opened complaint: all words, files and messages, what was done, and the dates; and the dates explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.sign_names import due_rule_name
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    cut,
    divider,
    escaped,
    header,
    mention,
    pages,
    pieces,
    plain_section,
    plain_sections,
    section,
    sections,
)
from bots.slack.texts import StaffTexts
from bots.slack.views.actions import CaseActions, available_actions
from bots.slack.views.card import action_row, delivery_lines, event_line, flag_lines, headline, next_due_text
from bots.slack.views.forms import View, metadata, modal, page_buttons, resendable
from bots.slack.views.letter_warnings import overruled_line
from bots.slack.views.proposal import proposal_blocks, similar_blocks
from complaints.actors import MODEL_ID, OPERATOR_ID, SYSTEM_ID
from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import DueStep
from complaints.deadlines.explanation import explanation_steps, targets_in_order
from complaints.vocabulary import Role
from store.database.damage import UNREADABLE
from store.file_types import is_program
from store.outbox.deliveries import delivery_reason
from store.values import FileEntry, OpenedCase, Text

#: What takes the complaint to its next state.
_PRIMARY = frozenset({"assess", "take", "approve", "resolve", "decide", "close", "receipt"})
#: The rest of the view is for the headline, the buttons and the page buttons.
_PER_PAGE = MODAL_BLOCKS - 8
#: The rest of the view is for the headline and the page buttons.
_DATES_PER_PAGE = MODAL_BLOCKS - 4
_NOT_STAFF = frozenset({SYSTEM_ID, MODEL_ID, OPERATOR_ID, Role.COMPLAINANT.value})
#: Code points of a first paragraph; a line above it takes some of the 3,000 that Slack allows.
_FIRST_PARAGRAPH = 2800
#: A message that staff are to read out or to post.
TO_READ_OUT = "to_tell"
MESSAGE_STATES: frozenset[str] = frozenset(
    {"sending", "sent", "uncertain", "failed", TO_READ_OUT, "told", "by_chat"}
)
#: The questions that have a name in the texts; words of any other field are called "words".
WORD_FIELDS: frozenset[str] = frozenset(
    {
        "description", "where_and_when", "remedy_requested", "for_whom", "relation", "age_band", "effect",
        "recurrent", "support_needs", "anonymity", "question", "answer", "addition", "look_again",
        "reopen_reason", "remedy_check", "not_right", "data_correction", "data_erasure",
        "transcript", "forwarded",
    }
)  # fmt: skip
FILE_KINDS: frozenset[str] = frozenset(
    {
        "photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker", "location",
        "contact",
    }
)  # fmt: skip
FILE_STATES: frozenset[str] = frozenset({"announced", "unscanned", "infected", "too_large", "failed"})


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
    buttons = tuple(name for name in available.buttons if name != "open" and may(name))
    available = CaseActions(buttons, tuple(name for name in available.others if may(name)))
    head: list[Block] = [header(headline(case, texts)), section(next_due_text(case, texts, now))]
    if buttons or available.others:
        head.append(action_row(case, texts, available, 0, primary=_PRIMARY))
    return _page_view("open", case, texts, head, pages(_body(opened, texts, now), _PER_PAGE), page)


def dates_view(
    case: Case, events: Sequence[Event], texts: StaffTexts, *, now: datetime, page: int = 0
) -> View:
    """One page of the dates explained: first the open ones, then those that were met or replaced.

    `events` have no words: the reason of an extension is shown in the opened complaint.
    """
    body = pages(list(_explanations(case, events, texts, now)), _DATES_PER_PAGE)
    return _page_view("due", case, texts, [header(headline(case, texts))], body, page)


def _page_view(
    callback_id: str,
    case: Case,
    texts: StaffTexts,
    head: Sequence[Block],
    body: Sequence[Sequence[Block]],
    page: int,
) -> View:
    """This page, or the nearest that there is; `head` is on every page."""
    page = max(0, min(page, len(body) - 1))
    blocks = [*head, *body[page]]
    if len(body) > 1:
        blocks.append(page_buttons(callback_id, case.ref, page, len(body), texts))
    stored = metadata(case.ref, case.work_version, page=page)
    return modal(texts, callback_id, stored, blocks, title=f"verb.{callback_id}")


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


def message_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """All words and files of the complainant, the oldest first; each file with a button that sends it."""
    zone = opened.case.rules.calendar.zone
    sources = [(opened.case.ref, opened.texts, opened.files)]
    sources += [(merged.ref, merged.texts, merged.files) for merged in opened.merged]
    entries: list[tuple[datetime, int, str, Text | FileEntry]] = [
        *((text.at, 0, ref, text) for ref, messages, _ in sources for text in messages),
        *((file.at, 1, ref, file) for ref, _, files in sources for file in files),
    ]
    blocks: list[Block] = []
    for received_at, _, ref, entry in sorted(entries, key=lambda entry: entry[:3]):
        when = texts.moment(received_at, zone)
        if isinstance(entry, Text):
            blocks += _text_blocks(entry, when, texts)
            blocks += _translation_blocks(opened, ref, entry, texts)
        else:
            blocks.append(_file_block(ref, entry, when, texts))
    return blocks or [section(texts.text("open.nothing_said"))]


def _body(opened: OpenedCase, texts: StaffTexts, now: datetime) -> list[Block]:
    case, zone = opened.case, opened.case.rules.calendar.zone
    blocks: list[Block] = []
    if opened.damaged:
        blocks.append(section(texts.count("open.damaged", len(opened.damaged), mark=UNREADABLE)))
    if opened.complainant_name:
        blocks.append(plain_section(texts.text("open.complainant", name=opened.complainant_name)))
    if opened.support_needs:
        blocks.append(plain_section(texts.text("open.support", needs=opened.support_needs)))
    flags = flag_lines(case, texts)
    if flags:
        blocks.append(section("\n".join(flags)))
    if opened.earlier_reads:
        readers = [f"{mention(read.by)} ({texts.moment(read.at, zone)})" for read in opened.earlier_reads]
        blocks.append(section(texts.text("open.read_before", who=", ".join(readers))))
    if case.assessment is None:
        blocks += proposal_blocks(opened, texts)
    blocks += similar_blocks(case, opened.similar_cases, texts, now=now)
    blocks += [header(texts.text("open.said")), *message_blocks(opened, texts)]
    blocks += _read_out_blocks(opened, texts)
    deliveries = delivery_lines(opened.deliveries, case, texts, now)
    if deliveries:
        blocks.append(header(texts.text("open.delivered")))
        blocks += sections(deliveries)
    sent = _sent_blocks(opened, texts)
    if sent:
        blocks += [header(texts.text("open.messages")), *sent]
    if opened.draft_words:
        blocks.append(header(texts.text("open.unsent")))
        for words in opened.draft_words.values():
            blocks += plain_sections(words)
    blocks += [divider(), header(texts.text("open.events")), *_event_blocks(opened, texts)]
    dates = _date_blocks(case, texts, now)
    if dates:
        blocks += [header(texts.text("open.dues")), *dates]
    return blocks


def _read_out_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """The exact words that staff are to read out or to post, with the way that the complainant chose."""
    blocks: list[Block] = []
    for message in opened.messages:
        if message.get("state") == TO_READ_OUT:
            how = texts.text(f"channel.{message['channel']}")
            blocks.append(header(texts.text("open.to_tell", how=how)))
            words = str(message.get("text") or "–")
            blocks += plain_sections(words, _FIRST_PARAGRAPH)
    return blocks


def _sent_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """Every message that we sent, with its exact words and its state."""
    zone = opened.case.rules.calendar.zone
    blocks: list[Block] = []
    for message in opened.messages:
        if message.get("direction") == "in" or message.get("state") == TO_READ_OUT:
            continue
        state = str(message.get("state") or "")
        why = texts.text(f"delivery.why.{delivery_reason(message.get('reason'))}")
        suffix = f" · {texts.text(f'message.{state}', why=why)}" if state in MESSAGE_STATES else ""
        when = texts.moment(_as_datetime(message["at"]), zone)
        blocks += _titled_sections(f"{when}{suffix}", str(message.get("text") or "–"))
    return blocks


def _as_datetime(moment: Any) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))


def _event_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """What was done, a line for each event, with the words of staff."""
    lines: list[str] = []
    for event in opened.events:
        lines.append(event_line(event, opened.case, texts))
        if event.facts.get("overruled"):
            lines.append(f"_{overruled_line(event.facts['overruled'], texts)}_")
        lines += _staff_words(event)
    return sections(lines)


def _staff_words(event: Event) -> list[str]:
    """The words of an act of staff, without the letter: letters are shown among the messages."""
    if event.role in (Role.COMPLAINANT, Role.MODEL):
        return []
    return [
        f"> {escaped(' '.join(text.split()), 1000)}"
        for path, text in event.words.items()
        if path != "letter" and text.strip()
    ]


def _date_blocks(case: Case, texts: StaffTexts, now: datetime) -> list[Block]:
    if not case.targets:
        return []
    targets = sorted(case.current_targets(), key=lambda target: target.internal_due)
    lines = [f"• {texts.target_due(target, case, now)}" for target in targets if target.met_at is None]
    why = actions("dues", [button(texts.text("verb.due"), "case.due", case.ref)])
    return [*sections(lines), why]


def _text_blocks(text: Text, when: str, texts: StaffTexts) -> list[Block]:
    field = text.field.split(".")[0]
    name = texts.text(f"said.{field}" if field in WORD_FIELDS else "said.other")
    if text.replaces is not None:
        name = texts.text("said.edited", what=name)
    return _titled_sections(f"{when} · {name}", text.text)


def _translation_blocks(opened: OpenedCase, ref: str, text: Text, texts: StaffTexts) -> list[Block]:
    """What a machine made of the text, below it; or that it could not be translated."""
    key = ref, text.seq, text.field
    if key not in opened.translations:
        return []
    translation = opened.translations[key]
    if translation is None:
        return [section(f"_{texts.text('said.not_translated')}_")]
    return _titled_sections(texts.text("said.translation"), translation)


def _titled_sections(title: str, text: str) -> list[Block]:
    first, *rest = pieces(text, _FIRST_PARAGRAPH) or ["–"]
    return [plain_section(f"{title}\n{first}"), *(plain_section(piece) for piece in rest)]


def _file_block(ref: str, file: FileEntry, when: str, texts: StaffTexts) -> Block:
    """One file, with a button that sends it to the direct messages of the person who presses it."""
    size = texts.text("file.size", kilobytes=max(1, round(file.size / 1024))) if file.size else ""
    kind = texts.text(f"file.{file.kind}" if file.kind in FILE_KINDS else "file.other")
    name = escaped(cut(file.name, 100)) if file.name else ""
    line = " · ".join(part for part in (when, kind, name, size) if part)
    if is_program(file.mime):
        line += f"\n{texts.text('file.program')}"
    if file.state == "fetched":
        send = button(texts.text("file.send"), "case.file", f"{ref}:{file.seq}")
        return section(line, accessory=send)
    state = file.state if file.state in FILE_STATES else "failed"
    return section(f"{line}\n_{texts.text(f'file.state_{state}')}_")


def _explanations(case: Case, events: Sequence[Event], texts: StaffTexts, now: datetime) -> Iterator[Block]:
    # A stable sort: open dates first, each part in the order of the explanation.
    for target in sorted(targets_in_order(case), key=lambda target: not _is_open(case, target)):
        lines = [f"*{_title(case, target, texts, now)}*"]
        lines += [f"• {step_sentence(step, texts)}" for step in explanation_steps(case, target, events)]
        yield from sections(lines)


def _is_open(case: Case, target: TargetSet) -> bool:
    return target.met_at is None and case.target(target.target, target.of) == target


def _title(case: Case, target: TargetSet, texts: StaffTexts, now: datetime) -> str:
    if _is_open(case, target):
        return texts.target_due(target, case, now)
    zone = case.rules.calendar.zone
    name, when = texts.target_name(target.target, target.of), texts.due_time(target.internal_due, zone)
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
