"""The letters that an act sends, composed as they leave: for the preview, and for the second person (7.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bots.letters.composer import COMPOSED, LetterText
from bots.slack.context import SlackContext
from complaints.actions.perform import ActResult, after_approval, perform
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.obligations.approvals import awaits_approver
from complaints.obligations.standing import current_obligations
from complaints.vocabulary import Verb
from store.cases.read import load_history
from store.people.staff import count_reviewers
from store.record.load import load_complaint_text, load_event_words

#: Between two letters of one act.
_BETWEEN = "\n\n———\n\n"


async def letters_of(slack: SlackContext, case: Case, tried: ActResult) -> str:
    """The letters of an act that was tried on this case; of one that asks a second person, those after the approval.

    Empty where nothing is sent.
    """
    acts = [tried]
    if awaits_approver(tried.case) and not case.awaits_approval:
        acts.append(after_approval(tried))
    return await _composed(slack, case, acts)


async def letters_if_approved(slack: SlackContext, case: Case, by: Actor) -> str:
    """The letters of what waits on this case, if this person agrees to it now."""
    now = slack.store.now()
    return await _composed(
        slack, case, [perform(case, Verb.APPROVE, at=now, actor=by, facts={"agreed": "yes"})]
    )


async def _composed(slack: SlackContext, case: Case, acts: list[ActResult]) -> str:
    last = acts[-1]
    before = {row.key for row in current_obligations(case)}
    events = [*await slack.store.aread(load_history, case.ref), *(done.event for done in acts)]
    letters = []
    for row in last.obligations:
        # Without a chat, staff give the letter `about` this.
        kind = str(row.facts.get("about", row.kind))
        if kind in COMPOSED and row.key not in before and row.due <= last.event.at:
            letter = await composed_letter(slack, last.case, kind, row.facts, events)
            letters += [letter.text] if letter is not None else []
    return _BETWEEN.join(letters)


async def composed_letter(
    slack: SlackContext, case: Case, kind: str, facts: Mapping[str, Any], events: Sequence[Event]
) -> LetterText | None:
    """The letter of an obligation of this kind, with the words of the record and of events that are only tried."""
    store = slack.store

    def compose() -> LetterText | None:
        return slack.read_out(
            case, kind, facts, events=events, now=store.now(),
            words_of=lambda seq: tried.get(seq) or store.read(load_event_words, case.ref, seq),
            reviewers=store.read(count_reviewers, case),
            complaint_text=store.read(load_complaint_text, case.ref),
        )  # fmt: skip

    tried = {event.seq: event.words for event in events if event.words}
    return await store.in_reader_thread(compose)
