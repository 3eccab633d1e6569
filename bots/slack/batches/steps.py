"""What every act on many complaints has in common: its preview, who is left to a person and why, and its result."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from bots.slack.client.block_kit import MODAL_BLOCKS, Block, context, divider, plain_sections, section
from bots.slack.client.refused_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.letter_check import check_texts_to_all
from bots.slack.payloads import FormSubmission
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_modals import View, metadata, modal
from bots.slack.views.refusals import Warned, codes_of, refusal_text, warning_lines
from complaints.actors import Actor
from complaints.batch import Audience, Batch
from complaints.case import Case, Facts
from complaints.errors import AlreadyDone, ComplaintError
from store.cases.batches import load_batch, save_batch

#: So many references are named; the others are only counted.
MAX_NAMED = 20
#: With these reasons not even the reference is shown in the triage channel.
HIDDEN_REASONS = frozenset({"restricted", "not_open"})


async def preview_view(
    slack: SlackContext,
    batch: Batch,
    audience: Audience,
    actor: Actor,
    blocks: Sequence[Block],
    *,
    callback_id: str,
    title: str,
    submit: str | None = None,
    stated: Facts | None = None,
    warnings: Sequence[str] = (),
    inputs: Sequence[Block] = (),
) -> View:
    """The preview of a batch, which is kept for a day; submitting acts on exactly this audience.

    For letters `stated` says whether a sum in the texts is no payment. Above `blocks` are `warnings` and those about
    the texts; without `submit` the letters are sent at once.
    """
    texts, warned = slack.texts, tuple[Warned, ...]()
    if stated is not None:
        warned = await check_texts_to_all(slack, stated, batch.words, audience.to[0], actor)
        submit = submit or ("preview.send_anyway" if warned or warnings else "preview.send")
    lines = [*(f":warning: {line}" for line in warnings), warning_lines(warned, texts)]
    blocks = [*alerts("\n".join(lines)), *blocks][: MODAL_BLOCKS - len(inputs)]
    kept = replace(batch, refs=tuple(case.ref for case in audience.to), overruled=codes_of(warned))
    stored = metadata(batch.about, batch.version, draft=await slack.store.awrite(save_batch, kept))
    return modal(
        texts, callback_id, stored, [*blocks, *inputs], title=title, submit=submit, close="preview.back"
    )


async def previewed_batch(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Batch:
    """The batch of the preview that is submitted. Raises AlreadyDone if it has expired."""
    batch = await slack.store.aread(load_batch, submission.metadata.draft or "", submission.form)
    if batch is None or batch.by != actor.id:
        raise AlreadyDone.worded("already_done:preview_of_many")
    return batch


def letter_blocks(letters: Iterable[tuple[str, str]]) -> list[Block]:
    """Letters exactly as they will be read, each below its heading."""
    return [
        block
        for heading, letter in letters
        for block in (divider(), section(heading), *plain_sections(letter))
    ]


def letter_heading(case: Case, texts: StaffTexts) -> str:
    return texts.text("incident.letter_to", ref=case.ref, name=texts.language_name(case.language))


def left_to_person(
    left_out: Sequence[tuple[str, str]], texts: StaffTexts, text_id: str = "incident.left_to_person"
) -> list[Block]:
    """`12 left to a person: ` and each reason with its number, and the references that may be shown.

    `left_out` are the references with their reasons.
    """
    if not left_out:
        return []
    named = 0
    parts = []
    for reason, number in Counter(reason for _, reason in left_out).most_common():
        refs = [ref for ref, why in left_out if why == reason][: MAX_NAMED - named]
        refs = [] if _is_hidden(reason, texts) else refs
        named += len(refs)
        more = ["…"] if refs and number > len(refs) else []
        references = f" ({', '.join([*refs, *more])})" if refs else ""
        parts.append(f"{texts.text(f'left_out.{reason}')} {number}{references}")
    return [context(texts.count(text_id, len(left_out), reasons="; ".join(parts)))]


def left_out_by_name(left_out: Sequence[tuple[str, str]], texts: StaffTexts) -> list[Block]:
    """`Not included: A7K-M3Q-9T (a matter of its own), 2 more that are not shown here`."""
    if not left_out:
        return []
    visible = [(ref, reason) for ref, reason in left_out if not _is_hidden(reason, texts)][:MAX_NAMED]
    parts = [f"{ref} ({texts.text(f'left_out.{reason}')})" for ref, reason in visible]
    rest = len(left_out) - len(parts)
    parts += [texts.text("incident.more", number=rest)] if rest else []
    return [context(texts.text("incident.left_out", refs=", ".join(parts)))]


def _is_hidden(reason: str, texts: StaffTexts) -> bool:
    """True for a reason that says too much about a complaint; one of a newer release may do so."""
    return reason in HIDDEN_REASONS or not texts.catalogue.has(f"left_out.{reason}")


async def act_on_each(
    slack: SlackContext, refs: Iterable[str], act: Callable[[str], Awaitable[str | None]]
) -> tuple[list[str], list[str]]:
    """Do this to each complaint; returns those that have it by now, and a line for each that is left to a person.

    `act` returns why it is left to a person, or None. A complaint for which it raises AlreadyDone is in neither list.
    """
    done, refused = [], []
    for ref in refs:
        try:
            reason = await act(ref)
        except AlreadyDone:
            continue
        except ComplaintError as refusal:
            reason = refusal_text(refusal, slack.texts)
        if reason is None:
            done.append(ref)
        else:
            refused.append(f"{ref}: {reason}")
    return done, refused


def informed_text(done: Sequence[str], refused: Sequence[str], texts: StaffTexts) -> str:
    """How many have the letter in their record, and who is left to a person and why."""
    lines = [texts.count("bulk.informed", len(done))]
    if refused:
        lines += [texts.text("bulk.refused", number=len(refused)), *refused]
    return "\n".join(lines)


def taken_back_text(number: int, too_late: int, texts: StaffTexts) -> str:
    """`47 letters are taken back and were not sent. It was too late for 3 letters.`"""
    lines = [texts.count("bulk.taken_back", number)]
    lines += [texts.count("bulk.too_late", too_late)] if too_late else []
    return " ".join(lines)
