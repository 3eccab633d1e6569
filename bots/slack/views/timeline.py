"""The story and everything since as one timeline of who wrote or did what, for people who may read the words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from bots.slack.client.block_kit import (
    Block,
    button,
    cut,
    escaped,
    header,
    json_bytes,
    pieces,
    plain_section,
    plain_sections,
    quoted,
    section,
    sections,
)
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.card import UNSETTLED, delivery_lines, event_line
from bots.slack.views.form_inputs import word_label_id
from bots.slack.views.refusals import overruled_line
from complaints.actions.action import WordKind
from complaints.actions.intake import RETURNED, TRANSCRIPT
from complaints.actions.registry import MESSAGE_VERBS, verbs_that
from complaints.case import Event
from complaints.forms import FORMS
from complaints.vocabulary import Role
from store.files import ATTACHED, is_program
from store.outbox.deliveries import delivery_reason
from store.values import FileEntry, OpenedCase, Text

#: Code points of a first paragraph; a line above it takes some of the 3,000 that Slack allows.
_FIRST_PARAGRAPH = 2800
#: Code points of the story and of each message, and the number of messages, that a form shows.
SUMMARY_LENGTH, SUMMARY_MESSAGES = 600, 3
#: Blocks and bytes of words above the inputs of a form at most; the rest is in the opened complaint.
_FORM_BLOCKS, _FORM_BYTES = 40, 120_000
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
        "contact", ATTACHED,
    }
)  # fmt: skip
FILE_STATES: frozenset[str] = frozenset({"announced", "unscanned", "infected", "too_large", "failed"})
_STORY = "description"
#: Steps of the model and of the dialogue, which staff need no line for.
_NOT_SHOWN = verbs_that(lambda row: row.is_automatic and row.words is WordKind.INTERNAL)


@dataclass(frozen=True)
class TimelineEntry:
    """One message, file or act. `line` is the mrkdwn of an act; `blocks` show a message or a file."""

    at: datetime
    blocks: tuple[Block, ...] = ()
    line: str = ""
    text: Text | None = None
    is_story: bool = False


def story_and_conversation(
    opened: OpenedCase, texts: StaffTexts, now: datetime
) -> tuple[list[Block], list[Block]]:
    """The blocks of the story, and those of all that followed, the oldest first; what is not yet sent comes last."""
    received = _received(opened, texts)
    followed = [entry for entry in received if not entry.is_story]
    followed = sorted(
        [*followed, *_sent(opened, texts), *_attached(opened, texts), *_acts(opened, texts)], key=_when
    )
    story = [block for entry in received if entry.is_story for block in entry.blocks]
    nothing = [section(texts.text("open.nothing_said"))]
    return story or nothing, _blocks([*followed, *_not_sent(opened, texts, now)])


def message_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """All words and files of the complainant, the oldest first; each file with a button that sends it."""
    blocks = [block for entry in _received(opened, texts) for block in entry.blocks]
    return blocks or [section(texts.text("open.nothing_said"))]


def shown_messages(
    form: str, opened: OpenedCase, texts: StaffTexts, read_at: datetime | None = None
) -> tuple[list[Block], bool]:
    """What a form shows of the messages, and whether that is all that was not read by `read_at`.

    Who approves has to have read everything, so all words are shown where they fit.
    """
    blocks = message_blocks(opened, texts)
    shows_all = FORMS[form].shows == "everything"
    if shows_all and len(newest_within(blocks, _FORM_BLOCKS, _FORM_BYTES)) == len(blocks):
        return blocks, True
    return summary_blocks(opened, texts), summary_is_whole(opened, texts, read_at)


def newest_message_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """The complainant's words as far as a form has room for them; the newest are kept."""
    blocks = message_blocks(opened, texts)
    kept = newest_within(blocks, _FORM_BLOCKS, _FORM_BYTES)
    return kept if len(kept) == len(blocks) else [section(texts.text("modal.rest_in_open")), *kept]


def newest_within(blocks: Sequence[Block], most: int, most_bytes: int) -> list[Block]:
    """The last blocks, at most so many and so many bytes."""
    kept: list[Block] = []
    size = 0
    for block in reversed(blocks):
        size += json_bytes([block])
        if len(kept) == most or size > most_bytes:
            break
        kept.append(block)
    return kept[::-1]


def summary_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """The story's first words and the latest messages, to be read above the fields of a form."""
    story, latest = _summarised(opened, texts)
    words = "\n".join(text.text for text in story)
    keys = [(opened.case.ref, text.seq, text.field) for text in story]
    translated = "\n".join(filter(None, map(opened.translations.get, keys)))
    blocks = _quotations(texts.text("said.description"), words, SUMMARY_LENGTH) if words else []
    if translated:
        blocks += _quotations(texts.text("said.translation"), translated, SUMMARY_LENGTH)
    if max(len(words), len(translated)) > SUMMARY_LENGTH:
        blocks.append(section(texts.text("modal.rest_in_open")))
    return [*blocks, *(block for entry in latest for block in entry.blocks)]


def summary_is_whole(opened: OpenedCase, texts: StaffTexts, read_at: datetime | None) -> bool:
    """True if the summary shows in full all that the complainant wrote after this person last read the complaint."""
    story, latest = _summarised(opened, texts)
    in_full = story if sum(len(text.text) + 1 for text in story) <= SUMMARY_LENGTH else []
    in_full += [entry.text for entry in latest if entry.text and len(entry.text.text) <= SUMMARY_LENGTH]
    written = [*opened.texts, *(text for merged in opened.merged for text in merged.texts)]
    return all(text in in_full for text in written if read_at is None or text.at > read_at)


def _summarised(opened: OpenedCase, texts: StaffTexts) -> tuple[list[Text], list[TimelineEntry]]:
    """The story in its newest versions, and the latest messages in both directions, each with its first words."""
    replaced = {text.replaces for text in opened.texts}
    received = _received(opened, texts, SUMMARY_LENGTH)
    story = [entry.text for entry in received if entry.is_story and entry.text]
    later = [entry for entry in received if not entry.is_story or entry.text is None]
    # Receipts and reminders would push the complainant's answers out.
    sent = sorted(_sent(opened, texts, SUMMARY_LENGTH), key=_when)
    latest = sorted([*later[-SUMMARY_MESSAGES:], *sent[-1:]], key=_when)
    return [text for text in story if text.seq not in replaced], latest


def _when(entry: TimelineEntry) -> datetime:
    return entry.at


def _blocks(entries: Sequence[TimelineEntry]) -> list[Block]:
    """The blocks of these entries; acts in a row share a paragraph."""
    blocks: list[Block] = []
    for are_acts, group in groupby(entries, key=lambda entry: bool(entry.line)):
        run = list(group)
        lines = (line for entry in run for line in entry.line.splitlines())
        blocks += sections(lines) if are_acts else [block for entry in run for block in entry.blocks]
    return blocks


def _received(opened: OpenedCase, texts: StaffTexts, most: int | None = None) -> list[TimelineEntry]:
    """What the complainant wrote and sent, the oldest first; the first entry is the story if none is called so."""
    entries = sorted(_received_entries(opened, texts, most), key=_when)
    if entries and not any(entry.is_story for entry in entries):
        # A complaint may begin with a photo or a recording.
        entries[0] = replace(entries[0], is_story=True)
    return entries


def _received_entries(opened: OpenedCase, texts: StaffTexts, most: int | None) -> Iterator[TimelineEntry]:
    """A recording has its transcript below it, and words their translation."""
    zone = opened.case.rules.calendar.zone
    who = opened.complainant_name or texts.text("who.complainant")
    sources = [(opened.case.ref, opened.texts, opened.files)]
    sources += [(merged.ref, merged.texts, merged.files) for merged in opened.merged]
    for ref, written, files in sources:
        transcripts = {text.field: text for text in written if text.field.startswith(f"{TRANSCRIPT}.")}
        for file in files:
            if file.kind == ATTACHED:
                continue
            transcript = transcripts.pop(f"{TRANSCRIPT}.{file.seq}", None)
            blocks = [_file_block(ref, file, f"{texts.moment(file.at, zone)} · {escaped(who, 100)}", texts)]
            if transcript is not None:
                blocks += _text_blocks(
                    opened, ref, transcript, texts.moment(transcript.at, zone), texts, most
                )
            yield TimelineEntry(file.at, tuple(blocks), text=transcript)
        for text in written:
            if text.field.startswith(f"{TRANSCRIPT}.") and text.field not in transcripts:
                continue
            title = f"{texts.moment(text.at, zone)} · {cut(who, 100)}"
            blocks = _text_blocks(opened, ref, text, title, texts, most)
            yield TimelineEntry(
                text.at, tuple(blocks), text=text, is_story=text.field.split(".")[0] == _STORY
            )


def _sent(opened: OpenedCase, texts: StaffTexts, most: int | None = None) -> Iterator[TimelineEntry]:
    """Every message that we sent, with its exact words and how far it got."""
    for message in opened.messages:
        if message.get("direction") == "in" or message.get("state") == TO_READ_OUT:
            continue
        at, state = _as_datetime(message["at"]), str(message.get("state") or "")
        why = texts.text(f"delivery.why.{delivery_reason(message.get('reason'))}")
        suffix = f" · {texts.text(f'message.{state}', why=why)}" if state in MESSAGE_STATES else ""
        when = texts.moment(at, opened.case.rules.calendar.zone)
        title = f"{when} · {texts.text('open.we_wrote')}{suffix}"
        yield TimelineEntry(at, tuple(_titled_sections(title, str(message.get("text") or "–"), most)))


def _attached(opened: OpenedCase, texts: StaffTexts) -> Iterator[TimelineEntry]:
    """The files that staff attached to letters."""
    for file in opened.files:
        if file.kind == ATTACHED:
            when = texts.moment(file.at, opened.case.rules.calendar.zone)
            title = f"{when} · {texts.text('open.we_wrote')}"
            yield TimelineEntry(file.at, (_file_block(opened.case.ref, file, title, texts),))


def _as_datetime(moment: Any) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))


def _acts(opened: OpenedCase, texts: StaffTexts) -> Iterator[TimelineEntry]:
    """A line for each act, with the words of staff that are in no letter."""
    letters = "\n".join(str(message.get("text") or "") for message in opened.messages)
    for event in opened.events:
        is_message = event.role is Role.COMPLAINANT and event.verb in MESSAGE_VERBS
        if event.verb in _NOT_SHOWN or (is_message and event.facts.get("kind") != RETURNED):
            continue
        words = [f"> {escaped(text, 1000)}" for text in _staff_words(event, letters, texts)]
        if event.facts.get("phase") == "line" and not words:
            # It is among the messages that we sent.
            continue
        overruled = event.facts.get("overruled")
        warned = [f"_{overruled_line(overruled, texts)}_"] if overruled else []
        lines = [event_line(event, opened.case, texts), *warned, *words]
        yield TimelineEntry(event.at, line="\n".join(lines))


def _staff_words(event: Event, letters: str, texts: StaffTexts) -> list[str]:
    """The words on one line each; with the label of their field where there are several."""
    if event.role in (Role.COMPLAINANT, Role.MODEL):
        return []
    words = {
        path: " ".join(text.split())
        for path, text in event.words.items()
        if path != "letter" and text.strip() and text.strip() not in letters
    }
    labels = {path: word_label_id(event.verb, path) for path in words} if len(words) > 1 else {}
    return [
        f"{texts.text(label)} – {text}" if (label := labels.get(path)) else text
        for path, text in words.items()
    ]


def _not_sent(opened: OpenedCase, texts: StaffTexts, now: datetime) -> Iterator[TimelineEntry]:
    """Notices that have not arrived, and a decision that waits for approval."""
    waiting = [delivery for delivery in opened.deliveries if delivery.status in UNSETTLED]
    for line in delivery_lines(waiting, opened.case, texts, now):
        yield TimelineEntry(now, line=line)
    for words in opened.draft_words.values():
        yield TimelineEntry(now, tuple(_titled_sections(texts.text("open.unsent"), words)))


def read_out_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """The exact words that staff are to read out or to post, with the way that the complainant chose."""
    blocks: list[Block] = []
    for message in opened.messages:
        if message.get("state") == TO_READ_OUT:
            how = texts.text(f"channel.{message['channel']}")
            blocks.append(header(texts.text("open.to_tell", how=how)))
            if opened.recipient:
                blocks.append(plain_section(texts.text("open.recipient", who=opened.recipient)))
            blocks += plain_sections(str(message.get("text") or "–"), _FIRST_PARAGRAPH)
    return blocks


def _text_blocks(
    opened: OpenedCase, ref: str, text: Text, title: str, texts: StaffTexts, most: int | None
) -> list[Block]:
    """The words, and below them what a machine made of them, or that it could not be translated."""
    field = text.field.split(".")[0]
    name = texts.text(f"said.{field}" if field in WORD_FIELDS else "said.other")
    if text.replaces is not None:
        name = texts.text("said.edited", what=name)
    blocks = _quotations(f"{title} · {name}", text.text, most)
    key = ref, text.seq, text.field
    if key not in opened.translations:
        return blocks
    translation = opened.translations[key]
    if translation is None:
        return [*blocks, section(f"_{texts.text('said.not_translated')}_")]
    return [*blocks, *_quotations(texts.text("said.translation"), translation, most)]


def _quotations(title: str, words: str, most: int | None = None) -> list[Block]:
    """The complainant's words below the title, in pieces, or cut to `most` code points."""
    return [quoted(title, piece) for piece in pieces(words if most is None else cut(words, most)) or ["–"]]


def _titled_sections(title: str, text: str, most: int | None = None) -> list[Block]:
    """The text below its title, in paragraphs, or cut to `most` code points."""
    first, *rest = pieces(text if most is None else cut(text, most), _FIRST_PARAGRAPH) or ["–"]
    return [plain_section(f"{title}\n{first}"), *(plain_section(piece) for piece in rest)]


def _file_block(ref: str, file: FileEntry, title: str, texts: StaffTexts) -> Block:
    """One file, with a button that sends it to the direct messages of the person who presses it."""
    size = texts.text("file.size", kilobytes=max(1, round(file.size / 1024))) if file.size else ""
    kind = texts.text(f"file.{file.kind}" if file.kind in FILE_KINDS else "file.other")
    name = escaped(cut(file.name, 100)) if file.name else ""
    line = " · ".join(part for part in (title, kind, name, size) if part)
    if is_program(file.mime):
        line += f"\n{texts.text('file.program')}"
    if file.state == "fetched":
        send = button(texts.text("file.send"), "case.file", f"{ref}:{file.seq}")
        return section(line, accessory=send)
    state = file.state if file.state in FILE_STATES else "failed"
    return section(f"{line}\n_{texts.text(f'file.state_{state}')}_")
